//! What results depend on: the commit and the machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the checkout.
pub fn root() -> PathBuf {
    let own = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    Path::new(&own).ancestors().nth(2).map(Path::to_owned).unwrap_or_default()
}

/// cargo at the root, as if typed in a terminal. What `cargo run` has set for this process would be news to build
/// scripts, and half of the dependencies would be compiled again each time.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    command.current_dir(root());
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || OF_CARGO_RUN.contains(&name.as_ref()) {
            command.env_remove(name.as_ref());
        }
    }
    command
}

const OF_CARGO_RUN: [&str; 7] = [
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_CRATE_NAME",
    "CARGO_BIN_NAME",
    "CARGO_PRIMARY_PACKAGE",
    "LD_LIBRARY_PATH",
    "OUT_DIR",
];

/// Commit, date and machine in one line.
pub fn describe() -> String {
    let commit = match output("git", &["rev-parse", "--short=12", "HEAD"]) {
        Some(commit) if output("git", &["status", "--porcelain"]).is_some_and(|changes| !changes.is_empty()) => {
            format!("{commit} + changes")
        }
        Some(commit) => commit,
        None => "no commit".to_owned(),
    };
    let date = output("date", &["-u", "+%Y-%m-%d %H:%M UTC"]).unwrap_or_default();
    let kernel = output("uname", &["-sr"]).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = memory_gib(&fs::read_to_string("/proc/meminfo").unwrap_or_default());
    format!("commit {commit}, {date}, {cores} cores, {memory} GiB, {kernel}")
}

fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).current_dir(root()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn memory_gib(meminfo: &str) -> u64 {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib: Option<u64> = line.and_then(|line| line.split_ascii_whitespace().next()?.parse().ok());
    (kib.unwrap_or_default() + (1 << 19)) >> 20
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_the_one_with_the_charts() {
        assert!(root().join("charts/ferrolb/Chart.yaml").is_file());
    }

    #[test]
    fn memory_is_rounded() {
        assert_eq!(memory_gib("MemTotal:       24639996 kB\nMemFree: 1 kB\n"), 23);
        assert_eq!(memory_gib(""), 0);
    }
}
