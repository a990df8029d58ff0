//! The vendor's Python SDK against the mock cloud: `tests/prove/sdk` has the lives, this file brings the SDK, the
//! cloud and the report.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use ferrolb_lab::wait_for;

use crate::harness::Alone;
use crate::report::Report;
use crate::runner::root;

pub fn run(bed: &Alone, report: &mut Report) -> Result<()> {
    let scripts = root().join("tests/prove/sdk");
    let python = python_with_sdk(&scripts)?;
    let cloud = Mock::start(bed.product()?, &scripts.join("world.yaml"))?;
    let mut command = Command::new(python);
    // No byte code beside the sources; no proxy between the SDK and loopback.
    command.arg("-B").arg(scripts.join("prove.py")).arg(format!("http://{}", cloud.address)).env("NO_PROXY", "*");
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("run the SDK's script")?;
    let mut failures = 0;
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let (kind, passed, failed) = parse(line).with_context(|| format!("not a line of the script: {line:?}"))?;
        report.holds(kind, format!("{passed} passed, {failed} failed"), passed > 0 && failed == 0, "all passed");
        failures += failed;
    }
    ensure!(output.status.success() == (failures == 0), "the script ended with {}", output.status);
    Ok(())
}

/// `name passed failed`
fn parse(line: &str) -> Option<(&str, u32, u32)> {
    let mut words = line.split(' ');
    let parsed = (words.next()?, words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    words.next().is_none().then_some(parsed)
}

/// A Python that has the SDK in the versions that `requirements.txt` names; made once and kept in the user's cache.
fn python_with_sdk(scripts: &Path) -> Result<PathBuf> {
    let requirements = scripts.join("requirements.txt");
    let text = fs::read_to_string(&requirements).with_context(|| format!("read {}", requirements.display()))?;
    let version =
        said(Command::new("python3").arg("--version")).context("Python 3 is missing (Debian package python3)")?;
    let mut hasher = DefaultHasher::new();
    (&text, &version).hash(&mut hasher);
    let base = std::env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = match base {
        Some(base) => base,
        None => {
            PathBuf::from(std::env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?).join(".cache")
        }
    };
    let folder = base.join(format!("ferrolb/sdk-{:016x}", hasher.finish()));
    let (python, complete) = (folder.join("bin/python"), folder.join("complete"));
    if !complete.is_file() {
        eprintln!("prove: fetching the vendor's SDK (PyPI) into {}", folder.display());
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        said(Command::new("python3").args(["-m", "venv"]).arg(&folder))
            .context("a virtual environment cannot be made (Debian package python3-venv)")?;
        said(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(&requirements))
            .context("the SDK cannot be fetched from PyPI")?;
        fs::write(&complete, version)?;
    }
    Ok(python)
}

/// Runs a command to its good end and gives what it printed.
fn said(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("run {:?}", command.get_program()))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}", complaint.trim().lines().last().unwrap_or("it failed without a word"));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A mock cloud on a port of loopback, without data plane; ends with this value.
struct Mock {
    process: Child,
    address: SocketAddr,
}

impl Mock {
    fn start(binary: &Path, world: &Path) -> Result<Self> {
        // Free a moment ago; a cloud that cannot have it ends and is reported.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let mut command = Command::new(binary);
        command.args(["mock-cloud", "--listen", &address.to_string(), "--data-plane", "false", "--log", "warn"]);
        command.arg("--world").arg(world);
        let process = command.stdin(Stdio::null()).spawn().context("start the mock cloud")?;
        let mut mock = Self { process, address };
        wait_for("the mock cloud to listen", Duration::from_secs(10), || {
            if let Some(status) = mock.process.try_wait()? {
                bail!("it ended: {status}");
            }
            Ok(TcpStream::connect(address).ok().map(drop))
        })?;
        Ok(mock)
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_script_are_cut_exactly() {
        assert_eq!(parse("listener 15 0"), Some(("listener", 15, 0)));
        for other in
            ["", "listener", "listener 15", "listener 15 0 1", "listener x 0", "Traceback (most recent call last):"]
        {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
