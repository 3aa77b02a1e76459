//! A registry that is out of order, of a few lines.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::thread;

use sha2::{Digest as _, Sha256};

#[derive(Clone, Copy)]
pub enum Faulty {
    /// Takes connections, and never answers.
    Silent,
    /// Answers so to everything but the first greeting.
    Status(&'static str),
    /// The connection ends in the middle of a layer.
    Cut,
    /// Nothing more comes from the middle of a layer on.
    Stalled,
}

impl Faulty {
    /// Its address; it runs until the test's process ends.
    pub fn start(self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address").to_string();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || self.serve(&stream));
            }
        });
        address
    }

    /// Answers one request of a connection after the other; none at its end.
    fn serve(self, stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream);
        loop {
            let mut head = Vec::new();
            while head.last().is_none_or(|line: &String| !line.trim().is_empty()) {
                let mut line = String::new();
                if reader.read_line(&mut line).ok()? == 0 {
                    return None;
                }
                head.push(line);
            }
            let (method, path) = head[0].rsplit_once(' ')?.0.split_once(' ')?;
            self.answer(stream, method, path)?;
        }
    }

    fn answer(self, stream: &TcpStream, method: &str, path: &str) -> Option<()> {
        let config = r#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"config":{}}"#;
        let layer = vec![b'x'; 5_000_000];
        match self {
            Self::Silent => silence(),
            _ if path == "/v2/" => send(stream, method, "200 OK", "application/json", b"{}"),
            Self::Status(status) => send(stream, method, status, "application/json", b"{\"errors\":[]}"),
            _ if path.contains("/manifests/") => {
                let kind = "application/vnd.docker.distribution.manifest.v2+json";
                let part = |kind: &str, content: &[u8]| {
                    let (size, digest) = (content.len(), digest(content));
                    format!(r#"{{"mediaType":"application/vnd.docker.{kind}","size":{size},"digest":"{digest}"}}"#)
                };
                let manifest = format!(
                    r#"{{"schemaVersion":2,"mediaType":"{kind}","config":{},"layers":[{}]}}"#,
                    part("container.image.v1+json", config.as_bytes()),
                    part("image.rootfs.diff.tar.gzip", &layer)
                );
                send(stream, method, "200 OK", kind, manifest.as_bytes())
            }
            _ if path.ends_with(&digest(config.as_bytes())) => {
                send(stream, method, "200 OK", "application/octet-stream", config.as_bytes())
            }
            Self::Cut | Self::Stalled => {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", layer.len());
                let mut stream = stream;
                stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&layer[..1_000_000])).ok()?;
                if matches!(self, Self::Stalled) { silence() } else { None }
            }
        }
    }
}

/// Keeps the connection, and says nothing.
fn silence() -> Option<()> {
    let (_sender, receiver) = channel::<()>();
    receiver.recv().ok()
}

fn send(mut stream: &TcpStream, method: &str, status: &str, kind: &str, body: &[u8]) -> Option<()> {
    let (length, digest) = (body.len(), digest(body));
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nDocker-Content-Digest: {digest}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).ok()?;
    if method == "HEAD" { Some(()) } else { stream.write_all(body).ok() }
}

fn digest(content: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(content) {
        write!(text, "{byte:02x}").expect("memory");
    }
    text
}
