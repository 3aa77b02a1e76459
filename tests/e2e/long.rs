//! What takes long: labs of other sizes, and a lab that was cut short, lost a node, or was restarted.
//! `make test-all` runs these, one after the other.

mod airflow;
mod browser;
mod contract;
mod faults;
mod faulty;
mod pages;
mod registry;
mod slips;

use super::lab::{Lab, docker, lines};
use super::{part, status_is_complete};

/// Cluster and registry, and nothing on them.
const BARE: &str = "\
apiVersion: lab/v1alpha2
kind: Lab
metadata: {name: lab-long}
spec:
  cluster: {controlPlanes: 1, workers: 1}
  sparkOperator: {enabled: false}
  objectStore: {enabled: false}
  airflow: {enabled: false}
  smoke: {enabled: false}
";

/// The lab that all tests here use; what a failed one left is removed first.
fn fresh(config: &str) -> Lab {
    let lab = Lab::new("lab-long", config, 78);
    lab.run(&["down", "--all"]).expect_code(0);
    lab
}

fn up(lab: &Lab) {
    lab.run(&["up", "--ci"]).expect_code(0);
}

fn down(lab: &Lab) {
    lab.run(&["down", "--all"]).expect_code(0);
    assert!(lab.containers().is_empty());
}

#[test]
#[ignore = "needs Docker and minutes: make test-all"]
fn a_small_lab_gets_its_components_later() {
    let mut lab = fresh("small");
    let bare = lab.state().join("bare.yaml");
    fs_err::write(&bare, BARE).expect("a configuration");
    lab.config = bare.to_string_lossy().into_owned();
    part("1 + 1 nodes, all components off: up", || {
        up(&lab);
        let status = lab.status();
        assert_eq!(status["nodes"].as_array().map(Vec::len), Some(2), "{status:#}");
        assert_eq!(status["components"].as_array().map(Vec::len), Some(0), "{status:#}");
        assert_eq!(lab.containers(), ["lab-long-control-plane", "lab-long-registry", "lab-long-worker"]);
        assert!(lab.kubectl(&["get", "namespace", "spark-jobs"]).contains("NotFound"));
    });
    lab.config = "small".to_owned();
    part("1 + 1 nodes, the components switched on: up", || {
        up(&lab);
        status_is_complete(&lab, 2, 1);
    });
    part("1 + 1 nodes: down --all", || down(&lab));
}

#[test]
#[ignore = "needs Docker and minutes: make test-all"]
fn a_lab_for_continuous_integration() {
    let lab = fresh("ci");
    part("1 + 3 nodes: up", || {
        up(&lab);
        status_is_complete(&lab, 4, 3);
    });
    part("1 + 3 nodes: down --all", || down(&lab));
}

#[test]
#[ignore = "needs Docker and minutes: make test-all"]
fn slips_are_found() {
    let lab = fresh("ci");
    part("slips: up", || up(&lab));
    slips::are_found(&lab);
    part("slips: down --all", || down(&lab));
}

#[test]
#[ignore = "needs Docker and minutes: make test-all"]
fn what_breaks_comes_back() {
    let tags = || lines(&docker(&["images", "--format", "{{.Repository}}:{{.Tag}}"]));
    let lab = fresh("full");
    let before = tags();
    part("3 + 3 nodes: Ctrl-C while kind makes the cluster", || {
        lab.interrupt(&["up", "--ci"], "Starting control-plane").expect_code(130).expect("goes on from here");
    });
    part("3 + 3 nodes: up goes on to the same end", || {
        up(&lab);
        status_is_complete(&lab, 6, 3);
        assert_eq!(tags(), before, "kind's name for the load balancer is only lent");
    });
    part("3 + 3 nodes: up starts a stopped worker again", || {
        docker(&["stop", "lab-long-worker2"]);
        lab.run(&["status"]).expect_code(5).expect("container is stopped");
        up(&lab);
        status_is_complete(&lab, 6, 3);
    });
    part("3 + 3 nodes: all containers restarted, same addresses, a new smoke job passes", || {
        let before = addresses(&lab);
        restart_everything(&lab);
        let up = lab.run(&["up", "--ci", "--smoke"]);
        up.expect_code(0).expect("[firewall] as it was: 6 nodes closed");
        status_is_complete(&lab, 6, 3);
        assert_eq!(addresses(&lab), before);
    });
    part("3 + 3 nodes: down --all", || down(&lab));
}

/// Stands in for a restart of Docker. Started in the opposite order, so that an address that is not pinned changes.
fn restart_everything(lab: &Lab) {
    let containers = lab.containers();
    let names: Vec<&str> = containers.iter().map(String::as_str).collect();
    docker(&[&["stop"], names.as_slice()].concat());
    for name in names.iter().rev() {
        docker(&["start", name]);
    }
}

/// Name and address of every container of the lab.
fn addresses(lab: &Lab) -> Vec<String> {
    let format = "{{range .Containers}}{{.Name}} {{.IPv4Address}}\n{{end}}";
    let mut all = lines(&docker(&["network", "inspect", "--format", format, lab.name]));
    all.retain(|line| !line.is_empty());
    all.sort();
    all
}
