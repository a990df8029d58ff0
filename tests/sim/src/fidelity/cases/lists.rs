//! Lists: pages, selectors, and what `resourceVersion` means to them.

use super::Case;

pub const CASES: &[Case] = &[
    ("list/empty", "GET services"),
    (
        "list/in-order",
        r#"POST services {metadata: {name: b}, spec: {ports: [{port: 80}]}}
        POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        GET services"#,
    ),
    ("list/missing-namespace", "GET /api/v1/namespaces/nowhere/services"),
    (
        "list/all-namespaces",
        r#"POST services {metadata: {name: a, labels: {fidelity: all}}, spec: {ports: [{port: 80}]}}
        GET /api/v1/services?labelSelector=fidelity%3Dall"#,
    ),
    (
        "list/pages",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        POST services {metadata: {name: b}, spec: {ports: [{port: 80}]}}
        POST services {metadata: {name: c}, spec: {ports: [{port: 80}]}}
        GET services?limit=1
        GET services?limit=1&continue=$4.continue
        GET services?limit=1&continue=$5.continue"#,
    ),
    (
        "list/last-page-is-full",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        POST services {metadata: {name: b}, spec: {ports: [{port: 80}]}}
        GET services?limit=2"#,
    ),
    (
        "list/limit-zero",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        GET services?limit=0"#,
    ),
    ("list/limit-no-number", "GET services?limit=x"),
    (
        "list/pages-show-one-moment",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        POST services {metadata: {name: b}, spec: {ports: [{port: 80}]}}
        GET services?limit=1
        DELETE services/b
        POST services {metadata: {name: c}, spec: {ports: [{port: 80}]}}
        GET services?limit=5&continue=$3.continue
        GET services"#,
    ),
    (
        "list/page-twice",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        POST services {metadata: {name: b}, spec: {ports: [{port: 80}]}}
        GET services?limit=1
        GET services?limit=1&continue=$3.continue
        GET services?limit=1&continue=$3.continue"#,
    ),
    (
        "list/pages-of-a-selector",
        r#"POST services {metadata: {name: a, labels: {l: "1"}}, spec: {ports: [{port: 80}]}}
        POST services {metadata: {name: b, labels: {l: "1"}}, spec: {ports: [{port: 80}]}}
        GET services?limit=1&labelSelector=l%3D1
        GET services?limit=1&labelSelector=l%3D1&continue=$3.continue"#,
    ),
    ("list/token-wrong", "GET services?limit=1&continue=nonsense"),
    (
        "list/token-of-compacted-version",
        "GET services?limit=1&continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6Miwic3RhcnQiOiJhXHUwMDAwIn0",
    ),
    (
        "list/token-and-version",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        POST services {metadata: {name: b}, spec: {ports: [{port: 80}]}}
        GET services?limit=1
        GET services?limit=1&continue=$3.continue&resourceVersion=$1.rv"#,
    ),
    (
        "list/version-zero",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        GET services
        GET services?resourceVersion=0"#,
    ),
    (
        "list/version-zero-and-limit",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        POST services {metadata: {name: b}, spec: {ports: [{port: 80}]}}
        GET services
        GET services?resourceVersion=0&limit=1"#,
    ),
    (
        "list/version-at-least",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        GET services?resourceVersion=$1.rv
        GET services?resourceVersion=$1.rv&resourceVersionMatch=NotOlderThan"#,
    ),
    ("list/version-no-number", "GET services?resourceVersion=x"),
    ("list/version-exact-compacted", "GET services?resourceVersion=2&resourceVersionMatch=Exact"),
    ("list/match-without-version", "GET services?resourceVersionMatch=Exact"),
    ("list/match-exact-zero", "GET services?resourceVersionMatch=Exact&resourceVersion=0"),
    ("list/match-unknown", "GET services?resourceVersionMatch=Newest&resourceVersion=0"),
    (
        "list/labels",
        r#"POST services {metadata: {name: a, labels: {l: "1"}}, spec: {ports: [{port: 80}]}}
        POST services {metadata: {name: b, labels: {l: "2", m: "1"}}, spec: {ports: [{port: 80}]}}
        POST services {metadata: {name: c}, spec: {ports: [{port: 80}]}}
        GET services?labelSelector=l%3D1
        GET services?labelSelector=l
        GET services?labelSelector=%21l
        GET services?labelSelector=l%21%3D1
        GET services?labelSelector=l%20in%20(1,2),m"#,
    ),
    ("list/labels-wrong", "GET services?labelSelector=%3D%3D"),
    (
        "list/fields",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        POST services {metadata: {name: b}, spec: {ports: [{port: 80}]}}
        GET services?fieldSelector=metadata.name%3Da
        GET services?fieldSelector=metadata.name%21%3Da
        GET services?fieldSelector=metadata.name%3Da,metadata.namespace%3D$NS"#,
    ),
    ("list/fields-unknown", "GET services?fieldSelector=spec.nonsense%3Da"),
    (
        "get/version-zero",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        GET services
        GET services/a?resourceVersion=0"#,
    ),
    (
        "get/version-exact",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        GET services/a?resourceVersion=$1.rv"#,
    ),
    (
        "get/version-no-number",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        GET services/a?resourceVersion=x"#,
    ),
    ("get/missing", "GET services/a"),
];
