//! Who may connect: source ranges as a group of our own, and groups of the user's.

use ferrolb_provider::{Desired, Protocol};
use serde_json::{Value, json};

use crate::harness::{AUTOCREATE, CLASS, ID, World, owner, performance, port, service, union};

const ACL: &str = "kubernetes.io/elb.acl-";

/// `want` with TCP 80 and UDP 53, for these ranges only.
fn for_ranges(mut want: Desired, ranges: &[&str]) -> Desired {
    want.ports = vec![port(Protocol::Tcp, 80, &[1, 2]), port(Protocol::Udp, 53, &[1, 2])];
    want.source_ranges = ranges.iter().map(|range| range.parse().unwrap()).collect();
    want
}

/// `want` with `acl-id`, `acl-status` and `acl-type`.
fn with_acl(mut want: Desired, id: &str, status: &str, kind: &str) -> Desired {
    for (end, value) in [("id", id), ("status", status), ("type", kind)] {
        want.options.insert(format!("{ACL}{end}"), value.to_owned());
    }
    want
}

fn objects(world: &World, kind: &str) -> Vec<Value> {
    world.cloud.ledger()[kind].as_array().unwrap().clone()
}

/// The addresses of each group.
fn lists(world: &World) -> Vec<Vec<String>> {
    let ips = |group: &Value| {
        let list = group["ip_list"].as_array().unwrap();
        list.iter().map(|line| line["ip"].as_str().unwrap().to_owned()).collect()
    };
    objects(world, "ipgroups").iter().map(ips).collect()
}

/// What each of our listeners says about groups.
fn access(world: &World) -> Vec<Value> {
    let listeners = objects(world, "listeners");
    listeners.iter().filter(|l| l["description"] != "").map(|l| l["ipgroup"].clone()).collect()
}

async fn rests(world: &World, want: &Desired) {
    world.converge(want).await;
    world.calls();
    let outcome = world.pass(want).await;
    assert!(outcome.settled && outcome.problems.is_empty(), "{outcome:#?}");
    assert_eq!(world.calls().1, 0, "a pass without change writes nothing");
}

/// A group of the user's.
async fn group(world: &World, ip: &str) -> String {
    let group = json!({"ipgroup": {"name": "office", "description": "", "ip_list": [{"ip": ip}]}});
    let made = world.by_hand("POST", "v3/PID/elb/ipgroups", group).await;
    made["ipgroup"]["id"].as_str().unwrap().to_owned()
}

fn uses(group: &Value, kind: &str) -> Value {
    json!({"ipgroup_id": group, "enable_ipgroup": true, "type": kind})
}

#[tokio::test]
async fn source_ranges_become_a_group_that_listeners_are_created_with() {
    let world = World::new().await;
    let want = for_ranges(union(), &["10.0.0.0/8", "192.0.2.7/32", "10.1.0.0/16"]);
    rests(&world, &want).await;
    assert_eq!(lists(&world), [["10.0.0.0/8", "192.0.2.7"]]);
    let id = objects(&world, "ipgroups")[0]["id"].clone();
    assert_eq!(access(&world), [uses(&id, "white"), uses(&id, "white")]);
    // Never open to anybody else: neither was changed after it was made.
    assert!(objects(&world, "listeners").iter().all(|l| l["created_at"] == l["updated_at"]));

    // Other ranges: one write, in place.
    world.calls();
    let other = for_ranges(union(), &["198.51.100.0/24"]);
    world.pass(&other).await;
    assert_eq!(world.calls().1, 1);
    assert_eq!(lists(&world), [["198.51.100.0/24"]]);
    assert_eq!(objects(&world, "ipgroups")[0]["id"], id);
    rests(&world, &other).await;

    // None any more: everybody, and the group goes.
    let open = for_ranges(union(), &[]);
    rests(&world, &open).await;
    assert_eq!((lists(&world).len(), access(&world)), (0, vec![Value::Null, Value::Null]));

    // And again, on listeners that are there already.
    rests(&world, &want).await;
    assert_eq!((lists(&world).len(), access(&world)[0]["type"].clone()), (1, json!("white")));
    world.release(&owner()).await;
    assert!(lists(&world).is_empty());
    assert_eq!(world.counts(), [0; 6]);
}

