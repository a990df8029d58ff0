//! Made, left alone, changed, deleted; and how many calls that takes.

use ferrolb_mock::FaultPlan;
use ferrolb_provider::{Health, Protocol, Provider};
use futures::future::join_all;

use crate::harness::{ALLOW, AUTOCREATE, CLASS, World, addresses, backend, owner, performance, port, service, union};

#[tokio::test]
async fn the_vendors_example_comes_up_within_the_budget_and_goes_without_a_trace() {
    let world = World::new().await;
    world.foreign().await;
    let before = world.cloud.ledger();
    let want = union();
    world.engine.first_seen(&want.owner);

    let outcome = world.pass(&want).await;
    assert!(outcome.failures.is_empty(), "{outcome:#?}");
    assert_eq!(world.counts(), [2, 2, 2, 1, 3, 1]);
    let (reads, writes) = world.calls();
    assert_eq!((reads, writes), (4, 6));

    let outcome = world.converge(&want).await;
    assert_eq!(addresses(&outcome), ["203.0.113.2", "198.18.0.3"]);
    let health = outcome.serving.unwrap().health;
    assert_eq!(health, Some(Health { healthy: 3, total: 3 }));

    world.calls();
    let outcome = world.pass(&want).await;
    assert!(outcome.settled);
    assert_eq!(world.calls(), (6, 0));

    world.release(&owner()).await;
    let after = world.cloud.ledger();
    for kind in ["loadbalancers", "eips", "listeners", "pools", "members", "healthmonitors"] {
        assert_eq!(after[kind].as_array().unwrap().len(), before[kind].as_array().unwrap().len());
    }
    for kind in ["loadbalancers", "eips", "listeners"] {
        assert_eq!(after[kind], before[kind]);
    }
}

/// Public ones, and private ones of which none has an EIP, so that nothing shows whether the cloud takes several values.
#[tokio::test]
async fn services_that_are_looked_at_together_share_the_reads() {
    for (kind, most) in [(union(), 6), (service(&[(AUTOCREATE, "{}")]), 7)] {
        let world = World::new().await;
        let wants: Vec<_> = (10..30)
            .map(|n| {
                let mut want = kind.clone();
                want.owner.uid = format!("22222222-2222-4222-8222-2222222222{n}");
                want.owner.name = format!("web-{n}");
                want
            })
            .collect();
        join_all(wants.iter().map(|want| world.converge(want))).await;
        world.calls();
        let outcomes = join_all(wants.iter().map(|want| world.pass(want))).await;
        assert!(outcomes.iter().all(|outcome| outcome.settled && outcome.serving.is_some()));
        let (reads, writes) = world.calls();
        assert!(reads <= most && writes == 0, "{reads} reads and {writes} writes for 20 Services");
    }
}

#[tokio::test]
async fn what_the_cloud_is_told() {
    let world = World::new().await;
    world.converge(&union()).await;
    let ledger = world.cloud.ledger();
    let lb = &ledger["loadbalancers"][0];
    assert_eq!(lb["name"], "james");
    assert_eq!(lb["guaranteed"], false);
    let mark = ferrolb_elb::mark::description(&owner());
    for kind in ["loadbalancers", "listeners", "pools"] {
        assert_eq!(ledger[kind][0]["description"], mark, "{kind}");
    }
    let eip = &ledger["eips"][0];
    assert_eq!(eip["alias"], ferrolb_elb::mark::alias(&owner()));
    assert_eq!(eip["bandwidth"]["size"], 5);
    assert_eq!(eip["bandwidth"]["name"], "cce-bandwidth");
    assert_eq!(eip["bandwidth"]["charge_mode"], "bandwidth");
    assert_eq!(eip["network_type"], "5_bgp");
    let monitor = &ledger["healthmonitors"][0];
    assert_eq!((&monitor["type"], &monitor["delay"]), (&"TCP".into(), &5.into()));
    assert_eq!(ledger["members"][0]["protocol_port"], 30080);
}

