//! A cloud in memory with virtual time: calls take a second, lists lag, and any call can go wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::toy::{Toy, toy};
use crate::{
    ALLOW_INTERRUPTION, Address, Claim, Desired, Detail, Host, Id, IpMode, Model, Owner, Problem, Provider,
    ProviderError, Resource, Seen, Serving, Slot, State, Step, Verb,
};

/// How long a call takes.
pub(super) const CALL: Duration = Duration::from_secs(1);
/// How long after a call was given up it may still be applied.
pub(super) const LATE: Duration = Duration::from_secs(6);
/// How far lists lag.
pub(super) const LAG: Duration = Duration::from_secs(3);
/// More than `LATE + LAG`.
pub(super) const SETTLE: Duration = Duration::from_secs(10);

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The process, or only the task, ends while the call is on its way, and the call has this effect.
    Crash(Effect),
    Cancel(Effect),
    /// No answer.
    NoAnswer(Effect),
    Throttled,
    Denied,
    Unavailable,
    Refused,
    /// Answered, but then the right to write is gone.
    Permit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Never,
    AtOnce,
    Late,
}

impl Fault {
    pub fn all() -> Vec<Self> {
        use Effect::{AtOnce, Late, Never};
        let mut all = vec![Self::Throttled, Self::Denied, Self::Unavailable, Self::Refused, Self::Permit];
        for effect in [Never, AtOnce, Late] {
            all.extend([Self::Crash(effect), Self::Cancel(effect), Self::NoAnswer(effect)]);
        }
        all
    }
}

/// How lists lag behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lag {
    None,
    Always,
    /// Every other list, as when replicas take turns.
    Flapping,
}

#[derive(Clone, Debug)]
pub(super) struct Object {
    pub owner: String,
    pub seen: Seen<Toy>,
}

pub(super) type Objects = BTreeMap<u32, Object>;

pub(super) struct Cloud {
    pub now: Duration,
    pub objects: Objects,
    /// Earlier states, for lists that lag.
    history: Vec<(Duration, Objects)>,
    /// Calls given up that will be applied.
    pub late: Vec<(Duration, Owner, Step<Toy>)>,
    /// By number of the call.
    pub faults: BTreeMap<usize, Fault>,
    /// Refuses every write to objects of this kind.
    pub refuses: Option<&'static str>,
    /// Who asked before for which places.
    pub elders: BTreeMap<Slot, Owner>,
    /// The places that were asked for last.
    pub asked: Vec<Claim>,
    /// Objects that are created take this long until they can be used.
    pub builds: Duration,
    /// Deleted objects are answered with "not found" though they exist, until this moment.
    pub blind_until: Duration,
    /// Members that pass their check; `None`: there are no checks.
    pub serving: Option<Vec<&'static str>>,
    /// Answers to writes are empty.
    pub mute: bool,
    pub lag: Lag,
    pub calls: usize,
    pub permit: bool,
    pub crashed: bool,
    /// What happened, if somebody wants to read it.
    pub log: Option<Vec<String>>,
    /// Whether ever two objects took one slot.
    pub doubled: bool,
    /// The fewest members that a pool had since it had two.
    pub fewest: Option<usize>,
    next: u32,
}

impl Cloud {
    pub fn new(lag: Lag) -> Self {
        Self {
            now: Duration::from_secs(1000),
            objects: Objects::new(),
            history: vec![(Duration::ZERO, Objects::new())],
            late: Vec::new(),
            faults: BTreeMap::new(),
            refuses: None,
            elders: BTreeMap::new(),
            asked: Vec::new(),
            builds: Duration::ZERO,
            blind_until: Duration::ZERO,
            serving: None,
            mute: false,
            lag,
            calls: 0,
            permit: true,
            crashed: false,
            log: None,
            doubled: false,
            fewest: None,
            next: 0,
        }
    }

    /// Puts an object there by hand.
    pub fn put(&mut self, owner: &str, what: Toy, parents: Vec<Id>) -> Id {
        self.next += 1;
        let mut seen = what.seen(&format!("{:04}", self.next), &[]);
        seen.parents = parents;
        let id = seen.id.clone();
        let owner = owner.to_owned();
        self.objects.insert(self.next, Object { owner, seen });
        self.changed();
        id
    }

    /// What somebody does by hand.
    pub fn edit(&mut self, f: impl FnOnce(&mut Objects)) {
        f(&mut self.objects);
        self.changed();
    }

    pub fn of(&self, owner: &str) -> Vec<&Seen<Toy>> {
        let ours = self.objects.values().filter(|o| o.owner == owner);
        ours.map(|o| &o.seen).collect()
    }

