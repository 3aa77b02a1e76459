//! Takes secrets out of text: known values in every form in which they travel, and what looks like one.

use std::collections::HashMap;

use k8s_openapi::ByteString;
use serde_json::{Value, json};

/// What stands in a secret's place.
const MASK: &str = "***";
/// Shorter values would blot out half of every text.
const SHORTEST: usize = 6;
/// A line of a secret of many lines is secret from this length on; a log may be cut between two lines.
const SHORTEST_LINE: usize = 16;
/// An environment variable whose name has one of these is secret.
const SECRET_NAMES: [&str; 4] = ["PASSWORD", "SECRET", "TOKEN", "KEY"];

/// True where the name of an environment variable says that its value is secret.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_uppercase();
    SECRET_NAMES.iter().any(|word| name.contains(word))
}

/// The secrets to look for, by their first bytes.
#[derive(Default)]
pub struct Mask {
    by_start: HashMap<[u8; SHORTEST], Vec<Vec<u8>>>,
}

impl Mask {
    /// Learns a secret: as it is, line by line, and as JSON, base64 and URLs write it.
    pub fn add(&mut self, secret: &[u8]) {
        let secret = secret.trim_ascii();
        if secret.len() < SHORTEST {
            return;
        }
        self.learn(secret.to_vec());
        for shift in 0..3 {
            self.learn(inside_base64(secret, shift));
        }
        let Ok(text) = std::str::from_utf8(secret) else { return };
        self.learn(url_encoded(text).into_bytes());
        self.learn(json!(text).to_string().trim_matches('"').as_bytes().to_vec());
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for line in lines.iter().filter(|line| lines.len() > 1 && line.len() >= SHORTEST_LINE) {
            // The first and last lines of a PEM block are in every certificate.
            if !line.starts_with("-----") {
                self.learn(line.as_bytes().to_vec());
            }
        }
    }

    fn learn(&mut self, form: Vec<u8>) {
        let Some(start) = form.first_chunk::<SHORTEST>().copied() else { return };
        let forms = self.by_start.entry(start).or_default();
        if !forms.contains(&form) {
            forms.push(form);
        }
    }

    /// Learns the secrets in a list of environment variables, `NAME=value`.
    pub fn add_environment<'a>(&mut self, variables: impl IntoIterator<Item = (&'a str, &'a str)>) {
        variables
            .into_iter()
            .filter(|(name, _)| is_secret_name(name))
            .for_each(|(_, value)| self.add(value.as_bytes()));
    }

    /// Learns every value of a Kubernetes Secret, but those under the names that are public.
    pub fn add_secret(&mut self, secret: &Value, public: &[&str]) {
        for (key, value) in secret["data"].as_object().into_iter().flatten() {
            if !public.contains(&key.as_str())
                && let Some(ByteString(value)) = decoded(value)
            {
                self.add(&value);
            }
        }
    }

    /// Learns keys, tokens and passwords of a kubeconfig.
    pub fn add_kubeconfig(&mut self, text: &str) {
        let Ok(config) = serde_saphyr::from_str::<Value>(text) else { return };
        for user in config["users"].as_array().into_iter().flatten() {
            for field in ["token", "password", "client-key-data"] {
                let Some(value) = user["user"][field].as_str() else { continue };
                self.add(value.as_bytes());
                if let Some(ByteString(value)) = decoded(&user["user"][field]) {
                    self.add(&value);
                }
            }
        }
    }

    /// The text without secrets. It must be whole: half a secret is not found.
    pub fn text(&self, text: &str) -> String {
        assignments(&urls(&self.values(text.as_bytes())))
    }

    fn values(&self, text: &[u8]) -> String {
        let (mut clean, mut kept_from, mut position) = (Vec::with_capacity(text.len()), 0, 0);
        // Where the secret that was met last ends: secrets may overlap.
        let mut secret_to = 0;
        while let Some(start) = text[position..].first_chunk::<SHORTEST>() {
            let forms = self.by_start.get(start).into_iter().flatten();
            let longest = forms.filter(|form| text[position..].starts_with(form)).map(Vec::len).max();
            if let Some(length) = longest {
                if position >= secret_to {
                    clean.extend_from_slice(&text[kept_from.max(secret_to)..position]);
                    clean.extend_from_slice(MASK.as_bytes());
                }
                secret_to = secret_to.max(position + length);
                kept_from = secret_to;
            }
            position += 1;
        }
        clean.extend_from_slice(&text[kept_from..]);
        String::from_utf8_lossy(&clean).into_owned()
    }
}

fn decoded(value: &Value) -> Option<ByteString> {
    serde_json::from_value(value.clone()).ok()
}

/// What of a secret's base64 form is the same wherever the secret stands in what is encoded:
/// `shift` bytes before it move the letters.
fn inside_base64(secret: &[u8], shift: usize) -> Vec<u8> {
    let padded = [&vec![0; shift], secret].concat();
    // The last letter may hold bits of the byte that follows.
    let whole = padded.len() * 8 / 6;
    let text = json!(ByteString(padded));
    let text = text.as_str().unwrap_or_default().as_bytes();
    text.get((shift * 8).div_ceil(6)..whole).unwrap_or_default().to_vec()
}

fn url_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(encode).collect()
}

/// Masks `user:password@` in URLs.
fn urls(text: &str) -> String {
    let (mut clean, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once("://") {
        clean.push_str(before);
        clean.push_str("://");
        rest = after;
        let ends = |letter: char| letter.is_whitespace() || "/\"'`<>?#,".contains(letter);
        let authority = &after[..after.find(ends).unwrap_or(after.len())];
        if let Some((user, _)) = authority.rsplit_once('@')
            && user.contains(':')
        {
            clean.push_str(MASK);
            rest = &after[user.len()..];
        }
    }
    clean.push_str(rest);
    clean
}

/// Masks the value in `SOME_PASSWORD=value`, as logs and scripts write an environment.
fn assignments(text: &str) -> String {
    let (mut clean, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once('=') {
        clean.push_str(before);
        clean.push('=');
        rest = after;
        let is_name = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
        let name = &before[before.trim_end_matches(is_name).len()..];
        if !SECRET_NAMES.iter().any(|word| name.contains(word)) {
            continue;
        }
        let quote = after.chars().next().filter(|letter| "\"'".contains(*letter));
        let value = &after[quote.map_or(0, char::len_utf8)..];
        let ends = |letter: char| {
            quote.map_or(letter.is_whitespace() || "\"',;&)]}".contains(letter), |quote| letter == quote)
        };
        let value = &value[..value.find(ends).unwrap_or(value.len())];
        if !value.is_empty() {
            clean.extend(quote);
            clean.push_str(MASK);
            rest = &after[quote.map_or(0, char::len_utf8) + value.len()..];
        }
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests;
