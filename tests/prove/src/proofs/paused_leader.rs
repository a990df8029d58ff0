//! Two controllers and one lease: a leader that was stopped by a signal does nothing when it wakes.

use std::time::{Duration, Instant};

use anyhow::Result;
use ferrolb_lab::wait_for;

use crate::harness::{Controller, Light, Scene, manifest};
use crate::report::{Report, seconds};

const LEASE: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(30);

pub fn run(bed: &Light, report: &mut Report) -> Result<()> {
    let flags = ["--leader-elect=true", "--lease-seconds=5", "--call-seconds=1", "--settle-seconds=1"];
    let mut scene = Scene::new(bed, "paused", &flags)?;
    await_leading(scene.running()?, PATIENCE)?;
    let mut second = scene.spawn_controller("second", &flags.map(str::to_owned))?;
    second.await_ready()?;
    let service = scene.create(&manifest::public("web", &[("TCP", 80)]))?;
    let addresses = service.await_ready(PATIENCE)?;
    report.equal("standby-leads-meanwhile", second.metric("ferrolb_leading", "")? as u64, 0);

    let paused = Instant::now();
    scene.running()?.process.signal("STOP")?;
    await_leading(&second, PATIENCE)?;
    report.within("take-over", paused.elapsed(), LEASE.mul_f64(1.2));
    // Its own settle time passes, then it works.
    bed.lab.create_light_node("woken", "10.200.99.9")?;
    let followed = wait_for("the new leader to add a node", Duration::from_secs(10), || {
        Ok((scene.cloud().count("members")? == 4).then_some(()))
    });
    report.holds("new-leader-works", followed.as_ref().map_or("no", |()| "yes"), followed.is_ok(), "=yes");

    // From here on every call is the old leader's: the new one is stopped for a moment, with work to do for whoever leads.
    second.process.signal("STOP")?;
    bed.lab.delete_node("woken")?;
    let before = scene.cloud().totals()?;
    let woken = Instant::now();
    let old = scene.controller.as_ref().map(|controller| controller.process.pid());
    report.say(format!("old leader (pid {}) wakes after {}", old.unwrap_or_default(), seconds(paused.elapsed())));
    scene.running()?.process.signal("CONT")?;
    let ended = scene.running()?.process.wait(Duration::from_secs(10));
    report.within("old-leader-ends-after", woken.elapsed(), Duration::from_secs(2));
    let after = scene.cloud().totals()?;
    second.process.signal("CONT")?;
    let status = ended.as_ref().map_or("still-runs".to_owned(), |status| {
        status.code().map_or("signal".to_owned(), |code| format!("exit-{code}"))
    });
    report.equal("old-leader-ends-with", status, "exit-1".to_owned());
    report.equal("old-leader/cloud-writes", after.1 - before.1, 0);
    report.equal("old-leader/cloud-calls", after.0 + after.1 - before.0 - before.1, 0);
    scene.controller = None;

    let followed = wait_for("the new leader to remove the node", Duration::from_secs(15), || {
        Ok((scene.cloud().count("members")? == 3).then_some(()))
    });
    report.holds(
        "new-leader-goes-on",
        followed.as_ref().map_or("no", |()| "yes"),
        followed.is_ok() && second.process.is_running(),
        "=yes",
    );
    report.equal("address", service.addresses()?.join(","), addresses.join(","));
    scene.controller = Some(second);
    service.delete()?;
    service.await_gone(PATIENCE)
}

fn await_leading(controller: &Controller<'_>, patience: Duration) -> Result<()> {
    wait_for("a controller to lead", patience, || Ok((controller.metric("ferrolb_leading", "")? == 1.0).then_some(())))
}
