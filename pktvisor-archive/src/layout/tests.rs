use std::path::Path;

use super::*;

/// Engines and users know columns by name: a column never changes its name or type.
#[test]
fn the_schema_is_that_of_the_golden_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schema.txt");
    let schema = LAYOUT.message_type();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, schema).unwrap();
    } else {
        assert!(
            std::fs::read_to_string(path).unwrap() == schema,
            "UPDATE_GOLDEN=1 cargo test -p pktvisor-archive writes tests/schema.txt"
        );
    }
}

#[test]
fn every_metric_has_its_place_in_the_document() {
    let period = serde_json::to_value(pktvisor_api::Period::default()).unwrap();
    for column in &LAYOUT.counters {
        assert!(period.pointer(&column.pointer).is_some_and(serde_json::Value::is_u64), "{column:?}");
    }
    for column in &LAYOUT.lists {
        let pointer = pointer(&column.path);
        assert!(period.pointer(&pointer).is_some_and(serde_json::Value::is_array), "{column:?}");
        assert!(period.pointer(column.total_pointer).is_some(), "{column:?}");
    }
    assert_eq!(period["packets"]["sizes"].as_array().map(Vec::len), Some(SIZE_CLASSES.len()));
    assert!(LAYOUT.counters.len() > 100 && LAYOUT.lists.len() > 50);
    assert_eq!((LAYOUT.distinct.len(), LAYOUT.histograms.len()), (5, 12));
}
