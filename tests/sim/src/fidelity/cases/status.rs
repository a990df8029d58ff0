//! The subresource `status`: what it lets through, and what the main path does not.

use super::Case;

pub const CASES: &[Case] = &[
    (
        "status/get",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        GET services/a/status"#,
    ),
    (
        "status/merge-ingress",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        MERGE services/a/status {status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}}
        GET services/a"#,
    ),
    (
        "status/ignores-spec",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        MERGE services/a/status {spec: {type: ClusterIP, ports: [{port: 81}]}, status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}}"#,
    ),
    (
        "status/ignores-spec-in-update",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        PUT services/a/status {metadata: {name: a}, spec: {ports: [{port: 81}]}, status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}}"#,
    ),
    (
        "status/takes-metadata",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        MERGE services/a/status {metadata: {labels: {l: "1"}, annotations: {example.com/a: x}, finalizers: [example.com/f]}}
        GET services/a"#,
    ),
    (
        "status/main-ignores-status",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        MERGE services/a/status {status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}}
        PUT services/a {metadata: {name: a, labels: {l: "1"}}, spec: {type: LoadBalancer, ports: [{port: 80}]}, status: {}}
        MERGE services/a {status: null}"#,
    ),
    (
        "status/main-ignores-status-changes-nothing",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        MERGE services/a {status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}}"#,
    ),
    (
        "status/ip-mode-defaults",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        MERGE services/a/status {status: {loadBalancer: {ingress: [{ip: 192.0.2.1}, {hostname: h.example.com}]}}}"#,
    ),
    (
        "status/ip-mode-proxy",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        MERGE services/a/status {status: {loadBalancer: {ingress: [{ip: 192.0.2.1, ipMode: Proxy}, {ip: "2001:db8::1", ipMode: VIP}]}}}"#,
    ),
    (
        "status/ip-mode-wrong",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        MERGE services/a/status {status: {loadBalancer: {ingress: [{ip: 192.0.2.1, ipMode: Other}]}}}"#,
    ),
    (
        "status/ip-mode-without-ip",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        MERGE services/a/status {status: {loadBalancer: {ingress: [{hostname: h.example.com, ipMode: VIP}]}}}"#,
    ),
    (
        "status/ip-wrong",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        MERGE services/a/status {status: {loadBalancer: {ingress: [{ip: 192.0.2.256}]}}}"#,
    ),
    (
        "status/hostname-is-an-address",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        MERGE services/a/status {status: {loadBalancer: {ingress: [{hostname: 192.0.2.1}]}}}"#,
    ),
    (
        "status/ingress-without-load-balancer",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        MERGE services/a/status {status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}}"#,
    ),
    (
        "status/ingress-with-ports",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        MERGE services/a/status {status: {loadBalancer: {ingress: [{ip: 192.0.2.1,
        ports: [{port: 80, protocol: TCP}, {port: 81, protocol: UDP, error: example.com/failed}]}]}}}"#,
    ),
    (
        "status/condition",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        MERGE services/a/status {status: {conditions: [{type: example.com/A, status: "True", reason: R, message: "",
        lastTransitionTime: "2020-01-01T00:00:00Z", observedGeneration: 3}]}}"#,
    ),
    (
        "status/condition-wrong-status",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        MERGE services/a/status {status: {conditions: [{type: example.com/A, status: Maybe, reason: R, message: m,
        lastTransitionTime: "2020-01-01T00:00:00Z"}]}}"#,
    ),
    (
        "status/old-version",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        MERGE services/a {metadata: {labels: {l: "1"}}}
        PUT services/a/status {metadata: {name: a, resourceVersion: "$1.rv"}, status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}}"#,
    ),
    (
        "status/missing-object",
        r#"MERGE services/a/status {status: {}}
        GET services/a/status"#,
    ),
    (
        "status/dry-run",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        MERGE services/a/status?dryRun=All {status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}}
        GET services/a"#,
    ),
    (
        "status/not-there",
        r#"POST leases {metadata: {name: a}, spec: {holderIdentity: x}}
        GET leases/a/status
        MERGE leases/a/status {spec: {holderIdentity: y}}"#,
    ),
];
