//! What is no proper request at all.

use super::Case;

pub const CASES: &[Case] = &[
    ("refused/unknown-version", "GET /apis/discovery.k8s.io/v9/endpointslices"),
    ("refused/unknown-resource", "GET /api/v1/namespaces/$NS/nonsense"),
    (
        "refused/unknown-subresource",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        GET services/a/nonsense"#,
    ),
    ("refused/post-to-an-object", r#"POST services/a {metadata: {name: a}, spec: {ports: [{port: 80}]}}"#),
    ("refused/put-to-all", r#"PUT services {metadata: {name: a}, spec: {ports: [{port: 80}]}}"#),
    ("refused/patch-to-all", r#"MERGE services {metadata: {labels: {l: "1"}}}"#),
    (
        "refused/delete-status",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        DELETE services/a/status"#,
    ),
    ("refused/media-type", r#"TEXT services {metadata: {name: a}}"#),
    ("refused/no-json", r#"POST services nonsense"#),
    (
        "refused/json-patch-no-list",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        JSON services/a {metadata: {labels: {l: "1"}}}"#,
    ),
    (
        "refused/json-patch-unknown-operation",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        JSON services/a [{op: nonsense, path: /metadata/labels}]"#,
    ),
];
