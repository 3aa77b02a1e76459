//! The lab's own Docker network, and the addresses of its containers.

use std::time::Duration;

use super::Site;
use crate::step::{Action, Step};

pub fn steps(site: &Site<'_>) -> Vec<Step> {
    vec![
        Step {
            id: "network",
            title: format!("Docker network {} ({})", site.lab.name, site.lab.cluster.subnet),
            needs: vec![],
            deadline: Duration::from_secs(30),
            action: Action::Network,
        },
        Step {
            id: "addresses",
            title: "addresses pinned".to_owned(),
            needs: vec!["cluster"],
            deadline: Duration::from_mins(1),
            action: Action::Addresses,
        },
    ]
}
