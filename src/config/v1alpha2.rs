//! The current notation, `lab/v1alpha2`: one declaration a field, with its key, default, rule and meaning.

use std::ops::RangeInclusive;

use super::destination::destinations;
use super::jvm_size::jvm_size;
use super::lab::{
    Airflow, Cluster, Cni, Dags, Executor, Git, ImageSource, Images, Lab, Network, ObjectStore, People, Registry,
    Replicas, Size, Smoke, SparkOperator,
};
use super::measure::duration;
use super::name;
use super::people::{namespaces, users};
use super::quantity::{bytes, cores};
use super::rules::{number, number_of, one_of, path, switch};
use super::section::Section;
use super::subnet::private;
use super::version;

pub const NAME: &str = "lab/v1alpha2";

/// Without the ports below, which take root to listen on.
const PORTS: RangeInclusive<u16> = 1024..=65535;
const SOURCES: [(&str, ImageSource); 3] =
    [("auto", ImageSource::Auto), ("registry", ImageSource::Registry), ("build", ImageSource::Build)];
const EXECUTORS: [(&str, Executor); 2] = [("local", Executor::Local), ("kubernetes", Executor::Kubernetes)];
const CNIS: [(&str, Cni); 2] = [("kube-router", Cni::KubeRouter), ("kindnet", Cni::Kindnet)];

pub const SPEC: &str = "What the lab consists of";
pub const CLUSTER: &str = "The Kubernetes cluster";

pub fn lab(document: &mut Section<'_>) -> Lab {
    let name = head(document);
    document.section("spec", SPEC, |spec| {
        let (api, registry) =
            spec.section("ports", "Ports on this machine, of its loopback interface alone", |ports| {
                (api_port(ports, "api"), registry_port(ports, "registry"))
            });
        let cluster = spec.section("cluster", CLUSTER, |section| cluster(section, |_| api));
        with_components(spec, name, cluster, registry)
    })
}

pub fn head(document: &mut Section<'_>) -> String {
    document.required("apiVersion", NAME, &version::rule(), "Version of this notation");
    document.required("kind", "Lab", &one_of(&[("Lab", ())]), "What this file describes");
    document.section("metadata", "What tells labs apart", |metadata| {
        let description = "Name of the lab, one lab per name; nodes, network and registry are called after it";
        metadata.required("name", "lab", &name::lab(), description)
    })
}

pub fn cluster(cluster: &mut Section<'_>, api_port: impl FnOnce(&mut Section<'_>) -> u16) -> Cluster {
    Cluster {
        subnet: cluster.field(
            "subnet",
            "172.29.0.0/24",
            &private(16..=28),
            "Range of the lab's Docker network, which nothing else on this machine uses",
        ),
        // Odd, because an even number of etcd members survives no more than the odd one below it.
        control_planes: cluster.field(
            "controlPlanes",
            "3",
            &number_of([1, 3, 5]),
            "Nodes of the control plane: with three, any one may fail; with one, there is no load balancer",
        ),
        workers: cluster.field("workers", "3", &number(1..=12), "Nodes that run jobs"),
        cni: cluster.field(
            "cni",
            "kube-router",
            &one_of(&CNIS),
            "Network plugin: kube-router enforces NetworkPolicy on every kernel",
        ),
        // Every node gets a /24 of the pods' range, there are two nodes at least, and kubeadm counts them in 16 bits.
        pod_subnet: cluster.field(
            "podSubnet",
            "10.244.0.0/16",
            &private(8..=23),
            "Range of Pods, of which each node takes a /24",
        ),
        // kubeadm counts Services in 20 bits at most.
        service_subnet: cluster.field("serviceSubnet", "10.96.0.0/16", &private(12..=24), "Range of Services"),
        api_port: api_port(cluster),
    }
}

pub fn api_port(section: &mut Section<'_>, key: &'static str) -> u16 {
    section.field(key, "16443", &number(PORTS), "Port of the Kubernetes API")
}

pub fn registry_port(section: &mut Section<'_>, key: &'static str) -> u16 {
    section.field(key, "15000", &number(PORTS), "Port of the registry")
}

