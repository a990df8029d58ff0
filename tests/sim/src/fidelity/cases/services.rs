//! Services: defaults, node ports, changes of type, and what may not change.

use super::Case;

pub const CASES: &[Case] = &[
    (
        "service/load-balancer",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}"#,
    ),
    (
        "service/node-port",
        r#"POST services {metadata: {name: a}, spec: {type: NodePort, ports: [{name: x, port: 80}, {name: y, port: 81}]}}"#,
    ),
    ("service/headless", r#"POST services {metadata: {name: a}, spec: {clusterIP: None, ports: [{port: 80}]}}"#),
    (
        "service/external-name",
        r#"POST services {metadata: {name: a}, spec: {type: ExternalName, externalName: e.example.com}}"#,
    ),
    ("service/external-name-missing", r#"POST services {metadata: {name: a}, spec: {type: ExternalName}}"#),
    (
        "service/everything-said",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, loadBalancerClass: ferrolb.io/elb,
        loadBalancerIP: 192.0.2.7, loadBalancerSourceRanges: [192.0.2.0/24], externalTrafficPolicy: Local,
        internalTrafficPolicy: Local, sessionAffinity: ClientIP, selector: {app: x}, publishNotReadyAddresses: true,
        ports: [{name: x, port: 80, targetPort: http, protocol: TCP, appProtocol: http}, {name: y, port: 53, protocol: UDP}]}}"#,
    ),
    (
        "service/own-node-port",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80, nodePort: 31303}]}}"#,
    ),
    (
        "service/node-port-taken",
        r#"POST services {metadata: {name: a}, spec: {type: NodePort, ports: [{port: 80, nodePort: 31304}]}}
        POST services {metadata: {name: b}, spec: {type: NodePort, ports: [{port: 80, nodePort: 31304}]}}"#,
    ),
    (
        "service/node-port-out-of-range",
        r#"POST services {metadata: {name: a}, spec: {type: NodePort, ports: [{port: 80, nodePort: 80}]}}"#,
    ),
    (
        "service/node-port-twice",
        r#"POST services {metadata: {name: a}, spec: {type: NodePort,
        ports: [{name: x, port: 80, nodePort: 31305}, {name: y, port: 81, nodePort: 31305}]}}"#,
    ),
    (
        "service/node-port-for-two-protocols",
        r#"POST services {metadata: {name: a}, spec: {type: NodePort,
        ports: [{name: x, port: 53, nodePort: 31306}, {name: y, port: 53, protocol: UDP, nodePort: 31306}]}}"#,
    ),
    (
        "service/node-port-shared-by-protocols",
        r#"POST services {metadata: {name: a}, spec: {type: NodePort,
        ports: [{name: x, port: 53}, {name: y, port: 53, protocol: UDP}]}}"#,
    ),
    (
        "service/node-port-of-a-cluster-ip",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80, nodePort: 31307}]}}"#,
    ),
    (
        "service/no-node-ports",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer,
        allocateLoadBalancerNodePorts: false, ports: [{port: 80}]}}
        MERGE services/a {spec: {allocateLoadBalancerNodePorts: true}}
        MERGE services/a {spec: {allocateLoadBalancerNodePorts: false}}"#,
    ),
    (
        "service/no-node-ports-but-one",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer,
        allocateLoadBalancerNodePorts: false, ports: [{name: x, port: 80, nodePort: 31308}, {name: y, port: 81}]}}
        MERGE services/a {metadata: {labels: {l: "1"}}}"#,
    ),
    (
        "service/no-node-ports-off-type",
        r#"POST services {metadata: {name: a}, spec: {type: NodePort,
        allocateLoadBalancerNodePorts: true, ports: [{port: 80}]}}"#,
    ),
    (
        "service/node-port-kept",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        PUT services/a {metadata: {name: a, labels: {l: "1"}}, spec: {type: LoadBalancer, ports: [{port: 80}]}}"#,
    ),
    (
        "service/node-port-kept-by-port-not-place",
        r#"POST services {metadata: {name: a}, spec: {type: NodePort,
        ports: [{name: x, port: 80}, {name: y, port: 81}]}}
        PUT services/a {metadata: {name: a}, spec: {type: NodePort, ports: [{name: y, port: 81}, {name: z, port: 82}]}}"#,
    ),
    (
        "service/node-port-of-a-renamed-port",
        r#"POST services {metadata: {name: a}, spec: {type: NodePort, ports: [{name: x, port: 80}]}}
        PUT services/a {metadata: {name: a}, spec: {type: NodePort, ports: [{name: y, port: 80}]}}"#,
    ),
    (
        "service/node-port-changed",
        r#"POST services {metadata: {name: a}, spec: {type: NodePort, ports: [{port: 80, nodePort: 31309}]}}
        MERGE services/a {spec: {ports: [{port: 80, nodePort: 31310}]}}
        POST services {metadata: {name: b}, spec: {type: NodePort, ports: [{port: 80, nodePort: 31309}]}}"#,
    ),
    (
        "service/dry-run-takes-no-node-port",
        r#"POST services?dryRun=All {metadata: {name: a}, spec: {type: NodePort, ports: [{port: 80, nodePort: 31311}]}}
        POST services {metadata: {name: b}, spec: {type: NodePort, ports: [{port: 80, nodePort: 31311}]}}"#,
    ),
    (
        "service/to-cluster-ip",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, loadBalancerClass: ferrolb.io/elb,
        externalTrafficPolicy: Local, ports: [{port: 80}]}}
        MERGE services/a/status {status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}, conditions: [{type: example.com/A,
        status: "True", reason: R, message: m, lastTransitionTime: "2020-01-01T00:00:00Z"}]}}
        MERGE services/a {spec: {type: ClusterIP}}
        GET services/a"#,
    ),
    (
        "service/to-node-port",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, loadBalancerClass: ferrolb.io/elb, ports: [{port: 80}]}}
        MERGE services/a/status {status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}}
        MERGE services/a {spec: {type: NodePort}}"#,
    ),
    (
        "service/to-load-balancer",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        MERGE services/a {spec: {type: LoadBalancer, loadBalancerClass: ferrolb.io/elb}}"#,
    ),
    (
        "service/to-load-balancer-from-node-port",
        r#"POST services {metadata: {name: a}, spec: {type: NodePort, ports: [{port: 80}]}}
        MERGE services/a {spec: {type: LoadBalancer}}"#,
    ),
    (
        "service/to-and-fro",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        MERGE services/a {spec: {type: ClusterIP}}
        MERGE services/a {spec: {type: LoadBalancer}}"#,
    ),
    (
        "service/to-external-name",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        MERGE services/a {spec: {type: ExternalName, externalName: e.example.com}}"#,
    ),
    (
        "service/class-changed",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, loadBalancerClass: ferrolb.io/elb, ports: [{port: 80}]}}
        MERGE services/a {spec: {loadBalancerClass: ferrolb.io/other}}"#,
    ),
    (
        "service/class-removed",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, loadBalancerClass: ferrolb.io/elb, ports: [{port: 80}]}}
        MERGE services/a {spec: {loadBalancerClass: null}}"#,
    ),
    (
        "service/class-added",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        MERGE services/a {spec: {loadBalancerClass: ferrolb.io/elb}}"#,
    ),
    (
        "service/class-off-type",
        r#"POST services {metadata: {name: a}, spec: {loadBalancerClass: ferrolb.io/elb, ports: [{port: 80}]}}"#,
    ),
    (
        "service/class-wrong",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, loadBalancerClass: "a b", ports: [{port: 80}]}}"#,
    ),
    (
        "service/class-by-a-flip",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, loadBalancerClass: ferrolb.io/elb, ports: [{port: 80}]}}
        MERGE services/a {spec: {type: ClusterIP, loadBalancerClass: null}}
        MERGE services/a {spec: {type: LoadBalancer, loadBalancerClass: ferrolb.io/other}}"#,
    ),
    (
        "service/class-kept-off-type",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, loadBalancerClass: ferrolb.io/elb, ports: [{port: 80}]}}
        PUT services/a {metadata: {name: a}, spec: {type: ClusterIP, loadBalancerClass: ferrolb.io/other, ports: [{port: 80}]}}"#,
    ),
    (
        "service/health-check-node-port",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, externalTrafficPolicy: Local, ports: [{port: 80}]}}
        MERGE services/a {spec: {externalTrafficPolicy: Cluster}}
        MERGE services/a {spec: {externalTrafficPolicy: Local}}"#,
    ),
    (
        "service/health-check-node-port-own",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, externalTrafficPolicy: Local,
        healthCheckNodePort: 31312, ports: [{port: 80}]}}
        MERGE services/a {spec: {healthCheckNodePort: 31313}}"#,
    ),
    (
        "service/health-check-node-port-off-policy",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer,
        healthCheckNodePort: 31314, ports: [{port: 80}]}}"#,
    ),
    (
        "service/health-check-node-port-kept",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, externalTrafficPolicy: Local, ports: [{port: 80}]}}
        PUT services/a {metadata: {name: a}, spec: {type: LoadBalancer, externalTrafficPolicy: Local, ports: [{port: 80}]}}"#,
    ),
    (
        "service/traffic-policy-off-type",
        r#"POST services {metadata: {name: a}, spec: {externalTrafficPolicy: Local, ports: [{port: 80}]}}"#,
    ),
    (
        "service/traffic-policy-wrong",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, externalTrafficPolicy: Other, ports: [{port: 80}]}}"#,
    ),
    (
        "service/cluster-ip-changed",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        MERGE services/a {spec: {clusterIP: None, clusterIPs: [None]}}"#,
    ),
    (
        "service/source-ranges-off-type",
        r#"POST services {metadata: {name: a}, spec: {loadBalancerSourceRanges: [192.0.2.0/24], ports: [{port: 80}]}}"#,
    ),
    (
        "service/source-ranges-wrong",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, loadBalancerSourceRanges: [192.0.2.0/33], ports: [{port: 80}]}}"#,
    ),
    ("service/no-ports", r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer}}"#),
    ("service/port-zero", r#"POST services {metadata: {name: a}, spec: {ports: [{port: 0}]}}"#),
    ("service/port-too-large", r#"POST services {metadata: {name: a}, spec: {ports: [{port: 65536}]}}"#),
    ("service/ports-without-names", r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}, {port: 81}]}}"#),
    (
        "service/ports-with-one-name",
        r#"POST services {metadata: {name: a}, spec: {ports: [{name: x, port: 80}, {name: x, port: 81}]}}"#,
    ),
    (
        "service/ports-twice",
        r#"POST services {metadata: {name: a}, spec: {ports: [{name: x, port: 80}, {name: y, port: 80}]}}"#,
    ),
    ("service/protocol-wrong", r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80, protocol: XYZ}]}}"#),
    ("service/type-wrong", r#"POST services {metadata: {name: a}, spec: {type: Other, ports: [{port: 80}]}}"#),
    (
        "service/two-faults",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, externalTrafficPolicy: Other, ports: [{port: 0}]}}"#,
    ),
    (
        "service/affinity",
        r#"POST services {metadata: {name: a}, spec: {sessionAffinity: ClientIP,
        sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}, ports: [{port: 80}]}}
        MERGE services/a {spec: {sessionAffinity: None, sessionAffinityConfig: null}}"#,
    ),
    (
        "service/families",
        r#"POST services {metadata: {name: a}, spec: {ipFamilies: [IPv4], ipFamilyPolicy: PreferDualStack, ports: [{port: 80}]}}"#,
    ),
    (
        "service/family-not-there",
        r#"POST services {metadata: {name: a}, spec: {ipFamilies: [IPv6], ports: [{port: 80}]}}"#,
    ),
];
