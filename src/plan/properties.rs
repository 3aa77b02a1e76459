//! What holds for every plan, whatever the steps and the configuration.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::subsequence;

use super::{ordered, up};
use crate::components::Site;
use crate::config::{self, Overrides};
use crate::images::Catalogue;
use crate::step::{Action, Step};

const NAMES: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];

fn step(id: &'static str, needs: Vec<&'static str>) -> Step {
    let deadline = std::time::Duration::from_secs(1);
    Step { id, title: id.to_owned(), needs, deadline, action: Action::Network }
}

/// Steps whose needs come before them in the alphabet, shuffled.
fn sound() -> impl Strategy<Value = Vec<Step>> {
    let needs = |position: usize| subsequence(NAMES[..position].to_vec(), 0..=position.min(4));
    let steps: Vec<_> = (0..NAMES.len()).map(needs).collect();
    let named =
        |needs: Vec<Vec<&'static str>>| NAMES.iter().zip(needs).map(|(id, needs)| step(id, needs)).collect::<Vec<_>>();
    steps.prop_map(named).prop_shuffle()
}

/// Any steps at all: circles, unknown needs and double names included.
fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    let one = (proptest::sample::select(&NAMES[..]), subsequence(NAMES.to_vec(), 0..3));
    proptest::collection::vec(one.prop_map(|(id, needs)| step(id, needs)), 0..10)
}

fn ids(steps: &[Step]) -> Vec<&'static str> {
    steps.iter().map(|step| step.id).collect()
}

/// True where each step comes after all it needs, and no name comes twice.
fn is_in_order(steps: &[Step]) -> bool {
    let mut done = BTreeSet::new();
    steps.iter().all(|step| step.needs.iter().all(|need| done.contains(need)) && done.insert(step.id))
}

proptest! {
    #[test]
    fn needs_always_come_first_and_nothing_is_lost(steps in sound()) {
        let plan = ordered(steps.clone()).unwrap();
        prop_assert!(is_in_order(&plan));
        prop_assert_eq!(ids(&plan).into_iter().collect::<BTreeSet<_>>(), ids(&steps).into_iter().collect());
        prop_assert_eq!(plan.len(), steps.len());
    }

    #[test]
    fn a_plan_of_a_plan_is_the_plan(steps in sound()) {
        let once = ordered(steps).unwrap();
        prop_assert_eq!(ids(&ordered(once.clone()).unwrap()), ids(&once));
    }

    #[test]
    fn what_cannot_be_ordered_is_refused_and_what_can_is_not(steps in any_steps()) {
        match ordered(steps.clone()) {
            Ok(plan) => {
                prop_assert!(is_in_order(&plan));
                prop_assert_eq!(plan.len(), steps.len());
            }
            Err(error) => {
                // By another way: take away whatever can run until nothing can.
                let mut left = steps;
                let mut done = BTreeSet::new();
                let mut twice = false;
                while let Some(next) = left.iter().position(|step| step.needs.iter().all(|need| done.contains(need))) {
                    twice |= !done.insert(left.remove(next).id);
                }
                prop_assert!(twice || !left.is_empty(), "{error}");
            }
        }
    }

}

proptest! {
    // Each reads all definitions of the API's kinds, which takes a while.
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn every_configuration_that_is_accepted_has_a_plan(
        control_planes in proptest::sample::select(&[1, 3, 5][..]),
        workers in 1..=12,
        cni in proptest::sample::select(&["kube-router", "kindnet"][..]),
        [operator, store, airflow, smoke] in any::<[bool; 4]>(),
    ) {
        let text = format!(
            "apiVersion: lab/v1alpha1\nkind: Lab\nmetadata: {{name: lab}}\nspec:\n  \
             cluster: {{controlPlanes: {control_planes}, workers: {workers}, cni: {cni}}}\n  \
             sparkOperator: {{enabled: {operator}}}\n  objectStore: {{enabled: {store}}}\n  \
             airflow: {{enabled: {airflow}}}\n  smoke: {{enabled: {smoke}}}\n"
        );
        let loaded = config::load(&text, "test", &Overrides::default());
        // The smoke job needs Spark Operator and object store, Airflow the object store.
        prop_assert_eq!(loaded.is_ok(), (!smoke || (operator && store)) && (!airflow || store));
        if let Ok(lab) = loaded {
            let plan = up(&Site { lab: &lab, catalogue: &Catalogue::load().unwrap() }).unwrap();
            prop_assert!(is_in_order(&plan.steps));
            let has = |id| plan.steps.iter().any(|step| step.id == id);
            let there = [has("spark-operator"), has("object-store"), has("airflow"), has("smoke")];
            prop_assert_eq!(there, [operator, store, airflow, smoke]);
        }
    }
}
