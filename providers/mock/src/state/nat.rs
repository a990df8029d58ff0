//! Public NAT gateways and their DNAT rules.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Bound, Cloud, Refusal, Tag};
use crate::config::{NAT_GATEWAY_ID, NODE_SUBNET_ID, VPC_ID};

/// A public NAT gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NatGateway {
    pub id: String,
    pub name: String,
    pub description: String,
    pub spec: String,
    pub router_id: String,
    pub internal_network_id: String,
    pub enterprise_project_id: String,
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// Until then it is PENDING_CREATE.
    pub ready: Timestamp,
}

/// One DNAT rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DnatRule {
    pub id: String,
    pub gateway: String,
    pub eip: String,
    pub target: NatTarget,
    pub protocol: NatProtocol,
    pub internal: Ports,
    pub external: Ports,
    pub description: String,
    pub phase: Phase,
}

/// Where a rule sends traffic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NatTarget {
    /// A network interface in the VPC.
    Port(String),
    /// An address that is reached by a private line.
    Address(IpAddr),
}

/// What a rule matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NatProtocol {
    Tcp,
    Udp,
    Any,
}

/// Ports from the first to the last; 0 to 65535 are all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    pub first: u16,
    pub last: u16,
}

/// What is being done to a rule, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Steady,
    Creating(Timestamp),
    Updating(Timestamp),
    Deleting(Timestamp),
}

/// Why the NAT service refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NatRefusal {
    #[error("the rule or gateway {0} is being changed, try again later")]
    Busy(String),
    #[error("NAT gateway {0} is not ACTIVE")]
    GatewayNotActive(String),
    #[error("NAT gateway {0} could not be found")]
    NoGateway(String),
    #[error("NAT gateway {0} still has rules")]
    GatewayInUse(String),
    #[error("DNAT rule {0} could not be found")]
    NoRule(String),
    #[error("protocol is not tcp, udp or any")]
    BadProtocol,
    #[error("Invalid port: {0}")]
    BadPort(String),
    #[error("ports 0 and protocol any must be given together")]
    HalfAllPorts,
    #[error("the internal address, port and protocol are used by DNAT rule {0}")]
    InternalTaken(String),
    #[error("the EIP, external port and protocol are used by DNAT rule {0}")]
    ExternalTaken(String),
    #[error("an all-port rule and others exclude each other: DNAT rule {0}")]
    AllPorts(String),
    #[error("gateway {0} has as many DNAT rules as it may have")]
    RuleQuota(String),
    #[error("one of port_id and private_ip is needed")]
    NoTarget,
    #[error("port_id and private_ip exclude each other")]
    TwoTargets,
    #[error("port {0} is that of a virtual IP address")]
    VirtualIp(String),
    #[error("at most {0} rules in one call")]
    BatchTooLong(usize),
    #[error("EIP {0} is bound to a port or load balancer")]
    EipBound(String),
    #[error("EIP {0} is used by another gateway")]
    EipElsewhere(String),
}

/// A gateway as wished.
#[derive(Debug, Clone)]
pub struct NewNatGateway {
    pub name: String,
    pub description: String,
    pub spec: String,
    pub router_id: String,
    pub internal_network_id: String,
    pub enterprise_project_id: String,
}

/// Changes of a gateway; `None` leaves a field alone.
#[derive(Debug, Clone, Default)]
pub struct NatGatewayPatch {
    pub name: Option<String>,
    pub description: Option<String>,
    pub spec: Option<String>,
}

/// What a rule says, without what the cloud adds.
#[derive(Debug, Clone)]
pub struct RuleWish {
    pub gateway: String,
    pub eip: String,
    pub target: NatTarget,
    pub protocol: NatProtocol,
    pub internal: Ports,
    pub external: Ports,
    pub description: String,
}

impl Ports {
    pub const ALL: Self = Self { first: 0, last: u16::MAX };

    pub fn one(port: u16) -> Self {
        Self { first: port, last: port }
    }

    fn meet(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

impl NatProtocol {
    fn meets(self, other: Self) -> bool {
        self == other || self == Self::Any || other == Self::Any
    }
}

impl NatGateway {
    pub fn status(&self, now: Timestamp) -> &'static str {
        if now < self.ready { "PENDING_CREATE" } else { "ACTIVE" }
    }
}

impl DnatRule {
    /// Whether its deletion has begun.
    pub fn is_going(&self) -> bool {
        matches!(self.phase, Phase::Deleting(_))
    }

    pub fn status(&self, now: Timestamp) -> &'static str {
        match self.phase {
            Phase::Creating(until) if now < until => "PENDING_CREATE",
            Phase::Updating(until) if now < until => "PENDING_UPDATE",
            Phase::Deleting(_) => "PENDING_DELETE",
            _ => "ACTIVE",
        }
    }
}

