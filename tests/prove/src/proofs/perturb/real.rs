//! On the real control plane, with the real binary, SIGKILL and a fault proxy.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use ferrolb_lab::wait_for;
use serde_json::json;

use super::mask;
use super::plan::{self, Deed, Plan, Recorded, Then};
use super::workload::{self, NODE, Workload};
use crate::harness::{History, Hold, Light, Proxy, Scene, Service};
use crate::report::Report;

const PATIENCE: Duration = Duration::from_secs(25);
const SILENCE: Duration = Duration::from_millis(400);
/// Plans that are not run in a quick round: all but each n-th.
const SAMPLE: usize = 8;
/// Places that a run may do without: how many updates of a Service there are depends on how far others have got.
const UNREACHED: u64 = 10;
/// An annotation of which nobody takes notice.
const TOUCHED: &str = "example.com/touched";

/// How often something was created in or deleted from the cloud, by kind of call.
type Counts = BTreeMap<String, usize>;

pub fn run(bed: &Light, report: &mut Report) -> Result<()> {
    let proxy = Proxy::start(bed)?;
    // Nothing is applied late here, so nothing needs to settle for long.
    let kubeconfig = format!("--kubeconfig={}", proxy.kubeconfig().display());
    let scene = Scene::new(bed, "perturb", &["--settle-seconds=1", &kubeconfig])?;
    let history = History::start(scene.lab, &scene.namespace, None)?;
    let mut stage = Stage { scene, proxy, history, runs: 0 };
    let (mut plans, mut unreached, mut kinds) = (0, 0, BTreeMap::<&str, u64>::new());
    for workload in workload::ALL {
        let reference = stage.learn(workload)?;
        let all = plan::all(workload, &reference.steps);
        report.say(format!("{}: {} plans", workload.name, all.len()));
        let mut divergences = 0;
        let began = Instant::now();
        let mut place = usize::MAX;
        for plan in all.iter().enumerate().filter(|(n, _)| !bed.options.quick || n % SAMPLE == 0).map(|(_, plan)| plan)
        {
            if std::mem::replace(&mut place, plan.step) != plan.step {
                report.say(format!("{}: {}", workload.name, workload.steps[plan.step].name));
            }
            plans += 1;
            *kinds.entry(plan.deed.kind()).or_default() += 1;
            let mut result = stage.perturb(workload, &reference, plan);
            if result.as_ref().is_err_and(is_unreached) {
                stage.recover(workload)?;
                result = stage.perturb(workload, &reference, plan);
            }
            if let Err(error) = result {
                let at = format!("{}/{}", workload.name, workload.steps[plan.step].name);
                if is_unreached(&error) {
                    unreached += 1;
                    report.say(format!("{at}: {}: {error:#}", plan.deed));
                } else {
                    divergences += 1;
                    report.holds(&at, format!("{}: {error:#}", plan.deed), false, "as-without");
                }
                stage.recover(workload)?;
            }
        }
        report.equal(&format!("real/{}/divergences", workload.name), divergences, 0);
        report.say(format!("{}: {:.1} s", workload.name, began.elapsed().as_secs_f32()));
    }
    for (kind, count) in kinds {
        report.at_least(&format!("real/{kind}"), count, 1, "");
    }
    report.at_least("real/plans", plans - unreached, if bed.options.quick { 60 / SAMPLE as u64 } else { 60 }, "");
    report.at_most("real/places-not-reached-twice", unreached, UNREACHED, "");
    let changed = stage.history.addresses().into_iter().filter(|(_, seen)| seen.len() > 1).count();
    report.equal("real/services-whose-address-changed", changed, 0);
    report.equal("real/ledger-at-the-end", stage.scene.cloud().summary()?, "empty".to_owned());
    // A list without resourceVersion=0 is answered from the newest state in etcd, however far behind an API server is:
    // a restarted controller cannot be sent back in time, only be told late, which is what an old view is.
    let (lenient, lists) = stage.proxy.lists();
    let seen = format!("{lenient} of {lists}");
    report.holds("real/lists-that-a-stale-server-may-answer", seen, lenient == 0 && lists > 0, "none");
    Ok(())
}

/// The place of a perturbation was not there in this run.
#[derive(Debug)]
struct Unreached;

