use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use super::HttpRegistry;
use crate::ports::Registry as _;

/// What becomes of an answer: its first line and its headers. Also the first line of the request.
async fn asked(answer: &'static str) -> (anyhow::Result<Option<String>>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let mut request = [0; 4096];
        let length = stream.read(&mut request).unwrap();
        stream.write_all(format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n").as_bytes()).unwrap();
        String::from_utf8_lossy(&request[..length]).lines().next().unwrap_or_default().to_owned()
    });
    let result = HttpRegistry::new().unwrap().digest(port, "apache/spark", "4.1.4").await;
    (result, server.join().unwrap())
}

#[tokio::test]
async fn a_tag_has_its_digest() {
    let (found, request) = asked("200 OK\r\nDocker-Content-Digest: sha256:1234").await;
    assert_eq!(found.unwrap().as_deref(), Some("sha256:1234"));
    assert_eq!(request, "HEAD /v2/apache/spark/manifests/4.1.4 HTTP/1.1");
}

#[tokio::test]
async fn a_tag_that_is_not_there_is_no_error() {
    assert_eq!(asked("404 Not Found").await.0.unwrap(), None);
}

#[tokio::test]
async fn any_other_answer_is_an_error() {
    let error = asked("500 Internal Server Error").await.0.unwrap_err();
    assert!(format!("{error:#}").contains("answered 500 Internal Server Error to http://127.0.0.1:"), "{error:#}");
    assert!(asked("200 OK").await.0.is_err(), "an answer without digest");
}

#[tokio::test]
async fn nobody_there_is_an_error() {
    let error = HttpRegistry::new().unwrap().digest(1, "apache/spark", "4.1.4").await.unwrap_err();
    assert!(format!("{error:#}").starts_with("asking the lab's registry"), "{error:#}");
}
