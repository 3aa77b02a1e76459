//! Airflow when something happens to it, and in its other forms: tasks in pods of their own, DAGs from Git.

use super::pages;
use crate::airflow::Author;
use crate::lab::{Finished, Lab, docker, until};
use crate::{part, status_is_complete};

/// Holds a repository. Its name does not begin as those of the lab's own containers.
const GIT: &str = "git-for-lab-airflow";
/// On the lab's network, far from what Docker gives out; the network is opened for it.
const GIT_ADDRESS: &str = "172.30.82.200";
/// The repository, for a user with a password that JSON and shells would break on.
const SERVER: &str = include_str!("airflow/git_server.py");

/// What JSON, shells and addresses would break on.
const PASSWORD: &str = r#"a"b\c $(d) %s 'e@f/g"#;

#[test]
#[ignore = "needs Docker and minutes: make test-all"]
fn airflow_keeps_going() {
    let mut lab = Lab::new("lab-airflow", "ci", 82);
    remove_repository();
    lab.run(&["down", "--all"]).expect_code(0);
    part("Airflow: up with smoke test through it", || {
        lab.run(&["up", "--ci"]).expect_code(0).expect("through Airflow");
        status_is_complete(&lab, 4, 3);
    });
    part("Airflow: PageRank with the values of its params", || {
        let run = lab.run(&["dags", "run", "spark_pagerank", "--wait", "--ci"]);
        run.expect_code(0).expect("of DAG spark_pagerank: success").expect("ranks of 3 executors sum to 1.000000000");
    });
    part("Airflow: its pages in a browser, for each user", || pages::each_user_sees_what_it_may(&lab));
    part("Airflow: a scheduler that is killed", || a_killed_scheduler_costs_no_result(&lab));
    part("Airflow: the object store is down during a push", || a_push_without_object_store_loses_nothing(&lab));
    part("Airflow: a login for Git that nobody made", || {
        start_repository(&lab);
        lab.config = form(&lab, &format!("{{executor: kubernetes, dags: {{git: {{url: '{}', secret: git}}}}}}", url()));
        lab.run(&["up", "--ci"]).expect_code(3).expect("Secret airflow/git is not there").expect("create secret");
    });
    part("Airflow: a Git repository that refuses it", || {
        make_login(&lab, "wrong");
        lab.run(&["up", "--ci"]).expect_code(5).expect("cannot read the DAGs of").expect("Authentication failed");
    });
    part("Airflow: DAGs from a private Git repository, tasks in pods", || {
        make_login(&lab, PASSWORD);
        lab.run(&["up", "--ci"]).expect_code(0);
        tasks_run_in_pods_of_their_own(&lab);
    });
    part("Airflow: a Git repository that is gone", || {
        remove_repository();
        lab.run(&["up", "--ci"]).expect_code(5).expect("cannot read the DAGs of").expect("next:");
        // What was read before stays, and the other sources go on.
        lab.run(&["dags", "run", "hello", "--wait", "--ci"]).expect_code(0).expect("of DAG hello: success");
    });
    part("Airflow: down --all", || {
        lab.run(&["down", "--all"]).expect_code(0);
    });
}

/// The second try finds the application that the first one has begun.
fn a_killed_scheduler_costs_no_result(lab: &Lab) {
    let applications = || lab.kubectl(&["get", "sparkapplications", "-n", "spark-jobs", "-o", "name"]);
    let before = applications();
    let mut command = lab.command(&["dags", "run", "spark_pi", "--wait", "--ci"]);
    std::thread::scope(|scope| {
        let run = scope.spawn(|| Finished::of(&mut command));
        let running = ["get", "pods", "-n", "spark-jobs", "-l", "spark-role=driver,dag_id=spark_pi", "--no-headers"];
        until("a driver that runs", || lab.kubectl(&running).contains("Running"));
        let kill = ["delete", "pod", "-n", "airflow", "-l", "app.kubernetes.io/component=scheduler"];
        let killed = lab.kubectl(&[kill.as_slice(), &["--grace-period=0", "--force"]].concat());
        assert!(killed.contains("deleted"), "{killed}");
        let finished = run.join().expect("it only follows the run");
        finished.expect_code(0).expect("running, try 2").expect("of DAG spark_pi: success");
    });
    let new = applications().lines().filter(|name| !before.contains(*name)).count();
    assert_eq!(new, 1, "{}", applications());
}

