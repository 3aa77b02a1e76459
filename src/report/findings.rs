//! Findings as people read them.

use crate::run::doctor::{Finding, Level};

/// What `lab doctor` prints: a line for what is as it should be, all there is to know about the rest.
pub fn findings(lab: &str, findings: &[Finding]) -> String {
    let mut text = format!("lab {lab}: is this machine fit?\n");
    for finding in findings {
        let word = word(finding.level);
        text.push_str(&format!("  {word:<11} {:<22} {}\n", finding.id, finding.title));
        if matches!(finding.level, Level::Ok | Level::NotChecked) {
            continue;
        }
        let mut line = |name: &str, value: &str| text.push_str(&format!("  {:<11} {name:<8} {value}\n", ""));
        line("measured", finding.measured.as_deref().unwrap_or("-"));
        line("needed", &finding.needed);
        line("why", finding.why);
        if let Some(fix) = &finding.fix {
            line("fix", &fix.command);
        }
    }
    let count = |level: Level| findings.iter().filter(|finding| finding.level == level).count();
    let all = [Level::Ok, Level::Warning, Level::Error, Level::NotChecked];
    let counts: Vec<String> = all.map(|level| format!("{} {}", count(level), word(level))).into();
    text.push_str(&format!("{}\n", counts.join(", ")));
    text
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Ok => "ok",
        Level::NotChecked => "not checked",
        Level::Warning => "warning",
        Level::Error => "ERROR",
    }
}
