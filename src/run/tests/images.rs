//! Where images come from.

use std::cell::RefCell;
use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;

use super::world::Say;
use super::{Bench, next, told};
use crate::config::{ImageSource, Images};
use crate::event::Warning;
use crate::images::{Lock, Supply, path_and_tag};
use crate::run::{ImageState, image_state, lock, provide};

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

async fn get(bench: &Bench, names: &[&str], source: ImageSource) -> (Result<Vec<String>>, Vec<String>) {
    get_from(bench, names, &Supply::upstream(source)).await
}

async fn get_from(bench: &Bench, names: &[&str], supply: &Supply) -> (Result<Vec<String>>, Vec<String>) {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let said = RefCell::new(Vec::new());
    let mut note = |note: String| said.borrow_mut().push(note);
    let mut warn = |warning: Warning| said.borrow_mut().push(format!("warning: {warning}"));
    let made = provide(&bench.world, &bench.catalogue, &names, supply, &mut note, &mut warn).await;
    (made, said.into_inner())
}

#[tokio::test(start_paused = true)]
async fn auto_pulls_where_a_registry_answers() {
    let bench = empty();
    with_upstream(&bench);
    let (made, notes) = get(&bench, &["minio", "kube"], ImageSource::Auto).await;
    assert_eq!(made.unwrap(), ["minio", "kube"]);
    assert_eq!(bench.world.count("pull"), 5, "kube has four names");
    assert_eq!(bench.world.count("build"), 0);
    assert!(notes.contains(&"pulling kube (2 of 2): Downloading".to_owned()), "{notes:?}");
}

#[tokio::test(start_paused = true)]
async fn auto_builds_where_no_registry_is_in_reach() {
    let bench = empty();
    let (made, notes) = get(&bench, &["spark-operator"], ImageSource::Auto).await;
    made.unwrap();
    assert_eq!(
        notes[1],
        "warning: no images from ghcr.io: it cannot be reached (no such host); they are built instead"
    );
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
    let (made, notes) = get(&bench, &["minio"], ImageSource::Auto).await;
    made.unwrap();
    assert!(notes[1].contains("nothing came within 10 s"), "{notes:?}");
    // Once: the Debian to stand on would come from the same registry.
    assert_eq!(started.elapsed().as_secs(), 10);
    assert_eq!(bench.world.count("bootstrap lab/debian:"), 1);
}

#[tokio::test(start_paused = true)]
async fn auto_asks_all_registries_at_once() {
    let bench = empty();
    bench.world.script("pull", Say::Hang);
    bench.world.script("digest of", Say::Hang);
    let started = Instant::now();
    let (made, notes) = get(&bench, &["pause", "minio", "spark-operator"], ImageSource::Auto).await;
    made.unwrap();
    assert_eq!(started.elapsed().as_secs(), 10);
    for registry in ["docker.io", "ghcr.io", "registry.k8s.io"] {
        let warning = format!("warning: no images from {registry}: it does not answer (nothing came within 10 s)");
        assert!(notes.iter().any(|note| note.starts_with(&warning)), "{notes:?}");
    }
    assert_eq!(bench.world.count("pull"), 0);
}

