//! Whose is a Service? Class, provider, tenancy.
//!
//! A Service is ours when its `loadBalancerClass` is `ferrolb.io/<name>` of a class object or of a provider that
//! runs here, or when it names none and we are told to take those. The claim itself is written as a finalizer
//! and an annotation *before* the first object is made, so that nothing is forgotten whatever happens next.

use std::collections::BTreeSet;

use ferrolb_provider::{Options, Owner, Problem};
use k8s_openapi::api::core::v1::{LoadBalancerIngress, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::conditions::UNKNOWN_CLASS;
use crate::{Class, Event, Reason, Severity, World};

/// Set before the first object is made, removed after the last one is gone.
pub const FINALIZER: &str = "ferrolb.io/cleanup";
/// Which provider holds objects of the Service. Needed when the class is no longer there to tell.
pub const PROVIDER_ANNOTATION: &str = "ferrolb.io/provider";
/// What our classes, annotations and conditions begin with.
pub const GROUP_PREFIX: &str = "ferrolb.io/";
/// Classes that exist without an object.
const BUILT_IN: [&str; 3] = ["elb", "layer2", "mock"];

/// What this controller was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Stable id of the cluster, part of every owner mark.
    pub cluster: String,
    /// The providers that run here.
    pub providers: BTreeSet<String>,
    /// Takes the Services that name no class; `None`: they are somebody else's.
    pub default_provider: Option<String>,
}

/// Whether a Service wants a load balancer from us, regardless of what it already has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It does.
    Ours {
        /// From this provider.
        provider: String,
        /// With these options of its class, which its annotations may override.
        parameters: Options,
    },
    /// It does not.
    NotOurs,
    /// It names a class in our group that means nothing here.
    Unknown {
        /// The class it names.
        class: String,
        /// What to tell the administrator.
        hint: String,
    },
    /// Its class is not for its namespace.
    Forbidden(Problem),
    /// Its class is gone while its load balancer has an address that somebody may rely on.
    Gone(Problem),
}

/// Whose `svc` is.
pub fn claim(svc: &Service, world: &World, settings: &Settings) -> Claim {
    if !is_load_balancer(svc) {
        return Claim::NotOurs;
    }
    match class_name(svc) {
        Some(class) => match class.strip_prefix(GROUP_PREFIX) {
            Some(name) => by_name(svc, name, world, settings),
            None => Claim::NotOurs,
        },
        None => without_class(svc, world, settings),
    }
}

/// What to tell about a class of ours that nobody can serve. One that another installation may serve, a built-in one or
/// one with an object, is its business.
pub fn unknown_class(svc: &Service, world: &World, settings: &Settings) -> Option<Event> {
    let Claim::Unknown { class, hint } = claim(svc, world, settings) else { return None };
    let name = class.strip_prefix(GROUP_PREFIX)?;
    let somebody = BUILT_IN.contains(&name) || world.class(name).is_some() || is_deleting(svc);
    (!somebody).then_some(Event { severity: Severity::Warning, reason: UNKNOWN_CLASS, message: hint })
}

/// Whether our finalizer is on it.
pub fn has_finalizer(svc: &Service) -> bool {
    let finalizers = svc.metadata.finalizers.as_deref().unwrap_or_default();
    finalizers.iter().any(|f| f == FINALIZER)
}

/// The addresses that its status names.
pub fn published(svc: &Service) -> &[LoadBalancerIngress] {
    let status = svc.status.as_ref().and_then(|s| s.load_balancer.as_ref());
    status.and_then(|s| s.ingress.as_deref()).unwrap_or_default()
}

/// The conditions in its status that are ours.
pub fn our_conditions(svc: &Service) -> impl Iterator<Item = &Condition> {
    let all = svc.status.iter().flat_map(|s| s.conditions.iter().flatten());
    all.filter(|c| c.type_.starts_with(GROUP_PREFIX))
}

/// Whether nothing on the Service tells of an earlier claim, so that nobody can have made anything for it yet. One
/// whose finalizer somebody took off still bears other traces; one whose input was wrong so far bears a condition
/// that says so, and nothing was called for it.
pub fn never_claimed(svc: &Service) -> bool {
    let served = !published(svc).is_empty();
    let mut ours = our_conditions(svc).peekable();
    let told = ours.peek().is_some();
    let refused = ours.any(|c| c.reason == Reason::Invalid.row().reason);
    !has_finalizer(svc) && holder(svc).is_none() && !served && (!told || refused)
}

/// Whether it bears conditions or the mark of ours although it is no load balancer any more and nothing holds it: its
/// input was wrong until its type changed, or somebody took the finalizer off. While it is a load balancer, another installation of ours may have written them.
pub fn has_leftovers(svc: &Service) -> bool {
    let conditions = svc.status.as_ref().and_then(|s| s.conditions.as_deref()).unwrap_or_default();
    let ours = conditions.iter().any(|c| c.type_.starts_with(GROUP_PREFIX));
    (ours || holder(svc).is_some()) && !is_load_balancer(svc) && !has_finalizer(svc) && !is_deleting(svc)
}

