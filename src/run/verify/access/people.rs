//! A few requests of each person, with the person's own certificate.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::attempt::{Expected, Topic, Wanted, dry, read};
use crate::components::Site;
use crate::components::people::{platform, workplaces};
use crate::config::Role;
use crate::ports::{Method, Request};
use crate::step::Person;

/// Requests with what the roles admin, edit and view are to be answered. 404 is for who may look where nothing is.
fn trials(site: &Site<'_>) -> Vec<(Request, [u16; 3])> {
    let mut trials = vec![
        (read("/api/v1/nodes?limit=1"), [200; 3]),
        (read("/api/v1/namespaces?limit=1"), [200; 3]),
        (read("/api/v1/secrets?limit=1"), [403; 3]),
        (read("/api/v1/namespaces/kube-system/secrets/lab-verify"), [403; 3]),
    ];
    if let Some(home) = workplaces(site).first() {
        let of = |resource: &str| format!("/api/v1/namespaces/{home}/{resource}");
        let to = |path: &str, body: Value| dry(Method::Post, path, Some(body));
        let bindings = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{home}/rolebindings");
        trials.extend([
            (read(of("pods?limit=1")), [200; 3]),
            (read(of("secrets/lab-verify")), [404, 404, 403]),
            (to(&of("configmaps"), object("v1", "ConfigMap")), [201, 201, 403]),
            (to(&of("resourcequotas"), object("v1", "ResourceQuota")), [403; 3]),
            // Also who may bind roles gives nothing that is not held.
            (to(&bindings, binding_of_all_power()), [403; 3]),
            (dry(Method::Patch, &format!("/api/v1/namespaces/{home}"), Some(weaker_pod_security())), [403; 3]),
        ]);
    }
    if let Some(namespace) = platform(site).first() {
        trials.push((read(format!("/api/v1/namespaces/{namespace}/pods?limit=1")), [200, 403, 403]));
        trials.push((read(format!("/api/v1/namespaces/{namespace}/secrets/lab-verify")), [404, 403, 403]));
    }
    trials
}

/// Of everybody who has a certificate.
pub fn attempts<'a>(
    site: &Site<'_>,
    people: &'a [Person],
    kubeconfigs: &'a BTreeMap<String, String>,
) -> Vec<Wanted<'a>> {
    let mut wanted = Vec::new();
    for person in people {
        let Some(kubeconfig) = kubeconfigs.get(&person.name) else { continue };
        for (request, [admin, edit, view]) in trials(site) {
            let status = match person.role {
                Role::Admin => admin,
                Role::Edit => edit,
                Role::View => view,
            };
            let expected = Expected { status, by: None };
            wanted.push(Wanted { topic: Topic::Person, who: &person.name, kubeconfig, request, expected });
        }
    }
    wanted
}

fn object(version: &str, kind: &str) -> Value {
    json!({ "apiVersion": version, "kind": kind, "metadata": { "name": "lab-verify" } })
}

fn binding_of_all_power() -> Value {
    let mut binding = object("rbac.authorization.k8s.io/v1", "RoleBinding");
    binding["roleRef"] =
        json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" });
    binding["subjects"] = json!([]);
    binding
}

fn weaker_pod_security() -> Value {
    json!({ "metadata": { "labels": { "pod-security.kubernetes.io/enforce": "privileged" } } })
}
