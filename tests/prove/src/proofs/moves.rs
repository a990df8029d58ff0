//! Pods move from node to node, and traffic follows: kube-proxy's work, and none of the cloud's.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use ferrolb_lab::wait_for;

use crate::harness::{Full, Service, manifest};
use crate::report::Report;

const NAMESPACE: &str = "moves";
const PATIENCE: Duration = Duration::from_secs(30);

pub fn run(bed: &Full, report: &mut Report) -> Result<()> {
    bed.namespace_with(NAMESPACE, "web", 1)?;
    let service = Service::create(&bed.lab, NAMESPACE, &manifest::public("web", &[("TCP", 80)]))?;
    let eip = service.await_ready(PATIENCE)?.first().context("no address")?.clone();
    let url = format!("http://{eip}/");
    bed.await_answer(&url, PATIENCE)?;
    bed.cloud().await_silence(Duration::from_secs(1))?;
    bed.cloud().reset_calls()?;

    let mut visited = BTreeSet::new();
    for target in ["n1", "n2", "n3"] {
        let patch = format!(
            r#"{{"spec":{{"template":{{"spec":{{"nodeSelector":{{"kubernetes.io/hostname":"{target}"}}}}}}}}}}"#
        );
        bed.lab.kubectl(&["patch", "deployment", "web", "-n", NAMESPACE, "-p", &patch])?;
        bed.rollout(NAMESPACE, "web")?;
        let running = Instant::now();
        let place = format!("node={target} ");
        // A pod that ends answers to its last moment: traffic has followed when no answer comes from elsewhere.
        let mut in_a_row = 0;
        let followed = wait_for(&format!("answers from {target} only"), PATIENCE, || {
            let answer = bed.lab.curl_from_client(&url);
            in_a_row = if answer.as_ref().is_ok_and(|answer| answer.contains(&place)) { in_a_row + 1 } else { 0 };
            Ok((in_a_row >= 5).then_some(()))
        });
        report.within(&format!("to-{target}/traffic-follows-after"), running.elapsed(), Duration::from_secs(5));
        followed?;
        visited.insert(target);
        let answers = bed.ask(20, |lab| lab.curl_from_client(&url));
        let from_there = answers.iter().flatten().filter(|answer| answer.contains(&place)).count();
        report.equal(&format!("to-{target}/answers-from-there"), format!("{from_there}/20"), "20/20".to_owned());
    }
    report.equal("nodes-visited", visited.len(), 3);
    bed.cloud().await_silence(Duration::from_secs(1))?;
    report.equal("cloud-writes", bed.cloud().totals()?.1, 0);
    service.delete()?;
    service.await_gone(PATIENCE)?;
    bed.lab.kubectl(&["delete", "namespace", NAMESPACE, "--wait=false"]).map(drop)
}
