//! What lab writes is for its owner alone, whatever the umask.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use nix::sys::stat::{Mode, umask};

use crate::lab::Lab;

/// From now on nothing is private by the umask: that of this process, and of all that it starts.
pub fn lift_the_umask() {
    umask(Mode::empty());
}

/// Files 0600 and folders 0700, in all that the verbs so far have left.
pub fn are_private(lab: &Lab) {
    let state = lab.state().join(lab.name);
    let planted = state.join("planted");
    fs_err::create_dir(&planted).expect("a folder");
    fs_err::write(planted.join("file"), "").expect("a file");
    assert_eq!(open_to_others(&state).len(), 2, "what was planted, and nothing else: {:?}", open_to_others(&state));
    fs_err::remove_dir_all(planted).expect("what was planted");

    assert_eq!(open_to_others(&state), Vec::<String>::new());
    for written in ["lock", "journal", "kubeconfig", "people/view.kubeconfig", "diagnostics"] {
        assert!(state.join(written).exists(), "{written} was not looked at");
    }
}

/// Modes and names of what others may use, from this path on.
fn open_to_others(path: &Path) -> Vec<String> {
    let found = fs_err::symlink_metadata(path).expect("what was listed");
    let mode = found.permissions().mode() & 0o777;
    let wanted = if found.is_dir() { 0o700 } else { 0o600 };
    let mut open: Vec<String> = (mode != wanted).then(|| format!("{mode:o} {}", path.display())).into_iter().collect();
    if found.is_dir() {
        let entries = fs_err::read_dir(path).expect("a folder");
        open.extend(entries.flat_map(|entry| open_to_others(&entry.expect("an entry").path())));
    }
    open
}
