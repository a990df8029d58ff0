//! Edits of a running Service that the cloud cannot carry out: told, and nothing is done.

use ferrolb_mock::VIP_SUBNET_ID;
use ferrolb_provider::Desired;

use crate::harness::{ALLOW, AUTOCREATE, CCE_EXAMPLE, CLASS, ID, World, addresses, owner, service, union};

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

/// The same with the owner's word.
fn allowed(want: &Desired) -> Desired {
    let mut allowed = want.clone();
    allowed.options.insert(ALLOW.0.to_owned(), ALLOW.1.to_owned());
    allowed
}

#[tokio::test]
async fn an_address_that_is_asked_for_no_longer_goes_only_when_that_is_allowed() {
    let mut world = World::new().await;
    let public = addresses(&world.converge(&union()).await);
    let private = service(&[(CLASS, "union"), (AUTOCREATE, r#"{"type":"inner","name":"james"}"#)]);
    world.calls();
    let outcome = world.converge(&private).await;
    // It leaves the status, so that nobody begins to use it, and stays for those who do.
    assert_eq!(addresses(&outcome), public[1..]);
    let text = outcome.warnings[0].to_string();
    assert!(text.starts_with("ferrolb.io/allow-interruption: eip/main "), "{text}");
    assert!(text.contains(&format!("the address {}", public[0])), "{text}");
    assert_eq!((world.calls().1, world.counts()[1]), (0, 1));
    world.restart();
    assert_eq!(world.converge(&private).await.warnings.len(), 1, "and nobody forgets it");
    // Asked for again, it is the same one.
    assert_eq!(addresses(&world.converge(&union()).await), public);
    let outcome = world.converge(&allowed(&private)).await;
    assert!(outcome.warnings.is_empty(), "{outcome:#?}");
    assert_eq!(world.counts()[..2], [1, 0]);
    // A Service that goes takes everything along, whatever it says.
    world.converge(&union()).await;
    world.converge(&private).await;
    world.release(&owner()).await;
    assert_eq!(world.counts(), [0; 6]);
}

#[tokio::test]
async fn a_load_balancer_serves_on_beside_the_one_that_takes_over() {
    let world = World::new().await;
    let theirs = world.foreign().await;
    world.converge(&union()).await;
    let adopted = service(&[(CLASS, "union"), (ID, &theirs)]);
    let outcome = world.converge(&adopted).await;
    // Ours keeps listener, pool and members.
    assert_eq!(world.counts(), [2, 2, 3, 2, 6, 2], "{outcome:#?}");
    let slots: Vec<&str> = outcome.warnings.iter().filter_map(|w| w.message.split(' ').next()).collect();
    assert_eq!(slots, ["eip/main", "loadbalancer/main"], "{:#?}", outcome.warnings);
    let outcome = world.converge(&allowed(&adopted)).await;
    assert!(outcome.warnings.is_empty(), "{outcome:#?}");
    assert_eq!(world.counts(), [1, 1, 2, 1, 3, 1], "theirs, with ours on it");
}
