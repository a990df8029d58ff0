//! What the user does while the controller is perturbed.

use anyhow::Result;
use serde_json::{Value, json};

use crate::harness::{Scene, Service, manifest};

/// A script. It begins with no Service and ends with none.
pub struct Workload {
    pub name: &'static str,
    pub steps: &'static [Step],
    /// The steps that are perturbed, where another workload has the others.
    pub perturbed: std::ops::Range<usize>,
}

/// One deed of the user, which the controller answers before the next.
pub struct Step {
    pub name: &'static str,
    act: fn(&Scene<'_>, &Service<'_>) -> Result<()>,
    /// What is in the cloud then.
    pub objects: &'static str,
    /// The resources whose view it changes.
    pub changes: &'static [&'static str],
}

impl Step {
    /// Does it.
    pub fn act(&self, scene: &Scene<'_>, service: &Service<'_>) -> Result<()> {
        (self.act)(scene, service)
    }
}

/// The node that is excluded and included again.
pub const NODE: &str = "n3";
const EXCLUDED: &str = "node.kubernetes.io/exclude-from-external-load-balancers";
const SERVICE: &[&str] = &["services", "endpointslices"];
const TWO_PORTS: &str = "eips=1,loadbalancers=1,listeners=2,pools=2,members=6,healthmonitors=2";

const CREATED: Step = Step {
    name: "created",
    act: |scene, service| scene.create(&web(&service.name, &[("TCP", 80), ("UDP", 53)])).map(drop),
    objects: TWO_PORTS,
    changes: SERVICE,
};

const DELETED: Step = Step { name: "deleted", act: |_, service| service.delete(), objects: "empty", changes: SERVICE };

/// All of them.
pub const ALL: &[Workload] = &[
    Workload { name: "life", steps: &[CREATED, DELETED], perturbed: 0..2 },
    Workload {
        name: "change",
        steps: &[
            CREATED,
            Step {
                name: "port-added",
                act: |_, service| service.patch(&replace_ports(&[("TCP", 80), ("UDP", 53), ("TCP", 443)])),
                objects: "eips=1,loadbalancers=1,listeners=3,pools=3,members=9,healthmonitors=3",
                changes: SERVICE,
            },
            Step {
                name: "port-removed",
                act: |_, service| service.patch(&replace_ports(&[("TCP", 80), ("UDP", 53)])),
                objects: TWO_PORTS,
                changes: SERVICE,
            },
            Step {
                name: "node-excluded",
                act: |scene, _| scene.lab.label_node(NODE, &format!("{EXCLUDED}=true")),
                objects: "eips=1,loadbalancers=1,listeners=2,pools=2,members=4,healthmonitors=2",
                changes: &["nodes"],
            },
            Step {
                name: "node-included",
                act: |scene, _| scene.lab.label_node(NODE, &format!("{EXCLUDED}-")),
                objects: TWO_PORTS,
                changes: &["nodes"],
            },
            DELETED,
        ],
        perturbed: 1..5,
    },
];

/// After a run that broke off.
pub fn undo(scene: &Scene<'_>) -> Result<()> {
    scene.lab.label_node(NODE, &format!("{EXCLUDED}-"))
}

fn web(name: &str, ports: &[(&str, u16)]) -> Value {
    let mut manifest = manifest::public(name, ports);
    manifest["spec"]["ports"] = with_node_ports(ports);
    manifest
}

fn replace_ports(ports: &[(&str, u16)]) -> Value {
    json!([{"op": "replace", "path": "/spec/ports", "value": with_node_ports(ports)}])
}

/// Node ports are fixed, so that two runs can be compared.
fn with_node_ports(ports: &[(&str, u16)]) -> Value {
    let port = |(protocol, port): &(&str, u16)| {
        json!({
            "name": format!("{}-{port}", protocol.to_lowercase()), "protocol": protocol, "port": port,
            "targetPort": 80, "nodePort": 30_000 + port,
        })
    };
    ports.iter().map(port).collect()
}
