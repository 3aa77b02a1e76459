//! Twelve faults, made one after the other on a real lab: each time `lab diagnose` names the object to blame in the
//! first line of its summary, and finds nothing any more when the fault is gone.

use std::path::{Path, PathBuf};

use crate::lab::{Lab, docker, until};
use crate::part;
use crate::secrets::Search;

/// The namespace of the pods that fail on purpose.
const NAMESPACE: &str = "faults";
/// An image that every lab has.
const IMAGE: &str = "docker.io/library/busybox:1.37";
/// A job whose executors are killed at their work.
const SUICIDE: &str = include_str!("faults/job.py");

struct Fault {
    name: &'static str,
    make: fn(&Lab),
    /// What `kubectl` prints once the fault shows: arguments and a part of the answer; empty where `make` waits.
    shows: (&'static [&'static str], &'static str),
    /// How the summary begins, and what else stands in its first line.
    culprit: (&'static str, &'static str),
    /// The known failures it may be told to be.
    known: &'static [&'static str],
    mend: fn(&Lab),
}

const WAITING: &[&str] = &["get", "pods", "-n", NAMESPACE, "-o", "jsonpath={..state.waiting.reason}"];
const ENDED: &[&str] = &["get", "pods", "-n", NAMESPACE, "-o", "jsonpath={..state.terminated.reason}"];
const EVENTS: &[&str] = &["get", "events", "-n", NAMESPACE, "-o", "jsonpath={.items[*].reason}"];

