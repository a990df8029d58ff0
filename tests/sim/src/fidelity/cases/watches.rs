//! Watches: where they begin, what they tell of, and how they end.

use super::Case;

pub const CASES: &[Case] = &[
    (
        "watch/kinds-of-events",
        r#"GET services
        POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        MERGE services/a {metadata: {labels: {l: "1"}}}
        DELETE services/a
        WATCH services?resourceVersion=$1.rv"#,
    ),
    (
        "watch/deletion-that-is-held",
        r#"GET services
        POST services {metadata: {name: a, finalizers: [example.com/f]}, spec: {ports: [{port: 80}]}}
        DELETE services/a
        MERGE services/a {metadata: {finalizers: null}}
        WATCH services?resourceVersion=$1.rv"#,
    ),
    (
        "watch/nothing-changed",
        r#"GET services
        POST services {metadata: {name: a, labels: {l: "1"}}, spec: {ports: [{port: 80}]}}
        MERGE services/a {metadata: {labels: {l: "1"}}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service, metadata: {name: a, labels: {l: "1"}}}
        WATCH services?resourceVersion=$1.rv"#,
    ),
    (
        "watch/from-an-object's-version",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        POST services {metadata: {name: b}, spec: {ports: [{port: 80}]}}
        WATCH services?resourceVersion=$1.rv"#,
    ),
    (
        "watch/no-version",
        r#"POST services {metadata: {name: b}, spec: {ports: [{port: 80}]}}
        POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        WATCH services"#,
    ),
    (
        "watch/version-zero",
        r#"POST services {metadata: {name: b}, spec: {ports: [{port: 80}]}}
        POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        GET services
        WATCH services?resourceVersion=0"#,
    ),
    ("watch/version-too-old", "WATCH services?resourceVersion=1"),
    (
        "watch/version-too-old-with-bookmarks",
        "WATCH services?resourceVersion=2&allowWatchBookmarks=true&timeoutSeconds=4",
    ),
    ("watch/version-no-number", "WATCH services?resourceVersion=x"),
    ("watch/match-is-forbidden", "WATCH services?resourceVersion=1&resourceVersionMatch=Exact"),
    (
        "watch/initial-events",
        r#"POST services {metadata: {name: b}, spec: {ports: [{port: 80}]}}
        POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        WATCH services?sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan"#,
    ),
    (
        "watch/initial-events-of-nothing",
        r#"WATCH services?sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan"#,
    ),
    ("watch/initial-events-without-match", "WATCH services?sendInitialEvents=true&allowWatchBookmarks=true"),
    (
        "watch/initial-events-unwanted",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        WATCH services?sendInitialEvents=false&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"#,
    ),
    (
        "watch/all-namespaces",
        r#"GET services
        POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        WATCH /api/v1/services?resourceVersion=$1.rv"#,
    ),
    (
        "watch/status",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        MERGE services/a/status {status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}}
        WATCH services?resourceVersion=$1.rv"#,
    ),
    (
        "watch/dry-run-is-silent",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        MERGE services/a?dryRun=All {metadata: {labels: {l: "1"}}}
        DELETE services/a?dryRun=All
        WATCH services?resourceVersion=$1.rv"#,
    ),
    (
        "watch/re-created",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        DELETE services/a
        POST services {metadata: {name: a}, spec: {ports: [{port: 81}]}}
        WATCH services?resourceVersion=$1.rv"#,
    ),
    (
        "watch/classes",
        r#"GET loadbalancerclasses?labelSelector=fidelity%3Dnone
        POST loadbalancerclasses {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: $NS-a}, spec: {provider: elb}}
        MERGE loadbalancerclasses/$NS-a {spec: {default: true}}
        DELETE loadbalancerclasses/$NS-a
        WATCH loadbalancerclasses?resourceVersion=$1.rv"#,
    ),
    (
        "watch/slices",
        r#"GET endpointslices
        POST endpointslices {metadata: {name: a}, addressType: IPv4, endpoints: [{addresses: [192.0.2.1]}], ports: [{port: 80}]}
        MERGE endpointslices/a {endpoints: []}
        DELETE endpointslices/a
        WATCH endpointslices?resourceVersion=$1.rv"#,
    ),
];
