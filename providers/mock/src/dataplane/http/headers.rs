//! What members are told about the client and the load balancer.

use std::fmt::Display;

use hyper::header::{CONNECTION, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue, UPGRADE};
use hyper::{Request, Uri};

use crate::dataplane::service::{Ends, ForwardedFor, Headers};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// An HTTP/2 request as HTTP/1.1 says it: the host is a header, and so are all cookies together.
pub fn as_http1<B>(mut request: Request<B>) -> Request<B> {
    let host = request.uri().authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = path.map_or_else(Uri::default, Uri::from);
    let headers = request.headers_mut();
    if let Some(host) = host {
        headers.insert(HOST, host);
    }
    let cookies: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if let Ok(all) = HeaderValue::from_bytes(&cookies.join(&b"; "[..]))
        && !all.is_empty()
    {
        headers.insert(COOKIE, all);
    }
    request
}

impl Headers {
    /// Rewrites the headers of a request.
    pub fn apply(&self, headers: &mut HeaderMap, ends: Ends, secure: bool) {
        for hop in ["keep-alive", "proxy-connection"] {
            headers.remove(hop);
        }
        // What the client wants of its connection is not for the member's, but for a switch of protocols.
        if !headers.contains_key(UPGRADE) {
            headers.remove(CONNECTION);
        }
        let client = ends.client.ip();
        match self.forwarded_for {
            ForwardedFor::Append => {
                let before = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
                let all: Vec<String> = before.map(str::to_owned).chain([client.to_string()]).collect();
                set(headers, "x-forwarded-for", all.join(", "));
            }
            ForwardedFor::Remove => _ = headers.remove(FORWARDED_FOR),
            ForwardedFor::Preserve => {}
        }
        if self.host
            && let Some(host) = headers.get(HOST).cloned()
        {
            headers.insert("x-forwarded-host", host);
        }
        if self.proto {
            set(headers, "x-forwarded-proto", if secure { "https" } else { "http" });
        }
        if self.port {
            set(headers, "x-forwarded-port", ends.front.port());
        }
        if self.for_port {
            set(headers, "x-forwarded-for-port", ends.client.port());
        }
        if self.real_ip {
            set(headers, "x-real-ip", client);
        }
        if let Some(eip) = self.elb_ip {
            set(headers, "x-forwarded-elb-ip", eip);
        }
        if let Some(id) = &self.elb_id {
            set(headers, "x-forwarded-elb-id", id);
        }
    }
}

fn set(headers: &mut HeaderMap, name: &'static str, value: impl Display) {
    if let Ok(value) = HeaderValue::from_str(&value.to_string()) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn none() -> Headers {
        Headers {
            forwarded_for: ForwardedFor::Append,
            host: false,
            proto: false,
            port: false,
            for_port: false,
            real_ip: false,
            elb_ip: None,
            elb_id: None,
        }
    }

    fn applied(headers: &Headers, given: &[(&'static str, &'static str)]) -> Vec<String> {
        let mut map = HeaderMap::new();
        for (name, value) in given {
            map.append(*name, HeaderValue::from_static(value));
        }
        let ends = Ends { client: "192.0.2.7:5000".parse().unwrap(), front: "203.0.113.1:443".parse().unwrap() };
        headers.apply(&mut map, ends, true);
        let mut lines: Vec<String> =
            map.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        lines
    }

    #[test]
    fn the_client_is_appended_unless_said_otherwise() {
        assert_eq!(applied(&none(), &[]), ["x-forwarded-for: 192.0.2.7"]);
        let before = [("x-forwarded-for", "10.0.0.1"), ("x-forwarded-for", "10.0.0.2")];
        assert_eq!(applied(&none(), &before), ["x-forwarded-for: 10.0.0.1, 10.0.0.2, 192.0.2.7"]);
        let remove = Headers { forwarded_for: ForwardedFor::Remove, ..none() };
        assert!(applied(&remove, &before).is_empty());
        let preserve = Headers { forwarded_for: ForwardedFor::Preserve, ..none() };
        assert_eq!(applied(&preserve, &before).len(), 2);
    }

    #[test]
    fn what_is_asked_for_is_told_and_replaces_what_the_client_claims() {
        let all = Headers {
            host: true,
            proto: true,
            port: true,
            for_port: true,
            real_ip: true,
            elb_ip: Some("203.0.113.1".parse().unwrap()),
            elb_id: Some("lb".into()),
            ..none()
        };
        let lines = applied(&all, &[("host", "example.org"), ("x-forwarded-port", "1"), ("connection", "close")]);
        let wanted = [
            "host: example.org",
            "x-forwarded-elb-id: lb",
            "x-forwarded-elb-ip: 203.0.113.1",
            "x-forwarded-for-port: 5000",
            "x-forwarded-for: 192.0.2.7",
            "x-forwarded-host: example.org",
            "x-forwarded-port: 443",
            "x-forwarded-proto: https",
            "x-real-ip: 192.0.2.7",
        ];
        assert_eq!(lines, wanted);
    }
}
