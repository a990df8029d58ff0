//! Load balancers and what hangs below them: rules, refusals, orders of deletion.

use ferrolb_mock::{Config, NODE_SUBNET_NEUTRON_ID, VIP_SUBNET_NEUTRON_ID, VPC_ID};
use serde_json::{Value, json};

use crate::client::Cloud;

const LBS: &str = "/v3/{pid}/elb/loadbalancers";
const LISTENERS: &str = "/v3/{pid}/elb/listeners";
const POOLS: &str = "/v3/{pid}/elb/pools";
const MONITORS: &str = "/v3/{pid}/elb/healthmonitors";

impl Cloud {
    async fn delete(&self, path: String) -> (u16, String) {
        let reply = self.call("DELETE", &path, Value::Null).await;
        (reply.status, reply.code().to_owned())
    }

    async fn monitor(&self, pool: &str, kind: &str) -> String {
        let monitor = json!({"pool_id": pool, "type": kind, "delay": 1, "timeout": 1, "max_retries": 1});
        self.create(MONITORS, json!({"healthmonitor": monitor})).await
    }
}

#[tokio::test]
async fn what_a_loadbalancer_lacks_is_named_by_code() {
    let cloud = Cloud::demo().await;
    let zone = json!(["mock-1a"]);
    let refusals = [
        (json!({"vip_subnet_cidr_id": VIP_SUBNET_NEUTRON_ID}), 400, "ELB.9805"),
        (json!({"availability_zone_list": zone}), 400, "ELB.9805"),
        (json!({"availability_zone_list": ["nowhere"], "vpc_id": VPC_ID}), 400, "ELB.8902"),
        (json!({"availability_zone_list": zone, "vip_subnet_cidr_id": "none"}), 400, "ELB.9899"),
        (json!({"availability_zone_list": zone, "vpc_id": "none"}), 400, "ELB.9899"),
        (json!({"availability_zone_list": zone, "vpc_id": VPC_ID, "vip_address": "198.18.0.9"}), 400, "ELB.9805"),
        (
            json!({"availability_zone_list": zone, "vip_subnet_cidr_id": VIP_SUBNET_NEUTRON_ID, "vip_address": "10.0.0.9"}),
            400,
            "ELB.8902",
        ),
        (
            json!({"availability_zone_list": zone, "vip_subnet_cidr_id": VIP_SUBNET_NEUTRON_ID, "vip_address": "198.18.0.1"}),
            400,
            "ELB.1101",
        ),
        (json!({"availability_zone_list": zone, "vpc_id": VPC_ID, "guaranteed": false}), 400, "ELB.8902"),
        (json!({"availability_zone_list": zone, "vpc_id": VPC_ID, "l4_flavor_id": "none"}), 400, "ELB.8902"),
        (json!({"availability_zone_list": zone, "vpc_id": VPC_ID, "enterprise_project_id": ""}), 400, "ELB.8902"),
        (json!({"availability_zone_list": zone, "vpc_id": VPC_ID, "name": "x".repeat(256)}), 400, "ELB.8902"),
        (json!({"availability_zone_list": zone, "vpc_id": VPC_ID, "name": 5}), 400, "ELB.8902"),
        (json!({"availability_zone_list": zone, "vpc_id": VPC_ID, "elb_virsubnet_ids": ["none"]}), 400, "ELB.9899"),
    ];
    for (lb, status, code) in refusals {
        let reply = cloud.call("POST", LBS, json!({"loadbalancer": lb})).await;
        assert_eq!((reply.status, reply.code()), (status, code), "{lb}");
    }
    assert_eq!(cloud.count("loadbalancers"), 0);
    let only_vpc =
        cloud.call("POST", LBS, json!({"loadbalancer": {"availability_zone_list": zone, "vpc_id": VPC_ID}})).await;
    assert_eq!((only_vpc.status, &only_vpc.body["loadbalancer"]["vip_address"]), (201, &Value::Null));
    cloud.call("POST", "/v2/{pid}/elb/loadbalancers", json!({"loadbalancer": {}})).await.is(400, "ELB.9805");
}

