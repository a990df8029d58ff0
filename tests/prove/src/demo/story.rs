//! The story: cluster, chart, Service, traffic, a pod that moves, deletion.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use ferrolb_lab::{Lab, Where, wait_for};

use super::screen::Screen;
use crate::harness::{Cloud, Service, manifest, mock_arguments, start_lab};
use crate::{interrupt, runner};

const LAB: &str = "demo";
const NAMESPACE: &str = "demo";
const PATIENCE: Duration = Duration::from_secs(60);

/// Shows it all. With `exit` it cleans up at the end, else it stays up until Ctrl-C.
pub fn run(exit: bool) -> Result<()> {
    let began = Instant::now();
    let mut screen = Screen::new();
    println!(
        "FerroLB: Services of type LoadBalancer that work, shown on a real Kubernetes cluster in network namespaces."
    );

    screen.step("Build");
    screen.say(
        "What is missing on this machine is installed, Kubernetes is built once and kept; then nothing is built again.",
    );
    let binary = runner::build_product()?;
    screen.fact("Built", began.elapsed());

    screen.step("A cluster: control plane, three nodes, and a client outside");
    let started = Instant::now();
    ferrolb_lab::remove(LAB)?;
    let lab = start_lab(LAB, &binary)?;
    screen.run(&lab, "kubectl", &["get", "nodes", "-o", "wide", "--no-headers"])?;
    screen.fact("Cluster ready", started.elapsed());

    screen.step(
        "FerroLB, from its chart: two replicas of the controller, and a mock of the cloud with a real data plane",
    );
    let started = Instant::now();
    let args = mock_arguments()?;
    screen.run(&lab, "helm", &args.iter().map(String::as_str).collect::<Vec<_>>())?;
    screen.run(&lab, "kubectl", &["get", "pods", "-n", "ferrolb-system", "-o", "wide"])?;
    screen.fact("Installed", started.elapsed());

    let cloud = Cloud::new(&lab, "10.200.0.11:8090");
    workload(&lab, &screen)?;
    let addresses = service(&lab, &mut screen)?;
    let eip = addresses.first().context("the Service has no address")?;
    screen.say("What the cloud holds now, all of it with the Service's mark:");
    screen.output(&format!("   {}", cloud.summary()?));
    pod_moves(&lab, &mut screen, eip)?;
    conditions(&lab, &mut screen)?;
    delete(&lab, &mut screen, &cloud)?;
    println!("\nThe whole demo took {:.1} s.", began.elapsed().as_secs_f64());
    if exit {
        return lab.stop();
    }
    hints(&lab)?;
    interrupt::ends_well();
    loop {
        std::thread::park();
    }
}

/// The pods that will answer, first, so that the time shown next is the load balancer's alone.
fn workload(lab: &Lab, screen: &Screen) -> Result<()> {
    lab.kubectl(&["create", "namespace", NAMESPACE])?;
    let file = write(lab, "web.yaml", &manifest::web("nginx", 3))?;
    screen.say("A web workload, three pods that say who they are:");
    screen.run(lab, "kubectl", &["apply", "-n", NAMESPACE, "-f", &file])?;
    lab.kubectl(&["rollout", "status", "-n", NAMESPACE, "deployment/nginx", "--timeout=90s"]).map(drop)
}

/// The example Service, from pending to traffic.
fn service(lab: &Lab, screen: &mut Screen) -> Result<Vec<String>> {
    screen.step("The Service of the CCE documentation, as it stands there");
    let file = write(lab, "nginx.yaml", manifest::CCE_EXAMPLE)?;
    screen.output(manifest::CCE_EXAMPLE);
    println!();
    screen.command(&format!("kubectl apply -n {NAMESPACE} -f {file} & kubectl get services -n {NAMESPACE} --watch"));
    let mut watch = lab.exec_in(Where::ControlPlane, "kubectl");
    watch.args(["get", "services", "-n", NAMESPACE, "--watch"]);
    let mut watch = lab.spawn("demo-watch", watch)?;
    let created = Instant::now();
    lab.kubectl(&["apply", "-n", NAMESPACE, "-f", &file])?;
    let nginx = Service::new(lab, NAMESPACE, "nginx");
    let addresses = nginx.await_address(PATIENCE)?;
    let with_address = created.elapsed();
    let url = format!("http://{}/", addresses[0]);
    wait_for("an answer", PATIENCE, || lab.curl_from_client(&url).map(Some))?;
    let answered = created.elapsed();
    nginx.await_ready(PATIENCE)?;
    wait_for("the watch to show the address", Duration::from_secs(5), || {
        Ok(watch.log_text().contains(&addresses[0]).then_some(()))
    })?;
    watch.kill()?;
    screen.output(&watch.log_text());
    screen.fact("Service created -> address", with_address);
    screen.fact("Service created -> first answered request", answered);

    screen.step("Traffic: client -> EIP on the mock's data plane -> node port -> kube-proxy -> pod");
    for _ in 0..6 {
        screen.run_in(lab, Where::Client, "curl", &["-sS", "--max-time", "3", &url])?;
    }
    if let Some(private) = addresses.get(1) {
        screen.run_in(lab, Where::Client, "curl", &["-sS", "--max-time", "3", &format!("http://{private}/")])?;
    }
    Ok(addresses)
}

