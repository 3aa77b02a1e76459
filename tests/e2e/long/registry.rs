//! Images from a registry: a real one beside the lab, in good order and in bad, and some that are out of order.

use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use lab::images::{Catalogue, Image};

use super::super::lab::{Finished, Lab, docker, lines, until};
use super::super::{part, status_is_complete};
use super::faulty::Faulty;

/// Of the registry, and of the network on which it has a certificate.
const NAME: &str = "mirror-for-lab-registry";
const SUBNET: &str = "172.30.104.0/24";
/// Reached over TLS only: of addresses on loopback the engine wants none.
const WITH_TLS: &str = "172.30.104.2:5000";
/// The hash is of the password; in base64, that has letters in which the two alphabets differ.
const USER: (&str, &str) = ("lab", "mirror?~pass>word");
const HTPASSWD: &str = "lab:$2y$05$abcdefghijklmnopqrstuuBhEoNOwe1NmGvSLBUP.oWGyTIq4ocnC\n";
/// `lab:wrong`.
const WRONG: &str = "bGFiOndyb25n";

/// A registry that holds our builds under the names of upstream, for one user.
struct Mirror {
    address: String,
    folder: tempfile::TempDir,
}

impl Mirror {
    /// Starts it on loopback and fills it.
    fn start() -> Self {
        remove();
        let folder = tempfile::tempdir().expect("a folder");
        fs_err::write(folder.path().join("htpasswd"), HTPASSWD).expect("a file of passwords");
        let users = format!("{}:/htpasswd:ro", folder.path().join("htpasswd").display());
        run_registry(&[
            &["--publish", "127.0.0.1::5000", "--volume", &users, "--env", "REGISTRY_AUTH=htpasswd"],
            &["--env", "REGISTRY_AUTH_HTPASSWD_REALM=test", "--env", "REGISTRY_AUTH_HTPASSWD_PATH=/htpasswd"],
        ]);
        let address = docker(&["port", NAME, "5000/tcp"]).trim().to_owned();
        let mirror = Self { address, folder };
        let login = ["login", "--username", USER.0, "--password", USER.1, &mirror.address];
        // Its port is open before it listens there.
        until("a registry that answers", || {
            docker(&[&["--config", &mirror.config()], login.as_slice()].concat()).contains("Login Succeeded")
        });
        mirror
    }

    /// The folder of Docker's configuration with the right password in it.
    fn config(&self) -> String {
        self.folder.path().join("config").display().to_string()
    }

    /// A lock file with this text.
    fn lock(&self, text: &str) -> String {
        let path = self.folder.path().join("lock");
        fs_err::write(&path, text).expect("a lock file");
        path.display().to_string()
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        forget(&self.address);
        remove();
    }
}

/// Removes what was pulled from a registry, by tag or by digest.
fn forget(address: &str) {
    let format = "{{.Repository}}:{{.Tag}}\n{{.Repository}}@{{.Digest}}";
    for image in lines(&docker(&["images", "--digests", "--format", format])) {
        if image.starts_with(address) && !image.ends_with("<none>") {
            docker(&["rmi", &image]);
        }
    }
}

/// Pushes what we built under the paths and tags that upstream has.
fn push(catalogue: &Catalogue, image: &Image, address: &str, config: &str) {
    let built = catalogue.built_tag(&image.name).expect("a recipe");
    for reference in &image.references {
        let name = format!("{address}/{}", reference.split_once('/').expect("a host").1);
        docker(&["tag", &built, &name]);
        let answer = docker(&["--config", config, "push", "--quiet", &name]);
        docker(&["rmi", &name]);
        assert!(answer.trim().ends_with(&name), "{answer}");
    }
}

/// What an earlier run may have left.
fn remove() {
    docker(&["rm", "--force", "--volumes", NAME]);
    docker(&["network", "rm", NAME]);
}

fn run_registry(args: &[&[&str]]) {
    let image = Catalogue::load().and_then(|catalogue| catalogue.built_tag("registry")).expect("a recipe");
    let answer = docker(&[&["run", "--detach", "--name", NAME], args.concat().as_slice(), &[&image]].concat());
    assert_eq!(answer.trim().len(), 64, "{answer}");
}