const FAULTS: [Fault; 12] = [
    Fault {
        name: "image missing",
        make: |lab| pods(lab, &deployment("image: docker.io/library/nothing:1")),
        shows: (WAITING, "ImagePull"),
        culprit: ("Pod faults/web-", "ImagePull"),
        known: &["image-missing"],
        mend: clear,
    },
    Fault {
        name: "wrong secret",
        make: |lab| {
            // Base64 of a key that nobody has.
            let patch = r#"{"data": {"AWS_SECRET_ACCESS_KEY": "d3Jvbmctd3Jvbmctd3Jvbmctd3Jvbmc="}}"#;
            lab.kubectl(&["annotate", "-n", "spark-jobs", "secret", "object-store", &format!("kept={}", key(lab))]);
            lab.kubectl(&["patch", "-n", "spark-jobs", "secret", "object-store", "-p", patch]);
            lab.run(&["run", "pagerank", "--ci"]).expect_code(5).expect("likeliest culprit: Secret");
        },
        shows: (&[], ""),
        culprit: ("Secret spark-jobs/object-store: ", "refuses its keys"),
        known: &["s3-access-denied"],
        mend: |lab| {
            let path = "-o=jsonpath={.metadata.annotations.kept}";
            let kept = lab.kubectl(&["get", "-n", "spark-jobs", "secret", "object-store", path]);
            let patch =
                format!(r#"{{"metadata": {{"annotations": null}}, "data": {{"AWS_SECRET_ACCESS_KEY": "{kept}"}}}}"#);
            lab.kubectl(&["patch", "-n", "spark-jobs", "secret", "object-store", "-p", &patch]);
            clear_jobs(lab);
        },
    },
    Fault {
        name: "volume that cannot be bound",
        make: |lab| {
            pods(
                lab,
                "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data, namespace: faults}\n\
                spec: {storageClassName: fast, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n",
            );
            let volume = "volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]\n";
            apply(lab, &format!("{}    {volume}", pod("command: [sleep, infinity]")));
        },
        shows: (&["get", "pods", "-n", NAMESPACE, "-o", "jsonpath={..conditions[*].reason}"], "Unschedulable"),
        culprit: ("PersistentVolumeClaim faults/data: ", "no StorageClass fast"),
        known: &["volume-unbound"],
        mend: clear,
    },
    Fault {
        name: "quota too small",
        make: |lab| {
            pods(
                lab,
                "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: tight, namespace: faults}\n\
                spec: {hard: {requests.memory: 16Mi}}\n",
            );
            let limit = "command: [sleep, infinity]\n          resources: {requests: {memory: 64Mi}}";
            apply(lab, &deployment(&format!("image: {IMAGE}\n          {limit}")));
        },
        shows: (EVENTS, "FailedCreate"),
        culprit: ("ResourceQuota faults/tight: ", "exceeded quota"),
        known: &["quota-exceeded"],
        mend: clear,
    },
    Fault {
        name: "crash loop",
        make: |lab| {
            pods(lab, &deployment(&format!("image: {IMAGE}\n          command: [sh, -c, 'echo no ledger; exit 3']")));
        },
        shows: (WAITING, "CrashLoopBackOff"),
        // It may be on its next try by the time of the look.
        culprit: ("Pod faults/web-", "ended before with Error"),
        known: &["crash-loop"],
        mend: clear,
    },
    Fault {
        name: "probe failing",
        make: |lab| {
            let probe = "readinessProbe: {exec: {command: ['false']}, periodSeconds: 1}";
            pods(lab, &deployment(&format!("image: {IMAGE}\n          command: [sleep, infinity]\n          {probe}")));
        },
        shows: (EVENTS, "Unhealthy"),
        culprit: ("Pod faults/web-", "Readiness probe failed"),
        known: &["probe-failing"],
        mend: clear,
    },
    Fault {
        name: "webhook down",
        make: |lab| scale(lab, "spark-operator", "webhook", 0),
        shows: (
            &["get", "deployment", "-n", "spark-operator", "webhook", "-o", "jsonpath=ready {.status.readyReplicas}."],
            "ready .",
        ),
        culprit: ("Deployment spark-operator/webhook: ", "nobody answers webhook"),
        known: &["webhook-down"],
        mend: |lab| scale(lab, "spark-operator", "webhook", 1),
    },
    Fault {
        name: "DNS down",
        make: |lab| scale(lab, "kube-system", "coredns", 0),
        shows: (
            &["get", "deployment", "-n", "kube-system", "coredns", "-o", "jsonpath=ready {.status.readyReplicas}."],
            "ready .",
        ),
        culprit: ("Deployment kube-system/coredns: ", "nobody answers cluster DNS"),
        known: &["cluster-dns"],
        mend: |lab| scale(lab, "kube-system", "coredns", 2),
    },
    Fault {
        name: "node not ready",
        make: |lab| drop(docker(&["exec", &worker(lab), "systemctl", "stop", "kubelet"])),
        shows: (&["get", "nodes", "-o", "jsonpath={..conditions[?(@.type=='Ready')].status}"], "Unknown"),
        culprit: ("Node ", "-worker: not Ready"),
        known: &["node-not-ready"],
        mend: |lab| drop(docker(&["exec", &worker(lab), "systemctl", "start", "kubelet"])),
    },
    Fault {
        name: "disk full",
        make: |lab| {
            let disk = "volumes: [{name: disk, emptyDir: {medium: Memory, sizeLimit: 4Mi}}]\n";
            let fill =
                "command: [sh, -c, 'cat /dev/zero >/disk/file']\n      volumeMounts: [{name: disk, mountPath: /disk}]";
            pods(lab, &format!("{}    {disk}", pod(fill)));
        },
        shows: (ENDED, "Error"),
        culprit: ("Pod faults/one: ", "exit code 1"),
        known: &["disk-full"],
        mend: clear,
    },
    Fault {
        name: "out of memory",
        make: |lab| pods(lab, &pod("command: [tail, /dev/zero]\n      resources: {limits: {memory: 32Mi}}")),
        // Not every kernel tells the kubelet why.
        shows: (&["get", "pods", "-n", NAMESPACE, "-o", "jsonpath={..state.terminated.exitCode}"], "137"),
        culprit: ("Pod faults/one: ", "exit code 137"),
        known: &["out-of-memory", "killed"],
        mend: clear,
    },
    Fault {
        name: "executor lost",
        make: |lab| {
            let folder = lab.state().join("suicide");
            fs_err::create_dir_all(&folder).expect("a folder");
            let template = fs_err::read_to_string("sample-jobs/pi/application.yaml").expect("a template");
            let template = template.replace(
                "    instances: {{executors}}\n",
                "    instances: {{executors}}\n    deleteOnTermination: false\n",
            );
            let template = template.replace("  sparkConf:\n", "  sparkConf:\n    spark.task.maxFailures: \"1\"\n");
            fs_err::write(folder.join("application.yaml"), template).expect("a template");
            fs_err::write(folder.join("job.py"), SUICIDE).expect("a job");
            lab.run(&["run", &folder.to_string_lossy(), "--ci"]).expect_code(5).expect("likeliest culprit: Pod");
        },
        shows: (&[], ""),
        culprit: ("Pod spark-jobs/suicide-", "exit code 137"),
        known: &["executor-lost"],
        mend: clear_jobs,
    },
];

#[test]
#[ignore = "needs Docker and minutes: make test-all"]
fn the_culprit_is_named() {
    let lab = Lab::new("lab-faults", "small", 79);
    lab.run(&["down", "--all"]).expect_code(0);
    part("faults: up", || {
        lab.run(&["up", "--ci"]).expect_code(0);
    });
    let mut named = Vec::new();
    for fault in &FAULTS {
        part(fault.name, || named.extend(is_named(&lab, fault).then_some(fault.name)));
    }
    part("12 of 12 culprits are named", || {
        eprintln!("   {} of {}", named.len(), FAULTS.len());
        assert_eq!(named, FAULTS.each_ref().map(|fault| fault.name));
    });
    part("no secret is in the diagnostics", || {
        let mut search = Search::of(&lab);
        search.folder(&newest(&lab.state().join(lab.name).join("diagnostics")));
        search.judge();
    });
    part("faults: down --all", || {
        lab.run(&["down", "--all"]).expect_code(0);
    });
}

/// Makes a fault, looks at what the diagnosis says of it, and takes it away.
fn is_named(lab: &Lab, fault: &Fault) -> bool {
    (fault.make)(lab);
    let (arguments, part) = fault.shows;
    until(fault.name, || arguments.is_empty() || lab.kubectl(arguments).contains(part));
    let summary = summary(lab);
    let first = summary.lines().next().unwrap_or_default();
    eprintln!("   {first}");
    let (start, part) = fault.culprit;
    let named = first.starts_with(start)
        && first.contains(part)
        && fault.known.iter().any(|id| summary.contains(&format!("known: {id}: ")));
    if !named {
        eprintln!("   wanted: {start}…{part}, known {:?}\n{summary}", fault.known);
    }
    (fault.mend)(lab);
    until("all is well again", || self::summary(lab).starts_with("No object in trouble"));
    named
}

fn newest(folder: &Path) -> PathBuf {
    let entries = fs_err::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.max().expect("diagnostics")
}

/// What `lab diagnose` says.
fn summary(lab: &Lab) -> String {
    let archive = lab.state().join("archive.tar.gz");
    let path = archive.to_string_lossy().into_owned();
    let output = lab.command(&["diagnose", "--output-file", &path]).output().expect("the binary runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{path}\n"));
    fs_err::remove_file(archive).expect("the archive");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn apply(lab: &Lab, yaml: &str) {
    let script = format!("kubectl apply -f - <<'END' 2>&1\n{yaml}\nEND");
    let answer = docker(&["exec", &lab.first_node(), "bash", "-c", &script]);
    assert!(answer.contains("created") || answer.contains("configured"), "{answer}");
}

/// Applies what is to fail, in its own namespace.
fn pods(lab: &Lab, yaml: &str) {
    apply(lab, &format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {NAMESPACE}}}\n"));
    // A namespace without its account admits no pods yet.
    until("the namespace's account", || {
        lab.kubectl(&["get", "-n", NAMESPACE, "serviceaccount", "default"]).contains("default  ")
    });
    apply(lab, yaml);
}

