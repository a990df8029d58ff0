//! Every key of the reference page does what the page says: Services take the values of the rows, one after the other,
//! and the cloud's objects and the conditions are looked at after each.
//!
//! All Services live at the same time and take their steps together, so that hundreds of steps take the time of the
//! longest row. With each step a Service gets a key that nobody knows; the warning about that says that the
//! controller has seen the step, also where nothing else is to change.

mod case;
mod page;
mod rows;
mod view;
mod world;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use ferrolb_lab::Lab;
use serde_json::{Value, json};

use self::case::{Case, Kind, Step, Told};
use self::page::Entry;
use self::world::World;
use crate::harness::{Cloud, Light, Scene, Service, condition, manifest};
use crate::report::Report;

/// How long a step of all Services together may take.
const PATIENCE: Duration = Duration::from_secs(25);
const PAUSE: Duration = Duration::from_millis(250);
const THREADS: usize = 4;
/// What the keys that nobody knows begin with; the step's number follows.
const WITNESS: &str = "kubernetes.io/elb.zz-step-";

pub fn run(bed: &Light, report: &mut Report) -> Result<()> {
    let page = page::read()?;
    let cases = rows::all(&page);
    let scene = Scene::new(bed, "annotations", &["--settle-seconds=2"])?;
    let cloud = scene.cloud();
    let world = World::new(&cloud, &cases)?;
    let before = cloud.get("ledger")?;
    let mut stage = Stage::new(&scene, &world, &cases);
    let began = Instant::now();
    for number in 0..cases.iter().map(|case| case.steps.len()).max().unwrap_or_default() {
        stage.step(number)?;
        report.say(format!("step {}: {}", number + 1, stage.summary(number)));
    }
    for failure in stage.failures() {
        report.say(failure);
    }
    let took = began.elapsed();
    lines(report, &page, &stage);
    report.within("all-steps", took, Duration::from_secs(120));
    deletion(report, &stage, &before)
}

/// The Services on their way through their rows.
struct Stage<'a> {
    lab: &'a Lab,
    namespace: &'a str,
    cloud: Cloud<'a>,
    world: &'a World,
    actors: Vec<Actor<'a>>,
}

/// One of them.
struct Actor<'a> {
    case: &'a Case,
    service: Service<'a>,
    view: Value,
    /// What was wrong after each step; `None`: nothing.
    outcomes: Vec<Option<String>>,
}

impl<'a> Stage<'a> {
    fn new(scene: &'a Scene<'a>, world: &'a World, cases: &'a [Case]) -> Self {
        let actor = |(number, case): (usize, &'a Case)| {
            let service = Service::new(scene.lab, &scene.namespace, &name(number, &case.key));
            Actor { case, service, view: Value::Null, outcomes: Vec::new() }
        };
        let (lab, namespace, cloud) = (scene.lab, scene.namespace.as_str(), scene.cloud());
        Self { lab, namespace, cloud, world, actors: cases.iter().enumerate().map(actor).collect() }
    }

