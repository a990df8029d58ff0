//! SIGKILL of the controller at every one of its cloud calls, then a restart.
//!
//! A clean run is recorded first; then each of its calls is a position. At a write the controller is killed while the
//! call is held *before* its effect, held *after* it, or cut off with the effect still to come *late*, when the next
//! controller runs already. At a read it is killed while the answer is held.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use ferrolb_lab::wait_for;
use serde_json::json;

use crate::harness::{Call, Cloud, History, Light, Scene, Service, manifest};
use crate::report::Report;

const PATIENCE: Duration = Duration::from_secs(25);
/// When a late effect comes, from the call on: the next controller runs by then, and has not settled yet.
const LATE: Duration = Duration::from_millis(1000);
const SETTLE: &str = "--settle-seconds=2";

/// What the controller is busy with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Creation,
    Deletion,
}

/// Where in the call it is killed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    Read,
    Before,
    After,
    Late,
}

impl Phase {
    fn word(self) -> &'static str {
        match self {
            Self::Creation => "creation",
            Self::Deletion => "deletion",
        }
    }
}

impl Moment {
    fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Before => "before-effect",
            Self::After => "after-effect",
            Self::Late => "effect-comes-late",
        }
    }
}

pub fn run(bed: &Light, report: &mut Report) -> Result<()> {
    let mut scene = Scene::new(bed, "crash", &[SETTLE])?;
    let history = History::start(scene.lab, &scene.namespace, None)?;
    let mut positions = 0;
    for phase in [Phase::Creation, Phase::Deletion] {
        let clean = clean_run(&scene, phase)?;
        report.say(format!("{}: {} calls", phase.word(), clean.len()));
        let mut tally = Tally::default();
        for (index, call) in clean.iter().enumerate() {
            let moments: &[Moment] =
                if call.write { &[Moment::Before, Moment::After, Moment::Late] } else { &[Moment::Read] };
            for &moment in moments {
                if bed.options.quick && matches!(moment, Moment::Read | Moment::Late) && index % 3 != 1 {
                    continue;
                }
                positions += 1;
                let at = format!("{}/{:02}-{}", phase.word(), index + 1, moment.word());
                let name = format!("p{positions}");
                let began = Instant::now();
                let result = position(&mut scene, &history, &name, phase, index, moment);
                let took = began.elapsed();
                match result {
                    Ok(()) => report.holds(&at, call.kind.replace(' ', ":"), true, "one,stable,then-empty"),
                    Err(error) => {
                        tally.bad += 1;
                        report.holds(&at, format!("{}: {error:#}", call.kind), false, "one,stable,then-empty");
                        as_before(&mut scene, &name)?;
                    }
                }
                tally.positions += 1;
                tally.longest = tally.longest.max(took);
            }
        }
        report.equal(&format!("{}/positions-with-a-leak-or-change", phase.word()), tally.bad, 0);
        report.at_least(&format!("{}/positions", phase.word()), tally.positions, 6, "");
        report.within(&format!("{}/longest-position", phase.word()), tally.longest, Duration::from_secs(15));
    }
    let changed = history.addresses().into_iter().filter(|(_, seen)| seen.len() > 1).count();
    report.equal("services-whose-address-changed", changed, 0);
    report.equal("ledger-at-the-end", scene.cloud().summary()?, "empty".to_owned());
    Ok(())
}

#[derive(Default)]
struct Tally {
    positions: u64,
    bad: u64,
    longest: Duration,
}

/// The calls of a phase when nothing goes wrong.
fn clean_run(scene: &Scene<'_>, phase: Phase) -> Result<Vec<Call>> {
    let cloud = scene.cloud();
    cloud.reset_calls()?;
    let service = scene.create(&wish("clean"))?;
    service.await_ready(PATIENCE)?;
    let creation = cloud.await_silence(Duration::from_millis(800))?;
    cloud.reset_calls()?;
    service.delete()?;
    service.await_gone(PATIENCE)?;
    let deletion = cloud.await_silence(Duration::from_millis(800))?;
    Ok(if phase == Phase::Creation { creation } else { deletion })
}

fn wish(name: &str) -> serde_json::Value {
    manifest::public(name, &[("TCP", 80)])
}

