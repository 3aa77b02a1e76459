//! A job that ends well, and one that does not: what the operator leaves to be seen.

use std::time::Duration;

use lab::components::JOBS_NAMESPACE;
use lab::jobs::Job;
use lab::plan::Plan;
use lab::ports::{Kind, Kube as _};
use lab::step::{Action, Step};
use serde_json::{Value, json};

use super::NAME;
use super::answers::Answers;
use super::hands::Hands;
use super::objects::{object, until};
use super::scene::Scene;

const APPLICATION: Kind = Kind::new("sparkoperator.k8s.io", "v1beta2", "SparkApplication");

pub async fn ask<P: Hands>(scene: &Scene<'_, P>, answers: &mut Answers) {
    answers.about("job that ends well");
    look(scene, answers, "smoke-").await;
    answers.about("job that fails");
    scene.ports.let_jobs_fail();
    let job = Job {
        name: "broken".to_owned(),
        files: [("job.py".to_owned(), "raise SystemExit('no such table')\n".to_owned())].into(),
        ..Job::sample("pi").expect("a sample").expect("a job")
    };
    let step = Step {
        id: "job",
        title: "a job that fails".to_owned(),
        needs: Vec::new(),
        deadline: Duration::from_mins(5),
        action: Action::Job(job),
    };
    answers.told("run it", scene.carry_out(&Plan { lab: NAME.to_owned(), steps: vec![step] }).await.map(drop));
    look(scene, answers, "broken-").await;
}

/// What there is of a job that has ended, and that it goes with its application.
async fn look<P: Hands>(scene: &Scene<'_, P>, answers: &mut Answers, start: &str) {
    let kube = scene.ports.kube();
    let applications = kube.list(&APPLICATION, Some(JOBS_NAMESPACE), "").await.unwrap_or_default();
    let name = |object: &Value| object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let Some(application) = applications.into_iter().find(|one| name(one).starts_with(start)) else {
        return answers.add("its application", "none");
    };
    let name = name(&application);
    let state = &application["status"]["applicationState"];
    answers.add("its state", format!("{}, {}", state["state"], state["errorMessage"]));
    answers.told("its driver", pods(scene, &name, "driver").await);
    answers.told("its executors", pods(scene, &name, "executor").await);
    let files = object("v1", "ConfigMap", JOBS_NAMESPACE, &name, json!({}));
    let owner =
        kube.get(&files).await.map(|live| live.unwrap_or_default()["metadata"]["ownerReferences"][0]["kind"].take());
    answers.value("whose are its files", owner);
    let id = object("sparkoperator.k8s.io/v1beta2", "SparkApplication", JOBS_NAMESPACE, &name, json!({}));
    answers.told("delete it", kube.delete(&id).await);
    let gone = until(async || {
        let pods = kube.list(&Kind::POD, Some(JOBS_NAMESPACE), &format!("sparkoperator.k8s.io/app-name={name}")).await;
        pods.is_ok_and(|pods| pods.is_empty()) && kube.get(&files).await.is_ok_and(|live| live.is_none())
    });
    answers.add("are its pods and files gone", gone.await);
}

/// Name, phase, node and exit code of the pods in a role.
async fn pods<P: Hands>(scene: &Scene<'_, P>, application: &str, role: &str) -> anyhow::Result<Vec<String>> {
    let labels = format!("spark-role={role},sparkoperator.k8s.io/app-name={application}");
    let pods = scene.ports.kube().list(&Kind::POD, Some(JOBS_NAMESPACE), &labels).await?;
    let mut pods: Vec<String> = pods
        .iter()
        .map(|pod| {
            let name = pod["metadata"]["name"].as_str().unwrap_or_default().replace(application, "job");
            let code = &pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"];
            format!(
                "{name} {} exit code {code} on a node {}",
                pod["status"]["phase"],
                pod["spec"]["nodeName"].is_string()
            )
        })
        .collect();
    pods.sort();
    Ok(pods)
}
