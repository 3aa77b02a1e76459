//! Names that other systems must take: of the lab, of buckets, mirrors, Git repositories and Secrets.

use serde_json::json;

use super::problem::Complaint;
use super::rules::Rule;

/// A host name has at most 63 characters, and `-external-load-balancer` is 23 of them.
const LONGEST_LAB: usize = 40;

/// Only what a DNS label may hold; a leading hyphen would also look like a flag.
pub const LABEL: &str = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$";

/// The name of a lab: a DNS label, because nodes are called after it.
pub fn lab() -> Rule<String> {
    let expected = format!("a name of 1 to {LONGEST_LAB} lowercase letters, digits or inner hyphens");
    Rule::new(expected, json!({ "type": "string", "maxLength": LONGEST_LAB, "pattern": LABEL }), |value| {
        let name = value.text()?;
        Ok(((1..=LONGEST_LAB).contains(&name.len()) && is_label(name)).then(|| name.to_owned()))
    })
}

/// What S3 reserves; MinIO keeps the last one for itself.
const RESERVED: &str = "^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|--x-s3|--table-s3)$|^minio$";

/// The name of a bucket, by the rules of S3.
///
/// Dots are valid in S3 but break host names of buckets under TLS, so they are refused.
pub fn bucket() -> Rule<String> {
    let schema = json!({
        "type": "string", "minLength": 3, "maxLength": 63, "pattern": LABEL, "not": { "pattern": RESERVED },
    });
    Rule::new("a bucket name of 3 to 63 lowercase letters, digits or inner hyphens", schema, |value| {
        let name = value.text()?;
        if !(3..=63).contains(&name.len()) || !is_label(name) {
            return Ok(None);
        }
        if is_reserved(name) {
            return Err(value.must_be("a bucket name that S3 does not reserve"));
        }
        Ok(Some(name.to_owned()))
    })
}

/// A registry as Docker names it, with a path in it where wanted; or nothing.
pub fn mirror() -> Rule<String> {
    let label = "[a-z0-9]([a-z0-9-]*[a-z0-9])?";
    let host = format!(r"(localhost|{label}(\.{label})+|{label}(\.{label})*:[0-9]+)");
    let pattern = format!("^({host}(/[a-z0-9]([a-z0-9._-]*[a-z0-9])?)*)?$");
    let schema = json!({ "type": "string", "pattern": pattern });
    let rule = Rule::new("a registry such as mirror.example:5000/path", schema, |value| {
        let name = value.text()?;
        // Not shown: a password may be in it.
        if name.contains('@') {
            return Err(Complaint::new("must be without user and password").hint("docker login keeps them"));
        }
        let (host, path) = name.split_once('/').map_or((name, None), |(host, path)| (host, Some(path)));
        let is_path = |path: &str| path.split('/').all(is_component);
        Ok((name.is_empty() || (is_host(host) && path.is_none_or(is_path))).then(|| name.to_owned()))
    });
    rule.hint(|value| {
        let with_scheme = value.text().is_ok_and(|name| name.contains("://"));
        with_scheme.then(|| "leave out the scheme: the engine knows it".to_owned())
    })
}

/// What the address of a Git repository must be.
const ADDRESS: &str = "an address such as https://git.example/team/dags.git";

/// The address of a Git repository without credentials in it, or nothing.
pub fn repository() -> Rule<String> {
    let schema = json!({ "type": "string", "pattern": r"^(https?://[^\s@]+)?$" });
    Rule::new(ADDRESS, schema, |value| {
        let address = value.text()?;
        // Not shown: a password may be in it.
        if address.contains('@') {
            let complaint = Complaint::new(format!("must be {ADDRESS}, without user and password"));
            return Err(complaint.hint("they belong into a Secret, which spec.airflow.dags.git.secret names"));
        }
        let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
        let is_address = rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(unprintable));
        Ok((address.is_empty() || is_address).then(|| address.to_owned()))
    })
}

/// A branch, a tag or a commit.
pub fn reference() -> Rule<String> {
    let pattern = "^[A-Za-z0-9][A-Za-z0-9._/-]*$";
    Rule::new("a branch, tag or commit", json!({ "type": "string", "pattern": pattern }), |value| {
        let name = value.text()?;
        let fits = name.starts_with(|letter: char| letter.is_ascii_alphanumeric())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte));
        Ok(fits.then(|| name.to_owned()))
    })
}

