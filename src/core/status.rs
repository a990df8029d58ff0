//! What a pass found, as the status of the Service and as events.
//!
//! The status never lies and does not flap: what a pass could not find out stays as it was, and one failure that
//! lasts gives one message.

mod failure;
mod message;

use ferrolb_provider::{Address, Desired, IpMode, Outcome, Problem, Protocol, Serving};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{LoadBalancerIngress, PortStatus, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::claim::{is_load_balancer, our_conditions, published};
use crate::conditions::{LEFT, RELEASED};
use crate::{EventWhen, GROUP_PREFIX, Reason, Severity, Status};

/// `error` of a port that the load balancer does not serve (yet).
const PORT_NOT_SERVED: &str = "ferrolb.io/PortNotServed";

/// What a pass was about.
#[derive(Clone, Copy, Debug)]
pub enum Pass<'a> {
    /// Nothing was called: these problems stop it.
    Refused(&'a [Problem]),
    /// The load balancer was to be as wanted.
    Provided {
        /// What was wanted.
        want: &'a Desired,
        /// How many endpoints of the Service take new connections.
        ready_endpoints: usize,
        /// What came of it.
        outcome: &'a Outcome,
    },
    /// The load balancer was to go.
    Released(&'a Outcome),
}

/// What to write. Absent conditions of ours are to be removed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// `status.loadBalancer.ingress`.
    pub ingress: Vec<LoadBalancerIngress>,
    /// Our conditions.
    pub conditions: Vec<Condition>,
    /// What is new.
    pub events: Vec<Event>,
}

/// One event about the Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its `type`.
    pub severity: Severity,
    /// Its reason.
    pub reason: &'static str,
    /// Its note, at most 1024 bytes.
    pub message: String,
}

/// The status of `svc` after a pass.
pub fn report(svc: &Service, pass: &Pass<'_>, now: Timestamp) -> Report {
    let mut draft = Draft { svc, now, report: Report::default() };
    match pass {
        Pass::Refused(problems) => {
            draft.keep_ingress();
            draft.add(Reason::InvalidConfiguration, "");
            draft.keep_or_add("AddressAllocated", Reason::NoAddress);
            draft.keep("BackendsHealthy");
            draft.keep("InClusterReachable");
            draft.add(Reason::Invalid, &message::problems(problems));
        }
        Pass::Provided { want, ready_endpoints, outcome } => draft.provided(want, *ready_endpoints, outcome),
        Pass::Released(outcome) => draft.released(outcome),
    }
    draft.report
}

/// Whether `svc` already says what the report says, so that nothing needs to be written.
pub fn equal(report: &Report, svc: &Service) -> bool {
    let says = |c: &Condition| (c.type_.clone(), c.status.clone(), c.reason.clone(), c.message.clone());
    let mut now: Vec<_> = our_conditions(svc).map(says).collect();
    let mut then: Vec<_> = report.conditions.iter().map(says).collect();
    now.sort();
    then.sort();
    now == then && report.ingress == published(svc)
}

/// A report being written.
struct Draft<'a> {
    svc: &'a Service,
    now: Timestamp,
    report: Report,
}

