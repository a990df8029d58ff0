//! The mock cloud through its unsigned admin paths: what is in it, what was asked of it, and what shall go wrong.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use ferrolb_lab::{Lab, Where, wait_for};
use serde_json::{Value, json};

/// The mock's project id, part of every path.
pub const PROJECT: &str = "fe220000000000000000000000000001";

/// Kinds of objects in the ledger.
const KINDS: [&str; 6] = ["eips", "loadbalancers", "listeners", "pools", "members", "healthmonitors"];

/// One mock cloud. Requests are sent from the control plane's namespace.
#[derive(Clone, Copy)]
pub struct Cloud<'a> {
    lab: &'a Lab,
    address: &'a str,
}

/// One call of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// `METHOD template`.
    pub kind: String,
    /// Not a read.
    pub write: bool,
    /// It changed something, be it late.
    pub effective: bool,
    /// The fault it met.
    pub fault: Option<String>,
}

impl<'a> Cloud<'a> {
    /// The mock at `HOST:PORT`.
    pub fn new(lab: &'a Lab, address: &'a str) -> Self {
        Self { lab, address }
    }

    /// Waits until it answers.
    pub fn await_health(&self) -> Result<()> {
        wait_for("the mock cloud to answer", Duration::from_secs(20), || self.get("health").map(|_| Some(())))
    }

    /// Everything there is.
    pub fn ledger(&self) -> Result<BTreeMap<String, Value>> {
        let mut ledger = self.get("ledger")?;
        Ok(KINDS.iter().map(|kind| ((*kind).to_owned(), ledger[*kind].take())).collect())
    }

    /// How many objects of a kind there are.
    pub fn count(&self, kind: &str) -> Result<usize> {
        let ledger = self.ledger()?;
        let objects = ledger.get(kind).and_then(Value::as_array);
        objects.map(Vec::len).with_context(|| format!("the ledger has no {kind}"))
    }

    /// How many objects there are, by kind, without those of which there are none: `eips=1 loadbalancers=1`.
    pub fn summary(&self) -> Result<String> {
        Ok(summary(&self.ledger()?))
    }

    /// Calls since the last reset, in order.
    pub fn calls(&self) -> Result<Vec<Call>> {
        let log = self.get("calls")?;
        let calls = log["calls"].as_array().context("the log has no calls")?;
        let parse = |call: &Value| Call {
            kind: format!("{} {}", call["method"].as_str().unwrap_or("?"), call["template"].as_str().unwrap_or("?")),
            write: call["write"] == true,
            effective: call["effective"] == true,
            fault: call["fault"].as_str().map(str::to_owned),
        };
        Ok(calls.iter().map(parse).collect())
    }

    /// Reads and writes since the last reset.
    pub fn totals(&self) -> Result<(u64, u64)> {
        let log = self.get("calls")?;
        let number = |key: &str| log["totals"][key].as_u64().with_context(|| format!("the log has no total of {key}"));
        Ok((number("reads")?, number("writes")?))
    }

    /// Waits until no call has come for a while, and gives all calls.
    pub fn await_silence(&self, silence: Duration) -> Result<Vec<Call>> {
        let mut last = (usize::MAX, std::time::Instant::now());
        wait_for("the controller to be done with the cloud", Duration::from_secs(60), || {
            let calls = self.calls()?;
            if calls.len() != last.0 {
                last = (calls.len(), std::time::Instant::now());
            }
            Ok((last.1.elapsed() >= silence).then_some(calls))
        })
    }

    /// Forgets the calls so far.
    pub fn reset_calls(&self) -> Result<()> {
        self.admin("DELETE", "calls", None).map(drop)
    }

    /// Connections and UDP sessions that its data plane has taken at `ADDRESS:PORT`.
    pub fn connections(&self, socket: &str) -> Result<u64> {
        let sockets = self.get("traffic")?;
        let sockets = sockets.as_array().context("the traffic is no list")?;
        Ok(sockets.iter().filter(|s| s["address"] == socket).filter_map(|s| s["connections"].as_u64()).sum())
    }

    /// Installs faults: a list of rules.
    pub fn fault(&self, rules: Value) -> Result<()> {
        self.admin("PUT", "faults", Some(&json!({ "rules": rules }))).map(drop)
    }

    /// Ends all faults; calls that are held back go on, or are dropped.
    pub fn heal(&self, drop_held: bool) -> Result<()> {
        self.admin("DELETE", "faults", None)?;
        self.admin("DELETE", &format!("holds?drop={drop_held}"), None).map(drop)
    }

    /// Calls that are held back right now: `METHOD path`.
    pub fn holds(&self) -> Result<Vec<String>> {
        let holds = self.get("holds")?;
        let shown = |hold: &Value| {
            format!("{} {}", hold["method"].as_str().unwrap_or("?"), hold["path"].as_str().unwrap_or("?"))
        };
        Ok(holds.as_array().context("holds are no list")?.iter().map(shown).collect())
    }

    /// Empties the cloud.
    pub fn clear(&self) -> Result<()> {
        self.admin("DELETE", "objects", None).map(drop)
    }

    /// Sets limits by kind.
    pub fn quota(&self, limits: &Value) -> Result<()> {
        self.admin("POST", "quota", Some(limits)).map(drop)
    }

    /// A call of the cloud's API without signature and log; `path` begins after the project id.
    pub fn raw(&self, method: &str, version: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        self.admin(method, &format!("raw/{version}/{PROJECT}/{path}"), body)
    }

    /// A read of its admin paths.
    pub fn get(&self, path: &str) -> Result<Value> {
        self.admin("GET", path, None)
    }

    fn admin(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let url = format!("http://{}/_ferrolb/{path}", self.address);
        let mut command = self.lab.exec_in(Where::ControlPlane, "curl");
        command.args(["-sS", "--max-time", "5", "--noproxy", "*", "-X", method, "-w", "\n%{http_code}", &url]);
        let text = body.map(Value::to_string);
        if let Some(text) = &text {
            command.args(["-H", "Content-Type: application/json", "--data-binary", text]);
        }
        let output = command.stdin(Stdio::null()).output().context("run curl")?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{method} {url}: {}", complaint.trim());
        let answer = String::from_utf8_lossy(&output.stdout);
        let (answer, status) = answer.rsplit_once('\n').unwrap_or((&answer, "0"));
        match status.parse::<u16>() {
            Ok(status) if (200..300).contains(&status) => {}
            _ => bail!("{method} {url}: HTTP {status}: {}", answer.trim()),
        }
        match answer.trim() {
            "" => Ok(Value::Null),
            text => serde_json::from_str(text).with_context(|| format!("{method} {url}: answer is no JSON: {text}")),
        }
    }
}

/// Counts by kind, in the order people think of them.
pub fn summary(ledger: &BTreeMap<String, Value>) -> String {
    let count = |kind: &str| ledger.get(kind).and_then(Value::as_array).map_or(0, Vec::len);
    let present = KINDS.iter().filter(|kind| count(kind) > 0);
    let parts: Vec<String> = present.map(|kind| format!("{kind}={}", count(kind))).collect();
    match parts.is_empty() {
        true => "empty".to_owned(),
        false => parts.join(","),
    }
}