/// A folder inside a repository, or nothing.
pub fn folder() -> Rule<String> {
    // No part begins with a dot: so none leads out of the repository.
    let schema =
        json!({ "type": "string", "pattern": "^([A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)?$" });
    Rule::new("a folder such as team/dags", schema, |value| {
        let path = value.text()?;
        let is_part = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        };
        Ok((path.is_empty() || path.split('/').all(is_part)).then(|| path.to_owned()))
    })
}

/// The name of a Kubernetes Secret, or nothing.
pub fn secret() -> Rule<String> {
    let schema = json!({ "type": "string", "maxLength": 63, "pattern": "^([a-z0-9]([a-z0-9-]*[a-z0-9])?)?$" });
    Rule::new("the name of a Secret: at most 63 lowercase letters, digits or inner hyphens", schema, |value| {
        let name = value.text()?;
        Ok((name.is_empty() || (name.len() <= 63 && is_label(name))).then(|| name.to_owned()))
    })
}

fn unprintable(letter: char) -> bool {
    letter.is_whitespace() || letter.is_control()
}

/// By the rule of Docker: what has neither dot nor port would be a folder of Docker Hub.
fn is_host(host: &str) -> bool {
    let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    let named = name.split('.').all(|part| is_label(part) && !part.is_empty());
    named
        && port.is_none_or(|port| !port.starts_with(['0', '+']) && port.parse::<u16>().is_ok())
        && (name.contains('.') || port.is_some() || name == "localhost")
}

/// One part of a repository's path.
fn is_component(part: &str) -> bool {
    let characters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    let ends = |end: Option<u8>| end.is_some_and(|byte| byte.is_ascii_alphanumeric());
    part.bytes().all(characters) && ends(part.bytes().next()) && ends(part.bytes().last())
}

fn is_reserved(name: &str) -> bool {
    let starts = ["xn--", "sthree-", "amzn-s3-demo-"];
    let ends = ["-s3alias", "--ol-s3", "--x-s3", "--table-s3"];
    starts.iter().any(|start| name.starts_with(start)) || ends.iter().any(|end| name.ends_with(end)) || name == "minio"
}

/// As [`LABEL`] says.
pub fn is_label(name: &str) -> bool {
    let characters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.bytes().all(characters) && !name.starts_with('-') && !name.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tree::Value;

    fn text(name: &str) -> Value {
        Value::Text(name.to_owned())
    }

    #[test]
    fn the_longest_name_still_fits_a_host_name() {
        let longest = "a".repeat(LONGEST_LAB);
        assert_eq!(format!("{longest}-external-load-balancer").len(), 63);
        assert!(lab().read(&text(&longest)).is_ok());
        assert!(lab().read(&text(&format!("{longest}a"))).is_err());
    }

    #[test]
    fn names_are_dns_labels() {
        for name in ["a", "lab", "lab-2", "2026"] {
            assert!(lab().read(&text(name)).is_ok(), "{name:?}");
        }
        for name in ["", "-", "-lab", "--help", "lab-", "Lab", "my.lab", "my_lab", "my lab", "läb", "lab\n", "../lab"]
        {
            assert!(lab().read(&text(name)).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_mirror_is_a_registry_as_docker_names_it() {
        for name in ["", "mirror.example", "localhost", "mirror:5000", "127.0.0.1:5000/a/b_c.d", "a.b/docker-hub"] {
            assert!(mirror().read(&text(name)).is_ok(), "{name:?}");
        }
        for name in [
            "mirror",
            "https://a.b",
            "a.b/",
            "a.b//c",
            "a.b/C",
            "a.b:0",
            "a.b:port",
            "a.b:+1",
            "a.b:080",
            ":5000",
            "a..b/c",
            "a.b/c:1",
            "-a.b",
        ] {
            assert!(mirror().read(&text(name)).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_password_in_a_mirror_is_not_shown() {
        let complaint = mirror().read(&text("https://me:hunter2@mirror.example")).unwrap_err();
        assert!(!format!("{complaint:?}").contains("hunter2"), "{complaint:?}");
    }

    #[test]
    fn buckets_follow_the_rules_of_s3() {
        for name in ["lab", "lab-data", "1st", &"b".repeat(63)] {
            assert!(bucket().read(&text(name)).is_ok(), "{name:?}");
        }
        for name in ["ab", "La", "my.bucket", "my_bucket", "xn--lab", "lab-s3alias", "minio", &"b".repeat(64)] {
            assert!(bucket().read(&text(name)).is_err(), "{name:?}");
        }
    }
}
