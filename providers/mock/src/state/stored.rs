//! What all kinds of objects share: a store of their own in the cloud, and a name in refusals.

use super::{
    Certificate, Cloud, DnatRule, Eip, IpGroup, Job, L7Policy, L7Rule, Listener, LoadBalancer, Monitor, NatGateway,
    Pool, Refusal, SecurityPolicy, Store, Tag, Whitelist,
};

/// A kind of object.
pub trait Stored: Clone + PartialEq + 'static {
    /// How refusals call it.
    const KIND: &'static str;
    fn store(cloud: &Cloud) -> &Store<Self>;
    fn store_mut(cloud: &mut Cloud) -> &mut Store<Self>;
}

/// A kind with tags.
pub trait Tagged: Stored {
    fn tags(&self) -> &[Tag];
    fn tags_mut(&mut self) -> &mut Vec<Tag>;
}

impl Cloud {
    pub fn find<T: Stored>(&self, id: &str) -> Result<&T, Refusal> {
        T::store(self).get(id).ok_or_else(|| Refusal::not_found(T::KIND, id))
    }
}

macro_rules! stored {
    ($($kind:ty: $name:literal in $store:ident;)*) => {
        $(impl Stored for $kind {
            const KIND: &'static str = $name;
            fn store(cloud: &Cloud) -> &Store<Self> {
                &cloud.$store
            }
            fn store_mut(cloud: &mut Cloud) -> &mut Store<Self> {
                &mut cloud.$store
            }
        })*
    };
}

macro_rules! tagged {
    ($($kind:ty)*) => {
        $(impl Tagged for $kind {
            fn tags(&self) -> &[Tag] {
                &self.tags
            }
            fn tags_mut(&mut self) -> &mut Vec<Tag> {
                &mut self.tags
            }
        })*
    };
}

stored! {
    LoadBalancer: "Load Balancer" in loadbalancers;
    Listener: "Listener" in listeners;
    Pool: "Pool" in pools;
    Monitor: "Health Monitor" in monitors;
    L7Policy: "L7 Policy" in l7policies;
    L7Rule: "L7 Rule" in l7rules;
    IpGroup: "IP Group" in ipgroups;
    Whitelist: "Whitelist" in whitelists;
    Job: "Job" in jobs;
    Certificate: "Certificate" in certificates;
    SecurityPolicy: "Security Policy" in security_policies;
    Eip: "Public IP" in eips;
    NatGateway: "NAT Gateway" in nat_gateways;
    DnatRule: "DNAT Rule" in dnat_rules;
}

tagged! { LoadBalancer Listener Eip NatGateway }
