//! The one table of what a Service's conditions and events can say.
//!
//! A message is the row's text, then the details of the case, then what to do next. Details name objects, options
//! and the cloud's own words, and nothing that differs from one try to the next, so that a failure that lasts is
//! written once.

use crate::GROUP_PREFIX;

/// Whether an event is good news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It is.
    Normal,
    /// Somebody should look.
    Warning,
}

impl Severity {
    /// The `type` of an event.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// `status` of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// `True`
    True,
    /// `False`
    False,
    /// `Unknown`
    Unknown,
    /// `False`, or `Unknown` where the cloud could not even be read.
    FalseOrUnknown,
}

/// When a condition is told as an event too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventWhen {
    /// Never.
    Never,
    /// When its reason or message is another than before.
    Changed,
    /// When it was True before. What was never there is not lost, and beginnings are slow.
    Lost,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Type of the condition, without the prefix of our group.
    pub condition: &'static str,
    /// Its reason.
    pub reason: &'static str,
    /// Its status.
    pub status: Status,
    /// Of the event.
    pub severity: Severity,
    /// Whether there is an event.
    pub event: EventWhen,
    /// What is the case.
    pub text: &'static str,
    /// What happens or helps next; may be empty.
    pub next: &'static str,
}

impl Row {
    /// Full type of the condition, like `ferrolb.io/Ready`.
    pub fn condition_type(&self) -> String {
        format!("{GROUP_PREFIX}{}", self.condition)
    }
}

macro_rules! table {
    ($($name:ident: $condition:literal, $status:ident, $severity:ident, $event:ident, $text:literal, $next:literal;)*) => {
        /// Why a condition is as it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Reason {
            $(#[doc = $text] $name,)*
        }

        impl Reason {
            /// All of them, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its row.
            pub fn row(self) -> &'static Row {
                match self {
                    $(Self::$name => &Row {
                        condition: $condition,
                        reason: stringify!($name),
                        status: Status::$status,
                        severity: Severity::$severity,
                        event: EventWhen::$event,
                        text: $text,
                        next: $next,
                    },)*
                }
            }
        }
    };
}

table! {
    LoadBalancerReady: "Ready", True, Normal, Changed,
        "The load balancer is as the Service asks", "";
    Waiting: "Ready", False, Normal, Never,
        "Waiting", "FerroLB looks again by itself";
    InvalidConfiguration: "Ready", False, Warning, Never,
        "What the Service asks for cannot be done", "See the condition ferrolb.io/ConfigurationValid";
    Conflict: "Ready", False, Warning, Changed,
        "Somebody else has what the Service asks for", "FerroLB takes it when they leave it, and looks at least every five minutes; or ask for another";
    CloudDenied: "Ready", FalseOrUnknown, Warning, Changed,
        "The cloud denies access", "Check the credentials of FerroLB and what they may do";
    CloudRefused: "Ready", FalseOrUnknown, Warning, Changed,
        "The cloud refused", "Change the Service or make room in the cloud; FerroLB also tries again every few minutes";
    CloudThrottled: "Ready", FalseOrUnknown, Warning, Changed,
        "The cloud limits our calls", "FerroLB goes on by itself, more slowly";
    CloudUnavailable: "Ready", FalseOrUnknown, Warning, Changed,
        "The cloud could not do it", "FerroLB tries again by itself";
    CloudAmbiguous: "Ready", FalseOrUnknown, Warning, Changed,
        "It is not known whether the cloud carried out a call", "FerroLB looks again when it must have, and makes nothing twice";
    Releasing: "Ready", False, Normal, Never,
        "The load balancer is being deleted", "";
    AddressAllocated: "AddressAllocated", True, Normal, Never,
        "The load balancer has its address", "";
    NoAddress: "AddressAllocated", False, Normal, Never,
        "There is no address yet", "See the condition ferrolb.io/Ready";
    AddressUnknown: "AddressAllocated", Unknown, Normal, Never,
        "The cloud could not be asked yet", "See the condition ferrolb.io/Ready";
    AllHealthy: "BackendsHealthy", True, Normal, Never,
        "All backends pass their health check", "";
    SomeHealthy: "BackendsHealthy", True, Normal, Never,
        "Some backends pass their health check", "";
    NoneHealthy: "BackendsHealthy", False, Warning, Lost,
        "No backend passes its health check", "Check that the application answers on the node ports and that the nodes let the load balancer in";
    NoEndpoints: "BackendsHealthy", False, Warning, Lost,
        "The Service has no ready endpoint", "Check its selector and the readiness of its pods";
    NoBackends: "BackendsHealthy", False, Warning, Changed,
        "There is no node that may take the traffic", "Check labels, taints and addresses of the nodes";
    HealthUnknown: "BackendsHealthy", Unknown, Normal, Never,
        "The health of the backends is not known", "";
    ServedInside: "InClusterReachable", True, Normal, Never,
        "Clients inside the cluster are served by kube-proxy and do not pass the gateway", "";
    DestinationOnly: "InClusterReachable", False, Warning, Changed,
        "Clients inside the cluster get no answer at this address, because the gateway rewrites only the destination of packets", "Let them use the Service's name, or set ferrolb.io/ip-mode to VIP";
    Accepted: "ConfigurationValid", True, Normal, Never,
        "Everything that the Service asks for is understood", "";
    AcceptedWithWarnings: "ConfigurationValid", True, Warning, Changed,
        "The Service works, but", "";
    Invalid: "ConfigurationValid", False, Warning, Changed,
        "What the Service asks for cannot be done", "FerroLB looks again when it changes";
    UsedByOthers: "DeletionBlocked", True, Warning, Changed,
        "Something of others hangs on what should be deleted, and would be lost with it", "Remove it; FerroLB looks at least every five minutes and goes on by itself";
    ObjectsRemain: "DeletionBlocked", True, Normal, Never,
        "Objects of the load balancer are still there", "FerroLB goes on by itself";
    Settling: "DeletionBlocked", True, Normal, Never,
        "Nothing is left, and FerroLB makes sure that nothing still comes", "FerroLB looks again by itself";
    DeletionFailed: "DeletionBlocked", True, Warning, Never,
        "The load balancer could not be deleted yet", "See the condition ferrolb.io/Ready";
}

