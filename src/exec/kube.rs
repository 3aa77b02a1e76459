//! The Kubernetes API of the lab's own cluster.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use futures::{AsyncBufReadExt as _, FutureExt as _};
use http_body_util::BodyExt as _;
use hyper::header::{ACCEPT, CONTENT_TYPE};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use kube::api::{
    Api, ApiResource, AttachParams, DeleteParams, DynamicObject, ListParams, LogParams, Patch, PatchParams,
};
use kube::core::GroupVersionKind;
use kube::{Client, Config};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::ports::{Answer, Forward, Kind, Kube, LogQuery, Method, Output, Request};

/// The field manager under which objects are applied.
const FIELD_MANAGER: &str = "lab";

/// Kinds that live in no namespace; every other kind that we use does.
const CLUSTER_SCOPED: [&str; 12] = [
    "Namespace",
    "Node",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
    "StorageClass",
    "PersistentVolume",
    "CertificateSigningRequest",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
];

/// Clients made from the lab's kubeconfig file and from texts that are handed in, and from nothing else.
pub struct KubeApi {
    kubeconfig: PathBuf,
    /// Text of a kubeconfig → the client made from it; a new cluster brings a new text.
    clients: tokio::sync::Mutex<BTreeMap<String, Client>>,
}

impl KubeApi {
    pub fn new(kubeconfig: PathBuf) -> Self {
        Self { kubeconfig, clients: tokio::sync::Mutex::default() }
    }

    async fn client(&self) -> Result<Client> {
        self.client_of(&fs_err::read_to_string(&self.kubeconfig)?).await
    }

    /// One client for each: what it keeps open is used again.
    async fn client_of(&self, text: &str) -> Result<Client> {
        let mut clients = self.clients.lock().await;
        if let Some(client) = clients.get(text) {
            return Ok(client.clone());
        }
        let kubeconfig = kube::config::Kubeconfig::from_yaml(text)?;
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await?;
        config.connect_timeout = Some(Duration::from_secs(5));
        // It listens on loopback, where no proxy leads; the client would take one from the environment.
        config.proxy_url = None;
        let client = Client::try_from(config)?;
        clients.insert(text.to_owned(), client.clone());
        Ok(client)
    }

    async fn api_of(&self, object: &Value) -> Result<Api<DynamicObject>> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let version = text("/apiVersion").ok_or_else(|| anyhow!("object without apiVersion"))?;
        let kind = text("/kind").ok_or_else(|| anyhow!("object without kind"))?;
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        self.api(group, version, kind, text("/metadata/namespace")).await
    }

    async fn api(&self, group: &str, version: &str, kind: &str, namespace: Option<&str>) -> Result<Api<DynamicObject>> {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let client = self.client().await?;
        Ok(match namespace {
            Some(namespace) if !CLUSTER_SCOPED.contains(&kind) => Api::namespaced_with(client, namespace, &resource),
            _ => Api::all_with(client, &resource),
        })
    }

    async fn pods(&self, namespace: &str) -> Result<Api<k8s_openapi::api::core::v1::Pod>> {
        Ok(Api::namespaced(self.client().await?, namespace))
    }
}

/// Kind, namespace and name as people write them: `Deployment spark-operator/controller`.
pub fn describe(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let name = text("/metadata/name").unwrap_or("?");
    let kind = text("/kind").unwrap_or("?");
    text("/metadata/namespace").map_or_else(|| format!("{kind} {name}"), |space| format!("{kind} {space}/{name}"))
}

fn name_of(object: &Value) -> Result<&str> {
    object.pointer("/metadata/name").and_then(Value::as_str).ok_or_else(|| anyhow!("object without name"))
}

impl Kube for KubeApi {
    async fn get(&self, object: &Value) -> Result<Option<Value>> {
        let api = self.api_of(object).await?;
        match api.get_opt(name_of(object)?).await {
            Ok(live) => Ok(live.map(serde_json::to_value).transpose()?),
            // A kind that the API does not know yet answers 404 without an object.
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            Err(error) => Err(anyhow!(error).context(format!("reading {}", describe(object)))),
        }
    }

    async fn apply(&self, object: &Value) -> Result<Value> {
        let api = self.api_of(object).await?;
        let parameters = PatchParams::apply(FIELD_MANAGER).force();
        let live = api
            .patch(name_of(object)?, &parameters, &Patch::Apply(object))
            .await
            .with_context(|| format!("applying {}", describe(object)))?;
        Ok(serde_json::to_value(live)?)
    }

