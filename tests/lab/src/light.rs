//! Nodes and pods that are API objects only: a thousand cost nothing, and nobody repairs what a test does.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::image::WEB_IMAGE;
use crate::lab::Lab;
use crate::net;

/// A pod without a kubelet: it never runs, but the API says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LightPod {
    /// Namespace, which must exist.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Name of its node.
    pub node: String,
    /// Its address.
    pub address: String,
    /// Labels that Services select by.
    pub labels: BTreeMap<String, String>,
}

impl Lab {
    /// A node with this internal address that is Ready.
    pub fn create_light_node(&self, name: &str, address: &str) -> Result<()> {
        self.api("POST", "/api/v1/nodes", Some(&node(name, address))).map(drop)
    }

    /// Removes a node, light or real (a real one comes back with the next start of its kubelet).
    pub fn delete_node(&self, name: &str) -> Result<()> {
        self.api("DELETE", &format!("/api/v1/nodes/{name}"), None).map(drop)
    }

    /// Says of a light node that it is ready or not; a kubelet would contradict.
    pub fn set_node_ready(&self, name: &str, ready: bool) -> Result<()> {
        let patch = json!({"status": {"conditions": [ready_condition(ready)]}});
        self.api("PATCH", &format!("/api/v1/nodes/{name}/status"), Some(&patch)).map(drop)
    }

    /// Sets a label, `key=value`, or removes one, `key-`.
    pub fn label_node(&self, name: &str, label: &str) -> Result<()> {
        let (key, value) = match (label.split_once('='), label.strip_suffix('-')) {
            (Some((key, value)), _) => (key, json!(value)),
            (None, Some(key)) => (key, Value::Null),
            (None, None) => anyhow::bail!("label {label:?}: key=value sets one, key- removes it"),
        };
        ensure!(!key.is_empty(), "label {label:?} has no key");
        let patch = json!({"metadata": {"labels": {key: value}}});
        self.api("PATCH", &format!("/api/v1/nodes/{name}"), Some(&patch)).map(drop)
    }

    /// Makes a pod that is Running and Ready at once. Nothing answers at its address.
    pub fn create_light_pod(&self, pod: &LightPod) -> Result<()> {
        let path = format!("/api/v1/namespaces/{}/pods", pod.namespace);
        let object = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": pod.name, "labels": pod.labels},
            "spec": {
                "nodeName": pod.node,
                "terminationGracePeriodSeconds": 0,
                "automountServiceAccountToken": false,
                "containers": [{"name": "web", "image": WEB_IMAGE}],
            },
        });
        self.api("POST", &path, Some(&object))?;
        let status = json!({"status": {
            "phase": "Running",
            "podIP": pod.address,
            "podIPs": [{"ip": pod.address}],
            "conditions": [ready_condition(true)],
            "containerStatuses": [{"name": "web", "ready": true, "started": true, "restartCount": 0,
                                   "image": WEB_IMAGE, "imageID": WEB_IMAGE, "state": {"running": {}}}],
        }});
        self.api("PATCH", &format!("{path}/{}/status", pod.name), Some(&status)).map(drop)
    }

    /// Removes a pod at once, light or real.
    pub fn delete_pod(&self, namespace: &str, name: &str) -> Result<()> {
        let path = format!("/api/v1/namespaces/{namespace}/pods/{name}?gracePeriodSeconds=0");
        self.api("DELETE", &path, None).map(drop)
    }

    /// The nodes of a light lab, n1 and on, by one kubectl.
    pub(crate) fn create_light_nodes(&self, count: usize) -> Result<()> {
        if count == 0 {
            return Ok(());
        }
        let nodes: Vec<Value> = (1..=count).map(|n| node(&format!("n{n}"), &net::light_address(n))).collect();
        self.create(&json!({"apiVersion": "v1", "kind": "List", "items": nodes}).to_string()).map(drop)
    }
}

/// Unlike a pod's, a node's status may come with its creation: kubelets register that way.
fn node(name: &str, address: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
        "status": {
            "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
            "conditions": [ready_condition(true)],
            "capacity": {"cpu": "4", "memory": "8Gi", "pods": "110"},
            "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"},
        },
    })
}

fn ready_condition(ready: bool) -> Value {
    let (status, reason) = if ready { ("True", "KubeletReady") } else { ("False", "KubeletNotReady") };
    json!({"type": "Ready", "status": status, "reason": reason, "message": "set by the lab"})
}
