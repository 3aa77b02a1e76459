//! The nodes' firewalls, seen by another way than the binary's.

use super::lab::{Lab, docker};

pub fn a_changed_one_is_named_and_mended(lab: &Lab) {
    let worker = format!("{}-worker", lab.name);
    let mangle = |arguments: &[&str]| {
        docker(&[&["exec", &worker, "iptables", "--wait", "5", "--table", "mangle"], arguments].concat())
    };
    let wanted = mangle(&["--list-rules"]);
    assert!(wanted.contains("-A LAB-NODE -j DROP\n"), "{wanted}");
    for change in [&["--insert", "INPUT", "--jump", "ACCEPT"][..], &["--delete", "LAB-NODE", "3"]] {
        mangle(change);
        assert_ne!(mangle(&["--list-rules"]), wanted, "{change:?}");
        lab.run(&["plan", "--diff"]).expect_code(9).expect(&format!("firewall of {worker}: different"));
        lab.run(&["up", "--ci"]).expect_code(0).expect("1 of 6 nodes closed");
        assert_eq!(mangle(&["--list-rules"]), wanted, "{change:?}");
    }
}
