//! Deletion: what finalizers hold, in which order things go, and preconditions.

use super::Case;

pub const CASES: &[Case] = &[
    (
        "delete",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        DELETE services/a
        GET services/a"#,
    ),
    ("delete/missing", "DELETE services/a"),
    (
        "delete/twice",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        DELETE services/a
        DELETE services/a"#,
    ),
    (
        "delete/held",
        r#"POST services {metadata: {name: a, finalizers: [example.com/f]}, spec: {ports: [{port: 80}]}}
        DELETE services/a
        GET services/a"#,
    ),
    (
        "delete/held-twice",
        r#"POST services {metadata: {name: a, finalizers: [example.com/f]}, spec: {ports: [{port: 80}]}}
        DELETE services/a
        DELETE services/a
        GET services/a"#,
    ),
    (
        "delete/released-by-merge",
        r#"POST services {metadata: {name: a, finalizers: [example.com/f]}, spec: {ports: [{port: 80}]}}
        DELETE services/a
        MERGE services/a {metadata: {finalizers: null}}
        GET services/a"#,
    ),
    (
        "delete/released-by-json-patch-to-status",
        r#"POST services {metadata: {name: a, finalizers: [example.com/f]}, spec: {ports: [{port: 80}]}}
        DELETE services/a
        JSON services/a/status [{op: test, path: /metadata/uid, value: "$1.uid"},
        {op: test, path: /metadata/finalizers/0, value: example.com/f}, {op: remove, path: /metadata/finalizers/0}]
        GET services/a"#,
    ),
    (
        "delete/released-by-update",
        r#"POST services {metadata: {name: a, finalizers: [example.com/f]}, spec: {ports: [{port: 80}]}}
        DELETE services/a
        PUT services/a {metadata: {name: a, resourceVersion: "$2.rv"}, spec: {ports: [{port: 80}]}}
        GET services/a"#,
    ),
    (
        "delete/first-of-two-finalizers",
        r#"POST services {metadata: {name: a, finalizers: [example.com/f, example.com/g]}, spec: {ports: [{port: 80}]}}
        DELETE services/a
        JSON services/a [{op: remove, path: /metadata/finalizers/0}]
        GET services/a
        JSON services/a [{op: remove, path: /metadata/finalizers/0}]
        GET services/a"#,
    ),
    (
        "delete/second-of-two-finalizers",
        r#"POST services {metadata: {name: a, finalizers: [example.com/f, example.com/g]}, spec: {ports: [{port: 80}]}}
        DELETE services/a
        JSON services/a [{op: remove, path: /metadata/finalizers/1}]
        JSON services/a [{op: remove, path: /metadata/finalizers/1}]"#,
    ),
    (
        "delete/new-finalizer-while-deleting",
        r#"POST services {metadata: {name: a, finalizers: [example.com/f]}, spec: {ports: [{port: 80}]}}
        DELETE services/a
        MERGE services/a {metadata: {finalizers: [example.com/f, example.com/g]}}
        MERGE services/a/status {metadata: {finalizers: [example.com/g]}}
        GET services/a"#,
    ),
    (
        "delete/finalizer-moved-while-deleting",
        r#"POST services {metadata: {name: a, finalizers: [example.com/f, example.com/g]}, spec: {ports: [{port: 80}]}}
        DELETE services/a
        MERGE services/a {metadata: {finalizers: [example.com/g, example.com/f]}}"#,
    ),
    (
        "delete/labels-while-deleting",
        r#"POST services {metadata: {name: a, finalizers: [example.com/f]}, spec: {ports: [{port: 80}]}}
        DELETE services/a
        MERGE services/a {metadata: {labels: {l: "1"}}, spec: {ports: [{port: 81}]}}"#,
    ),
    (
        "delete/deletion-time-cannot-be-undone",
        r#"POST services {metadata: {name: a, finalizers: [example.com/f]}, spec: {ports: [{port: 80}]}}
        DELETE services/a
        MERGE services/a {metadata: {deletionTimestamp: null}}
        PUT services/a {metadata: {name: a, finalizers: [example.com/f]}, spec: {ports: [{port: 80}]}}"#,
    ),
    (
        "delete/deletion-time-cannot-be-set",
        r#"POST services {metadata: {name: a, finalizers: [example.com/f]}, spec: {ports: [{port: 80}]}}
        MERGE services/a {metadata: {deletionTimestamp: "2001-01-01T00:00:00Z"}}"#,
    ),
    (
        "delete/create-while-held",
        r#"POST services {metadata: {name: a, finalizers: [example.com/f]}, spec: {ports: [{port: 80}]}}
        DELETE services/a
        POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}"#,
    ),
    (
        "delete/uid-fits",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        DELETE services/a {preconditions: {uid: "$1.uid"}}
        GET services/a"#,
    ),
    (
        "delete/uid-differs",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        DELETE services/a {preconditions: {uid: 00000000-0000-4000-8000-000000000001}}
        GET services/a"#,
    ),
    (
        "delete/version-fits",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        DELETE services/a {preconditions: {resourceVersion: "$1.rv"}}"#,
    ),
    (
        "delete/version-differs",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        MERGE services/a {metadata: {labels: {l: "1"}}}
        DELETE services/a {preconditions: {resourceVersion: "$1.rv"}}
        DELETE services/a {preconditions: {uid: "$1.uid", resourceVersion: "$1.rv"}}
        GET services/a"#,
    ),
    (
        "delete/uid-differs-while-held",
        r#"POST services {metadata: {name: a, finalizers: [example.com/f]}, spec: {ports: [{port: 80}]}}
        DELETE services/a
        DELETE services/a {preconditions: {uid: 00000000-0000-4000-8000-000000000001}}"#,
    ),
    (
        "delete/dry-run",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        DELETE services/a?dryRun=All
        GET services/a"#,
    ),
    (
        "delete/dry-run-held",
        r#"POST services {metadata: {name: a, finalizers: [example.com/f]}, spec: {ports: [{port: 80}]}}
        DELETE services/a?dryRun=All
        GET services/a"#,
    ),
    (
        "delete/grace-period",
        r#"POST services {metadata: {name: a, finalizers: [example.com/f]}, spec: {ports: [{port: 80}]}}
        DELETE services/a {gracePeriodSeconds: 30}
        GET services/a"#,
    ),
    (
        "delete/background",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        DELETE services/a {propagationPolicy: Background}"#,
    ),
    (
        "delete/frees-the-node-port",
        r#"POST services {metadata: {name: a}, spec: {type: NodePort, ports: [{port: 80, nodePort: 31301}]}}
        POST services {metadata: {name: b}, spec: {type: NodePort, ports: [{port: 80, nodePort: 31301}]}}
        DELETE services/a
        POST services {metadata: {name: b}, spec: {type: NodePort, ports: [{port: 80, nodePort: 31301}]}}"#,
    ),
    (
        "delete/held-keeps-the-node-port",
        r#"POST services {metadata: {name: a, finalizers: [example.com/f]},
        spec: {type: NodePort, ports: [{port: 80, nodePort: 31302}]}}
        DELETE services/a
        POST services {metadata: {name: b}, spec: {type: NodePort, ports: [{port: 80, nodePort: 31302}]}}"#,
    ),
    (
        "delete/held-then-finalizer-again",
        r#"POST services {metadata: {name: a, finalizers: [example.com/f]}, spec: {ports: [{port: 80}]}}
        MERGE services/a {metadata: {finalizers: null}}
        MERGE services/a {metadata: {finalizers: [example.com/f]}}
        DELETE services/a
        MERGE services/a {metadata: {finalizers: []}}"#,
    ),
    (
        "delete/finalizer-gone-in-dry-run",
        r#"POST services {metadata: {name: a, finalizers: [example.com/f]}, spec: {ports: [{port: 80}]}}
        DELETE services/a
        MERGE services/a?dryRun=All {metadata: {finalizers: null}}
        GET services/a"#,
    ),
];
