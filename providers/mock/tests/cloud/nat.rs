//! NAT gateways and DNAT rules.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use ferrolb_mock::{Clock, Config, NAT_GATEWAY_ID, NODE_SUBNET_ID, VPC_ID};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::client::{Cloud, Reply};

const RULES: &str = "/v2/{pid}/dnat_rules";

impl Cloud {
    /// The interface of the server with this address.
    async fn nic(&self, address: &str) -> String {
        let ports = self.get(&format!("/v2.0/ports?fixed_ips=ip_address%3D{address}")).await["ports"].take();
        assert_eq!(ports.as_array().unwrap().len(), 1, "{ports}");
        ports[0]["id"].as_str().unwrap().to_owned()
    }

    async fn rule(&self, rule: Value) -> Reply {
        self.call("POST", RULES, json!({"dnat_rule": rule})).await
    }

    async fn drop_rule(&self, id: &str) -> Reply {
        self.call("DELETE", &format!("/v2/{{pid}}/nat_gateways/{NAT_GATEWAY_ID}/dnat_rules/{id}"), Value::Null).await
    }
}

/// TCP 80 of `eip` to node port 30080 of `nic`.
fn wish(eip: &str, nic: &str) -> Value {
    json!({"nat_gateway_id": NAT_GATEWAY_ID, "floating_ip_id": eip, "port_id": nic, "protocol": "TCP",
        "external_service_port": 80, "internal_service_port": 30080, "description": "theirs"})
}

fn with(mut value: Value, field: &str, to: Value) -> Value {
    value[field] = to;
    value
}

