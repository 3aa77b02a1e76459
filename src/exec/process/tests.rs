use std::time::{Duration, Instant};

use nix::sys::signal;
use nix::unistd::Pid;
use tokio::time::{sleep, timeout};

use super::{Command, running};
use crate::fault::{Kind, kind};

fn shell(script: &str) -> Command {
    Command::new("/bin/sh").args(["-c", script])
}

/// The text of the error that a script ends with.
async fn error(script: &str) -> String {
    format!("{:#}", shell(script).output().await.unwrap_err())
}

#[tokio::test]
async fn output_is_what_stands_on_standard_output() {
    assert_eq!(shell("echo one; echo talk >&2; echo two").output().await.unwrap(), "one\ntwo\n");
    assert_eq!(shell("printf unended").output().await.unwrap(), "unended\n");
}

#[tokio::test]
async fn lines_of_both_streams_are_handed_over_as_they_come() {
    let mut lines = Vec::new();
    let output = shell("echo one; echo two >&2").run(&mut |line| lines.push(line.to_owned())).await.unwrap();
    lines.sort();
    assert_eq!(lines, ["one", "two"]);
    assert_eq!(output, "one\n");
}

#[tokio::test]
async fn the_exit_status_and_the_command_are_named() {
    let text = error("exit 3").await;
    assert!(text.starts_with("`/bin/sh -c exit 3` ended with exit status: 3"), "{text}");
    let text = error("kill -9 $$").await;
    assert!(text.contains("ended with signal: 9"), "{text}");
}

#[tokio::test]
async fn the_last_twenty_lines_are_quoted() {
    let text = error("i=1; while [ $i -le 30 ]; do echo line $i.; i=$((i+1)); done; echo the reason >&2; exit 1").await;
    assert!(text.contains("the reason") && text.contains("line 30.") && text.contains("line 12."), "{text}");
    assert!(!text.contains("line 10."), "{text}");
}

#[tokio::test]
async fn what_went_wrong_is_quoted_and_no_stack_trace() {
    let call =
        r"printf 'k8s.io/cmd.(*Runner).Run\n\tk8s.io/cmd/runner.go:234\nruntime.goexit\n\truntime/asm_amd64.s:1771\n'";
    let text = error(&format!("echo the reason; i=1; while [ $i -le 30 ]; do {call}; i=$((i+1)); done; exit 1")).await;
    assert!(text.ends_with("ended with exit status: 1:\nthe reason"), "{text}");
}

#[tokio::test]
async fn a_flood_on_both_streams_blocks_nobody() {
    let flood = "head -c 3000000 /dev/zero | tr '\\0' 'x' | fold -w 100";
    let script = format!("({flood}) >&2 & {flood}; wait");
    let output = timeout(Duration::from_mins(1), shell(&script).output()).await.expect("it ends").unwrap();
    assert_eq!(output.matches('x').count(), 3_000_000);
}

#[tokio::test]
async fn bytes_that_are_no_text_fail_no_command() {
    let output = shell("printf 'caf\\351\\nend\\n'").output().await.unwrap();
    assert_eq!(output, "caf\u{fffd}\nend\n");
}

#[tokio::test]
async fn a_missing_program_is_named() {
    let error = Command::new("lab-has-no-such-program").output().await.unwrap_err();
    assert_eq!(kind(&error), Kind::Host);
    assert!(format!("{error:#}").starts_with("lab-has-no-such-program is not on PATH"), "{error:#}");
}

#[tokio::test]
async fn standard_input_is_closed() {
    assert_eq!(shell("cat").output().await.unwrap(), "");
}

#[tokio::test]
async fn the_environment_is_handed_over() {
    let output = shell("echo $COLOUR").environment("COLOUR", "blue").output().await.unwrap();
    assert_eq!(output, "blue\n");
}

/// Starts a script that prints a process id, drops it then, and waits until that process has ended.
async fn dropped(script: &str) {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let run = async {
        let mut line = |text: &str| sender.send(text.parse::<i32>().unwrap()).unwrap();
        shell(script).run(&mut line).await
    };
    let process = tokio::select! {
        result = run => panic!("ended by itself: {result:?}"),
        number = receiver.recv() => Pid::from_raw(number.unwrap()),
        () = sleep(Duration::from_mins(1)) => panic!("no line came"),
    };
    timeout(Duration::from_secs(13), async {
        while signal::kill(process, None).is_ok() {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap_or_else(|_| panic!("process {process} lives on"));
}

/// A command that ends in its own time when it is asked to, with a last word.
#[tokio::test]
async fn a_dropped_command_may_put_its_things_in_order() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let last_word = format!("sleep 0.3; echo in order > {}; exit", file.path().display());
    dropped(&format!("trap '{last_word}' TERM; echo $$; while :; do sleep 0.05; done")).await;
    assert_eq!(fs_err::read_to_string(file.path()).unwrap(), "in order\n");
}

#[tokio::test]
async fn a_dropped_command_that_floods_its_last_words_is_not_held_up() {
    let started = Instant::now();
    dropped("trap 'head -c 1000000 /dev/zero; exit' TERM; echo $$; while :; do sleep 0.05; done").await;
    assert!(started.elapsed() < Duration::from_secs(5), "it took {:?}", started.elapsed());
}

#[tokio::test]
async fn a_dropped_command_that_is_stopped_is_ended() {
    let started = Instant::now();
    dropped("echo $$; kill -STOP $$; exec sleep 1000").await;
    assert!(started.elapsed() < Duration::from_secs(5), "it took {:?}", started.elapsed());
}

#[tokio::test]
async fn what_has_not_ended_is_named() {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let mut line = |text: &str| sender.send(text.to_owned()).unwrap();
    let id = tokio::select! {
        result = shell("trap 'sleep 0.3; exit' TERM; echo $$; while :; do sleep 0.05; done").run(&mut line) => panic!("{result:?}"),
        id = receiver.recv() => id.unwrap(),
    };
    let named = format!("/bin/sh (process {id})");
    assert!(running().unwrap().contains(&named), "{:?}", running());
    timeout(Duration::from_secs(10), async {
        while running().is_some_and(|running| running.contains(&named)) {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap();
    assert!(signal::kill(Pid::from_raw(id.parse().unwrap()), None).is_err());
}

#[tokio::test]
async fn a_command_that_is_dropped_is_ended() {
    dropped("echo $$; exec sleep 1000").await;
}

#[tokio::test]
async fn a_dropped_command_that_does_not_listen_is_killed() {
    dropped("trap '' TERM; echo $$; exec sleep 1000").await;
}

#[tokio::test]
async fn what_a_dropped_command_started_is_ended() {
    dropped("sleep 1000 & echo $!; wait").await;
}
