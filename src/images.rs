//! The catalogue of images: what the lab runs, where each comes from upstream,
//! and the recipe that builds it.

mod supply;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use include_dir::{Dir, File, include_dir};
use serde::Deserialize;

use crate::fingerprint::Fingerprint;

pub use supply::{Lock, Supply, parse_lock, print_lock, registry};

/// Catalogue and recipes travel inside the binary, so that `lab` works anywhere.
static FOLDER: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/images");

/// What the name of every built image starts with.
pub const BUILT: &str = "lab/";
/// The label of every built image: the whole hash of its recipe. It stays when a registry hands the image on.
pub const RECIPE: &str = "dev.lab.recipe";

/// One image.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Its folder below `images/`.
    pub name: String,
    /// The names that manifests use; empty for an image that only others stand on.
    #[serde(default)]
    pub references: Vec<String>,
    /// Digest of the upstream image, where it is known.
    pub digest: Option<String>,
    /// False where upstream has nothing that would do, so that the image is built whatever the source.
    #[serde(default = "yes")]
    pub upstream: bool,
    /// True where kind's own node image brings what this image gives, so that only a built node needs it.
    #[serde(default)]
    pub in_node: bool,
    /// Version inside the image that the recipe builds.
    pub version: String,
    /// Images that its recipe stands on.
    #[serde(default)]
    pub needs: Vec<String>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
struct Document {
    image: Vec<Image>,
}

/// All images, each after those it needs.
#[derive(Clone)]
pub struct Catalogue {
    images: Vec<Image>,
    /// Name → SHA-256 over its folder and over all that it stands on.
    recipes: BTreeMap<String, String>,
}

impl Catalogue {
    /// The catalogue inside the binary.
    ///
    /// # Errors
    /// When `images.toml` is malformed, which a test rules out.
    pub fn load() -> Result<Self> {
        let text = FOLDER.get_file("images.toml").and_then(File::contents_utf8).context("images.toml is missing")?;
        let document: Document = toml::from_str(text)?;
        let mut catalogue = Self { images: Vec::new(), recipes: BTreeMap::new() };
        for image in &document.image {
            catalogue.add(image, &document.image)?;
        }
        Ok(catalogue)
    }

    fn add(&mut self, image: &Image, all: &[Image]) -> Result<()> {
        if self.images.iter().any(|known| known.name == image.name) {
            return Ok(());
        }
        for need in &image.needs {
            let needed = all.iter().find(|other| other.name == *need);
            let needed = needed.ok_or_else(|| anyhow!("image {} needs unknown image {need}", image.name))?;
            self.add(needed, all)?;
        }
        let recipe = self.hash(image)?;
        self.recipes.insert(image.name.clone(), recipe);
        self.images.push(image.clone());
        Ok(())
    }

    /// All images in the order in which they can be built.
    pub fn all(&self) -> &[Image] {
        &self.images
    }

    /// # Errors
    /// When no image has this name.
    pub fn get(&self, name: &str) -> Result<&Image> {
        self.images.iter().find(|image| image.name == name).ok_or_else(|| anyhow!("no image is called {name}"))
    }

    /// The first reference of an image that manifests name.
    ///
    /// # Errors
    /// When no image has this name or it has no reference.
    pub fn reference(&self, name: &str) -> Result<&str> {
        let first = self.get(name)?.references.first();
        first.map(String::as_str).ok_or_else(|| anyhow!("image {name} has no reference"))
    }

    /// SHA-256 over an image's folder and over all that it stands on.
    ///
    /// # Errors
    /// When no image has this name.
    pub fn recipe(&self, name: &str) -> Result<String> {
        self.recipes.get(name).cloned().ok_or_else(|| anyhow!("no image is called {name}"))
    }

    fn hash(&self, image: &Image) -> Result<String> {
        let mut print = Fingerprint::default();
        if let Some(folder) = FOLDER.get_dir(&image.name) {
            let mut files = Vec::new();
            collect(folder, &mut files);
            for file in files {
                print.add(file.path().to_string_lossy().as_bytes());
                print.add(file.contents());
            }
        }
        for need in &image.needs {
            print.add(self.recipe(need)?);
        }
        Ok(print.hex())
    }

    /// The name a built image has in the engine: never that of its upstream, which it must not shadow.
    ///
    /// # Errors
    /// When no image has this name.
    pub fn built_tag(&self, name: &str) -> Result<String> {
        Ok(format!("{BUILT}{name}:{}", &self.recipe(name)?[..12]))
    }

