//! The cases, in the order in which they are run: what is simple first, so that the first failure says most.

use std::future::Future;
use std::pin::Pin;

use super::churn;
use super::faults::{deaths, faults, lag, mark, throttle};
use super::life::Kit;
use super::neighbours;
use super::report::{Judged, Report};
use super::subject::{Fault, Subject};
use super::trial::{Phase, Story};

/// Runs every case. Takes as long as the subject's clock needs; a virtual one makes it a matter of seconds.
pub async fn run<S: Subject>(subject: &S) -> Report {
    run_while(subject, |_| true).await
}

/// Runs case by case until one fails.
pub async fn run_to_first_failure<S: Subject>(subject: &S) -> Report {
    run_while(subject, |report| report.failed().is_empty()).await
}

/// A name and how to find out. Nothing happens before it is awaited.
type Case<'a> = (String, Pin<Box<dyn Future<Output = Judged> + 'a>>);

async fn run_while<S: Subject>(subject: &S, go_on: impl Fn(&Report) -> bool) -> Report {
    let kit = Kit { subject, facts: subject.facts() };
    let mut report = Report::default();
    for (name, judged) in without_story(&kit) {
        if go_on(&report) {
            report.add(name, judged.await);
        }
    }
    if !go_on(&report) {
        return report;
    }
    // The rest compares with a life without trouble; without one there is nothing to compare with.
    match Story::new(&kit).await {
        Ok(story) => {
            for (name, judged) in with_story(&kit, &story) {
                if go_on(&report) {
                    report.add(name, judged.await);
                }
            }
        }
        Err(why) => report.add("a life without trouble", Err(why.into())),
    }
    report
}

fn case<'a>(name: impl Into<String>, judged: impl Future<Output = Judged> + 'a) -> Case<'a> {
    (name.into(), Box::pin(judged))
}

fn without_story<'a, S: Subject>(kit: &'a Kit<'_, S>) -> Vec<Case<'a>> {
    let mut cases = vec![
        case("model", churn::model(kit)),
        case("owner mark in the create call", mark(kit)),
        case("idempotence", churn::idempotence(kit)),
        case("list is whole", churn::list(kit)),
        case("wrong input makes no call", churn::wrong_input(kit)),
        case("backend churn", churn::backend_churn(kit)),
        case("port churn", churn::port_churn(kit)),
        case("deletion order and completeness", churn::deletion(kit)),
        case("call budgets", churn::budgets(kit)),
        case("owners are told apart", neighbours::owners(kit)),
        case("throttling is heeded", throttle(kit)),
        case("adoption", neighbours::adoption(kit)),
        case("clash with a foreign object", neighbours::clash(kit)),
    ];
    if kit.facts.direct {
        cases.push(case("nodes and pods", churn::pod_churn(kit)));
    }
    cases
}

fn with_story<'a, S: Subject>(kit: &'a Kit<'_, S>, story: &'a Story) -> Vec<Case<'a>> {
    let mut cases = vec![
        case("foreign objects stay", neighbours::foreign(kit, story)),
        case("surplus goes, the oldest stays", neighbours::surplus(kit, story)),
    ];
    let named = [(Fault::Before, "request lost"), (Fault::After, "answer lost"), (Fault::Late, "applied late")];
    for phase in Phase::ALL {
        cases.push(case(format!("{phase}: process dies"), deaths(kit, story, phase)));
        for (fault, name) in named {
            cases.push(case(format!("{phase}: {name}"), faults(kit, story, phase, fault)));
        }
        cases.push(case(format!("{phase}: lists lag"), lag(kit, story, phase)));
    }
    cases
}
