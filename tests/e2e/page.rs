//! A page of the lab on a port of loopback, as `lab open` has it there.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::lab::Lab;

/// It is there as long as this is held.
pub struct Page {
    child: Child,
    /// Without a slash at the end.
    pub address: String,
}

impl Page {
    pub fn of(lab: &Lab, name: &str) -> Self {
        let mut child = lab.command(&["open", name, "--no-browser"]).stdout(Stdio::piped()).spawn().expect("it runs");
        let mut address = String::new();
        BufReader::new(child.stdout.take().expect("its data")).read_line(&mut address).expect("an address");
        let address = address.trim().trim_end_matches('/').to_owned();
        assert!(address.starts_with("http://127.0.0.1:"), "{address}");
        Self { child, address }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let process = Pid::from_raw(self.child.id().try_into().expect("a process id"));
        kill(process, Signal::SIGINT).expect("it serves");
        assert_eq!(self.child.wait().expect("its end").code(), Some(0));
    }
}
