//! Prints the conformance report of the example provider.

use std::process::ExitCode;

use ferrolb_example_tinycloud::TinySubject;
use ferrolb_provider::conformance;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let report = conformance::run(&TinySubject::default()).await;
    print!("{report}");
    if report.all_passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
