//! The kubelet's journal, read inside its node.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::ports::{Docker, LogQuery};

/// How long to wait before asking what is new.
const INTERVAL: Duration = Duration::from_secs(1);

/// How journalctl marks the place that it has come to.
const CURSOR: &str = "-- cursor: ";

/// Asks again and again when following: a `journalctl --follow` would outlive us in the node.
pub async fn read<D: Docker>(docker: &D, node: &str, query: &LogQuery, line: &mut dyn FnMut(String)) -> Result<()> {
    let mut part: Vec<String> = Vec::new();
    part.extend(query.tail.map(|lines| format!("--lines={lines}")));
    part.extend(query.since.map(|since| format!("--since=-{}s", since.as_secs())));
    loop {
        let mut argv = vec!["journalctl", "--unit=kubelet", "--no-pager", "--quiet", "--show-cursor"];
        argv.extend(part.iter().map(String::as_str));
        let output = docker.exec(node, &argv).await?;
        if output.code != 0 {
            bail!("journalctl ended with {}: {}", output.code, output.stderr.trim());
        }
        for text in output.text().lines() {
            match text.strip_prefix(CURSOR) {
                Some(cursor) => part = vec![format!("--after-cursor={cursor}")],
                None => line(text.to_owned()),
            }
        }
        if !query.follow {
            return Ok(());
        }
        tokio::time::sleep(INTERVAL).await;
    }
}
