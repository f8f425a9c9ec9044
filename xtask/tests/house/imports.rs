//! The imports between the modules of a crate: by `use`, and by paths in the code.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Item, UseTree};

use crate::modules::{ModulePath, Modules, attributes, is_for_tests};

/// A name that a module imports by `use`, and its origin.
struct Bound {
    name: String,
    path: Vec<String>,
}

/// The modules that `module` imports from, each with the path of the import.
pub(crate) fn of(modules: &Modules, module: &ModulePath) -> Vec<(ModulePath, String)> {
    let mut paths = Paths(Vec::new());
    for item in &modules[module].items {
        paths.visit_item(item);
    }
    let resolve = |path: &Vec<String>| Some((resolve(modules, module, path, 0)?, path.join("::")));
    paths.0.iter().filter_map(resolve).collect()
}

/// The module that a path leads to: the one that defines the name at its end, not one that
/// re-exports it.
fn resolve(modules: &Modules, from: &ModulePath, path: &[String], depth: usize) -> Option<ModulePath> {
    let (mut place, mut rest) = start(modules, from, path)?;
    while let [name, following @ ..] = rest {
        let below = [place.as_slice(), std::slice::from_ref(name)].concat();
        if !modules.contains_key(&below) {
            break;
        }
        (place, rest) = (below, following);
    }
    // The compiler rejects re-exports in a circle.
    if let Some(name) = rest.first().filter(|_| depth < 8) {
        let passed_on = bound(modules, &place).into_iter().find(|bound| bound.name == *name);
        if let Some(origin) = passed_on.and_then(|bound| resolve(modules, &place, &bound.path, depth + 1)) {
            return Some(origin);
        }
    }
    Some(place)
}

/// The module in which a path begins, and the rest of the path; `None` for paths into other crates.
fn start<'a>(modules: &Modules, from: &ModulePath, path: &'a [String]) -> Option<(ModulePath, &'a [String])> {
    let mut place = from.clone();
    let mut rest = match path.first()?.as_str() {
        "crate" => {
            place.clear();
            &path[1..]
        }
        "self" => &path[1..],
        "super" => path,
        name => {
            let child = [place.as_slice(), &[name.to_owned()]].concat();
            return modules.contains_key(&child).then_some((place, path));
        }
    };
    while rest.first().is_some_and(|name| name == "super") {
        place.pop()?;
        rest = &rest[1..];
    }
    Some((place, rest))
}

fn bound(modules: &Modules, module: &ModulePath) -> Vec<Bound> {
    let mut bound = Vec::new();
    for item in &modules[module].items {
        if let Item::Use(item) = item {
            flatten(&item.tree, &[], &mut bound);
        }
    }
    bound
}

fn flatten(tree: &UseTree, before: &[String], bound: &mut Vec<Bound>) {
    let with = |name: String| [before, &[name]].concat();
    match tree {
        UseTree::Path(tree) => flatten(&tree.tree, &with(tree.ident.to_string()), bound),
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, before, bound)),
        UseTree::Name(tree) if tree.ident == "self" => {
            let name = before.last().cloned().unwrap_or_default();
            bound.push(Bound { name, path: before.to_vec() });
        }
        UseTree::Name(tree) => {
            bound.push(Bound { name: tree.ident.to_string(), path: with(tree.ident.to_string()) });
        }
        UseTree::Rename(tree) => {
            bound.push(Bound { name: tree.rename.to_string(), path: with(tree.ident.to_string()) });
        }
        UseTree::Glob(_) => bound.push(Bound { name: "*".to_owned(), path: before.to_vec() }),
    }
}

/// Collects every path that may lead to another module.
struct Paths(Vec<Vec<String>>);

impl Visit<'_> for Paths {
    fn visit_item(&mut self, item: &Item) {
        if attributes(item).iter().any(is_for_tests) {
            return;
        }
        if let Item::Use(item) = item {
            let mut bound = Vec::new();
            flatten(&item.tree, &[], &mut bound);
            self.0.extend(bound.into_iter().map(|bound| bound.path));
            return;
        }
        visit::visit_item(self, item);
    }

    /// A visibility is not an import.
    fn visit_visibility(&mut self, _: &syn::Visibility) {}

    fn visit_path(&mut self, path: &syn::Path) {
        if path.segments.len() > 1 {
            self.0.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, macro_call: &syn::Macro) {
        self.tokens(macro_call.tokens.clone());
    }
}

impl Paths {
    /// Paths in the arguments of a macro, which have no grammar of their own.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.end(&mut path);
                    }
                    path.push(name.to_string());
                    colons = 0;
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.end(&mut path);
                    colons = 0;
                    self.tokens(group.stream());
                }
                _ => {
                    self.end(&mut path);
                    colons = 0;
                }
            }
        }
        self.end(&mut path);
    }

    fn end(&mut self, path: &mut Vec<String>) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.0.push(path);
        }
    }
}
