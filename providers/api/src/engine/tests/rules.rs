//! The rules of the engine, one test each.

use super::*;
use crate::toy::toy;

/// A Service that is up, long ago.
pub(super) fn up(wish: &str) -> Run {
    let run = Run::new(Lag::None);
    let outcome = run.pass(Some(wish)).unwrap();
    assert!(outcome.settled, "{outcome:?}");
    run.client.cloud().pass_time(10 * SETTLE);
    run
}

pub(super) fn slots(run: &Run) -> String {
    let cloud = run.client.cloud();
    let mut slots: Vec<String> = cloud.of("u").iter().map(|s| s.resource.slot().to_string()).collect();
    slots.sort();
    slots.join(" ")
}

#[test]
fn a_first_pass_does_all_and_the_next_nothing() {
    let run = Run::new(Lag::Always);
    let first = run.pass(Some(UP)).unwrap();
    assert!(first.settled && first.writes == 6, "{first:?}");
    assert_eq!(first.look_again, Some(run.client.now() + SETTLE));
    let second = run.pass(Some(UP)).unwrap();
    assert!(second.settled && second.writes == 0, "{second:?}");
    assert_eq!(second.serving.unwrap().addresses.len(), 1);
    run.client.cloud().pass_time(SETTLE);
    assert_eq!(run.pass(Some(UP)).unwrap().look_again, None);
}

/// Whoever waits for a place was woken by any write, and began its row of looks anew each time.
#[test]
fn only_what_goes_or_changes_may_leave_a_place_to_others() {
    let run = Run::new(Lag::None);
    let made = run.pass(Some(UP)).unwrap();
    assert!(made.writes > 0 && !made.vacated, "{made:?}");
    assert!(!run.pass(Some(UP)).unwrap().vacated);
    assert!(run.pass(Some("lb/main eip/main")).unwrap().vacated);
    assert!(run.pass(Some("lb/main=1 eip/main")).unwrap().vacated);
}

/// New nodes took the place of all old ones, and until their first check had passed nobody served.
#[test]
fn those_that_serve_stay_until_a_successor_does_or_a_minute_is_over() {
    let swap = "lb/main eip/main listener/80 pool/80 monitor/80 member/80:3 member/80:4";
    for (healthy_after, lag) in [(Some(10), Lag::None), (Some(10), Lag::Always), (None, Lag::None)] {
        let run = up(UP);
        run.client.cloud().lag = lag;
        run.client.cloud().serving = Some(vec!["80:1", "80:2"]);
        let first = run.pass(Some(swap)).unwrap();
        assert_eq!(first.applied, ["+ member/80:3 and 1 more"]);
        assert!(!first.settled && first.waits.iter().any(|w| w.until.is_none()), "{first:?}");
        run.client.cloud().pass_time(Duration::from_secs(10));
        match healthy_after {
            Some(_) => run.client.cloud().serving = Some(vec!["80:1", "80:2", "80:4"]),
            None => {
                assert_eq!(run.pass(Some(swap)).unwrap().writes, 0, "patience is not over");
                run.client.cloud().pass_time(PATIENCE);
            }
        }
        run.client.cloud().pass_time(LAG);
        let then = run.pass(Some(swap)).unwrap();
        assert_eq!(then.applied, ["- member/80:1 and 1 more"], "{healthy_after:?} {lag:?}");
        assert!(then.settled, "{then:?}");
    }
}

#[test]
fn what_does_not_serve_goes_at_once_and_so_does_what_has_no_successor() {
    let run = up(UP);
    run.client.cloud().serving = Some(Vec::new());
    let swap = "lb/main eip/main listener/80 pool/80 monitor/80 member/80:3";
    assert_eq!(run.pass(Some(swap)).unwrap().applied, ["+ member/80:3", "- member/80:1 and 1 more"]);
    run.client.cloud().serving = Some(vec!["80:3"]);
    let none = "lb/main eip/main listener/80 pool/80 monitor/80";
    assert_eq!(run.pass(Some(none)).unwrap().applied, ["- member/80:3"]);
}

