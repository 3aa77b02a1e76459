//! DAG files, loaded as Airflow would load them, before it sees them.

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::components::AIRFLOW_NAMESPACE;
use crate::dags::Files;
use crate::ports::{Kube as _, Ports};
use crate::run::Context;
use crate::run::airflow::{DAG_PROCESSOR, ready_pod};

/// What the files hold: see `render/airflow/check.py`.
#[derive(Debug, Deserialize)]
pub struct Found {
    pub dags: Vec<FoundDag>,
    pub errors: Vec<FoundError>,
}

#[derive(Debug, Deserialize)]
pub struct FoundDag {
    pub id: String,
    /// Below the folder.
    pub file: String,
}

/// A file that Airflow cannot load.
#[derive(Debug, Deserialize)]
pub struct FoundError {
    pub file: String,
    pub line: Option<usize>,
    pub message: String,
}

impl FoundError {
    /// `folder/file.py:3: what is wrong`, as compilers write it.
    pub fn line_in(&self, folder: &str) -> String {
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        format!("{}/{}{line}: {}", folder.trim_end_matches('/'), self.file, self.message)
    }
}

/// Has a pod of Airflow's load the files, which it forgets again.
pub async fn check<P: Ports>(context: &Context<'_, P>, files: &Files) -> Result<Found> {
    let kube = context.run.ports.kube();
    let pod = ready_pod(kube, DAG_PROCESSOR).await?;
    let argv = ["python3", "/opt/lab/check.py"];
    let output = kube.exec(AIRFLOW_NAMESPACE, &pod, &argv, &archive(files)?).await?;
    if output.code != 0 {
        bail!("the check of the DAG files in pod {pod} ended with {}: {}", output.code, output.quoted());
    }
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("the check of the DAG files in pod {pod} says what cannot be read"))
}

fn archive(files: &Files) -> Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(u64::try_from(content.len())?);
        header.set_mode(0o644);
        archive.append_data(&mut header, path, content.as_slice())?;
    }
    Ok(archive.into_inner()?)
}
