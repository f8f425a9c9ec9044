//! The body of an answer: how long it may be, and the JSON or the error in it.

use pktvisor_api::ErrorBody;
use serde::de::DeserializeOwned;

use super::FetchError;

/// What is read of an answer. Beyond it, the answer is not one of an agent.
#[derive(Clone, Copy)]
pub(super) struct AnswerBounds {
    pub(super) bytes: u64,
    /// Members of objects and lists. One of two bytes, such as `{}` in a list, takes a hundred times as
    /// much memory once it is read.
    values: usize,
}

impl AnswerBounds {
    /// A window of ours is about 20 KiB, and ten times that where every octet of every name is
    /// escaped.
    pub(super) const USUAL: Self = Self { bytes: 1 << 20, values: 1 << 16 };
    /// Findings, which have names, too.
    pub(super) const PAGE: Self = Self { bytes: 32 << 20, values: 1 << 16 };
    /// Lists of 1,000 entries, which make an answer a hundred times as long.
    pub(super) const LONG: Self = Self { bytes: 32 << 20, values: 1 << 20 };
    /// Sketches with lists of 100 entries: 0.5 MiB, and several times that where every octet of every
    /// name is escaped. A fleet keeps those of all its agents.
    pub(super) const SKETCHES: Self = Self { bytes: 4 << 20, values: 1 << 18 };
}

/// Reads the JSON of an answer, or the error that it reports instead.
pub(super) fn read<T: DeserializeOwned>(
    status: u16,
    path: &str,
    bounds: AnswerBounds,
    body: &[u8],
) -> Result<T, FetchError> {
    // Documents of data are larger, and every struct of them would accept an error body as "all
    // keys missing".
    const ERROR_BODY_BYTES_MAX: usize = 4096;
    if body.len() <= ERROR_BODY_BYTES_MAX
        && let Ok(ErrorBody { error }) = serde_json::from_slice(body)
    {
        return Err(FetchError::Refused(status, error));
    }
    if !(200..300).contains(&status) {
        return Err(FetchError::Status(status, path.to_owned()));
    }
    if count_values(body) > bounds.values {
        return Err(FetchError::Foreign(format!("{path}: it has more than {} values", bounds.values)));
    }
    serde_json::from_slice(body).map_err(|error| FetchError::Foreign(format!("{path}: {error}")))
}

/// The members of all objects and lists: each of them follows a comma, or an opening bracket.
fn count_values(json: &[u8]) -> usize {
    let (mut count, mut in_string, mut is_escaped) = (0, false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_string,
            b'"' => in_string = !in_string,
            b',' | b'{' | b'[' if !in_string => count += 1,
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use pktvisor_api::{App, PeriodDocument};

    use super::*;

    fn read_usual<T: DeserializeOwned>(status: u16, path: &str, body: &[u8]) -> Result<T, FetchError> {
        read(status, path, AnswerBounds::USUAL, body)
    }

    #[test]
    fn values_are_counted_outside_of_strings() {
        for (json, count) in [
            ("", 0),
            ("1", 0),
            ("[]", 1),
            ("[1,2]", 2),
            (r#"{"a,b":"c,[{","d":[{}]}"#, 4),
            (r#"["\",",",","]"#, 3),
            (r#"["\\",","]"#, 2),
            (r#"["never closed,,,,"#, 1),
        ] {
            assert_eq!(count_values(json.as_bytes()), count, "{json}");
        }
    }

    #[test]
    fn an_error_with_status_200_is_an_error() {
        let body = br#"{"error": "invalid metrics period, specify [2, 5]"}"#;
        let error = read_usual::<App>(200, "/app", body).expect_err("an error body is no app");
        assert!(
            matches!(&error, FetchError::Refused(200, why) if why.starts_with("invalid metrics")),
            "{error}"
        );
    }

    #[test]
    fn an_answer_that_is_not_json_is_foreign() {
        for body in [&b"<html></html>"[..], b"", b"\xff\xfe", b"[1]", b"{\"5m\": 3}"] {
            let error = read_usual::<PeriodDocument>(200, "/window/5", body).expect_err("not a document");
            assert!(matches!(error, FetchError::Foreign(_)), "{error}");
        }
    }

    #[test]
    fn a_status_without_a_word_is_named() {
        let error = read_usual::<App>(502, "/app", b"<html>").expect_err("a gateway's page");
        assert_eq!(error.to_string(), "HTTP status 502 for /app");
    }
}
