//! Processors, memory, disk and inotify: what there is against the sum that the plan needs.

use super::checks::{Case, Verdict};
use super::facts::{Facts, Held};
use super::finding::Level;
use crate::config::Lab;

const MEBI: u64 = 1 << 20;
const GIBI: u64 = 1 << 30;

/// Memory of idle parts, as measured; bytes.
const CONTROL_PLANE: u64 = 600 * MEBI;
const WORKER: u64 = 250 * MEBI;
const REGISTRY_AND_LOAD_BALANCER: u64 = 100 * MEBI;
const SPARK_OPERATOR: u64 = 100 * MEBI;
const OBJECT_STORE: u64 = 150 * MEBI;
/// With its database, and one task at work.
const AIRFLOW: u64 = 1400 * MEBI;

/// Disk of parts, as measured, with room for data; bytes.
const CONTROL_PLANE_DISK: u64 = GIBI;
const WORKER_DISK: u64 = GIBI;
/// Spark's image in a worker's own store, and what jobs leave between their stages.
const SPARK_DISK: u64 = GIBI * 3 / 2;
const REGISTRY_DISK: u64 = GIBI;
const OBJECT_STORE_DISK: u64 = GIBI / 2;
/// Its image in a worker's own store and in the registry, and its database.
const AIRFLOW_DISK: u64 = GIBI * 3 / 2;
/// Images and caches of a first build of all: 2.7 and 8.0 GB, measured.
const BUILD_DISK: u64 = 10 * GIBI;

/// What the parts of a lab need, in bytes, before any of them is there.
pub fn memory_needed(lab: &Lab) -> u64 {
    let cluster = &lab.cluster;
    CONTROL_PLANE * u64::from(cluster.control_planes)
        + WORKER * u64::from(cluster.workers)
        + REGISTRY_AND_LOAD_BALANCER
        + if lab.spark_operator.enabled { SPARK_OPERATOR } else { 0 }
        + if lab.object_store.enabled { OBJECT_STORE } else { 0 }
        + if lab.airflow.enabled { AIRFLOW } else { 0 }
        + if lab.smoke.enabled { lab.smoke.memory() } else { 0 }
}

/// A lab that stands, or a part of one, has its disk already.
fn disk_needed(lab: &Lab, held: &Held) -> u64 {
    let worker = WORKER_DISK + if lab.spark_operator.enabled { SPARK_DISK } else { 0 };
    let cluster = CONTROL_PLANE_DISK * u64::from(lab.cluster.control_planes)
        + worker * u64::from(lab.cluster.workers)
        + REGISTRY_DISK
        + if lab.object_store.enabled { OBJECT_STORE_DISK } else { 0 }
        + if lab.airflow.enabled { AIRFLOW_DISK } else { 0 };
    // A build that was cut off has its part already.
    let build = BUILD_DISK * held.missing_images as u64 / held.images.max(1) as u64;
    if held.cluster.is_empty() { cluster + build } else { 0 }
}

/// Measured: six nodes use some 400 instances, and other programs want theirs.
pub fn inotify_needed(lab: &Lab) -> [(&'static str, u64); 2] {
    let nodes = u64::from(lab.cluster.nodes());
    [("fs.inotify.max_user_instances", 128 + 64 * nodes), ("fs.inotify.max_user_watches", 65_536 * (2 + nodes))]
}

pub fn cpus(_: &Case, held: &Held) -> Verdict {
    let cpus = held.engine.cpus;
    let level = if cpus < 2 { Level::Warning } else { Level::Ok };
    let noun = if cpus == 1 { "processor" } else { "processors" };
    Verdict::new(level, format!("Docker has {cpus} {noun}, 2 are needed"))
        .measured(cpus)
        .needed(2)
        .fix("give Docker's machine another processor")
}

pub fn memory(case: &Case, held: &Held) -> Verdict {
    let (there, need) = (held.engine.memory, memory_needed(case.lab));
    let level = if there < need { Level::Error } else { Level::Ok };
    let (there, need) = (gibibytes(there), gibibytes(need));
    Verdict::new(level, format!("Docker has {there} of memory, this lab needs {need}"))
        .measured(there)
        .needed(need)
        .fix(format!("give Docker more, or {}", smaller(case)))
}

/// What a lab that runs holds already is its own.
pub fn memory_free(case: &Case) -> Verdict {
    let Some(free) = case.facts.memory_free else {
        return Verdict::new(Level::NotChecked, "free memory cannot be read");
    };
    let need = memory_needed(case.lab);
    let runs = case.facts.cluster().iter().any(|node| node.running);
    let (level, what) = match (runs, free < need) {
        (true, _) => (Level::Ok, "the nodes of this lab have their memory already".to_owned()),
        (false, short) => {
            let what = format!("{} of memory are free, this lab needs {}", gibibytes(free), gibibytes(need));
            (if short { Level::Warning } else { Level::Ok }, what)
        }
    };
    Verdict::new(level, what)
        .measured(gibibytes(free))
        .needed(gibibytes(need))
        .fix(format!("end other programs, or {}", smaller(case)))
}

fn smaller(case: &Case) -> String {
    if case.lab.cluster.nodes() > 2 {
        case.up_with("--config", "small")
    } else {
        "lower smoke.executor.memory in the configuration".to_owned()
    }
}

pub fn disk(case: &Case, held: &Held) -> Verdict {
    let root = &held.engine.root;
    let Some(free) = held.disk else {
        return Verdict::new(Level::NotChecked, format!("{root} is not on this machine"));
    };
    let need = disk_needed(case.lab, held);
    let level = if free < need { Level::Error } else { Level::Ok };
    let (free, need) = (gibibytes(free), gibibytes(need));
    Verdict::new(level, format!("{free} of disk free at {root}, {need} are needed"))
        .measured(free)
        .needed(need)
        .fix("docker system df   (shows what takes it); docker builder prune   (removes build caches)")
}

pub fn inotify_instances(case: &Case) -> Verdict {
    inotify(case, 0)
}

pub fn inotify_watches(case: &Case) -> Verdict {
    inotify(case, 1)
}

fn inotify(case: &Case, index: usize) -> Verdict {
    let (setting, need) = inotify_needed(case.lab)[index];
    let Facts { inotify, .. } = case.facts;
    let Some(value) = inotify[index] else {
        return Verdict::new(Level::NotChecked, format!("{setting} cannot be read"));
    };
    let level = if value < need { Level::Error } else { Level::Ok };
    Verdict::new(level, format!("{setting} is {value}, {need} is needed"))
        .measured(value)
        .needed(need)
        .safe_fix(format!("sudo sysctl -w {setting}={need}"))
}

fn gibibytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one decimal for people")]
    let value = bytes as f64 / f64::from(1 << 30);
    format!("{value:.1} GiB")
}