    /// These images and all they stand on, in build order.
    ///
    /// # Errors
    /// When an image has an unknown name.
    pub fn with_needs(&self, names: &[String]) -> Result<Vec<&Image>> {
        let mut wanted = BTreeSet::new();
        let mut queue: Vec<&str> = names.iter().map(String::as_str).collect();
        while let Some(name) = queue.pop() {
            if wanted.insert(name) {
                queue.extend(self.get(name)?.needs.iter().map(String::as_str));
            }
        }
        Ok(self.images.iter().filter(|image| wanted.contains(image.name.as_str())).collect())
    }

    /// Writes an image's recipe below `folder` and returns where it is.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn extract(&self, name: &str, folder: &Path) -> Result<PathBuf> {
        let recipe = FOLDER.get_dir(name).ok_or_else(|| anyhow!("image {name} has no recipe"))?;
        let mut files = Vec::new();
        collect(recipe, &mut files);
        for file in files {
            let path = folder.join(file.path());
            fs_err::create_dir_all(path.parent().context("a file has a folder")?)?;
            fs_err::write(&path, file.contents())?;
            // Whatever the umask: COPY takes modes over into the image.
            fs_err::set_permissions(&path, Permissions::from_mode(0o644))?;
        }
        for inner in recipe.dirs().map(Dir::path).chain([recipe.path()]) {
            fs_err::set_permissions(folder.join(inner), Permissions::from_mode(0o755))?;
        }
        Ok(folder.join(name))
    }
}

/// All files below a folder, in a fixed order.
fn collect<'a>(folder: &'a Dir<'a>, files: &mut Vec<&'a File<'a>>) {
    files.extend(folder.files());
    folder.dirs().for_each(|inner| collect(inner, files));
    files.sort_by_key(|file| file.path());
}

/// A reference in two: path without registry host, and tag. `docker.io/apache/spark:4.1.4` is
/// (`apache/spark`, `4.1.4`): the lab's registry answers for every host.
pub fn path_and_tag(reference: &str) -> (&str, &str) {
    // The colon of a port belongs to the host.
    let tagged = reference.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'));
    let (name, tag) = tagged.unwrap_or((reference, "latest"));
    (name.split_once('/').map_or(name, |(_, path)| path), tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_well_formed() {
        let catalogue = Catalogue::load().unwrap();
        let mut seen = BTreeSet::new();
        for image in catalogue.all() {
            assert!(image.needs.iter().all(|need| seen.contains(need)), "{} comes before its needs", image.name);
            assert!(
                FOLDER.get_file(format!("{}/Dockerfile", image.name)).is_some(),
                "{} has no Dockerfile",
                image.name
            );
            for reference in &image.references {
                assert!(reference.split('/').next().unwrap().contains('.'), "{reference} names no registry");
            }
            seen.insert(image.name.clone());
        }
    }

    #[test]
    fn every_folder_is_in_the_catalogue() {
        let catalogue = Catalogue::load().unwrap();
        for folder in FOLDER.dirs() {
            let name = folder.path().to_string_lossy();
            assert!(catalogue.get(&name).is_ok(), "images/{name} is not in images.toml");
        }
    }

    #[test]
    fn a_recipe_covers_what_it_stands_on() {
        let catalogue = Catalogue::load().unwrap();
        assert_ne!(catalogue.recipe("spark").unwrap(), catalogue.recipe("spark-operator").unwrap());
        let names = ["spark-operator".to_owned()];
        let chain: Vec<_> = catalogue.with_needs(&names).unwrap().iter().map(|image| image.name.as_str()).collect();
        assert_eq!(chain.last(), Some(&"spark-operator"));
        assert!(chain.contains(&"spark") && chain.contains(&"base"), "{chain:?}");
    }

    proptest::proptest! {
        #[test]
        fn a_reference_is_its_host_its_path_and_its_tag(
            host in "[a-z]{1,8}\\.[a-z]{2,3}(:[0-9]{2,5})?|127\\.0\\.0\\.1:[0-9]{4,5}",
            path in "[a-z0-9]{1,8}(/[a-z0-9-]{1,8}){0,3}",
            tag in "[a-zA-Z0-9_][a-zA-Z0-9._-]{0,20}",
        ) {
            let [whole, short] = [format!("{host}/{path}:{tag}"), format!("{host}/{path}")];
            proptest::prop_assert_eq!(path_and_tag(&whole), (path.as_str(), tag.as_str()));
            proptest::prop_assert_eq!(path_and_tag(&short), (path.as_str(), "latest"));
        }

        #[test]
        fn no_reference_makes_a_panic(text in "\\PC{0,40}") {
            path_and_tag(&text);
        }
    }

    #[test]
    fn paths_lose_their_registry() {
        assert_eq!(path_and_tag("docker.io/apache/spark:4.1.4"), ("apache/spark", "4.1.4"));
        assert_eq!(path_and_tag("registry.k8s.io/pause:3.10.2"), ("pause", "3.10.2"));
    }
}
