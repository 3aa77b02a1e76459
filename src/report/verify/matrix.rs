//! A table of answers for the HTML page: who asks in columns, what for in rows.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::run::verify::network::Judgement;

/// One answer.
pub struct Answer<'a> {
    /// What stands above several columns, such as a namespace.
    pub over: &'a str,
    pub column: &'a str,
    /// What stands before several rows, such as a resource.
    pub before: &'a str,
    pub row: &'a str,
    /// What is meant.
    pub allowed: bool,
    pub judgement: Judgement,
    /// Told where somebody looks closer.
    pub note: String,
}

/// In the order in which the answers came.
#[derive(Default, Serialize)]
pub struct Matrix {
    heads: Vec<Head>,
    columns: Vec<String>,
    rows: Vec<Row>,
}

/// A heading over so many columns.
#[derive(Serialize)]
struct Head {
    text: String,
    span: usize,
}

#[derive(Serialize)]
struct Row {
    /// Empty where it is that of the row above.
    before: String,
    text: String,
    cells: Vec<Cell>,
}

#[derive(Clone, Default, Serialize)]
struct Cell {
    /// `allowed`, `refused`, `wrong`, `unproved`; empty where nothing was asked.
    class: &'static str,
    text: String,
    note: String,
}

impl Matrix {
    pub fn of(answers: &[Answer<'_>]) -> Self {
        let columns = ordered(answers.iter().map(|answer| (answer.over, answer.column)));
        let rows = ordered(answers.iter().map(|answer| (answer.before, answer.row)));
        let mut cells = BTreeMap::<_, Vec<&Answer<'_>>>::new();
        for answer in answers {
            cells.entry(((answer.before, answer.row), (answer.over, answer.column))).or_default().push(answer);
        }
        let mut matrix = Self::default();
        for (over, column) in &columns {
            match matrix.heads.last_mut() {
                Some(head) if head.text == *over => head.span += 1,
                _ => matrix.heads.push(Head { text: (*over).to_owned(), span: 1 }),
            }
            matrix.columns.push((*column).to_owned());
        }
        let mut above = None;
        for row in rows {
            let cell = |column: &(&str, &str)| cells.get(&(row, *column)).map(|all| cell(all)).unwrap_or_default();
            let before = if above == Some(row.0) { "" } else { row.0 };
            above = Some(row.0);
            let cells = columns.iter().map(cell).collect();
            matrix.rows.push(Row { before: before.to_owned(), text: row.1.to_owned(), cells });
        }
        matrix
    }
}

/// Several answers to one question, as of several nodes; the worst counts.
fn cell(answers: &[&Answer<'_>]) -> Cell {
    let bad: Vec<&&Answer<'_>> = answers.iter().filter(|answer| answer.judgement != Judgement::Right).collect();
    let wrong = bad.iter().any(|answer| answer.judgement == Judgement::Wrong);
    let allowed = answers.iter().any(|answer| answer.allowed);
    let (class, sign) = match (wrong, bad.is_empty(), allowed) {
        (true, ..) => ("wrong", "✗"),
        (false, false, _) => ("unproved", "?"),
        (false, true, true) => ("allowed", "✓"),
        (false, true, false) => ("refused", "·"),
    };
    let told = if bad.is_empty() { answers.iter().collect() } else { bad };
    let notes: Vec<&str> = told.iter().map(|answer| answer.note.as_str()).filter(|note| !note.is_empty()).collect();
    let text = if answers.len() > 1 { format!("{sign} {}", answers.len()) } else { sign.to_owned() };
    Cell { class, text, note: notes.join("\n") }
}

/// Each once, where it came first; what belongs to one group stands together.
fn ordered<'a>(all: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<(&'a str, &'a str)> {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut known = BTreeMap::new();
    for (group, name) in all {
        let position = *known.entry(group).or_insert_with(|| {
            groups.push((group, Vec::new()));
            groups.len() - 1
        });
        let names = &mut groups[position].1;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    groups.into_iter().flat_map(|(group, names)| names.into_iter().map(move |name| (group, name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer<'a>(over: &'a str, column: &'a str, row: &'a str, allowed: bool, judgement: Judgement) -> Answer<'a> {
        Answer { over, column, before: "pods", row, allowed, judgement, note: format!("{column} {row}") }
    }

    #[test]
    fn answers_stand_under_who_asked_for_what() {
        let matrix = Matrix::of(&[
            answer("airflow", "edit", "get", false, Judgement::Right),
            answer("jobs", "edit", "get", true, Judgement::Right),
            answer("airflow", "view", "get", false, Judgement::Wrong),
            answer("jobs", "edit", "list", true, Judgement::Unproved),
        ]);
        let heads: Vec<_> = matrix.heads.iter().map(|head| (head.text.as_str(), head.span)).collect();
        assert_eq!(heads, [("airflow", 2), ("jobs", 1)]);
        assert_eq!(matrix.columns, ["edit", "view", "edit"]);
        let rows: Vec<_> = matrix.rows.iter().map(|row| (row.before.as_str(), row.text.as_str())).collect();
        assert_eq!(rows, [("pods", "get"), ("", "list")]);
        let classes: Vec<Vec<_>> =
            matrix.rows.iter().map(|row| row.cells.iter().map(|cell| cell.class).collect()).collect();
        assert_eq!(classes, [["refused", "wrong", "allowed"], ["", "", "unproved"]]);
    }

    #[test]
    fn the_worst_of_several_answers_counts() {
        let right = answer("", "edit", "get", true, Judgement::Right);
        let cell = cell(&[&right, &answer("", "edit", "get", true, Judgement::Wrong), &right]);
        assert_eq!((cell.class, cell.text.as_str(), cell.note.as_str()), ("wrong", "✗ 3", "edit get"));
    }
}
