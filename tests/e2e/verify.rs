//! What `lab verify` proves of a lab that stands, in all its forms.

use fs_err as fs;
use serde_json::Value;

use crate::lab::{Lab, lines, until};
use crate::schema::assert_valid;

/// Everything is as it should be, and nothing is left behind.
pub fn everything_is_proved(lab: &Lab) {
    let before = lab.snapshot();
    let (page, junit) = (lab.state().join("proof.html"), lab.state().join("proof.xml"));
    let paths = [&page, &junit].map(|path| path.to_string_lossy().into_owned());
    let arguments = ["verify", "--output", "json", "--report", &paths[0], "--junit", &paths[1]];
    let output = lab.command(&arguments).output().expect("the binary runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}\n{}", wrong(&text), String::from_utf8_lossy(&output.stderr));
    let proof: Value = serde_json::from_str(&text).expect("JSON on standard output");
    assert_valid("verify", &proof);

    // Less than this would be no proof of six nodes.
    for (pointer, least) in [
        ("/access/reviews", 2000),
        ("/access/attempts", 100),
        ("/pods/attempts", 20),
        ("/network/canaries", 6),
        ("/network/webhooks", 3),
        ("/network/nodes", 400),
        ("/network/connections", 600),
    ] {
        let count = proof.pointer(pointer).and_then(Value::as_array).map_or(0, Vec::len);
        eprintln!("   {pointer}: {count}");
        assert!(count >= least, "{pointer}: only {count}");
    }
    for subject in ["access", "pods", "network"] {
        eprintln!("   {subject}: {} s", proof[subject]["seconds"]);
    }
    let page = fs::read_to_string(page).expect("a page");
    assert!(page.contains("proved") && !page.contains("class=\"wrong\""), "{page}");
    let junit = fs::read_to_string(junit).expect("a report");
    assert!(junit.contains("failures=\"0\"") && junit.contains("lab.verify.network"), "{junit}");
    // What its Spark application made goes a moment after it.
    until("nothing of the proof is left", || missing_in(&before, &lab.snapshot()).is_empty());
    // Finished jobs go by themselves.
    let lost = missing_in(&lab.snapshot(), &before);
    assert!(lost.iter().all(|line| line.contains(" spark-jobs ")), "{lost:#?}");
    let requests = lab.kubectl(&["get", "certificatesigningrequests", "-o=name"]);
    assert!(lines(&requests).iter().all(|request| request.contains("/csr-")), "not of a kubelet alone: {requests}");
}

/// Lines that others have and these have not.
fn missing_in(these: &[String], others: &[String]) -> Vec<String> {
    others.iter().filter(|line| !these.contains(line)).cloned().collect()
}

/// What is wrong in a proof, short enough to be read.
fn wrong(text: &str) -> String {
    let Ok(proof) = serde_json::from_str::<Value>(text) else { return text.to_owned() };
    let list = |pointer: &str| proof.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default();
    let differences = ["/access/objects", "/pods/namespaces", "/network/policies", "/network/firewalls"];
    let mut wrong: Vec<Value> = differences.iter().flat_map(|pointer| list(pointer)).collect();
    let attempts = [list("/access/attempts"), list("/pods/attempts")].concat();
    wrong.extend(attempts.into_iter().filter(|one| one["right"] == false));
    wrong.extend(list("/access/reviews").into_iter().filter(|one| one["allowed"] != one["expected"]));
    let connections = [list("/network/nodes"), list("/network/connections")].concat();
    wrong.extend(connections.into_iter().filter(|one| one["judgement"] != "right"));
    wrong.extend(list("/network/canaries").into_iter().filter(|one| one["enforces"] == false));
    wrong.extend(list("/network/webhooks").into_iter().filter(|one| one["answers"] == false));
    wrong.iter().take(40).map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
