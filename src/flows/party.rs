//! Who there is: pods of the lab, nodes, and what is outside.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde_json::Value;

/// One who connects or is connected to, under its name in the table.
#[derive(Debug, Clone)]
pub struct Party {
    pub name: String,
    pub address: Ipv4Addr,
    /// None for what is no pod.
    pub pod: Option<Pod>,
    /// True of the pods of the lab, which is what it closes: cluster DNS is a pod as well.
    pub closed: bool,
}

/// What policies know a pod by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    pub namespace: String,
    pub labels: BTreeMap<String, String>,
}

impl Pod {
    pub fn new(namespace: &str, labels: &[(&str, &str)]) -> Self {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Self { namespace: namespace.to_owned(), labels }
    }
}

/// The pods that rendered workloads make, under the names of the workloads, of these namespaces.
pub fn among(objects: &[Value], namespaces: &[&str]) -> Vec<(String, Pod)> {
    let pod = |object: &Value| {
        let text = |pointer: &str| Some(object.pointer(pointer)?.as_str()?.to_owned());
        let (name, namespace) = (text("/metadata/name")?, text("/metadata/namespace")?);
        let labels = object.pointer("/spec/template/metadata/labels")?.as_object()?;
        let labels = labels.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect();
        namespaces.contains(&namespace.as_str()).then_some((name, Pod { namespace, labels }))
    };
    objects.iter().filter_map(pod).collect()
}
