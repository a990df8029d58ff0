//! The deterministic simulator: the unmodified controller, engine and cloud provider against an API server and a
//! cloud in this process, with paused time, seeded faults and seeded users; invariants are judged after every event.
//!
//! ```text
//!        users, trouble ───────────────────────────────┐
//!              │                                       ▼
//!   api (store, watches, faults) ◄── kube::Client   mock's state ◄── Transport (faults, crashes)
//!              ▲                         ▲             ▲                  ▲
//!              │                   controller::run ── Engine ── Elb ──────┘
//!              └──── law: I1-I5, I7-I10, I12-I14 after each event; expect: what must be in the end
//! ```
//!
//! ```text
//! sim --seed 17 [--minutes 60] [--without F3,F18] [--services 2] [--trace]      one run
//! sim --seeds 300 [--from 1] [--jobs 2] [--minutes 60]                          many, each in a process of its own
//! sim --seeds 20 --pairs 500                                                    create/delete pairs, 10 % faults
//! sim --freshness                                                               views after a watch was lost
//! sim --walks 300 [--from 1]                                                     chains of edits, right and wrong
//! sim --perturb [--workload one-port [--plan after-3 --trace]]                  scripts, disturbed at each point
//! sim --fidelity [--kubeconfig FILE] [--only NAME]        what the API server answers: the simulated, or a real one
//! ```
//!
//! Not simulated: F42 (no pools), F46 and up (speakers). Not judged: I6, I11, I15, I17.
#![allow(missing_docs, reason = "a test binary has no readers but those of its source")]

mod api;
mod cloud;
mod dice;
mod expect;
mod faults;
mod fidelity;
mod freshness;
mod hands;
mod law;
mod ledger;
mod many;
mod one;
mod perturb;
mod plan;
mod process;
mod sim;
mod soak;
mod trouble;
mod users;
mod walks;
mod wish;

use std::process::ExitCode;

use clap::Parser;

/// A quarter of a run is allocation, and this allocator is what makes that quarter small.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a simulation is to be made of.
#[derive(Parser, Debug)]
#[command(about = "Runs the controller in a simulated world", disable_version_flag = true)]
struct Arguments {
    /// One run with this seed
    #[arg(long, value_name = "SEED", conflicts_with = "seeds")]
    seed: Option<u64>,
    /// This many runs
    #[arg(long, value_name = "N", default_value_t = 300)]
    seeds: u64,
    /// The first seed of many
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    from: u64,
    /// Runs at a time
    #[arg(long, value_name = "N", default_value_t = 2)]
    jobs: usize,
    /// Simulated minutes of a run; the second half is quiet
    #[arg(long, value_name = "N", default_value_t = 60)]
    minutes: u64,
    /// Faults to leave out
    #[arg(long, value_name = "FAULTS", value_delimiter = ',')]
    without: Vec<plan::Fault>,
    /// Services that users play with, instead of the seed's number
    #[arg(long, value_name = "N")]
    services: Option<u64>,
    /// Instead of ordinary users: create and delete so many Services in a run, while a tenth of all calls fail
    #[arg(long, value_name = "N")]
    pairs: Option<u64>,
    /// Measure how old a view becomes when a watch is lost without a word
    #[arg(long, conflicts_with_all = ["seed", "seeds", "pairs"])]
    freshness: bool,
    /// Runs scripts of users with one thing going wrong at a time, at each place there is
    #[arg(long, conflicts_with_all = ["seed", "seeds", "pairs", "freshness"])]
    perturb: bool,
    /// Of `--perturb`: only this script
    #[arg(long, value_name = "NAME", requires = "perturb")]
    workload: Option<String>,
    /// Of `--perturb --workload`: only this plan
    #[arg(long, value_name = "ID", requires = "workload")]
    plan: Option<String>,
    /// Play the fidelity cases to the simulated API server and print its answers
    #[arg(long, conflicts_with_all = ["seed", "seeds", "freshness"])]
    fidelity: bool,
    /// Play them to the API server of this kubeconfig
    #[arg(long, value_name = "FILE", requires = "fidelity")]
    kubeconfig: Option<std::path::PathBuf>,
    /// Play those whose name contains this
    #[arg(long, value_name = "NAME", requires = "fidelity")]
    only: Option<String>,
    /// Chains of edits, a third of them wrong
    #[arg(long, value_name = "N", conflicts_with_all = ["seed", "seeds", "perturb"])]
    walks: Option<u64>,
    /// Of `--walks`: only these steps
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', requires = "walks")]
    steps: Vec<usize>,
    /// Print every event to standard error
    #[arg(long)]
    trace: bool,
    /// Print results as lines of JSON
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.fidelity {
        let played = fidelity::run(arguments.kubeconfig.as_deref(), arguments.only.as_deref());
        return if played { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let succeeded = match arguments.seed {
        _ if arguments.freshness => freshness::run(arguments.json),
        _ if arguments.walks.is_some() => {
            let count = arguments.walks.unwrap_or_default();
            walks::all(arguments.from, count, &arguments.steps, arguments.jobs, arguments.trace)
        }
        _ if arguments.perturb => {
            perturb::all(arguments.workload.as_deref(), arguments.plan.as_deref(), arguments.jobs, arguments.trace)
        }
        Some(seed) => one::run(seed, &arguments),
        None => many::run(&arguments),
    };
    if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