impl Draft<'_> {
    fn provided(&mut self, want: &Desired, ready_endpoints: usize, outcome: &Outcome) {
        self.left(outcome);
        // Until the cloud's lists are to be trusted, an address that they do not show may well be served.
        // Not one that is about to go.
        let unsure = outcome.look_again.is_some() && !outcome.withdrawn && !published(self.svc).is_empty();
        match outcome.serving.as_ref().filter(|serving| !(unsure && serving.addresses.is_empty())) {
            Some(serving) => {
                self.report.ingress = ingress(serving, want);
                self.ready(outcome, &want.owner.cluster, &message::addresses(serving), serving.addresses.is_empty());
                if serving.addresses.is_empty() {
                    self.add(Reason::NoAddress, "");
                } else {
                    self.add(Reason::AddressAllocated, "");
                }
                let (reason, details) = health(want, ready_endpoints, serving);
                self.add(reason, &details);
                if let Some(address) = serving.addresses.first().filter(|_| serving.destination_only) {
                    self.add(inside(address.mode), "");
                }
            }
            None => {
                self.keep_ingress();
                self.ready(outcome, &want.owner.cluster, "", true);
                self.keep_or_add("AddressAllocated", Reason::AddressUnknown);
                self.keep_or_add("BackendsHealthy", Reason::HealthUnknown);
                self.keep("InClusterReachable");
            }
        }
        if !outcome.problems.is_empty() {
            self.add(Reason::Invalid, &message::problems(&outcome.problems));
        } else if !outcome.warnings.is_empty() {
            let warnings = message::problems(&outcome.warnings);
            self.add(Reason::AcceptedWithWarnings, &warnings);
        } else {
            self.add(Reason::Accepted, "");
        }
    }

    fn ready(&mut self, outcome: &Outcome, cluster: &str, addresses: &str, no_address: bool) {
        if let Some((reason, details)) = failure::worst(&outcome.failures) {
            let blind = outcome.failures.iter().any(|f| f.slot.is_none());
            self.add_as(reason, &details, blind);
        } else if !outcome.problems.is_empty() {
            self.add(Reason::InvalidConfiguration, "");
        } else if !outcome.conflicts.is_empty() {
            self.add(Reason::Conflict, &message::taken(&outcome.conflicts, cluster));
        } else if outcome.permit_lost {
            self.add(Reason::Waiting, "another replica of the controller takes over");
        } else if !outcome.settled {
            self.add(Reason::Waiting, &message::waits(&outcome.waits));
        } else if no_address {
            self.add(Reason::Waiting, "the load balancer shows no address yet");
        } else {
            self.add(Reason::LoadBalancerReady, addresses);
        }
    }

    /// What stays in the cloud at the user's wish is told once, for nothing of ours names it any more.
    fn left(&mut self, outcome: &Outcome) {
        if !outcome.left.is_empty() {
            self.report.events.push(Event {
                severity: Severity::Normal,
                reason: LEFT,
                message: format!("As asked, this stays in the cloud and is yours: {}", outcome.left.join(", ")),
            });
        }
    }

    fn released(&mut self, outcome: &Outcome) {
        self.left(outcome);
        if outcome.settled {
            let had = !published(self.svc).is_empty() || !outcome.applied.is_empty();
            if had || our_conditions(self.svc).any(|c| c.reason == Reason::Releasing.row().reason) {
                self.report.events.push(Event {
                    severity: Severity::Normal,
                    reason: RELEASED,
                    message: "Nothing is left that FerroLB holds for the Service".into(),
                });
            }
            return;
        }
        let blind = outcome.failures.iter().any(|f| f.slot.is_none());
        if blind {
            self.keep_ingress();
        }
        match failure::worst(&outcome.failures) {
            Some((reason, details)) => {
                self.add_as(reason, &details, blind);
                let left = message::slots(&outcome.remaining);
                self.add(Reason::DeletionFailed, &left);
            }
            None => {
                self.add(Reason::Releasing, "");
                if !outcome.conflicts.is_empty() {
                    self.add(Reason::UsedByOthers, &message::blocked(&outcome.conflicts));
                } else if outcome.remaining.is_empty() {
                    self.add(Reason::Settling, "");
                } else {
                    let left = message::slots(&outcome.remaining);
                    self.add(Reason::ObjectsRemain, &left);
                }
            }
        }
    }

    /// What is there stays; the API server takes addresses only of Services of type LoadBalancer.
    fn keep_ingress(&mut self) {
        if is_load_balancer(self.svc) {
            self.report.ingress = published(self.svc).to_vec();
        }
    }

    fn keep(&mut self, condition: &str) -> bool {
        let old = self.old(condition).cloned();
        let kept = old.is_some();
        self.report.conditions.extend(old);
        kept
    }

    fn keep_or_add(&mut self, condition: &str, otherwise: Reason) {
        if !self.keep(condition) {
            self.add(otherwise, "");
        }
    }

    fn add(&mut self, reason: Reason, details: &str) {
        self.add_as(reason, details, false);
    }

    fn add_as(&mut self, reason: Reason, details: &str, blind: bool) {
        let row = reason.row();
        let status = match row.status {
            Status::True => "True",
            Status::False => "False",
            Status::Unknown => "Unknown",
            Status::FalseOrUnknown if blind => "Unknown",
            Status::FalseOrUnknown => "False",
        };
        let message = message::compose(row, details);
        let old = self.old(row.condition);
        let tell = match row.event {
            EventWhen::Never => false,
            EventWhen::Changed => old.is_none_or(|o| o.reason != row.reason || o.message != message),
            EventWhen::Lost => old.is_some_and(|o| o.status == "True"),
        };
        let since = old.filter(|o| o.status == status).map(|o| o.last_transition_time.clone());
        if tell {
            self.report.events.push(Event { severity: row.severity, reason: row.reason, message: message.clone() });
        }
        self.report.conditions.push(Condition {
            last_transition_time: since.unwrap_or(Time(self.now)),
            message,
            observed_generation: None,
            reason: row.reason.to_owned(),
            status: status.to_owned(),
            type_: row.condition_type(),
        });
    }

    fn old(&self, condition: &str) -> Option<&Condition> {
        our_conditions(self.svc).find(|c| c.type_.strip_prefix(GROUP_PREFIX) == Some(condition))
    }
}

