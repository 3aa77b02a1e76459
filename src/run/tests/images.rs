//! Where images come from.

use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;

use super::world::Say;
use super::{Bench, next, told};
use crate::run::{Source, provide};

const DEBIAN: &str = "docker.io/library/debian:trixie-slim";

/// A world without any image.
fn empty() -> Bench {
    let bench = Bench::small();
    bench.world.state().images.clear();
    bench
}

/// All references can be pulled, with digest where it is locked.
fn with_upstream(bench: &Bench) {
    for image in bench.catalogue.all() {
        for reference in &image.references {
            let digest = image.digest.as_ref().map(|digest| format!("@{digest}")).unwrap_or_default();
            bench.world.state().upstream.insert(format!("{reference}{digest}"));
        }
    }
}

async fn get(bench: &Bench, names: &[&str], source: Source) -> (Result<Vec<String>>, Vec<String>) {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut notes = Vec::new();
    let made = provide(&bench.world, &bench.catalogue, &names, source, &mut |note| notes.push(note)).await;
    (made, notes)
}

#[tokio::test(start_paused = true)]
async fn auto_pulls_where_a_registry_answers() {
    let bench = empty();
    with_upstream(&bench);
    let (made, notes) = get(&bench, &["minio", "kube"], Source::Auto).await;
    assert_eq!(made.unwrap(), ["minio", "kube"]);
    assert_eq!(bench.world.count("pull"), 5, "kube has four names");
    assert_eq!(bench.world.count("build"), 0);
    assert!(notes.contains(&"pulling kube (2 of 2): Downloading".to_owned()), "{notes:?}");
}

#[tokio::test(start_paused = true)]
async fn auto_builds_where_no_registry_is_in_reach() {
    let bench = empty();
    let (made, notes) = get(&bench, &["spark-operator"], Source::Auto).await;
    made.unwrap();
    assert_eq!(notes[1], "no image registry in reach (no such host); building instead");
    let changes = bench.world.changes();
    let builds: Vec<&str> = changes.iter().filter_map(|call| call.strip_prefix("build ")).collect();
    assert_eq!(builds, ["base", "spark", "spark-operator"]);
    assert_eq!(notes.last().unwrap(), "building spark-operator (3 of 3, last one), 0 s: [1/2] FROM");
}

#[tokio::test(start_paused = true)]
async fn auto_builds_where_the_registry_is_silent() {
    let bench = empty();
    bench.world.script("pull", Say::Hang);
    let started = Instant::now();
    let (made, notes) = get(&bench, &["minio"], Source::Auto).await;
    made.unwrap();
    assert!(notes[1].contains("nothing came within 10 s"), "{notes:?}");
    // Twice: for the image, and for the Debian to stand on.
    assert_eq!(started.elapsed().as_secs(), 20);
    assert_eq!(bench.world.count("bootstrap lab/debian:"), 1);
}

