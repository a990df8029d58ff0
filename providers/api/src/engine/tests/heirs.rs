//! What takes the place of something that is missed.

use super::rules::{slots, up};
use super::*;
use crate::toy::{EIP, PRECIOUS};

const ALLOWED: &str = "lb/main lent/main ferrolb.io/allow-interruption=true";

/// A load balancer with an address that is missed.
fn precious() -> Run {
    let mut run = up(&format!("lb/main eip/main={PRECIOUS}"));
    run.published = vec![EIP];
    run
}

#[test]
fn an_heir_waits_for_the_word() {
    let run = precious();
    let outcome = run.pass(Some("lb/main lent/main")).unwrap();
    assert!(outcome.settled && outcome.writes == 0 && !outcome.withdrawn, "{outcome:?}");
    assert!(outcome.warnings[0].message.contains("eip is precious"), "{outcome:?}");
    assert_eq!(slots(&run), "eip/main lb/main");
}

#[test]
fn clients_are_told_before_the_heir_comes_and_the_old_one_goes_after_it() {
    let mut run = precious();
    let told = run.pass(Some(ALLOWED)).unwrap();
    assert!(told.withdrawn && told.writes == 0, "{told:?}");
    run.published.clear();
    let outcome = run.pass(Some(ALLOWED)).unwrap();
    let [first, second] = outcome.applied.as_slice() else { panic!("{outcome:?}") };
    assert!(first.starts_with("+ lent/main") && second.starts_with("- eip/main"), "{outcome:?}");
}

#[test]
fn the_old_one_stays_where_the_heir_does_not_come() {
    let mut run = precious();
    run.published.clear();
    let at = run.client.cloud().calls + 1;
    run.client.cloud().faults.insert(at, Fault::Refused);
    let outcome = run.pass(Some(ALLOWED)).unwrap();
    assert_eq!((outcome.failures.len(), outcome.writes), (1, 1), "{outcome:?}");
    assert_eq!(slots(&run), "eip/main lb/main");
}
