//! What other programs print: Docker, buildx, kind, registries, the kernel, and logs of all kinds.
//!
//! Every parser gets the same text, so that seeds need no mark that says whose they are.

#![no_main]

use std::sync::LazyLock;

use lab::config::{JvmSize, Quantity, Subnet};
use lab::exec::docker::answers::{Lines, split_tag};
use lab::exec::{build, host, lock};
use lab::fault::known;
use lab::images::{self, Catalogue};
use lab::ports::Output;
use lab::run::diagnose::{Mask, quote};
use lab::run::{Trouble, applications, doctor};
use libfuzzer_sys::fuzz_target;

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::load().expect("it is well-formed"));

fuzz_target!(|bytes: &[u8]| {
    lines_do_not_depend_on_pieces(bytes);
    host::registry_logins(bytes);
    lock::holder(bytes);
    let output = Output { stdout: bytes.to_vec(), ..Output::default() };
    assert!(output.quoted().chars().count() <= 2000);

    let text = String::from_utf8_lossy(bytes);
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    names_and_amounts(first);
    no_secret_is_left(first, rest);
    if let Ok(lock) = images::parse_lock(&text, &CATALOGUE) {
        let printed = images::print_lock(&lock).expect("a lock can be printed");
        assert_eq!(images::parse_lock(&printed, &CATALOGUE).expect("it is read as it is written"), lock);
    }
    for route in doctor::routes(&text) {
        assert_eq!(route.to.to_string().parse(), Ok(route.to), "{}", route.interface);
    }
    for shown in text.lines().filter_map(build::summary) {
        assert!(shown.chars().count() <= 90);
    }
    let (reason, last) = quote(&text);
    assert!(last.len() <= 15 && reason.is_none_or(|reason| text.contains(reason)));
    assert_eq!(known::find(&text), known::all_in(&text).first().copied());
    assert!(!Trouble::of(&text).advice(first).is_empty());
});

/// A log comes in pieces of any size.
fn lines_do_not_depend_on_pieces(bytes: &[u8]) {
    let read = |size: usize| {
        let (mut lines, mut seen) = (Lines::default(), Vec::new());
        bytes.chunks(size).for_each(|piece| lines.add(piece, &mut |line| seen.push(line)));
        lines.end(&mut |line| seen.push(line));
        seen
    };
    let size = bytes.first().map_or(1, |byte| usize::from(byte % 16) + 1);
    assert_eq!(read(size), read(bytes.len().max(1)));
}

fn names_and_amounts(word: &str) {
    let (path, tag) = images::path_and_tag(word);
    assert!(word.contains(path) && (tag == "latest" || word.ends_with(tag)));
    let (name, tag) = split_tag(word);
    assert!(word == name || word == format!("{name}:{tag}"));
    assert!(word.starts_with(images::registry(word)));
    assert!(word.starts_with(applications::job_of(word)));
    if let Ok(quantity) = word.parse::<Quantity>() {
        assert!(quantity.to_string() == word && quantity.bytes() <= quantity.milli());
    }
    if let Ok(size) = word.parse::<JvmSize>() {
        assert!(size.to_string() == word);
    }
    if let Ok(subnet) = word.parse::<Subnet>() {
        assert!(subnet.to_string() == word && subnet.contains(subnet.gateway()));
    }
}

/// The first line is secret, and stands in the text.
fn no_secret_is_left(secret: &str, text: &str) {
    let mut mask = Mask::default();
    mask.add_kubeconfig(text);
    mask.add(secret.as_bytes());
    let clean = mask.text(&format!("{text}{secret}{text}"));
    let secret = secret.trim_ascii();
    // Stars could be those of the mask.
    if secret.len() >= 6 && !secret.contains('*') {
        assert!(!clean.contains(secret), "{secret:?} in {clean:?}");
    }
}
