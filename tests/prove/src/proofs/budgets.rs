//! Calls per operation, by the cloud's own counter, and silence when nothing changes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use ferrolb_lab::{Lab, wait_for};
use serde_json::{Value, json};

use super::delete::load_balancer;
use crate::harness::{Call, GATEWAY, Light, Scene, Service, manifest};
use crate::report::Report;

const PATIENCE: Duration = Duration::from_secs(20);
const SILENCE: Duration = Duration::from_millis(1200);
const ALGORITHM: &str = "kubernetes.io/elb.lb-algorithm";
const HEALTH_CHECK: &str = "kubernetes.io/elb.health-check-flag";
const NAT_GATEWAY: &str = "kubernetes.io/natgateway.id";
const NEW_EIP: &str = "kubernetes.io/elb.eip-auto-create-option";
const EIP: &str = r#"{"ip_type":"5_bgp","bandwidth_size":5,"share_type":"PER"}"#;
const EXCLUDED: &str = "node.kubernetes.io/exclude-from-external-load-balancers";

pub fn run(bed: &Light, report: &mut Report) -> Result<()> {
    let mut scene = Scene::new(bed, "budgets", &["--settle-seconds=2"])?;
    let three = [("TCP", 80), ("TCP", 443), ("UDP", 53)];
    let (one_port, made) = create(&scene, report, "one-port", &manifest::public("one-port", &three[..1]), 10)?;
    let theirs = theirs::creation(scene.lab.node_names().len() as u64);
    report.holds("create/one-port/ours:open-controller", format!("{made}:{theirs}"), made < theirs, "fewer");
    create(&scene, report, "three-ports", &manifest::public("three-ports", &three), 18)?;
    nodes(&scene, report, 4)?;
    changes(&scene, report, &one_port)?;
    lives(&scene, report)?;
    silence(bed, &mut scene, report)?;
    drop(scene);
    together(bed, report)
}

/// Calls of the open cloud-provider-huaweicloud, by its source: at least so many. What it makes for a deletion, for a
/// load balancer that several share, and for DNAT was not counted.
mod theirs {
    /// A dedicated load balancer of one port.
    pub fn creation(nodes: u64) -> u64 {
        12 + 4 * nodes
    }

    /// Any look at a load balancer: whatever changed, it goes through all of this.
    pub fn pass(ports: u64) -> u64 {
        2 + 3 * ports
    }

    /// Writes among these: each listener is set to what it is.
    pub fn writes(ports: u64) -> u64 {
        ports
    }
}

/// Creates a Service and counts the calls until it is complete.
fn create<'a>(
    scene: &Scene<'a>,
    report: &mut Report,
    name: &str,
    wish: &Value,
    bound: u64,
) -> Result<(Service<'a>, u64)> {
    scene.cloud().reset_calls()?;
    let service = scene.create(wish)?;
    service.await_ready(PATIENCE)?;
    let calls = scene.cloud().await_silence(SILENCE)?;
    tell(report, &format!("create/{name}"), &calls);
    // What comes after the last write is a look at what was made: the Service's endpoints have come meanwhile.
    let made = calls.iter().rposition(|call| call.write).map_or(0, |last| last + 1);
    report.at_most(&format!("create/{name}/calls"), made as u64, bound, "");
    report.holds(&format!("create/{name}/reads-afterwards"), calls.len() - made, true, "for-information");
    Ok((service, made as u64))
}

