//! A cgroup per node, so that several kubelets on one machine leave each other's pods alone.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

const MOUNTS: &str = "/sys/fs/cgroup";

/// The kubelet's `cgroupRoot`.
pub(crate) fn node_root(lab: &str, node: usize) -> String {
    format!("/ferrolb-lab/{lab}/n{node}")
}

/// Mount points of the hierarchies that kubelets use: one for version 2; with version 1 one per controller.
pub(crate) fn hierarchies() -> Vec<PathBuf> {
    hierarchies_in(&fs::read_to_string("/proc/self/mounts").unwrap_or_default())
}

fn hierarchies_in(mounts: &str) -> Vec<PathBuf> {
    // A mixed machine has controllers in version 1 and an empty version 2 tree beside them.
    let version_1 = mounts_of(mounts, "cgroup");
    if version_1.is_empty() { mounts_of(mounts, "cgroup2") } else { version_1 }
}

/// All of both versions: runc uses the version 2 tree of a mixed machine, too.
fn all_mounts() -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let kinds = ["cgroup", "cgroup2"].iter();
    kinds.flat_map(|kind| mounts_of(&mounts, kind)).collect()
}

fn mounts_of(mounts: &str, kind: &str) -> Vec<PathBuf> {
    let fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let fields = fields.filter(|f| f.get(2) == Some(&kind) && f[1].starts_with(MOUNTS));
    fields.map(|f| PathBuf::from(f[1])).collect()
}

/// Makes the cgroup of a node in every hierarchy.
pub(crate) fn create(lab: &str, node: usize) -> Result<()> {
    for mount in hierarchies() {
        let mut folder = mount.clone();
        delegate(&folder);
        for part in Path::new(node_root(lab, node).trim_start_matches('/')) {
            let parent = folder.clone();
            folder.push(part);
            if !folder.is_dir() {
                fs::create_dir_all(&folder).with_context(|| format!("create cgroup {}", folder.display()))?;
            }
            inherit_cpuset(&parent, &folder)?;
            delegate(&folder);
        }
    }
    Ok(())
}

/// Version 1: a new cpuset is empty, and nothing can run in it.
fn inherit_cpuset(parent: &Path, child: &Path) -> Result<()> {
    for file in ["cpuset.cpus", "cpuset.mems"] {
        let (from, to) = (parent.join(file), child.join(file));
        // Only version 1 has the file `tasks`; in version 2 an empty cpuset means the parent's.
        if parent.join("tasks").is_file() && from.is_file() && to.is_file() {
            let value = fs::read_to_string(&from)?;
            fs::write(&to, value.trim()).with_context(|| format!("write {}", to.display()))?;
        }
    }
    Ok(())
}

/// Version 2: controllers must be handed to the children. Some may not exist here, so each on its own.
fn delegate(folder: &Path) {
    let control = folder.join("cgroup.subtree_control");
    if control.is_file() {
        for controller in ["+cpu", "+cpuset", "+memory", "+pids", "+io", "+hugetlb"] {
            let _ = fs::write(&control, controller);
        }
    }
}

/// All processes in the lab's cgroups: those of its pods.
pub(crate) fn members(lab: &str) -> Vec<u32> {
    let mut pids = Vec::new();
    for mount in all_mounts() {
        for folder in folders_below(&mount.join("ferrolb-lab").join(lab)) {
            let text = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
            pids.extend(text.lines().filter_map(|line| line.parse::<u32>().ok()));
        }
    }
    pids.sort_unstable();
    pids.dedup();
    pids
}

/// Removes the lab's cgroups. Those that still have members stay, which [`left`] tells.
pub(crate) fn remove(lab: &str) {
    for mount in all_mounts() {
        let top = mount.join("ferrolb-lab");
        for folder in folders_below(&top.join(lab)) {
            let _ = fs::remove_dir(folder);
        }
        let _ = fs::remove_dir(top); // fails while another lab is in it
    }
}

/// Whether cgroups of the lab are still there.
pub(crate) fn left(lab: &str) -> bool {
    hierarchies().iter().any(|mount| mount.join("ferrolb-lab").join(lab).is_dir())
}

/// `top` and everything below, children before parents.
fn folders_below(top: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(top) else {
        return found;
    };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(folders_below(&entry.path()));
        }
    }
    found.push(top.to_owned());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_wins_on_a_mixed_machine() {
        let mixed = "cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
        assert_eq!(hierarchies_in(mixed), [PathBuf::from("/sys/fs/cgroup/cpu")]);
        let unified = "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n";
        assert_eq!(hierarchies_in(unified), [PathBuf::from("/sys/fs/cgroup")]);
        assert!(hierarchies_in("proc /proc proc rw 0 0\n").is_empty());
    }
}
