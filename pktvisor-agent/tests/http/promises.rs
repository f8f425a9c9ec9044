//! docs/security.md names a test for each promise.

use std::path::Path;

#[test]
fn the_tests_that_docs_security_md_names_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = std::fs::read_to_string(root.join("docs/security.md")).unwrap();
    let quoted = text.split('`').skip(1).step_by(2);
    let mut count = 0;
    for name in quoted.filter(|name| name.ends_with(".rs") || name.contains("/tests/")) {
        let directory =
            if name.contains('/') { root.clone() } else { root.join("pktvisor-agent/tests/http") };
        assert!(directory.join(name).exists(), "{name} does not exist");
        count += 1;
    }
    assert!(count > 20, "only {count} tests are named");
}
