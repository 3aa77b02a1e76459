//! The world in memory, which most tests of the engine stand on, answers as the real doors do: the same questions are
//! put to both, through the same traits. What was answered is kept in `contract/answers.txt`, so that the world in
//! memory is held against it without Docker as well.

mod addresses;
mod admission;
mod answers;
mod cluster;
mod containers;
mod hands;
mod images;
mod inside;
mod jobs;
mod networks;
mod objects;
mod pods;
mod registry;
mod scene;
mod silence;

use std::path::{Path, PathBuf};
use std::time::Duration;

use lab::exec::{self, host};
use tokio::runtime::{Builder, Runtime};

use self::answers::Answers;
use self::hands::Hands;
use self::scene::Scene;
use crate::lab::{Lab, docker};
use crate::part;
use crate::world::World;

/// The lab's name, and how everything begins that the questions make.
const NAME: &str = "lab-contract";
/// Not the registry's, and nobody's.
const PORTS: [u16; 2] = [15480, 15481];
/// How long something may take that happens by itself.
const PATIENCE: Duration = Duration::from_mins(2);

#[test]
fn the_world_in_memory_answers_as_written_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::default();
    let scene = Scene::new(&world, folder.path());
    for image in scene.catalogue.all() {
        world.state().add_image(&scene.image(&image.name));
    }
    // Time stands still but for waiting.
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build();
    hold(&ask(&runtime.expect("a runtime"), &scene));
}

#[test]
#[ignore = "needs Docker and minutes: make test-all"]
fn the_real_ones_answer_as_written_down() {
    let lab = Lab::new(NAME, "small", 80);
    lab.run(&["down", "--all"]).expect_code(0);
    // The engine made it without a label.
    docker(&["volume", "rm", networks::VOLUME]);
    let state = lab.kubeconfig().parent().expect("a folder").to_owned();
    host::make_private_folder(&state).expect("a folder of state");
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let world = runtime.block_on(exec::World::connect(lab.kubeconfig())).expect("an engine");
    part("contract: the engine, kind and the API", || {
        let answers = ask(&runtime, &Scene::new(&world, &state));
        // Only what is real may change them.
        if host::variable("LAB_GOLDEN").as_deref() == Some("write") {
            fs_err::write(file(), answers.text()).expect("a file");
        }
        hold(&answers);
    });
    part("contract: down --all", || {
        lab.run(&["down", "--all"]).expect_code(0);
    });
}

/// Puts all questions, in this order: some are about what others made.
fn ask<P: Hands>(runtime: &Runtime, scene: &Scene<'_, P>) -> Answers {
    let mut answers = Answers::default();
    runtime.block_on(async {
        networks::ask(scene, &mut answers).await;
        images::ask(scene, &mut answers).await;
        containers::ask(scene, &mut answers).await;
        inside::ask(scene, &mut answers).await;
        addresses::ask(scene, &mut answers).await;
        scene.up(&mut answers).await;
        registry::ask(scene, &mut answers).await;
        objects::ask(scene, &mut answers).await;
        admission::ask(scene, &mut answers).await;
        pods::ask(scene, &mut answers).await;
        jobs::ask(scene, &mut answers).await;
        silence::ask(scene, &mut answers).await;
        cluster::ask(scene, &mut answers).await;
    });
    answers
}

/// Where the answers are written down.
fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/long/contract/answers.txt")
}

fn hold(answers: &Answers) {
    let differences = answers.differences(&fs_err::read_to_string(file()).expect("the answers"));
    eprintln!("   {} answers, {} of them others than written down", answers.count(), differences.len());
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
