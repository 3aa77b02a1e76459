//! A machine that is not fit: everything that is in the way, at once, and nothing made.

use std::net::TcpListener;

use crate::engine::Engine;
use crate::sandbox::Sandbox;

#[test]
fn everything_in_the_way_is_listed() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    sandbox.tool("kind", "echo 'kind v0.20.0 go1.20 linux/amd64'");
    let listeners = [0, 0].map(|port| TcpListener::bind(("127.0.0.1", port)).unwrap());
    let [api, registry] = listeners.each_ref().map(|listener| listener.local_addr().unwrap().port().to_string());
    let finished = sandbox.run(&["up", "--ci", "--api-port", &api, "--registry-port", &registry]);
    finished.code(4).says("this machine: not fit for lab lab:").says("kind is 0.20.0, 0.33 is needed");
    finished
        .says(&format!("port {api} for the API is taken"))
        .says(&format!("port {registry} for the registry is taken"));
}

#[test]
fn a_missing_kind_is_named() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    sandbox.run(&["up", "--ci"]).code(4).says("kind cannot be run (kind is not on PATH");
}

#[test]
fn a_kind_that_fails_is_quoted() {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    sandbox.tool("kind", "echo 'cannot execute: required library is missing' >&2; exit 127");
    let finished = sandbox.run(&["up", "--ci"]);
    finished.code(4).says("`kind version` ended with exit status: 127").says("required library is missing");
}
