//! An S3 server on loopback: moto, in Python; and its bucket as a directory, by s3fs.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use testbed::Need;

/// A server starts within this time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server with the bucket `fleet`; killed when dropped.
pub(crate) struct ObjectStore {
    child: Child,
    port: u16,
}

/// A port on which nobody listens.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl ObjectStore {
    /// Starts it; `None` with the reason printed if it is not installed.
    pub(crate) fn start(python: &Path) -> Option<Self> {
        Self::start_on(python, free_port())
    }

    /// Starts it on this port.
    pub(crate) fn start_on(python: &Path, port: u16) -> Option<Self> {
        let has_moto =
            Command::new(python).args(["-c", "import moto.server"]).output().unwrap().status.success();
        if !has_moto {
            println!("skipped: there is no moto[server] (cargo xtask setup --for test)");
            return None;
        }
        let mut command = Command::new(python);
        command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { child, port };
        let started = Instant::now();
        while !server.makes_bucket() {
            assert!(started.elapsed() < PATIENCE, "the S3 server does not answer");
            thread::sleep(Duration::from_millis(50));
        }
        Some(server)
    }

    fn makes_bucket(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        let request =
            "PUT /fleet HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let mut answer = String::new();
        stream.write_all(request.as_bytes()).is_ok()
            && stream.read_to_string(&mut answer).is_ok()
            && answer.starts_with("HTTP/1.1 200")
    }

    /// The number of objects of an agent.
    pub(crate) fn objects(&self, agent: &str) -> usize {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let request = format!(
            "GET /fleet?list-type=2&prefix=agent%3D{agent}/ HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.matches("<Key>").count()
    }

    /// Mounts the bucket; `None` with the reason printed if that is not possible here.
    pub(crate) fn mount(&self) -> Option<MountedBucket> {
        testbed::missing(&[Need::Program("s3fs"), Need::File(Path::new("/dev/fuse"))]).map_or_else(
            || MountedBucket::new(self.port),
            |reason| {
                println!("skipped: {reason}");
                None
            },
        )
    }

    /// The environment that leads to it.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        variables(self.port)
    }
}

/// The environment that leads to a server on this port.
pub(crate) fn variables(port: u16) -> Vec<(&'static str, String)> {
    vec![
        ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}")),
        ("AWS_ALLOW_HTTP", "true".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "key".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
    ]
}

impl Drop for ObjectStore {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The bucket as a directory that can be read; unmounted when dropped.
pub(crate) struct MountedBucket {
    directory: tempfile::TempDir,
    child: Child,
}

impl MountedBucket {
    fn new(port: u16) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let keys = directory.path().join("keys");
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&keys).unwrap();
        file.write_all(b"key:secret").unwrap();
        let bucket = directory.path().join("bucket");
        fs::create_dir(&bucket).unwrap();
        let mut command = Command::new("s3fs");
        command.arg("fleet").arg(&bucket).args([
            "-f",
            "-o",
            "ro,use_path_request_style,complement_stat",
            "-o",
        ]);
        command.arg(format!("url=http://127.0.0.1:{port},passwd_file={}", keys.display()));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let is_mounted =
            || fs::read_to_string("/proc/self/mounts").unwrap().contains(bucket.to_str().unwrap());
        let started = Instant::now();
        while !is_mounted() {
            if child.try_wait().unwrap().is_some() {
                let mut reason = String::new();
                child.stderr.take().unwrap().read_to_string(&mut reason).unwrap();
                // A container may have the device and not the right to mount.
                println!("skipped: s3fs cannot mount here: {}", reason.trim());
                return None;
            }
            assert!(started.elapsed() < PATIENCE, "s3fs does not mount the bucket");
            thread::sleep(Duration::from_millis(50));
        }
        Some(Self { directory, child })
    }

    /// The directory.
    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("bucket")
    }
}

impl Drop for MountedBucket {
    fn drop(&mut self) {
        // At its end s3fs unmounts.
        let _ = Command::new("umount").arg(self.path()).status();
        let _ = self.child.wait();
    }
}
