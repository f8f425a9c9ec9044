//! How names are cut for the lists of question names.
//!
//! A list of whole names would hold mostly names seen once. So names are counted by their last two
//! and their last three labels; or, with the public suffix list (<https://publicsuffix.org>,
//! compiled in, its ICANN and its private part), by the registrable domain and the domain directly
//! below it. Both ways agree if the public suffix is one label, as under `com`.

use psl::Psl;

use crate::name::{Name, Suffix};

/// How names are cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NameCut {
    /// Two and three labels.
    #[default]
    Labels,
    /// The registrable domain, and one label more.
    PublicSuffix,
}

/// A name as the lists count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutName<'a> {
    /// For `top_qname2`.
    pub qname2: Suffix<'a>,
    /// For `top_qname3`; `None` if the name has no more labels than `qname2`.
    pub qname3: Option<Suffix<'a>>,
}

impl NameCut {
    /// Cuts a name.
    #[inline]
    pub fn apply<'a>(self, name: &'a Name) -> CutName<'a> {
        let short = 1 + match self {
            Self::Labels => 1,
            Self::PublicSuffix => public_suffix_labels(name),
        };
        let qname3 = (name.label_count() > short).then(|| name.suffix(short + 1));
        CutName { qname2: name.suffix(short), qname3 }
    }
}

/// Number of labels of a name's public suffix: 1 if the list does not know it (its rule `*`), 0 for
/// the root.
fn public_suffix_labels(name: &Name) -> usize {
    // The list takes the last label first. An array of offsets is smaller than one of labels.
    let wire = name.as_wire();
    let mut starts = [0_u8; 128];
    let mut start = 0;
    for (known, label) in starts.iter_mut().zip(name.labels()) {
        *known = start;
        start += label.len() as u8 + 1;
    }
    let label = |&start: &u8| {
        let (&len, rest) = wire.get(usize::from(start)..)?.split_first()?;
        rest.get(..usize::from(len))
    };
    let labels = || starts.iter().take(name.label_count()).rev().filter_map(label);
    let suffix_bytes = psl::List.find(labels()).len;
    // The list counts bytes, with a dot between labels.
    let mut bytes = 0;
    labels()
        .take_while(|label| {
            bytes += label.len() + 1;
            bytes <= suffix_bytes + 1
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(cut: NameCut, text: &str) -> (String, String) {
        let mut wire = Vec::new();
        for label in text.split('.').filter(|label| !label.is_empty()) {
            wire.push(label.len() as u8);
            wire.extend(label.bytes());
        }
        wire.push(0);
        let mut name = Name::default();
        name.read(&wire, 0).expect("a good name");
        let CutName { qname2, qname3 } = cut.apply(&name);
        (qname2.to_string(), qname3.map_or(String::new(), |suffix| suffix.to_string()))
    }

    fn pair(qname2: &str, qname3: &str) -> (String, String) {
        (qname2.to_owned(), qname3.to_owned())
    }

    #[test]
    fn without_the_list_names_are_cut_at_two_and_three_labels() {
        let labels = |text| cut(NameCut::Labels, text);
        assert_eq!(labels("a.b.example.com"), pair(".example.com", ".b.example.com"));
        assert_eq!(labels("b.example.com"), pair(".example.com", "b.example.com"));
        assert_eq!(labels("example.com"), pair("example.com", ""));
        assert_eq!(labels("com"), pair("com", ""));
        assert_eq!(labels("."), pair(".", ""));
        assert_eq!(labels("www.google.co.uk"), pair(".co.uk", ".google.co.uk"));
    }

    #[test]
    fn with_the_list_labels_count_from_the_registrable_domain() {
        let suffix = |text| cut(NameCut::PublicSuffix, text);
        assert_eq!(suffix("a.www.google.co.uk"), pair(".google.co.uk", ".www.google.co.uk"));
        assert_eq!(suffix("www.google.co.uk"), pair(".google.co.uk", "www.google.co.uk"));
        assert_eq!(suffix("google.co.uk"), pair("google.co.uk", ""));
        assert_eq!(suffix("co.uk"), pair("co.uk", ""));
        assert_eq!(suffix("uk"), pair("uk", ""));
        assert_eq!(suffix("."), pair(".", ""));
    }

    #[test]
    fn one_label_suffixes_are_cut_as_without_the_list() {
        for text in
            ["a.b.example.com", "b.example.com", "example.com", "com", "printer.local", "x.y.unlisted-tld"]
        {
            assert_eq!(cut(NameCut::PublicSuffix, text), cut(NameCut::Labels, text), "{text}");
        }
    }

    #[test]
    fn wildcards_exceptions_and_private_suffixes_are_honoured() {
        let suffix = |text| cut(NameCut::PublicSuffix, text).0;
        // *.ck, !www.ck
        assert_eq!(suffix("a.b.any.ck"), ".b.any.ck");
        assert_eq!(suffix("a.www.ck"), ".www.ck");
        assert_eq!(suffix("a.someone.github.io"), ".someone.github.io");
        // Internationalised names, as they are on the wire.
        assert_eq!(suffix("a.b.xn--85x722f.xn--55qx5d.cn"), ".xn--85x722f.xn--55qx5d.cn");
    }

    #[test]
    fn names_of_many_labels_are_cut() {
        let text = ["a"; 127].join(".");
        assert_eq!(cut(NameCut::PublicSuffix, &text), pair(".a.a", ".a.a.a"));
    }
}
