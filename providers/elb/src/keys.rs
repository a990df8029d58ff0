//! Every annotation key that CCE, the open controller or their predecessors know, in one table.
//!
//! The parser warns from it, documentation and linter are made from it.

/// One annotation key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Full key.
    pub name: &'static str,
    /// What it means, for people.
    pub meaning: &'static str,
    /// What values look like.
    pub form: Form,
    /// What happens without it; empty: nothing.
    pub default: &'static str,
    /// What this version does with it.
    pub support: Support,
}

/// Form of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Free text.
    Text,
    /// Id of a cloud object.
    Id,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// `true` or `false`.
    Switch,
    /// A number between these.
    Integer(u32, u32),
    /// A JSON object.
    Json,
    /// A JSON array.
    JsonList,
    /// Values separated by commas.
    List,
}

/// What this version does with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// Acts on it.
    Acts,
    /// Not yet, and ignoring it would do the opposite of what it asks: the Service is refused.
    Refused,
    /// Not yet, and that makes a difference: the user is warned.
    Later,
    /// Nothing, and nothing is missed: written by a controller, or without meaning for it today.
    Inert,
}

/// `kubernetes.io/elb.class`
pub const CLASS: &str = "kubernetes.io/elb.class";
/// `kubernetes.io/elb.id`
pub const ID: &str = "kubernetes.io/elb.id";
/// `kubernetes.io/elb.autocreate`
pub const AUTOCREATE: &str = "kubernetes.io/elb.autocreate";
/// `kubernetes.io/elb.enterpriseID`
pub const ENTERPRISE_ID: &str = "kubernetes.io/elb.enterpriseID";
/// `kubernetes.io/elb.lb-algorithm`
pub const LB_ALGORITHM: &str = "kubernetes.io/elb.lb-algorithm";
/// `kubernetes.io/elb.health-check-flag`
pub const HEALTH_CHECK_FLAG: &str = "kubernetes.io/elb.health-check-flag";
/// `kubernetes.io/elb.health-check-option`
pub const HEALTH_CHECK_OPTION: &str = "kubernetes.io/elb.health-check-option";
/// `kubernetes.io/elb.acl-id`
pub const ACL_ID: &str = "kubernetes.io/elb.acl-id";
/// `kubernetes.io/elb.acl-status`
pub const ACL_STATUS: &str = "kubernetes.io/elb.acl-status";
/// `kubernetes.io/elb.client-ca-cert-id`
pub const CLIENT_CA_CERT_ID: &str = "kubernetes.io/elb.client-ca-cert-id";
/// `kubernetes.io/elb.instance-reclaim-policy`
pub const INSTANCE_RECLAIM_POLICY: &str = "kubernetes.io/elb.instance-reclaim-policy";
/// `kubernetes.io/elb.keep-eip`
pub const KEEP_EIP: &str = "kubernetes.io/elb.keep-eip";

/// `kubernetes.io/natgateway.id`
pub const NAT_GATEWAY_ID: &str = "kubernetes.io/natgateway.id";
/// `kubernetes.io/elb.eip-id`
pub const EIP_ID: &str = "kubernetes.io/elb.eip-id";
/// `kubernetes.io/elb.eip-auto-create-option`
pub const EIP_AUTO_CREATE_OPTION: &str = "kubernetes.io/elb.eip-auto-create-option";
/// `ferrolb.io/ip-mode`
pub const IP_MODE: &str = "ferrolb.io/ip-mode";

/// Prefix of the keys that are ours to know: an unknown one with it is a mistake worth a warning.
pub const PREFIX: &str = "kubernetes.io/elb.";

/// The entry of a key.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|k| k.name == name)
}

/// The known key that a misspelt one most likely means.
pub fn nearest(name: &str) -> Option<&'static str> {
    closest(name, KEYS.iter().map(|k| k.name))
}

/// The candidate that differs from `name` in at most a third of its letters.
pub(crate) fn closest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let short = |text: &str| text.strip_prefix(PREFIX).unwrap_or(text).to_ascii_lowercase().replace(['_', '.'], "-");
    let wanted = short(name);
    candidates
        .map(|c| (strsim::damerau_levenshtein(&wanted, &short(c)), c))
        .filter(|(distance, c)| *distance * 3 <= short(c).len().max(wanted.len()))
        .min()
        .map(|(_, c)| c)
}

const fn key(name: &'static str, meaning: &'static str, form: Form, default: &'static str, support: Support) -> Key {
    Key { name, meaning, form, default, support }
}

use Form::{Id, Integer, Json, JsonList, List, OneOf, Switch, Text};
use Support::{Acts, Inert, Later, Refused};

