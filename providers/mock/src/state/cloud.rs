//! The whole cloud in one value.

use std::collections::BTreeMap;

use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};

use super::{
    Access, Account, Bandwidth, Certificate, DnatRule, Eip, Health, IpGroup, Job, L7Policy, L7Rule, Listener,
    LoadBalancer, Monitor, NatGateway, Pool, Quotas, Refusal, SecurityPolicy, Store, Subnet, Vpc, Whitelist,
};

/// Everything the cloud stores. Mutating functions live beside the kind they change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cloud {
    #[serde(skip)]
    pub setup: Setup,
    #[serde(skip)]
    pub health: BTreeMap<String, Health>,
    #[serde(skip)]
    revision: u64,
    /// How many ids were handed out: with the seed this is all the randomness there is.
    issued: u64,
    pub quotas: Quotas,
    #[serde(default)]
    pub(super) access: Access,
    pub loadbalancers: Store<LoadBalancer>,
    pub listeners: Store<Listener>,
    pub pools: Store<Pool>,
    pub monitors: Store<Monitor>,
    #[serde(default)]
    pub l7policies: Store<L7Policy>,
    #[serde(default)]
    pub l7rules: Store<L7Rule>,
    #[serde(default)]
    pub ipgroups: Store<IpGroup>,
    #[serde(default)]
    pub whitelists: Store<Whitelist>,
    #[serde(default)]
    pub certificates: Store<Certificate>,
    #[serde(default)]
    pub security_policies: Store<SecurityPolicy>,
    pub eips: Store<Eip>,
    #[serde(default)]
    pub shared_bandwidths: Store<Bandwidth>,
    pub nat_gateways: Store<NatGateway>,
    pub dnat_rules: Store<DnatRule>,
    #[serde(default)]
    pub jobs: Store<Job>,
}

/// What the configuration fixes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Setup {
    pub seed: u64,
    pub project_id: String,
    pub region: String,
    pub account: Account,
    pub zones: Vec<String>,
    /// The limits a new cloud has.
    pub quotas: Quotas,
    pub vpc: Vpc,
    pub subnets: Vec<Subnet>,
    pub eip_range: IpNet,
    pub loadbalancer_delay: SignedDuration,
    pub eip_create_delay: SignedDuration,
    pub nat_delay: SignedDuration,
    /// Whether health checks really run.
    pub data_plane: bool,
}

/// A tag of a load balancer or listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    pub key: String,
    #[serde(default)]
    pub value: String,
}

impl Cloud {
    pub fn new(setup: Setup) -> Self {
        let mut cloud = Self {
            health: BTreeMap::new(),
            revision: 0,
            issued: 0,
            quotas: setup.quotas.clone(),
            setup,
            access: Access::default(),
            loadbalancers: Store::default(),
            listeners: Store::default(),
            pools: Store::default(),
            monitors: Store::default(),
            l7policies: Store::default(),
            l7rules: Store::default(),
            ipgroups: Store::default(),
            whitelists: Store::default(),
            certificates: Store::default(),
            security_policies: Store::default(),
            eips: Store::default(),
            shared_bandwidths: Store::default(),
            nat_gateways: Store::default(),
            dnat_rules: Store::default(),
            jobs: Store::default(),
        };
        cloud.add_default_gateway();
        cloud
    }

    fn add_default_gateway(&mut self) {
        let gateway = super::nat::default_gateway();
        self.nat_gateways.insert(gateway.id.clone(), Timestamp::UNIX_EPOCH, gateway);
    }

    /// Counts every change of an object; equal before and after a call means the call changed nothing.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Deletes everything but the gateway it began with; quotas and the sequence of ids stay.
    pub fn clear(&mut self, now: Timestamp) {
        self.loadbalancers.clear(now);
        self.listeners.clear(now);
        self.pools.clear(now);
        self.monitors.clear(now);
        self.l7policies.clear(now);
        self.l7rules.clear(now);
        self.ipgroups.clear(now);
        self.whitelists.clear(now);
        self.certificates.clear(now);
        self.security_policies.clear(now);
        self.eips.clear(now);
        self.shared_bandwidths.clear(now);
        self.dnat_rules.clear(now);
        self.nat_gateways.clear(now);
        self.jobs.clear(now);
        self.health.clear();
        self.add_default_gateway();
        self.touch();
    }

    pub(super) fn touch(&mut self) {
        self.revision += 1;
    }

    pub(super) fn touch_if(&mut self, changed: bool) {
        self.revision += u64::from(changed);
    }

    /// The next UUID (version 4 in form). A function of seed and count, so a reloaded cloud goes on where it stopped.
    pub fn new_id(&mut self) -> String {
        self.issued += 1;
        let mut seed = [0_u8; 32];
        seed[..8].copy_from_slice(&self.setup.seed.to_le_bytes());
        seed[8..16].copy_from_slice(&self.issued.to_le_bytes());
        let mut b = [0_u8; 16];
        StdRng::from_seed(seed).fill_bytes(&mut b);
        b[6] = (b[6] & 0x0f) | 0x40;
        b[8] = (b[8] & 0x3f) | 0x80;
        let hex: String = b.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    pub fn subnet_by_neutron_id(&self, id: &str) -> Result<&Subnet, Refusal> {
        self.setup
            .subnets
            .iter()
            .find(|subnet| subnet.neutron_subnet_id == id)
            .ok_or_else(|| Refusal::Mismatch(format!("Subnet {id} could not be found.")))
    }
}
