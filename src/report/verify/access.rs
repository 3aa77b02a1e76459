//! The proof of who may do what.

use std::collections::BTreeMap;

use quick_junit::TestSuite;

use crate::report::{junit, text};
use crate::run::people::CertificateStatus;
use crate::run::verify::access::{Access, Attempt, Review, Topic};

/// Rights that stand on one line.
const MOST_ON_A_LINE: usize = 5;

/// What is not as it should be, a line each.
pub fn wrong(proof: &Access) -> Vec<String> {
    let mut lines: Vec<String> = proof.objects.iter().map(|object| super::wrong(&text::difference(object))).collect();
    let unusable = proof.certificates.iter().filter(|certificate| !certificate.usable);
    lines.extend(unusable.map(|certificate| super::unproved(&missing(certificate))));
    let attempts: Vec<String> = proof.attempts.iter().filter(|one| !one.right).map(tried).collect();
    lines.extend([wrong_reviews(&proof.reviews), attempts].iter().flat_map(|all| super::shortened(all, super::wrong)));
    lines
}

/// What is as it should be.
pub fn summary(proof: &Access) -> Vec<String> {
    let mut lines = Vec::new();
    if proof.objects.is_empty() {
        lines.push("roles, bindings, accounts and the guard are those that were rendered".to_owned());
    }
    let ending = proof.certificates.iter().filter(|certificate| certificate.usable);
    lines.extend(ending.filter_map(|certificate| {
        let why = certificate.renewal.as_ref()?;
        Some(format!("certificate of {}: {why}; lab up makes another", certificate.user))
    }));
    let right = proof.reviews.iter().filter(|review| review.is_right()).count();
    lines.push(format!("{right} of {} answers of RBAC right", proof.reviews.len()));
    for (topic, what) in [
        (Topic::Guard, "requests against what the lab made refused by the guard"),
        (Topic::Person, "requests of people answered as they should be"),
        (Topic::Outsider, "requests of those who are not of the lab answered as they should be"),
    ] {
        let all: Vec<&Attempt> = proof.attempts.iter().filter(|one| one.topic == topic).collect();
        let right = all.iter().filter(|one| one.right).count();
        lines.push(format!("{right} of {} {what}", all.len()));
    }
    lines
}

/// `edit may list secrets, watch secrets and 3 more in airflow, but should not; RBAC: allowed by RoleBinding …`: what
/// has one cause is told once.
fn wrong_reviews(reviews: &[Review]) -> Vec<String> {
    let mut groups = BTreeMap::<_, Vec<&str>>::new();
    for review in reviews.iter().filter(|review| !review.is_right()) {
        let Review { who, namespace, allowed, reason, right, .. } = review;
        // What is allowed and should not be is worse.
        groups.entry((!allowed, who, namespace, reason)).or_default().push(right);
    }
    let told =
        |((refused, who, namespace, reason), rights): ((_, &String, &Option<String>, &Option<String>), Vec<_>)| {
            let first = rights.iter().take(MOST_ON_A_LINE).copied().collect::<Vec<_>>().join(", ");
            let more = rights.len().saturating_sub(MOST_ON_A_LINE);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            let place =
                namespace.as_deref().map_or_else(|| "everywhere".to_owned(), |namespace| format!("in {namespace}"));
            let verdict = if refused { "may not" } else { "may" };
            let meant = if refused { "but should" } else { "but should not" };
            let reason = reason.as_ref().map(|reason| format!("; {reason}")).unwrap_or_default();
            format!("{who} {verdict} {first}{more} {place}, {meant}{reason}")
        };
    groups.into_iter().map(told).collect()
}

fn missing(certificate: &CertificateStatus) -> String {
    let CertificateStatus { user, role, renewal, .. } = certificate;
    let why = renewal.as_deref().unwrap_or("it has ended");
    format!("certificate of {user}, {}: {why}; lab up makes one", role.name())
}

fn tried(attempt: &Attempt) -> String {
    let Attempt { who, request, expected, status, message, .. } = attempt;
    let by = expected.by.map(|by| format!(" by {by}")).unwrap_or_default();
    let message = message.as_ref().map(|message| format!("; {message}")).unwrap_or_default();
    format!("{who}: {request}: answered {status}, meant {}{by}{message}", expected.status)
}

/// A case for each object that differs, certificate, answer of RBAC and request.
pub fn suite(proof: &Access) -> TestSuite {
    let mut suite = TestSuite::new("lab verify access");
    suite.set_time(proof.took);
    let mut add = |class: &str, name: String, problem: Option<String>| {
        suite.add_test_case(junit::case(&format!("lab.verify.access.{class}"), name, problem.as_slice()));
    };
    for difference in &proof.objects {
        add("objects", difference.subject.clone(), Some(text::difference(difference)));
    }
    if proof.objects.is_empty() {
        add("objects", "all as rendered".to_owned(), None);
    }
    for certificate in &proof.certificates {
        add("certificates", certificate.user.clone(), (!certificate.usable).then(|| missing(certificate)));
    }
    for review in &proof.reviews {
        let place = review.namespace.as_deref().unwrap_or("everywhere");
        let name = format!("{}: {} ({place})", review.who, review.right);
        add("rbac", name, wrong_reviews(std::slice::from_ref(review)).pop());
    }
    for attempt in &proof.attempts {
        let class = match attempt.topic {
            Topic::Guard => "guard",
            Topic::Person => "people",
            Topic::Outsider => "outsiders",
        };
        add(class, format!("{}: {}", attempt.who, attempt.request), (!attempt.right).then(|| tried(attempt)));
    }
    suite
}