#[tokio::test]
async fn what_somebody_opened_is_closed_again() {
    let mut world = World::new().await;
    let want = for_ranges(performance(), &["10.0.0.0/8", "2001:db8::/32"]);
    rests(&world, &want).await;
    let id = objects(&world, "ipgroups")[0]["id"].as_str().unwrap().to_owned();
    let listener = objects(&world, "listeners")[0]["id"].as_str().unwrap().to_owned();
    let path = format!("v3/PID/elb/listeners/{listener}");
    let strange = group(&world, "0.0.0.0/0").await;
    for ipgroup in [
        Value::Null,
        json!({"enable_ipgroup": false}),
        json!({"type": "black"}),
        json!({"ipgroup_id": strange}),
        json!({"ipgroup_id": format!("{id},{strange}")}),
    ] {
        world.by_hand("PUT", &path, json!({"listener": {"ipgroup": ipgroup}})).await;
        rests(&world, &want).await;
        assert!(access(&world).iter().all(|a| *a == uses(&json!(id), "white")), "{:#?}", access(&world));
    }
    let wide = json!({"ipgroup": {"ip_list": [{"ip": "0.0.0.0/1"}]}});
    world.by_hand("PUT", &format!("v3/PID/elb/ipgroups/{id}"), wide).await;
    rests(&world, &want).await;
    assert!(lists(&world).contains(&vec!["10.0.0.0/8".to_owned(), "2001:db8::/32".to_owned()]));
    // A new process knows its own group, and what goes with it.
    world.restart();
    let open = for_ranges(performance(), &[]);
    rests(&world, &open).await;
    assert_eq!(lists(&world), [["0.0.0.0/0"]], "theirs stays");
}

#[tokio::test]
async fn groups_of_the_users_are_used_and_never_changed() {
    let world = World::new().await;
    let (one, two) = (group(&world, "10.0.0.0/8").await, group(&world, "192.0.2.0/24").await);
    let plain = for_ranges(performance(), &[]);
    rests(&world, &with_acl(plain.clone(), &one, "on", "white")).await;
    assert!(access(&world).iter().all(|a| *a == uses(&json!(one), "white")));
    rests(&world, &with_acl(plain.clone(), &format!("{two},{one}"), "on", "black")).await;
    let both: Vec<&str> = if one < two { vec![&one, &two] } else { vec![&two, &one] };
    assert!(access(&world).iter().all(|a| *a == uses(&json!(both.join(",")), "black")), "{:#?}", access(&world));
    // Without the key it stays as it is.
    rests(&world, &plain).await;
    assert!(access(&world).iter().all(|a| a["type"] == "black"));
    rests(&world, &with_acl(plain.clone(), &one, "off", "white")).await;
    assert!(access(&world).iter().all(|a| a["enable_ipgroup"] == false));
    let mut everybody = plain.clone();
    everybody.options.insert(format!("{ACL}id"), String::new());
    rests(&world, &with_acl(plain.clone(), &one, "on", "white")).await;
    rests(&world, &everybody).await;
    assert_eq!(access(&world), [Value::Null, Value::Null]);
    // From a group of ours to theirs, and back, with nobody let in between.
    rests(&world, &for_ranges(plain.clone(), &["203.0.113.0/24"])).await;
    rests(&world, &with_acl(plain.clone(), &two, "on", "white")).await;
    assert!(access(&world).iter().all(|a| *a == uses(&json!(two), "white")));
    assert_eq!(lists(&world).len(), 2);
    world.release(&owner()).await;
    assert_eq!(lists(&world).len(), 2, "theirs stay");
}

