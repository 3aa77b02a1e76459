//! Image registries: credentials, locks, proxies. The engine is a fake, and no registry is asked.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::engine::{Engine, answer};
use crate::sandbox::{Finished, Sandbox};
use crate::schema::assert_valid;

/// Base64 of it has letters of both alphabets, at these places in the engine's header.
const PASSWORD: &str = "~~~hunter2???>>>";

/// An engine that refuses every pull.
fn refusing(socket: &Path) -> Engine {
    Engine::start(socket, |path| {
        Some(match path {
            "/images/create" => {
                let message = "Head \\\"https://mirror.example/v2/pause/manifests/1\\\": unauthorized: no";
                (500, format!("{{\"message\":\"{message}\"}}"))
            }
            path => answer(path),
        })
    })
}

/// An engine with one node of the lab.
fn with_a_node(socket: &Path) -> Engine {
    Engine::start(socket, |path| {
        Some(match path {
            "/containers/json" => {
                let node = r#"[{"Id":"1","Names":["/lab-control-plane"],"State":"running",
                    "Labels":{"io.x-k8s.kind.cluster":"lab"},"HostConfig":{"NetworkMode":"lab"},
                    "NetworkSettings":{"Networks":{"lab":{"IPAddress":"172.29.0.2"}}}}]"#;
                (200, node.to_owned())
            }
            path => answer(path),
        })
    })
}

/// Pulls one image from a mirror; the run, and the header with which the engine was asked.
fn pull(sandbox: &Sandbox, engine: &Engine) -> (Finished, Option<String>) {
    let finished = sandbox.run(&["images", "pull", "--ci", "pause", "--registry-mirror", "mirror.example"]);
    let requests = engine.requests();
    let at = requests.iter().position(|request| request == "/images/create").expect("a pull");
    let before = at.checked_sub(1).map(|before| requests[before].clone());
    let header = before.and_then(|line| Some(line.split_once(": ")?.1.to_owned()));
    (finished, header)
}

/// A Docker configuration with this in it.
fn config(sandbox: &mut Sandbox, text: &str) {
    fs_err::create_dir(sandbox.path("docker")).unwrap();
    sandbox.file("docker/config.json", text);
    sandbox.set("DOCKER_CONFIG", &sandbox.path("docker").display().to_string());
}

#[test]
fn the_password_of_a_registry_goes_to_the_engine_and_nowhere_else() {
    let (mut sandbox, engine) = Sandbox::with(refusing);
    // me:~~~hunter2???>>>
    config(&mut sandbox, r#"{"auths":{"mirror.example":{"auth":"bWU6fn5+aHVudGVyMj8/Pz4+Pg=="}}}"#);
    sandbox.set("LAB_LOG", "trace");
    let (finished, header) = pull(&sandbox, &engine);
    finished.code(5).says("it wants a user and password").says("next: docker login mirror.example");
    let header = header.expect("credentials");
    assert!(header.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte)), "{header}");
    let json = decoded(&header);
    assert!(json.contains("\"username\":\"me\"") && json.contains(PASSWORD), "{json}");
    for secret in ["hunter2", "bWU6fn5", &header] {
        assert!(!finished.stderr.contains(secret) && !finished.stdout.contains(secret), "{}", finished.stderr);
    }
}

