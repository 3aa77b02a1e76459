//! The firewalls of the nodes in the world in memory: files, a unit that loads them, and rules that hold.

use lab::components::firewall::{RULES, UNIT};
use lab::ports::Output;

use super::State;

/// The file by which systemd knows that the unit is enabled.
fn enabled() -> String {
    format!("/etc/systemd/system/multi-user.target.wants/{UNIT}")
}

/// What systemd does when a node starts: the rules of before are gone with its network.
pub fn start(state: &mut State, container: &str) {
    state.packet_rules.remove(container);
    if state.files.contains_key(&(container.to_owned(), enabled())) {
        load(state, container);
    }
}

/// Enables the unit, and loads the rules.
pub fn enable(state: &mut State, container: &str) -> Output {
    let Some(unit) = state.files.get(&(container.to_owned(), format!("/etc/systemd/system/{UNIT}"))) else {
        return Output { code: 1, stderr: format!("Unit {UNIT} not found."), ..Output::default() };
    };
    state.files.insert((container.to_owned(), enabled()), unit.clone());
    load(state, container);
    Output::default()
}

/// The two chains that the file names are emptied and filled; others stay.
fn load(state: &mut State, container: &str) {
    let file = state.files.get(&(container.to_owned(), RULES.to_owned())).cloned().unwrap_or_default();
    let text = String::from_utf8_lossy(&file).into_owned();
    let rules = text.lines().filter(|line| line.starts_with("-A ")).map(str::to_owned);
    state.packet_rules.insert(container.to_owned(), rules.collect());
}

/// The files, a line, and the rules.
pub fn look(state: &State, container: &str, files: [&str; 2]) -> Output {
    let read = |path: &str| state.files.get(&(container.to_owned(), path.to_owned())).cloned().unwrap_or_default();
    let mut stdout = files.map(read).concat();
    let rules = state.packet_rules.get(container).map(|rules| rules.join("\n")).unwrap_or_default();
    stdout.extend(format!("--\n-P INPUT ACCEPT\n-N KUBE-KUBELET-CANARY\n{rules}\n").bytes());
    Output { stdout, ..Output::default() }
}
