//! One look at one member.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::tls;
use super::view::Probe;
use crate::state::{Health, MonitorType};

/// A refusal of a datagram comes back fast or not at all; waiting longer only delays the good news.
const REFUSAL_WAIT: Duration = Duration::from_millis(300);
/// Longest status line that is read.
const LINE: usize = 1024;

/// Probes once, within the timeout.
pub async fn probe(probe: &Probe) -> Health {
    let looked = async {
        match probe.kind {
            MonitorType::Http => http(probe, tcp(probe.address).await?).await,
            MonitorType::UdpConnect => udp(probe.address, probe.timeout.min(REFUSAL_WAIT)).await,
            MonitorType::Https => http(probe, secured(probe.address).await?).await,
            MonitorType::Tls => secured(probe.address).await.map(drop),
            // HTTP/2 is not spoken here: that the port accepts must do.
            MonitorType::Tcp | MonitorType::Grpc => tcp(probe.address).await.map(drop),
        }
    };
    match timeout(probe.timeout, looked).await {
        Ok(Ok(())) => Health::Online,
        Ok(Err(reason)) => Health::Offline(reason),
        Err(_) if matches!(probe.kind, MonitorType::Http | MonitorType::Https) => {
            Health::Offline("RECV_RESPONSE_TIMEOUT")
        }
        Err(_) => Health::Offline("CONNECT_TIMEOUT"),
    }
}

async fn tcp(address: SocketAddr) -> Result<TcpStream, &'static str> {
    TcpStream::connect(address).await.map_err(|error| reason(&error))
}

async fn secured(address: SocketAddr) -> Result<TlsStream<TcpStream>, &'static str> {
    tls::to_member(tcp(address).await?, address.ip()).await.map_err(|_| "SSL_HANDSHAKE_ERROR")
}

/// Sends an empty datagram. Silence is good: only a refusal by ICMP says that nobody listens.
async fn udp(address: SocketAddr, wait: Duration) -> Result<(), &'static str> {
    let any: SocketAddr =
        if address.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let refused = |error: io::Error| reason(&error);
    let socket = UdpSocket::bind(any).await.map_err(refused)?;
    socket.connect(address).await.map_err(refused)?;
    socket.send(&[]).await.map_err(refused)?;
    match timeout(wait, socket.recv(&mut [0; 16])).await {
        Ok(answer) => answer.map(drop).map_err(refused),
        Err(_) => Ok(()),
    }
}

async fn http(probe: &Probe, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<(), &'static str> {
    let request = format!(
        "{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: healthcheck\r\nConnection: close\r\n\r\n",
        probe.http_method, probe.url_path, probe.host
    );
    stream.write_all(request.as_bytes()).await.map_err(|_| "SEND_REQUEST_FAILED")?;
    let mut head = Vec::new();
    while !head.contains(&b'\n') && head.len() < LINE {
        if stream.read_buf(&mut head).await.map_err(|_| "RECV_RESPONSE_FAILED")? == 0 {
            break;
        }
    }
    match status(&head) {
        Some(code) if probe.codes.accept(code) => Ok(()),
        Some(_) => Err("RESPONSE_MISMATCH"),
        None => Err("RESPONSE_FORMAT_ERROR"),
    }
}

/// The code in `HTTP/1.1 200 OK`.
fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?.strip_prefix("HTTP/1.")?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn reason(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::ConnectionRefused => "CONNECT_REFUSED",
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => "CONNECT_INTERRUPT",
        ErrorKind::TimedOut => "CONNECT_TIMEOUT",
        _ => "CONNECT_FAILED",
    }
}
