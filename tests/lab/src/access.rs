//! Programs inside the lab: kubectl, helm, anything in a namespace, and the bare API.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread::JoinHandle;

use anyhow::{Context, Result, ensure};
use nix::sched::{CloneFlags, setns};
use serde_json::Value;

use crate::binaries;
use crate::control_plane::ADMIN;
use crate::image::{self, ImageSpec};
use crate::lab::Lab;
use crate::metrics::Metrics;
use crate::net::{self, Where, namespace};
use crate::node::Node;
use crate::process::{self, Running};
use crate::registry;
use crate::render::API_PORT;

impl Lab {
    /// A command that runs in a namespace of the lab: give it arguments, then run or [`Lab::spawn`] it.
    /// KUBECONFIG is the administrator's; kubectl, helm and web are in PATH.
    pub fn exec_in(&self, place: Where, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{}", namespace(&self.config.name, place))).arg(program);
        command.env("KUBECONFIG", self.kubeconfig()).env("PATH", self.search_path());
        for (variable, folder) in
            [("HELM_CACHE_HOME", "cache"), ("HELM_CONFIG_HOME", "config"), ("HELM_DATA_HOME", "data")]
        {
            command.env(variable, self.paths.state.join("helm").join(folder));
        }
        command
    }

    /// Starts a thread whose sockets are in a namespace of the lab.
    pub fn thread_in<T: Send + 'static>(
        &self,
        place: Where,
        body: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> JoinHandle<Result<T>> {
        let path = format!("/run/netns/{}", namespace(&self.config.name, place));
        std::thread::spawn(move || {
            let file = std::fs::File::open(&path).with_context(|| format!("open {path}"))?;
            setns(file, CloneFlags::CLONE_NEWNET).with_context(|| format!("enter {path}"))?;
            body()
        })
    }

    /// Runs a program in a namespace to its end and gives its standard output.
    pub fn run_in(&self, place: Where, program: &str, args: &[&str]) -> Result<String> {
        let output = self.exec_in(place, program).args(args).output().with_context(|| format!("run {program}"))?;
        text(output, || format!("{program} {}", args.join(" ")))
    }

    /// Starts what [`Lab::exec_in`] prepared and lets it run; output goes to `<dir>/log/<label>.log`.
    pub fn spawn(&self, label: &str, command: Command) -> Result<Running> {
        let running = process::start(label, &command, self.paths.log(label))?;
        registry::remember(&self.paths, running.pid())?;
        Ok(running)
    }

    /// kubectl as administrator; its standard output.
    pub fn kubectl(&self, args: &[&str]) -> Result<String> {
        text(self.kubectl_output(args)?, || format!("kubectl {}", args.join(" ")))
    }

    /// kubectl where the exit code is for the caller to judge.
    pub fn kubectl_output(&self, args: &[&str]) -> Result<Output> {
        self.exec_in(Where::ControlPlane, "kubectl").args(args).output().context("run kubectl")
    }

    /// kubectl with `-o json`, parsed.
    pub fn kubectl_json(&self, args: &[&str]) -> Result<Value> {
        let args: Vec<&str> = args.iter().copied().chain(["-o", "json"]).collect();
        serde_json::from_str(&self.kubectl(&args)?).context("parse what kubectl printed")
    }

    /// `kubectl apply` of one or several documents.
    pub fn apply(&self, yaml: &str) -> Result<String> {
        self.kubectl_with_input(&["apply", "-f", "-"], yaml)
    }

    /// `kubectl create`, which is faster than apply and fails for what exists already.
    pub(crate) fn create(&self, yaml: &str) -> Result<String> {
        self.kubectl_with_input(&["create", "-f", "-"], yaml)
    }

    /// `kubectl delete` of one or several documents; what is gone already is fine.
    pub fn delete(&self, yaml: &str) -> Result<String> {
        self.kubectl_with_input(&["delete", "--ignore-not-found", "-f", "-"], yaml)
    }

    /// helm as administrator; its standard output.
    pub fn helm(&self, args: &[&str]) -> Result<String> {
        text(self.helm_output(args)?, || format!("helm {}", args.join(" ")))
    }

