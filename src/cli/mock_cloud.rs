//! `ferrolb mock-cloud`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{ArgAction, Args};
use ferrolb_mock::Config;
use ipnet::IpNet;

use crate::cli::command::{LogFlags, stop_signal};

/// Flags of `ferrolb mock-cloud`.
#[derive(Args, Debug)]
pub struct Flags {
    /// Where the API listens; its admin paths under /_ferrolb/ are open to whoever can connect
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Another world than the usual one: account, keys, zones, quotas, ranges, faults (examples/mock-cloud/world.yaml)
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
    /// Public addresses (EIPs) [default: the world's, or 203.0.113.0/24]
    #[arg(long, value_name = "RANGE")]
    eip_range: Option<IpNet>,
    /// Private addresses of load balancers [default: the world's, or 10.201.0.0/24]
    #[arg(long, value_name = "RANGE")]
    vip_range: Option<IpNet>,
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

/// The world of a file, or the usual one.
fn world(file: Option<&Path>) -> anyhow::Result<Config> {
    let Some(file) = file else {
        return Ok(Config { vip_range: "10.201.0.0/24".parse()?, ..Config::default() });
    };
    let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    serde_saphyr::from_str(&text).with_context(|| format!("reading {}", file.display()))
}

/// Runs the mock until it is asked to stop.
///
/// # Errors
/// An address cannot be bound, the ranges cannot be owned, or the file of the world or the state cannot be read.
pub async fn run(flags: Flags) -> anyhow::Result<()> {
    let world = world(flags.world.as_deref())?;
    let config = Config {
        listen: vec![flags.listen],
        eip_range: flags.eip_range.unwrap_or(world.eip_range),
        vip_range: flags.vip_range.unwrap_or(world.vip_range),
        announce: flags.own_ranges,
        dataplane: flags.data_plane,
        state_file: flags.state_file,
        seed: flags.seed,
        ..world
    };
    let (access_key, project) = (config.access_key.clone(), config.project_id.clone());
    let mock = ferrolb_mock::start(config).await.context("starting the mock cloud")?;
    tracing::info!(endpoint = mock.endpoint(), access_key, project, "mock cloud");
    stop_signal().await?;
    mock.shutdown().await;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_a_world_is_read_to_its_last_field() {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/mock-cloud/world.yaml");
        let example = world(Some(&example)).unwrap();
        assert_eq!(
            (example.region.as_str(), example.quotas.loadbalancer, example.faults.rules.len()),
            ("moon-1", 10, 1)
        );
        assert_eq!(example.listen, Config::default().listen);
    }

    #[test]
    fn a_field_that_no_world_has_is_named() {
        let error = serde_saphyr::from_str::<Config>("regoin: x").err().unwrap().to_string();
        assert!(error.contains("regoin"), "{error}");
    }
}
