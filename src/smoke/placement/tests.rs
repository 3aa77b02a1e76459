use super::*;

fn pods(nodes: &[&str]) -> Vec<Pod> {
    let pod = |(number, node): (i32, &&str)| Pod { name: format!("exec-{number}"), node: Some((*node).to_owned()) };
    (1..).zip(nodes).map(pod).collect()
}

fn work(records: &[u32]) -> Vec<Work> {
    let work = |(number, records): (i32, &u32)| Work {
        executor: number.to_string(),
        pod: format!("exec-{number}"),
        tasks: 10,
        records: *records,
        seconds: 0.5,
    };
    (1..).zip(records).map(work).collect()
}

/// The problems of executors on these nodes that processed so much of 300 records, with so many worker nodes.
fn problems_of(nodes: &[&str], records: &[u32], workers: usize) -> Vec<String> {
    let work = work(records);
    problems(&executors(&pods(nodes), &work), &work, workers)
}

fn problems(executors: &[Executor], work: &[Work], workers: usize) -> Vec<String> {
    claims(executors, work, Vec::new(), workers, 300).into_iter().flat_map(|claim| claim.problems).collect()
}

#[test]
fn each_problem_speaks_against_its_own_claim() {
    let work = work(&[150, 140]);
    let claims = claims(&executors(&pods(&["a", "a"]), &work), &work, vec!["not read".to_owned()], 3, 300);
    let spoken: Vec<(&str, usize)> = claims.iter().map(|claim| (claim.id.as_str(), claim.problems.len())).collect();
    assert_eq!(spoken, [("executors", 1), ("nodes", 1), ("work", 2)]);
}

#[test]
fn three_executors_spread_over_the_nodes_pass() {
    assert_eq!(problems_of(&["a", "b", "c"], &[100, 90, 110], 3), [""; 0]);
    assert_eq!(problems_of(&["a", "b", "c"], &[100, 90, 110], 12), [""; 0]);
    assert_eq!(problems_of(&["a", "b", "a"], &[100, 90, 110], 2), [""; 0]);
    assert_eq!(problems_of(&["a", "a", "a"], &[100, 90, 110], 1), [""; 0]);
}

#[test]
fn two_executors_fail() {
    let problems = problems_of(&["a", "b"], &[150, 150], 3);
    assert_eq!(problems, ["2 executor pods ran, not 3", "the executors ran on 2 nodes, not on 3: {\"a\", \"b\"}"]);
}

#[test]
fn replaced_executor_fails() {
    assert_eq!(problems_of(&["a", "b", "c", "a"], &[100, 100, 100, 9], 3), ["4 executor pods ran, not 3"]);
}

#[test]
fn idle_executor_fails() {
    assert_eq!(problems_of(&["a", "b", "c"], &[150, 150], 3), ["executor exec-3 processed no records"]);
    assert_eq!(problems_of(&["a", "b", "c"], &[150, 0, 150], 3), ["executor exec-2 processed no records"]);
}

#[test]
fn crowded_nodes_fail() {
    let problems = problems_of(&["a", "b", "a"], &[100, 100, 100], 3);
    assert_eq!(problems, ["the executors ran on 2 nodes, not on 3: {\"a\", \"b\"}"]);
}

#[test]
fn pod_without_node_fails() {
    let mut pods = pods(&["a", "b", "c"]);
    pods[2].node = None;
    let work = work(&[100, 100, 100]);
    let problems = problems(&executors(&pods, &work), &work, 3);
    assert_eq!(problems, ["the executors ran on 2 nodes, not on 3: {\"a\", \"b\"}"]);
}

#[test]
fn work_of_an_unknown_pod_fails() {
    let problems = problems_of(&["a", "b", "c"], &[100, 100, 100, 1], 3);
    assert_eq!(problems, ["exec-4 reported work, but the cluster had no such executor pod"]);
}

#[test]
fn unprocessed_records_fail_and_repeated_ones_do_not() {
    assert_eq!(problems_of(&["a", "b", "c"], &[100, 100, 99], 3), ["the executors processed 299 of 300 records"]);
    assert_eq!(problems_of(&["a", "b", "c"], &[100, 100, 150], 3), [""; 0]);
}
