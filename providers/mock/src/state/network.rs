//! The one VPC and its subnets. They come from the configuration and never change.

use std::net::IpAddr;

use ipnet::IpNet;

/// The VPC.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vpc {
    pub id: String,
    pub name: String,
    pub cidr: IpNet,
}

/// A subnet. `id` is also its neutron_network_id.
#[derive(Debug, Clone, PartialEq)]
pub struct Subnet {
    pub id: String,
    pub neutron_subnet_id: String,
    pub name: String,
    pub cidr: IpNet,
}

impl Subnet {
    /// The first host address, which the cloud keeps for the gateway.
    pub fn gateway(&self) -> Option<IpAddr> {
        self.cidr.hosts().next()
    }
}
