//! The cloud as a plain function, for a simulator: same routes, handlers and state as behind the socket, but no
//! socket, signature, fault plan or log, and no time but the configured clock's.

use std::io;

use serde_json::Value;

use crate::api::{self, Answer};
use crate::app::{App, Ready};
use crate::auth;
use crate::config::Config;
use crate::faults::{FaultPlan, Faults};

/// A cloud in this process. Its calls never wait.
pub struct Cloud(App);

/// What a call is answered with.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// HTTP status.
    pub status: u16,
    /// The JSON body, none for 204.
    pub body: Option<Value>,
}

impl Cloud {
    /// An empty cloud; of `config` the sockets and the data plane are left out.
    ///
    /// # Errors
    /// A state file that cannot be read.
    pub fn new(config: &Config) -> io::Result<Self> {
        App::new(config).map(Self)
    }

    /// Carries out one call. `path_and_query` is as in a request line, encoded.
    pub fn call(&self, method: &str, path_and_query: &str, body: &[u8]) -> Answered {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let found = api::find(method, &auth::decode(path));
        let query = auth::parse_query(query);
        let Answer { status, body, .. } =
            self.0.execute(&Ready { seq: None, found, query, body: body.to_vec().into() });
        Answered { status, body }
    }

    /// Everything there is, as `GET /_ferrolb/ledger` shows it.
    pub fn ledger(&self) -> Value {
        self.0.ledger()
    }

    /// Kind, id and the text that may bear an owner's mark (description or alias) of each object that has one: the
    /// ledger's cheap part.
    pub fn texts(&self) -> Vec<(&'static str, String, String)> {
        let cloud = self.0.cloud();
        let balancers = cloud.loadbalancers.iter().map(|(id, lb)| ("loadbalancers", id, &lb.description));
        let listeners = cloud.listeners.iter().map(|(id, listener)| ("listeners", id, &listener.description));
        let pools = cloud.pools.iter().map(|(id, pool)| ("pools", id, &pool.description));
        let eips = cloud.eips.iter().map(|(id, eip)| ("eips", id, &eip.alias));
        let rules = cloud.dnat_rules.iter().map(|(id, rule)| ("dnatrules", id, &rule.description));
        let groups = cloud.ipgroups.iter().map(|(id, group)| ("ipgroups", id, &group.description));
        let all = balancers.chain(listeners).chain(pools).chain(eips).chain(rules).chain(groups);
        all.map(|(kind, id, text)| (kind, id.clone(), text.clone())).collect()
    }

    /// Counts changes: the same before and after a call means that the call changed nothing.
    pub fn revision(&self) -> u64 {
        self.0.cloud().revision()
    }

    /// How far lists lag behind, as far as existence goes.
    pub fn set_list_lag(&self, milliseconds: u32) {
        *self.0.faults() = Faults::new(FaultPlan { list_lag_ms: milliseconds, ..FaultPlan::default() });
    }

    /// The longest number of load balancers and of public addresses; -1 is unlimited.
    pub fn set_quota(&self, loadbalancers: i64, publicips: i64) {
        self.0.change(|cloud| {
            cloud.quotas.loadbalancer = loadbalancers;
            cloud.quotas.publicip = publicips;
        });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::config::PROJECT_ID;

    #[test]
    fn it_answers_as_the_server_does() {
        let cloud = Cloud::new(&Config::default()).unwrap();
        let path = format!("/v1/{PROJECT_ID}/publicips");
        let body = br#"{"publicip":{"type":"5_bgp"},"bandwidth":{"name":"b","size":5,"share_type":"PER"}}"#;
        let before = cloud.revision();
        let made = cloud.call("POST", &path, body);
        assert_eq!((made.status, cloud.revision() > before), (200, true), "{made:?}");
        assert_eq!(cloud.ledger()["counts"]["eips"], 1);
        assert_eq!(cloud.texts()[0].0, "eips");
        assert_eq!(cloud.call("GET", "/nothing/here", b"").status, 404);
        cloud.set_quota(-1, 1);
        assert_eq!(cloud.call("POST", &path, body).status, 409);
    }
}
