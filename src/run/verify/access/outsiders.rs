//! Who is not of the lab: a valid certificate to which nothing is bound, none at all, and a wrong token.

use anyhow::Result;
use k8s_openapi::ByteString;
use serde_json::{Value, json};

use super::attempt::{Expected, Topic, Wanted, dry, read, review};
use crate::components::Site;
use crate::ports::{Method, Ports, Request};
use crate::run::Context;
use crate::run::people::kubeconfig::{Cluster, of_outsider};
use crate::run::people::request;

/// Seconds: the API signs for no less.
const LIFETIME: u32 = 600;

/// Everybody may see whether the API works, and which it is.
const HEALTH: [&str; 4] = ["/healthz", "/livez", "/readyz", "/version"];
/// Everybody who is known may see what the API has.
const DISCOVERY: [&str; 4] = ["/api", "/apis", "/api/v1", "/openapi/v3"];
/// What kubeadm publishes, for nodes that join.
const CLUSTER_INFO: &str = "/api/v1/namespaces/kube-public/configmaps/cluster-info";

/// Their kubeconfigs, which are written nowhere.
pub struct Outsiders {
    stranger: String,
    anonymous: String,
    wrong_token: String,
}

impl Outsiders {
    pub async fn make<P: Ports>(context: &Context<'_, P>) -> Result<Self> {
        let cluster = Cluster::of(&fs_err::read_to_string(context.run.kubeconfig())?)?;
        let (key, certificate) = request::issue(context, "stranger", "strangers", LIFETIME).await?;
        let [key, certificate] = [key, certificate].map(|pem| ByteString(pem.into_bytes()));
        let stranger = json!({ "client-certificate-data": certificate, "client-key-data": key });
        Ok(Self {
            stranger: of_outsider(&cluster, &stranger),
            anonymous: of_outsider(&cluster, &json!({})),
            wrong_token: of_outsider(&cluster, &json!({ "token": "nobody-gave-out-this-one" })),
        })
    }

    /// What they try.
    pub fn attempts<'a>(&'a self, site: &Site<'_>) -> Vec<Wanted<'a>> {
        let mut wanted = Vec::new();
        let mut add = |who, kubeconfig: &'a str, request: Request, status| {
            let expected = Expected { status, by: None };
            wanted.push(Wanted { topic: Topic::Outsider, who, kubeconfig, request, expected });
        };
        let strangers = (self.stranger.as_str(), "stranger");
        let anonymous = (self.anonymous.as_str(), "anonymous");
        for (kubeconfig, who) in [strangers, anonymous] {
            let known = who == "stranger";
            for path in HEALTH {
                add(who, kubeconfig, read(path), 200);
            }
            for path in DISCOVERY {
                add(who, kubeconfig, read(path), if known { 200 } else { 403 });
            }
            for request in self_reviews() {
                add(who, kubeconfig, request, if known { 201 } else { 403 });
            }
            add(who, kubeconfig, read(CLUSTER_INFO), if known { 403 } else { 200 });
            for request in closed(site) {
                add(who, kubeconfig, request, 403);
            }
        }
        let all = HEALTH.into_iter().chain(DISCOVERY).chain([CLUSTER_INFO, "/api/v1/namespaces?limit=1"]);
        let all = all.map(read).chain(self_reviews());
        for request in all {
            add("wrong token", &self.wrong_token, request, 401);
        }
        wanted
    }
}

/// Who am I, what may I.
fn self_reviews() -> Vec<Request> {
    let ask = |group: &str, kind: &str, spec: Value| {
        let body = json!({ "apiVersion": format!("{group}/v1"), "kind": kind, "spec": spec });
        review(&format!("/apis/{group}/v1/{}s", kind.to_lowercase()), body)
    };
    let attributes = json!({ "resourceAttributes": { "verb": "get", "resource": "pods", "namespace": "default" } });
    vec![
        ask("authorization.k8s.io", "SelfSubjectAccessReview", attributes),
        ask("authorization.k8s.io", "SelfSubjectRulesReview", json!({ "namespace": "default" })),
        review(
            "/apis/authentication.k8s.io/v1/selfsubjectreviews",
            json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" }),
        ),
    ]
}

/// A little of everything else.
fn closed(site: &Site<'_>) -> Vec<Request> {
    let everywhere = [
        "/api/v1/nodes?limit=1",
        "/api/v1/namespaces?limit=1",
        "/api/v1/secrets?limit=1",
        "/api/v1/namespaces/kube-public/configmaps?limit=1",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles?limit=1",
        "/apis/certificates.k8s.io/v1/certificatesigningrequests?limit=1",
        "/metrics",
    ];
    let mut closed: Vec<Request> = everywhere.map(read).to_vec();
    for namespace in site.namespace_names().into_iter().chain(["default", "kube-system"]) {
        let of = |resource: &str| format!("/api/v1/namespaces/{namespace}/{resource}");
        let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "lab-verify" } });
        closed.push(read(of("pods?limit=1")));
        closed.push(read(of("secrets/lab-verify")));
        closed.push(dry(Method::Post, &of("configmaps"), Some(object)));
    }
    closed
}
