//! The exact JSON of every kind, with a clock that stands still. `UPDATE_GOLDEN=1` writes the files anew.

use std::path::Path;
use std::sync::Arc;

use ferrolb_mock::{Clock, Config};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::client::{Cloud, send, signed};

#[tokio::test]
async fn answers_have_exactly_the_documented_shape() {
    let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let cloud = Cloud::start(Config { clock: Clock(Arc::new(move || now)), ..Config::default() }).await;
    let call = async |method: &str, path: String, body: Value| {
        send(cloud.api, &signed(cloud.api, method, &path, body, now)).await.unwrap().body
    };

    let bandwidth = json!({"share_type": "PER", "name": "bw", "size": 5, "charge_mode": "traffic"});
    let eip = call(
        "POST",
        "/v1/{pid}/publicips".into(),
        json!({"publicip": {"type": "5_bgp", "alias": "mark"}, "bandwidth": bandwidth}),
    )
    .await;
    check("eip_v1_created", &eip);
    let eip_id = eip["publicip"]["id"].as_str().unwrap();

    let lb = json!({
        "name": "web", "description": "owner=1", "vip_subnet_cidr_id": ferrolb_mock::VIP_SUBNET_NEUTRON_ID, "availability_zone_list": ["mock-1a"],
        "publicip_ids": [eip_id], "tags": [{"key": "k", "value": "v"}],
    });
    let lb = call("POST", "/v3/{pid}/elb/loadbalancers".into(), json!({"loadbalancer": lb})).await;
    check("loadbalancer", &lb);
    let lb_id = lb["loadbalancer"]["id"].as_str().unwrap();
    check("eip_v3", &call("GET", format!("/v3/{{pid}}/eip/publicips/{eip_id}"), Value::Null).await);
    check(
        "eip_v1_of_a_dedicated_loadbalancer",
        &call("GET", format!("/v1/{{pid}}/publicips/{eip_id}"), Value::Null).await,
    );

    let listener = json!({"loadbalancer_id": lb_id, "protocol": "TCP", "protocol_port": 80, "name": "l"});
    let listener = call("POST", "/v3/{pid}/elb/listeners".into(), json!({"listener": listener})).await;
    check("listener", &listener);
    let pool = json!({"listener_id": listener["listener"]["id"], "protocol": "TCP", "lb_algorithm": "ROUND_ROBIN", "session_persistence": {"type": "SOURCE_IP"}});
    let pool = call("POST", "/v3/{pid}/elb/pools".into(), json!({"pool": pool})).await;
    check("pool", &pool);
    let pool_id = pool["pool"]["id"].as_str().unwrap();
    let member = json!({"address": "172.18.0.2", "protocol_port": 30080, "subnet_cidr_id": ferrolb_mock::NODE_SUBNET_NEUTRON_ID});
    check("member", &call("POST", format!("/v3/{{pid}}/elb/pools/{pool_id}/members"), json!({"member": member})).await);
    let monitor = json!({"pool_id": pool_id, "type": "TCP", "delay": 5, "timeout": 3, "max_retries": 3});
    check(
        "healthmonitor",
        &call("POST", "/v3/{pid}/elb/healthmonitors".into(), json!({"healthmonitor": monitor})).await,
    );
    check("statuses", &call("GET", format!("/v3/{{pid}}/elb/loadbalancers/{lb_id}/statuses"), Value::Null).await);
    check("loadbalancer_list", &call("GET", "/v3/{pid}/elb/loadbalancers?limit=1".into(), Value::Null).await);

    let shared = json!({"name": "shared", "vip_subnet_id": ferrolb_mock::VIP_SUBNET_NEUTRON_ID});
    check(
        "loadbalancer_v2",
        &call("POST", "/v2/{pid}/elb/loadbalancers".into(), json!({"loadbalancer": shared})).await,
    );
    check("ports", &call("GET", format!("/v1/{{pid}}/ports?device_id={lb_id}"), Value::Null).await);
}

#[track_caller]
fn check(name: &str, body: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cloud/golden").join(format!("{name}.json"));
    let text = format!("{body:#}\n");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(golden == text, "{} differs from\n{text}", path.display());
}
