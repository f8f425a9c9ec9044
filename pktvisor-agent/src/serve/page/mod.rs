//! The web page at `/`: it reads the HTTP JSON of this agent, or of several, and draws it.
//!
//! ```text
//! index.html  the frame of the page
//! page.css    its looks
//! script/     what it shows; the files are joined into one script
//! compact     shorter forms of these files
//! agents      the agents named in the query, to which the page may connect
//! ```
//!
//! The page is compiled in, needs nothing from elsewhere, and its Content-Security-Policy (CSP)
//! forbids everything else: names in the answers come from packets, and somebody may have chosen
//! them to be read by a browser.

mod agents;
mod compact;

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{HeaderMap, StatusCode};
use warp::reply::Response;
use warp::{Filter, Rejection};

use super::answer::{Document, Gzip};

const FRAME: &str = include_str!("index.html");
const LOOKS: &str = include_str!("page.css");
const SCRIPT: &str = concat!(
    include_str!("script/text.js"),
    include_str!("script/agent.js"),
    include_str!("script/verdict.js"),
    include_str!("script/charts.js"),
    include_str!("script/figures.js"),
    include_str!("script/lists.js"),
    include_str!("script/panels.js"),
    include_str!("script/union.js"),
    include_str!("script/fleet.js"),
    include_str!("script/main.js"),
);

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// Keeps pages of other sites from loading an answer into themselves.
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The parameters of a query, decoded.
type Query = Vec<(String, String)>;

/// The paths of the page.
pub(super) fn paths() -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let get = warp::get().or(warp::head()).unify().and(warp::header::headers_cloned());
    let query = warp::query::<Query>().or_else(|_| async { Ok::<_, Infallible>((Query::new(),)) });
    let [page, style, script] = [
        file(compact::html(FRAME), HTML),
        file(compact::css(LOOKS), CSS),
        file(compact::javascript(SCRIPT), JAVASCRIPT),
    ];
    let page = warp::path::end().and(get).and(query).and(page).map(page_of);
    let style = warp::path!("page.css").and(get).and(style).map(style_of);
    let script = warp::path!("page.js").and(get).and(script).map(script_of);
    page.or(style).unify().or(script).unify()
}

fn file(
    text: String,
    content_type: &'static str,
) -> impl Filter<Extract = (Arc<PageFile>,), Error = Infallible> + Clone {
    let file = Arc::new(PageFile::new(text, content_type));
    warp::any().map(move || file.clone())
}

/// The page. `/?agents=host1:10853,host2:10853` shows several agents.
#[utoipa::path(get, path = "/", tag = "page", params(
    ("agents" = Option<String>, Query, description = "Agents to show, as HOST:PORT separated by commas, at most 50")),
    responses((status = 200, description = "The web page", body = String, content_type = HTML)))]
fn page_of(headers: HeaderMap, query: Query, page: Arc<PageFile>) -> Response {
    let mut response = page.response(&headers);
    let policy = HeaderValue::try_from(policy(&agents::in_query(&query)));
    // An agent is letters, digits, `-`, `_`, `.` and `:`, so this never fails; if it did, the page
    // would load nothing.
    let policy = policy.unwrap_or(HeaderValue::from_static("default-src 'none'"));
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response
}

/// The style sheet of the page.
#[utoipa::path(get, path = "/page.css", tag = "page", responses(
    (status = 200, description = "The style sheet", body = String, content_type = CSS)))]
fn style_of(headers: HeaderMap, style: Arc<PageFile>) -> Response {
    style.response(&headers)
}

/// The script of the page.
#[utoipa::path(get, path = "/page.js", tag = "page", responses(
    (status = 200, description = "The script", body = String, content_type = JAVASCRIPT)))]
fn script_of(headers: HeaderMap, script: Arc<PageFile>) -> Response {
    script.response(&headers)
}

/// What the page may load and connect to: its own agent, and those that the query names. Its only
/// image, the icon, is in the page itself.
fn policy(agents: &[&str]) -> String {
    let agents: String = agents.iter().map(|agent| format!(" http://{agent} https://{agent}")).collect();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'{agents}; \
         frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
}

/// One file of the page.
#[derive(Debug)]
struct PageFile {
    document: Document,
    etag: HeaderValue,
}

impl PageFile {
    fn new(text: String, content_type: &'static str) -> Self {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        // Weak, because the compressed form has the same one (RFC 9110 section 8.8.3).
        let etag = HeaderValue::try_from(format!("W/\"{:016x}\"", hasher.finish()));
        let etag = etag.unwrap_or(HeaderValue::from_static("W/\"\""));
        Self { document: Document::new(content_type, text), etag }
    }

    fn response(&self, request: &HeaderMap) -> Response {
        let mut response = self.document.response(Gzip::of(request));
        if self.is_known(request) {
            // Without Content-Type and Content-Encoding, which belong to a body.
            response = Response::default();
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        headers.insert(ETAG, self.etag.clone());
        // Asks each time, so that a new agent shows its own page.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
        response
    }

    /// Whether the client has this version (RFC 9110 section 13.1.2).
    fn is_known(&self, request: &HeaderMap) -> bool {
        let values = request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|tag| {
            let tag = tag.trim();
            tag == "*" || tag.as_bytes() == self.etag.as_bytes()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 8 kB of it merge several agents, which only a script can do where no server sees them all. A browser
    /// receives a third of this, compressed, once for each version.
    #[test]
    fn the_whole_page_is_below_70_kb() {
        let sizes =
            [compact::html(FRAME), compact::css(LOOKS), compact::javascript(SCRIPT)].map(|text| text.len());
        assert!(sizes.iter().sum::<usize>() < 70_000, "{sizes:?}");
    }

    #[test]
    fn nothing_that_parses_html_or_text_as_code_is_used() {
        for forbidden in
            ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "srcdoc"]
        {
            assert!(!SCRIPT.contains(forbidden) && !FRAME.contains(forbidden), "{forbidden}");
        }
        for elsewhere in ["http://", "https://", "url("] {
            let frame = FRAME.replace("http://www.w3.org/2000/svg", "");
            assert!(!frame.contains(elsewhere) && !LOOKS.contains(elsewhere), "{elsewhere}");
        }
        for inline in [" style=", " onclick=", "<style", "javascript:"] {
            assert!(!FRAME.contains(inline), "{inline}");
        }
    }

    #[test]
    fn the_page_may_connect_to_its_agent_and_those_of_the_query() {
        assert!(policy(&[]).contains("connect-src 'self'; "));
        let two = policy(&["a:1", "b:2"]);
        assert!(two.contains("connect-src 'self' http://a:1 https://a:1 http://b:2 https://b:2; "), "{two}");
    }
}
