//! The schema `lab/v1alpha1`: one line a field with its key, default and rule.

use std::ops::RangeInclusive;

use super::lab::{Cluster, Cni, Images, Lab, ObjectStore, Registry, Size, Smoke, Source, SparkOperator};
use super::measure::{duration, jvm_memory, quantity};
use super::name;
use super::rules::{number, number_of, one_of, path, switch};
use super::section::Section;
use super::subnet::{Subnet, private};

/// Without the ports below, which take root to listen on.
const PORTS: RangeInclusive<u16> = 1024..=65535;
const CNIS: [(&str, Cni); 2] = [("kube-router", Cni::KubeRouter), ("kindnet", Cni::Kindnet)];
const SOURCES: [(&str, Source); 3] = [("auto", Source::Auto), ("registry", Source::Registry), ("build", Source::Build)];

pub fn lab(document: &mut Section<'_>) -> Lab {
    document.required("apiVersion", "lab/v1alpha1", one_of(&[("lab/v1alpha1", ())]));
    document.required("kind", "Lab", one_of(&[("Lab", ())]));
    let name = document.section("metadata", |metadata| metadata.required("name", "lab", name::lab));
    document.section("spec", |spec| Lab {
        name,
        cluster: spec.section("cluster", cluster),
        images: spec.section("images", |images| Images {
            source: images.field("source", Source::Auto, one_of(&SOURCES)),
            mirror: images.field("mirror", String::new(), name::mirror),
            lock: images.field("lock", String::new(), path),
        }),
        registry: spec.section("registry", |registry| Registry { port: registry.field("port", 15000, number(PORTS)) }),
        spark_operator: spec.section("sparkOperator", |operator| SparkOperator {
            enabled: operator.field("enabled", true, switch),
            keep_finished_seconds: operator.field("keepFinished", 3600, duration("1m", "30d")),
        }),
        object_store: spec.section("objectStore", |store| ObjectStore {
            enabled: store.field("enabled", true, switch),
            storage: store.field("storage", "5Gi".to_owned(), quantity("100Mi", "1Ti")),
            bucket: store.field("bucket", "lab".to_owned(), name::bucket),
        }),
        smoke: spec.section("smoke", |smoke| Smoke {
            enabled: smoke.field("enabled", true, switch),
            pages: smoke.field("pages", 2000, number(100..=200_000)),
            iterations: smoke.field("iterations", 10, number(1..=50)),
            driver: smoke.section("driver", size),
            executor: smoke.section("executor", size),
        }),
    })
}

fn cluster(cluster: &mut Section<'_>) -> Cluster {
    Cluster {
        // Odd, because an even number of etcd members survives no more than the odd one below it.
        control_planes: cluster.field("controlPlanes", 3, number_of([1, 3, 5])),
        workers: cluster.field("workers", 3, number(1..=12)),
        cni: cluster.field("cni", Cni::KubeRouter, one_of(&CNIS)),
        subnet: cluster.field("subnet", Subnet::new([172, 29, 0, 0], 24), private(16..=28)),
        // Every node gets a /24 of the pods' range, there are two nodes at least, and kubeadm counts them in 16 bits.
        pod_subnet: cluster.field("podSubnet", Subnet::new([10, 244, 0, 0], 16), private(8..=23)),
        // kubeadm counts Services in 20 bits at most.
        service_subnet: cluster.field("serviceSubnet", Subnet::new([10, 96, 0, 0], 16), private(12..=24)),
        api_port: cluster.field("apiPort", 16443, number(PORTS)),
    }
}

fn size(size: &mut Section<'_>) -> Size {
    Size {
        cpu_request: size.field("cpuRequest", "100m".to_owned(), quantity("1m", "64")),
        // Spark refuses to start with less than one and a half times the 300 MiB that it reserves.
        memory: size.field("memory", "512m".to_owned(), jvm_memory("450m", "64g")),
    }
}
