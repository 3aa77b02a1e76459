//! A Docker engine of a few lines on a Unix socket.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What is answered to a path: a status and a body, or nothing at all.
pub type Answer = fn(&str) -> Option<(u16, String)>;

pub struct Engine {
    requests: Receiver<String>,
    /// Method and path of every request that would change something.
    changes: Arc<Mutex<Vec<String>>>,
}

impl Engine {
    /// Takes connections and requests, and never answers.
    pub fn silent(socket: &Path) -> Self {
        Self::start(socket, |_| None::<(u16, String)>)
    }

    /// Answers, but what it says is no HTTP.
    pub fn garbage(socket: &Path) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that has gone needs no answer.
                drop(stream.unwrap().write_all(b"220 mail ready\r\n"));
            }
        });
        Self { requests: channel().1, changes: Arc::default() }
    }

    /// A healthy engine with nothing on it.
    pub fn empty(socket: &Path) -> Self {
        Self::start(socket, |path| Some(answer(path)))
    }

    /// Says its version, and then nothing.
    pub fn stuck(socket: &Path) -> Self {
        Self::start(socket, |path| (path == "/version").then(|| answer(path)))
    }

    /// As [`Self::empty`], until it was asked so often; then nothing. Requests count from one.
    pub fn stuck_at(socket: &Path, number: usize) -> Self {
        let asked = Arc::<AtomicUsize>::default();
        Self::start(socket, move |path| (asked.fetch_add(1, Ordering::Relaxed) + 1 < number).then(|| answer(path)))
    }

    /// Says its version, and then this, whatever it is asked.
    pub fn saying(socket: &Path, status: u16, body: Vec<u8>) -> Self {
        Self::start(socket, move |path| {
            Some(if path == "/version" { (200, answer(path).1.into_bytes()) } else { (status, body.clone()) })
        })
    }

    /// Answers as this function does.
    pub fn start<B: AsRef<[u8]>>(
        socket: &Path,
        answer: impl Fn(&str) -> Option<(u16, B)> + Clone + Send + 'static,
    ) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        let (sender, requests) = channel();
        let changes = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&changes);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (sender, seen, answer) = (sender.clone(), Arc::clone(&seen), answer.clone());
                thread::spawn(move || serve(&stream.unwrap(), &answer, &sender, &seen));
            }
        });
        Self { requests, changes }
    }

    /// Requests that would change something, so far.
    pub fn changes(&self) -> Vec<String> {
        self.changes.lock().unwrap().clone()
    }

    /// What was asked so far: paths, and credentials for registries before the path they came with.
    pub fn requests(&self) -> Vec<String> {
        self.requests.try_iter().collect()
    }

    /// Waits until somebody asks for this path.
    pub fn wait_for(&self, path: &str) {
        loop {
            let request = self.requests.recv_timeout(Duration::from_secs(30)).expect("a request");
            if request == path {
                return;
            }
        }
    }
}

/// Answers the requests of one connection. An error means that the client has gone.
fn serve<B: AsRef<[u8]>>(
    stream: &UnixStream,
    answer: &impl Fn(&str) -> Option<(u16, B)>,
    sender: &Sender<String>,
    changes: &Mutex<Vec<String>>,
) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut length, mut head) = (0, Vec::new());
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            if line.to_lowercase().starts_with("x-registry-auth:") {
                // Nobody may be listening.
                drop(sender.send(line.trim().to_owned()));
            }
            head.push(line);
        }
        let path = head.first()?.split(' ').nth(1)?.split('?').next()?.to_owned();
        let path = match path.strip_prefix("/v1.") {
            Some(rest) => rest[rest.find('/')?..].to_owned(),
            None => path,
        };
        reader.read_exact(&mut vec![0; length]).ok()?;
        let method = head.first()?.split(' ').next()?.to_owned();
        if !["GET", "HEAD"].contains(&method.as_str()) {
            changes.lock().unwrap().push(format!("{method} {path}"));
        }
        // Nobody may be listening.
        drop(sender.send(path.clone()));
        let Some((status, body)) = answer(&path) else {
            // Keeps the connection open until the client gives up.
            reader.read_to_end(&mut Vec::new()).ok()?;
            return None;
        };
        let body = body.as_ref();
        let head =
            format!("HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
        // The answer to HEAD is its head.
        let body = if method == "HEAD" { b"" } else { body };
        (&*stream).write_all(&[head.as_bytes(), body].concat()).ok()?;
    }
}

/// What a healthy engine with nothing on it says.
pub fn answer(path: &str) -> (u16, String) {
    match path {
        "/version" => (200, r#"{"ApiVersion":"1.47","MinAPIVersion":"1.24","Version":"28.5.2"}"#.to_owned()),
        "/info" => {
            let info = r#"{"ServerVersion":"28.5.2","MemTotal":68719476736,"NCPU":2,"DockerRootDir":"/nowhere"}"#;
            (200, info.to_owned())
        }
        "/containers/json" | "/networks" => (200, "[]".to_owned()),
        "/volumes" => (200, r#"{"Volumes":[]}"#.to_owned()),
        _ => (404, r#"{"message":"not here"}"#.to_owned()),
    }
}
