//! The trait that a backend implements, and what it tells about the traffic.

use std::future::Future;
use std::net::IpAddr;

use serde::Serialize;

use crate::{Desired, Owner, Problem, Protocol, ProviderError, Resource, Seen, Step};

/// A load balancer backend: five functions and no control flow. Order, retries, adoption, deletion and the
/// protection against leaks are the [`Engine`](crate::Engine)'s.
pub trait Provider: Send + Sync + 'static {
    /// One cloud object, all kinds of them in one type (usually an enum).
    type Resource: Resource;

    /// The objects that `want` needs, and warnings. Pure.
    ///
    /// # Errors
    /// All problems of the input at once; nothing is called or changed then.
    fn model(&self, want: &Desired) -> Result<Model<Self::Resource>, Vec<Problem>>;

    /// Everything that bears the mark of `owner`, wherever it hangs, and the adopted objects that `model` names.
    fn list(
        &self,
        owner: &Owner,
        model: &[Self::Resource],
    ) -> impl Future<Output = Result<Vec<Seen<Self::Resource>>, ProviderError>> + Send;

    /// Carries out one step with one call, putting the owner's mark into whatever it creates, in the same call.
    ///
    /// Returns the step's objects as they are now. A deletion returns nothing; where it needs another call first
    /// (unbinding, say) it makes that one and returns the object, and is asked again. So it does where the cloud
    /// only begins to delete: what is not returned counts as gone.
    fn apply(
        &self,
        owner: &Owner,
        step: &Step<Self::Resource>,
    ) -> impl Future<Output = Result<Vec<Seen<Self::Resource>>, ProviderError>> + Send;

    /// What clients can reach right now. Pure. `seen` has what takes the places of `model`, and of the rest only
    /// what is not ours.
    fn status(&self, model: &[Self::Resource], seen: &[Seen<Self::Resource>]) -> Serving;

    /// Every owner of this cluster that has at least one marked object, for the sweep of orphans.
    fn owners(&self, cluster: &str) -> impl Future<Output = Result<Vec<Owner>, ProviderError>> + Send;
}

/// What [`Provider::model`] makes of a [`Desired`].
#[derive(Clone, Debug, Serialize)]
pub struct Model<R> {
    /// The objects, in any order.
    pub resources: Vec<R>,
    /// What the user should know though it stops nothing.
    pub warnings: Vec<Problem>,
}

/// What clients can reach.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Serving {
    /// Addresses, the most public first.
    pub addresses: Vec<Address>,
    /// How many backends pass their health check, and how many there are; `None`: the provider cannot tell.
    pub health: Option<Health>,
    /// Only the destination of packets is rewritten and their source stays, so that answers to a client inside the
    /// cluster do not come back the way that its requests took.
    pub destination_only: bool,
}

/// One address of a load balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// How packets for it arrive at the nodes.
    pub mode: IpMode,
    /// The ports that are served on it.
    pub ports: Vec<(Protocol, u16)>,
}

/// `status.loadBalancer.ingress[].ipMode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum IpMode {
    /// With the load balancer's address still as destination, so that kube-proxy may serve clients inside itself.
    Vip,
    /// With a node's or pod's address as destination.
    Proxy,
}

/// Backends by health.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Backends that pass, or have no check.
    pub healthy: usize,
    /// All backends.
    pub total: usize,
}
