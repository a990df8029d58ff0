//! Every code of the cloud's error tables: what the user reads, and that the Service works once the cause is gone.
//!
//! The statuses are those that the vendor documents for the codes, odd as some are: a quota comes as 400, 403 or 409, and
//! a final refusal as 500.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use ferrolb_lab::wait_for;
use serde_json::{Value, json};

use crate::harness::{GATEWAY, Light, Scene, Service, manifest};
use crate::report::{Report, seconds};

const PATIENCE: Duration = Duration::from_secs(20);
/// From the user's correction to Ready: an answer that leaves the effect open is followed by the settle time.
const RECOVERY: Duration = Duration::from_secs(8);

/// What the user is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// The call is refused as it is.
    Refused,
    /// Refused, because something is used up.
    Quota,
    /// The credentials do not suffice.
    Denied,
    /// Too many calls.
    Throttled,
    /// It is not known whether it was carried out, and looked at again: a port may be taken by a listener of ours that
    /// does not show yet.
    Open,
    /// The port of the EIP has a rule, and no list shows whose: one that lags behind will.
    Hidden,
}

impl Told {
    fn reason(self) -> &'static str {
        match self {
            Self::Refused | Self::Quota => "CloudRefused",
            Self::Denied => "CloudDenied",
            Self::Throttled => "CloudThrottled",
            Self::Open => "CloudAmbiguous",
            Self::Hidden => "CloudUnavailable",
        }
    }

    /// A word that must be in the message, beside the code.
    fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Quota => "quota",
            Self::Denied => "credentials",
            Self::Throttled => "limits",
            Self::Open => "looks again",
            Self::Hidden => "does not show by whom",
        }
    }
}

/// Calls that create: what is in their path.
const BALANCER: &str = "/elb/loadbalancers";
const LISTENER: &str = "/elb/listeners";
const MEMBER: &str = "/members/batch-add";
const EIP: &str = "/publicips";
/// Of a NAT gateway: what is behind it is class `dnat`.
const RULE: &str = "/dnat_rules";

/// Call, status, codes that come with it, what they mean to the user.
const TABLE: &[(&str, u16, &[&str], Told)] = &[
    (BALANCER, 400, &["ELB.8902", "ELB.8938", "ELB.8939", "ELB.8959", "ELB.9805", "ELB.9899"], Told::Refused),
    (BALANCER, 400, &["ELB.1202", "ELB.1101", "ELB.9800", "ELB.9801", "APIG.0201"], Told::Refused),
    (BALANCER, 400, &["ELB.8934", "ELB.8950", "ELB.9807"], Told::Quota),
    (BALANCER, 401, &["ELB.1103", "ELB.1104", "ELB.1105", "ELB.1109", "SYS.0401"], Told::Denied),
    (BALANCER, 401, &["APIG.0301", "APIGW.0301"], Told::Denied),
    (BALANCER, 403, &["ELB.9802", "ELB.9803", "ELB.9804", "SYS.0403"], Told::Denied),
    (BALANCER, 403, &["ELB.8962"], Told::Refused),
    (BALANCER, 403, &["ELB.1091"], Told::Quota),
    (BALANCER, 404, &["ELB.8904", "ELB.1002"], Told::Refused),
    (BALANCER, 404, &["APIG.0101", "APIGW.0101"], Told::Refused),
    (BALANCER, 409, &["ELB.8905"], Told::Quota),
    (BALANCER, 429, &["APIG.0308", "APIGW.0308"], Told::Throttled),
    (BALANCER, 500, &["ELB.8906"], Told::Open),
    (LISTENER, 400, &["ELB.6200"], Told::Open),
    (LISTENER, 403, &["ELB.6091"], Told::Quota),
    (LISTENER, 409, &["ELB.8907"], Told::Open),
    (MEMBER, 403, &["ELB.2001"], Told::Quota),
    (EIP, 400, &["VPC.0501", "VPC.0301"], Told::Refused),
    (EIP, 403, &["VPC.0502", "VPC.0010"], Told::Denied),
    (EIP, 404, &["VPC.0504", "VPC.0306"], Told::Refused),
    (EIP, 409, &["VPC.0521", "VPC.0532", "EIP.7905"], Told::Quota),
    (EIP, 409, &["VPC.0522", "VPC.0510", "VPC.0511"], Told::Refused),
    (EIP, 409, &["VPC.0512"], Told::Open),
    (EIP, 500, &["VPC.0516"], Told::Refused),
    (EIP, 500, &["VPC.0503", "VPC.0504", "VPC.0514"], Told::Open),
    (RULE, 400, &["NAT.0301", "NAT.0302", "NAT.0303", "NAT.0306", "NAT.0307", "NAT.0308"], Told::Refused),
    (RULE, 400, &["NAT.0310", "NAT.0312", "NAT.0314", "NAT.0315", "NAT.0317"], Told::Refused),
    // The gateway is down or frozen; the EIP is frozen, bound to a port, or busy elsewhere.
    (RULE, 400, &["NAT.0104", "NAT.0318"], Told::Refused),
    (RULE, 400, &["NAT.0401", "NAT.0402", "NAT.0404", "NAT.0405", "NAT.0407", "NAT.0408", "NAT.0409"], Told::Refused),
    // Every node has a rule for this port.
    (RULE, 400, &["NAT.0304", "VPC.2023"], Told::Refused),
    (RULE, 400, &["NAT.0305", "VPC.2024"], Told::Hidden),
    (RULE, 400, &["NAT.0309", "NAT.0313"], Told::Quota),
    (RULE, 400, &["NAT.0102", "NAT.0103", "NAT.0106", "VPC.2030", "VPC.2050"], Told::Open),
    // "Not found" is said with either status, of the gateway and of a rule.
    (RULE, 400, &["NAT.0105", "VPC.2007"], Told::Refused),
    (RULE, 404, &["NAT.0105", "NAT.0319", "VPC.2007"], Told::Refused),
];

