//! The authority of the world in memory, which signs what is approved.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use k8s_openapi::ByteString;
use rcgen::{CertificateParams, CertificateSigningRequestParams, Issuer, KeyPair};
use serde_json::{Value, json};

static AUTHORITY: LazyLock<Issuer<'static, KeyPair>> =
    LazyLock::new(|| Issuer::new(CertificateParams::default(), KeyPair::generate().expect("a key")));

/// The certificate for what a CertificateSigningRequest asks.
pub fn sign(spec: &Value) -> Result<Value> {
    let ByteString(pem) = serde_json::from_value(spec["request"].clone())?;
    let mut request = CertificateSigningRequestParams::from_pem(&String::from_utf8(pem)?)?;
    let lifetime = Duration::from_secs(spec["expirationSeconds"].as_u64().context("no lifetime")?);
    request.params.not_before = SystemTime::now().into();
    request.params.not_after = (SystemTime::now() + lifetime).into();
    Ok(json!(ByteString(request.signed_by(&*AUTHORITY)?.pem().into_bytes())))
}
