//! The simulated API server against the lab's real one: the same requests, the same answers.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use ferrolb_lab::Where;
use serde_json::{Value, json};

use crate::harness::Light;
use crate::report::Report;
use crate::runner;

/// As many cases the table has at least.
const CASES: u64 = 150;

/// Steps of a case with their answers, by the case's name.
type Transcripts = BTreeMap<String, Value>;

pub fn run(bed: &Light, report: &mut Report) -> Result<()> {
    let simulator = runner::build_simulator()?;
    let simulated = play(Command::new(&simulator).arg("--fidelity"))?;
    forget_history(bed)?;
    let mut command = bed.lab.exec_in(Where::ControlPlane, &simulator);
    let real = play(command.arg("--fidelity").arg("--kubeconfig").arg(bed.lab.kubeconfig()))?;
    report.at_least("cases", real.len() as u64, CASES, "");
    report.equal("cases-simulated", simulated.len(), real.len());
    let mut differing = 0;
    for (name, real) in &real {
        let mut places = Vec::new();
        differences("", simulated.get(name).unwrap_or(&Value::Null), real, &mut places);
        differing += u64::from(!places.is_empty());
        for (place, simulated, real) in &places {
            report.say(format!("{name}{place}: simulated {simulated}, real {real}"));
        }
    }
    report.equal("cases-that-differ", differing, 0);
    Ok(())
}

/// Plays all cases and gives what was answered.
fn play(command: &mut Command) -> Result<Transcripts> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("run the simulator")?;
    ensure!(output.status.success(), "the cases could not be played: {}", output.status);
    let mut transcripts = Transcripts::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let mut line: Value = serde_json::from_str(line).with_context(|| format!("read the transcript {line}"))?;
        let name = line["case"].as_str().context("a transcript without a name")?.to_owned();
        let steps = line["steps"].take();
        ensure!(steps.as_array().is_some_and(|steps| !steps.is_empty()), "{name} has no steps");
        ensure!(transcripts.insert(name.clone(), steps).is_none(), "there are two cases named {name}");
    }
    Ok(transcripts)
}

/// Lets etcd forget the versions before now, as it does by itself every five minutes, and the API server its memory of
/// them, which in a young cluster goes back to the first: some cases ask for versions that are too old.
fn forget_history(bed: &Light) -> Result<()> {
    bed.lab.kill_component("apiserver")?;
    bed.lab.start_component("apiserver")?;
    let list = bed.lab.api("GET", "/api/v1/services?limit=1", None)?;
    let body = json!({"revision": list["metadata"]["resourceVersion"]}).to_string();
    let etcd = "http://127.0.0.1:2379/v3/kv/compaction";
    bed.lab.run_in(Where::ControlPlane, "curl", &["-sS", "--fail", "--noproxy", "*", "-d", &body, etcd]).map(drop)
}

/// Every place at which two values differ, as a JSON pointer, with both.
fn differences<'a>(place: &str, one: &'a Value, other: &'a Value, found: &mut Vec<(String, &'a Value, &'a Value)>) {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let get = |map: &'a serde_json::Map<String, Value>| map.get(key).unwrap_or(&Value::Null);
                if a.contains_key(key) == b.contains_key(key) {
                    differences(&format!("{place}/{key}"), get(a), get(b), found);
                } else {
                    found.push((format!("{place}/{key}"), get(a), get(b)));
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                differences(&format!("{place}/{index}"), a, b, found);
            }
        }
        _ if one == other => {}
        _ => found.push((place.to_owned(), one, other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_found_wherever_it_is() {
        let one = json!([{"a": 1, "b": {"c": [1, 2]}, "d": null}]);
        let other = json!([{"a": 1, "b": {"c": [1, 3]}}]);
        let mut found = Vec::new();
        differences("", &one, &other, &mut found);
        let places: Vec<_> = found.iter().map(|(place, ..)| place.as_str()).collect();
        assert_eq!(places, ["/0/b/c/1", "/0/d"]);
        found.clear();
        differences("", &one, &one, &mut found);
        assert!(found.is_empty());
    }
}
