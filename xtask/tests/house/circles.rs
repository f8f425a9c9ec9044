//! No two modules import from one another, and no ring of them does.
//!
//! The test compares the modules of one folder, each with all modules below it: for its siblings,
//! `streams` is one module. A module and the modules below it may import from one another. A name
//! that a folder's `mod.rs` re-exports belongs to the module that defines it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use crate::modules::{self, ModulePath, Modules};
use crate::{imports, packages, root};

/// Modules of one folder: each with the modules that it imports from, and a path that shows it.
type Arrows = BTreeMap<String, BTreeMap<String, String>>;

/// The arrows between the modules of every folder of a crate, the crate's root being one.
fn arrows(modules: &Modules) -> BTreeMap<ModulePath, Arrows> {
    let mut folders: BTreeMap<ModulePath, Arrows> = BTreeMap::new();
    for (module, content) in modules {
        for (other, path) in imports::of(modules, module) {
            let common = module.iter().zip(&other).take_while(|(a, b)| a == b).count();
            // One of them lies below the other.
            let (Some(from), Some(to)) = (module.get(common), other.get(common)) else { continue };
            let file = content.file.strip_prefix(root()).unwrap_or(&content.file);
            folders
                .entry(module[..common].to_vec())
                .or_default()
                .entry(from.clone())
                .or_default()
                .entry(to.clone())
                .or_insert_with(|| format!("{} has {path}", file.display()));
        }
    }
    folders
}

/// The shortest way from a module back to itself.
fn circle_through(arrows: &Arrows, start: &str) -> Option<Vec<String>> {
    let mut ways = VecDeque::from([vec![start.to_owned()]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in arrows.get(way.last()?).into_iter().flat_map(BTreeMap::keys) {
            let longer = [way.as_slice(), std::slice::from_ref(next)].concat();
            if next == start {
                return Some(longer);
            }
            if seen.insert(next.clone()) {
                ways.push_back(longer);
            }
        }
    }
    None
}

/// The circles of a crate, each reported once: at the first of its modules.
fn circles(root_file: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for (folder, arrows) in arrows(&modules::read(root_file)) {
        let mut known: BTreeSet<BTreeSet<String>> = BTreeSet::new();
        for start in arrows.keys() {
            let Some(circle) = circle_through(&arrows, start) else { continue };
            if !known.insert(circle.iter().cloned().collect()) {
                continue;
            }
            let folder = [&["crate".to_owned()], folder.as_slice()].concat().join("::");
            found.push(format!("in {folder}: {}", circle.join(" -> ")));
            found.extend(circle.windows(2).map(|pair| format!("    {}", arrows[&pair[0]][&pair[1]])));
        }
    }
    found
}

/// The root files of the libraries, and of the programs of crates without one.
fn root_files() -> Vec<String> {
    let packages = packages();
    let targets = |package: &serde_json::Value| {
        let targets = package["targets"].as_array().unwrap().clone();
        let of_kind = |kind: &str| {
            let is_wanted = |target: &&serde_json::Value| target["kind"][0] == kind;
            let sources = targets.iter().filter(is_wanted).map(|target| target["src_path"].as_str().unwrap());
            sources.map(str::to_owned).collect::<Vec<_>>()
        };
        let libraries = of_kind("lib");
        if libraries.is_empty() { of_kind("bin") } else { libraries }
    };
    packages.iter().flat_map(targets).collect()
}

#[test]
fn modules_form_no_circle() {
    let files = root_files();
    assert!(files.len() > 10, "only these crates were found: {files:?}");
    let found: Vec<_> = files.iter().flat_map(|file| circles(Path::new(file))).collect();
    assert!(found.is_empty(), "modules import from one another:\n{}", found.join("\n"));
}

/// Writes a crate and returns its circles.
fn circles_of(files: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    circles(&folder.path().join("lib.rs"))
}

#[test]
fn two_modules_that_import_from_one_another_are_a_circle() {
    let found = circles_of(&[
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b::B; pub struct A;"),
        ("b.rs", "pub struct B; fn f() { super::a::A; }"),
    ]);
    assert_eq!(found[0], "in crate: a -> b -> a");
}

#[test]
fn a_circle_through_the_parents_names_is_found() {
    let found = circles_of(&[
        ("lib.rs", "mod p;"),
        ("p/mod.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
        ("p/a.rs", "use super::B; pub struct A;"),
        ("p/b.rs", "use crate::p::{A as Other}; pub struct B;"),
    ]);
    assert_eq!(found[0], "in crate::p: a -> b -> a");
}

#[test]
fn a_circle_of_three_through_a_folder_and_a_macro_is_found() {
    let found = circles_of(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a/mod.rs", "mod deep;"),
        ("a/deep.rs", "use super::super::b::B;"),
        ("b.rs", "pub struct B; fn f() { println!(\"{}\", crate::c::C); }"),
        ("c.rs", "use crate::a; pub const C: u8 = 0;"),
    ]);
    assert_eq!(found[0], "in crate: a -> b -> c -> a");
}

#[test]
fn a_module_its_parent_and_its_tests_may_import_from_one_another() {
    let found = circles_of(&[
        ("lib.rs", "mod a; mod b; pub use a::A; pub struct Own;"),
        ("a.rs", "use super::Own; pub struct A; #[cfg(test)] mod tests { use crate::b::B; }"),
        ("b.rs", "use crate::A; pub struct B;"),
    ]);
    assert_eq!(found, Vec::<String>::new());
}
