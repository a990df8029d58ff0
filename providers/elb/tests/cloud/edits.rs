//! Edits of a running Service that the cloud cannot carry out: told, and nothing is done.

use ferrolb_mock::VIP_SUBNET_ID;
use ferrolb_provider::Desired;

use crate::harness::{AUTOCREATE, CCE_EXAMPLE, CLASS, World, addresses, service, union};

const PROJECT: &str = "kubernetes.io/elb.enterpriseID";

/// One that names everything that can be named.
fn full() -> Desired {
    let more = format!(
        r#","available_zone":["mock-1b","mock-1a"],"l4_flavor_name":"L4_flavor.elb.s1.small","l7_flavor_name":"L7_flavor.elb.s1.small","elb_virsubnet_ids":["{VIP_SUBNET_ID}"]}}"#
    );
    let autocreate = CCE_EXAMPLE.replace('}', &more);
    service(&[(CLASS, "performance"), (AUTOCREATE, &autocreate), (PROJECT, "5aa119a8-d25b-45a7-8d1b-88e127885635")])
}

/// `want` with one word of its autocreate changed, or with another project.
fn edited(want: &Desired, from: &str, to: &str) -> Desired {
    let mut edited = want.clone();
    for key in [AUTOCREATE, PROJECT] {
        if let Some(value) = edited.options.get_mut(key) {
            *value = value.replace(from, to);
        }
    }
    assert_ne!(edited, *want, "{from}");
    edited
}

async fn is_told(world: &World, want: &Desired, edits: &[(&str, &str, &str)]) {
    let first = addresses(&world.converge(want).await);
    for (from, to, field) in edits {
        world.calls();
        let outcome = world.pass(&edited(want, from, to)).await;
        assert!(!outcome.settled);
        let texts: Vec<String> = outcome.problems.iter().map(ToString::to_string).collect();
        assert!(!texts.is_empty(), "{field}");
        assert!(texts.iter().all(|t| t.contains(field) && t.contains("nothing of it was changed")), "{texts:?}");
        assert_eq!(world.calls().1, 0, "{field}");
        assert_eq!(addresses(&outcome), first, "{field}");
        let outcome = world.pass(want).await;
        assert!(outcome.settled && outcome.problems.is_empty(), "{outcome:#?}");
    }
}

#[tokio::test]
async fn of_a_shared_one() {
    let world = World::new().await;
    let mut want = union();
    want.options.insert(PROJECT.into(), "0".into());
    is_told(
        &world,
        &want,
        &[
            ("5_bgp", "5_sbgp", "eip_type is 5_bgp, not 5_sbgp"),
            (r#""bandwidth_chargemode":"bandwidth""#, r#""bandwidth_chargemode":"traffic""#, "bandwidth_chargemode is"),
            ("cce-bandwidth", "other", "bandwidth_name is cce-bandwidth, not other"),
        ],
    )
    .await;
    want.options.insert(PROJECT.into(), "project-1".into());
    let outcome = world.pass(&want).await;
    // The load balancer and its EIP.
    assert_eq!(outcome.problems.len(), 2, "{outcome:#?}");
    assert!(outcome.problems.iter().all(|p| p.message.contains("enterprise project is 0, not project-1")));
    // Not to name one is not to wish for another.
    want.options.remove(PROJECT);
    assert!(world.pass(&want).await.settled);
}

#[tokio::test]
async fn of_a_dedicated_one_also_after_a_restart() {
    let mut world = World::new().await;
    let want = full();
    let edits = [
        (r#""mock-1b","#, r#""mock-1c","#, "available_zone is mock-1b, mock-1a, not mock-1c, mock-1a"),
        (
            "L4_flavor.elb.s1.small",
            "L4_flavor.elb.s1.large",
            "l4_flavor_name is L4_flavor.elb.s1.small, not L4_flavor.elb.s1.large",
        ),
        ("L7_flavor.elb.s1.small", "L7_flavor.elb.s1.large", "l7_flavor_name is"),
        (VIP_SUBNET_ID, "another-network", "elb_virsubnet_ids is"),
        ("5aa119a8-d25b-45a7-8d1b-88e127885635", "0", "enterprise project is 5aa119a8"),
    ];
    is_told(&world, &want, &edits).await;
    world.restart();
    is_told(&world, &want, &edits).await;
}
