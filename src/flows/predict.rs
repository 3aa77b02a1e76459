//! The table held against policies, without a cluster.

use std::fmt;

use super::evaluate::{Sides, sides};
use super::party::Party;
use super::policy::NetworkPolicy;
use super::table::{Cell, Mark, Table};

/// A cell with which policies do something else than the table says.
#[derive(Debug, Clone)]
pub struct Wrong {
    pub cell: Cell,
    pub sides: Sides,
}

/// The cells that policies would get wrong. Parties that are not there have no cells.
pub fn predict(table: &Table, parties: &[Party], policies: &[NetworkPolicy]) -> Vec<Wrong> {
    let of = |name: &str| parties.iter().find(|party| party.name == name);
    let wrong = |cell: &Cell| {
        let (source, target) = (of(&cell.source)?, of(&cell.target)?);
        let sides = sides(policies, source, target, cell.port);
        // Widening one side opens nothing as long as the other one is closed; it is wrong all the same.
        let right = match cell.mark {
            Mark::Allowed => sides.egress && sides.ingress,
            Mark::Refused => {
                (source.closed || target.closed)
                    && (!source.closed || !sides.egress)
                    && (!target.closed || !sides.ingress)
            }
            Mark::Unruled => !source.closed && !target.closed,
        };
        (!right).then(|| Wrong { cell: cell.clone(), sides })
    };
    table.cells.iter().filter_map(wrong).collect()
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |open| if open { "open" } else { "closed" };
        let Sides { egress, ingress } = self.sides;
        let meant = match self.cell.mark {
            Mark::Allowed => "allowed",
            Mark::Refused => "refused",
            Mark::Unruled => "no pod's matter",
        };
        write!(f, "{}: meant to be {meant}, egress {}, ingress {}", self.cell, word(egress), word(ingress))
    }
}
