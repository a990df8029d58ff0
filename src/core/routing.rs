//! What spec and options say of where traffic goes: to nodes or to the pods themselves, and in which shares.

use ferrolb_provider::Options;

const CLASS: &str = "kubernetes.io/elb.class";
const BACKENDS: &str = "ferrolb.io/backends";
const HOST_NETWORK: &str = "kubernetes.io/hws-hostNetwork";
const POD_FAMILY: &str = "kubernetes.io/elb.backend.ip-version";
const ADAPTIVE_WEIGHT: &str = "kubernetes.io/elb.adaptive-weight";

/// Where traffic goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Routing {
    /// No health check of the load balancer looks at the backends, so that readiness must decide: a DNAT rule sends
    /// traffic to one node, unasked.
    pub(crate) unchecked: bool,
    /// When pods are the backends.
    pub(crate) pods: Pods,
    /// A node gets traffic in proportion to its endpoints.
    pub(crate) by_endpoints: bool,
}

/// When pods are the backends of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pods {
    /// Always.
    Always,
    /// Where the Service is to do without node ports and the port has none.
    WithoutNodePort,
    /// Never.
    Never,
}

impl Routing {
    /// As options say; `local`: the Service's `externalTrafficPolicy`.
    pub(crate) fn of(options: &Options, local: bool) -> Self {
        let is = |key: &str, word: &str| options.get(key).is_some_and(|v| v.trim().eq_ignore_ascii_case(word));
        let unchecked = is(CLASS, "dnat");
        // The open controller's way: a key for the addresses of pods, which it takes with policy Local.
        let pods_of_local =
            local && is(CLASS, "dedicated") && options.get(POD_FAMILY).is_some_and(|v| !v.trim().is_empty());
        let pods = match () {
            () if unchecked || is(BACKENDS, "nodes") => Pods::Never,
            () if is(BACKENDS, "pods") || is(HOST_NETWORK, "true") || pods_of_local => Pods::Always,
            () => Pods::WithoutNodePort,
        };
        Self { unchecked, pods, by_endpoints: is(ADAPTIVE_WEIGHT, "true") }
    }

    /// Whether a port's backends are pods; `allocates`: the Service is to have node ports.
    pub(crate) fn is_direct(self, node_port: Option<u16>, allocates: bool) -> bool {
        match self.pods {
            Pods::Always => true,
            Pods::WithoutNodePort => node_port.is_none() && !allocates,
            Pods::Never => false,
        }
    }

    /// Whether single endpoints make a difference to a Service.
    pub(crate) fn follows_endpoints(self, allocates: bool) -> bool {
        self.by_endpoints || self.is_direct(None, allocates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routing(options: &[(&str, &str)], local: bool) -> Routing {
        Routing::of(&options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(), local)
    }

    #[test]
    fn nodes_unless_there_are_no_node_ports() {
        let plain = routing(&[], false);
        assert_eq!(plain, Routing { unchecked: false, pods: Pods::WithoutNodePort, by_endpoints: false });
        assert!(!plain.is_direct(Some(30080), true) && !plain.is_direct(None, true));
        assert!(!plain.is_direct(Some(30080), false), "a node port that was asked for is used");
        assert!(plain.is_direct(None, false));
        assert!(plain.follows_endpoints(false) && !plain.follows_endpoints(true));
    }

    #[test]
    fn who_asks_for_pods_or_nodes_gets_them() {
        for (options, local, pods) in [
            (&[(BACKENDS, "Pods")][..], false, Pods::Always),
            (&[(BACKENDS, "nodes")], false, Pods::Never),
            (&[(BACKENDS, "nodes"), (HOST_NETWORK, "true")], false, Pods::Never),
            (&[(BACKENDS, "cows")], false, Pods::WithoutNodePort),
            (&[(HOST_NETWORK, " true ")], false, Pods::Always),
            (&[(HOST_NETWORK, "false")], false, Pods::WithoutNodePort),
            (&[(CLASS, "dnat"), (BACKENDS, "pods")], false, Pods::Never),
            (&[(CLASS, "dedicated"), (POD_FAMILY, "ipv4")], true, Pods::Always),
            (&[(CLASS, "dedicated"), (POD_FAMILY, "ipv4")], false, Pods::WithoutNodePort),
            (&[(CLASS, "performance"), (POD_FAMILY, "ipv4")], true, Pods::WithoutNodePort),
            (&[(CLASS, "dedicated")], true, Pods::WithoutNodePort),
        ] {
            assert_eq!(routing(options, local).pods, pods, "{options:?}");
        }
    }

    #[test]
    fn weights_follow_endpoints_where_that_is_asked_for() {
        assert!(routing(&[(ADAPTIVE_WEIGHT, "true")], false).follows_endpoints(true));
        assert!(!routing(&[(ADAPTIVE_WEIGHT, "false")], false).follows_endpoints(true));
    }
}
