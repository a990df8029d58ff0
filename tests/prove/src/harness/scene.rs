//! One proof's part of the light bed: a namespace, a cloud of its own and a controller.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use ferrolb_lab::{Lab, LightPod, Running, Where};
use serde_json::Value;

use super::light::HOME;
use super::{Cloud, Controller, Light, Service, create_namespace};

/// A cloud, a namespace with one pod labelled `app=web`, and a controller that serves class-less Services.
/// Dropping it ends the processes and removes what is left in the namespace.
pub struct Scene<'a> {
    bed: &'a Light,
    /// The lab.
    pub lab: &'a Lab,
    /// The proof's namespace.
    pub namespace: String,
    /// The controller, unless it was killed.
    pub controller: Option<Controller<'a>>,
    flags: Vec<String>,
    address: String,
    mock: Running,
}

impl<'a> Scene<'a> {
    /// Sets it; `flags` go to the controller.
    pub fn new(bed: &'a Light, name: &str, flags: &[&str]) -> Result<Self> {
        let lab = &bed.lab;
        let namespace = format!("{name}-{}", bed.port());
        create_namespace(lab, &namespace)?;
        await_account(lab, &namespace)?;
        lab.create_light_pod(&LightPod {
            namespace: namespace.clone(),
            name: "web".to_owned(),
            node: "n1".to_owned(),
            address: "10.244.1.10".to_owned(),
            labels: BTreeMap::from([("app".to_owned(), "web".to_owned())]),
        })?;
        let address = format!("127.0.0.1:{}", bed.port());
        let mock = start_mock(bed, &namespace, &address)?;
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let mut scene = Self { bed, lab, namespace, controller: None, flags, address, mock };
        scene.cloud().await_health()?;
        scene.start_controller()?;
        Ok(scene)
    }

    /// The cloud.
    pub fn cloud(&self) -> Cloud<'_> {
        Cloud::new(self.lab, &self.address)
    }

    /// The controller that runs.
    pub fn running(&mut self) -> Result<&mut Controller<'a>> {
        self.controller.as_mut().context("no controller runs")
    }

    /// Starts the controller, with the flags of this scene.
    pub fn start_controller(&mut self) -> Result<()> {
        self.launch_controller()?;
        self.running()?.await_ready()
    }

    /// Like [`Scene::start_controller`], but does not wait until it is ready.
    pub fn launch_controller(&mut self) -> Result<()> {
        let flags = self.flags.clone();
        self.controller = Some(self.spawn_controller("controller", &flags)?);
        Ok(())
    }

    /// Ends the controller as a crash does.
    pub fn kill_controller(&mut self) -> Result<()> {
        self.running()?.process.kill()?;
        self.controller = None;
        Ok(())
    }

    /// Starts it anew with further flags.
    pub fn restart_with(&mut self, more: &[&str]) -> Result<()> {
        self.running()?.process.stop(Duration::from_secs(10))?;
        self.flags.extend(more.iter().map(|flag| (*flag).to_owned()));
        self.start_controller()
    }

    /// A further controller of this scene. Does not wait until it is ready.
    pub fn spawn_controller(&self, label: &str, flags: &[String]) -> Result<Controller<'a>> {
        let admin = format!("127.0.0.1:{}", self.bed.port());
        let mut command = self.lab.exec_in(Where::ControlPlane, &self.bed.binary);
        command.args(["controller", "--provider", "mock", "--default", "--mock-endpoint"]);
        command.arg(format!("http://{}", self.address));
        command.args(["--lease-namespace", HOME.0, "--lease-name", HOME.1, "--admin-address", &admin]);
        let kubeconfig = format!("--kubeconfig={}", self.bed.kubeconfig.display());
        for default in [&kubeconfig, "--leader-elect=false", "--log=info,ferrolb=debug,ferrolb_elb=debug"] {
            let (flag, _) = default.split_once('=').unwrap_or((default, ""));
            if !flags.iter().any(|given| given.starts_with(flag)) {
                command.arg(default);
            }
        }
        command.args(flags);
        let process = self.lab.spawn(&format!("{}-{label}", self.namespace), command)?;
        Ok(Controller::new(self.lab, admin, process))
    }

    /// Creates a Service of this scene.
    pub fn create(&self, manifest: &Value) -> Result<Service<'a>> {
        Service::create(self.lab, &self.namespace, manifest)
    }

    /// Kills the cloud's process: nobody listens any more.
    pub fn kill_cloud(&mut self) -> Result<()> {
        self.mock.kill()
    }

    /// Starts the cloud again, with all it had.
    pub fn start_cloud(&mut self) -> Result<()> {
        self.mock = start_mock(self.bed, &self.namespace, &self.address)?;
        self.cloud().await_health()
    }

    fn clear(&mut self) -> Result<()> {
        if let Some(controller) = &mut self.controller {
            controller.process.kill()?;
        }
        self.mock.kill()?;
        let list = self.lab.api("GET", &format!("/api/v1/namespaces/{}/services", self.namespace), None)?;
        for item in list["items"].as_array().into_iter().flatten() {
            let name = item["metadata"]["name"].as_str().unwrap_or_default();
            Service::new(self.lab, &self.namespace, name).tear_away()?;
        }
        self.lab.api("DELETE", &format!("/api/v1/namespaces/{}", self.namespace), None).map(drop)
    }
}

impl Drop for Scene<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.clear() {
            eprintln!("prove: cannot clear namespace {}: {error:#}", self.namespace);
        }
    }
}

fn start_mock(bed: &Light, namespace: &str, address: &str) -> Result<Running> {
    let state = bed.lab.dir().join(format!("{namespace}-cloud.json"));
    let mut command = bed.lab.exec_in(Where::ControlPlane, &bed.binary);
    command.args(["mock-cloud", "--data-plane=false", "--listen", address, "--state-file"]).arg(state);
    bed.lab.spawn(&format!("{namespace}-mock"), command)
}

/// Pods cannot be made before their service account exists.
fn await_account(lab: &Lab, namespace: &str) -> Result<()> {
    let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/default");
    ferrolb_lab::wait_for("the namespace's service account", Duration::from_secs(20), || {
        lab.api("GET", &path, None).map(Some)
    })?;
    Ok(())
}
