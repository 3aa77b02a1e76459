//! The firewalls of the nodes.

use super::world::{Say, World};
use super::{Bench, told};
use crate::components::firewall::{RULES, UNIT};
use crate::event::{Event, Outcome};
use crate::ports::Output;
use crate::run::{DiffState as State, diff};
use crate::step::Action;

const NODE: &str = "lab-worker2";

/// Somebody's work on a node.
type Change = fn(&mut Vec<String>);

const CHANGES: [(&str, Change, State); 7] = [
    ("a rule less", |rules| drop(rules.remove(3)), State::Different),
    ("a rule more", |rules| rules.insert(2, "-A LAB-NODE -s 172.29.0.9/32 -j ACCEPT".to_owned()), State::Different),
    ("another order", |rules| rules.swap(1, 8), State::Different),
    ("a rule twice", |rules| rules.push(rules[8].clone()), State::Different),
    ("a way past it", |rules| rules.insert(0, "-A INPUT -j ACCEPT".to_owned()), State::Different),
    ("no way to it", |rules| drop(rules.remove(0)), State::Missing),
    ("nothing", Vec::clear, State::Missing),
];

fn file(path: &str) -> (String, String) {
    (NODE.to_owned(), path.to_owned())
}

fn rules(world: &World) -> Vec<String> {
    world.state().packet_rules[NODE].clone()
}

