#![allow(clippy::unwrap_used)]

use super::*;

fn faults(plan: serde_json::Value) -> Faults {
    Faults::new(serde_json::from_value(plan).unwrap())
}

/// Which of `calls` meet a fault, as a string of `x` and `.`.
fn hits(faults: &mut Faults, calls: &[(&str, &str)]) -> String {
    calls
        .iter()
        .map(|(method, path)| if faults.decide(method, path, *method != "GET").is_some() { 'x' } else { '.' })
        .collect()
}

#[test]
fn conditions_are_anded_and_nth_counts_what_passes_the_others() {
    let calls = [
        ("GET", "/pools"),
        ("POST", "/pools"),
        ("POST", "/listeners"),
        ("POST", "/pools"),
        ("post", "/v3/pools/1"),
        ("GET", "/pools"),
    ];
    for (condition, expected) in [
        (serde_json::json!({}), "xxxxxx"),
        (serde_json::json!({"writes_only": true}), ".xxxx."),
        (serde_json::json!({"method": "POST"}), ".xxxx."),
        (serde_json::json!({"path_contains": "/pools"}), "xx.xxx"),
        (serde_json::json!({"method": "POST", "path_contains": "/pools", "nth": 2}), "...x.."),
        (serde_json::json!({"writes_only": true, "nth": 3}), "...x.."),
        (serde_json::json!({"nth": 9}), "......"),
        (serde_json::json!({"probability": 0.0}), "......"),
        (serde_json::json!({"probability": 1.0}), "xxxxxx"),
    ] {
        let mut faults = faults(serde_json::json!({"rules": [{"match": condition, "fault": "drop"}]}));
        assert_eq!(hits(&mut faults, &calls), expected, "{condition}");
    }
}

#[test]
fn times_ends_a_rule_and_the_first_that_fires_decides() {
    let plan = serde_json::json!({"rules": [
        {"match": {"path_contains": "pools"}, "fault": {"throttle": {}}, "times": 2},
        {"match": {"nth": 2}, "fault": "drop"},
        {"match": {"nth": 4}, "fault": "lost_answer"},
    ]});
    let mut faults = faults(plan);
    let names: Vec<_> = (0..4).map(|_| faults.decide("POST", "/pools", true).map(|fault| fault.name())).collect();
    assert_eq!(names, [Some("throttle"), Some("throttle"), None, Some("lost_answer")]);
    let counts: Vec<_> = faults.counts().iter().map(|count| (count.matched, count.fired)).collect();
    assert_eq!(counts, [(4, 2), (4, 0), (4, 1)], "a rule that was overruled has not fired");
}

#[test]
fn a_seed_decides_the_luck_and_one_rule_does_not_change_anothers() {
    let run = |seed: u64, rules: serde_json::Value| {
        let mut faults = faults(serde_json::json!({"seed": seed, "rules": rules}));
        (0..64).map(|_| if faults.decide("GET", "/", false).is_some() { 'x' } else { '.' }).collect::<String>()
    };
    let half = || serde_json::json!([{"match": {"probability": 0.5}, "fault": "drop"}]);
    assert_eq!(run(1, half()), run(1, half()));
    assert_ne!(run(1, half()), run(2, half()));
    let hits = run(1, half()).matches('x').count();
    assert!((16..48).contains(&hits), "{hits}");
    let with_other = serde_json::json!([{"match": {"probability": 0.5}, "fault": "drop"}, {"match": {"method": "PUT", "probability": 0.5}, "fault": "drop"}]);
    assert_eq!(run(1, half()), run(1, with_other));
}

#[test]
fn a_plan_survives_its_own_json() {
    let plan = FaultPlan {
        seed: 7,
        list_lag_ms: 5,
        rules: [
            Fault::LostAnswer,
            Fault::LateApply { delay_ms: 5, gateway_timeout: true },
            Fault::Throttle { retry_after_s: None },
            Fault::Status { http: 500, code: "X".into(), message: "y".into() },
            Fault::Drop,
            Fault::Delay { ms: 1 },
            Fault::HoldBefore,
            Fault::HoldAfter,
        ]
        .map(|fault| Rule { on: Match { nth: Some(1), ..Match::default() }, fault, times: None })
        .to_vec(),
    };
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<FaultPlan>(&text).unwrap(), plan);
    assert!(serde_json::from_str::<FaultPlan>(r#"{"rules":[{"match":{"mehtod":"GET"},"fault":"drop"}]}"#).is_err());
}
