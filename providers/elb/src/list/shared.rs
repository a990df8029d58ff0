//! What several passes ask for at about the same moment is asked for once.
//!
//! The filters of the cloud's lists take several values, so that one call can be for many Services and still answer
//! with what is theirs alone, however much else there is in the project. A pass joins a call that has not been sent,
//! never one that has: what it gets was listed after it asked, which is what the engine builds upon.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ferrolb_provider::{BoxFuture, Owner, ProviderError};
use futures::FutureExt;
use futures::future::{Shared, WeakShared, try_join_all};
use tracing::Instrument;

use super::members;
use crate::client::Client;
use crate::client::eip::EipJson;
use crate::client::elb::{BalancerJson, Filter, IpGroupJson, ListenerJson, MemberJson, MonitorJson, PoolJson, any};
use crate::mark;

/// How long a call waits for company: passes that are due at one moment do not ask at the very same one.
const WINDOW: Duration = Duration::from_millis(10);

/// Bytes of values in one call, so that the URL stays below 8 KiB with what is encoded in it.
const BYTES: usize = 4000;

/// The lists of one process.
pub(crate) struct Lists {
    /// By description, like all that have one.
    pub(super) balancers: List<BalancerJson>,
    pub(super) groups: List<IpGroupJson>,
    pub(super) listeners: List<ListenerJson>,
    pub(super) pools: List<PoolJson>,
    /// By alias.
    pub(super) eips: List<EipJson>,
    /// All under one value.
    every_eip: List<EipJson>,
    /// By the id of their pool.
    pub(super) members: List<MemberJson>,
    /// By id.
    pub(super) monitors: List<MonitorJson>,
}

impl Default for Lists {
    fn default() -> Self {
        // One API and one field: what it takes for one kind it takes for all.
        let takes_several = Arc::default();
        Self {
            balancers: List::new(
                &takes_several,
                |b| &b.description,
                |c, d| Box::pin(async move { c.balancers(described(&d)).await }),
            ),
            groups: List::new(
                &takes_several,
                |g| &g.description,
                |c, d| Box::pin(async move { c.ip_groups(described(&d)).await }),
            ),
            listeners: List::new(
                &takes_several,
                |l| &l.description,
                |c, d| Box::pin(async move { c.listeners(described(&d)).await }),
            ),
            pools: List::new(
                &takes_several,
                |p| &p.description,
                |c, d| Box::pin(async move { c.pools(described(&d)).await }),
            ),
            eips: List::new(
                &Arc::default(),
                |e| &e.alias,
                |c, a| Box::pin(async move { c.eips(any("alias", &a)).await }),
            ),
            every_eip: List::new(&Arc::default(), |_| "", |c, _| Box::pin(async move { c.eips(Filter::new()).await })),
            members: List::new(
                &Arc::default(),
                |m| m.pool_id.as_deref().unwrap_or_default(),
                |c, pools| Box::pin(async move { members::of_pools(&c, &pools).await }),
            ),
            monitors: List::new(
                &Arc::default(),
                |m| &m.id,
                |c, ids| Box::pin(async move { c.monitors(any("id", &ids)).await }),
            ),
        }
    }
}

impl Lists {
    /// The EIPs of the project, whosever they are.
    pub(super) async fn all_eips(&self, client: &Client) -> Result<Vec<EipJson>, ProviderError> {
        self.every_eip.of(client, vec![String::new()]).await
    }
}

fn described(descriptions: &[String]) -> Filter {
    any("description", descriptions)
}

/// One kind of object, found by the value of one field.
pub(super) struct List<T> {
    value: fn(&T) -> &str,
    call: ListCall<T>,
    /// The call that can still be joined.
    open: Mutex<Option<(Joinable, WeakShared<Call<T>>)>>,
    /// The cloud has answered with objects of two values at once.
    takes_several: Arc<AtomicBool>,
}

/// Lists the objects that have any of these values; without values, all.
type ListCall<T> = fn(Client, Vec<String>) -> BoxFuture<'static, Result<Vec<T>, ProviderError>>;

type Call<T> = BoxFuture<'static, Answer<T>>;

/// The objects by value.
type Answer<T> = Result<Arc<BTreeMap<String, Vec<T>>>, ProviderError>;

/// What a call will ask for; `None` once it is sent.
type Joinable = Arc<Mutex<Option<Wanted>>>;

