//! Files: what is written is read back, small enough, and what is broken is refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bytes::Bytes;
use pktvisor_api::{HllImage, ListTotals, SketchDocument, TopEntry};
use pktvisor_archive::{
    ArchiveRow, ArchivedEntry, ArchivedList, BrokenFile, LAYOUT, PERIOD_BYTES_MAX, PERIOD_ENTRIES, decode,
    encode, encode_period,
};
use proptest::prelude::*;

/// Numbers without a pattern (Vigna, xorshift64*).
fn noise(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed | 1;
    std::iter::repeat_with(move || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    })
}

/// An image whose registers are those of `items` distinct ones.
fn image(seed: u64, items: usize) -> Vec<u8> {
    let mut image = vec![10, 1, 7, 14, 0, 16, 0, 10];
    image.resize(40 + (1 << 14), 0);
    for hash in noise(seed).take(items) {
        let register = &mut image[40 + (hash & 0x3fff) as usize];
        *register = (*register).max((hash >> 14).trailing_zeros() as u8 % 50 + 1);
    }
    image
}

/// A row of an agent that is full: long lists of names of this length, and many distinct items.
fn full(name_bytes: usize) -> ArchiveRow {
    let list = |place: usize| ArchivedList {
        entries: noise(place as u64)
            .take(200)
            .map(|number| {
                let name: String =
                    noise(number).take(name_bytes).map(|n| (b'a' + (n % 26) as u8) as char).collect();
                let estimate = number % 1_000_000;
                ArchivedEntry { name, estimate, lower: estimate, upper: estimate + number % 1000 }
            })
            .collect(),
        absent_upper: 17,
    };
    let mut row = ArchiveRow::from_document("full", &SketchDocument::default());
    row.counters = noise(3).take(LAYOUT.counters.len()).map(|number| number % 10_000_000_000).collect();
    row.distinct = (0..LAYOUT.distinct.len() as u64).map(|seed| Some(image(seed, 500_000))).collect();
    row.lists = (0..LAYOUT.lists.len()).map(list).collect();
    for (place, histogram) in row.histograms.iter_mut().enumerate() {
        histogram.scale = 8;
        histogram.buckets = noise(place as u64)
            .take(1_500)
            .enumerate()
            .map(|(index, number)| pktvisor_api::ExponentialBucket {
                index: 1_000 + index as i32 * 2,
                count: number % 5_000,
            })
            .collect();
        histogram.count = histogram.buckets.iter().map(|bucket| bucket.count).sum();
    }
    row
}

#[test]
fn a_file_of_a_full_agent_is_under_100_kb_whatever_the_traffic() {
    for name_bytes in [8, 40, 250] {
        let row = full(name_bytes);
        let file = encode_period(&row).unwrap();
        let read = decode(file.clone().into()).unwrap();
        let entries = read.lists[0].entries.len();
        println!("names of {name_bytes} bytes: {} bytes, lists of {entries}", file.len());
        assert!(file.len() <= PERIOD_BYTES_MAX && entries <= PERIOD_ENTRIES);
        assert_eq!((&read.counters, &read.distinct), (&row.counters, &row.distinct));
        assert!(read.histograms.iter().zip(&row.histograms).all(|(read, whole)| read.count == whole.count));
        for (cut, whole) in read.lists.iter().zip(&row.lists) {
            let left_out = whole.entries[cut.entries.len()..].iter().map(|entry| entry.upper).max();
            assert!(cut.absent_upper >= left_out.unwrap_or(0));
        }
    }
}

#[test]
fn an_empty_period_is_read_back() {
    let row = ArchiveRow::from_document("a", &SketchDocument::default());
    let file = encode(&row).unwrap();
    println!("an empty period: {} bytes", file.len());
    assert!(row.is_empty());
    assert_eq!(decode(file.into()).unwrap(), row);
}