    /// Lets time pass, with what happens in it.
    pub fn pass_time(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            let due = self.late.iter().position(|(at, ..)| *at <= until);
            let Some(due) = due else { break };
            let (at, owner, step) = self.late.remove(due);
            self.now = self.now.max(at);
            let done = self.perform(&owner, &step).is_ok();
            self.note(|| format!("late {step}: {done}"));
        }
        self.now = until;
    }

    fn note(&mut self, text: impl FnOnce() -> String) {
        if let Some(log) = &mut self.log {
            log.push(format!("{:>5} {}", self.now.as_secs(), text()));
        }
    }

    fn changed(&mut self) {
        let oldest = self.now.saturating_sub(LAG);
        let past = self.history.iter().rposition(|(at, _)| *at <= oldest);
        self.history.drain(..past.unwrap_or(0));
        self.history.push((self.now, self.objects.clone()));
        let mut slots: Vec<_> = self.objects.values().map(|o| (o.owner.clone(), o.seen.resource.slot())).collect();
        slots.sort();
        self.doubled |= slots.windows(2).any(|w| w[0] == w[1] && !w[0].0.is_empty());
        let members = slots.iter().filter(|(_, s)| s.kind() == "member").count();
        self.fewest = match self.fewest {
            None if members < 2 => None,
            fewest => Some(fewest.unwrap_or(members).min(members)),
        };
    }

    fn list(&mut self, owner: &Owner) -> Vec<Seen<Toy>> {
        let lags = match self.lag {
            Lag::None => false,
            Lag::Always => true,
            Lag::Flapping => self.calls.is_multiple_of(2),
        };
        let as_of = if lags { self.now - LAG } else { self.now };
        let (_, objects) = self.history.iter().rfind(|(at, _)| *at <= as_of).unwrap();
        let mut list: Vec<Seen<Toy>> =
            objects.values().map(|o| Seen { owned: o.owner == owner.uid, ..self.dress(&o.seen) }).collect();
        list.reverse(); // no order is promised
        list
    }

    /// With the state of this moment.
    fn dress(&self, seen: &Seen<Toy>) -> Seen<Toy> {
        let mut seen = seen.clone();
        let born: u64 = seen.created.parse().unwrap_or_default();
        if self.now < Duration::from_secs(born) + self.builds {
            seen.state = State::Pending("BUILD".into());
        }
        if let Some(serving) = self.serving.as_ref().filter(|_| seen.resource.kind == "member") {
            seen.resource.serves = Some(serving.contains(&seen.resource.what.as_str()));
        }
        seen
    }

    fn find(&self, id: &Id) -> Option<u32> {
        let number = id.0.parse().ok()?;
        self.objects.contains_key(&number).then_some(number)
    }

    /// One write as a cloud does it: all of it or nothing.
    fn perform(&mut self, owner: &Owner, step: &Step<Toy>) -> Result<Vec<Seen<Toy>>, ProviderError> {
        let parents: Vec<Id> = step.parents.iter().map(|p| p.id.clone()).collect();
        let kind = step.items[0].resource.kind;
        if self.refuses == Some(kind) {
            return Err(ProviderError::Refused(detail("not this kind")));
        }
        if parents.iter().any(|p| self.find(p).is_none()) {
            return Err(ProviderError::NotFound(detail("no such parent")));
        }
        let mut answer = Vec::new();
        let mut objects = self.objects.clone();
        for item in &step.items {
            if step.verb == Verb::Create {
                assert_eq!(parents.len(), item.resource.parents().len());
                let exists = |o: &Object| o.seen.parents == parents && o.seen.resource.slot() == item.slot;
                if item.resource.has_natural_key() && objects.values().any(exists) {
                    return Err(ProviderError::Refused(detail("exists")));
                }
                self.next += 1;
                let mut seen = item.resource.clone().seen(&format!("{:04}", self.next), &[]);
                seen.parents = parents.clone();
                seen.created = format!("{:05}", self.now.as_secs());
                answer.push(self.dress(&seen));
                let owner = owner.uid.clone();
                objects.insert(self.next, Object { owner, seen });
                continue;
            }
            let id = &item.seen.as_ref().unwrap().id;
            let Some(number) = self.find(id).filter(|_| self.now >= self.blind_until) else {
                return Err(ProviderError::NotFound(detail("no such object")));
            };
            assert_eq!(objects[&number].owner, owner.uid, "touches what is not its own");
            if step.verb == Verb::Update {
                let seen = &mut objects.get_mut(&number).unwrap().seen;
                seen.resource = item.resource.clone();
                seen.parents = parents.clone();
                answer.push(self.dress(&seen.clone()));
                continue;
            }
            if item.resource.kind == "eip" {
                let seen = &mut objects.get_mut(&number).unwrap().seen;
                if !seen.parents.is_empty() {
                    seen.parents.clear();
                    answer.push(seen.clone());
                    continue;
                }
            }
            objects.remove(&number);
            for o in objects.values_mut().filter(|o| o.seen.resource.kind == "eip") {
                o.seen.parents.retain(|p| p != id);
            }
            if objects.values().any(|o| o.seen.parents.contains(id)) {
                return Err(ProviderError::Refused(detail("in use")));
            }
        }
        self.objects = objects;
        self.changed();
        answer.retain(|_| !self.mute);
        Ok(answer)
    }
}

fn detail(message: &str) -> Detail {
    Detail { message: message.to_owned(), ..Detail::default() }
}

/// The cloud as one process sees it.
#[derive(Clone)]
pub(super) struct Client(pub Arc<Mutex<Cloud>>);

