//! Values from the command line and from the environment; they win over the file and obey the same rules.

use super::problem::Place;

/// A flag wins over a variable, a variable over the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    pub name: Option<String>,
    pub subnet: Option<String>,
    pub api_port: Option<u16>,
    pub registry_port: Option<u16>,
    /// Name and value; those that set no field are of no account.
    pub variables: Vec<(String, String)>,
}

impl Overrides {
    /// What stands in place of the file's value, in the words of who said it.
    pub(super) fn find(&self, path: &str) -> Option<(Place, String)> {
        let (flag, word) = match path {
            "metadata.name" => ("--name", self.name.clone()),
            "spec.cluster.subnet" => ("--subnet", self.subnet.clone()),
            "spec.ports.api" => ("--api-port", self.api_port.map(|port| port.to_string())),
            "spec.ports.registry" => ("--registry-port", self.registry_port.map(|port| port.to_string())),
            _ => ("", None),
        };
        let flag = word.map(|word| (Place::Flag(flag), word));
        flag.or_else(|| {
            let name = variable(path)?;
            let (_, word) = self.variables.iter().find(|(set, _)| *set == name)?;
            Some((Place::Variable(name), word.clone()))
        })
    }
}

/// The variable of a field: `spec.cluster.podSubnet` is set by `LAB_CLUSTER_POD_SUBNET`.
///
/// What kind of document a file holds is not for a variable to say.
pub fn variable(path: &str) -> Option<String> {
    let path = path.strip_prefix("metadata.").or_else(|| path.strip_prefix("spec."))?;
    let mut name = "LAB_".to_owned();
    for character in path.chars() {
        match character {
            '.' => name.push('_'),
            upper if upper.is_ascii_uppercase() => name.extend(['_', upper]),
            lower => name.push(lower.to_ascii_uppercase()),
        }
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::variable;

    #[test]
    fn a_variable_is_made_from_the_path() {
        let cases = [
            ("metadata.name", Some("LAB_NAME")),
            ("spec.cluster.controlPlanes", Some("LAB_CLUSTER_CONTROL_PLANES")),
            ("spec.smoke.executor.memory", Some("LAB_SMOKE_EXECUTOR_MEMORY")),
            ("apiVersion", None),
        ];
        for (path, expected) in cases {
            assert_eq!(variable(path).as_deref(), expected);
        }
    }
}