fn position(
    scene: &mut Scene<'_>,
    history: &History,
    name: &str,
    phase: Phase,
    index: usize,
    moment: Moment,
) -> Result<()> {
    let service = Service::new(scene.lab, &scene.namespace, name);
    if phase == Phase::Deletion {
        scene.create(&wish(name))?.await_ready(PATIENCE)?;
        scene.cloud().await_silence(Duration::from_millis(300))?;
    }
    scene.cloud().reset_calls()?;
    scene.cloud().fault(rule(index, moment))?;
    match phase {
        Phase::Creation => drop(scene.create(&wish(name))?),
        Phase::Deletion => service.delete()?,
    }
    await_moment(&scene.cloud(), moment).with_context(|| format!("{} was not reached", moment.word()))?;
    scene.kill_controller()?;
    scene.cloud().heal(true)?;
    scene.start_controller()?;

    if phase == Phase::Creation {
        service.await_ready(PATIENCE)?;
        await_late_effect(&scene.cloud(), moment)?;
        scene.cloud().await_silence(Duration::from_millis(300))?;
        let summary = scene.cloud().summary()?;
        let wanted = "eips=1,loadbalancers=1,listeners=1,pools=1,members=3,healthmonitors=1";
        ensure!(summary == wanted, "in the cloud: {summary}");
        let made = made(&scene.cloud().calls()?);
        ensure!(made == (1, 1), "made {} load balancers and {} EIPs", made.0, made.1);
        service.delete()?;
    }
    service.await_gone(PATIENCE)?;
    await_late_effect(&scene.cloud(), moment)?;
    let summary = scene.cloud().summary()?;
    ensure!(summary == "empty", "left in the cloud: {summary}");
    let seen = history.of(name);
    ensure!(seen.len() <= 1, "its address changed: {}", seen.join(" then "));
    Ok(())
}

fn rule(index: usize, moment: Moment) -> serde_json::Value {
    let fault = match moment {
        Moment::Before => json!("hold_before"),
        Moment::Read | Moment::After => json!("hold_after"),
        Moment::Late => json!({"late_apply": {"delay_ms": LATE.as_millis() as u64}}),
    };
    json!([{"match": {"nth": index + 1}, "fault": fault}])
}

/// Waits until the controller is where it shall be killed.
fn await_moment(cloud: &Cloud<'_>, moment: Moment) -> Result<()> {
    wait_for("the call", Duration::from_secs(15), || {
        let there = match moment {
            Moment::Late => cloud.calls()?.iter().any(|call| call.fault.is_some()),
            _ => !cloud.holds()?.is_empty(),
        };
        Ok(there.then_some(()))
    })
}

/// A late effect must have come, or there is nothing to prove.
fn await_late_effect(cloud: &Cloud<'_>, moment: Moment) -> Result<()> {
    if moment != Moment::Late {
        return Ok(());
    }
    let began = Instant::now();
    wait_for("the late effect", LATE * 3, || {
        let calls = cloud.calls()?;
        let late = calls.iter().find(|call| call.fault.is_some()).context("no call met the fault")?;
        // One that was overtaken by another call has no effect any more; its time must be over all the same.
        Ok((late.effective || began.elapsed() > LATE).then_some(()))
    })
}

/// Load balancers and EIPs that were ever made.
fn made(calls: &[Call]) -> (usize, usize) {
    let count = |part: &str| {
        calls
            .iter()
            .filter(|call| call.effective && call.kind.starts_with("POST ") && call.kind.ends_with(part))
            .count()
    };
    (count("/elb/loadbalancers"), count("/publicips"))
}

/// After a position that broke off, so that the next has a fair start.
fn as_before(scene: &mut Scene<'_>, name: &str) -> Result<()> {
    scene.cloud().heal(true)?;
    if scene.controller.is_none() {
        scene.start_controller()?;
    }
    let service = Service::new(scene.lab, &scene.namespace, name);
    if service.get()?.is_some() {
        service.delete()?;
        if service.await_gone(PATIENCE).is_err() {
            service.tear_away()?;
        }
    }
    scene.cloud().clear()
}
