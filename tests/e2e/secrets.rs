//! Every secret of a lab against everything that was printed, logged and written down: none is there, and the same
//! search finds each one that is planted. Only `lab credentials`, `lab kubeconfig` and the kubeconfigs hold any.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::ByteString;
use serde_json::Value;

use crate::lab::{Lab, docker};

/// Shorter values are in every text.
const SHORTEST: usize = 6;
/// From this length on, a line of a value of many lines is looked for.
const SHORTEST_LINE: usize = 16;
/// How often processes are looked at.
const INTERVAL: Duration = Duration::from_millis(20);
/// What is looked at once more, with every call in its log.
const VERBS: [&[&str]; 13] = [
    &["up", "--ci"],
    &["status"],
    &["status", "--output", "json"],
    &["doctor"],
    &["doctor", "--output", "json"],
    &["plan", "--output", "json"],
    &["config", "show"],
    &["logs", "pi"],
    &["logs", "minio"],
    &["logs", "spark-operator"],
    &["logs", "audit"],
    &["plan", "--diff"],
    &["kubeconfig", "--role", "view", "--path"],
];
/// The private keys of the cluster's authorities and parts, which kubeadm makes.
const AUTHORITIES: &str = "cat /etc/kubernetes/pki/*.key /etc/kubernetes/pki/etcd/*.key";
/// What `view` may read, and everybody who may list pods.
const OBJECTS: &str = "configmaps,pods,deployments,statefulsets,daemonsets,events,sparkapplications,\
                       certificatesigningrequests";

/// What a lab printed, logged and wrote down holds no secret, nor do the command lines that were seen meanwhile.
/// `verbs` are looked at as well.
pub fn are_kept(lab: &Lab, command_lines: &BTreeSet<String>, verbs: &[&[&str]]) {
    let planted = lab.state().join("planted");
    let mut search = Search::of(lab);
    search.plant(&planted);
    search.state(lab);
    let found = std::mem::take(&mut search.found);
    let missed = search.forms.iter().enumerate().filter(|(number, (name, _))| {
        let place = planted.join(number.to_string());
        !found.contains(&format!("{name}: in {}", place.display()))
    });
    assert_eq!(missed.map(|(_, (name, _))| name).collect::<Vec<_>>(), Vec::<&String>::new(), "of what was planted");
    fs_err::remove_dir_all(planted).expect("the planted secrets");

    assert!(command_lines.len() > 10, "{command_lines:#?}");
    for line in command_lines {
        search.text("a command line", line);
    }
    search.text("what lab printed so far", &lab.printed());
    for verb in VERBS.iter().chain(verbs) {
        let data = search.talk(lab, verb);
        search.text(&format!("the data of {verb:?}"), &data);
    }
    for verb in [&["credentials"][..], &["kubeconfig"], &["kubeconfig", "--role", "view"]] {
        let data = search.talk(lab, verb);
        assert!(!data.is_empty(), "what {verb:?} is there for");
    }
    let objects = lab.kubectl(&["get", OBJECTS, "-A", "-o", "yaml"]);
    assert!(objects.lines().count() > 1000, "{objects}");
    search.text("objects that hold no secrets", &objects);
    search.archive(lab);
    search.state(lab);
    search.logs(lab);
    search.judge();
}

/// The command lines of all processes that could be seen while something went on.
pub fn command_lines_during(work: impl FnOnce()) -> BTreeSet<String> {
    let (end, ended) = channel::<()>();
    thread::scope(|scope| {
        let watch = scope.spawn(move || {
            let mut seen = BTreeSet::new();
            while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                let processes = fs_err::read_dir("/proc").expect("processes").flatten();
                // One that has just ended has no command line any more.
                let lines = processes.filter_map(|process| fs_err::read(process.path().join("cmdline")).ok());
                seen.extend(lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")));
            }
            seen
        });
        work();
        drop(end);
        watch.join().expect("it only reads")
    })
}

/// A search for all secrets of a lab.
pub struct Search {
    /// Which secret, and one way to write it.
    forms: Vec<(String, String)>,
    places: usize,
    found: Vec<String>,
}

impl Search {
    /// For every value of every Secret, but user names, the key of every kubeconfig, and those of the authorities.
    pub fn of(lab: &Lab) -> Self {
        let text = lab.kubectl(&["get", "secrets", "-A", "-o", "json"]);
        let secrets: Value = serde_json::from_str(&text).expect("a list of Secrets");
        let mut forms = Vec::new();
        for secret in secrets["items"].as_array().expect("a list") {
            let name = ["namespace", "name"].map(|field| secret["metadata"][field].as_str().expect("a name")).join("/");
            for (key, value) in secret["data"].as_object().into_iter().flatten().filter(|(key, _)| !is_public(key)) {
                forms.extend(forms_of(&format!("{key} of Secret {name}"), value));
            }
        }
        assert!(forms.iter().any(|(name, _)| name.starts_with("AWS_SECRET_ACCESS_KEY ")), "{}", forms.len());
        let kubeconfigs = kubeconfigs(lab);
        assert!(kubeconfigs.len() > 3, "{kubeconfigs:?}");
        for path in kubeconfigs {
            let kubeconfig = fs_err::read_to_string(&path).expect("a kubeconfig");
            let kubeconfig: Value = serde_saphyr::from_str(&kubeconfig).expect("YAML");
            let name = format!("the key in {}", path.display());
            forms.extend(forms_of(&name, &kubeconfig["users"][0]["user"]["client-key-data"]));
        }
        let keys = docker(&["exec", &lab.first_node(), "sh", "-c", AUTHORITIES]);
        let before = forms.len();
        // Where a key is, there is each of its lines: one is enough.
        for line in keys.split("-----BEGIN").filter_map(|key| lines_of(key).nth(1)) {
            forms.push(("a key of the cluster".to_owned(), line.to_owned()));
            forms.extend(inside_base64(line).map(|form| ("a key of the cluster, in base64".to_owned(), form)));
        }
        assert!(forms.len() > before + 20, "{} forms of the cluster's keys", forms.len() - before);
        Self { forms, places: 0, found: Vec::new() }
    }

