//! The table of keys.

use Form::{Id, Ids, Integer, Json, JsonList, List, OneOf, Seconds, Switch, Text, Word};
use Section::{Balancer, Dnat, Inside, Listener, Pool};
use Support::{Ignored, Inert, Later};
use Vocabulary::{Both, Open, Own};

use super::{Form, Key, Section, Support, Vocabulary, key};
use crate::spec::Class::{Dedicated, Shared};
use crate::spec::ElbProtocol::{self, Http, Https, Quic, Tcp, Tls, Udp};

/// `kubernetes.io/elb.class`
pub const CLASS: &str = "kubernetes.io/elb.class";
/// `kubernetes.io/elb.id`
pub const ID: &str = "kubernetes.io/elb.id";
/// `kubernetes.io/elb.autocreate`
pub const AUTOCREATE: &str = "kubernetes.io/elb.autocreate";
/// `ferrolb.io/allow-interruption`
pub const ALLOW_INTERRUPTION: &str = ferrolb_provider::ALLOW_INTERRUPTION;
/// `kubernetes.io/elb.enterpriseID`
pub const ENTERPRISE_ID: &str = "kubernetes.io/elb.enterpriseID";
/// `kubernetes.io/elb.instance-reclaim-policy`
pub const INSTANCE_RECLAIM_POLICY: &str = "kubernetes.io/elb.instance-reclaim-policy";
/// `kubernetes.io/elb.keep-eip`
pub const KEEP_EIP: &str = "kubernetes.io/elb.keep-eip";
/// `kubernetes.io/elb.eip-id`
pub const EIP_ID: &str = "kubernetes.io/elb.eip-id";
/// `kubernetes.io/elb.custom-eip-id`
pub const CUSTOM_EIP_ID: &str = "kubernetes.io/elb.custom-eip-id";
/// `kubernetes.io/elb.eip-auto-create-option`
pub const EIP_AUTO_CREATE_OPTION: &str = "kubernetes.io/elb.eip-auto-create-option";
/// `kubernetes.io/elb.subnet-id`
pub const SUBNET_ID: &str = "kubernetes.io/elb.subnet-id";
/// `kubernetes.io/elb.tags`
pub const TAGS: &str = "kubernetes.io/elb.tags";
/// `kubernetes.io/elb.availability-zones`
pub const AVAILABILITY_ZONES: &str = "kubernetes.io/elb.availability-zones";
/// `kubernetes.io/elb.l4-flavor-id`
pub const L4_FLAVOR_ID: &str = "kubernetes.io/elb.l4-flavor-id";
/// `kubernetes.io/elb.l7-flavor-id`
pub const L7_FLAVOR_ID: &str = "kubernetes.io/elb.l7-flavor-id";
/// `kubernetes.io/elb.enable-cross-vpc`
pub const ENABLE_CROSS_VPC: &str = "kubernetes.io/elb.enable-cross-vpc";
/// `kubernetes.io/natgateway.id`
pub const NAT_GATEWAY_ID: &str = "kubernetes.io/natgateway.id";
/// `kubernetes.io/elb.lb-algorithm`
pub const LB_ALGORITHM: &str = "kubernetes.io/elb.lb-algorithm";
/// `kubernetes.io/elb.session-affinity-mode`
pub const SESSION_AFFINITY_MODE: &str = "kubernetes.io/elb.session-affinity-mode";
/// `kubernetes.io/session-affinity-mode`
pub const SESSION_AFFINITY_MODE_OLD: &str = "kubernetes.io/session-affinity-mode";
/// `kubernetes.io/elb.session-affinity-option`
pub const SESSION_AFFINITY_OPTION: &str = "kubernetes.io/elb.session-affinity-option";
/// `kubernetes.io/elb.session-affinity-flag`
pub const SESSION_AFFINITY_FLAG: &str = "kubernetes.io/elb.session-affinity-flag";
/// `kubernetes.io/elb.health-check-flag`
pub const HEALTH_CHECK_FLAG: &str = "kubernetes.io/elb.health-check-flag";
/// `kubernetes.io/elb.health-check-option`
pub const HEALTH_CHECK_OPTION: &str = "kubernetes.io/elb.health-check-option";
/// `kubernetes.io/elb.health-check-options`
pub const HEALTH_CHECK_OPTIONS: &str = "kubernetes.io/elb.health-check-options";
/// `kubernetes.io/elb.connection-drain-enable`
pub const CONNECTION_DRAIN_ENABLE: &str = "kubernetes.io/elb.connection-drain-enable";
/// `kubernetes.io/elb.connection-drain-timeout`
pub const CONNECTION_DRAIN_TIMEOUT: &str = "kubernetes.io/elb.connection-drain-timeout";
/// `ferrolb.io/backends`
pub const BACKENDS: &str = "ferrolb.io/backends";
/// `kubernetes.io/hws-hostNetwork`
pub const HOST_NETWORK: &str = "kubernetes.io/hws-hostNetwork";
/// `kubernetes.io/elb.adaptive-weight`
pub const ADAPTIVE_WEIGHT: &str = "kubernetes.io/elb.adaptive-weight";
/// `kubernetes.io/elb.backend.ip-version`
pub const BACKEND_IP_VERSION: &str = "kubernetes.io/elb.backend.ip-version";
/// `kubernetes.io/elb.backend.subnet-id`
pub const BACKEND_SUBNET_ID: &str = "kubernetes.io/elb.backend.subnet-id";
/// `kubernetes.io/elb.protocol-port`
pub const PROTOCOL_PORT: &str = "kubernetes.io/elb.protocol-port";
/// `kubernetes.io/elb.cert-id`
pub const CERT_ID: &str = "kubernetes.io/elb.cert-id";
/// `kubernetes.io/elb.default-tls-container-ref`
pub const DEFAULT_TLS_CONTAINER_REF: &str = "kubernetes.io/elb.default-tls-container-ref";
/// `kubernetes.io/elb.client-ca-cert-id`
pub const CLIENT_CA_CERT_ID: &str = "kubernetes.io/elb.client-ca-cert-id";
/// `kubernetes.io/elb.tls-ciphers-policy`
pub const TLS_CIPHERS_POLICY: &str = "kubernetes.io/elb.tls-ciphers-policy";
/// `kubernetes.io/elb.security_policy_id`
pub const SECURITY_POLICY_ID: &str = "kubernetes.io/elb.security_policy_id";
/// `kubernetes.io/elb.security-pool-protocol`
pub const SECURITY_POOL_PROTOCOL: &str = "kubernetes.io/elb.security-pool-protocol";
/// `kubernetes.io/elb.pool-protocol`
pub const POOL_PROTOCOL: &str = "kubernetes.io/elb.pool-protocol";
/// `kubernetes.io/elb.transparent-client-ip`
pub const TRANSPARENT_CLIENT_IP: &str = "kubernetes.io/elb.transparent-client-ip";
/// `kubernetes.io/elb.enable-transparent-client-ip`
pub const ENABLE_TRANSPARENT_CLIENT_IP: &str = "kubernetes.io/elb.enable-transparent-client-ip";
/// `kubernetes.io/elb.x-forwarded-host`
pub const X_FORWARDED_HOST: &str = "kubernetes.io/elb.x-forwarded-host";
/// `kubernetes.io/elb.acl-id`
pub const ACL_ID: &str = "kubernetes.io/elb.acl-id";
/// `kubernetes.io/elb.acl-status`
pub const ACL_STATUS: &str = "kubernetes.io/elb.acl-status";
/// `kubernetes.io/elb.pass-through`
pub const PASS_THROUGH: &str = "kubernetes.io/elb.pass-through";
/// `kubernetes.io/elb.custom-backend-weights`
pub const CUSTOM_BACKEND_WEIGHTS: &str = "kubernetes.io/elb.custom-backend-weights";
/// `kubernetes.io/elb.port-ranges`
pub const PORT_RANGES: &str = "kubernetes.io/elb.port-ranges";
/// `kubernetes.io/elb.acl-type`
pub const ACL_TYPE: &str = "kubernetes.io/elb.acl-type";
/// `ferrolb.io/ip-mode`
pub const IP_MODE: &str = "ferrolb.io/ip-mode";
/// `ferrolb.io/elb-slow-start`
pub const SLOW_START: &str = "ferrolb.io/elb-slow-start";

