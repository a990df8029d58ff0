//! Load balancers made as the open controller's keys say, and their tags.

use serde_json::{Value, json};

use crate::harness::{AUTOCREATE, CLASS, World, addresses, owner, service, union};

const ZONES: (&str, &str) = ("kubernetes.io/elb.availability-zones", "mock-1a;mock-1b");
const L4: &str = "kubernetes.io/elb.l4-flavor-id";
const CROSS_VPC: &str = "kubernetes.io/elb.enable-cross-vpc";
const TAGS: &str = "kubernetes.io/elb.tags";
const EIP: &str = "kubernetes.io/elb.eip-auto-create-option";

fn balancer(world: &World) -> Value {
    world.cloud.ledger()["loadbalancers"][0].clone()
}

fn tags(world: &World) -> Vec<String> {
    let all = balancer(world)["tags"].as_array().unwrap().clone();
    let mut tags: Vec<String> = all.iter().map(|t| format!("{}={}", t["key"], t["value"]).replace('"', "")).collect();
    tags.sort();
    tags
}

#[tokio::test]
async fn a_dedicated_one_with_an_eip_in_a_shared_bandwidth() {
    let world = World::new().await;
    let shared = json!({"bandwidth": {"name": "all", "size": 100}});
    let shared = world.by_hand("POST", "v2.0/PID/bandwidths", shared).await["bandwidth"]["id"].clone();
    let flavors = world.by_hand("GET", "v3/PID/elb/flavors?name=L4_flavor.elb.s1.medium", Value::Null).await;
    let flavor = flavors["flavors"][0]["id"].as_str().unwrap().to_owned();
    let option = json!({"ip_type": "5_bgp", "share_type": "WHOLE", "share_id": shared}).to_string();
    let mut want = service(&[(CLASS, "dedicated"), ZONES, (L4, &flavor), (CROSS_VPC, "true"), (EIP, &option)]);
    let outcome = world.converge(&want).await;
    assert_eq!((addresses(&outcome).len(), outcome.warnings), (2, vec![]));
    let lb = balancer(&world);
    assert_eq!(lb["availability_zone_list"], json!(["mock-1a", "mock-1b"]));
    assert_eq!((&lb["l4_flavor_id"], &lb["ip_target_enable"]), (&json!(flavor), &json!(true)));
    assert_eq!(world.cloud.ledger()["eips"][0]["bandwidth"]["id"], shared);
    world.calls();
    assert!(world.pass(&want).await.settled);
    assert_eq!(world.calls().1, 0);
    // What cannot be had by changing it is told, and nothing is done.
    for (key, value, part) in [
        (ZONES.0, "mock-1c", "available_zone is mock-1a, mock-1b, not mock-1c"),
        (L4, "another-flavor", "not another-flavor"),
        (CROSS_VPC, "false", "enable-cross-vpc is true, not false"),
        (EIP, r#"{"ip_type":"5_bgp","share_type":"WHOLE","share_id":"bw-9"}"#, "not bw-9"),
    ] {
        let before = want.options.insert(key.to_owned(), value.to_owned()).unwrap();
        let outcome = world.pass(&want).await;
        assert!(outcome.problems.iter().any(|p| p.message.contains(part)), "{part}: {outcome:#?}");
        assert_eq!((world.calls().1, addresses(&outcome).len()), (0, 2), "{key}");
        want.options.insert(key.to_owned(), before);
    }
    world.release(&owner()).await;
    assert_eq!(world.counts(), [0; 6]);
}

#[tokio::test]
async fn a_shared_one_is_private_and_gets_its_tags() {
    for word in ["shared", "union"] {
        let world = World::new().await;
        let mut want = service(&[(CLASS, word), (TAGS, "team=web,stage=test")]);
        if word == "union" {
            want.options.insert(AUTOCREATE.into(), "{}".into());
        }
        assert_eq!(addresses(&world.converge(&want).await).len(), 1);
        assert_eq!(tags(&world), ["stage=test", "team=web"]);
        assert_eq!(world.counts()[..2], [1, 0]);
    }
}

#[tokio::test]
async fn tags_of_others_stay_and_ours_come_back() {
    let world = World::new().await;
    let mut want = union();
    want.options.insert(TAGS.into(), r#"{"team": "web"}"#.into());
    world.converge(&want).await;
    let id = balancer(&world)["id"].as_str().unwrap().to_owned();
    let path = format!("v3/PID/loadbalancers/{id}/tags/action");
    for (key, value) in [("team", "theirs"), ("cost", "42")] {
        let body = json!({"action": "create", "tags": [{"key": key, "value": value}]});
        world.by_hand("POST", &path, body).await;
    }
    world.calls();
    let outcome = world.converge(&want).await;
    assert_eq!(outcome.problems, []);
    assert_eq!(world.calls().1, 1);
    assert_eq!(tags(&world), ["cost=42", "team=web"]);
    // Nobody knows any more whose a tag is that is no longer named.
    want.options.insert(TAGS.into(), "stage=test".into());
    world.converge(&want).await;
    assert_eq!(tags(&world), ["cost=42", "stage=test", "team=web"]);
}

#[tokio::test]
async fn members_outside_the_vpc_can_be_allowed_later() {
    let world = World::new().await;
    let mut want = service(&[(CLASS, "dedicated"), ZONES]);
    world.converge(&want).await;
    assert_eq!(balancer(&world)["ip_target_enable"], json!(false));
    want.options.insert(CROSS_VPC.into(), "true".into());
    world.calls();
    world.converge(&want).await;
    assert_eq!((world.calls().1, &balancer(&world)["ip_target_enable"]), (1, &json!(true)));
    // As the reference page says, the key can go and the setting stays.
    want.options.remove(CROSS_VPC);
    assert!(world.pass(&want).await.settled);
}
