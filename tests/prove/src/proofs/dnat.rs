//! Class `dnat` with real packets: rules spread over real nodes, a node that dies, the last local pod that goes, a
//! second cluster on the same gateway, and who reaches the address from where.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use ferrolb_lab::{Lab, Where, wait_for};
use serde_json::{Value, json};

use crate::harness::{Full, GATEWAY, Gateway, OUTSIDE, PATIENCE, Service, manifest};
use crate::report::Report;

const NAMESPACE: &str = "dnat";
const MODE: &str = "ferrolb.io/ip-mode";
/// What is promised.
const REPOINTED: Duration = Duration::from_secs(1);
const TRIES: u64 = 10;
/// The mark of the second cluster's rules.
const THEIR_MARK: &str =
    "ferrolb.io/owner cluster=another uid=00000000-0000-4000-8000-000000000000 service=theirs/many";
/// Ports of a Service with policy Cluster, and of one with Local, on one EIP.
const CLUSTER: [(&str, u16); 3] = [("TCP", 80), ("TCP", 443), ("UDP", 53)];
const LOCAL: [(&str, u16); 3] = [("TCP", 8080), ("TCP", 8081), ("TCP", 8082)];

pub fn run(bed: &Full, report: &mut Report) -> Result<()> {
    bed.namespace_with(NAMESPACE, "web", 3)?;
    let gateway = Gateway::start(bed)?;
    let scene = Scene::set(bed, &gateway)?;
    let (cluster, local) = (scene.create("cluster", "Cluster", &CLUSTER)?, scene.create("local", "Local", &LOCAL)?);
    for service in [&cluster, &local] {
        let addresses = service.await_ready(PATIENCE)?;
        report.equal(&format!("{}/address", service.name), addresses.join(","), scene.eip.clone());
    }
    spread(&scene, report)?;
    outside(&scene, report, "")?;
    ranges(&scene, report)?;
    inside(&scene, report, &cluster, "VIP")?;
    node_dies(&scene, report)?;
    last_local_pods_go(&scene, report)?;
    report.equal("second-cluster/rules-untouched", scene.foreign()? == scene.before, true);
    for service in [&cluster, &local] {
        service.annotate(MODE, Some("Proxy"))?;
    }
    inside(&scene, report, &cluster, "Proxy")?;
    outside(&scene, report, "proxy/")?;
    for service in [&cluster, &local] {
        service.delete()?;
    }
    cluster.await_gone(PATIENCE)?;
    local.await_gone(PATIENCE)?;
    let left = gateway.rules()?.len();
    report.equal("deleted/rules-left", left, scene.before.len());
    report.equal("deleted/eips-left", gateway.cloud().count("eips")?, 1);
    report.equal("deleted/second-cluster-untouched", scene.foreign()? == scene.before, true);
    Ok(())
}

struct Scene<'a> {
    bed: &'a Full,
    gateway: &'a Gateway<'a>,
    /// The EIP's address.
    eip: String,
    /// The rules of the second cluster.
    before: Vec<Value>,
}

impl<'a> Scene<'a> {
    /// An EIP of the user's, and the rules of a second cluster on it, one for each node and one for a range of ports.
    fn set(bed: &'a Full, gateway: &'a Gateway<'a>) -> Result<Self> {
        let (id, eip) = gateway.eip()?;
        for node in 1..=3 {
            let rule = json!({"dnat_rule": {
                "nat_gateway_id": GATEWAY, "floating_ip_id": id, "protocol": "tcp", "description": THEIR_MARK,
                "port_id": gateway.nic(&bed.lab.node_address(node))?,
                "external_service_port": 9000 + node, "internal_service_port": 9000,
            }});
            gateway.cloud().raw("POST", "v2", "dnat_rules", Some(&rule))?;
        }
        let range = json!({"dnat_rule": {
            "nat_gateway_id": GATEWAY, "floating_ip_id": id, "protocol": "tcp", "description": THEIR_MARK,
            "port_id": gateway.nic(&bed.lab.node_address(1))?,
            "external_service_port_range": "7000-7010", "internal_service_port_range": "9100-9110",
        }});
        gateway.cloud().raw("POST", "v2", "dnat_rules", Some(&range))?;
        Ok(Self { bed, gateway, eip, before: gateway.rules()? })
    }

