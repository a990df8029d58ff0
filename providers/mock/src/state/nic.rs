//! Network interfaces of servers. There is one for every address of the nodes' subnet: the cloud does not know which
//! nodes a cluster has.

use std::net::{IpAddr, Ipv4Addr};

use super::{Cloud, Subnet};

/// What ids of interfaces and of servers begin with; the address follows.
const PORT: &str = "fe220000-0000-4000-9000-0000";
const SERVER: &str = "fe220000-0000-4000-a000-0000";

/// A server's network interface.
#[derive(Debug, Clone, PartialEq)]
pub struct Nic {
    pub id: String,
    pub device_id: String,
    pub address: IpAddr,
}

impl Cloud {
    /// The interface with this id.
    pub fn nic(&self, id: &str) -> Option<Nic> {
        let bits = u32::from_str_radix(id.strip_prefix(PORT)?, 16).ok()?;
        self.nic_at(Ipv4Addr::from_bits(bits)).filter(|nic| nic.id == id)
    }

    /// The interface with this address.
    pub fn nic_at(&self, address: Ipv4Addr) -> Option<Nic> {
        let taken = self.loadbalancers.iter().any(|(_, lb)| lb.vip_address == Some(address.into()));
        let bits = address.to_bits();
        (self.node_subnet()?.cidr.contains(&IpAddr::V4(address)) && !taken).then(|| Nic {
            id: format!("{PORT}{bits:08x}"),
            device_id: format!("{SERVER}{bits:08x}"),
            address: address.into(),
        })
    }

    /// The subnet of the nodes.
    pub fn node_subnet(&self) -> Option<&Subnet> {
        self.setup.subnets.iter().find(|subnet| subnet.id == crate::config::NODE_SUBNET_ID)
    }
}
