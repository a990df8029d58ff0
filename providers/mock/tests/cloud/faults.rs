//! Every fault of the plan, seen from the client and from the ledger.

use serde_json::{Value, json};

use crate::client::{Cloud, eventually, send, signed};

const LBS: &str = "/v3/{pid}/elb/loadbalancers";

fn lb(name: &str) -> Value {
    json!({"loadbalancer": {"name": name, "vip_subnet_cidr_id": ferrolb_mock::VIP_SUBNET_NEUTRON_ID, "availability_zone_list": ["mock-1a"]}})
}

async fn with(fault: Value) -> Cloud {
    let cloud = Cloud::demo().await;
    cloud.faults(json!({"rules": [{"match": {"writes_only": true, "nth": 1}, "fault": fault}]})).await;
    cloud
}

fn last_call(cloud: &Cloud) -> Value {
    cloud.handle.calls()["calls"].as_array().unwrap().last().unwrap().clone()
}

#[tokio::test]
async fn a_lost_answer_was_applied() {
    let cloud = with(json!("lost_answer")).await;
    assert!(cloud.try_call("POST", LBS, lb("a")).await.is_none());
    assert_eq!(cloud.count("loadbalancers"), 1);
    let call = last_call(&cloud);
    assert_eq!(
        (&call["fault"], &call["effective"], &call["outcome"], &call["status"]),
        (&json!("lost_answer"), &json!(true), &json!("cut"), &Value::Null)
    );
    assert_eq!(cloud.call("POST", LBS, lb("b")).await.status, 201, "the second write is none of the plan's business");
}

#[tokio::test]
async fn a_dropped_call_was_not_applied() {
    let cloud = with(json!("drop")).await;
    assert!(cloud.try_call("POST", LBS, lb("a")).await.is_none());
    assert_eq!(cloud.count("loadbalancers"), 0);
    assert_eq!(last_call(&cloud)["effective"], false);
}

#[tokio::test]
async fn a_late_effect_comes_after_its_client_is_gone() {
    let cloud = with(json!({"late_apply": {"delay_ms": 500}})).await;
    assert!(cloud.try_call("POST", LBS, lb("a")).await.is_none());
    assert_eq!(cloud.count("loadbalancers"), 0);
    eventually("the effect", async || (cloud.count("loadbalancers") == 1).then_some(())).await;
    assert_eq!(last_call(&cloud)["effective"], true);

    let cloud = with(json!({"late_apply": {"delay_ms": 1, "gateway_timeout": true}})).await;
    assert_eq!(cloud.call("POST", LBS, lb("a")).await.status, 504);
    eventually("the effect", async || (cloud.count("loadbalancers") == 1).then_some(())).await;
}

#[tokio::test]
async fn a_throttled_call_says_so_and_was_not_applied() {
    let cloud = with(json!({"throttle": {"retry_after_s": 7}})).await;
    let reply = cloud.call("POST", LBS, lb("a")).await;
    reply.is(429, "APIGW.0308");
    assert!(reply.head.contains("retry-after: 7"));
    assert_eq!(cloud.count("loadbalancers"), 0);
    let cloud = with(json!({"throttle": {}})).await;
    assert!(!cloud.call("POST", LBS, lb("a")).await.head.contains("retry-after"));
}

#[tokio::test]
async fn any_error_can_be_played() {
    let cloud = with(json!({"status": {"http": 500, "code": "ELB.8906", "message": "boom"}})).await;
    let reply = cloud.call("POST", LBS, lb("a")).await;
    reply.is(500, "ELB.8906");
    assert_eq!((&reply.body["error_msg"], cloud.count("loadbalancers")), (&json!("boom"), 0));
}

#[tokio::test]
async fn a_delayed_answer_is_late_but_its_effect_is_not() {
    let cloud = with(json!({"delay": {"ms": 600}})).await;
    let start = std::time::Instant::now();
    let call = signed(cloud.api, "POST", LBS, lb("a"), jiff::Timestamp::now());
    let (reply, ()) = tokio::join!(
        send(cloud.api, &call),
        eventually("the effect before the answer", async || (cloud.count("loadbalancers") == 1
            && start.elapsed().as_millis() < 600)
            .then_some(()))
    );
    assert_eq!(reply.unwrap().status, 201);
    assert!(start.elapsed().as_millis() >= 600);
}

