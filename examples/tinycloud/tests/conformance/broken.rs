//! Copies of the example with one mistake each.

use std::collections::BTreeSet;
use std::time::Duration;

use ferrolb_example_tinycloud::{TinyProvider, TinyResource, TinySubject, TinyWorld};
use ferrolb_provider::conformance::{Call, Cloud, Facts, Fault, Object, Subject};
use ferrolb_provider::{Desired, Detail, Model, Owner, Problem, Provider, ProviderError, Seen, Serving, Step, Verb};
use reqwest::Method;
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, ProviderError>;
type Found = Seen<TinyResource>;

/// The mistakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    None,
    NoMark,
    MarkInASecondCall,
    DeleteErrorSwallowed,
    LostAnswerTakenForNo,
    FailedListIsEmpty,
    FirstPageOnly,
    OwnerByName,
    CleansUpTooMuch,
    ThrottledAndOn,
    UpdateForgotten,
    AgesReversed,
    /// Not the provider's: the test cloud's.
    NoFaults,
}

/// The example's provider with a mistake.
pub struct BrokenProvider {
    bug: Bug,
    inner: TinyProvider,
    http: reqwest::Client,
    url: String,
}

impl BrokenProvider {
    /// A call that the provider has no function for.
    async fn call(&self, method: Method, path: &str, body: Value) -> Result<Value> {
        let lost = |error: reqwest::Error| {
            ProviderError::Ambiguous(Detail { call: path.to_owned(), message: error.to_string(), ..Detail::default() })
        };
        let answer = self.http.request(method, format!("{}/{path}", self.url)).json(&body).send().await;
        let text = answer.map_err(lost)?.text().await.map_err(lost)?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    async fn first_page(&self) -> Result<BTreeSet<String>> {
        let mut ids = BTreeSet::new();
        for kind in ["balancer", "rule"] {
            let page = self.call(Method::GET, kind, Value::Null).await?;
            let throttled = || ProviderError::Throttled { after: None, detail: Detail::default() };
            ids.extend(
                page["items"].as_array().ok_or_else(throttled)?.iter().map(|o| o["id"].as_str().unwrap().to_owned()),
            );
        }
        Ok(ids)
    }
}

/// An owner that no mark tells anything of.
fn nobody() -> Owner {
    let nothing = String::new;
    Owner { cluster: nothing(), uid: nothing(), namespace: nothing(), name: nothing() }
}

impl Provider for BrokenProvider {
    type Resource = TinyResource;

    fn model(&self, want: &Desired) -> std::result::Result<Model<TinyResource>, Vec<Problem>> {
        self.inner.model(want)
    }

    async fn list(&self, owner: &Owner, model: &[TinyResource]) -> Result<Vec<Found>> {
        let listed = self.inner.list(owner, model).await;
        if self.bug == Bug::FailedListIsEmpty && matches!(listed, Err(ProviderError::Ambiguous(_))) {
            return Ok(Vec::new());
        }
        let mut listed = listed?;
        match self.bug {
            Bug::FirstPageOnly => {
                let page = self.first_page().await?;
                listed.retain(|s| page.contains(&s.id.0));
            }
            Bug::OwnerByName => {
                for other in self.inner.owners(&owner.cluster).await? {
                    if other.uid != owner.uid && other.namespace == owner.namespace && other.name == owner.name {
                        listed.extend(self.inner.list(&other, model).await?);
                    }
                }
            }
            Bug::AgesReversed => {
                for seen in &mut listed {
                    let age: u64 = seen.created.parse().unwrap();
                    seen.created = format!("{:020}", u64::MAX - age);
                }
            }
            _ => {}
        }
        Ok(listed)
    }

