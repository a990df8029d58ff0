//! EIPs, with the traps of v1.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use ferrolb_mock::{Clock, Config, VIP_SUBNET_NEUTRON_ID};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::client::{Cloud, Reply};

impl Cloud {
    async fn v1(&self, method: &str, id: &str, body: Value) -> Reply {
        self.call(method, &format!("/v1/{{pid}}/publicips/{id}"), body).await
    }

    async fn v3_status(&self, id: &str) -> String {
        self.get(&format!("/v3/{{pid}}/eip/publicips/{id}")).await["publicip"]["status"].as_str().unwrap().to_owned()
    }

    async fn associate(&self, id: &str, kind: &str, instance: &str) -> Reply {
        let body = json!({"publicip": {"associate_instance_type": kind, "associate_instance_id": instance}});
        self.call("POST", &format!("/v3/{{pid}}/eip/publicips/{id}/associate-instance"), body).await
    }

    async fn disassociate(&self, id: &str) -> Reply {
        self.call("POST", &format!("/v3/{{pid}}/eip/publicips/{id}/disassociate-instance"), Value::Null).await
    }

    async fn port(&self, lb: &str) -> String {
        self.get(&format!("/v3/{{pid}}/elb/loadbalancers/{lb}")).await["loadbalancer"]["vip_port_id"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

#[tokio::test]
async fn a_new_eip_is_pending_for_a_while_and_cannot_be_bound_yet() {
    let passed = Arc::new(AtomicI64::new(0));
    let shown = passed.clone();
    let clock = Clock(Arc::new(move || Timestamp::now() + SignedDuration::from_secs(shown.load(Ordering::SeqCst))));
    let delay = Duration::from_secs(300);
    let cloud = Cloud::start(Config { eip_create_delay: delay, clock, ..Config::default() }).await;
    let lb = cloud.loadbalancer("a").await;
    let eip = cloud.eip().await;
    assert_eq!(cloud.v3_status(&eip).await, "PENDING_CREATE");
    cloud.associate(&eip, "ELB", &lb).await.is(409, "VPC.0512");
    passed.store(301, Ordering::SeqCst);
    assert_eq!(cloud.v3_status(&eip).await, "DOWN");
    let reply = cloud.associate(&eip, "ELB", &lb).await;
    assert_eq!((reply.status, &reply.body["publicip"]["status"]), (200, &json!("ELB")));
}

#[tokio::test]
async fn a_dedicated_loadbalancers_eip_is_visible_and_unbindable_by_v3_only() {
    let cloud = Cloud::demo().await;
    let lb = cloud.loadbalancer("a").await;
    let eip = cloud.eip().await;
    assert_eq!(cloud.associate(&eip, "ELB", &lb).await.status, 200);
    assert!(cloud.v1("GET", &eip, Value::Null).await.body["publicip"]["port_id"].is_null());
    assert_eq!(cloud.v1("PUT", &eip, json!({"publicip": {}})).await.status, 200);
    assert_eq!(cloud.v3_status(&eip).await, "ELB", "unbinding by v1 does nothing");
    let found = cloud.get(&format!("/v3/{{pid}}/eip/publicips?associate_instance_id={lb}")).await;
    assert_eq!((&found["publicips"][0]["id"], &found["total_count"]), (&json!(eip), &json!(1)));
    cloud.v1("DELETE", &eip, Value::Null).await.is(409, "VPC.0517");
    assert_eq!(cloud.disassociate(&eip).await.body["publicip"]["status"], "DOWN");
    cloud.disassociate(&eip).await.is(409, "EIP.7902");
    assert_eq!(cloud.v1("DELETE", &eip, Value::Null).await.status, 204);
    cloud.v1("DELETE", &eip, Value::Null).await.is(404, "VPC.0504");
}

#[tokio::test]
async fn v1_binds_ports_and_an_update_without_alias_or_port_unbinds() {
    let cloud = Cloud::demo().await;
    let lb = cloud.shared("s").await;
    let (eip, port) = (cloud.eip().await, cloud.port(&lb).await);
    let bound = cloud.v1("PUT", &eip, json!({"publicip": {"port_id": port}})).await;
    assert_eq!(
        (&bound.body["publicip"]["status"], &bound.body["publicip"]["port_id"]),
        (&json!("ACTIVE"), &json!(port))
    );
    let shown = cloud.get(&format!("/v3/{{pid}}/eip/publicips/{eip}")).await["publicip"].clone();
    assert_eq!((&shown["associate_instance_type"], &shown["associate_instance_id"]), (&json!("PORT"), &json!(port)));

    let alias = cloud.v1("PUT", &eip, json!({"publicip": {"alias": "mark", "port_id": ""}})).await;
    assert_eq!(
        (&alias.body["publicip"]["alias"], &alias.body["publicip"]["port_id"]),
        (&json!("mark"), &json!(port)),
        "an alias makes port_id ignored"
    );
    cloud.v1("PUT", &eip, json!({"publicip": {"port_id": port, "ip_version": 4}})).await.is(400, "VPC.0501");
    let free = cloud.v1("PUT", &eip, json!({"publicip": {}})).await;
    assert_eq!((&free.body["publicip"]["status"], &free.body["publicip"]["alias"]), (&json!("DOWN"), &json!("mark")));
    cloud.v1("PUT", &eip, json!({"publicip": {"port_id": "none"}})).await.is(400, "VPC.0501");
}

#[tokio::test]
async fn one_instance_has_one_eip_and_one_eip_one_instance() {
    let cloud = Cloud::demo().await;
    let (a, b) = (cloud.loadbalancer("a").await, cloud.loadbalancer("b").await);
    let (first, second) = (cloud.eip().await, cloud.eip().await);
    assert_eq!(cloud.associate(&first, "ELB", &a).await.status, 200);
    cloud.associate(&first, "ELB", &b).await.is(409, "VPC.0510");
    cloud.associate(&second, "ELB", &a).await.is(409, "VPC.0511");
    cloud.associate(&second, "ELB", "none").await.is(404, "ELB.8904");
    cloud.associate("none", "ELB", &b).await.is(404, "VPC.0504");
    cloud.associate(&second, "VPN", &b).await.is(400, "VPC.0501");
}

#[tokio::test]
async fn addresses_come_lowest_first_and_the_pool_and_quota_have_an_end() {
    let cloud = Cloud::start(Config { eip_range: "203.0.113.0/30".parse().unwrap(), ..Config::default() }).await;
    let address = async |id: &str| {
        cloud.v1("GET", id, Value::Null).await.body["publicip"]["public_ip_address"].as_str().unwrap().to_owned()
    };
    let (first, second) = (cloud.eip().await, cloud.eip().await);
    assert_eq!((address(&first).await, address(&second).await), ("203.0.113.1".into(), "203.0.113.2".into()));
    let body = || json!({"publicip": {"type": "5_bgp"}, "bandwidth": {"share_type": "PER", "name": "bw", "size": 5}});
    cloud.call("POST", "/v1/{pid}/publicips", body()).await.is(409, "VPC.0532");
    cloud.v1("DELETE", &first, Value::Null).await;
    let again = cloud.eip().await;
    assert_eq!(address(&again).await, "203.0.113.1");
    cloud.admin("POST", "quota", json!({"publicip": 2})).await;
    cloud.call("POST", "/v1/{pid}/publicips", body()).await.is(409, "VPC.0521");
}

#[tokio::test]
async fn what_a_new_eip_lacks_is_named() {
    let cloud = Cloud::demo().await;
    let refusals = [
        (json!({"publicip": {}, "bandwidth": {"share_type": "PER", "name": "b", "size": 5}}), "VPC.0501"),
        (json!({"publicip": {"type": "5_bgp"}}), "VPC.0501"),
        (json!({"publicip": {"type": "5_bgp"}, "bandwidth": {"share_type": "PER", "name": "b"}}), "VPC.0501"),
        (
            json!({"publicip": {"type": "5_bgp"}, "bandwidth": {"share_type": "PER", "name": "b", "size": 0}}),
            "VPC.0301",
        ),
        (
            json!({"publicip": {"type": "5_bgp"}, "bandwidth": {"share_type": "HALF", "name": "b", "size": 5}}),
            "VPC.0301",
        ),
        (
            json!({"publicip": {"type": "5_bgp", "alias": "x".repeat(65)}, "bandwidth": {"share_type": "PER", "name": "b", "size": 5}}),
            "VPC.0501",
        ),
        (
            json!({"publicip": {"type": "5_bgp", "port_id": "none"}, "bandwidth": {"share_type": "PER", "name": "b", "size": 5}}),
            "VPC.0501",
        ),
    ];
    for (body, code) in refusals {
        let reply = cloud.call("POST", "/v1/{pid}/publicips", body.clone()).await;
        assert_eq!((reply.status, reply.code()), (400, code), "{body}");
    }
    assert_eq!(cloud.count("eips"), 0);
}

#[tokio::test]
async fn a_loadbalancer_may_bring_its_eip_but_never_takes_it_along() {
    let cloud = Cloud::demo().await;
    let lb = |extra: Value| {
        let mut lb = json!({"vip_subnet_cidr_id": VIP_SUBNET_NEUTRON_ID, "availability_zone_list": ["mock-1a"]});
        lb.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({"loadbalancer": lb})
    };
    let bandwidth = json!({"name": "bw", "size": 5, "charge_mode": "traffic", "share_type": "PER"});
    let created = cloud
        .call(
            "POST",
            "/v3/{pid}/elb/loadbalancers",
            lb(json!({"publicip": {"network_type": "5_bgp", "bandwidth": bandwidth}})),
        )
        .await;
    let first = &created.body["loadbalancer"];
    assert_eq!((created.status, &first["eips"][0]["eip_address"]), (201, &json!("203.0.113.1")));
    assert_eq!(first["eips"][0]["eip_id"], first["publicips"][0]["publicip_id"]);
    let eip = first["eips"][0]["eip_id"].as_str().unwrap();
    let id = first["id"].as_str().unwrap();
    assert_eq!(cloud.call("DELETE", &format!("/v3/{{pid}}/elb/loadbalancers/{id}"), Value::Null).await.status, 204);
    assert_eq!(cloud.v3_status(eip).await, "DOWN");

    let again = cloud.create("/v3/{pid}/elb/loadbalancers", lb(json!({"publicip_ids": [eip]}))).await;
    cloud.call("POST", "/v3/{pid}/elb/loadbalancers", lb(json!({"publicip_ids": [eip]}))).await.is(409, "ELB.8907");
    let cascade = json!({"loadbalancer": {"public_ip": true}});
    assert_eq!(
        cloud.call("POST", &format!("/v3/{{pid}}/elb/loadbalancers/{again}/delete-cascade"), cascade).await.status,
        204
    );
    assert_eq!((cloud.count("eips"), cloud.count("loadbalancers")), (0, 0));

    cloud.admin("POST", "quota", json!({"publicip": 0})).await;
    let bandwidth = json!({"name": "bw", "size": 5, "charge_mode": "traffic", "share_type": "PER"});
    cloud
        .call(
            "POST",
            "/v3/{pid}/elb/loadbalancers",
            lb(json!({"publicip": {"network_type": "5_bgp", "bandwidth": bandwidth}})),
        )
        .await
        .is(409, "EIP.7905");
    assert_eq!(cloud.count("loadbalancers"), 0, "refused as a whole");
}

#[tokio::test]
async fn v1_cannot_filter_by_what_only_v3_knows() {
    let cloud = Cloud::demo().await;
    let (marked, _other) = (cloud.eip().await, cloud.eip().await);
    cloud.v1("PUT", &marked, json!({"publicip": {"alias": "mark"}})).await;
    let found = async |list: &str| cloud.get(list).await["publicips"].as_array().unwrap().len();
    assert_eq!(found("/v3/{pid}/eip/publicips?alias=mark").await, 1);
    assert_eq!(found("/v1/{pid}/publicips?alias=mark").await, 2, "an unknown filter is ignored");
    assert_eq!(found("/v1/{pid}/publicips?public_ip_address=203.0.113.2").await, 1);
    assert_eq!(found("/v3/{pid}/eip/publicips?status=ELB").await, 0);
}
