//! Requests to the agent's HTTP server over a connection: request line, headers, several requests at
//! once, requests that end early.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arbitrary::{Arbitrary, Unstructured};
use metric_families::{FamilySnapshot, Histogram};
use pktvisor_agent::families::cost::AgentCost;
use pktvisor_agent::families::{self, Numbers, SinceStart};
use pktvisor_agent::serve::{AnswerSource, Limits, Moment, PacketsError, PeriodError, Server, Window};
use pktvisor_api as api;
use pktvisor_metrics::watch::{MessageFilter, PacketSink, PacketWatch, TooManyWatches};
use pktvisor_metrics::{ListLength, RollingSpan};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

/// Longer than the server takes for any of these requests, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(20);
/// Most requests of one connection.
const REQUESTS_MAX: usize = 8;

const PATHS: [&str; 17] = [
    "/",
    "/page.css",
    "/page.js",
    "/metrics",
    "/healthz",
    "/api/v1/findings",
    "/api/v1/metrics/app",
    "/api/v1/metrics/rates",
    "/api/v1/metrics/series",
    "/api/v1/metrics/bucket/0",
    "/api/v1/metrics/window/5",
    "/api/v1/metrics/rolling/10",
    "/api/v1/sketches/window/2",
    "/api/v1/focus?client=192.0.2.1",
    "/api/v1/packets?seconds=1",
    "/api/v1/openapi.json",
    "/nowhere",
];
const PARAMETERS: [&str; 14] = [
    "top=1000",
    "top=0",
    "client=2001:db8::/32",
    "server=192.0.2.53",
    "qname=example.com",
    "qname=%00%ff",
    "qtype=AAAA",
    "rcode=NXDOMAIN",
    "rcode=4000",
    "direction=in",
    "agents=localhost:1",
    "seconds=9",
    "packets=1",
    "qname=\\000.\\255",
];
const HEADERS: [&str; 15] = [
    "host: localhost",
    "host: [::1]:10853",
    "host: rebind.example",
    "accept-encoding: gzip;q=0.5, identity",
    "accept: application/openmetrics-text; version=1.0.0",
    "accept: application/vnd.google.protobuf",
    "origin: http://other.example",
    "connection: close",
    "connection: keep-alive",
    "content-length: 5",
    "transfer-encoding: chunked",
    "expect: 100-continue",
    "upgrade: h2c",
    "if-none-match: \"x\"",
    "if-none-match: *",
];

/// A byte with the kind of the input, and bytes for the connection or how to make them.
pub fn run(data: &[u8]) {
    let Some((&kind, rest)) = data.split_first() else { return };
    let (bytes, cut) = match kind % 4 {
        0 => (rest.to_vec(), rest.len() / 2),
        _ => requests(&mut Unstructured::new(rest)).unwrap_or_default(),
    };
    SERVED.with_borrow_mut(|served| {
        let Served { runtime, address } = served.get_or_insert_with(Served::start);
        // A timer can be made only inside of the runtime.
        let answer = runtime.block_on(async { timeout(PATIENCE, exchange(*address, &bytes, cut)).await });
        check(&answer.expect("the connection ends"));
    });
}

