//! Who comes in where passwords are asked for: the lab's own users, and nobody with what such a service is delivered
//! with elsewhere, or with nothing.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::airflow::{self, Forwarded};
use crate::daily::data;
use crate::lab::Lab;
use crate::page::Page;
use crate::schema::problems;

const MINIO: [(&str, &str); 6] = [
    ("minioadmin", "minioadmin"),
    ("minio", "minio123"),
    ("minio", "minio"),
    ("admin", "admin"),
    ("admin", "password"),
    ("root", "root"),
];
const AIRFLOW: [(&str, &str); 6] = [
    ("airflow", "airflow"),
    ("admin", "admin"),
    ("admin", "airflow"),
    ("edit", "edit"),
    ("view", "view"),
    ("root", "root"),
];
/// Tries the defaults of PostgreSQL from one of Airflow's processes, and then what that process itself has.
const POSTGRES: &str = r#"
import json, os, psycopg2

def enters(user, password):
    try:
        psycopg2.connect(host="postgres", dbname="airflow", user=user, password=password, connect_timeout=10).close()
    except psycopg2.OperationalError as error:
        refused = ["password authentication failed", "no password supplied"]
        if not any(words in str(error) for words in refused):
            raise
        return False
    return True

defaults = [(user, password) for user in ("postgres", "airflow") for password in (None, "postgres", "airflow", "password")]
own = os.environ["DATABASE_USER"], os.environ["DATABASE_PASSWORD"]
print(json.dumps({"defaults": [pair for pair in defaults if enters(*pair)], "own": enters(*own)}))
"#;

/// By this token kind's nodes join, in every cluster that kind makes.
const KIND: &str = "abcdef.0123456789abcdef";

pub fn only_the_labs_own_work(lab: &Lab) {
    kubernetes(lab);
    minio(lab);
    airflow(lab);
    postgres(lab);
}

fn kubernetes(lab: &Lab) {
    let server = ["--kubeconfig=/dev/null", "--server=https://127.0.0.1:6443", "--insecure-skip-tls-verify"];
    let who = |token: &str| {
        let token = format!("--token={token}");
        lab.kubectl(&[&server[..], &[token.as_str(), "auth", "whoami"]].concat())
    };
    let own = lab.kubectl(&["create", "token", "default", "--namespace=default", "--duration=10m"]);
    let answer = who(own.trim());
    assert!(answer.contains("system:serviceaccount:default:default"), "{answer}");
    let answer = who(KIND);
    assert!(answer.contains("must be logged in") && !answer.contains("system:bootstrap"), "{answer}");
}

fn minio(lab: &Lab) {
    let credentials = data(lab, &["credentials", "minio"]);
    // Not by `assert_valid`, which prints what is wrong: there are passwords in it.
    assert!(problems("credentials", &credentials).is_empty(), "credentials are not what their schema says");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let page = Page::of(lab, "minio");
    for login in credentials["credentials"].as_array().expect("a list") {
        let (user, password) = (text(&login["user"]), text(&login["password"]));
        assert!(console_takes(&page, &user, &password), "{user}");
        for (_, default) in MINIO {
            assert!(!console_takes(&page, &user, default), "{user} with {default}");
        }
    }
    for (user, password) in MINIO {
        assert!(!console_takes(&page, user, password), "{user} with {password}");
    }
    // S3 itself, from beside the server: as its root user, and as nobody.
    let mc = |arguments: &[&str]| {
        lab.kubectl(&[&["exec", "-n", "object-store", "minio-0", "--", "env"], arguments].concat())
    };
    let as_root = mc(&["mc", "ls", "lab"]);
    assert!(as_root.contains(" lab/"), "{as_root}");
    let as_nobody = mc(&["MC_HOST_nobody=http://127.0.0.1:9000", "mc", "ls", "nobody"]);
    assert!(as_nobody.contains("Access Denied") && !as_nobody.contains(" lab/"), "{as_nobody}");
}

/// What MinIO's console says to somebody who logs in.
fn console_takes(page: &Page, user: &str, password: &str) -> bool {
    let host = page.address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).expect("the port is open");
    let body = json!({ "accessKey": user, "secretKey": password }).to_string();
    let head =
        format!("POST /api/v1/login HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json");
    write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).expect("it listens");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let status = answer.split(' ').nth(1).unwrap_or_default().to_owned();
    assert!(["204", "401"].contains(&status.as_str()), "status {status} for {user}");
    status == "204"
}

fn airflow(lab: &Lab) {
    let page = Forwarded::of(lab);
    for (user, password) in airflow::users(lab) {
        assert!(page.login(&user, &password).is_some(), "{user}");
    }
    for (user, password) in AIRFLOW {
        assert!(page.login(user, password).is_none(), "{user} with {password}");
    }
}

fn postgres(lab: &Lab) {
    let answer = lab.kubectl(&["exec", "-n", "airflow", "deploy/dag-processor", "--", "python3", "-c", POSTGRES]);
    // kubectl says on standard error which container it took.
    let found = answer.lines().find_map(|line| serde_json::from_str::<Value>(line).ok());
    assert_eq!(found, Some(json!({ "defaults": [], "own": true })), "{answer}");
}
