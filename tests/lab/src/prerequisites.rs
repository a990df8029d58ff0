//! What the machine must have. Debian packages are installed where that is possible; whatever is still
//! missing is told in one message.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::build;

/// Program and the Debian package that has it.
const PROGRAMS: &[(&str, &str)] = &[
    ("ip", "iproute2"),
    ("nsenter", "util-linux"),
    ("setsid", "util-linux"),
    ("umount", "mount"),
    ("iptables", "iptables"),
    ("nft", "nftables"),
    ("conntrack", "conntrack"),
    ("runc", "runc"),
    ("curl", "curl"),
];
/// CNI plugins that the nodes use.
const PLUGINS: &[&str] = &["ptp", "host-local", "portmap"];
const PLUGIN_FOLDERS: &[&str] = &["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"];

/// Checks everything, installs Debian packages as far as possible, and names all that is missing.
pub fn ensure() -> Result<()> {
    let mut packages = missing_packages();
    if !packages.is_empty() && is_root() && find("apt-get").is_some() {
        install(&packages)?;
        packages = missing_packages();
    }
    let mut missing = Vec::new();
    if !is_root() {
        missing.push("root: namespaces, mounts and cgroups need it (run with sudo)".to_owned());
    }
    for (program, package) in PROGRAMS.iter().filter(|(program, _)| find(program).is_none()) {
        missing.push(format!("program {program} (Debian package {package})"));
    }
    if packages.contains("containernetworking-plugins") {
        let list = PLUGINS.join(", ");
        missing.push(format!(
            "CNI plugins {list} in /usr/lib/cni or /opt/cni/bin (Debian package containernetworking-plugins)"
        ));
    }
    if !build::is_complete()?
        && let Some(problem) = go_problem()
    {
        missing.push(format!("Go 1.26 or newer in PATH, to build Kubernetes once (https://go.dev/dl): {problem}"));
    }
    if crate::cgroup::hierarchies().is_empty() {
        missing.push("cgroups mounted below /sys/fs/cgroup (version 2, or version 1 with memory and cpu)".to_owned());
    }
    if missing.is_empty() {
        return Ok(());
    }
    bail!("the lab cannot run here, this is missing:\n  - {}", missing.join("\n  - "));
}

/// The full path of one more program, installed from its Debian package if need be.
pub fn ensure_program(program: &str, package: &'static str) -> Result<PathBuf> {
    if find(program).is_none() && is_root() && find("apt-get").is_some() {
        install(&BTreeSet::from([package]))?;
    }
    find(program).with_context(|| format!("program {program} (Debian package {package}) is missing"))
}

/// The full path of a program. Administrators' folders are searched too: a user's PATH often lacks them.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The folder with the CNI plugins.
pub(crate) fn plugin_folder() -> Option<&'static Path> {
    let complete = |folder: &&Path| PLUGINS.iter().all(|plugin| folder.join(plugin).is_file());
    PLUGIN_FOLDERS.iter().map(Path::new).find(complete)
}

fn missing_packages() -> BTreeSet<&'static str> {
    let programs = PROGRAMS.iter().filter(|(program, _)| find(program).is_none());
    let mut packages: BTreeSet<&str> = programs.map(|&(_, package)| package).collect();
    if plugin_folder().is_none() {
        packages.insert("containernetworking-plugins");
    }
    packages
}

/// What is wrong with the Go tool chain. From 1.21 on, Go fetches the newer one that a module asks for.
fn go_problem() -> Option<String> {
    let Ok(output) = Command::new("go").args(["env", "GOVERSION"]).output() else {
        return Some("there is none".to_owned());
    };
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (!is_recent_go(&version)).then(|| format!("there is {version:?}"))
}

fn is_recent_go(version: &str) -> bool {
    let numbers = version.trim_start_matches("go").split('.');
    let numbers: Vec<u32> = numbers.map_while(|number| number.parse().ok()).collect();
    numbers.as_slice() >= [1, 21].as_slice()
}

/// The effective user of this process.
fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    line.and_then(|ids| ids.split_ascii_whitespace().nth(1)) == Some("0")
}

fn install(packages: &BTreeSet<&str>) -> Result<()> {
    let list: Vec<&str> = packages.iter().copied().collect();
    eprintln!("lab: installing Debian packages {}", list.join(" "));
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(["-q", "-y"]).args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        command.stdin(Stdio::null()).output().context("run apt-get")
    };
    let mut arguments = vec!["install", "--no-install-recommends"];
    arguments.extend(&list);
    // The package lists of a fresh machine are often empty or too old; most calls need no update.
    if !apt(&arguments)?.status.success() {
        apt(&["update"])?;
        let output = apt(&arguments)?;
        if !output.status.success() {
            // Not fatal here: the caller names all that is missing in one message.
            eprintln!("lab: apt-get could not install them: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_that_cannot_fetch_a_newer_one_is_too_old() {
        assert!(is_recent_go("go1.26.8") && is_recent_go("go1.21"));
        assert!(!is_recent_go("go1.19.8") && !is_recent_go(""));
    }

    #[test]
    fn administrators_programs_are_found_without_their_folders_in_path() {
        assert_eq!(find("no-such-program-anywhere"), None);
        assert!(find("sh").is_some());
    }
}