#[test]
fn a_list_that_lags_repeats_no_update_and_hides_no_way_back() {
    let mut run = up("lb/main eip/main");
    run.client.cloud().lag = Lag::Always;
    assert_eq!(run.pass(Some("lb/main=1 eip/main")).unwrap().writes, 1);
    let again = run.pass(Some("lb/main=1 eip/main")).unwrap();
    assert!(again.settled && again.writes == 0, "{again:?}");
    // The list still shows what is wished now, but it is not so.
    let back = run.pass(Some("lb/main eip/main")).unwrap();
    assert_eq!(back.applied, ["~ lb/main (value)"]);
    // Nor is what a deletion had to do first done twice.
    run.client.cloud().lag = Lag::None;
    run.restart();
    run.client.cloud().pass_time(10 * SETTLE);
    run.client.cloud().lag = Lag::Always;
    assert_eq!(run.pass(Some("lb/main")).unwrap().applied, ["- eip/main"]);
    assert_eq!(slots(&run), "eip/main lb/main");
    run.pass(Some("lb/main")).unwrap();
    assert_eq!(slots(&run), "lb/main");
    assert_eq!(run.pass(Some("lb/main")).unwrap().writes, 0);
}

#[test]
fn after_a_start_nothing_without_a_key_is_created_for_an_owner_met_before() {
    let mut run = Run::new(Lag::None);
    run.restart();
    let began = run.client.now();
    let outcome = run.pass(Some(UP)).unwrap();
    assert_eq!((outcome.writes, outcome.settled), (0, false));
    assert_eq!(outcome.waits[0].until, Some(began + SETTLE));
    // A list begun before the end of the settle time does not do, though it is answered after it.
    run.client.cloud().now = began + SETTLE - CALL / 2;
    assert_eq!(run.pass(Some(UP)).unwrap().writes, 0);
    assert_eq!(run.pass(Some(UP)).unwrap().writes, 6);
}

#[test]
fn after_a_start_what_has_a_key_is_repaired_at_once() {
    let mut run = up(UP);
    run.restart();
    let outcome = run.pass(Some(&format!("{UP} member/80:3"))).unwrap();
    assert_eq!(outcome.applied, ["+ member/80:3"]);
}

#[test]
fn a_release_is_complete_only_when_a_list_begun_after_the_settle_time_is_empty() {
    let mut run = Run::new(Lag::None);
    run.restart();
    let end = run.client.now() + SETTLE;
    while run.client.now() < end {
        let outcome = run.pass(None).unwrap();
        assert!(!outcome.settled, "at {:?}", run.client.now());
        assert_eq!(outcome.look_again, Some(end));
        assert_eq!(outcome.waits[0].until, Some(end));
    }
    assert!(run.pass(None).unwrap().settled);
}

#[test]
fn a_release_tells_what_remains() {
    let run = up(UP);
    run.client.cloud().refuses = Some("pool");
    let outcome = run.pass(None).unwrap();
    assert!(!outcome.settled);
    // Members, monitor and pool were tried; what the pool hangs on was not.
    assert_eq!((outcome.writes, outcome.failures.len()), (3, 1));
    let remaining: Vec<String> = outcome.remaining.iter().map(ToString::to_string).collect();
    assert_eq!(remaining, ["lb/main", "eip/main", "listener/80", "pool/80"]);
    assert_eq!(outcome.retry(), Some(RetryClass::Refused));
    run.client.cloud().refuses = None;
    assert!(run.pass(None).unwrap().settled);
    assert_eq!(slots(&run), "");
}

#[test]
fn a_release_by_the_mark_alone_knows_what_the_list_does_not_show_yet() {
    let run = Run::new(Lag::Always);
    run.pass(Some(UP)).unwrap();
    let owners = now_or_never(run.client.owners("c")).unwrap().unwrap();
    assert_ne!(owners[0], run.owner, "names are not in the mark");
    let outcome = now_or_never(run.engine.release(&owners[0], &run.client)).unwrap();
    assert!(outcome.settled, "{outcome:?}");
    assert_eq!(slots(&run), "");
}

#[test]
fn a_release_without_permit_is_never_complete() {
    let run = Run::new(Lag::None);
    run.client.cloud().permit = false;
    let outcome = run.pass(None).unwrap();
    assert!(outcome.permit_lost && !outcome.settled);
}

#[test]
fn not_found_is_believed_of_a_new_object_only_after_the_settle_time() {
    let run = Run::new(Lag::Always);
    run.pass(Some("lb/main")).unwrap();
    let made = run.client.now();
    run.client.cloud().blind_until = made + LAG;
    assert!(!run.pass(None).unwrap().settled);
    run.client.cloud().pass_time(SETTLE);
    let outcome = run.pass(None).unwrap();
    assert!(outcome.settled && outcome.writes == 1, "{outcome:?}");
    assert_eq!(slots(&run), "");
}

