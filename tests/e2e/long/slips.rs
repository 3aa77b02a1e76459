//! Slips on a real lab, made one after the other: ten in rules of network policies, and others beside them. Each time
//! `lab verify` finds it and names it; then `lab up` brings back what is the lab's own, and names what is not.

use super::browser::Browser;
use crate::lab::{Lab, docker};
use crate::part;

struct Slip {
    name: &'static str,
    make: Make,
    /// What of `lab verify` has to find it.
    proof: &'static str,
    /// What its answer has to name.
    named: &'static [&'static str],
    mend: Mend,
}

enum Make {
    /// Policy and namespace, a path below its `spec`, and what stands there instead.
    Rule(&'static str, &'static str, &'static str, &'static str),
    /// A command of kubectl.
    Kubectl(&'static [&'static str]),
    /// An object that is created.
    Object(&'static str),
    /// A command on the first worker.
    Worker(&'static [&'static str]),
}

/// How the lab gets well again.
enum Mend {
    /// `lab up` does it.
    Up,
    /// It is not the lab's: `lab up` leaves it, and names it so; then kubectl removes it.
    ByHand(&'static str, &'static [&'static str]),
}

/// A rule at the beginning of a role, and its removal (RFC 6902).
const ONE_MORE: &str = r#"[{"op": "add", "path": "/rules/0", "value":
    {"apiGroups": [""], "resources": ["resourcequotas"], "verbs": ["delete"]}}]"#;
const NO_MORE: &str = r#"[{"op": "remove", "path": "/rules/0"}]"#;

/// The first ten are rules that are dropped, and rules with any peer, any port and the other protocol. Where one side
/// alone is wider and the other is a pod of the lab, nothing is open: then only the policy is named.
const SLIPS: [Slip; 19] = [
    rule(
        "dropped, of who comes in",
        ("executor", "spark-jobs", "ingress", "[]"),
        &["NetworkPolicy spark-jobs/executor: different", "driver → executor 7079/TCP"],
    ),
    rule(
        "dropped, of where to go",
        ("tasks", "airflow", "egress", "[]"),
        &["NetworkPolicy airflow/tasks: different", "scheduler → api-server 8080/TCP"],
    ),
    rule(
        "any peer may come in",
        ("minio", "object-store", "ingress/0/from", "[]"),
        &["NetworkPolicy object-store/minio: different", "spec.ingress[0].from"],
    ),
    rule(
        "any peer may be reached by tasks",
        ("tasks", "airflow", "egress/0/to", "[]"),
        &["NetworkPolicy airflow/tasks: different", "scheduler → outside 8080/TCP"],
    ),
    rule(
        "any peer may be reached by a namespace",
        ("default", "object-store", "egress/0/to", "[]"),
        &["NetworkPolicy object-store/default: different", "minio → outside 53/UDP"],
    ),
    rule(
        "any port may be come in by",
        ("webhook", "spark-operator", "ingress/0/ports", "[]"),
        &["NetworkPolicy spark-operator/webhook: different", "control-plane → webhook 8081/TCP"],
    ),
    rule(
        "any port may be left by",
        ("controller", "spark-operator", "egress/0/ports", "[]"),
        &["NetworkPolicy spark-operator/controller: different"],
    ),
    rule(
        "one port more",
        ("minio", "object-store", "ingress/0/ports/0/endPort", "9001"),
        &["NetworkPolicy object-store/minio: different", "endPort"],
    ),
    rule(
        "another protocol in",
        ("scheduler", "airflow", "ingress/0/ports/0/protocol", "\"UDP\""),
        &["NetworkPolicy airflow/scheduler: different", "api-server → scheduler 8793/TCP"],
    ),
    rule(
        "another protocol out",
        ("object-store", "airflow", "egress/0/ports/0/protocol", "\"UDP\""),
        &["NetworkPolicy airflow/object-store: different", "scheduler → minio 9000/TCP"],
    ),
    Slip {
        name: "a namespace that is not closed",
        make: Make::Kubectl(&["delete", "networkpolicy", "-n", "object-store", "default"]),
        proof: "network",
        named: &["NetworkPolicy object-store/default: missing", "minio → outside"],
        mend: Mend::Up,
    },
    Slip {
        name: "somebody's policy that opens the outside",
        make: Make::Object(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: open, namespace: spark-jobs}\n\
             spec: {podSelector: {}, policyTypes: [Egress], egress: [{}]}\n",
        ),
        proof: "network",
        named: &["NetworkPolicy spark-jobs/open: not wanted", "bystander → outside"],
        mend: Mend::ByHand("NetworkPolicy spark-jobs/open", &["delete", "networkpolicy", "-n", "spark-jobs", "open"]),
    },
    Slip {
        name: "a node that lets everybody in",
        make: Make::Worker(&["iptables", "-t", "mangle", "-F", "LAB-NODE"]),
        proof: "network",
        named: &["firewall of lab-long-worker: different", "outside → worker 6443/TCP: connected", "10250/TCP"],
        mend: Mend::Up,
    },
    Slip {
        name: "a role of the lab with one right more",
        make: Make::Kubectl(&["patch", "clusterrole", "lab-spark-edit", "--type=json", "-p", ONE_MORE]),
        proof: "access",
        named: &["ClusterRole lab-spark-edit: different", "edit may delete resourcequotas in spark-jobs"],
        mend: Mend::Up,
    },
    Slip {
        name: "a role of Kubernetes' own with one right more",
        make: Make::Kubectl(&["patch", "clusterrole", "system:aggregate-to-edit", "--type=json", "-p", ONE_MORE]),
        proof: "access",
        named: &["ClusterRole edit: different", "it also grants delete resourcequotas"],
        mend: Mend::ByHand("", &["patch", "clusterrole", "system:aggregate-to-edit", "--type=json", "-p", NO_MORE]),
    },
    Slip {
        name: "somebody's binding that lets edit read all secrets",
        make: Make::Kubectl(&["create", "rolebinding", "more", "-n=airflow", "--clusterrole=edit", "--group=lab:edit"]),
        proof: "access",
        named: &[
            "RoleBinding airflow/more: not wanted, it gives ClusterRole edit to Group lab:edit",
            "secrets/lab-verify: answered 404, meant 403",
        ],
        mend: Mend::ByHand("RoleBinding airflow/more", &["delete", "rolebinding", "-n=airflow", "more"]),
    },
    Slip {
        name: "a binding of the lab that is gone",
        make: Make::Kubectl(&["delete", "rolebinding", "lab-view", "-n=spark-jobs"]),
        proof: "access",
        named: &["RoleBinding spark-jobs/lab-view: missing"],
        mend: Mend::Up,
    },
    Slip {
        name: "no guard",
        make: Make::Kubectl(&["delete", "validatingadmissionpolicybinding", "lab-guard"]),
        proof: "access",
        named: &["ValidatingAdmissionPolicyBinding lab-guard: missing"],
        mend: Mend::Up,
    },
    Slip {
        name: "a namespace that takes all pods",
        make: Make::Kubectl(&[
            "label",
            "namespace",
            "airflow",
            "--overwrite",
            "pod-security.kubernetes.io/enforce=privileged",
        ]),
        proof: "pods",
        named: &["Namespace airflow: different", "pod in airflow, privileged: accepted"],
        mend: Mend::Up,
    },
];

