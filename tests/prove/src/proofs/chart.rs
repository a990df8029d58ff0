//! What the chart renders: objects that a real API server takes, and flags that the program knows. The chart's other
//! half, that it works, is shown by every proof on real nodes.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use ferrolb_lab::Where;
use serde_json::Value;

use crate::harness::Light;
use crate::report::Report;
use crate::runner::root;

/// Every value of `elb` has one.
const ELB: &str = "provider=elb,elb.region=eu-de,elb.domain=otc.t-systems.com,elb.endpoint=https://elb.example,\
    elb.vpcEndpoint=https://vpc.example,elb.natEndpoint=https://nat.example,elb.iamEndpoint=https://iam.example,\
    elb.projectId=0123456789abcdef0123456789abcdef,elb.vpcId=vpc,elb.subnetId=subnet,elb.memberSubnetId=nodes,\
    elb.podSubnetId=pods,elb.networkId=network,elb.credentialsSecret=keys,elb.caConfigMap=authorities";

pub fn run(bed: &Light, report: &mut Report) -> Result<()> {
    let chart = root().join("charts/ferrolb").display().to_string();
    let linted = bed.lab.helm_output(&["lint", "--strict", &chart])?;
    report.holds("lint", linted.status, linted.status.success(), "no complaint");
    for (name, values) in [("mock", "provider=mock"), ("elb", ELB)] {
        let manifests =
            bed.lab.helm(&["template", "proof", &chart, "-n", "ferrolb-system", "--validate", "--set", values])?;
        let objects = accepted(bed, name, &manifests)?;
        report.at_least(&format!("{name}/objects-that-the-api-server-takes"), objects.len() as u64, 6, "");
        let flags = flags(&objects);
        let known = Command::new(&bed.binary).args(&flags).arg("--help").output().context("run the product")?;
        let said = String::from_utf8_lossy(&known.stderr).lines().next().unwrap_or("all known").to_owned();
        report.holds(&format!("{name}/flags"), said, known.status.success(), "all known");
        if name == "elb" {
            let help = String::from_utf8_lossy(&known.stdout).into_owned();
            let first = |line: &'_ str| line.trim().split([' ', '=']).next().unwrap_or_default().to_owned();
            let all = help.lines().map(first).filter(|word| word.starts_with("--elb-"));
            let (set, unset): (Vec<String>, Vec<String>) =
                all.partition(|flag| flags.iter().any(|set| set.split('=').next() == Some(flag)));
            ensure!(!set.is_empty(), "--help names no flag of elb: {help}");
            report.equal("elb/flags-without-a-value-in-the-chart", format!("{unset:?}"), "[]".to_owned());
        }
    }
    for (name, values, words) in [
        ("no-project", "provider=elb", "needs elb.projectId"),
        ("no-such-provider", "provider=clowd", "provider"),
        ("words-for-a-number", "elb.callsPerSecond=many", "/elb/callsPerSecond"),
        ("no-such-value", "elb.projectID=x", "projectID"),
    ] {
        let refused = bed.lab.helm_output(&["template", "proof", &chart, "--validate", "--set", values])?;
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        let helps = !refused.status.success() && said.contains(words);
        let line = said.lines().find(|line| line.contains(words)).or(said.lines().next()).unwrap_or_default();
        report.holds(&format!("refused/{name}"), line, helps, words);
    }
    Ok(())
}

/// The objects as the API server would store them.
fn accepted(bed: &Light, name: &str, manifests: &str) -> Result<Vec<Value>> {
    let file = std::env::temp_dir().join(format!("ferrolb-chart-{}-{name}.yaml", std::process::id()));
    std::fs::write(&file, manifests)?;
    let mut kubectl = bed.lab.exec_in(Where::ControlPlane, "kubectl");
    kubectl.args(["apply", "--dry-run=server", "--server-side", "-o", "json", "-f"]).arg(&file);
    let output = kubectl.output().context("run kubectl");
    std::fs::remove_file(&file)?;
    let output = output?;
    ensure!(output.status.success(), "kubectl apply: {}", String::from_utf8_lossy(&output.stderr));
    let mut list: Value = serde_json::from_slice(&output.stdout).context("read what kubectl printed")?;
    Ok(list["items"].as_array_mut().map(std::mem::take).unwrap_or_default())
}

/// What the controller's container is started with.
fn flags(objects: &[Value]) -> Vec<String> {
    let deployments = objects.iter().filter(|object| object["kind"] == "Deployment");
    let containers =
        deployments.flat_map(|d| d["spec"]["template"]["spec"]["containers"].as_array().into_iter().flatten());
    let of_controller = |c: &&Value| c["args"][0] == "controller";
    let args = containers.filter(of_controller).flat_map(|c| c["args"].as_array().into_iter().flatten());
    args.filter_map(Value::as_str).map(str::to_owned).collect()
}
