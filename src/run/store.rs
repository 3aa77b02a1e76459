//! `MinIO`'s own client, `mc`, run inside `MinIO`'s pod. Keys go in through standard input,
//! never through arguments, and none leaves the cluster.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::components::STORE_NAMESPACE;
use crate::ports::{Kube, Output};

/// The only pod of `MinIO`'s `StatefulSet`.
const POD: &str = "minio-0";

/// Runs `mc` and hands back whatever it did.
pub async fn try_mc<K: Kube>(kube: &K, args: &[&str], stdin: &[u8]) -> Result<Output> {
    let argv: Vec<&str> = ["mc", "--no-color", "--quiet"].into_iter().chain(args.iter().copied()).collect();
    exec(kube, &argv, stdin).await
}

/// Runs any command beside `MinIO`.
pub async fn exec<K: Kube>(kube: &K, argv: &[&str], stdin: &[u8]) -> Result<Output> {
    kube.exec(STORE_NAMESPACE, POD, argv, stdin).await
}

/// Runs `mc`; its standard output.
pub async fn mc<K: Kube>(kube: &K, args: &[&str], stdin: &[u8]) -> Result<Vec<u8>> {
    let output = try_mc(kube, args, stdin).await?;
    if output.code != 0 {
        bail!("`mc {}` ended with {}: {}", args.join(" "), output.code, output.quoted());
    }
    Ok(output.stdout)
}

/// Writes an object.
pub async fn put<K: Kube>(kube: &K, path: &str, content: &[u8]) -> Result<()> {
    mc(kube, &["pipe", &format!("lab/{path}")], content).await.map(drop)
}

/// Reads an object.
pub async fn get<K: Kube>(kube: &K, path: &str) -> Result<Vec<u8>> {
    mc(kube, &["cat", &format!("lab/{path}")], b"").await
}

/// Reads an object, none where there is no such object.
pub async fn try_get<K: Kube>(kube: &K, path: &str) -> Result<Option<Vec<u8>>> {
    let output = try_mc(kube, &["cat", &format!("lab/{path}")], b"").await?;
    if output.code != 0 && output.quoted().contains("Object does not exist") {
        return Ok(None);
    }
    if output.code != 0 {
        bail!("`mc cat lab/{path}` ended with {}: {}", output.code, output.quoted());
    }
    Ok(Some(output.stdout))
}

/// Path and size in bytes of all objects of a bucket.
pub async fn list<K: Kube>(kube: &K, bucket: &str) -> Result<BTreeMap<String, u64>> {
    #[derive(Deserialize)]
    struct Entry {
        key: String,
        size: u64,
    }
    let lines = mc(kube, &["ls", "--recursive", "--json", &format!("lab/{bucket}")], b"").await?;
    let read = |line: &str| {
        let entry: Entry = serde_json::from_str(line).with_context(|| format!("mc lists {line:?}"))?;
        Ok((entry.key, entry.size))
    };
    String::from_utf8(lines)?.lines().map(read).collect()
}

/// True where a bucket holds these objects with this content and no others; in two calls, however many there are.
pub async fn holds<K: Kube>(kube: &K, bucket: &str, objects: &BTreeMap<String, Vec<u8>>) -> Result<bool> {
    let sizes = objects.iter().map(|(path, content)| Ok((path.clone(), u64::try_from(content.len())?)));
    if list(kube, bucket).await? != sizes.collect::<Result<_>>()? {
        return Ok(false);
    }
    let paths: Vec<String> = objects.keys().map(|path| format!("lab/{bucket}/{path}")).collect();
    let args: Vec<&str> = std::iter::once("cat").chain(paths.iter().map(String::as_str)).collect();
    // One after the other, without anything between them. The sizes say where each ends.
    Ok(objects.is_empty() || mc(kube, &args, b"").await? == objects.values().flatten().copied().collect::<Vec<u8>>())
}

/// Removes one object.
pub async fn remove_one<K: Kube>(kube: &K, path: &str) -> Result<()> {
    mc(kube, &["rm", &format!("lab/{path}")], b"").await.map(drop)
}

/// Removes all objects below a path.
pub async fn remove<K: Kube>(kube: &K, path: &str) -> Result<()> {
    mc(kube, &["rm", "--recursive", "--force", &format!("lab/{path}/")], b"").await.map(drop)
}
