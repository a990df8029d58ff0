//! Input that cannot be done, and input that can be done but for a slip.

use std::time::Duration;

use anyhow::Result;

use crate::harness::{Light, Scene, Service, manifest};
use crate::report::Report;

const PATIENCE: Duration = Duration::from_secs(15);
/// How long attempts are counted after all was refused; a loop that tries again would do so within it.
const WATCHED: Duration = Duration::from_secs(4);

/// What is wrong, the annotations, and words that condition and event must hold: the key, the place, what is valid.
type Case = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

const REFUSED: &[Case] = &[
    (
        "missing-quote",
        &[
            (manifest::CLASS, "union"),
            (
                manifest::AUTOCREATE,
                r#"{"type":"public","bandwidth_chargemode":"traffic,"bandwidth_size":5,"bandwidth_sharetype":"PER","eip_type":"5_bgp"}"#,
            ),
        ],
        &["elb.autocreate", "column", "quote"],
    ),
    (
        "size-as-text",
        &[
            (manifest::CLASS, "union"),
            (
                manifest::AUTOCREATE,
                r#"{"type":"public","bandwidth_name":"b","bandwidth_size":"5","bandwidth_sharetype":"PER","eip_type":"5_bgp"}"#,
            ),
        ],
        &["elb.autocreate", "bandwidth_size", "quotes"],
    ),
    (
        "size-out-of-range",
        &[
            (manifest::CLASS, "union"),
            (
                manifest::AUTOCREATE,
                r#"{"type":"public","bandwidth_name":"b","bandwidth_size":5000,"bandwidth_sharetype":"PER","eip_type":"5_bgp"}"#,
            ),
        ],
        &["elb.autocreate", "bandwidth_size", "2000"],
    ),
    (
        "missing-for-public",
        &[(manifest::CLASS, "union"), (manifest::AUTOCREATE, r#"{"type":"public"}"#)],
        &["elb.autocreate", "bandwidth_size", "eip_type"],
    ),
    (
        "unknown-type",
        &[(manifest::CLASS, "union"), (manifest::AUTOCREATE, r#"{"type":"extern"}"#)],
        &["elb.autocreate", "type", "public", "inner"],
    ),
    ("not-an-object", &[(manifest::CLASS, "union"), (manifest::AUTOCREATE, "true")], &["elb.autocreate", "{"]),
    (
        "unknown-class",
        &[(manifest::CLASS, "gold"), (manifest::AUTOCREATE, r#"{"type":"inner"}"#)],
        &["elb.class", "union", "performance"],
    ),
    ("nothing-said", &[], &["elb.id", "elb.autocreate"]),
    (
        "dedicated-without-zone",
        &[
            (manifest::CLASS, "performance"),
            (manifest::AUTOCREATE, r#"{"type":"inner","l4_flavor_name":"L4_flavor.elb.s1.small"}"#),
        ],
        &["elb.autocreate", "available_zone"],
    ),
];

const WARNED: &[Case] = &[
    (
        "unknown-key",
        &[
            (manifest::CLASS, "union"),
            (manifest::AUTOCREATE, manifest::PUBLIC),
            ("kubernetes.io/elb.lb-algoritm", "ROUND_ROBIN"),
        ],
        &["elb.lb-algoritm", "elb.lb-algorithm"],
    ),
    (
        "unknown-field",
        &[
            (manifest::CLASS, "union"),
            (
                manifest::AUTOCREATE,
                r#"{"type":"public","bandwith_name":"b","bandwidth_name":"b","bandwidth_chargemode":"traffic","bandwidth_size":5,"bandwidth_sharetype":"PER","eip_type":"5_bgp"}"#,
            ),
        ],
        &["bandwith_name", "bandwidth_name"],
    ),
];

pub fn run(bed: &Light, report: &mut Report) -> Result<()> {
    let mut scene = Scene::new(bed, "bad-input", &["--settle-seconds=2"])?;
    let passes = scene.running()?.passes()?;
    let mut services = Vec::new();
    for (name, annotations, _) in REFUSED {
        let mut wish = manifest::service(name, annotations, &[("TCP", 80)]);
        // Without pods, so that no news of endpoints is a reason for another look.
        wish["spec"]["selector"] = serde_json::json!({"app": "nobody"});
        services.push(scene.create(&wish)?);
    }
    for ((name, _, words), service) in REFUSED.iter().zip(&services) {
        let told = service.await_condition("ConfigurationValid", "False", PATIENCE)?;
        report.say(format!("{name}: {}", told.message));
        texts(report, name, &told.message, service, words)?;
    }
    // Nothing to wait for: this is the time in which nothing may happen.
    std::thread::sleep(WATCHED);
    let attempts = scene.running()?.passes()? - passes;
    report.at_most("refused/attempts", attempts, REFUSED.len() as u64, &format!("_for_{}", REFUSED.len()));
    let (reads, writes) = scene.cloud().totals()?;
    report.equal("refused/cloud-calls", reads + writes, 0);
    report.equal("refused/cloud-objects", scene.cloud().summary()?, "empty".to_owned());

    let first = &services[0];
    first.annotate(manifest::AUTOCREATE, Some(manifest::PUBLIC))?;
    let addresses = first.await_ready(PATIENCE)?;
    report.holds("corrected/addresses", addresses.join(","), addresses.len() == 2, "EIP,private");
    let told = first.condition("ConfigurationValid")?;
    report.equal("corrected/ConfigurationValid", told.map_or("none".to_owned(), |c| c.status), "True".to_owned());
    for service in &services[1..] {
        service.delete()?;
        service.await_gone(PATIENCE)?;
    }

    for (name, annotations, words) in WARNED {
        let service = scene.create(&manifest::service(name, annotations, &[("TCP", 80)]))?;
        let addresses = service.await_ready(PATIENCE)?;
        report.holds(&format!("{name}/works"), addresses.join(","), addresses.len() == 2, "EIP,private");
        let told = service.await_condition("ConfigurationValid", "True", PATIENCE)?;
        report.say(format!("{name}: {}", told.message));
        texts(report, name, &told.message, &service, words)?;
    }
    Ok(())
}

/// Condition and event must say it.
fn texts(report: &mut Report, name: &str, message: &str, service: &Service<'_>, words: &[&str]) -> Result<()> {
    let missing: Vec<&str> = words.iter().copied().filter(|word| !message.contains(word)).collect();
    let wanted = format!("has:{}", words.join(","));
    report.holds(&format!("{name}/condition"), verdict(&missing), missing.is_empty(), &wanted);
    let mut missing = vec!["event"];
    let _ = ferrolb_lab::wait_for("the event", Duration::from_secs(5), || {
        let events = service.events()?.join("\n");
        missing = words.iter().copied().filter(|word| !events.contains(word)).collect();
        Ok((!events.is_empty() && missing.is_empty()).then_some(()))
    });
    report.holds(&format!("{name}/event"), verdict(&missing), missing.is_empty(), &wanted);
    Ok(())
}

fn verdict(missing: &[&str]) -> String {
    if missing.is_empty() { "has-them".to_owned() } else { format!("lacks:{}", missing.join(",")) }
}
