//! What the controller's service account may do, asked of the API server and tried.

use anyhow::{Context, Result};
use ferrolb_lab::Where;

use crate::harness::{Light, create_namespace};
use crate::report::Report;

const ACCOUNT: &str = "--as=system:serviceaccount:ferrolb-system:ferrolb";

pub fn run(bed: &Light, report: &mut Report) -> Result<()> {
    let questions: &[(&str, &[&str], &str)] = &[
        ("watch-services", &["watch", "services"], "yes"),
        ("patch-services-status", &["patch", "services", "--subresource=status"], "yes"),
        ("patch-services", &["patch", "services"], "no"),
        ("update-services", &["update", "services"], "no"),
        ("create-services", &["create", "services"], "no"),
        ("delete-services", &["delete", "services"], "no"),
        ("update-services-status", &["update", "services", "--subresource=status"], "no"),
        ("read-secrets", &["get", "secrets"], "no"),
        ("read-pods", &["list", "pods"], "no"),
        ("write-nodes", &["patch", "nodes"], "no"),
        ("other-leases", &["update", "leases.coordination.k8s.io/other"], "no"),
    ];
    for (name, words, wanted) in questions {
        let mut args = vec!["auth", "can-i", "-n", "ferrolb-system", ACCOUNT];
        args.extend(*words);
        let answer = bed.lab.kubectl_output(&args)?;
        let answer = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
        report.equal(&format!("may/{name}"), answer, (*wanted).to_owned());
    }

    let namespace = format!("rbac-{}", bed.port());
    create_namespace(&bed.lab, &namespace)?;
    bed.lab.kubectl(&["create", "service", "clusterip", "victim", "--tcp=80", "-n", &namespace])?;
    let patch = r#"{"spec":{"ports":[{"port":81}],"externalIPs":["203.0.113.99"]}}"#;
    let direct = try_patch(bed, &namespace, patch, &[])?;
    report.holds("tried/patch-spec", short(&direct), direct.contains("orbidden"), "=forbidden");
    let through_status = try_patch(bed, &namespace, patch, &["--subresource=status"])?;
    let spec = bed.lab.kubectl_json(&["get", "service", "victim", "-n", &namespace])?["spec"].take();
    let kept = spec["ports"][0]["port"] == 80 && spec["externalIPs"].is_null();
    report.say(format!("a spec sent through status: {}", short(&through_status)));
    report.holds("tried/spec-through-status", if kept { "ignored" } else { "taken" }, kept, "=ignored");
    bed.lab.kubectl(&["delete", "namespace", &namespace, "--wait=false"])?;
    Ok(())
}

/// A patch with the controller's own token; what the API server says.
fn try_patch(bed: &Light, namespace: &str, patch: &str, more: &[&str]) -> Result<String> {
    let mut command = bed.lab.exec_in(Where::ControlPlane, "kubectl");
    command.arg("--kubeconfig").arg(&bed.kubeconfig);
    command.args(["patch", "service", "victim", "-n", namespace, "--type=merge", "-p", patch]).args(more);
    let output = command.output().context("run kubectl")?;
    Ok(format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
        .trim()
        .to_owned())
}

fn short(answer: &str) -> &str {
    match answer {
        _ if answer.contains("orbidden") => "forbidden",
        _ => answer,
    }
}
