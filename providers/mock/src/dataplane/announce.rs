//! Makes the kernel own a whole range of addresses (AnyIP), as `ip route replace local RANGE dev lo` does.
//!
//! By netlink, not by that command: the image holds one binary and nothing else.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use rtnetlink::packet_route::route::{RouteMessage, RouteScope, RouteType};
use rtnetlink::{Handle, RouteMessageBuilder};

/// The table of addresses that are this machine's own.
const LOCAL_TABLE: u32 = 255;
/// The loopback interface is the first of every network namespace.
const LOOPBACK: u32 = 1;

/// Adds a local route for each range; safe to repeat.
pub async fn announce(ranges: &[IpNet]) -> io::Result<()> {
    let (connection, netlink, _) = rtnetlink::new_connection()?;
    let connection = tokio::spawn(connection);
    for range in ranges {
        add(&netlink, range)
            .await
            .map_err(|error| io::Error::other(format!("cannot make {range} local (NET_ADMIN is needed): {error}")))?;
        tracing::info!(%range, "addresses are local now");
    }
    connection.abort();
    Ok(())
}

async fn add(netlink: &Handle, range: &IpNet) -> Result<(), rtnetlink::Error> {
    netlink.route().add(message(range)).replace().execute().await
}

fn message(range: &IpNet) -> RouteMessage {
    // The kernel refuses host bits.
    match range.trunc() {
        IpNet::V4(range) => RouteMessageBuilder::<Ipv4Addr>::new()
            .destination_prefix(range.network(), range.prefix_len())
            .output_interface(LOOPBACK)
            .table_id(LOCAL_TABLE)
            .scope(RouteScope::Host)
            .kind(RouteType::Local)
            .build(),
        IpNet::V6(range) => RouteMessageBuilder::<Ipv6Addr>::new()
            .destination_prefix(range.network(), range.prefix_len())
            .output_interface(LOOPBACK)
            .table_id(LOCAL_TABLE)
            .kind(RouteType::Local)
            .build(),
    }
}

#[cfg(test)]
mod tests {
    use rtnetlink::packet_route::route::{RouteAddress, RouteAttribute};

    use super::*;

    #[test]
    fn a_route_is_local_and_its_host_bits_are_cut_off() {
        let range = IpNet::new(Ipv4Addr::new(203, 0, 113, 7).into(), 24).expect("a prefix of 24 is valid");
        let message = message(&range);
        assert_eq!(message.header.kind, RouteType::Local);
        assert_eq!(message.header.destination_prefix_length, 24);
        let wanted = RouteAttribute::Destination(RouteAddress::Inet(Ipv4Addr::new(203, 0, 113, 0)));
        assert!(message.attributes.contains(&wanted), "{:?}", message.attributes);
    }
}
