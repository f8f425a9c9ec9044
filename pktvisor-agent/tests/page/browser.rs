//! A headless Chromium, driven over WebDriver (W3C): each command is one HTTP request.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use testbed::Process;

/// Only a hang takes this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// No sandbox, because tests may run as root; no request of the browser's own.
const OPTIONS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
];

/// The size of a page, and its colours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) scheme: &'static str,
}

pub(crate) const DESKTOP: Screen = Screen { width: 1280, height: 900, scheme: "light" };
pub(crate) const PHONE: Screen = Screen { width: 360, height: 800, scheme: "dark" };

/// A browser with one page.
pub(crate) struct Browser {
    port: u16,
    session: String,
    _driver: Process,
    _profile: TempDir,
}

impl Browser {
    pub(crate) fn start() -> Self {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = Process::spawn(&mut command);
        let stdout = driver.child().stdout.take().unwrap();
        let port = listening_port(BufReader::new(stdout));
        let profile = tempfile::tempdir().unwrap();
        let mut options: Vec<String> = OPTIONS.map(str::to_owned).to_vec();
        options.push(format!("--user-data-dir={}", profile.path().display()));
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "goog:chromeOptions": {"args": options},
        }}});
        let answer = request(port, "POST", "/session", &wanted);
        let session = answer["sessionId"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        Self { port, session, _driver: driver, _profile: profile }
    }

    /// Opens a URL on a screen.
    pub(crate) fn open(&self, url: &str, screen: Screen) {
        let Screen { width, height, scheme } = screen;
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500});
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
        let colours = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", &colours);
        self.command("url", &json!({"url": url}));
    }

    /// Runs a script in the page and returns its result.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.command("execute/sync", &json!({"script": script, "args": []}))
    }

    /// The text of the first element that a selector finds; empty without one.
    pub(crate) fn text(&self, selector: &str) -> String {
        let script = format!("return document.querySelector({})?.textContent ?? ''", json!(selector));
        self.run(&script).as_str().unwrap().to_owned()
    }

    /// Waits until an expression in the page is true.
    pub(crate) fn wait_for(&self, expression: &str) {
        let started = Instant::now();
        while self.run(&format!("return Boolean({expression})")) != true {
            let shown = || self.run("return document.body.innerText.slice(0, 2000)");
            assert!(
                started.elapsed() < PATIENCE,
                "never: {expression}\n{}\n{:?}",
                shown(),
                self.complaints()
            );
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Presses a key.
    pub(crate) fn press(&self, key: &str) {
        for kind in ["rawKeyDown", "keyUp"] {
            self.devtools("Input.dispatchKeyEvent", &json!({"type": kind, "key": key, "code": key}));
        }
    }

    /// Warnings and errors on the console since the last call: of scripts, policies and failed loads.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let entries = self.command("se/log", &json!({"type": "browser"}));
        let entries = entries.as_array().unwrap().iter();
        entries.map(|entry| format!("{} {}", entry["level"], entry["message"])).collect()
    }

    /// The addresses of all requests since the last call, other than those to data in the page itself
    /// and to the browser's own empty first page.
    pub(crate) fn requests(&self) -> Vec<String> {
        let entries = self.command("se/log", &json!({"type": "performance"}));
        let entries = entries.as_array().unwrap().iter();
        let messages = entries.map(|entry| entry["message"].as_str().unwrap());
        let messages = messages.map(|text| serde_json::from_str::<Value>(text).unwrap()["message"].take());
        let sent = messages.filter(|message| message["method"] == "Network.requestWillBeSent");
        let urls = sent.map(|message| message["params"]["request"]["url"].as_str().unwrap().to_owned());
        urls.filter(|url| !url.starts_with("data:") && !url.starts_with("chrome://")).collect()
    }

    /// Writes a picture of the page to the directory in `PAGE_PICTURES`, if that is set.
    pub(crate) fn picture(&self, name: &str) {
        let Some(directory) = std::env::var_os("PAGE_PICTURES") else { return };
        let size = self.run("return [innerWidth, document.documentElement.scrollHeight]");
        let clip = json!({"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1});
        let wanted = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let data = self.devtools("Page.captureScreenshot", &wanted)["data"].take();
        let file = std::path::Path::new(&directory).join(format!("{name}.png"));
        let mut decoder = Command::new("base64");
        let decoder = decoder.arg("-d").stdin(Stdio::piped()).stdout(std::fs::File::create(file).unwrap());
        let mut decoder = decoder.spawn().unwrap();
        decoder.stdin.take().unwrap().write_all(data.as_str().unwrap().as_bytes()).unwrap();
        decoder.wait().unwrap();
    }

    fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.command("goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    fn command(&self, command: &str, body: &Value) -> Value {
        request(self.port, "POST", &format!("/session/{}/{command}", self.session), body)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends its browser only if it is asked to.
        if !thread::panicking() {
            request(self.port, "DELETE", &format!("/session/{}", self.session), &json!({}));
        } else if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            let _ = write!(stream, "DELETE /session/{} HTTP/1.1\r\nhost: localhost\r\n\r\n", self.session);
            let _ = stream.read(&mut [0; 1024]);
        }
    }
}

/// The port in the line that says that the driver has started.
fn listening_port(mut stdout: impl BufRead + Send + 'static) -> u16 {
    let mut seen = String::new();
    loop {
        let mut line = String::new();
        assert!(stdout.read_line(&mut line).unwrap() > 0, "chromedriver ended: {seen}");
        if let Some((_, port)) = line.split_once("successfully on port ") {
            // Nobody else reads what it says later.
            thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
            return port.trim().trim_end_matches('.').parse().unwrap();
        }
        seen += &line;
    }
}

/// The value of an answer of the driver.
fn request(port: u16, method: &str, path: &str, body: &Value) -> Value {
    let body = body.to_string();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: close\r\n");
    let head = format!("{head}content-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes()).unwrap();
    let mut stream = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        assert!(stream.read_line(&mut line).unwrap() > 0, "{method} {path}: no answer");
        match line.trim_end().to_ascii_lowercase().split_once(':') {
            Some(("content-length", value)) => length = value.trim().parse().unwrap(),
            None if line == "\r\n" => break,
            _ => {}
        }
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).unwrap();
    let mut answer: Value = serde_json::from_slice(&answer).unwrap();
    let value = answer["value"].take();
    assert!(value["error"].is_null(), "{method} {path}: {value}");
    value
}