/// The provider that holds objects of it, as written down when it was claimed.
pub fn holder(svc: &Service) -> Option<&str> {
    let annotations = svc.metadata.annotations.as_ref()?;
    let name = annotations.get(PROVIDER_ANNOTATION)?;
    (!name.is_empty()).then_some(name)
}

/// Its identity towards a provider.
pub fn owner(svc: &Service, settings: &Settings) -> Owner {
    let meta = &svc.metadata;
    Owner {
        cluster: settings.cluster.clone(),
        uid: meta.uid.clone().unwrap_or_default(),
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
    }
}

pub(crate) fn is_load_balancer(svc: &Service) -> bool {
    let kind = svc.spec.as_ref().and_then(|s| s.type_.as_deref());
    kind == Some("LoadBalancer")
}

pub(crate) fn class_name(svc: &Service) -> Option<&str> {
    let class = svc.spec.as_ref()?.load_balancer_class.as_deref()?;
    (!class.is_empty()).then_some(class)
}

pub(crate) fn is_deleting(svc: &Service) -> bool {
    svc.metadata.deletion_timestamp.is_some()
}

fn by_name(svc: &Service, name: &str, world: &World, settings: &Settings) -> Claim {
    if let Some(class) = world.class(name) {
        return of_class(svc, class, settings);
    }
    if settings.providers.contains(name) {
        return Claim::Ours { provider: name.to_owned(), parameters: Options::new() };
    }
    if kept_by(svc, settings).is_some() {
        return Claim::Gone(Problem {
            option: "spec.loadBalancerClass".into(),
            at: String::new(),
            message: format!(
                "LoadBalancerClass {name:?} does not exist any more, so the load balancer is left as it is"
            ),
            valid: "create the class again, or delete the Service".into(),
        });
    }
    unknown(name, format!("there is no LoadBalancerClass {name:?}"), settings)
}

fn of_class(svc: &Service, class: &Class, settings: &Settings) -> Claim {
    let name = &class.name;
    if !settings.providers.contains(&class.provider) {
        let why = format!("LoadBalancerClass {name:?} is of provider {:?}, which does not run here", class.provider);
        if kept_by(svc, settings).is_some() {
            return Claim::Gone(Problem {
                option: "spec.loadBalancerClass".into(),
                at: String::new(),
                message: format!("{why}, so the load balancer is left as it is"),
                valid: "give the class its provider back, or delete the Service".into(),
            });
        }
        return unknown(name, why, settings);
    }
    let namespace = svc.metadata.namespace.as_deref().unwrap_or_default();
    let allowed = &class.allowed_namespaces;
    if !allowed.is_empty() && !allowed.contains(namespace) {
        return Claim::Forbidden(Problem {
            option: "spec.loadBalancerClass".into(),
            at: String::new(),
            message: format!("LoadBalancerClass {name:?} is not for namespace {namespace:?}"),
            valid: "use another class, or ask an administrator to add the namespace to allowedNamespaces".into(),
        });
    }
    Claim::Ours { provider: class.provider.clone(), parameters: class.parameters.clone() }
}

/// A Service without a class. One with an address stays where it is when the default changes: no flag and no
/// class object may tear down what somebody relies on.
fn without_class(svc: &Service, world: &World, settings: &Settings) -> Claim {
    let default = default_class(world).filter(|c| settings.providers.contains(&c.provider));
    if let Some(provider) = kept_by(svc, settings)
        && default.is_none_or(|c| c.provider != provider)
    {
        return by_name(svc, provider, world, settings);
    }
    match (default, &settings.default_provider) {
        (Some(class), _) => of_class(svc, class, settings),
        (None, Some(provider)) if settings.providers.contains(provider) => by_name(svc, provider, world, settings),
        _ => Claim::NotOurs,
    }
}

/// The newest default; of several made in the same second the first by name.
fn default_class(world: &World) -> Option<&Class> {
    let defaults = world.classes().filter(|c| c.default);
    // `max_by_key` takes the last of equals, and classes come by name.
    defaults.max_by_key(|c| (c.created, std::cmp::Reverse(c.name.as_str())))
}

/// The provider of this controller that serves `svc` with an address at this moment.
///
/// A Service that was another type in between has lost its address (the API server clears it), so its old claim
/// does not bind it any more.
fn kept_by<'a>(svc: &'a Service, settings: &Settings) -> Option<&'a str> {
    let provider = holder(svc).filter(|p| has_finalizer(svc) && settings.providers.contains(*p))?;
    (!published(svc).is_empty()).then_some(provider)
}

fn unknown(name: &str, why: String, settings: &Settings) -> Claim {
    let known: Vec<String> = settings.providers.iter().map(|p| format!("{GROUP_PREFIX}{p}")).collect();
    Claim::Unknown {
        class: format!("{GROUP_PREFIX}{name}"),
        hint: format!("{why}; without a class object there are: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests;