    async fn delete(&self, object: &Value) -> Result<()> {
        let api = self.api_of(object).await?;
        match api.delete(name_of(object)?, &DeleteParams::background()).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(anyhow!(error).context(format!("deleting {}", describe(object)))),
        }
    }

    async fn approve(&self, request: &str, reason: &str) -> Result<()> {
        let requests: Api<CertificateSigningRequest> = Api::all(self.client().await?);
        let condition = json!({ "type": "Approved", "status": "True", "reason": "Lab", "message": reason });
        let patch = Patch::Merge(json!({ "status": { "conditions": [condition] } }));
        let approved = requests.patch_approval(request, &PatchParams::default(), &patch).await;
        approved.map(drop).with_context(|| format!("approving CertificateSigningRequest {request}"))
    }

    async fn list(&self, kind: &Kind, namespace: Option<&str>, labels: &str) -> Result<Vec<Value>> {
        let api = self.api(kind.group, kind.version, kind.kind, namespace).await?;
        match api.list(&ListParams::default().labels(labels)).await {
            Ok(list) => Ok(list.items.into_iter().map(serde_json::to_value).collect::<Result<_, _>>()?),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(Vec::new()),
            Err(error) => Err(anyhow!(error).context(format!("listing {}", kind.kind))),
        }
    }

    async fn logs(&self, namespace: &str, pod: &str, container: Option<&str>, lines: i64) -> Result<String> {
        let parameters =
            LogParams { tail_lines: Some(lines), container: container.map(str::to_owned), ..LogParams::default() };
        let pods = self.pods(namespace).await?;
        pods.logs(pod, &parameters)
            .await
            .map_err(plain)
            .with_context(|| format!("reading the log of {namespace}/{pod}"))
    }

    async fn read_log(&self, namespace: &str, pod: &str, query: &LogQuery, line: &mut dyn FnMut(String)) -> Result<()> {
        let parameters = LogParams {
            follow: query.follow,
            previous: query.previous,
            tail_lines: query.tail.map(i64::from),
            since_seconds: query.since.map(|since| i64::try_from(since.as_secs().max(1))).transpose()?,
            container: query.container.clone(),
            ..LogParams::default()
        };
        let stream = self.pods(namespace).await?.log_stream(pod, &parameters).await.map_err(plain)?;
        let (mut stream, mut bytes) = (pin!(stream), Vec::new());
        while stream.read_until(b'\n', &mut bytes).await? > 0 {
            line(text_of(&bytes));
            bytes.clear();
        }
        Ok(())
    }

    async fn forward(&self, namespace: &str, pod: &str, port: u16) -> Result<Forward> {
        let forwarded = self.pods(namespace).await?.portforward(pod, &[port]).await.map_err(plain);
        let mut forwarder = forwarded.with_context(|| format!("connecting to port {port} of pod {namespace}/{pod}"))?;
        let stream = forwarder.take_stream(port).context("forward without a stream")?;
        let refused = forwarder.take_error(port).context("forward without an error channel")?;
        Ok(Forward { stream: Box::new(stream), refused: refused.boxed() })
    }

    async fn exec(&self, namespace: &str, pod: &str, argv: &[&str], stdin: &[u8]) -> Result<Output> {
        let parameters = AttachParams::default().stdin(!stdin.is_empty()).stdout(true).stderr(true);
        let pods = self.pods(namespace).await?;
        let mut process = pods
            .exec(pod, argv.iter().copied(), &parameters)
            .await
            .map_err(plain)
            .with_context(|| format!("running {} in pod {namespace}/{pod}", argv[0]))?;
        let status = process.take_status();
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let input = process.stdin();
        let write = async {
            if let Some(mut input) = input {
                input.write_all(stdin).await?;
                input.shutdown().await?;
            }
            anyhow::Ok(())
        };
        let mut out = process.stdout().context("exec without standard output")?;
        let mut err = process.stderr().context("exec without standard error")?;
        let (written, out, err) = tokio::join!(write, out.read_to_end(&mut stdout), err.read_to_end(&mut stderr));
        written?;
        out?;
        err?;
        let status = match status {
            Some(status) => status.await,
            None => None,
        };
        Ok(Output { code: exit_code(status.as_ref()), stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() })
    }

    async fn send(&self, kubeconfig: &str, request: &Request) -> Result<Answer> {
        let client = self.client_of(kubeconfig).await?;
        let form = match request.method {
            Method::Patch => "application/merge-patch+json",
            _ => "application/json",
        };
        let bytes = request.body.as_ref().map(serde_json::to_vec).transpose()?.unwrap_or_default();
        let message = hyper::Request::builder()
            .method(request.method.name())
            .uri(&request.path)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, form)
            .body(kube::client::Body::from(bytes))?;
        let failed = || format!("{} {}", request.method.name(), request.path);
        let response = client.send(message).await.with_context(failed)?;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.with_context(failed)?.to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into());
        Ok(Answer { status, body })
    }
}

/// An answer of the API in its own words and without the frame, which says everything twice.
fn plain(error: kube::Error) -> anyhow::Error {
    match error {
        kube::Error::Api(status) => anyhow!(status.message.trim().to_owned()),
        other => other.into(),
    }
}

/// A line without its end. Jobs may print what is no text.
fn text_of(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end_matches(['\r', '\n']).to_owned()
}

/// The exit code inside the Status object that ends an exec; -1 where the connection broke first.
fn exit_code(status: Option<&k8s_openapi::apimachinery::pkg::apis::meta::v1::Status>) -> i64 {
    let Some(status) = status else { return -1 };
    if status.status.as_deref() == Some("Success") {
        return 0;
    }
    let causes = status.details.as_ref().and_then(|details| details.causes.as_ref());
    let code = causes.and_then(|causes| causes.iter().find(|cause| cause.reason.as_deref() == Some("ExitCode")));
    code.and_then(|cause| cause.message.as_ref()?.parse().ok()).unwrap_or(-1)
}

#[cfg(test)]
mod tests;
