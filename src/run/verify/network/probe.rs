//! Connections from where a pod, a node or a machine outside stands, and who listens there.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use anyhow::{Context as _, Result, bail, ensure};
use schemars::JsonSchema;
use serde::Serialize;

use crate::flows::Port;
use crate::ports::{Docker as _, Output, Ports};
use crate::run::Run;

/// Nodes have Perl, as every Debian has, and neither Python nor a DNS client.
const CONNECT: &str = include_str!("connect.pl");
const LISTEN: &str = include_str!("listen.pl");
/// The longest that a listener lives which nobody ends.
const LIFETIME: &str = "180";

/// What became of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    Connected,
    /// At once: by a policy, or as nobody listens.
    Refused,
    TimedOut,
    /// No route leads there.
    Unreachable,
    /// The name of the target has no address.
    DnsFailed,
}

/// Where something stands: in the network of a container of the engine, or of a pod on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    pub container: String,
    /// A process of the pod, none for the container itself.
    pub process: Option<u32>,
}

/// Processes that listen for the proof, and have to be ended.
#[derive(Debug, Default)]
pub struct Listeners(Vec<(String, String)>);

impl Stand {
    /// Tries all targets at once; each is `HOST:PORT/PROTOCOL`.
    pub async fn connect<P: Ports>(
        &self,
        run: &Run<'_, P>,
        dns: Ipv4Addr,
        targets: &[String],
    ) -> Result<BTreeMap<String, Seen>> {
        if targets.is_empty() {
            return Ok(BTreeMap::new());
        }
        let dns = dns.to_string();
        let words: Vec<&str> = [dns.as_str()].into_iter().chain(targets.iter().map(String::as_str)).collect();
        let answer = self.perl(run, CONNECT, &words).await?;
        let seen: BTreeMap<String, Seen> = answer.text().lines().map(line).collect::<Result<_>>()?;
        ensure!(seen.len() == targets.len(), "{}: {} of {} answers", self.container, seen.len(), targets.len());
        Ok(seen)
    }

    /// Listens on these ports as far as nobody else does.
    pub async fn listen<P: Ports>(&self, run: &Run<'_, P>, ports: &[Port], listeners: &mut Listeners) -> Result<()> {
        self.listen_at(run, ports.iter().map(ToString::to_string).collect(), listeners).await
    }

    /// As [`Self::listen`], at one of its addresses alone: others may be a component's.
    pub async fn listen_on<P: Ports>(
        &self,
        run: &Run<'_, P>,
        address: Ipv4Addr,
        ports: &[Port],
        listeners: &mut Listeners,
    ) -> Result<()> {
        self.listen_at(run, ports.iter().map(|port| format!("{address}:{port}")).collect(), listeners).await
    }

    async fn listen_at<P: Ports>(&self, run: &Run<'_, P>, ports: Vec<String>, listeners: &mut Listeners) -> Result<()> {
        let words: Vec<&str> = [LIFETIME].into_iter().chain(ports.iter().map(String::as_str)).collect();
        let process = self.perl(run, LISTEN, &words).await?.text().trim().to_owned();
        if !process.is_empty() {
            listeners.0.push((self.container.clone(), process));
        }
        Ok(())
    }

    async fn perl<P: Ports>(&self, run: &Run<'_, P>, program: &str, words: &[&str]) -> Result<Output> {
        let process = self.process.map(|process| process.to_string());
        let mut argv: Vec<&str> = Vec::new();
        if let Some(process) = &process {
            argv.extend(["nsenter", "--net", "--target", process.as_str()]);
        }
        argv.extend(["perl", "-e", program]);
        argv.extend(words);
        let output = run.ports.docker().exec(&self.container, &argv).await?;
        ensure!(output.code == 0, "{}: perl: exit {}: {}", self.container, output.code, output.quoted());
        Ok(output)
    }
}

impl Listeners {
    /// Ends them all. One that is gone already is as it should be.
    pub async fn end<P: Ports>(self, run: &Run<'_, P>) -> Result<()> {
        let mut by_container = BTreeMap::<String, Vec<String>>::new();
        for (container, process) in self.0 {
            by_container.entry(container).or_default().push(process);
        }
        for (container, processes) in by_container {
            let argv: Vec<&str> = ["kill"].into_iter().chain(processes.iter().map(String::as_str)).collect();
            run.ports.docker().exec(&container, &argv).await?;
        }
        Ok(())
    }
}

fn line(line: &str) -> Result<(String, Seen)> {
    let (target, word) = line.split_once(' ').with_context(|| format!("{line:?} is no verdict"))?;
    let seen = match word {
        "connected" => Seen::Connected,
        "refused" => Seen::Refused,
        "timed-out" => Seen::TimedOut,
        "unreachable" => Seen::Unreachable,
        "dns-failed" => Seen::DnsFailed,
        other => bail!("{other:?} is no verdict"),
    };
    Ok((target.to_owned(), seen))
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connected => "connected",
            Self::Refused => "refused",
            Self::TimedOut => "timed out",
            Self::Unreachable => "unreachable",
            Self::DnsFailed => "name without address",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Seen, line};

    #[test]
    fn a_line_is_a_target_and_a_verdict() {
        assert_eq!(line("10.0.0.1:9/TCP timed-out").unwrap(), ("10.0.0.1:9/TCP".to_owned(), Seen::TimedOut));
        assert!(line("10.0.0.1:9/TCP").is_err());
        assert!(line("10.0.0.1:9/TCP maybe").is_err());
    }
}
