//! Credentials: made once, kept, and said nowhere.

use serde_json::Value;

use super::Bench;

const SECRETS: [(&str, &str); 2] = [("object-store", "minio-root"), ("spark-jobs", "object-store")];

fn secrets(bench: &Bench) -> Vec<Value> {
    let data = |(namespace, name): (&str, &str)| {
        bench.world.state().object("Secret", namespace, name).expect("the Secret is there")["data"].clone()
    };
    SECRETS.map(data).to_vec()
}

#[tokio::test(start_paused = true)]
async fn credentials_are_kept() {
    let bench = Bench::small().made().await;
    let before = secrets(&bench);
    bench.up().await.unwrap();
    assert_eq!(secrets(&bench), before);
}

#[tokio::test(start_paused = true)]
async fn two_labs_have_different_credentials() {
    let (one, other) = (Bench::small().made().await, Bench::small().made().await);
    for (one, other) in secrets(&one).iter().zip(&secrets(&other)) {
        let same = one.as_object().unwrap().iter().filter(|(key, value)| other[key.as_str()] == **value).count();
        assert_eq!(same, 1, "only the user's name is the same");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_lost_is_made_again_and_the_others_are_kept() {
    let bench = Bench::small().made().await;
    let before = secrets(&bench);
    let key = ["Secret", "object-store", "minio-root"].map(str::to_owned);
    bench.world.state().objects.get_mut(&key).unwrap()["data"].as_object_mut().unwrap().remove("MINIO_ROOT_USER");
    bench.up().await.unwrap();
    assert_eq!(secrets(&bench), before);
}

#[tokio::test(start_paused = true)]
async fn no_credential_is_said_or_stands_in_a_command() {
    let bench = Bench::small();
    bench.up().await.unwrap();
    let said = format!("{:?} {:?}", bench.said.0.borrow(), bench.world.calls());
    for data in secrets(&bench) {
        let value = |key: &str| data[key].as_str().map(str::to_owned);
        let secret = value("MINIO_ROOT_PASSWORD").or_else(|| value("AWS_SECRET_ACCESS_KEY")).unwrap();
        let bytes: k8s_openapi::ByteString = serde_json::from_value(secret.clone().into()).unwrap();
        let plain = String::from_utf8(bytes.0).unwrap();
        assert_eq!(plain.len(), 32);
        assert!(!said.contains(&plain) && !said.contains(&secret));
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_was_deleted_is_made_again_and_the_user_gets_its_key() {
    let bench = Bench::small().made().await;
    let old = bench.world.state().keys["spark-jobs"].clone();
    bench.world.state().objects.remove(&["Secret", "spark-jobs", "object-store"].map(str::to_owned));
    bench.up().await.unwrap();
    assert_ne!(bench.world.state().keys["spark-jobs"], old);
    bench.world.heal();
    bench.up().await.unwrap();
    assert_eq!(bench.world.changes(), Vec::<String>::new());
}