#[test]
fn a_row_has_what_the_document_says() {
    let mut document = SketchDocument::default();
    document.period.period.start_ts = 60;
    document.period.period.length = 59;
    document.period.packets.sizes = [0, 1, 2, 3, 4, 5, 6];
    document.period.packets.total = 70;
    document.period.dns.inbound.queries = 7;
    document.period.sampling.messages = 9;
    let entry = |name: &str, lower, upper| TopEntry {
        name: name.to_owned(),
        estimate: lower,
        lower: Some(lower),
        upper,
        scaled: None,
    };
    // Names of any bytes.
    document.period.dns.top_qname2 = vec![entry("a\0\"'\n\u{fffd}ü", 5, Some(8)), entry("", 1, None)];
    document.lists.insert("dns.top_qname2".to_owned(), ListTotals { absent_upper: 3 });
    document.distinct.insert("dns.in.clients".to_owned(), HllImage(image(1, 10)));
    let row = decode(encode(&ArchiveRow::from_document("a", &document)).unwrap().into()).unwrap();
    let counter = |name: &str| row.counters[LAYOUT.counters.iter().position(|c| c.name == name).unwrap()];
    assert_eq!(counter("packets_sizes_below_128"), 1);
    assert_eq!(counter("packets_sizes_from_1519"), 6);
    assert_eq!((counter("dns_in_queries"), counter("sampling_messages")), (7, 9));
    assert_eq!((row.start_us, row.end_us, row.length_s), (60_000_000, 119_000_000, 59.0));
    let list = |name: &str| &row.lists[LAYOUT.lists.iter().position(|list| list.path == name).unwrap()];
    let expected =
        |name: &str, estimate, upper| ArchivedEntry { name: name.into(), estimate, lower: estimate, upper };
    let entries = vec![expected("a\0\"'\n\u{fffd}ü", 5, 8), expected("", 1, 1)];
    assert_eq!(*list("dns.top_qname2"), ArchivedList { entries, absent_upper: 3 });
    // Items that cannot be told apart can have all of the total.
    assert_eq!(list("packets.top_geoLoc").absent_upper, 70);
    let clients = LAYOUT.distinct.iter().position(|column| column.name == "dns_in_clients_hll").unwrap();
    assert_eq!(row.distinct[clients], Some(image(1, 10)));
    assert_eq!(row.distinct.iter().flatten().count(), 1);
}

#[test]
fn rows_of_other_content_have_other_ids() {
    let row = full(8);
    let mut ids = std::collections::HashSet::from([row.id()]);
    let mut check = |change: &dyn Fn(&mut ArchiveRow)| {
        let mut other = row.clone();
        change(&mut other);
        assert!(ids.insert(other.id()));
    };
    check(&|row| row.agent.push('x'));
    check(&|row| row.start_us += 1);
    check(&|row| row.length_s += 1.0);
    check(&|row| row.sources.push(1));
    check(&|row| row.counters[5] += 1);
}

fn refused(file: &[u8]) -> BrokenFile {
    decode(Bytes::copy_from_slice(file)).unwrap_err()
}

#[test]
fn files_that_are_not_of_an_archive_are_refused_with_a_sentence() {
    for file in [&b""[..], b"PAR1", b"PAR1PAR1", b"no Parquet at all, but long enough", &[0xff; 4096]] {
        let reason = refused(file).to_string();
        assert!(reason.starts_with("it is not an intact Parquet file"), "{reason}");
        assert!(!reason.contains('\n'), "{reason}");
    }
    let file = encode(&full(8)).unwrap();
    assert!(matches!(refused(&file[..file.len() - 1]), BrokenFile::Parquet(_)));
    assert!(matches!(refused(&file[..file.len() / 2]), BrokenFile::Parquet(_)));
}

#[test]
fn hostile_images_and_scales_are_refused() {
    let with = |change: &dyn Fn(&mut ArchiveRow)| {
        let mut row = full(8);
        change(&mut row);
        refused(&encode(&row).unwrap()).to_string()
    };
    assert!(with(&|row| row.distinct[0] = Some(vec![1, 2, 3])).contains("an image is not HLL_8"));
    assert!(with(&|row| row.distinct[0].as_mut().unwrap()[7] = 0).contains("an image is not HLL_8"));
    assert!(with(&|row| row.distinct[0].as_mut().unwrap()[100] = 64).contains("an image is not HLL_8"));
    assert!(with(&|row| row.histograms[0].scale = 100).contains("scale 100"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// A damaged file is refused, or its damage is where nobody looks; it never ends the process.
    #[test]
    fn damage_is_refused_or_harmless(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
                                     in_footer in any::<bool>()) {
        static FILE: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
            let mut row = full(8);
            row.cut_lists(5);
            encode(&row).unwrap()
        });
        let mut file = FILE.clone();
        let footer = u32::from_le_bytes(file[file.len() - 8..file.len() - 4].try_into().unwrap()) as usize;
        let start = if in_footer { file.len() - 8 - footer } else { 0 };
        let range = file.len() - start;
        // The Parquet library panics on some, which must be caught.
        std::panic::set_hook(Box::new(|_| {}));
        for (place, byte) in changes {
            file[start + place.index(range)] = byte;
        }
        if let Err(error) = decode(file.into()) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
