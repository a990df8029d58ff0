//! All watches that a controller needs, as one stream of facts.

use std::sync::Arc;

use ferrolb_core::{Class, Key, Node, Slice};
use ferrolb_crds::LoadBalancerClass;
use k8s_openapi::api::core::v1::{Node as KubeNode, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::Api;
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
        let client = &clients.client;
        let mut feeds = Self { health: Vec::new() };
        let (services, nodes, slices, classes) = (tell.clone(), tell.clone(), tell.clone(), tell);

        let health = feeds.health("Service");
        let run = feed::run(
            Api::all(client.clone()),
            Kind::BuiltIn,
            clock.clone(),
            health,
            stop.clone(),
            slim_service,
            move |fact| {
                services(match fact {
                    Fact::Is(service) => Object::Service(Key::of(&service.metadata), Some(service)),
                    Fact::Gone(service) => Object::Service(Key::of(&service.metadata), None),
                });
            },
        );
        tokio::spawn(run);

        let health = feeds.health("Node");
        let slim = |node: KubeNode| Node::from(&node);
        let run = feed::run(
            Api::all(client.clone()),
            Kind::BuiltIn,
            clock.clone(),
            health,
            stop.clone(),
            slim,
            move |fact| {
                nodes(match fact {
                    Fact::Is(node) => Object::Node(node.name.clone(), Some(node)),
                    Fact::Gone(node) => Object::Node(node.name, None),
                });
            },
        );
        tokio::spawn(run);

        let health = feeds.health("EndpointSlice");
        let slim = |slice: EndpointSlice| Slice::from(&slice);
        let run = feed::run(
            Api::all(client.clone()),
            Kind::BuiltIn,
            clock.clone(),
            health,
            stop.clone(),
            slim,
            move |fact| {
                slices(match fact {
                    Fact::Is(slice) => Object::Slice(Key::new(&slice.namespace, &slice.name), Some(slice)),
                    Fact::Gone(slice) => Object::Slice(Key::new(&slice.namespace, &slice.name), None),
                });
            },
        );
        tokio::spawn(run);

        let health = feeds.health("LoadBalancerClass");
        let slim = |class: LoadBalancerClass| Class::from(&class);
        let run = feed::run(
            Api::all(client.clone()),
            Kind::Optional,
            clock.clone(),
            health,
            stop.clone(),
            slim,
            move |fact| {
                classes(match fact {
                    Fact::Is(class) => Object::Class(class.name.clone(), Some(class)),
                    Fact::Gone(class) => Object::Class(class.name, None),
                });
            },
        );
        tokio::spawn(run);
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

    fn health(&mut self, kind: &'static str) -> Arc<Health> {
        let health = Arc::new(Health::default());
        self.health.push((kind, health.clone()));
        health
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