/// Requests, and where a pause is made.
fn requests(input: &mut Unstructured<'_>) -> arbitrary::Result<(Vec<u8>, usize)> {
    let mut bytes = Vec::new();
    for _ in 0..REQUESTS_MAX {
        if input.is_empty() {
            break;
        }
        let method = *input.choose(&["GET", "GET", "GET", "HEAD", "POST", "OPTIONS", "CONNECT", "\u{1}"])?;
        bytes.extend_from_slice(method.as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(input.choose(&PATHS)?.as_bytes());
        for _ in 0..input.int_in_range(0..=3)? {
            bytes.push(*input.choose(b"?&/%#;")?);
            bytes.extend_from_slice(input.choose(&PARAMETERS)?.as_bytes());
        }
        odd_bytes(input, &mut bytes)?;
        bytes.extend_from_slice(
            input.choose(&[" HTTP/1.1\r\n", " HTTP/1.1\r\n", " HTTP/1.0\r\n", "\r\n"])?.as_bytes(),
        );
        for _ in 0..input.int_in_range(0..=5)? {
            bytes.extend_from_slice(input.choose(&HEADERS)?.as_bytes());
            odd_bytes(input, &mut bytes)?;
            bytes.extend_from_slice(b"\r\n");
        }
        if input.int_in_range(0..=3)? > 0 {
            bytes.extend_from_slice(b"host: localhost\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
    }
    let cut = usize::from(u16::arbitrary(input).unwrap_or(0));
    let keep = if input.ratio(1, 8)? { cut % (bytes.len() + 1) } else { bytes.len() };
    bytes.truncate(keep);
    Ok((bytes, cut))
}

fn odd_bytes(input: &mut Unstructured<'_>, bytes: &mut Vec<u8>) -> arbitrary::Result<()> {
    if input.ratio(1, 6)? {
        let len = input.int_in_range(0..=6)?;
        bytes.extend_from_slice(input.bytes(len)?);
    }
    if input.ratio(1, 64)? {
        let filler = input.arbitrary()?;
        bytes.resize(bytes.len() + usize::from(u16::arbitrary(input)?), filler);
    }
    Ok(())
}

thread_local! {
    static SERVED: RefCell<Option<Served>> = const { RefCell::new(None) };
}

/// A server that runs while a client waits for it.
struct Served {
    runtime: Runtime,
    address: SocketAddr,
}

impl Served {
    fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let server = runtime.block_on(Server::bind("127.0.0.1", 0)).expect("a free port");
        let address = server.local_addrs()[0];
        let limits = Limits { cache: Duration::from_secs(3600), ..Limits::default() };
        runtime.spawn(server.with_limits(limits).run(Arc::new(EmptySource), std::future::pending()));
        Self { runtime, address }
    }
}

/// Sends bytes in two parts, closes this half, and returns everything that comes back.
async fn exchange(address: SocketAddr, bytes: &[u8], cut: usize) -> Vec<u8> {
    let stream = TcpStream::connect(address).await.expect("the server listens");
    let (mut reader, mut writer) = stream.into_split();
    let (first, second) = bytes.split_at(cut % (bytes.len() + 1));
    let send = async {
        // A server that has refused the request may have closed its end.
        let _ = writer.write_all(first).await;
        tokio::task::yield_now().await;
        let _ = writer.write_all(second).await;
        let _ = writer.shutdown().await;
    };
    let mut answer = Vec::new();
    let (_, _) = tokio::join!(send, reader.read_to_end(&mut answer));
    answer
}

/// The first answer is one that the interface gives.
fn check(answer: &[u8]) {
    if answer.is_empty() {
        return;
    }
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let Some(head) = end.and_then(|end| std::str::from_utf8(&answer[..end]).ok()) else {
        panic!("no whole header: {:?}", String::from_utf8_lossy(answer));
    };
    let status = head.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).unwrap_or_default();
    let known = ["100", "200", "304", "400", "403", "404", "405", "414", "425", "429", "431", "503"];
    assert!(known.contains(&status), "{head}");
    let body = &answer[head.len() + 4..];
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    let len = header("content-length").and_then(|len| len.parse().ok()).unwrap_or(0);
    let is_json = header("content-type") == Some("application/json") && header("content-encoding").is_none();
    // The answer to HEAD has the length of a body that is not sent.
    if let Some(body) = body.get(..len).filter(|body| is_json && body.starts_with(b"{")) {
        let value: serde_json::Value = serde_json::from_slice(body).expect("valid JSON");
        let error = value["error"].as_str();
        assert!(status == "200" || error.is_some_and(|error| !error.is_empty()), "{status}: {value}");
    }
}

/// Answers of an agent that has seen nothing.
struct EmptySource;

impl AnswerSource for EmptySource {
    fn app(&self) -> api::App {
        api::App::default()
    }

    fn rates(&self) -> api::Rates {
        api::Rates::default()
    }

    fn series(&self) -> api::SeriesDocument {
        api::SeriesDocument::default()
    }

    fn findings(&self) -> api::FindingsDocument {
        api::FindingsDocument::default()
    }

    fn families(&self) -> FamilySnapshot {
        let empty = || Histogram { count: 0, sum: 0.0, classic: Vec::new(), exponential: None };
        families::snapshot(&Numbers {
            since: SystemTime::UNIX_EPOCH,
            at: SystemTime::UNIX_EPOCH,
            app: &self.app(),
            rates: &self.rates(),
            findings: &self.findings(),
            sums: &SinceStart { period: api::Period::default(), inbound: empty(), outbound: empty() },
            period: None,
            cost: &AgentCost { cpu_s: 0.0, cpu_s_by_role: Vec::new(), resident_bytes: None },
        })
    }

    fn bucket(&self, n: usize, _: ListLength) -> Result<api::Period, PeriodError> {
        match n {
            0 => Ok(api::Period::default()),
            1..5 => Err(PeriodError::NotYet { last: 0 }),
            _ => Err(PeriodError::OutOfRange { first: 0, last: 4 }),
        }
    }

    fn window(&self, n: usize, lists: ListLength) -> Result<Window, PeriodError> {
        match n {
            2..=5 => self.bucket(0, lists).map(|period| Window { minutes: n, period }),
            _ => Err(PeriodError::OutOfRange { first: 2, last: 5 }),
        }
    }

    fn sketches(&self, n: usize, lists: ListLength) -> Result<api::SketchDocument, PeriodError> {
        let Window { minutes, period } = self.window(n, lists)?;
        Ok(api::SketchDocument {
            format: api::SKETCHES_FORMAT,
            periods: minutes as u32,
            period,
            ..api::SketchDocument::default()
        })
    }

    fn rolling(&self, _: RollingSpan, _: ListLength) -> api::Period {
        api::Period::default()
    }

    fn focus(&self, filter: &MessageFilter, _: ListLength) -> Result<api::Period, TooManyWatches> {
        assert!(!filter.to_string().is_empty());
        Ok(api::Period::default())
    }

    fn packets(&self, _: MessageFilter, _: Arc<dyn PacketSink>) -> Result<PacketWatch, PacketsError> {
        Err(PacketsError::NotAllowed)
    }

    fn moment(&self) -> Moment {
        Moment::default()
    }

    fn health(&self) -> Result<(), String> {
        Ok(())
    }
}
