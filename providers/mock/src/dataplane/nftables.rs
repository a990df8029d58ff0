//! A table of the kernel's packet filter that rewrites destinations, and nothing else: sources stay, as with a gateway.
//!
//! By netlink, not by the command `nft`: the image holds one binary and nothing else. The table belongs to its socket,
//! so that the kernel removes it when this process ends, however that happens. Source: linux/netfilter/nf_tables.h.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};

use netlink_sys::protocols::NETLINK_NETFILTER;
use netlink_sys::{Socket, SocketAddr};

const CHAIN: &str = "prerouting";
/// Where DNAT belongs: before the kernel decides whether a packet is for itself.
const PREROUTING: u32 = 0;
const DSTNAT_PRIORITY: i32 = -100;

const NLMSG_ERROR: u16 = 2;
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
const SUBSYSTEM: u16 = 10;
const NEW_TABLE: u16 = SUBSYSTEM << 8;
const NEW_CHAIN: u16 = SUBSYSTEM << 8 | 3;
const NEW_RULE: u16 = SUBSYSTEM << 8 | 6;
const DELETE_RULE: u16 = SUBSYSTEM << 8 | 8;
const REQUEST: u16 = 1;
const ACK: u16 = 4;
const CREATE: u16 = 0x400;
const APPEND: u16 = 0x800;
const NESTED: u16 = 0x8000;
/// The table goes with the socket that made it.
const TABLE_IS_OWNED: u32 = 2;
const IPV4: u8 = 2;

/// One destination to rewrite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// 6 or 17; `None`: every protocol, and ports stay as they are.
    pub protocol: Option<u8>,
    pub from: SocketAddrV4,
    pub to: SocketAddrV4,
}

/// A table in this network namespace. Dropping it removes it.
pub struct Table {
    socket: Socket,
    name: String,
}

impl Table {
    /// Makes an empty table. Needs NET_ADMIN.
    pub fn create(name: &str) -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_NETFILTER)?;
        socket.bind_auto()?;
        socket.set_non_blocking(true)?;
        let table = Self { socket, name: name.to_owned() };
        let named = attribute(1, &text(name));
        let flags = attribute(2, &TABLE_IS_OWNED.to_be_bytes());
        let hook = [attribute(1, &PREROUTING.to_be_bytes()), attribute(2, &DSTNAT_PRIORITY.to_be_bytes())];
        let chain = [named.clone(), attribute(3, &text(CHAIN)), nested(4, &hook), attribute(7, &text("nat"))];
        table.commit(&[(NEW_TABLE, CREATE, [named, flags].concat()), (NEW_CHAIN, CREATE, chain.concat())])?;
        Ok(table)
    }

    /// Replaces all rules at once. Connections that are rewritten already stay so.
    pub fn replace(&self, rewrites: &[Rewrite]) -> io::Result<()> {
        let place = [attribute(1, &text(&self.name)), attribute(2, &text(CHAIN))].concat();
        let mut messages = vec![(DELETE_RULE, 0, place.clone())];
        let rule = |rewrite| [place.clone(), nested(4, &expressions(rewrite))].concat();
        messages.extend(rewrites.iter().map(|rewrite| (NEW_RULE, CREATE | APPEND, rule(rewrite))));
        self.commit(&messages)
    }

    /// Sends a batch, of which the kernel does all or nothing; it answers before the send returns.
    fn commit(&self, messages: &[(u16, u16, Vec<u8>)]) -> io::Result<()> {
        let mut batch = message(BATCH_BEGIN, REQUEST, 0, SUBSYSTEM, &[]);
        for (index, (kind, flags, body)) in messages.iter().enumerate() {
            let ack = if index + 1 == messages.len() { ACK } else { 0 };
            batch.extend(message(*kind, REQUEST | flags | ack, IPV4, 0, body));
        }
        batch.extend(message(BATCH_END, REQUEST, 0, SUBSYSTEM, &[]));
        self.socket.send_to(&batch, &SocketAddr::new(0, 0), 0)?;
        let mut acknowledged = false;
        loop {
            match self.socket.recv_from_full() {
                Ok((answer, _)) => acknowledged |= verdict(&answer)?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        if acknowledged { Ok(()) } else { Err(io::Error::other("the kernel did not answer")) }
    }
}

/// The error in an answer; true where it is an acknowledgement.
fn verdict(answer: &[u8]) -> io::Result<bool> {
    let kind = answer.get(4..6).and_then(|b| b.try_into().ok()).map(u16::from_ne_bytes);
    let code = answer.get(16..20).and_then(|b| b.try_into().ok()).map(i32::from_ne_bytes);
    match (kind, code) {
        (Some(NLMSG_ERROR), Some(0)) => Ok(true),
        (Some(NLMSG_ERROR), Some(code)) => Err(io::Error::from_raw_os_error(-code)),
        _ => Ok(false),
    }
}

/// `meta l4proto P ip daddr A th dport N counter dnat to B:M`
fn expressions(rewrite: &Rewrite) -> Vec<Vec<u8>> {
    const META_L4PROTO: u32 = 16;
    const NETWORK_HEADER: u32 = 1;
    const TRANSPORT_HEADER: u32 = 2;
    const DNAT: u32 = 1;
    let mut all = Vec::new();
    if let Some(protocol) = rewrite.protocol {
        all.push(expression("meta", &[number(1, 1), number(2, META_L4PROTO)]));
        all.push(equals(&[protocol]));
    }
    all.push(payload(NETWORK_HEADER, 16, 4));
    all.push(equals(&rewrite.from.ip().octets()));
    if rewrite.protocol.is_some() {
        all.push(payload(TRANSPORT_HEADER, 2, 2));
        all.push(equals(&rewrite.from.port().to_be_bytes()));
    }
    all.push(expression("counter", &[]));
    all.push(load(1, &rewrite.to.ip().octets()));
    let mut nat = vec![number(1, DNAT), number(2, IPV4.into()), number(3, 1)];
    if rewrite.protocol.is_some() {
        all.push(load(2, &rewrite.to.port().to_be_bytes()));
        nat.push(number(5, 2));
    }
    all.push(expression("nat", &nat));
    all
}

/// Loads bytes of a packet's header.
fn payload(base: u32, offset: u32, length: u32) -> Vec<u8> {
    expression("payload", &[number(1, 1), number(2, base), number(3, offset), number(4, length)])
}

/// Goes on only where what was loaded is this.
fn equals(value: &[u8]) -> Vec<u8> {
    expression("cmp", &[number(1, 1), number(2, 0), nested(3, &[attribute(1, value)])])
}

/// Loads a constant.
fn load(register: u32, value: &[u8]) -> Vec<u8> {
    expression("immediate", &[number(1, register), nested(2, &[attribute(1, value)])])
}

fn expression(name: &str, fields: &[Vec<u8>]) -> Vec<u8> {
    nested(1, &[attribute(1, &text(name)), nested(2, fields)])
}

fn number(kind: u16, value: u32) -> Vec<u8> {
    attribute(kind, &value.to_be_bytes())
}

fn nested(kind: u16, parts: &[Vec<u8>]) -> Vec<u8> {
    attribute(kind | NESTED, &parts.concat())
}

/// Length and kind, then the value, padded to four bytes.
fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len() + 4).unwrap_or(u16::MAX);
    let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn message(kind: u16, flags: u16, family: u8, resource: u16, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 20).unwrap_or(u32::MAX);
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend([kind.to_ne_bytes(), flags.to_ne_bytes()].concat());
    // Sequence number and sender: the socket is used by nobody else, and the kernel knows whose it is.
    bytes.extend([0; 8]);
    bytes.extend([family, 0]);
    bytes.extend(resource.to_be_bytes());
    bytes.extend(body);
    bytes
}