#[tokio::test]
async fn a_dedicated_load_balancer() {
    let world = World::new().await;
    let want = performance();
    world.engine.first_seen(&want.owner);
    world.pass(&want).await;
    let (reads, writes) = world.calls();
    // One read more than for a shared one: the flavor's id, once per process.
    assert_eq!((reads, writes), (5, 6));
    let outcome = world.converge(&want).await;
    assert_eq!(addresses(&outcome), ["203.0.113.1", "198.18.0.2"]);
    let ledger = world.cloud.ledger();
    let lb = &ledger["loadbalancers"][0];
    assert_eq!(lb["guaranteed"], true);
    assert!(!lb["l4_flavor_id"].as_str().unwrap().is_empty());
    // The configuration's, since the Service names none.
    assert_eq!(lb["elb_virsubnet_ids"], serde_json::json!([ferrolb_mock::VIP_SUBNET_ID]));
    assert_eq!(ledger["eips"][0]["associate_instance_type"], "ELB");
    world.calls();
    world.pass(&want).await;
    assert_eq!(world.calls().1, 0);
    world.release(&owner()).await;
    assert_eq!(world.counts(), [0; 6]);
}

#[tokio::test]
async fn a_private_one_has_no_eip() {
    let world = World::new().await;
    let outcome = world.converge(&service(&[(AUTOCREATE, "{}")])).await;
    assert_eq!(addresses(&outcome), ["198.18.0.2"]);
    assert_eq!(world.counts(), [1, 0, 1, 1, 3, 1]);
}

#[tokio::test]
async fn nodes_come_and_go_with_one_call_each() {
    let world = World::new().await;
    let mut want = union();
    want.ports.push(port(Protocol::Udp, 53, &[1, 2, 3]));
    world.converge(&want).await;
    world.calls();

    let nodes = |want: &mut ferrolb_provider::Desired, nodes: &[u8]| {
        for port in &mut want.ports {
            let node_port = 30000 + port.port;
            port.backends = nodes.iter().map(|n| backend(*n, node_port)).collect();
        }
    };
    // One per pool.
    nodes(&mut want, &[1, 2, 3, 4]);
    world.pass(&want).await;
    assert_eq!(world.calls().1, 2);
    nodes(&mut want, &[2, 3, 4]);
    world.pass(&want).await;
    assert_eq!(world.calls().1, 2);
    for port in &mut want.ports {
        port.backends[0].weight = Some(7);
    }
    world.pass(&want).await;
    assert_eq!(world.calls().1, 2);
    assert_eq!(world.counts(), [1, 1, 2, 2, 6, 2]);
    // All of them at once, and the pools stay.
    nodes(&mut want, &[]);
    world.pass(&want).await;
    assert_eq!(world.calls().1, 2);
    assert_eq!(world.counts(), [1, 1, 2, 2, 0, 2]);
    // Empty pools are not asked for members.
    let outcome = world.pass(&want).await;
    assert_eq!(world.calls(), (5, 0));
    assert_eq!(outcome.serving.unwrap().health, Some(Health { healthy: 0, total: 0 }));
}

#[tokio::test]
async fn more_members_than_one_call_takes() {
    let world = World::new().await;
    let nodes: Vec<u8> = (1..=250).collect();
    let mut want = service(&[(AUTOCREATE, "{}")]);
    want.ports = vec![port(Protocol::Tcp, 80, &nodes)];
    world.pass(&want).await;
    let outcome = world.converge(&want).await;
    assert_eq!(outcome.writes, 0);
    assert_eq!(world.counts()[4], 250);
}

