//! The job that proves the lab.

use std::time::Duration;

use super::Site;
use crate::step::{Action, Step};

pub fn steps(site: &Site<'_>) -> Vec<Step> {
    if !site.lab.smoke.enabled {
        return Vec::new();
    }
    let airflow = &site.lab.airflow;
    let mut needs = vec!["spark-operator", "bucket", "nodes", "prefetch"];
    if airflow.enabled && airflow.dags.samples {
        needs.extend(["airflow", "sample-dags"]);
    }
    vec![Step {
        id: "smoke",
        title: "PageRank with three executors, answer compared".to_owned(),
        needs,
        deadline: Duration::from_mins(10),
        action: Action::Smoke,
    }]
}
