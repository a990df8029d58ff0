//! The provider. Two kinds of objects: a balancer has the address, a rule sends one of its ports to targets.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use ferrolb_provider::{
    Address, Change, Desired, Detail, Id, IpMode, Model, Owner, Problem, Protocol, Provider, ProviderError, Resource,
    Seen, Serving, Slot, State, Step, Verb,
};
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, ProviderError>;

const KINDS: [&str; 2] = ["balancer", "rule"];

/// One object, as wished or as found.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum TinyResource {
    /// Has the address.
    Balancer {
        /// `small` or `large`.
        size: String,
        /// Found: the address.
        #[serde(skip_serializing_if = "Option::is_none")]
        address: Option<IpAddr>,
        /// Wished: the user's own, by this id.
        #[serde(skip)]
        adopted: Option<String>,
    },
    /// Sends a port somewhere.
    Rule {
        /// Transport protocol.
        protocol: Protocol,
        /// Port on the balancer's address.
        port: u16,
        /// Where to, in ascending order.
        targets: Vec<SocketAddr>,
    },
}

impl Resource for TinyResource {
    fn slot(&self) -> Slot {
        match self {
            Self::Balancer { .. } => Slot::new("balancer", "main"),
            Self::Rule { protocol, port, .. } => Slot::new("rule", format_args!("{protocol}:{port}")),
        }
    }

    fn parents(&self) -> Vec<Slot> {
        match self {
            Self::Balancer { .. } => Vec::new(),
            Self::Rule { .. } => vec![Slot::new("balancer", "main")],
        }
    }

    fn change(&self, seen: &Self) -> Change {
        // Only what we set: the address is the cloud's.
        match (self, seen) {
            (Self::Balancer { size: want, .. }, Self::Balancer { size: is, .. }) if want != is => {
                Change::Update(vec!["size"])
            }
            (Self::Rule { targets: want, .. }, Self::Rule { targets: is, .. }) if want != is => {
                Change::Update(vec!["targets"])
            }
            _ => Change::None,
        }
    }

    fn addresses(&self) -> Vec<IpAddr> {
        match self {
            Self::Balancer { address, .. } => address.iter().copied().collect(),
            Self::Rule { .. } => Vec::new(),
        }
    }

    fn adopted(&self) -> Option<Id> {
        match self {
            Self::Balancer { adopted, .. } => adopted.clone().map(Id),
            Self::Rule { .. } => None,
        }
    }
}

/// The owner mark: the text that every object of ours carries from its creation on.
pub struct Mark;

impl Mark {
    /// The mark of an owner.
    pub fn of(owner: &Owner) -> String {
        let Owner { cluster, uid, namespace, name } = owner;
        format!("ferrolb {cluster} {uid} {namespace}/{name}")
    }

    /// Whose mark it is, if it is one.
    pub fn owner(mark: &str) -> Option<Owner> {
        let mut words = mark.split(' ');
        let mut word = || words.next();
        let ("ferrolb", cluster, uid, service) = (word()?, word()?, word()?, word()?) else { return None };
        let (namespace, name) = service.split_once('/')?;
        let [cluster, uid, namespace, name] = [cluster, uid, namespace, name].map(str::to_owned);
        Some(Owner { cluster, uid, namespace, name })
    }

    /// Cluster and UID identify; the names are for people.
    pub fn is_of(mark: &str, owner: &Owner) -> bool {
        Self::owner(mark).is_some_and(|found| found.cluster == owner.cluster && found.uid == owner.uid)
    }
}

/// An object as the cloud writes it.
#[derive(Deserialize)]
struct Wire {
    id: String,
    mark: String,
    created: u64,
    balancer: Option<String>,
    #[serde(flatten)]
    resource: TinyResource,
}

impl Wire {
    fn seen(self, owner: &Owner) -> Seen<TinyResource> {
        Seen {
            id: Id(self.id),
            resource: self.resource,
            parents: self.balancer.into_iter().map(Id).collect(),
            owned: Mark::is_of(&self.mark, owner),
            created: format!("{:020}", self.created),
            state: State::Ready,
        }
    }
}

/// The provider: a client of the cloud's API.
pub struct TinyProvider {
    http: reqwest::Client,
    url: String,
}

impl TinyProvider {
    /// For the cloud at this address.
    pub fn new(url: impl Into<String>, http: reqwest::Client) -> Self {
        Self { http, url: url.into() }
    }

    /// One call. Errors by what they mean: was it applied, will it ever be, does it help to try again?
    async fn call(&self, method: Method, path: &str, body: Value) -> Result<Value> {
        let detail = |message: String| Detail { call: format!("{method} {path}"), message, ..Detail::default() };
        let request = self.http.request(method.clone(), format!("{}/{path}", self.url)).json(&body);
        let answer = request.send().await.map_err(|error| match error.is_connect() {
            true => ProviderError::Unavailable(detail(error.to_string())),
            false => ProviderError::Ambiguous(detail(error.to_string())),
        })?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| ProviderError::Ambiguous(detail(error.to_string())))?;
        let said = detail(format!("{status}: {text}"));
        match status {
            // A deletion says nothing.
            _ if status.is_success() => Ok(serde_json::from_str(&text).unwrap_or_default()),
            StatusCode::NOT_FOUND => Err(ProviderError::NotFound(said)),
            StatusCode::TOO_MANY_REQUESTS => Err(ProviderError::Throttled { after: None, detail: said }),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(ProviderError::Denied(said)),
            _ if status.is_client_error() => Err(ProviderError::Refused(said)),
            _ => Err(ProviderError::Ambiguous(said)),
        }
    }

    /// Everything of a kind, page by page to the last.
    async fn all(&self, kind: &str) -> Result<Vec<Wire>> {
        let (mut all, mut next) = (Vec::new(), Some(0));
        while let Some(page) = next {
            let path = format!("{kind}?page={page}");
            let mut answer = self.call(Method::GET, &path, Value::Null).await?;
            next = answer["next"].as_u64();
            all.extend(read::<Vec<Wire>>(&path, answer["items"].take())?);
        }
        Ok(all)
    }
}

