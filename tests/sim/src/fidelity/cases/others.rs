//! Nodes, EndpointSlices, Leases and Events.

use super::Case;

pub const CASES: &[Case] = &[
    (
        "node/missing",
        r#"GET nodes/$NS-a
        MERGE nodes/$NS-a {metadata: {labels: {l: "1"}}}
        DELETE nodes/$NS-a"#,
    ),
    (
        "slice/create",
        r#"POST endpointslices {metadata: {name: a, labels: {kubernetes.io/service-name: s}}, addressType: IPv4,
        endpoints: [{addresses: [192.0.2.1], conditions: {ready: true, serving: true, terminating: false}, nodeName: n1,
        targetRef: {kind: Pod, name: p}}], ports: [{name: http, port: 80, protocol: TCP}]}
        GET endpointslices?labelSelector=kubernetes.io/service-name%3Ds"#,
    ),
    (
        "slice/defaults",
        r#"POST endpointslices {metadata: {name: a}, addressType: IPv4, endpoints: [{addresses: [192.0.2.1]}], ports: [{port: 80}]}"#,
    ),
    (
        "slice/update",
        r#"POST endpointslices {metadata: {name: a}, addressType: IPv4, endpoints: [{addresses: [192.0.2.1]}], ports: [{port: 80}]}
        PUT endpointslices/a {metadata: {name: a, resourceVersion: "$1.rv"}, addressType: IPv4,
        endpoints: [{addresses: [192.0.2.1], conditions: {ready: false}}, {addresses: [192.0.2.2]}], ports: [{port: 80}]}"#,
    ),
    (
        "slice/old-version",
        r#"POST endpointslices {metadata: {name: a}, addressType: IPv4, endpoints: [], ports: []}
        MERGE endpointslices/a {metadata: {labels: {l: "1"}}}
        PUT endpointslices/a {metadata: {name: a, resourceVersion: "$1.rv"}, addressType: IPv4, endpoints: [], ports: []}"#,
    ),
    (
        "slice/delete",
        r#"POST endpointslices {metadata: {name: a}, addressType: IPv4, endpoints: [], ports: []}
        DELETE endpointslices/a
        GET endpointslices/a"#,
    ),
    (
        "lease/create",
        r#"POST leases {metadata: {name: a}, spec: {holderIdentity: x, leaseDurationSeconds: 15, leaseTransitions: 0,
        acquireTime: "2020-01-01T00:00:00.000000Z", renewTime: "2020-01-01T00:00:00.000000Z"}}
        GET leases/a"#,
    ),
    (
        "lease/created-by-two",
        r#"POST leases {metadata: {name: a}, spec: {holderIdentity: x, leaseDurationSeconds: 15}}
        POST leases {metadata: {name: a}, spec: {holderIdentity: y, leaseDurationSeconds: 15}}
        GET leases/a"#,
    ),
    (
        "lease/renewed-by-two",
        r#"POST leases {metadata: {name: a}, spec: {holderIdentity: x, leaseDurationSeconds: 15}}
        PUT leases/a {metadata: {name: a, resourceVersion: "$1.rv", uid: "$1.uid"}, spec: {holderIdentity: x, leaseDurationSeconds: 15,
        renewTime: "2020-01-01T00:00:05.000000Z"}}
        PUT leases/a {metadata: {name: a, resourceVersion: "$1.rv", uid: "$1.uid"}, spec: {holderIdentity: y, leaseDurationSeconds: 15}}
        GET leases/a"#,
    ),
    (
        "lease/released",
        r#"POST leases {metadata: {name: a}, spec: {holderIdentity: x, leaseDurationSeconds: 15}}
        PUT leases/a {metadata: {name: a, resourceVersion: "$1.rv"}, spec: {holderIdentity: "", leaseDurationSeconds: 15}}"#,
    ),
    (
        "lease/deleted-under-the-holder",
        r#"POST leases {metadata: {name: a}, spec: {holderIdentity: x, leaseDurationSeconds: 15}}
        DELETE leases/a
        PUT leases/a {metadata: {name: a, resourceVersion: "$1.rv", uid: "$1.uid"}, spec: {holderIdentity: x, leaseDurationSeconds: 15}}
        GET leases/a"#,
    ),
    (
        "lease/re-created-under-the-holder",
        r#"POST leases {metadata: {name: a}, spec: {holderIdentity: x, leaseDurationSeconds: 15}}
        DELETE leases/a
        POST leases {metadata: {name: a}, spec: {holderIdentity: y, leaseDurationSeconds: 15}}
        PUT leases/a {metadata: {name: a, resourceVersion: "$1.rv", uid: "$1.uid"}, spec: {holderIdentity: x, leaseDurationSeconds: 15}}"#,
    ),
    (
        "event/create",
        r#"POST events {metadata: {name: a.1, namespace: $NS}, action: Reconcile, eventTime: "2020-01-01T00:00:00.000000Z",
        note: n, reason: R, regarding: {kind: Service, name: a, namespace: $NS, apiVersion: v1}, reportingController: ferrolb,
        reportingInstance: i, type: Normal}
        GET events/a.1"#,
    ),
    (
        "event/twice",
        r#"POST events {metadata: {name: a.1}, action: Reconcile, eventTime: "2020-01-01T00:00:00.000000Z",
        note: n, reason: R, regarding: {kind: Service, name: a, namespace: $NS}, reportingController: ferrolb,
        reportingInstance: i, type: Normal}
        POST events {metadata: {name: a.1}, action: Reconcile, eventTime: "2020-01-01T00:00:00.000000Z",
        note: n, reason: R, regarding: {kind: Service, name: a, namespace: $NS}, reportingController: ferrolb,
        reportingInstance: i, type: Normal}"#,
    ),
    (
        "event/series",
        r#"POST events {metadata: {name: a.1}, action: Reconcile, eventTime: "2020-01-01T00:00:00.000000Z",
        note: n, reason: R, regarding: {kind: Service, name: a, namespace: $NS}, reportingController: ferrolb,
        reportingInstance: i, type: Normal}
        MERGE events/a.1 {series: {count: 2, lastObservedTime: "2020-01-01T00:01:00.000000Z"}}"#,
    ),
    (
        "event/other-namespace",
        r#"POST events {metadata: {name: a.1}, action: Reconcile, eventTime: "2020-01-01T00:00:00.000000Z",
        note: n, reason: R, regarding: {kind: Service, name: a, namespace: default}, reportingController: ferrolb,
        reportingInstance: i, type: Normal}"#,
    ),
    (
        "event/of-a-cluster-wide-object",
        r#"POST /apis/events.k8s.io/v1/namespaces/default/events {metadata: {name: $NS.1},
        action: Reconcile, eventTime: "2020-01-01T00:00:00.000000Z", note: n, reason: R,
        regarding: {kind: LoadBalancerClass, name: a, apiVersion: ferrolb.io/v1alpha1}, reportingController: ferrolb,
        reportingInstance: i, type: Warning}"#,
    ),
];
