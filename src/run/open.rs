//! Pages of the lab on a port of this machine. Each connection is forwarded by itself, so that a pod that
//! is restarted is found again by the next one.

use std::cell::RefCell;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use serde_json::{Value, json};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use super::applications::{self, Application};
use super::{Run, diagnose};
use crate::components::{JOBS_NAMESPACE, STORE_NAMESPACE};
use crate::event::Event;
use crate::fault::{Fault, Kind};
use crate::ports::{self, Kube, Ports};

/// How long a page may take to come up once its pod runs.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a port that nobody listens on takes to say so.
const REFUSAL: Duration = Duration::from_millis(500);
const INTERVAL: Duration = Duration::from_secs(1);

/// A page that a pod serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub title: String,
    pub namespace: &'static str,
    pub pod: String,
    pub port: u16,
}

/// `MinIO`'s console.
///
/// # Errors
/// [`Kind::Config`] where this lab has no object store.
pub fn minio(run: &Run<'_, impl Ports>) -> Result<Page> {
    if !run.lab.object_store.enabled {
        let what = format!("lab {} has no MinIO: spec.objectStore.enabled is false", run.lab.name);
        return Err(Fault::new(Kind::Config, what).next("enabled: true in the configuration, then lab up").error());
    }
    Ok(Page { title: "MinIO's console".to_owned(), namespace: STORE_NAMESPACE, pod: "minio-0".to_owned(), port: 9001 })
}

/// The page of a running Spark driver: of the application or job of this name, or of the only one. Waits for
/// the driver of a job that has just begun.
///
/// # Errors
/// [`Kind::Step`] where none runs, [`Kind::Usage`] where several do and none is named.
pub async fn spark<P: Ports>(run: &Run<'_, P>, name: Option<&str>) -> Result<Page> {
    let flags = &run.flags;
    let running = running(run).await?;
    let names: Vec<&str> = running.iter().map(|application| application.name.as_str()).collect();
    let application = match (name, running.as_slice()) {
        (_, []) => {
            let fault = Fault::new(Kind::Step, "no Spark job runs, and a job's page is there only while it runs");
            return Err(fault.next(format!("lab run pagerank{flags}   (in another terminal)")).error());
        }
        (None, [only]) => only,
        (None, _) => {
            let fault = Fault::new(Kind::Usage, format!("several Spark jobs run: {}", names.join(", ")));
            return Err(fault.next(format!("lab open spark {}{flags}", names[0])).error());
        }
        (Some(name), _) => applications::find(&running, name).with_context(|| {
            let what = format!("no running Spark job is called {name}; there are {}", names.join(", "));
            Fault::new(Kind::Usage, what).next(format!("lab open spark {}{flags}", names[0]))
        })?,
    };
    if !application.page {
        let what = format!("{} has its page switched off", application.name);
        let next = "spark.ui.enabled: \"true\" in the sparkConf of its application.yaml, and run it again";
        return Err(Fault::new(Kind::Step, what).next(next).error());
    }
    let title = format!("Spark's page of {}", application.name);
    let pod = format!("{}-driver", application.name);
    Ok(Page { title, namespace: JOBS_NAMESPACE, pod, port: 4040 })
}

/// The applications whose driver runs; where none does but some will, waits for them.
async fn running<P: Ports>(run: &Run<'_, P>) -> Result<Vec<Application>> {
    let kube = run.ports.kube();
    let mut noted = String::new();
    loop {
        let drivers = kube.list(&ports::Kind::POD, Some(JOBS_NAMESPACE), "spark-role=driver").await?;
        let runs = |application: &Application| {
            let driver = format!("{}-driver", application.name);
            drivers.iter().any(|pod| pod["metadata"]["name"] == driver && pod["status"]["phase"] == "Running")
        };
        let (running, others): (Vec<_>, Vec<_>) = applications::all(kube).await?.into_iter().partition(runs);
        let Some(soon) = others.iter().find(|application| application.begins()).filter(|_| running.is_empty()) else {
            return Ok(running);
        };
        if noted != soon.name {
            noted.clone_from(&soon.name);
            let note = format!("{}: waiting for its driver", soon.name);
            run.sink.emit(Event::StepProgress { id: "open".to_owned(), note });
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Waits until the page answers.
///
/// # Errors
/// [`Kind::Step`] when its pod is not there, does not run, or nobody listens on its port.
pub async fn answers<K: Kube>(kube: &K, page: &Page, flags: &str) -> Result<()> {
    let began = tokio::time::Instant::now();
    let no_page = || {
        let what = format!("{} cannot be reached", page.title);
        Fault::new(Kind::Step, what).next(format!("lab status{flags}; lab logs {}/{}{flags}", page.namespace, page.pod))
    };
    loop {
        if let Some(pod) = pod(kube, page).await? {
            if pod["status"]["phase"] != "Running" {
                let why = diagnose::reason(&pod).unwrap_or_else(|| "it has ended".to_owned());
                return Err(anyhow::anyhow!("pod {}/{}: {why}", page.namespace, page.pod).context(no_page()));
            }
        } else {
            return Err(anyhow::anyhow!("there is no pod {}/{}", page.namespace, page.pod).context(no_page()));
        }
        let forward = kube.forward(page.namespace, &page.pod, page.port).await.context(no_page())?;
        let Ok(Some(why)) = tokio::time::timeout(REFUSAL, forward.refused).await else { return Ok(()) };
        if began.elapsed() > PATIENCE {
            return Err(anyhow::anyhow!(why).context(no_page()));
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Ends when the page's pod has ended for good; one that is restarted has not.
pub async fn ended<K: Kube>(kube: &K, page: &Page) {
    loop {
        // One lost answer is no end.
        if let Ok(pod) = pod(kube, page).await {
            let phase = pod.as_ref().and_then(|pod| pod.pointer("/status/phase")?.as_str());
            let comes_back = page.namespace != JOBS_NAMESPACE;
            if !comes_back && matches!(phase, None | Some("Succeeded" | "Failed")) {
                return;
            }
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

async fn pod<K: Kube>(kube: &K, page: &Page) -> Result<Option<Value>> {
    let metadata = json!({ "namespace": page.namespace, "name": page.pod });
    kube.get(&json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata })).await
}

/// Forwards every connection, until it is dropped. Trouble is said, each kind once, and ends nothing.
pub async fn serve<K: Kube>(kube: &K, page: &Page, listener: &TcpListener, say: &dyn Fn(&str)) {
    let last = RefCell::new(String::new());
    let trouble = |error: anyhow::Error| {
        let text = format!("{error:#}");
        if *last.borrow() != text {
            say(&text);
            *last.borrow_mut() = text;
        }
    };
    let mut connections = FuturesUnordered::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => connections.push(connection(kube, page, client)),
                Err(error) => {
                    trouble(error.into());
                    tokio::time::sleep(INTERVAL).await;
                }
            },
            Some(result) = connections.next() => match result {
                Ok(()) => last.borrow_mut().clear(),
                Err(error) => trouble(error),
            },
        }
    }
}

/// Forwards one connection to its end.
async fn connection<K: Kube>(kube: &K, page: &Page, mut client: TcpStream) -> Result<()> {
    let mut forward = kube.forward(page.namespace, &page.pod, page.port).await?;
    tokio::select! {
        // A refusal ends the stream as well, and says more.
        biased;
        Some(why) = &mut forward.refused => bail!("port {} of pod {}: {why}", page.port, page.pod),
        // Browsers break connections off as they like.
        copied = copy_bidirectional(&mut client, &mut forward.stream) => {
            tracing::debug!(?copied, "a connection has ended");
            Ok(())
        }
    }
}