#[tokio::test(start_paused = true)]
async fn auto_builds_only_what_the_registry_lacks() {
    let bench = empty();
    with_upstream(&bench);
    bench.world.script("pull docker.io/pgsty", Say::Fail("manifest unknown"));
    let (made, notes) = get(&bench, &["pause", "minio", "etcd"], Source::Auto).await;
    made.unwrap();
    assert!(notes.contains(&"minio cannot be pulled (manifest unknown); it will be built".to_owned()), "{notes:?}");
    assert_eq!((bench.world.count("build minio"), bench.world.count("build etcd")), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_long_build_is_heard_of() {
    let bench = empty();
    bench.world.script("build base", Say::Hang);
    let mut notes = Vec::new();
    let names = ["base".to_owned()];
    let mut note = |note| notes.push(note);
    let work = provide(&bench.world, &bench.catalogue, &names, Source::Build, &mut note);
    tokio::time::timeout(Duration::from_secs(100), work).await.unwrap_err();
    assert_eq!(notes.iter().filter(|note| note.ends_with("s: [1/2] FROM")).count(), 4, "{notes:?}");
}

#[tokio::test(start_paused = true)]
async fn the_debian_to_stand_on_is_pulled_where_that_works() {
    let bench = empty();
    bench.world.state().upstream.insert(DEBIAN.to_owned());
    get(&bench, &["minio"], Source::Build).await.0.unwrap();
    assert_eq!(bench.world.count("bootstrap"), 0);
    assert_eq!(bench.world.changes().iter().filter(|call| call.starts_with("pull")).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_registry_source_never_builds() {
    let bench = empty();
    let names: Vec<String> = bench.catalogue.all().iter().map(|image| image.name.clone()).collect();
    for name in names {
        bench.world.state().add_image(&bench.catalogue.built_tag(&name).unwrap());
    }
    let error = get(&bench, &["minio"], Source::Registry).await.0.unwrap_err();
    let (code, text) = told(&error);
    assert!(code == 5 && text.starts_with("image minio cannot be pulled: no such host"), "{code} {text}");
    assert!(next(&error).starts_with("lab up --images build"), "{}", next(&error));
    assert_eq!(bench.world.count("build"), 0);
    assert_eq!(bench.world.count("bootstrap"), 0);
}

#[tokio::test(start_paused = true)]
async fn the_build_source_never_pulls_what_it_can_build() {
    let bench = empty();
    with_upstream(&bench);
    get(&bench, &["minio"], Source::Build).await.0.unwrap();
    assert_eq!(bench.world.count("pull docker.io/pgsty"), 0);
    assert_eq!(bench.world.count("build minio"), 1);
}

#[tokio::test(start_paused = true)]
async fn all_images_are_built_in_an_order_that_works() {
    let bench = empty();
    let names: Vec<&str> = bench.catalogue.all().iter().map(|image| image.name.as_str()).collect();
    get(&bench, &names, Source::Build).await.0.unwrap();
    assert_eq!(bench.world.count("build"), names.len());
}

#[tokio::test(start_paused = true)]
async fn a_second_build_does_nothing() {
    let bench = empty();
    get(&bench, &["minio"], Source::Build).await.0.unwrap();
    bench.world.heal();
    assert_eq!(get(&bench, &["minio"], Source::Build).await.0.unwrap(), Vec::<String>::new());
    assert_eq!(bench.world.changes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_build_goes_on_after_the_image_that_failed() {
    let bench = empty();
    bench.world.script_times("build spark-operator", 1, Say::Fail("checksum mismatch"));
    let error = get(&bench, &["spark-operator"], Source::Build).await.0.unwrap_err();
    let (code, text) = told(&error);
    assert!(code == 5 && text.starts_with("image spark-operator cannot be built: checksum mismatch"), "{code} {text}");
    bench.world.heal();
    get(&bench, &["spark-operator"], Source::Build).await.0.unwrap();
    assert_eq!(bench.world.changes(), ["build spark-operator"]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_pull_is_no_silent_one() {
    let bench = empty();
    with_upstream(&bench);
    // The deadline is for the first sign of life, and no call of this world takes time.
    let started = Instant::now();
    get(&bench, &["node"], Source::Registry).await.0.unwrap();
    assert!(started.elapsed() < Duration::from_secs(1));
    assert!(bench.world.changes()[0].contains("@sha256:"), "{:?}", bench.world.changes());
}

#[tokio::test(start_paused = true)]
async fn a_lab_of_pulled_images_works_as_well() {
    let mut bench = empty();
    bench.source = Source::Registry;
    with_upstream(&bench);
    bench.up().await.unwrap();
    let changes = bench.world.changes();
    let built: Vec<&str> = changes.iter().filter_map(|call| call.strip_prefix("build ")).collect();
    assert_eq!(built, ["base", "spark"], "what upstream does not have");
    // Nodes of the upstream image are told of the lab's registry.
    assert_eq!(bench.world.count("write lab-worker /etc/containerd"), 1);
    bench.world.heal();
    bench.up().await.unwrap();
    assert_eq!(bench.world.changes(), Vec::<String>::new());
}
