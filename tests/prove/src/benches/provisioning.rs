//! A burst of Services on the light bed. Beside it, in the same run, what the parts can do at best: status writes of
//! the API server, and what the calls alone cost.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use ferrolb_lab::{Where, wait_for};
use serde_json::json;

use crate::harness::{Light, Scene, manifest};
use crate::report::{Report, seconds};

const SERVICES: usize = 50;
const PATIENCE: Duration = Duration::from_secs(120);

pub fn run(bed: &Light, report: &mut Report) -> Result<()> {
    let scene = Scene::new(bed, "provisioning", &["--log=warn"])?;
    let manifests: Vec<_> = (0..SERVICES).map(|n| manifest::public(&format!("s{n}"), &[("TCP", 80)])).collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": manifests}).to_string();

    scene.cloud().reset_calls()?;
    let began = Instant::now();
    let mut create = bed.lab.exec_in(Where::ControlPlane, "kubectl");
    create.args(["create", "-n", &scene.namespace, "-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut create = create.spawn().context("run kubectl")?;
    create.stdin.take().context("kubectl has no standard input")?.write_all(list.as_bytes())?;

    let mut seen: BTreeMap<String, (Duration, Option<Duration>)> = BTreeMap::new();
    wait_for("all Services to have an address", PATIENCE, || {
        let now = began.elapsed();
        let list = bed.lab.api("GET", &format!("/api/v1/namespaces/{}/services", scene.namespace), None)?;
        for item in list["items"].as_array().into_iter().flatten() {
            let name = item["metadata"]["name"].as_str().unwrap_or_default().to_owned();
            let has_address = item["status"]["loadBalancer"]["ingress"].is_array();
            let entry = seen.entry(name).or_insert((now, None));
            if has_address && entry.1.is_none() {
                entry.1 = Some(now);
            }
        }
        Ok((seen.len() == SERVICES && seen.values().all(|(_, at)| at.is_some())).then_some(()))
    })?;
    let total = began.elapsed();
    ensure!(create.wait()?.success(), "kubectl create failed");
    let mut times: Vec<Duration> =
        seen.values().filter_map(|(created, at)| Some(at.as_ref()?.saturating_sub(*created))).collect();
    times.sort();
    let calls = scene.cloud().await_silence(Duration::from_secs(1))?.len();
    report.holds("services", SERVICES, true, "for-information");
    report.holds("time-to-address/p50", seconds(percentile(&times, 50)), true, "for-information");
    report.within("time-to-address/p99", percentile(&times, 99), Duration::from_secs(30));
    report.holds("rate", format!("{:.1}/s", SERVICES as f64 / total.as_secs_f64()), true, "for-information");
    // Ten to make it, and a look of six when its endpoints have come.
    report.holds(
        "cloud-calls-per-service",
        format!("{:.1}", calls as f64 / SERVICES as f64),
        calls <= SERVICES * 16,
        "<=16",
    );
    let rate = status_rate(bed, &scene.namespace)?;
    report.holds("raw/status-patches", format!("{rate:.0}/s"), true, "for-information");

    for name in seen.keys() {
        bed.lab.api("DELETE", &format!("/api/v1/namespaces/{}/services/{name}", scene.namespace), None)?;
    }
    let began = Instant::now();
    wait_for("all Services to go", PATIENCE, || {
        let list = bed.lab.api("GET", &format!("/api/v1/namespaces/{}/services", scene.namespace), None)?;
        Ok(list["items"].as_array().is_some_and(Vec::is_empty).then_some(()))
    })?;
    report.holds("deletion/all-gone-after", seconds(began.elapsed()), true, "for-information");
    report.equal("deletion/left-in-the-cloud", scene.cloud().summary()?, "empty".to_owned());
    Ok(())
}

/// Status patches per second that the API server takes from one client with 16 connections.
fn status_rate(bed: &Light, namespace: &str) -> Result<f64> {
    const PATCHES: usize = 400;
    let mut proxy = bed.lab.exec_in(Where::ControlPlane, "kubectl");
    let port = bed.port().to_string();
    proxy.args(["proxy", "--port", &port]);
    let _proxy = bed.lab.spawn("bench-proxy", proxy)?;
    let base = format!("http://127.0.0.1:{port}/api/v1/namespaces/{namespace}/services");
    wait_for("kubectl proxy", Duration::from_secs(10), || {
        bed.lab.run_in(Where::ControlPlane, "curl", &["-sS", "--fail", &base]).map(Some)
    })?;
    let transfers: Vec<String> = (0..PATCHES)
        .map(|n| {
            let body = format!(r#"{{\"status\":{{\"conditions\":[{{\"type\":\"bench.ferrolb.io/Round\",\"status\":\"True\",\"reason\":\"R{n}\",\"message\":\"\",\"lastTransitionTime\":\"2026-01-01T00:00:00Z\"}}]}}}}"#);
            format!("url = \"{base}/s{}/status\"\nrequest = PATCH\nheader = \"Content-Type: application/merge-patch+json\"\ndata = \"{body}\"\noutput = /dev/null\nfail\n", n % SERVICES)
        })
        .collect();
    let config = bed.lab.dir().join("bench-curl.conf");
    std::fs::write(&config, transfers.join("next\n"))?;
    let began = Instant::now();
    let config = config.to_str().context("the lab's path is no text")?.to_owned();
    bed.lab.run_in(Where::ControlPlane, "curl", &["-sS", "--parallel", "--parallel-max", "16", "-K", &config])?;
    Ok(PATCHES as f64 / began.elapsed().as_secs_f64())
}

/// The value that so many per cent do not exceed.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let list: Vec<Duration> = (1..=50).map(Duration::from_secs).collect();
        assert_eq!(percentile(&list, 50).as_secs(), 25);
        assert_eq!(percentile(&list, 99).as_secs(), 50);
        assert_eq!(percentile(&[], 50), Duration::ZERO);
    }
}
