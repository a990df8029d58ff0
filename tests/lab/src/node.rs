//! A real node: containerd, kubelet and kube-proxy in one namespace, with folders and a cgroup of its own.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::binaries;
use crate::cgroup;
use crate::components::{Component, Components};
use crate::config::ProxyMode;
use crate::control_plane::{Credentials, PROXY, kubelet_user, words};
use crate::net::{Where, address, pod_range};
use crate::prerequisites;
use crate::registry::Paths;
use crate::render::{self, NodePaths};
use crate::teardown::network_prefix;
use crate::wait::wait_for;

/// A real node of a lab.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    pub lab: &'a str,
    pub number: usize,
    pub paths: &'a Paths,
}

impl Node<'_> {
    pub(crate) fn name(&self) -> String {
        format!("n{}", self.number)
    }

    /// containerd up and the lab's images in it.
    pub(crate) fn start_containerd(&self, components: &Components, images: &Path) -> Result<()> {
        let (state, run) = (self.state(), self.run());
        for folder in [state.join("cni"), state.join("pods"), state.join("volume-plugins"), run.clone()] {
            fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
        }
        let socket = self.socket();
        let plugins = prerequisites::plugin_folder().context("no folder with CNI plugins")?;
        let runc = prerequisites::find("runc").context("no runc")?;
        let paths = NodePaths { state: &state, socket: &socket, run: &run, plugins, runc: &runc };

        let config = state.join("containerd.toml");
        fs::write(&config, render::containerd(&paths))?;
        let network = format!("{}-n{}", network_prefix(self.lab), self.number);
        let cni = render::cni(&network, &pod_range(self.number), &state.join("ipam"));
        write_json(&state.join("cni/10-lab.conflist"), &cni)?;
        write_json(&state.join("kubelet.json"), &render::kubelet(&paths, &cgroup::node_root(self.lab, self.number)))?;
        // Pods with dnsPolicy Default get this. The machine's own servers cannot be reached from here.
        fs::write(state.join("resolv.conf"), "nameserver 127.0.0.1\n")?;
        cgroup::create(self.lab, self.number)?;

        let mut args = words(&["--log-level=warn", "--config"]);
        args.push(config.into());
        components.add(self.component("containerd", binaries::program("containerd")?, args)?)?;
        wait_for(&format!("containerd of {}", self.name()), Duration::from_secs(120), || {
            self.ping_containerd().map(Some)
        })?;
        self.import(images)
    }

    /// Fails unless containerd answers.
    pub(crate) fn ping_containerd(&self) -> Result<()> {
        self.ctr(&[OsString::from("version")])
    }

    /// Loads all images of an archive.
    pub(crate) fn import(&self, archive: &Path) -> Result<()> {
        let mut args = words(&["-n", "k8s.io", "images", "import"]);
        args.push(archive.into());
        self.ctr(&args).with_context(|| format!("import {} on {}", archive.display(), self.name()))
    }

    /// The kubelet; the node registers itself with it. On any machine, a kubelet sets vm.overcommit_memory,
    /// kernel.panic and kernel.panic_on_oops to what it wants; that is all that a lab changes outside itself.
    pub(crate) fn start_kubelet(&self, components: &Components, credentials: &Credentials) -> Result<()> {
        let state = self.state();
        let kubeconfig = state.join("kubelet.kubeconfig");
        credentials.write_kubeconfig(&kubelet_user(self.number), &kubeconfig)?;
        let mut args = words(&["kubelet"]);
        for (flag, value) in [
            ("kubeconfig", kubeconfig),
            ("config", state.join("kubelet.json")),
            ("root-dir", state.join("kubelet")),
            ("cert-dir", state.join("kubelet-pki")),
        ] {
            args.push(format!("--{flag}={}", value.display()).into());
        }
        args.push(format!("--hostname-override={}", self.name()).into());
        args.push(format!("--node-ip={}", address(Where::Node(self.number))).into());
        components.add(self.component("kubelet", binaries::program("cluster")?, args)?)
    }

    /// kube-proxy.
    pub(crate) fn start_proxy(
        &self,
        components: &Components,
        credentials: &Credentials,
        mode: ProxyMode,
    ) -> Result<()> {
        let state = self.state();
        let kubeconfig = state.join("kube-proxy.kubeconfig");
        credentials.write_kubeconfig(PROXY, &kubeconfig)?;
        let config = state.join("kube-proxy.json");
        write_json(&config, &render::kube_proxy(&kubeconfig, &self.name(), mode))?;
        let args = vec![OsString::from("kube-proxy"), format!("--config={}", config.display()).into()];
        components.add(self.component("kube-proxy", binaries::program("cluster")?, args)?)
    }

    fn component(&self, kind: &str, program: PathBuf, args: Vec<OsString>) -> Result<Component> {
        // containerd looks for its shim in PATH, kube-proxy and kubelet for iptables, nft and mount.
        let shims = binaries::program("containerd-shim-runc-v2")?;
        let mut folders = vec![shims.parent().context("the shim has no folder")?.to_owned()];
        folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        folders.extend(["/usr/sbin", "/sbin", "/usr/bin", "/bin"].map(PathBuf::from));
        let name = format!("{}/{kind}", self.name());
        let path = std::env::join_paths(folders)?;
        Ok(Component { name, place: Where::Node(self.number), program: program.into(), args, path })
    }

    fn ctr(&self, args: &[OsString]) -> Result<()> {
        let mut command = Command::new(binaries::program("ctr")?);
        command.arg("--address").arg(self.socket()).args(args);
        let output = command.output().context("run ctr")?;
        ensure!(output.status.success(), "ctr: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(())
    }

    fn state(&self) -> PathBuf {
        self.paths.state.join(self.name())
    }

    fn run(&self) -> PathBuf {
        self.paths.run.join(self.name())
    }

    fn socket(&self) -> PathBuf {
        self.run().join("containerd.sock")
    }
}

fn write_json(path: &Path, value: &Value) -> Result<()> {
    fs::write(path, serde_json::to_string_pretty(value)?).with_context(|| format!("write {}", path.display()))
}
