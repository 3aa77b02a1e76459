//! A page of a pod on a port of this machine. Each connection is forwarded by itself, so that a pod that is
//! restarted is found again by the next one.

use std::cell::RefCell;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use serde_json::{Value, json};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use super::diagnose;
use super::open::Page;
use crate::components::JOBS_NAMESPACE;
use crate::fault::{Fault, Kind};
use crate::ports::Kube;

/// How long a page may take to come up once its pod runs.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a port that nobody listens on takes to say so.
const REFUSAL: Duration = Duration::from_millis(500);
const INTERVAL: Duration = Duration::from_secs(1);

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
