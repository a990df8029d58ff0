//! All watches that a controller needs, as one stream of facts.

use std::fmt::Debug;
use std::sync::Arc;

use ferrolb_core::{Class, Key, Node, Slice};
use ferrolb_crds::LoadBalancerClass;
use k8s_openapi::api::core::v1::{Node as KubeNode, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::kube::client::Clients;
use crate::kube::feed::{self, Fact, Health, Kind};

/// All watches.
pub struct Feeds {
    health: Vec<(&'static str, Arc<Health>)>,
}

impl Feeds {
    /// Starts them; they end at `stop`. `tell` is given each fact, in order within a kind.
    pub fn start(
        clients: &Clients,
        clock: &Clock,
        stop: &CancellationToken,
        tell: impl Fn(Object) + Clone + Send + 'static,
    ) -> Self {
        let mut feeds = Self { health: Vec::new() };
        let mut start = Start { clients, clock, stop, health: &mut feeds.health };
        start.feed(
            "Service",
            Kind::BuiltIn,
            slim_service,
            tell.clone(),
            |service| Key::of(&service.metadata),
            Object::Service,
        );
        start.feed("Node", Kind::BuiltIn, |n: KubeNode| Node::from(&n), tell.clone(), |n| n.name.clone(), Object::Node);
        let name = |slice: &Slice| Key::new(&slice.namespace, &slice.name);
        start.feed(
            "EndpointSlice",
            Kind::BuiltIn,
            |s: EndpointSlice| Slice::from(&s),
            tell.clone(),
            name,
            Object::Slice,
        );
        let slim = |class: LoadBalancerClass| Class::from(&class);
        start.feed("LoadBalancerClass", Kind::Optional, slim, tell, |c| c.name.clone(), Object::Class);
        feeds
    }

    /// The first kind whose first list has not come yet. Before all have, nothing may be concluded from the world:
    /// without nodes every member would seem to be one too many.
    pub fn awaited(&self) -> Option<&'static str> {
        self.health.iter().find(|(_, health)| !health.is_ready()).map(|(kind, _)| *kind)
    }

    /// Age of the last sign of life of each, in seconds.
    pub fn ages<'a>(&'a self, clock: &'a Clock) -> impl Iterator<Item = (&'static str, u64)> + 'a {
        let now = clock.now().as_secs();
        self.health.iter().map(move |(kind, health)| (*kind, now.saturating_sub(health.last_success(clock))))
    }
}

/// What every feed is started with.
struct Start<'a> {
    clients: &'a Clients,
    clock: &'a Clock,
    stop: &'a CancellationToken,
    health: &'a mut Vec<(&'static str, Arc<Health>)>,
}

impl Start<'_> {
    /// Starts the feed of one kind: `slim` makes of an object what is kept, `name` tells which object that is, and
    /// `object` wraps both for `tell`.
    fn feed<K, S, N>(
        &mut self,
        kind: &'static str,
        known: Kind,
        slim: impl Fn(K) -> S + Send + 'static,
        tell: impl Fn(Object) + Send + 'static,
        name: impl Fn(&S) -> N + Send + 'static,
        object: impl Fn(N, Option<S>) -> Object + Send + 'static,
    ) where
        K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
        K::DynamicType: Default,
        S: Clone + Send + 'static,
    {
        let health = Arc::new(Health::default());
        self.health.push((kind, health.clone()));
        let (clock, stop) = (self.clock.clone(), self.stop.clone());
        let sink = move |fact| {
            tell(match fact {
                Fact::Is(kept) => object(name(&kept), Some(kept)),
                Fact::Gone(kept) => object(name(&kept), None),
            });
        };
        tokio::spawn(feed::run(Api::all(self.clients.client.clone()), known, clock, health, stop, slim, sink));
    }
}

/// What a watch tells: which object, and how it is now; `None`: it is gone.
pub enum Object {
    /// A Service.
    Service(Key, Option<Arc<Service>>),
    /// A Node.
    Node(String, Option<Node>),
    /// An EndpointSlice, under its own name.
    Slice(Key, Option<Slice>),
    /// A LoadBalancerClass.
    Class(String, Option<Class>),
}

/// Nobody here reads what others manage, and it is the larger half of an object.
fn slim_service(mut service: Service) -> Arc<Service> {
    service.metadata.managed_fields = None;
    if let Some(annotations) = &mut service.metadata.annotations {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
    Arc::new(service)
}
