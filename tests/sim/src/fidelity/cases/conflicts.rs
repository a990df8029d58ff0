//! Creating what exists, writing to what has changed, and who an object is.

use super::Case;

pub const CASES: &[Case] = &[
    (
        "create",
        "POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        GET services/a",
    ),
    (
        "create/twice",
        "POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        POST services {metadata: {name: a}, spec: {ports: [{port: 81}]}}
        GET services/a",
    ),
    (
        "create/again-after-deletion",
        "POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        DELETE services/a
        POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}",
    ),
    (
        "create/with-a-version",
        r#"POST services {metadata: {name: a, resourceVersion: "1"}, spec: {ports: [{port: 80}]}}"#,
    ),
    (
        "create/with-an-empty-version",
        r#"POST services {metadata: {name: a, resourceVersion: ""}, spec: {ports: [{port: 80}]}}"#,
    ),
    (
        "create/with-a-uid",
        r#"POST services
        {metadata: {name: a, uid: 00000000-0000-4000-8000-000000000001}, spec: {ports: [{port: 80}]}}"#,
    ),
    (
        "create/with-server-fields",
        r#"POST services {metadata: {name: a, creationTimestamp: "2001-01-01T00:00:00Z",
        deletionTimestamp: "2001-01-01T00:00:00Z", deletionGracePeriodSeconds: 5, generation: 7, selfLink: x},
        spec: {ports: [{port: 80}]}}"#,
    ),
    (
        "create/with-status",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]},
        status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}}"#,
    ),
    (
        "create/with-finalizers-and-annotations",
        r#"POST services {metadata: {name: a, labels: {l: "1"},
        annotations: {example.com/a: x}, finalizers: [example.com/f]}, spec: {ports: [{port: 80}]}}"#,
    ),
    (
        "create/generate-name",
        r#"POST services {metadata: {generateName: made-}, spec: {ports: [{port: 80}]}}
        GET services/$1.name"#,
    ),
    (
        "create/generate-name-and-name",
        r#"POST services {metadata: {name: a, generateName: made-}, spec: {ports: [{port: 80}]}}"#,
    ),
    ("create/bad-name", r#"POST services {metadata: {name: A_b}, spec: {ports: [{port: 80}]}}"#),
    (
        "create/other-namespace",
        r#"POST services {metadata: {name: a, namespace: default}, spec: {ports: [{port: 80}]}}"#,
    ),
    ("create/namespace-said", r#"POST services {metadata: {name: a, namespace: $NS}, spec: {ports: [{port: 80}]}}"#),
    (
        "create/missing-namespace",
        r#"POST /api/v1/namespaces/nowhere/services {metadata: {name: a}, spec: {ports: [{port: 80}]}}"#,
    ),
    ("create/wrong-kind", r#"POST services {apiVersion: v1, kind: Node, metadata: {name: a}}"#),
    (
        "create/dry-run",
        r#"POST services?dryRun=All {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        GET services/a"#,
    ),
    (
        "create/dry-run-of-what-exists",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        POST services?dryRun=All {metadata: {name: a}, spec: {ports: [{port: 80}]}}"#,
    ),
    ("create/dry-run-unknown", r#"POST services?dryRun=Some {metadata: {name: a}, spec: {ports: [{port: 80}]}}"#),
    (
        "update",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        PUT services/a {metadata: {name: a, resourceVersion: "$1.rv", labels: {l: "1"}}, spec: {ports: [{port: 81}]}}
        GET services/a"#,
    ),
    (
        "update/without-a-version",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        PUT services/a {metadata: {name: a, labels: {l: "1"}}, spec: {ports: [{port: 80}]}}"#,
    ),
    (
        "update/nothing-changes",
        r#"POST services {metadata: {name: a, labels: {l: "1"}}, spec: {ports: [{port: 80}]}}
        PUT services/a {metadata: {name: a, labels: {l: "1"}}, spec: {ports: [{port: 80}]}}"#,
    ),
    (
        "update/old-version",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        MERGE services/a {metadata: {labels: {l: "1"}}}
        PUT services/a {metadata: {name: a, resourceVersion: "$1.rv"}, spec: {ports: [{port: 80}]}}
        GET services/a"#,
    ),
    (
        "update/version-zero",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        PUT services/a {metadata: {name: a, resourceVersion: "0"}, spec: {ports: [{port: 80}]}}"#,
    ),
    (
        "update/version-no-number",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        PUT services/a {metadata: {name: a, resourceVersion: x}, spec: {ports: [{port: 80}]}}"#,
    ),
    (
        "update/other-uid",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        PUT services/a {metadata: {name: a, uid: 00000000-0000-4000-8000-000000000001}, spec: {ports: [{port: 80}]}}"#,
    ),
    (
        "update/same-uid",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        PUT services/a {metadata: {name: a, uid: "$1.uid", labels: {l: "1"}}, spec: {ports: [{port: 80}]}}"#,
    ),
    (
        "update/other-name",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        PUT services/a {metadata: {name: b}, spec: {ports: [{port: 80}]}}"#,
    ),
    (
        "update/other-namespace",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        PUT services/a {metadata: {name: a, namespace: default}, spec: {ports: [{port: 80}]}}"#,
    ),
    ("update/missing", r#"PUT services/a {metadata: {name: a}, spec: {ports: [{port: 80}]}}"#),
    (
        "update/creation-time",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        PUT services/a {metadata: {name: a, creationTimestamp: "2001-01-01T00:00:00Z", labels: {l: "1"}},
        spec: {ports: [{port: 80}]}}"#,
    ),
    (
        "update/drops-what-is-not-said",
        r#"POST services {metadata: {name: a, labels: {l: "1"}, annotations: {example.com/a: x},
        finalizers: [example.com/f]}, spec: {selector: {app: x}, ports: [{port: 80}]}}
        PUT services/a {metadata: {name: a}, spec: {ports: [{port: 80}]}}"#,
    ),
    (
        "update/dry-run",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        PUT services/a?dryRun=All {metadata: {name: a, labels: {l: "1"}}, spec: {ports: [{port: 80}]}}
        GET services/a"#,
    ),
    (
        "update/after-re-creation",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        DELETE services/a
        POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        PUT services/a {metadata: {name: a, uid: "$1.uid", resourceVersion: "$1.rv"}, spec: {ports: [{port: 80}]}}"#,
    ),
];
