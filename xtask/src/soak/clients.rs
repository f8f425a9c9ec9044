//! Clients of the HTTP server: scrapers, and those that are slow or do not read.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use testbed::http;

use super::{SERVER, SoakCounts, SoakShared};

const PATHS: [&str; 12] = [
    "/metrics",
    "/api/v1/metrics/app",
    "/api/v1/metrics/rates",
    "/api/v1/metrics/series",
    "/api/v1/metrics/bucket/0",
    "/api/v1/metrics/window/5",
    "/api/v1/metrics/window/2?top=1000",
    "/api/v1/metrics/rolling/10?top=100",
    "/api/v1/sketches/window/5?top=100",
    "/api/v1/findings",
    "/api/v1/focus?qtype=A",
    "/",
];

/// Asks for every path in turn, several times a second.
pub(super) fn scrape(shared: &SoakShared) -> Result<()> {
    for path in PATHS.iter().cycle() {
        if shared.rest(Duration::from_millis(150)) {
            break;
        }
        let (status, body) = ask(shared, path)?;
        // A window may not be filled yet; while many wait, a client is told to come again.
        let is_late = status == 500 && body.contains("not ready in time");
        ensure!(is_late || [200, 425, 503].contains(&status), "{path}: {status} {body:.200}");
        ensure!(status != 200 || !body.is_empty(), "{path} is empty");
        SoakCounts::add(&shared.counts.scrapes, 1);
        SoakCounts::add(&shared.counts.late, u64::from(is_late));
    }
    Ok(())
}

/// Status and body of a GET. A machine that is busy or suspended may break a connection.
pub(super) fn ask(shared: &SoakShared, path: &str) -> Result<(u16, String)> {
    const ATTEMPTS: usize = 3;
    for _ in 1..ATTEMPTS {
        if let Ok(answer) = http::get(&shared.watched, SERVER, path) {
            return Ok(answer);
        }
    }
    Ok(http::get(&shared.watched, SERVER, path)?)
}

/// Sends requests byte by byte on many connections.
pub(super) fn be_slow(shared: &SoakShared) -> Result<()> {
    const CONNECTIONS: usize = 60;
    const REQUEST: &[u8] = b"GET /api/v1/metrics/window/5 HTTP/1.1\r\nhost: localhost\r\nx-slow: ";
    hold(shared, CONNECTIONS, Duration::from_millis(500), |stream, round| {
        stream.write_all(&[REQUEST.get(round).copied().unwrap_or(b'x')]).is_ok()
    })
}

/// Requests large answers and reads a few bytes of them a second.
pub(super) fn be_deaf(shared: &SoakShared) -> Result<()> {
    const CONNECTIONS: usize = 20;
    const REQUEST: &[u8] = b"GET /api/v1/openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n";
    hold(shared, CONNECTIONS, Duration::from_secs(1), |stream, round| {
        if round < 3 {
            // Fails once the server does not read any more either.
            let _ = stream.write_all(&REQUEST.repeat(50));
        }
        true
    })
}

/// Keeps connections, does `work` on each of them once per pause, and replaces those that ended.
fn hold(
    shared: &SoakShared,
    connections: usize,
    pause: Duration,
    mut work: impl FnMut(&mut TcpStream, usize) -> bool,
) -> Result<()> {
    const READ_BYTES: usize = 64;
    let mut held: Vec<(TcpStream, usize, Instant)> = Vec::new();
    while !shared.rest(pause) {
        while held.len() < connections {
            let stream = shared.watched.run(|| TcpStream::connect(SERVER))?;
            stream.set_nonblocking(true)?;
            SoakCounts::add(&shared.counts.slow_clients, 1);
            held.push((stream, 0, Instant::now()));
        }
        held.retain_mut(|(stream, round, since)| {
            *round += 1;
            // A few bytes, so that an end is noticed.
            let is_open = match stream.read(&mut [0; READ_BYTES]) {
                Ok(count) => count > 0,
                Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
            };
            let goes_on = is_open && work(stream, *round - 1) && since.elapsed() < Duration::from_secs(40);
            if !is_open {
                SoakCounts::add(&shared.counts.refused, 1);
            }
            goes_on
        });
    }
    Ok(())
}
