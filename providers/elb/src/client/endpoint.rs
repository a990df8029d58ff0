//! Where the services are.

use crate::config::ElbConfig;

/// The API a call belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Elb,
    Eip,
    Nat,
    Iam,
}

/// The base URL of each service.
pub(super) struct Places {
    elb: Endpoint,
    eip: Endpoint,
    nat: Option<Endpoint>,
    iam: Option<Endpoint>,
}

impl Places {
    pub(super) fn new(config: &ElbConfig) -> Self {
        Self {
            elb: Endpoint::parse(&config.elb_endpoint),
            eip: Endpoint::parse(&config.eip_endpoint),
            nat: config.nat_endpoint.as_deref().map(Endpoint::parse),
            iam: config.iam_endpoint.as_deref().map(Endpoint::parse),
        }
    }

    /// Where a service is. One that is nowhere is not asked.
    pub(super) fn of(&self, service: Service) -> &Endpoint {
        let named = match service {
            Service::Elb => None,
            Service::Eip => Some(&self.eip),
            Service::Nat => self.nat.as_ref(),
            Service::Iam => self.iam.as_ref(),
        };
        named.unwrap_or(&self.elb)
    }

    /// Whether there is a NAT service.
    pub(super) fn has_nat(&self) -> bool {
        self.nat.is_some()
    }

    /// Whether there is IAM.
    pub(super) fn has_iam(&self) -> bool {
        self.iam.is_some()
    }
}

/// A base URL in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) scheme: String,
    /// Authority without the scheme's own port.
    pub(super) host: String,
    /// Path, without a trailing slash.
    base: String,
}

impl Endpoint {
    /// The path of a call, in front of which a base URL may have a path of its own.
    pub(super) fn path(&self, tail: &str) -> String {
        format!("{}{tail}", self.base)
    }

    /// `https://` where no scheme is given.
    fn parse(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
        let (host, base) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, ""),
        };
        let port = if scheme == "http" { ":80" } else { ":443" };
        Self {
            scheme: scheme.to_owned(),
            host: host.strip_suffix(port).unwrap_or(host).to_owned(),
            base: base.trim_end_matches('/').to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_taken_apart() {
        let endpoint = |url| {
            let Endpoint { scheme, host, base } = Endpoint::parse(url);
            (scheme, host, base)
        };
        let parts = |s: &str, h: &str, b: &str| (s.to_owned(), h.to_owned(), b.to_owned());
        assert_eq!(endpoint("https://elb.example.com"), parts("https", "elb.example.com", ""));
        assert_eq!(endpoint("elb.example.com:443/"), parts("https", "elb.example.com", ""));
        assert_eq!(endpoint("http://127.0.0.1:80/x/"), parts("http", "127.0.0.1", "/x"));
        assert_eq!(endpoint("http://127.0.0.1:443"), parts("http", "127.0.0.1:443", ""));
    }
}
