//! Where images come from: the source, the names that a registry holds them under, the digests that are locked.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};

use super::{Catalogue, Image};
use crate::config::{ImageSource, Images};

/// Reference → digest.
pub type Lock = BTreeMap<String, String>;

/// Where images come from in this run.
#[derive(Debug)]
pub struct Supply {
    pub source: ImageSource,
    mirror: Option<String>,
    lock: Option<Lock>,
    /// Registries that are of no use, so that each is waited for once only.
    given_up: RefCell<BTreeSet<String>>,
}

impl Supply {
    pub fn new(images: &Images, lock: Option<Lock>) -> Self {
        let mirror = Some(images.mirror.clone()).filter(|mirror| !mirror.is_empty());
        Self { source: images.source, mirror, lock, given_up: RefCell::default() }
    }

    /// The upstream registries, and the digests of the catalogue.
    pub fn upstream(source: ImageSource) -> Self {
        Self { source, mirror: None, lock: None, given_up: RefCell::default() }
    }

    /// The name under which a registry holds what a reference stands for. The upstream's name is never
    /// given to what a mirror holds, which may be another build.
    pub fn name(&self, reference: &str) -> String {
        let (path, tag) = super::path_and_tag(reference);
        self.mirror.as_ref().map_or_else(|| reference.to_owned(), |mirror| format!("{mirror}/{path}:{tag}"))
    }

    /// The name to pull: with the digest where it is locked. A lock replaces all digests of the catalogue.
    pub fn pinned(&self, image: &Image, reference: &str) -> String {
        let name = self.name(reference);
        let digest = match &self.lock {
            Some(lock) => lock.get(reference),
            None => image.digest.as_ref(),
        };
        digest.map_or_else(|| name.clone(), |digest| format!("{name}@{digest}"))
    }

    /// True where a registry may have this image: upstream's, or a mirror that holds our own builds.
    pub fn can_pull(&self, image: &Image) -> bool {
        self.source != ImageSource::Build && self.has(image)
    }

    /// True where there is a registry to ask for this image.
    pub fn has(&self, image: &Image) -> bool {
        !image.references.is_empty() && (image.upstream || self.mirror.is_some())
    }

    /// True where this image is to be pulled although a built one is in the engine.
    pub fn prefers_pulled(&self, image: &Image) -> bool {
        self.source == ImageSource::Registry && self.can_pull(image)
    }

    /// No longer asks this registry in this run.
    pub fn give_up(&self, registry: &str) {
        self.given_up.borrow_mut().insert(registry.to_owned());
    }

    pub fn is_given_up(&self, registry: &str) -> bool {
        self.given_up.borrow().contains(registry)
    }
}

/// The registry in a name.
pub fn registry(name: &str) -> &str {
    name.split('/').next().unwrap_or(name)
}

/// Reads a lock file.
///
/// # Errors
/// When it is no TOML of references and digests, or names what this version of `lab` does not use.
pub fn parse_lock(text: &str, catalogue: &Catalogue) -> Result<Lock> {
    let lock: Lock = toml::from_str(text)?;
    for (reference, digest) in &lock {
        if !catalogue.all().iter().any(|image| image.references.contains(reference)) {
            bail!("{reference} is no image of this version of lab");
        }
        let hex = digest.strip_prefix("sha256:").unwrap_or_default();
        if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)) {
            bail!("{reference}: {digest:?} is no digest such as sha256:0123…");
        }
    }
    Ok(lock)
}

/// A lock file's text.
///
/// # Errors
/// When it cannot be written as TOML, which would be a bug.
pub fn print_lock(lock: &Lock) -> Result<String> {
    Ok(format!("# Images of lab: reference = digest. Written by `lab images lock`.\n{}", toml::to_string(lock)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: &str = "docker.io/kindest/node:v1.36.4";

    fn supply(mirror: &str, lock: Option<Lock>) -> Supply {
        Supply::new(&Images { source: ImageSource::Registry, mirror: mirror.to_owned(), lock: String::new() }, lock)
    }

    fn digest() -> String {
        format!("sha256:{}", "0a".repeat(32))
    }

    #[test]
    fn a_mirror_holds_paths_without_the_host() {
        let catalogue = Catalogue::load().unwrap();
        let image = catalogue.get("node").unwrap();
        let known = image.digest.clone().unwrap();
        assert_eq!(supply("", None).pinned(image, NODE), format!("{NODE}@{known}"));
        let mirrored = supply("127.0.0.1:5000/hub", None).pinned(image, NODE);
        assert_eq!(mirrored, format!("127.0.0.1:5000/hub/kindest/node:v1.36.4@{known}"));
        assert_eq!(registry(&mirrored), "127.0.0.1:5000");
    }

    #[test]
    fn a_lock_replaces_the_digests_of_the_catalogue() {
        let catalogue = Catalogue::load().unwrap();
        let image = catalogue.get("node").unwrap();
        let lock = Lock::from([(NODE.to_owned(), digest())]);
        assert_eq!(supply("", Some(lock)).pinned(image, NODE), format!("{NODE}@{}", digest()));
        assert_eq!(supply("", Some(Lock::new())).pinned(image, NODE), NODE);
    }

    #[test]
    fn what_upstream_lacks_is_asked_of_a_mirror_alone() {
        let catalogue = Catalogue::load().unwrap();
        let [spark, base] = ["spark", "base"].map(|name| catalogue.get(name).unwrap());
        assert!(supply("a.b", None).can_pull(spark) && !supply("", None).can_pull(spark));
        assert!(!supply("a.b", None).can_pull(base), "nobody calls it by a name");
    }

    #[test]
    fn a_lock_is_read_as_it_is_written() {
        let catalogue = Catalogue::load().unwrap();
        let lock = Lock::from([(NODE.to_owned(), digest())]);
        assert_eq!(parse_lock(&print_lock(&lock).unwrap(), &catalogue).unwrap(), lock);
        assert_eq!(parse_lock("", &catalogue).unwrap(), Lock::new());
    }

    #[test]
    fn a_lock_that_would_pin_nothing_is_refused() {
        let catalogue = Catalogue::load().unwrap();
        let said = |text: &str| format!("{:#}", parse_lock(text, &catalogue).unwrap_err());
        assert!(said(&format!("\"docker.io/other:1\" = \"{}\"", digest())).contains("docker.io/other:1 is no image"));
        for wrong in ["sha256:12", &digest().to_uppercase(), "latest", ""] {
            assert!(said(&format!("\"{NODE}\" = \"{wrong}\"")).contains("is no digest"), "{wrong:?}");
        }
        said("nonsense");
        said(&format!("\"{NODE}\" = 1"));
    }
}