/// Carries out the step; what it came to.
async fn act(bench: &Bench) -> Outcome {
    bench.act(Action::Firewall).await.unwrap();
    let done = |event: &Event| match event {
        Event::StepDone { outcome, .. } => Some(outcome.clone()),
        _ => None,
    };
    bench.said.0.borrow().iter().rev().find_map(done).unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_node_and_nothing_else_has_one_and_a_second_look_only_reads() {
    for (bench, nodes) in [(Bench::small(), 2), (Bench::full(), 6)] {
        let bench = bench.made().await;
        assert_eq!(bench.world.state().packet_rules.len(), nodes);
        assert_eq!(act(&bench).await, Outcome::Unchanged(format!("{nodes} nodes closed")));
        assert_eq!(bench.world.changes(), Vec::<String>::new());
        assert_eq!(bench.world.count("exec"), nodes, "one look at each");
    }
}

#[tokio::test(start_paused = true)]
async fn what_somebody_changed_is_named_and_mended_on_that_node_alone() {
    for (name, change, state) in CHANGES {
        let bench = Bench::full().made().await;
        let wanted = rules(&bench.world);
        change(bench.world.state().packet_rules.get_mut(NODE).unwrap());
        let found = diff(&bench.run(), &bench.plan()).await.unwrap().differences;
        let told: Vec<_> = found.iter().map(|one| (one.step.as_str(), one.subject.as_str(), one.state)).collect();
        assert_eq!(told, [("firewall", "firewall of lab-worker2", state)], "{name}");
        let said = !found[0].fields.is_empty() || found[0].detail.is_some();
        assert_eq!(said, state == State::Different, "{name}: {found:?}");
        bench.world.heal();
        assert_eq!(act(&bench).await, Outcome::Changed("1 of 6 nodes closed".to_owned()), "{name}");
        assert!(bench.world.changes().iter().all(|call| call.contains(NODE)), "{name}: {:?}", bench.world.changes());
        assert_eq!(rules(&bench.world), wanted, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_is_not_as_it_was_is_named() {
    let bench = Bench::full().made().await;
    let rule = "-A LAB-NODE -s 172.29.0.9/32 -j ACCEPT";
    bench.world.state().packet_rules.get_mut(NODE).unwrap()[4] = rule.to_owned();
    let found = diff(&bench.run(), &bench.plan()).await.unwrap().differences;
    let fields = &found[0].fields;
    assert_eq!(fields.len(), 2, "{fields:?}");
    assert!(
        fields[0].live.is_null() && fields[0].wanted.as_str().unwrap().starts_with("-A LAB-NODE -s "),
        "{fields:?}"
    );
    assert!(fields[1].wanted.is_null() && fields[1].live == rule, "{fields:?}");
}

#[tokio::test(start_paused = true)]
async fn what_the_next_start_would_load_counts_as_well() {
    let unit = format!("/etc/systemd/system/multi-user.target.wants/{UNIT}");
    for path in [RULES, &unit] {
        let bench = Bench::full().made().await;
        bench.world.state().files.remove(&file(path));
        let found = diff(&bench.run(), &bench.plan()).await.unwrap().differences;
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].detail.as_ref().unwrap().contains("next start"), "{found:?}");
        assert_eq!(act(&bench).await, Outcome::Changed("1 of 6 nodes closed".to_owned()));
        assert!(bench.world.state().files.contains_key(&file(path)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_starts_has_it_again_by_itself() {
    let bench = Bench::full().made().await;
    let wanted = rules(&bench.world);
    bench.world.state().stop_all();
    bench.up().await.unwrap();
    assert_eq!(rules(&bench.world), wanted);
    assert_eq!(bench.world.count(&format!("write {NODE}")), 0);
}

#[tokio::test(start_paused = true)]
async fn an_earlier_lab_gets_it() {
    let bench = Bench::full().made().await;
    {
        let mut state = bench.world.state();
        state.packet_rules.clear();
        state.files.retain(|(_, path), _| !path.contains("lab-firewall"));
    }
    assert_eq!(act(&bench).await, Outcome::Changed("6 of 6 nodes closed".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_node_on_which_it_does_not_hold_is_named() {
    let answer = |code, stdout: &str, stderr: &str| {
        Say::Answer(Output { code, stdout: stdout.into(), stderr: stderr.to_owned() })
    };
    let load = format!("exec {NODE} sh");
    let look = format!("exec {NODE} bash");
    for (call, say, expected) in [
        (&look, Say::Fail("engine gone"), "engine gone"),
        (
            &look,
            answer(3, "--\n", "can't initialize iptables"),
            "its firewall cannot be read: can't initialize iptables",
        ),
        (&look, answer(0, "", ""), "no list of rules"),
        // Whatever is loaded, something else holds.
        (
            &look,
            answer(0, "--\n-A INPUT -j ACCEPT\n", ""),
            "was loaded and does not hold; docker exec lab-worker2 iptables",
        ),
        (&load, answer(1, "line 9 failed", ""), "its firewall cannot be loaded: line 9 failed"),
        (&load, Say::Hang, "not done within 60 s"),
        (&load, answer(75, "", "no bus"), "not done within 60 s; last seen: lab-worker2: no bus"),
    ] {
        let bench = Bench::full().made().await;
        bench.world.state().packet_rules.remove(NODE);
        bench.world.script(call, say);
        let (code, text) = told(&bench.act(Action::Firewall).await.unwrap_err());
        assert_eq!(code, 5, "{text}");
        assert!(text.contains(expected), "{text}");
        bench.world.heal();
        act(&bench).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_has_just_started_is_waited_for() {
    let bench = Bench::full().made().await;
    bench.world.state().packet_rules.remove(NODE);
    let early = Output { code: 75, stdout: Vec::new(), stderr: "no bus".to_owned() };
    bench.world.script_times(&format!("exec {NODE} sh"), 3, Say::Answer(early));
    assert_eq!(act(&bench).await, Outcome::Changed("1 of 6 nodes closed".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_stopped_node_is_another_steps_matter() {
    let bench = Bench::full().made().await;
    bench.world.state().container(NODE).running = false;
    let found = diff(&bench.run(), &bench.plan()).await.unwrap().differences;
    assert!(found.iter().all(|one| one.step != "firewall"), "{found:?}");
    let (code, text) = told(&bench.act(Action::Firewall).await.unwrap_err());
    assert_eq!((code, text.contains("lab-worker2 is not running")), (5, true), "{text}");
}
