//! The hook for tests: `LAB_DOCTOR_VALUES` replaces what was measured.

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::Value;

use super::facts::{Ca, Facts, Held, NoEngine, Route, Trial};
use super::features::{FEATURES, Support};
use crate::config::Subnet;
use crate::fault::{Fault, Kind};
use crate::ports::{Host, Network};
use crate::run::images::ImageState;

/// The variable that holds them, or the path of a JSON file that does.
const VARIABLE: &str = "LAB_DOCTOR_VALUES";

/// What can be replaced, besides `kernel.<feature>`.
pub const KEYS: [&str; 22] = [
    "engine",
    "engine-version",
    "engine-security",
    "engine-kernel",
    "privileged",
    "cgroup",
    "cpus",
    "memory",
    "memory-free",
    "disk",
    "inotify-instances",
    "inotify-watches",
    "ip-forward",
    "port-api",
    "port-registry",
    "network",
    "route",
    "kind-version",
    "buildx",
    "ca-bundle",
    "node-image",
    "missing-images",
];

/// Key and value, in the order in which they were given.
#[derive(Default)]
pub struct Values(Vec<(String, String)>);

impl Values {
    /// # Errors
    /// [`Kind::Usage`] when they cannot be read.
    pub fn read(host: &impl Host) -> Result<Self> {
        let Some(text) = host.variable(VARIABLE) else { return Ok(Self::default()) };
        let values = if text.contains('=') {
            let pair = |pair: &str| {
                let (key, value) = pair.split_once('=').with_context(|| format!("{pair:?} is not key=value"))?;
                Ok((key.trim().to_owned(), value.trim().to_owned()))
            };
            text.split(',').map(pair).collect()
        } else {
            host.text(&text).with_context(|| format!("{text} cannot be read")).and_then(|text| from_json(&text))
        };
        values.map(Self).map_err(unusable)
    }

    pub fn are_there(&self) -> bool {
        !self.0.is_empty()
    }

    pub fn names(&self, key: &str) -> bool {
        self.0.iter().any(|(known, _)| known == key)
    }

    /// # Errors
    /// [`Kind::Usage`] when a key is unknown or a value is none of its kind.
    pub fn inject(&self, facts: &mut Facts) -> Result<()> {
        for (key, value) in &self.0 {
            let known = replace(facts, key, value).with_context(|| format!("{key}={value}")).map_err(unusable)?;
            if !known {
                let known = format!("no value is called {key}; there are {}, kernel.<feature>", KEYS.join(", "));
                return Err(unusable(anyhow!(known)));
            }
        }
        Ok(())
    }
}

fn unusable(error: anyhow::Error) -> anyhow::Error {
    error.context(Fault::new(Kind::Usage, format!("{VARIABLE} cannot be used")).next("docs/doctor.md shows every key"))
}

fn from_json(text: &str) -> Result<Vec<(String, String)>> {
    let map: serde_json::Map<String, Value> = serde_json::from_str(text)?;
    let pair = |(key, value): (String, Value)| match value {
        Value::String(text) => Ok((key, text)),
        Value::Number(number) => Ok((key, number.to_string())),
        other => bail!("{key} is {other}, and must be text or a number"),
    };
    map.into_iter().map(pair).collect()
}

/// False where no value has this name.
fn replace(facts: &mut Facts, key: &str, value: &str) -> Result<bool> {
    if let Some(name) = key.strip_prefix("kernel.") {
        let Some(feature) = FEATURES.iter().find(|feature| feature.name == name) else { return Ok(false) };
        let support =
            one_of(value, [("present", Support::Has), ("missing", Support::Lacks), ("unknown", Support::Unknown)])?;
        facts.features.insert(feature.name, support);
        facts.injected.push("kernel-features".to_owned());
        return Ok(true);
    }
    match key {
        "engine" => {
            let why = || "injected".to_owned();
            facts.held = Err(match value {
                "missing" => NoEngine::Missing(why()),
                "denied" => NoEngine::Denied(why()),
                "refuses" => NoEngine::Refuses(why()),
                _ => bail!("must be missing, denied or refuses"),
            });
        }
        "engine-kernel" => facts.shares_kernel = one_of(value, [("this", true), ("other", false)])?,
        "privileged" => {
            facts.trial = if one_of(value, [("granted", true), ("refused", false)])? {
                Trial::Granted
            } else {
                Trial::Refused("injected".to_owned())
            }
        }
        "memory-free" => facts.memory_free = Some(bytes(value)?),
        "inotify-instances" => facts.inotify[0] = Some(value.parse()?),
        "inotify-watches" => facts.inotify[1] = Some(value.parse()?),
        "ip-forward" => facts.ip_forward = Some(value.parse()?),
        "port-api" => facts.ports[0].free = one_of(value, [("free", true), ("taken", false)])?,
        "port-registry" => facts.ports[1].free = one_of(value, [("free", true), ("taken", false)])?,
        "route" if value == "none" => facts.routes.clear(),
        "route" => facts.routes = vec![Route { interface: "injected".to_owned(), to: subnet(value)? }],
        "kind-version" => facts.kind = version(value),
        "buildx" => facts.buildx = Some(version(value)),
        "ca-bundle" => facts.ca = one_of(value, [("missing", ())]).map(|()| Ca::None)?,
        _ => return replace_held(facts, key, value),
    }
    facts.injected.push(key.to_owned());
    Ok(true)
}

/// What the engine said. Without one there is nothing to replace.
fn replace_held(facts: &mut Facts, key: &str, value: &str) -> Result<bool> {
    let Ok(held) = &mut facts.held else { return Ok(KEYS.contains(&key)) };
    let Held { engine, .. } = held;
    match key {
        "engine-version" => value.clone_into(&mut engine.version),
        "engine-security" => engine.security = vec![format!("name={value}")],
        "cgroup" => value.clone_into(&mut engine.cgroup),
        "missing-images" => held.missing_images = value.parse()?,
        "cpus" => engine.cpus = value.parse()?,
        "memory" => engine.memory = bytes(value)?,
        "disk" => held.disk = Some(bytes(value)?),
        "network" => {
            let subnet = subnet(value)?.to_string();
            held.networks.push(Network { name: "injected".to_owned(), subnet, ..Network::default() });
        }
        "node-image" => {
            let injected = || "injected".to_owned();
            held.node_image = match value {
                "built" => ImageState::Built { tag: injected(), size: 0 },
                "pulled" => ImageState::Pulled { reference: injected(), size: 0 },
                "missing" => ImageState::Missing,
                _ => bail!("must be built, pulled or missing"),
            };
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn one_of<T, const N: usize>(value: &str, known: [(&str, T); N]) -> Result<T> {
    let names = known.each_ref().map(|(name, _)| *name).join(" or ");
    let found = known.into_iter().find(|(name, _)| *name == value);
    found.map(|(_, meaning)| meaning).with_context(|| format!("must be {names}"))
}

fn version(value: &str) -> Result<String, String> {
    if value == "missing" { Err("injected".to_owned()) } else { Ok(value.to_owned()) }
}

fn subnet(value: &str) -> Result<Subnet> {
    value.parse().map_err(|_| anyhow!("must be an IPv4 range such as 172.29.0.0/24"))
}

/// `3GiB`, `512MiB`, or a bare number of bytes.
fn bytes(value: &str) -> Result<u64> {
    let units = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("", 1)];
    let read = |(unit, one): (&str, u64)| value.strip_suffix(unit)?.trim().parse::<u64>().ok()?.checked_mul(one);
    units.into_iter().find_map(read).context("must be a size such as 512MiB or 3GiB")
}
