//! `--label NAME=VALUE`: the operator's own labels.

use std::collections::BTreeMap;

use crate::families;

/// More labels would only make every series longer.
const LABELS_MAX: usize = 16;

/// Longest name and longest value, in bytes.
const NAME_BYTES_MAX: usize = 64;
const VALUE_BYTES_MAX: usize = 256;

/// Names that Prometheus gives to every series of a target, or that its formats use.
const PROMETHEUS_NAMES: [&str; 4] = ["job", "instance", "le", "quantile"];

/// A label that the agent cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum LabelError {
    #[error("write NAME=VALUE, like site=ams1")]
    NoPair,
    #[error(
        "{0:?} is not a name: write at most {NAME_BYTES_MAX} letters, digits and underscores, not beginning with a \
         digit or with two underscores"
    )]
    Name(String),
    #[error("the name {0:?} is reserved: Prometheus or the agent gives it a value; choose another")]
    Reserved(String),
    #[error("the value of {0:?} is empty or longer than {VALUE_BYTES_MAX} bytes")]
    Value(String),
    #[error("{0:?} is given twice; give each label once")]
    Repeated(String),
    #[error("more than {LABELS_MAX} labels are given; every series would carry them")]
    TooMany,
}

/// Parses one label.
pub(super) fn label(text: &str) -> Result<(String, String), LabelError> {
    let (name, value) = text.split_once('=').ok_or(LabelError::NoPair)?;
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let begins_well = !name.starts_with(|first: char| first.is_ascii_digit()) && !name.starts_with("__");
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !begins_well || !name.bytes().all(is_valid) {
        return Err(LabelError::Name(name.to_owned()));
    }
    if PROMETHEUS_NAMES.contains(&name) || families::is_label(name) {
        return Err(LabelError::Reserved(name.to_owned()));
    }
    // For Prometheus, an empty label is none.
    if value.is_empty() || value.len() > VALUE_BYTES_MAX {
        return Err(LabelError::Value(name.to_owned()));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// All labels by name.
pub(super) fn unique(pairs: Vec<(String, String)>) -> Result<BTreeMap<String, String>, LabelError> {
    if pairs.len() > LABELS_MAX {
        return Err(LabelError::TooMany);
    }
    let mut labels = BTreeMap::new();
    for (name, value) in pairs {
        if labels.insert(name.clone(), value).is_some() {
            return Err(LabelError::Repeated(name));
        }
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_a_name_and_a_value() {
        for (text, name, value) in [
            ("site=ams1", "site", "ams1"),
            ("_a1=x=y", "_a1", "x=y"),
            ("owner=\"Ünal\" & co\n", "owner", "\"Ünal\" & co\n"),
        ] {
            assert_eq!(label(text), Ok((name.to_owned(), value.to_owned())));
        }
        assert_eq!(label("site"), Err(LabelError::NoPair));
        let long = "a".repeat(65);
        for name in ["", "1a", "a-b", "a.b", "é", "__a", " a", &long] {
            assert_eq!(label(&format!("{name}=x")), Err(LabelError::Name(name.to_owned())));
        }
        for value in ["", &"x".repeat(257)] {
            assert_eq!(label(&format!("a={value}")), Err(LabelError::Value("a".to_owned())));
        }
    }

    #[test]
    fn names_with_a_meaning_are_reserved() {
        for name in ["job", "instance", "le", "quantile", "direction", "rcode", "name", "version", "role"] {
            let reserved = label(&format!("{name}=x"));
            assert_eq!(reserved, Err(LabelError::Reserved(name.to_owned())));
        }
    }

    #[test]
    fn a_label_is_given_once_and_there_are_not_many() {
        let pair = |n: usize| (format!("l{n}"), "x".to_owned());
        assert_eq!(unique((0..16).map(pair).collect()).map(|labels| labels.len()), Ok(16));
        assert_eq!(unique((0..17).map(pair).collect()), Err(LabelError::TooMany));
        assert_eq!(unique(vec![pair(1), pair(2), pair(1)]), Err(LabelError::Repeated("l1".to_owned())));
    }
}
