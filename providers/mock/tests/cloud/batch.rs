//! Several objects at once, jobs, states that take time, and the small calls of older APIs.

use std::time::Duration;

use ferrolb_mock::{Config, NODE_SUBNET_ID, VIP_SUBNET_NEUTRON_ID, VPC_ID};
use serde_json::{Value, json};

use crate::client::{Cloud, Reply, eventually};

const BALANCERS: &str = "/v3/{pid}/elb/loadbalancers";
const WHITELISTS: &str = "/v2/{pid}/elb/whitelists";

impl Cloud {
    async fn several(&self, guaranteed: bool, number: u32) -> Reply {
        let wish = json!({"name": "many", "guaranteed": guaranteed, "number": number,
            "vip_subnet_cidr_id": VIP_SUBNET_NEUTRON_ID, "availability_zone_list": ["mock-1a"]});
        self.call("POST", &format!("{BALANCERS}/batch-create"), json!({"loadbalancer": wish})).await
    }
}

fn ids(body: &Value, key: &str) -> Vec<String> {
    body[key].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn load_balancers_are_made_together_and_a_job_tells_when_they_are_ready() {
    let config = Config { loadbalancer_delay: Duration::from_millis(300), ..Config::default() };
    let cloud = Cloud::start(config).await;
    let made = cloud.several(true, 3).await;
    assert_eq!(made.status, 201, "{made:?}");
    let balancers = ids(&made.body, "loadbalancer_ids");
    let job = format!("/v3/{{pid}}/elb/jobs/{}", made.body["job_id"].as_str().unwrap());
    assert_eq!((balancers.len(), cloud.count("loadbalancers")), (3, 3));
    let running = cloud.get(&job).await;
    assert_eq!((&running["job"]["status"], &running["job"]["end_time"]), (&json!("RUNNING"), &Value::Null));

    // Nothing hangs below what is being made.
    let one = format!("{BALANCERS}/{}", balancers[0]);
    assert_eq!(cloud.get(&one).await["loadbalancer"]["provisioning_status"], "PENDING_CREATE");
    let listener = json!({"listener": {"loadbalancer_id": balancers[0], "protocol": "TCP", "protocol_port": 80}});
    cloud.call("POST", "/v3/{pid}/elb/listeners", listener).await.is(409, "ELB.8907");

    eventually("the job ends", async || (cloud.get(&job).await["job"]["status"] == "COMPLETE").then_some(())).await;
    assert_eq!(cloud.get(&one).await["loadbalancer"]["provisioning_status"], "ACTIVE");
    cloud.listener(&balancers[0], "TCP", 80).await;
    let done = cloud.get(&job).await;
    assert_eq!(done["job"]["sub_jobs"][1]["entities"][0]["resource_id"], json!(balancers[1]));
    let found = cloud.get(&format!("/v3/{{pid}}/elb/jobs?resource_id={}", balancers[2])).await;
    assert_eq!(found["jobs"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn load_balancers_and_listeners_go_all_or_none() {
    let cloud = Cloud::demo().await;
    let balancers = ids(&cloud.several(false, 2).await.body, "loadbalancer_ids");
    assert_eq!(cloud.get(&format!("{BALANCERS}/{}", balancers[0])).await["loadbalancer"]["guaranteed"], false);
    let (http, tcp) = (cloud.listener(&balancers[0], "TCP", 80).await, cloud.listener(&balancers[0], "TCP", 81).await);
    let listeners = "/v3/{pid}/elb/listeners/batch-delete";
    cloud.call("POST", listeners, json!({"listener_ids": [http, "none"]})).await.is(404, "ELB.8904");
    assert_eq!(cloud.count("listeners"), 2, "the first one stays as well");
    let eleven: Vec<String> = (0..11).map(|n| n.to_string()).collect();
    cloud.call("POST", listeners, json!({"listener_ids": eleven})).await.is(400, "ELB.8902");
    assert_eq!(cloud.call("POST", listeners, json!({"listener_ids": [http, tcp]})).await.status, 200);

    let all = format!("{BALANCERS}/batch-delete");
    cloud.call("POST", &all, json!({"loadbalancer_ids": [balancers[0], "none"]})).await.is(404, "ELB.8904");
    assert_eq!(cloud.count("loadbalancers"), 2);
    let gone = cloud.call("POST", &all, json!({"loadbalancer_ids": balancers})).await;
    assert_eq!((gone.status, cloud.count("loadbalancers")), (200, 0));
    cloud.call("POST", &all, json!({})).await.is(400, "ELB.9805");
    cloud.admin("PUT", "quota", json!({"loadbalancer": 2})).await.is(200, "");
    cloud.several(true, 3).await.is(409, "ELB.8905");
    assert_eq!(cloud.count("loadbalancers"), 0, "not even the two that were allowed");
}

#[tokio::test]
async fn each_pool_has_its_own_verdict() {
    let cloud = Cloud::demo().await;
    let lb = cloud.loadbalancer("lb").await;
    let (free, used) = (cloud.listener(&lb, "TCP", 80).await, cloud.listener(&lb, "TCP", 81).await);
    let (free, used) = (cloud.pool(&free, "TCP").await, cloud.pool(&used, "TCP").await);
    cloud.member(&used, "10.0.0.9:80".parse().unwrap()).await;
    let pools = json!({"pools": [free, used, "none"]});
    let answer = cloud.call("POST", "/v3/{pid}/elb/pools/batch-delete", pools).await;
    let verdicts: Vec<(&str, Option<&str>)> = answer.body["pools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pool| (pool["ret_status"].as_str().unwrap(), pool["ret_code"].as_str()))
        .collect();
    assert_eq!(
        verdicts,
        [("successful", None), ("failed", Some("ELB.8907")), ("failed", Some("ELB.8904"))],
        "{answer:?}"
    );
}

#[tokio::test]
async fn zones_come_and_go_and_one_remains() {
    let cloud = Cloud::demo().await;
    let lb = format!("{BALANCERS}/{}", cloud.loadbalancer("lb").await);
    let change = async |verb: &str, zone: &str| {
        let path = format!("{lb}/availability-zone/batch-{verb}");
        cloud.call("POST", &path, json!({"availability_zone_list": [zone]})).await
    };
    let added = change("add", "mock-1b").await;
    assert_eq!(added.body["loadbalancer"]["availability_zone_list"], json!(["mock-1a", "mock-1b"]));
    change("add", "mock-1b").await.is(400, "ELB.8902");
    change("add", "elsewhere").await.is(400, "ELB.8902");
    assert_eq!(change("remove", "mock-1a").await.status, 200);
    change("remove", "mock-1b").await.is(400, "ELB.8902");
    assert_eq!(cloud.get(&lb).await["loadbalancer"]["availability_zone_list"], json!(["mock-1b"]));
}

#[tokio::test]
async fn a_shared_listener_has_one_whitelist_and_takes_it_along() {
    let cloud = Cloud::demo().await;
    let (shared, dedicated) = (cloud.shared("shared").await, cloud.loadbalancer("dedicated").await);
    let (listener, other) = (cloud.listener(&shared, "TCP", 80).await, cloud.listener(&dedicated, "TCP", 80).await);
    let wish = |listener: &str, ips: &str| json!({"whitelist": {"listener_id": listener, "enable_whitelist": true, "whitelist": ips}});
    let id = cloud.create(WHITELISTS, wish(&listener, "10.0.0.0/8, 192.0.2.7")).await;
    cloud.call("POST", WHITELISTS, wish(&listener, "")).await.is(409, "ELB.8907");
    cloud.call("POST", WHITELISTS, wish(&other, "")).await.is(404, "ELB.8904");
    let path = format!("{WHITELISTS}/{id}");
    cloud.call("PUT", &path, json!({"whitelist": {"whitelist": "everybody"}})).await.is(400, "ELB.8902");
    let off = cloud.call("PUT", &path, json!({"whitelist": {"enable_whitelist": false}})).await;
    assert_eq!(off.body["whitelist"]["whitelist"], "10.0.0.0/8,192.0.2.7");
    assert_eq!(off.body["whitelist"]["enable_whitelist"], false);
    let found = cloud.get(&format!("{WHITELISTS}?listener_id={listener}")).await;
    assert_eq!(found["whitelists"][0]["id"], json!(id));
    assert_eq!(cloud.call("DELETE", &format!("/v3/{{pid}}/elb/listeners/{listener}"), Value::Null).await.status, 204);
    cloud.call("GET", &path, Value::Null).await.is(404, "ELB.8904");
}

#[tokio::test]
async fn the_small_calls_of_older_apis_answer() {
    let cloud = Cloud::demo().await;
    let bandwidth = json!({"share_type": "PER", "name": "bw", "size": 5});
    let order = |mode: &str| json!({"publicip": {"type": "5_bgp"}, "bandwidth": bandwidth, "extendParam": {"charge_mode": mode}});
    let ordered = cloud.call("POST", "/v2.0/{pid}/publicips", order("prePaid")).await;
    let eip = ordered.body["publicip_id"].as_str().unwrap().to_owned();
    assert!(ordered.body["order_id"].as_str().unwrap().starts_with("CS"), "{ordered:?}");
    assert!(cloud.call("POST", "/v2.0/{pid}/publicips", order("postPaid")).await.body["publicip"]["id"].is_string());
    cloud.call("POST", "/v2.0/{pid}/publicips", order("never")).await.is(400, "VPC.0501");

    let shared = cloud.shared("shared").await;
    let port =
        cloud.get(&format!("/v2/{{pid}}/elb/loadbalancers/{shared}")).await["loadbalancer"]["vip_port_id"].clone();
    let bind = json!({"publicip": {"port_id": port}});
    assert_eq!(cloud.call("PUT", &format!("/v1/{{pid}}/publicips/{eip}"), bind).await.status, 200);
    let floating = cloud.get(&format!("/v2.0/floatingips/{eip}")).await["floatingip"].clone();
    assert_eq!((&floating["port_id"], &floating["status"]), (&port, &json!("ACTIVE")));
    let address = floating["floating_ip_address"].as_str().unwrap();
    let found = cloud.get(&format!("/v2.0/floatingips?floating_ip_address={address}")).await;
    assert_eq!(found["floatingips"], json!([floating]));
    cloud.call("GET", "/v2.0/floatingips/none", Value::Null).await.is(404, "VPC.0504");

    let quotas = cloud.get("/v1/{pid}/quotas?type=publicIp").await;
    assert_eq!(quotas["quotas"]["resources"][0]["used"], 2);
    assert_eq!(cloud.get(&format!("/v3/{{pid}}/vpc/vpcs/{VPC_ID}")).await["vpc"]["status"], "OK");
    assert_eq!(cloud.get(&format!("/v2.0/{{pid}}/subnets/{NODE_SUBNET_ID}/tags")).await["tags"], json!([]));
    assert!(cloud.get("/v5/caller-identity").await["principal_urn"].as_str().unwrap().contains(":user:"));
    assert_eq!(cloud.get("/v2.0/nat_gateways").await["nat_gateways"].as_array().unwrap().len(), 1);
    assert_eq!(cloud.get("/v2.0/dnat_rules").await["dnat_rules"], json!([]));
    cloud.call("DELETE", "/v2.0/dnat_rules/none", Value::Null).await.is(404, "NAT.0319");
}
