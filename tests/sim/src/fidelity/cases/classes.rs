//! Our own kind: its schema, its CEL rules, and what is pruned.

use super::Case;

pub const CASES: &[Case] = &[
    (
        "class/create",
        r#"POST loadbalancerclasses {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: $NS-a}, spec: {provider: elb}}
        GET loadbalancerclasses/$NS-a"#,
    ),
    (
        "class/everything-said",
        r#"POST loadbalancerclasses {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: $NS-a}, spec: {provider: elb, default: true, allowedNamespaces: [x, y],
        parameters: {kubernetes.io/elb.class: union}}}"#,
    ),
    (
        "class/twice",
        r#"POST loadbalancerclasses {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: $NS-a}, spec: {provider: elb}}
        POST loadbalancerclasses {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: $NS-a}, spec: {provider: elb}}"#,
    ),
    (
        "class/unknown-fields-are-pruned",
        r#"POST loadbalancerclasses {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: $NS-a}, spec: {provider: elb, nonsense: 1}, status: {ready: true}}
        MERGE loadbalancerclasses/$NS-a {spec: {more: {x: 1}}}"#,
    ),
    (
        "class/generation",
        r#"POST loadbalancerclasses {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: $NS-a}, spec: {provider: elb}}
        MERGE loadbalancerclasses/$NS-a {metadata: {labels: {l: "1"}}}
        MERGE loadbalancerclasses/$NS-a {spec: {default: true}}
        MERGE loadbalancerclasses/$NS-a {spec: {default: true}}"#,
    ),
    (
        "class/provider-missing",
        r#"POST loadbalancerclasses {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: $NS-a}, spec: {}}"#,
    ),
    (
        "class/spec-missing",
        r#"POST loadbalancerclasses {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass, metadata: {name: $NS-a}}"#,
    ),
    (
        "class/provider-malformed",
        r#"POST loadbalancerclasses {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: $NS-a}, spec: {provider: E_lb}}"#,
    ),
    (
        "class/provider-empty",
        r#"POST loadbalancerclasses {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: $NS-a}, spec: {provider: ""}}"#,
    ),
    (
        "class/provider-is-a-number",
        r#"POST loadbalancerclasses {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: $NS-a}, spec: {provider: 1}}"#,
    ),
    (
        "class/provider-changed",
        r#"POST loadbalancerclasses {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: $NS-a}, spec: {provider: elb}}
        MERGE loadbalancerclasses/$NS-a {spec: {provider: mock}}"#,
    ),
    (
        "class/parameter-without-slash",
        r#"POST loadbalancerclasses {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: $NS-a}, spec: {provider: elb, parameters: {plain: x}}}"#,
    ),
    (
        "class/parameter-of-ours",
        r#"POST loadbalancerclasses {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: $NS-a}, spec: {provider: elb, parameters: {ferrolb.io/provider: x}}}"#,
    ),
    (
        "class/namespace-twice",
        r#"POST loadbalancerclasses {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: $NS-a}, spec: {provider: elb, allowedNamespaces: [x, x]}}"#,
    ),
    (
        "class/name-too-long",
        r#"POST loadbalancerclasses {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: a123456789.b123456789.c123456789.d123456789.e123456789.f123456789.g}, spec: {provider: elb}}"#,
    ),
    ("class/without-a-kind", r#"POST loadbalancerclasses {metadata: {name: $NS-a}, spec: {provider: elb}}"#),
    (
        "class/old-version",
        r#"POST loadbalancerclasses {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: $NS-a}, spec: {provider: elb}}
        MERGE loadbalancerclasses/$NS-a {spec: {default: true}}
        PUT loadbalancerclasses/$NS-a {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: $NS-a, resourceVersion: "$1.rv"}, spec: {provider: elb}}"#,
    ),
    (
        "class/update-without-a-version",
        r#"POST loadbalancerclasses {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: $NS-a}, spec: {provider: elb}}
        PUT loadbalancerclasses/$NS-a {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: $NS-a}, spec: {provider: elb, default: true}}"#,
    ),
    (
        "class/no-status",
        r#"POST loadbalancerclasses {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: $NS-a}, spec: {provider: elb}}
        MERGE loadbalancerclasses/$NS-a/status {status: {}}"#,
    ),
    (
        "class/delete",
        r#"POST loadbalancerclasses {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: $NS-a}, spec: {provider: elb}}
        DELETE loadbalancerclasses/$NS-a
        GET loadbalancerclasses/$NS-a"#,
    ),
    (
        "class/delete-held",
        r#"POST loadbalancerclasses {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: $NS-a, finalizers: [example.com/f]}, spec: {provider: elb}}
        DELETE loadbalancerclasses/$NS-a
        MERGE loadbalancerclasses/$NS-a {metadata: {finalizers: null}}
        GET loadbalancerclasses/$NS-a"#,
    ),
    (
        "class/strategic-patch",
        r#"POST loadbalancerclasses {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: $NS-a}, spec: {provider: elb}}
        STRATEGIC loadbalancerclasses/$NS-a {spec: {default: true}}"#,
    ),
    (
        "class/list",
        r#"POST loadbalancerclasses {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: $NS-b, labels: {fidelity: "1"}}, spec: {provider: elb}}
        POST loadbalancerclasses {apiVersion: ferrolb.io/v1alpha1, kind: LoadBalancerClass,
        metadata: {name: $NS-a, labels: {fidelity: "1"}}, spec: {provider: elb}}
        GET loadbalancerclasses?labelSelector=fidelity%3D1
        GET loadbalancerclasses?labelSelector=fidelity%3D1&limit=1"#,
    ),
];
