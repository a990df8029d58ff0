//! Calls per operation, by the cloud's own counter, and silence when nothing changes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use ferrolb_lab::{Lab, wait_for};

use crate::harness::{Call, Light, Scene, manifest};
use crate::report::Report;

const PATIENCE: Duration = Duration::from_secs(20);
const SILENCE: Duration = Duration::from_millis(1200);
const EXCLUDED: &str = "node.kubernetes.io/exclude-from-external-load-balancers";

pub fn run(bed: &Light, report: &mut Report) -> Result<()> {
    let mut scene = Scene::new(bed, "budgets", &["--settle-seconds=2"])?;
    for (name, ports) in [("one-port", &[("TCP", 80)][..]), ("three-ports", &[("TCP", 80), ("TCP", 443), ("UDP", 53)])]
    {
        scene.cloud().reset_calls()?;
        let service = scene.create(&manifest::public(name, ports))?;
        service.await_ready(PATIENCE)?;
        let calls = scene.cloud().await_silence(SILENCE)?;
        tell(report, &format!("create/{name}"), &calls);
        // What comes after the last write is a look at what was made: the Service's endpoints have come meanwhile.
        let made = calls.iter().rposition(|call| call.write).map_or(0, |last| last + 1);
        report.at_most(&format!("create/{name}/calls"), made as u64, 6 + 4 * ports.len() as u64, "");
        report.holds(&format!("create/{name}/reads-afterwards"), calls.len() - made, true, "for-information");
    }
    let pools = 4;
    nodes(&scene, report, pools)?;

    scene.cloud().reset_calls()?;
    let service = scene.create(&manifest::public("short-lived", &[("TCP", 80)]))?;
    service.await_ready(PATIENCE)?;
    scene.cloud().await_silence(SILENCE)?;
    scene.cloud().reset_calls()?;
    service.delete()?;
    service.await_gone(PATIENCE)?;
    let calls = scene.cloud().await_silence(SILENCE)?;
    tell(report, "delete/one-port", &calls);
    let writes = calls.iter().filter(|call| call.write).count() as u64;
    report.at_most("delete/one-port/writes", writes, 7, "");

    silence(bed, &mut scene, report)
}

/// Nodes come, go, are excluded, fail: one batch call per pool, or none.
fn nodes(scene: &Scene<'_>, report: &mut Report, pools: u64) -> Result<()> {
    let (lab, cloud) = (scene.lab, scene.cloud());
    type Step = (&'static str, fn(&Lab) -> Result<()>, usize, u64);
    let steps: [Step; 6] = [
        ("node-added", |lab| lab.create_light_node("extra", "10.200.99.1"), 4, 1),
        ("node-excluded", |lab| lab.label_node("extra", &format!("{EXCLUDED}=true")), 3, 1),
        ("node-included-again", |lab| lab.label_node("extra", &format!("{EXCLUDED}-")), 4, 1),
        ("node-not-ready-stays", |lab| lab.set_node_ready("extra", false), 4, 0),
        ("node-ready-again", |lab| lab.set_node_ready("extra", true), 4, 0),
        ("node-removed", |lab| lab.delete_node("extra"), 3, 1),
    ];
    for (name, step, members, calls_per_pool) in steps {
        cloud.reset_calls()?;
        step(lab)?;
        let wanted = members * pools as usize;
        let followed =
            wait_for("the members to follow", PATIENCE, || Ok((cloud.count("members")? == wanted).then_some(())));
        let calls = cloud.await_silence(SILENCE)?;
        tell(report, name, &calls);
        let count = cloud.count("members")?;
        report.holds(&format!("{name}/members"), count, followed.is_ok() && count == wanted, &format!("={wanted}"));
        let writes = calls.iter().filter(|call| call.write).count() as u64;
        report.equal(&format!("{name}/writes"), writes, calls_per_pool * pools);
        let single = calls.iter().filter(|call| call.write && !call.kind.contains("batch")).count() as u64;
        report.equal(&format!("{name}/writes-other-than-batch"), single, 0);
    }
    Ok(())
}

/// Passes without change, counted by the cloud and by the API server.
fn silence(bed: &Light, scene: &mut Scene<'_>, report: &mut Report) -> Result<()> {
    let (span, every) = match bed.options {
        options if options.full => (Duration::from_secs(300), 10),
        options if options.quick => (Duration::from_secs(20), 2),
        _ => (Duration::from_secs(60), 5),
    };
    scene.restart_with(&["--resync-seconds", &every.to_string(), "--sweep-seconds", &every.to_string()])?;
    scene.cloud().await_silence(Duration::from_millis(500))?;
    scene.cloud().reset_calls()?;
    let before = writes(scene.lab)?;
    let passes = scene.running()?.passes()?;
    report.say(format!("watching for {} s that nothing is written", span.as_secs()));
    let began = Instant::now();
    while began.elapsed() < span {
        std::thread::sleep(Duration::from_millis(500).min(span));
    }
    let passes = scene.running()?.passes()? - passes;
    let after = writes(scene.lab)?;
    let (reads, cloud_writes) = scene.cloud().totals()?;
    report.at_least("no-change/passes", passes, 2 * span.as_secs() / every * 3 / 4, "");
    report.equal("no-change/cloud-writes", cloud_writes, 0);
    for (what, count) in &after {
        let delta = count - before.get(what).copied().unwrap_or_default();
        if delta != 0.0 {
            report.say(format!("the API server counted {delta} × {what}"));
        }
    }
    let total: f64 = after.values().sum::<f64>() - before.values().sum::<f64>();
    report.equal("no-change/api-server-writes", total as u64, 0);
    report.holds(
        "no-change/cloud-reads-per-pass",
        format!("{:.1}", reads as f64 / passes.max(1) as f64),
        true,
        "for-information",
    );
    report.holds("no-change/watched-for", format!("{}s", span.as_secs()), true, "for-information");
    Ok(())
}

/// Writes that the API server has served, by verb and resource. Leases are the lab's own.
fn writes(lab: &Lab) -> Result<BTreeMap<String, f64>> {
    let metrics = lab.metrics()?;
    let mut found = BTreeMap::new();
    for verb in ["POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION"] {
        for resource in
            ["services", "events", "nodes", "pods", "endpointslices", "endpoints", "loadbalancerclasses", "namespaces"]
        {
            let count = metrics.sum("apiserver_request_total", &[("verb", verb), ("resource", resource)]);
            found.insert(format!("{verb} {resource}"), count);
        }
    }
    Ok(found)
}

/// For the person who looks: how often which call.
fn tell(report: &Report, what: &str, calls: &[Call]) {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for call in calls {
        *kinds.entry(&call.kind).or_default() += 1;
    }
    let list: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count}× {kind}")).collect();
    report.say(format!("{what}: {} calls: {}", calls.len(), list.join(", ")));
}
