//! Logs, credentials and pages of a lab that stands and has run `pi`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::lab::Lab;
use crate::schema::{assert_valid, problems};

/// Data on standard output as JSON. Not printed: it may hold passwords.
pub fn data(lab: &Lab, args: &[&str]) -> Value {
    let output = lab.command(&[args, &["--output", "json"]].concat()).output().expect("the binary runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON on standard output")
}

pub fn everything_that_is_listed_has_a_log(lab: &Lab) {
    let listing = data(lab, &["logs"]);
    assert_valid("logs", &listing);
    assert_valid("log-line", &data(lab, &["logs", "minio", "--tail", "1"]));
    let words = ["components", "nodes"].map(|key| listing[key].as_array().expect("a list").clone()).concat();
    assert!(words.len() > 10, "{listing:#}");
    for word in words {
        let word = word.as_str().expect("a word").to_owned();
        let output = lab.command(&["logs", &word, "--tail", "3"]).output().expect("the binary runs");
        assert!(output.status.success() && !output.stdout.is_empty(), "{word}: {output:?}");
    }
    lab.run(&["logs", "pi", "--tail", "1"]).expect_code(0).expect("pi is roughly");
}

pub fn the_console_takes_the_credentials(lab: &Lab) {
    let credentials = data(lab, &["credentials", "minio"]);
    // Not by `assert_valid`, which prints what is wrong: there are passwords in it.
    assert!(problems("credentials", &credentials).is_empty(), "credentials are not what their schema says");
    let mut child = lab.command(&["open", "minio", "--no-browser"]).stdout(Stdio::piped()).spawn().expect("it runs");
    let mut address = String::new();
    BufReader::new(child.stdout.take().expect("its data")).read_line(&mut address).expect("an address");
    let host = address.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
    for login in credentials["credentials"].as_array().expect("a list") {
        let body = serde_json::json!({ "accessKey": login["user"], "secretKey": login["password"] });
        assert!(answer(&host, &body).starts_with("HTTP/1.1 204"), "{}", login["user"]);
        let wrong = serde_json::json!({ "accessKey": login["user"], "secretKey": "wrong" });
        assert!(answer(&host, &wrong).starts_with("HTTP/1.1 401"), "{}", login["user"]);
    }
    let process = Pid::from_raw(child.id().try_into().expect("a process id"));
    kill(process, Signal::SIGINT).expect("it serves");
    assert_eq!(child.wait().expect("its end").code(), Some(0));
}

/// What the console says to somebody who logs in.
fn answer(host: &str, login: &Value) -> String {
    let mut stream = TcpStream::connect(host).expect("the port is open");
    let body = login.to_string();
    let head =
        format!("POST /api/v1/login HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json");
    write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).expect("it listens");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}
