//! The proof of who may do what, on a lab that is as it should be and on such as are not.

use serde_json::{Value, json};

use super::world::Say;
use super::{Bench, next, told};
use crate::config::Overrides;
use crate::run::people::find;
use crate::run::verify::access::{Access, Topic, access};
use crate::run::{DiffState, Difference};

/// Two namespaces of people, and one control plane.
async fn bench() -> Bench {
    let variables = vec![("LAB_PEOPLE_NAMESPACES".to_owned(), "[team-a]".to_owned())];
    let mut bench = Bench::small();
    let overrides = Overrides { variables, ..Overrides::default() };
    bench.lab = crate::config::load(crate::config::SMALL, "test", &overrides).unwrap();
    bench.made().await
}

async fn proof(bench: &Bench) -> Access {
    access(&bench.run(), &bench.plan()).await.unwrap()
}

/// Changes an object behind everybody's back.
fn change(bench: &Bench, key: [&str; 3], change: impl FnOnce(&mut Value)) {
    let mut state = bench.world.state();
    change(state.objects.get_mut(&key.map(str::to_owned)).expect("an object of this name"));
}

fn remove(bench: &Bench, key: [&str; 3]) {
    bench.world.state().objects.remove(&key.map(str::to_owned)).expect("an object of this name");
}

fn add(bench: &Bench, object: Value) {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let key = [text("/kind"), text("/metadata/namespace"), text("/metadata/name")];
    assert!(bench.world.state().objects.insert(key, object).is_none(), "it was there");
}

/// `namespace` none for a binding everywhere.
fn bind(namespace: Option<&str>, role: &str, subject: &Value) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": if namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" },
        "metadata": { "name": "extra", "namespace": namespace },
        "roleRef": { "kind": "ClusterRole", "name": role }, "subjects": [subject],
    })
}

fn group(name: &str) -> Value {
    json!({ "kind": "Group", "name": name })
}

fn named(objects: &[Difference]) -> Vec<(&str, DiffState, &str)> {
    objects.iter().map(|one| (one.subject.as_str(), one.state, one.detail.as_deref().unwrap_or_default())).collect()
}

/// `view: get pods in spark-jobs` for every answer of RBAC that is wrong.
fn wrong_reviews(proof: &Access) -> Vec<String> {
    let told = |review: &crate::run::verify::access::Review| {
        let place = review.namespace.as_deref().unwrap_or("everywhere");
        format!("{}: {} in {place}", review.who, review.right)
    };
    proof.reviews.iter().filter(|review| !review.is_right()).map(told).collect()
}

/// `view GET /api/v1/nodes 403` for every request that was answered wrongly.
fn wrong_attempts(proof: &Access) -> Vec<String> {
    let wrong = proof.attempts.iter().filter(|attempt| !attempt.right);
    wrong.map(|attempt| format!("{} {} {}", attempt.who, attempt.request, attempt.status)).collect()
}

fn requests_left(bench: &Bench) -> usize {
    bench.world.state().objects.keys().filter(|key| key[0] == "CertificateSigningRequest").count()
}

#[tokio::test(start_paused = true)]
async fn a_lab_that_stands_passes_and_nothing_of_it_changes() {
    let bench = bench().await;
    let proof = proof(&bench).await;
    assert_eq!(named(&proof.objects), []);
    assert_eq!((wrong_reviews(&proof), wrong_attempts(&proof)), (vec![], vec![]));
    assert!(proof.passed);
    assert!(proof.reviews.len() > 2000, "{} questions", proof.reviews.len());
    for namespace in ["spark-jobs", "team-a", "object-store", "spark-operator", "lab-system", "kube-system", "default"]
    {
        let here = proof.reviews.iter().filter(|review| review.namespace.as_deref() == Some(namespace)).count();
        assert!(here > 100, "{here} questions about {namespace}");
    }
    let count = |topic| proof.attempts.iter().filter(|attempt| attempt.topic == topic).count();
    for (topic, least) in [(Topic::Guard, 80), (Topic::Person, 36), (Topic::Outsider, 60)] {
        assert!(count(topic) >= least, "{} requests about {topic:?}", count(topic));
    }
    let changes = ["apply CertificateSigningRequest//lab-stranger", "approve lab-stranger"];
    let gone = "delete CertificateSigningRequest//lab-stranger";
    assert_eq!(bench.world.changes(), [changes[0], changes[1], gone]);
    assert_eq!(requests_left(&bench), 0);
}