struct Wanted {
    values: BTreeSet<String>,
    bytes: usize,
    /// Knows for whom the call is made, if for one alone.
    client: Client,
}

impl<T: Clone + Send + Sync + 'static> List<T> {
    fn new(takes_several: &Arc<AtomicBool>, value: fn(&T) -> &str, call: ListCall<T>) -> Self {
        Self { value, call, open: Mutex::default(), takes_several: takes_several.clone() }
    }

    /// The objects that bear the mark of `owner` in their description. Of an owner without names (found by an EIP) the
    /// mark is not known: all, and what comes is looked through.
    pub(super) async fn marked(&self, client: &Client, owner: &Owner) -> Result<Vec<T>, ProviderError> {
        if owner.name.is_empty() {
            return (self.call)(client.clone(), Vec::new()).await;
        }
        self.of(client, vec![mark::description(owner)]).await
    }

    /// The objects that have any of `values`, listed from now on.
    ///
    /// # Errors
    /// Those of the call reach everybody who joined it.
    pub(super) async fn of(&self, client: &Client, values: Vec<String>) -> Result<Vec<T>, ProviderError> {
        let each = values.into_iter().map(async |value| {
            let answer = self.join(client, &value).await?;
            Ok::<_, ProviderError>(answer.get(&value).cloned().unwrap_or_default())
        });
        Ok(try_join_all(each).await?.into_iter().flatten().collect())
    }

    /// The call that asks for `value`. It goes on as long as anybody waits for it.
    fn join(&self, client: &Client, value: &str) -> Shared<Call<T>> {
        let mut open = lock(&self.open);
        if let Some((wanted, call)) = &*open
            && let Some(call) = call.upgrade()
            && lock(wanted).as_mut().is_some_and(|wanted| wanted.add(client, value))
        {
            return call;
        }
        let mut first = Wanted { values: BTreeSet::new(), bytes: 0, client: client.clone() };
        first.add(client, value);
        let wanted: Joinable = Arc::new(Mutex::new(Some(first)));
        let (joined, by, call, takes_several) = (wanted.clone(), self.value, self.call, self.takes_several.clone());
        let answer = async move {
            tokio::time::sleep(WINDOW).await;
            let wanted = lock(&joined).take();
            match wanted {
                Some(wanted) => send(wanted, by, call, &takes_several).await,
                None => Ok(Arc::default()),
            }
        };
        // It is nobody's in particular, whoever happens to drive it.
        let answer: Call<T> = Box::pin(answer.instrument(tracing::debug_span!(parent: None, "shared list")));
        let answer = answer.shared();
        *open = answer.downgrade().map(|call| (wanted, call));
        answer
    }
}

async fn send<T>(wanted: Wanted, by: fn(&T) -> &str, call: ListCall<T>, takes_several: &AtomicBool) -> Answer<T> {
    let Wanted { values, client, .. } = wanted;
    let mut found: BTreeMap<String, Vec<T>> = BTreeMap::new();
    let mut objects = call(client.clone(), values.iter().cloned().collect()).await?;
    let shown: BTreeSet<&str> = objects.iter().map(by).filter(|value| values.contains(*value)).collect();
    if shown.len() > 1 {
        takes_several.store(true, Ordering::Relaxed);
    } else if values.len() > 1 && !takes_several.load(Ordering::Relaxed) {
        // What is not seen is made again, so a cloud that heeds only one of the values must be found out: by asking for
        // one alone, or else for all there are.
        let mut missing: Vec<String> = values.iter().filter(|value| !shown.contains(value.as_str())).cloned().collect();
        if missing.len() > 1 {
            missing.clear();
        }
        let unseen = |object: &T| !shown.contains(by(object));
        let more: Vec<T> = call(client.clone(), missing).await?.into_iter().filter(unseen).collect();
        objects.extend(more);
    }
    // A cloud that does not know the filter tells of others, too.
    for object in objects {
        if let Some(value) = values.get(by(&object)) {
            found.entry(value.clone()).or_default().push(object);
        }
    }
    Ok(Arc::new(found))
}

impl Wanted {
    /// Adds a value, if there is room for it.
    fn add(&mut self, client: &Client, value: &str) -> bool {
        if !self.values.contains(value) {
            // Its name, and what is encoded.
            let bytes = self.bytes + value.len() + 20;
            if bytes > BYTES {
                return false;
            }
            self.bytes = bytes;
            self.values.insert(value.to_owned());
        }
        self.client = self.client.and_of(client);
        true
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
