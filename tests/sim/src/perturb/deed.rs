//! What a user of a script does, once and without chance.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::api::fields::set;
use crate::api::refusal::Refusal;
use crate::api::store::{Key, Kind};
use crate::law::HOLDER;
use crate::sim::{Sim, State};
use crate::users::{edit, gold_key, node, uid};
use crate::wish::Wish;

/// Ports of a Service: number and protocol.
pub type Ports = &'static [(u16, &'static str)];

/// One deed. Services are named `namespace/name`.
#[derive(Clone, Copy, Debug)]
pub enum Deed {
    /// A Service comes; where one of the name is still there, as soon as it is gone.
    Create(&'static str, Wish, Ports),
    /// The same with a class.
    CreateClassed(&'static str, &'static str, Wish, Ports),
    Delete(&'static str),
    /// Other annotations.
    Wish(&'static str, Wish),
    Ports(&'static str, Ports),
    Type(&'static str, &'static str),
    /// `externalTrafficPolicy`.
    Policy(&'static str, &'static str),
    /// The class `gold` is there, or not.
    Gold(bool),
    /// A node is there, or not.
    Node(u64, bool),
    /// A node bears the label that excludes it, or not.
    Excluded(u64, bool),
}

/// The key of a Service named `namespace/name`.
pub fn key(name: &str) -> Key {
    let (namespace, name) = name.split_once('/').unwrap_or(("a", name));
    (Kind::Service, namespace.to_owned(), name.to_owned())
}

impl Deed {
    /// Does it.
    pub async fn act(self, sim: &Arc<Sim>) {
        let again = matches!(self, Self::Create(..) | Self::CreateClassed(..));
        sim.with(|s| s.note(sim.now(), || format!("user {self:?}")));
        // A creator waits for the name to be free, which a deletion held by a finalizer takes a while to make it.
        while sim.with(|s| self.try_once(s, sim)).is_err_and(|refusal| again && refusal.reason == "AlreadyExists") {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    fn try_once(self, s: &mut State, sim: &Sim) -> Result<Value, Refusal> {
        let now = sim.wall();
        match self {
            Self::Create(name, wish, ports) => s.api.create(key(name), service(s, wish, ports), "user", now),
            Self::CreateClassed(name, class, wish, ports) => {
                let mut service = service(s, wish, ports);
                service["spec"]["loadBalancerClass"] = json!(class);
                s.api.create(key(name), service, "user", now)
            }
            Self::Delete(name) => s.api.delete(&key(name), now).map(|()| Value::Null),
            Self::Wish(name, wish) => {
                excuse(s, name);
                let existing = s.law.strangers.first().cloned().unwrap_or_default();
                let eip = s.law.eip.clone();
                edit(s, &key(name), |service| {
                    let mut annotations = wish.annotations(&existing, &eip);
                    // What the product wrote there stays: people edit what they have got.
                    if let Some(holder) = service["metadata"]["annotations"][HOLDER].as_str() {
                        annotations[HOLDER] = json!(holder);
                    }
                    service["metadata"]["annotations"] = annotations;
                })
            }
            Self::Ports(name, ports) => {
                if let Some(uid) = uid(s, &key(name)) {
                    s.law.reopen(&uid);
                }
                edit(s, &key(name), |service| service["spec"]["ports"] = listed(ports))
            }
            Self::Type(name, kind) => {
                excuse(s, name);
                edit(s, &key(name), |service| service["spec"]["type"] = json!(kind))
            }
            Self::Policy(name, policy) => {
                edit(s, &key(name), |service| service["spec"]["externalTrafficPolicy"] = json!(policy))
            }
            Self::Gold(true) => {
                let gold = json!({"metadata": {}, "spec": {"provider": "elb"}});
                s.api.create(gold_key(), gold, "user", now)
            }
            Self::Gold(false) => s.api.delete(&gold_key(), now).map(|()| Value::Null),
            Self::Node(number, true) => s.api.create(node_key(number), node(number), "kubelet", now),
            Self::Node(number, false) => s.api.delete(&node_key(number), now).map(|()| Value::Null),
            Self::Excluded(number, excluded) => {
                let (label, yes) = ("labels/node.kubernetes.io/exclude-from-external-load-balancers", json!(""));
                edit(s, &node_key(number), |node| set(node, label, excluded.then_some(&yes)))
            }
        }
    }
}

/// The address of the Service may change from here on: its user asks for another load balancer.
fn excuse(s: &mut State, name: &str) {
    if let Some(uid) = uid(s, &key(name)) {
        s.law.edit(&uid);
    }
}

fn service(s: &State, wish: Wish, ports: Ports) -> Value {
    let existing = s.law.strangers.first().cloned().unwrap_or_default();
    json!({
        "metadata": {"annotations": wish.annotations(&existing, &s.law.eip)},
        "spec": {"type": "LoadBalancer", "ports": listed(ports)},
    })
}

fn listed(ports: Ports) -> Value {
    let port = |(number, protocol): &(u16, &str)| json!({"name": format!("p{number}-{}", protocol.to_lowercase()), "port": number, "protocol": protocol});
    ports.iter().map(port).collect()
}

fn node_key(number: u64) -> Key {
    (Kind::Node, String::new(), format!("node-{number}"))
}