/// All pods go to n3.
fn pod_moves(lab: &Lab, screen: &mut Screen, eip: &str) -> Result<()> {
    screen.step("All pods move to node n3, and traffic follows");
    let patch = r#"{"spec":{"template":{"spec":{"nodeSelector":{"kubernetes.io/hostname":"n3"}}}}}"#;
    screen.run(lab, "kubectl", &["patch", "deployment", "nginx", "-n", NAMESPACE, "-p", patch])?;
    lab.kubectl(&["rollout", "status", "-n", NAMESPACE, "deployment/nginx", "--timeout=90s"])?;
    // The roll-out counts pods that end as gone, and what they still have in hand is reset when they really are.
    wait_for("the end of the old pods", PATIENCE, || {
        let pods = lab.kubectl(&["get", "pods", "-n", NAMESPACE, "-l", "app=nginx", "-o", "name"])?;
        Ok((pods.lines().count() == 3).then_some(()))
    })?;
    let url = format!("http://{eip}/");
    // A pod that ends answers to its last moment, so one answer from n3 is not enough.
    let mut in_a_row = 0;
    wait_for("answers from n3", PATIENCE, || {
        in_a_row = if lab.curl_from_client(&url).is_ok_and(|a| a.contains("node=n3")) { in_a_row + 1 } else { 0 };
        Ok((in_a_row >= 5).then_some(()))
    })?;
    for _ in 0..3 {
        screen.run_in(lab, Where::Client, "curl", &["-sS", "--max-time", "3", &url])?;
    }
    Ok(())
}

/// Conditions and events.
fn conditions(lab: &Lab, screen: &mut Screen) -> Result<()> {
    screen.step("What FerroLB says about the Service");
    // The cloud's health checks need a few seconds; should they need more, what there is is shown.
    let nginx = Service::new(lab, NAMESPACE, "nginx");
    let _ = nginx.await_condition("BackendsHealthy", "True", Duration::from_secs(15));
    let columns =
        r#"jsonpath={range .status.conditions[*]}{.type}{"="}{.status}{"  "}{.reason}{": "}{.message}{"\n"}{end}"#;
    screen.run(lab, "kubectl", &["get", "service", "nginx", "-n", NAMESPACE, "-o", columns])?;
    let described = lab.kubectl(&["describe", "service", "nginx", "-n", NAMESPACE])?;
    screen.command(&format!("kubectl describe service nginx -n {NAMESPACE}"));
    let from = described.find("LoadBalancer Ingress").unwrap_or_default();
    screen.output(&described[from..]);
    Ok(())
}

/// Nothing may stay.
fn delete(lab: &Lab, screen: &mut Screen, cloud: &Cloud<'_>) -> Result<()> {
    screen.step("The Service is deleted, and the cloud is as before");
    let began = Instant::now();
    screen.run(lab, "kubectl", &["delete", "service", "nginx", "-n", NAMESPACE])?;
    screen.fact("Gone", began.elapsed());
    let left = cloud.summary()?;
    screen.say(&format!("What the cloud holds now: {left}"));
    ensure!(left == "empty", "the cloud should be empty, and holds {left}");
    Ok(())
}

fn hints(lab: &Lab) -> Result<()> {
    let bin = lab.kubeconfig().with_file_name("bin");
    let (bin, folder) = (bin.display(), lab.dir().join("demo"));
    let file = |name: &str| folder.join(name).display().to_string();
    println!("\nThe lab stays up until Ctrl-C. In another terminal:\n");
    println!("  export PATH={bin}:$PATH");
    let again = file("nginx.yaml");
    let lines = [
        (format!("kubectl apply -n {NAMESPACE} -f {again}"), "the Service again"),
        (format!("kubectl get services -n {NAMESPACE}"), "its addresses"),
        ("in-client curl http://203.0.113.1/".to_owned(), "a request from outside"),
        (
            format!("kubectl annotate service nginx -n {NAMESPACE} kubernetes.io/elb.lb-algoritm=x"),
            "a slip of the pen,",
        ),
        (format!("kubectl describe service nginx -n {NAMESPACE}"), "and what it is answered with"),
        ("kubectl get pods -n ferrolb-system".to_owned(), "kill a controller: addresses stay"),
        ("in-cp curl -s http://10.200.0.11:8090/_ferrolb/ledger".to_owned(), "what the cloud holds"),
        ("kubectl logs -n ferrolb-system deployment/ferrolb".to_owned(), "what a controller says"),
    ];
    for (line, about) in lines {
        println!("  {line:<88} # {about}");
    }
    Ok(())
}

/// A manifest as a file that the person can use as well.
fn write(lab: &Lab, name: &str, text: &str) -> Result<String> {
    let folder: PathBuf = lab.dir().join("demo");
    std::fs::create_dir_all(&folder)?;
    let file = folder.join(name);
    std::fs::write(&file, text)?;
    Ok(file.to_str().context("the lab's path is no text")?.to_owned())
}
