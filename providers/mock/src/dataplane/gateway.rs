//! The NAT gateways' data plane: the kernel rewrites destinations as the DNAT rules say, and keeps sources.
//!
//! Answers must come back the way the requests took, as they do through a real gateway: this network namespace must
//! forward, and lie on the nodes' way to the clients. On a node that is a target itself the kernel rewrites a packet
//! only once, so that its kube-proxy does not get to see what is meant for one of its node ports.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::nftables::{Rewrite, Table};
use crate::app::App;
use crate::state::{Cloud, DnatRule, NatProtocol, NatTarget, Ports};

/// Many changes come in bursts; one look serves them all.
const SETTLE: Duration = Duration::from_millis(5);
/// How often a kernel that refused is asked again.
const RETRY: Duration = Duration::from_secs(5);

/// What the ledger tells of it.
#[derive(Default)]
pub struct Gateway(Mutex<Value>);

impl Gateway {
    pub fn shown(&self) -> Value {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, state: &str, rules: usize) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = json!({"state": state, "rewrites": rules});
    }
}

/// Runs until dropped; the table, named `name`, goes then.
pub async fn run(app: Arc<App>, name: String) {
    let mut changes = app.changes();
    let mut table: Option<Table> = None;
    let mut installed: Vec<Rewrite> = Vec::new();
    loop {
        changes.mark_unchanged();
        let wanted = rewrites(&app.cloud());
        let mut patience = Duration::MAX;
        if wanted != installed {
            match install(&mut table, &name, &wanted) {
                Ok(()) => {
                    tracing::info!(table = name, rewrites = wanted.len(), "DNAT rules are in the kernel");
                    app.gateway.set(state(), wanted.len());
                    installed = wanted;
                }
                Err(error) => {
                    tracing::error!(table = name, %error, "DNAT rules have no effect: the kernel takes no table (NET_ADMIN and nf_tables are needed)");
                    app.gateway.set(&format!("no effect: {error}"), 0);
                    table = None;
                    installed.clear();
                    patience = RETRY;
                }
            }
        }
        match timeout(patience, changes.changed()).await {
            Ok(Err(_)) => return,
            Ok(Ok(())) => sleep(SETTLE).await,
            Err(_) => {}
        }
    }
}

fn install(table: &mut Option<Table>, name: &str, wanted: &[Rewrite]) -> std::io::Result<()> {
    // Made when first needed: without a rule nobody misses the right to make it.
    let table = match table {
        Some(table) => table,
        None => table.insert(Table::create(name)?),
    };
    table.replace(wanted)
}

/// Whether what is rewritten goes on to where it should.
fn state() -> &'static str {
    match std::fs::read_to_string("/proc/sys/net/ipv4/ip_forward") {
        Ok(text) if text.trim() == "0" => {
            tracing::error!("net.ipv4.ip_forward is 0 here: what DNAT rules rewrite is dropped");
            "rewriting, but net.ipv4.ip_forward is 0: nothing is forwarded"
        }
        _ => "rewriting",
    }
}

/// What the kernel shall do. A rule works from the moment it is made, whatever state it shows for a while.
fn rewrites(cloud: &Cloud) -> Vec<Rewrite> {
    let rules = cloud.dnat_rules.iter().filter(|(_, rule)| !rule.is_going());
    rules.filter_map(|(_, rule)| Some((rule, ends(cloud, rule)?))).flat_map(|(rule, ends)| of(rule, ends)).collect()
}

/// From which address to which.
fn ends(cloud: &Cloud, rule: &DnatRule) -> Option<(Ipv4Addr, Ipv4Addr)> {
    let target = match &rule.target {
        NatTarget::Port(nic) => cloud.nic(nic)?.address,
        NatTarget::Address(address) => *address,
    };
    match (cloud.eips.get(&rule.eip)?.address, target) {
        (IpAddr::V4(from), IpAddr::V4(to)) => Some((from, to)),
        _ => None,
    }
}

/// Port by port: ranges are of one length.
fn of(rule: &DnatRule, (from, to): (Ipv4Addr, Ipv4Addr)) -> Vec<Rewrite> {
    let protocol = match rule.protocol {
        NatProtocol::Tcp => 6,
        NatProtocol::Udp => 17,
        NatProtocol::Any => {
            let any = |ip| std::net::SocketAddrV4::new(ip, 0);
            return vec![Rewrite { protocol: None, from: any(from), to: any(to) }];
        }
    };
    let each = |ports: Ports| ports.first..=ports.last;
    let pairs = each(rule.external).zip(each(rule.internal));
    pairs.map(|(external, internal)| Rewrite::port(protocol, (from, external), (to, internal))).collect()
}