#[test]
fn one_member_that_is_gone_does_not_hide_the_others() {
    let mut run = up("lb/main listener/80 pool/80 member/80:1 member/80:2 member/80:3");
    run.restart();
    run.client.cloud().pass_time(10 * SETTLE);
    run.client.cloud().lag = Lag::Always;
    run.client.cloud().edit(|objects| objects.retain(|_, o| o.seen.resource.what != "80:2"));
    // The list still shows it, so that the call for all three fails.
    let outcome = run.pass(None).unwrap();
    assert!(!outcome.settled && outcome.remaining.len() == 6, "{outcome:?}");
    run.client.cloud().pass_time(LAG);
    assert!(run.pass(None).unwrap().settled);
    assert_eq!(slots(&run), "");
}

#[test]
fn an_object_gone_by_hand_is_made_anew_even_if_only_the_update_finds_out() {
    let run = up("lb/main listener/80");
    run.client.cloud().lag = Lag::Always;
    run.client.cloud().edit(|objects| objects.retain(|_, o| o.owner != "u"));
    // The list still shows it. Nothing more is hung on it once the update found out.
    let outcome = run.pass(Some("lb/main=1 listener/80 listener/81")).unwrap();
    assert_eq!((outcome.failures.len(), outcome.retry()), (1, Some(RetryClass::Unavailable)));
    let outcome = run.pass(Some("lb/main=1 listener/80")).unwrap();
    assert!(outcome.settled, "{outcome:?}");
    assert_eq!(slots(&run), "lb/main listener/80");
}

#[test]
fn without_permit_nothing_is_written() {
    let run = Run::new(Lag::None);
    run.client.cloud().faults.insert(2, Fault::Permit);
    // The cloud itself panics at a write without permit.
    let outcome = run.pass(Some(UP)).unwrap();
    assert!(outcome.permit_lost && !outcome.settled);
    assert_eq!(outcome.applied, ["+ lb/main", "+ eip/main"]);
}

#[test]
fn a_refusal_stops_only_what_hangs_on_it() {
    for (refused, expected) in [
        ("monitor", "eip/main lb/main listener/80 member/80:1 member/80:2 pool/80"),
        ("eip", "lb/main listener/80 member/80:1 member/80:2 monitor/80 pool/80"),
        ("pool", "eip/main lb/main listener/80"),
        ("lb", ""),
    ] {
        let run = Run::new(Lag::None);
        run.client.cloud().refuses = Some(refused);
        let outcome = run.pass(Some(UP)).unwrap();
        assert_eq!(slots(&run), expected);
        assert_eq!(outcome.failures.len(), 1, "{outcome:?}");
        assert!(!outcome.settled);
        run.client.cloud().refuses = None;
        assert!(run.pass(Some(UP)).unwrap().settled);
    }
}

#[test]
fn throttling_and_denial_stop_the_pass() {
    for (fault, class) in [(Fault::Throttled, RetryClass::Throttled), (Fault::Denied, RetryClass::Denied)] {
        let run = Run::new(Lag::None);
        run.client.cloud().faults.insert(2, fault);
        let outcome = run.pass(Some(UP)).unwrap();
        assert_eq!((outcome.writes, outcome.retry()), (2, Some(class)));
    }
}

#[test]
fn an_unanswered_list_is_simply_asked_again() {
    let run = Run::new(Lag::None);
    let fault = Fault::NoAnswer(Effect::Never);
    run.client.cloud().faults.insert(0, fault);
    let outcome = run.pass(Some(UP)).unwrap();
    assert_eq!(outcome.retry(), Some(RetryClass::Unavailable));
    assert!(outcome.serving.is_none() && !outcome.settled);
    assert!(run.pass(Some(UP)).unwrap().settled, "no settle time for a question");
}

#[test]
fn old_members_stay_until_the_new_ones_are_in() {
    let exchange = "lb/main listener/80 pool/80 member/80:3 member/80:4";
    let first = "lb/main listener/80 pool/80 member/80:1 member/80:2";
    // Refused.
    let run = up(first);
    run.client.cloud().refuses = Some("member");
    let outcome = run.pass(Some(exchange)).unwrap();
    assert_eq!((outcome.writes, outcome.failures.len()), (1, 1));
    assert_eq!(slots(&run), "lb/main listener/80 member/80:1 member/80:2 pool/80");
    // The pool cannot take them yet.
    let mut run = up(first);
    run.restart();
    run.client.cloud().builds = 2000 * CALL;
    let outcome = run.pass(Some(exchange)).unwrap();
    assert_eq!(outcome.writes, 0, "{outcome:?}");
    run.client.cloud().builds = Duration::ZERO;
    assert!(run.pass(Some(exchange)).unwrap().settled);
    assert_eq!(slots(&run), "lb/main listener/80 member/80:3 member/80:4 pool/80");
}