#[tokio::test(start_paused = true)]
async fn auto_builds_only_what_the_registry_lacks() {
    let bench = empty();
    with_upstream(&bench);
    bench.world.script("pull docker.io/pgsty", Say::Fail("manifest unknown"));
    let (made, notes) = get(&bench, &["pause", "minio", "etcd"], ImageSource::Auto).await;
    made.unwrap();
    let why =
        "warning: minio cannot be pulled from docker.io: it has no such image (manifest unknown); it is built instead";
    assert!(notes.contains(&why.to_owned()), "{notes:?}");
    assert_eq!((bench.world.count("build minio"), bench.world.count("build etcd")), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_long_build_is_heard_of() {
    let bench = empty();
    bench.world.script("build base", Say::Hang);
    let (mut notes, supply) = (Vec::new(), Supply::upstream(ImageSource::Build));
    let names = ["base".to_owned()];
    let (mut note, mut warn) = (|note| notes.push(note), |_| {});
    let work = provide(&bench.world, &bench.catalogue, &names, &supply, &mut note, &mut warn);
    tokio::time::timeout(Duration::from_secs(100), work).await.unwrap_err();
    assert_eq!(notes.iter().filter(|note| note.ends_with("s: [1/2] FROM")).count(), 4, "{notes:?}");
}

#[tokio::test(start_paused = true)]
async fn the_debian_to_stand_on_is_pulled_where_that_works() {
    let bench = empty();
    bench.world.state().upstream.insert(DEBIAN.to_owned());
    get(&bench, &["minio"], ImageSource::Build).await.0.unwrap();
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
    let error = get(&bench, &["minio"], ImageSource::Registry).await.0.unwrap_err();
    let (code, text) = told(&error);
    assert!(code == 5 && text.starts_with("image minio cannot be pulled from docker.io: it cannot"), "{code} {text}");
    assert!(text.ends_with(": no such host"), "{text}");
    assert!(next(&error).starts_with("lab up --images build"), "{}", next(&error));
    assert_eq!(bench.world.count("build"), 0);
    assert_eq!(bench.world.count("bootstrap"), 0);
}

#[tokio::test(start_paused = true)]
async fn the_build_source_never_pulls_what_it_can_build() {
    let bench = empty();
    with_upstream(&bench);
    get(&bench, &["minio"], ImageSource::Build).await.0.unwrap();
    assert_eq!(bench.world.count("pull docker.io/pgsty"), 0);
    assert_eq!(bench.world.count("build minio"), 1);
}

#[tokio::test(start_paused = true)]
async fn all_images_are_built_in_an_order_that_works() {
    let bench = empty();
    let names: Vec<&str> = bench.catalogue.all().iter().map(|image| image.name.as_str()).collect();
    get(&bench, &names, ImageSource::Build).await.0.unwrap();
    assert_eq!(bench.world.count("build"), names.len());
}

#[tokio::test(start_paused = true)]
async fn a_second_build_does_nothing() {
    let bench = empty();
    get(&bench, &["minio"], ImageSource::Build).await.0.unwrap();
    bench.world.heal();
    assert_eq!(get(&bench, &["minio"], ImageSource::Build).await.0.unwrap(), Vec::<String>::new());
    assert_eq!(bench.world.changes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_build_goes_on_after_the_image_that_failed() {
    let bench = empty();
    bench.world.script_times("build spark-operator", 1, Say::Fail("checksum mismatch"));
    let error = get(&bench, &["spark-operator"], ImageSource::Build).await.0.unwrap_err();
    let (code, text) = told(&error);
    assert!(code == 5 && text.starts_with("image spark-operator cannot be built: checksum mismatch"), "{code} {text}");
    bench.world.heal();
    get(&bench, &["spark-operator"], ImageSource::Build).await.0.unwrap();
    assert_eq!(bench.world.changes(), ["build spark-operator"]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_pull_is_no_silent_one() {
    let bench = empty();
    with_upstream(&bench);
    // The deadline is for the first sign of life, and no call of this world takes time.
    let started = Instant::now();
    get(&bench, &["node"], ImageSource::Registry).await.0.unwrap();
    assert!(started.elapsed() < Duration::from_secs(1));
    assert!(bench.world.changes()[0].contains("@sha256:"), "{:?}", bench.world.changes());
}

#[tokio::test(start_paused = true)]
async fn a_lab_of_pulled_images_works_as_well() {
    let mut bench = empty();
    bench.supply = Supply::upstream(ImageSource::Registry);
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

const MIRROR: &str = "mirror.example:5000/hub";

/// A mirror, and digests that replace those of the catalogue.
fn mirrored(source: ImageSource, lock: Option<Lock>) -> Supply {
    Supply::new(&Images { source, mirror: MIRROR.to_owned(), lock: String::new() }, lock)
}

/// A mirror that has everything under its own digests, made by our recipes; the lock for it.
fn with_mirror(bench: &Bench) -> Lock {
    let mut locked = Lock::new();
    let mut state = bench.world.state();
    state.upstream_is_ours = true;
    for (number, reference) in bench.catalogue.all().iter().flat_map(|image| &image.references).enumerate() {
        let (path, tag) = path_and_tag(reference);
        let (name, digest) = (format!("{MIRROR}/{path}:{tag}"), format!("sha256:{number:064x}"));
        state.upstream.insert(format!("{name}@{digest}"));
        state.remote.insert(name, digest.clone());
        locked.insert(reference.clone(), digest);
    }
    locked
}

#[tokio::test(start_paused = true)]
async fn a_lab_from_a_mirror_of_our_own_builds_builds_nothing() {
    let mut bench = Bench::full();
    let locked = with_mirror(&bench);
    let names: Vec<String> = bench.catalogue.all().iter().map(|image| image.name.clone()).collect();
    bench.supply = mirrored(ImageSource::Registry, None);
    assert_eq!(lock(&bench.world, &bench.catalogue, &names, &bench.supply).await.unwrap(), (locked.clone(), vec![]));
    bench.supply = mirrored(ImageSource::Registry, Some(locked));
    bench.up().await.unwrap();
    assert_eq!((bench.world.count("build"), bench.world.count("bootstrap")), (0, 0));
    let pulls = bench.world.changes().into_iter().filter(|call| call.starts_with("pull "));
    let others: Vec<String> = pulls.filter(|call| !call.starts_with(&format!("pull {MIRROR}/"))).collect();
    assert_eq!(others, Vec::<String>::new());
    // The node was pulled, but it is one of ours, which has no images inside.
    assert!(bench.world.state().registry.contains_key("kube-apiserver:v1.36.4"));
    let image = bench.world.state().container("lab-registry").image.clone();
    assert!(image.starts_with(&format!("{MIRROR}/library/registry:2.8.3@sha256:")), "{image}");
    bench.world.heal();
    bench.up().await.unwrap();
    assert_eq!(bench.world.changes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn spark_is_built_where_the_mirror_has_none() {
    let bench = empty();
    let locked = with_mirror(&bench);
    bench.world.script("pull mirror.example:5000/hub/spark:4.1.4", Say::Fail("manifest unknown"));
    bench.world.script("digest of", Say::Fail("manifest unknown"));
    let supply = mirrored(ImageSource::Registry, Some(locked));
    let (made, notes) = get_from(&bench, &["spark", "minio"], &supply).await;
    assert_eq!(made.unwrap(), ["spark", "minio"], "{notes:?}");
    assert_eq!((bench.world.count("build spark"), bench.world.count("build minio")), (1, 0));
    bench.world.heal();
    bench.world.script("pull", Say::Fail("no such host"));
    // The mirror is asked again, but what is there will do.
    assert_eq!(get_from(&bench, &["spark", "minio"], &supply).await.0.unwrap(), Vec::<String>::new());
    let spark = image_state(&bench.world, &bench.catalogue, "spark", &supply).await.unwrap();
    assert!(matches!(spark, ImageState::Built { .. }), "{spark:?}");
}

#[tokio::test(start_paused = true)]
async fn spark_is_not_built_because_the_mirror_is_down() {
    let bench = empty();
    bench.world.script("pull", Say::Fail("connection refused"));
    let (code, text) = told(&get_from(&bench, &["spark"], &mirrored(ImageSource::Registry, None)).await.0.unwrap_err());
    assert!(code == 5 && text.starts_with("image spark cannot be pulled from mirror.example:5000"), "{code} {text}");
    assert_eq!(bench.world.count("build"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_digest_that_does_not_fit_names_both() {
    let bench = empty();
    let mut locked = with_mirror(&bench);
    let reference = "registry.k8s.io/pause:3.10.2";
    let there = locked.insert(reference.to_owned(), format!("sha256:{}", "f".repeat(64))).unwrap();
    bench.world.script("pull", Say::Fail("manifest for x not found: manifest unknown: manifest unknown"));
    let error = get_from(&bench, &["pause"], &mirrored(ImageSource::Registry, Some(locked))).await.0.unwrap_err();
    let (code, text) = told(&error);
    assert!(code == 5 && text.contains("it has another image than the one that is locked"), "{code} {text}");
    assert!(text.contains(&"f".repeat(64)) && text.contains(&there), "{text}");
    assert!(next(&error).contains("lab images lock"), "{}", next(&error));
}

#[tokio::test(start_paused = true)]
async fn a_missing_image_is_asked_for_once() {
    let bench = empty();
    bench.world.script("pull", Say::Fail("manifest unknown"));
    let started = Instant::now();
    let (_, text) = told(&get(&bench, &["pause"], ImageSource::Registry).await.0.unwrap_err());
    assert!(text.contains("registry.k8s.io: it has no such image"), "{text}");
    assert_eq!((bench.world.count("pull"), started.elapsed().as_secs()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn passing_trouble_is_waited_for_and_not_for_ever() {
    for (say, least, most) in [
        ("toomanyrequests: slow down", 21, 35),
        ("received unexpected HTTP status: 500 x", 5, 9),
        ("unexpected EOF", 5, 9),
    ] {
        let bench = empty();
        with_upstream(&bench);
        bench.world.script("pull", Say::Fail(say));
        let started = Instant::now();
        let error = get(&bench, &["pause"], ImageSource::Registry).await.0.unwrap_err();
        let took = started.elapsed().as_secs();
        assert!((least..=most).contains(&took), "{say}: {took} s");
        assert_eq!(bench.world.count("pull"), 4);
        assert!(told(&error).1.ends_with(say), "{error:#}");
        bench.world.heal();
        bench.world.script_times("pull", 2, Say::Fail(say));
        let (made, notes) = get(&bench, &["pause"], ImageSource::Registry).await;
        assert_eq!(made.unwrap(), ["pause"]);
        assert!(notes.iter().any(|note| note.contains("next try in")), "{notes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pull_that_stands_still_is_given_up() {
    let bench = empty();
    with_upstream(&bench);
    bench.world.script("pull", Say::HangAfter);
    let started = Instant::now();
    let error = get(&bench, &["pause"], ImageSource::Registry).await.0.unwrap_err();
    assert_eq!(started.elapsed().as_secs(), 60);
    assert_eq!(
        told(&error).1,
        "image pause cannot be pulled from registry.k8s.io: it stopped in the middle: nothing more came for 60 s"
    );
}

#[tokio::test(start_paused = true)]
async fn one_registry_that_is_down_is_no_reason_to_build_what_another_has() {
    let bench = empty();
    with_upstream(&bench);
    bench.world.script("pull registry.k8s.io", Say::Fail("x509: certificate signed by unknown authority"));
    get(&bench, &["pause", "etcd", "minio"], ImageSource::Auto).await.0.unwrap();
    assert_eq!(bench.world.count("pull registry.k8s.io"), 1);
    let built = ["pause", "etcd", "minio"].map(|name| bench.world.count(&format!("build {name}")));
    assert_eq!(built, [1, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn every_trouble_names_the_way_out() {
    for (say, way) in [
        ("no basic auth credentials", "docker login registry.k8s.io"),
        ("denied: requested access to the resource is denied", "docker login registry.k8s.io"),
        ("x509: certificate signed by unknown authority", "/etc/docker/certs.d/registry.k8s.io/ca.crt"),
        ("http: server gave HTTP response to HTTPS client", "insecure-registries"),
        ("toomanyrequests: ", "--registry-mirror"),
        ("connection refused", "lab up --images build"),
    ] {
        let bench = empty();
        bench.world.script("pull", Say::Fail(say));
        let error = get(&bench, &["pause"], ImageSource::Registry).await.0.unwrap_err();
        assert!(next(&error).contains(way), "{say}: {}", next(&error));
    }
}
