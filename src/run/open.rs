//! The pages that `lab open` shows, and the pods that serve them.

use std::time::Duration;

use anyhow::{Context as _, Result};

use super::applications::{self, Application};
use super::{Run, diagnose};
use crate::components::{AIRFLOW_NAMESPACE, JOBS_NAMESPACE, STORE_NAMESPACE};
use crate::event::Event;
use crate::fault::{Fault, Kind};
use crate::ports::{self, Kube as _, Ports};

/// How long to wait before looking for a driver again.
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

/// Airflow's pages, by an API server that is ready or, where none is, any.
///
/// # Errors
/// [`Kind::Config`] where this lab has no Airflow, [`Kind::Step`] where it has no API server.
pub async fn airflow<P: Ports>(run: &Run<'_, P>) -> Result<Page> {
    if !run.lab.airflow.enabled {
        let what = format!("lab {} has no Airflow: spec.airflow.enabled is false", run.lab.name);
        return Err(Fault::new(Kind::Config, what).next("enabled: true in the configuration, then lab up").error());
    }
    let labels = "app.kubernetes.io/name=airflow,app.kubernetes.io/component=api-server";
    let mut pods = run.ports.kube().list(&ports::Kind::POD, Some(AIRFLOW_NAMESPACE), labels).await?;
    pods.sort_by_key(|pod| diagnose::reason(pod).is_some());
    let name = pods.first().and_then(|pod| pod["metadata"]["name"].as_str()).with_context(|| {
        let fault = Fault::new(Kind::Step, "Airflow has no API server: nobody serves its pages");
        fault.next(format!("lab up{}", run.flags))
    })?;
    Ok(Page { title: "Airflow".to_owned(), namespace: AIRFLOW_NAMESPACE, pod: name.to_owned(), port: 8080 })
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
