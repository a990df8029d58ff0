//! The programs of the lab, from source by the Go tool chain, once per machine.
//!
//! Three Go modules lie in this crate: `cluster` (all of Kubernetes and etcd in one binary), `tools`
//! (containerd, helm, CoreDNS) and `programs` (our own small ones). Their sources are part of this program,
//! so a cached build is found by content alone: neither a fresh clone nor another checkout builds again.
//! The cache is `$XDG_CACHE_HOME/ferrolb/lab/<module>-<hash>/`.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::image::hex;

/// One Go module and the programs it yields.
#[derive(Debug)]
pub struct Module {
    name: &'static str,
    /// What a person is told while waiting.
    what: &'static str,
    files: &'static [(&'static str, &'static str)],
    flags: &'static [&'static str],
    packages: &'static [&'static str],
    /// The programs in `bin/`.
    pub outputs: &'static [&'static str],
}

/// All modules, the longest build first.
pub const MODULES: &[Module] = &[
    Module {
        name: "cluster",
        what: "Kubernetes 1.36 and etcd (5 minutes on 2 cores)",
        files: &[
            ("go.mod", include_str!("../cluster/go.mod")),
            ("go.sum", include_str!("../cluster/go.sum")),
            ("main.go", include_str!("../cluster/main.go")),
        ],
        flags: &[
            "-ldflags",
            "-s -w -X k8s.io/component-base/version.gitVersion=v1.36.3 \
             -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36",
        ],
        packages: &["."],
        outputs: &["cluster"],
    },
    Module {
        name: "tools",
        what: "containerd, helm and CoreDNS (2 minutes on 2 cores)",
        files: &[
            ("go.mod", include_str!("../tools/go.mod")),
            ("go.sum", include_str!("../tools/go.sum")),
            ("coredns/main.go", include_str!("../tools/coredns/main.go")),
        ],
        // The snapshotters that are left out need C libraries or are of no use here.
        flags: &[
            "-tags",
            "no_btrfs,no_devmapper,no_zfs",
            "-ldflags",
            "-s -w -X github.com/containerd/containerd/v2/version.Version=v2.3.7",
        ],
        packages: &[
            "./coredns",
            "helm.sh/helm/v3/cmd/helm",
            "github.com/containerd/containerd/v2/cmd/containerd",
            "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
            "github.com/containerd/containerd/v2/cmd/ctr",
        ],
        outputs: &["containerd", "containerd-shim-runc-v2", "coredns", "ctr", "helm"],
    },
    Module {
        name: "programs",
        what: "the web workload and the certificate maker",
        files: &[
            ("go.mod", include_str!("../programs/go.mod")),
            ("web/main.go", include_str!("../programs/web/main.go")),
            ("certs/main.go", include_str!("../programs/certs/main.go")),
        ],
        flags: &["-ldflags", "-s -w"],
        packages: &["./web", "./certs"],
        outputs: &["certs", "web"],
    },
];

impl Module {
    /// Where its programs are or will be.
    pub fn folder(&self) -> Result<PathBuf> {
        Ok(cache()?.join(format!("{}-{}", self.name, self.hash())).join("bin"))
    }

    /// Whether it was built on this machine before.
    pub fn is_built(&self) -> Result<bool> {
        let folder = self.folder()?;
        Ok(self.outputs.iter().all(|output| folder.join(output).is_file()))
    }

    /// Changes with everything that can change the programs.
    pub(crate) fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        let target = format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH);
        let words = [self.name, &target].into_iter();
        let words = words.chain(self.flags.iter().copied()).chain(self.packages.iter().copied());
        for word in words.chain(self.files.iter().flat_map(|&(path, text)| [path, text])) {
            // Lengths keep two neighbours from looking like other neighbours.
            hasher.update((word.len() as u64).to_le_bytes());
            hasher.update(word);
        }
        hex(&hasher.finalize())[..16].to_owned()
    }
}

/// Whether anything is missing, which needs Go and takes minutes.
pub fn is_complete() -> Result<bool> {
    for module in MODULES {
        if !module.is_built()? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Builds what is missing; tells progress on standard error. A second process that asks meanwhile waits.
pub fn ensure() -> Result<()> {
    for module in MODULES {
        if !module.is_built()? {
            build(module).with_context(|| format!("build {}", module.what))?;
        }
    }
    Ok(())
}

/// `$XDG_CACHE_HOME/ferrolb/lab`, else below `~/.cache`.
pub(crate) fn cache() -> Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()) {
        Some(base) => PathBuf::from(base),
        None => {
            PathBuf::from(std::env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?).join(".cache")
        }
    };
    Ok(base.join("ferrolb/lab"))
}

