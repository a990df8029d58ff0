//! JSON patches and merge patches, and where they differ from what one thinks.

use super::Case;

pub const CASES: &[Case] = &[
    (
        "json/add-replace-remove",
        r#"POST services {metadata: {name: a, labels: {l: "1", m: "1"}}, spec: {ports: [{port: 80}]}}
        JSON services/a [{op: add, path: /metadata/labels/n, value: "1"},
        {op: replace, path: /metadata/labels/l, value: "2"}, {op: remove, path: /metadata/labels/m}]"#,
    ),
    (
        "json/test-holds",
        r#"POST services {metadata: {name: a, labels: {l: "1"}}, spec: {ports: [{port: 80}]}}
        JSON services/a [{op: test, path: /metadata/labels/l, value: "1"}, {op: remove, path: /metadata/labels/l}]"#,
    ),
    (
        "json/test-fails",
        r#"POST services {metadata: {name: a, labels: {l: "1"}}, spec: {ports: [{port: 80}]}}
        JSON services/a [{op: test, path: /metadata/labels/l, value: "2"}, {op: remove, path: /metadata/labels/l}]
        GET services/a"#,
    ),
    (
        "json/test-uid",
        r#"POST services {metadata: {name: a, finalizers: [example.com/f]}, spec: {ports: [{port: 80}]}}
        JSON services/a [{op: test, path: /metadata/uid, value: "$1.uid"},
        {op: test, path: /metadata/finalizers/0, value: example.com/f}, {op: remove, path: /metadata/finalizers/0}]"#,
    ),
    (
        "json/test-other-uid",
        r#"POST services {metadata: {name: a, finalizers: [example.com/f]}, spec: {ports: [{port: 80}]}}
        JSON services/a [{op: test, path: /metadata/uid, value: x}, {op: remove, path: /metadata/finalizers/0}]"#,
    ),
    (
        "json/test-missing-is-null",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        JSON services/a [{op: test, path: /metadata/finalizers, value: null},
        {op: add, path: /metadata/finalizers, value: [example.com/f]}]"#,
    ),
    (
        "json/test-missing-is-something",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        JSON services/a [{op: test, path: /metadata/finalizers, value: []}]"#,
    ),
    (
        "json/test-below-missing",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        JSON services/a [{op: test, path: /metadata/labels/l, value: null}]"#,
    ),
    (
        "json/test-out-of-range",
        r#"POST services {metadata: {name: a, finalizers: [example.com/f]}, spec: {ports: [{port: 80}]}}
        JSON services/a [{op: test, path: /metadata/finalizers/1, value: example.com/f}]"#,
    ),
    (
        "json/remove-missing",
        r#"POST services {metadata: {name: a, labels: {l: "1"}}, spec: {ports: [{port: 80}]}}
        JSON services/a [{op: remove, path: /metadata/labels/m}]"#,
    ),
    (
        "json/remove-below-missing",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        JSON services/a [{op: remove, path: /metadata/annotations/m}]"#,
    ),
    (
        "json/remove-out-of-range",
        r#"POST services {metadata: {name: a, finalizers: [example.com/f]}, spec: {ports: [{port: 80}]}}
        JSON services/a [{op: remove, path: /metadata/finalizers/3}]"#,
    ),
    (
        "json/replace-missing",
        r#"POST services {metadata: {name: a, labels: {l: "1"}}, spec: {ports: [{port: 80}]}}
        JSON services/a [{op: replace, path: /metadata/labels/m, value: "1"}]"#,
    ),
    (
        "json/add-below-missing",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        JSON services/a [{op: add, path: /metadata/annotations/m, value: "1"}]"#,
    ),
    (
        "json/add-to-the-end",
        r#"POST services {metadata: {name: a, finalizers: [example.com/f]}, spec: {ports: [{port: 80}]}}
        JSON services/a [{op: add, path: /metadata/finalizers/-, value: example.com/g},
        {op: add, path: /metadata/finalizers/0, value: example.com/e}]"#,
    ),
    (
        "json/escaped-path",
        r#"POST services {metadata: {name: a, annotations: {example.com/a: "1"}}, spec: {ports: [{port: 80}]}}
        JSON services/a [{op: test, path: /metadata/annotations/example.com~1a, value: "1"},
        {op: remove, path: /metadata/annotations/example.com~1a}]"#,
    ),
    (
        "json/move-and-copy",
        r#"POST services {metadata: {name: a, labels: {l: "1"}}, spec: {ports: [{port: 80}]}}
        JSON services/a [{op: copy, from: /metadata/labels/l, path: /metadata/labels/m},
        {op: move, from: /metadata/labels/l, path: /metadata/labels/n}]"#,
    ),
    (
        "json/nothing",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        JSON services/a []"#,
    ),
    (
        "json/changes-nothing",
        r#"POST services {metadata: {name: a, labels: {l: "1"}}, spec: {ports: [{port: 80}]}}
        JSON services/a [{op: replace, path: /metadata/labels/l, value: "1"}]"#,
    ),
    (
        "json/test-version",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        JSON services/a [{op: test, path: /metadata/resourceVersion, value: "$1.rv"},
        {op: add, path: /metadata/labels, value: {l: "1"}}]
        JSON services/a [{op: test, path: /metadata/resourceVersion, value: "$1.rv"},
        {op: add, path: /metadata/labels, value: {l: "2"}}]"#,
    ),
    (
        "json/replace-version",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        MERGE services/a {metadata: {labels: {l: "1"}}}
        JSON services/a [{op: replace, path: /metadata/resourceVersion, value: "$1.rv"},
        {op: add, path: /metadata/labels/m, value: "2"}]"#,
    ),
    (
        "json/atomic",
        r#"POST services {metadata: {name: a, labels: {l: "1"}}, spec: {ports: [{port: 80}]}}
        JSON services/a [{op: replace, path: /metadata/labels/l, value: "2"}, {op: test, path: /metadata/labels/l, value: "3"}]
        GET services/a"#,
    ),
    ("json/missing-object", r#"JSON services/a [{op: remove, path: /metadata/labels/m}]"#),
    (
        "json/dry-run",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        JSON services/a?dryRun=All [{op: add, path: /metadata/labels, value: {l: "1"}}]
        GET services/a"#,
    ),
    (
        "merge/null-removes",
        r#"POST services {metadata: {name: a, labels: {l: "1", m: "1"}}, spec: {ports: [{port: 80}]}}
        MERGE services/a {metadata: {labels: {l: null, n: "1", o: null}}}"#,
    ),
    (
        "merge/null-for-all",
        r#"POST services {metadata: {name: a, labels: {l: "1"}, finalizers: [example.com/f]}, spec: {ports: [{port: 80}]}}
        MERGE services/a {metadata: {labels: null, finalizers: null}}"#,
    ),
    (
        "merge/list-replaces",
        r#"POST services {metadata: {name: a, finalizers: [example.com/f]},
        spec: {ports: [{port: 80, name: x}, {port: 81, name: y}]}}
        MERGE services/a {metadata: {finalizers: [example.com/g]}, spec: {ports: [{port: 82}]}}"#,
    ),
    (
        "merge/same-finalizer-twice",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        MERGE services/a {metadata: {finalizers: [example.com/f, example.com/f]}}"#,
    ),
    (
        "merge/version-fits",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        MERGE services/a {metadata: {resourceVersion: "$1.rv", labels: {l: "1"}}}"#,
    ),
    (
        "merge/version-old",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        MERGE services/a {metadata: {labels: {l: "1"}}}
        MERGE services/a {metadata: {resourceVersion: "$1.rv", labels: {l: "2"}}}
        GET services/a"#,
    ),
    (
        "merge/other-uid",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        MERGE services/a {metadata: {uid: 00000000-0000-4000-8000-000000000001, labels: {l: "1"}}}"#,
    ),
    (
        "merge/empty",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        MERGE services/a {}"#,
    ),
    (
        "merge/name",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        MERGE services/a {metadata: {name: b}}"#,
    ),
    ("merge/missing-object", r#"MERGE services/a {metadata: {labels: {l: "1"}}}"#),
    (
        "merge/dry-run",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        MERGE services/a?dryRun=All {metadata: {labels: {l: "1"}}}
        GET services/a"#,
    ),
    (
        "merge/status-by-the-main-path",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        MERGE services/a {metadata: {labels: {l: "1"}}, status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}}
        GET services/a"#,
    ),
    (
        "merge/bad-label",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        MERGE services/a {metadata: {labels: {"a b": "1"}}}
        MERGE services/a {metadata: {labels: {l: "x y"}}}"#,
    ),
    (
        "merge/bad-finalizer",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        MERGE services/a {metadata: {finalizers: [plain]}}"#,
    ),
    (
        "merge/bad-annotation",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        MERGE services/a {metadata: {annotations: {"a b": x}}}"#,
    ),
];
