//! Which labs exist on this machine, and who owns them: the base for removing what killed runs left.
//!
//! `/run/ferrolb-lab/<name>/` holds `lab.json` (the owner), `pids/` (a file per process, in order of start),
//! the sockets and the files for people (`bin/`, `kubeconfig`). Bulky state is in `/var/lib/ferrolb-lab/<name>/`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::process::Identity;

const RUN: &str = "/run/ferrolb-lab";
const STATE: &str = "/var/lib/ferrolb-lab";

/// The folders of one lab.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    /// Sockets, process ids, files for people. Short, because socket paths are limited to 107 bytes.
    pub run: PathBuf,
    /// etcd's data, containers, logs.
    pub state: PathBuf,
}

impl Paths {
    pub(crate) fn of(lab: &str) -> Paths {
        Paths { run: Path::new(RUN).join(lab), state: Path::new(STATE).join(lab) }
    }

    pub(crate) fn log(&self, label: &str) -> PathBuf {
        self.state.join("log").join(format!("{}.log", label.replace('/', "-")))
    }
}

/// One lab of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// What holds it up.
    pub state: &'static str,
    /// How many real nodes it has.
    pub nodes: usize,
}

/// All labs of this machine, by name.
pub fn list() -> Vec<Listed> {
    let describe = |name: String| {
        let (state, nodes) = match Record::read(&name) {
            Some(record) => (record.state(), record.nodes),
            None => (ABANDONED, 0),
        };
        Listed { name, state, nodes }
    };
    names().into_iter().map(describe).collect()
}

const ABANDONED: &str = "abandoned";

/// What `lab.json` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    /// The process whose end makes the lab a leftover; none if it stays up by itself.
    pub owner: Option<Identity>,
    /// How many real nodes it has.
    pub nodes: usize,
}

impl Record {
    pub(crate) fn read(lab: &str) -> Option<Record> {
        let text = fs::read(Paths::of(lab).run.join("lab.json")).ok()?;
        Record::parse(&serde_json::from_slice(&text).ok()?)
    }

    fn parse(value: &Value) -> Option<Record> {
        let owner = match &value["owner"] {
            Value::Null => None,
            owner => {
                Some(Identity { pid: u32::try_from(owner["pid"].as_u64()?).ok()?, start: owner["start"].as_u64()? })
            }
        };
        Some(Record { owner, nodes: usize::try_from(value["nodes"].as_u64()?).ok()? })
    }

    fn render(self) -> Value {
        let owner = self.owner.map(|owner| json!({"pid": owner.pid, "start": owner.start}));
        json!({"owner": owner, "nodes": self.nodes})
    }

    /// Replaces the record as a whole, so that a reader never sees half of it.
    pub(crate) fn write(self, lab: &str) -> Result<()> {
        let path = Paths::of(lab).run.join("lab.json");
        let unfinished = path.with_extension("new");
        fs::write(&unfinished, self.render().to_string())?;
        fs::rename(&unfinished, &path).with_context(|| format!("write {}", path.display()))
    }

    fn state(self) -> &'static str {
        match self.owner {
            None => "up",
            Some(owner) if owner.is_alive() => "owned by a running process",
            Some(_) => ABANDONED,
        }
    }
}

/// Keeps other processes from making labs and from removing leftovers while `work` runs: a lab that is just
/// being made has no owner yet and would look like a leftover.
pub(crate) fn with_lock<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    fs::create_dir_all(RUN).with_context(|| format!("create {RUN}"))?;
    let lock = fs::File::create(Path::new(RUN).join(".lock"))?;
    lock.lock()?;
    work()
}

/// Makes the folders of a new lab, owned by this process. Call it under [`with_lock`].
pub(crate) fn create(lab: &str, nodes: usize) -> Result<Paths> {
    let paths = Paths::of(lab);
    match fs::create_dir(&paths.run) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let state = Record::read(lab).map_or(ABANDONED, Record::state);
            bail!("lab {lab} exists already ({state}); `lab down --name {lab}` removes it");
        }
        Err(error) => return Err(error).with_context(|| format!("create {}", paths.run.display())),
    }
    Record { owner: Some(Identity::own()?), nodes }.write(lab)?;
    // /run is empty after a reboot, /var/lib is not: etcd must not start from a dead lab's data.
    if paths.state.exists() {
        fs::remove_dir_all(&paths.state)?;
    }
    fs::create_dir_all(paths.run.join("pids"))?;
    fs::create_dir_all(paths.run.join("bin"))?;
    fs::create_dir_all(paths.state.join("log"))?;
    Ok(paths)
}

/// Remembers a process of the lab.
pub(crate) fn remember(paths: &Paths, pid: u32) -> Result<()> {
    if let Some(identity) = Identity::of(pid) {
        let file = paths.run.join("pids").join(pid.to_string());
        fs::write(&file, identity.start.to_string()).with_context(|| format!("write {}", file.display()))?;
    }
    Ok(())
}

/// The remembered processes that still live.
pub(crate) fn processes(paths: &Paths) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(paths.run.join("pids")) else {
        return Vec::new();
    };
    let identity = |path: PathBuf| {
        let pid = path.file_name()?.to_str()?.parse().ok()?;
        let start = fs::read_to_string(&path).ok()?.parse().ok()?;
        Some(Identity { pid, start })
    };
    let known = entries.flatten().filter_map(|entry| identity(entry.path()));
    known.filter(|identity| identity.is_alive()).map(|identity| identity.pid).collect()
}

/// Labs whose owner has ended without removing them.
pub(crate) fn abandoned() -> Vec<String> {
    list().into_iter().filter(|lab| lab.state == ABANDONED).map(|lab| lab.name).collect()
}

fn names() -> Vec<String> {
    let Ok(entries) = fs::read_dir(RUN) else {
        return Vec::new();
    };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| crate::config::check_name(name).is_ok()).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        for owner in [None, Some(Identity { pid: 7, start: 99 })] {
            let record = Record { owner, nodes: 3 };
            assert_eq!(Record::parse(&record.render()), Some(record));
        }
        assert_eq!(Record::parse(&json!({"owner": {"pid": "7"}})), None);
    }

    #[test]
    fn the_owner_decides_whether_a_lab_is_abandoned() {
        let gone = Identity { pid: std::process::id(), start: 1 };
        assert_eq!(Record { owner: Some(gone), nodes: 0 }.state(), ABANDONED);
        assert_eq!(Record { owner: None, nodes: 0 }.state(), "up");
    }
}