/// What is asked for, so that a call of this kind is made, and a change to it that makes another call.
fn wish(call: &str, name: &str) -> (Value, (&'static str, &'static str)) {
    const NEW_EIP: &str = r#"{"ip_type":"5_bgp","bandwidth_size":5,"share_type":"PER"}"#;
    if call != RULE {
        return (manifest::public(name, &[("TCP", 80)]), ("kubernetes.io/elb.health-check-flag", "off"));
    }
    let annotations = [
        (manifest::CLASS, "dnat"),
        ("kubernetes.io/natgateway.id", GATEWAY),
        ("kubernetes.io/elb.eip-auto-create-option", NEW_EIP),
    ];
    (manifest::service(name, &annotations, &[("TCP", 80)]), ("ferrolb.io/ip-mode", "Proxy"))
}

pub fn run(bed: &Light, report: &mut Report) -> Result<()> {
    let scene = Scene::new(bed, "codes", &["--settle-seconds=2"])?;
    let mut shown = BTreeMap::<&str, u64>::new();
    for &(call, status, codes, told) in TABLE {
        for code in codes.iter().step_by(if bed.options.quick { 3 } else { 1 }) {
            let name = format!("code/{code}-as-{status}");
            match one(&scene, call, status, code, told) {
                Ok((reason, recovery)) => {
                    let (seen, bound) = (seconds(recovery), seconds(RECOVERY));
                    let value = format!("{reason},ready-after-{seen}");
                    report.holds(&name, value, recovery <= RECOVERY, &format!("{reason},<={bound}"));
                    *shown.entry(told.reason()).or_default() += 1;
                }
                Err(error) => report.failed(&name, &error),
            }
            scene.cloud().heal(true)?;
        }
    }
    for (reason, count) in shown {
        report.at_least(&format!("codes/{reason}"), count, 1, "");
    }
    wait_for("everything to be gone", PATIENCE, || {
        let summary = scene.cloud().summary()?;
        ensure!(summary == "empty", "{summary}");
        Ok(Some(()))
    })?;
    report.equal("codes/left-in-the-cloud", scene.cloud().summary()?, "empty".to_owned());
    Ok(())
}

/// A Service whose creation meets the code: what is said about it, and the time from the cause's end to Ready.
fn one(scene: &Scene<'_>, call: &str, status: u16, code: &str, told: Told) -> Result<(String, Duration)> {
    let fault = json!({"status": {"http": status, "code": code, "message": "as documented"}});
    scene.cloud().fault(json!([{"match": {"method": "POST", "path_contains": call}, "fault": fault}]))?;
    let (manifest, (key, value)) = wish(call, &format!("{}-{status}", code.to_lowercase().replace('.', "-")));
    let service = scene.create(&manifest)?;
    let seen = await_told(&service, code, told);
    scene.cloud().heal(true)?;
    let healed = Instant::now();
    // The user does something about it, so that nobody waits for the next try.
    service.annotate(key, Some(value))?;
    let ready = service.await_ready(RECOVERY + PATIENCE);
    let recovery = healed.elapsed();
    service.delete()?;
    ready?;
    Ok((seen?, recovery))
}

fn await_told(service: &Service<'_>, code: &str, told: Told) -> Result<String> {
    wait_for("the condition to name the code", Duration::from_secs(8), || {
        let said = service.condition("Ready")?.context("there is no condition Ready")?;
        let text = format!("{} {}: {}", said.status, said.reason, said.message);
        let right = said.status != "True" && said.reason == told.reason() && said.message.contains(code);
        ensure!(right && text.to_lowercase().contains(told.word()), "{text}");
        Ok(Some(said.reason))
    })
}