/// Every verb that the guard refuses is tried on every kind of thing that it keeps, in both kinds of namespaces.
#[tokio::test(start_paused = true)]
async fn the_guard_is_tried_with_every_verb_on_everything_it_keeps() {
    let proof = proof(&bench().await).await;
    let tried = |who: &str, start: &str, method: &str| {
        proof.attempts.iter().any(|attempt| {
            attempt.topic == Topic::Guard
                && attempt.who == who
                && attempt.request.starts_with(&format!("{method} {start}"))
        })
    };
    let rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces";
    let network = "/apis/networking.k8s.io/v1/namespaces";
    for (who, path) in [
        ("admin", "/api/v1/namespaces/spark-jobs/secrets/object-store".to_owned()),
        ("edit", "/api/v1/namespaces/spark-jobs/secrets/object-store".to_owned()),
        ("edit", "/api/v1/namespaces/team-a/serviceaccounts/default".to_owned()),
        ("admin", format!("{rbac}/spark-jobs/roles/spark-driver")),
        ("admin", format!("{rbac}/team-a/rolebindings/lab-view")),
        ("admin", format!("{rbac}/object-store/rolebindings/lab-admin")),
        ("admin", "/api/v1/namespaces/object-store/secrets/minio-root".to_owned()),
        ("edit", format!("{network}/spark-jobs/networkpolicies/default")),
    ] {
        for method in ["PUT", "PATCH", "DELETE"] {
            assert!(tried(who, &format!("{path}?dryRun=All"), method), "{who} {method} {path}");
        }
        let collection = path.rsplit_once('/').unwrap().0;
        assert!(tried(who, &format!("{collection}?labelSelector="), "DELETE"), "{who}: all of {collection}");
    }
    assert!(!tried("view", "", "DELETE"), "view has no right to begin with");
    assert!(!tried("edit", &format!("{rbac}/spark-jobs/roles"), "DELETE"), "edit has no right to begin with");
}

#[tokio::test(start_paused = true)]
async fn a_binding_that_is_gone_is_named_and_what_it_gave_is_missed() {
    let bench = bench().await;
    remove(&bench, ["RoleBinding", "spark-jobs", "lab-view"]);
    let proof = proof(&bench).await;
    assert_eq!(named(&proof.objects), [("RoleBinding spark-jobs/lab-view", DiffState::Missing, "")]);
    assert_eq!(proof.objects[0].step, "access");
    let wrong = wrong_reviews(&proof);
    assert!(wrong.contains(&"view: list pods in spark-jobs".to_owned()), "{wrong:?}");
    assert!(wrong.iter().all(|one| one.starts_with("view: ") && one.ends_with(" in spark-jobs")), "{wrong:?}");
    assert_eq!(wrong_attempts(&proof), ["view GET /api/v1/namespaces/spark-jobs/pods?limit=1 403"]);
    assert!(!proof.passed);
}

#[tokio::test(start_paused = true)]
async fn a_binding_that_somebody_added_is_named_first() {
    let bench = bench().await;
    add(&bench, bind(Some("object-store"), "edit", &group("lab:view")));
    let proof = proof(&bench).await;
    let why = "it gives ClusterRole edit to Group lab:view";
    assert_eq!(named(&proof.objects), [("RoleBinding object-store/extra", DiffState::Unwanted, why)]);
    let wrong = wrong_reviews(&proof);
    assert!(wrong.contains(&"view: list secrets in object-store".to_owned()), "{wrong:?}");
    assert!(wrong.iter().all(|one| one.starts_with("view: ") && one.ends_with(" in object-store")), "{wrong:?}");
    let reasons = proof.reviews.iter().filter(|review| !review.is_right()).map(|review| review.reason.as_deref());
    assert!(reasons.into_iter().all(|reason| reason == Some("RBAC: allowed by a binding")));
}

/// What no question of the table would see.
#[tokio::test(start_paused = true)]
async fn a_binding_of_a_person_by_name_and_one_of_an_account_are_named() {
    let bench = bench().await;
    add(&bench, bind(Some("spark-jobs"), "view", &json!({ "kind": "User", "name": "edit" })));
    let account = json!({ "kind": "ServiceAccount", "namespace": "spark-jobs", "name": "somebody" });
    add(&bench, bind(None, "cluster-admin", &account));
    let found = proof(&bench).await;
    let all_power = "it gives ClusterRole cluster-admin to ServiceAccount spark-jobs/somebody";
    let expected = [
        ("RoleBinding spark-jobs/extra", DiffState::Unwanted, "it gives ClusterRole view to User edit"),
        ("ClusterRoleBinding extra", DiffState::Unwanted, all_power),
    ];
    assert_eq!(named(&found.objects), expected);
    assert!(!found.passed);
}

