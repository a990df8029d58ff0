//! The subcommands and what they share.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::cli::{controller, crds, mock_cloud};
use crate::telemetry::{self, LogFormat};

/// Working Services of type LoadBalancer for every Kubernetes cluster.
#[derive(Parser, Debug)]
#[command(name = "ferrolb", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Turn Services of type LoadBalancer into load balancers
    Controller(Box<controller::Flags>),
    /// Run a mock of the cloud (ELB v3, EIP) with a real TCP and UDP data plane
    MockCloud(mock_cloud::Flags),
    /// Print the custom resource definitions as YAML
    Crds,
}

/// How to log.
#[derive(Args, Clone, Debug)]
pub struct LogFlags {
    /// What to log: a level (error, warn, info, debug, trace) or directives such as "info,ferrolb=debug"
    #[arg(long, env = "FERROLB_LOG", value_name = "FILTER", default_value = "info")]
    log: String,
    /// How to write it
    #[arg(long, env = "FERROLB_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    log_format: LogFormat,
}

/// Runs the command line. Exit code 0: fine, 1: failed, 2: wrong usage.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Controller(flags) => on_runtime(&flags.log.clone(), controller::run(*flags)),
        Command::MockCloud(flags) => on_runtime(&flags.log.clone(), mock_cloud::run(flags)),
        Command::Crds => crds::print(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ferrolb: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn on_runtime(log: &LogFlags, command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    telemetry::log(&log.log, log.log_format)?;
    // Both kube and reqwest take the process's provider; with two candidates in the tree neither would choose one.
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("a second TLS provider is installed"))?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(command)
}

/// Ends when the process is asked to stop.
pub(super) async fn stop_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Seconds, decimals allowed.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let value: f64 = text.parse().map_err(|_| "a number of seconds is needed, for instance 30 or 0.5".to_owned())?;
    if !(value.is_finite() && (0.0..=86_400.0).contains(&value)) {
        return Err("between 0 and 86400 seconds are possible".to_owned());
    }
    Ok(Duration::from_secs_f64(value))
}
