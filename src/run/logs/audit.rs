//! Who changed what: the audit log of an API server, read on its node, a line for each change.

use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use serde_json::Value;

use crate::fault::{Fault, Kind};
use crate::ports::{Docker, LogQuery};
use crate::render;

/// How long to wait before asking what is new.
const INTERVAL: Duration = Duration::from_secs(1);

/// Asks again and again when following: a `tail --follow` would outlive us in the node.
pub async fn read<D: Docker>(docker: &D, node: &str, query: &LogQuery, line: &mut dyn FnMut(String)) -> Result<()> {
    let path = render::audit_log();
    if !docker.has_file(node, render::AUDIT_POLICY).await? {
        let what = format!("{node} keeps no audit log: it was made by a lab of an older version");
        return Err(Fault::new(Kind::Step, what).next("lab down, then lab up").error());
    }
    let oldest = query.since.map(|since| Timestamp::now() - since);
    let mut tail = query.tail;
    let (mut seen, mut rest) = (0, Vec::new());
    loop {
        let from = format!("--bytes=+{}", seen + 1);
        let output = docker.exec(node, &["tail", &from, &path]).await?;
        anyhow::ensure!(output.code == 0, "tail ended with {}: {}", output.code, output.stderr.trim());
        seen += output.stdout.len();
        rest.extend(output.stdout);
        // What has no end yet is still being written.
        let end = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let whole: Vec<u8> = rest.drain(..end).collect();
        let told = String::from_utf8_lossy(&whole);
        let events = told.lines().map(|text| told_of(text, oldest)).collect::<Result<Vec<_>>>()?;
        let events: Vec<String> = events.into_iter().flatten().collect();
        let skipped =
            tail.take().map_or(0, |lines| events.len().saturating_sub(usize::try_from(lines).unwrap_or(usize::MAX)));
        events.into_iter().skip(skipped).for_each(&mut *line);
        if !query.follow {
            return Ok(());
        }
        tokio::time::sleep(INTERVAL).await;
        // A log that grew too large was put away, and a new one begun.
        let size = docker.exec(node, &["stat", "--format=%s", &path]).await?.text();
        if size.trim().parse::<usize>().is_ok_and(|size| size < seen) {
            (seen, rest) = (0, Vec::new());
        }
    }
}

/// `2026-11-21T08:00:12.123456Z anna delete networkpolicies.networking.k8s.io spark-jobs/wall: 403`; none where the
/// event is older than is asked for.
fn told_of(text: &str, oldest: Option<Timestamp>) -> Result<Option<String>> {
    let event: Value = serde_json::from_str(text).with_context(|| format!("an event that is no JSON: {text}"))?;
    let word = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).filter(|word| !word.is_empty());
    let at = word("/requestReceivedTimestamp").unwrap_or_default();
    if let (Some(oldest), Ok(at)) = (oldest, at.parse::<Timestamp>())
        && at < oldest
    {
        return Ok(None);
    }
    let mut who = word("/user/username").unwrap_or("?").to_owned();
    who.extend(word("/impersonatedUser/username").map(|other| format!(" as {other}")));
    let mut what = word("/objectRef/resource").unwrap_or_else(|| word("/requestURI").unwrap_or("?")).to_owned();
    what.extend(word("/objectRef/apiGroup").map(|group| format!(".{group}")));
    what.extend(word("/objectRef/subresource").map(|part| format!("/{part}")));
    let object = [word("/objectRef/namespace"), word("/objectRef/name")];
    let object = object.into_iter().flatten().collect::<Vec<_>>().join("/");
    let space = if object.is_empty() { "" } else { " " };
    let code = event.pointer("/responseStatus/code").and_then(Value::as_u64).unwrap_or_default();
    let verb = word("/verb").unwrap_or("?");
    Ok(Some(format!("{at} {who} {verb} {what}{space}{object}: {code}")))
}

#[cfg(test)]
mod tests {
    use super::told_of;
    use serde_json::json;

    #[test]
    fn an_event_says_who_did_what_to_what_and_how_it_ended() {
        let event = json!({
            "verb": "delete", "user": { "username": "anna" }, "requestReceivedTimestamp": "2026-11-21T08:00:12.5Z",
            "objectRef": {
                "resource": "networkpolicies", "apiGroup": "networking.k8s.io",
                "namespace": "spark-jobs", "name": "wall",
            },
            "responseStatus": { "code": 403 },
        });
        let told = |oldest: Option<&str>| told_of(&event.to_string(), oldest.map(|at| at.parse().unwrap())).unwrap();
        let expected = "2026-11-21T08:00:12.5Z anna delete networkpolicies.networking.k8s.io spark-jobs/wall: 403";
        assert_eq!(told(None).as_deref(), Some(expected));
        assert_eq!(told(Some("2026-11-21T08:00:12Z")).as_deref(), Some(expected));
        assert_eq!(told(Some("2026-11-21T08:00:13Z")), None);
    }

    #[test]
    fn whoever_acts_as_another_is_named_too() {
        let event = json!({
            "verb": "create", "user": { "username": "ben" }, "impersonatedUser": { "username": "system:serviceaccount:a:b" },
            "objectRef": { "resource": "pods", "subresource": "exec", "namespace": "a" }, "responseStatus": { "code": 201 },
        });
        let told = told_of(&event.to_string(), None).unwrap().unwrap();
        assert_eq!(told.trim(), "ben as system:serviceaccount:a:b create pods/exec a: 201");
    }

    #[test]
    fn what_is_no_event_is_an_error() {
        assert!(told_of("{", None).is_err());
    }
}
