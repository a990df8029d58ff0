//! IP address groups, and the listeners that use them.

use ferrolb_mock::Config;
use serde_json::{Value, json};

use crate::client::Cloud;

const GROUPS: &str = "/v3/{pid}/elb/ipgroups";
const LISTENERS: &str = "/v3/{pid}/elb/listeners";

impl Cloud {
    pub async fn ipgroup(&self, ips: &[&str]) -> String {
        let list: Vec<Value> = ips.iter().map(|ip| json!({"ip": ip})).collect();
        self.create(GROUPS, json!({"ipgroup": {"name": "office", "ip_list": list}})).await
    }

    /// Sets the `ipgroup` of a listener.
    pub async fn access(&self, listener: &str, ipgroup: Value) -> crate::client::Reply {
        self.call("PUT", &format!("{LISTENERS}/{listener}"), json!({"listener": {"ipgroup": ipgroup}})).await
    }

    async fn ips(&self, group: &str) -> Vec<String> {
        let shown = self.get(&format!("{GROUPS}/{group}")).await;
        let list = shown["ipgroup"]["ip_list"].as_array().unwrap().clone();
        list.iter().map(|entry| entry["ip"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn a_list_is_replaced_extended_and_shortened() {
    let cloud = Cloud::demo().await;
    let id = cloud.ipgroup(&["10.0.0.0/8", "192.0.2.7"]).await;
    let path = format!("{GROUPS}/{id}");
    let list = |ips: &[&str]| {
        let list: Vec<Value> = ips.iter().map(|ip| json!({"ip": ip})).collect();
        json!({"ipgroup": {"ip_list": list}})
    };
    let added = list(&["10.0.0.0/8", "2001:db8::/32"]);
    assert_eq!(cloud.call("POST", &format!("{path}/iplist/create-or-update"), added).await.status, 200);
    assert_eq!(cloud.ips(&id).await, ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"]);
    let removed = list(&["192.0.2.7", "192.0.2.8"]);
    assert_eq!(cloud.call("POST", &format!("{path}/iplist/batch-delete"), removed).await.status, 200);
    assert_eq!(cloud.ips(&id).await, ["10.0.0.0/8", "2001:db8::/32"]);
    assert_eq!(cloud.call("PUT", &path, list(&["192.0.2.1-192.0.2.9"])).await.status, 200);
    assert_eq!(cloud.ips(&id).await, ["192.0.2.1-192.0.2.9"]);
    for wrong in [&["10.0.0.0/33"][..], &["everybody"], &["10.0.0.1", "10.0.0.1"]] {
        cloud.call("PUT", &path, list(wrong)).await.is(400, "ELB.8902");
    }
    cloud.call("POST", GROUPS, json!({"ipgroup": {"name": "x"}})).await.is(400, "ELB.9805");
    assert_eq!(cloud.call("DELETE", &path, Value::Null).await.status, 204);
    cloud.call("DELETE", &path, Value::Null).await.is(404, "ELB.8904");
}

#[tokio::test]
async fn a_group_stays_while_a_listener_names_it() {
    let cloud = Cloud::demo().await;
    let (one, two) = (cloud.ipgroup(&["10.0.0.0/8"]).await, cloud.ipgroup(&[]).await);
    let lb = cloud.loadbalancer("lb").await;
    let listener = json!({"listener": {
        "loadbalancer_id": lb, "protocol": "TCP", "protocol_port": 80, "ipgroup": {"ipgroup_id": one}}});
    let made = cloud.call("POST", LISTENERS, listener).await;
    let id = made.body["listener"]["id"].as_str().unwrap().to_owned();
    let expected = json!({"ipgroup_id": one, "enable_ipgroup": true, "type": "white"});
    assert_eq!(made.body["listener"]["ipgroup"], expected);
    let group = format!("{GROUPS}/{one}");
    assert_eq!(cloud.get(&group).await["ipgroup"]["listeners"], json!([{"id": id}]));
    assert_eq!(cloud.get(&format!("{group}/related-listeners")).await["listeners"], json!([{"id": id}]));
    cloud.call("DELETE", &group, Value::Null).await.is(409, "ELB.8907");

    // What is not named stays as it was, even switched off the group is in use.
    let off = cloud.access(&id, json!({"enable_ipgroup": false, "type": "black"})).await;
    let expected = json!({"ipgroup_id": one, "enable_ipgroup": false, "type": "black"});
    assert_eq!(off.body["listener"]["ipgroup"], expected);
    cloud.call("DELETE", &group, Value::Null).await.is(409, "ELB.8907");
    let both = format!("{one},{two}");
    assert_eq!(
        cloud.access(&id, json!({"ipgroup_id": both})).await.body["listener"]["ipgroup"]["ipgroup_id"],
        json!(both)
    );
    cloud.access(&id, json!({"ipgroup_id": "none"})).await.is(404, "ELB.8904");
    cloud.access(&id, json!({"ipgroup_id": two, "type": "grey"})).await.is(400, "ELB.8902");
    assert_eq!(cloud.access(&id, Value::Null).await.body["listener"]["ipgroup"], Value::Null);
    assert_eq!(cloud.call("DELETE", &group, Value::Null).await.status, 204);
}

#[tokio::test]
async fn groups_have_limits() {
    let mut config = Config::default();
    (config.quotas.ipgroup, config.quotas.ipgroup_max_length, config.quotas.ipgroup_bindings) = (2, 2, 1);
    let cloud = Cloud::start(config).await;
    let long = json!({"ipgroup": {"ip_list": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}, {"ip": "10.0.0.3"}]}});
    cloud.call("POST", GROUPS, long).await.is(409, "ELB.8905");
    let (one, two) = (cloud.ipgroup(&[]).await, cloud.ipgroup(&[]).await);
    cloud.call("POST", GROUPS, json!({"ipgroup": {"ip_list": []}})).await.is(409, "ELB.8905");
    let shared = cloud.shared("lb").await;
    let (first, second) = (cloud.listener(&shared, "TCP", 80).await, cloud.listener(&shared, "TCP", 81).await);
    let both = json!({"ipgroup_id": format!("{one},{two}")});
    cloud.access(&first, both).await.is(409, "ELB.8905");
    assert_eq!(cloud.access(&first, json!({"ipgroup_id": one})).await.status, 200);
    assert_eq!(cloud.access(&first, json!({"ipgroup_id": one, "type": "black"})).await.status, 200);
    cloud.access(&second, json!({"ipgroup_id": one})).await.is(409, "ELB.8905");
}