    async fn apply(&self, owner: &Owner, step: &Step<TinyResource>) -> Result<Vec<Found>> {
        match (self.bug, step.verb) {
            (Bug::NoMark, Verb::Create) => {
                let mut made = self.inner.apply(&nobody(), step).await?;
                made.iter_mut().for_each(|s| s.owned = true);
                Ok(made)
            }
            (Bug::MarkInASecondCall, Verb::Create) => {
                let mut made = self.inner.apply(&nobody(), step).await?;
                for seen in &mut made {
                    let path = format!("{}/{}", step.items[0].slot.kind(), seen.id);
                    let mark = ferrolb_example_tinycloud::Mark::of(owner);
                    self.call(Method::PUT, &path, json!({ "mark": mark })).await?;
                    seen.owned = true;
                }
                Ok(made)
            }
            (Bug::DeleteErrorSwallowed, Verb::Delete) => Ok(self.inner.apply(owner, step).await.unwrap_or_default()),
            (Bug::CleansUpTooMuch, Verb::Delete) => {
                self.inner.apply(owner, step).await?;
                for id in self.first_page().await?.iter().filter(|id| id.starts_with("rule")) {
                    self.call(Method::DELETE, &format!("rule/{id}"), Value::Null).await?;
                }
                Ok(Vec::new())
            }
            (Bug::UpdateForgotten, Verb::Update) => {
                let mut seen = step.items[0].seen.clone().unwrap();
                seen.resource = step.items[0].resource.clone();
                Ok(vec![seen])
            }
            (Bug::ThrottledAndOn, _) => match self.inner.apply(owner, step).await {
                Err(ProviderError::Throttled { .. }) => self.inner.apply(owner, step).await,
                other => other,
            },
            (Bug::LostAnswerTakenForNo, _) => self.inner.apply(owner, step).await.map_err(|error| match error {
                ProviderError::Ambiguous(detail) => ProviderError::Unavailable(detail),
                other => other,
            }),
            _ => self.inner.apply(owner, step).await,
        }
    }

    fn status(&self, model: &[TinyResource], seen: &[Found]) -> Serving {
        self.inner.status(model, seen)
    }

    async fn owners(&self, cluster: &str) -> Result<Vec<Owner>> {
        self.inner.owners(cluster).await
    }
}

/// The example's subject with that provider.
pub struct Broken {
    pub bug: Bug,
    pub subject: TinySubject,
}

pub struct BrokenWorld {
    bug: Bug,
    world: TinyWorld,
    http: reqwest::Client,
}

impl Subject for Broken {
    type Cloud = BrokenWorld;

    fn facts(&self) -> Facts {
        // A mistake may well cost calls; that is not what it is to be found by.
        Facts { budgets: None, ..self.subject.facts() }
    }

    async fn empty_cloud(&self) -> BrokenWorld {
        BrokenWorld { bug: self.bug, world: self.subject.empty_cloud().await, http: self.subject.http() }
    }

    fn wrong(&self, sample: &Desired) -> Vec<Desired> {
        self.subject.wrong(sample)
    }

    fn adopting(&self, sample: &Desired, id: &str) -> Option<Desired> {
        self.subject.adopting(sample, id)
    }

    fn clashing(&self, sample: &Desired, id: &str) -> Option<Desired> {
        self.subject.clashing(sample, id)
    }
}

impl Cloud for BrokenWorld {
    type Provider = BrokenProvider;

    fn provider(&self) -> BrokenProvider {
        let url = self.world.cloud.url.clone();
        BrokenProvider { bug: self.bug, inner: self.world.provider(), http: self.http.clone(), url }
    }

    fn now(&self) -> Duration {
        self.world.now()
    }

    async fn pause(&self, time: Duration) {
        self.world.pause(time).await;
    }

    async fn calls(&self) -> Vec<Call> {
        self.world.calls().await
    }

    async fn objects(&self, owner: &Owner) -> Vec<Object> {
        self.world.objects(owner).await
    }

    async fn set_fault(&self, fault: Option<(usize, Fault)>) {
        if self.bug != Bug::NoFaults {
            self.world.set_fault(fault).await;
        }
    }

    async fn set_lag(&self, on: bool) {
        self.world.set_lag(on).await;
    }

    async fn add_foreign(&self, like: &Desired) -> Option<String> {
        self.world.add_foreign(like).await
    }
}
