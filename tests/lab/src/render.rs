//! Configuration files of the components, as text. JSON wherever the component reads YAML.

use std::path::Path;

use serde_json::{Value, json};

use crate::config::ProxyMode;
use crate::image::PAUSE_IMAGE;
use crate::net::{CONTROL_PLANE_ADDRESS, POD_RANGE};

/// Port of the API server, in every namespace of the lab.
pub(crate) const API_PORT: u16 = 6443;
/// Services; the first address leads to the API server, the tenth to the DNS.
pub(crate) const SERVICE_RANGE: &str = "10.96.0.0/16";
/// Where CoreDNS is asked.
pub(crate) const DNS_ADDRESS: &str = "10.96.0.10";
/// First address of [`SERVICE_RANGE`].
pub(crate) const API_SERVICE_ADDRESS: &str = "10.96.0.1";

/// A kubeconfig with one user. The CA is embedded, so the file can be copied anywhere.
pub(crate) fn kubeconfig(ca_base64: &str, token: &str) -> Value {
    let server = format!("https://{CONTROL_PLANE_ADDRESS}:{API_PORT}");
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "lab",
        "clusters": [{"name": "lab", "cluster": {"server": server, "certificate-authority-data": ca_base64}}],
        "users": [{"name": "lab", "user": {"token": token}}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab", "namespace": "default"}}],
    })
}

/// The files and folders of one node.
#[derive(Debug)]
pub(crate) struct NodePaths<'a> {
    pub state: &'a Path,
    pub socket: &'a Path,
    pub run: &'a Path,
    pub plugins: &'a Path,
    pub runc: &'a Path,
}

/// containerd, configuration version 3.
pub(crate) fn containerd(paths: &NodePaths) -> String {
    let state = paths.state.display();
    let run = paths.run.display();
    let socket = paths.socket.display();
    let (plugins, runc) = (paths.plugins.display(), paths.runc.display());
    // restrict_oom_score_adj: in a container or sandbox, lowering it is not permitted, and runc then dies
    // with "can't get final child's PID from pipe: EOF".
    // netns_mounts_under_state_dir: pod namespaces are then found and removed with the lab's own folder.
    // use_internal_loopback: faster than the CNI plugin, which also leaves files in /var/lib/cni.
    // NRI and opt are off because their paths are shared by all containerds of a machine.
    format!(
        r#"version = 3
root = "{state}/containerd"
state = "{run}/containerd"
oom_score = 0
disabled_plugins = ["io.containerd.nri.v1.nri", "io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing"]

[grpc]
address = "{socket}"

[ttrpc]
address = "{socket}.ttrpc"

[plugins.'io.containerd.cri.v1.images']
snapshotter = "overlayfs"

[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = "{PAUSE_IMAGE}"

[plugins.'io.containerd.cri.v1.runtime']
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true

[plugins.'io.containerd.cri.v1.runtime'.cni]
use_internal_loopback = true
bin_dirs = ["{plugins}"]
conf_dir = "{state}/cni"

[plugins.'io.containerd.cri.v1.runtime'.containerd]
default_runtime_name = "runc"

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
BinaryName = "{runc}"
Root = "{run}/runc"
SystemdCgroup = false
"#
    )
}

/// The pod network of a node. Every pod hangs on a point-to-point link, so also two pods of one node talk
/// through the node's own forwarding. With a bridge, an answer between them would pass the Service's address
/// translation by, unless the module br_netfilter is there, and not every kernel has it.
pub(crate) fn cni(network: &str, pod_range: &str, ipam_folder: &Path) -> Value {
    json!({
        "cniVersion": "1.0.0",
        "name": network,
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": false,
                "ipam": {
                    "type": "host-local",
                    "dataDir": ipam_folder,
                    "ranges": [[{"subnet": pod_range}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": true}},
        ],
    })
}

/// The kubelet of a node.
pub(crate) fn kubelet(paths: &NodePaths, cgroup_root: &str) -> Value {
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": "0.0.0.0",
        // Nobody but the lab reaches its ports, and the API server needs no certificate this way.
        "authentication": {"anonymous": {"enabled": true}, "webhook": {"enabled": false}},
        "authorization": {"mode": "AlwaysAllow"},
        "containerRuntimeEndpoint": format!("unix://{}", paths.socket.display()),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroup_root,
        "failCgroupV1": false,
        "failSwapOn": false,
        "enforceNodeAllocatable": [],
        "clusterDNS": [DNS_ADDRESS],
        "clusterDomain": "cluster.local",
        "resolvConf": paths.state.join("resolv.conf"),
        "podLogsDir": paths.state.join("pods"),
        "volumePluginDir": paths.state.join("volume-plugins"),
        // A full disk of the machine is no reason to evict pods of a lab.
        "evictionHard": {"memory.available": "1Mi", "nodefs.available": "0%", "nodefs.inodesFree": "0%",
                         "imagefs.available": "0%", "imagefs.inodesFree": "0%"},
        "imageGCHighThresholdPercent": 100,
        // A dead node is noticed after 20 s instead of 50 s; the controller manager's grace period matches.
        "nodeLeaseDurationSeconds": 16,
        "maxPods": 200,
    })
}

/// kube-proxy of a node. Sizes of the connection table belong to the whole machine and stay as they are.
pub(crate) fn kube_proxy(kubeconfig: &Path, node: &str, mode: ProxyMode) -> Value {
    json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": mode.as_str(),
        "hostnameOverride": node,
        "clusterCIDR": POD_RANGE,
        "clientConnection": {"kubeconfig": kubeconfig},
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "healthzBindAddress": "0.0.0.0:10256",
        "metricsBindAddress": "127.0.0.1:10249",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATHS: fn() -> NodePaths<'static> = || NodePaths {
        state: Path::new("/var/lib/ferrolb-lab/x/n1"),
        socket: Path::new("/run/ferrolb-lab/x/n1/containerd.sock"),
        run: Path::new("/run/ferrolb-lab/x/n1"),
        plugins: Path::new("/usr/lib/cni"),
        runc: Path::new("/usr/sbin/runc"),
    };

    #[test]
    fn containerds_of_several_nodes_share_no_path() {
        let text = containerd(&PATHS());
        let values = text.lines().filter_map(|line| line.split_once(" = ")).map(|(_, value)| value);
        let paths = values.filter(|value| value.starts_with("\"/"));
        for path in paths.filter(|path| !path.contains("/usr/")) {
            assert!(path.contains("ferrolb-lab/x/n1"), "{path}");
        }
    }

    #[test]
    fn the_kubelet_keeps_to_its_cgroup_and_its_runtime() {
        let config = kubelet(&PATHS(), "/ferrolb-lab/x/n1");
        assert_eq!(config["cgroupRoot"], "/ferrolb-lab/x/n1");
        assert_eq!(config["containerRuntimeEndpoint"], "unix:///run/ferrolb-lab/x/n1/containerd.sock");
    }

    #[test]
    fn kube_proxy_takes_the_mode() {
        let config = kube_proxy(Path::new("/k"), "n2", ProxyMode::Nftables);
        assert_eq!(config["mode"], "nftables");
        assert_eq!(config["hostnameOverride"], "n2");
    }
}