/// An answer that cannot be read tells nothing about what was done.
fn read<T: serde::de::DeserializeOwned>(call: &str, answer: Value) -> Result<T> {
    serde_json::from_value(answer).map_err(|error| {
        let (call, message) = (call.to_owned(), format!("cannot read the answer: {error}"));
        ProviderError::Ambiguous(Detail { call, message, ..Detail::default() })
    })
}

impl Provider for TinyProvider {
    type Resource = TinyResource;

    fn model(&self, want: &Desired) -> std::result::Result<Model<TinyResource>, Vec<Problem>> {
        let option = |name: &str| want.options.get(&format!("tinycloud.example/{name}")).cloned();
        let size = option("size").unwrap_or_else(|| "small".to_owned());
        let mut problems = Vec::new();
        let mut problem = |option: &str, message: String, valid: &str| {
            let (option, at, valid) = (option.to_owned(), String::new(), valid.to_owned());
            problems.push(Problem { option, at, message, valid });
        };
        if !["small", "large"].contains(&size.as_str()) {
            problem("tinycloud.example/size", format!("{size:?} is no size"), "small or large");
        }
        let mut resources = vec![TinyResource::Balancer { size, address: None, adopted: option("balancer") }];
        for port in &want.ports {
            if port.protocol == Protocol::Sctp {
                problem("spec.ports", format!("port {}: SCTP cannot be balanced", port.port), "TCP or UDP");
            }
            let targets: BTreeSet<_> = port.backends.iter().map(|b| SocketAddr::new(b.address, b.port)).collect();
            let (protocol, port, targets) = (port.protocol, port.port, targets.into_iter().collect());
            resources.push(TinyResource::Rule { protocol, port, targets });
        }
        if problems.is_empty() { Ok(Model { resources, warnings: Vec::new() }) } else { Err(problems) }
    }

    async fn list(&self, owner: &Owner, model: &[TinyResource]) -> Result<Vec<Seen<TinyResource>>> {
        let adopted = model.iter().find_map(Resource::adopted);
        let mut seen = Vec::new();
        for kind in KINDS {
            seen.extend(self.all(kind).await?.into_iter().map(|wire| wire.seen(owner)));
        }
        seen.retain(|s| s.owned || Some(&s.id) == adopted.as_ref());
        Ok(seen)
    }

    async fn apply(&self, owner: &Owner, step: &Step<TinyResource>) -> Result<Vec<Seen<TinyResource>>> {
        let item = &step.items[0]; // one per step, since Resource::batch says nothing else
        let kind = item.slot.kind();
        let one = item.seen.as_ref().map(|s| format!("{kind}/{}", s.id)).unwrap_or_default();
        let mut body = json!(item.resource);
        let answer = match step.verb {
            Verb::Create => {
                body["mark"] = Mark::of(owner).into();
                body["balancer"] = json!(step.parents.first().map(|parent| &parent.id));
                self.call(Method::POST, kind, body).await?
            }
            Verb::Update => self.call(Method::PUT, &one, body).await?,
            Verb::Delete => return self.call(Method::DELETE, &one, Value::Null).await.map(|_| Vec::new()),
        };
        Ok(vec![read::<Wire>(kind, answer)?.seen(owner)])
    }

    fn status(&self, _: &[TinyResource], seen: &[Seen<TinyResource>]) -> Serving {
        let rules = |balancer: &Id| {
            let rules = seen.iter().filter(|s| s.owned && s.parents.contains(balancer));
            let port = |s: &Seen<_>| match s.resource {
                TinyResource::Rule { protocol, port, .. } => Some((protocol, port)),
                TinyResource::Balancer { .. } => None,
            };
            rules.filter_map(port).collect()
        };
        let address = |s: &Seen<_>| match s.resource {
            TinyResource::Balancer { address: Some(ip), .. } => {
                Some(Address { ip, mode: IpMode::Proxy, ports: rules(&s.id) })
            }
            _ => None,
        };
        Serving { addresses: seen.iter().filter_map(address).collect(), ..Serving::default() }
    }

    async fn owners(&self, cluster: &str) -> Result<Vec<Owner>> {
        let mut owners = BTreeSet::new();
        for kind in KINDS {
            owners.extend(self.all(kind).await?.iter().filter_map(|wire| Mark::owner(&wire.mark)));
        }
        Ok(owners.into_iter().filter(|o| o.cluster == cluster).collect())
    }
}