/// It says so, and what was there before goes on afterwards.
fn a_push_without_object_store_loses_nothing(lab: &Lab) {
    let author = Author::of(lab);
    author.write_returning("first text");
    author.push(0);
    lab.kubectl(&["scale", "statefulset", "minio", "-n", "object-store", "--replicas=0"]);
    lab.kubectl(&["wait", "pod/minio-0", "-n", "object-store", "--for=delete", "--timeout=120s"]);
    author.write_returning("second text");
    author.push(5).0.expect("object-store").expect("next:");
    lab.run(&["up", "--ci"]).expect_code(0);
    author.run("first text");
    author.push(0);
    author.run("second text");
}

/// A configuration like `ci` with this below `spec.airflow`.
fn form(lab: &Lab, airflow: &str) -> String {
    let path = lab.state().join("form.yaml");
    let head = "apiVersion: lab/v1alpha2\nkind: Lab\nmetadata: {name: lab-airflow}\nspec:";
    let text = format!(
        "{head}\n  cluster: {{controlPlanes: 1}}\n  network: {{egress: '{GIT_ADDRESS}/32:8080'}}\n  airflow: {airflow}\n"
    );
    fs_err::write(&path, text).expect("a file");
    path.to_string_lossy().into_owned()
}

fn url() -> String {
    format!("http://{GIT}:8080/dags.git")
}

/// A container on the lab's network that is no part of the lab.
fn start_repository(lab: &Lab) {
    let image = docker(&["images", "--quiet", "lab/airflow"]);
    let image = image.lines().next().expect("an image").to_owned();
    let password = format!("PASSWORD={PASSWORD}");
    let run = ["run", "--detach", "--name", GIT, "--network", lab.name, "--ip", GIT_ADDRESS, "--env", &password];
    docker(&[run.as_slice(), &["--entrypoint", "python3", &image, "-c", SERVER]].concat());
    until("a repository that answers", || docker(&["logs", GIT]).contains("serving"));
}

fn remove_repository() {
    docker(&["rm", "--force", "--volumes", GIT]);
}

fn make_login(lab: &Lab, password: &str) {
    lab.kubectl(&["delete", "secret", "git", "-n", "airflow", "--ignore-not-found"]);
    let (user, password) = ("--from-literal=username=lab", format!("--from-literal=password={password}"));
    let made = lab.kubectl(&["create", "secret", "generic", "git", "-n", "airflow", user, &password]);
    assert!(made.contains("created"), "{made}");
}

/// A DAG of the repository has its task in a pod, whose log outlives it.
fn tasks_run_in_pods_of_their_own(lab: &Lab) {
    until("a DAG of the repository", || {
        let listing = crate::daily::data(lab, &["dags", "list"]);
        let dags = listing["dags"].as_array().expect("a list");
        dags.iter().any(|dag| dag["dag"] == "from_git" && dag["source"] == "git")
    });
    let finished = lab.run(&["dags", "run", "from_git", "--wait", "--ci"]);
    finished.expect_code(0).expect("of DAG from_git: success").expect("in a pod of its own: from-git-");
    until("its pod has gone", || !lab.kubectl(&["get", "pods", "-n", "airflow"]).contains("from-git-"));
    lab.run(&["dags", "logs", "from_git"]).expect_code(0).expect("a line of its log");
    lab.run(&["dags", "run", "spark_pi", "--wait", "--ci"]).expect_code(0).expect("of DAG spark_pi: success");
}
