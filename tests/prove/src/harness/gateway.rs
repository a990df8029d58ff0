//! A NAT gateway where real ones stand: between the nodes and the clients outside. A mock cloud of its own runs in the
//! control plane's namespace, which is the nodes' default route, and a controller beside it.
//!
//! ```text
//!  client, 192.0.2.10 ──► 198.51.100.0/24 via the gateway ──► destination rewritten ──► node port of a node
//!                    ◄── rewritten back by the gateway ◄── the node's default route ◄──
//! ```

use std::time::Duration;

use anyhow::{Context, Result};
use ferrolb_lab::{Running, Where};
use serde_json::{Value, json};

use super::{Cloud, Controller, Full, PROJECT};

/// Where its public addresses come from.
const EIP_RANGE: &str = "198.51.100.0/24";
/// The client's address outside of everything that the nodes reach directly.
pub const OUTSIDE: &str = "192.0.2.10";
/// Where the cloud listens.
const CLOUD: &str = "127.0.0.1:8091";
const ADMIN: &str = "127.0.0.1:8092";
/// The gateway that the mock begins with.
pub const GATEWAY: &str = "fe220000-0000-4000-8000-000000000030";

/// The gateway, its cloud and the controller of class `ferrolb.io/elb`. Dropping it ends and removes all.
pub struct Gateway<'a> {
    bed: &'a Full,
    mock: Running,
    controller: Controller<'a>,
}

impl<'a> Gateway<'a> {
    /// Sets it up and waits until it is ready.
    pub fn start(bed: &'a Full) -> Result<Self> {
        let lab = &bed.lab;
        lab.route(EIP_RANGE, Where::ControlPlane)?;
        let commands = [
            (Where::Client, format!("address add {OUTSIDE}/32 dev eth0")),
            (Where::Client, format!("route replace {EIP_RANGE} via 10.200.0.1 src {OUTSIDE}")),
            (Where::ControlPlane, format!("route add {OUTSIDE}/32 via 10.200.0.100")),
        ];
        for (place, command) in &commands {
            lab.run_in(*place, "ip", &command.split(' ').collect::<Vec<_>>())?;
        }
        let mut command = lab.exec_in(Where::ControlPlane, &bed.binary);
        command.args(["mock-cloud", "--listen", CLOUD, "--eip-range", EIP_RANGE]);
        let mock = lab.spawn("dnat-mock", command)?;
        Cloud::new(lab, CLOUD).await_health()?;
        let controller = start_controller(bed)?;
        let mut gateway = Self { bed, mock, controller };
        gateway.controller.await_ready()?;
        Ok(gateway)
    }

    /// Its cloud.
    pub fn cloud(&self) -> Cloud<'_> {
        Cloud::new(&self.bed.lab, CLOUD)
    }

    /// An EIP of the user's: its id and its address.
    pub fn eip(&self) -> Result<(String, String)> {
        let body = json!({"publicip": {"type": "5_bgp", "alias": "theirs"},
            "bandwidth": {"name": "theirs", "size": 5, "share_type": "PER"}});
        let made = self.cloud().raw("POST", "v1", "publicips", Some(&body))?;
        let text = |key: &str| made["publicip"][key].as_str().map(str::to_owned).context("the answer has no EIP");
        Ok((text("id")?, text("public_ip_address")?))
    }

    /// Id of the network interface with this address.
    pub fn nic(&self, address: &str) -> Result<String> {
        let found = self.cloud().get(&format!("raw/v2.0/ports?fixed_ips=ip_address%3D{address}"))?;
        found["ports"][0]["id"].as_str().map(str::to_owned).with_context(|| format!("no interface has {address}"))
    }

    /// All DNAT rules.
    pub fn rules(&self) -> Result<Vec<Value>> {
        let rules = self.cloud().get("ledger")?["dnatrules"].take();
        rules.as_array().cloned().context("the ledger has no rules")
    }

    /// Packets that the kernel has rewritten: the first of each connection.
    pub fn rewritten(&self) -> Result<u64> {
        let list = self.bed.lab.run_in(Where::ControlPlane, "nft", &["-j", "list", "ruleset"])?;
        let list: Value = serde_json::from_str(&list).context("nft's list is no JSON")?;
        let ours = |rule: &&Value| rule["table"].as_str().is_some_and(|table| table.starts_with("ferrolb-mock-"));
        let rules = list["nftables"].as_array().into_iter().flatten().map(|object| &object["rule"]).filter(ours);
        let parts = rules.flat_map(|rule| rule["expr"].as_array().into_iter().flatten());
        Ok(parts.filter_map(|part| part["counter"]["packets"].as_u64()).sum())
    }

    fn clear(&mut self) -> Result<()> {
        self.controller.process.kill()?;
        self.mock.kill()?;
        let lab = &self.bed.lab;
        lab.run_in(Where::Client, "ip", &["address", "delete", &format!("{OUTSIDE}/32"), "dev", "eth0"])?;
        lab.run_in(Where::ControlPlane, "ip", &["route", "delete", &format!("{OUTSIDE}/32")])?;
        lab.unroute(EIP_RANGE)
    }
}

impl Drop for Gateway<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.clear() {
            eprintln!("prove: cannot take the gateway away: {error:#}");
        }
    }
}

fn start_controller(bed: &Full) -> Result<Controller<'_>> {
    let lab = &bed.lab;
    let credentials = lab.dir().join("dnat-credentials");
    std::fs::create_dir_all(&credentials)?;
    std::fs::write(credentials.join("access-key"), "ferrolb-mock")?;
    std::fs::write(credentials.join("secret-key"), "ferrolb-mock-secret")?;
    let endpoint = format!("http://{CLOUD}");
    let mut command = lab.exec_in(Where::ControlPlane, &bed.binary);
    command.args(["controller", "--provider", "elb", "--leader-elect=false", "--settle-seconds=11"]);
    command.args(["--admin-address", ADMIN, "--log=info,ferrolb=debug,ferrolb_elb=debug"]);
    for flag in ["--elb-endpoint", "--elb-vpc-endpoint", "--elb-nat-endpoint"] {
        command.args([flag, &endpoint]);
    }
    command.args(["--elb-project-id", PROJECT, "--elb-vpc-id", "fe220000-0000-4000-8000-000000000001"]);
    command.args(["--elb-subnet-id", "fe220000-0000-4000-8000-000000000011"]);
    command.args(["--elb-member-subnet-id", "fe220000-0000-4000-8000-000000000021"]);
    command.arg("--elb-credentials-dir").arg(credentials).arg("--kubeconfig").arg(lab.kubeconfig());
    let process = lab.spawn("dnat-controller", command)?;
    Ok(Controller::new(lab, ADMIN.to_owned(), process))
}

/// How long anything may take that no bound is promised for.
pub const PATIENCE: Duration = Duration::from_secs(60);