/// A slip in a rule.
const fn rule(
    name: &'static str,
    (policy, namespace, path, value): (&'static str, &'static str, &'static str, &'static str),
    named: &'static [&'static str],
) -> Slip {
    Slip { name, make: Make::Rule(policy, namespace, path, value), proof: "network", named, mend: Mend::Up }
}

/// Each on its own, on a lab that is proved before and after.
pub fn are_found(lab: &Lab) {
    part("verify: all, before, as a page", || page_shows(lab, "all", 0, "proved", None));
    for slip in &SLIPS {
        part(&format!("slip: {}", slip.name), || is_found(lab, slip));
    }
    part("verify: all, after 10 of 10 rules and 9 of 9 others", || proved(lab));
}

/// The page shows the verdict, the tables, and what is wrong where it is.
fn page_shows(lab: &Lab, what: &str, code: i32, verdict: &str, culprit: Option<&str>) {
    let path = lab.state().join("proof.html").to_string_lossy().into_owned();
    lab.run(&["verify", what, "--report", &path]).expect_code(code);
    let browser = Browser::start();
    browser.open(&format!("file://{path}"));
    assert_eq!(browser.text("//*[contains(@class, 'verdict')]"), verdict);
    match culprit {
        Some(culprit) => {
            browser.expect("What is wrong");
            assert!(browser.text("//ul[@class='culprits']/li[1]").contains(culprit), "{culprit} comes first");
            assert_eq!(browser.text("//td[contains(@class, 'wrong')][1]"), "✗");
        }
        None => assert!(browser.text("//td[contains(@class, 'allowed')][1]").starts_with('✓')),
    }
    browser.screenshot(&format!("proof-{what}-{code}"));
}

fn is_found(lab: &Lab, slip: &Slip) {
    make(lab, &slip.make);
    let answer = lab.run(&["verify", slip.proof]);
    answer.expect_code(6);
    for part in slip.named {
        answer.expect(part);
    }
    if slip.proof == "pods" {
        page_shows(lab, "pods", 6, "NOT as it should be", Some("Namespace airflow: different"));
    }
    let up = lab.run(&["up", "--ci"]);
    up.expect_code(0);
    if let Mend::ByHand(foreign, remove) = &slip.mend {
        up.expect(foreign);
        lab.kubectl(remove);
    }
}

fn make(lab: &Lab, make: &Make) {
    match make {
        Make::Rule(policy, namespace, path, value) => {
            let patch = format!(r#"[{{"op": "add", "path": "/spec/{path}", "value": {value}}}]"#);
            let answer = lab.kubectl(&["patch", "networkpolicy", "-n", namespace, policy, "--type=json", "-p", &patch]);
            assert!(answer.contains("patched"), "{answer}");
        }
        Make::Kubectl(arguments) => drop(lab.kubectl(arguments)),
        Make::Object(text) => {
            let script = format!("kubectl create -f - <<'END'\n{text}END\n");
            let answer = docker(&["exec", &lab.first_node(), "bash", "-c", &script]);
            assert!(answer.contains("created"), "{answer}");
        }
        Make::Worker(command) => drop(docker(&[&["exec", &format!("{}-worker", lab.name)], *command].concat())),
    }
}

fn proved(lab: &Lab) {
    lab.run(&["verify", "all"]).expect_code(0).expect("proved");
}
