//! `ferrolb mock-cloud`.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::{ArgAction, Args};
use ferrolb_mock::Config;
use ipnet::{IpNet, Ipv4Net};

use crate::cli::command::{LogFlags, stop_signal};

/// Flags of `ferrolb mock-cloud`.
#[derive(Args, Debug)]
pub struct Flags {
    /// Where the API listens; its admin paths under /_ferrolb/ are open to whoever can connect
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Public addresses (EIPs)
    #[arg(long, value_name = "RANGE", default_value = "203.0.113.0/24")]
    eip_range: IpNet,
    /// Private addresses of load balancers
    #[arg(long, value_name = "RANGE", default_value = "10.201.0.0/24")]
    vip_range: IpNet,
    /// Make this machine own both ranges (needs NET_ADMIN)
    #[arg(long)]
    own_ranges: bool,
    /// Forward traffic and check members; off for the API alone
    #[arg(long, default_value_t = true, action = ArgAction::Set, value_name = "BOOL")]
    data_plane: bool,
    /// Keep the objects over restarts
    #[arg(long, value_name = "FILE")]
    state_file: Option<PathBuf>,
    /// Same seed, same calls: same ids
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    pub(super) log: LogFlags,
}

/// What is common to a mock in a process of its own and one inside the controller.
pub(super) fn defaults() -> Config {
    Config {
        // Whatever addresses the nodes have, they are in the cloud's subnet.
        node_range: IpNet::V4(Ipv4Net::default()),
        ..Config::default()
    }
}

/// Runs the mock until it is asked to stop.
///
/// # Errors
/// An address cannot be bound, the ranges cannot be owned, or the state file cannot be read.
pub async fn run(flags: Flags) -> anyhow::Result<()> {
    let config = Config {
        listen: vec![flags.listen],
        eip_range: flags.eip_range,
        vip_range: flags.vip_range,
        announce: flags.own_ranges,
        dataplane: flags.data_plane,
        state_file: flags.state_file,
        seed: flags.seed,
        ..defaults()
    };
    let mock = ferrolb_mock::start(config).await.context("starting the mock cloud")?;
    tracing::info!(
        endpoint = mock.endpoint(),
        access_key = ferrolb_mock::ACCESS_KEY,
        project = ferrolb_mock::PROJECT_ID,
        "mock cloud"
    );
    stop_signal().await?;
    mock.shutdown().await;
    Ok(())
}
