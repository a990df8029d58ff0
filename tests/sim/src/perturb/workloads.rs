//! The table of workloads: what users do, and when. Most deeds lie so far apart that a controller which was killed is
//! done before the next; some lie close together on purpose.

use super::deed::Deed::{self, *};
use crate::wish::Wish::{Adopt, BadClass, BadJson, Dnat, DnatShared, Performance, Private, Union};

/// A script of users.
pub struct Workload {
    pub name: &'static str,
    /// Milliseconds since the start, in order.
    pub deeds: &'static [(u64, Deed)],
    /// Deeds overtake the controller even where nothing goes wrong, so that a slower one makes and deletes less.
    pub hurried: bool,
}

const fn calm(name: &'static str, deeds: &'static [(u64, Deed)]) -> Workload {
    Workload { name, deeds, hurried: false }
}

const fn hurried(name: &'static str, deeds: &'static [(u64, Deed)]) -> Workload {
    Workload { name, deeds, hurried: true }
}

const FIRST: u64 = 5_000;
const SECOND: u64 = 125_000;
const THIRD: u64 = 245_000;
const FOURTH: u64 = 365_000;
const FIFTH: u64 = 485_000;

/// All of them.
pub const ALL: &[Workload] = &[
    calm("one-port", &[(FIRST, Create("a/web", Union, &[(80, "TCP")])), (SECOND, Delete("a/web"))]),
    calm(
        "three-ports",
        &[(FIRST, Create("a/web", Union, &[(80, "TCP"), (53, "UDP"), (443, "TCP")])), (SECOND, Delete("a/web"))],
    ),
    calm("dedicated", &[(FIRST, Create("a/web", Performance, &[(80, "TCP"), (53, "UDP")])), (SECOND, Delete("a/web"))]),
    calm(
        "ports",
        &[
            (FIRST, Create("a/web", Private, &[(80, "TCP")])),
            (SECOND, Ports("a/web", &[(80, "TCP"), (443, "TCP")])),
            (THIRD, Ports("a/web", &[(443, "TCP")])),
        ],
    ),
    calm(
        "nodes",
        &[
            (FIRST, Create("a/web", Private, &[(80, "TCP"), (53, "UDP")])),
            (SECOND, Node(4, true)),
            (THIRD, Node(2, false)),
        ],
    ),
    calm(
        "excluded-node",
        &[(FIRST, Create("a/web", Private, &[(80, "TCP")])), (SECOND, Excluded(2, true)), (THIRD, Excluded(2, false))],
    ),
    calm(
        "traffic-policy",
        &[
            (FIRST, Create("a/web", Private, &[(80, "TCP")])),
            (SECOND, Policy("a/web", "Local")),
            (THIRD, Policy("a/web", "Cluster")),
        ],
    ),
    calm(
        "adopted",
        &[
            (FIRST, Create("a/web", Adopt, &[(80, "TCP")])),
            (SECOND, Ports("a/web", &[(80, "TCP"), (81, "TCP")])),
            (THIRD, Delete("a/web")),
        ],
    ),
    calm("adopted-then-own", &[(FIRST, Create("a/web", Adopt, &[(80, "TCP")])), (SECOND, Wish("a/web", Private))]),
    calm(
        "dnat",
        &[
            (FIRST, Create("a/web", Dnat, &[(80, "TCP"), (53, "UDP")])),
            (SECOND, Ports("a/web", &[(80, "TCP"), (443, "TCP")])),
            (THIRD, Node(2, false)),
            (FOURTH, Delete("a/web")),
        ],
    ),
    calm(
        "dnat-on-one-eip",
        &[
            (FIRST, Create("a/web", DnatShared, &[(80, "TCP")])),
            (SECOND, Create("b/web", DnatShared, &[(443, "TCP")])),
            (THIRD, Delete("a/web")),
        ],
    ),
    calm("dnat-then-own", &[(FIRST, Create("a/web", DnatShared, &[(80, "TCP")])), (SECOND, Wish("a/web", Private))]),
    calm(
        "type-flip",
        &[
            (FIRST, Create("a/web", Union, &[(80, "TCP")])),
            (SECOND, Type("a/web", "ClusterIP")),
            (THIRD, Type("a/web", "LoadBalancer")),
        ],
    ),
    // Without its class a Service keeps its load balancer only where it has its address already, hence the longer wait.
    calm(
        "class",
        &[
            (FIRST, CreateClassed("a/web", "ferrolb.io/gold", Private, &[(80, "TCP")])),
            (THIRD, Gold(false)),
            (FOURTH, Gold(true)),
            (FIFTH, Delete("a/web")),
        ],
    ),
    calm(
        "wrong-then-right",
        &[
            (FIRST, Create("a/web", BadJson, &[(80, "TCP")])),
            (SECOND, Wish("a/web", Union)),
            (THIRD, Wish("a/web", BadClass)),
            (FOURTH, Wish("a/web", Union)),
        ],
    ),
    calm(
        "public-to-private",
        &[
            (FIRST, Create("a/web", Union, &[(80, "TCP")])),
            (SECOND, Wish("a/web", Private)),
            (THIRD, Wish("a/web", Union)),
        ],
    ),
    calm(
        "two-at-once",
        &[
            (FIRST, Create("a/web", Union, &[(80, "TCP")])),
            (FIRST, Create("b/web", Private, &[(80, "TCP")])),
            (SECOND, Delete("a/web")),
        ],
    ),
    hurried("delete-at-once", &[(FIRST, Create("a/web", Union, &[(80, "TCP")])), (FIRST + 400, Delete("a/web"))]),
    hurried(
        "namespace",
        &[
            (FIRST, Create("b/one", Private, &[(80, "TCP")])),
            (FIRST, Create("b/two", Union, &[(53, "UDP")])),
            (FIRST + 2_000, Delete("b/one")),
            (FIRST + 2_000, Delete("b/two")),
        ],
    ),
    hurried(
        "same-name-again",
        &[
            (FIRST, Create("a/web", Union, &[(80, "TCP")])),
            (SECOND, Delete("a/web")),
            (SECOND, Create("a/web", Private, &[(80, "TCP"), (53, "UDP")])),
        ],
    ),
    hurried(
        "quick-flips",
        &[
            (FIRST, Create("a/web", Union, &[(80, "TCP")])),
            (FIRST + 1_500, Type("a/web", "ClusterIP")),
            (FIRST + 1_900, Type("a/web", "LoadBalancer")),
            (FIRST + 2_600, Ports("a/web", &[(443, "TCP")])),
        ],
    ),
];
