//! A cloud that outlives its process.

use ferrolb_mock::Config;
use serde_json::Value;

use crate::client::Cloud;

#[tokio::test]
async fn objects_survive_a_restart_and_ids_go_on() {
    let file = std::env::temp_dir().join(format!("ferrolb-mock-{}.json", std::process::id()));
    let config = || Config { state_file: Some(file.clone()), ..Config::default() };
    let cloud = Cloud::start(config()).await;
    cloud.admin("POST", "quota", serde_json::json!({"loadbalancer": 2})).await;
    let lb = cloud.loadbalancer("kept").await;
    let listener = cloud.listener(&lb, "TCP", 80).await;
    let pool = cloud.pool(&listener, "TCP").await;
    cloud.member(&pool, "10.0.0.1:80".parse().unwrap()).await;
    let eip = cloud.eip().await;
    let strip = |mut ledger: Value| {
        ledger.as_object_mut().unwrap().remove("revision");
        ledger
    };
    let before = strip(cloud.handle.ledger());
    cloud.handle.shutdown().await;

    let cloud = Cloud::start(config()).await;
    assert_eq!(strip(cloud.handle.ledger()), before);
    let second = cloud.loadbalancer("new").await;
    assert!(![&lb, &listener, &pool, &eip].contains(&&second));
    let refused = cloud
        .call(
            "POST",
            "/v2/{pid}/elb/loadbalancers",
            serde_json::json!({"loadbalancer": {"vip_subnet_id": ferrolb_mock::VIP_SUBNET_NEUTRON_ID}}),
        )
        .await;
    refused.is(409, "ELB.8905");
    drop(cloud);
    std::fs::remove_file(&file).unwrap();
}

#[tokio::test]
async fn a_state_file_that_is_none_stops_the_start() {
    let file = std::env::temp_dir().join(format!("ferrolb-mock-bad-{}.json", std::process::id()));
    std::fs::write(&file, "{").unwrap();
    let error =
        ferrolb_mock::start(Config { state_file: Some(file.clone()), ..Config::default() }).await.err().unwrap();
    assert!(error.to_string().contains("ferrolb-mock-bad"), "{error}");
    std::fs::remove_file(&file).unwrap();
}

#[tokio::test]
async fn the_same_seed_gives_the_same_ids_and_another_seed_others() {
    let first = |seed| async move { Cloud::start(Config { seed, ..Config::default() }).await.loadbalancer("a").await };
    let (a, b, c) = (first(1).await, first(1).await, first(2).await);
    assert_eq!(a, b);
    assert_ne!(a, c);
    assert_eq!((a.len(), &a[14..15]), (36, "4"));
}

#[tokio::test]
async fn after_shutdown_nobody_answers_on_old_connections() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let cloud = Cloud::demo().await;
    let mut stream = tokio::net::TcpStream::connect(cloud.api).await.unwrap();
    stream.write_all(b"GET /_ferrolb/health HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
    cloud.handle.shutdown().await;
    let _ = stream.write_all(b"GET /_ferrolb/health HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(!matches!(stream.read(&mut [0; 1024]).await, Ok(1..)));
}

/// Writing the whole file for each of many changes would be slow; a cloud that is killed soon after the last must have
/// it all the same.
#[tokio::test]
async fn a_flurry_of_changes_is_in_the_file_soon() {
    let file = std::env::temp_dir().join(format!("ferrolb-mock-flurry-{}.json", std::process::id()));
    let cloud = Cloud::start(Config { state_file: Some(file.clone()), ..Config::default() }).await;
    for _ in 0..30 {
        cloud.eip().await;
    }
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    let written = || -> usize {
        let state: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        state["eips"]["rows"].as_object().unwrap().len()
    };
    while written() < 30 {
        assert!(std::time::Instant::now() < deadline, "only {} of 30", written());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    drop(cloud);
    std::fs::remove_file(&file).unwrap();
}
