//! A web server with the answers of a test, on a port of loopback.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// The answer on a path.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
    pub(crate) delay: Duration,
}

impl Reply {
    pub(crate) fn json(body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, content_type: "application/json", body: body.into(), delay: Duration::ZERO }
    }

    pub(crate) fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn content_type(self, content_type: &'static str) -> Self {
        Self { content_type, ..self }
    }

    pub(crate) fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }
}

/// The server. Dropped, it stops listening and answers nothing more.
pub(crate) struct FakeAgent {
    pub(crate) address: SocketAddr,
    replies: Arc<Mutex<HashMap<String, Reply>>>,
    asked: Arc<Mutex<Vec<String>>>,
    /// The Authorization header that requests need.
    authorization: Arc<Mutex<Option<String>>>,
    gone: Arc<AtomicBool>,
    listening: Option<thread::JoinHandle<()>>,
}

impl FakeAgent {
    /// Starts on a port of the system's choice.
    pub(crate) fn start() -> Self {
        Self::start_on(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// Starts at an address, as after a restart.
    pub(crate) fn start_on(address: SocketAddr) -> Self {
        Self::start_speaking(address, Some)
    }

    /// Starts with something between the connection and HTTP, such as TLS.
    pub(crate) fn start_speaking<S: Read + Write>(
        address: SocketAddr,
        speak: impl Fn(TcpStream) -> Option<S> + Clone + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).expect("a port of loopback");
        let mut agent = Self {
            address: listener.local_addr().expect("it is bound"),
            replies: Arc::default(),
            asked: Arc::default(),
            authorization: Arc::default(),
            gone: Arc::default(),
            listening: None,
        };
        let (replies, asked, gone) = (agent.replies.clone(), agent.asked.clone(), agent.gone.clone());
        let authorization = agent.authorization.clone();
        agent.listening = Some(thread::spawn(move || {
            for connection in listener.incoming() {
                if gone.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(connection) = connection else { continue };
                let (replies, asked, gone) = (replies.clone(), asked.clone(), gone.clone());
                let (speak, authorization) = (speak.clone(), authorization.clone());
                thread::spawn(move || {
                    if let Some(stream) = speak(connection) {
                        serve(stream, &replies, &asked, &authorization, &gone);
                    }
                });
            }
        }));
        agent
    }

    /// Answers `path` below `/api/v1/metrics/`, or from the root, like this from now on.
    pub(crate) fn on(&self, path: &str, reply: Reply) -> &Self {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/api/v1/metrics/{path}") };
        self.replies.lock().expect("no test panics while it answers").insert(path, reply);
        self
    }

    /// Answers only requests with this Authorization header from now on.
    pub(crate) fn require(&self, authorization: &str) {
        let mut required = self.authorization.lock().expect("no test panics while it answers");
        *required = Some(authorization.to_owned());
    }

    /// The paths below `/api/v1/metrics/` that were asked for so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock().expect("no test panics while it answers");
        asked.iter().map(|path| path.trim_start_matches("/api/v1/metrics/").to_owned()).collect()
    }
}

impl Drop for FakeAgent {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::SeqCst);
        // Wakes the thread that listens, so that it closes the port.
        let _woken = TcpStream::connect(self.address);
        if let Some(listening) = self.listening.take() {
            let _ended = listening.join();
        }
    }
}

fn serve(
    connection: impl Read + Write,
    replies: &Mutex<HashMap<String, Reply>>,
    asked: &Mutex<Vec<String>>,
    authorization: &Mutex<Option<String>>,
    gone: &AtomicBool,
) {
    let mut connection = BufReader::new(connection);
    while let Some((path, shown)) = read_request(&mut connection) {
        if gone.load(Ordering::SeqCst) {
            return;
        }
        asked.lock().expect("no test panics while it answers").push(path.clone());
        let reply = replies.lock().expect("no test panics while it answers").get(&path).cloned();
        let mut reply = reply.unwrap_or_else(|| Reply::json(r#"{"error":"unknown path"}"#).status(404));
        let required = authorization.lock().expect("no test panics while it answers").clone();
        if required.is_some() && required != shown {
            reply = Reply::json(r#"{"error":"this agent needs its token"}"#).status(401);
        }
        thread::sleep(reply.delay);
        let head = format!(
            "HTTP/1.1 {} X\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n",
            reply.status,
            reply.content_type,
            reply.body.len()
        );
        let out = connection.get_mut();
        if out.write_all(&[head.as_bytes(), &reply.body].concat()).and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

/// The path of a request, and its Authorization header.
fn read_request(connection: &mut impl BufRead) -> Option<(String, Option<String>)> {
    let mut lines = connection.lines().map_while(Result::ok);
    let path = lines.next()?.split(' ').nth(1).unwrap_or_default().to_owned();
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let shown = head.iter().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("authorization").then(|| value.to_owned())
    });
    Some((path, shown))
}