/// `lab images`, with Docker's configuration from a folder.
#[expect(clippy::disallowed_methods, reason = "a test starts the binary under test")]
fn images(args: &[&str], config: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.arg("images").args(args).env("DOCKER_CONFIG", config);
    command
}

/// Pulls the smallest image, which must fail.
fn refused(mirror: &str, more: &[&str], config: &str) -> (Finished, Duration) {
    let started = Instant::now();
    let args = [&["pull", "pause", "--ci", "--registry-mirror", mirror], more].concat();
    let finished = Finished::of(&mut images(&args, config));
    finished.expect_code(5).expect("image pause cannot be pulled from").expect("next:");
    (finished, started.elapsed())
}

#[test]
#[ignore = "needs Docker and minutes: make test-all"]
fn a_lab_from_a_mirror() {
    let catalogue = Catalogue::load().expect("the catalogue");
    let lab = Lab::new("lab-registry", "ci", 103);
    lab.run(&["down", "--all"]).expect_code(0);
    Finished::of(&mut images(&["build", "--ci"], "/nonexistent")).expect_code(0);
    let mirror = Mirror::start();
    part("mirror: filled with our builds under upstream's names", || {
        catalogue.all().iter().for_each(|image| push(&catalogue, image, &mirror.address, &mirror.config()));
    });
    let mut lock = String::new();
    part("mirror: images lock", || {
        let output =
            images(&["lock", "--registry-mirror", &mirror.address], &mirror.config()).output().expect("lab runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        lock = String::from_utf8(output.stdout).expect("text");
        assert_eq!(lock.matches("sha256:").count(), references(&catalogue).len(), "{lock}");
    });
    let file = mirror.lock(&lock);
    let flags = ["--images", "registry", "--registry-mirror", mirror.address.as_str(), "--images-lock", file.as_str()];
    part("mirror: up from it alone, behind a proxy that is down", || {
        Finished::of(&mut behind_proxy(&lab, &mirror, &flags)).expect_code(0).expect("pulling node");
        status_is_complete(&lab, 4, 3);
    });
    part("mirror: nothing that was built is used", || {
        let output = images(&[&["list"], flags.as_slice()].concat(), &mirror.config()).output().expect("lab runs");
        let list = String::from_utf8_lossy(&output.stdout).into_owned();
        eprint!("{list}");
        let pulled = format!("  pulled  {}/", mirror.address);
        let named = catalogue.all().iter().filter(|image| !image.references.is_empty());
        // Not of interest to a lab of one control plane: the load balancer.
        assert_eq!(list.matches(&pulled).count(), named.count() - 1, "{list}");
        for container in lab.containers() {
            let image = docker(&["inspect", "--format", "{{.Config.Image}}", &container]);
            assert!(image.starts_with(&mirror.address) && image.contains("@sha256:"), "{container}: {image}");
        }
    });
    part("mirror: nodes know the proxy, and what needs none", || {
        let environment =
            docker(&["inspect", "--format", "{{range .Config.Env}}{{println .}}{{end}}", &lab.first_node()]);
        assert!(environment.contains("HTTPS_PROXY=http://127.0.0.1:9"), "{environment}");
        for name in ["NO_PROXY", "no_proxy"] {
            let value = environment.lines().find_map(|line| line.strip_prefix(&format!("{name}="))).unwrap_or_default();
            for direct in ["registry.lab", "172.30.103.0/24", "10.244.0.0/16", "10.96.0.0/16"] {
                assert!(value.split(',').any(|one| one == direct), "{direct}: {environment}");
            }
        }
    });
    part("mirror: a second up changes nothing", || {
        Finished::of(&mut behind_proxy(&lab, &mirror, &flags)).expect_code(0).expect("nothing changed");
    });
    part("mirror: down --all", || {
        lab.run(&["down", "--all"]).expect_code(0);
    });
}

fn behind_proxy(lab: &Lab, mirror: &Mirror, flags: &[&str]) -> Command {
    let mut command = lab.command(&[&["up", "--ci"], flags].concat());
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
        command.env(name, "http://127.0.0.1:9");
    }
    command.env("DOCKER_CONFIG", mirror.config());
    command
}

