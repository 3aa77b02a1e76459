//! `lab credentials`, and the way to a lab whose kubeconfig was lost.

use super::world::Say;
use super::{Bench, next, told};
use crate::config;
use crate::run::logins::{Credentials, minio};
use crate::run::reach;

#[tokio::test(start_paused = true)]
async fn users_are_shown_with_the_passwords_of_their_secrets() {
    let bench = Bench::small().made().await;
    let logins = minio(&bench.run()).await.unwrap();
    let users: Vec<(&str, usize)> = logins.iter().map(|login| (login.user.as_str(), login.password.len())).collect();
    assert_eq!(users, [("lab-root", 32), ("spark-jobs", 32)]);
    assert_ne!(logins[0].password, logins[1].password);
    let seen = format!("{:?} {:?}", bench.said.0.borrow(), bench.world.calls());
    assert!(logins.iter().all(|login| !seen.contains(&login.password)));
    assert_eq!(bench.world.changes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn the_document_fits_its_schema() {
    let bench = Bench::small().made().await;
    let schema = serde_json::to_value(schemars::schema_for!(Credentials)).unwrap();
    let credentials = minio(&bench.run()).await.unwrap();
    let document = serde_json::to_value(Credentials { lab: "lab".to_owned(), credentials }).unwrap();
    jsonschema::validate(&schema, &document).unwrap();
    assert_eq!(document["credentials"][1]["secret"]["namespace"], "spark-jobs");
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_is_not_there_is_named() {
    let bench = Bench::small().made().await;
    bench.world.state().objects.remove(&["Secret", "spark-jobs", "object-store"].map(str::to_owned));
    let error = minio(&bench.run()).await.err().unwrap();
    assert_eq!(told(&error), (5, "Secret spark-jobs/object-store is not there".to_owned()));
    assert!(next(&error).starts_with("lab up --name lab"));
    let key = ["Secret", "object-store", "minio-root"].map(str::to_owned);
    bench.world.state().objects.get_mut(&key).unwrap()["data"] = serde_json::json!({});
    let (code, text) = told(&minio(&bench.run()).await.err().unwrap());
    assert_eq!((code, text.as_str()), (5, "key MINIO_ROOT_USER of Secret object-store/minio-root is not there"));
}

#[tokio::test(start_paused = true)]
async fn a_lab_without_object_store_has_no_users() {
    let text = config::SMALL.replace("objectStore:\n    enabled: true", "objectStore:\n    enabled: false");
    let text = text.replace("smoke:\n    enabled: true", "smoke:\n    enabled: false");
    let (code, text) = told(&minio(&Bench::of(&text).run()).await.err().unwrap());
    assert!(code == 3 && text.contains("spec.objectStore.enabled is false"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_kubeconfig_is_made_again_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut bench = Bench::small().made().await;
    let folder = bench.folder.path().join("state");
    bench.folder = tempfile::TempDir::new().unwrap();
    let mut run = bench.run();
    run.state = bench.folder.path().join(folder.file_name().unwrap());
    reach(&run).await.unwrap();
    let mode = |path: &std::path::Path| fs_err::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&run.state), mode(&run.kubeconfig())), (0o700, 0o600));
    assert_eq!(bench.world.count("kubeconfig lab"), 1);
    reach(&run).await.unwrap();
    assert_eq!(bench.world.count("kubeconfig lab"), 1, "what is there is not made again");
}

#[tokio::test(start_paused = true)]
async fn a_lab_that_is_not_up_says_so() {
    let bench = Bench::small();
    let error = reach(&bench.run()).await.unwrap_err();
    assert_eq!((told(&error), next(&error)), ((5, "lab lab is not up".to_owned()), "lab up --name lab".to_owned()));
    bench.world.script("containers", Say::Fail("the engine has gone"));
    assert!(told(&reach(&bench.run()).await.unwrap_err()).1.contains("the engine has gone"));
}