/// The gateway of the default world.
pub(super) fn default_gateway() -> NatGateway {
    NatGateway {
        id: NAT_GATEWAY_ID.into(),
        name: "nat-ferrolb".into(),
        description: String::new(),
        spec: "1".into(),
        router_id: VPC_ID.into(),
        internal_network_id: NODE_SUBNET_ID.into(),
        enterprise_project_id: "0".into(),
        tags: Vec::new(),
        ready: Timestamp::UNIX_EPOCH,
    }
}

impl Cloud {
    pub fn create_nat_gateway(&mut self, now: Timestamp, new: NewNatGateway) -> Result<String, Refusal> {
        if new.router_id != self.setup.vpc.id {
            return Err(Refusal::not_found("VPC", new.router_id));
        }
        if !self.setup.subnets.iter().any(|subnet| subnet.id == new.internal_network_id) {
            return Err(Refusal::not_found("Network", new.internal_network_id));
        }
        let id = self.new_id();
        let gateway = NatGateway {
            id: id.clone(),
            name: new.name,
            description: new.description,
            spec: new.spec,
            router_id: new.router_id,
            internal_network_id: new.internal_network_id,
            enterprise_project_id: new.enterprise_project_id,
            tags: Vec::new(),
            ready: now + self.setup.nat_delay,
        };
        self.nat_gateways.insert(id.clone(), now, gateway);
        self.touch();
        Ok(id)
    }

    pub fn update_nat_gateway(&mut self, now: Timestamp, id: &str, patch: NatGatewayPatch) -> Result<(), Refusal> {
        self.active_gateway(now, id)?;
        let changed = self.nat_gateways.update(id, now, |gateway| {
            super::loadbalancer::set(&mut gateway.name, patch.name);
            super::loadbalancer::set(&mut gateway.description, patch.description);
            super::loadbalancer::set(&mut gateway.spec, patch.spec);
        });
        self.touch_if(changed);
        Ok(())
    }

    pub fn delete_nat_gateway(&mut self, now: Timestamp, id: &str) -> Result<(), Refusal> {
        self.active_gateway(now, id)?;
        if self.dnat_rules.iter().any(|(_, rule)| rule.gateway == id) {
            return Err(NatRefusal::GatewayInUse(id.to_owned()).into());
        }
        self.nat_gateways.remove(id, now);
        self.touch();
        Ok(())
    }

    /// All of them or none.
    pub fn create_dnat_rules(&mut self, now: Timestamp, wishes: Vec<RuleWish>) -> Result<Vec<String>, Refusal> {
        let mut trial = self.clone();
        let ids = wishes.into_iter().map(|wish| trial.create_dnat_rule(now, wish)).collect::<Result<_, _>>()?;
        *self = trial;
        Ok(ids)
    }

    pub fn create_dnat_rule(&mut self, now: Timestamp, wish: RuleWish) -> Result<String, Refusal> {
        self.active_gateway(now, &wish.gateway)?;
        let rules = self.dnat_rules.iter().filter(|(_, rule)| rule.gateway == wish.gateway).count();
        if i64::try_from(rules).is_ok_and(|rules| self.quotas.dnat_rule >= 0 && rules >= self.quotas.dnat_rule) {
            return Err(NatRefusal::RuleQuota(wish.gateway).into());
        }
        self.check_rule(now, &wish, None)?;
        let id = self.new_id();
        let phase = Phase::Creating(now + self.setup.nat_delay);
        self.take_eip(now, &wish);
        self.dnat_rules.insert(id.clone(), now, wish.into_rule(id.clone(), phase));
        self.touch();
        Ok(id)
    }

    pub fn update_dnat_rule(&mut self, now: Timestamp, id: &str, wish: RuleWish) -> Result<(), Refusal> {
        self.settled_rule(now, id)?;
        self.active_gateway(now, &wish.gateway)?;
        self.check_rule(now, &wish, Some(id))?;
        let phase = Phase::Updating(now + self.setup.nat_delay);
        self.take_eip(now, &wish);
        self.dnat_rules.update(id, now, |rule| *rule = wish.into_rule(id.to_owned(), phase));
        self.free_unused_eips(now);
        self.touch();
        Ok(())
    }

    pub fn delete_dnat_rule(&mut self, now: Timestamp, gateway: &str, id: &str) -> Result<(), Refusal> {
        let rule = self.settled_rule(now, id)?;
        if rule.gateway != gateway {
            return Err(NatRefusal::NoRule(id.to_owned()).into());
        }
        let gone = now + self.setup.nat_delay;
        self.dnat_rules.update(id, now, |rule| rule.phase = Phase::Deleting(gone));
        self.advance(now);
        self.touch();
        Ok(())
    }

