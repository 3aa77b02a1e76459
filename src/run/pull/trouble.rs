//! Why a registry gave no image. The engine tells it in words only, and each of its image stores has its own.

use std::fmt;

/// What is wrong with a registry, or with what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    Unreachable,
    Silent,
    Stalled,
    Certificate,
    PlainHttp,
    Unauthorized,
    Denied,
    Missing,
    Digest,
    Limit,
    Server,
    Broken,
    Other,
}

/// Parts of the engine's words, in small letters, in the order in which they are looked for.
const WORDS: [(Trouble, &[&str]); 10] = [
    (Trouble::Limit, &["toomanyrequests", "429 too many requests", "parsing http 429"]),
    (Trouble::Certificate, &["x509:", "tls: unknown certificate"]),
    (Trouble::PlainHttp, &["server gave http response to https client"]),
    (Trouble::Digest, &["verification failed for digest", "unexpected commit digest", "failed size validation"]),
    (Trouble::Server, &["http status: 5", "parsing http 5", "500 internal", "502 bad", "503 service", "504 gateway"]),
    (Trouble::Unauthorized, &["no basic auth credentials", "unauthorized", "parsing http 401"]),
    (Trouble::Denied, &["access denied", "denied:", "403 forbidden", "parsing http 403", "insufficient_scope"]),
    (Trouble::Missing, &["manifest unknown", "manifest_unknown", "name unknown", "not found", "parsing http 404"]),
    (
        Trouble::Unreachable,
        &[
            "no such host",
            "connection refused",
            "network is unreachable",
            "no route to host",
            "i/o timeout",
            "server misbehaving",
            "failure in name resolution",
            "while waiting for connection",
            "proxyconnect",
            "deadline exceeded",
        ],
    ),
    (Trouble::Broken, &["connection reset", "broken pipe", "unexpected eof", ": eof", "handshake timeout"]),
];

impl Trouble {
    pub fn of(text: &str) -> Self {
        let text = text.to_lowercase();
        let has = |words: &&(Trouble, &[&str])| words.1.iter().any(|word| text.contains(word));
        WORDS.iter().find(has).map_or(Self::Other, |(trouble, _)| *trouble)
    }

    /// True where the registry would give none of its images.
    pub fn is_of_registry(self) -> bool {
        use Trouble::{Certificate, Limit, PlainHttp, Server, Silent, Unauthorized, Unreachable};
        matches!(self, Unreachable | Silent | Certificate | PlainHttp | Unauthorized | Limit | Server)
    }

    /// True where the same question may get another answer soon.
    pub fn passes(self) -> bool {
        matches!(self, Self::Limit | Self::Server | Self::Broken)
    }

    /// What to do about it.
    pub fn advice(self, registry: &str) -> String {
        match self {
            Self::Unreachable | Self::Silent => {
                "lab up --images build   (makes all from package registries); or --registry-mirror with one in reach"
                    .to_owned()
            }
            Self::Certificate => {
                format!("put its CA's certificate to /etc/docker/certs.d/{registry}/ca.crt, where the engine runs")
            }
            Self::PlainHttp => {
                format!(
                    "give it a certificate, or add \"{registry}\" to insecure-registries in /etc/docker/daemon.json"
                )
            }
            Self::Unauthorized | Self::Denied => format!("docker login {registry}"),
            Self::Missing => {
                "lab images list   (names and references); lab up --images auto   (builds what is missing)".to_owned()
            }
            Self::Digest => {
                "find out why; where it shall be so: lab images lock   (prints the digests that it has)".to_owned()
            }
            Self::Limit => format!("docker login {registry}   (raises the limit); or --registry-mirror"),
            Self::Stalled | Self::Server | Self::Broken | Self::Other => {
                "lab up --images build   (makes all from package registries); or the same command again, later"
                    .to_owned()
            }
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreachable => "it cannot be reached",
            Self::Silent => "it does not answer",
            Self::Stalled => "it stopped in the middle",
            Self::Certificate => "the engine does not trust its certificate",
            Self::PlainHttp => "it speaks plain HTTP, and the engine wants TLS",
            Self::Unauthorized => "it wants a user and password, or others than these",
            Self::Denied => "it gives no access to this image",
            Self::Missing => "it has no such image",
            Self::Digest => "it has another image than the one that is locked",
            Self::Limit => "it limits how much is pulled",
            Self::Server => "it has trouble of its own",
            Self::Broken => "the connection broke",
            Self::Other => "the engine refuses",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Trouble;

    /// As Docker 28 says it, and containerd's image store where that has words of its own.
    #[test]
    fn the_words_of_the_engine_are_understood() {
        for (text, trouble) in [
            ("Get \"https://a.b/v2/\": dial tcp: lookup a.b on 10.0.0.1:53: no such host", Trouble::Unreachable),
            ("Get \"http://a.b/v2/\": dial tcp 10.0.0.1:1: connect: connection refused", Trouble::Unreachable),
            ("Get \"https://a.b/v2/\": proxyconnect tcp: dial tcp: connection refused", Trouble::Unreachable),
            ("Get \"https://a.b/v2/\": context deadline exceeded", Trouble::Unreachable),
            (
                "Get \"https://a.b/v2/\": tls: failed to verify certificate: x509: certificate signed by unknown authority",
                Trouble::Certificate,
            ),
            ("Get \"https://a.b/v2/\": http: server gave HTTP response to HTTPS client", Trouble::PlainHttp),
            ("Head \"http://a.b/v2/c/manifests/1\": no basic auth credentials", Trouble::Unauthorized),
            ("Head \"http://a.b/v2/c/manifests/1\": unauthorized: authentication required", Trouble::Unauthorized),
            ("failed to authorize: unexpected status from GET request to x: 401 Unauthorized", Trouble::Unauthorized),
            (
                "pull access denied for a.b/c, repository does not exist or may require 'docker login': denied: ",
                Trouble::Denied,
            ),
            ("unexpected status from HEAD request to https://a.b/v2/c: 403 Forbidden", Trouble::Denied),
            ("manifest for a.b/c:9 not found: manifest unknown: manifest unknown", Trouble::Missing),
            ("failed to resolve reference \"a.b/c:9\": a.b/c:9: not found", Trouble::Missing),
            ("manifest verification failed for digest sha256:aa", Trouble::Digest),
            ("filesystem layer verification failed for digest sha256:aa", Trouble::Digest),
            ("toomanyrequests: You have reached your pull rate limit", Trouble::Limit),
            ("unexpected status from GET request to https://a.b/v2/c: 429 Too Many Requests", Trouble::Limit),
            ("error parsing HTTP 429 response body: no error details found", Trouble::Limit),
            ("received unexpected HTTP status: 500 Internal Server Error", Trouble::Server),
            ("unexpected status from HEAD request to https://a.b/v2/c: 503 Service Unavailable", Trouble::Server),
            ("Head \"https://a.b/v2/c\": read tcp 10.0.0.1: read: connection reset by peer", Trouble::Broken),
            ("unexpected EOF", Trouble::Broken),
            ("failed to register layer: archive/tar: invalid tar header", Trouble::Other),
        ] {
            assert_eq!(Trouble::of(text), trouble, "{text}");
        }
    }
}
