use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

const SMALL: ListLimits = ListLimits { entries: 16, key_bytes: 1 << 10 };

fn key(bytes: &[u8]) -> Key<'_> {
    Key::new(0, bytes)
}

fn spell(key: Key<'_>) -> String {
    format!("{:02x?}", key.bytes)
}

fn summary_of(stream: &[u8], limits: ListLimits) -> FrequentItems {
    let mut items = FrequentItems::new(limits);
    for byte in stream {
        items.add(key(&[*byte]), 1);
    }
    items
}

fn exact(stream: &[u8]) -> HashMap<u8, u64> {
    let mut counts = HashMap::new();
    for byte in stream {
        *counts.entry(*byte).or_default() += 1;
    }
    counts
}

fn assert_bounds_hold(items: &FrequentItems, truth: &HashMap<u8, u64>) {
    let mut listed = Vec::new();
    for item in items.items() {
        let count = truth.get(&item.key.bytes[0]).copied().unwrap_or(0);
        assert!(item.lower <= count && count <= item.upper, "{item:?} counts {count}");
        listed.push(item.key.bytes[0]);
    }
    for (byte, count) in truth {
        assert!(listed.contains(byte) || *count <= items.bound(), "{byte} counts {count}");
    }
}

#[test]
fn counts_are_exact_while_everything_fits() {
    let items = summary_of(b"abracadabra", SMALL);
    let top: Vec<_> = items.top(10, |k| String::from_utf8_lossy(k.bytes).into_owned());
    let top: Vec<_> = top.iter().map(|(name, i)| (name.as_str(), i.lower, i.upper)).collect();
    assert_eq!(top, [("a", 5, 5), ("b", 2, 2), ("r", 2, 2), ("c", 1, 1), ("d", 1, 1)]);
}

#[test]
fn a_heavy_item_counts_exactly_through_a_flood_of_rare_ones() {
    let mut items = FrequentItems::new(ListLimits { entries: 64, key_bytes: 1 << 12 });
    for n in 0..100_000u32 {
        items.add(key(b"heavy"), 1);
        items.add(key(&n.to_be_bytes()), 1);
    }
    let top = items.top(1, spell);
    assert_eq!((top[0].1.lower, top[0].1.upper), (100_000, 100_000));
    assert!(items.bound() > 0 && items.len() <= 64);
}

#[test]
fn shrinking_keeps_as_many_as_it_may_where_all_are_equally_rare() {
    let mut items = summary_of(b"abcdefghijkl", SMALL);
    items.shrink(ListLimits { entries: 10, ..SMALL });
    let names: Vec<_> = items.top(10, spell).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        summary_of(b"abcdefghij", SMALL).top(10, spell).into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    );
    assert_eq!(items.bound(), 1);
}

#[test]
fn the_same_bytes_under_another_tag_are_another_item() {
    let mut items = FrequentItems::new(SMALL);
    items.add(Key::new(1, b"x"), 3);
    items.add(Key::new(2, b"x"), 4);
    assert_eq!(items.len(), 2);
}

#[test]
fn long_keys_stay_within_the_byte_budget() {
    let limits = ListLimits { entries: 1 << 15, key_bytes: 4096 };
    let mut items = FrequentItems::new(limits);
    for n in 0..10_000u32 {
        let mut name = vec![b'x'; 200];
        name[..4].copy_from_slice(&n.to_be_bytes());
        items.add(key(&name), 1);
        assert!(items.table.key_bytes() <= limits.key_bytes);
    }
}

#[test]
fn ties_are_listed_by_name() {
    let items = summary_of(b"zyxw", SMALL);
    let names: Vec<_> = items.top(2, |k| String::from_utf8_lossy(k.bytes).into_owned());
    assert_eq!(names.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>(), ["w", "x"]);
}

