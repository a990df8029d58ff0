//! Who is let in.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::client::{Cloud, send, sign, signed};

const PATH: &str = "/v3/{pid}/elb/loadbalancers?limit=3&name=a&name=b";

#[tokio::test]
async fn only_the_right_signature_gets_in() {
    let cloud = Cloud::demo().await;
    let good = || signed(cloud.api, "GET", PATH, Value::Null, Timestamp::now());
    assert_eq!(send(cloud.api, &good()).await.unwrap().status, 200);

    let mut call = good();
    call.target = call.target.replace("limit=3", "limit=4");
    send(cloud.api, &call).await.unwrap().is(401, "APIG.0301");

    let mut call = good();
    call.body = "{}".into();
    send(cloud.api, &call).await.unwrap().is(401, "APIG.0301");

    let mut call = good();
    call.headers.iter_mut().find(|(name, _)| name == "User-Agent").unwrap().1 = "other".into();
    send(cloud.api, &call).await.unwrap().is(401, "APIG.0301");

    for (access, secret) in [("ferrolb-mock", "wrong"), ("wrong", "ferrolb-mock-secret")] {
        let mut call = good();
        call.headers.retain(|(name, _)| name != "Authorization");
        sign(&mut call, access, secret);
        send(cloud.api, &call).await.unwrap().is(401, "APIG.0301");
    }

    let mut call = good();
    call.headers.retain(|(name, _)| name != "Authorization");
    send(cloud.api, &call).await.unwrap().is(401, "APIG.0301");

    for minutes in [-16, 16] {
        let call = signed(cloud.api, "GET", PATH, Value::Null, Timestamp::now() + SignedDuration::from_mins(minutes));
        send(cloud.api, &call).await.unwrap().is(401, "APIG.0301");
    }
    let call = signed(cloud.api, "GET", PATH, Value::Null, Timestamp::now() - SignedDuration::from_mins(14));
    assert_eq!(send(cloud.api, &call).await.unwrap().status, 200);
}

#[tokio::test]
async fn an_unknown_path_or_project_is_told_apart_from_a_bad_key() {
    let cloud = Cloud::demo().await;
    cloud.call("GET", "/v3/{pid}/elb/nothing", Value::Null).await.is(404, "APIG.0101");
    cloud.call("PATCH", "/v3/{pid}/elb/pools", Value::Null).await.is(404, "APIG.0101");
    cloud.call("GET", "/v3/00000000000000000000000000000000/elb/pools", Value::Null).await.is(403, "SYS.0403");
    cloud.call("GET", "/v1/00000000000000000000000000000000/publicips", Value::Null).await.is(403, "SYS.0403");
}

#[tokio::test]
async fn raw_paths_need_no_signature_and_leave_no_trace_in_the_log() {
    let cloud = Cloud::demo().await;
    let reply = cloud.admin("GET", "raw/v3/{pid}/elb/loadbalancers?name=x", Value::Null).await;
    assert_eq!((reply.status, &reply.body["loadbalancers"]), (200, &serde_json::json!([])));
    cloud.admin("GET", "raw/v3/{pid}/nothing", Value::Null).await.is(404, "APIG.0101");
    assert_eq!(cloud.handle.calls()["totals"]["reads"], 0);
}
