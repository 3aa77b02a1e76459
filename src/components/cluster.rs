//! The kind cluster, its network plugin, and the proof that it works.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::Site;
use crate::config::Cni;
use crate::render;
use crate::step::{Action, ObjectName, Step, Workload};

/// The name under which nodes reach the API: the load balancer or, with one control plane, that node.
pub fn api_host(site: &Site<'_>) -> String {
    let suffix = if site.lab.cluster.control_planes > 1 { "external-load-balancer" } else { "control-plane" };
    format!("{}-{suffix}", site.lab.name)
}

pub fn steps(site: &Site<'_>) -> Result<Vec<Step>> {
    let cluster = &site.lab.cluster;
    let title = format!("cluster of {} control planes and {} workers", cluster.control_planes, cluster.workers);
    let remains = Step {
        id: "remains",
        title: "nothing half-made left by an earlier run".to_owned(),
        needs: vec![],
        deadline: Duration::from_mins(2),
        action: Action::Remains,
    };
    let mut steps = vec![
        remains,
        Step {
            id: "cluster",
            title,
            needs: vec!["push", "remains"],
            deadline: Duration::from_mins(10),
            action: Action::Cluster { config: render::kind_config(site.lab)? },
        },
    ];
    if cluster.cni == Cni::KubeRouter {
        let image = site.catalogue.reference("kube-router")?;
        let values = json!({ "api_host": api_host(site), "image": image, "service_subnet": cluster.service_subnet });
        let object = ObjectName::new("kube-system", "kube-router");
        steps.push(Step {
            id: "network-plugin",
            title: "kube-router on every node".to_owned(),
            needs: vec!["addresses"],
            deadline: Duration::from_mins(3),
            action: Action::Apply {
                objects: render::objects(render::KUBE_ROUTER, &values)?,
                ready: vec![Workload { kind: "DaemonSet".to_owned(), object }],
            },
        });
    }
    steps.push(Step {
        id: "nodes",
        title: "all nodes Ready, cluster DNS answers".to_owned(),
        needs: vec!["firewall"],
        deadline: Duration::from_mins(5),
        action: Action::NodesReady,
    });
    Ok(steps)
}

/// Pulls the large images onto the workers while the control planes still join.
pub fn prefetch(site: &Site<'_>) -> Result<Vec<Step>> {
    if !site.lab.spark_operator.enabled {
        return Ok(Vec::new());
    }
    let names = ["spark-operator", "spark"];
    let references = names.iter().map(|name| Ok(site.catalogue.reference(name)?.to_owned())).collect::<Result<_>>()?;
    Ok(vec![Step {
        id: "prefetch",
        title: "Spark's image on the workers".to_owned(),
        needs: vec!["push", "remains"],
        deadline: Duration::from_mins(10),
        action: Action::Prefetch { references },
    }])
}