/// The sketch of Apache DataSketches on the same stream with the same number of entries promises no
/// more than ours.
#[test]
fn bounds_are_at_least_as_tight_as_those_of_datasketches() {
    let mut ours = FrequentItems::new(ListLimits { entries: 768, key_bytes: 1 << 16 });
    let mut theirs = datasketches::frequencies::FrequentItemsSketch::<u64>::new(1024).unwrap();
    let mut state = 1u64;
    let mut truth: HashMap<u64, u64> = HashMap::new();
    for _ in 0..200_000 {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        // Roughly Zipf: the reciprocal of a uniform number.
        let item = (1u64 << 40) / ((state >> 24) + 1);
        *truth.entry(item).or_default() += 1;
        ours.add(key(&item.to_be_bytes()), 1);
        theirs.update(item);
    }
    let mut by_count: Vec<_> = truth.into_iter().collect();
    by_count.sort_by_key(|(item, count)| (std::cmp::Reverse(*count), *item));
    for (item, count) in by_count.iter().take(10) {
        let bytes = item.to_be_bytes();
        let found = ours.items().find(|i| i.key.bytes == bytes).unwrap();
        assert!(found.lower <= *count && *count <= found.upper);
        let (lower, upper) = (theirs.lower_bound(item), theirs.upper_bound(item));
        assert!(found.upper - found.lower <= upper - lower, "{found:?} against {lower}..{upper}");
    }
}

/// Adds each (item, list, weight) to three lists that share a table.
fn three_lists(stream: &[(u8, usize, u64)], limits: ListLimits) -> Frequent<3> {
    let mut items = Frequent::new(limits);
    for &(byte, list, weight) in stream {
        let mut weights = [0; 3];
        weights[list] = weight;
        items.add_weights(key(&[byte]), weights);
    }
    items
}

fn assert_bounds_of_lists_hold(items: &Frequent<3>, stream: &[(u8, usize, u64)]) {
    for list in 0..3 {
        let mut truth: HashMap<u8, u64> = HashMap::new();
        for (byte, _, weight) in stream.iter().filter(|(_, of, _)| *of == list) {
            *truth.entry(*byte).or_default() += weight;
        }
        let mut listed = Vec::new();
        for item in items.items_of(list) {
            let count = truth.get(&item.key.bytes[0]).copied().unwrap_or(0);
            assert!(item.lower <= count && count <= item.upper, "list {list}: {item:?} counts {count}");
            listed.push(item.key.bytes[0]);
        }
        for (byte, count) in truth {
            let bound = items.bound_of(list);
            assert!(listed.contains(&byte) || count <= bound, "list {list}: {byte} counts {count}");
        }
    }
}

#[test]
fn an_item_that_only_one_of_several_lists_counts_is_in_no_other() {
    let items = three_lists(&[(b'a', 0, 5), (b'b', 2, 7)], SMALL);
    let names = |list| items.top_of(list, 10, spell).into_iter().map(|(name, item)| (name, item.lower));
    assert_eq!(names(0).collect::<Vec<_>>(), [("[61]".to_owned(), 5)]);
    assert_eq!(names(1).count(), 0);
    assert_eq!(names(2).collect::<Vec<_>>(), [("[62]".to_owned(), 7)]);
}

#[test]
fn the_first_list_decides_what_stays_and_the_bounds_of_the_others_hold() {
    let mut items: Frequent<3> = Frequent::new(ListLimits { entries: 64, key_bytes: 1 << 12 });
    items.add_weights(key(b"second"), [0, 70, 0]);
    for n in 0..100_000_u32 {
        items.add_weights(key(b"first"), [1, 1, 0]);
        items.add_weights(key(&n.to_be_bytes()), [1, 0, u64::from(n % 1000 == 0)]);
    }
    for list in [0, 1] {
        let top = items.top_of(list, 1, spell);
        assert_eq!((top[0].1.lower, top[0].1.upper), (100_000, 100_000));
    }
    assert_eq!((items.bound_of(1), items.bound_of(2) > 0), (70, true));
    assert!(items.len() <= 64);
}

