//! Commands, files and logs in containers.

use anyhow::Result;
use lab::components::LABEL;
use lab::ports::{Docker as _, LogQuery, Output};
use serde_json::{Value, json};

use super::answers::Answers;
use super::containers::{ONE, TWO, spec};
use super::hands::Hands;
use super::scene::Scene;
use super::{NAME, PORTS};

const FILE: &str = "/kind/lab-contract";

pub async fn ask<P: Hands>(scene: &Scene<'_, P>, answers: &mut Answers) {
    let docker = scene.ports.docker();
    answers.about("inside");
    answers.told("run one", docker.run_container(&spec(scene, ONE, 200, PORTS[0])).await);
    answers.told("is a file there", docker.has_file(ONE, FILE).await);
    answers.told("write it", docker.write_file(ONE, FILE, b"text\n").await);
    answers.told("is it there now", docker.has_file(ONE, FILE).await);
    answers.told("read it", docker.exec(ONE, &["cat", FILE]).await.map(|output| short(&output)));
    answers.told(
        "read one that is not there",
        docker.exec(ONE, &["cat", "/kind/nothing"]).await.map(|output| short(&output)),
    );
    answers.told("run what is no program", docker.exec(ONE, &["no-such-program"]).await.map(|output| output.code));
    answers.told("the last line of its log", log(scene, ONE).await);
    answers.told("the same, as one text", docker.logs(ONE, 1).await.map(|text| text.lines().count()));
    answers.value("inspect it", docker.inspect(ONE).await.map(|value| state(&value)));
    scene.ports.stop(ONE);
    answers.add("stop it", "by hand");
    answers.told("is the file still there", docker.has_file(ONE, FILE).await);
    answers.told("write another", docker.write_file(ONE, "/kind/lab-contract-2", b"").await);
    answers.told("is that there", docker.has_file(ONE, "/kind/lab-contract-2").await);
    answers.told("read the file", docker.exec(ONE, &["cat", FILE]).await.map(|output| short(&output)));
    answers.told("the last line of its log", log(scene, ONE).await);
    answers.value("inspect it", docker.inspect(ONE).await.map(|value| state(&value)));
    answers.told("remove it", docker.remove_container(ONE).await);

    answers.about("inside of what is not there");
    answers.told("is a file there", docker.has_file(TWO, FILE).await);
    answers.told("write it", docker.write_file(TWO, FILE, b"text\n").await);
    answers.told("run something", docker.exec(TWO, &["cat", FILE]).await.map(|output| short(&output)));
    answers.told("read its log", log(scene, TWO).await);
    answers.told("the same, as one text", docker.logs(TWO, 1).await);
    answers.value("inspect it", docker.inspect(TWO).await.map(|value| state(&value)));

    answers.about("privileged");
    for (question, image, program) in [
        ("what does its work", "base", "true"),
        ("what fails", "base", "false"),
        ("of an image that is not there", "", "true"),
    ] {
        let image = if image.is_empty() { "lab/nothing:1".to_owned() } else { scene.image(image) };
        let tried = docker.try_privileged(TWO, &image, (LABEL, NAME), &[program]).await;
        answers.told(question, tried.map(|output| output.code));
        let left = docker.containers(&format!("{LABEL}={NAME}")).await;
        answers.told("what is left of it", left.map(|list| list.len()));
    }
}

/// The exit code, and the first line of what was printed.
fn short(output: &Output) -> (i64, String) {
    (output.code, output.text().lines().next().unwrap_or_default().to_owned())
}

fn state(inspected: &Value) -> Value {
    json!([inspected["Name"], inspected["State"]["Running"], inspected["Config"]["Env"].is_array()])
}

/// How many lines the last line of a log is.
async fn log<P: Hands>(scene: &Scene<'_, P>, container: &str) -> Result<usize> {
    let mut lines = 0;
    let query = LogQuery { tail: Some(1), ..LogQuery::default() };
    scene.ports.docker().read_log(container, &query, &mut |_| lines += 1).await?;
    Ok(lines)
}
