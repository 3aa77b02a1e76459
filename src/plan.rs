//! The plan: all steps of a lab, checked and in an order in which they can run.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, bail};
use schemars::JsonSchema;
use serde::Serialize;

use crate::components::{
    Site, airflow, cluster, firewall, network, object_store, people, policies, postgres, registry, smoke,
    spark_operator,
};
use crate::step::{Action, Step};

/// Steps in an order in which each comes after those it needs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Plan {
    pub lab: String,
    pub steps: Vec<Step>,
}

/// What `lab up` does.
///
/// # Errors
/// When a component's templates or needs are malformed, which tests rule out.
pub fn up(site: &Site<'_>) -> Result<Plan> {
    let mut steps = network::steps(site);
    steps.extend(registry::steps(site));
    steps.extend(cluster::steps(site)?);
    steps.push(firewall::step());
    steps.extend(cluster::prefetch(site)?);
    steps.push(Step {
        id: "namespaces",
        title: "namespaces, Pod Security restricted".to_owned(),
        needs: vec!["addresses"],
        deadline: Duration::from_mins(1),
        action: Action::Apply { objects: site.namespaces()?, ready: vec![] },
    });
    steps.push(policies::step(site)?);
    steps.extend(people::steps(site)?);
    steps.extend(spark_operator::steps(site)?);
    let secrets = [object_store::secrets(site), postgres::secrets(site), airflow::secrets(site)].concat();
    if !secrets.is_empty() {
        steps.push(Step {
            id: "credentials",
            title: "credentials, random and made once".to_owned(),
            needs: vec!["namespaces"],
            deadline: Duration::from_mins(1),
            action: Action::Credentials { secrets },
        });
    }
    steps.extend(object_store::steps(site)?);
    steps.extend(postgres::steps(site)?);
    steps.extend(airflow::steps(site)?);
    steps.extend(smoke::steps(site));
    Ok(Plan { lab: site.lab.name.clone(), steps: ordered(steps)? })
}

/// Sorts steps so that needs come first; otherwise keeps the order given.
fn ordered(mut steps: Vec<Step>) -> Result<Vec<Step>> {
    let mut done = BTreeSet::new();
    let mut result = Vec::new();
    while !steps.is_empty() {
        let met = |step: &Step| step.needs.iter().all(|need| done.contains(need));
        let Some(position) = steps.iter().position(met) else {
            let stuck: Vec<String> = steps.iter().map(|step| format!("{} needs {:?}", step.id, step.needs)).collect();
            bail!("these steps can never start: {}", stuck.join("; "));
        };
        let step = steps.remove(position);
        if !done.insert(step.id) {
            bail!("two steps are called {}", step.id);
        }
        result.push(step);
    }
    Ok(result)
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    fn step(id: &'static str, needs: &[&'static str]) -> Step {
        let deadline = Duration::from_secs(1);
        Step { id, title: id.to_owned(), needs: needs.to_vec(), deadline, action: Action::Network }
    }

    #[test]
    fn needs_come_first() {
        let steps = ordered(vec![step("b", &["a"]), step("a", &[])]).unwrap();
        assert_eq!(steps.iter().map(|step| step.id).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_circle_is_refused() {
        let error = ordered(vec![step("a", &["b"]), step("b", &["a"])]).unwrap_err();
        assert!(error.to_string().contains("can never start"), "{error}");
    }

    #[test]
    fn an_unknown_need_is_refused() {
        assert!(ordered(vec![step("a", &["missing"])]).is_err());
    }

    #[test]
    fn two_steps_of_one_name_are_refused() {
        assert!(ordered(vec![step("a", &[]), step("a", &[])]).is_err());
    }
}
