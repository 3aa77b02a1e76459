//! Tables of what is used every day: logs, users.

use crate::run::logins::Login;
use crate::run::logs::Listing;

/// What `lab logs` prints when it is not told of what.
pub fn logs(listing: &Listing) -> String {
    let mut text = String::from("components:\n");
    listing.components.iter().for_each(|name| text.push_str(&format!("  {name}\n")));
    text.push_str("nodes:\n");
    listing.nodes.iter().for_each(|name| text.push_str(&format!("  {name}\n")));
    text.push_str("jobs, the newest first; a job's name means its newest run:\n");
    for job in &listing.jobs {
        text.push_str(&format!("  {:<40} {:<20} {}\n", job.name, job.since, job.state));
    }
    text
}

/// What `lab credentials` prints.
pub fn logins(logins: &[Login]) -> String {
    let mut text = format!("{:<10} {:<14} {:<34} {}\n", "service", "user", "password", "for");
    for login in logins {
        let (service, user, password, purpose) = (&login.service, &login.user, &login.password, &login.purpose);
        text.push_str(&format!("{service:<10} {user:<14} {password:<34} {purpose}\n"));
    }
    text
}