const HTTP: &[ElbProtocol] = &[Http, Https];
const CERTIFIED: &[ElbProtocol] = &[Https, Tls, Quic];

/// The table.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    key(CLASS, "kind of load balancer; `union` and `shared` mean the same, `performance` and `dedicated` too. The open controller's words make its defaults hold where the two differ", OneOf(&["union", "performance", "shared", "dedicated", "dnat"]), Balancer).of(Both).fixed().default("`union` with `elb.autocreate`; with `elb.id` that of the load balancer"),
    key(ID, "use this existing load balancer", Id, Balancer).of(Both).fixed().unless("`elb.autocreate` has no effect beside it: the load balancer is yours and stays"),
    key(AUTOCREATE, "make a load balancer", Json, Balancer).fixed().default("with the open controller's class words, and without `elb.id`, one is made all the same, as the keys of the open controller say"),
    key(ENTERPRISE_ID, "enterprise project of what is made", Id, Balancer).fixed().default("`0`, the default project").since("1.15"),
    key(SUBNET_ID, "IPv4 subnet of the load balancer that is made without `elb.autocreate`; CCE's, of very old clusters, means nothing", Id, Balancer).of(Open).fixed().default("the controller's"),
    key("kubernetes.io/elb.vpc.id", "VPC, old spelling", Id, Balancer).support(Inert),
    key(TAGS, "tags of the load balancer that is made: `k=v,k2=v2`, or a JSON object. Other tags stay as they are, also those that are no longer named here", Text, Balancer).kept().since("1.23.11, 1.25.6, 1.27.3").unless("no effect beside `elb.id`: the load balancer is yours"),
    key(INSTANCE_RECLAIM_POLICY, "what happens to the load balancer of ours when the Service goes (see below)", OneOf(&["alwaysDelete", "retain"]), Balancer).default("`alwaysDelete`").since("1.28.15").unless("no effect beside `elb.id`: the load balancer is yours and stays"),
    key(EIP_ID, "use this EIP of yours: it is bound to the load balancer (class `dnat`: gets the rules), unbound when the Service goes or names another one, and never deleted or renamed. One that you bound there yourself stays bound. CCE writes this key; the open controller reads it, and deletes the EIP", Id, Balancer).of(Both).default("an EIP of our own with `type` `public`").unless("no EIP is made beside it. Where clients know another address of the Service, that one serves until `ferrolb.io/allow-interruption` lets it go"),
    key(CUSTOM_EIP_ID, "the same, and wins over `elb.eip-id`, which it does not need here. An EIP of our own is deleted once this one is bound", Id, Balancer).default("`elb.eip-id`").since("1.23.18, 1.25.13, 1.27.10, 1.28.8, 1.29.4, 1.30.1").unless("as there"),
    key("kubernetes.io/elb.custom-eip-status", "written by CCE", Json, Balancer).support(Inert),
    key("kubernetes.io/elb.mark", "written by CCE", Text, Balancer).of(Both).support(Inert),
    key(KEEP_EIP, "the EIP of ours stays when the Service goes (see below)", Switch, Balancer).of(Open).default("`false`").unless("no effect on an EIP that you brought: it stays anyway"),
    key(EIP_AUTO_CREATE_OPTION, "make an EIP: `ip_type`, and for a bandwidth of its own `bandwidth_size` and `charge_mode`; for one that it shares `share_type` (`WHOLE`) and `share_id`. Only the size can change later", Json, Balancer).of(Open).default("no EIP; `charge_mode` `traffic`, `share_type` `PER`").unless("no effect beside `elb.id`, nor beside an `elb.autocreate` of type `public`"),
    key(AVAILABILITY_ZONES, "zones of a dedicated load balancer, separated by `;`; it needs at least one", List, Balancer).of(Open).only(Dedicated).fixed().unless("in `elb.autocreate` `available_zone` says it"),
    key(L4_FLAVOR_ID, "flavor for TCP and UDP", Id, Balancer).of(Open).only(Dedicated).fixed().default("the region's").unless("in `elb.autocreate` `l4_flavor_name` says it"),
    key(L7_FLAVOR_ID, "flavor for HTTP", Id, Balancer).of(Open).only(Dedicated).fixed().default("the region's").unless("in `elb.autocreate` `l7_flavor_name` says it"),
    key(ENABLE_CROSS_VPC, "members outside the VPC (`ip_target_enable`); the cloud cannot switch it off again", Switch, Balancer).of(Open).only(Dedicated).kept().default("`false`").unless("no effect beside `elb.id`: the load balancer is yours"),
    key(ALLOW_INTERRUPTION, "lets a load balancer or EIP of ours go that the other annotations ask for no longer; without it what cannot be had again stays, with all that hangs on it, until the Service itself goes, and a condition says so", Switch, Balancer).of(Own).default("`false`"),

    key(LB_ALGORITHM, "how a member is chosen", OneOf(&["ROUND_ROBIN", "LEAST_CONNECTIONS", "SOURCE_IP"]), Pool).of(Both).default("`ROUND_ROBIN`").unless("`SOURCE_IP` does without weights and excludes session affinity"),
    key(SESSION_AFFINITY_MODE, "a client keeps its member: by its address on TCP and UDP ports, by a cookie on HTTP and HTTPS ports", OneOf(&["SOURCE_IP", "HTTP_COOKIE", "APP_COOKIE", "off"]), Pool).default("off; with `spec.sessionAffinity: ClientIP` `SOURCE_IP` on TCP and UDP ports and `HTTP_COOKIE` on others, for the time given there").unless("not with `lb-algorithm: SOURCE_IP`; `APP_COOKIE` needs a `cookie_name` in the option"),
    key(SESSION_AFFINITY_MODE_OLD, "old spelling of `elb.session-affinity-mode`", OneOf(&["SOURCE_IP", "HTTP_COOKIE", "APP_COOKIE", "off"]), Pool).default("off").unless("`elb.session-affinity-mode` wins"),
    key(SESSION_AFFINITY_FLAG, "a client keeps its member, as `type` in the option says", OneOf(&["on", "off"]), Pool).of(Open).default("`off`").unless("`elb.session-affinity-mode` wins"),
    key(SESSION_AFFINITY_OPTION, "for how many minutes a client keeps its member, `persistence_timeout`: 1 to 60, on HTTP and HTTPS ports 1 to 1440; the open controller also says `type` and `cookie_name` here", Json, Pool).of(Both).default("60 minutes, on HTTP and HTTPS ports 1440").unless("needs `elb.session-affinity-mode` or `-flag: on`"),
    key(HEALTH_CHECK_FLAG, "whether members are probed", OneOf(&["on", "off", ""]), Pool).of(Both).default("`on`"),
    key(HEALTH_CHECK_OPTION, "how members are probed: `protocol` (`TCP`, `UDP`, `HTTP`), `delay`, `timeout` (seconds, 1 to 50), `max_retries` (1 to 10), `path`, `expected_codes`", Json, Pool).of(Both).default("every 5 s, timeout 10 s (3 s with the open controller's class words), 3 retries; TCP for TCP, UDP for UDP; with `externalTrafficPolicy: Local` HTTP on the health check node port").unless("not with `elb.health-check-options`"),
    key(HEALTH_CHECK_OPTIONS, "the same port by port, with `target_service_port` (such as `TCP:80`) and `monitor_port`; ports that are not listed get what holds without it", JsonList, Pool).since("1.19.16, 1.21.8, 1.23.6, 1.25.2").unless("not with `elb.health-check-option`"),
    key(BACKENDS, "what members are: nodes with node ports; or pods with their own ports, while they are ready, where pods have addresses in the VPC (CCE Turbo) and the load balancer is dedicated", OneOf(&["nodes", "pods"]), Pool).of(Own).default("`pods` for ports without a node port of a Service with `allocateLoadBalancerNodePorts: false`, otherwise `nodes`").unless("pods need `elb.backend.subnet-id` or the controller's `--elb-pod-subnet-id`; for them `externalTrafficPolicy` makes no difference"),
    key(ADAPTIVE_WEIGHT, "weight of a node = ready pods on it, at most 100; while there is none at all, all nodes are alike", Switch, Pool).default("`false`: all nodes are alike").since("1.21").unless("has no effect with `lb-algorithm: SOURCE_IP` and on pods"),
    key(CUSTOM_BACKEND_WEIGHTS, "weights of pods that are members: `defaultWeight` (0 to 100) is that of all. The form of `groups` is not published: they get no weights of their own, which a warning says", Json, Pool).only(Dedicated).default("all pods are alike").unless("not with `elb.adaptive-weight`; has no effect on nodes, and with `lb-algorithm: SOURCE_IP`"),
    key(CONNECTION_DRAIN_ENABLE, "connections survive the removal of a member", Switch, Pool).default("`false`").unless("needs `elb.connection-drain-timeout`"),
    key(CONNECTION_DRAIN_TIMEOUT, "for how long they do", Seconds(10, 4000), Pool).unless("needs `elb.connection-drain-enable: true`"),
    key(SLOW_START, "a new member gets its full share only after so long", Seconds(30, 1200), Pool).of(Own).only(Dedicated).on(HTTP).default("at once"),
    key(HOST_NETWORK, "pods on the network of their node are members themselves: the node's address, the pod's port; of any class. Other pods get no traffic, which a warning says", Switch, Pool).default("`false`").since("1.9").unless("`ferrolb.io/backends: nodes` wins"),
    key("kubernetes.io/elb.pools-options", "forward all ports (`any_port_enabled`)", Json, Pool).only(Dedicated).since("1.30.14").support(Ignored("its exact form is not published, and to guess would send traffic to ports that nobody meant to open; members get it on their own port")),
    key("kubernetes.io/elb.multicluster", "several clusters share one listener", Switch, Pool).default("`false`").support(Later),
    key("kubernetes.io/elb.multicluster-loadbalancer-weight", "share of this cluster", Integer(0, 100), Pool).support(Later),
    key("kubernetes.io/elb.listener-port", "written by CCE", Text, Pool).support(Inert),
    key("kubernetes.io/elb.listener-port-ranges-auto-generated", "written by CCE", Text, Pool).support(Inert),
    key(BACKEND_IP_VERSION, "address family of pods that are members: only IPv4 so far, `ipv6` is refused. With class `dedicated` and `externalTrafficPolicy: Local` it makes pods the members, as with the open controller", OneOf(&["ipv4", "v4", "ipv6", "v6"]), Pool).of(Open).only(Dedicated).default("`ipv4`"),
    key(BACKEND_SUBNET_ID, "IPv4 subnet id (`neutron_subnet_id`) of pods that are members, or of the nodes; members that are there already keep theirs", Id, Pool).of(Open).only(Dedicated).default("that of the controller's `--elb-pod-subnet-id` or `--elb-member-subnet-id`"),

    key(PROTOCOL_PORT, "which ports speak what: `http:80,https:443`. `http`, `https`, `tls` on TCP ports; `quic` on a UDP port whose number is a TCP port too, where its requests go", List, Listener).default("TCP and UDP").interrupts().since("1.19.16").unless("`https`, `tls` and `quic` need a certificate, `tls` and `quic` a dedicated load balancer"),
    key(CERT_ID, "server certificate", Id, Listener).on(CERTIFIED).sets("default_tls_container_ref").kept(),
    key(DEFAULT_TLS_CONTAINER_REF, "server certificate; without `elb.protocol-port` all TCP ports speak HTTPS", Id, Listener).of(Open).on(CERTIFIED).sets("default_tls_container_ref").kept(),
    key(CLIENT_CA_CERT_ID, "clients need a certificate of this CA", Id, Listener).only(Dedicated).on(&[Https]).sets("client_ca_tls_container_ref").kept().since("1.23.14, 1.25.9, 1.27.6, 1.28.4"),
    key("kubernetes.io/elb.tls-certificate-ids", "further server certificates, chosen by domain (SNI)", Ids, Listener).on(&[Https]).sets("sni_container_refs").kept().since("1.23.13, 1.25.8, 1.27.5, 1.28.3"),
    key("kubernetes.io/elb.http2-enable", "HTTP/2", Switch, Listener).default("`false`").on(&[Https]).sets("http2_enable").kept(),
    key(TLS_CIPHERS_POLICY, "TLS versions and ciphers, such as `tls-1-2`", Word, Listener).default("the cloud's").only(Dedicated).on(&[Https]).sets("tls_ciphers_policy").kept().unless("`elb.security_policy_id` wins"),
    key(SECURITY_POLICY_ID, "TLS policy of one's own", Id, Listener).only(Dedicated).on(&[Https]).sets("security_policy_id").kept(),
    key(SECURITY_POOL_PROTOCOL, "TLS towards members: HTTPS behind HTTPS, TLS behind TLS", OneOf(&["on", "off"]), Listener).default("`off`: HTTP behind HTTPS, TCP behind TLS").on(&[Https, Tls]).interrupts().since("1.23.14"),
    key(POOL_PROTOCOL, "protocol towards members", OneOf(&["http", "https", "grpc", "tcp", "tls"]), Listener).default("`http` behind HTTPS, `tcp` behind TLS").on(&[Https, Tls]).interrupts().unless("`elb.security-pool-protocol: on` wins"),
    key("kubernetes.io/elb.keepalive_timeout", "idle timeout; on TCP and UDP ports at least 10", Seconds(0, 4000), Listener).default("300, on HTTP and HTTPS ports 60").on(&[Tcp, Udp, Http, Https]).sets("keepalive_timeout").kept().unless("has no effect on UDP ports of a shared load balancer"),
    key("kubernetes.io/elb.client_timeout", "request timeout", Seconds(1, 300), Listener).default("60").on(HTTP).sets("client_timeout").kept(),
    key("kubernetes.io/elb.member_timeout", "response timeout", Seconds(1, 300), Listener).default("60").on(HTTP).sets("member_timeout").kept(),
    key("kubernetes.io/elb.idle-timeout", "idle timeout; on TCP and UDP ports at least 10", Seconds(0, 4000), Listener).of(Open).default("300, on HTTP and HTTPS ports 60").on(&[Tcp, Udp, Http, Https]).sets("keepalive_timeout").kept(),
    key("kubernetes.io/elb.request-timeout", "request timeout", Seconds(1, 300), Listener).of(Open).default("60").on(HTTP).sets("client_timeout").kept(),
    key("kubernetes.io/elb.response-timeout", "response timeout", Seconds(1, 300), Listener).of(Open).default("60").on(HTTP).sets("member_timeout").kept(),
    key(ACL_ID, "IP address groups of your own that may connect, or may not: one, up to 5 on a dedicated load balancer; `\"\"` lets everybody connect. They are used, never changed", Ids, Listener).default("what a listener has stays; new listeners let everybody connect").kept().since("1.23.12, 1.25.7, 1.27.4, 1.28.2").unless("needs `elb.acl-status` and `elb.acl-type`; not with `spec.loadBalancerSourceRanges`, which makes a group of its own"),
    key(ACL_STATUS, "whether those groups are used", OneOf(&["on", "off", "true", "false"]), Listener).since("1.23.12, 1.25.7, 1.27.4, 1.28.2").unless("needs `elb.acl-id`"),
    key(ACL_TYPE, "`white`: only those groups may connect; `black`: all others may", OneOf(&["white", "black"]), Listener).since("1.23.12, 1.25.7, 1.27.4, 1.28.2").unless("needs `elb.acl-id`; needed unless `elb.acl-status` is `off`"),
    key(TRANSPARENT_CLIENT_IP, "members see the client's address", Switch, Listener).default("shared: `false`; dedicated load balancers always do").only(Shared).on(&[Tcp, Udp]).sets("transparent_client_ip_enable").kept().since("1.23.17").unless("nodes show it to pods only with `externalTrafficPolicy: Local`"),
    key(ENABLE_TRANSPARENT_CLIENT_IP, "members see the client's address", Switch, Listener).of(Open).default("shared: `false`").only(Shared).on(&[Tcp, Udp]).sets("transparent_client_ip_enable").kept(),
    key("kubernetes.io/elb.x-forwarded-port", "header X-Forwarded-Port", Switch, Listener).default("`false`").only(Dedicated).on(HTTP).sets("insert_headers/X-Forwarded-Port").kept().since("1.23.13"),
    key("kubernetes.io/elb.x-forwarded-for-port", "header X-Forwarded-For-Port", Switch, Listener).default("`false`").only(Dedicated).on(HTTP).sets("insert_headers/X-Forwarded-For-Port").kept().since("1.23.13"),
    key(X_FORWARDED_HOST, "header X-Forwarded-Host; with the open controller's class words and without `elb.protocol-port` all TCP ports speak HTTP, too", Switch, Listener).of(Both).default("`false`").on(HTTP).sets("insert_headers/X-Forwarded-Host").kept().since("1.23.13"),
    key("kubernetes.io/elb.gzip-enabled", "compression", Switch, Listener).default("`false`").only(Dedicated).on(HTTP).sets("gzip_enable").kept().since("1.23.14"),
    key(PORT_RANGES, "ranges of ports that a listener takes instead of the port, by the name of the Service's port: `{\"cce-service-0\":[\"100,200\",\"300,400\"]}`; at most 10 that do not overlap. All of them lead to the members' one port", Json, Listener).default("the port alone").only(Dedicated).on(&[Tcp, Udp, Tls]).since("1.23.18, 1.25.13, 1.27.10, 1.28.8, 1.29.4, 1.30.1").interrupts(),
    key("kubernetes.io/elb.cps", "new connections per second", Integer(0, 1_000_000), Listener).default("`0`, no limit").only(Dedicated).sets("cps").kept().since("1.30.14"),
    key("kubernetes.io/elb.connection", "concurrent connections", Integer(0, 1_000_000), Listener).default("`0`, no limit").only(Dedicated).sets("connection").kept().since("1.30.14"),
    key("kubernetes.io/elb.connection-limit", "concurrent connections", Text, Listener).of(Open).default("no limit").support(Ignored("the open controller documents it and never acted on it; elb.connection limits connections")),

    key(PASS_THROUGH, "clients inside the cluster go through the load balancer: its addresses are published with `ipMode: Proxy`. Behind a dedicated load balancer, which shows members the client's address, a node with a backend and the pods on it do not reach it; a warning says so", OneOf(&["true", "onlyLocal", "false"]), Inside).default("`false`: kube-proxy serves them itself (`ipMode: VIP`; with the mock cloud `Proxy`)").since("1.19").unless("`onlyLocal`, which CCE writes beside `externalTrafficPolicy: Local`, does the same"),

    key(NAT_GATEWAY_ID, "the public NAT gateway that gets a rule for each port", Id, Dnat).of(Both),
    key(IP_MODE, "whether clients inside the cluster are served by kube-proxy (`VIP`) or would have to go through the gateway, which does not answer them (`Proxy`)", OneOf(&["VIP", "Proxy"]), Dnat).of(Own).default("`VIP`; with the mock cloud, which may run on a node, `Proxy`"),
];