#[tokio::test]
async fn ports_and_settings_follow_the_wish() {
    let world = World::new().await;
    let mut want = union();
    let first = addresses(&world.converge(&want).await);
    want.ports = vec![port(Protocol::Udp, 53, &[1]), port(Protocol::Tcp, 80, &[1, 2, 3])];
    want.options.insert("kubernetes.io/elb.lb-algorithm".into(), "SOURCE_IP".into());
    want.options.insert(
        "kubernetes.io/elb.health-check-option".into(),
        r#"{"delay":"9","protocol":"HTTP","path":"/ok"}"#.into(),
    );
    want.options.insert(AUTOCREATE.into(), crate::harness::CCE_EXAMPLE.replace("james", "jane"));
    let outcome = world.converge(&want).await;
    assert_eq!(addresses(&outcome), first);
    let ledger = world.cloud.ledger();
    assert_eq!(ledger["loadbalancers"][0]["name"], "jane");
    for pool in ledger["pools"].as_array().unwrap() {
        assert_eq!(pool["lb_algorithm"], "SOURCE_IP");
    }
    for monitor in ledger["healthmonitors"].as_array().unwrap() {
        assert_eq!(monitor["delay"], 9);
    }
    // A port less, and no checks any more.
    want.ports.remove(0);
    want.options.insert("kubernetes.io/elb.health-check-flag".into(), "off".into());
    world.converge(&want).await;
    assert_eq!(world.counts(), [1, 1, 1, 1, 3, 0]);
    // Private instead of public: the address goes with its EIP.
    want.options.extend([(AUTOCREATE, r#"{"name":"jane"}"#), ALLOW].map(|(key, value)| (key.into(), value.into())));
    let outcome = world.converge(&want).await;
    assert_eq!(addresses(&outcome).len(), 1);
    assert_eq!(world.counts()[1], 0);
}

#[tokio::test]
async fn another_class_is_refused_and_what_serves_goes_on_serving() {
    let world = World::new().await;
    let first = addresses(&world.converge(&union()).await);
    let outcome = world.pass(&performance()).await;
    assert!(!outcome.settled);
    assert!(outcome.problems[0].message.contains("union, not performance"), "{outcome:#?}");
    assert_eq!(addresses(&outcome), first);
    assert_eq!(world.counts(), [1, 1, 1, 1, 3, 1]);
}

#[tokio::test]
async fn a_wrong_wish_makes_no_call() {
    let world = World::new().await;
    let broken = crate::harness::CCE_EXAMPLE.replace(r#"bandwidth","bandwidth_size"#, r#"bandwidth,"bandwidth_size"#);
    let outcome = world.pass(&service(&[(CLASS, "union"), (AUTOCREATE, &broken)])).await;
    assert_eq!(outcome.problems.len(), 1);
    let text = outcome.problems[0].to_string();
    assert!(text.contains("kubernetes.io/elb.autocreate at line 1 column"), "{text}");
    assert!(text.contains("a quote is missing"), "{text}");
    assert_eq!(world.calls(), (0, 0));
}

#[tokio::test]
async fn orphans_are_found_and_can_be_released_without_their_names() {
    let world = World::new().await;
    world.foreign().await;
    world.converge(&union()).await;
    let cluster = owner().cluster;
    let owners = world.engine.provider().owners(&cluster).await.unwrap();
    assert_eq!(owners, [owner()]);
    assert!(world.engine.provider().owners("another").await.unwrap().is_empty());
    let nameless = ferrolb_provider::Owner { namespace: String::new(), name: String::new(), ..owner() };
    world.release(&nameless).await;
    assert_eq!(world.counts(), [1, 1, 1, 0, 0, 0]);
    assert!(world.engine.provider().owners(&cluster).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_public_address_is_not_named_any_more_when_it_is_to_go() {
    for public in [union(), performance()] {
        let world = World::new().await;
        let both = world.converge(&public).await.serving.unwrap().addresses;
        let [eip, private] = [0, 1].map(|n| both[n].ip);
        let mut want = public.clone();
        want.options.get_mut(AUTOCREATE).unwrap().replace_range(..16, r#"{"type":"inner""#);
        want.options.insert(ALLOW.0.into(), ALLOW.1.into());
        want.published = vec![eip, private];
        world.calls();
        let outcome = world.pass(&want).await;
        assert_eq!(addresses(&outcome), [private.to_string()]);
        assert_eq!(world.calls().1, 0, "nothing goes before clients are told");
        want.published = vec![private];
        // The load balancer goes on showing the EIP as long as lists lag.
        world.cloud.set_faults(FaultPlan { list_lag_ms: 40, ..FaultPlan::default() });
        for _ in 0..3 {
            assert_eq!(addresses(&world.pass(&want).await), [private.to_string()]);
        }
        world.cloud.set_faults(FaultPlan::default());
        assert_eq!(addresses(&world.converge(&want).await), [private.to_string()]);
        assert_eq!(world.counts(), [1, 0, 1, 1, 3, 1]);
    }
}