/// Every name that manifests use.
fn references(catalogue: &Catalogue) -> Vec<&String> {
    catalogue.all().iter().flat_map(|image| &image.references).collect()
}

#[test]
#[ignore = "needs Docker and minutes: make test-all"]
fn a_mirror_that_refuses() {
    let catalogue = Catalogue::load().expect("the catalogue");
    let pause = catalogue.reference("pause").expect("a reference").to_owned();
    let mirror = Mirror::start();
    push(&catalogue, catalogue.get("pause").expect("an image"), &mirror.address, &mirror.config());
    part("mirror: a wrong password", || {
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!(r#"{{"auths":{{"{}":{{"auth":"{WRONG}"}}}}}}"#, mirror.address);
        fs_err::write(folder.path().join("config.json"), text).expect("a configuration");
        let (finished, _) = refused(&mirror.address, &[], &folder.path().display().to_string());
        finished.expect("it wants a user and password").expect(&format!("next: docker login {}", mirror.address));
    });
    part("mirror: no password", || {
        refused(&mirror.address, &[], "/nonexistent").0.expect("it wants a user and password");
    });
    part("mirror: an image that is not there", || {
        let (finished, took) = refused(&format!("{}/elsewhere", mirror.address), &[], &mirror.config());
        finished.expect("it has no such image").expect("elsewhere/pause:");
        assert!(took < Duration::from_secs(5), "{took:?}");
    });
    part("mirror: another digest than the one that is locked", || {
        let wrong = "sha256:".to_owned() + &"0".repeat(64);
        let file = mirror.lock(&format!("\"{pause}\" = \"{wrong}\"\n"));
        let (finished, _) = refused(&mirror.address, &["--images-lock", &file], &mirror.config());
        finished.expect("it has another image than the one that is locked").expect(&wrong);
        finished.expect("and the registry has sha256:").expect("lab images lock");
    });
    part("mirror: the right password", || {
        let args = ["pull", "pause", "--ci", "--registry-mirror", &mirror.address];
        Finished::of(&mut images(&args, &mirror.config())).expect_code(0).expect("done: pause");
    });
}

#[test]
#[ignore = "needs Docker and minutes: make test-all"]
fn a_registry_with_a_certificate_of_its_own() {
    let catalogue = Catalogue::load().expect("the catalogue");
    forget(WITH_TLS);
    remove();
    docker(&["network", "create", "--subnet", SUBNET, NAME]);
    let folder = tempfile::tempdir().expect("a folder");
    certificate(folder.path());
    run_registry(&[
        &["--network", NAME, "--ip", "172.30.104.2", "--volume", &format!("{}:/tls:ro", folder.path().display())],
        &["--env", "REGISTRY_HTTP_TLS_CERTIFICATE=/tls/cert.pem", "--env", "REGISTRY_HTTP_TLS_KEY=/tls/key.pem"],
    ]);
    until("a registry that answers", || TcpStream::connect(WITH_TLS).is_ok());
    part("certificate: of a CA that the engine does not know", || {
        let (finished, _) = refused(WITH_TLS, &[], "/nonexistent");
        finished.expect("the engine does not trust its certificate");
        finished.expect(&format!("/etc/docker/certs.d/{WITH_TLS}/ca.crt"));
    });
    part("certificate: where the error says, it works", || {
        let _trusted = Trusted::start(folder.path());
        push(&catalogue, catalogue.get("pause").expect("an image"), WITH_TLS, "/nonexistent");
        let args = ["pull", "pause", "--ci", "--registry-mirror", WITH_TLS];
        Finished::of(&mut images(&args, "/nonexistent")).expect_code(0).expect("done: pause");
    });
    forget(WITH_TLS);
    remove();
}

/// A key, and a certificate for it that is its own authority.
#[expect(clippy::disallowed_methods, reason = "a test makes its own certificate")]
fn certificate(folder: &Path) {
    let name = format!("subjectAltName=IP:{}", WITH_TLS.split(':').next().unwrap_or_default());
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=test", "-addext", &name])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder)
        .output()
        .expect("openssl runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// The engine trusts the test's authority as long as this lives.
struct Trusted;

impl Trusted {
    fn start(folder: &Path) -> Self {
        let script = format!("mkdir -p /certs.d/{WITH_TLS} && cp /tls/cert.pem /certs.d/{WITH_TLS}/ca.crt");
        as_root(&["--volume", &format!("{}:/tls:ro", folder.display())], &script);
        Self
    }
}

impl Drop for Trusted {
    fn drop(&mut self) {
        as_root(&[], &format!("rm -r /certs.d/{WITH_TLS}"));
    }
}

/// Works on the engine's certificates, which belong to root, as whoever may use the engine.
fn as_root(args: &[&str], script: &str) {
    let image = Catalogue::load().and_then(|catalogue| catalogue.built_tag("base")).expect("a recipe");
    let run = ["run", "--rm", "--volume", "/etc/docker/certs.d:/certs.d"];
    let answer = docker(&[run.as_slice(), args, &[&image, "sh", "-c", script]].concat());
    assert_eq!(answer, "");
}

#[test]
#[ignore = "needs Docker and minutes: make test-all"]
fn registries_that_are_out_of_order() {
    let try_with = |faulty: Faulty| refused(&faulty.start(), &[], "/nonexistent");
    part("out of order: it never answers", || {
        let (finished, took) = try_with(Faulty::Silent);
        finished.expect("it does not answer").expect("nothing came within 10 s");
        assert!(took < Duration::from_secs(13), "{took:?}");
    });
    part("out of order: nobody listens", || {
        let (finished, took) = refused("127.0.0.1:9", &[], "/nonexistent");
        finished.expect("it cannot be reached").expect("connection refused").expect("lab up --images build");
        assert!(took < Duration::from_secs(5), "{took:?}");
    });
    part("out of order: 429", || {
        let (finished, took) = try_with(Faulty::Status("429 Too Many Requests"));
        finished.expect("next try in").expect("it limits how much is pulled").expect("docker login");
        assert!((20..40).contains(&took.as_secs()), "{took:?}");
    });
    part("out of order: 500", || {
        let (finished, took) = try_with(Faulty::Status("500 Internal Server Error"));
        finished.expect("next try in").expect("it has trouble of its own").expect("500 Internal Server Error");
        assert!((5..15).contains(&took.as_secs()), "{took:?}");
    });
    part("out of order: dies in the middle of a layer", || {
        let (finished, took) = try_with(Faulty::Cut);
        finished.expect("the connection broke");
        assert!(took < Duration::from_secs(70), "{took:?}");
    });
    part("out of order: stops in the middle of a layer", || {
        let (finished, took) = try_with(Faulty::Stalled);
        finished.expect("it stopped in the middle").expect("nothing more came for 60 s");
        assert!((60..75).contains(&took.as_secs()), "{took:?}");
    });
}

#[test]
#[ignore = "needs Docker and minutes: make test-all"]
fn what_does_not_answer_is_built() {
    let catalogue = Catalogue::load().expect("the catalogue");
    let lab = Lab::new("lab-registry", "small", 103);
    lab.run(&["down", "--all"]).expect_code(0);
    Finished::of(&mut images(&["build", "--ci"], "/nonexistent")).expect_code(0);
    // Out of sight, but not out of the build cache.
    let built = catalogue.built_tag("pause").expect("a recipe");
    docker(&["rmi", &built]);
    let address = Faulty::Silent.start();
    part("auto: a registry that never answers", || {
        let started = Instant::now();
        let said = format!("no images from {address}: it does not answer (nothing came within 10 s); they are built");
        lab.interrupt(&["up", "--ci", "--registry-mirror", &address], &said).expect_code(130);
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    });
    Finished::of(&mut images(&["build", "--ci", "pause"], "/nonexistent")).expect_code(0);
    lab.run(&["down", "--all"]).expect_code(0);
}
