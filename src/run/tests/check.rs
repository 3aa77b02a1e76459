//! What must hold before anything is made: every problem at once.

use std::collections::BTreeMap;

use super::world::{Machine, Say, container};
use super::{Bench, next, told};
use crate::ports::Network;
use crate::run::check_host;

async fn problems(bench: &Bench, machine: &Machine) -> String {
    match check_host(&bench.run(), machine).await {
        Ok(()) => String::new(),
        Err(error) => {
            let (code, text) = told(&error);
            assert_eq!(code, 4, "{text}");
            assert!(next(&error).starts_with("make setup"));
            text
        }
    }
}

fn network(name: &str, subnet: &str) -> Network {
    Network { name: name.to_owned(), subnet: subnet.to_owned(), labels: BTreeMap::new() }
}

#[tokio::test(start_paused = true)]
async fn a_good_machine_has_no_problems() {
    let bench = Bench::full();
    bench.world.state().networks.push(network("bridge", "172.17.0.0/16"));
    bench.world.state().networks.push(network("none", ""));
    assert_eq!(problems(&bench, &Machine::default()).await, "");
    assert_eq!(bench.world.changes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn all_problems_are_listed_at_once() {
    let bench = Bench::full();
    {
        let mut state = bench.world.state();
        state.engine.version = "20.10.24+dfsg1".to_owned();
        state.engine.memory = 4 << 30;
        state.networks.push(network("office", "172.29.0.0/16"));
        state.containers.push(container("lab", "lab-control-plane", "kind", 9));
        state.containers[0].running = false;
    }
    bench.world.script("kind version", Say::Fail("starting kind: No such file or directory"));
    let settings = BTreeMap::from([("fs.inotify.max_user_instances", 128), ("fs.inotify.max_user_watches", 65536)]);
    let machine = Machine { taken: vec![16443, 15000], settings, disk: Some(3 << 30) };
    let expected = "\
not fit for lab lab:
  Docker engine is 20.10.24+dfsg1, 23 or newer is needed: make setup
  kind cannot be run (starting kind: No such file or directory): make setup
  Docker has 4.0 GiB of memory, this lab needs 6.4 GiB: give Docker more, or lab up --config lab-configs/small.yaml
  fs.inotify.max_user_instances is 128, 512 is needed: sudo sysctl -w fs.inotify.max_user_instances=512
  fs.inotify.max_user_watches is 65536, 524288 is needed: sudo sysctl -w fs.inotify.max_user_watches=524288
  3.0 GiB of disk free at /var/lib/docker, 12.0 GiB are needed: docker system df
  lab-control-plane belongs to another kind cluster called lab: choose --name
  port 16443 for the API is taken: choose --api-port
  port 15000 for the registry is taken: choose --registry-port
  subnet 172.29.0.0/24 overlaps Docker network office (172.29.0.0/16): choose --subnet";
    assert_eq!(problems(&bench, &machine).await, expected);
    assert_eq!(bench.world.changes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn versions_of_kind_are_told_apart() {
    for (version, problem) in
        [("0.32.1", "kind is 0.32.1, 0.33 is needed"), ("0.33.7", ""), ("0.34.0", ""), ("1.0.0", "")]
    {
        let bench = Bench::small();
        bench.world.state().kind = version.to_owned();
        let found = problems(&bench, &Machine::default()).await;
        assert!(found.contains(problem) && found.is_empty() == problem.is_empty(), "{version}: {found}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_lab_holds_itself_counts_as_free() {
    let bench = Bench::full().made().await;
    let machine = Machine { taken: vec![16443, 15000], disk: Some(1 << 30), ..Machine::default() };
    assert_eq!(problems(&bench, &machine).await, "");
}

#[tokio::test(start_paused = true)]
async fn ports_taken_while_the_lab_is_stopped_are_a_problem() {
    let bench = Bench::small().made().await;
    bench.world.state().stop_all();
    let machine = Machine { taken: vec![16443, 15000], ..Machine::default() };
    let found = problems(&bench, &machine).await;
    assert!(found.contains("port 16443") && found.contains("port 15000"), "{found}");
}

#[tokio::test(start_paused = true)]
async fn another_lab_beside_this_one_is_no_problem() {
    let other = Bench::small().made().await;
    let mut bench = Bench::small();
    bench.lab.name = "second".to_owned();
    bench.lab.cluster.subnet = "172.30.0.0/24".parse().unwrap();
    *bench.world.state() = std::mem::take(&mut *other.world.state());
    assert_eq!(problems(&bench, &Machine::default()).await, "");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_measured_is_no_problem() {
    let machine = Machine { disk: None, ..Machine::default() };
    assert_eq!(problems(&Bench::small(), &machine).await, "");
}
