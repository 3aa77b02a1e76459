//! The machine `lab` runs on: environment, programs, ports, memory.

use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use nix::unistd::AccessFlags;

use crate::ports::Host;

/// An environment variable, none where it is unset or empty.
pub fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// All environment variables whose names begin so, without the empty ones.
pub fn variables(prefix: &str) -> Vec<(String, String)> {
    let all = std::env::vars_os().map(|(name, value)| [name, value].map(|part| part.to_string_lossy().into_owned()));
    all.map(|[name, value]| (name, value))
        .filter(|(name, value)| name.starts_with(prefix) && !value.is_empty())
        .collect()
}

/// This machine.
pub struct Machine;

impl Host for Machine {
    fn port_is_free(&self, port: u16) -> bool {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
    }

    fn kernel_setting(&self, name: &str) -> Option<u64> {
        fs_err::read_to_string(setting_path(name)).ok()?.trim().parse().ok()
    }

    fn free_disk(&self, path: &Path) -> Option<u64> {
        if !path.exists() {
            return None;
        }
        let disks = sysinfo::Disks::new_with_refreshed_list().ok()?;
        let holds = disks.iter().filter(|disk| path.starts_with(disk.mount_point()));
        holds.max_by_key(|disk| disk.mount_point().as_os_str().len()).map(sysinfo::Disk::available_space)
    }

    fn variable(&self, name: &str) -> Option<String> {
        variable(name)
    }

    fn text(&self, path: &str) -> Option<String> {
        let bytes = fs_err::read(path).ok()?;
        if Path::new(path).extension().is_none_or(|extension| extension != "gz") {
            return Some(String::from_utf8_lossy(&bytes).into_owned());
        }
        let mut text = String::new();
        flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).ok()?;
        Some(text)
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn may_write(&self, folder: &Path) -> bool {
        folder.is_dir() && nix::unistd::access(folder, AccessFlags::W_OK | AccessFlags::X_OK).is_ok()
    }

    fn ca_bundle(&self) -> Option<PathBuf> {
        ca_bundle()
    }

    fn is_root(&self) -> bool {
        nix::unistd::geteuid().is_root()
    }

    fn raise(&self, setting: &str, value: u64) -> Result<()> {
        if self.kernel_setting(setting).is_none_or(|now| now < value) {
            fs_err::write(setting_path(setting), value.to_string()).context("the kernel refused")?;
        }
        let kept = fs_err::read_to_string(SETTINGS).unwrap_or_default();
        fs_err::write(SETTINGS, with_setting(&kept, setting, value)).context("it holds until the next restart only")
    }
}

/// Kernel settings that outlive a restart; `make setup` writes the same file.
const SETTINGS: &str = "/etc/sysctl.d/60-lab.conf";

fn setting_path(name: &str) -> PathBuf {
    Path::new("/proc/sys").join(name.replace('.', "/"))
}

/// The text of a file of settings in which one has this value, unless it is higher there already.
fn with_setting(text: &str, setting: &str, value: u64) -> String {
    let pair =
        |line: &str| line.split_once('=').map(|(name, value)| (name.trim().to_owned(), value.trim().parse().ok()));
    let (old, others): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| pair(line).is_some_and(|(name, _)| name == setting));
    let highest = old.into_iter().filter_map(|line| pair(line)?.1).fold(value, u64::max);
    let mut lines: Vec<String> = others.into_iter().map(str::to_owned).collect();
    lines.push(format!("{setting}={highest}"));
    lines.join("\n") + "\n"
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

/// True where programs are told to use a proxy.
pub fn has_proxy() -> bool {
    ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"].into_iter().any(|name| variable(name).is_some())
}

/// True where we were started to outlive the terminal, as by `nohup`.
pub fn ignores_hangup() -> bool {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
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
    let named = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"].into_iter().filter_map(variable);
    let candidates = named.chain(usual.map(str::to_owned));
    candidates.map(PathBuf::from).find(|path| path.is_file())
}

/// What is secret on this machine: the values of environment variables with such a name, and the logins to image
/// registries that Docker keeps in its file.
pub fn secrets(is_secret_name: impl Fn(&str) -> bool) -> Vec<String> {
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
pub fn registry_logins(file: &[u8]) -> Vec<String> {
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
    use super::{registry_logins, with_setting};

    #[test]
    fn a_setting_is_raised_once_and_its_neighbours_stay() {
        let text = "# why\na.b = 3\nc.d=1\na.b=9\n";
        assert_eq!(with_setting(text, "c.d", 5), "# why\na.b = 3\na.b=9\nc.d=5\n");
        assert_eq!(with_setting(text, "a.b", 5), "# why\nc.d=1\na.b=9\n");
        assert_eq!(with_setting("", "a.b", 5), "a.b=5\n");
    }

    #[test]
    fn logins_to_registries_are_secret() {
        // "user:pass-word" in base64.
        let file = br#"{"auths": {"registry.example": {"auth": "dXNlcjpwYXNzLXdvcmQ="}}}"#;
        assert_eq!(registry_logins(file), ["dXNlcjpwYXNzLXdvcmQ=", "pass-word"]);
        assert_eq!(registry_logins(b"no JSON"), Vec::<String>::new());
    }
}
