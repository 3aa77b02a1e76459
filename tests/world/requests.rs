//! Requests to the API of the world in memory, by whomever: who it is, what RBAC says, what the guard says.

use anyhow::{Context as _, Result, bail, ensure};
use k8s_openapi::ByteString;
use serde_json::{Value, json};
use x509_parser::pem::parse_x509_pem;

use super::State;
use lab::access::{Access, Grant, Subject};
use lab::ports::{Answer, Method, Request};

/// Open to everybody, and to everybody who is known.
const HEALTH: [&str; 4] = ["/healthz", "/livez", "/readyz", "/version"];
const DISCOVERY: [&str; 3] = ["/api", "/apis", "/openapi"];

/// What is asked by creating something that is not kept.
const REVIEWS: &str = "reviews";

/// Who asks.
struct Caller {
    name: String,
    groups: Vec<String>,
}

impl Caller {
    fn new(name: &str, groups: &[&str]) -> Self {
        Self { name: name.to_owned(), groups: groups.iter().map(|&group| group.to_owned()).collect() }
    }

    fn subjects(&self) -> Vec<Subject> {
        let mut subjects: Vec<Subject> = self.groups.iter().cloned().map(Subject::Group).collect();
        match self.name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':')) {
            Some((namespace, name)) => {
                let (namespace, name) = (namespace.to_owned(), name.to_owned());
                subjects.push(Subject::ServiceAccount { namespace, name });
            }
            None => subjects.push(Subject::User(self.name.clone())),
        }
        subjects
    }

    fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|one| one == group)
    }
}

/// What is asked for: all of `/api/v1/namespaces/a/pods/b?c`.
struct Target {
    grant: Grant,
    namespace: Option<String>,
    name: Option<String>,
}

pub fn answer(state: &mut State, kubeconfig: &str, request: &Request) -> Result<Answer> {
    let Some(caller) = caller(state, kubeconfig)? else { return Ok(refusal(401, "Unauthorized")) };
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let Some(target) = target(request.method, path) else { return Ok(of_path(&caller, path)) };
    if !allows(state, &caller, &target) {
        let Target { grant, namespace, .. } = &target;
        return Ok(refusal(403, &format!("User {:?} cannot {grant} in {namespace:?}", caller.name)));
    }
    if target.grant.resource == "subjectaccessreviews" {
        return review(state, request.body.as_ref().context("an empty review")?);
    }
    let asks = request.method == Method::Get || target.grant.resource.ends_with(REVIEWS);
    ensure!(asks || query.split('&').any(|part| part == "dryRun=All"), "{} would change something", request.path);
    if target.grant.verb == "create" && target.grant.resource == "rolebindings" {
        return Ok(refusal(403, "attempting to grant RBAC permissions not currently held"));
    }
    if guarded(state, &caller, &target) {
        let why =
            "ValidatingAdmissionPolicy 'lab-guard' with binding 'lab-guard' denied request: it belongs to the lab";
        return Ok(refusal(403, why));
    }
    if target.grant.verb == "create" && target.grant.resource == "pods" {
        return Ok(admitted(state, target.namespace.as_deref(), request.body.as_ref().context("an empty pod")?));
    }
    Ok(match (request.method, &target.name) {
        (Method::Post, _) => Answer { status: 201, body: json!({}) },
        (_, Some(_)) if !exists(state, &target) => refusal(404, "not found"),
        _ => Answer { status: 200, body: json!({}) },
    })
}

/// None for a token that nobody gave out.
fn caller(state: &State, kubeconfig: &str) -> Result<Option<Caller>> {
    if kubeconfig == state.kubeconfig {
        return Ok(Some(Caller::new("kubernetes-admin", &["system:masters", "system:authenticated"])));
    }
    let document: Value = serde_saphyr::from_str(kubeconfig)?;
    let user = &document["users"][0]["user"];
    if user["token"].is_string() {
        return Ok(None);
    }
    if user["client-certificate-data"].is_null() {
        return Ok(Some(Caller::new("system:anonymous", &["system:unauthenticated"])));
    }
    let ByteString(pem) = serde_json::from_value(user["client-certificate-data"].clone())?;
    let (_, pem) = parse_x509_pem(&pem)?;
    let certificate = pem.parse_x509()?;
    let subject = certificate.subject();
    let name = subject.iter_common_name().next().context("a certificate of nobody")?.as_str()?;
    let group = subject.iter_organization().next().context("a certificate without a group")?.as_str()?;
    Ok(Some(Caller::new(name, &[group, "system:authenticated"])))
}

fn refusal(status: u16, message: &str) -> Answer {
    Answer { status, body: json!({ "kind": "Status", "message": message }) }
}

/// What is no resource.
fn of_path(caller: &Caller, path: &str) -> Answer {
    let known = caller.is_in("system:authenticated");
    let discovers = known && DISCOVERY.iter().any(|root| path.starts_with(root));
    if HEALTH.contains(&path) || discovers {
        return Answer { status: 200, body: json!("ok") };
    }
    refusal(403, &format!("User {:?} cannot get path {path:?}", caller.name))
}