/// The table.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    // Choosing or making the load balancer
    key(CLASS, "kind of load balancer", OneOf(&["union", "performance", "shared", "dedicated", "dnat"]), "union with elb.autocreate; with elb.id not needed", Acts),
    key(ID, "use this existing load balancer", Id, "", Acts),
    key(AUTOCREATE, "make a load balancer", Json, "", Acts),
    key(ENTERPRISE_ID, "enterprise project of what is made", Id, "0, the default project", Acts),
    key("kubernetes.io/elb.subnet-id", "subnet of the load balancer in very old clusters", Id, "", Inert),
    key("kubernetes.io/elb.vpc.id", "VPC, old spelling", Id, "", Inert),
    key("kubernetes.io/elb.tags", "tags of the load balancer", Text, "", Later),
    key(INSTANCE_RECLAIM_POLICY, "what happens to the load balancer when the Service goes", OneOf(&["alwaysDelete", "retain"]), "alwaysDelete", Refused),
    key(EIP_ID, "class dnat: the EIP, by its id; otherwise EIP of the load balancer (CCE writes it, the open controller reads it)", Id, "", Later),
    key("kubernetes.io/elb.custom-eip-id", "bind this EIP instead", Id, "", Later),
    key("kubernetes.io/elb.custom-eip-status", "written by CCE", Json, "", Inert),
    key("kubernetes.io/elb.mark", "written by CCE", Text, "", Inert),
    key(KEEP_EIP, "keep the EIP when the Service goes", Switch, "false", Refused),
    key(EIP_AUTO_CREATE_OPTION, "class dnat: make an EIP; otherwise not yet (open controller)", Json, "", Later),
    key("kubernetes.io/elb.availability-zones", "zones of a dedicated load balancer (open controller)", List, "", Later),
    key("kubernetes.io/elb.l4-flavor-id", "flavor of a dedicated load balancer (open controller)", Id, "the region's", Later),
    key("kubernetes.io/elb.l7-flavor-id", "flavor of a dedicated load balancer (open controller)", Id, "the region's", Later),
    key("kubernetes.io/elb.enable-cross-vpc", "members outside the VPC (open controller)", Switch, "false", Later),
    key(NAT_GATEWAY_ID, "class dnat: the public NAT gateway that gets a rule for each port", Id, "", Acts),
    key(IP_MODE, "class dnat: whether clients inside the cluster are served by kube-proxy (VIP) or would have to go through the gateway, which does not answer them (Proxy)", OneOf(&["VIP", "Proxy"]), "VIP; with the mock cloud, which may run on a node, Proxy", Acts),
    // Pool, health, stickiness
    key(LB_ALGORITHM, "how a member is chosen", OneOf(&["ROUND_ROBIN", "LEAST_CONNECTIONS", "SOURCE_IP"]), "ROUND_ROBIN", Acts),
    key("kubernetes.io/elb.session-affinity-mode", "a client keeps its member", OneOf(&["SOURCE_IP"]), "off", Later),
    key("kubernetes.io/elb.session-affinity-option", "for how long a client keeps its member", Json, "60 minutes", Later),
    key("kubernetes.io/elb.session-affinity-flag", "a client keeps its member (open controller)", OneOf(&["on", "off"]), "off", Later),
    key("kubernetes.io/session-affinity-mode", "a client keeps its member, old spelling", OneOf(&["SOURCE_IP"]), "off", Later),
    key(HEALTH_CHECK_FLAG, "whether members are probed", OneOf(&["on", "off", ""]), "on", Acts),
    key(HEALTH_CHECK_OPTION, "how members are probed", Json, "every 5 s, timeout 10 s, 3 retries", Acts),
    key("kubernetes.io/elb.health-check-options", "how members are probed, port by port", JsonList, "", Later),
    key("kubernetes.io/elb.adaptive-weight", "weight of a node = ready pods on it", Switch, "false", Later),
    key("kubernetes.io/elb.custom-backend-weights", "weights of the pods of a StatefulSet", Json, "", Later),
    key("kubernetes.io/elb.connection-drain-enable", "connections survive the removal of a member", Switch, "false", Later),
    key("kubernetes.io/elb.connection-drain-timeout", "for how many seconds they do", Integer(10, 4000), "", Later),
    key("kubernetes.io/hws-hostNetwork", "pods on the host's network are members themselves", Switch, "false", Later),
    key("kubernetes.io/elb.pools-options", "forward all ports", Json, "", Later),
    key("kubernetes.io/elb.multicluster", "several clusters share one listener", Switch, "false", Later),
    key("kubernetes.io/elb.multicluster-loadbalancer-weight", "share of this cluster", Integer(0, 100), "", Later),
    key("kubernetes.io/elb.listener-port", "written by CCE", Text, "", Inert),
    key("kubernetes.io/elb.listener-port-ranges-auto-generated", "written by CCE", Text, "", Inert),
    key("kubernetes.io/elb.backend.ip-version", "address family of members (open controller)", Text, "", Later),
    key("kubernetes.io/elb.backend.subnet-id", "subnet of members (open controller)", Id, "", Later),
    // Listener
    key("kubernetes.io/elb.protocol-port", "which ports speak HTTP, HTTPS or TLS", List, "none", Later),
    key("kubernetes.io/elb.cert-id", "server certificate", Id, "", Later),
    key("kubernetes.io/elb.default-tls-container-ref", "server certificate (open controller)", Id, "", Later),
    key(CLIENT_CA_CERT_ID, "CA of client certificates", Id, "", Refused),
    key("kubernetes.io/elb.tls-certificate-ids", "certificates by domain", List, "", Later),
    key("kubernetes.io/elb.http2-enable", "HTTP/2", Switch, "false", Later),
    key("kubernetes.io/elb.tls-ciphers-policy", "TLS versions and ciphers", Text, "the cloud's", Later),
    key("kubernetes.io/elb.security_policy_id", "TLS policy of one's own", Id, "", Later),
    key("kubernetes.io/elb.security-pool-protocol", "TLS towards members", Text, "off", Later),
    key("kubernetes.io/elb.pool-protocol", "protocol towards members", Text, "", Later),
    key("kubernetes.io/elb.keepalive_timeout", "idle timeout in seconds", Integer(0, 4000), "300", Later),
    key("kubernetes.io/elb.client_timeout", "request timeout in seconds, HTTP", Integer(1, 300), "60", Later),
    key("kubernetes.io/elb.member_timeout", "response timeout in seconds, HTTP", Integer(1, 300), "60", Later),
    key("kubernetes.io/elb.idle-timeout", "idle timeout in seconds (open controller)", Integer(0, 4000), "300", Later),
    key("kubernetes.io/elb.request-timeout", "request timeout in seconds (open controller)", Integer(1, 300), "60", Later),
    key("kubernetes.io/elb.response-timeout", "response timeout in seconds (open controller)", Integer(1, 300), "60", Later),
    key(ACL_ID, "IP address group that may or may not connect", List, "everybody may connect", Refused),
    key(ACL_STATUS, "whether that group is used", OneOf(&["on", "off", "true", "false"]), "", Later),
    key("kubernetes.io/elb.acl-type", "what that group is", OneOf(&["white", "black"]), "", Later),
    key("kubernetes.io/elb.transparent-client-ip", "members see the client's address", Switch, "dedicated: true", Later),
    key("kubernetes.io/elb.enable-transparent-client-ip", "members see the client's address (open controller)", Switch, "false", Later),
    key("kubernetes.io/elb.x-forwarded-port", "header X-Forwarded-Port", Switch, "false", Later),
    key("kubernetes.io/elb.x-forwarded-for-port", "header X-Forwarded-For-Port", Switch, "false", Later),
    key("kubernetes.io/elb.x-forwarded-host", "header X-Forwarded-Host", Switch, "false", Later),
    key("kubernetes.io/elb.gzip-enabled", "compression", Switch, "false", Later),
    key("kubernetes.io/elb.port-ranges", "ranges of ports instead of single ones", Json, "", Later),
    key("kubernetes.io/elb.cps", "new connections per second", Integer(0, 1_000_000), "no limit", Later),
    key("kubernetes.io/elb.connection", "concurrent connections", Integer(0, 1_000_000), "no limit", Later),
    key("kubernetes.io/elb.connection-limit", "concurrent connections (open controller)", Text, "no limit", Later),
    // Inside the cluster
    key("kubernetes.io/elb.pass-through", "clients inside the cluster go through the load balancer", OneOf(&["true", "onlyLocal"]), "", Later),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_key_is_listed_once_and_in_a_known_namespace() {
        let names: BTreeSet<_> = KEYS.iter().map(|k| k.name).collect();
        assert_eq!(names.len(), KEYS.len());
        assert!(names.iter().all(|n| n.starts_with("kubernetes.io/") || n.starts_with("ferrolb.io/")));
        assert!(KEYS.iter().all(|k| !k.meaning.is_empty()));
    }

    #[test]
    fn misspelt_keys_find_their_neighbour() {
        for (wrong, right) in [
            ("kubernetes.io/elb.clas", Some(CLASS)),
            ("kubernetes.io/elb.auto-create", Some(AUTOCREATE)),
            ("kubernetes.io/elb.lb_algorithm", Some(LB_ALGORITHM)),
            ("kubernetes.io/elb.healthcheck-flag", Some(HEALTH_CHECK_FLAG)),
            ("kubernetes.io/elb.listen-ports", Some("kubernetes.io/elb.listener-port")),
            ("kubernetes.io/elb.zzzzzzzzzzzz", None),
        ] {
            assert_eq!(nearest(wrong), right, "{wrong}");
        }
    }
}