/// A pod that is not started again.
fn pod(container: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: one, namespace: {NAMESPACE}}}\nspec:\n\
        \x20   restartPolicy: Never\n    terminationGracePeriodSeconds: 0\n    containers:\n    - name: one\n\
        \x20     image: {IMAGE}\n      {container}\n"
    )
}

/// A Deployment of one pod; `container` stands beside its container's name.
fn deployment(container: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: {NAMESPACE}}}\nspec:\n\
        \x20 selector: {{matchLabels: {{app: web}}}}\n  template:\n    metadata: {{labels: {{app: web}}}}\n    spec:\n\
        \x20     terminationGracePeriodSeconds: 0\n      containers:\n        - name: web\n          {container}\n"
    )
}

fn scale(lab: &Lab, namespace: &str, deployment: &str, replicas: u8) {
    lab.kubectl(&["scale", "-n", namespace, "deployment", deployment, &format!("--replicas={replicas}")]);
}

fn clear(lab: &Lab) {
    lab.kubectl(&["delete", "namespace", NAMESPACE, "--wait"]);
}

fn clear_jobs(lab: &Lab) {
    lab.kubectl(&["delete", "-n", "spark-jobs", "sparkapplications", "--all", "--wait"]);
    lab.kubectl(&["delete", "-n", "spark-jobs", "pods", "--all", "--wait"]);
}

/// The secret key of jobs, as the API gives it.
fn key(lab: &Lab) -> String {
    lab.kubectl(&["get", "-n", "spark-jobs", "secret", "object-store", "-o", "jsonpath={.data.AWS_SECRET_ACCESS_KEY}"])
}

fn worker(lab: &Lab) -> String {
    format!("{}-worker", lab.name)
}
