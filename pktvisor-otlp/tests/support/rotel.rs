//! The OpenTelemetry collector `rotel`, and what it prints of the metrics that it receives.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use testbed::Process;

/// Only a hang takes this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// From signal(7).
const SIGTERM: i32 = 15;

/// A running collector; killed when dropped.
pub(crate) struct Rotel {
    ports: Ports,
    process: Process,
    directory: TempDir,
}

/// Where a collector listens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    pub(crate) grpc: u16,
    pub(crate) http: u16,
}

/// One request as the collector printed it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    pub(crate) resource: BTreeMap<String, String>,
    pub(crate) metrics: BTreeMap<String, Metric>,
}

/// One metric.
#[derive(Clone, Debug, Default)]
#[allow(dead_code, reason = "not every test program reads all of it")]
pub(crate) struct Metric {
    pub(crate) description: String,
    pub(crate) unit: String,
    pub(crate) data_type: String,
    pub(crate) temporality: String,
    pub(crate) points: Vec<Point>,
}

/// One point.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(dead_code, reason = "not every test program reads all of it")]
pub(crate) struct Point {
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) start_ns: u64,
    pub(crate) time_ns: u64,
    /// Of a sum or gauge.
    pub(crate) value: f64,
    /// Of a histogram.
    pub(crate) count: u64,
    pub(crate) sum: f64,
    /// Upper bound and count of each bucket.
    pub(crate) buckets: Vec<(f64, u64)>,
}

/// The collector's program, where `cargo xtask setup` installs it; reports the test as skipped if it is
/// missing.
pub(crate) fn program() -> Option<PathBuf> {
    // TARGET/debug/deps/TEST
    let test = std::env::current_exe().unwrap();
    let versions = test
        .ancestors()
        .nth(3)
        .map(|target| target.join("python/lib"))
        .and_then(|lib| fs::read_dir(lib).ok());
    let mut programs = versions
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("site-packages/rotel/rotel-agent"));
    let program = programs.find(|program| program.is_file());
    if program.is_none() {
        testbed::report_skipped("there is no OpenTelemetry collector (cargo xtask setup installs rotel)");
    }
    program
}

impl Ports {
    /// Ports that nobody listens on; another program may take them before the collector does.
    pub(crate) fn free() -> Self {
        let listeners = [(); 2].map(|()| TcpListener::bind(("127.0.0.1", 0)).unwrap());
        let [grpc, http] = listeners.map(|listener| listener.local_addr().unwrap().port());
        Self { grpc, http }
    }
}

impl Rotel {
    /// Starts it and waits until it listens.
    pub(crate) fn start(program: &Path, ports: Ports) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let output = File::create(directory.path().join("output")).unwrap();
        let mut command = Command::new(program);
        command
            .args(["start", "--exporter", "blackhole"])
            .args(["--debug-log", "metrics", "--debug-log-verbosity", "detailed"])
            .arg(format!("--otlp-grpc-endpoint=127.0.0.1:{}", ports.grpc))
            .arg(format!("--otlp-http-endpoint=127.0.0.1:{}", ports.http))
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(Stdio::null());
        let process = Process::spawn(&mut command);
        wait_for("the collector", || {
            [ports.grpc, ports.http].iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok())
        });
        Self { ports, process, directory }
    }

    /// Stops it and returns what it received.
    pub(crate) fn stop(self) -> Vec<Received> {
        let Self { mut process, directory, ports: _ } = self;
        process.signal(SIGTERM);
        process.wait(PATIENCE);
        parse(&fs::read_to_string(directory.path().join("output")).unwrap())
    }

    /// What it has received so far; the last request may be incomplete.
    #[allow(dead_code, reason = "not every test program needs it")]
    pub(crate) fn received(&self) -> Vec<Received> {
        parse(&fs::read_to_string(self.directory.path().join("output")).unwrap())
    }

    #[allow(dead_code, reason = "not every test program needs it")]
    pub(crate) fn ports(&self) -> Ports {
        self.ports
    }
}

/// Waits until the condition holds.
pub(crate) fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "{what} did not come");
        thread::sleep(Duration::from_millis(20));
    }
}

impl Received {
    /// The values of a metric's points, summed.
    #[allow(dead_code, reason = "not every test program needs it")]
    pub(crate) fn total(&self, metric: &str) -> f64 {
        self.metrics.get(metric).map_or(0.0, |metric| metric.points.iter().map(|point| point.value).sum())
    }

    /// The moment that the request describes.
    #[allow(dead_code, reason = "not every test program needs it")]
    pub(crate) fn time_ns(&self) -> u64 {
        let points = self.metrics.values().flat_map(|metric| &metric.points);
        points.map(|point| point.time_ns).max().unwrap_or(0)
    }
}

/// Reads the detailed text of all requests.
fn parse(text: &str) -> Vec<Received> {
    let mut requests: Vec<Received> = Vec::new();
    let mut name = String::new();
    for line in text.lines() {
        if line.starts_with("ResourceMetrics #") {
            requests.push(Received::default());
            name.clear();
            continue;
        }
        let Some(request) = requests.last_mut() else { continue };
        if line.contains("DataPoints #") {
            request.metrics.entry(name.clone()).or_default().points.push(Point::default());
        } else if let Some(field) = line.strip_prefix("     -> ") {
            let (key, value) = field.split_once(':').unwrap_or((field, ""));
            let value = value.trim();
            let text = value.strip_prefix("Str(").and_then(|value| value.strip_suffix(')'));
            match (key, text) {
                ("Name", None) => name = value.to_owned(),
                (key, Some(text)) if name.is_empty() => {
                    request.resource.insert(key.to_owned(), text.to_owned());
                }
                (key, Some(text)) => {
                    let point = request.metrics.entry(name.clone()).or_default().points.last_mut();
                    point.unwrap().attributes.insert(key.to_owned(), text.to_owned());
                }
                (key, None) => describe(request.metrics.entry(name.clone()).or_default(), key, value),
            }
        } else if let Some(point) = request.metrics.get_mut(&name).and_then(|metric| metric.points.last_mut())
        {
            read_value(point, line);
        }
    }
    requests
}

fn describe(metric: &mut Metric, key: &str, value: &str) {
    let field = match key {
        "Description" => &mut metric.description,
        "Unit" => &mut metric.unit,
        "DataType" => &mut metric.data_type,
        "AggregationTemporality" => &mut metric.temporality,
        _ => return,
    };
    value.clone_into(field);
}

fn read_value(point: &mut Point, line: &str) {
    if let Some(bucket) = line.strip_prefix("Bucket ") {
        let (bounds, count) = bucket.split_once(", Count: ").unwrap();
        let (_, upper) = bounds.trim_end_matches([']', ')']).split_once(", ").unwrap();
        point.buckets.push((upper.parse().unwrap(), count.parse().unwrap()));
        return;
    }
    let Some((key, value)) = line.split_once(": ") else { return };
    match key {
        "StartTimestamp" => point.start_ns = value.parse().unwrap(),
        "Timestamp" => point.time_ns = value.parse().unwrap(),
        "Value" => point.value = value.parse().unwrap(),
        "Count" => point.count = value.parse().unwrap(),
        "Sum" => point.sum = value.parse().unwrap(),
        _ => {}
    }
}
