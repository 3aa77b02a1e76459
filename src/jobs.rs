//! Jobs as people write them: a folder with `application.yaml` and the files it runs.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use include_dir::{Dir, include_dir};
use schemars::JsonSchema;
use serde::Serialize;

use crate::fingerprint::Fingerprint;

/// The sample jobs travel inside the binary.
static SAMPLES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/sample-jobs");

/// The template of the `SparkApplication` in a job's folder.
const TEMPLATE: &str = "application.yaml";

/// The folder with a job's input.
const INPUT: &str = "input";

/// What a `ConfigMap` may hold, less some room for its metadata (the API's limit is 1 MiB).
const LARGEST: u64 = 1_000_000;

/// Input goes through a pod's standard input: enough for samples, not for data sets.
const LARGEST_INPUT: u64 = 100_000_000;

/// One job.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Job {
    pub name: String,
    /// Handlebars template of the `SparkApplication`.
    pub template: String,
    /// The other files, mounted at `/opt/job`.
    pub files: BTreeMap<String, String>,
    /// The files of the folder `input`, put into the object store before the job starts.
    #[serde(skip)]
    pub input: BTreeMap<String, Vec<u8>>,
}

impl Job {
    /// A sample job by its name.
    pub fn sample(name: &str) -> Option<Result<Self>> {
        let folder = SAMPLES.get_dir(name)?;
        let read = |folder: &'static Dir<'static>| {
            let file = |file: &'static include_dir::File<'static>| {
                let name = file.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
                (name, file.contents().to_vec())
            };
            folder.files().map(file).collect()
        };
        let input = SAMPLES.get_dir(format!("{name}/{INPUT}")).map(read).unwrap_or_default();
        Some(Self::new(name, read(folder), input))
    }

    /// Names of all sample jobs.
    pub fn samples() -> Vec<String> {
        let names = SAMPLES.dirs().map(|folder| folder.path().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    /// A job from a folder on disk. Folders inside it are left alone, but for `input`.
    ///
    /// # Errors
    /// When it cannot be read, lacks its template, is no text, or is too large for a ConfigMap.
    pub fn folder(path: &Path) -> Result<Self> {
        let name = fs_err::canonicalize(path)?.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.context("the job's folder has no name")?;
        let input = path.join(INPUT);
        let input = if input.is_dir() { read(&input, LARGEST_INPUT)? } else { BTreeMap::new() };
        Self::new(&name, read(path, LARGEST)?, input)
    }

    fn new(name: &str, files: BTreeMap<String, Vec<u8>>, input: BTreeMap<String, Vec<u8>>) -> Result<Self> {
        let text = |(file, content)| {
            let text = String::from_utf8(content).with_context(|| format!("job {name}: {file} is not UTF-8 text"))?;
            Ok((file, text))
        };
        let mut files: BTreeMap<String, String> = files.into_iter().map(text).collect::<Result<_>>()?;
        let template = files.remove(TEMPLATE).with_context(|| format!("job {name} has no {TEMPLATE}"))?;
        files.remove("README.md");
        Ok(Self { name: label(name), template, files, input })
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

/// The files of a folder, whose sizes together may not exceed `largest` bytes.
fn read(folder: &Path, largest: u64) -> Result<BTreeMap<String, Vec<u8>>> {
    let (mut files, mut size) = (BTreeMap::new(), 0);
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        // Links are not followed: they could lead anywhere.
        if entry.file_type()?.is_file() {
            size += entry.metadata()?.len();
            if size > largest {
                bail!(
                    "the files of {} have more than {largest} bytes, at {}",
                    folder.display(),
                    entry.path().display()
                );
            }
            files.insert(entry.file_name().to_string_lossy().into_owned(), fs_err::read(entry.path())?);
        }
    }
    Ok(files)
}

/// A folder's name as a DNS label that starts with a letter, as Services must.
fn label(name: &str) -> String {
    let plain: String = name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let plain = plain.trim_matches('-');
    if plain.starts_with(|c: char| c.is_ascii_alphabetic()) { plain.to_owned() } else { format!("job-{plain}") }
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
        fs_err::write(folder.path().join("data.csv"), vec![b'x'; 1_000_001]).unwrap();
        assert!(format!("{:#}", Job::folder(folder.path()).unwrap_err()).contains("data.csv"));
    }

    #[test]
    fn names_become_labels_that_start_with_a_letter() {
        assert_eq!(label("My_Job"), "my-job");
        assert_eq!(label("1job"), "job-1job");
    }

    #[test]
    fn the_input_folder_is_read_apart() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join(TEMPLATE), "").unwrap();
        fs_err::create_dir(folder.path().join(INPUT)).unwrap();
        fs_err::write(folder.path().join("input/data.csv"), "1,2").unwrap();
        let job = Job::folder(folder.path()).unwrap();
        assert_eq!(job.input["data.csv"], b"1,2");
        assert!(job.files.is_empty());
    }

    #[test]
    fn a_changed_file_changes_the_hash() {
        let job = Job::sample("pi").unwrap().unwrap();
        let mut other = job.clone();
        other.files.insert("job.py".to_owned(), "print()".to_owned());
        assert_ne!(job.hash(), other.hash());
    }
}
