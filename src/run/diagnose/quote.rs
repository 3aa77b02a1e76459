//! What of a long log is worth quoting.

/// How many of a log's last lines are quoted.
const LINES: usize = 15;

/// The last error that a log names, and its last lines without Java's stack frames.
pub fn quote(log: &str) -> (Option<&str>, Vec<&str>) {
    let is_frame = |line: &&str| {
        let text = line.trim_start();
        text.len() < line.len() && (text.starts_with("at ") || text.starts_with("... "))
    };
    let lines: Vec<&str> = log.lines().filter(|line| !is_frame(line) && !line.trim().is_empty()).collect();
    let names_error = |line: &&&str| {
        let text = line.trim_start_matches("Caused by: ").trim_start_matches(": ");
        let class = text.split(": ").next().unwrap_or_default();
        !class.contains(' ') && (class.ends_with("Error") || class.ends_with("Exception"))
    };
    let reason = lines.iter().rev().find(names_error).copied();
    (reason, lines[lines.len().saturating_sub(LINES)..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn the_reason_is_the_last_error_and_frames_are_left_out() {
        let log = "start\nCaused by: java.io.IOException: disk is full\n\tat a.b.C(D.java:1)\n\t... 20 more\nbye\n";
        let (reason, last) = quote(log);
        assert_eq!(reason, Some("Caused by: java.io.IOException: disk is full"));
        assert_eq!(last, ["start", "Caused by: java.io.IOException: disk is full", "bye"]);
    }

    #[test]
    fn a_log_without_error_has_no_reason() {
        assert_eq!(quote("all is well: Error rate 0\n").0, None);
    }
}
