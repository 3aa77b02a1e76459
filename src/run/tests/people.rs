//! Certificates and kubeconfigs of people.

use std::os::unix::fs::PermissionsExt;

use super::world::Say;
use super::{Bench, told};
use crate::config::Role;
use crate::ports::Kube as _;
use crate::run::people::find;
use crate::run::{DiffState as State, diff};
use crate::step::{Action, Person};

const LIFETIME: u32 = 3600;

fn person(name: &str, role: Role) -> Person {
    Person { name: name.to_owned(), role, group: format!("lab:{}", role.name()) }
}

fn action(people: &[Person], lifetime_seconds: u32) -> Action {
    Action::People { people: people.to_vec(), lifetime_seconds, namespace: Some("spark-jobs".to_owned()) }
}

fn three() -> Vec<Person> {
    vec![person("admin", Role::Admin), person("view", Role::View), person("anna", Role::Edit)]
}

/// A lab with these three, and nothing remembered of how they came.
async fn bench() -> Bench {
    let bench = Bench::small().made().await;
    bench.act(action(&three(), LIFETIME)).await.unwrap();
    bench.world.heal();
    bench
}

/// Files in the folder of people with their modes.
fn files(bench: &Bench) -> Vec<(String, u32)> {
    let entries = fs_err::read_dir(bench.run().people()).unwrap().map(Result::unwrap);
    let mode = |entry: &fs_err::DirEntry| entry.metadata().unwrap().permissions().mode() & 0o777;
    let mut all: Vec<_> = entries.map(|entry| (entry.file_name().into_string().unwrap(), mode(&entry))).collect();
    all.sort();
    all
}

/// Who was given a new certificate.
fn made(bench: &Bench) -> Vec<String> {
    let calls = bench.world.calls();
    let mut made: Vec<String> =
        calls.iter().filter_map(|call| Some(call.strip_prefix("approve lab-")?.to_owned())).collect();
    made.sort();
    made
}

#[tokio::test(start_paused = true)]
async fn everybody_gets_a_kubeconfig_that_only_its_owner_reads() {
    let bench = bench().await;
    let names = ["admin.kubeconfig", "anna.kubeconfig", "view.kubeconfig"];
    assert_eq!(files(&bench), names.map(|name| (name.to_owned(), 0o600)));
    let folder = fs_err::metadata(bench.run().people()).unwrap();
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    let (path, context) = find(&bench.run(), "anna").unwrap();
    assert_eq!(context, "lab-edit-anna");
    let text = fs_err::read_to_string(path).unwrap();
    for part in ["server: https://127.0.0.1:16443", "certificate-authority-data: YXV0aG9yaXR5", "namespace: spark-jobs"]
    {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    let requests = bench.world.list(&crate::ports::Kind::CERTIFICATE_REQUEST, None, "").await.unwrap();
    assert_eq!(requests, Vec::<serde_json::Value>::new(), "requests stay");
}

#[tokio::test(start_paused = true)]
async fn good_certificates_stay() {
    let bench = bench().await;
    bench.act(action(&three(), LIFETIME)).await.unwrap();
    assert_eq!(bench.world.changes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_certificate_is_made_anew_when_something_of_it_changed() {
    /// Changes a lab, and says who needs a new certificate.
    type Change = fn(&Bench, &mut Vec<Person>, &mut u32);
    let all: &[&str] = &["admin", "anna", "view"];
    let cases: [(&str, Change, &[&str]); 9] = [
        ("another role", |_, people, _| people[2] = person("anna", Role::View), &["anna"]),
        ("somebody new", |_, people, _| people.push(person("ben", Role::View)), &["ben"]),
        ("three times the life", |_, _, lifetime| *lifetime = 4 * LIFETIME, all),
        ("a third of the life", |_, _, lifetime| *lifetime = LIFETIME / 3, all),
        ("a little more life", |_, _, lifetime| *lifetime = LIFETIME * 2, &[]),
        ("another authority", |bench, _, _| rewrite(bench, "YXV0aG9yaXR5", "YW5vdGhlcg=="), all),
        ("another port", |bench, _, _| rewrite(bench, ":16443", ":17443"), all),
        (
            "half a file",
            |bench, _, _| fs_err::write(find(&bench.run(), "view").unwrap().0, "apiVersion").unwrap(),
            &["view"],
        ),
        (
            "a file for all to read",
            |bench, _, _| {
                let path = find(&bench.run(), "admin").unwrap().0;
                fs_err::set_permissions(path, PermissionsExt::from_mode(0o644)).unwrap();
            },
            &["admin"],
        ),
    ];
    for (name, change, expected) in cases {
        let bench = bench().await;
        let (mut people, mut lifetime) = (three(), LIFETIME);
        change(&bench, &mut people, &mut lifetime);
        bench.act(action(&people, lifetime)).await.unwrap();
        assert_eq!(made(&bench), expected, "{name}");
        bench.world.heal();
        bench.act(action(&people, lifetime)).await.unwrap();
        assert_eq!(made(&bench), Vec::<String>::new(), "{name}, again");
        assert!(files(&bench).iter().all(|(_, mode)| *mode == 0o600), "{name}: {:?}", files(&bench));
    }
}

/// Changes what the administrator's kubeconfig says, as a new cluster would.
fn rewrite(bench: &Bench, from: &str, to: &str) {
    let path = bench.run().kubeconfig();
    let text = fs_err::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs_err::write(path, text.replace(from, to)).unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_is_gone_from_the_configuration_loses_the_kubeconfig() {
    let bench = bench().await;
    fs_err::write(bench.run().people().join("notes.txt"), "mine").unwrap();
    bench.act(action(&three()[..2], LIFETIME)).await.unwrap();
    let names: Vec<String> = files(&bench).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["admin.kubeconfig", "notes.txt", "view.kubeconfig"]);
    assert_eq!(told(&find(&bench.run(), "anna").unwrap_err()), (5, "there is no kubeconfig of anna yet".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_refused_ends_the_step() {
    let bench = Bench::small().made().await;
    bench.world.script("approve lab-anna", Say::Fail("forbidden"));
    let error = bench.act(action(&[person("anna", Role::Edit)], LIFETIME)).await.unwrap_err();
    assert!(told(&error).1.contains("forbidden"), "{error:#}");
    assert!(find(&bench.run(), "anna").is_err());
}

#[tokio::test(start_paused = true)]
async fn differences_name_the_person() {
    let bench = Bench::small().made().await;
    fs_err::remove_file(find(&bench.run(), "edit").unwrap().0).unwrap();
    fs_err::write(find(&bench.run(), "view").unwrap().0, "").unwrap();
    fs_err::write(bench.run().people().join("gone.kubeconfig"), "").unwrap();
    let diff = diff(&bench.run(), &bench.plan()).await.unwrap();
    let found: Vec<_> =
        diff.differences.iter().map(|one| (one.step.as_str(), one.subject.as_str(), one.state)).collect();
    let expected = [
        ("people", "kubeconfig of edit", State::Missing),
        ("people", "kubeconfig of view", State::Different),
        ("people", "kubeconfig of gone", State::Unwanted),
    ];
    assert_eq!(found, expected);
}