impl std::fmt::Display for Unreached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("this run did not come there")
    }
}

fn is_unreached(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Unreached>().is_some()
}

/// A fault-free run.
struct Reference {
    steps: Vec<Recorded>,
    counts: Counts,
}

struct Stage<'a> {
    scene: Scene<'a>,
    proxy: Proxy,
    history: History,
    runs: usize,
}

impl<'a> Stage<'a> {
    /// A Service that nobody has seen before.
    fn begin(&mut self) -> Result<Service<'a>> {
        self.runs += 1;
        let name = format!("perturb-{:03}", self.runs);
        self.proxy.begin(&name);
        self.scene.cloud().reset_calls()?;
        Ok(Service::new(self.scene.lab, &self.scene.namespace, &name))
    }

    /// Runs a workload without perturbation.
    fn learn(&mut self, workload: &Workload) -> Result<Reference> {
        let service = self.begin()?;
        let mut steps: Vec<Recorded> = Vec::new();
        for step in workload.steps {
            step.act(&self.scene, &service)?;
            let cloud = self.scene.cloud();
            wait_for(step.name, PATIENCE, || {
                let objects = cloud.summary()?;
                ensure!(objects == step.objects, "in the cloud: {objects}");
                Ok(Some(()))
            })?;
            match step.objects {
                "empty" => service.await_gone(PATIENCE)?,
                _ => drop(service.await_ready(PATIENCE)?),
            }
            let calls = cloud.await_silence(SILENCE * 4)?;
            let writes = calls.iter().filter(|call| call.write).enumerate().filter(|(_, call)| call.effective);
            let (all_writes, all_events) = self.proxy.passed();
            let before = |count: fn(&Recorded) -> usize| steps.iter().map(count).sum::<usize>();
            let recorded = Recorded {
                state: self.state(&service)?,
                cloud: writes
                    .skip(before(|step| step.cloud.len()))
                    .map(|(n, call)| (n + 1, call.kind.clone()))
                    .collect(),
                writes: all_writes[before(|step| step.writes.len())..].to_vec(),
                events: all_events[before(|step| step.events.len())..].to_vec(),
            };
            steps.push(recorded);
        }
        Ok(Reference { steps, counts: self.counts()? })
    }

    /// Runs a workload with a perturbation, and compares.
    fn perturb(&mut self, workload: &Workload, reference: &Reference, plan: &Plan) -> Result<()> {
        let service = self.begin()?;
        let last = workload.steps.len() - 1;
        for (index, step) in workload.steps.iter().enumerate() {
            let mine = (index == plan.step).then_some(&plan.deed);
            ensure!(index != last || !self.history.lost(&service.name), "it was without its address for a while");
            self.prepare(mine).context("prepare")?;
            step.act(&self.scene, &service)?;
            self.carry_out(mine, &service)?;
            if !matches!(mine, Some(Deed::Unheard { then: Then::NextStep, .. })) {
                self.await_state(&service, &reference.steps[index].state).context(step.name)?;
            }
        }
        self.scene.cloud().await_silence(SILENCE)?;
        self.await_state(&service, &reference.steps[last].state).context("in the end")?;
        let counts = self.counts()?;
        let same = match plan.deed {
            // What it has not heard of it need not have done.
            Deed::Unheard { then: Then::NextStep, .. } => {
                counts.iter().all(|(kind, count)| reference.counts.get(kind).is_some_and(|wanted| count <= wanted))
            }
            _ => counts == reference.counts,
        };
        ensure!(same, "created and deleted {counts:?} instead of {:?}", reference.counts);
        let addresses = self.history.of(&service.name);
        ensure!(addresses.len() <= 1, "its address changed: {}", addresses.join(" then "));
        Ok(())
    }

    /// What must be set before the user acts.
    fn prepare(&mut self, deed: Option<&Deed>) -> Result<()> {
        match deed {
            None => {}
            Some(Deed::KillAtApi(hold)) => self.proxy.hold(hold.clone()),
            Some(Deed::KillAtCloud { nth, after, .. }) => {
                let fault = if *after { "hold_after" } else { "hold_before" };
                // The log begins with the run, the rule's count when it is set.
                let so_far = self.scene.cloud().calls()?.iter().filter(|call| call.write).count();
                let on = json!({"writes_only": true, "nth": nth.checked_sub(so_far).context("it is made already")?});
                self.scene.cloud().fault(json!([{"match": on, "fault": fault}]))?;
            }
            Some(Deed::Unheard { event, .. }) => self.proxy.hold(Hold::Event(event.clone())),
            Some(Deed::OldView(resource)) => {
                self.scene.kill_controller()?;
                self.proxy.hold(Hold::View(resource));
                self.scene.launch_controller()?;
                self.proxy.await_holding(PATIENCE).context(Unreached)?;
            }
        }
        Ok(())
    }

    /// What happens after the user has acted.
    fn carry_out(&mut self, deed: Option<&Deed>, service: &Service<'_>) -> Result<()> {
        match deed {
            None | Some(Deed::Unheard { then: Then::NextStep, .. }) => {}
            Some(Deed::KillAtApi(_)) => {
                self.proxy.await_holding(PATIENCE).context(Unreached)?;
                self.scene.kill_controller()?;
                self.proxy.let_go();
                self.scene.start_controller()?;
            }
            Some(Deed::KillAtCloud { .. }) => {
                let cloud = self.scene.cloud();
                wait_for("the call to be held", PATIENCE, || Ok((!cloud.holds()?.is_empty()).then_some(())))?;
                self.scene.kill_controller()?;
                self.scene.cloud().heal(true)?;
                self.scene.start_controller()?;
            }
            Some(Deed::Unheard { event, .. }) => {
                self.proxy.await_holding(PATIENCE).context(Unreached)?;
                if event.what.starts_with("Node/") {
                    self.scene.lab.label_node(NODE, &format!("{TOUCHED}={}", service.name))?;
                } else if let Err(error) = service.annotate(TOUCHED, Some("again")) {
                    // It may be gone: then its last event is the later one.
                    ensure!(service.get()?.is_none(), error);
                }
            }
            Some(Deed::OldView(_)) => {
                self.proxy.tell_list();
                self.scene.running()?.await_ready()?;
                self.scene.cloud().await_silence(SILENCE)?;
                self.proxy.let_go();
            }
        }
        Ok(())
    }

    fn await_state(&self, service: &Service<'_>, wanted: &str) -> Result<()> {
        wait_for("the state of the fault-free run", PATIENCE, || {
            let state = self.state(service)?;
            ensure!(state == wanted, "{}", difference(&state, wanted));
            Ok(Some(()))
        })
    }

    fn state(&self, service: &Service<'_>) -> Result<String> {
        Ok(mask::state(service.get()?, self.scene.cloud().ledger()?, TOUCHED))
    }

    fn counts(&self) -> Result<Counts> {
        let mut counts = Counts::new();
        for call in self.scene.cloud().calls()?.into_iter().filter(|call| call.effective) {
            if call.kind.starts_with("POST ") || call.kind.starts_with("DELETE ") {
                *counts.entry(call.kind).or_default() += 1;
            }
        }
        Ok(counts)
    }

    /// After a run that broke off, so that the next has a fair start.
    fn recover(&mut self, workload: &Workload) -> Result<()> {
        self.proxy.let_go();
        self.scene.cloud().heal(true)?;
        if self.scene.controller.is_none() {
            self.scene.start_controller()?;
        }
        if workload.steps.iter().any(|step| step.changes.contains(&"nodes")) {
            workload::undo(&self.scene)?;
        }
        let service = Service::new(self.scene.lab, &self.scene.namespace, &format!("perturb-{:03}", self.runs));
        if service.get()?.is_some() {
            service.delete()?;
            if service.await_gone(PATIENCE).is_err() {
                service.tear_away()?;
            }
        }
        self.scene.cloud().clear()
    }
}

/// Where two texts part, with what is before and after.
fn difference(is: &str, wanted: &str) -> String {
    let common = is.bytes().zip(wanted.bytes()).take_while(|(a, b)| a == b).count();
    let part = |text: &str| {
        let around = text.bytes().skip(common.saturating_sub(60)).take(160).collect::<Vec<_>>();
        String::from_utf8_lossy(&around).into_owned()
    };
    format!("…{}… instead of …{}…", part(is), part(wanted))
}