#[tokio::test(start_paused = true)]
async fn a_role_of_kubernetes_that_grants_more_is_named_with_what_it_grants() {
    let bench = bench().await;
    let rule = json!({ "apiGroups": [""], "resources": ["resourcequotas"], "verbs": ["delete"] });
    change(&bench, ["ClusterRole", "", "system:aggregate-to-edit"], |role| {
        role["rules"].as_array_mut().unwrap().push(rule);
    });
    let proof = proof(&bench).await;
    let more = "it also grants delete resourcequotas";
    let expected = [
        ("ClusterRole system:aggregate-to-edit", DiffState::Different, more),
        ("ClusterRole admin", DiffState::Different, more),
        ("ClusterRole edit", DiffState::Different, more),
    ];
    assert_eq!(named(&proof.objects), expected);
    let wrong = wrong_reviews(&proof);
    assert!(wrong.contains(&"edit: delete resourcequotas in team-a".to_owned()), "{wrong:?}");
}

#[tokio::test(start_paused = true)]
async fn a_role_that_is_taken_into_those_of_people_is_named() {
    let bench = bench().await;
    let label = "rbac.authorization.k8s.io/aggregate-to-view";
    add(
        &bench,
        json!({
            "kind": "ClusterRole", "metadata": { "name": "extra", "labels": { label: "true" } },
            "rules": [{ "apiGroups": [""], "resources": ["secrets"], "verbs": ["get"] }],
        }),
    );
    change(&bench, ["ClusterRole", "", "lab-people"], |role| role["metadata"]["labels"][label] = json!("true"));
    let proof = proof(&bench).await;
    let found = named(&proof.objects);
    assert_eq!(found[0], ("ClusterRole extra", DiffState::Unwanted, "it gives get secrets to view"));
    assert_eq!(found[1].0, "ClusterRole lab-people");
    assert_eq!(proof.objects[1].fields[0].path, "metadata.labels[\"rbac.authorization.k8s.io/aggregate-to-view\"]");
    assert!(wrong_reviews(&proof).contains(&"view: get secrets in spark-jobs".to_owned()));
    let seen = "view GET /api/v1/namespaces/spark-jobs/secrets/lab-verify 404";
    assert!(wrong_attempts(&proof).contains(&seen.to_owned()), "{:?}", wrong_attempts(&proof));
}

#[tokio::test(start_paused = true)]
async fn a_role_of_the_lab_that_changed_says_in_what() {
    let bench = bench().await;
    change(&bench, ["Role", "spark-jobs", "spark-driver"], |role| {
        role["rules"] = json!([{ "apiGroups": [""], "resources": ["secrets"], "verbs": ["list"] }]);
    });
    let proof = proof(&bench).await;
    let detail = "it also grants list secrets; it does not grant create configmaps, create persistentvolumeclaims, \
                  create pods, create services, delete configmaps, delete persistentvolumeclaims and 26 more";
    assert_eq!(named(&proof.objects), [("Role spark-jobs/spark-driver", DiffState::Different, detail)]);
    assert_eq!(wrong_reviews(&proof), ["account spark-jobs/spark: list secrets in spark-jobs"]);
}

#[tokio::test(start_paused = true)]
async fn a_guard_that_is_gone_or_looks_away_is_named() {
    let bench = bench().await;
    remove(&bench, ["ValidatingAdmissionPolicyBinding", "", "lab-guard"]);
    let found = proof(&bench).await;
    assert_eq!(named(&found.objects), [("ValidatingAdmissionPolicyBinding lab-guard", DiffState::Missing, "")]);
    assert_eq!(wrong_reviews(&found), Vec::<String>::new(), "RBAC is as it was");
    let wrong = wrong_attempts(&found);
    let guard = found.attempts.iter().filter(|attempt| attempt.topic == Topic::Guard).count();
    assert_eq!(wrong.len(), guard, "nothing is kept");
    assert!(
        wrong.contains(&"edit DELETE /api/v1/namespaces/spark-jobs/secrets/object-store?dryRun=All 200".to_owned())
    );

    let bench = self::bench().await;
    change(&bench, ["ValidatingAdmissionPolicy", "", "lab-guard"], |policy| {
        policy["spec"]["matchConstraints"]["excludeResourceRules"] = json!([{ "resources": ["secrets"] }]);
    });
    change(&bench, ["Secret", "spark-jobs", "object-store"], |secret| secret["metadata"]["labels"] = json!({}));
    let found = proof(&bench).await;
    assert_eq!(named(&found.objects), [("ValidatingAdmissionPolicy lab-guard", DiffState::Different, "")]);
    assert_eq!(found.objects[0].fields[0].path, "spec.matchConstraints.excludeResourceRules");
    // One for each of admin and edit, who may change Secrets: as they are, merged with nothing, deleted, all deleted.
    assert_eq!(wrong_attempts(&found).len(), 8, "{:?}", wrong_attempts(&found));
}

