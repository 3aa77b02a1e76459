//! Client certificates: the key and the request of a new one, and what one says that is there.

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use x509_parser::pem::parse_x509_pem;
use x509_parser::x509::AttributeTypeAndValue;

use crate::step::Person;

/// Clocks of nodes and of this machine may differ by so much.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// A new key, and the request for its certificate, both as PEM.
pub fn request(user: &str, group: &str) -> Result<(String, String)> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, group);
    params.distinguished_name.push(DnType::CommonName, user);
    let request = params.serialize_request(&key)?.pem()?;
    Ok((key.serialize_pem(), request))
}

/// What a certificate says of its owner, and when it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    pub user: String,
    pub groups: Vec<String>,
    pub ends: Timestamp,
}

impl Certificate {
    /// # Errors
    /// When it is no certificate.
    pub fn read(pem: &[u8]) -> Result<Self> {
        let (_, pem) = parse_x509_pem(pem).context("no PEM")?;
        let certificate = pem.parse_x509().context("no certificate")?;
        let text = |attribute: &AttributeTypeAndValue<'_>| Ok(attribute.as_str()?.to_owned());
        let subject = certificate.subject();
        let user = subject.iter_common_name().next().context("a certificate of nobody")?;
        Ok(Self {
            user: text(user)?,
            groups: subject.iter_organization().map(text).collect::<Result<_>>()?,
            ends: Timestamp::from_second(certificate.validity().not_after.timestamp())?,
        })
    }

    /// Why it is not good enough any more: it is renewed in the last third of its life.
    pub fn why_not(&self, person: &Person, lifetime: u32, now: Timestamp) -> Option<String> {
        if self.user != person.name || self.groups != [person.group.as_str()] {
            return Some(format!("it is of user {} of {}", self.user, self.groups.join(", ")));
        }
        let left = self.ends.duration_since(now);
        let whole = SignedDuration::from_secs(lifetime.into());
        if !left.is_positive() {
            return Some("it has ended".to_owned());
        }
        if left * 3 < whole {
            return Some("it is in the last third of its life".to_owned());
        }
        (left > whole + SKEW).then(|| format!("it is good for longer than is wanted, until {}", self.ends))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Role;

    fn anna() -> Person {
        Person { name: "anna".to_owned(), role: Role::Edit, group: "lab:edit".to_owned() }
    }

    #[test]
    fn a_certificate_is_renewed_in_its_last_third_and_when_its_life_was_cut() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let good = |minutes: i64| {
            let ends = now + SignedDuration::from_mins(minutes);
            let certificate = Certificate { user: "anna".to_owned(), groups: vec!["lab:edit".to_owned()], ends };
            certificate.why_not(&anna(), 3600, now).is_none()
        };
        let cases = [(60, true), (65, true), (66, false), (20, true), (19, false), (-1, false)];
        for (minutes, expected) in cases {
            assert_eq!(good(minutes), expected, "{minutes} minutes are left of 60");
        }
    }

    #[test]
    fn a_certificate_of_another_name_or_group_is_not_good() {
        let now = Timestamp::now();
        let why = |user: &str, groups: &[&str]| {
            let groups = groups.iter().map(|&group| group.to_owned()).collect();
            let certificate = Certificate { user: user.to_owned(), groups, ends: now + SignedDuration::from_mins(30) };
            certificate.why_not(&anna(), 1800, now)
        };
        assert_eq!(why("anna", &["lab:edit"]), None);
        assert_eq!(why("anna", &["lab:admin"]).unwrap(), "it is of user anna of lab:admin");
        for (user, groups) in [("ben", &["lab:edit"][..]), ("anna", &[]), ("anna", &["lab:edit", "lab:admin"])] {
            assert!(why(user, groups).is_some(), "{user} {groups:?}");
        }
    }

    #[test]
    fn what_is_requested_is_what_a_certificate_says() {
        let (key, request) = request("anna", "lab:edit").unwrap();
        assert!(key.starts_with("-----BEGIN PRIVATE KEY-----"));
        let request = rcgen::CertificateSigningRequestParams::from_pem(&request).unwrap();
        let authority = KeyPair::generate().unwrap();
        let issuer = rcgen::Issuer::new(CertificateParams::default(), authority);
        let certificate = Certificate::read(request.signed_by(&issuer).unwrap().pem().as_bytes()).unwrap();
        assert_eq!((certificate.user.as_str(), certificate.groups), ("anna", vec!["lab:edit".to_owned()]));
    }

    #[test]
    fn what_is_no_certificate_is_an_error() {
        for text in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "\0"] {
            assert!(Certificate::read(text.as_bytes()).is_err(), "{text:?}");
        }
    }
}
