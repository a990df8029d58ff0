//! The proofs: each claim of the project as a command that stays, and the demo.
//!
//! ```text
//!  prove run address crash …           prove demo                prove test
//!        │                                  │                        │
//!     runner ── groups proofs by bed        │         fmt, clippy, cargo test, then all proofs
//!        │                                  │
//!   ┌────┴───────────────────────┐          │
//!   light bed                    full bed ◄─┘
//!   control plane, light nodes,  three real nodes, images, the chart installed by helm,
//!   controller and mock cloud    traffic from a client outside
//!   as processes one can kill
//! ```
//!
//! A proof is a function that gets a bed and a [`report::Report`], and measures. Every line it reports reads
//! `name value bound PASS|FAIL`; the command fails when one line fails. A proof that cannot run fails with the
//! reason: nothing is skipped in silence.

mod benches;
mod demo;
mod harness;
mod interrupt;
mod proofs;
mod report;
mod runner;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// Proofs and demo of FerroLB.
#[derive(Parser)]
#[command(name = "prove", version, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Names of all proofs and benches, and what they show.
    List,
    /// Runs proofs: all, or the named ones. `list` lists them, `all` runs all and records the results.
    Run {
        /// Names of proofs.
        names: Vec<String>,
        #[command(flatten)]
        options: Options,
    },
    /// Runs benches: all, or the named ones.
    Bench {
        /// Names of benches.
        names: Vec<String>,
        #[command(flatten)]
        options: Options,
    },
    /// Shows one Service's life on a real cluster, then stays up until Ctrl-C.
    Demo {
        /// Clean up and end instead of staying up.
        #[arg(long)]
        exit: bool,
    },
    /// Everything: formatting, lints, unit tests, proofs.
    Test {
        #[command(flatten)]
        options: Options,
    },
}

/// How thoroughly, and what is kept.
#[derive(Args, Clone, Copy, Default)]
pub struct Options {
    /// Write the lines to docs/results.md.
    #[arg(long)]
    pub record: bool,
    /// Take samples where the whole takes minutes.
    #[arg(long)]
    pub quick: bool,
    /// Take the full time where a shorter one is the default (five minutes of silence instead of one).
    #[arg(long, conflicts_with = "quick")]
    pub full: bool,
}

fn main() -> ExitCode {
    interrupt::clean_up_on_signal();
    let result = match Cli::parse().command {
        Command::List => {
            runner::list();
            Ok(true)
        }
        Command::Run { names, options } => runner::run(&names, options),
        Command::Bench { names, options } => runner::bench(&names, options),
        Command::Demo { exit } => demo::run(exit).map(|()| true),
        Command::Test { options } => runner::test(options),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("prove: {error:#}");
            ExitCode::FAILURE
        }
    }
}