#[test]
fn counts_of_more_than_16_bits_are_exact() {
    let stream: Vec<_> = (0..1_000).map(|n| (b'a' + (n % 3) as u8, n % 2, 1_000)).collect();
    let mut items = three_lists(&stream, SMALL);
    items.merge(&three_lists(&stream, SMALL));
    items.add_weights(key(b"a"), [u64::MAX, 0, u64::MAX]);
    items.add_weights(key(b"b"), [0, 0, u64::from(u16::MAX)]);
    items.add_weights(key(b"b"), [0, 0, 1]);
    items.shrink(SMALL);
    let counts = |list| items.items_of(list).map(|item| item.lower).collect::<Vec<_>>();
    assert_eq!(counts(0), [u64::MAX, 332_000, 334_000]);
    assert_eq!(counts(1), [334_000, 334_000, 332_000]);
    assert_eq!(counts(2), [u64::MAX, 1 << 16, 0]);
    assert_eq!(items.top_of(2, 2, spell)[1].1.lower, 1 << 16);
}

/// Most weights are small, and some are larger than a slot can hold.
fn weight() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 1u64..50, 1 => 20_000u64..60_000, 1 => 100_000u64..1 << 40]
}

proptest! {
    #[test]
    fn bounds_of_lists_that_share_a_table_hold(
        first in prop::collection::vec((0u8..60, 0usize..3, weight()), 0..800),
        second in prop::collection::vec((0u8..60, 0usize..3, weight()), 0..800),
        entries in 0usize..20,
    ) {
        let mut merged = three_lists(&first, SMALL);
        assert_bounds_of_lists_hold(&merged, &first);
        merged.merge(&three_lists(&second, SMALL));
        let all: Vec<_> = first.iter().chain(&second).copied().collect();
        assert_bounds_of_lists_hold(&merged, &all);
        merged.shrink(ListLimits { entries, ..SMALL });
        prop_assert!(merged.len() <= entries.max(3 * EACH_MIN));
        assert_bounds_of_lists_hold(&merged, &all);
    }

    #[test]
    fn bounds_hold_for_every_stream(stream in prop::collection::vec(0u8..60, 0..2000)) {
        assert_bounds_hold(&summary_of(&stream, SMALL), &exact(&stream));
    }

    #[test]
    fn bounds_hold_after_merging(
        first in prop::collection::vec(0u8..60, 0..800),
        second in prop::collection::vec(0u8..60, 0..800),
    ) {
        let mut merged = summary_of(&first, SMALL);
        merged.merge(&summary_of(&second, SMALL));
        let all: Vec<u8> = first.iter().chain(&second).copied().collect();
        assert_bounds_hold(&merged, &exact(&all));
    }

    #[test]
    fn bounds_hold_after_shrinking(stream in prop::collection::vec(0u8..60, 0..800), entries in 0usize..20) {
        let mut items = summary_of(&stream, ListLimits { entries: 64, key_bytes: 1 << 10 });
        items.shrink(ListLimits { entries, key_bytes: 1 << 10 });
        prop_assert!(items.len() <= entries);
        assert_bounds_hold(&items, &exact(&stream));
    }

    #[test]
    fn merging_without_loss_is_counting_together(
        first in prop::collection::vec(0u8..60, 0..300),
        second in prop::collection::vec(0u8..60, 0..300),
    ) {
        let limits = ListLimits { entries: 64, key_bytes: 1 << 10 };
        let mut merged = summary_of(&first, limits);
        merged.merge(&summary_of(&second, limits));
        let all: Vec<u8> = first.iter().chain(&second).copied().collect();
        let together = summary_of(&all, limits);
        prop_assert_eq!(merged.top(60, spell), together.top(60, spell));
    }
}

proptest! {
    #[test]
    fn no_item_that_a_list_leaves_out_counts_more_than_it_states(
        stream in proptest::collection::vec(0..40_u8, 1..400),
        count in 1_usize..20,
    ) {
        let items = summary_of(&stream, SMALL);
        let listed: Vec<String> = items.top(count, spell).into_iter().map(|(name, _)| name).collect();
        let absent_upper = items.absent_upper_of(0, count);
        for (byte, exact) in exact(&stream) {
            prop_assert!(listed.contains(&spell(key(&[byte]))) || exact <= absent_upper);
        }
        let all = summary_of(&stream, ListLimits::LIVE);
        prop_assert!(all.len() > count || all.absent_upper_of(0, count) == 0);
    }
}
