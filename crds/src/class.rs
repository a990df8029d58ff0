//! `LoadBalancerClass`: for load balancers what a StorageClass is for volumes.

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

/// A kind of load balancer that Services can ask for: a provider with defaults for its options.
///
/// A Service names it in spec.loadBalancerClass as ferrolb.io/NAME.
// The doc comments below become the descriptions that `kubectl explain` shows.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "ferrolb.io",
    version = "v1alpha1",
    kind = "LoadBalancerClass",
    doc = "A kind of load balancer that Services can ask for: for them what a StorageClass is for volumes.",
    plural = "loadbalancerclasses",
    shortname = "lbclass",
    category = "ferrolb",
    derive = "Default",
    derive = "PartialEq",
    validation = Rule::new("self.metadata.name.size() <= 63")
        .message("a name of at most 63 characters, so that ferrolb.io/<name> is a valid loadBalancerClass"),
    printcolumn = r#"{"name":"Provider","type":"string","jsonPath":".spec.provider"}"#,
    printcolumn = r#"{"name":"Default","type":"boolean","jsonPath":".spec.default"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct LoadBalancerClassSpec {
    /// The provider that makes the load balancers: elb, layer2, mock, or another one that the controller runs.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"))]
    #[x_kube(validation = Rule::new("self == oldSelf")
        .message("provider cannot be changed: load balancers of the old one would be lost; make another class"))]
    pub provider: String,

    /// Options for the provider, written like annotations of a Service. Annotations of the Service win.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 64))]
    #[x_kube(validation = Rule::new("self.all(key, key.contains('/') && key.size() <= 317)")
        .message("keys are those of annotations, like kubernetes.io/elb.class"))]
    #[x_kube(validation = Rule::new("!('ferrolb.io/provider' in self)")
        .message("ferrolb.io/provider is written by the controller; set spec.provider"))]
    pub parameters: BTreeMap<String, String>,

    /// Take the Services that name no class. Of several defaults the newest counts.
    #[serde(default)]
    pub default: bool,

    /// Namespaces whose Services may use this class. Empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), inner(length(min = 1, max = 63)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub allowed_namespaces: Vec<String>,
}
