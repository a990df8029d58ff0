//! The example of CCE on real nodes: addresses in the status, answers from every pod, from outside and inside.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use ferrolb_lab::{Lab, wait_for};
use serde_json::Value;

use crate::harness::{Full, RestrictedRelease, Service, manifest};
use crate::report::Report;

const NAMESPACE: &str = "address";
const REPLICAS: usize = 3;
const TRIES: usize = 60;
const PATIENCE: Duration = Duration::from_secs(30);

pub fn run(bed: &Full, report: &mut Report) -> Result<()> {
    let lab = &bed.lab;
    bed.namespace_with(NAMESPACE, "nginx", REPLICAS)?;
    let created = Instant::now();
    bed.apply(NAMESPACE, manifest::CCE_EXAMPLE)?;
    let nginx = Service::new(lab, NAMESPACE, "nginx");
    let addresses = nginx.await_address(PATIENCE)?;
    report.within("create-to-address", created.elapsed(), Duration::from_secs(5));
    let eip = addresses.first().context("no address")?.clone();
    bed.await_answer(&format!("http://{eip}/"), PATIENCE)?;
    report.within("create-to-first-answer", created.elapsed(), Duration::from_secs(10));

    let table = lab.kubectl(&["get", "service", "nginx", "-n", NAMESPACE])?;
    report.say(format!("kubectl get service nginx\n{}", table.trim_end()));
    let external = column(&table, "EXTERNAL-IP").unwrap_or_default();
    // kubectl sorts this column; the order that counts is that of the status.
    let shown = addresses.iter().all(|address| external.split(',').any(|part| part == address));
    report.holds("kubectl-external-ip", &external, shown && addresses.len() == 2, "EIP,private");
    let fits = matches!(addresses.as_slice(), [public, private] if public.starts_with("203.0.113.") && private.starts_with("10.201.0."));
    report.holds("status-order", addresses.join(","), fits, "EIP-first");
    let ingress = nginx.get()?.map(|mut object| object["status"]["loadBalancer"]["ingress"].take()).unwrap_or_default();
    let modes: Vec<&str> =
        ingress.as_array().into_iter().flatten().filter_map(|entry| entry["ipMode"].as_str()).collect();
    // With VIP the kube-proxy of the mock's own node would answer instead of the mock.
    report.equal("ip-mode", modes.join(","), "Proxy,Proxy".to_owned());

    bed.apply(NAMESPACE, &udp_service().to_string())?;
    let udp = Service::new(lab, NAMESPACE, "udp").await_ready(PATIENCE)?;
    for (name, address) in [("http/eip", &addresses[0]), ("http/private", &addresses[1])] {
        let url = format!("http://{address}/");
        through(bed, report, name, &format!("{address}:80"), |report| {
            pods(bed, report, name, |lab| lab.curl_from_client(&url));
        })?;
    }
    for (name, address) in [("udp/eip", &udp[0]), ("udp/private", &udp[1])] {
        let target = format!("{address}:53");
        through(bed, report, name, &target, |report| {
            pods(bed, report, name, |lab| lab.udp_from_client(&target));
        })?;
    }
    inside(lab, report, &eip)?;
    restricted(bed, report)
}

/// What `requests` does must come through the data plane of the cloud, and not by a short cut of kube-proxy.
fn through(
    bed: &Full,
    report: &mut Report,
    name: &str,
    socket: &str,
    requests: impl FnOnce(&mut Report),
) -> Result<()> {
    let before = bed.cloud().connections(socket)?;
    requests(report);
    let taken = bed.cloud().connections(socket)? - before;
    report.at_least(&format!("{name}/through-the-data-plane"), taken, TRIES as u64, "");
    Ok(())
}

/// Requests until each pod has answered; every single one must get an answer.
fn pods(bed: &Full, report: &mut Report, name: &str, ask: impl FnMut(&Lab) -> Result<String>) {
    // Health checks must have passed once on all nodes before the counting is fair.
    let mut ask = ask;
    let _ = wait_for("the first answer", PATIENCE, || ask(&bed.lab).map(Some));
    let answers = bed.ask(TRIES, ask);
    let answered = answers.iter().flatten().count();
    let pods: BTreeSet<&str> = answers.iter().flatten().filter_map(|answer| pod(answer)).collect();
    if let Some(Err(error)) = answers.iter().find(|answer| answer.is_err()) {
        report.say(format!("{name}: {error:#}"));
    }
    report.equal(&format!("{name}/answered"), format!("{answered}/{TRIES}"), format!("{TRIES}/{TRIES}"));
    report.equal(&format!("{name}/pods"), pods.len(), REPLICAS);
}

