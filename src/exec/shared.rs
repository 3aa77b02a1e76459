//! What several runs need at the same time, and the last of them puts away: a lock of the kernel that they share.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use tokio::time::sleep;

use super::host;
use super::lock::same;

const INTERVAL: Duration = Duration::from_millis(20);

/// A part in it, until it is dropped or left.
pub struct Shared {
    lock: Flock<File>,
    path: PathBuf,
}

/// Joins those who need it; waits while the last of the others puts it away.
///
/// # Errors
/// When the file cannot be opened or locked at all.
pub async fn join(path: &Path) -> Result<Shared> {
    loop {
        match Flock::lock(host::open_private(path)?, FlockArg::LockSharedNonblock) {
            // The last one may have removed the file between our opening and our locking it.
            Ok(lock) if same(&lock, path) => return Ok(Shared { lock, path: path.to_owned() }),
            Ok(_) => {}
            Err((_, Errno::EWOULDBLOCK)) => sleep(INTERVAL).await,
            Err((_, error)) => return Err(error).with_context(|| format!("locking {}", path.display())),
        }
    }
}

impl Shared {
    /// Leaves, and puts it away where nobody else needs it.
    ///
    /// # Errors
    /// Those of putting it away.
    pub async fn leave(self, put_away: impl AsyncFnOnce() -> Result<()>) -> Result<()> {
        // The kernel lets go of the shared lock before it tries for the whole: of all who leave at once, one gets it.
        match self.lock.relock(FlockArg::LockExclusiveNonblock) {
            Ok(()) => put_away().await?,
            Err(Errno::EWOULDBLOCK) => return Ok(()),
            Err(error) => return Err(error).with_context(|| format!("locking {}", self.path.display())),
        }
        fs_err::remove_file(&self.path).map_err(Into::into)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn the_last_puts_it_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shared");
        let away = Cell::new(0);
        let put_away = async || {
            away.set(away.get() + 1);
            Ok(())
        };
        let [one, two] = [join(&path).await.unwrap(), join(&path).await.unwrap()];
        one.leave(put_away).await.unwrap();
        assert!(away.get() == 0 && path.exists());
        two.leave(put_away).await.unwrap();
        assert!(away.get() == 1 && !path.exists());
        // What was cut short holds up nobody.
        drop(join(&path).await.unwrap());
        join(&path).await.unwrap().leave(put_away).await.unwrap();
        assert_eq!(away.get(), 2);
    }

    #[tokio::test]
    async fn whoever_comes_while_it_is_put_away_waits_and_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shared");
        let first = join(&path).await.unwrap();
        let put_away = async || {
            let early = tokio::time::timeout(INTERVAL * 3, join(&path)).await;
            assert!(early.is_err(), "it joined what was being put away");
            Ok(())
        };
        let joined = async {
            sleep(INTERVAL).await;
            join(&path).await.unwrap()
        };
        let (left, second) = tokio::join!(first.leave(put_away), joined);
        left.unwrap();
        assert!(same(&second.lock, &path));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn whoever_is_in_holds_the_file_and_the_last_one_out_removes_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shared");
        let mut busy = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let path = path.clone();
            busy.spawn(async move {
                for _ in 0..500 {
                    let shared = join(&path).await.unwrap();
                    assert!(same(&shared.lock, &path), "what is locked has been removed");
                    shared.leave(async || Ok(())).await.unwrap();
                }
            });
        }
        busy.join_all().await;
        assert!(!path.exists(), "nobody put it away");
    }
}
