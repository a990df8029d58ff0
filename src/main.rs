//! The `ferrolb` binary: parse, run, exit code.

fn main() -> std::process::ExitCode {
    ferrolb::cli::run()
}
