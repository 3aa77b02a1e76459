//! The notation `lab/v1alpha1`, in which each port stood in the section of what listens on it.

use super::lab::Lab;
use super::section::Section;
use super::v1alpha2::{CLUSTER, SPEC, api_port, cluster, head, registry_port, with_components};

pub const NAME: &str = "lab/v1alpha1";

/// The fields that stand elsewhere now.
pub const MOVED: [(&str, &str); 2] =
    [("spec.cluster.apiPort", "spec.ports.api"), ("spec.registry.port", "spec.ports.registry")];

pub fn lab(document: &mut Section<'_>) -> Lab {
    let name = head(document);
    document.section("spec", SPEC, |spec| {
        let cluster =
            spec.section("cluster", CLUSTER, |section| cluster(section, |section| api_port(section, "apiPort")));
        let registry = spec.section("registry", "The registry", |registry| registry_port(registry, "port"));
        with_components(spec, name, cluster, registry)
    })
}
