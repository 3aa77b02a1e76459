//! `lab verify access` on a cluster that stands, and on one that somebody changed by hand.

use crate::lab::Lab;

/// What somebody does, what it is named by, and what undoes it; empty where `lab up` does.
const BY_HAND: [(&[&str], &str, &[&str]); 4] = [
    (
        &["create", "rolebinding", "friends", "-n=object-store", "--clusterrole=view", "--group=lab:view"],
        "RoleBinding object-store/friends: not wanted, it gives ClusterRole view to Group lab:view",
        &["delete", "rolebinding", "friends", "-n=object-store"],
    ),
    (
        &["patch", "clusterrole", "system:aggregate-to-edit", "--type=json", "--patch", ONE_MORE],
        "ClusterRole edit: different, it also grants delete resourcequotas",
        &["patch", "clusterrole", "system:aggregate-to-edit", "--type=json", "--patch", NO_MORE],
    ),
    (&["delete", "rolebinding", "lab-view", "-n=spark-jobs"], "RoleBinding spark-jobs/lab-view: missing", &[]),
    (
        &["delete", "validatingadmissionpolicybinding", "lab-guard"],
        "ValidatingAdmissionPolicyBinding lab-guard: missing",
        &[],
    ),
];
/// A rule at the beginning of a role, and its removal (RFC 6902).
const ONE_MORE: &str = r#"[{"op": "add", "path": "/rules/0", "value":
    {"apiGroups": [""], "resources": ["resourcequotas"], "verbs": ["delete"]}}]"#;
const NO_MORE: &str = r#"[{"op": "remove", "path": "/rules/0"}]"#;

/// It is proved; each change is named; what is the lab's own comes back; nothing is left of the proofs.
pub fn is_proved(lab: &Lab) {
    lab.run(&["verify", "access"]).expect_code(0).expect("proved in");
    for (change, named, undo) in BY_HAND {
        lab.kubectl(change);
        lab.run(&["verify", "access"]).expect_code(6).expect(named).expect("NOT as it should be");
        if !undo.is_empty() {
            lab.kubectl(undo);
        }
    }
    lab.run(&["up", "--ci"]).expect_code(0);
    lab.run(&["verify", "access"]).expect_code(0);
    let left = lab.kubectl(&["get", "certificatesigningrequests", "-l", "app.kubernetes.io/managed-by=lab", "-o=name"]);
    assert_eq!(left.trim(), "No resources found");
}