#[tokio::test]
async fn updates_change_what_they_name_and_nothing_else() {
    let cloud = Cloud::demo().await;
    let id = cloud.loadbalancer("a").await;
    let path = format!("{LBS}/{id}");
    let reply = cloud.call("PUT", &path, json!({"loadbalancer": {"description": "new"}})).await;
    assert_eq!(
        (&reply.body["loadbalancer"]["name"], &reply.body["loadbalancer"]["description"]),
        (&json!("a"), &json!("new"))
    );
    cloud.call("PUT", &path, json!({"loadbalancer": {"ip_target_enable": false}})).await.is(400, "ELB.8902");
    cloud.call("PUT", &format!("{LBS}/none"), json!({"loadbalancer": {}})).await.is(404, "ELB.8904");

    let tags = |action: &str, value: &str| json!({"action": action, "tags": [{"key": "k", "value": value}]});
    let action = format!("/v2.0/{{pid}}/loadbalancers/{id}/tags/action");
    for (verb, value, expected) in [
        ("create", "1", json!([{"key": "k", "value": "1"}])),
        ("create", "2", json!([{"key": "k", "value": "2"}])),
        ("delete", "2", json!([])),
    ] {
        assert_eq!(cloud.call("POST", &action, tags(verb, value)).await.status, 204);
        assert_eq!(cloud.get(&format!("/v3/{{pid}}/loadbalancers/{id}/tags")).await["tags"], expected);
    }
}

#[tokio::test]
async fn deletion_goes_from_the_leaves_to_the_root() {
    let cloud = Cloud::demo().await;
    let lb = cloud.loadbalancer("a").await;
    let listener = cloud.listener(&lb, "TCP", 80).await;
    let pool = cloud.pool(&listener, "TCP").await;
    let member = cloud.member(&pool, "10.0.0.1:80".parse().unwrap()).await;
    let monitor = cloud.monitor(&pool, "TCP").await;
    let conflict = (409, "ELB.8907".to_owned());
    let gone = (204, String::new());
    assert_eq!(cloud.delete(format!("{LBS}/{lb}")).await, conflict);
    assert_eq!(cloud.delete(format!("{LISTENERS}/{listener}")).await, conflict);
    assert_eq!(cloud.delete(format!("{POOLS}/{pool}")).await, conflict);
    assert_eq!(cloud.delete(format!("{POOLS}/{pool}/members/{member}")).await, gone);
    assert_eq!(cloud.delete(format!("{POOLS}/{pool}")).await, conflict, "there still is the monitor");
    assert_eq!(cloud.delete(format!("{MONITORS}/{monitor}")).await, gone);
    assert_eq!(cloud.delete(format!("{POOLS}/{pool}")).await, gone);
    assert_eq!(cloud.get(&format!("{LISTENERS}/{listener}")).await["listener"]["default_pool_id"], Value::Null);
    assert_eq!(cloud.delete(format!("{LISTENERS}/{listener}")).await, gone);
    assert_eq!(cloud.delete(format!("{LBS}/{lb}")).await, gone);
    for path in [
        format!("{LBS}/{lb}"),
        format!("{LISTENERS}/{listener}"),
        format!("{POOLS}/{pool}"),
        format!("{MONITORS}/{monitor}"),
    ] {
        assert_eq!(cloud.delete(path).await, (404, "ELB.8904".into()));
    }
}

#[tokio::test]
async fn a_pool_that_lost_its_listener_still_holds_its_loadbalancer() {
    let cloud = Cloud::demo().await;
    let lb = cloud.loadbalancer("a").await;
    let listener = cloud.listener(&lb, "TCP", 80).await;
    let pool = cloud.pool(&listener, "TCP").await;
    assert_eq!(cloud.delete(format!("{LISTENERS}/{listener}")).await.0, 204);
    assert_eq!(cloud.delete(format!("{LBS}/{lb}")).await, (409, "ELB.8907".into()));
    assert_eq!(cloud.get(&format!("{LBS}/{lb}")).await["loadbalancer"]["pools"], json!([{"id": pool}]));
    assert_eq!(cloud.delete(format!("{POOLS}/{pool}")).await.0, 204);
    assert_eq!(cloud.delete(format!("{LBS}/{lb}")).await.0, 204);
}