/// Changes to a Service of one port: exactly so many writes, and nothing made anew.
fn changes(scene: &Scene<'_>, report: &mut Report, service: &Service<'_>) -> Result<()> {
    type Change = (&'static str, fn(&Scene<'_>, &Service<'_>) -> Result<()>, u64);
    let steps: [Change; 8] = [
        ("port-added", |_, service| service.patch(&ports(&[("TCP", 80), ("UDP", 53)])), 4),
        ("port-removed", |_, service| service.patch(&ports(&[("TCP", 80)])), 4),
        ("port-number-changed", |_, service| service.patch(&ports(&[("TCP", 81)])), 8),
        ("algorithm-changed", |_, service| service.annotate(ALGORITHM, Some("LEAST_CONNECTIONS")), 1),
        ("health-check-off", |_, service| service.annotate(HEALTH_CHECK, Some("off")), 1),
        ("health-check-on", |_, service| service.annotate(HEALTH_CHECK, None), 1),
        ("label-changed", |_, service| service.patch(&json!({"metadata": {"labels": {"a": "b"}}})), 0),
        ("pod-gone", |scene, _| scene.lab.delete_pod(&scene.namespace, "web"), 0),
    ];
    let cloud = scene.cloud();
    for (name, step, wanted) in steps {
        cloud.reset_calls()?;
        step(scene, service)?;
        // Fewer or more are told below.
        let _ = wait_for("the writes", PATIENCE, || Ok((cloud.totals()?.1 >= wanted).then_some(())));
        let calls = cloud.await_silence(SILENCE)?;
        tell(report, name, &calls);
        report.equal(&format!("{name}/writes"), calls.iter().filter(|call| call.write).count() as u64, wanted);
        let balancers = calls.iter().filter(|call| call.write && call.kind.contains("/loadbalancers")).count() as u64;
        report.equal(&format!("{name}/writes-on-load-balancers"), balancers, 0);
        let compared = format!("{}:{}", calls.len(), theirs::pass(1));
        report.holds(&format!("{name}/calls/ours:open-controller"), compared, true, "for-information");
    }
    Ok(())
}

/// Creation and deletion of the other kinds of load balancers.
fn lives(scene: &Scene<'_>, report: &mut Report) -> Result<()> {
    let theirs = load_balancer(&scene.cloud(), "theirs")?;
    // The one that "elb-id" shares the load balancer with.
    let holder = scene.create(&manifest::service("holder", &[(manifest::ID, &theirs)], &[("TCP", 8443)]))?;
    holder.await_ready(PATIENCE)?;
    let dedicated =
        manifest::PUBLIC.replace('}', r#","available_zone":["mock-1a"],"l4_flavor_name":"L4_flavor.elb.s1.small"}"#);
    let ports = &[("TCP", 80)];
    let with = |name: &str, annotations: &[(&str, &str)]| manifest::service(name, annotations, ports);
    let inner = &[(manifest::CLASS, "union"), (manifest::AUTOCREATE, r#"{"type":"inner"}"#)];
    let mut restricted = with("restricted", inner);
    restricted["spec"]["loadBalancerSourceRanges"] = json!(["10.0.0.0/8"]);
    let cases = [
        ("public", manifest::public("public", ports), 10, 6),
        ("inner", with("inner", inner), 10, 5),
        // Whom it lets in is an object of its own, looked for and made.
        ("restricted", restricted, 12, 6),
        (
            "dedicated",
            with("dedicated", &[(manifest::CLASS, "performance"), (manifest::AUTOCREATE, &dedicated)]),
            11,
            6,
        ),
        // Two reads tell who else is on it.
        ("elb-id", with("elb-id", &[(manifest::CLASS, "union"), (manifest::ID, &theirs)]), 11, 4),
        // One rule, and the EIP, which is looked at until it is ready.
        ("dnat", with("dnat", &[(manifest::CLASS, "dnat"), (NAT_GATEWAY, GATEWAY), (NEW_EIP, EIP)]), 17, 2),
    ];
    for (name, wish, calls, deletions) in cases {
        let (service, _) = create(scene, report, name, &wish, calls)?;
        scene.cloud().reset_calls()?;
        service.delete()?;
        service.await_gone(PATIENCE)?;
        let calls = scene.cloud().await_silence(SILENCE)?;
        tell(report, &format!("delete/{name}"), &calls);
        let writes = calls.iter().filter(|call| call.write).count() as u64;
        report.equal(&format!("delete/{name}/writes"), writes, deletions);
        let compared = format!("{}:unknown", calls.len());
        report.holds(&format!("delete/{name}/calls/ours:open-controller"), compared, true, "for-information");
    }
    holder.delete()?;
    holder.await_gone(PATIENCE)
}

/// A JSON patch that leaves a Service with these ports.
fn ports(ports: &[(&str, u16)]) -> Value {
    json!([{"op": "replace", "path": "/spec/ports", "value": manifest::public("", ports)["spec"]["ports"]}])
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
        // One call for each member that comes or goes, as it knows no batch, beside the usual ones.
        let (ours, theirs) = (writes, theirs::writes(pools) + calls_per_pool * pools);
        report.holds(
            &format!("{name}/writes/ours:open-controller"),
            format!("{ours}:{theirs}"),
            ours < theirs,
            "fewer",
        );
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
    // Two Services with two ports each on average.
    let per_pass = |calls: u64| calls as f64 / passes.max(1) as f64;
    let (all, writes) = (per_pass(reads + cloud_writes), per_pass(cloud_writes));
    report.holds(
        "no-change/calls-per-pass/ours:open-controller",
        format!("{all:.1}:{}.0", theirs::pass(2)),
        true,
        "for-information",
    );
    let compared = format!("{writes:.1}:{}.0", theirs::writes(2));
    report.holds(
        "no-change/writes-per-pass/ours:open-controller",
        compared,
        writes < theirs::writes(2) as f64,
        "fewer",
    );
    report.holds("no-change/watched-for", format!("{}s", span.as_secs()), true, "for-information");
    Ok(())
}

/// What a look without change reads of one load balancer, alone and beside others: lists are shared.
fn together(bed: &Light, report: &mut Report) -> Result<()> {
    const EVERY: Duration = Duration::from_secs(4);
    let every = format!("--resync-seconds={}", EVERY.as_secs());
    let mut scene = Scene::new(bed, "budgets-many", &["--settle-seconds=2", &every])?;
    let inner = [(manifest::CLASS, "union"), (manifest::AUTOCREATE, r#"{"type":"inner"}"#)];
    let mut services = Vec::new();
    // One alone pays for each kind of object.
    for (count, bound) in [(1, 6.0), (20, 2.0), (100, 2.0)] {
        for number in services.len()..count {
            services.push(scene.create(&manifest::service(&format!("web-{number}"), &inner, &[("TCP", 80)]))?);
        }
        for service in &services {
            service.await_ready(PATIENCE)?;
        }
        // Between two rounds, so that what is counted are whole ones.
        scene.cloud().await_silence(SILENCE)?;
        scene.cloud().reset_calls()?;
        let passes = scene.running()?.passes()?;
        std::thread::sleep(5 * EVERY);
        scene.cloud().await_silence(SILENCE)?;
        let passes = scene.running()?.passes()? - passes;
        let (reads, writes) = scene.cloud().totals()?;
        let name = format!("no-change/{count}-services");
        report.at_least(&format!("{name}/passes"), passes, 3 * count as u64, "");
        report.equal(&format!("{name}/writes"), writes, 0);
        let each = reads as f64 / passes.max(1) as f64;
        let (shown, most) = (format!("{each:.2}"), format!("<={bound:.2}"));
        report.holds(&format!("{name}/no-change-reads-per-load-balancer"), shown, each <= bound, &most);
        let theirs = theirs::pass(1) - theirs::writes(1);
        report.holds(
            &format!("{name}/reads/ours:open-controller"),
            format!("{each:.2}:{theirs}"),
            true,
            "for-information",
        );
    }
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