#[test]
fn a_credential_helper_is_asked_as_docker_asks_it() {
    let (mut sandbox, engine) = Sandbox::with(refusing);
    config(&mut sandbox, r#"{"credHelpers":{"mirror.example":"test"}}"#);
    let asked = sandbox.path("asked").display().to_string();
    let say = r#"echo '{"ServerURL":"x","Username":"me","Secret":"hunter2"}'"#;
    sandbox.tool("docker-credential-test", &format!("read server; echo \"$1 $server\" > {asked}; {say}"));
    let (finished, header) = pull(&sandbox, &engine);
    finished.code(5);
    assert_eq!(fs_err::read_to_string(asked).unwrap(), "get mirror.example\n");
    assert!(decoded(&header.expect("credentials")).contains("hunter2"));
}

#[test]
fn a_credential_helper_that_fails_is_said_and_not_quoted() {
    let (mut sandbox, engine) = Sandbox::with(refusing);
    config(&mut sandbox, r#"{"credsStore":"test"}"#);
    sandbox.tool("docker-credential-test", "read server; echo hunter2; echo hunter2 >&2; exit 1");
    let (finished, header) = pull(&sandbox, &engine);
    finished.code(5).says("asking mirror.example without credentials: docker-credential-test failed");
    assert!(header.is_none() && !finished.stderr.contains("hunter2"), "{header:?} {}", finished.stderr);
}

#[test]
fn a_helper_without_a_password_is_no_trouble() {
    let (mut sandbox, engine) = Sandbox::with(refusing);
    config(&mut sandbox, r#"{"credsStore":"test"}"#);
    sandbox.tool("docker-credential-test", "read server; echo 'credentials not found in native keychain'; exit 1");
    let (finished, header) = pull(&sandbox, &engine);
    assert!(header.is_none() && !finished.stderr.contains("without credentials"), "{}", finished.stderr);
}

/// An engine whose registries have one image of those of Kubernetes.
fn with_pause(socket: &Path) -> Engine {
    Engine::start(socket, |path| {
        Some(if path.starts_with("/distribution/registry.k8s.io/pause:") {
            let descriptor = json!({ "digest": format!("sha256:{:064}", 7), "size": 1, "mediaType": "", "urls": [] });
            (200, json!({ "Descriptor": descriptor, "Platforms": [] }).to_string())
        } else {
            answer(path)
        })
    })
}

#[test]
fn digests_are_printed_for_people_and_programs() {
    let args = ["images", "lock", "pause", "etcd"];
    let (sandbox, _engine) = Sandbox::with(with_pause);
    let text = sandbox.run(&args);
    text.code(0).says("not there, so not locked: registry.k8s.io/etcd:");
    assert!(text.stdout.lines().any(|line| line.starts_with("\"registry.k8s.io/pause:")), "{}", text.stdout);
    let finished = sandbox.run(&[&args[..], &["-o", "json"]].concat());
    finished.code(0);
    assert_eq!(finished.stderr, "");
    let document: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_valid("lock", &document);
    assert_eq!(
        (document["digests"].as_object().map(Map::len), document["unknown"].as_array().map(Vec::len)),
        (Some(1), Some(1))
    );
}

#[test]
fn a_lock_that_cannot_be_used_is_named() {
    let sandbox = Sandbox::new();
    let lock = sandbox.file("lock", "\"docker.io/a/b:1\" = \"sha256:12\"");
    for lock in [lock.as_str(), "none.lock"] {
        let finished = sandbox.run(&["images", "pull", "--images-lock", lock]);
        finished
            .code(3)
            .says(&format!("configuration: the lock file {lock} cannot be used"))
            .says("next: lab images lock");
    }
}

#[test]
fn a_mirror_is_checked_like_the_file() {
    let finished = Sandbox::new().run(&["up", "--registry-mirror", "https://me:hunter2@mirror.example"]);
    finished.code(3).says("--registry-mirror: must be without user and password");
    assert!(!finished.stderr.contains("hunter2"), "{}", finished.stderr);
}

#[test]
fn the_flags_are_in_the_next_command() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    let flags = "--images registry --registry-mirror mirror.example/hub --images-lock lock";
    sandbox.file("lock", "");
    let args: Vec<&str> = ["status"].into_iter().chain(flags.split(' ')).collect();
    sandbox.run(&args).code(5).says(&format!("next: lab up {flags}\n"));
}

#[test]
fn a_proxy_of_this_machine_is_not_asked_for_the_lab_itself() {
    let (mut sandbox, _engine) = Sandbox::with(with_a_node);
    let api = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = api.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let mut stream = api.accept().unwrap().0;
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        stream.write_all(b"HTTP/1.1 500 -\r\nContent-Length: 0\r\n\r\n").unwrap();
        line
    });
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        sandbox.set(name, "http://127.0.0.1:1");
    }
    fs_err::create_dir_all(sandbox.path("state/lab")).unwrap();
    sandbox.file(
        "state/lab/kubeconfig",
        &format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: x\n\
             clusters: [{{name: x, cluster: {{server: 'http://127.0.0.1:{port}'}}}}]\n\
             users: [{{name: x, user: {{}}}}]\ncontexts: [{{name: x, context: {{cluster: x, user: x}}}}]\n"
        ),
    );
    sandbox.run(&["status"]).code(5);
    // Wakes the server where nobody has asked it.
    drop(std::net::TcpStream::connect(("127.0.0.1", port)));
    assert!(server.join().unwrap().starts_with("GET /"));
}

/// URL-safe base64 → text.
fn decoded(text: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter).expect("a letter of the alphabet");
        bits = (bits << 6 | u32::try_from(value).unwrap()) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    String::from_utf8(bytes).unwrap()
}