/// What stands in every version the same way.
pub fn with_components(spec: &mut Section<'_>, name: String, cluster: Cluster, registry_port: u16) -> Lab {
    Lab {
        name,
        cluster,
        network: spec.section("network", "The network of the lab's pods, which is closed", |network| Network {
            egress: network.field(
                "egress",
                "",
                &destinations(),
                "Where jobs and Airflow may connect to outside the cluster, as RANGE:PORT with commas between; nowhere if empty",
            ),
        }),
        images: spec.section("images", "Container images", |images| Images {
            source: images.field("source", "auto", &one_of(&SOURCES), "Where they come from"),
            mirror: images.field("mirror", "", &name::mirror(), "Registry that stands in for all upstream ones"),
            lock: images.field("lock", "", &path(), "File of digests for it, as `lab images lock` prints it"),
        }),
        registry: Registry { port: registry_port },
        spark_operator: spec.section("sparkOperator", "Spark Operator, which runs jobs", |operator| SparkOperator {
            enabled: operator.field("enabled", "true", &switch(), "Whether it is installed"),
            keep_finished_seconds: operator.field(
                "keepFinished",
                "1h",
                &duration("1m", "30d"),
                "How long finished jobs stay",
            ),
        }),
        object_store: spec.section("objectStore", "MinIO, which holds data", |store| ObjectStore {
            enabled: store.field("enabled", "true", &switch(), "Whether it is installed"),
            storage: store.field("storage", "5Gi", &bytes("100Mi", "1Ti"), "Size of its volume"),
            bucket: store.field("bucket", "lab", &name::bucket(), "Bucket for data of jobs"),
        }),
        airflow: spec.section("airflow", "Airflow, which runs DAGs, and its PostgreSQL", airflow),
        smoke: spec.section("smoke", "The job that proves the lab: PageRank on three executors", |smoke| Smoke {
            enabled: smoke.field(
                "enabled",
                "true",
                &switch(),
                "Whether it runs; it needs Spark Operator and object store",
            ),
            pages: smoke.field("pages", "2000", &number(100..=200_000), "Pages of the graph"),
            iterations: smoke.field("iterations", "10", &number(1..=50), "Rounds of PageRank"),
            driver: smoke.section("driver", "The driver", size),
            executor: smoke.section("executor", "Each of the three executors", size),
        }),
        people: spec.section("people", "Who works with the lab, besides users admin, edit and view", |people| People {
            certificate_seconds: people.field(
                "certificateLifetime",
                "24h",
                // The API signs nothing shorter, and by itself nothing longer.
                &duration("10m", "365d"),
                "How long certificates of users are good for; `lab up` renews them in time",
            ),
            users: people.field("users", "{}", &users(), "Further users, each with the role admin, edit or view"),
            namespaces: people.field(
                "namespaces",
                "[]",
                &namespaces(),
                "Namespaces for people besides spark-jobs, with the same rights there",
            ),
        }),
    }
}

fn size(size: &mut Section<'_>) -> Size {
    Size {
        cpu_request: size.field("cpuRequest", "100m", &cores("1m", "64"), "CPU that Kubernetes sets aside"),
        // Spark refuses to start with less than one and a half times the 300 MiB that it reserves.
        memory: size.field("memory", "512m", &jvm_size("450m", "64g"), "Heap of the JVM"),
    }
}

fn airflow(airflow: &mut Section<'_>) -> Airflow {
    Airflow {
        enabled: airflow.field("enabled", "true", &switch(), "Whether it is installed; it needs the object store"),
        executor: airflow.field(
            "executor",
            "local",
            &one_of(&EXECUTORS),
            "Where tasks run: local is the scheduler's pod, kubernetes a pod for each",
        ),
        parallelism: airflow.field("parallelism", "2", &number(1..=64), "Tasks that run at a time"),
        storage: airflow.field("storage", "1Gi", &bytes("100Mi", "1Ti"), "Size of the database's volume"),
        replicas: airflow.section("replicas", "How many there are of each process", |replicas| Replicas {
            api_server: replicas.field("apiServer", "1", &number(1..=5), "Web pages and API"),
            scheduler: replicas.field("scheduler", "1", &number(1..=5), "Starts tasks"),
            dag_processor: replicas.field("dagProcessor", "1", &number(1..=5), "Reads DAGs"),
            triggerer: replicas.field("triggerer", "1", &number(0..=5), "Waits for deferred tasks"),
        }),
        dags: airflow.section("dags", "Where DAGs come from, beside `lab dags push`", |dags| Dags {
            samples: dags.field("samples", "true", &switch(), "Whether the sample DAGs are there"),
            git: dags.section("git", "A Git repository of DAGs", |git| Git {
                url: git.field("url", "", &name::repository(), "Its address; none if empty"),
                reference: git.field("ref", "main", &name::reference(), "Branch, tag or commit"),
                folder: git.field("folder", "", &name::folder(), "Folder in it that holds DAGs, or its root"),
                secret: git.field(
                    "secret",
                    "",
                    &name::secret(),
                    "Secret in namespace airflow with username and password, for a private one",
                ),
            }),
        }),
    }
}
