//! The example passes; copies of it with one classic mistake each fail, and first in the case that is about it.
#![allow(clippy::unwrap_used)]

mod broken;

use ferrolb_example_tinycloud::TinySubject;
use ferrolb_provider::conformance::{Verdict, run, run_to_first_failure};

use broken::{Broken, Bug};

#[tokio::test]
async fn the_example_passes_every_case() {
    let report = run(&TinySubject::default()).await;
    println!("{report}");
    assert!(report.all_passed(), "{report}");
    assert_eq!(report.count(Verdict::NotChecked), 0, "{report}");
}

#[test]
fn the_provider_stays_short() {
    let lines = include_str!("../../src/provider.rs").lines().count();
    assert!(lines < 300, "{lines} lines");
}

/// Runs the kit on a copy with this mistake. The first case to fail is this one.
async fn fails(bug: Bug, case: &str) {
    let report = run_to_first_failure(&Broken { bug, subject: TinySubject::default() }).await;
    println!("{bug:?}\n{report}");
    assert_eq!(report.failed().first(), Some(&case), "{bug:?}\n{report}");
    assert!(!report.all_passed());
}

#[tokio::test]
async fn a_copy_without_mistake_passes() {
    let report = run(&Broken { bug: Bug::None, subject: TinySubject::default() }).await;
    assert!(report.all_passed(), "{report}");
    let open: Vec<_> = report.cases.iter().filter(|c| c.verdict == Verdict::NotChecked).map(|c| &c.name).collect();
    assert_eq!(open, ["call budgets"], "{report}");
}

#[tokio::test]
async fn a_cloud_that_does_not_make_the_faults_that_it_promises() {
    let report = run(&Broken { bug: Bug::NoFaults, subject: TinySubject::default() }).await;
    let case = report.cases.iter().find(|c| c.name == "creation: answer lost").unwrap();
    assert_eq!(case.verdict, Verdict::Fail, "{report}");
    assert!(case.detail.contains("does Cloud::set_fault work?"), "{report}");
}

#[tokio::test]
async fn a_create_without_owner_mark() {
    fails(Bug::NoMark, "owner mark in the create call").await;
}

#[tokio::test]
async fn a_mark_that_comes_in_a_second_call() {
    fails(Bug::MarkInASecondCall, "owner mark in the create call").await;
}

#[tokio::test]
async fn a_deletion_whose_error_is_swallowed() {
    fails(Bug::DeleteErrorSwallowed, "deletion: request lost").await;
}

#[tokio::test]
async fn a_lost_answer_that_is_taken_for_no() {
    fails(Bug::LostAnswerTakenForNo, "creation: applied late").await;
}

#[tokio::test]
async fn a_failed_list_that_is_taken_for_an_empty_one() {
    fails(Bug::FailedListIsEmpty, "creation: request lost").await;
}

#[tokio::test]
async fn a_list_without_its_further_pages() {
    fails(Bug::FirstPageOnly, "list is whole").await;
}

#[tokio::test]
async fn an_owner_known_by_its_name() {
    fails(Bug::OwnerByName, "list is whole").await;
}

#[tokio::test]
async fn a_clean_up_that_takes_more_than_its_own() {
    fails(Bug::CleansUpTooMuch, "deletion order and completeness").await;
}

#[tokio::test]
async fn a_throttled_call_that_is_made_again_at_once() {
    fails(Bug::ThrottledAndOn, "throttling is heeded").await;
}

#[tokio::test]
async fn an_update_that_is_not_made() {
    fails(Bug::UpdateForgotten, "backend churn").await;
}

#[tokio::test]
async fn a_newest_that_wins() {
    fails(Bug::AgesReversed, "surplus goes, the oldest stays").await;
}
