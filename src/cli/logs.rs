//! `lab logs`

use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args as ClapArgs;

use super::args::{LabArgs, OutputArgs};
use super::session::Session;
use super::suggest;
use crate::ports::LogQuery;
use crate::report::{Format, Reporter};
use crate::run::logs::{LogLine, Source};
use crate::{report, run};

const AFTER: &str = "Examples:
  lab logs                       what has a log
  lab logs minio --tail 20       a component
  lab logs node/lab-worker -f    the kubelet of a node
  lab logs pi --executors        the executors of the newest run of a job
  lab logs audit --since 1h      who changed what in the cluster
  lab logs smoke                 the driver of the newest smoke job";

#[derive(ClapArgs)]
#[command(after_help = AFTER)]
pub struct LogsArgs {
    /// A component, a node, an application, or a job, which means its newest run; without it, what there is
    #[arg(value_parser = suggest::LOGS, hide_possible_values = true)]
    pub target: Option<String>,
    /// Go on with new lines until the log's owner ends
    #[arg(long, short, requires = "target")]
    pub follow: bool,
    /// Only the last lines of each log
    #[arg(long, value_name = "LINES", requires = "target")]
    pub tail: Option<u32>,
    /// Only lines of the last seconds, minutes, hours or days: 30s, 10m, 2h, 1d
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "target")]
    pub since: Option<Duration>,
    /// The log of a pod's container before its last restart
    #[arg(long, requires = "target")]
    pub previous: bool,
    /// This container of a pod with several
    #[arg(long, value_name = "NAME", requires = "target")]
    pub container: Option<String>,
    /// The executors of a job instead of its driver
    #[arg(long, requires = "target")]
    pub executors: bool,
    #[command(flatten)]
    pub lab: LabArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

pub async fn logs(args: LogsArgs, reporter: &Reporter) -> Result<()> {
    let session = Session::open(&args.lab, reporter).await?;
    let run = session.run(reporter);
    run::reach(&run).await?;
    let json = args.output.output == Format::Json;
    let Some(target) = &args.target else {
        let listing = run::logs::listing(&run).await?;
        report::data(&if json { report::json(&listing)? } else { report::logs(&listing) });
        return Ok(());
    };
    let sources = run::logs::find(&run, target, args.executors, args.follow).await?;
    let query = LogQuery {
        follow: args.follow,
        tail: args.tail,
        since: args.since,
        previous: args.previous,
        container: args.container,
    };
    let take = |source: &Source, line: &str| match (json, sources.as_slice()) {
        (true, _) => report::document_line(&LogLine { source: source.name(), line }),
        (false, [_]) => report::data_line(line),
        (false, _) => report::data_line(&format!("[{}] {line}", source.name())),
    };
    run::logs::read(&run, &sources, &query, &take).await
}

fn duration(text: &str) -> Result<Duration> {
    let (number, unit) = text.split_at(text.len() - text.chars().next_back().map_or(0, char::len_utf8));
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => anyhow::bail!("a number and one of s, m, h, d is needed, such as 10m"),
    };
    let number: u32 = number.parse().context("a number and one of s, m, h, d is needed, such as 10m")?;
    Ok(Duration::from_secs(u64::from(number) * unit))
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_have_a_unit() {
        let seconds = |text: &str| duration(text).ok().map(|length| length.as_secs());
        assert_eq!(["90s", "10m", "2h", "1d"].map(seconds), [90, 600, 7200, 86400].map(Some));
        assert_eq!(["", "s", "10", "-1m", "1.5h", "10w", "9999999999s", "ü"].map(seconds), [None; 8]);
    }
}
