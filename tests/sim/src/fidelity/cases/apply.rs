//! Server-side apply, above all as the controller uses it: forced, to `status`, with UID and version.

use super::Case;

pub const CASES: &[Case] = &[
    (
        "apply/status-finalizer-annotation",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service,
        metadata: {name: a, namespace: $NS, uid: "$1.uid", resourceVersion: "$1.rv",
        finalizers: [example.com/f], annotations: {example.com/a: x}},
        status: {loadBalancer: {ingress: [{ip: 192.0.2.1, ipMode: VIP}]}}}
        GET services/a"#,
    ),
    (
        "apply/again-changes-nothing",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service,
        metadata: {name: a, finalizers: [example.com/f]}, status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service,
        metadata: {name: a, finalizers: [example.com/f]}, status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}}"#,
    ),
    (
        "apply/left-out-is-removed",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service,
        metadata: {name: a, finalizers: [example.com/f], annotations: {example.com/a: x, example.com/b: x}},
        status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service,
        metadata: {name: a, annotations: {example.com/b: x}}, status: {}}"#,
    ),
    (
        "apply/nothing-at-all-removes-all",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service,
        metadata: {name: a, finalizers: [example.com/f], annotations: {example.com/a: x}},
        status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service, metadata: {name: a}}"#,
    ),
    (
        "apply/conditions-by-type",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service, metadata: {name: a},
        status: {conditions: [
        {type: example.com/A, status: "True", reason: R, message: m, lastTransitionTime: "2020-01-01T00:00:00Z"},
        {type: example.com/B, status: "True", reason: R, message: m, lastTransitionTime: "2020-01-01T00:00:00Z"}]}}
        APPLY services/a/status?fieldManager=n&force=true {apiVersion: v1, kind: Service, metadata: {name: a},
        status: {conditions: [
        {type: example.com/C, status: "True", reason: R, message: m, lastTransitionTime: "2020-01-01T00:00:00Z"}]}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service, metadata: {name: a},
        status: {conditions: [
        {type: example.com/B, status: "False", reason: S, message: n, lastTransitionTime: "2020-01-01T00:00:01Z"}]}}"#,
    ),
    (
        "apply/condition-of-another",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        APPLY services/a/status?fieldManager=m {apiVersion: v1, kind: Service, metadata: {name: a}, status: {conditions: [
        {type: example.com/A, status: "True", reason: R, message: m, lastTransitionTime: "2020-01-01T00:00:00Z"}]}}
        APPLY services/a/status?fieldManager=n {apiVersion: v1, kind: Service, metadata: {name: a}, status: {conditions: [
        {type: example.com/A, status: "False", reason: R, message: m, lastTransitionTime: "2020-01-01T00:00:00Z"}]}}
        APPLY services/a/status?fieldManager=n&force=true {apiVersion: v1, kind: Service, metadata: {name: a},
        status: {conditions: [
        {type: example.com/A, status: "False", reason: R, message: m, lastTransitionTime: "2020-01-01T00:00:00Z"}]}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service, metadata: {name: a}, status: {}}"#,
    ),
    (
        "apply/condition-twice",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service, metadata: {name: a},
        status: {conditions: [
        {type: example.com/A, status: "True", reason: R, message: m, lastTransitionTime: "2020-01-01T00:00:00Z"},
        {type: example.com/A, status: "False", reason: R, message: m, lastTransitionTime: "2020-01-01T00:00:00Z"}]}}"#,
    ),
    (
        "apply/ingress-is-atomic",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service, metadata: {name: a},
        status: {loadBalancer: {ingress: [{ip: 192.0.2.1}, {ip: 192.0.2.2}]}}}
        APPLY services/a/status?fieldManager=n&force=true {apiVersion: v1, kind: Service, metadata: {name: a},
        status: {loadBalancer: {ingress: [{ip: 192.0.2.3}]}}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service, metadata: {name: a}, status: {}}"#,
    ),
    (
        "apply/conflict-unforced",
        r#"POST services {metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
        APPLY services/a/status?fieldManager=m {apiVersion: v1, kind: Service,
        metadata: {name: a, annotations: {example.com/a: x}}, status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}}
        APPLY services/a/status?fieldManager=n {apiVersion: v1, kind: Service,
        metadata: {name: a, annotations: {example.com/a: y}}}
        APPLY services/a/status?fieldManager=n {apiVersion: v1, kind: Service,
        metadata: {name: a}, status: {loadBalancer: {ingress: [{ip: 192.0.2.9}]}}}
        APPLY services/a/status?fieldManager=n {apiVersion: v1, kind: Service,
        metadata: {name: a, annotations: {example.com/a: y}}, status: {loadBalancer: {ingress: [{ip: 192.0.2.9}]}}}"#,
    ),
    (
        "apply/same-value-is-shared",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        APPLY services/a/status?fieldManager=m {apiVersion: v1, kind: Service,
        metadata: {name: a, annotations: {example.com/a: x}, finalizers: [example.com/f]}}
        APPLY services/a/status?fieldManager=n {apiVersion: v1, kind: Service,
        metadata: {name: a, annotations: {example.com/a: x}, finalizers: [example.com/f]}}
        APPLY services/a/status?fieldManager=m {apiVersion: v1, kind: Service, metadata: {name: a}}
        APPLY services/a/status?fieldManager=n {apiVersion: v1, kind: Service, metadata: {name: a}}"#,
    ),
    (
        "apply/over-a-user's-annotation",
        r#"POST services?fieldManager=user {metadata: {name: a, annotations: {example.com/a: x}},
        spec: {ports: [{port: 80}]}}
        APPLY services/a/status?fieldManager=m {apiVersion: v1, kind: Service,
        metadata: {name: a, annotations: {example.com/a: y}}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service,
        metadata: {name: a, annotations: {example.com/a: y}}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service, metadata: {name: a}}"#,
    ),
    (
        "apply/a-user's-annotation-stays",
        r#"POST services?fieldManager=user {metadata: {name: a, annotations: {example.com/a: x}},
        spec: {ports: [{port: 80}]}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service,
        metadata: {name: a, annotations: {example.com/a: x}}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service, metadata: {name: a}}"#,
    ),
    (
        "apply/overwritten-by-an-update",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service,
        metadata: {name: a, annotations: {example.com/a: x}}}
        MERGE services/a?fieldManager=user {metadata: {annotations: {example.com/a: y}}}
        APPLY services/a/status?fieldManager=m {apiVersion: v1, kind: Service,
        metadata: {name: a, annotations: {example.com/a: x}}}
        APPLY services/a/status?fieldManager=m {apiVersion: v1, kind: Service, metadata: {name: a}}"#,
    ),
    (
        "apply/removed-by-an-update",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service,
        metadata: {name: a, finalizers: [example.com/f], annotations: {example.com/a: x}}}
        MERGE services/a?fieldManager=user {metadata: {annotations: null, finalizers: null}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service,
        metadata: {name: a, finalizers: [example.com/f], annotations: {example.com/a: x}}}"#,
    ),
    (
        "apply/finalizers-of-two",
        r#"POST services?fieldManager=user {metadata: {name: a, finalizers: [example.com/u]}, spec: {ports: [{port: 80}]}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service,
        metadata: {name: a, finalizers: [example.com/f]}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service, metadata: {name: a}}"#,
    ),
    (
        "apply/old-version",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        MERGE services/a {metadata: {labels: {l: "1"}}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service,
        metadata: {name: a, resourceVersion: "$1.rv", finalizers: [example.com/f]}}
        GET services/a"#,
    ),
    (
        "apply/other-uid",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service,
        metadata: {name: a, uid: 00000000-0000-4000-8000-000000000001, finalizers: [example.com/f]}}"#,
    ),
    (
        "apply/uid-and-version-of-one-deleted",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        DELETE services/a
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service,
        metadata: {name: a, uid: "$1.uid", resourceVersion: "$1.rv", finalizers: [example.com/f]}}
        POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service,
        metadata: {name: a, uid: "$1.uid", resourceVersion: "$1.rv", finalizers: [example.com/f]}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service,
        metadata: {name: a, uid: "$1.uid", finalizers: [example.com/f]}}"#,
    ),
    (
        "apply/without-a-manager",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        APPLY services/a/status {apiVersion: v1, kind: Service, metadata: {name: a}}"#,
    ),
    (
        "apply/without-a-kind",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        APPLY services/a/status?fieldManager=m {metadata: {name: a}}"#,
    ),
    (
        "apply/other-name",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        APPLY services/a/status?fieldManager=m {apiVersion: v1, kind: Service, metadata: {name: b}}"#,
    ),
    (
        "apply/unknown-field",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        APPLY services/a/status?fieldManager=m {apiVersion: v1, kind: Service, metadata: {name: a}, status: {nonsense: 1}}"#,
    ),
    (
        "apply/spec-in-status",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service,
        metadata: {name: a, labels: {l: "1"}}, spec: {externalIPs: [203.0.113.9], ports: [{port: 81}]}}
        GET services/a"#,
    ),
    (
        "apply/dry-run",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        APPLY services/a/status?fieldManager=m&dryRun=All {apiVersion: v1, kind: Service,
        metadata: {name: a, finalizers: [example.com/f]}}
        GET services/a"#,
    ),
    (
        "apply/force-with-another-patch",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        MERGE services/a?force=true {metadata: {labels: {l: "1"}}}"#,
    ),
    (
        "apply/with-managed-fields",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service,
        metadata: {name: a, managedFields: [{manager: x, operation: Apply, apiVersion: v1}]}}"#,
    ),
    (
        "apply/ingress-without-load-balancer",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service, metadata: {name: a},
        status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}}"#,
    ),
    (
        "apply/finalizer-while-deleting",
        r#"POST services {metadata: {name: a, finalizers: [example.com/u]}, spec: {ports: [{port: 80}]}}
        DELETE services/a
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service,
        metadata: {name: a, finalizers: [example.com/f]}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service,
        metadata: {name: a, annotations: {example.com/a: x}}}"#,
    ),
    (
        "apply/removes-the-last-finalizer-while-deleting",
        r#"POST services {metadata: {name: a}, spec: {ports: [{port: 80}]}}
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service,
        metadata: {name: a, finalizers: [example.com/f]}}
        DELETE services/a
        APPLY services/a/status?fieldManager=m&force=true {apiVersion: v1, kind: Service, metadata: {name: a}}
        GET services/a"#,
    ),
];
