//! What listens on this machine: a lab adds nothing that somebody else could reach.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, UdpSocket};

use serde_json::Value;

use crate::lab::{Lab, docker, until};
use crate::page::Page;

/// The kernel's tables, and the state of a socket that waits for whoever comes.
const TABLES: [(&str, &str); 4] = [("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")];

/// Table and address, as the kernel writes it, of each socket that others may reach.
pub fn in_reach() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (table, waits) in TABLES {
        let text = fs_err::read_to_string(format!("/proc/net/{table}")).expect("a table of sockets");
        for socket in text.lines().skip(1) {
            let fields: Vec<&str> = socket.split_whitespace().collect();
            let address = fields[1].split(':').next().expect("an address");
            if fields[3] == waits && !is_loopback(address) {
                found.insert(format!("{table} {}", fields[1]));
            }
        }
    }
    found
}

/// 127.0.0.0/8 and ::1, in hexadecimal words of the machine's own byte order.
fn is_loopback(address: &str) -> bool {
    let v4 = address.strip_prefix("0000000000000000FFFF0000").unwrap_or(address);
    v4.len() == 8 && v4.ends_with("7F") || address == "00000000000000000000000001000000"
}

/// No socket in reach but those of before; Docker publishes no port elsewhere, also where it needs no socket for it.
pub fn are_on_loopback_alone(lab: &Lab, before: &BTreeSet<String>) {
    let new = || in_reach().difference(before).cloned().collect::<BTreeSet<_>>();
    let planted = (
        TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a socket"),
        UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a socket"),
        TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)).ok(),
    );
    let wanted = 2 + usize::from(planted.2.is_some());
    assert!(new().len() >= wanted, "what was planted is not among {:?}", new());
    drop(planted);

    let _page = Page::of(lab, "minio");
    // Others on this machine come and go: what the lab opened stays.
    let seen = new();
    until(&format!("gone: {seen:?}"), || new().is_disjoint(&seen));

    let mut published = Vec::new();
    for name in lab.containers() {
        let ports = docker(&["inspect", "--format", "{{json .NetworkSettings.Ports}}", &name]);
        let ports: Value = serde_json::from_str(&ports).expect("JSON");
        let bindings = ports.as_object().into_iter().flatten().filter_map(|(_, bindings)| bindings.as_array());
        published.extend(bindings.flatten().map(|binding| format!("{name} {}", binding["HostIp"])));
    }
    assert!(published.len() >= 2, "the API and the registry: {published:?}");
    assert!(published.iter().all(|binding| binding.ends_with(" \"127.0.0.1\"")), "{published:?}");
}
