//! The parameters of a request, from its query string.
//!
//! The paths of metrics ignore parameters that they do not know, as they always have. Paths that
//! start something accept only what they know, so that a mistyped filter does not match everything.

use pktvisor_metrics::ListLength;

/// The longest value in bytes. The longest name as text has 1,008 characters.
const VALUE_BYTES_MAX: usize = 1024;

/// Names and values are quoted in errors up to this length.
const QUOTED_CHARS: usize = 64;

/// A parameter is wrong. The client gets the message with status 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ParameterError {
    #[error("the query string has a % without two hexadecimal digits, or text that is not UTF-8")]
    Encoding,
    #[error("the parameter {name} is longer than {VALUE_BYTES_MAX} bytes")]
    TooLong { name: String },
    #[error("the parameter {name} is given twice")]
    Twice { name: String },
    #[error("unknown parameter {name}; this path knows {known}")]
    Unknown { name: String, known: &'static str },
    #[error("{name} must be {expected}, not {value}")]
    Invalid { name: &'static str, expected: &'static str, value: String },
    #[error("give at least one of {known}")]
    Missing { known: &'static str },
}

/// The parameters of a request that no handler has taken yet.
#[derive(Debug, Default)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads a query string: `name=value` joined by `&`, with `%XX` for any byte (RFC 3986 section
    /// 2.1).
    pub(super) fn parse(query: &str) -> Result<Self, ParameterError> {
        let parts = query.split('&').filter(|part| !part.is_empty());
        let pairs = parts.map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Ok((decoded(name)?, decoded(value)?))
        });
        pairs.collect::<Result<_, _>>().map(Self)
    }

    /// Takes the value of a parameter; `None` if it is absent.
    pub(super) fn take(&mut self, name: &str) -> Result<Option<String>, ParameterError> {
        let mut values = self.0.extract_if(.., |(given, _)| given == name).map(|(_, value)| value);
        let value = values.next();
        if values.next().is_some() {
            return Err(ParameterError::Twice { name: name.to_owned() });
        }
        if value.as_ref().is_some_and(|value| value.len() > VALUE_BYTES_MAX) {
            return Err(ParameterError::TooLong { name: name.to_owned() });
        }
        Ok(value)
    }

    /// Takes a parameter and parses it; `None` if it is absent.
    pub(super) fn take_parsed<T>(
        &mut self,
        name: &'static str,
        expected: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ParameterError> {
        let Some(value) = self.take(name)? else { return Ok(None) };
        let parsed = parse(&value);
        parsed.map(Some).ok_or_else(|| ParameterError::Invalid { name, expected, value: quoted(&value) })
    }

    /// Takes a decimal number from `range`; `None` if it is absent.
    pub(super) fn take_number(
        &mut self,
        name: &'static str,
        expected: &'static str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<Option<u64>, ParameterError> {
        self.take_parsed(name, expected, |text| number(text).filter(|number| range.contains(number)))
    }

    /// Takes `top`, the length of lists; `None` if it is absent.
    pub(super) fn take_top(&mut self) -> Result<Option<ListLength>, ParameterError> {
        let length = |text: &str| ListLength::new(usize::try_from(number(text)?).ok()?);
        self.take_parsed("top", "a number from 1 to 1000", length)
    }

    /// Checks that no other parameter was given.
    pub(super) fn finish(self, known: &'static str) -> Result<(), ParameterError> {
        match self.0.into_iter().next() {
            Some((name, _)) => Err(ParameterError::Unknown { name: quoted(&name), known }),
            None => Ok(()),
        }
    }
}

/// A number of decimal digits alone.
pub(super) fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn decoded(text: &str) -> Result<String, ParameterError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let (high, low) = (digit(), digit());
                let value = high.zip(low).map(|(high, low)| high << 4 | low);
                value.and_then(|value| u8::try_from(value).ok()).ok_or(ParameterError::Encoding)?
            }
            plain => plain,
        });
    }
    String::from_utf8(bytes).map_err(|_| ParameterError::Encoding)
}

/// The beginning of a text from outside, in quotation marks.
fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(QUOTED_CHARS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded() {
        let mut parameters = Parameters::parse("zone=a%2eb&&name=%5C046&top").unwrap();
        assert_eq!(parameters.take("zone").unwrap().as_deref(), Some("a.b"));
        assert_eq!(parameters.take("name").unwrap().as_deref(), Some("\\046"));
        assert_eq!(parameters.take("top").unwrap().as_deref(), Some(""));
        assert_eq!(parameters.take("zone").unwrap(), None);
        assert_eq!(parameters.finish(""), Ok(()));
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for query in ["a=%", "a=%1", "a=%zz", "%=1", "a=%ff", "a=%+1"] {
            assert_eq!(Parameters::parse(query).unwrap_err(), ParameterError::Encoding, "{query}");
        }
        let twice = Parameters::parse("a=1&a=1").unwrap().take("a");
        assert_eq!(twice, Err(ParameterError::Twice { name: "a".to_owned() }));
        let long = format!("a={}", "x".repeat(VALUE_BYTES_MAX + 1));
        assert!(matches!(Parameters::parse(&long).unwrap().take("a"), Err(ParameterError::TooLong { .. })));
        let unknown = Parameters::parse("zoen=x").unwrap().finish("zone").unwrap_err();
        assert_eq!(unknown.to_string(), "unknown parameter \"zoen\"; this path knows zone");
    }

    #[test]
    fn a_length_of_lists_is_from_1_to_1000() {
        let top = |query| Parameters::parse(query).unwrap().take_top();
        assert_eq!(top(""), Ok(None));
        assert_eq!(top("top=1000"), Ok(ListLength::new(1000)));
        for bad in ["top=0", "top=1001", "top=", "top=-1", "top=+5", "top=1e3", "top=99999999999999999999"] {
            assert!(matches!(top(bad), Err(ParameterError::Invalid { .. })), "{bad}");
        }
    }
}
