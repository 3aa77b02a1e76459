//! Process groups of the commands that run, and how they end: asked first, killed when they do not listen.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, copy, sink};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// How long a group may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(10);
/// How long the kernel may take to end a group that was killed.
const KILLED: Duration = Duration::from_secs(5);
/// How often a group without leader is looked at: nobody reports the end of a child's child.
const INTERVAL: Duration = Duration::from_millis(20);

/// All groups of this process that have not ended, with the name of the program that leads each.
static GROUPS: LazyLock<watch::Sender<Groups>> = LazyLock::new(|| watch::Sender::new(Groups::default()));

#[derive(Default)]
struct Groups {
    closed: bool,
    leaders: BTreeMap<Pid, String>,
}

/// From here on no command is started.
pub fn start_no_more() {
    GROUPS.send_modify(|groups| groups.closed = true);
}

/// What runs or has yet to end, in words; none where nothing does.
pub fn running() -> Option<String> {
    let groups = GROUPS.borrow();
    let words: Vec<String> = groups.leaders.iter().map(|(id, program)| format!("{program} (process {id})")).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// Waits until no group is left.
pub async fn all_ended() {
    // The sender is never dropped.
    drop(GROUPS.subscribe().wait_for(|groups| groups.leaders.is_empty()).await);
}

/// Kills every group, and waits for none.
pub fn kill_all() {
    GROUPS.send_modify(|groups| {
        groups.closed = true;
        groups.leaders.keys().for_each(|id| send(*id, Signal::SIGKILL));
    });
}

/// A command and all that it started. Where this is dropped before the command has ended, all of it is ended.
pub struct Group {
    id: Pid,
    leader: Option<Child>,
}

impl Group {
    /// Starts a command, which must be set to lead a group of its own.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &mut Command, program: &str) -> Result<Self> {
        let mut started = None;
        // Under the lock, so that nobody who ends all groups misses this one.
        GROUPS.send_if_modified(|groups| {
            if groups.closed {
                return false;
            }
            let child = command.spawn();
            let id = child.as_ref().ok().and_then(Child::id).and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
            groups.leaders.extend(id.map(|id| (id, program.to_owned())));
            started = Some((child, id));
            id.is_some()
        });
        let Some((child, id)) = started else { bail!("{program} is not started any more: the run is being stopped") };
        let child = child.with_context(|| format!("starting {program}"))?;
        let id = id.with_context(|| format!("{program} has no process id"))?;
        Ok(Self { id, leader: Some(child) })
    }

    /// The command itself, until it has ended.
    pub fn leader(&mut self) -> Option<&mut Child> {
        self.leader.as_mut()
    }

    /// The command has come to its end by itself.
    pub fn ended(mut self) {
        self.leader = None;
        forget(self.id);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let Some(child) = self.leader.take() else { return };
        let id = self.id;
        ask(id);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                end(child, id).await;
                forget(id);
            });
        } else {
            send(id, Signal::SIGKILL);
            forget(id);
        }
    }
}

fn forget(id: Pid) {
    GROUPS.send_modify(|groups| drop(groups.leaders.remove(&id)));
}

/// Asks a group to end; one that is stopped hears nothing before it goes on.
fn ask(id: Pid) {
    send(id, Signal::SIGTERM);
    send(id, Signal::SIGCONT);
}

/// Waits for a group that has been asked to end, and kills it where that takes too long.
async fn end(mut child: Child, id: Pid) {
    // Last words are read and thrown away: nobody waits for a pipe that is full.
    let streams = (drain(child.stdout.take()), drain(child.stderr.take()));
    let drained = async {
        tokio::join!(streams.0, streams.1);
        std::future::pending::<()>().await;
    };
    let gone = async {
        if let Err(error) = child.wait().await {
            tracing::debug!(%id, %error, "cannot be waited for");
        }
        while is_alive(id) {
            sleep(INTERVAL).await;
        }
    };
    let ended = async {
        tokio::pin!(gone);
        if timeout(GRACE, &mut gone).await.is_err() {
            send(id, Signal::SIGKILL);
            if timeout(KILLED, gone).await.is_err() {
                tracing::warn!("process group {id} was killed and has not ended");
            }
        }
    };
    tokio::select! {
        () = ended => {}
        () = drained => {}
    }
}

async fn drain<R: AsyncRead + Unpin>(stream: Option<R>) {
    if let Some(mut stream) = stream
        && let Err(error) = copy(&mut stream, &mut sink()).await
    {
        tracing::debug!(%error, "a stream broke off");
    }
}

fn send(id: Pid, signal: Signal) {
    if let Err(error) = killpg(id, signal) {
        tracing::debug!(%id, %signal, %error, "ended already");
    }
}

/// True while a process of the group runs. What has ended and waits to be collected by somebody else does not count.
fn is_alive(id: Pid) -> bool {
    if killpg(id, None) == Err(Errno::ESRCH) {
        return false;
    }
    let Ok(processes) = fs_err::read_dir("/proc") else { return true };
    let stats = processes.flatten().filter_map(|entry| fs_err::read(entry.path().join("stat")).ok());
    stats.filter_map(|stat| membership(&String::from_utf8_lossy(&stat))).any(|group| group == id)
}

/// The group of a process that runs, from its `/proc/<id>/stat`: `1 (name) S parent group …`; the name may hold anything.
fn membership(stat: &str) -> Option<Pid> {
    let mut words = stat.rsplit_once(')')?.1.split_whitespace();
    let state = words.next()?;
    let group = words.nth(1)?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then(|| Pid::from_raw(group))
}

#[cfg(test)]
mod tests {
    use super::{Pid, membership};

    #[test]
    fn a_name_may_look_like_the_rest() {
        assert_eq!(membership("7 (a) Z 1 2 (b)) S 1 42 9"), Some(Pid::from_raw(42)));
        assert_eq!(membership("7 (sleep) Z 1 42 9"), None);
        assert_eq!(membership("7 (sleep"), None);
        assert_eq!(membership(""), None);
    }
}