#[cfg(test)]
pub mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Role;
    use crate::run::verify::access::Expected;
    use crate::run::{DiffState, Difference};

    fn review(who: &str, right: &str, expected: bool, allowed: bool) -> Review {
        let reason = allowed.then(|| "RBAC: allowed by RoleBinding \"extra/airflow\"".to_owned());
        let namespace = Some("airflow".to_owned());
        Review { who: who.to_owned(), right: right.to_owned(), namespace, expected, allowed, reason }
    }

    fn attempt(status: u16) -> Attempt {
        Attempt {
            topic: Topic::Guard,
            who: "edit".to_owned(),
            request: "DELETE /api/v1/namespaces/spark-jobs/secrets/object-store?dryRun=All".to_owned(),
            expected: Expected { status: 403, by: Some("the guard") },
            status,
            message: None,
            right: status == 403,
        }
    }

    /// Of a lab that is as it should be.
    pub fn good() -> Access {
        let certificate =
            CertificateStatus { user: "view".to_owned(), role: Role::View, ends: None, usable: true, renewal: None };
        Access {
            passed: true,
            objects: vec![],
            certificates: vec![certificate],
            reviews: vec![review("edit", "get pods", true, true), review("view", "get secrets", false, false)],
            attempts: vec![attempt(403)],
            took: Duration::from_secs(12),
        }
    }

    /// Of one to which somebody added a binding.
    pub fn bad() -> Access {
        let binding = Difference::unwanted("access", "RoleBinding airflow/extra");
        let mut proof = Access { passed: false, attempts: vec![attempt(200)], ..good() };
        proof.objects.push(binding.because("it gives ClusterRole edit to Group lab:view"));
        proof.reviews = ["get", "list", "watch", "create", "patch", "delete"]
            .map(|verb| review("view", &format!("{verb} secrets"), false, true))
            .to_vec();
        proof
    }

    #[test]
    fn what_was_proved_is_short() {
        assert_eq!(wrong(&good()), [""; 0]);
        let expected = [
            "roles, bindings, accounts and the guard are those that were rendered",
            "2 of 2 answers of RBAC right",
            "1 of 1 requests against what the lab made refused by the guard",
            "0 of 0 requests of people answered as they should be",
            "0 of 0 requests of those who are not of the lab answered as they should be",
        ];
        assert_eq!(summary(&good()), expected);
    }

    #[test]
    fn what_is_wrong_is_told_once_for_each_cause() {
        let mut proof = bad();
        let (certificate, ended) = (&mut proof.certificates[0], "it has ended");
        (certificate.usable, certificate.renewal) = (false, Some(ended.to_owned()));
        proof.reviews.push(review("admin", "get pods", true, false));
        let expected = [
            "WRONG     RoleBinding airflow/extra: not wanted, it gives ClusterRole edit to Group lab:view",
            "UNPROVED  certificate of view, view: it has ended; lab up makes one",
            "WRONG     view may get secrets, list secrets, watch secrets, create secrets, patch secrets and 1 more in \
             airflow, but should not; RBAC: allowed by RoleBinding \"extra/airflow\"",
            "WRONG     admin may not get pods in airflow, but should",
            "WRONG     edit: DELETE /api/v1/namespaces/spark-jobs/secrets/object-store?dryRun=All: answered 200, meant \
             403 by the guard",
        ];
        assert_eq!(wrong(&proof), expected);
        assert_eq!(summary(&proof)[0], "0 of 7 answers of RBAC right");
    }

    #[test]
    fn a_certificate_near_its_end_is_told_and_not_wrong() {
        let mut proof = good();
        proof.certificates[0].renewal = Some("it is in the last third of its life".to_owned());
        assert_eq!(wrong(&proof), [""; 0]);
        let told = "certificate of view: it is in the last third of its life; lab up makes another";
        assert!(summary(&proof).contains(&told.to_owned()), "{:?}", summary(&proof));
    }

    #[test]
    fn a_suite_has_a_case_for_each_answer() {
        let mut proof = Access { attempts: vec![attempt(200)], ..good() };
        proof.objects.push(Difference::new("Role a/b", DiffState::Missing));
        let mut report = quick_junit::Report::new("lab");
        report.add_test_suite(suite(&proof));
        let text = report.to_string().expect("XML");
        assert!(text.contains("tests=\"5\" skipped=\"0\" errors=\"0\" failures=\"2\""), "{text}");
        for part in [
            "name=\"Role a/b\" classname=\"lab.verify.access.objects\"",
            "name=\"edit: get pods (airflow)\" classname=\"lab.verify.access.rbac\"",
            "message=\"Role a/b: missing\"",
        ] {
            assert!(text.contains(part), "no {part} in {text}");
        }
    }
}
