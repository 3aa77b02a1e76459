//! Programs, ways to the outside, and the folder of state.

use super::checks::{Case, Verdict};
use super::engine::numbers;
use super::facts::{Ca, Held};
use super::finding::Level;
use crate::config::ImageSource;

/// Versions of kind whose node images and load balancer fit.
const KIND: (u32, u32) = (0, 33);

pub fn kind(case: &Case) -> Verdict {
    let needed = format!("{}.{}", KIND.0, KIND.1);
    let install = format!("go install sigs.k8s.io/kind@v{needed}.0   (and remove the other from PATH)");
    let verdict = match &case.facts.kind {
        Ok(version) if numbers(version).starts_with(&[KIND.0, KIND.1]) => {
            Verdict::new(Level::Ok, format!("kind is {version}")).measured(version)
        }
        Ok(version) if numbers(version) > vec![KIND.0, KIND.1] => {
            let what = format!("kind is {version}; tested with {needed}");
            Verdict::new(Level::Warning, what).measured(version).fix(install)
        }
        Ok(version) => {
            let what = format!("kind is {version}, {needed} is needed");
            Verdict::new(Level::Error, what).measured(version).fix(install)
        }
        Err(error) => {
            Verdict::new(Level::Error, format!("kind cannot be run ({error})")).measured("none").fix("make setup")
        }
    };
    verdict.needed(needed)
}

pub fn buildx(case: &Case, held: &Held) -> Verdict {
    let missing = held.missing_images;
    let verdict = match &case.facts.buildx {
        _ if missing == 0 => {
            Verdict::new(Level::Ok, "all images are here, nothing is to be built").measured("not asked")
        }
        None => return Verdict::new(Level::NotChecked, "docker buildx was not asked"),
        Some(Ok(version)) => Verdict::new(Level::Ok, format!("buildx is {version}")).measured(version),
        Some(Err(error)) => {
            let how = if case.source == ImageSource::Build {
                "are to be built"
            } else {
                "are missing and may have to be built"
            };
            // A warning has one line; docker's own words are many.
            let error = error.lines().next().unwrap_or_default().trim_end_matches(':');
            let what = format!("{missing} images {how}, and docker buildx cannot be run ({error})");
            Verdict::new(Level::Warning, what).measured("none").fix("make setup")
        }
    };
    verdict.needed("any version, where images are to be built")
}

pub fn proxy(case: &Case) -> Verdict {
    let facts = case.facts;
    let needed = "addresses that can be used, and none for this machine itself";
    let malformed = facts.proxies.iter().find(|(_, value)| !is_address(value));
    let uncovered: Vec<&str> =
        facts.no_proxies.iter().filter(|(_, value)| !covers_loopback(value)).map(|(name, _)| *name).collect();
    let set: Vec<&str> = facts.proxies.iter().map(|(name, _)| *name).collect();
    let verdict = if let Some((name, _)) = malformed {
        Verdict::new(Level::Warning, format!("{name} is no address of a proxy, such as http://proxy.example:3128"))
            .measured(format!("{name} is malformed"))
            .fix(format!("export {name}=http://HOST:PORT"))
    } else if set.is_empty() {
        Verdict::new(Level::Ok, "no proxy is set").measured("none")
    } else if facts.no_proxies.is_empty() || !uncovered.is_empty() {
        let name = uncovered.first().unwrap_or(&"NO_PROXY");
        let old = facts.no_proxies.iter().find(|(one, _)| one == name).map(|(_, value)| format!("{value},"));
        let list = format!("{}localhost,127.0.0.1", old.unwrap_or_default());
        Verdict::new(Level::Warning, format!("{} is set, and {name} does not exempt this machine", set.join(", ")))
            .measured(format!("{name} without loopback"))
            .fix(format!("export NO_PROXY={list} no_proxy={list}"))
    } else if pulls_without_proxy(case) {
        let what = format!("{} set, and the Docker engine, which pulls the images, has no proxy", set.join(", "));
        Verdict::new(Level::Warning, what)
            .measured("the engine has none")
            .fix("set \"proxies\" in /etc/docker/daemon.json; systemctl restart docker")
    } else {
        Verdict::new(Level::Ok, format!("{} set, loopback exempt", set.join(", "))).measured(set.join(", "))
    };
    verdict.needed(needed)
}

/// True where images are to be pulled, and the engine goes out without a proxy.
fn pulls_without_proxy(case: &Case) -> bool {
    let Ok(held) = &case.facts.held else { return false };
    case.source != ImageSource::Build && held.missing_images > 0 && !held.engine.proxied
}

/// `[scheme://][user[:password]@]host[:port][/]`. It is never quoted: there may be a password in it.
fn is_address(value: &str) -> bool {
    let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':').unwrap_or("80")),
        None => place.split_once(':').unwrap_or((place, "80")),
    };
    let good = |letter: char| letter.is_ascii_alphanumeric() || ".-_:".contains(letter);
    ["http", "https", "socks4", "socks4a", "socks5", "socks5h"].contains(&scheme.to_ascii_lowercase().as_str())
        && !host.is_empty()
        && host.chars().all(good)
        && port.parse::<u16>().is_ok_and(|port| port > 0)
}

fn covers_loopback(list: &str) -> bool {
    let entries: Vec<&str> = list.split(',').map(str::trim).collect();
    let has = |names: &[&str]| entries.iter().any(|entry| *entry == "*" || names.contains(entry));
    has(&["localhost", ".localhost"]) && has(&["127.0.0.1", "127.0.0.1/8", "127.0.0.0/8"])
}

pub fn ca_bundle(case: &Case) -> Verdict {
    let verdict = match &case.facts.ca {
        Ca::Found(path) => {
            Verdict::new(Level::Ok, format!("certificates are in {}", path.display())).measured(path.display())
        }
        Ca::Gone(path) => Verdict::new(Level::Error, format!("SSL_CERT_FILE names {path}, which does not exist"))
            .measured("missing")
            .fix("unset SSL_CERT_FILE"),
        Ca::None => Verdict::new(Level::Warning, "no bundle of trusted certificates was found")
            .measured("none")
            .fix("sudo apt-get install ca-certificates   (or export SSL_CERT_FILE=FILE)"),
    };
    verdict.needed("a file of certificates")
}

pub fn state_folder(case: &Case) -> Verdict {
    let folder = &case.facts.state;
    let path = folder.path.display();
    let verdict = if folder.writable {
        Verdict::new(Level::Ok, format!("{path} can be written")).measured("writable")
    } else {
        let what = format!("cannot make {path}: {} cannot be written", folder.above.display());
        Verdict::new(Level::Error, what)
            .measured("not writable")
            .fix("export LAB_STATE=FOLDER   (one that you may write)")
    };
    verdict.needed("writable")
}

#[cfg(test)]
mod tests {
    use super::{covers_loopback, is_address};

    #[test]
    fn addresses_of_proxies_are_told_from_other_text() {
        for good in [
            "http://proxy:3128",
            "proxy.example:8080",
            "proxy",
            "HTTPS://user:pass@proxy.example/",
            "socks5h://127.0.0.1:1080",
            "http://[::1]:3128",
        ] {
            assert!(is_address(good), "{good}");
        }
        for bad in ["http://", "http:// proxy", "ftp://proxy", "proxy:port", "proxy:0", "proxy:99999", "http//proxy:1"]
        {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn loopback_has_a_name_and_an_address() {
        assert!(covers_loopback("*"));
        assert!(covers_loopback("example.com, localhost,127.0.0.0/8"));
        assert!(!covers_loopback("localhost") && !covers_loopback("127.0.0.1") && !covers_loopback(""));
    }
}