#[tokio::test]
async fn force_takes_everything_but_what_is_protected() {
    let cloud = Cloud::demo().await;
    let lb = cloud.loadbalancer("a").await;
    let listener = cloud.listener(&lb, "TCP", 80).await;
    let pool = cloud.pool(&listener, "TCP").await;
    cloud.member(&pool, "10.0.0.1:80".parse().unwrap()).await;
    cloud.monitor(&pool, "TCP").await;
    let other = cloud.loadbalancer("b").await;
    let protect = |on: bool| json!({"loadbalancer": {"deletion_protection_enable": on}});
    cloud.call("PUT", &format!("{LBS}/{lb}"), protect(true)).await;
    assert_eq!(cloud.delete(format!("{LBS}/{lb}/force-elb")).await.0, 409);
    cloud.call("PUT", &format!("{LBS}/{lb}"), protect(false)).await;
    cloud.call("PUT", &format!("{POOLS}/{pool}"), json!({"pool": {"member_deletion_protection_enable": true}})).await;
    assert_eq!(cloud.delete(format!("{LBS}/{lb}/force-elb")).await.0, 409);
    assert_eq!(cloud.delete(format!("{POOLS}/{pool}/delete-cascade")).await.0, 409);
    cloud.call("PUT", &format!("{POOLS}/{pool}"), json!({"pool": {"member_deletion_protection_enable": false}})).await;
    assert_eq!(cloud.delete(format!("{LBS}/{lb}/force-elb")).await.0, 204);
    let counts = ["loadbalancers", "eips", "listeners", "pools", "members", "healthmonitors"];
    assert_eq!(counts.map(|kind| cloud.count(kind)), [1, 0, 0, 0, 0, 0]);
    assert_eq!(cloud.get(&format!("{LBS}/{other}")).await["loadbalancer"]["name"], "b");
}

#[tokio::test]
async fn a_port_is_taken_once_per_transport_and_loadbalancer() {
    let cloud = Cloud::demo().await;
    let (a, b) = (cloud.loadbalancer("a").await, cloud.loadbalancer("b").await);
    cloud.listener(&a, "TCP", 53).await;
    cloud.listener(&a, "UDP", 53).await;
    cloud.listener(&b, "TCP", 53).await;
    let listener = |protocol: &str, extra: Value| {
        let mut listener = json!({"loadbalancer_id": a, "protocol": protocol, "protocol_port": 53});
        listener.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({"listener": listener})
    };
    cloud.call("POST", LISTENERS, listener("HTTP", json!({}))).await.is(409, "ELB.8907");
    cloud.call("POST", LISTENERS, listener("UDP", json!({}))).await.is(409, "ELB.8907");
    cloud.call("POST", LISTENERS, listener("TCP", json!({"protocol_port": 70000}))).await.is(400, "ELB.8902");
    cloud.call("POST", LISTENERS, listener("SCTP", json!({"protocol_port": 1}))).await.is(400, "ELB.8902");
    cloud
        .call("POST", LISTENERS, listener("TCP", json!({"protocol_port": 1, "loadbalancer_id": "none"})))
        .await
        .is(404, "ELB.8904");
    cloud
        .call("POST", LISTENERS, listener("TCP", json!({"protocol_port": 1, "keepalive_timeout": 5})))
        .await
        .is(400, "ELB.8902");
    cloud
        .call("POST", LISTENERS, listener("TCP", json!({"protocol_port": 1, "ipgroup": {"ipgroup_id": "x"}})))
        .await
        .is(404, "ELB.8904");
    cloud.call("POST", LISTENERS, listener("HTTPS", json!({"protocol_port": 1}))).await.is(400, "ELB.9805");
    cloud
        .call("POST", LISTENERS, json!({"listener": {"protocol": "TCP", "protocol_port": 1}}))
        .await
        .is(400, "ELB.9805");
    assert_eq!(cloud.count("listeners"), 3);
}

