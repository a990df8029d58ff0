//! The cloud fails in every way it can: what the user sees, how often it is tried, how long until it works again.

mod codes;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use ferrolb_lab::wait_for;
use serde_json::{Value, json};

use crate::harness::{Condition, History, Light, Scene, Service, manifest};
use crate::report::{Report, seconds};

const PATIENCE: Duration = Duration::from_secs(20);
/// How long a fault lasts at least, from the moment its Service is created.
const WINDOW: Duration = Duration::from_secs(6);

/// How a fault is made.
enum Cause {
    /// Rules of the mock's fault plan.
    Rules(&'static str),
    /// A limit set to what is in use already.
    Quota(&'static str),
    /// The cloud's process is killed; it comes back with what it had.
    Dead,
}

struct Fault {
    name: &'static str,
    cause: Cause,
    /// Reason of the condition Ready.
    reason: &'static str,
    /// What its message must hold, in lower case.
    words: &'static [&'static str],
    /// Tries within the window, from the designed back-off with its jitter.
    tries: u64,
    /// From the end of the fault to Ready: the pause that has begun, the settle time, the work.
    recovery: Duration,
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "429",
        cause: Cause::Rules(r#"[{"fault":{"throttle":{}}}]"#),
        reason: "CloudThrottled",
        words: &["limit"],
        tries: 3,
        recovery: Duration::from_secs(14),
    },
    Fault {
        name: "429-retry-after",
        cause: Cause::Rules(r#"[{"fault":{"throttle":{"retry_after_s":5}}}]"#),
        reason: "CloudThrottled",
        words: &["limit"],
        tries: 2,
        recovery: Duration::from_secs(14),
    },
    Fault {
        name: "quota-eip",
        cause: Cause::Quota("publicip"),
        reason: "CloudRefused",
        words: &["quota"],
        tries: 2,
        recovery: Duration::from_secs(16),
    },
    Fault {
        name: "quota-loadbalancer",
        cause: Cause::Quota("loadbalancer"),
        reason: "CloudRefused",
        words: &["quota"],
        tries: 2,
        recovery: Duration::from_secs(16),
    },
    Fault {
        name: "500",
        cause: Cause::Rules(r#"[{"fault":{"status":{"http":500,"code":"ELB.8906","message":"internal error"}}}]"#),
        reason: "CloudUnavailable",
        words: &["again"],
        tries: 4,
        recovery: Duration::from_secs(12),
    },
    Fault {
        name: "503-on-writes",
        cause: Cause::Rules(
            r#"[{"match":{"writes_only":true},"fault":{"status":{"http":503,"code":"APIG.0201","message":"backend unavailable"}}}]"#,
        ),
        reason: "Cloud",
        words: &["again"],
        tries: 4,
        recovery: Duration::from_secs(12),
    },
    Fault {
        name: "dead",
        cause: Cause::Dead,
        reason: "CloudUnavailable",
        words: &["again"],
        tries: 4,
        recovery: Duration::from_secs(12),
    },
    Fault {
        name: "no-answer",
        cause: Cause::Rules(r#"[{"fault":"hold_before"}]"#),
        reason: "CloudUnavailable",
        words: &["again"],
        tries: 4,
        recovery: Duration::from_secs(12),
    },
    Fault {
        name: "answer-after-deadline",
        cause: Cause::Rules(r#"[{"match":{"writes_only":true},"fault":{"delay":{"ms":3000}}}]"#),
        reason: "CloudAmbiguous",
        words: &["twice"],
        tries: 4,
        recovery: Duration::from_secs(14),
    },
    Fault {
        name: "connections-cut",
        cause: Cause::Rules(r#"[{"fault":"drop"}]"#),
        reason: "CloudUnavailable",
        words: &["again"],
        tries: 4,
        recovery: Duration::from_secs(12),
    },
    Fault {
        name: "denied",
        cause: Cause::Rules(
            r#"[{"fault":{"status":{"http":401,"code":"APIG.0301","message":"Incorrect IAM authentication information"}}}]"#,
        ),
        reason: "CloudDenied",
        words: &["credentials"],
        tries: 1,
        recovery: Duration::from_secs(26),
    },
];

pub fn run(bed: &Light, report: &mut Report) -> Result<()> {
    let mut scene = Scene::new(bed, "faults", &["--settle-seconds=2", "--call-seconds=1"])?;
    let steady = scene.create(&manifest::public("steady", &[("TCP", 80)]))?;
    let addresses = steady.await_ready(PATIENCE)?;
    let history = History::start(scene.lab, &scene.namespace, Some("steady"))?;
    // The look after its settle time must be over, so that from here on only the Service of the fault is tried.
    scene.cloud().await_silence(Duration::from_secs(3))?;
    for fault in FAULTS {
        if let Err(error) = one(&mut scene, report, fault) {
            report.failed(&format!("{}/ran", fault.name), &error);
            scene_as_before(&mut scene, fault)?;
        }
    }
    let ready = steady.condition("Ready")?;
    report.equal("other-service/Ready", ready.map_or("none".to_owned(), |c| c.status), "True".to_owned());
    report.equal("other-service/addresses", history.of("steady").join(" then "), addresses.join(" "));
    report.equal("other-service/lost-its-address", history.lost("steady"), false);
    // Its controller serves every Service of the cluster, so it must go before the next comes.
    drop(scene);
    codes::run(bed, report)
}

fn one(scene: &mut Scene<'_>, report: &mut Report, fault: &Fault) -> Result<()> {
    let before = scene.cloud().ledger()?;
    let failures = scene.running()?.metric(FAILED.0, FAILED.1)?;
    let began = Instant::now();
    begin(scene, fault)?;
    let mut wish = manifest::public(fault.name, &[("TCP", 80)]);
    // Without pods, so that no news of endpoints is a reason for another try.
    wish["spec"]["selector"] = json!({"app": "nobody"});
    let service = scene.create(&wish)?;
    let told = wait_for("the condition to name the fault", Duration::from_secs(10), || {
        let told = service.condition("Ready")?.context("there is no condition Ready")?;
        anyhow::ensure!(says(&told, fault), "{}: {}", told.reason, told.message);
        Ok(Some(told))
    });
    let seen = match &told {
        Ok(told) => format!("{}: {}", told.reason, told.message),
        Err(error) => format!("{error:#}"),
    };
    report.holds(
        &format!("{}/user-sees", fault.name),
        seen,
        told.is_ok(),
        &format!("{}*,{}", fault.reason, fault.words.join(",")),
    );
    if matches!(fault.cause, Cause::Quota(_)) {
        unaffected(scene, report, fault)?;
    }
    while began.elapsed() < WINDOW {
        std::thread::sleep(Duration::from_millis(100));
    }
    let tries = (scene.running()?.metric(FAILED.0, FAILED.1)? - failures) as u64;
    report.at_most(&format!("{}/tries-in-{}", fault.name, seconds(WINDOW)), tries, fault.tries, "");

    let healed = Instant::now();
    end(scene, fault)?;
    service.await_ready(fault.recovery + PATIENCE)?;
    report.within(&format!("{}/recovery", fault.name), healed.elapsed(), fault.recovery);
    let made = wait_for("one of each", Duration::from_secs(5), || {
        let made = scene.cloud().ledger()?;
        let more = |kind: &str| {
            made[kind].as_array().map_or(0, Vec::len).saturating_sub(before[kind].as_array().map_or(0, Vec::len))
        };
        let counts = format!(
            "eips={},loadbalancers={},listeners={},pools={}",
            more("eips"),
            more("loadbalancers"),
            more("listeners"),
            more("pools")
        );
        anyhow::ensure!(counts == ONE_EACH, "{counts}");
        Ok(Some(counts))
    });
    report.holds(
        &format!("{}/objects-then", fault.name),
        made.as_ref().map_or_else(|error| error.root_cause().to_string(), Clone::clone),
        made.is_ok(),
        ONE_EACH,
    );
    gone(&service)?;
    let after = scene.cloud().ledger()?;
    report.holds(
        &format!("{}/left-after-deletion", fault.name),
        if after == before { "nothing" } else { "something" },
        after == before,
        "=nothing",
    );
    Ok(())
}

/// The metric of passes that failed, and its label.
const FAILED: (&str, &str) = ("ferrolb_reconciles_total", "result=\"failed\"");
const ONE_EACH: &str = "eips=1,loadbalancers=1,listeners=1,pools=1";

fn says(told: &Condition, fault: &Fault) -> bool {
    let message = told.message.to_lowercase();
    told.status != "True"
        && told.reason.starts_with(fault.reason)
        && fault.words.iter().all(|word| message.contains(word))
}

/// What does not need the thing that is used up works meanwhile: its own load balancer, or somebody else's.
fn unaffected(scene: &Scene<'_>, report: &mut Report, fault: &Fault) -> Result<()> {
    let id = scene.cloud().ledger()?["loadbalancers"][0]["id"].as_str().unwrap_or_default().to_owned();
    let annotations: &[(&str, &str)] = match fault.name {
        "quota-eip" => &[(manifest::CLASS, "union"), (manifest::AUTOCREATE, r#"{"type":"inner"}"#)],
        _ => &[(manifest::ID, &id)],
    };
    let began = Instant::now();
    let other = scene.create(&manifest::service("neighbour", annotations, &[("TCP", 8080)]))?;
    let ready = other.await_ready(PATIENCE);
    report.within(&format!("{}/another-service-ready", fault.name), began.elapsed(), Duration::from_secs(5));
    ready?;
    gone(&other)
}

fn gone(service: &Service<'_>) -> Result<()> {
    service.delete()?;
    service.await_gone(PATIENCE)
}

fn begin(scene: &mut Scene<'_>, fault: &Fault) -> Result<()> {
    match fault.cause {
        Cause::Rules(rules) => scene.cloud().fault(serde_json::from_str::<Value>(rules)?),
        Cause::Quota(kind) => {
            let used = scene.cloud().count(if kind == "publicip" { "eips" } else { "loadbalancers" })?;
            // The neighbour needs a load balancer where only EIPs are short.
            scene.cloud().quota(&json!({ kind: used }))
        }
        Cause::Dead => scene.kill_cloud(),
    }
}

fn end(scene: &mut Scene<'_>, fault: &Fault) -> Result<()> {
    match fault.cause {
        Cause::Rules(_) => scene.cloud().heal(true),
        Cause::Quota(kind) => scene.cloud().quota(&json!({ kind: 2000 })),
        Cause::Dead => scene.start_cloud(),
    }
}

/// After a fault whose proof broke off, so that the next has a fair start.
fn scene_as_before(scene: &mut Scene<'_>, fault: &Fault) -> Result<()> {
    if end(scene, fault).is_err() {
        scene.start_cloud()?;
    }
    for name in [fault.name, "neighbour"] {
        let service = Service::new(scene.lab, &scene.namespace, name);
        if service.get()?.is_some() {
            service.delete()?;
            service.await_gone(Duration::from_secs(60))?;
        }
    }
    Ok(())
}
