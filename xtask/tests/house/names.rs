//! No two types of the workspace share a name: a reader who greps for a name finds one type.
//!
//! The test ignores types that a macro generates, and types of tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use syn::Item;

use crate::{modules, packages, root};

/// Names that several types may have, each with the reason.
const IDIOMS: [(&str, &str); 1] = [("Error", "the error type of a module, always written with its path")];

/// The name of a type that an item defines.
fn type_name(item: &Item) -> Option<String> {
    match item {
        Item::Enum(item) => Some(item.ident.to_string()),
        Item::Struct(item) => Some(item.ident.to_string()),
        Item::Trait(item) => Some(item.ident.to_string()),
        Item::Type(item) => Some(item.ident.to_string()),
        Item::Union(item) => Some(item.ident.to_string()),
        _ => None,
    }
}

/// Names that more than one of these definitions has, each with the files.
fn shared(definitions: impl Iterator<Item = (String, String)>) -> BTreeMap<String, Vec<String>> {
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, file) in definitions {
        files.entry(name).or_default().push(file);
    }
    files.retain(|_, files| files.len() > 1);
    files
}

/// All types of the workspace, each with its file.
fn definitions() -> BTreeSet<(String, String)> {
    let mut definitions = BTreeSet::new();
    for package in packages() {
        for target in package["targets"].as_array().into_iter().flatten() {
            let is_product = ["lib", "bin"].iter().any(|kind| target["kind"][0] == **kind);
            let Some(root_file) = target["src_path"].as_str().filter(|_| is_product) else { continue };
            for module in modules::read(Path::new(root_file)).values() {
                let file = module.file.strip_prefix(root()).unwrap_or(&module.file).display().to_string();
                definitions
                    .extend(module.items.iter().filter_map(type_name).map(|name| (name, file.clone())));
            }
        }
    }
    definitions
}

#[test]
fn no_two_types_share_a_name() {
    let mut shared = shared(definitions().into_iter());
    shared.retain(|name, _| IDIOMS.iter().all(|(idiom, _)| idiom != name));
    let list = shared.iter().map(|(name, files)| format!("{name}: {}\n", files.join(" ")));
    assert!(shared.is_empty(), "give each type a name of its own:\n{}", list.collect::<String>());
}

#[test]
fn types_of_one_name_are_found_in_different_files_only() {
    let item: Item = syn::parse_str("pub(crate) struct Chain(u8);").unwrap();
    let name = type_name(&item).unwrap();
    let definition = |file: &str| (name.clone(), file.to_owned());
    assert!(shared([definition("a.rs")].into_iter()).is_empty());
    let shared = shared([definition("a.rs"), definition("b.rs")].into_iter());
    assert_eq!(shared["Chain"], ["a.rs", "b.rs"]);
    assert_eq!(type_name(&syn::parse_str("fn chain() {}").unwrap()), None);
}
