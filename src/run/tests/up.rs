//! A lab from nothing, again, and after a restart; matrix.rs has the interruptions.

use std::collections::BTreeSet;

use super::Bench;
use crate::config;
use crate::event::{Event, Outcome};
use crate::run::cluster;

#[tokio::test(start_paused = true)]
async fn a_fresh_lab_reaches_the_end() {
    for bench in [Bench::small(), Bench::full()] {
        bench.up().await.unwrap();
        assert_eq!(bench.said.started().len(), bench.plan().steps.len());
        assert!(matches!(bench.said.0.borrow().last(), Some(Event::RunDone { .. })));
        let mut expected = cluster::expected(&bench.run());
        expected.push("lab-registry".to_owned());
        let state = bench.world.state();
        assert_eq!(
            state.container_names().into_iter().collect::<BTreeSet<_>>(),
            expected.iter().map(String::as_str).collect()
        );
        assert!(state.containers.iter().all(|one| one.addresses["lab"].pinned == one.addresses["lab"].current));
        assert!(state.object("StatefulSet", "object-store", "minio").is_some());
        assert_eq!(state.users["spark-jobs"], "spark-jobs");
    }
}

#[tokio::test(start_paused = true)]
async fn no_step_starts_before_what_it_needs_is_done() {
    let bench = Bench::full();
    bench.up().await.unwrap();
    let plan = bench.plan();
    let mut done = BTreeSet::new();
    for event in bench.said.0.borrow().iter() {
        match event {
            Event::StepStarted { id, .. } => {
                let step = plan.steps.iter().find(|step| step.id == id).unwrap();
                assert!(step.needs.iter().all(|need| done.contains(*need)), "{id} started after {done:?}");
            }
            Event::StepDone { id, .. } => drop(done.insert(id.clone())),
            _ => {}
        }
    }
    assert_eq!(done.len(), plan.steps.len());
}

#[tokio::test(start_paused = true)]
async fn a_second_up_changes_nothing() {
    for bench in [Bench::small(), Bench::full()] {
        let bench = bench.made().await;
        bench.up().await.unwrap();
        assert_eq!(bench.world.changes(), Vec::<String>::new());
        for event in bench.said.0.borrow().iter() {
            match event {
                Event::StepDone { id, outcome, .. } => {
                    assert!(matches!(outcome, Outcome::Unchanged(_)), "{id} {outcome:?}");
                }
                Event::RunDone { changed, unchanged, .. } => {
                    assert_eq!((*changed, *unchanged), (0, bench.plan().steps.len()));
                }
                _ => {}
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn amounts_in_another_notation_are_the_same() {
    let text =
        config::SMALL.replace("airflow:\n    enabled: false", "airflow:\n    parallelism: 1\n    storage: 1024Mi");
    let bench = Bench::of(&text).made().await;
    // The API server writes them shorter.
    let live = format!("{:?}", bench.world.state().objects);
    assert!(!live.contains("1024Mi") && live.contains("1Gi"), "{live}");
    bench.up().await.unwrap();
    assert_eq!(bench.world.changes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn every_api_server_is_waited_for_and_one_that_is_broken_is_not() {
    let bench = Bench::full().made().await;
    let mut looked = Vec::new();
    for (late, seconds) in [(3, 1), (u32::MAX, 60)] {
        bench.world.heal();
        bench.world.state().late_api_servers.insert("lab-control-plane2".to_owned(), late);
        let started = tokio::time::Instant::now();
        bench.up().await.unwrap();
        assert_eq!(started.elapsed().as_secs(), seconds);
        looked.push(
            bench.said.notes().contains(&"the API of lab-control-plane2 does not answer yet: Forbidden".to_owned()),
        );
    }
    assert_eq!(looked, [true, true]);
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_containers_are_started_and_nothing_else_changes() {
    let bench = Bench::full().made().await;
    bench.world.state().stop_all();
    bench.up().await.unwrap();
    let (starts, others): (Vec<_>, Vec<_>) =
        bench.world.changes().into_iter().partition(|call| call.starts_with("start container"));
    assert_eq!(starts.len(), 8, "{starts:?}");
    assert_eq!(others, Vec::<String>::new());
}

/// The user of the jobs may use the bucket of now, and not that of before.
#[tokio::test(start_paused = true)]
async fn a_bucket_of_another_name_changes_what_its_user_may_do() {
    let mut bench = Bench::small().made().await;
    let policy = |bench: &Bench| bench.world.state().policies["spark-jobs"].to_string();
    assert!(policy(&bench).contains("arn:aws:s3:::lab/*"), "{}", policy(&bench));
    bench.lab.object_store.bucket = "data".to_owned();
    bench.up().await.unwrap();
    assert!(policy(&bench).contains("arn:aws:s3:::data/*"), "{}", policy(&bench));
    assert!(!policy(&bench).contains("arn:aws:s3:::lab/*"), "{}", policy(&bench));
}
