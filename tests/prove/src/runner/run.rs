//! Runs proofs and benches, those of one bed after another, so that each bed is made once.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::{product, record};
use crate::Options;
use crate::benches;
use crate::harness::{Alone, Full, Light};
use crate::proofs::{self, Proof, Run};
use crate::report::Report;

/// How many lines were as claimed, and how many were not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Lines with PASS.
    pub passed: usize,
    /// Lines with FAIL.
    pub failed: usize,
}

/// Prints all names.
pub fn list() {
    let lists = [("proofs", proofs::ALL), ("proofs, only when named", proofs::ON_DEMAND), ("benches", benches::ALL)];
    for (title, all) in lists {
        println!("{title}:");
        for proof in all {
            println!("  {:<14} {}", proof.name, proof.about);
        }
    }
}

/// `prove run`. True when every line passed.
pub fn run(names: &[String], options: Options) -> Result<bool> {
    command(proofs::ALL, proofs::ON_DEMAND, names, options)
}

/// `prove bench`.
pub fn bench(names: &[String], options: Options) -> Result<bool> {
    command(benches::ALL, &[], names, options)
}

fn command(all: &[Proof], on_demand: &[Proof], names: &[String], mut options: Options) -> Result<bool> {
    match names {
        [word] if word == "list" => {
            list();
            return Ok(true);
        }
        [word] if word == "all" => options.record = true,
        _ => {}
    }
    let tally = carry_out(all, on_demand, names, options)?;
    println!("{} passed, {} failed", tally.passed, tally.failed);
    Ok(tally.failed == 0)
}

/// Runs the named proofs, or all but those on demand.
pub fn carry_out(all: &[Proof], on_demand: &[Proof], names: &[String], options: Options) -> Result<Tally> {
    let chosen = choose(all, on_demand, names)?;
    let mut tally = Tally::default();
    on_nothing(&chosen, options, &mut tally)?;
    if chosen.iter().all(|proof| matches!(proof.run, Run::Alone(_))) {
        return Ok(tally);
    }
    let binary = product::build()?;
    let light: Vec<&Proof> = chosen.iter().copied().filter(|proof| matches!(proof.run, Run::Light(_))).collect();
    let full: Vec<&Proof> = chosen.iter().copied().filter(|proof| matches!(proof.run, Run::Full(_))).collect();
    on_light(&light, &binary, options, &mut tally)?;
    on_full(&full, &binary, options, &mut tally)?;
    Ok(tally)
}

fn choose<'a>(all: &'a [Proof], on_demand: &'a [Proof], names: &[String]) -> Result<Vec<&'a Proof>> {
    let wanted: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let known: Vec<&str> = all.iter().chain(on_demand).map(|proof| proof.name).collect();
    if let Some(unknown) = wanted.iter().find(|name| **name != "all" && !known.contains(name)) {
        bail!("nothing is named {unknown}; there are {}", known.join(", "));
    }
    let everything = wanted.is_empty() || wanted.contains("all");
    let named = on_demand.iter().filter(|proof| wanted.contains(proof.name));
    Ok(all.iter().filter(|proof| everything || wanted.contains(proof.name)).chain(named).collect())
}

fn on_nothing(proofs: &[&Proof], options: Options, tally: &mut Tally) -> Result<()> {
    let bed = Alone::default();
    for proof in proofs {
        if let Run::Alone(body) = proof.run {
            one(proof, options, tally, |report| body(&bed, report))?;
        }
    }
    Ok(())
}

fn on_light(proofs: &[&Proof], binary: &Path, options: Options, tally: &mut Tally) -> Result<()> {
    if proofs.is_empty() {
        return Ok(());
    }
    match Light::start(binary, options) {
        Ok(bed) => {
            for proof in proofs {
                if let Run::Light(body) = proof.run {
                    one(proof, options, tally, |report| body(&bed, report))?;
                }
            }
            bed.stop()
        }
        Err(error) => cannot(proofs, options, tally, &error),
    }
}

fn on_full(proofs: &[&Proof], binary: &Path, options: Options, tally: &mut Tally) -> Result<()> {
    if proofs.is_empty() {
        return Ok(());
    }
    match Full::start(binary) {
        Ok(bed) => {
            for proof in proofs {
                if let Run::Full(body) = proof.run {
                    one(proof, options, tally, |report| body(&bed, report))?;
                }
            }
            bed.stop()
        }
        Err(error) => cannot(proofs, options, tally, &error),
    }
}

/// Without their bed all of them fail, each with the reason.
fn cannot(proofs: &[&Proof], options: Options, tally: &mut Tally, reason: &anyhow::Error) -> Result<()> {
    for proof in proofs {
        one(proof, options, tally, |_| bail!("the lab did not come up: {reason:#}"))?;
    }
    Ok(())
}

fn one(proof: &Proof, options: Options, tally: &mut Tally, body: impl FnOnce(&mut Report) -> Result<()>) -> Result<()> {
    eprintln!("prove: {} ({})", proof.name, proof.about);
    let mut report = Report::new(proof.name);
    if let Err(error) = body(&mut report) {
        report.failed("ran-to-its-end", &error);
    }
    if report.lines().is_empty() {
        report.failed("measured-something", &anyhow::anyhow!("no line at all"));
    }
    tally.passed += report.lines().iter().filter(|line| line.passed).count();
    tally.failed += report.lines().iter().filter(|line| !line.passed).count();
    if options.record {
        record::write(proof.name, proof.about, report.lines(), report.elapsed()).context("record the results")?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_choose_and_unknown_ones_are_refused() {
        let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let choose = |list: &[&str]| choose(proofs::ALL, proofs::ON_DEMAND, &names(list));
        assert_eq!(choose(&[]).unwrap().len(), proofs::ALL.len());
        assert_eq!(choose(&["all"]).unwrap().len(), proofs::ALL.len());
        assert_eq!(choose(&["crash", "rbac", "soak"]).unwrap().len(), 3);
        let error = choose(&["nonsense"]).err().unwrap().to_string();
        assert!(error.contains("nonsense") && error.contains("crash"), "{error}");
    }

    #[test]
    fn names_are_unique_and_short_enough_for_namespaces() {
        let all: Vec<&str> =
            proofs::ALL.iter().chain(proofs::ON_DEMAND).chain(benches::ALL).map(|proof| proof.name).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        assert!(all.iter().all(|name| name.len() <= 14 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
    }
}
