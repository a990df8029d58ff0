//! etcd, API server, controller manager and scheduler, and the credentials of all.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::binaries;
use crate::components::Component;
use crate::config::Config;
use crate::image::hex;
use crate::net::{CONTROL_PLANE_ADDRESS, POD_RANGE, Where};
use crate::registry::Paths;
use crate::render::{self, API_PORT, API_SERVICE_ADDRESS, SERVICE_RANGE};

/// The administrator, who is above all RBAC.
pub(crate) const ADMIN: &str = "admin";
const SCHEDULER: &str = "system:kube-scheduler";
/// The user whom Kubernetes' own bindings give a proxy's rights.
pub(crate) const PROXY: &str = "system:kube-proxy";
const ETCD: &str = "http://127.0.0.1:2379";
const ETCD_PEER: &str = "http://127.0.0.1:2380";

/// Certificates and tokens of one lab, as files below `<state>/pki`.
#[derive(Debug)]
pub(crate) struct Credentials {
    folder: PathBuf,
    admin_kubeconfig: PathBuf,
    tokens: BTreeMap<String, String>,
    ca_base64: String,
}

impl Credentials {
    /// Makes them, for an administrator, the components and `nodes` real nodes.
    pub(crate) fn create(paths: &Paths, nodes: usize) -> Result<Credentials> {
        let folder = paths.state.join("pki");
        fs::create_dir_all(&folder)?;
        let names =
            ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"];
        let output = Command::new(binaries::program("certs")?)
            .arg(&folder)
            .args([API_SERVICE_ADDRESS, CONTROL_PLANE_ADDRESS, "127.0.0.1", "localhost"])
            .args(names)
            .output()
            .context("run certs")?;
        ensure!(output.status.success(), "certs failed: {}", String::from_utf8_lossy(&output.stderr));

        let mut table = String::new();
        let mut tokens = BTreeMap::new();
        for (number, (user, group)) in users(nodes).into_iter().enumerate() {
            let token = random_token()?;
            table += &format!("{token},{user},{number},\"{group}\"\n");
            tokens.insert(user, token);
        }
        fs::write(folder.join("tokens.csv"), table)?;
        let ca_base64 = base64(&fs::read(folder.join("ca.crt"))?);
        let admin_kubeconfig = paths.run.join("kubeconfig");
        let credentials = Credentials { folder, admin_kubeconfig, tokens, ca_base64 };
        credentials.write_kubeconfig(ADMIN, &credentials.admin_kubeconfig)?;
        Ok(credentials)
    }

    /// Writes a kubeconfig for one of the lab's own users.
    pub(crate) fn write_kubeconfig(&self, user: &str, path: &Path) -> Result<()> {
        self.write_kubeconfig_with(self.token(user)?, path)
    }

    /// Writes a kubeconfig for whoever has this token.
    pub(crate) fn write_kubeconfig_with(&self, token: &str, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(&render::kubeconfig(&self.ca_base64, token))?;
        fs::write(path, text).with_context(|| format!("write {}", path.display()))
    }

    pub(crate) fn token(&self, user: &str) -> Result<&str> {
        Ok(self.tokens.get(user).with_context(|| format!("no token for {user}"))?)
    }

    pub(crate) fn admin_kubeconfig(&self) -> &Path {
        &self.admin_kubeconfig
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.folder.join("ca.crt")
    }

    fn file(&self, flag: &str, name: &str) -> OsString {
        let mut argument = OsString::from(format!("--{flag}="));
        argument.push(self.folder.join(name));
        argument
    }
}

/// The user name of a node's kubelet.
pub(crate) fn kubelet_user(node: usize) -> String {
    format!("system:node:n{node}")
}

fn users(nodes: usize) -> Vec<(String, &'static str)> {
    let mut users = vec![(ADMIN.to_owned(), "system:masters"), (SCHEDULER.to_owned(), ""), (PROXY.to_owned(), "")];
    users.extend((1..=nodes).map(|node| (kubelet_user(node), "system:nodes")));
    users
}

/// etcd. No fsync: the data is as short-lived as the lab.
pub(crate) fn etcd(paths: &Paths) -> Result<Component> {
    let mut args = words(&["etcd", "--unsafe-no-fsync", "--log-level=warn", "--quota-backend-bytes=8589934592"]);
    args.push(format!("--data-dir={}", paths.state.join("etcd").display()).into());
    for (flag, value) in [
        ("listen-client-urls", ETCD),
        ("advertise-client-urls", ETCD),
        ("listen-peer-urls", ETCD_PEER),
        ("initial-advertise-peer-urls", ETCD_PEER),
    ] {
        args.push(format!("--{flag}={value}").into());
    }
    args.push(format!("--initial-cluster=default={ETCD_PEER}").into());
    component("etcd", args)
}

