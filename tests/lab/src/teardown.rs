//! Removes a lab by what the machine shows of it, whether its owner is here or was killed yesterday.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::cgroup;
use crate::process;
use crate::registry::{self, Paths};
use crate::wait::wait_for;

/// Removes the lab with this name and all that belongs to it. One that is not there is fine.
pub fn remove(lab: &str) -> Result<()> {
    crate::config::check_name(lab)?;
    let paths = Paths::of(lab);
    // Killing may race with a process that forks: repeat until nothing is left.
    wait_for(&format!("the processes of lab {lab} to end"), Duration::from_secs(20), || {
        let alive = processes(lab, &paths);
        process::send(&alive, "KILL")?;
        if alive.is_empty() {
            return Ok(Some(()));
        }
        bail!("still there: {alive:?}");
    })?;
    unmount_below(&[&paths.run, &paths.state])?;
    for namespace in namespaces(lab) {
        crate::net::ip(&[], &format!("netns del {namespace}\n"))?;
    }
    wait_for(&format!("the cgroups of lab {lab} to be empty"), Duration::from_secs(10), || {
        cgroup::remove(lab);
        Ok((!cgroup::left(lab)).then_some(()))
    })?;
    remove_traces(lab, &paths);
    for folder in [&paths.state, &paths.run] {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
    }
    Ok(())
}

/// Removes all labs whose owner has ended without doing so. Tells on standard error.
pub fn remove_leftovers() -> Result<()> {
    registry::with_lock(remove_abandoned)
}

/// The same for a caller who holds the registry's lock.
pub(crate) fn remove_abandoned() -> Result<()> {
    for lab in registry::abandoned() {
        eprintln!("lab: removing {lab}, left behind by a run that was killed");
        remove(&lab)?;
    }
    Ok(())
}

/// Every process of a lab: the remembered ones, those in its cgroups (pods) and all in its namespaces (shims,
/// and whatever a test or a person started there), but not this very process.
fn processes(lab: &str, paths: &Paths) -> Vec<u32> {
    let mut found: BTreeSet<u32> = registry::processes(paths).into_iter().collect();
    found.extend(cgroup::members(lab));
    let ours: BTreeSet<(u64, u64)> =
        namespaces(lab).iter().filter_map(|name| identity(Path::new("/run/netns").join(name))).collect();
    let in_ours = |pid: &u32| identity(format!("/proc/{pid}/ns/net")).is_some_and(|id| ours.contains(&id));
    found.extend(process::all_pids().into_iter().filter(in_ours));
    found.remove(&std::process::id());
    // A zombie has neither namespace nor hope; its parent reaps it.
    found.into_iter().filter(|&pid| process::Identity::of(pid).is_some()).collect()
}

/// Device and inode: the same for all names of one namespace.
fn identity(path: impl AsRef<Path>) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

fn namespaces(lab: &str) -> Vec<String> {
    let prefix = format!("flb.{lab}.");
    let Ok(entries) = fs::read_dir("/run/netns") else {
        return Vec::new();
    };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.starts_with(&prefix)).collect()
}

/// Unmounts what containerd and kubelets mounted, the innermost first.
fn unmount_below(folders: &[&Path]) -> Result<()> {
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let points = mount_points(&mounts, folders);
    // Many at once: a call each would take most of the time of a teardown.
    for chunk in points.chunks(100) {
        Command::new("umount").arg("--lazy").args(chunk).output()?;
    }
    let left = mount_points(&fs::read_to_string("/proc/self/mountinfo")?, folders);
    if left.is_empty() {
        return Ok(());
    }
    bail!("could not unmount {left:?}");
}

/// Mount points below any of `folders` in reverse order of mounting.
fn mount_points(mountinfo: &str, folders: &[&Path]) -> Vec<PathBuf> {
    let points = mountinfo.lines().filter_map(|line| line.split(' ').nth(4)).map(PathBuf::from);
    let mut points: Vec<PathBuf> = points.filter(|point| folders.iter().any(|f| point.starts_with(f))).collect();
    points.reverse();
    points
}

/// Small files outside the lab's folders: results of the CNI library, the kubelets' links to logs, sockets of
/// the containers' shims.
fn remove_traces(lab: &str, paths: &Paths) {
    let prefix = format!("{}-", network_prefix(lab));
    for file in files_in(Path::new("/var/lib/cni/results")) {
        if file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix)) {
            let _ = fs::remove_file(file);
        }
    }
    for link in files_in(Path::new("/var/log/containers")) {
        if fs::read_link(&link).is_ok_and(|target| target.starts_with(&paths.state)) {
            let _ = fs::remove_file(link);
        }
    }
    for node in files_in(&paths.run) {
        for bundle in files_in(&node.join("containerd/io.containerd.runtime.v2.task/k8s.io")) {
            if let Some(socket) = shim_socket(&fs::read(bundle.join("bootstrap.json")).unwrap_or_default()) {
                let _ = fs::remove_file(socket);
            }
        }
    }
}

/// The socket that a container's shim was told to listen on.
fn shim_socket(bootstrap: &[u8]) -> Option<PathBuf> {
    let bootstrap: serde_json::Value = serde_json::from_slice(bootstrap).ok()?;
    let path = bootstrap["address"].as_str()?.strip_prefix("unix://")?;
    path.starts_with("/run/containerd/s/").then(|| PathBuf::from(path))
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// Names of the lab's CNI networks begin so, followed by a dash.
pub(crate) fn network_prefix(lab: &str) -> String {
    format!("flb.{lab}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_of_others_are_left_alone() {
        let mountinfo = "1 0 0:1 / /run/ferrolb-lab/a/n1/x rw - tmpfs t rw\n\
                         2 0 0:2 / /run/ferrolb-lab/ab/n1/x rw - tmpfs t rw\n\
                         3 0 0:3 / /run/ferrolb-lab/a/n1/x/y rw - tmpfs t rw\n";
        let found = mount_points(mountinfo, &[Path::new("/run/ferrolb-lab/a")]);
        assert_eq!(found, ["/run/ferrolb-lab/a/n1/x/y", "/run/ferrolb-lab/a/n1/x"].map(PathBuf::from));
    }

    #[test]
    fn only_sockets_of_shims_are_removed() {
        let at = |address: &str| shim_socket(format!("{{\"address\":\"{address}\"}}").as_bytes());
        assert_eq!(at("unix:///run/containerd/s/ab"), Some(PathBuf::from("/run/containerd/s/ab")));
        assert_eq!(at("unix:///run/containerd/containerd.sock"), None);
        assert_eq!(shim_socket(b""), None);
    }

    #[test]
    fn a_bad_name_never_becomes_a_path() {
        assert!(remove("../etc").is_err());
    }
}
