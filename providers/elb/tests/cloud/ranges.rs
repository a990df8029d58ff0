//! Listeners with ranges of ports.

use serde_json::json;

use crate::harness::{CLASS, ID, World, performance, service};

const PORT_RANGES: &str = "kubernetes.io/elb.port-ranges";

#[tokio::test]
async fn ranges_are_made_kept_and_changed_by_making_the_listener_anew() {
    let world = World::new().await;
    let mut want = performance();
    want.options.insert(PORT_RANGES.into(), r#"{"tcp-80":["80,90","100,100"]}"#.into());
    world.converge(&want).await;
    let listener = world.cloud.ledger()["listeners"][0].clone();
    assert_eq!(listener["protocol_port"], 0);
    assert_eq!(
        listener["port_ranges"],
        json!([{"start_port": 80, "end_port": 90}, {"start_port": 100, "end_port": 100}])
    );
    assert_eq!(world.counts(), [1, 1, 1, 1, 3, 1]);
    assert_eq!(world.pass(&want).await.writes, 0);

    want.options.insert(PORT_RANGES.into(), r#"{"tcp-80":["80,91"]}"#.into());
    world.converge(&want).await;
    let anew = world.cloud.ledger()["listeners"][0].clone();
    assert_ne!(anew["id"], listener["id"]);
    assert_eq!(anew["port_ranges"], json!([{"start_port": 80, "end_port": 91}]));
    // Without the key the port alone is served.
    want.options.remove(PORT_RANGES);
    world.converge(&want).await;
    assert_eq!(world.cloud.ledger()["listeners"][0]["protocol_port"], 80);
    assert_eq!(world.counts(), [1, 1, 1, 1, 3, 1]);
}

#[tokio::test]
async fn a_range_with_somebody_elses_port_is_a_conflict() {
    let world = World::new().await;
    let theirs = world.foreign().await;
    let mut want = service(&[(CLASS, "performance"), (ID, &theirs)]);
    want.options.insert(PORT_RANGES.into(), r#"{"tcp-80":["80,9000"]}"#.into());
    world.calls();
    let outcome = world.converge_or_conflict(&want).await;
    assert!(!outcome.conflicts.is_empty(), "{outcome:#?}");
    assert_eq!(world.calls().1, 0);
    want.options.insert(PORT_RANGES.into(), r#"{"tcp-80":["80,8442"]}"#.into());
    world.converge(&want).await;
    assert_eq!(world.counts(), [1, 1, 2, 1, 3, 1]);
}