    /// helm where the exit code is for the caller to judge.
    pub fn helm_output(&self, args: &[&str]) -> Result<Output> {
        self.exec_in(Where::ControlPlane, "helm").args(args).output().context("run helm")
    }

    /// One request to the API server as administrator, without kubectl's cost of starting. The content type
    /// of a PATCH is a strategic merge patch for an object and a JSON patch for a list. An answer that is not
    /// JSON comes as a string; an HTTP status of 400 or more is an error that holds the answer.
    pub fn api(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let content_type = match (method, body) {
            ("PATCH", Some(Value::Array(_))) => "application/json-patch+json",
            ("PATCH", _) => "application/strategic-merge-patch+json",
            _ => "application/json",
        };
        let token = self.credentials.token(ADMIN)?;
        let url = format!("https://{}:{API_PORT}{path}", net::CONTROL_PLANE_ADDRESS);
        let mut command = self.exec_in(Where::ControlPlane, "curl");
        command.args(["-sS", "--fail-with-body", "--max-time", "30", "-X", method, "--noproxy", "*", "--cacert"]);
        command.arg(self.credentials.ca());
        command.args(["-H", &format!("Authorization: Bearer {token}")]);
        command.args(["-H", &format!("Content-Type: {content_type}"), &url]);
        let input = body.map(Value::to_string);
        if input.is_some() {
            command.args(["--data-binary", "@-"]);
        }
        let output = with_input(command, input.as_deref().unwrap_or_default())?;
        let answer = String::from_utf8_lossy(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{method} {path}: {} {}", complaint.trim(), answer.trim());
        Ok(serde_json::from_str(&answer).unwrap_or_else(|_| Value::String(answer.into_owned())))
    }

    /// What the API server measures about itself.
    pub fn metrics(&self) -> Result<Metrics> {
        Ok(Metrics::parse(&self.kubectl(&["get", "--raw", "/metrics"])?))
    }

    /// A kubeconfig with a real token of a service account.
    pub fn kubeconfig_for(&self, namespace: &str, service_account: &str) -> Result<PathBuf> {
        let token = self.kubectl(&["create", "token", service_account, "-n", namespace, "--duration=24h"])?;
        let path = self.paths.run.join(format!("{namespace}.{service_account}.kubeconfig"));
        self.credentials.write_kubeconfig_with(token.trim(), &path)?;
        Ok(path)
    }

    /// Makes an image and loads it on every real node.
    pub fn load_image(&self, image: &ImageSpec) -> Result<()> {
        let digest = image::hex(image.reference().as_bytes());
        let archive = self.paths.state.join(format!("image-{digest}.tar"));
        image::write_archive(&archive, std::slice::from_ref(image))?;
        let numbers = 1..=self.config.kubelets();
        let nodes: Vec<Node> =
            numbers.map(|number| Node { lab: &self.config.name, number, paths: &self.paths }).collect();
        self.each(&nodes, |node| node.import(&archive))?;
        Ok(std::fs::remove_file(&archive)?)
    }

    fn kubectl_with_input(&self, args: &[&str], input: &str) -> Result<String> {
        let mut command = self.exec_in(Where::ControlPlane, "kubectl");
        command.args(args);
        text(with_input(command, input)?, || format!("kubectl {}", args.join(" ")))
    }

    fn search_path(&self) -> OsString {
        let web = binaries::program("web").ok().and_then(|web| Some(web.parent()?.to_owned()));
        let mut folders: Vec<PathBuf> = vec![self.paths.run.join("bin")];
        folders.extend(web);
        folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        folders.extend(["/usr/sbin", "/sbin"].map(PathBuf::from));
        std::env::join_paths(folders).unwrap_or_default()
    }
}

fn with_input(mut command: Command, input: &str) -> Result<Output> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().context("run nsenter")?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    // Beside reading the output: a long input and a long output would wait for each other for ever.
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output()?;
    // A program that ends without reading says why on its standard error.
    let _ = writer.join();
    Ok(output)
}

fn text(output: Output, what: impl FnOnce() -> String) -> Result<String> {
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} failed ({}): {}", what(), output.status, complaint.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
