//! Images, and the lab's own registry that serves them to all nodes.

use std::time::Duration;

use super::Site;
use crate::step::{Action, Step};

pub fn steps(site: &Site<'_>) -> Vec<Step> {
    let all: Vec<String> = site.engine_images().into_iter().chain(site.node_images()).collect();
    vec![
        Step {
            id: "images",
            title: format!("{} images in the Docker engine", all.len()),
            needs: vec![],
            // A first build of everything takes half an hour on two cores.
            deadline: Duration::from_hours(2),
            action: Action::Images { names: all },
        },
        Step {
            id: "registry",
            title: "registry for the nodes".to_owned(),
            needs: vec!["network", "images"],
            deadline: Duration::from_mins(1),
            action: Action::Registry,
        },
        Step {
            id: "push",
            title: "images in the registry".to_owned(),
            needs: vec!["registry"],
            deadline: Duration::from_mins(15),
            action: Action::Push { names: site.node_images() },
        },
    ]
}