#[tokio::test]
async fn a_group_that_does_not_exist_leaves_no_open_port() {
    let world = World::new().await;
    let want = with_acl(union(), "no-such-group", "on", "white");
    world.engine.first_seen(&want.owner);
    let outcome = world.pass(&want).await;
    let texts: Vec<String> = outcome.failures.iter().map(|f| f.error.to_string()).collect();
    assert!(texts.iter().any(|t| t.contains("no-such-group could not be found")), "{outcome:#?}");
    assert!(objects(&world, "listeners").is_empty());
    // The same on a listener that is there: it stays, as it is.
    rests(&world, &union()).await;
    let outcome = world.pass(&want).await;
    assert_eq!(outcome.failures.len(), 1, "{outcome:#?}");
    let outcome = world.pass(&want).await;
    assert_eq!((outcome.writes, world.counts()[2]), (1, 1), "{outcome:#?}");
}

/// A load balancer alone was taken for nothing at all, and the group was never looked for again.
#[tokio::test]
async fn a_group_is_found_beside_nothing_but_the_load_balancer() {
    let mut world = World::new().await;
    let plain = service(&[(CLASS, "union"), (AUTOCREATE, r#"{"type":"inner"}"#)]);
    world.converge(&for_ranges(plain.clone(), &["203.0.113.0/24"])).await;
    let ledger = world.cloud.ledger();
    let all = |kind: &str| ledger[kind].as_array().unwrap().clone();
    let id = |object: &Value| object["id"].as_str().unwrap().to_owned();
    let member = |m: &Value| format!("pools/{}/members/{}", m["pool_id"].as_str().unwrap(), id(m));
    let mut paths: Vec<String> = all("members").iter().map(member).collect();
    for kind in ["healthmonitors", "pools", "listeners"] {
        paths.extend(all(kind).iter().map(|object| format!("{kind}/{}", id(object))));
    }
    for path in paths {
        world.by_hand("DELETE", &format!("v3/PID/elb/{path}"), Value::Null).await;
    }
    world.restart();
    world.converge(&for_ranges(plain, &[])).await;
    assert_eq!((lists(&world).len(), world.counts()[2]), (0, 2));
}

#[tokio::test]
async fn a_group_that_others_use_blocks_only_its_own_deletion() {
    let world = World::new().await;
    let theirs = world.foreign().await;
    let want = for_ranges(service(&[(ID, &theirs)]), &["10.0.0.0/8"]);
    rests(&world, &want).await;
    let id = objects(&world, "ipgroups")[0]["id"].clone();
    let strange = objects(&world, "listeners").into_iter().find(|l| l["name"] == "theirs").unwrap();
    let strange = strange["id"].as_str().unwrap().to_owned();
    let path = format!("v3/PID/elb/listeners/{strange}");
    world.by_hand("PUT", &path, json!({"listener": {"ipgroup": {"ipgroup_id": id}}})).await;
    rests(&world, &want).await;
    let outcome = world.engine.release(&owner(), &world.clock).await;
    assert!(!outcome.settled && outcome.failures.is_empty(), "{outcome:#?}");
    let told = format!("{:?}", outcome.conflicts);
    assert!(told.contains("ipgroup/main") && told.contains(&strange), "{told}");
    assert_eq!((objects(&world, "listeners").len(), lists(&world).len()), (1, 1));
    world.by_hand("PUT", &path, json!({"listener": {"ipgroup": null}})).await;
    world.release(&owner()).await;
    assert!(lists(&world).is_empty());
    assert_eq!(objects(&world, "loadbalancers").len(), 1);
}

#[tokio::test]
async fn a_restart_after_the_group_makes_no_second_one() {
    let mut world = World::new().await;
    let want = for_ranges(union(), &["10.0.0.0/8"]);
    let made = json!({"ipgroup": {
        "name": "nginx", "description": ferrolb_elb::mark::description(&owner()), "ip_list": [{"ip": "10.9.0.0/16"}]}});
    world.by_hand("POST", "v3/PID/elb/ipgroups", made.clone()).await;
    world.restart();
    rests(&world, &want).await;
    assert_eq!(lists(&world), [["10.0.0.0/8"]]);
    // Of two the oldest stays.
    world.by_hand("POST", "v3/PID/elb/ipgroups", made).await;
    rests(&world, &want).await;
    assert_eq!(lists(&world), [["10.0.0.0/8"]]);
}