/// The pod in an answer of the web image.
fn pod(answer: &str) -> Option<&str> {
    answer.split_ascii_whitespace().find_map(|word| word.strip_prefix("pod="))
}

fn inside(lab: &Lab, report: &mut Report, eip: &str) -> Result<()> {
    let pods = lab.kubectl_json(&["get", "pods", "-n", NAMESPACE, "-l", "app=nginx"])?;
    let mut answered = 0;
    for item in pods["items"].as_array().into_iter().flatten() {
        let name = item["metadata"]["name"].as_str().unwrap_or_default();
        let answer = lab.kubectl(&["exec", "-n", NAMESPACE, name, "--", "/web", "get", &format!("http://{eip}/")]);
        match answer {
            Ok(text) if pod(&text).is_some() => answered += 1,
            Ok(text) => report.say(format!("from pod {name}: {text}")),
            Err(error) => report.say(format!("from pod {name}: {error:#}")),
        }
    }
    report.equal("from-inside-the-pods", answered, REPLICAS);
    Ok(())
}

/// The same from a namespace that enforces the restricted Pod Security Standard, with `provider=elb`: address,
/// project and credentials of the cloud given as for a real one.
fn restricted(bed: &Full, report: &mut Report) -> Result<()> {
    let release = RestrictedRelease::install(bed)?;
    let pods = bed.lab.kubectl_json(&["get", "pods", "-n", RestrictedRelease::NAMESPACE])?;
    let ready = pods["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|item| item["status"]["containerStatuses"][0]["ready"] == true)
        .count();
    report.equal("restricted/controllers-ready", ready, 2);
    let level = bed.lab.kubectl(&[
        "get",
        "namespace",
        RestrictedRelease::NAMESPACE,
        "-o",
        r"jsonpath={.metadata.labels.pod-security\.kubernetes\.io/enforce}",
    ])?;
    report.equal("restricted/pod-security", level.trim().to_owned(), "restricted".to_owned());
    let mut wish = manifest::public("classed", &[("TCP", 80)]);
    wish["spec"]["loadBalancerClass"] = "ferrolb.io/elb".into();
    wish["spec"]["selector"] = serde_json::json!({"app": "nginx"});
    let created = Instant::now();
    let service = Service::create(&bed.lab, NAMESPACE, &wish)?;
    let addresses = service.await_ready(PATIENCE)?;
    report.within("restricted/create-to-address", created.elapsed(), Duration::from_secs(5));
    let answer = bed.await_answer(&format!("http://{}/", addresses[0]), PATIENCE);
    report.holds("restricted/answers", answer.as_ref().map_or("no", |_| "yes"), answer.is_ok(), "=yes");
    service.delete()?;
    service.await_gone(PATIENCE)?;
    release.uninstall()
}

fn udp_service() -> Value {
    let mut wish = manifest::public("udp", &[("UDP", 53)]);
    wish["spec"]["selector"] = serde_json::json!({"app": "nginx"});
    wish
}

/// A column of kubectl's table, from its first row.
fn column(table: &str, head: &str) -> Option<String> {
    let mut lines = table.lines();
    let at = lines.next()?.split_ascii_whitespace().position(|word| word == head)?;
    lines.next()?.split_ascii_whitespace().nth(at).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_and_answers_are_read() {
        let table = "NAME    TYPE           CLUSTER-IP   EXTERNAL-IP   PORT(S)\nnginx   LoadBalancer   10.96.1.1    1.1.1.1,2.2.2.2   80:30000/TCP\n";
        assert_eq!(column(table, "EXTERNAL-IP").as_deref(), Some("1.1.1.1,2.2.2.2"));
        assert_eq!(pod("pod=a-1 node=n2 client=1.2.3.4:5\n"), Some("a-1"));
    }
}