/// Reason of the event that tells of a class that nobody serves.
pub(crate) const UNKNOWN_CLASS: &str = "UnknownClass";

/// Reason of the event that closes a release. The Service is gone then, or has no conditions of ours any more.
pub const RELEASED: &str = "LoadBalancerReleased";
/// Reason of the event that names what stays in the cloud.
pub const LEFT: &str = "LeftInCloud";

/// The table for the documentation.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Conditions\n\nGenerated from `src/core/conditions.rs`. `kubectl wait --for=condition=ferrolb.io/Ready service/NAME` works.\n\n| Condition | Reason | Status | Event | Message begins | Next |\n|---|---|---|---|---|---|\n",
    );
    for row in Reason::ALL.iter().map(|r| r.row()) {
        let status = match row.status {
            Status::True => "True",
            Status::False => "False",
            Status::Unknown => "Unknown",
            Status::FalseOrUnknown => "False; Unknown where the cloud could not be read",
        };
        let event = match row.event {
            EventWhen::Never => "–".to_owned(),
            EventWhen::Changed => format!("{} when it changes", row.severity.as_str()),
            EventWhen::Lost => format!("{} when it was True", row.severity.as_str()),
        };
        let cells = [
            format!("`{}`", row.condition_type()),
            format!("`{}`", row.reason),
            status.to_owned(),
            event,
            row.text.to_owned(),
            row.next.to_owned(),
        ];
        page.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    page
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_table_is_one_that_kubernetes_takes() {
        let mut reasons = BTreeSet::new();
        for row in Reason::ALL.iter().map(|r| r.row()) {
            assert!(reasons.insert(row.reason), "{} twice", row.reason);
            assert!(row.reason.chars().all(char::is_alphanumeric), "{}", row.reason);
            assert!(row.text.len() + row.next.len() < 300, "{}", row.reason);
            for text in [row.text, row.next] {
                assert!(!text.ends_with(['.', ' ', ':']), "{text:?}: punctuation is added");
                assert!(!text.contains('|'), "{text:?} breaks the page");
            }
        }
    }

    #[test]
    fn bad_news_is_a_warning() {
        for row in Reason::ALL.iter().map(|r| r.row()) {
            if row.event != EventWhen::Never && row.status != Status::True {
                assert_eq!(row.severity, Severity::Warning, "{}", row.reason);
            }
        }
    }

    #[test]
    fn every_condition_can_be_good_and_the_page_shows_every_row() {
        let page = markdown();
        assert_eq!(page.lines().filter(|l| l.starts_with('|')).count(), Reason::ALL.len() + 2);
        assert!(page.lines().filter(|l| l.starts_with('|')).all(|line| line.matches('|').count() == 7), "{page}");
        assert!(page.contains("| `ferrolb.io/Ready` | `CloudThrottled` | False; Unknown where"));
        for row in Reason::ALL.iter().map(|r| r.row()) {
            let good = |r: &&Reason| r.row().condition == row.condition && r.row().status == Status::True;
            assert!(Reason::ALL.iter().any(|r| good(&r)), "{}", row.condition);
        }
    }
}
