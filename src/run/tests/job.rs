//! Jobs as people run them, and their templates.

use super::world::restricted::violations;
use super::world::{JobEnd, Say};
use super::{Bench, told};
use crate::components::JOBS_NAMESPACE;
use crate::event::Event;
use crate::jobs::Job;
use crate::render;
use crate::run::job;
use crate::step::Action;

pub fn pi() -> Job {
    Job::sample("pi").unwrap().unwrap()
}

/// A lab that stands, with a job that ends like this.
async fn ending(end: JobEnd) -> (Bench, u8, String) {
    let bench = Bench::small().made().await;
    bench.world.state().jobs.end = end;
    let (code, text) = told(&bench.act(Action::Job(pi())).await.unwrap_err());
    (bench, code, text)
}

#[tokio::test(start_paused = true)]
async fn a_job_is_followed_to_its_end() {
    let bench = Bench::small().made().await;
    bench.act(Action::Job(pi())).await.unwrap();
    let said = bench.said.0.borrow();
    assert!(said.iter().any(|event| matches!(event, Event::JobLog { line } if line == "reading the input")));
    assert!(bench.world.changes().iter().all(|call| call.contains(JOBS_NAMESPACE)), "{:?}", bench.world.changes());
}

#[tokio::test(start_paused = true)]
async fn its_files_belong_to_it_and_go_with_it() {
    let bench = Bench::small().made().await;
    bench.act(Action::Job(pi())).await.unwrap();
    let state = bench.world.state();
    let application = state.objects.values().rfind(|object| object["kind"] == "SparkApplication").unwrap();
    let name = application["metadata"]["name"].as_str().unwrap();
    let files = state.object("ConfigMap", JOBS_NAMESPACE, name).unwrap();
    assert!(files["data"]["job.py"].is_string());
    assert_eq!(files["metadata"]["ownerReferences"][0]["uid"], application["metadata"]["uid"]);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_cannot_be_submitted_says_why() {
    let (_, code, text) = ending(JobEnd::Refused).await;
    assert!(code == 5 && text.contains("SUBMISSION_FAILED webhook denied the driver"), "{code} {text}");
}

#[tokio::test(start_paused = true)]
async fn a_driver_without_a_node_says_what_is_missing() {
    let (_, code, text) = ending(JobEnd::Waits).await;
    assert_eq!(code, 5);
    assert!(text.contains("not done within 60 s; last seen: pi-"), "{text}");
    assert!(text.contains("Unschedulable Insufficient cpu"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_never_ends_meets_its_deadline() {
    let (_, code, text) = ending(JobEnd::Runs).await;
    assert!(code == 5 && text.contains("not done within 60 s") && text.contains("RUNNING"), "{code} {text}");
}

#[tokio::test(start_paused = true)]
async fn a_log_that_breaks_off_fails_no_job() {
    let bench = Bench::small().made().await;
    bench.world.script("follow", Say::Fail("connection reset"));
    bench.act(Action::Job(pi())).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_log_that_never_ends_holds_no_job_up() {
    let bench = Bench::small().made().await;
    bench.world.script("follow", Say::Hang);
    bench.act(Action::Job(pi())).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_lost_answer_of_the_api_fails_no_job() {
    let bench = Bench::small().made().await;
    bench.world.script_times("get SparkApplication", 1, Say::Fail("connection reset"));
    bench.act(Action::Job(pi())).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_job_that_somebody_deletes_is_missed() {
    let bench = Bench::small().made().await;
    let template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other, namespace: spark-jobs}".to_owned();
    let job = Job { template, ..pi() };
    let (code, text) = told(&bench.act(Action::Job(job)).await.unwrap_err());
    assert!(code == 5 && text.contains("was deleted while it ran"), "{code} {text}");
}

#[tokio::test(start_paused = true)]
async fn a_template_with_an_unknown_variable_is_a_matter_of_configuration() {
    let bench = Bench::small().made().await;
    let job = Job { template: "name: {{nmae}}".to_owned(), ..pi() };
    let (code, text) = told(&bench.act(Action::Job(job)).await.unwrap_err());
    assert!(code == 3 && text.contains("job pi: application.yaml cannot be used"), "{code} {text}");
    assert!(text.contains("nmae"), "{text}");
    assert_eq!(bench.world.changes(), Vec::<String>::new());
}

#[test]
fn sample_jobs_are_rendered_strictly_and_admitted_under_restricted() {
    let bench = Bench::small();
    for name in Job::samples() {
        let job = Job::sample(&name).unwrap().unwrap();
        let values = job::values(&bench.run(), "job-1").unwrap();
        let objects = render::objects(&job.template, &values).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let application = objects.iter().find(|object| object["kind"] == "SparkApplication").unwrap();
        for role in ["driver", "executor"] {
            let pod = &application["spec"][role]["template"];
            assert!(pod["spec"]["containers"].is_array(), "{name}, {role}: {pod}");
            assert_eq!(violations(pod), Vec::<String>::new(), "{name}, {role}");
        }
        assert_eq!(application["spec"]["executor"]["instances"], 3, "{name}");
        assert_eq!(application["spec"]["image"], bench.catalogue.reference("spark").unwrap(), "{name}");
        // Keys reach Spark as environment and in no other way.
        let settings = format!("{} {}", application["spec"]["sparkConf"], application["spec"]["hadoopConf"]);
        assert!(!settings.contains("access.key") && !settings.contains("secret"), "{name}: {settings}");
    }
}

#[test]
fn names_of_runs_are_short_and_differ() {
    let (one, other) = (job::unique_name(&"x".repeat(60)), job::unique_name(&"x".repeat(60)));
    assert!(one.len() <= 47, "{one}");
    assert_ne!(one, other);
}