impl Client {
    pub fn cloud(&self) -> MutexGuard<'_, Cloud> {
        self.0.lock().unwrap()
    }

    /// One call: `f` does it. `Ok(None)` is a call during which the caller died.
    fn call<T>(
        &self,
        owner: &Owner,
        step: Option<&Step<Toy>>,
        f: impl FnOnce(&mut Cloud) -> Result<T, ProviderError>,
    ) -> Result<Option<T>, ProviderError> {
        let cloud = &mut *self.cloud();
        assert!(step.is_none() || cloud.permit, "a write without permit");
        let fault = cloud.faults.remove(&cloud.calls);
        cloud.calls += 1;
        // A list is as old as its question, a write as young as its answer.
        let early = step.is_none();
        if !early {
            cloud.pass_time(CALL);
        }
        let answer = match fault {
            None => f(cloud).map(Some),
            Some(Fault::Permit) => {
                cloud.permit = false;
                f(cloud).map(Some)
            }
            Some(Fault::Throttled) => Err(ProviderError::Throttled { after: None, detail: detail("slow") }),
            Some(Fault::Denied) => Err(ProviderError::Denied(detail("who?"))),
            Some(Fault::Unavailable) => Err(ProviderError::Unavailable(detail("busy"))),
            Some(Fault::Refused) => Err(ProviderError::Refused(detail("no"))),
            Some(Fault::Crash(effect) | Fault::Cancel(effect) | Fault::NoAnswer(effect)) => {
                match effect {
                    Effect::Never => {}
                    Effect::AtOnce => drop(f(cloud)),
                    Effect::Late => {
                        let at = cloud.now + LATE;
                        cloud.late.extend(step.map(|s| (at, owner.clone(), s.clone())));
                    }
                }
                Err(ProviderError::Ambiguous(detail("no answer")))
            }
        };
        cloud.note(|| {
            let what = step.map_or("list".to_owned(), ToString::to_string);
            let heard = if answer.is_ok() { "ok" } else { "failed" };
            format!("{what}: {heard} {fault:?}")
        });
        if early {
            cloud.pass_time(CALL);
        }
        cloud.crashed = matches!(fault, Some(Fault::Crash(_)));
        match fault {
            Some(Fault::Crash(_) | Fault::Cancel(_)) => Ok(None),
            _ => answer,
        }
    }
}

async fn or_die<T>(answer: Result<Option<T>, ProviderError>) -> Result<T, ProviderError> {
    match answer.transpose() {
        Some(answer) => answer,
        None => std::future::pending().await,
    }
}

impl Host for Client {
    fn now(&self) -> Duration {
        self.cloud().now
    }

    fn may_write(&self) -> bool {
        self.cloud().permit
    }

    fn claim(&self, _: &Owner, claims: &[Claim]) -> BTreeMap<Slot, Owner> {
        self.cloud().asked = claims.to_vec();
        self.cloud().elders.clone()
    }
}

impl Provider for Client {
    type Resource = Toy;

    /// `options` are the model: slot → `value` or `value.shape`, or `@id` of what is the user's.
    fn model(&self, want: &Desired) -> Result<Model<Toy>, Vec<Problem>> {
        let resource = |(slot, text): (&String, &String)| {
            if let Some(id) = text.strip_prefix('@') {
                return toy(slot).adopt(id);
            }
            let (value, shape) = text.split_once('.').unwrap_or((text, "0"));
            toy(slot).value(value.parse().unwrap()).shape(shape.parse().unwrap())
        };
        let slots = want.options.iter().filter(|(slot, _)| *slot != ALLOW_INTERRUPTION);
        Ok(Model { resources: slots.map(resource).collect(), warnings: Vec::new() })
    }

    async fn list(&self, owner: &Owner, _: &[Toy]) -> Result<Vec<Seen<Toy>>, ProviderError> {
        or_die(self.call(owner, None, |cloud| Ok(cloud.list(owner)))).await
    }

    async fn apply(&self, owner: &Owner, step: &Step<Toy>) -> Result<Vec<Seen<Toy>>, ProviderError> {
        or_die(self.call(owner, Some(step), |cloud| cloud.perform(owner, step))).await
    }

    fn status(&self, _: &[Toy], seen: &[Seen<Toy>]) -> Serving {
        let eips = seen.iter().filter(|s| s.owned && s.resource.kind == "eip");
        let address = |s: &Seen<Toy>| Address {
            ip: IpAddr::from(s.id.0.parse::<u32>().unwrap().to_be_bytes()),
            mode: IpMode::Vip,
            ports: Vec::new(),
        };
        Serving { addresses: eips.map(address).collect(), ..Serving::default() }
    }

    /// A mark holds the identity only, no names.
    async fn owners(&self, cluster: &str) -> Result<Vec<Owner>, ProviderError> {
        let owner = |uid: &String| Owner {
            cluster: cluster.to_owned(),
            uid: uid.clone(),
            namespace: String::new(),
            name: String::new(),
        };
        let uids: BTreeSet<String> = self.cloud().objects.values().map(|o| o.owner.clone()).collect();
        Ok(uids.iter().filter(|uid| !uid.is_empty()).map(owner).collect())
    }
}
