//! Manifests that proofs and demo apply.

use serde_json::{Value, json};

use ferrolb_lab::WEB_IMAGE;

/// The example of the CCE documentation, as it stands there.
pub const CCE_EXAMPLE: &str = r#"apiVersion: v1
kind: Service
metadata:
  name: nginx
  labels: {app: nginx}
  annotations:
    kubernetes.io/elb.class: union
    kubernetes.io/elb.autocreate: '{"type":"public","bandwidth_name":"cce-bandwidth","bandwidth_chargemode":"bandwidth","bandwidth_size":5,"bandwidth_sharetype":"PER","eip_type":"5_bgp","name":"james"}'
spec:
  externalTrafficPolicy: Cluster
  type: LoadBalancer
  selector: {app: nginx}
  ports: [{name: service0, port: 80, protocol: TCP, targetPort: 80}]
"#;

/// The annotation that says how a load balancer is made.
pub const AUTOCREATE: &str = "kubernetes.io/elb.autocreate";
/// The annotation that says which kind.
pub const CLASS: &str = "kubernetes.io/elb.class";
/// The annotation that names an existing one.
pub const ID: &str = "kubernetes.io/elb.id";
/// A public load balancer, complete.
pub const PUBLIC: &str = r#"{"type":"public","bandwidth_name":"cce-bandwidth","bandwidth_chargemode":"bandwidth","bandwidth_size":5,"bandwidth_sharetype":"PER","eip_type":"5_bgp"}"#;

/// A public Service for pods labelled `app=web`, with these ports.
pub fn public(name: &str, ports: &[(&str, u16)]) -> Value {
    service(name, &[(CLASS, "union"), (AUTOCREATE, PUBLIC)], ports)
}

/// A Service for pods labelled `app=web`, with these annotations and ports.
pub fn service(name: &str, annotations: &[(&str, &str)], ports: &[(&str, u16)]) -> Value {
    let annotations: serde_json::Map<String, Value> =
        annotations.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    let port = |(protocol, port): &(&str, u16)| {
        json!({
            "name": format!("{}-{port}", protocol.to_lowercase()),
            "protocol": protocol, "port": port, "targetPort": 80,
        })
    };
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name, "annotations": annotations},
        "spec": {
            "type": "LoadBalancer",
            "selector": {"app": "web"},
            "ports": ports.iter().map(port).collect::<Vec<_>>(),
        },
    })
}

/// A web workload whose pods say who they are, spread over the nodes.
pub fn web(name: &str, replicas: usize) -> String {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "terminationGracePeriodSeconds": 2,
                    "topologySpreadConstraints": [{
                        "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
                        "labelSelector": {"matchLabels": {"app": name}},
                    }],
                    "containers": [{
                        "name": "web", "image": WEB_IMAGE,
                        "env": [
                            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                            {"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
                        ],
                        "readinessProbe": {"httpGet": {"path": "/healthz", "port": 80}, "periodSeconds": 1},
                    }],
                },
            },
        },
    })
    .to_string()
}
