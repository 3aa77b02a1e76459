//! Jobs as people write them: a folder with `application.yaml` and the files it runs.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use include_dir::{Dir, include_dir};
use serde::Serialize;

use crate::fingerprint::Fingerprint;

/// The sample jobs travel inside the binary.
static SAMPLES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/sample-jobs");

/// The template of the `SparkApplication` in a job's folder.
const TEMPLATE: &str = "application.yaml";

/// What a `ConfigMap` may hold, less some room for its metadata (the API's limit is 1 MiB).
const LARGEST: usize = 1_000_000;

/// One job.
#[derive(Debug, Clone, Serialize)]
pub struct Job {
    pub name: String,
    /// Handlebars template of the `SparkApplication`.
    pub template: String,
    /// The other files, mounted at `/opt/job`.
    pub files: BTreeMap<String, String>,
}

impl Job {
    /// A sample job by its name.
    pub fn sample(name: &str) -> Option<Result<Self>> {
        let folder = SAMPLES.get_dir(name)?;
        let text = |file: &include_dir::File<'_>| {
            let name = file.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
            Ok((name, file.contents_utf8().context("a sample job's file is text")?.to_owned()))
        };
        Some(folder.files().map(text).collect::<Result<_>>().and_then(|files| Self::new(name, files)))
    }

    /// Names of all sample jobs.
    pub fn samples() -> Vec<String> {
        let names = SAMPLES.dirs().map(|folder| folder.path().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    /// A job from a folder on disk. Folders inside it are left alone.
    ///
    /// # Errors
    /// When it cannot be read, lacks its template, is no text, or is too large for a `ConfigMap`.
    pub fn folder(path: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        for entry in fs_err::read_dir(path)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                let size = entry.metadata()?.len();
                if size > LARGEST as u64 {
                    bail!("{} has {size} bytes; a job's files may have {LARGEST} together", entry.path().display());
                }
                files.insert(entry.file_name().to_string_lossy().into_owned(), fs_err::read_to_string(entry.path())?);
            }
        }
        let name = fs_err::canonicalize(path)?.file_name().map(|name| name.to_string_lossy().into_owned());
        Self::new(&name.context("the job's folder has no name")?, files)
    }

    fn new(name: &str, mut files: BTreeMap<String, String>) -> Result<Self> {
        let template = files.remove(TEMPLATE).with_context(|| format!("job {name} has no {TEMPLATE}"))?;
        files.remove("README.md");
        let size: usize = files.values().map(String::len).sum();
        if size > LARGEST {
            bail!("the files of job {name} have {size} bytes together; a ConfigMap holds {LARGEST}");
        }
        let name: String =
            name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        Ok(Self { name: name.trim_matches('-').to_owned(), template, files })
    }

    /// SHA-256 over the template and all files.
    pub fn hash(&self) -> String {
        let mut print = Fingerprint::default();
        print.add(&self.template);
        for (name, content) in &self.files {
            print.add(name);
            print.add(content);
        }
        print.hex()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_a_job() {
        for name in Job::samples() {
            let job = Job::sample(&name).unwrap().unwrap();
            assert!(job.files.contains_key("job.py"), "{name} has no job.py");
        }
    }

    #[test]
    fn a_folder_without_template_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = Job::folder(folder.path()).unwrap_err();
        assert!(format!("{error:#}").contains("no application.yaml"), "{error:#}");
    }

    #[test]
    fn a_file_too_large_for_a_config_map_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join(TEMPLATE), "").unwrap();
        fs_err::write(folder.path().join("data.csv"), vec![b'x'; LARGEST + 1]).unwrap();
        assert!(format!("{:#}", Job::folder(folder.path()).unwrap_err()).contains("data.csv"));
    }

    #[test]
    fn a_changed_file_changes_the_hash() {
        let job = Job::sample("pi").unwrap().unwrap();
        let mut other = job.clone();
        other.files.insert("job.py".to_owned(), "print()".to_owned());
        assert_ne!(job.hash(), other.hash());
    }
}