/// Holds the lock of the cache while `work` runs.
pub(crate) fn with_lock<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let folder = cache()?;
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    let lock = File::create(folder.join(format!("{name}.lock")))?;
    if lock.try_lock().is_err() {
        eprintln!("lab: another process prepares {name}, waiting for it");
        lock.lock()?;
    }
    work()
}

fn build(module: &Module) -> Result<()> {
    with_lock(module.name, || {
        if module.is_built()? {
            return Ok(()); // by the process that held the lock
        }
        let bin = module.folder()?;
        let home = bin.parent().context("the cache folder has no parent")?;
        let staging = home.with_extension(format!("building-{}", std::process::id()));
        let result = compile(module, &staging).and_then(|()| {
            if home.exists() {
                fs::remove_dir_all(home)?;
            }
            fs::rename(staging.join("out"), home).context("move the finished build into the cache")
        });
        let _ = fs::remove_dir_all(&staging);
        result
    })
}

/// Lays the sources down in `staging` and compiles them to `staging/out/bin`.
fn compile(module: &Module, staging: &Path) -> Result<()> {
    let source = staging.join("source");
    for (path, text) in module.files {
        let path = source.join(path);
        fs::create_dir_all(path.parent().context("a source file has no folder")?)?;
        fs::write(path, text)?;
    }
    let bin = staging.join("out/bin");
    fs::create_dir_all(&bin)?;
    let start = Instant::now();
    eprintln!("lab: building {}, once per machine", module.what);
    // The folder as -o: one package would otherwise name the file itself.
    let mut command = Command::new("go");
    command.args(["build", "-v", "-trimpath", "-buildvcs=false"]).args(module.flags);
    command.arg("-o").arg(format!("{}/", bin.display())).args(module.packages);
    command.env("CGO_ENABLED", "0").env("GOFLAGS", "-mod=readonly").env_remove("GOWORK");
    command.current_dir(&source).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().context("run go")?;
    let output = child.stderr.take().context("go has no standard error")?;
    let lines = AtomicUsize::new(0);
    let (status, tail) = thread::scope(|scope| {
        let reader = scope.spawn(|| follow(BufReader::new(output), &lines));
        let mut told = start;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if told.elapsed() >= Duration::from_secs(15) {
                told = Instant::now();
                let packages = lines.load(Ordering::Relaxed);
                eprintln!("lab: building {}: {} s, {packages} steps", module.name, start.elapsed().as_secs());
            }
            thread::sleep(Duration::from_millis(50));
        };
        let tail = reader.join().unwrap_or_default();
        Ok::<_, anyhow::Error>((status, tail))
    })?;
    if !status.success() {
        bail!("go build failed ({status}):\n{}", tail.join("\n"));
    }
    eprintln!("lab: built {} in {} s", module.name, start.elapsed().as_secs());
    Ok(())
}

/// Counts lines as they come (a download or a compiled package each) and keeps the last ones.
fn follow(output: impl BufRead, lines: &AtomicUsize) -> Vec<String> {
    let mut tail = Vec::new();
    for line in output.lines().map_while(Result::ok) {
        lines.fetch_add(1, Ordering::Relaxed);
        if tail.len() == 30 {
            tail.remove(0);
        }
        tail.push(line);
    }
    tail
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_changes_with_sources_and_flags_only() {
        const A: Module = Module { name: "m", what: "", files: &[("a", "b")], flags: &[], packages: &[], outputs: &[] };
        let same = Module { what: "another text", ..A };
        let moved = Module { files: &[("ab", "")], ..A };
        let flagged = Module { flags: &["-x"], ..A };
        assert_eq!(A.hash(), same.hash());
        assert_ne!(A.hash(), moved.hash());
        assert_ne!(A.hash(), flagged.hash());
    }

    #[test]
    fn only_the_last_lines_of_a_long_build_are_kept() {
        let text: String = (0..100).map(|n| format!("line {n}\n")).collect();
        let lines = AtomicUsize::new(0);
        let tail = follow(text.as_bytes(), &lines);
        assert_eq!(lines.into_inner(), 100);
        assert_eq!(tail.len(), 30);
        assert_eq!(tail.last().unwrap(), "line 99");
    }
}
