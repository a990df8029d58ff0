//! Traffic from outside, and the ways it takes.

use std::sync::PoisonError;

use anyhow::{Context, Result};

use crate::lab::Lab;
use crate::net::{self, Where, address, namespace};

impl Lab {
    /// Fetches a URL from the client outside; the body. Gives up after 3 s, fails for HTTP 400 and above.
    pub fn curl_from_client(&self, url: &str) -> Result<String> {
        self.run_in(Where::Client, "curl", &["-sS", "--fail", "--max-time", "3", "--noproxy", "*", url])
    }

    /// Sends one datagram from the client outside to `HOST:PORT`; the answer. Gives up after 3 s.
    pub fn udp_from_client(&self, address: &str) -> Result<String> {
        self.run_in(Where::Client, "web", &["udp", address])
    }

    /// Leads a range of addresses to a place: the client, the control plane and all other nodes get the route.
    /// Who answers there is another matter, see [`Lab::own_range`].
    pub fn route(&self, range: &str, via: Where) -> Result<()> {
        for place in net::places(self.config.kubelets()) {
            if place != via {
                self.ip(place, &format!("route replace {range} via {}\n", address(via)))?;
            }
        }
        // A place that was the target before must not send the range to itself.
        self.ip_quietly(via, &format!("route del {range}\n"));
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if !routes.iter().any(|known| known == range) {
            routes.push(range.to_owned());
        }
        Ok(())
    }

    /// Takes back [`Lab::route`].
    pub fn unroute(&self, range: &str) -> Result<()> {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let at = routes.iter().position(|known| known == range).with_context(|| format!("no route for {range}"))?;
        routes.remove(at);
        for place in net::places(self.config.kubelets()) {
            self.ip_quietly(place, &format!("route del {range}\n"));
        }
        Ok(())
    }

    /// The kernel at a place accepts connections to every address of a range (AnyIP), on sockets that are
    /// bound to the address or to all addresses.
    pub fn own_range(&self, range: &str, place: Where) -> Result<()> {
        self.ip(place, &format!("route replace local {range} dev lo\n"))
    }

    pub(crate) fn ip(&self, place: Where, command: &str) -> Result<()> {
        net::ip(&["-n", &namespace(&self.config.name, place)], command)
    }

    fn ip_quietly(&self, place: Where, command: &str) {
        let _ = self.ip(place, command);
    }
}
