//! A lab's lock, of the kernel: it ends with those who hold it, however they end.
//!
//! The programs that a run starts inherit it. So it stays taken while `kind`, left behind by a run that was
//! killed, still makes containers; and who has the file open is who is still at work.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, Flock, FlockArg, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::host;

/// How long the holder may take to write down who it is.
const INTRODUCTION: Duration = Duration::from_secs(1);
/// How long what a killed run left behind may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(10);
/// How long the kernel may take to end it when it was killed.
const KILLED: Duration = Duration::from_secs(5);
const INTERVAL: Duration = Duration::from_millis(20);
/// No holder writes more about itself.
const LONGEST: u64 = 1024;

/// The lock of this process. It is never given back: what was started under it may outlive what took it.
static HELD: OnceLock<Flock<File>> = OnceLock::new();

/// Who holds a lock, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub process: u32,
    /// What was typed: `lab up`.
    pub verb: String,
    pub since: Timestamp,
}

/// What became of an attempt to take a lock.
pub enum Attempt {
    /// It is ours until this process ends.
    Taken,
    /// Somebody else has it, who has said so.
    Held(Holder),
    /// Somebody else has it: these processes, where they can be seen.
    HeldBy(Vec<Pid>),
}

/// Takes the lock, and ends what a killed run left behind; `note` hears of that.
///
/// # Errors
/// When the file cannot be opened or locked at all.
pub async fn take(path: &Path, verb: &str, note: &mut dyn FnMut(String)) -> Result<Attempt> {
    let started = Instant::now();
    let mut left_behind = LeftBehind::default();
    loop {
        make_folder(path)?;
        let file = host::open_private(path)?;
        let file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            // The last holder may have removed the file between our opening and our locking it.
            Ok(lock) if same(&lock, path) => {
                keep(lock, verb);
                return Ok(Attempt::Taken);
            }
            Ok(_) => continue,
            Err((file, Errno::EWOULDBLOCK)) => file,
            Err((_, error)) => return Err(error).context("locking it"),
        };
        // In this order: who passes the lock on has written down who it is.
        let holders = holders(&file)?;
        let said = read(&file);
        let inherited: BTreeSet<Pid> = holders.iter().filter(|(_, inherits)| **inherits).map(|(id, _)| *id).collect();
        match said {
            Some(holder) if holders.contains_key(&pid(holder.process)) => return Ok(Attempt::Held(holder)),
            Some(holder) if !inherited.is_empty() && !left_behind.end(&holder, &inherited, note) => {
                return Ok(Attempt::HeldBy(inherited.into_iter().collect()));
            }
            said if started.elapsed() > INTRODUCTION && !left_behind.is_ending() => {
                let seen = holders.into_keys().collect::<Vec<_>>();
                return Ok(match said {
                    // It cannot be seen from here: in another container, or another user's.
                    Some(holder) if seen.is_empty() => Attempt::Held(holder),
                    _ => Attempt::HeldBy(seen),
                });
            }
            _ => {}
        }
        sleep(INTERVAL).await;
    }
}

/// The lock's folder is for its owner only. It goes with the lab.
fn make_folder(path: &Path) -> Result<()> {
    host::make_private_folder(path.parent().context("a lock stands in a folder")?).map_err(Into::into)
}

/// Processes that outlived the run that started them.
#[derive(Default)]
struct LeftBehind {
    since: Option<Instant>,
    asked: BTreeSet<Pid>,
}

impl LeftBehind {
    fn is_ending(&self) -> bool {
        self.since.is_some()
    }

    /// Ends them a little more each time; false when nothing helps.
    fn end(&mut self, holder: &Holder, processes: &BTreeSet<Pid>, note: &mut dyn FnMut(String)) -> bool {
        let age = self.since.get_or_insert_with(Instant::now).elapsed();
        for process in processes {
            if self.asked.insert(*process) {
                // One that has ended in the meantime has no name.
                if let Some(name) = name(*process) {
                    let (run, verb) = (holder.process, &holder.verb);
                    note(format!("ending {name} (process {process}), left behind by `{verb}`, process {run}"));
                }
                send(*process, Signal::SIGTERM);
                send(*process, Signal::SIGCONT);
            } else if age > GRACE {
                send(*process, Signal::SIGKILL);
            }
        }
        age < GRACE + KILLED
    }
}