    fn lab(&self) -> &'a Lab {
        &self.bed.lab
    }

    fn create(&self, name: &str, policy: &str, ports: &[(&str, u16)]) -> Result<Service<'a>> {
        let annotations = [("kubernetes.io/elb.class", "dnat"), ("kubernetes.io/natgateway.id", GATEWAY)];
        let mut wish = manifest::service(name, &annotations, ports);
        wish["spec"]["loadBalancerClass"] = "ferrolb.io/elb".into();
        wish["spec"]["loadBalancerIP"] = self.eip.as_str().into();
        wish["spec"]["externalTrafficPolicy"] = policy.into();
        Service::create(self.lab(), NAMESPACE, &wish)
    }

    /// The rules of the second cluster as they are.
    fn foreign(&self) -> Result<Vec<Value>> {
        let of_another = |rule: &Value| rule["description"].as_str().is_some_and(|d| d.contains("cluster=another"));
        Ok(self.gateway.rules()?.into_iter().filter(of_another).collect())
    }

    /// Number of the node that the rule of each of our ports points to.
    fn targets(&self) -> Result<BTreeMap<u64, usize>> {
        let mut nodes = BTreeMap::new();
        for node in 1..=3 {
            nodes.insert(self.gateway.nic(&self.lab().node_address(node))?, node);
        }
        let rules = self.gateway.rules()?;
        let ours = rules.iter().filter(|rule| !self.before.iter().any(|other| other["id"] == rule["id"]));
        let target = |rule: &Value| {
            let port = rule["external_service_port"].as_u64()?;
            Some((port, *nodes.get(rule["port_id"].as_str()?)?))
        };
        ours.map(|rule| target(rule).with_context(|| format!("a rule to nowhere: {rule}"))).collect()
    }

    fn ask(&self, protocol: &str, port: u16) -> Result<String> {
        match protocol {
            "UDP" => self.lab().udp_from_client(&format!("{}:{port}", self.eip)),
            _ => self.lab().curl_from_client(&format!("http://{}:{port}/", self.eip)),
        }
    }
}

/// Three ports, three nodes: no node has two rules of one Service.
fn spread(scene: &Scene<'_>, report: &mut Report) -> Result<()> {
    let targets = scene.targets()?;
    report.say(format!("port → node: {targets:?}"));
    for (name, ports) in [("cluster", CLUSTER), ("local", LOCAL)] {
        let nodes: BTreeSet<usize> =
            ports.iter().filter_map(|(_, port)| targets.get(&u64::from(*port)).copied()).collect();
        report.equal(&format!("{name}/nodes-of-three-ports"), nodes.len(), 3);
    }
    Ok(())
}

/// From outside every port answers, through the gateway, and with policy Local the pod sees the client's own address.
fn outside(scene: &Scene<'_>, report: &mut Report, name: &str) -> Result<()> {
    let before = scene.gateway.rewritten()?;
    for (protocol, port) in CLUSTER.into_iter().chain(LOCAL) {
        let what = format!("an answer at {protocol} port {port}");
        wait_for(&what, PATIENCE, || scene.ask(protocol, port).map(Some))?;
    }
    let mut answered = 0;
    let mut sources = BTreeSet::new();
    for (protocol, port) in CLUSTER.into_iter().chain(LOCAL) {
        for _ in 0..TRIES {
            let answer = scene.ask(protocol, port)?;
            answered += 1;
            if LOCAL.contains(&(protocol, port)) {
                sources.extend(client(&answer).map(str::to_owned));
            }
        }
    }
    report.equal(&format!("{name}outside/answered"), answered, 6 * TRIES);
    let shown = sources.into_iter().collect::<Vec<_>>().join(",");
    report.equal(&format!("{name}outside/source-seen-with-Local"), shown, OUTSIDE.to_owned());
    let rewritten = scene.gateway.rewritten()? - before;
    report.at_least(&format!("{name}outside/rewritten-by-the-gateway"), rewritten, 6 * TRIES, "");
    Ok(())
}

/// Of two ports of a third Service on the EIP one is in the range of the second cluster's rule: whose it is, is said, and
/// the other works.
fn ranges(scene: &Scene<'_>, report: &mut Report) -> Result<()> {
    let service = scene.create("ranged", "Cluster", &[("TCP", 7005), ("TCP", 7011)])?;
    let told = wait_for("the condition to name the holder", PATIENCE, || {
        let told = service.condition("Ready")?.context("there is no condition Ready")?;
        let is_right = told.reason == "Conflict" && told.message.contains("theirs/many");
        ensure!(is_right, "{}: {}", told.reason, told.message);
        Ok(Some(told.message))
    });
    let seen = told.as_ref().map_or_else(|error| format!("{error:#}"), Clone::clone);
    let is_named = seen.contains("TCP:7005") && !seen.contains("TCP:7011");
    report.holds("ranges/port-inside", seen, told.is_ok() && is_named, "Conflict,theirs/many");
    let answer = wait_for("an answer at the port beside", PATIENCE, || scene.ask("TCP", 7011).map(Some));
    report.equal("ranges/port-beside-answers", answer.is_ok(), true);
    report.equal("ranges/port-inside-has-a-rule-of-ours", scene.targets()?.contains_key(&7005), false);
    service.delete()?;
    service.await_gone(PATIENCE)
}

