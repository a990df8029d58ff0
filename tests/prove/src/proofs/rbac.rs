//! What the controller's service account may do, asked of the API server and tried.

use anyhow::{Context, Result};
use ferrolb_lab::Where;
use serde_json::Value;

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
    report.equal("tried/patch-spec", try_patch(bed, &namespace, "victim", patch)?, "HTTP-403".to_owned());
    report.equal("tried/patch-status", try_patch(bed, &namespace, "victim/status", patch)?, "HTTP-200".to_owned());
    let spec = bed.lab.kubectl_json(&["get", "service", "victim", "-n", &namespace])?["spec"].take();
    let kept = spec["ports"][0]["port"] == 80 && spec["externalIPs"].is_null();
    report.holds("tried/spec-in-a-status-patch", if kept { "ignored" } else { "taken" }, kept, "=ignored");
    bed.lab.kubectl(&["delete", "namespace", &namespace, "--wait=false"])?;
    Ok(())
}

/// A patch with the controller's own token. Not by kubectl, which reads first and so fails for another reason.
fn try_patch(bed: &Light, namespace: &str, object: &str, patch: &str) -> Result<String> {
    let kubeconfig: Value = serde_json::from_slice(&std::fs::read(&bed.kubeconfig)?).context("read the kubeconfig")?;
    let token = kubeconfig["users"][0]["user"]["token"].as_str().context("the kubeconfig has no token")?;
    let server = kubeconfig["clusters"][0]["cluster"]["server"].as_str().context("the kubeconfig has no server")?;
    let url = format!("{server}/api/v1/namespaces/{namespace}/services/{object}");
    let authorization = format!("Authorization: Bearer {token}");
    let mut args = vec!["-sSk", "--max-time", "5", "--noproxy", "*", "-o", "/dev/null", "-w", "HTTP-%{http_code}"];
    args.extend(["-X", "PATCH", "-H", &authorization, "-H", "Content-Type: application/merge-patch+json", "-d", patch]);
    args.push(&url);
    bed.lab.run_in(Where::ControlPlane, "curl", &args)
}
