//! Kubeconfigs of people: written, read again, and merged into another one.

use std::path::Path;

use anyhow::{Context as _, Result};
use k8s_openapi::ByteString;
use serde_json::{Value, json};

use super::certificate::Certificate;
use crate::render;
use crate::run::cluster::write_private;
use crate::step::Person;

/// Where a cluster is reached, and by what it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    server: String,
    /// The certificate of its authority, in base64.
    authority: String,
}

impl Cluster {
    /// The first of a kubeconfig; those of a lab have one.
    ///
    /// # Errors
    /// When there is none.
    pub fn of(text: &str) -> Result<Self> {
        Self::in_document(&serde_saphyr::from_str(text).context("reading a kubeconfig")?)
    }

    fn in_document(document: &Value) -> Result<Self> {
        let text = |key: &str| text_at(document, &format!("/clusters/0/cluster/{key}"));
        Ok(Self { server: text("server")?, authority: text("certificate-authority-data")? })
    }
}

/// What a kubeconfig of a person says.
pub struct Kubeconfig {
    pub context: String,
    pub certificate: Certificate,
    namespace: Option<String>,
    cluster: Cluster,
}

impl Kubeconfig {
    /// # Errors
    /// When something is missing in it.
    pub fn read(text: &str) -> Result<Self> {
        let document: Value = serde_saphyr::from_str(text)?;
        let ByteString(pem) = serde_json::from_value(document["users"][0]["user"]["client-certificate-data"].clone())?;
        text_at(&document, "/users/0/user/client-key-data")?;
        Ok(Self {
            context: text_at(&document, "/current-context")?,
            certificate: Certificate::read(&pem)?,
            namespace: text_at(&document, "/contexts/0/context/namespace").ok(),
            cluster: Cluster::in_document(&document)?,
        })
    }

    /// Why it is not the one that this person is to have.
    pub fn fits(&self, lab: &str, person: &Person, namespace: Option<&str>, cluster: &Cluster) -> Option<String> {
        if self.cluster.authority != cluster.authority {
            return Some("it is of another cluster".to_owned());
        }
        if self.cluster.server != cluster.server {
            return Some(format!("it is for {}, but the API is {}", self.cluster.server, cluster.server));
        }
        let wanted = context(lab, person);
        if self.context != wanted {
            return Some(format!("its context is {}, not {wanted}", self.context));
        }
        (self.namespace.as_deref() != namespace).then(|| "it begins in another namespace".to_owned())
    }
}

/// A kubeconfig that says by its context which lab it is, and as whom one is there.
pub fn text(
    lab: &str,
    person: &Person,
    namespace: Option<&str>,
    cluster: &Cluster,
    certificate: &str,
    key: &str,
) -> Result<String> {
    let base64 = |pem: &str| json!(ByteString(pem.as_bytes().to_vec()));
    let values = json!({
        "context": context(lab, person),
        "namespace": namespace,
        "server": cluster.server,
        "authority": cluster.authority,
        "certificate": base64(certificate),
        "key": base64(key),
    });
    render::text(render::PERSON, &values)
}

/// A kubeconfig of somebody whom nobody made a person of the lab, with what it says of its `user`.
pub fn of_outsider(cluster: &Cluster, user: &Value) -> String {
    let name = "outsider";
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": name,
        "clusters": [{
            "name": name,
            "cluster": { "server": cluster.server, "certificate-authority-data": cluster.authority },
        }],
        "contexts": [{ "name": name, "context": { "cluster": name, "user": name } }],
        "users": [{ "name": name, "user": user }],
    })
    .to_string()
}

/// `lab-view`, or `lab-view-anna` for somebody who is not called like the role.
fn context(lab: &str, person: &Person) -> String {
    let role = person.role.name();
    if person.name == role { format!("{lab}-{role}") } else { format!("{lab}-{role}-{}", person.name) }
}

/// Puts all that one kubeconfig holds into another file, and makes its context the current one there.
///
/// # Errors
/// When the file cannot be read as a kubeconfig, or not be written.
pub fn merge(from: &Path, into: &Path) -> Result<()> {
    let read = |path: &Path| -> Result<Value> {
        serde_saphyr::from_str(&fs_err::read_to_string(path)?).with_context(|| format!("reading {}", path.display()))
    };
    let new = read(from)?;
    let old = if into.exists() { read(into)? } else { json!({ "apiVersion": "v1", "kind": "Config" }) };
    write_private(into, &serde_saphyr::to_string(&merged(old, &new))?)
}

fn merged(mut old: Value, new: &Value) -> Value {
    for key in ["clusters", "users", "contexts"] {
        let mut entries = old[key].as_array().cloned().unwrap_or_default();
        for entry in new[key].as_array().into_iter().flatten() {
            entries.retain(|there| there["name"] != entry["name"]);
            entries.push(entry.clone());
        }
        old[key] = entries.into();
    }
    old["current-context"] = new["current-context"].clone();
    old
}

fn text_at(document: &Value, pointer: &str) -> Result<String> {
    let found = document.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).with_context(|| format!("a kubeconfig without {pointer}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Role;

    fn person(name: &str, role: Role) -> Person {
        Person { name: name.to_owned(), role, group: format!("lab:{}", role.name()) }
    }

    #[test]
    fn a_context_says_lab_role_and_name() {
        assert_eq!(context("class", &person("edit", Role::Edit)), "class-edit");
        assert_eq!(context("class", &person("anna", Role::Edit)), "class-edit-anna");
    }

    #[test]
    fn clients_read_the_kubeconfigs_of_outsiders() {
        let cluster = Cluster { server: "https://127.0.0.1:16443".to_owned(), authority: "YXV0aG9yaXR5".to_owned() };
        let certificate = json!({ "client-certificate-data": "YQ==", "client-key-data": "Yg==" });
        for (user, has) in
            [(json!({}), [false, false]), (json!({ "token": "wrong" }), [true, false]), (certificate, [false, true])]
        {
            let read = kube::config::Kubeconfig::from_yaml(&of_outsider(&cluster, &user)).unwrap();
            let there = read.clusters[0].cluster.as_ref().unwrap();
            assert_eq!(there.server.as_deref(), Some("https://127.0.0.1:16443"));
            assert_eq!(there.certificate_authority_data.as_deref(), Some("YXV0aG9yaXR5"));
            assert_eq!(read.current_context.as_ref(), Some(&read.contexts[0].name));
            let who = read.auth_infos[0].auth_info.as_ref().unwrap();
            assert_eq!([who.token.is_some(), who.client_certificate_data.is_some()], has, "{user}");
        }
    }

    #[test]
    fn merging_replaces_its_own_and_keeps_the_rest() {
        let one = |name: &str, value: &str| json!([{ "name": name, "user": value }]);
        let old = json!({
            "users": [{ "name": "mine", "user": "a" }, { "name": "lab-view", "user": "old" }],
            "preferences": { "colors": true }, "current-context": "mine",
        });
        let new =
            json!({ "users": one("lab-view", "new"), "clusters": one("lab-view", "c"), "current-context": "lab-view" });
        let expected = json!({
            "users": [{ "name": "mine", "user": "a" }, { "name": "lab-view", "user": "new" }],
            "clusters": one("lab-view", "c"), "contexts": [],
            "preferences": { "colors": true }, "current-context": "lab-view",
        });
        assert_eq!(merged(old, &new), expected);
    }
}
