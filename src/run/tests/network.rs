//! The lab's network and its neighbours.

use std::collections::BTreeMap;

use super::{Bench, next, told};
use crate::components::LABEL;
use crate::ports::Network;
use crate::step::Action;

fn network(name: &str, subnet: &str, lab: Option<&str>) -> Network {
    let labels = lab.map(|lab| (LABEL.to_owned(), lab.to_owned())).into_iter().collect::<BTreeMap<_, _>>();
    Network { name: name.to_owned(), subnet: subnet.to_owned(), labels }
}

/// Runs the step beside a network that is there already; it must leave that as it is.
async fn beside(existing: Network) -> (u8, String, String) {
    let bench = Bench::small();
    bench.world.state().networks.push(existing.clone());
    let error = bench.act(Action::Network).await.unwrap_err();
    assert_eq!(bench.world.changes(), Vec::<String>::new());
    assert_eq!(bench.world.state().networks, [existing]);
    let (code, text) = told(&error);
    (code, text, next(&error))
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_network_of_the_same_name_is_not_touched() {
    for owner in [None, Some("another")] {
        let (code, text, next) = beside(network("lab", "172.29.0.0/24", owner)).await;
        assert_eq!((code, text.as_str()), (4, "Docker network lab exists and is not of this lab"));
        assert!(next.contains("--name"), "{next}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_network_of_another_subnet_is_a_matter_of_configuration() {
    let (code, text, next) = beside(network("lab", "172.28.0.0/24", Some("lab"))).await;
    assert_eq!(code, 3);
    assert!(text.contains("has subnet 172.28.0.0/24, the configuration says 172.29.0.0/24"), "{text}");
    assert_eq!(next, "lab down --all --name lab, then lab up --name lab");
}

#[tokio::test(start_paused = true)]
async fn the_network_is_made_once_with_its_label() {
    let bench = Bench::small();
    for _ in 0..2 {
        bench.act(Action::Network).await.unwrap();
    }
    assert_eq!(bench.world.changes(), ["create network lab"]);
    assert_eq!(bench.world.state().networks, [network("lab", "172.29.0.0/24", Some("lab"))]);
}
