//! Data and logs of a lab that stands and has run `pi`.

use serde_json::Value;

use crate::lab::Lab;
use crate::schema::assert_valid;

/// Data on standard output as JSON. Not printed: it may hold passwords.
pub fn data(lab: &Lab, args: &[&str]) -> Value {
    let output = lab.command(&[args, &["--output", "json"]].concat()).output().expect("the binary runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON on standard output")
}

pub fn everything_that_is_listed_has_a_log(lab: &Lab) {
    let listing = data(lab, &["logs"]);
    assert_valid("logs", &listing);
    assert_valid("log-line", &data(lab, &["logs", "minio", "--tail", "1"]));
    let words = ["components", "nodes"].map(|key| listing[key].as_array().expect("a list").clone()).concat();
    assert!(words.len() > 10, "{listing:#}");
    for word in words {
        let word = word.as_str().expect("a word").to_owned();
        let output = lab.command(&["logs", &word, "--tail", "3"]).output().expect("the binary runs");
        assert!(output.status.success() && !output.stdout.is_empty(), "{word}: {output:?}");
    }
    lab.run(&["logs", "pi", "--tail", "1"]).expect_code(0).expect("pi is roughly");
}
