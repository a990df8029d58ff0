//! Envelopes: what every answer has, whatever it is about.

use ferrolb_mock::REGION;
use serde_json::{Value, json};

use crate::client::{Call, Cloud, send};

#[tokio::test]
async fn every_answer_carries_its_request_id_twice() {
    let cloud = Cloud::demo().await;
    for path in ["/v3/{pid}/elb/pools", "/v3/{pid}/elb/pools/none", "/v1/{pid}/publicips/none", "/nothing"] {
        let reply = cloud.call("GET", path, Value::Null).await;
        let id = reply.body["request_id"].as_str().unwrap().to_owned();
        assert_eq!(id.len(), 32);
        assert!(reply.head.contains(&format!("x-request-id: {id}")), "{path}: {}", reply.head);
        assert!(reply.head.contains("content-type: application/json"));
    }
    let lb = cloud.loadbalancer("a").await;
    let reply = cloud.call("DELETE", &format!("/v3/{{pid}}/elb/loadbalancers/{lb}"), Value::Null).await;
    assert_eq!((reply.status, reply.body), (204, json!("")));
    assert!(reply.head.contains("x-request-id: "));
}

#[tokio::test]
async fn each_service_words_its_errors_its_own_way() {
    let cloud = Cloud::demo().await;
    let elb = cloud.call("GET", "/v3/{pid}/elb/pools/none", Value::Null).await;
    assert_eq!(elb.body["error_msg"], "Pool none could not be found.");
    let eip = cloud.call("GET", "/v1/{pid}/publicips/none", Value::Null).await;
    assert_eq!((&eip.body["code"], &eip.body["error_code"]), (&json!("VPC.0504"), &Value::Null));
    assert!(eip.body["message"].is_string());
}

#[tokio::test]
async fn a_body_that_is_no_json_or_too_big_is_refused_by_the_gateway() {
    let cloud = Cloud::demo().await;
    let mut call = crate::client::signed(cloud.api, "POST", "/v3/{pid}/elb/pools", Value::Null, jiff::Timestamp::now());
    call.headers.retain(|(name, _)| name != "Authorization");
    call.body = "{".into();
    crate::client::sign(&mut call, ferrolb_mock::ACCESS_KEY, ferrolb_mock::SECRET_KEY);
    send(cloud.api, &call).await.unwrap().is(400, "APIG.0201");

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(cloud.api).await.unwrap();
    stream.write_all(b"POST /v3/x/elb/pools HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n").await.unwrap();
    let mut answer = vec![0; 4096];
    let length = stream.read(&mut answer).await.unwrap();
    assert!(std::str::from_utf8(&answer[..length]).unwrap().starts_with("HTTP/1.1 413"));
}

#[tokio::test]
async fn the_region_is_what_sdks_look_for_at_start() {
    let cloud = Cloud::demo().await;
    let found = cloud.get(&format!("/v3/projects?name={REGION}")).await;
    assert_eq!(
        (found["projects"].as_array().unwrap().len(), &found["projects"][0]["id"]),
        (1, &json!(ferrolb_mock::PROJECT_ID))
    );
    assert_eq!(cloud.get("/v3/projects?name=elsewhere").await["projects"], json!([]));
    assert_eq!(cloud.get("/v3/auth/domains").await["domains"][0]["id"], ferrolb_mock::DOMAIN_ID);

    let zones = cloud.get("/v3/{pid}/elb/availability-zones").await;
    assert_eq!(zones["availability_zones"][0][1]["code"], "mock-1b");
    let flavors =
        cloud.get("/v3/{pid}/elb/flavors?name=L4_flavor.elb.s1.small&name=L7_flavor.elb.s1.small&type=L4").await;
    assert_eq!(flavors["flavors"].as_array().unwrap().len(), 1);
    let id = flavors["flavors"][0]["id"].as_str().unwrap();
    assert_eq!(cloud.get(&format!("/v3/{{pid}}/elb/flavors/{id}")).await["flavor"]["name"], "L4_flavor.elb.s1.small");
    let subnets = cloud.get(&format!("/v1/{{pid}}/subnets?vpc_id={}", ferrolb_mock::VPC_ID)).await;
    assert_eq!(subnets["subnets"][0]["neutron_subnet_id"], ferrolb_mock::VIP_SUBNET_NEUTRON_ID);
    assert_eq!(subnets["subnets"][1]["neutron_network_id"], ferrolb_mock::NODE_SUBNET_ID);
}

#[tokio::test]
async fn one_connection_serves_many_calls() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let cloud = Cloud::demo().await;
    let mut stream = tokio::net::TcpStream::connect(cloud.api).await.unwrap();
    for _ in 0..3 {
        stream.write_all(b"GET /_ferrolb/health HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut answer = vec![0; 1024];
        let length = stream.read(&mut answer).await.unwrap();
        assert!(std::str::from_utf8(&answer[..length]).unwrap().ends_with("{\"status\":\"ok\"}"));
    }
}

#[tokio::test]
async fn wishes_of_the_admin_that_make_no_sense_are_refused() {
    let cloud = Cloud::demo().await;
    assert_eq!(cloud.admin("PUT", "faults", json!({"rules": [{"fault": "nonsense"}]})).await.status, 422);
    assert_eq!(cloud.admin("PUT", "faults", json!({"ruels": []})).await.status, 422);
    assert_eq!(cloud.admin("POST", "quota", json!({"loadbalancers": 3})).await.status, 400);
    assert_eq!(cloud.admin("PUT", "members/none/health", json!({"operating_status": "OFFLINE"})).await.status, 404);
    let unknown = Call {
        method: "GET".into(),
        target: "/_ferrolb/nothing".into(),
        headers: vec![("Host".into(), "x".into())],
        body: String::new(),
    };
    send(cloud.api, &unknown).await.unwrap().is(404, "APIG.0101");
}
