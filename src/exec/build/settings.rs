//! Settings of this machine that a build inside a container must share: proxies, mirrors of package registries.

use std::path::{Path, PathBuf};

use crate::exec::host;

/// Known to BuildKit by themselves.
const PROXIES: [&str; 8] =
    ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"];

/// Go's, which `go env -w` keeps in a file.
const GO: [&str; 3] = ["GOPROXY", "GONOSUMDB", "GOSUMDB"];

/// pip's, with the keys that its configuration file has for them.
const PIP: [(&str, &str); 3] =
    [("PIP_INDEX_URL", "index-url"), ("PIP_EXTRA_INDEX_URL", "extra-index-url"), ("PIP_TRUSTED_HOST", "trusted-host")];

/// Names and values; as with the programs themselves, the environment wins over a file.
pub fn shared() -> Vec<(&'static str, String)> {
    let go = text(host::variable("GOENV").map(PathBuf::from).into_iter().chain(below_config("go/env")));
    let pip = text(
        host::variable("PIP_CONFIG_FILE")
            .map(PathBuf::from)
            .into_iter()
            .chain(below_config("pip/pip.conf"))
            .chain([PathBuf::from("/etc/pip.conf")]),
    );
    let variable = |name| Some((name, host::variable(name)?));
    let of_go = |name| Some((name, host::variable(name).or_else(|| value(&go, name))?));
    let of_pip = |(name, key)| Some((name, host::variable(name).or_else(|| value(&pip, key))?));
    PROXIES
        .into_iter()
        .filter_map(variable)
        .chain(GO.into_iter().filter_map(of_go))
        .chain(PIP.into_iter().filter_map(of_pip))
        .collect()
}

/// A file in the folder of settings of whoever runs `lab`.
fn below_config(path: &str) -> Option<PathBuf> {
    let folder = host::variable("XDG_CONFIG_HOME").map(PathBuf::from);
    folder.or_else(|| Some(Path::new(&host::variable("HOME")?).join(".config"))).map(|folder| folder.join(path))
}

/// The first of these files that can be read.
fn text(mut files: impl Iterator<Item = PathBuf>) -> String {
    files.find_map(|file| fs_err::read_to_string(file).ok()).unwrap_or_default()
}

/// What stands behind `key =`. Sections do not matter: none of these keys means different things in two of them.
/// Lines that belong to the value, and begin with a space, are joined to it.
fn value(text: &str, key: &str) -> Option<String> {
    let mut lines = text.lines().skip_while(|line| name(line) != Some(key));
    let first = lines.next()?.split_once('=')?.1;
    let more = lines.take_while(|line| line.starts_with([' ', '\t']));
    let words: Vec<&str> = std::iter::once(first).chain(more).flat_map(str::split_whitespace).collect();
    Some(words.join(" ")).filter(|value| !value.is_empty())
}

fn name(line: &str) -> Option<&str> {
    line.split_once('=').map(|(name, _)| name.trim_end())
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn values_of_pip_and_go_are_found() {
        let pip = "# index-url = no\n[global]\nindex-url = https://mirror.example/simple\n\
                   extra-index-url =\n    https://a.example\n\thttps://b.example\n[install]\ntrusted-host=a.example\n";
        assert_eq!(value(pip, "index-url").as_deref(), Some("https://mirror.example/simple"));
        assert_eq!(value(pip, "extra-index-url").as_deref(), Some("https://a.example https://b.example"));
        assert_eq!(value(pip, "trusted-host").as_deref(), Some("a.example"));
        assert_eq!(value(pip, "timeout"), None);
        assert_eq!(value("GOPROXY=\nGOSUMDB=off\n", "GOPROXY"), None);
        assert_eq!(value("GOPROXY=\nGOSUMDB=off\n", "GOSUMDB").as_deref(), Some("off"));
    }
}
