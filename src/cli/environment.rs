//! Variables of the environment whose names begin with `LAB_`.

use crate::config;
use crate::event::Warning;
use crate::exec::host;

/// Those that set no field of the configuration. One that is read anywhere has to stand here.
const OTHERS: [&str; 4] = ["LAB_CONFIG", "LAB_DOCTOR_VALUES", "LAB_LOG", "LAB_STATE"];

/// What the environment says of labs.
pub struct Environment {
    pub variables: Vec<(String, String)>,
}

impl Environment {
    pub fn read() -> Self {
        Self { variables: host::variables("LAB_") }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|(set, _)| set == name).map(|(_, value)| value.as_str())
    }

    /// One for each variable that nobody reads: most likely it is misspelt.
    pub fn warnings(&self) -> Vec<Warning> {
        let fields = config::paths().iter().filter_map(|path| config::variable(path)).collect::<Vec<_>>();
        let known: Vec<&str> = OTHERS.into_iter().chain(fields.iter().map(String::as_str)).collect();
        let mut unknown: Vec<&str> = self.variables.iter().map(|(name, _)| name.as_str()).collect();
        unknown.retain(|name| !known.contains(name));
        unknown.sort_unstable();
        let warning = |name: &str| {
            let nearest = known.iter().min_by_key(|known| strsim::damerau_levenshtein(name, known));
            let nearest = nearest.copied().unwrap_or_default();
            Warning::new("unknown-variable", format!("nothing reads {name:?}; did you mean {nearest}?"))
        };
        unknown.into_iter().map(warning).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Environment, OTHERS};

    fn warnings(names: &[&str]) -> Vec<String> {
        let variables = names.iter().map(|name| ((*name).to_owned(), "1".to_owned())).collect();
        Environment { variables }.warnings().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_variable_that_nobody_reads_is_named_with_the_nearest() {
        assert_eq!(warnings(&[&OTHERS[..], &["LAB_NAME", "LAB_SMOKE_DRIVER_CPU_REQUEST"]].concat()), [""; 0]);
        let expected = [
            "nothing reads \"LAB_CLUSTER_WORKER\"; did you mean LAB_CLUSTER_WORKERS?",
            "nothing reads \"LAB_STAT\"; did you mean LAB_STATE?",
        ];
        assert_eq!(warnings(&["LAB_STAT", "LAB_CLUSTER_WORKER"]), expected);
    }

    /// Every variable that the sources name is known.
    #[test]
    fn what_is_read_is_known() {
        let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        let mut found = 0;
        while let Some(folder) = folders.pop() {
            for path in fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = fs_err::read_to_string(&path).unwrap();
                for name in text.split("variable(\"LAB_").skip(1).filter_map(|rest| rest.split('"').next()) {
                    assert_eq!(warnings(&[&format!("LAB_{name}")]), [""; 0], "{}", path.display());
                    found += 1;
                }
            }
        }
        assert!(found >= 2, "{found}");
    }
}
