//! Who carries the traffic: HAProxy, and the mock cloud with one load balancer. Both are pinned by the same means.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use ferrolb_lab::wait_for;
use serde_json::{Value, json};

use super::load;

const PROJECT: &str = "fe220000000000000000000000000001";
const SUBNET: &str = "fe220000-0000-4000-8000-000000000011";
const ZONE: &str = "mock-1a";
const API: &str = "127.0.0.1:8090";

/// A proxy that runs, and ends with this value.
pub struct Contestant {
    process: Child,
    /// Where it takes connections.
    pub front: SocketAddr,
}

impl Contestant {
    /// In TCP mode, and with splicing where it finds it useful: at its best.
    pub fn haproxy(binary: &Path, core: usize) -> Result<Self> {
        let front: SocketAddr = "127.0.1.1:8080".parse()?;
        let text = format!(
            "global\n  nbthread 1\n  maxconn 1000\ndefaults\n  mode tcp\n  option splice-auto\n  timeout connect 5s\n  \
             timeout client 60s\n  timeout server 60s\nlisten bench\n  bind {front}\n  server ends {}\n",
            load::SERVER
        );
        let file = std::env::temp_dir().join(format!("ferrolb-bench-{}.cfg", std::process::id()));
        fs::File::create(&file).and_then(|mut file| file.write_all(text.as_bytes())).context("write its file")?;
        let process = pinned(core, binary, &["-db", "-f", &file.to_string_lossy()]);
        let running = process.and_then(|process| Self { process, front }.started());
        fs::remove_file(&file)?;
        running
    }

    /// With one load balancer, one TCP listener and one member.
    pub fn mock(binary: &Path, core: usize) -> Result<Self> {
        let ranges = ["--vip-range", "127.0.2.0/24", "--eip-range", "127.0.3.0/24"];
        let arguments = [&["mock-cloud", "--log", "warn", "--listen", API], &ranges[..]].concat();
        let mut own = Self { process: pinned(core, binary, &arguments)?, front: API.parse()? };
        own.listens()?;
        let balancer =
            json!({"vip_subnet_cidr_id": SUBNET, "availability_zone_list": [ZONE], "ip_target_enable": true});
        let balancer = create("loadbalancers", "loadbalancer", balancer)?;
        let id = |object: &Value| object["id"].clone();
        let listener = json!({"loadbalancer_id": id(&balancer), "protocol": "TCP", "protocol_port": 8080});
        let listener = create("listeners", "listener", listener)?;
        let pool = json!({"listener_id": id(&listener), "protocol": "TCP", "lb_algorithm": "ROUND_ROBIN"});
        let pool = create("pools", "pool", pool)?;
        let server: SocketAddr = load::SERVER.parse()?;
        let path = format!("pools/{}/members", pool["id"].as_str().unwrap_or_default());
        create(&path, "member", json!({"address": server.ip(), "protocol_port": server.port()}))?;
        let address = balancer["vip_address"].as_str().context("the load balancer has no address")?;
        own.front = SocketAddr::new(address.parse()?, 8080);
        own.started()
    }

    /// Processor time it has used.
    pub fn cpu(&self) -> Result<Duration> {
        let mut total = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            total += text.split(' ').next().and_then(|word| word.parse::<u64>().ok()).context("read schedstat")?;
        }
        Ok(Duration::from_nanos(total))
    }

    fn started(mut self) -> Result<Self> {
        self.listens()?;
        Ok(self)
    }

    fn listens(&mut self) -> Result<()> {
        wait_for("it to listen", Duration::from_secs(10), || {
            ensure!(self.process.try_wait()?.is_none(), "it ended");
            Ok(std::net::TcpStream::connect(self.front).ok().map(drop))
        })
    }
}

impl Drop for Contestant {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs a command to its good end and gives what it printed.
pub fn finish(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("run {:?}", command.get_program()))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// taskset becomes the program, so that the process is the program's.
fn pinned(core: usize, program: &Path, arguments: &[&str]) -> Result<Child> {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &core.to_string()]).arg(program).args(arguments).stdin(Stdio::null());
    command.spawn().with_context(|| format!("start {}", program.display()))
}

/// Makes an object of the cloud, by a call that needs no signature.
fn create(path: &str, kind: &str, fields: Value) -> Result<Value> {
    let url = format!("http://{API}/_ferrolb/raw/v3/{PROJECT}/elb/{path}");
    let body = json!({ kind: fields }).to_string();
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--fail-with-body", "--noproxy", "*", "-H", "Content-Type: application/json", "-d", &body, &url]);
    let answer: Value = serde_json::from_str(&finish(&mut curl)?)?;
    Ok(answer[kind].clone())
}
