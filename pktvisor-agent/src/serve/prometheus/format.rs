//! The formats of `/metrics`, and which of them a client wants.

use hyper::HeaderMap;
use hyper::header::ACCEPT;

/// A format of `/metrics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::serve) enum MetricsFormat {
    /// The text format, version 0.0.4. Its histograms are classic.
    Text,
    /// OpenMetrics 1.0 as text. Its histograms are classic.
    OpenMetrics,
    /// Messages `io.prometheus.client.MetricFamily`, each after its length. Its histograms are native: of a
    /// family with both, Prometheus 2.42 would drop the classic series.
    Protobuf,
}

impl MetricsFormat {
    /// The content type of an answer.
    pub(in crate::serve) const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        }
    }

    /// The format that a request's Accept headers weigh highest; of several, the first (RFC 9110 section
    /// 12.5.1). A client that accepts none of them gets text: it can at least show that.
    pub(in crate::serve) fn of(headers: &HeaderMap) -> Self {
        let mut best = (0.0, Self::Text);
        for value in headers.get_all(ACCEPT) {
            for item in value.to_str().unwrap_or_default().split(',') {
                if let Some((format, weight)) = accepted(item)
                    && weight > best.0
                {
                    best = (weight, format);
                }
            }
        }
        best.1
    }
}

/// The format that one media range accepts, and its weight.
fn accepted(item: &str) -> Option<(MetricsFormat, f32)> {
    let mut parts = item.split(';').map(str::trim);
    let range = parts.next()?.to_ascii_lowercase();
    let parameters: Vec<(String, &str)> = parts.map(parameter).collect();
    let given = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| *value);
    let format = match range.as_str() {
        "text/plain" => {
            given("version").is_none_or(|version| version == "0.0.4").then_some(MetricsFormat::Text)
        }
        "*/*" | "text/*" => Some(MetricsFormat::Text),
        "application/openmetrics-text" => {
            given("version").is_none_or(|version| version == "1.0.0").then_some(MetricsFormat::OpenMetrics)
        }
        "application/vnd.google.protobuf" => {
            let is_ours = given("proto") == Some("io.prometheus.client.MetricFamily")
                && given("encoding") == Some("delimited");
            is_ours.then_some(MetricsFormat::Protobuf)
        }
        _ => None,
    };
    let weight = given("q").map_or(Ok(1.0), str::parse::<f32>).ok()?;
    Some((format?, weight))
}

fn parameter(text: &str) -> (String, &str) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    const PROTOBUF: &str =
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

    fn of(values: &[&str]) -> MetricsFormat {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT, HeaderValue::from_str(value).unwrap());
        }
        MetricsFormat::of(&headers)
    }

    #[test]
    fn prometheus_gets_what_it_asks_for_first() {
        let texts = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;\
                     q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(of(&[texts]), MetricsFormat::OpenMetrics);
        // With native histograms.
        let all = format!("{PROTOBUF},{}", texts.replacen("1.0.0", "1.0.0;q=0.8", 1));
        assert_eq!(of(&[&all]), MetricsFormat::Protobuf);
        // Version 3.
        let escaped = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                       text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.2";
        assert_eq!(of(&[escaped]), MetricsFormat::OpenMetrics);
    }

    #[test]
    fn everybody_else_gets_text() {
        assert_eq!(of(&[]), MetricsFormat::Text);
        for accept in [
            "*/*",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "application/json",
            "application/openmetrics-text;version=0.0.1",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=x",
            "application/vnd.google.protobuf",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
            "application/vnd.google.protobuf;proto=other;encoding=delimited",
            ";;,,q=1",
            "",
        ] {
            assert_eq!(of(&[accept]), MetricsFormat::Text, "{accept}");
        }
    }

    #[test]
    fn the_greatest_weight_wins_then_the_first() {
        let text = "text/plain;version=0.0.4";
        let open = "application/openmetrics-text; version=\"1.0.0\"";
        for (accept, format) in [
            (format!("{text};q=0.5, {open};q=0.6"), MetricsFormat::OpenMetrics),
            (format!("{text};q=0.7, {open};Q=0.6"), MetricsFormat::Text),
            (format!("{text}, {open}"), MetricsFormat::Text),
            (format!("{open}, {text}"), MetricsFormat::OpenMetrics),
            (format!("{PROTOBUF};q=0.1, {open};q=0"), MetricsFormat::Protobuf),
        ] {
            assert_eq!(of(&[&accept]), format, "{accept}");
        }
        assert_eq!(of(&["text/plain;q=0.5", open]), MetricsFormat::OpenMetrics);
    }
}
