//! The lab's registry: what the engine pushes there, and what can be had from it.

use lab::ports::{Docker as _, Registry as _};

use super::PORTS;
use super::answers::Answers;
use super::hands::Hands;
use super::scene::Scene;

pub async fn ask<P: Hands>(scene: &Scene<'_, P>, answers: &mut Answers) {
    let (docker, registry) = (scene.ports.docker(), scene.ports.registry());
    let port = scene.lab.registry.port;
    let name = |port, tag| format!("127.0.0.1:{port}/contract/image:{tag}");
    let (there, other) = (name(port, 1), name(port, 2));
    let nowhere = name(PORTS[0], 1);
    answers.about("registry");
    answers.told("a tag that is not there", registry.digest(port, "contract/image", "1").await);
    answers.told("push what is not there", docker.push(&there).await);
    answers.told("its name", docker.tag(&scene.image("pause"), &there).await);
    answers.told("push it", docker.push(&there).await);
    let is_digest = |digest: &String| digest.starts_with("sha256:");
    let digest = registry.digest(port, "contract/image", "1").await.ok().flatten();
    answers.told("is its tag there", Ok(digest.as_ref().map(is_digest)));
    answers.told("another tag", registry.digest(port, "contract/image", "2").await);
    let remote = docker.remote_digest(&there).await;
    answers.told("does the engine find the same", remote.map(|remote| remote == digest));
    answers.told("of what is not there", docker.remote_digest(&other).await);
    answers.told("take the name away", docker.remove_tag(&there).await);
    let mut said = 0;
    answers.told("pull it", docker.pull(&there, &mut |_| said += 1).await);
    answers.add("does it say how far it is", said > 0);
    answers.told("is it there", docker.image(&there).await.map(|image| image.is_some()));
    answers.told("take the name away", docker.remove_tag(&there).await);
    answers.told("pull what is not there", docker.pull(&other, &mut drop).await);

    answers.about("registry that does not listen");
    answers.told("a tag", registry.digest(PORTS[0], "contract/image", "1").await);
    answers.told("a name for it", docker.tag(&scene.image("pause"), &nowhere).await);
    answers.told("push", docker.push(&nowhere).await);
    answers.told("take the name away", docker.remove_tag(&nowhere).await);
    answers.told("its digest", docker.remote_digest(&nowhere).await);
    answers.told("pull", docker.pull(&nowhere, &mut drop).await);
}
