//! Agents that try to harm the UI: with answers that do not end, that grow, or that are something
//! else. The UI ends in time, in little memory, with one sentence.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// How long the UI waits for an answer.
const TIMEOUT: Duration = Duration::from_millis(1500);
/// How long it may take for several, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// Address space of the UI, of which it uses a small part.
const MEMORY_KIB: u64 = 600_000;

/// Starts an agent that answers each connection so. It is given the path of the first request.
fn hostile(
    answer: impl Fn(&mut TcpStream, &str) -> std::io::Result<()> + Clone + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port of loopback");
    let address = listener.local_addr().expect("it is bound");
    // The thread ends with the test program.
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let answer = answer.clone();
            thread::spawn(move || {
                let mut request = [0; 4096];
                while let Ok(length @ 1..) = stream.read(&mut request) {
                    let text = String::from_utf8_lossy(&request[..length]).into_owned();
                    let path = text.split(' ').nth(1).unwrap_or_default();
                    if answer(&mut stream, path).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

/// The sentence with which the UI refuses such an agent, in little memory.
fn refusal_of(address: SocketAddr) -> String {
    let began = Instant::now();
    let limited = format!("ulimit -v {MEMORY_KIB}; exec \"$0\" \"$@\"");
    let timeout = TIMEOUT.as_millis().to_string();
    let output = Command::new("sh")
        .args(["-c", &limited, env!("CARGO_BIN_EXE_pktvisor"), "--once", "--timeout-ms", &timeout])
        .args(["-H", &address.to_string()])
        .output()
        .expect("there is a shell");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stderr.lines().count() == 1 && stderr.len() < 4096, "{stderr}");
    assert!(!stderr.trim_end().chars().any(char::is_control), "{stderr:?}");
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    stderr
}

fn assert_refused(
    expected: &str,
    answer: impl Fn(&mut TcpStream, &str) -> std::io::Result<()> + Clone + Send + 'static,
) {
    let sentence = refusal_of(hostile(answer));
    assert!(sentence.contains(expected), "{sentence}");
}

fn head(headers: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{headers}\r\n")
}

fn json(stream: &mut TcpStream, body: &[u8]) -> std::io::Result<()> {
    stream.write_all(head(&format!("content-length: {}\r\n", body.len())).as_bytes())?;
    stream.write_all(body)
}

#[test]
fn an_endless_body_is_given_up() {
    for headers in ["", "transfer-encoding: chunked\r\n", "content-length: 99999999999999\r\n"] {
        assert_refused("it is longer than 1 MiB", move |stream, _| {
            stream.write_all(head(headers).as_bytes())?;
            let chunk = [b"10000\r\n".as_slice(), &[b' '; 1 << 16], b"\r\n"].concat();
            loop {
                stream.write_all(&chunk)?;
            }
        });
    }
}

#[test]
fn a_body_that_arrives_byte_by_byte_is_given_up() {
    assert_refused("no answer within 1500 ms", |stream, _| {
        stream.write_all(head("content-length: 1000\r\n").as_bytes())?;
        loop {
            stream.write_all(b" ")?;
            thread::sleep(Duration::from_millis(50));
        }
    });
}

#[test]
fn endless_headers_are_given_up() {
    assert_refused("not an answer of pktvisord", |stream, _| {
        stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
        loop {
            stream.write_all(b"x-header: 0123456789012345678901234567890123456789\r\n")?;
        }
    });
    assert_refused("not an answer of pktvisord", |stream, _| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nx-header: ")?;
        loop {
            stream.write_all(&[b'x'; 4096])?;
        }
    });
}

#[test]
fn an_answer_of_many_informational_ones_is_given_up() {
    let sentence = refusal_of(hostile(|stream, _| {
        loop {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
    }));
    assert!(sentence.starts_with("pktvisor: 127.0.0.1"), "{sentence}");
}

/// A gigabyte of zeros takes a megabyte in this form. The UI does not ask for compressed answers, and
/// unpacks none.
#[test]
fn a_compressed_body_is_not_unpacked() {
    // A gzip member of stored blocks would do as well: what matters is that it is not read as gzip.
    let bomb = [b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03".as_slice(), &[0; 1000]].concat();
    assert_refused("not an answer of pktvisord", move |stream, _| {
        stream.write_all(
            head(&format!("content-encoding: gzip\r\ncontent-length: {}\r\n", bomb.len())).as_bytes(),
        )?;
        stream.write_all(&bomb)
    });
}

#[test]
fn a_redirection_is_not_followed() {
    assert_refused("HTTP status 302", |stream, path| {
        write!(stream, "HTTP/1.1 302 Found\r\nlocation: {path}\r\ncontent-length: 0\r\n\r\n")
    });
}

#[test]
fn deep_nesting_is_refused() {
    assert_refused("not an answer of pktvisord", |stream, _| {
        json(stream, &[&b"{\"app\":"[..], &b"{\"x\":[".repeat(10_000)].concat())
    });
}

/// Each `{}` takes two bytes of the answer, and a hundred as a value.
#[test]
fn a_body_of_millions_of_values_is_not_kept() {
    assert_refused("it has more than 65536 values", |stream, path| {
        let repeated = |begin: &str, item: &str, end: &str, bytes: usize| {
            [begin.as_bytes(), &item.as_bytes().repeat(bytes / item.len()), end.as_bytes()].concat()
        };
        match path {
            "/api/v1/metrics/app" => json(stream, br#"{"app":{"periods":5,"capture":{}}}"#),
            "/api/v1/findings" => json(stream, &repeated(r#"{"findings":["#, "{},", "{}]}", 30 << 20)),
            _ => json(stream, b"{}"),
        }
    });
    assert_refused("it has more than 65536 values", |stream, _| {
        json(stream, &[&br#"{"app":{"labels":{"#[..], &br#""":"","#.repeat(150_000), br#""":""}}}"#].concat())
    });
}

#[test]
fn hostile_words_are_escaped_and_cut() {
    let sentence = refusal_of(hostile(|stream, _| {
        let words = format!(r#"{{"error":"\u001b[2Jno\u202e\n{}"}}"#, "x".repeat(3000));
        json(stream, words.as_bytes())
    }));
    assert!(sentence.contains("the agent answers: \\u{1b}[2Jno\\u{202e}\\u{a}xxx"), "{sentence}");
}

#[test]
fn silence_and_noise_are_named() {
    assert_refused("no answer within 1500 ms", |_, _| {
        thread::sleep(PATIENCE);
        Ok(())
    });
    assert_refused("pktvisor: 127.0.0.1", |stream, _| stream.write_all(&[0xff; 1 << 20]));
    // Closes at once.
    assert_refused("pktvisor: 127.0.0.1", |_, _| Err(std::io::ErrorKind::Other.into()));
}
