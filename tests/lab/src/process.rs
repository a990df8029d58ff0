//! Long-running processes: who they are beyond a reusable number, how they are stopped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// A process that the lab started. Dropping it kills it.
#[derive(Debug)]
pub struct Running {
    label: String,
    child: Child,
    log: PathBuf,
    kept: bool,
}

impl Running {
    /// Process id; it is the program itself, not a wrapper.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// File with its standard output and error.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// What it has written so far.
    pub fn log_text(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Sends a signal by its name without `SIG`: `TERM`, `STOP`, `CONT`, `KILL`.
    pub fn signal(&self, signal: &str) -> Result<()> {
        send(&[self.pid()], signal).with_context(|| format!("send {signal} to {}", self.label))
    }

    /// SIGKILL, and waits until it is gone. A process that has ended already is fine.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill().with_context(|| format!("kill {}", self.label))?;
        self.child.wait().with_context(|| format!("wait for {}", self.label))?;
        Ok(())
    }

    /// SIGTERM; SIGKILL when it still runs after `patience`.
    pub fn stop(&mut self, patience: Duration) -> Result<ExitStatus> {
        if self.is_running() {
            self.signal("TERM")?;
        }
        if let Some(status) = self.wait_until(Instant::now() + patience)? {
            return Ok(status);
        }
        self.kill()?;
        Ok(self.child.wait()?)
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until it ends by itself; an error after `patience`.
    pub fn wait(&mut self, patience: Duration) -> Result<ExitStatus> {
        match self.wait_until(Instant::now() + patience)? {
            Some(status) => Ok(status),
            None => bail!("{} still runs after {patience:?}", self.label),
        }
    }

    /// Lets it run on after this value is gone.
    pub(crate) fn keep(&mut self) {
        self.kept = true;
    }

    fn wait_until(&mut self, deadline: Instant) -> Result<Option<ExitStatus>> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.kept && self.is_running() {
            let _ = self.kill();
        }
    }
}

/// Starts `command` in a session of its own (a Ctrl-C in the terminal stays with the lab's owner, who
/// tears down in order) with its output in `log`.
pub(crate) fn start(label: &str, command: &Command, log: PathBuf) -> Result<Running> {
    let out = fs::OpenOptions::new().create(true).append(true).open(&log);
    let out = out.with_context(|| format!("open log {}", log.display()))?;
    // setsid(1) forks only for a process group leader, which a fresh child is not: the pid stays the program's.
    let mut session = Command::new("setsid");
    session.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => session.env(name, value),
            None => session.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        session.current_dir(folder);
    }
    session.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
    let child = session.spawn().with_context(|| format!("start {label}"))?;
    Ok(Running { label: label.to_owned(), child, log, kept: false })
}

/// A process as the kernel knows it: a number alone may have gone to another one since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub pid: u32,
    /// Clock ticks since boot at which it started.
    pub start: u64,
}

impl Identity {
    /// Who has this number now; none if nobody or a dead one that was not reaped.
    pub(crate) fn of(pid: u32) -> Option<Identity> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some(Identity { pid, start: start_time(&stat)? })
    }

    pub(crate) fn own() -> Result<Identity> {
        Identity::of(std::process::id()).context("read own start time from /proc/self/stat")
    }

    pub(crate) fn is_alive(self) -> bool {
        Identity::of(self.pid) == Some(self)
    }
}

/// Field 22 of /proc/PID/stat. The second field is the program's name, which may hold spaces and brackets.
fn start_time(stat: &str) -> Option<u64> {
    let after_name = &stat[stat.rfind(')')? + 1..];
    let mut fields = after_name.split_ascii_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// Sends a signal to all of `pids`; those that are gone are no error.
pub(crate) fn send(pids: &[u32], signal: &str) -> Result<()> {
    if pids.is_empty() {
        return Ok(());
    }
    // The shell's own kill: the program of that name is not on every machine, and libc would need unsafe code.
    let list: Vec<String> = pids.iter().map(u32::to_string).collect();
    let script = format!("kill -{signal} {} 2>/dev/null || true", list.join(" "));
    Command::new("sh").args(["-c", &script]).status().context("run sh to send a signal")?;
    Ok(())
}

/// All processes that exist now.
pub(crate) fn all_pids() -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn start_time_survives_a_name_with_brackets() {
        let stat = "42 (a) b (c)) S 1 42 42 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 987654 1000 10";
        assert_eq!(start_time(stat), Some(987_654));
        let zombie = stat.replace(" S ", " Z ");
        assert_eq!(start_time(&zombie), None);
    }

    #[test]
    fn a_killed_process_is_not_alive() {
        let folder = std::env::temp_dir().join(format!("ferrolb-lab-process-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let mut command = Command::new("sleep");
        command.arg("60");
        let mut running = start("sleep", &command, folder.join("log")).unwrap();
        let identity = Identity::of(running.pid()).unwrap();
        assert!(identity.is_alive());
        running.kill().unwrap();
        assert!(!identity.is_alive());
        assert!(!running.is_running());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn stop_gives_up_on_patience_and_kills() {
        let folder = std::env::temp_dir().join(format!("ferrolb-lab-stubborn-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"]);
        let mut running = start("stubborn", &command, folder.join("log")).unwrap();
        crate::wait_for("the trap to be set", Duration::from_secs(5), || {
            Ok(running.log_text().contains("ready").then_some(()))
        })
        .unwrap();
        let status = running.stop(Duration::from_millis(200)).unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
        fs::remove_dir_all(&folder).unwrap();
    }
}