/// The API server. The endpoint reconciler stays on, so that the Service `kubernetes` leads pods to it.
pub(crate) fn apiserver(config: &Config, credentials: &Credentials) -> Result<Component> {
    let mut args = words(&["kube-apiserver", "--bind-address=0.0.0.0", "--authorization-mode=Node,RBAC"]);
    args.extend(words(&[
        "--allow-privileged",
        "--anonymous-auth=false",
        "--enable-admission-plugins=NodeRestriction",
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
    ]));
    args.push(format!("--etcd-servers={ETCD}").into());
    args.push(format!("--secure-port={API_PORT}").into());
    args.push(format!("--advertise-address={CONTROL_PLANE_ADDRESS}").into());
    args.push(format!("--service-cluster-ip-range={SERVICE_RANGE}").into());
    args.push(credentials.file("tls-cert-file", "apiserver.crt"));
    args.push(credentials.file("tls-private-key-file", "apiserver.key"));
    args.push(credentials.file("service-account-key-file", "sa.pub"));
    args.push(credentials.file("service-account-signing-key-file", "sa.key"));
    args.push(credentials.file("token-auth-file", "tokens.csv"));
    if let Some((first, last)) = config.node_port_range {
        args.push(format!("--service-node-port-range={first}-{last}").into());
    }
    args.extend(config.apiserver_args.iter().map(OsString::from));
    component("apiserver", args)
}

/// The controller manager. Nothing here is a cloud's, so the cloud's controllers are off; so is the node
/// lifecycle controller where nodes are light, because nobody renews their leases.
pub(crate) fn controller_manager(config: &Config, credentials: &Credentials, paths: &Paths) -> Result<Component> {
    let kubeconfig = paths.state.join("pki/controller-manager.kubeconfig");
    credentials.write_kubeconfig(ADMIN, &kubeconfig)?;
    let mut controllers = "*,-node-ipam-controller,-node-route-controller,-service-lb-controller,\
        -cloud-node-lifecycle-controller"
        .to_owned();
    if config.kubelets() == 0 {
        controllers += ",-node-lifecycle-controller,-pod-garbage-collector-controller,-taint-eviction-controller";
    }
    let mut args = words(&["kube-controller-manager", "--leader-elect=false", "--bind-address=127.0.0.1"]);
    args.push(format!("--kubeconfig={}", kubeconfig.display()).into());
    args.push(format!("--controllers={controllers}").into());
    args.push(format!("--cluster-cidr={POD_RANGE}").into());
    args.push(format!("--cert-dir={}", paths.state.join("controller-manager").display()).into());
    // Otherwise it makes a folder in the machine's /usr/libexec.
    let volume_plugins = paths.state.join("volume-plugins");
    args.push(format!("--flex-volume-plugin-dir={}", volume_plugins.display()).into());
    // One client for all controllers, so it may ask more often than the default of 20 a second.
    args.extend(words(&["--use-service-account-credentials=false", "--kube-api-qps=500", "--kube-api-burst=1000"]));
    args.push("--node-monitor-grace-period=20s".into());
    args.push(credentials.file("root-ca-file", "ca.crt"));
    args.push(credentials.file("service-account-private-key-file", "sa.key"));
    args.extend(config.controller_manager_args.iter().map(OsString::from));
    component("controller-manager", args)
}

/// The scheduler.
pub(crate) fn scheduler(credentials: &Credentials, paths: &Paths) -> Result<Component> {
    let kubeconfig = paths.state.join("pki/scheduler.kubeconfig");
    credentials.write_kubeconfig(SCHEDULER, &kubeconfig)?;
    let mut args = words(&["kube-scheduler", "--leader-elect=false", "--bind-address=127.0.0.1"]);
    args.push(format!("--kubeconfig={}", kubeconfig.display()).into());
    args.push(format!("--cert-dir={}", paths.state.join("scheduler").display()).into());
    component("scheduler", args)
}

fn component(name: &str, args: Vec<OsString>) -> Result<Component> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let program = binaries::program("cluster")?.into_os_string();
    Ok(Component { name: name.to_owned(), place: Where::ControlPlane, program, args, path })
}

pub(crate) fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

fn random_token() -> Result<String> {
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(hex(&bytes))
}

/// RFC 4648 section 4, as kubeconfig files carry certificates.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |group, &byte| group << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(group >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_agrees_with_the_vectors_of_rfc_4648() {
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn every_node_has_a_user_of_its_own() {
        let users = users(2);
        assert!(users.contains(&("system:node:n2".to_owned(), "system:nodes")));
        assert_eq!(users.len(), 5);
    }
}
