//! `mc` as far as the lab uses it.

use anyhow::{Result, bail};
use serde_json::json;

use super::State;
use lab::ports::Output;

/// A command without the flags that say how it prints.
fn words<'a>(argv: &[&'a str]) -> Vec<&'a str> {
    let kept = |word: &&str| ["--user", "--json", "--recursive"].contains(word) || !word.starts_with("--");
    argv.iter().copied().filter(kept).collect()
}

/// True for a call that changes nothing.
pub fn reads(argv: &[&str]) -> bool {
    matches!(
        words(argv)[..],
        ["sh", ..] | ["mc", "ready" | "ls" | "cat", ..] | ["mc", "admin", "user" | "policy", "info", ..]
    )
}

/// A line for each object of a bucket.
fn listing(state: &State, bucket: &str) -> String {
    let of_bucket = |(path, content): (&String, &Vec<u8>)| {
        let key = path.strip_prefix(bucket)?.strip_prefix('/')?;
        Some(json!({ "status": "success", "type": "file", "key": key, "size": content.len() }).to_string())
    };
    let lines = state.store.iter().filter_map(of_bucket);
    lines.collect::<Vec<_>>().join("\n")
}

fn done(yes: bool) -> Output {
    Output { code: i64::from(!yes), ..Output::default() }
}

pub fn mc(state: &mut State, argv: &[&str], stdin: &[u8]) -> Result<Output> {
    let path = |word: &str| word.strip_prefix("lab/").unwrap_or(word).to_owned();
    Ok(match words(argv)[..] {
        ["mc", "ready", "lab"] => done(true),
        ["mc", "ls", bucket] => done(state.buckets.contains(&path(bucket))),
        ["mc", "ls", "--recursive", "--json", bucket] => {
            let bucket = path(bucket);
            Output { stdout: listing(state, &bucket).into_bytes(), ..done(state.buckets.contains(&bucket)) }
        }
        ["mc", "mb", bucket] => {
            state.buckets.insert(path(bucket));
            done(true)
        }
        // As a user, with the key on standard input.
        ["sh", "-c", script, user, bucket] if script.contains("mc --no-color --quiet ls") => {
            let key = std::str::from_utf8(stdin)?.trim_end();
            let allowed = state.users.get(user).is_some_and(|policy| !policy.is_empty());
            done(allowed && state.keys[user] == key && state.buckets.contains(bucket))
        }
        ["mc", "admin", ref words @ ..] => admin(state, words, stdin)?,
        ["mc", "pipe", target] => {
            let target = path(target);
            let has_bucket = target.split('/').next().is_some_and(|bucket| state.buckets.contains(bucket));
            if has_bucket {
                state.store.insert(target, stdin.to_vec());
            }
            done(has_bucket)
        }
        // One after the other.
        ["mc", "cat", ref sources @ ..] => {
            let contents = sources.iter().map(|source| state.store.get(&path(source)).cloned());
            match contents.collect::<Option<Vec<Vec<u8>>>>() {
                Some(contents) => Output { stdout: contents.concat(), ..done(true) },
                None => Output { stderr: "Object does not exist.".to_owned(), ..done(false) },
            }
        }
        ["mc", "rm", object] => done(state.store.remove(&path(object)).is_some()),
        ["mc", "rm", "--recursive", folder] => {
            let folder = path(folder);
            state.store.retain(|key, _| !key.starts_with(&folder));
            done(true)
        }
        _ => bail!("nobody taught this world {argv:?}"),
    })
}

/// Users and their policies.
fn admin(state: &mut State, words: &[&str], stdin: &[u8]) -> Result<Output> {
    Ok(match *words {
        ["user", "info", "lab", user, "--json"] => {
            let Some(policy) = state.users.get(user) else { return Ok(done(false)) };
            Output { stdout: serde_json::to_vec(&json!({ "policyName": policy }))?, ..done(true) }
        }
        ["user", "add", "lab"] => {
            let text = std::str::from_utf8(stdin)?;
            let [user, key] = text.lines().collect::<Vec<_>>()[..] else { bail!("want user and key, got {text:?}") };
            if key.len() < 8 {
                bail!("the key of {user} is too short");
            }
            state.users.entry(user.to_owned()).or_default();
            state.keys.insert(user.to_owned(), key.to_owned());
            done(true)
        }
        ["policy", "info", "lab", policy, "--json"] => {
            let Some(text) = state.policies.get(policy) else { return Ok(done(false)) };
            Output { stdout: serde_json::to_vec(&json!({ "policyInfo": { "Policy": text } }))?, ..done(true) }
        }
        ["policy", "create", "lab", policy, "/dev/stdin"] => {
            state.policies.insert(policy.to_owned(), serde_json::from_slice(stdin)?);
            done(true)
        }
        ["policy", "attach", "lab", policy, "--user", user] => {
            let attached = state.users.get_mut(user).map(|slot| policy.clone_into(slot));
            done(attached.is_some())
        }
        _ => bail!("nobody taught this world {words:?}"),
    })
}
