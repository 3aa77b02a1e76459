//! The table of expected answers, as people write it.

use std::str::FromStr;

use anyhow::{Context as _, Error, Result, bail, ensure};

use super::Grant;
use crate::config::Role;

/// Words for several verbs.
const READ: &[&str] = &["get", "list", "watch"];
const WRITE: &[&str] = &["create", "update", "patch", "delete", "deletecollection"];
const CHANGE: &[&str] = &["update", "patch", "delete", "deletecollection"];

/// A kind of place in a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Namespaces in which people work.
    People,
    /// Namespaces of Airflow and of the object store.
    Platform,
    /// Every other namespace.
    Foreign,
    /// No namespace, or all of them at once.
    Cluster,
}

/// What the Kubernetes API is to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Allowed,
    /// By RBAC.
    Refused,
    /// RBAC allows it; the guard refuses it where the object is one that lab made.
    Guarded,
}

impl Answer {
    /// What RBAC says, before anybody looks at the object.
    pub fn by_roles(self) -> bool {
        self != Self::Refused
    }
}

/// One question with its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    pub role: Role,
    pub place: Place,
    pub grant: Grant,
    pub answer: Answer,
    /// Of the table.
    pub line: usize,
}

/// All questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub cells: Vec<Cell>,
}

impl FromStr for Table {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (mut places, mut cells): (Vec<Place>, Vec<Cell>) = (Vec::new(), Vec::new());
        for (number, line) in (1..).zip(text.lines()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                [] => {}
                [first, ..] if first.starts_with('#') => {}
                ["resource", "verbs", columns @ ..] => {
                    places =
                        columns.iter().map(|word| place(word)).collect::<Result<_>>().with_context(|| at(number))?;
                }
                words => {
                    for cell in row(words, &places, number).with_context(|| at(number))? {
                        let same =
                            |one: &&Cell| (one.role, one.place, &one.grant) == (cell.role, cell.place, &cell.grant);
                        if let Some(earlier) = cells.iter().find(same) {
                            bail!("{}: {} is answered in line {} already", at(number), cell.grant, earlier.line);
                        }
                        cells.push(cell);
                    }
                }
            }
        }
        Ok(Self { cells })
    }
}

fn at(line: usize) -> String {
    format!("line {line} of the table of access")
}

/// The cells of one row: every verb, in every place, for every role.
fn row(words: &[&str], places: &[Place], line: usize) -> Result<Vec<Cell>> {
    ensure!(!places.is_empty(), "the names of the columns come first");
    ensure!(words.len() > places.len() + 1, "a row is a resource, verbs and {} answers", places.len());
    let (words, answers) = words.split_at(words.len() - places.len());
    let (resource, words) = words.split_first().context("no resource")?;
    let mut cells = Vec::new();
    for verb in words.iter().copied().flat_map(verbs) {
        for (place, letters) in places.iter().zip(answers) {
            for (role, answer) in Role::ALL.into_iter().zip(of_roles(letters)?) {
                cells.push(Cell { role, place: *place, grant: Grant::new(verb, resource), answer, line });
            }
        }
    }
    Ok(cells)
}

fn place(word: &str) -> Result<Place> {
    Ok(match word {
        "people" => Place::People,
        "platform" => Place::Platform,
        "foreign" => Place::Foreign,
        "cluster" => Place::Cluster,
        _ => bail!("there is no column {word:?}"),
    })
}

fn verbs(word: &str) -> Vec<&str> {
    match word {
        "read" => READ.to_vec(),
        "write" => WRITE.to_vec(),
        "change" => CHANGE.to_vec(),
        verb => vec![verb],
    }
}

fn of_roles(letters: &str) -> Result<[Answer; 3]> {
    let answers: Vec<Answer> = letters.chars().map(answer).collect::<Result<_>>()?;
    answers.try_into().ok().with_context(|| format!("{letters:?} is no answer for three roles"))
}

fn answer(letter: char) -> Result<Answer> {
    Ok(match letter {
        'y' => Answer::Allowed,
        '-' => Answer::Refused,
        'g' => Answer::Guarded,
        _ => bail!("{letter:?} is no answer: y, - or g"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        format!("{:#}", text.parse::<Table>().expect_err("was accepted"))
    }

    #[test]
    fn a_row_answers_for_every_verb_place_and_role() {
        let table: Table =
            "# a comment\nresource verbs people cluster\n\npods/log  get delete  yg-  ---\n".parse().unwrap();
        let told: Vec<_> =
            table.cells.iter().map(|cell| (cell.grant.to_string(), cell.place, cell.role, cell.answer)).collect();
        let of = |verb: &str, place, answers: [Answer; 3]| {
            let grant = format!("{verb} pods/log");
            Role::ALL.into_iter().zip(answers).map(move |(role, answer)| (grant.clone(), place, role, answer))
        };
        let (some, none) = ([Answer::Allowed, Answer::Guarded, Answer::Refused], [Answer::Refused; 3]);
        let expected: Vec<_> = ["get", "delete"]
            .into_iter()
            .flat_map(|verb| of(verb, Place::People, some).chain(of(verb, Place::Cluster, none)))
            .collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn mistakes_name_their_line() {
        let head = "resource verbs people\n";
        let cases = [
            ("resource verbs everywhere", "line 1 of the table of access: there is no column \"everywhere\""),
            ("pods get yyy", "line 1 of the table of access: the names of the columns come first"),
            (&format!("{head}pods yyy"), "line 2 of the table of access: a row is a resource, verbs and 1 answers"),
            (&format!("{head}pods get yy"), "line 2 of the table of access: \"yy\" is no answer for three roles"),
            (&format!("{head}pods get yyn"), "line 2 of the table of access: 'n' is no answer: y, - or g"),
            (
                &format!("{head}pods read yyy\n\npods get ---"),
                "line 4 of the table of access: get pods is answered in line 2 already",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(refused(text), expected, "{text}");
        }
    }
}