/// From nodes and pods it is as the condition says.
fn inside(scene: &Scene<'_>, report: &mut Report, service: &Service<'_>, mode: &str) -> Result<()> {
    let (wanted, reason) = if mode == "VIP" { ("True", "ServedInside") } else { ("False", "DestinationOnly") };
    let condition = service.await_condition("InClusterReachable", wanted, PATIENCE)?;
    report.equal(&format!("inside/{mode}/condition"), condition.reason, reason.to_owned());
    let object = service.get()?.context("the Service is gone")?;
    let shown = object["status"]["loadBalancer"]["ingress"][0]["ipMode"].as_str().unwrap_or_default().to_owned();
    report.equal(&format!("inside/{mode}/ip-mode"), shown, mode.to_owned());
    let url = format!("http://{}/", scene.eip);
    let from_node = |node: usize| {
        scene.lab().run_in(Where::Node(node), "curl", &["-sS", "--fail", "--max-time", "2", "--noproxy", "*", &url])
    };
    let reachable = mode == "VIP";
    // kube-proxy follows the status in its own time.
    let _ = wait_for("kube-proxy to follow", Duration::from_secs(20), || match from_node(1).is_ok() == reachable {
        true => Ok(Some(())),
        false => bail!("not yet"),
    });
    let answers = (1..=3).filter(|node| from_node(*node).is_ok()).count();
    report.equal(&format!("inside/{mode}/nodes-that-get-an-answer"), answers, if reachable { 3 } else { 0 });
    let pods = scene.lab().kubectl_json(&["get", "pods", "-n", NAMESPACE, "-l", "app=web"])?;
    let names = pods["items"].as_array().into_iter().flatten().filter_map(|pod| pod["metadata"]["name"].as_str());
    let names: Vec<&str> = names.collect();
    let from_pod = |name: &&str| {
        let fetch = ["exec", "-n", NAMESPACE, name, "--", "/web", "get", &url];
        scene.lab().kubectl(&fetch).is_ok()
    };
    let answers = names.iter().filter(|name| from_pod(name)).count();
    report.equal(&format!("inside/{mode}/pods-that-get-an-answer"), answers, if reachable { names.len() } else { 0 });
    Ok(())
}

/// A node loses its kubelet, its cable and its readiness: all its rules are repointed, by one call each.
fn node_dies(scene: &Scene<'_>, report: &mut Report) -> Result<()> {
    let lab = scene.lab();
    let before = scene.targets()?;
    // The mock of the bed itself is on n1.
    let victim = 2;
    let on_it = before.values().filter(|node| **node == victim).count();
    lab.kill_component(&format!("n{victim}/kubelet"))?;
    lab.link(victim, false)?;
    scene.gateway.cloud().reset_calls()?;
    let event = Instant::now();
    not_ready(lab, &format!("n{victim}"))?;
    let repointed = wait_for("the rules to leave the dead node", PATIENCE, || {
        let on_it = scene.targets()?.values().filter(|node| **node == victim).count();
        Ok((on_it == 0).then(|| event.elapsed()))
    })?;
    report.within("node-dies/repointed", repointed, REPOINTED);
    for (protocol, port) in CLUSTER.into_iter().chain(LOCAL) {
        wait_for("answers again", PATIENCE, || scene.ask(protocol, port).map(Some))?;
    }
    report.within("node-dies/all-ports-answer-again", event.elapsed(), Duration::from_secs(30));
    let puts = puts(scene)?;
    report.equal("node-dies/calls", puts, format!("PUT×{on_it}"));
    let after = scene.targets()?;
    let moved = before.iter().filter(|(port, node)| **node != victim && after.get(*port) != Some(*node)).count();
    report.equal("node-dies/other-rules-moved", moved, 0);
    lab.link(victim, true)?;
    lab.start_component(&format!("n{victim}/kubelet"))?;
    scene.gateway.cloud().reset_calls()?;
    wait_for("the node to be Ready again", PATIENCE, || {
        let node = lab.api("GET", &format!("/api/v1/nodes/n{victim}"), None)?;
        Ok(is_ready(&node).then_some(()))
    })?;
    scene.bed.rollout(NAMESPACE, "web")?;
    scene.gateway.cloud().await_silence(Duration::from_secs(2))?;
    report.equal("node-returns/calls", self::puts(scene)?, "PUT×0".to_owned());
    Ok(())
}

