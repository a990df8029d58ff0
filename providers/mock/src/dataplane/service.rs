//! What a listener does with a connection before it is passed on, computed from the cloud. Pure.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde_json::Value;

use crate::state::{Certificate, Cloud, Listener, Protocol, SecurityPolicy};

/// What is spoken on a front.
#[derive(Debug, Clone, PartialEq)]
pub enum Service {
    /// Bytes and datagrams as they are.
    Plain,
    /// TLS ends here; what is in it is passed on as it is.
    Tls(Tls),
    /// Requests are passed on one by one.
    Http(Http),
}

/// How TLS is spoken with clients.
#[derive(Debug, Clone, PartialEq)]
pub struct Tls {
    pub default: Identity,
    /// For clients that name one of their domains.
    pub named: Vec<Identity>,
    /// Who must have signed the clients' certificates, in PEM form.
    pub client_authority: Option<String>,
    /// 1.2 always; what is older than that nobody should offer.
    pub has_1_3: bool,
    /// Beside HTTP/1.1.
    pub offers_http2: bool,
}

/// A certificate with its key, both in PEM form.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    pub chain: String,
    pub key: String,
    /// What it is for; nothing: what the certificate itself says.
    pub domains: Vec<String>,
}

/// How requests are treated.
#[derive(Debug, Clone, PartialEq)]
pub struct Http {
    pub tls: Option<Tls>,
    /// How long a request may take to come.
    pub client_timeout: Duration,
    /// How long a member may take to answer.
    pub member_timeout: Duration,
    /// Whether a member that cannot be reached is made up for by another.
    pub retry: bool,
    /// Whether answers are compressed for clients that take it.
    pub gzip: bool,
    pub headers: Headers,
}

/// What members are told about the client and the load balancer.
#[derive(Debug, Clone, PartialEq)]
pub struct Headers {
    pub forwarded_for: ForwardedFor,
    pub host: bool,
    pub proto: bool,
    pub port: bool,
    pub for_port: bool,
    pub real_ip: bool,
    /// What is to be told, if it is.
    pub elb_ip: Option<IpAddr>,
    pub elb_id: Option<String>,
}

/// What becomes of `X-Forwarded-For`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardedFor {
    Append,
    Remove,
    Preserve,
}

impl Service {
    /// None for what does not exist here (QUIC, IP), or whose certificate is gone.
    pub fn of(cloud: &Cloud, listener: &Listener, eip: Option<IpAddr>) -> Option<Self> {
        match listener.protocol {
            Protocol::Tcp | Protocol::Udp => Some(Self::Plain),
            Protocol::Tls => Tls::of(cloud, listener).map(Self::Tls),
            Protocol::Http => Some(Self::Http(Http::of(listener, None, eip))),
            Protocol::Https | Protocol::TerminatedHttps => {
                let tls = Tls::of(cloud, listener)?;
                Some(Self::Http(Http::of(listener, Some(tls), eip)))
            }
            Protocol::Quic | Protocol::Ip | Protocol::Grpc => None,
        }
    }

    pub fn tls(&self) -> Option<&Tls> {
        match self {
            Self::Plain => None,
            Self::Tls(tls) => Some(tls),
            Self::Http(http) => http.tls.as_ref(),
        }
    }
}

impl Tls {
    fn of(cloud: &Cloud, listener: &Listener) -> Option<Self> {
        let field = |key: &str| listener.extra.get(key).and_then(Value::as_str).filter(|id| !id.is_empty());
        let certificate = |id: &str| cloud.certificates.get(id);
        let named = listener.extra.get("sni_container_refs").and_then(Value::as_array).into_iter().flatten();
        Some(Self {
            default: certificate(field("default_tls_container_ref")?).map(identity)?,
            named: named.filter_map(Value::as_str).filter_map(certificate).map(identity).collect(),
            client_authority: field("client_ca_tls_container_ref")
                .and_then(certificate)
                .map(|authority| authority.certificate.clone()),
            has_1_3: match field("security_policy_id").and_then(|id| cloud.security_policies.get(id)) {
                Some(SecurityPolicy { protocols, .. }) => protocols.iter().any(|protocol| protocol == "TLSv1.3"),
                None => field("tls_ciphers_policy").is_some_and(|policy| policy.ends_with("with-1-3")),
            },
            offers_http2: listener.extra.get("http2_enable") == Some(&Value::Bool(true)),
        })
    }
}

fn identity(certificate: &Certificate) -> Identity {
    let domains = certificate.domain.split(',').map(|name| name.trim().to_lowercase());
    Identity {
        chain: certificate.certificate.clone(),
        key: certificate.private_key.clone().unwrap_or_default(),
        domains: domains.filter(|name| !name.is_empty()).collect(),
    }
}

impl Http {
    fn of(listener: &Listener, tls: Option<Tls>, eip: Option<IpAddr>) -> Self {
        let timeout = |key: &str| listener.extra.get(key).and_then(Value::as_u64).unwrap_or(60);
        let wanted = |name: &str| listener.extra.get("insert_headers").and_then(|headers| headers.get(name));
        let is_wanted = |name: &str| wanted(name) == Some(&Value::Bool(true));
        Self {
            tls,
            client_timeout: Duration::from_secs(timeout("client_timeout")),
            member_timeout: Duration::from_secs(timeout("member_timeout")),
            retry: listener.extra.get("enable_member_retry") != Some(&Value::Bool(false)),
            gzip: listener.extra.get("gzip_enable") == Some(&Value::Bool(true)),
            headers: Headers {
                forwarded_for: match wanted("X-Forwarded-For-Processing-Mode").and_then(Value::as_str) {
                    Some("remove") => ForwardedFor::Remove,
                    Some("preserve") => ForwardedFor::Preserve,
                    _ => ForwardedFor::Append,
                },
                // The only one that is there unless it is switched off.
                host: wanted("X-Forwarded-Host") != Some(&Value::Bool(false)),
                proto: is_wanted("X-Forwarded-Proto"),
                port: is_wanted("X-Forwarded-Port"),
                for_port: is_wanted("X-Forwarded-For-Port"),
                real_ip: is_wanted("X-Real-IP"),
                elb_ip: eip.filter(|_| is_wanted("X-Forwarded-ELB-IP")),
                elb_id: is_wanted("X-Forwarded-ELB-ID").then(|| listener.loadbalancer_id.clone()),
            },
        }
    }
}

/// The two ends of a client's connection.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    pub client: SocketAddr,
    pub front: SocketAddr,
}
