//! A mock cloud on a port of loopback, for curl and SDKs.
//!
//! `cargo run -p ferrolb-mock --example mock_cloud -- 8089` answers API calls only; with `announce` as a second
//! argument (and NET_ADMIN) its addresses are real, too.

use std::net::{Ipv4Addr, SocketAddr};

use ferrolb_mock::{ACCESS_KEY, Config, PROJECT_ID, REGION, SECRET_KEY};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(8089);
    let announce = std::env::args().nth(2).is_some_and(|word| word == "announce");
    let listen = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))];
    let cloud = ferrolb_mock::start(Config { listen, announce, dataplane: announce, ..Config::default() }).await?;
    println!("endpoint {}", cloud.endpoint());
    println!("access key {ACCESS_KEY}, secret key {SECRET_KEY}");
    println!("project {PROJECT_ID}, region {REGION}");
    std::future::pending().await
}
