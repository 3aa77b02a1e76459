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

/// The CA bundle that this machine trusts, for builds behind an inspecting proxy.
pub fn ca_bundle() -> Option<PathBuf> {
    let usual = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];
    let candidates = variable("SSL_CERT_FILE").into_iter().chain(usual.map(str::to_owned));
    candidates.map(PathBuf::from).find(|path| path.is_file())
}

/// What is secret on this machine: the values of environment variables with such a name, and the logins to image
/// registries that Docker keeps in its file.
pub fn secrets(is_secret_name: impl Fn(&str) -> bool) -> Vec<String> {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    let variables = std::env::vars_os().map(|(name, value)| (name.to_string_lossy().into_owned(), value));
    let mut found: Vec<String> = variables
        .filter(|(name, _)| is_secret_name(name))
        .map(|(_, value)| value.to_string_lossy().into_owned())
        .collect();
    let folder = variable("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| Some(Path::new(&variable("HOME")?).join(".docker")));
    let file = folder.and_then(|folder| fs_err::read(folder.join("config.json")).ok());
    found.extend(file.iter().flat_map(|file| registry_logins(file)));
    found
}

/// Every login in Docker's `config.json`: as it stands there, and the password in it.
fn registry_logins(file: &[u8]) -> Vec<String> {
    let config: serde_json::Value = serde_json::from_slice(file).unwrap_or_default();
    let mut found = Vec::new();
    for login in config["auths"].as_object().into_iter().flat_map(serde_json::Map::values) {
        for field in ["auth", "identitytoken", "registrytoken", "password"] {
            found.extend(login[field].as_str().map(str::to_owned));
        }
        let decoded = serde_json::from_value::<k8s_openapi::ByteString>(login["auth"].clone());
        let decoded = decoded.map(|bytes| String::from_utf8_lossy(&bytes.0).into_owned()).unwrap_or_default();
        found.extend(decoded.split_once(':').map(|(_, password)| password.to_owned()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::registry_logins;

    #[test]
    fn logins_to_registries_are_secret() {
        // "user:pass-word" in base64.
        let file = br#"{"auths": {"registry.example": {"auth": "dXNlcjpwYXNzLXdvcmQ="}}}"#;
        assert_eq!(registry_logins(file), ["dXNlcjpwYXNzLXdvcmQ=", "pass-word"]);
        assert_eq!(registry_logins(b"no JSON"), Vec::<String>::new());
    }
}
