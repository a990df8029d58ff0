//! Two replicas from the chart: the leader dies, the release is upgraded, uninstalled and installed again.
//! Every state of the Service's status is watched, and a client asks without a break.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use ferrolb_lab::{Running, Where, wait_for};

use crate::harness::{Full, History, RestrictedRelease, Service, manifest};
use crate::report::Report;

const NAMESPACE: &str = "replicas";
const PATIENCE: Duration = Duration::from_secs(40);
/// The chart's own lease time, and the fifth more that it promises.
const TAKE_OVER: Duration = Duration::from_secs(24);

pub fn run(bed: &Full, report: &mut Report) -> Result<()> {
    bed.namespace_with(NAMESPACE, "web", 2)?;
    let release = RestrictedRelease::install(bed)?;
    let service = Service::create(&bed.lab, NAMESPACE, &classed("web"))?;
    let addresses = service.await_ready(PATIENCE)?;
    let url = format!("http://{}/", addresses.first().context("no address")?);
    bed.await_answer(&url, PATIENCE)?;
    let history = History::start(&bed.lab, NAMESPACE, Some("web"))?;
    let visitor = Visitor::start(bed, &url)?;

    let leader = leader(bed)?;
    report.say(format!("killing the leader's pod {leader}"));
    let killed = Instant::now();
    bed.lab.kubectl(&["delete", "pod", &leader, "-n", RestrictedRelease::NAMESPACE, "--force", "--grace-period=0"])?;
    await_other(bed, &leader)?;
    report.within("pod-deleted/take-over", killed.elapsed(), TAKE_OVER);
    works(bed, report, "pod-deleted")?;

    let leader = self::leader(bed)?;
    report.say(format!("SIGKILL for the process of the leader {leader}"));
    let killed = Instant::now();
    kill_process(bed, &leader)?;
    await_other_identity(bed, killed)?;
    report.within("process-killed/take-over", killed.elapsed(), TAKE_OVER);
    works(bed, report, "process-killed")?;

    release.upgrade(&["log.filter=debug", "resyncSeconds=60"])?;
    works(bed, report, "helm-upgrade")?;

    release.uninstall()?;
    let kept = service.addresses()?;
    report.equal("helm-uninstall/addresses", kept.join(","), addresses.join(","));
    let answer = bed.lab.curl_from_client(&url);
    report.holds("helm-uninstall/answers", answer.as_ref().map_or("no", |_| "yes"), answer.is_ok(), "=yes");

    let release = RestrictedRelease::install(bed)?;
    works(bed, report, "helm-install-again")?;
    report.equal("status/addresses-ever", history.of("web").join(" then "), addresses.join(" "));
    report.equal("status/lost-its-address", history.lost("web"), false);
    let (asked, failed) = visitor.stop()?;
    report.at_least("client/requests", asked, 100, "");
    report.equal("client/failed-requests", failed, 0);

    service.delete()?;
    service.await_gone(PATIENCE)?;
    release.uninstall()?;
    bed.lab.kubectl(&["delete", "namespace", NAMESPACE, "--wait=false"]).map(drop)
}

fn classed(name: &str) -> serde_json::Value {
    let mut wish = manifest::public(name, &[("TCP", 80)]);
    wish["spec"]["loadBalancerClass"] = "ferrolb.io/elb".into();
    wish
}

/// A new Service comes and goes: somebody leads and works.
fn works(bed: &Full, report: &mut Report, after: &str) -> Result<()> {
    let began = Instant::now();
    let probe = Service::create(&bed.lab, NAMESPACE, &classed("probe"))?;
    probe.await_ready(PATIENCE)?;
    report.within(&format!("{after}/new-service-ready"), began.elapsed(), TAKE_OVER);
    probe.delete()?;
    probe.await_gone(PATIENCE)
}

fn holder(bed: &Full) -> Result<String> {
    let lease = bed.lab.kubectl_json(&["get", "lease", RestrictedRelease::NAME, "-n", RestrictedRelease::NAMESPACE])?;
    Ok(lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned())
}

/// The pod that holds the lease. Its identity begins with the pod's name.
fn leader(bed: &Full) -> Result<String> {
    wait_for("a leader", PATIENCE, || {
        let identity = holder(bed)?;
        let pods = bed.lab.kubectl(&[
            "get",
            "pods",
            "-n",
            RestrictedRelease::NAMESPACE,
            "-o",
            "jsonpath={.items[*].metadata.name}",
        ])?;
        let found = pods.split_ascii_whitespace().find(|pod| identity.starts_with(pod)).map(str::to_owned);
        ensure!(found.is_some(), "holder {identity:?} is none of {pods}");
        Ok(found)
    })
}

fn await_other(bed: &Full, old: &str) -> Result<()> {
    wait_for("another leader", PATIENCE, || {
        let identity = holder(bed)?;
        Ok((!identity.is_empty() && !identity.starts_with(old)).then_some(()))
    })
}

/// After a killed process: the lease changes hands, be it to the same pod's next container.
fn await_other_identity(bed: &Full, since: Instant) -> Result<()> {
    let before = holder(bed)?;
    wait_for("the lease to change hands", PATIENCE.saturating_sub(since.elapsed()), || {
        let now = holder(bed)?;
        Ok((!now.is_empty() && now != before).then_some(()))
    })
}

/// SIGKILL from outside, as the kernel's out-of-memory killer does: the lease is not given back.
fn kill_process(bed: &Full, pod: &str) -> Result<()> {
    let object = bed.lab.kubectl_json(&["get", "pod", pod, "-n", RestrictedRelease::NAMESPACE])?;
    let id = object["status"]["containerStatuses"][0]["containerID"]
        .as_str()
        .and_then(|id| id.rsplit('/').next())
        .context("the pod has no container")?
        .to_owned();
    let pid = wait_for("the container's process", Duration::from_secs(5), || {
        for entry in std::fs::read_dir("/proc")?.flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
            let cgroup = std::fs::read_to_string(entry.path().join("cgroup")).unwrap_or_default();
            if cgroup.contains(&id) {
                return Ok(Some(pid));
            }
        }
        Ok(None)
    })?;
    let status = std::process::Command::new("sh").args(["-c", &format!("kill -KILL {pid}")]).status()?;
    ensure!(status.success(), "cannot kill process {pid} of pod {pod}");
    Ok(())
}

/// A client that asks several times a second for as long as it lives.
struct Visitor {
    process: Running,
}

impl Visitor {
    fn start(bed: &Full, url: &str) -> Result<Self> {
        let mut command = bed.lab.exec_in(Where::Client, "sh");
        let script = format!(
            "while :; do curl -sS --fail --max-time 3 --noproxy '*' -o /dev/null {url} && echo ok || echo failed; sleep 0.2; done"
        );
        command.args(["-c", &script]);
        Ok(Self { process: bed.lab.spawn("visitor", command)? })
    }

    /// Requests, and how many of them failed.
    fn stop(mut self) -> Result<(u64, u64)> {
        self.process.kill()?;
        let text = self.process.log_text();
        let count = |word: &str| text.lines().filter(|line| *line == word).count() as u64;
        Ok((count("ok") + count("failed"), count("failed")))
    }
}
