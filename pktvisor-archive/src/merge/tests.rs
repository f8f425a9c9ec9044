use std::collections::HashMap;

use datasketches::hll::{HllSketch, HllType};
use pktvisor_api::{ExponentialBucket, ExponentialHistogram};
use proptest::prelude::*;

use super::*;
use crate::testing::{filled, image};

#[test]
fn counters_add_up_and_the_span_is_that_of_all() {
    let rows = [filled(1, 0), filled(2, 60), filled(3, 180)];
    let merged = merge(&rows).unwrap();
    for (place, count) in merged.counters.iter().enumerate() {
        assert_eq!(*count, rows.iter().map(|row| row.counters[place]).sum::<u64>());
    }
    assert_eq!((merged.start_us, merged.end_us, merged.length_s), (0, 240_000_000, 180.0));
    let ids: BTreeSet<i64> = rows.iter().map(ArchiveRow::id).collect();
    assert_eq!(merged.sources.iter().copied().collect::<BTreeSet<_>>(), ids);
}

#[test]
fn sources_of_merged_rows_are_those_of_their_rows_too() {
    let rows = [filled(1, 0), filled(2, 60), filled(3, 120)];
    let hours = [merge(&rows[..2]).unwrap(), merge(&rows[2..]).unwrap()];
    let day = merge(&hours).unwrap();
    assert!(rows.iter().chain(&hours).all(|row| day.sources.contains(&row.id())));
}

#[test]
fn nothing_cannot_be_merged() {
    assert!(matches!(merge(&[]), Err(MergeError::Nothing)));
}

#[test]
fn distinct_counts_become_the_union() {
    let images = [image(0..6_000), image(3_000..9_000), image(0..1)];
    let rows: Vec<ArchiveRow> = images
        .iter()
        .enumerate()
        .map(|(place, image)| {
            let mut row = filled(place as u64, 0);
            row.distinct = vec![Some(image.clone()), None, None, None, None];
            row
        })
        .collect();
    let merged = merge(&rows).unwrap();
    let union = HllSketch::deserialize(merged.distinct[0].as_ref().unwrap()).unwrap();
    assert!((union.estimate() / 9_000.0 - 1.0).abs() < 0.02, "{}", union.estimate());
    assert_eq!(merged.distinct[1..], [None, None, None, None]);
    assert!(sketch::check(&merged).is_ok());
    // A single image keeps its preamble.
    assert_eq!(merge(&rows[..1]).unwrap().distinct, rows[0].distinct);
    assert_eq!(union.target_type(), HllType::Hll8);
}

#[test]
fn histograms_add_up_at_the_smallest_scale() {
    let of = |scale, buckets: &[(i32, u64)]| ExponentialHistogram {
        scale,
        zero: 1,
        count: 1 + buckets.iter().map(|bucket| bucket.1).sum::<u64>(),
        sum: 10.0,
        buckets: buckets
            .iter()
            .map(|(index, count)| ExponentialBucket { index: *index, count: *count })
            .collect(),
    };
    let sum = sketch::sum(&[
        of(3, &[(-1, 1), (16, 2), (17, 3)]),
        of(2, &[(8, 5)]),
        ExponentialHistogram::default(),
    ]);
    assert_eq!((sum.scale, sum.zero, sum.count, sum.sum), (2, 2, 13, 20.0));
    let buckets: Vec<_> = sum.buckets.iter().map(|bucket| (bucket.index, bucket.count)).collect();
    assert_eq!(buckets, [(-1, 1), (8, 10)]);
}

/// A list of the most frequent items of a stream, as an agent reports it: exact counts, cut.
fn list_of(stream: &[u8], entries: usize) -> ArchivedList {
    let mut list = ArchivedList { entries: Vec::new(), absent_upper: 0 };
    for (name, count) in exact(stream) {
        list.entries.push(ArchivedEntry { name, estimate: count, lower: count, upper: count });
    }
    list.entries.sort_by(|a, b| b.estimate.cmp(&a.estimate).then_with(|| a.name.cmp(&b.name)));
    list.cut(entries);
    list
}

fn exact(stream: &[u8]) -> HashMap<String, u64> {
    let mut counts = HashMap::new();
    stream.iter().for_each(|item| *counts.entry(item.to_string()).or_default() += 1);
    counts
}

proptest! {
    #[test]
    fn bounds_hold_for_every_item_however_lists_are_cut_and_merged(
        streams in proptest::collection::vec(proptest::collection::vec(0..30_u8, 0..200), 1..6),
        entries in 0_usize..12,
    ) {
        let lists: Vec<ArchivedList> = streams.iter().map(|stream| list_of(stream, entries)).collect();
        let mut merged = merge_lists(&lists.iter().collect::<Vec<_>>());
        merged.cut(entries);
        let listed: HashMap<_, _> = merged.entries.iter().map(|entry| (entry.name.as_str(), entry)).collect();
        for (name, count) in exact(&streams.concat()) {
            match listed.get(name.as_str()) {
                Some(entry) => prop_assert!(entry.lower <= count && count <= entry.upper),
                None => prop_assert!(count <= merged.absent_upper),
            }
        }
    }

    #[test]
    fn merging_in_steps_gives_what_merging_at_once_gives(seeds in proptest::collection::vec(0..50_u64, 2..8)) {
        let rows: Vec<ArchiveRow> = seeds.iter().map(|seed| filled(*seed, 60 * seed)).collect();
        let at_once = merge(&rows).unwrap();
        let in_steps = merge(&[merge(&rows[..1]).unwrap(), merge(&rows[1..]).unwrap()]).unwrap();
        prop_assert_eq!(&in_steps.counters, &at_once.counters);
        prop_assert_eq!(&in_steps.lists, &at_once.lists);
        prop_assert_eq!(&in_steps.histograms, &at_once.histograms);
        prop_assert_eq!(in_steps.distinct.len(), at_once.distinct.len());
        for (step, once) in in_steps.distinct.iter().zip(&at_once.distinct) {
            // The registers; the history behind a preamble differs.
            prop_assert_eq!(step.as_ref().map(|image| &image[40..]), once.as_ref().map(|image| &image[40..]));
        }
    }
}