#[tokio::test(start_paused = true)]
async fn who_is_not_of_the_lab_and_gets_something_is_seen() {
    for (subject, seen, refused) in
        [("system:unauthenticated", "anonymous", "stranger"), ("system:authenticated", "stranger", "anonymous")]
    {
        let bench = bench().await;
        add(&bench, bind(None, "view", &group(subject)));
        let proof = proof(&bench).await;
        let why = format!("it gives ClusterRole view to Group {subject}");
        assert_eq!(named(&proof.objects), [("ClusterRoleBinding extra", DiffState::Unwanted, why.as_str())]);
        let wrong = wrong_attempts(&proof);
        assert!(wrong.contains(&format!("{seen} GET /api/v1/namespaces/kube-system/pods?limit=1 200")), "{wrong:?}");
        assert!(!wrong.iter().any(|one| one.starts_with(refused)), "{wrong:?}");
        assert_eq!(wrong_reviews(&proof).is_empty(), subject == "system:unauthenticated", "people are authenticated");
    }
}

#[tokio::test(start_paused = true)]
async fn a_binding_of_kubernetes_that_names_somebody_more_is_named() {
    let bench = bench().await;
    change(&bench, ["ClusterRoleBinding", "", "system:discovery"], |binding| {
        binding["subjects"].as_array_mut().unwrap().push(group("system:unauthenticated"));
    });
    let proof = proof(&bench).await;
    assert_eq!(named(&proof.objects), [("ClusterRoleBinding system:discovery", DiffState::Different, "")]);
}

#[tokio::test(start_paused = true)]
async fn who_has_no_certificate_leaves_something_unproved() {
    let bench = bench().await;
    fs_err::remove_file(find(&bench.run(), "edit").unwrap().0).unwrap();
    let proof = proof(&bench).await;
    assert!(!proof.passed);
    assert_eq!((wrong_reviews(&proof), wrong_attempts(&proof)), (vec![], vec![]));
    let edit = proof.certificates.iter().find(|certificate| certificate.user == "edit").unwrap();
    assert_eq!((edit.usable, edit.renewal.as_deref()), (false, Some("there is none")));
    let tried = |who: &str| proof.attempts.iter().any(|attempt| attempt.who == who);
    assert!(tried("admin") && tried("view") && !tried("edit"));
}

#[tokio::test(start_paused = true)]
async fn an_api_that_fails_in_the_middle_is_no_verdict() {
    for (call, skip) in [
        ("list ClusterRole", 0),
        ("send POST /apis/authorization.k8s.io/v1/subjectaccessreviews", 500),
        ("approve lab-stranger", 0),
        ("get Secret/spark-jobs/object-store", 0),
        ("send DELETE", 20),
        ("delete CertificateSigningRequest", 0),
    ] {
        let bench = bench().await;
        bench.world.script_after(call, skip, 1, Say::Fail("connection reset by peer"));
        let error = access(&bench.run(), &bench.plan()).await.unwrap_err();
        let (code, text) = told(&error);
        assert_eq!(code, 5, "{call}: {text}");
        assert!(text.starts_with("access could not be tried: ") && text.contains("connection reset"), "{call}: {text}");
        assert_eq!(next(&error), "lab status --name lab   (what is there)");
        assert_eq!(requests_left(&bench), usize::from(call.starts_with("delete")), "{call}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_proof_left_that_was_killed_goes_with_the_next() {
    let bench = bench().await;
    bench.world.script_after("send POST", 100, 1, Say::Hang);
    let error = access(&bench.run(), &bench.plan()).await.unwrap_err();
    assert!(told(&error).1.contains("not done within 120 s"), "{error:#}");
    assert_eq!(requests_left(&bench), 1);
    bench.world.heal();
    assert!(proof(&bench).await.passed);
    assert_eq!(requests_left(&bench), 0);
}
