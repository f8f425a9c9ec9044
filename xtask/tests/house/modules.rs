//! The modules of a crate: found by `mod`, as the compiler does, without modules for tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use syn::{Attribute, Item};

/// The path of a module from the crate's root: `["streams", "framing"]`.
pub(crate) type ModulePath = Vec<String>;

/// One module with its own items.
pub(crate) struct Module {
    pub(crate) file: PathBuf,
    pub(crate) items: Vec<Item>,
}

/// All modules of a crate.
pub(crate) type Modules = BTreeMap<ModulePath, Module>;

/// The modules below a crate's root file.
pub(crate) fn read(root: &Path) -> Modules {
    let mut modules = Modules::new();
    let folder = root.parent().unwrap().to_owned();
    read_file(root, &folder, Vec::new(), &mut modules);
    modules
}

fn read_file(file: &Path, folder: &Path, path: ModulePath, modules: &mut Modules) {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let items = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display())).items;
    take(items, file, folder, path, modules);
}

/// Files of modules below this one lie in `folder`.
fn take(items: Vec<Item>, file: &Path, folder: &Path, path: ModulePath, modules: &mut Modules) {
    let mut own = Vec::new();
    for item in items {
        if attributes(&item).iter().any(is_for_tests) {
            continue;
        }
        let Item::Mod(module) = item else {
            own.push(item);
            continue;
        };
        let name = module.ident.to_string();
        let below = [path.as_slice(), std::slice::from_ref(&name)].concat();
        let inner = folder.join(&name);
        match module.content {
            Some((_, items)) => take(items, file, &inner, below, modules),
            None => {
                let leaf = folder.join(format!("{name}.rs"));
                let file = if leaf.exists() { leaf } else { inner.join("mod.rs") };
                read_file(&file, &inner, below, modules);
            }
        }
    }
    modules.insert(path, Module { file: file.to_owned(), items: own });
}

/// `#[cfg(test)]`, also among other conditions that must all hold.
pub(crate) fn is_for_tests(attribute: &Attribute) -> bool {
    let syn::Meta::List(list) = &attribute.meta else { return false };
    let condition = list.tokens.to_string();
    list.path.is_ident("cfg") && (condition == "test" || condition.starts_with("all (test"))
}

pub(crate) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