    pub fn text(&mut self, place: &str, text: &str) {
        self.places += 1;
        let found = self.forms.iter().filter(|(_, form)| text.contains(form));
        self.found.extend(found.map(|(name, _)| format!("{name}: in {place}")));
    }

    pub fn folder(&mut self, folder: &Path) {
        for path in files(folder) {
            self.file(&path);
        }
    }

    fn file(&mut self, path: &Path) {
        let content = fs_err::read(path).expect("a file");
        self.text(&path.display().to_string(), &String::from_utf8_lossy(&content));
    }

    /// Nothing was found.
    pub fn judge(self) {
        assert!(self.found.is_empty(), "{:#?}", self.found);
        eprintln!("   {} forms of secrets in none of {} places", self.forms.len(), self.places);
    }

    /// Writes every form into a file of its own.
    fn plant(&self, folder: &Path) {
        fs_err::create_dir_all(folder).expect("a folder");
        for (number, (_, form)) in self.forms.iter().enumerate() {
            fs_err::write(folder.join(number.to_string()), format!("before{form}after\n")).expect("a file");
        }
    }

    /// What is below the folder of state, but for the kubeconfigs.
    fn state(&mut self, lab: &Lab) {
        let kubeconfigs = kubeconfigs(lab);
        for path in files(&lab.state()).into_iter().filter(|path| !kubeconfigs.contains(path)) {
            self.file(&path);
        }
    }

    /// Looks at what a verb says on standard error, with every call in its log; its standard output.
    fn talk(&mut self, lab: &Lab, verb: &[&str]) -> String {
        let output = lab.command(verb).env("LAB_LOG", "debug").output().expect("the binary runs");
        let talk = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{verb:?}: {talk}");
        self.text(&format!("the talk of {verb:?}"), &talk);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What is in the archive that people send around.
    fn archive(&mut self, lab: &Lab) {
        let folder = tempfile::tempdir().expect("a folder");
        let archive = folder.path().join("archive.tar.gz");
        self.talk(lab, &["diagnose", "--output-file", &archive.to_string_lossy()]);
        let unpacked = folder.path().join("unpacked");
        let content = flate2::read::GzDecoder::new(fs_err::File::open(archive).expect("an archive"));
        tar::Archive::new(content).unpack(&unpacked).expect("an archive");
        assert!(files(&unpacked).len() > 10);
        self.folder(&unpacked);
    }

    /// What containers, nodes and pods said.
    fn logs(&mut self, lab: &Lab) {
        for name in lab.containers() {
            self.text(&format!("the log of container {name}"), &docker(&["logs", &name]));
            let audit = "cat /var/log/kubernetes/audit/*.log";
            for script in ["journalctl --no-pager", "cat /var/log/pods/*/*/*.log", audit] {
                let kept = name.contains("-control-plane") || name.contains("-worker") && script != audit;
                if kept {
                    let said = docker(&["exec", &name, "sh", "-c", script]);
                    assert!(said.lines().count() > 100, "{name}: {script}: {said}");
                    self.text(&format!("{script} of {name}"), &said);
                }
            }
        }
    }
}

/// The administrator's and those of people.
fn kubeconfigs(lab: &Lab) -> Vec<PathBuf> {
    let mut found = files(&lab.state().join(lab.name).join("people"));
    found.push(lab.kubeconfig());
    found
}

/// Names that people and programs go by.
fn is_public(key: &str) -> bool {
    let bootstrap_token = ["token-id", "auth-extra-groups", "description", "expiration"];
    ["AWS_ACCESS_KEY_ID", "MINIO_ROOT_USER", "POSTGRES_USER", "POSTGRES_DB"].contains(&key)
        || bootstrap_token.contains(&key)
}

/// The ways to write a value that is given in base64. One of many lines is given away by any of them.
fn forms_of(name: &str, base64: &Value) -> Vec<(String, String)> {
    let ByteString(bytes) = serde_json::from_value(base64.clone()).expect("base64");
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    if text.len() < SHORTEST {
        return Vec::new();
    }
    let mut forms: Vec<_> = inside_base64(&text).map(|form| (format!("{name}, in base64"), form)).into();
    if text.lines().count() == 1 {
        forms.push((name.to_owned(), text.clone()));
    } else {
        forms.extend(lines_of(&text).map(|line| (name.to_owned(), line.to_owned())));
    }
    let encoded = url_encoded(&text);
    if encoded != text {
        forms.push((format!("{name}, in a URL"), encoded));
    }
    forms
}

/// The lines that give a value of many away: the first and last of a PEM block are no secret, and the end of a key may
/// be short.
fn lines_of(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| line.len() >= SHORTEST_LINE && !line.starts_with("-----"))
}

/// What is the same wherever the text stands in what is encoded, as a password does in `user:password`: by one of three
/// lengths that may stand before it.
fn inside_base64(text: &str) -> [String; 3] {
    [0, 1, 2].map(|before| {
        let padded = [&vec![0; before], text.as_bytes()].concat();
        // The first and the last letter may hold bits of a neighbour.
        STANDARD.encode(&padded)[(before * 8).div_ceil(6)..padded.len() * 8 / 6].to_owned()
    })
}

fn url_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(encode).collect()
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}
