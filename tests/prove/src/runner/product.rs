//! Builds the binary that the proofs test: static, so that the same file runs in an image made from scratch.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::machine;

/// Builds it where that is needed and gives its path. `FERROLB_BINARY=FILE` tests that (static) file instead.
pub fn build() -> Result<PathBuf> {
    if let Some(given) = std::env::var_os("FERROLB_BINARY") {
        let given = PathBuf::from(given);
        ensure!(given.is_file(), "FERROLB_BINARY={}: there is no such file", given.display());
        return Ok(given);
    }
    let arch = std::env::consts::ARCH;
    let musl = format!("{arch}-unknown-linux-musl");
    eprintln!("prove: building ferrolb (profile fast, static)");
    match prepare(&musl) {
        Ok(()) => cargo(&musl, None),
        Err(reason) => {
            eprintln!("prove: {reason:#}; building with the gnu target instead");
            cargo(&format!("{arch}-unknown-linux-gnu"), Some("-C target-feature=+crt-static"))
        }
    }
}

/// The Rust target and a C compiler for it; what is missing is installed where that is possible.
fn prepare(target: &str) -> Result<()> {
    if !installed_targets()?.lines().any(|line| line == target) {
        eprintln!("prove: rustup target add {target}");
        quiet(Command::new("rustup").args(["target", "add", target]))
            .with_context(|| format!("Rust target {target} cannot be had"))?;
    }
    if quiet(Command::new("musl-gcc").arg("--version")).is_err() {
        eprintln!("prove: installing the Debian package musl-tools");
        let install = || {
            quiet(
                Command::new("apt-get")
                    .args(["-q", "-y", "install", "musl-tools"])
                    .env("DEBIAN_FRONTEND", "noninteractive"),
            )
        };
        install()
            .or_else(|_| quiet(Command::new("apt-get").args(["-q", "update"])).and_then(|()| install()))
            .context("musl-gcc is missing (Debian package musl-tools)")?;
    }
    Ok(())
}

fn installed_targets() -> Result<String> {
    let rustup = Command::new("rustup").args(["target", "list", "--installed"]).output();
    if let Ok(output) = rustup {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    // A distribution's Rust: its targets lie beside its own libraries.
    let output = Command::new("rustc").args(["--print", "sysroot"]).output().context("run rustc")?;
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()).join("lib/rustlib");
    let entries = std::fs::read_dir(&folder).with_context(|| format!("read {}", folder.display()))?;
    Ok(entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned() + "\n").collect())
}

fn quiet(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("run {:?}", command.get_program()))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{:?}: {}", command.get_program(), complaint.trim());
    Ok(())
}

/// Builds the simulator and gives its path.
pub fn build_simulator() -> Result<PathBuf> {
    eprintln!("prove: building the simulator (profile fast)");
    let mut command = machine::cargo();
    command.args(["build", "--profile", "fast", "-p", "ferrolb-sim", "--bin", "sim"]);
    executable(command, "sim")
}

/// The same of another checkout, to be kept at `keep`. It takes its dependencies from this one's target folder, where
/// they are built already.
pub fn build_simulator_of(tree: &Path, keep: &Path) -> Result<()> {
    eprintln!("prove: building the simulator of {}", tree.display());
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| machine::root().join("target"), PathBuf::from);
    let mut command = machine::cargo();
    command.current_dir(tree).arg("build").arg("--target-dir").arg(target);
    command.args(["--profile", "fast", "-p", "ferrolb-sim", "--bin", "sim"]);
    let built = executable(command, "sim")?;
    fs::copy(&built, keep).with_context(|| format!("copy {} to {}", built.display(), keep.display()))?;
    Ok(())
}

fn cargo(target: &str, flags: Option<&str>) -> Result<PathBuf> {
    let mut command = machine::cargo();
    command.args(["build", "--profile", "fast", "--target", target, "-p", "ferrolb", "--bin", "ferrolb"]);
    if let Some(flags) = flags {
        command.env("RUSTFLAGS", flags);
    }
    executable(command, "ferrolb").with_context(|| format!("for {target}"))
}

/// Runs `cargo build …` and finds what it built.
fn executable(mut command: Command, name: &str) -> Result<PathBuf> {
    command.args(["--message-format", "json-render-diagnostics"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("run cargo")?;
    let stdout = child.stdout.take().context("cargo has no standard output")?;
    let mut executable = None;
    for line in BufReader::new(stdout).lines() {
        let message: Value = serde_json::from_str(&line?).unwrap_or_default();
        if message["reason"] == "compiler-artifact"
            && message["target"]["name"] == name
            && let Some(path) = message["executable"].as_str()
        {
            executable = Some(PathBuf::from(path));
        }
    }
    if !child.wait()?.success() {
        bail!("{name} does not build");
    }
    executable.with_context(|| format!("cargo built no executable named {name}"))
}
