//! Pages, filters, and lists that lag.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::client::{Cloud, eventually};

fn ids(body: &Value, key: &str) -> Vec<String> {
    body[key].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_walk_through_everything_forwards_and_back() {
    let cloud = Cloud::demo().await;
    let mut all = BTreeSet::new();
    for n in 0..5 {
        all.insert(cloud.loadbalancer(&format!("lb-{n}")).await);
    }
    let (mut marker, mut seen, mut sizes) = (String::new(), Vec::new(), Vec::new());
    loop {
        let page = cloud.get(&format!("/v3/{{pid}}/elb/loadbalancers?limit=2{marker}")).await;
        let found = ids(&page, "loadbalancers");
        assert_eq!(page["page_info"]["current_count"], found.len());
        assert_eq!(page["page_info"]["previous_marker"], found[0].as_str());
        sizes.push(found.len());
        seen.extend(found);
        match page["page_info"]["next_marker"].as_str() {
            Some(next) => marker = format!("&marker={next}"),
            None => break,
        }
    }
    assert_eq!(sizes, [2, 2, 1]);
    assert_eq!(seen, all.iter().cloned().collect::<Vec<_>>());

    let back = cloud.get(&format!("/v3/{{pid}}/elb/loadbalancers?limit=2&marker={}&page_reverse=true", seen[3])).await;
    assert_eq!(ids(&back, "loadbalancers"), seen[1..3]);
    assert_eq!(cloud.get("/v3/{pid}/elb/loadbalancers?limit=0").await["loadbalancers"], json!([]));
    cloud
        .call("GET", &format!("/v3/{{pid}}/elb/loadbalancers?marker={}", seen[3]), Value::Null)
        .await
        .is(400, "ELB.8902");
    cloud.call("GET", "/v3/{pid}/elb/loadbalancers?limit=2001", Value::Null).await.is(400, "ELB.8902");
}

#[tokio::test]
async fn filters_given_twice_mean_either_and_different_ones_mean_both() {
    let cloud = Cloud::demo().await;
    let (a, b) = (cloud.loadbalancer("a").await, cloud.loadbalancer("b").await);
    let shared = cloud.shared("a").await;
    let find = async |query: &str| {
        ids(&cloud.get(&format!("/v3/{{pid}}/elb/loadbalancers?{query}")).await, "loadbalancers")
            .into_iter()
            .collect::<BTreeSet<_>>()
    };
    let set = |ids: &[&String]| ids.iter().map(|id| (*id).clone()).collect::<BTreeSet<_>>();
    assert_eq!(find("name=a&name=b").await, set(&[&a, &b, &shared]));
    assert_eq!(find("name=a&guaranteed=true").await, set(&[&a]));
    assert_eq!(find("guaranteed=false").await, set(&[&shared]));
    assert_eq!(find(&format!("id={b}&unknown=1")).await, set(&[&b]));
    assert_eq!(find("description=nothing").await, set(&[]));
    let shown = cloud.get(&format!("/v3/{{pid}}/elb/loadbalancers/{a}")).await["loadbalancer"].clone();
    for key in ["vip_address", "vip_port_id"] {
        assert_eq!(find(&format!("{key}={}", shown[key].as_str().unwrap())).await, set(&[&a]), "{key}");
    }
    let v2 = cloud.get("/v2/{pid}/elb/loadbalancers").await;
    assert_eq!(ids(&v2, "loadbalancers"), [shared]);

    let (tcp, udp) = (cloud.listener(&a, "TCP", 53).await, cloud.listener(&a, "UDP", 53).await);
    let other = cloud.listener(&b, "TCP", 80).await;
    let listeners =
        async |query: String| ids(&cloud.get(&format!("/v3/{{pid}}/elb/listeners?{query}")).await, "listeners");
    assert_eq!(listeners(format!("loadbalancer_id={a}&protocol=UDP")).await, [udp]);
    assert_eq!(listeners("protocol_port=80".into()).await, [other]);
    let pool = cloud.pool(&tcp, "TCP").await;
    let pools = async |query: String| ids(&cloud.get(&format!("/v3/{{pid}}/elb/pools?{query}")).await, "pools");
    assert_eq!(pools(format!("listener_id={tcp}")).await, std::slice::from_ref(&pool));
    assert_eq!(pools(format!("loadbalancer_id={a}")).await, std::slice::from_ref(&pool));
    assert_eq!(pools(format!("loadbalancer_id={b}")).await, [""; 0]);

    let member = cloud.member(&pool, "10.0.0.1:80".parse().unwrap()).await;
    let in_pool = cloud.get(&format!("/v3/{{pid}}/elb/pools/{pool}/members?address=10.0.0.1")).await["members"].clone();
    assert!(in_pool[0].get("pool_id").is_none(), "only the list over all pools says whose a member is");
    let of_all = cloud.get(&format!("/v3/{{pid}}/elb/members?pool_id={pool}")).await["members"].clone();
    assert_eq!((&of_all[0]["pool_id"], &of_all[0]["loadbalancer_id"]), (&json!(pool), &json!(a)));
    assert_eq!(ids(&cloud.get("/v3/{pid}/elb/members?address=10.0.0.1&address=10.0.0.2").await, "members"), [member]);
    assert_eq!(cloud.get("/v3/{pid}/elb/members?protocol_port=81").await["members"], json!([]));
}

#[tokio::test]
async fn lagging_lists_hide_the_young_and_show_the_dead_while_reads_are_exact() {
    let cloud = Cloud::demo().await;
    let old = cloud.loadbalancer("old").await;
    cloud.faults(json!({"list_lag_ms": 60_000})).await;
    let young = cloud.loadbalancer("young").await;
    // `old` is younger than the lag as well by now: nothing is visible yet.
    assert_eq!(cloud.get("/v3/{pid}/elb/loadbalancers").await["loadbalancers"], json!([]));
    assert_eq!(cloud.get(&format!("/v3/{{pid}}/elb/loadbalancers/{young}")).await["loadbalancer"]["name"], "young");

    cloud.faults(json!({"list_lag_ms": 200})).await;
    let list = async || {
        ids(&cloud.get("/v3/{pid}/elb/loadbalancers").await, "loadbalancers").into_iter().collect::<BTreeSet<_>>()
    };
    let both = BTreeSet::from([old.clone(), young.clone()]);
    eventually("both are listed", async || (list().await == both).then_some(())).await;
    cloud.faults(json!({"list_lag_ms": 60_000})).await;
    cloud.call("DELETE", &format!("/v3/{{pid}}/elb/loadbalancers/{old}"), Value::Null).await;
    cloud.call("GET", &format!("/v3/{{pid}}/elb/loadbalancers/{old}"), Value::Null).await.is(404, "ELB.8904");
    cloud.faults(json!({"list_lag_ms": 300})).await;
    eventually("the dead one disappears", async || (list().await == BTreeSet::from([young.clone()])).then_some(()))
        .await;
    assert_eq!(cloud.count("loadbalancers"), 1);
}