#[tokio::test]
async fn fields_of_a_listener_depend_on_its_protocol_and_load_balancer() {
    let cloud = Cloud::demo().await;
    let dedicated = cloud.loadbalancer("a").await;
    let shared = json!({"vip_subnet_id": VIP_SUBNET_NEUTRON_ID});
    let shared = cloud.create("/v2/{pid}/elb/loadbalancers", json!({"loadbalancer": shared})).await;
    let pem = json!({"certificate": "-----BEGIN CERTIFICATE-----", "private_key": "-----BEGIN PRIVATE KEY-----"});
    let certificate = cloud.create("/v3/{pid}/elb/certificates", json!({"certificate": pem})).await;
    let listener = |lb: &str, protocol: &str, extra: Value| {
        let mut listener = json!({"loadbalancer_id": lb, "protocol": protocol, "protocol_port": 443});
        listener.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({"listener": listener})
    };
    for (lb, protocol, extra, status, code) in [
        (&dedicated, "TCP", json!({"client_timeout": 20}), 400, "ELB.8902"),
        (&dedicated, "HTTP", json!({"client_timeout": 301}), 400, "ELB.8902"),
        (&dedicated, "HTTP", json!({"insert_headers": {"X-Odd": true}}), 400, "ELB.8902"),
        (&dedicated, "HTTPS", json!({"default_tls_container_ref": "none"}), 404, "ELB.8904"),
        (&dedicated, "TLS", json!({}), 400, "ELB.9805"),
        (&shared, "TLS", json!({"default_tls_container_ref": certificate}), 403, "ELB.8962"),
        (&shared, "HTTP", json!({"gzip_enable": true}), 403, "ELB.8962"),
        (&shared, "TCP", json!({"cps": 100}), 403, "ELB.8962"),
        (&shared, "UDP", json!({"keepalive_timeout": 100}), 403, "ELB.8962"),
    ] {
        let reply = cloud.call("POST", LISTENERS, listener(lb, protocol, extra.clone())).await;
        assert_eq!((reply.status, reply.code()), (status, code), "{protocol} {extra}");
    }
    let extra = json!({"default_tls_container_ref": certificate, "http2_enable": true, "client_timeout": 20});
    let id = cloud.create(LISTENERS, listener(&dedicated, "TERMINATED_HTTPS", extra)).await;
    let path = format!("{LISTENERS}/{id}");
    let made = cloud.get(&path).await["listener"].clone();
    assert_eq!(
        (&made["protocol"], &made["http2_enable"], &made["client_timeout"]),
        (&json!("HTTPS"), &json!(true), &json!(20))
    );
    cloud.call("PUT", &path, json!({"listener": {"transparent_client_ip_enable": true}})).await;
    cloud.call("PUT", &path, json!({"listener": {"tls_ciphers_policy": "tls-9"}})).await.is(400, "ELB.8902");
}

#[tokio::test]
async fn a_listener_has_one_default_pool_of_a_fitting_protocol() {
    let cloud = Cloud::demo().await;
    let lb = cloud.loadbalancer("a").await;
    let (tcp, udp) = (cloud.listener(&lb, "TCP", 80).await, cloud.listener(&lb, "UDP", 80).await);
    let pool = |listener: &str, protocol: &str| json!({"pool": {"listener_id": listener, "protocol": protocol, "lb_algorithm": "ROUND_ROBIN"}});
    cloud.call("POST", POOLS, pool(&tcp, "UDP")).await.is(400, "ELB.8902");
    let first = cloud.pool(&tcp, "TCP").await;
    cloud.call("POST", POOLS, pool(&tcp, "TCP")).await.is(409, "ELB.8907");
    cloud.call("POST", POOLS, pool("none", "TCP")).await.is(404, "ELB.8904");
    cloud
        .call("POST", POOLS, json!({"pool": {"protocol": "TCP", "lb_algorithm": "ROUND_ROBIN"}}))
        .await
        .is(400, "ELB.9805");
    cloud.call("POST", POOLS, json!({"pool": {"protocol": "TCP", "listener_id": tcp}})).await.is(400, "ELB.9805");
    let update = |pool: Value| json!({"listener": {"default_pool_id": pool}});
    cloud.call("PUT", &format!("{LISTENERS}/{udp}"), update(json!(first))).await.is(400, "ELB.8902");
    let unset = cloud.call("PUT", &format!("{LISTENERS}/{tcp}"), update(Value::Null)).await;
    assert_eq!(unset.body["listener"]["default_pool_id"], Value::Null);

    let path = format!("{POOLS}/{first}");
    let sticky = |value: Value| json!({"pool": {"session_persistence": value}});
    let set = cloud.call("PUT", &path, sticky(json!({"type": "SOURCE_IP", "persistence_timeout": 60}))).await;
    assert_eq!(
        set.body["pool"]["session_persistence"],
        json!({"type": "SOURCE_IP", "cookie_name": null, "persistence_timeout": 60})
    );
    cloud.call("PUT", &path, sticky(json!({"type": "SOURCE_IP", "persistence_timeout": 61}))).await.is(400, "ELB.8902");
    cloud.call("PUT", &path, sticky(json!({"type": "SOURCE_IP", "cookie_name": "c"}))).await.is(400, "ELB.8902");
    let kept = cloud.call("PUT", &path, json!({"pool": {"name": "n"}})).await;
    assert_eq!(kept.body["pool"]["session_persistence"]["persistence_timeout"], 60);
    assert_eq!(cloud.call("PUT", &path, sticky(Value::Null)).await.body["pool"]["session_persistence"], Value::Null);
}