fn health(want: &Desired, ready_endpoints: usize, serving: &Serving) -> (Reason, String) {
    if want.ports.iter().all(|p| p.backends.is_empty()) {
        return (Reason::NoBackends, String::new());
    }
    if ready_endpoints == 0 {
        return (Reason::NoEndpoints, String::new());
    }
    match serving.health {
        None => (Reason::HealthUnknown, String::new()),
        Some(h) if h.total == 0 => (Reason::HealthUnknown, String::new()),
        Some(h) if h.healthy == 0 => (Reason::NoneHealthy, format!("0 of {}", h.total)),
        Some(h) if h.healthy < h.total => (Reason::SomeHealthy, format!("{} of {}", h.healthy, h.total)),
        Some(_) => (Reason::AllHealthy, String::new()),
    }
}

/// How clients inside the cluster fare where only the destination of packets is rewritten.
fn inside(mode: IpMode) -> Reason {
    match mode {
        IpMode::Vip => Reason::ServedInside,
        IpMode::Proxy => Reason::DestinationOnly,
    }
}

fn ingress(serving: &Serving, want: &Desired) -> Vec<LoadBalancerIngress> {
    let entry = |address: &Address| LoadBalancerIngress {
        hostname: None,
        ip: Some(address.ip.to_string()),
        ip_mode: Some(mode(address.mode).to_owned()),
        ports: ports(address, want),
    };
    serving.addresses.iter().map(entry).collect()
}

fn mode(mode: IpMode) -> &'static str {
    match mode {
        IpMode::Vip => "VIP",
        IpMode::Proxy => "Proxy",
    }
}

/// Only where something is missing, and then with an entry for every port, as the API asks.
fn ports(address: &Address, want: &Desired) -> Option<Vec<PortStatus>> {
    let served = |protocol: Protocol, port: u16| address.ports.contains(&(protocol, port));
    if want.ports.iter().all(|p| served(p.protocol, p.port)) {
        return None;
    }
    let entry = |p: &ferrolb_provider::Port| PortStatus {
        error: (!served(p.protocol, p.port)).then(|| PORT_NOT_SERVED.to_owned()),
        port: i32::from(p.port),
        protocol: p.protocol.to_string(),
    };
    Some(want.ports.iter().map(entry).collect())
}

#[cfg(test)]
mod tests;
