//! `lab verify network`: the cluster does what the table says.
//!
//! First the policies and the nodes' firewalls are compared; then the nodes are tried; then each of them proves that it
//! enforces a policy's denial; then every connection of the table is tried from where its source stands. Targets are
//! shown to listen before and after.

mod canary;
mod cast;
mod judge;
mod nodes;
mod places;
mod policies;
mod probe;
mod webhook;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::timeout;

pub use canary::{Canary, Pair};
pub use judge::{Connection, Judgement};
pub use policies::foreign;
pub use probe::Seen;
pub use webhook::Webhook;

use super::seconds;
use crate::fault::{Fault, Kind};
use crate::flows::Table;
use crate::plan::Plan;
use crate::ports::{self, Docker as _, Kube as _, Ports};
use crate::run::diff::Difference;
use crate::run::wait::until;
use crate::run::{Context, Run};
use places::Places;
use probe::Listeners;

/// Long enough for a Spark application to start on a slow machine.
const DEADLINE: Duration = Duration::from_mins(5);
/// How long the pods of the cast may take to start.
const START: Duration = Duration::from_mins(3);
/// How long everybody may take to listen.
const PATIENCE: Duration = Duration::from_secs(45);

/// What was proved, and what was not.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Network {
    /// True where everything is as the table says.
    pub passed: bool,
    /// Policies that are missing, changed, or not the lab's.
    pub policies: Vec<Difference>,
    /// Firewalls of nodes that are missing or changed.
    pub firewalls: Vec<Difference>,
    /// To each node, from each other and from a machine outside.
    pub nodes: Vec<Connection>,
    /// Whether denials are enforced, by node. Where one does not, no connection of pods was tried.
    pub canaries: Vec<Canary>,
    pub connections: Vec<Connection>,
    /// The operator's webhook, called through each control plane.
    pub webhooks: Vec<Webhook>,
    /// Why no connection was tried, where what deviates was in the way.
    pub untried: Option<String>,
    #[serde(rename = "seconds", serialize_with = "seconds")]
    #[schemars(with = "f64")]
    pub took: Duration,
}

/// Proves it.
///
/// # Errors
/// When the proof cannot be made: that is no verdict.
pub async fn network<P: Ports>(run: &Run<'_, P>, plan: &Plan) -> Result<Network> {
    let proved = run.within("verify", DEADLINE, async |context| {
        let proved = prove(context, plan).await;
        context.note("removing what was there for the proof");
        let left = cast::leave(context.run).await;
        let proved = proved?;
        left.map(|()| proved)
    });
    proved.await.map_err(|error| {
        let next = format!("lab status{}   (what is there)", run.flags);
        error.context(Fault::new(Kind::Step, "the network could not be tried").next(next))
    })
}

async fn prove<P: Ports>(context: &Context<'_, P>, plan: &Plan) -> Result<Network> {
    let (run, started) = (context.run, Instant::now());
    // What a proof left that was cut short is no policy of somebody's.
    cast::leave(run).await?;
    let mut proof = Network {
        passed: false,
        policies: policies::compare(run, plan).await?,
        firewalls: nodes::compare(run, plan).await?,
        nodes: Vec::new(),
        canaries: Vec::new(),
        connections: Vec::new(),
        webhooks: Vec::new(),
        untried: None,
        took: Duration::ZERO,
    };
    match perform(context, plan, &mut proof).await {
        // What deviates may well be what keeps the cast from its work, and is a verdict in itself.
        Err(error) if proof.deviates() => proof.untried = Some(format!("{error:#}")),
        performed => performed?,
    }
    proof.passed = !proof.deviates()
        && proof.canaries.iter().all(|canary| canary.enforces)
        && proof.nodes.iter().chain(&proof.connections).all(|one| one.judgement == Judgement::Right)
        && proof.webhooks.iter().all(|webhook| webhook.answers);
    proof.took = started.elapsed();
    Ok(proof)
}

impl Network {
    /// Whether something is not as it was rendered.
    fn deviates(&self) -> bool {
        !self.policies.is_empty() || !self.firewalls.is_empty()
    }
}

async fn perform<P: Ports>(context: &Context<'_, P>, plan: &Plan, proof: &mut Network) -> Result<()> {
    let run = context.run;
    let cast = cast::Cast::enter(context).await?;
    timeout(START, cast.ready(context)).await.context("who is to be tried does not start in time")??;
    let places = Places::find(run, plan, &cast).await?;
    let mut listeners = Listeners::default();
    let tried = try_all(context, &places, &mut listeners, proof).await;
    listeners.end(run).await?;
    tried
}

async fn try_all<P: Ports>(
    context: &Context<'_, P>,
    places: &Places,
    listeners: &mut Listeners,
    proof: &mut Network,
) -> Result<()> {
    let run = context.run;
    context.note("the nodes' firewalls");
    proof.nodes = nodes::try_all(run, places, listeners).await?;
    context.note("a denial on each node");
    routes(run, places).await?;
    proof.canaries = canary::fly(run, places, listeners).await?;
    if proof.canaries.iter().any(|canary| !canary.enforces) {
        return Ok(());
    }
    let table = Table::of_the_lab()?;
    let wanted = judge::wanted(&table, places);
    let ports = judge::ports(&wanted, places);
    context.note(format!("{} connections", wanted.len()));
    for (place, ports) in judge::stand_ins(&ports) {
        place.stand.listen(run, &ports, listeners).await?;
    }
    // A pod of Spark is ready before it listens. Who never does leaves its connections unproved.
    let listen = until(context, async || judge::all_listen(run, places, &ports).await);
    if let Ok(listening) = timeout(PATIENCE, listen).await {
        listening?;
    }
    let before = judge::listening(run, places, &ports).await?;
    let seen = judge::try_from_everywhere(run, places, &wanted).await?;
    let after = judge::listening(run, places, &ports).await?;
    proof.connections = judge::judge(&wanted, &before, &seen, &after, judge::DENIED);
    if run.lab.spark_operator.enabled {
        context.note("the webhook through each control plane");
        proof.webhooks = webhook::call(run, places).await?;
    }
    Ok(())
}

/// Tells the machine outside where the pods of each node are: without a route nothing it tries says anything.
async fn routes<P: Ports>(run: &Run<'_, P>, places: &Places) -> Result<()> {
    let nodes = run.ports.kube().list(&ports::Kind::NODE, None, "").await?;
    for node in places.nodes() {
        let live = nodes.iter().find(|live| live["metadata"]["name"] == node.name.as_str());
        let Some(range) = live.and_then(|live| live.pointer("/spec/podCIDR")?.as_str()) else { continue };
        let via = node.address.to_string();
        let argv = ["ip", "route", "replace", range, "via", &via];
        let output = run.ports.docker().exec(&places.outside().name, &argv).await?;
        ensure!(output.code == 0, "route to {range}: {}", output.quoted());
    }
    Ok(())
}
