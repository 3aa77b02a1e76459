//! The machine `lab` runs on: environment, programs, ports, memory.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use crate::ports::Host;

/// An environment variable, none where it is unset or empty.
pub fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// This machine.
pub struct Machine;

impl Host for Machine {
    fn port_is_free(&self, port: u16) -> bool {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
    }

    fn kernel_setting(&self, name: &str) -> Option<u64> {
        let path = Path::new("/proc/sys").join(name.replace('.', "/"));
        fs_err::read_to_string(path).ok()?.trim().parse().ok()
    }

    fn free_disk(&self, path: &Path) -> Option<u64> {
        if !path.exists() {
            return None;
        }
        let disks = sysinfo::Disks::new_with_refreshed_list().ok()?;
        let holds = disks.iter().filter(|disk| path.starts_with(disk.mount_point()));
        holds.max_by_key(|disk| disk.mount_point().as_os_str().len()).map(sysinfo::Disk::available_space)
    }
}

/// Where the state of labs is kept: `$LAB_STATE`, `$XDG_STATE_HOME/lab` or `~/.local/state/lab`.
pub fn state_home() -> Option<PathBuf> {
    if let Some(path) = variable("LAB_STATE") {
        return Some(path.into());
    }
    let base = variable("XDG_STATE_HOME").map(PathBuf::from);
    base.or_else(|| Some(Path::new(&variable("HOME")?).join(".local/state"))).map(|path| path.join("lab"))
}

/// Opens a file that only its owner may read, from the moment it exists.
pub fn open_private(path: &Path) -> std::io::Result<std::fs::File> {
    use fs_err::os::unix::fs::OpenOptionsExt as _;
    let mut options = fs_err::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    Ok(options.open(path)?.into_parts().0)
}

/// Makes a folder, with those above it, that only its owner may enter.
pub fn make_private_folder(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Listens on a loopback port; 0 takes any that is free.
pub async fn listen(port: u16) -> std::io::Result<tokio::net::TcpListener> {
    tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await
}

/// The CA bundle that this machine trusts, for builds behind an inspecting proxy.
pub fn ca_bundle() -> Option<PathBuf> {
    let usual = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];
    let candidates = variable("SSL_CERT_FILE").into_iter().chain(usual.map(str::to_owned));
    candidates.map(PathBuf::from).find(|path| path.is_file())
}
