//! The conformance kit on the providers of the project, and on copies of the example with one mistake each.
//!
//! The kit's reports are read as a person would read them: from what the programs print.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};

use crate::harness::Alone;
use crate::report::Report;
use crate::runner;

/// Mistakes that the kit must find.
const MISTAKES: u64 = 11;
/// Classes of the elb provider with a report: shared, dedicated, dnat.
const CLASSES: usize = 3;

pub fn run(_: &Alone, report: &mut Report) -> Result<()> {
    report.say("the elb provider on the mock cloud");
    let elb = cargo(&["test", "-p", "ferrolb-elb", "--test", "conformance", "--", "--nocapture"])?;
    let classes = parse(&elb.text);
    report.equal("elb/subjects", classes.len(), CLASSES);
    for class in &classes {
        whole(report, &format!("elb-{}", class.subject), class);
    }
    report.holds("elb/tests", elb.succeeded, elb.succeeded, "=true");

    report.say("the example provider on its cloud");
    let example = parse(&cargo(&["run", "-q", "-p", "ferrolb-example-tinycloud"])?.text);
    ensure!(example.len() == 1, "the example printed {} reports", example.len());
    whole(report, "example", &example[0]);

    report.say("copies of the example with one mistake each");
    let package = "ferrolb-example-tinycloud";
    let copies = cargo(&["test", "-p", package, "--test", "conformance", "--", "--nocapture"])?;
    // Which case a mistake must be found by is said where the mistake is made: in the tests that ran here.
    let mut found = 0;
    let mut tables = parse(&copies.text);
    tables.sort_by(|a, b| a.subject.cmp(&b.subject));
    for copy in &tables {
        if let Some(case) = copy.cases.iter().find(|case| case.verdict == "FAIL") {
            found += 1;
            report.holds(&format!("mistake/{}", copy.subject), &case.name, copies.succeeded, "the-case-it-is-about");
        }
    }
    report.equal("mistakes-found", found, MISTAKES);
    Ok(())
}

/// Every case of a subject must have been checked and hold.
fn whole(report: &mut Report, name: &str, table: &Table) {
    let count = |verdict: &str| table.cases.iter().filter(|case| case.verdict == verdict).count() as u64;
    report.at_least(&format!("{name}/passed"), count("pass"), 1, "");
    report.equal(&format!("{name}/failed"), count("FAIL"), 0);
    report.equal(&format!("{name}/not-checked"), count("not checked"), 0);
    for case in table.cases.iter().filter(|case| case.verdict != "pass") {
        report.say(format!("{name}: {}: {}: {}", case.name, case.verdict, case.detail));
    }
}

/// What a command of cargo came to.
struct Output {
    text: String,
    succeeded: bool,
}

fn cargo(args: &[&str]) -> Result<Output> {
    let mut command = runner::cargo();
    let output = command.args(args).stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("run cargo")?;
    Ok(Output { text: String::from_utf8_lossy(&output.stdout).into_owned(), succeeded: output.status.success() })
}

/// A printed report.
#[derive(Debug, PartialEq, Eq)]
struct Table {
    /// The last word of the line above it.
    subject: String,
    cases: Vec<Case>,
}

#[derive(Debug, PartialEq, Eq)]
struct Case {
    name: String,
    verdict: &'static str,
    detail: String,
}

/// All reports in what was printed.
fn parse(text: &str) -> Vec<Table> {
    let lines: Vec<&str> = text.lines().collect();
    let heads =
        lines.iter().enumerate().filter(|(_, line)| line.contains("case ") && line.ends_with("verdict      detail"));
    let table = |(at, _): (usize, &&str)| Table {
        subject: at.checked_sub(1).and_then(|above| lines[above].split(' ').next_back()).unwrap_or_default().to_owned(),
        cases: lines[at + 1..].iter().map_while(|line| case(line)).collect(),
    };
    heads.map(table).collect()
}

/// `name  verdict  detail`, at least two spaces between them.
fn case(line: &str) -> Option<Case> {
    let (name, rest) = line.split_once("  ")?;
    let rest = rest.trim_start();
    let verdict = ["pass", "FAIL", "not checked"].into_iter().find(|verdict| rest.starts_with(verdict))?;
    Some(Case { name: name.to_owned(), verdict, detail: rest[verdict.len()..].trim().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_read_from_among_other_output() {
        let text = "\
running 2 tests
NoMark
case               verdict      detail
owner mark         FAIL         leaked eip e-1
list is whole      not checked  stopped
0 passed, 1 failed, 1 not checked
test a ... ok
";
        let case = |name: &str, verdict, detail: &str| Case { name: name.into(), verdict, detail: detail.into() };
        let cases = vec![case("owner mark", "FAIL", "leaked eip e-1"), case("list is whole", "not checked", "stopped")];
        assert_eq!(parse(text), [Table { subject: "NoMark".into(), cases }]);
        assert_eq!(parse("nothing of the kind\n"), []);
    }
}