#[test]
fn what_stands_for_itself_goes_though_another_of_its_kind_is_refused() {
    let run = up("lb/main rule/80 rule/81");
    let create = run.client.cloud().calls + 1;
    run.client.cloud().faults.insert(create, Fault::Refused);
    let outcome = run.pass(Some("lb/main rule/80 rule/82")).unwrap();
    assert_eq!(outcome.failures.len(), 1, "{outcome:?}");
    assert_eq!(slots(&run), "lb/main rule/80");
}

#[test]
fn a_duplicate_goes_though_another_of_its_kind_fails() {
    let run = up("lb/main listener/80 pool/80");
    let listener = run.client.cloud().of("u")[1].id.clone();
    let twin = toy("pool/80");
    run.client.cloud().put("u", twin, vec![listener]);
    let count = || run.client.cloud().of("u").len();
    assert_eq!(count(), 4);
    // The update of the pool that stays fails once.
    let at = run.client.cloud().calls + 1;
    run.client.cloud().faults.insert(at, Fault::Refused);
    run.pass(Some("lb/main listener/80 pool/80=1")).unwrap();
    assert_eq!(count(), 3);
}

#[test]
fn a_replacement_waits_until_the_old_one_is_gone() {
    let run = up("lb/main eip/main");
    let outcome = run.pass(Some("lb/main eip/main=0.1")).unwrap();
    // A bound address must be unbound first, which takes a pass of its own.
    assert_eq!(outcome.applied, ["- eip/main [interrupts traffic]"]);
    assert!(!outcome.settled);
    let outcome = run.pass(Some("lb/main eip/main=0.1")).unwrap();
    assert!(outcome.settled, "{outcome:?}");
    assert_eq!(slots(&run), "eip/main lb/main");
    assert!(!run.client.cloud().doubled);
}

#[test]
fn children_wait_for_a_parent_that_is_being_built() {
    let run = Run::new(Lag::None);
    run.client.cloud().builds = 5 * CALL;
    let outcome = run.pass(Some(UP)).unwrap();
    assert_eq!(outcome.applied, ["+ lb/main"]);
    assert_eq!(outcome.waits.len(), 1, "{outcome:?}");
    assert!(outcome.waits[0].reason.contains("BUILD"));
    run.client.cloud().pass_time(5 * CALL);
    assert!(run.pass(Some("lb/main eip/main")).unwrap().applied.len() == 1);
}

#[test]
fn an_address_is_given_back_only_when_clients_are_told_so() {
    let mut run = up("lb/main eip/main listener/80");
    run.published = vec![crate::toy::EIP];
    let first = run.pass(Some("lb/main")).unwrap();
    assert!(first.withdrawn && first.writes == 0 && !first.settled, "{first:?}");
    assert!(first.serving.unwrap().addresses.is_empty());
    assert_eq!(slots(&run), "eip/main lb/main listener/80");
    run.published.clear();
    assert_eq!(run.pass(Some("lb/main")).unwrap().applied, ["- eip/main", "- listener/80"]);
}

#[test]
fn a_model_with_a_hole_is_told_and_never_settled() {
    let run = Run::new(Lag::None);
    let outcome = run.pass(Some("lb/main pool/80")).unwrap();
    assert!(!outcome.settled);
    assert_eq!(outcome.waits[0].slot, Slot::new("pool", "80"));
}

#[test]
fn an_answer_without_the_object_does_not_settle() {
    let run = Run::new(Lag::None);
    run.client.cloud().mute = true;
    assert!(!run.pass(Some("lb/main")).unwrap().settled);
    assert!(run.pass(Some("lb/main")).unwrap().settled, "the list has it");
}

#[test]
fn the_status_is_told_of_what_takes_a_place_only() {
    let run = up(UP);
    let twin = toy("eip/main");
    run.client.cloud().put("u", twin, vec![]);
    let at = run.client.cloud().calls + 1;
    run.client.cloud().faults.insert(at, Fault::Refused);
    let outcome = run.pass(Some(UP)).unwrap();
    assert_eq!(outcome.failures.len(), 1, "the twin stays");
    assert_eq!(outcome.serving.unwrap().addresses.len(), 1);
}

