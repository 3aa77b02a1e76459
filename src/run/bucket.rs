//! Buckets, and a user who may use only them.

use std::collections::BTreeSet;

use anyhow::Result;
use futures::{future::try_join_all, try_join};
use serde_json::{Value, json};

use super::Context;
use super::secret::value;
use super::store::{exec, mc, try_mc};
use super::wait::{Look, until};
use crate::event::Outcome;
use crate::ports::{Kube, Ports};
use crate::step::{Access, Grant, ObjectName};

pub async fn have<P: Ports>(context: &Context<'_, P>, grants: &[Grant], secret: &ObjectName) -> Result<Outcome> {
    let kube = context.run.ports.kube();
    // A pod that was restarted can count as ready for a while before it answers again.
    until(context, async || {
        Ok(match try_mc(kube, &["ready", "lab"], b"").await {
            Ok(output) if output.code == 0 => Look::Done(()),
            Ok(output) => Look::Pending(format!("MinIO does not answer: {}", output.quoted())),
            Err(error) => Look::Pending(format!("MinIO does not answer: {error:#}")),
        })
    })
    .await?;
    let found = look(kube, grants, secret).await?;
    let mut made = Vec::new();
    for bucket in &found.missing {
        mc(kube, &["mb", "--ignore-existing", &format!("lab/{bucket}")], b"").await?;
        made.push(format!("bucket {bucket}"));
    }
    let Found { user, key, .. } = &found;
    // Nobody enters a bucket that is not there: that has to be asked again.
    let enters = if made.is_empty() { found.enters } else { may_enter(kube, grants, user, key).await? };
    if !enters {
        // Also gives a user who is there the key of the Secret, which somebody may have deleted.
        mc(kube, &["admin", "user", "add", "lab"], format!("{user}\n{key}\n").as_bytes()).await?;
        made.push(format!("user {user}"));
    }
    if !found.says_it {
        let policy = serde_json::to_vec(&policy(grants))?;
        mc(kube, &["admin", "policy", "create", "lab", user, "/dev/stdin"], &policy).await?;
    }
    if !found.has_it {
        mc(kube, &["admin", "policy", "attach", "lab", user, "--user", user], b"").await?;
    }
    if !found.says_it || !found.has_it {
        made.push(format!("policy of {user}"));
    }
    Ok(if made.is_empty() { Outcome::Unchanged("kept".to_owned()) } else { Outcome::Changed(made.join(", ")) })
}

/// What of it is not there, in words. Changes nothing.
pub async fn lacking<K: Kube>(kube: &K, grants: &[Grant], secret: &ObjectName) -> Result<Vec<String>> {
    let found = look(kube, grants, secret).await?;
    let mut lacking: Vec<String> = found.missing.iter().map(|bucket| format!("bucket {bucket}")).collect();
    // Nobody enters a bucket that is not there.
    if lacking.is_empty() && !found.enters {
        lacking.push(format!("user {} with the key of Secret {}/{}", found.user, secret.namespace, secret.name));
    }
    if !found.says_it || !found.has_it {
        lacking.push(format!("policy of {}", found.user));
    }
    Ok(lacking)
}

/// What is there.
struct Found {
    user: String,
    key: String,
    /// Names of the buckets that are not there.
    missing: Vec<String>,
    /// Whether the user enters the first bucket with the key.
    enters: bool,
    /// Whether the policy says what is granted, and whether it is the user's.
    says_it: bool,
    has_it: bool,
}

async fn look<K: Kube>(kube: &K, grants: &[Grant], secret: &ObjectName) -> Result<Found> {
    let user = value(kube, secret, "AWS_ACCESS_KEY_ID").await?;
    let key = value(kube, secret, "AWS_SECRET_ACCESS_KEY").await?;
    let policy = policy(grants);
    // Each question starts a program in the pod: all at once take as long as one.
    let (there, enters, says_it, has_it) = try_join!(
        try_join_all(grants.iter().map(|grant| has_bucket(kube, &grant.bucket))),
        may_enter(kube, grants, &user, &key),
        policy_says(kube, &user, &policy),
        has_policy(kube, &user),
    )?;
    let missing = grants.iter().zip(there).filter(|(_, there)| !there);
    let missing = missing.map(|(grant, _)| grant.bucket.clone()).collect();
    Ok(Found { user, key, missing, enters, says_it, has_it })
}

async fn has_bucket<K: Kube>(kube: &K, bucket: &str) -> Result<bool> {
    Ok(try_mc(kube, &["ls", &format!("lab/{bucket}")], b"").await?.code == 0)
}

/// What is granted, and nothing else.
fn policy(grants: &[Grant]) -> Value {
    let statement = |actions: &[&str], resources: Vec<String>| json!({ "Effect": "Allow", "Action": actions, "Resource": resources });
    let statements = grants.iter().flat_map(|Grant { bucket, access }| {
        let (mut on_bucket, mut on_objects) = (vec!["s3:ListBucket", "s3:GetBucketLocation"], vec!["s3:GetObject"]);
        if *access == Access::ReadWrite {
            on_bucket.push("s3:ListBucketMultipartUploads");
            on_objects.extend(["s3:PutObject", "s3:DeleteObject"]);
            on_objects.extend(["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]);
        }
        [
            statement(&on_bucket, vec![format!("arn:aws:s3:::{bucket}")]),
            statement(&on_objects, vec![format!("arn:aws:s3:::{bucket}/*")]),
        ]
    });
    json!({ "Version": "2012-10-17", "Statement": statements.collect::<Vec<_>>() })
}

/// Lists the bucket as the user. `$0` is the user, `$1` the bucket; the key comes on standard input.
const ENTER: &str =
    r#"read -r key; MC_HOST_user="http://$0:$key@127.0.0.1:9000" exec mc --no-color --quiet ls "user/$1""#;

/// True where the user is there, has this key and may read the first of the buckets.
async fn may_enter<K: Kube>(kube: &K, grants: &[Grant], user: &str, key: &str) -> Result<bool> {
    let Some(Grant { bucket, .. }) = grants.first() else { return Ok(true) };
    let argv = ["sh", "-c", ENTER, user, bucket];
    Ok(exec(kube, &argv, format!("{key}\n").as_bytes()).await?.code == 0)
}

async fn has_policy<K: Kube>(kube: &K, user: &str) -> Result<bool> {
    let output = try_mc(kube, &["admin", "user", "info", "lab", user, "--json"], b"").await?;
    let info: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    Ok(output.code == 0 && info["policyName"] == user)
}

/// True where the policy of this name is there and allows just what is wanted. MinIO gives it back in another order.
async fn policy_says<K: Kube>(kube: &K, name: &str, wanted: &Value) -> Result<bool> {
    let output = try_mc(kube, &["admin", "policy", "info", "lab", name, "--json"], b"").await?;
    let info: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    Ok(output.code == 0 && rights(&info["policyInfo"]["Policy"]) == rights(wanted))
}

/// Each action of a policy on each resource, with its effect.
fn rights(policy: &Value) -> BTreeSet<[String; 3]> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut rights = BTreeSet::new();
    for statement in policy["Statement"].as_array().into_iter().flatten() {
        for action in statement["Action"].as_array().into_iter().flatten() {
            let resources = statement["Resource"].as_array().into_iter().flatten();
            rights.extend(resources.map(|resource| [&statement["Effect"], action, resource].map(text)));
        }
    }
    rights
}
