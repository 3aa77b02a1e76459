//! Images in the engine, and how they are built.

use anyhow::Result;
use lab::ports::{Build, Builder as _, Docker as _, Image};

use super::answers::Answers;
use super::hands::Hands;
use super::scene::Scene;

/// A tag of the questions.
const TAG: &str = "lab-contract/image:1";
/// Of a registry on loopback, that no registry of other people is asked for it.
const MISSING: &str = "127.0.0.1:9/nothing:1";

pub async fn ask<P: Hands>(scene: &Scene<'_, P>, answers: &mut Answers) {
    let docker = scene.ports.docker();
    let base = scene.image("base");
    answers.about("image");
    let described = |image: Image| image.id.starts_with("sha256:") && image.id.len() == 71 && image.size > 0;
    answers.told("look at one", docker.image(&base).await.map(|image| image.map(described)));
    answers.told("look at one that is not there", docker.image(MISSING).await);
    answers.told("give it another name", docker.tag(&base, TAG).await);
    answers.told("is it the same", same(scene, &base, TAG).await);
    answers.told("give that name to another", docker.tag(&scene.image("registry"), TAG).await);
    answers.told("is it the same", same(scene, &base, TAG).await);
    answers.told("take the name away", docker.remove_tag(TAG).await);
    answers.told("look at the name", docker.image(TAG).await);
    answers.told("take away what is not there", docker.remove_tag(MISSING).await);
    answers.told("name what is not there", docker.tag(MISSING, TAG).await);

    let builder = scene.ports.builder();
    answers.about("build");
    let is_version = |version: String| version.split('.').filter_map(|part| part.parse::<u32>().ok()).count() > 1;
    answers.told("which version", builder.version().await.map(is_version));
    let folder = scene.state.join("recipe");
    fs_err::create_dir_all(&folder).expect("a folder");
    let recipe = Build {
        name: "contract".to_owned(),
        folder: folder.clone(),
        tag: TAG.to_owned(),
        contexts: vec![("base".to_owned(), base)],
        labels: vec![("dev.lab.contract".to_owned(), "yes".to_owned())],
    };
    answers.told("without a recipe", builder.build(&recipe, &mut drop).await);
    fs_err::write(folder.join("Dockerfile"), "FROM base\nRUN true\n").expect("a recipe");
    let mut said = 0;
    answers.told("with one", builder.build(&recipe, &mut |_| said += 1).await);
    answers.add("does it say how far it is", said > 0);
    let label = |image: Image| image.labels.get("dev.lab.contract").cloned();
    answers.told("its label", docker.image(TAG).await.map(|image| image.and_then(label)));
    answers.told("take it away", docker.remove_tag(TAG).await);
    let missing = Build { contexts: vec![("base".to_owned(), MISSING.to_owned())], ..recipe };
    answers.told("on an image that is not there", builder.build(&missing, &mut drop).await);
    for (question, script) in [("make a root", "tar c --files-from /dev/null\n"), ("make none", "exit 3\n")] {
        let path = scene.state.join("script");
        fs_err::write(&path, script).expect("a script");
        answers.told(question, builder.bootstrap(&path, TAG).await);
        answers.told("is it there", docker.image(TAG).await.map(|image| image.is_some()));
        answers.told("take it away", docker.remove_tag(TAG).await);
    }
}

async fn same<P: Hands>(scene: &Scene<'_, P>, one: &str, other: &str) -> Result<bool> {
    let docker = scene.ports.docker();
    Ok(docker.image(one).await?.map(|image| image.id) == docker.image(other).await?.map(|image| image.id))
}
