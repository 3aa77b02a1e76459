use k8s_openapi::ByteString;
use proptest::prelude::*;
use serde_json::json;

use super::Mask;

const SECRET: &str = "s3cr3t/with+signs=";

fn mask() -> Mask {
    let mut mask = Mask::default();
    mask.add(SECRET.as_bytes());
    mask
}

fn base64(text: &str) -> String {
    json!(ByteString(text.as_bytes().to_vec())).as_str().unwrap().to_owned()
}

#[test]
fn a_secret_is_found_in_every_form() {
    let mask = mask();
    let forms = [
        SECRET.to_owned(),
        base64(SECRET),
        "s3cr3t%2Fwith%2Bsigns%3D".to_owned(),
        base64(&format!("user:{SECRET}")),
        base64(&format!("a:{SECRET} and more")),
    ];
    for form in forms {
        let clean = mask.text(&format!("before {form} after"));
        assert!(clean.contains("***") && clean.starts_with("before ") && clean.ends_with(" after"), "{clean}");
        assert!(!clean.contains(&form[4..form.len() - 4]), "{form}: {clean}");
    }
}

#[test]
fn a_secret_of_many_lines_is_found_line_by_line_and_in_json() {
    let key = "-----BEGIN KEY-----\nMIIEowIBAAKCAQEA7\nqyTfM1S8nmo3v5Qz9\n-----END KEY-----\n";
    let mut mask = Mask::default();
    mask.add(key.as_bytes());
    assert_eq!(mask.text("  qyTfM1S8nmo3v5Qz9\n"), "  ***\n");
    assert_eq!(mask.text(&json!({ "key": key }).to_string()), r#"{"key":"***\n"}"#);
    assert_eq!(mask.text("-----BEGIN KEY-----"), "-----BEGIN KEY-----");
}

#[test]
fn short_values_are_left_in() {
    let mut mask = Mask::default();
    mask.add(b"true");
    mask.add(b"minio\n");
    assert_eq!(mask.text("true minio"), "true minio");
}

#[test]
fn values_of_kubernetes_secrets_are_masked_but_for_those_that_are_public() {
    let secret = json!({ "data": { "USER": base64("spark-jobs"), "PASSWORD": base64("abcdef0123") } });
    let mut mask = Mask::default();
    mask.add_secret(&secret, &["USER"]);
    assert_eq!(mask.text("spark-jobs abcdef0123"), "spark-jobs ***");
}

#[test]
fn keys_and_tokens_of_a_kubeconfig_are_masked() {
    let key = base64("-----BEGIN KEY-----\nMIIEowIBAAKCAQEA7\n-----END KEY-----");
    let text = format!("users:\n- name: x\n  user: {{client-key-data: {key}, token: abc-token-1}}\n");
    let mut mask = Mask::default();
    mask.add_kubeconfig(&text);
    let clean = mask.text(&format!("{text}MIIEowIBAAKCAQEA7"));
    assert!(!clean.contains(&key) && !clean.contains("abc-token-1") && !clean.contains("MIIE"), "{clean}");
}

#[test]
fn environment_variables_are_secret_by_their_name() {
    let mut mask = Mask::default();
    mask.add_environment([("MY_TOKEN", "abc123xyz"), ("HOME", "/home/somebody")]);
    assert_eq!(mask.text("abc123xyz /home/somebody"), "*** /home/somebody");
    let text =
        mask.text("AWS_SECRET_ACCESS_KEY=Zm9vYmFy DB_PASSWORD=\"with blank\" PATH=/bin key=kube-system/x API_KEY= x");
    assert_eq!(text, "AWS_SECRET_ACCESS_KEY=*** DB_PASSWORD=\"***\" PATH=/bin key=kube-system/x API_KEY= x");
}

#[test]
fn users_and_passwords_in_addresses_are_masked() {
    let mask = Mask::default();
    let clean = mask.text("http://user:p@ss@proxy:3128/x, https://plain/a@b:c s3a://lab/x \"ftp://u:p@h\"");
    assert_eq!(clean, "http://***@proxy:3128/x, https://plain/a@b:c s3a://lab/x \"ftp://***@h\"");
}

#[test]
fn secrets_that_overlap_go_whole() {
    let mut mask = Mask::default();
    mask.add(b"abcdefgh");
    mask.add(b"efghijkl");
    mask.add(b"abcdefghijklmnop");
    assert_eq!(mask.text("xabcdefghijklx abcdefghijklmnopq"), "x***x ***q");
}

proptest! {
    #[test]
    fn no_secret_survives(secrets in prop::collection::vec("[ab/+= ]{6,12}", 1..4), noise in prop::collection::vec("[ab/+= ]{0,9}", 4)) {
        let mut mask = Mask::default();
        for secret in &secrets {
            mask.add(secret.as_bytes());
        }
        let parts = noise.iter().zip(secrets.iter().cycle()).flat_map(|(noise, secret)| [noise.as_str(), secret]);
        let text: String = parts.collect();
        let clean = mask.text(&text);
        for secret in secrets.iter().map(|secret| secret.trim()).filter(|secret| secret.len() >= 6) {
            prop_assert!(!clean.contains(secret), "{secret:?} in {clean:?}");
        }
    }
}