    /// Lets what is due come into effect.
    pub fn advance(&mut self, now: Timestamp) {
        let due = |rule: &DnatRule| matches!(rule.phase, Phase::Deleting(until) if until <= now);
        let gone: Vec<String> =
            self.dnat_rules.iter().filter(|(_, rule)| due(rule)).map(|(id, _)| id.clone()).collect();
        if gone.is_empty() {
            return;
        }
        gone.iter().for_each(|id| _ = self.dnat_rules.remove(id, now));
        self.free_unused_eips(now);
    }

    pub fn nat_gateway(&self, id: &str) -> Result<&NatGateway, Refusal> {
        self.nat_gateways.get(id).ok_or_else(|| NatRefusal::NoGateway(id.to_owned()).into())
    }

    pub fn dnat_rule(&self, id: &str) -> Result<&DnatRule, Refusal> {
        self.dnat_rules.get(id).ok_or_else(|| NatRefusal::NoRule(id.to_owned()).into())
    }

    fn active_gateway(&self, now: Timestamp, id: &str) -> Result<(), Refusal> {
        match self.nat_gateway(id)?.status(now) {
            "ACTIVE" => Ok(()),
            _ => Err(NatRefusal::GatewayNotActive(id.to_owned()).into()),
        }
    }

    fn settled_rule(&self, now: Timestamp, id: &str) -> Result<&DnatRule, Refusal> {
        let rule = self.dnat_rule(id)?;
        if rule.status(now) == "ACTIVE" { Ok(rule) } else { Err(NatRefusal::Busy(id.to_owned()).into()) }
    }

    /// `itself`: the rule that is changed.
    fn check_rule(&self, now: Timestamp, wish: &RuleWish, itself: Option<&str>) -> Result<(), Refusal> {
        if let NatTarget::Port(port) = &wish.target {
            if self.loadbalancers.iter().any(|(_, lb)| lb.vip_port_id.as_ref() == Some(port)) {
                return Err(NatRefusal::VirtualIp(port.clone()).into());
            }
            if self.nic(port).is_none() {
                return Err(Refusal::invalid("port_id", format!("port {port} could not be found")));
            }
        }
        let eip = self.eips.get(&wish.eip);
        let eip = eip.ok_or_else(|| Refusal::invalid("floating_ip_id", format!("{} could not be found", wish.eip)))?;
        match &eip.bound {
            None if now < eip.ready => return Err(NatRefusal::Busy(wish.eip.clone()).into()),
            None => {}
            Some(Bound::Nat(gateway)) if *gateway == wish.gateway => {}
            Some(Bound::Nat(_)) => return Err(NatRefusal::EipElsewhere(wish.eip.clone()).into()),
            Some(Bound::Elb(_) | Bound::Port(_)) => return Err(NatRefusal::EipBound(wish.eip.clone()).into()),
        }
        for (id, other) in self.dnat_rules.iter().filter(|(id, _)| Some(id.as_str()) != itself) {
            let all = wish.protocol == NatProtocol::Any || other.protocol == NatProtocol::Any;
            let clash = |taken: fn(String) -> NatRefusal| {
                if all { NatRefusal::AllPorts(id.clone()) } else { taken(id.clone()) }
            };
            if !wish.protocol.meets(other.protocol) {
                continue;
            }
            if other.eip == wish.eip && other.external.meet(wish.external) {
                return Err(clash(NatRefusal::ExternalTaken).into());
            }
            if other.target == wish.target && other.internal.meet(wish.internal) {
                return Err(clash(NatRefusal::InternalTaken).into());
            }
        }
        Ok(())
    }

    fn take_eip(&mut self, now: Timestamp, wish: &RuleWish) {
        self.eips.update(&wish.eip, now, |eip| eip.bound = Some(Bound::Nat(wish.gateway.clone())));
    }

    /// An EIP is bound to a gateway as long as a rule there uses it.
    fn free_unused_eips(&mut self, now: Timestamp) {
        let used = |id: &String| self.dnat_rules.iter().any(|(_, rule)| rule.eip == *id);
        let bound = self.eips.iter().filter(|(_, eip)| matches!(eip.bound, Some(Bound::Nat(_))));
        let free: Vec<String> = bound.map(|(id, _)| id).filter(|id| !used(id)).cloned().collect();
        for id in free {
            self.eips.update(&id, now, |eip| eip.bound = None);
        }
    }
}

impl RuleWish {
    fn into_rule(self, id: String, phase: Phase) -> DnatRule {
        let Self { gateway, eip, target, protocol, internal, external, description } = self;
        DnatRule { id, gateway, eip, target, protocol, internal, external, description, phase }
    }
}