#[tokio::test]
async fn a_call_held_before_its_effect_waits_for_the_release() {
    let cloud = with(json!("hold_before")).await;
    let call = signed(cloud.api, "POST", LBS, lb("a"), jiff::Timestamp::now());
    let waiting = tokio::spawn(async move { send(cloud.api, &call).await });
    let held = held(&cloud).await;
    assert_eq!((&held["phase"], &held["method"]), (&json!("hold_before"), &json!("POST")));
    assert_eq!(cloud.count("loadbalancers"), 0);
    let released = cloud.admin("DELETE", &format!("holds?id={}", held["id"]), Value::Null).await;
    assert_eq!(released.body["released"], 1);
    assert_eq!(waiting.await.unwrap().unwrap().status, 201);
    assert_eq!(cloud.count("loadbalancers"), 1);
}

#[tokio::test]
async fn a_hold_that_is_dropped_never_takes_effect() {
    let cloud = with(json!("hold_before")).await;
    let call = signed(cloud.api, "POST", LBS, lb("a"), jiff::Timestamp::now());
    let waiting = tokio::spawn(async move { send(cloud.api, &call).await });
    held(&cloud).await;
    cloud.admin("DELETE", "holds?drop=true", Value::Null).await;
    assert!(waiting.await.unwrap().is_none());
    assert_eq!(cloud.count("loadbalancers"), 0);
    assert_eq!(cloud.admin("GET", "holds", Value::Null).await.body, json!([]));
}

#[tokio::test]
async fn a_client_that_dies_in_a_hold_takes_the_effect_with_it_or_not() {
    for (fault, left) in [("hold_before", 0), ("hold_after", 1)] {
        let cloud = with(json!(fault)).await;
        let call = signed(cloud.api, "POST", LBS, lb("a"), jiff::Timestamp::now());
        let waiting = tokio::spawn(async move { send(cloud.api, &call).await });
        held(&cloud).await;
        waiting.abort();
        eventually("the hold ends with its client", async || {
            (cloud.admin("GET", "holds", Value::Null).await.body == json!([])).then_some(())
        })
        .await;
        let released = cloud.admin("DELETE", "holds", Value::Null).await;
        assert_eq!(released.body["released"], 0);
        assert_eq!(cloud.count("loadbalancers"), left, "{fault}");
        assert_eq!(last_call(&cloud)["outcome"], "gone");
    }
}

#[tokio::test]
async fn calls_are_counted_by_kind_and_effect() {
    let cloud = Cloud::demo().await;
    let id = cloud.loadbalancer("a").await;
    let path = format!("{LBS}/{id}");
    for name in ["a", "b"] {
        cloud.call("PUT", &path, json!({"loadbalancer": {"name": name}})).await;
    }
    cloud.get(&path).await;
    cloud.call("GET", &format!("{LBS}/none"), Value::Null).await;
    let calls = cloud.handle.calls();
    assert_eq!(calls["totals"], json!({"reads": 2, "writes": 3, "effective": 2}));
    assert_eq!(
        calls["counters"]["PUT /v3/{pid}/elb/loadbalancers/{id}"],
        json!({"calls": 2, "effective": 1, "errors": 0, "faults": 0})
    );
    assert_eq!(calls["counters"]["GET /v3/{pid}/elb/loadbalancers/{id}"]["errors"], 1);
    assert_eq!(calls["calls"][4]["code"], "ELB.8904");
    cloud.admin("DELETE", "calls", Value::Null).await;
    assert_eq!(cloud.handle.calls()["totals"], json!({"reads": 0, "writes": 0, "effective": 0}));
    cloud.get(&path).await;
    assert_eq!(cloud.handle.calls()["calls"][0]["seq"], 6);
}

async fn held(cloud: &Cloud) -> Value {
    eventually("a held call", async || cloud.admin("GET", "holds", Value::Null).await.body.get(0).cloned()).await
}
