//! Logs of pods, ports of pods, and commands in pods.

use std::time::Duration;

use anyhow::Result;
use lab::components::STORE_NAMESPACE;
use lab::ports::{Kube as _, LogQuery, Output};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::answers::Answers;
use super::hands::Hands;
use super::scene::Scene;

const POD: &str = "minio-0";
/// How long a port takes at most to say something.
const SAYS: Duration = Duration::from_secs(10);

pub async fn ask<P: Hands>(scene: &Scene<'_, P>, answers: &mut Answers) {
    let kube = scene.ports.kube();
    answers.about("log of a pod");
    let tail = LogQuery { tail: Some(1), ..LogQuery::default() };
    let previous = LogQuery { previous: true, ..LogQuery::default() };
    let other = LogQuery { container: Some("other".to_owned()), ..LogQuery::default() };
    for (question, pod, query) in [
        ("its last line", POD, &tail),
        ("before it was restarted, which it was not", POD, &previous),
        ("of a container that it has not", POD, &other),
        ("of a pod that is not there", "nobody", &tail),
    ] {
        let mut lines = 0;
        let read = kube.read_log(STORE_NAMESPACE, pod, query, &mut |_| lines += 1).await;
        answers.told(question, read.map(|()| lines));
    }
    let lines =
        async |pod, container| kube.logs(STORE_NAMESPACE, pod, container, 1).await.map(|text| text.lines().count());
    answers.told("its last line, as one text", lines(POD, None).await);
    answers.told("of a container that it has not, as one text", lines(POD, Some("other")).await);
    answers.told("of a pod that is not there, as one text", lines("nobody", None).await);

    answers.about("port of a pod");
    answers.told("one that listens", says(scene, POD, 9000).await);
    answers.told("one that nobody listens on", says(scene, POD, 9).await);
    answers.told("of a pod that is not there", says(scene, "nobody", 9000).await);

    answers.about("command in a pod");
    for (question, pod, argv, input) in [
        ("one that does its work", POD, vec!["mc", "ready", "lab"], ""),
        ("write", POD, vec!["mc", "pipe", "lab/lab/contract"], "text\n"),
        ("read", POD, vec!["mc", "cat", "lab/lab/contract"], ""),
        ("remove", POD, vec!["mc", "rm", "--recursive", "--force", "lab/lab/contract"], ""),
        ("read what is not there", POD, vec!["mc", "cat", "lab/lab/contract"], ""),
        ("list a bucket that is not there", POD, vec!["mc", "ls", "lab/nothing"], ""),
        ("of a pod that is not there", "nobody", vec!["mc", "ready", "lab"], ""),
    ] {
        let output = kube.exec(STORE_NAMESPACE, pod, &argv, input.as_bytes()).await;
        answers
            .told(question, output.map(|output: Output| (output.code, argv[1] == "cat" && output.text() == "text\n")));
    }
}

/// Whether something comes back from a port, and otherwise why not.
async fn says<P: Hands>(scene: &Scene<'_, P>, pod: &str, port: u16) -> Result<bool> {
    let mut forward = scene.ports.kube().forward(STORE_NAMESPACE, pod, port).await?;
    let talk = async {
        forward.stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
        anyhow::Ok(forward.stream.read(&mut [0; 1]).await? > 0)
    };
    tokio::select! {
        // A refusal ends the stream as well, and says more.
        biased;
        Some(why) = &mut forward.refused => anyhow::bail!(why),
        said = timeout(SAYS, talk) => said?,
    }
}