#[tokio::test]
async fn a_rule_is_made_repointed_and_deleted_and_holds_its_eip() {
    let cloud = Cloud::demo().await;
    let (eip, one, two) = (cloud.eip().await, cloud.nic("172.16.0.1").await, cloud.nic("172.16.0.2").await);
    let made = cloud.rule(wish(&eip, &one)).await;
    assert_eq!(made.status, 201, "{made:?}");
    let rule = &made.body["dnat_rule"];
    assert_eq!(
        (&rule["protocol"], &rule["status"], &rule["private_ip"], &rule["floating_ip_address"]),
        (&json!("tcp"), &json!("ACTIVE"), &json!(""), &json!("203.0.113.1"))
    );
    let id = rule["id"].as_str().unwrap();
    let bound = cloud.get(&format!("/v3/{{pid}}/eip/publicips/{eip}")).await["publicip"].take();
    assert_eq!((&bound["status"], &bound["associate_instance_type"]), (&json!("ACTIVE"), &json!("NATGW")));
    cloud.call("DELETE", &format!("/v1/{{pid}}/publicips/{eip}"), Value::Null).await.is(409, "VPC.0517");
    let unbind = format!("/v3/{{pid}}/eip/publicips/{eip}/disassociate-instance");
    cloud.call("POST", &unbind, Value::Null).await.is(409, "VPC.0517");

    let path = format!("{RULES}/{id}");
    cloud.call("PUT", &path, json!({"dnat_rule": {"port_id": two}})).await.is(400, "NAT.0301");
    let put = json!({"dnat_rule": {"nat_gateway_id": NAT_GATEWAY_ID, "port_id": two}});
    let put = cloud.call("PUT", &path, put).await;
    assert_eq!((put.status, &put.body["dnat_rule"]["port_id"]), (200, &json!(two)), "{put:?}");
    assert_eq!(put.body["dnat_rule"]["internal_service_port"], 30080, "what was not named stays");
    let found = cloud.get(&format!("{RULES}?description=theirs&external_service_port=80&floating_ip_id={eip}")).await;
    assert_eq!(found["dnat_rules"].as_array().unwrap().len(), 1);
    assert!(found.get("page_info").is_none());
    assert_eq!(cloud.get(&format!("{RULES}?description=ours")).await["dnat_rules"], json!([]));
    assert_eq!(cloud.get(&format!("{RULES}?limit=1&marker={id}")).await["dnat_rules"], json!([]));

    let gateway = format!("/v2/{{pid}}/nat_gateways/{NAT_GATEWAY_ID}");
    cloud.call("DELETE", &gateway, Value::Null).await.is(409, "NAT.0107");
    assert_eq!(cloud.drop_rule(id).await.status, 204);
    cloud.drop_rule(id).await.is(404, "NAT.0319");
    assert_eq!(cloud.call("DELETE", &format!("/v1/{{pid}}/publicips/{eip}"), Value::Null).await.status, 204);
    assert_eq!(cloud.call("DELETE", &gateway, Value::Null).await.status, 204);
    cloud.call("GET", &gateway, Value::Null).await.is(404, "NAT.0105");
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_codes_of_the_service() {
    let cloud = Cloud::demo().await;
    let (eip, other, nic) = (cloud.eip().await, cloud.eip().await, cloud.nic("172.16.0.1").await);
    let good = || wish(&eip, &nic);
    assert_eq!(cloud.rule(good()).await.status, 201);
    let lb = cloud.shared("a").await;
    let lb = cloud.get(&format!("/v3/{{pid}}/elb/loadbalancers/{lb}")).await["loadbalancer"].take();
    let vip_port = lb["vip_port_id"].clone();
    let bound = cloud.eip().await;
    let bind = json!({"publicip": {"port_id": vip_port}});
    assert_eq!(cloud.call("PUT", &format!("/v1/{{pid}}/publicips/{bound}"), bind).await.status, 200);
    let elsewhere = json!({"nat_gateway": {"name": "b", "spec": "1", "router_id": VPC_ID,
        "internal_network_id": NODE_SUBNET_ID}});
    let elsewhere = cloud.create("/v2/{pid}/nat_gateways", elsewhere).await;
    let nobody = "fe220000-0000-4000-8000-00000000dead";
    let second = || with(wish(&other, &nic), "internal_service_port", json!(30443));
    let table = [
        (good(), 400, "NAT.0305"),
        (with(wish(&other, &nic), "external_service_port", json!(81)), 400, "NAT.0304"),
        (with(second(), "nat_gateway_id", json!(nobody)), 404, "NAT.0105"),
        (with(second(), "protocol", json!("sctp")), 400, "NAT.0302"),
        (with(second(), "external_service_port", json!(70000)), 400, "NAT.0303"),
        (with(second(), "external_service_port", json!(0)), 400, "NAT.0306"),
        (with(second(), "port_id", json!("")), 400, "NAT.0310"),
        (with(second(), "private_ip", json!("10.0.0.9")), 400, "NAT.0317"),
        (with(second(), "port_id", vip_port.clone()), 400, "NAT.0312"),
        (with(second(), "port_id", json!(nobody)), 400, "NAT.0301"),
        (with(second(), "floating_ip_id", json!(bound)), 400, "NAT.0402"),
        (with(second(), "description", json!("<b>")), 400, "NAT.0301"),
        (with(with(good(), "nat_gateway_id", json!(elsewhere)), "external_service_port", json!(81)), 400, "NAT.0404"),
        (
            json!({"nat_gateway_id": NAT_GATEWAY_ID, "floating_ip_id": eip, "port_id": nic, "protocol": "any",
            "external_service_port": 0, "internal_service_port": 0}),
            400,
            "NAT.0307",
        ),
    ];
    for (body, status, code) in table {
        let reply = cloud.rule(body.clone()).await;
        assert_eq!((reply.status, reply.code()), (status, code), "{body} {reply:?}");
    }
    cloud.admin("PUT", "quota", json!({"dnat_rule": 1})).await;
    cloud.rule(second()).await.is(400, "NAT.0309");
    cloud.admin("PUT", "quota", json!({"dnat_rule": 3})).await;
    // A list of which one is refused makes none.
    let batch = json!({"dnat_rules": [second(), good()]});
    cloud.call("POST", &format!("{RULES}/batch"), batch).await.is(400, "NAT.0305");
    assert_eq!(cloud.count("dnatrules"), 1);
    // UDP of the same number is another thing; ranges must not meet what is taken.
    assert_eq!(cloud.rule(with(good(), "protocol", json!("udp"))).await.status, 201);
    let range = |ports: &str| {
        json!({"nat_gateway_id": NAT_GATEWAY_ID, "floating_ip_id": eip, "port_id": nic, "protocol": "tcp",
            "external_service_port_range": ports, "internal_service_port_range": "31000-31010"})
    };
    cloud.rule(range("75-85")).await.is(400, "NAT.0305");
    cloud.rule(range("100-120")).await.is(400, "NAT.0303");
    let made = cloud.rule(range("100-110")).await;
    assert_eq!(made.body["dnat_rule"]["external_service_port_range"], "100-110", "{made:?}");
}

#[tokio::test]
async fn states_take_their_time() {
    let passed = Arc::new(AtomicI64::new(0));
    let shown = passed.clone();
    let clock = Clock(Arc::new(move || Timestamp::now() + SignedDuration::from_secs(shown.load(Ordering::SeqCst))));
    let cloud = Cloud::start(Config { nat_delay: Duration::from_secs(30), clock, ..Config::default() }).await;
    let (eip, nic) = (cloud.eip().await, cloud.nic("172.16.0.1").await);
    let made = cloud.rule(wish(&eip, &nic)).await;
    let id = made.body["dnat_rule"]["id"].as_str().unwrap().to_owned();
    assert_eq!(made.body["dnat_rule"]["status"], "PENDING_CREATE");
    cloud.drop_rule(&id).await.is(400, "NAT.0102");
    let status = async || cloud.get(&format!("{RULES}/{id}")).await["dnat_rule"]["status"].take();
    passed.store(31, Ordering::SeqCst);
    assert_eq!(status().await, "ACTIVE");
    let put = json!({"dnat_rule": {"nat_gateway_id": NAT_GATEWAY_ID, "description": "changed"}});
    assert_eq!(cloud.call("PUT", &format!("{RULES}/{id}"), put.clone()).await.status, 200);
    assert_eq!(status().await, "PENDING_UPDATE");
    cloud.call("PUT", &format!("{RULES}/{id}"), put).await.is(400, "NAT.0102");
    passed.store(62, Ordering::SeqCst);
    assert_eq!(cloud.drop_rule(&id).await.status, 204);
    assert_eq!(status().await, "PENDING_DELETE");
    cloud.call("DELETE", &format!("/v1/{{pid}}/publicips/{eip}"), Value::Null).await.is(409, "VPC.0517");
    passed.store(93, Ordering::SeqCst);
    cloud.call("GET", &format!("{RULES}/{id}"), Value::Null).await.is(404, "NAT.0319");
    assert_eq!(cloud.call("DELETE", &format!("/v1/{{pid}}/publicips/{eip}"), Value::Null).await.status, 204);
}

#[tokio::test]
async fn servers_have_interfaces_and_addresses_of_load_balancers_are_none() {
    let config = Config { node_range: "172.16.0.0/12".parse().unwrap(), ..Config::default() };
    let cloud = Cloud::start(config).await;
    let id = cloud.nic("172.16.0.7").await;
    let port = cloud.get(&format!("/v1/{{pid}}/ports/{id}")).await["port"].take();
    assert_eq!(port["fixed_ips"][0]["ip_address"], "172.16.0.7");
    assert_eq!(cloud.get(&format!("/v2.0/ports?id={id}&id={id}")).await["ports"].as_array().unwrap().len(), 1);
    for query in
        ["fixed_ips=ip_address%3D10.99.0.1", "fixed_ips=ip_address%3D172.16.0.7&fixed_ips=subnet_id%3Dx", "id=x"]
    {
        assert_eq!(cloud.get(&format!("/v2.0/ports?{query}")).await["ports"], json!([]), "{query}");
    }
    let lb = cloud.shared("a").await;
    let lb = cloud.get(&format!("/v3/{{pid}}/elb/loadbalancers/{lb}")).await["loadbalancer"].take();
    let vip = lb["vip_address"].as_str().unwrap();
    let ports = cloud.get(&format!("/v2.0/ports?fixed_ips=ip_address%3D{vip}")).await["ports"].take();
    assert_eq!((ports.as_array().unwrap().len(), &ports[0]["id"]), (1, &lb["vip_port_id"]), "{ports}");
}
