//! An API that does not answer, since its node stands still.

use lab::components::STORE_NAMESPACE;
use lab::ports::{Clusters as _, Kind, Kube as _, LogQuery};
use serde_json::json;

use super::NAME;
use super::answers::Answers;
use super::hands::Hands;
use super::scene::Scene;

pub async fn ask<P: Hands>(scene: &Scene<'_, P>, answers: &mut Answers) {
    let kube = scene.ports.kube();
    answers.about("silence");
    scene.ports.stop(&format!("{NAME}-control-plane"));
    answers.add("stop the control plane", "by hand");
    let object =
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "namespace": "default", "name": "x" } });
    let (namespace, pod) = (STORE_NAMESPACE, "minio-0");
    answers.told("get", kube.get(&object).await);
    answers.told("apply", kube.apply(&object).await);
    answers.told("delete", kube.delete(&object).await);
    answers.told("list", kube.list(&Kind::NODE, None, "").await);
    answers.told("log", kube.logs(namespace, pod, None, 1).await);
    answers.told("read a log", kube.read_log(namespace, pod, &LogQuery::default(), &mut drop).await);
    answers.told("forward", kube.forward(namespace, pod, 9000).await.map(drop));
    answers.told("exec", kube.exec(namespace, pod, &["mc", "ready", "lab"], b"").await);
    answers.told("kubeconfig", scene.ports.clusters().kubeconfig(NAME).await);
}