    /// Lets all take the step of this number that have one, and waits until they are where they should be.
    fn step(&mut self, number: usize) -> Result<()> {
        let active: Vec<usize> =
            (0..self.actors.len()).filter(|at| number < self.actors[*at].case.steps.len()).collect();
        let work: Vec<&Actor<'_>> = active.iter().map(|at| &self.actors[*at]).collect();
        in_parallel(&work, |actor| self.act(actor, number))?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let views = self.views()?;
            let mut found = Vec::new();
            for at in &active {
                let actor = &self.actors[*at];
                let view = views.get(&actor.service.name).unwrap_or(&Value::Null);
                found.push(self.judge(actor, &actor.case.steps[number], number, view));
            }
            if found.iter().all(Option::is_none) || Instant::now() > deadline {
                for (at, outcome) in active.iter().zip(found) {
                    let actor = &mut self.actors[*at];
                    actor.view = views.get(&actor.service.name).cloned().unwrap_or_default();
                    actor.outcomes.push(outcome);
                }
                return Ok(());
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn act(&self, actor: &Actor<'_>, number: usize) -> Result<()> {
        let (case, step) = (actor.case, &actor.case.steps[number]);
        let value = step.value.as_ref().map(|value| self.world.fill(value));
        if number > 0 {
            let (old, new) = (format!("{WITNESS}{}", number - 1), format!("{WITNESS}{number}"));
            let annotations = json!({&case.key: value, old: null, new: "x"});
            return actor.service.patch(&json!({"metadata": {"annotations": annotations}}));
        }
        let ports: Vec<(&str, u16)> = case.ports.split(',').filter_map(port).collect();
        let mut wish = manifest::service(&actor.service.name, &[], &ports);
        let annotations = &mut wish["metadata"]["annotations"];
        for (key, value) in &case.beside {
            annotations[*key] = json!(self.world.fill(value));
        }
        annotations[format!("{WITNESS}0")] = json!("x");
        if let Some(value) = value {
            annotations[&case.key] = json!(value);
        }
        for (field, value) in case.spec.as_object().into_iter().flatten() {
            wish["spec"][field] = self.world.fill_all(value);
        }
        Service::create(self.lab, self.namespace, &wish)
            .with_context(|| format!("create the Service for {}", case.key))
            .map(drop)
    }

    /// What each Service has now, by its name.
    fn views(&self) -> Result<BTreeMap<String, Value>> {
        let services = self.lab.api("GET", &format!("/api/v1/namespaces/{}/services", self.namespace), None)?;
        let ledger = self.cloud.get("ledger")?;
        let items = services["items"].as_array().context("the list of Services has no items")?;
        let name = |service: &Value| service["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        Ok(items.iter().map(|service| (name(service), view::view(&ledger, service))).collect())
    }

    /// What is not as it should be after a step.
    fn judge(&self, actor: &Actor<'_>, step: &Step, number: usize, view: &Value) -> Option<String> {
        let (status, message) = told(view, "ConfigurationValid");
        let (ready, readiness) = told(view, "Ready");
        let words: Vec<String> = step.expect.told.words().iter().map(|word| self.world.fill(word)).collect();
        let says = || format!("it says {status}: {message} (Ready is {ready}: {readiness})");
        let said = if matches!(step.expect.told, Told::Unready(_)) { &readiness } else { &message };
        if let Some(word) = words.iter().find(|word| !said.contains(word.as_str())) {
            return Some(format!("not told of \"{word}\"; {}", says()));
        }
        let is_seen = message.contains(&format!("{WITNESS}{number}:"));
        let first = actor.case.ports.split(',').next().unwrap_or_default();
        match &step.expect.told {
            Told::Nothing | Told::Warned(_) if !is_seen || status != "True" || ready != "True" => {
                return Some(format!("does not work; {}", says()));
            }
            Told::Nothing if names(&message, &actor.case.key) => return Some(format!("should be silent; {}", says())),
            Told::Refused(_) | Told::Unmet(_) => {
                let elsewhere = words.iter().any(|word| word.starts_with("elb.") || word.starts_with("spec."));
                let named = elsewhere || message.contains(&actor.case.key);
                if status != "False" || !(named || matches!(step.expect.told, Told::Unmet(_))) {
                    return Some(format!("should name {} as wrong; {}", actor.case.key, says()));
                }
                let (now, was) = (view::cloud_part(view.clone()), view::cloud_part(actor.view.clone()));
                if (actor.view.is_null() && view["ours"] != 0) || (!actor.view.is_null() && now != was) {
                    return Some("something in the cloud has changed".to_owned());
                }
            }
            Told::Unready(_) if ready == "True" => return Some(format!("should not be ready; {}", says())),
            _ => {}
        }
        step.expect.facts.iter().find_map(|(path, expected)| {
            let (expected, found) = (self.world.fill_all(expected), view::at(view, first, path));
            (!view::is_met(&expected, found)).then(|| format!("{path} is {found}, not {expected}"))
        })
    }

    /// How a step went.
    fn summary(&self, number: usize) -> String {
        let outcomes: Vec<_> = self.actors.iter().filter_map(|actor| actor.outcomes.get(number)).collect();
        let good = outcomes.iter().filter(|outcome| outcome.is_none()).count();
        format!("{good} of {} as expected", outcomes.len())
    }

    /// Everything that was not as it should be.
    fn failures(&self) -> Vec<String> {
        let mut all = Vec::new();
        for actor in &self.actors {
            for (number, outcome) in actor.outcomes.iter().enumerate() {
                if let Some(outcome) = outcome {
                    let step = &actor.case.steps[number];
                    let what = format!("{:?} {:?}", step.kind, step.value.as_deref().unwrap_or("none"));
                    all.push(format!(
                        "{} step {}: {} {what}: {outcome}",
                        actor.service.name,
                        number + 1,
                        actor.case.key
                    ));
                }
            }
        }
        all
    }
}

/// A line for each key of the page.
fn lines(report: &mut Report, page: &[Entry], stage: &Stage<'_>) {
    for entry in page {
        let mine = || stage.actors.iter().filter(|actor| actor.case.key == entry.key);
        let of_kind = |kind: Kind| mine().flat_map(|actor| &actor.case.steps).filter(|step| step.kind == kind).count();
        let (all, good) = mine()
            .flat_map(|actor| &actor.outcomes)
            .fold((0, 0), |(all, good), outcome| (all + 1, good + usize::from(outcome.is_none())));
        let (valid, edge, invalid) = (of_kind(Kind::Valid), of_kind(Kind::Edge), of_kind(Kind::Invalid));
        let value =
            format!("{good}-of-{all}:valid={valid},edge={edge},invalid={invalid},removed={}", of_kind(Kind::Removed));
        let name = entry.key.strip_prefix("kubernetes.io/").unwrap_or(&entry.key);
        report.line(name, value, "all,none-missing", good == all && rows::missing(entry, stage.cases()).is_none());
    }
    let steps = stage.actors.iter().map(|actor| actor.outcomes.len()).sum::<usize>();
    report.holds("keys", page.len(), true, "for-information");
    report.holds("steps", steps, true, "for-information");
}

impl Stage<'_> {
    fn cases(&self) -> impl Iterator<Item = &Case> {
        self.actors.iter().map(|actor| actor.case)
    }
}

/// All go, and what is left is what was there before.
fn deletion(report: &mut Report, stage: &Stage<'_>, before: &Value) -> Result<()> {
    let all: Vec<&Actor<'_>> = stage.actors.iter().collect();
    in_parallel(&all, |actor| actor.service.delete())?;
    let mut left = Vec::new();
    for actor in &all {
        if let Err(error) = actor.service.await_gone(PATIENCE) {
            report.say(format!("{error:#}"));
            left.push(actor.service.name.clone());
        }
    }
    report.equal("Services-left", left.join(","), String::new());
    let after = stage.cloud.get("ledger")?;
    for kind in view::KINDS {
        report.equal(&format!("{kind}-left"), view::count(&after, kind), view::count(before, kind));
    }
    report.equal("theirs-changed", view::changed(before, &after), "none".to_owned());
    Ok(())
}

/// Does something with all of them at the same time; the first error counts.
fn in_parallel<T: Sync>(items: &[T], work: impl Fn(&T) -> Result<()> + Sync) -> Result<()> {
    let size = items.len().div_ceil(THREADS).max(1);
    std::thread::scope(|scope| {
        let chunks: Vec<_> = items.chunks(size).map(|chunk| scope.spawn(|| chunk.iter().try_for_each(&work))).collect();
        chunks.into_iter().try_for_each(|chunk| chunk.join().map_err(|_| anyhow!("a thread panicked"))?)
    })
}

/// Status and message of one of our conditions.
fn told(view: &Value, kind: &str) -> (String, String) {
    match condition(&view["service"], kind) {
        Some(found) => (found.status, found.message),
        None => ("none".to_owned(), "none".to_owned()),
    }
}

/// Whether a message has something to say about a key: not where it proposes it.
fn names(message: &str, key: &str) -> bool {
    message.contains(&format!("{key}: ")) || message.contains(&format!("{key} at "))
}

/// `TCP:80`
fn port(text: &str) -> Option<(&str, u16)> {
    let (protocol, port) = text.split_once(':')?;
    Some((protocol, port.parse().ok()?))
}

/// `row-7-elb-cps`
fn name(number: usize, key: &str) -> String {
    let short = key.rsplit('/').next().unwrap_or_default().to_lowercase();
    let short: String = short.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("row-{number}-{}", &short[..short.len().min(50)])
}