#[test]
fn an_outside_edit_is_undone_even_right_after_our_own() {
    let run = up("lb/main");
    run.pass(Some("lb/main=1")).unwrap();
    run.client.cloud().edit(|objects| {
        let ours = objects.values_mut().find(|o| o.owner == "u");
        ours.unwrap().seen.resource.value = 9;
    });
    let mut outcome = run.pass(Some("lb/main=1")).unwrap();
    while let Some(at) = outcome.look_again {
        let pause = at - run.client.now();
        run.client.cloud().pass_time(pause);
        outcome = run.pass(Some("lb/main=1")).unwrap();
    }
    assert_eq!(run.client.cloud().of("u")[0].resource.value, 1);
}

#[test]
fn a_driver_does_what_its_engine_does() {
    let run = Run::new(Lag::None);
    let driver: &dyn crate::Driver = &run.engine;
    let want = desired(&run.owner, UP);
    assert!(driver.check(&want).unwrap().is_empty());
    assert!(now_or_never(driver.reconcile(&want, &run.client)).unwrap().settled);
    let owners = now_or_never(driver.owners("c")).unwrap().unwrap();
    assert_eq!(owners.len(), 1);
    assert!(now_or_never(driver.release(&run.owner, &run.client)).unwrap().settled);
    let planned = now_or_never(run.engine.plan(&want)).unwrap().unwrap();
    assert_eq!(planned.steps.len(), 6);
}

/// A load balancer of the user's, with a listener of somebody else.
fn shared() -> (Run, Id, Id) {
    let run = Run::new(Lag::None);
    let lb = run.client.cloud().put("", toy("lb/main"), vec![]);
    let listener = run.client.cloud().put("", toy("listener/80"), vec![lb.clone()]);
    (run, lb, listener)
}

#[test]
fn a_place_that_somebody_has_is_not_tried_and_taken_when_they_are_gone() {
    let (run, lb, listener) = shared();
    let wish = format!("lb/main=@{} listener/80 pool/80 listener/81", lb.0);
    let outcome = run.pass(Some(&wish)).unwrap();
    assert_eq!(outcome.applied, ["+ listener/81"]);
    let holder = Holder::Stranger("listener/80".into());
    assert_eq!(outcome.conflicts, [Conflict { slot: Slot::new("listener", 80), on: lb, holder }]);
    assert!(!outcome.settled && outcome.failures.is_empty() && outcome.waits.is_empty(), "{outcome:?}");
    run.client.cloud().edit(|objects| objects.retain(|_, o| o.seen.id != listener));
    let outcome = run.pass(Some(&wish)).unwrap();
    assert!(outcome.settled, "{outcome:?}");
    assert_eq!(outcome.applied, ["+ listener/80", "+ pool/80"]);
}

#[test]
fn a_place_that_an_elder_asked_for_is_left_to_it_and_kept_by_who_has_it() {
    let (run, lb, _) = shared();
    let elder = Owner { uid: "elder".into(), name: "elder".into(), ..run.owner.clone() };
    let wish = format!("lb/main=@{} listener/81", lb.0);
    run.client.cloud().elders.insert(Slot::new("listener", 81), elder.clone());
    let outcome = run.pass(Some(&wish)).unwrap();
    assert_eq!((outcome.writes, &outcome.conflicts[0].holder), (0, &Holder::Owner(elder.clone())));
    run.client.cloud().elders.clear();
    assert!(run.pass(Some(&wish)).unwrap().settled);
    run.client.cloud().elders.insert(Slot::new("listener", 81), elder);
    let outcome = run.pass(Some(&wish)).unwrap();
    assert!(outcome.settled && outcome.writes == 0, "{outcome:?}");
    assert_eq!(run.client.cloud().asked, [Claim { on: vec![lb], slot: Slot::new("listener", 81) }]);
}

#[test]
fn under_what_others_have_hung_on_it_nothing_is_deleted() {
    let run = up(UP);
    let lb = run.client.cloud().of("u").iter().find(|s| s.resource.kind == "lb").unwrap().id.clone();
    let theirs = run.client.cloud().put("", toy("listener/9"), vec![lb.clone()]);
    let outcome = run.pass(None).unwrap();
    let holder = Holder::Stranger("listener/9".into());
    assert_eq!(outcome.conflicts, [Conflict { slot: Slot::new("lb", "main"), on: lb, holder }]);
    assert_eq!(slots(&run), "eip/main lb/main", "its address stays with it");
    assert!(!outcome.settled && outcome.failures.is_empty(), "{outcome:?}");
    assert_eq!(run.pass(None).unwrap().writes, 0);
    run.client.cloud().edit(|objects| objects.retain(|_, o| o.seen.id != theirs));
    assert!(run.pass(None).unwrap().settled);
    assert_eq!(slots(&run), "");
}