fn send(process: Pid, signal: Signal) {
    if let Err(error) = kill(process, signal) {
        tracing::debug!(%process, %signal, %error, "ended already");
    }
}

fn pid(process: u32) -> Pid {
    Pid::from_raw(i32::try_from(process).unwrap_or_default())
}

/// Writes down who we are, and lets what we start inherit the lock; in this order, see [`take`].
fn keep(mut lock: Flock<File>, verb: &str) {
    let since = Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default();
    let holder = Holder { process: std::process::id(), verb: verb.to_owned(), since };
    let text = serde_json::to_vec(&holder).unwrap_or_default();
    // Without it the lock holds as well; others only do not learn whose it is.
    if let Err(error) = lock.set_len(0).and_then(|()| lock.write_all(&text)) {
        tracing::warn!("cannot write down who holds the lock: {error}");
    }
    if let Err(error) = fcntl(&*lock, FcntlArg::F_SETFD(FdFlag::empty())) {
        tracing::debug!(%error, "programs do not inherit the lock");
    }
    drop(HELD.set(lock));
}

/// What the holder says of itself, none where that cannot be read.
fn read(file: &File) -> Option<Holder> {
    let mut text = Vec::new();
    file.take(LONGEST).read_to_end(&mut text).ok()?;
    holder(&text)
}

/// What a holder wrote; none where it is not what a holder writes.
pub fn holder(text: &[u8]) -> Option<Holder> {
    let holder: Holder = serde_json::from_slice(text).ok()?;
    let plain = holder.verb.len() < 40 && holder.verb.chars().all(|letter| letter.is_ascii_graphic() || letter == ' ');
    plain.then_some(holder)
}

/// True where this is still the file of that name.
pub fn same(file: &File, path: &Path) -> bool {
    identity(file.metadata()).is_some_and(|ours| identity(std::fs::metadata(path)) == Some(ours))
}

fn identity(metadata: std::io::Result<std::fs::Metadata>) -> Option<(u64, u64)> {
    metadata.ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Processes but this one that have the file open, and whether what they start inherits it.
fn holders(file: &File) -> Result<BTreeMap<Pid, bool>> {
    let wanted = identity(file.metadata()).context("the lock has no identity")?;
    let mut found = BTreeMap::new();
    let Ok(processes) = std::fs::read_dir("/proc") else { return Ok(found) };
    for process in processes.flatten() {
        let Some(id) = process.file_name().to_str().and_then(|name| name.parse().ok()).map(Pid::from_raw) else {
            continue;
        };
        // Other users' processes are closed to us, and have none of our files.
        let Ok(files) = std::fs::read_dir(process.path().join("fd")) else { continue };
        let ours = files.flatten().filter(|file| identity(std::fs::metadata(file.path())) == Some(wanted));
        for file in ours.filter(|_| id != Pid::this()) {
            let inherits = passes_on(&process.path().join("fdinfo").join(file.file_name()));
            *found.entry(id).or_default() |= inherits;
        }
    }
    Ok(found)
}

/// True where a file, by its `/proc/<id>/fdinfo/<number>`, is not closed when a program is started.
fn passes_on(path: &Path) -> bool {
    const CLOSED: u32 = 0o2_000_000;
    let text = fs_err::read_to_string(path).unwrap_or_default();
    let flags = text.lines().find_map(|line| line.strip_prefix("flags:"));
    flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok()).is_some_and(|flags| flags & CLOSED == 0)
}

fn name(process: Pid) -> Option<String> {
    let name = fs_err::read_to_string(format!("/proc/{process}/comm")).ok()?;
    Some(name.trim().to_owned())
}