/// None where the path is none of a resource.
fn target(method: Method, path: &str) -> Option<Target> {
    let words: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let (group, rest) = match words.as_slice() {
        ["api", "v1", rest @ ..] => ("", rest),
        ["apis", group, _, rest @ ..] => (*group, rest),
        _ => return None,
    };
    let (namespace, resource, name) = match rest {
        ["namespaces"] => (None, "namespaces", None),
        // A namespace is in itself.
        ["namespaces", name] => (Some(*name), "namespaces", Some(*name)),
        ["namespaces", namespace, resource] => (Some(*namespace), *resource, None),
        ["namespaces", namespace, resource, name] => (Some(*namespace), *resource, Some(*name)),
        [resource] => (None, *resource, None),
        _ => return None,
    };
    let verb = match (method, name) {
        (Method::Get, None) => "list",
        (Method::Get, Some(_)) => "get",
        (Method::Post, _) => "create",
        (Method::Put, _) => "update",
        (Method::Patch, _) => "patch",
        (Method::Delete, None) => "deletecollection",
        (Method::Delete, Some(_)) => "delete",
    };
    let own = |text: &str| text.to_owned();
    let grant = Grant { verb: own(verb), group: own(group), resource: own(resource), name: name.map(own) };
    Some(Target { grant, namespace: namespace.map(own), name: name.map(own) })
}

fn allows(state: &mut State, caller: &Caller, target: &Target) -> bool {
    let all_power = caller.is_in("system:masters");
    all_power || rights(state).allows(&caller.subjects(), &target.grant, target.namespace.as_deref())
}

/// What roles and bindings grant now. Made anew only where one of them changed: there are thousands of questions.
fn rights(state: &mut State) -> &Access {
    let now = || state.objects.iter().filter(|(key, _)| is_of_rbac(key)).map(|(_, object)| object);
    if !now().eq(state.rights.0.iter()) {
        let objects: Vec<Value> = now().cloned().collect();
        let access = Access::of(&objects);
        state.rights = (objects, access);
    }
    &state.rights.1
}

fn is_of_rbac(key: &[String; 3]) -> bool {
    key[0].ends_with("Role") || key[0].ends_with("RoleBinding")
}

fn review(state: &mut State, body: &Value) -> Result<Answer> {
    let spec = &body["spec"];
    let attributes = &spec["resourceAttributes"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let groups = spec["groups"].as_array().map(|groups| groups.iter().map(text).collect()).unwrap_or_default();
    let caller = Caller { name: text(&spec["user"]), groups };
    let (resource, part) = (text(&attributes["resource"]), text(&attributes["subresource"]));
    if resource.is_empty() || caller.name.is_empty() {
        bail!("a review of nothing: {body}");
    }
    let resource = if part.is_empty() { resource } else { format!("{resource}/{part}") };
    let grant = Grant { verb: text(&attributes["verb"]), group: text(&attributes["group"]), resource, name: None };
    let namespace = Some(text(&attributes["namespace"])).filter(|namespace| !namespace.is_empty());
    let target = Target { grant, namespace, name: None };
    let allowed = allows(state, &caller, &target);
    let mut status = json!({ "allowed": allowed });
    if allowed {
        status["reason"] = json!("RBAC: allowed by a binding");
    }
    Ok(Answer { status: 201, body: json!({ "status": status }) })
}

/// Pod Security, as far as proofs go.
fn admitted(state: &State, namespace: Option<&str>, pod: &Value) -> Answer {
    let Some(namespace) = namespace.and_then(|name| state.object("Namespace", "", name)) else {
        return refusal(404, "namespaces not found");
    };
    let spec = &pod["spec"];
    let privileged = spec["containers"][0]["securityContext"]["privileged"] == true;
    let fits = !privileged && spec["volumes"].is_null() && spec["securityContext"]["seccompProfile"].is_object();
    let restricted = namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted";
    if restricted && !fits {
        return refusal(403, "pods \"verify-pods\" is forbidden: violates PodSecurity \"restricted:latest\"");
    }
    Answer { status: 201, body: json!({}) }
}

/// Whether the guard is there, and looks at this.
fn guarded(state: &State, caller: &Caller, target: &Target) -> bool {
    let there = |kind: &str| state.object(kind, "", "lab-guard").is_some();
    let changes = ["update", "patch", "delete", "deletecollection"].contains(&&*target.grant.verb);
    let person = caller.groups.iter().any(|group| group.starts_with("lab:"));
    there("ValidatingAdmissionPolicy")
        && there("ValidatingAdmissionPolicyBinding")
        && changes
        && person
        && found(state, target).any(|object| object["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "lab")
}

fn exists(state: &State, target: &Target) -> bool {
    found(state, target).next().is_some()
}

/// The objects that a path means.
fn found<'a>(state: &'a State, target: &'a Target) -> impl Iterator<Item = &'a Value> {
    let here = move |key: &[String; 3]| {
        plural(&key[0]) == target.grant.resource
            && target.namespace.as_ref().is_none_or(|namespace| key[1] == *namespace)
            && target.name.as_ref().is_none_or(|name| key[2] == *name)
    };
    state.objects.iter().filter(move |(key, _)| here(key)).map(|(_, object)| object)
}

fn plural(kind: &str) -> String {
    let kind = kind.to_lowercase();
    kind.strip_suffix('y').map_or_else(|| format!("{kind}s"), |stem| format!("{stem}ies"))
}
