//! Every documented exit code is reached, on the binary where fakes can bring it about, else on the engine.

use lab::fault::Kind;
use nix::sys::signal::Signal;

use crate::bench::{Bench, JobEnd, Say};
use crate::engine::Engine;
use crate::sandbox::Sandbox;

/// What ends with a code.
type Way = fn() -> Option<i32>;

const WAYS: [(u8, Way); 13] = [
    (0, || Sandbox::new().run(&["plan"]).code),
    (1, || {
        let bench = Bench::small();
        bench.world.script("containers", Say::Fail("an answer that nobody understands"));
        Some(bench.status().into())
    }),
    (2, || Sandbox::new().run(&["up", "--bad"]).code),
    (3, || Sandbox::new().run(&["plan", "--config", "none.yaml"]).code),
    (4, || Sandbox::new().run(&["plan", "--diff"]).code),
    (5, || empty(&["status"])),
    // A job that crashes is a failed step, and no wrong result.
    (5, || Some(up_with(JobEnd::Crash))),
    (6, || Some(up_with(JobEnd::WrongRank))),
    (7, || {
        let bench = Bench::small();
        assert_eq!(bench.up(), 0);
        bench.world.script("remove volume", Say::Fail("device busy"));
        Some(bench.down().into())
    }),
    (8, locked),
    (9, || empty(&["plan", "--diff"])),
    (130, || signalled(Signal::SIGINT)),
    (143, || signalled(Signal::SIGTERM)),
];

#[test]
fn every_exit_code_is_reached() {
    let mut codes: Vec<u8> = WAYS.iter().map(|(code, _)| *code).collect();
    codes.dedup();
    let documented: Vec<u8> = [0].into_iter().chain(Kind::ALL.map(Kind::exit_code)).collect();
    assert_eq!(codes, documented);
    for (code, way) in WAYS {
        assert_eq!(way(), Some(code.into()));
    }
}

/// On an engine with nothing on it.
fn empty(args: &[&str]) -> Option<i32> {
    let (sandbox, _engine) = Sandbox::with(Engine::empty);
    sandbox.run(args).code
}

fn up_with(end: JobEnd) -> i32 {
    let bench = Bench::small();
    bench.world.state().jobs.end = end;
    bench.up().into()
}

fn locked() -> Option<i32> {
    let (sandbox, engine) = Sandbox::with(Engine::stuck);
    let _holder = sandbox.start(&["down"]);
    engine.wait_for("/containers/json");
    sandbox.run(&["down"]).code
}

fn signalled(signal: Signal) -> Option<i32> {
    let (sandbox, engine) = Sandbox::with(Engine::silent);
    let running = sandbox.start(&["status"]);
    engine.wait_for("/version");
    running.signal(signal);
    running.end().code
}
