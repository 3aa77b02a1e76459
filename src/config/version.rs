//! The versions of the notation: what each declares, and where its fields stand now.

use super::lab::Lab;
use super::rules::Rule;
use super::section::{Section, entry};
use super::tree::{Node, Value};
use super::{v1alpha1, v1alpha2};

/// One version of the notation.
pub struct Version {
    pub name: &'static str,
    pub declaration: fn(&mut Section<'_>) -> Lab,
    /// Fields that stand elsewhere in the current version: there, and now.
    pub moved: &'static [(&'static str, &'static str)],
}

pub const CURRENT: Version = Version { name: v1alpha2::NAME, declaration: v1alpha2::lab, moved: &[] };

/// Still read, each with a warning.
pub const OLD: [Version; 1] = [Version { name: v1alpha1::NAME, declaration: v1alpha1::lab, moved: &v1alpha1::MOVED }];

/// The version that a document says it is written in, if there is such a one.
pub fn said(root: &Node) -> Option<&'static Version> {
    let Value::Map(entries) = &root.value else { return None };
    let name = entry(entries, "apiVersion")?.value.text().ok()?;
    [&CURRENT, &OLD[0]].into_iter().find(|version| version.name == name)
}

/// What `apiVersion` may be.
pub fn rule() -> Rule<()> {
    let schema = serde_json::json!({ "type": "string", "const": CURRENT.name });
    let rule = Rule::new(CURRENT.name, schema, |value| {
        let known = |name: &str| matches!(value, Value::Text(text) if text == name);
        Ok((known(CURRENT.name) || OLD.iter().any(|old| known(old.name))).then_some(()))
    });
    rule.hint(|_| Some(format!("{} is still read", OLD.map(|old| old.name).join(", "))))
}

impl Version {
    pub fn is_current(&self) -> bool {
        self.name == CURRENT.name
    }

    /// Where a field of this version stands in the current one.
    pub fn path_now<'a>(&self, path: &'a str) -> &'a str {
        self.moved.iter().find(|(old, _)| *old == path).map_or(path, |(_, now)| now)
    }

    /// Where the fields of a key went that only an older version knows.
    pub fn moved_here(&self, path: &str) -> Option<String> {
        let inside = |old: &str| old == path || old.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
        let mut moved = OLD.iter().flat_map(|old| old.moved).filter(|(old, _)| inside(old));
        let (old, now) = moved.next().filter(|_| self.is_current())?;
        Some(format!("{old} is {now} now"))
    }
}
