//! Reads a folder of DAG files: all that is wrong with it at once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use schemars::JsonSchema;
use serde::Serialize;

/// Code and small tables. They go through a pod's standard input, and Airflow reads them every few seconds.
const LARGEST_FILE: u64 = 5_000_000;
const LARGEST: u64 = 20_000_000;
const MOST: usize = 1000;
/// How deep folders may lie in each other.
const DEEPEST: usize = 16;

/// Path below the folder, its parts joined by `/` → content.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A folder of DAG files.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Folder {
    /// As it was named.
    pub path: String,
    #[serde(skip)]
    pub files: Files,
}

impl Folder {
    /// Reads a folder with all that is below it, but for what is hidden and what Python made of it.
    ///
    /// # Errors
    /// Every problem of it, one a line.
    pub fn read(path: &Path) -> Result<Self> {
        let root = fs_err::canonicalize(path)?;
        let mut reader = Reader { root: root.clone(), files: Files::new(), size: 0, problems: Vec::new() };
        reader.folder(&root, 0)?;
        if !reader.files.keys().any(|file| Path::new(file).extension().is_some_and(|it| it == "py")) {
            reader.problems.push("there is no Python file in it, so no DAG".to_owned());
        }
        if reader.problems.is_empty() {
            Ok(Self { path: path.to_string_lossy().into_owned(), files: reader.files })
        } else {
            Err(anyhow!(reader.problems.join("\n")))
        }
    }
}

struct Reader {
    root: PathBuf,
    files: Files,
    size: u64,
    problems: Vec<String>,
}

impl Reader {
    fn folder(&mut self, folder: &Path, depth: usize) -> Result<()> {
        let mut entries: Vec<PathBuf> =
            fs_err::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        entries.sort();
        for path in entries {
            // Whoever has so many, or so much, has named another folder than was meant.
            if self.files.len() > MOST || self.size > LARGEST || depth > DEEPEST {
                let what = format!("more than {MOST} files, {LARGEST} bytes or {DEEPEST} folders in each other");
                if !self.problems.contains(&what) {
                    self.problems.push(what);
                }
                return Ok(());
            }
            self.entry(&path, depth)?;
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path, depth: usize) -> Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if (name.starts_with('.') && name != ".airflowignore") || name == "__pycache__" || name.ends_with(".pyc") {
            return Ok(());
        }
        let below = path.strip_prefix(&self.root).context("a path outside")?;
        let Some(below) = below.to_str().filter(|below| !below.contains(char::is_control)) else {
            self.problems.push(format!("{}: its name is no text", below.display()));
            return Ok(());
        };
        if path.is_symlink() && !fs_err::canonicalize(path).is_ok_and(|to| to.starts_with(&self.root) && to.is_file()) {
            self.problems.push(format!("{below}: a link to what is no file of this folder; put a copy there"));
            return Ok(());
        }
        let about = fs_err::metadata(path)?;
        if about.is_dir() {
            return self.folder(path, depth + 1);
        }
        if !about.is_file() {
            self.problems.push(format!("{below}: neither file nor folder"));
        } else if about.len() > LARGEST_FILE {
            let size = about.len();
            self.problems
                .push(format!("{below}: {size} bytes, at most {LARGEST_FILE} are allowed; data belong into a bucket"));
        } else {
            self.size += about.len();
            self.files.insert(below.to_owned(), fs_err::read(path)?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Folder, LARGEST_FILE, MOST};

    fn problems(fill: impl FnOnce(&std::path::Path)) -> String {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path());
        Folder::read(folder.path()).map_or_else(|error| format!("{error:#}"), |_| String::new())
    }

    #[test]
    fn all_files_are_read_but_hidden_and_made_ones() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["a.py", "lib/b.py", ".airflowignore", ".git/config", "__pycache__/a.pyc", "lib/c.pyc", "d.sql"] {
            let path = folder.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, "x").unwrap();
        }
        std::os::unix::fs::symlink(folder.path().join("a.py"), folder.path().join("e.py")).unwrap();
        let read = Folder::read(folder.path()).unwrap();
        assert_eq!(read.files.keys().collect::<Vec<_>>(), [".airflowignore", "a.py", "d.sql", "e.py", "lib/b.py"]);
        assert_eq!(read.files["e.py"], b"x");
    }

    #[test]
    fn what_is_wrong_is_said_at_once() {
        let said = problems(|folder| {
            fs_err::File::create(folder.join("data.csv")).unwrap().set_len(100_000_000).unwrap();
            std::os::unix::fs::symlink("/etc/passwd", folder.join("out.py")).unwrap();
            std::os::unix::fs::symlink("nowhere", folder.join("gone.py")).unwrap();
            std::os::unix::fs::symlink(".", folder.join("round")).unwrap();
            nix::unistd::mkfifo(&folder.join("pipe"), nix::sys::stat::Mode::S_IRUSR).unwrap();
        });
        for line in [
            &format!("data.csv: 100000000 bytes, at most {LARGEST_FILE} are allowed; data belong into a bucket"),
            "out.py: a link to what is no file of this folder; put a copy there",
            "gone.py: a link to what is no file",
            "round: a link to what is no file",
            "pipe: neither file nor folder",
            "there is no Python file in it, so no DAG",
        ] {
            assert!(said.contains(line), "{line} in {said}");
        }
    }

    #[test]
    fn a_folder_that_was_not_meant_is_not_read_to_its_end() {
        let said = problems(|folder| {
            (0..=MOST + 10).for_each(|number| fs_err::write(folder.join(format!("{number}.py")), "").unwrap());
        });
        assert_eq!(said, "more than 1000 files, 20000000 bytes or 16 folders in each other");
        let deep = problems(|folder| fs_err::create_dir_all(folder.join("a/".repeat(30))).unwrap());
        assert!(deep.contains("16 folders in each other"), "{deep}");
    }
}