/// Pods go until one is left: with policy Local its node gets all rules, with Cluster none moves.
fn last_local_pods_go(scene: &Scene<'_>, report: &mut Report) -> Result<()> {
    let lab = scene.lab();
    let before = scene.targets()?;
    scene.gateway.cloud().reset_calls()?;
    lab.kubectl(&["scale", "deployment/web", "-n", NAMESPACE, "--replicas=1"])?;
    // Of the event it is known that it came after the last look that showed the pods still there.
    let mut event = Instant::now();
    let node = wait_for("one ready endpoint", PATIENCE, || {
        let looked = Instant::now();
        let nodes = ready_nodes(lab)?;
        if nodes.len() > 1 {
            event = looked;
        }
        Ok(nodes.first().copied().filter(|_| nodes.len() == 1))
    })?;
    let local = |targets: &BTreeMap<u64, usize>| -> Vec<usize> {
        LOCAL.iter().filter_map(|(_, port)| targets.get(&u64::from(*port)).copied()).collect()
    };
    let repointed = wait_for("the rules to follow the last pod", PATIENCE, || {
        let all_there = local(&scene.targets()?).iter().all(|target| *target == node);
        Ok(all_there.then(|| event.elapsed()))
    })?;
    report.within("last-local-pod/repointed", repointed, REPOINTED);
    let expected = local(&before).iter().filter(|target| **target != node).count();
    // Pods that went one after the other may have moved a rule twice.
    let calls = puts(scene)?;
    let count: usize = calls.trim_start_matches("PUT×").parse().unwrap_or_default();
    let held = calls.starts_with("PUT×") && (expected..=2 * expected).contains(&count);
    report.holds("last-local-pod/calls", &calls, held, &format!("PUT×{expected}"));
    let after = scene.targets()?;
    let moved =
        CLUSTER.iter().filter(|(_, port)| before.get(&u64::from(*port)) != after.get(&u64::from(*port))).count();
    report.equal("last-local-pod/rules-of-policy-Cluster-moved", moved, 0);
    lab.kubectl(&["scale", "deployment/web", "-n", NAMESPACE, "--replicas=3"])?;
    scene.bed.rollout(NAMESPACE, "web")
}

/// Write calls since the last reset: `PUT×n`, and other kinds by name.
fn puts(scene: &Scene<'_>) -> Result<String> {
    let calls = scene.gateway.cloud().calls()?;
    let writes: Vec<String> = calls.into_iter().filter(|call| call.write).map(|call| call.kind).collect();
    let other: Vec<&String> = writes.iter().filter(|kind| *kind != "PUT /v2/{pid}/dnat_rules/{id}").collect();
    Ok(if other.is_empty() { format!("PUT×{}", writes.len()) } else { format!("{other:?}") })
}

/// Sets a node's Ready to False, as its kubelet would with its last breath.
fn not_ready(lab: &Lab, node: &str) -> Result<()> {
    let condition = json!({"type": "Ready", "status": "False", "reason": "KubeletNotReady", "message": "proof"});
    let patch = json!({"status": {"conditions": [condition]}});
    let node = lab.api("PATCH", &format!("/api/v1/nodes/{node}/status"), Some(&patch))?;
    ensure!(!is_ready(&node), "the node is Ready all the same");
    Ok(())
}

fn is_ready(node: &Value) -> bool {
    let conditions = node["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|c| c["type"] == "Ready" && c["status"] == "True")
}

/// Numbers of the nodes with a ready endpoint.
fn ready_nodes(lab: &Lab) -> Result<Vec<usize>> {
    let path = format!(
        "/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices?labelSelector=kubernetes.io/service-name%3Dlocal"
    );
    let list = lab.api("GET", &path, None)?;
    let slices = list["items"].as_array().into_iter().flatten();
    let endpoints = slices.flat_map(|slice| slice["endpoints"].as_array().into_iter().flatten());
    let ready = endpoints.filter(|endpoint| endpoint["conditions"]["ready"] == true);
    let nodes = ready.filter_map(|e| e["nodeName"].as_str()?.strip_prefix('n')?.parse().ok());
    Ok(nodes.collect::<BTreeSet<usize>>().into_iter().collect())
}

/// The client's address in an answer of the web image.
fn client(answer: &str) -> Option<&str> {
    let word = answer.split_ascii_whitespace().find_map(|word| word.strip_prefix("client="))?;
    word.rsplit_once(':').map(|(address, _)| address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_and_nodes_are_read() {
        assert_eq!(client("pod=a-1 node=n2 client=192.0.2.10:4711\n"), Some("192.0.2.10"));
        let node = |status: &str| json!({"status": {"conditions": [{"type": "Ready", "status": status}]}});
        assert!(is_ready(&node("True")) && !is_ready(&node("False")) && !is_ready(&json!({})));
    }
}