fn text(text: &str) -> Vec<u8> {
    [text.as_bytes(), b"\0"].concat()
}

impl Rewrite {
    /// A port of one address to a port of another.
    pub fn port(protocol: u8, from: (Ipv4Addr, u16), to: (Ipv4Addr, u16)) -> Self {
        Self { protocol: Some(protocol), from: SocketAddrV4::new(from.0, from.1), to: SocketAddrV4::new(to.0, to.1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_padded_and_say_their_own_length() {
        assert_eq!(attribute(1, b"abcde"), [&9u16.to_ne_bytes()[..], &1u16.to_ne_bytes(), b"abcde\0\0\0"].concat());
        let outer = nested(4, &[attribute(1, &[7])]);
        assert_eq!(outer.len(), 12);
        assert_eq!(outer[2..4], (4 | NESTED).to_ne_bytes());
        let whole = message(NEW_RULE, REQUEST, IPV4, 0, &outer);
        assert_eq!((whole.len(), &whole[..4]), (32, &32u32.to_ne_bytes()[..]));
    }

    #[test]
    fn the_kernels_verdict_is_read() {
        let answer = |code: i32| {
            let mut bytes = vec![0; 16];
            bytes[4..6].copy_from_slice(&NLMSG_ERROR.to_ne_bytes());
            bytes.extend(code.to_ne_bytes());
            bytes
        };
        assert!(verdict(&answer(0)).expect("zero is an acknowledgement"));
        let refused = verdict(&answer(-1)).expect_err("EPERM");
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
        assert!(!verdict(&[0; 4]).expect("too short to say anything"));
    }

    #[test]
    fn all_protocols_keep_their_ports() {
        let to = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 0);
        let all = Rewrite { protocol: None, from: SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, 1), 0), to };
        assert_eq!(expressions(&all).len(), 5);
        let one = Rewrite::port(6, (Ipv4Addr::new(203, 0, 113, 1), 80), (Ipv4Addr::new(10, 0, 0, 1), 30080));
        assert_eq!(expressions(&one).len(), 10);
    }
}