#[tokio::test]
async fn batches_of_members_are_idempotent_and_all_or_nothing() {
    let cloud = Cloud::demo().await;
    let lb = cloud.loadbalancer("a").await;
    let pool = cloud.pool(&cloud.listener(&lb, "TCP", 80).await, "TCP").await;
    let path = |action: &str| format!("{POOLS}/{pool}/members/{action}");
    let member = |n: u32| json!({"address": format!("10.0.{}.{}", n / 250, n % 250 + 1), "protocol_port": 80});
    let members = |items: Vec<Value>| json!({"members": items});
    let statuses = |body: &Value| {
        body["members"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| m["ret_status"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };

    let added = cloud.call("POST", &path("batch-add"), members(vec![member(0), member(1)])).await;
    assert_eq!(statuses(&added.body), ["successful", "successful"]);
    let again = cloud.call("POST", &path("batch-add"), members(vec![member(1), member(2)])).await;
    assert_eq!(statuses(&again.body), ["existed", "successful"]);
    assert_eq!(again.body["members"][0]["id"], added.body["members"][1]["id"]);
    cloud
        .call("POST", &path("batch-add"), members(vec![member(3), json!({"address": "10.0.0.9"})]))
        .await
        .is(400, "ELB.9805");
    cloud.call("POST", &path("batch-add"), members((0..201).map(member).collect())).await.is(400, "ELB.8902");
    cloud.call("POST", &path("batch-add"), members(vec![])).await.is(400, "ELB.8902");
    assert_eq!(cloud.count("members"), 3);

    let id = added.body["members"][0]["id"].as_str().unwrap();
    let updated = cloud.call("POST", &path("batch-update"), members(vec![json!({"id": id, "weight": 0})])).await;
    assert_eq!((updated.status, &updated.body["members"][0]["weight"]), (200, &json!(0)));
    cloud
        .call(
            "POST",
            &path("batch-update"),
            members(vec![json!({"id": id, "weight": 5}), json!({"id": "none", "weight": 5})]),
        )
        .await
        .is(404, "ELB.8904");
    assert_eq!(cloud.get(&format!("{POOLS}/{pool}/members/{id}")).await["member"]["weight"], 0);

    let deleted = cloud
        .call(
            "POST",
            &path("batch-delete"),
            members(vec![json!({"id": id}), member(1), json!({"id": "none"}), member(9)]),
        )
        .await;
    assert_eq!(statuses(&deleted.body), ["successful", "successful", "not found", "not found"]);
    cloud
        .call(
            "POST",
            &path("batch-delete"),
            members(vec![json!({"id": id, "address": "10.0.0.1", "protocol_port": 80})]),
        )
        .await
        .is(400, "ELB.8902");
    assert_eq!(cloud.count("members"), 1);
    let all: Vec<Value> = (10..210).map(member).collect();
    assert_eq!(cloud.call("POST", &path("batch-add"), members(all)).await.status, 201, "200 are allowed");
}

#[tokio::test]
async fn a_member_needs_a_known_subnet_or_a_loadbalancer_that_takes_any_address() {
    let config = Config { node_range: "172.16.0.0/12".parse().unwrap(), ..Config::default() };
    let cloud = Cloud::start(config).await;
    let strict =
        cloud.create(LBS, json!({"loadbalancer": {"vpc_id": VPC_ID, "availability_zone_list": ["mock-1a"]}})).await;
    let pool = cloud.pool(&cloud.listener(&strict, "TCP", 80).await, "TCP").await;
    let path = format!("{POOLS}/{pool}/members");
    let member = |address: &str, subnet: Value| json!({"member": {"address": address, "protocol_port": 80, "subnet_cidr_id": subnet}});
    cloud.call("POST", &path, member("172.18.0.2", Value::Null)).await.is(400, "ELB.8939");
    cloud.call("POST", &path, member("172.18.0.2", json!("none"))).await.is(400, "ELB.9899");
    cloud.call("POST", &path, member("10.0.0.2", json!(NODE_SUBNET_NEUTRON_ID))).await.is(400, "ELB.8902");
    cloud.call("POST", &path, member("not an address", Value::Null)).await.is(400, "ELB.8902");
    assert_eq!(cloud.call("POST", &path, member("172.18.0.2", json!(NODE_SUBNET_NEUTRON_ID))).await.status, 201);
    cloud.call("POST", &path, member("172.18.0.2", json!(NODE_SUBNET_NEUTRON_ID))).await.is(409, "ELB.8907");
    let shared = cloud.shared("s").await;
    let pool = cloud.pool(&cloud.listener(&shared, "TCP", 80).await, "TCP").await;
    cloud.call("POST", &format!("{POOLS}/{pool}/members"), member("172.18.0.2", Value::Null)).await.is(400, "ELB.8939");
}

#[tokio::test]
async fn monitors_fit_their_pool_and_show_in_the_members() {
    let cloud = Cloud::demo().await;
    let lb = cloud.loadbalancer("a").await;
    let tcp = cloud.pool(&cloud.listener(&lb, "TCP", 80).await, "TCP").await;
    let udp = cloud.pool(&cloud.listener(&lb, "UDP", 80).await, "UDP").await;
    let member = cloud.member(&tcp, "10.0.0.1:80".parse().unwrap()).await;
    let status = async || {
        cloud.get(&format!("{POOLS}/{tcp}/members/{member}")).await["member"]["operating_status"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(status().await, "NO_MONITOR");
    let monitor = |pool: &str, kind: &str, extra: Value| {
        let mut monitor = json!({"pool_id": pool, "type": kind, "delay": 5, "timeout": 3, "max_retries": 3});
        monitor.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({"healthmonitor": monitor})
    };
    for (body, status, code) in [
        (monitor(&tcp, "UDP_CONNECT", json!({})), 400, "ELB.8902"),
        (monitor(&udp, "TCP", json!({})), 400, "ELB.8902"),
        (monitor(&tcp, "TCP", json!({"delay": 51})), 400, "ELB.8902"),
        (monitor(&tcp, "TCP", json!({"max_retries": null})), 400, "ELB.9805"),
        (monitor(&tcp, "HTTP", json!({"url_path": "x"})), 400, "ELB.8902"),
        (monitor(&tcp, "HTTP", json!({"expected_codes": "200-"})), 400, "ELB.8902"),
        (monitor("none", "TCP", json!({})), 404, "ELB.8904"),
    ] {
        let reply = cloud.call("POST", MONITORS, body.clone()).await;
        assert_eq!((reply.status, reply.code()), (status, code), "{body}");
    }
    let id = cloud.monitor(&tcp, "TCP").await;
    cloud.call("POST", MONITORS, monitor(&tcp, "TCP", json!({}))).await.is(409, "ELB.8907");
    assert_eq!(cloud.get(&format!("{POOLS}/{tcp}")).await["pool"]["healthmonitor_id"], json!(id));
    assert_eq!(cloud.get(&format!("{MONITORS}?id={id}")).await["healthmonitors"].as_array().unwrap().len(), 1);
    assert_eq!(status().await, "ONLINE", "without data plane nobody looks");
    cloud.admin("PUT", &format!("members/{member}/health"), json!({"operating_status": "OFFLINE"})).await;
    assert_eq!(status().await, "OFFLINE");
    let tree = cloud.get(&format!("{LBS}/{lb}/statuses")).await["statuses"]["loadbalancer"].clone();
    assert_eq!(tree["operating_status"], "DEGRADED");
    let listener = tree["listeners"].as_array().unwrap().iter().find(|l| l["pools"][0]["id"] == json!(tcp)).unwrap();
    assert_eq!(
        (&listener["pools"][0]["members"][0]["operating_status"], &listener["pools"][0]["healthmonitor"]["id"]),
        (&json!("OFFLINE"), &json!(id))
    );
    let off = cloud
        .call(
            "PUT",
            &format!("{MONITORS}/{id}"),
            json!({"healthmonitor": {"admin_state_up": false, "monitor_port": 81}}),
        )
        .await;
    assert_eq!(off.body["healthmonitor"]["monitor_port"], 81);
    assert_eq!(status().await, "NO_MONITOR");
    let unset = cloud.call("PUT", &format!("{MONITORS}/{id}"), json!({"healthmonitor": {"monitor_port": null}})).await;
    assert_eq!(unset.body["healthmonitor"]["monitor_port"], Value::Null);
}

#[tokio::test]
async fn each_kind_has_its_limit() {
    let cloud = Cloud::demo().await;
    let lb = cloud.loadbalancer("a").await;
    let listener = cloud.listener(&lb, "TCP", 80).await;
    let pool = cloud.pool(&listener, "TCP").await;
    cloud.member(&pool, "10.0.0.1:80".parse().unwrap()).await;
    let limit = async |kind: &str, path: &str, body: Value| {
        let before = cloud.admin("POST", "quota", json!({kind: 1})).await.body;
        cloud.call("POST", path, body).await.is(409, "ELB.8905");
        assert_eq!(before[kind], 1);
        cloud.admin("POST", "quota", json!({kind: -1})).await;
    };
    let zone = json!(["mock-1a"]);
    limit("loadbalancer", LBS, json!({"loadbalancer": {"vpc_id": VPC_ID, "availability_zone_list": zone}})).await;
    let second = json!({"listener": {"loadbalancer_id": lb, "protocol": "TCP", "protocol_port": 81}});
    limit("listener", LISTENERS, second.clone()).await;
    limit("listeners_per_loadbalancer", LISTENERS, second).await;
    limit("pool", POOLS, json!({"pool": {"loadbalancer_id": lb, "protocol": "TCP", "lb_algorithm": "ROUND_ROBIN"}}))
        .await;
    let members = format!("{POOLS}/{pool}/members");
    limit("members_per_pool", &members, json!({"member": {"address": "10.0.0.2", "protocol_port": 80}})).await;
    limit(
        "member",
        &format!("{members}/batch-add"),
        json!({"members": [{"address": "10.0.0.2", "protocol_port": 80}]}),
    )
    .await;
    cloud.admin("POST", "quota", json!({"healthmonitor": 0})).await;
    cloud
        .call(
            "POST",
            MONITORS,
            json!({"healthmonitor": {"pool_id": pool, "type": "TCP", "delay": 1, "timeout": 1, "max_retries": 1}}),
        )
        .await
        .is(409, "ELB.8905");
    assert_eq!(cloud.get("/v3/{pid}/elb/quotas").await["quota"]["healthmonitor"], 0);
}

#[tokio::test]
async fn shared_and_dedicated_loadbalancers_do_not_mix() {
    let cloud = Cloud::demo().await;
    let (dedicated, shared) = (cloud.loadbalancer("d").await, cloud.shared("s").await);
    cloud.call("GET", &format!("/v2/{{pid}}/elb/loadbalancers/{dedicated}"), Value::Null).await.is(404, "ELB.8904");
    cloud.call("DELETE", &format!("/v2/{{pid}}/elb/loadbalancers/{dedicated}"), Value::Null).await.is(404, "ELB.8904");
    assert_eq!(cloud.get(&format!("{LBS}/{shared}")).await["loadbalancer"]["guaranteed"], false);
    cloud.listener(&shared, "TCP", 80).await;
    cloud.call("DELETE", &format!("/v2/{{pid}}/elb/loadbalancers/{shared}"), Value::Null).await.is(409, "ELB.8907");
    let named = cloud
        .create(
            "/v2/{pid}/elb/loadbalancers",
            json!({"loadbalancer": {"vip_subnet_id": VIP_SUBNET_NEUTRON_ID, "vip_address": "198.18.0.77"}}),
        )
        .await;
    assert_eq!(cloud.get(&format!("{LBS}?vip_address=198.18.0.77")).await["loadbalancers"][0]["id"], json!(named));
    let taken = json!({"loadbalancer": {"vip_subnet_id": VIP_SUBNET_NEUTRON_ID, "vip_address": "198.18.0.77"}});
    cloud.call("POST", "/v2/{pid}/elb/loadbalancers", taken).await.is(400, "ELB.1101");
}
