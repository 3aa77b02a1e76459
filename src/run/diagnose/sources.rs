//! Where the files of a diagnosis come from: the lab, the engine, the nodes, the cluster.

use std::path::Path;

use futures::StreamExt as _;
use futures::future::join_all;
use serde_json::Value;

use super::clock::Clock;
use super::folder::Folder;
use super::mask::Mask;
use super::object::{list, name, namespace, number, text};
use super::scene::{Scene, when};
use crate::config::Lab;
use crate::exec::host::Machine;
use crate::plan::Plan;
use crate::ports::{Container, Docker as _, Engine, Host as _, Kube as _, LogQuery, Ports};
use crate::run::Run;

/// How many lines of a log are read, and of how many pods; how many are read at the same time.
const LINES: u32 = 2000;
const PODS: usize = 120;
const AT_ONCE: usize = 8;

/// Name and text of every file.
#[derive(Default)]
pub struct Sources {
    files: Vec<(String, String)>,
}

impl Sources {
    fn add(&mut self, name: impl Into<String>, text: impl Into<String>) {
        self.files.push((name.into(), text.into()));
    }

    /// Writes all of them: only now is every secret known.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn write(&self, folder: &Folder, mask: &Mask) -> anyhow::Result<()> {
        self.files.iter().try_for_each(|(name, text)| folder.write(name, text, mask))
    }

    /// What the lab is to be, and what an earlier run wrote down.
    pub fn lab(&mut self, lab: &Lab, plan: &Plan, state: &Path) {
        self.add("lab/configuration.yaml", yaml(lab));
        let steps: Vec<&str> = plan.steps.iter().map(|step| step.id).collect();
        self.add("lab/plan.txt", steps.join("\n"));
        let free = |path: &Path| {
            Machine.free_disk(path).map(|bytes| format!("{}: {} MB free\n", path.display(), bytes / 1_000_000))
        };
        self.add("lab/disk.txt", free(state).unwrap_or_default());
        let entries = fs_err::read_dir(state).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()).filter(|path| path.is_file()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with("journal")
                && let Ok(bytes) = fs_err::read(&path)
            {
                self.add(format!("lab/{name}"), String::from_utf8_lossy(&bytes));
            }
        }
    }

    /// The containers as the engine knows them; what is secret in their environments is learned.
    pub async fn containers<P: Ports>(
        &mut self,
        run: &Run<'_, P>,
        containers: &[Container],
        clock: &Clock,
        mask: &mut Mask,
    ) {
        let look = async |container: &Container| {
            let name = container.name.clone();
            (clock.ask(&format!("inspect {name}"), run.ports.docker().inspect(&name)).await, name)
        };
        for (inspect, name) in join_all(containers.iter().map(look)).await {
            if let Some(mut inspect) = inspect {
                hide_environment(&mut inspect, mask);
                self.add(format!("docker/{name}.yaml"), yaml(&inspect));
            }
        }
    }

    /// The engine, what the lab's containers printed, and what goes on inside the nodes.
    pub async fn engine<P: Ports>(
        &mut self,
        run: &Run<'_, P>,
        engine: &Engine,
        containers: &[Container],
        clock: &Clock,
    ) {
        let docker = run.ports.docker();
        let root = Path::new(&engine.root);
        let free = Machine.free_disk(root).map(|bytes| format!("{} MB free at {}\n", bytes / 1_000_000, engine.root));
        let networks = clock.ask("networks", docker.networks()).await.unwrap_or_default();
        let networks: Vec<String> = networks.iter().map(|one| format!("network {} {}", one.name, one.subnet)).collect();
        self.add("docker/engine.txt", format!("{engine:#?}\n{}{}\n", free.unwrap_or_default(), networks.join("\n")));
        let look = async |container: &Container| {
            let name = container.name.as_str();
            let log = clock.ask(&format!("log of container {name}"), docker.logs(name, LINES as usize)).await;
            let node = container.running && (name.contains("-control-plane") || name.contains("-worker"));
            let inside = async |what: &str, argv: &[&str]| {
                let output = clock.ask(&format!("{what} of {name}"), docker.exec(name, argv)).await?;
                Some(format!("{}{}", output.text(), output.stderr))
            };
            let lines = LINES.to_string();
            let journal = ["journalctl", "--no-pager", "--lines", &lines, "--unit", "kubelet", "--unit", "containerd"];
            let journal = if node { inside("journal", &journal).await } else { None };
            let disks = if node { inside("disks", &["df", "-h"]).await } else { None };
            (name.to_owned(), [("log", log), ("journal", journal), ("disks", disks)])
        };
        for (name, texts) in join_all(containers.iter().map(look)).await {
            for (kind, text) in texts {
                if let Some(text) = text {
                    self.add(format!("docker/{name}.{kind}"), text);
                }
            }
        }
    }

    /// Objects, events and logs.
    pub async fn cluster<P: Ports>(&mut self, run: &Run<'_, P>, scene: &Scene, clock: &Clock) {
        for (kind, objects) in scene.all().filter(|(kind, objects)| *kind != "Event" && !objects.is_empty()) {
            self.add(format!("cluster/{kind}.yaml"), serde_saphyr::to_string_multiple(objects).unwrap_or_default());
        }
        let mut events: Vec<&Value> = scene.of("Event").iter().collect();
        events.sort_by_key(|event| when(event));
        let events: Vec<String> = events.into_iter().map(event).collect();
        if !events.is_empty() {
            self.add("cluster/events.txt", events.join("\n"));
        }
        let mut wanted = Vec::new();
        for pod in scene.of("Pod").iter().take(PODS) {
            let statuses =
                [list(pod, "/status/initContainerStatuses"), list(pod, "/status/containerStatuses")].concat();
            for one in statuses {
                let waits_for_first = one["state"]["waiting"].is_object() && number(&one, "/restartCount") == Some(0);
                if !waits_for_first {
                    wanted.push((namespace(pod), name(pod), text(&one, "/name").to_owned(), false));
                }
                if number(&one, "/restartCount") > Some(0) {
                    wanted.push((namespace(pod), name(pod), text(&one, "/name").to_owned(), true));
                }
            }
        }
        let kube = run.ports.kube();
        let read = async |(namespace, pod, container, previous): (&str, &str, String, bool)| {
            let end = if previous { ".previous" } else { "" };
            let file = format!("cluster/logs/{namespace}/{pod}.{container}{end}.log");
            let container = Some(container).filter(|name| !name.is_empty());
            let query = LogQuery { tail: Some(LINES), previous, container, ..LogQuery::default() };
            let log = async {
                let mut text = String::new();
                let mut line = |line: String| {
                    text.push_str(&line);
                    text.push('\n');
                };
                kube.read_log(namespace, pod, &query, &mut line).await?;
                Ok(text)
            };
            (clock.ask(&file, log).await, file.clone())
        };
        let logs: Vec<(Option<String>, String)> =
            futures::stream::iter(wanted).map(read).buffer_unordered(AT_ONCE).collect().await;
        for (log, file) in logs {
            if let Some(log) = log {
                self.add(file, log);
            }
        }
    }
}

fn yaml(value: &impl serde::Serialize) -> String {
    serde_saphyr::to_string(value).unwrap_or_else(|error| format!("{error}"))
}

/// Time, kind, object and message of an event, in one line.
fn event(event: &Value) -> String {
    let of = &event["involvedObject"];
    format!(
        "{} {:<8} {} {}/{} {}: {}",
        when(event),
        text(event, "/type"),
        text(of, "/kind"),
        text(of, "/namespace"),
        text(of, "/name"),
        text(event, "/reason"),
        text(event, "/message").trim().replace('\n', " "),
    )
}

/// Takes the values out of a container's environment; the names stay.
fn hide_environment(inspect: &mut Value, mask: &mut Mask) {
    for variable in inspect.pointer_mut("/Config/Env").and_then(Value::as_array_mut).into_iter().flatten() {
        let text = variable.as_str().unwrap_or_default().to_owned();
        let (name, value) = text.split_once('=').unwrap_or((&text, ""));
        mask.add_environment([(name, value)]);
        *variable = name.into();
    }
}
