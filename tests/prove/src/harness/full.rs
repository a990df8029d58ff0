//! The full bed: three real nodes, the product's image, the chart installed by helm, a client outside.
//!
//! ```text
//!  client ── route to EIP and VIP range ──► n1: mock cloud on the host network ──► node port of any node ──► pod
//! ```

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use ferrolb_lab::{Config, ImageSpec, Lab, Where, wait_for};

use super::{Cloud, create_namespace};
use crate::interrupt;
use crate::runner::root;

/// Where public addresses come from.
pub const EIP_RANGE: &str = "203.0.113.0/24";
/// Where private addresses come from.
pub const VIP_RANGE: &str = "10.201.0.0/24";
/// The release with `provider=mock`, and its namespace.
pub const RELEASE: (&str, &str) = ("ferrolb", "ferrolb-system");
/// Tag of the image.
const TAG: &str = "lab";
/// The mock's pod is on n1, on the host network.
const CLOUD: &str = "10.200.0.11:8090";

/// A lab with real nodes.
pub struct Full {
    /// The lab.
    pub lab: Lab,
    /// The product.
    pub binary: PathBuf,
}

impl Full {
    /// Brings it up and installs the chart with `provider=mock`.
    pub fn start(binary: &Path) -> Result<Self> {
        let lab = start_lab(&format!("prove-{}-f", std::process::id()), binary)?;
        let bed = Self { lab, binary: binary.to_owned() };
        bed.install_mock_release()?;
        Ok(bed)
    }

    /// The cloud.
    pub fn cloud(&self) -> Cloud<'_> {
        Cloud::new(&self.lab, CLOUD)
    }

    /// A namespace with a web workload of so many pods, labelled `app=<app>`, that runs.
    pub fn namespace_with(&self, namespace: &str, app: &str, replicas: usize) -> Result<()> {
        create_namespace(&self.lab, namespace)?;
        self.apply(namespace, &super::manifest::web(app, replicas))?;
        self.rollout(namespace, app)
    }

    /// Applies a manifest in a namespace.
    pub fn apply(&self, namespace: &str, yaml: &str) -> Result<()> {
        let file = self.lab.dir().join("apply.yaml");
        std::fs::write(&file, yaml)?;
        let file = file.to_str().context("the lab's path is no text")?;
        self.lab.kubectl(&["apply", "-n", namespace, "-f", file]).map(drop)
    }

    /// Waits until a Deployment runs as it should.
    pub fn rollout(&self, namespace: &str, deployment: &str) -> Result<()> {
        let target = format!("deployment/{deployment}");
        self.lab.kubectl(&["rollout", "status", "-n", namespace, &target, "--timeout=90s"]).map(drop)
    }

    /// Takes it away.
    pub fn stop(self) -> Result<()> {
        self.lab.stop()
    }

    fn install_mock_release(&self) -> Result<()> {
        install_mock(&self.lab)?;
        self.cloud().await_health()
    }
}

/// Three nodes with the product's image, and the way to the mock's addresses.
pub fn start_lab(name: &str, binary: &Path) -> Result<Lab> {
    let mut config = Config::new(name);
    config.images = vec![ImageSpec::program("ferrolb", TAG, binary)];
    interrupt::remember(name);
    let lab = Lab::start(config)?;
    lab.route(EIP_RANGE, Where::Node(1))?;
    lab.route(VIP_RANGE, Where::Node(1))?;
    Ok(lab)
}

/// `helm install` with `provider=mock`, the mock on n1; waits until it runs.
pub fn install_mock(lab: &Lab) -> Result<()> {
    let args = mock_arguments()?;
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    lab.helm(&args)?;
    Ok(())
}

/// Arguments of helm for [`install_mock`].
pub fn mock_arguments() -> Result<Vec<String>> {
    let (release, namespace) = RELEASE;
    let mut args: Vec<String> =
        ["install", release, &chart()?, "-n", namespace, "--create-namespace"].map(str::to_owned).to_vec();
    for value in ["provider=mock", "image.tag=lab", r"mock.nodeSelector.kubernetes\.io/hostname=n1"] {
        args.extend(["--set".to_owned(), value.to_owned()]);
    }
    args.extend(["--wait", "--timeout", "90s"].map(str::to_owned));
    Ok(args)
}

/// Path of the chart.
pub fn chart() -> Result<String> {
    let chart: PathBuf = root().join("charts/ferrolb");
    Ok(chart.to_str().context("the checkout's path is no text")?.to_owned())
}

impl Full {
    /// Asks the client `tries` times and gives all answers.
    pub fn ask(&self, tries: usize, mut ask: impl FnMut(&Lab) -> Result<String>) -> Vec<Result<String>> {
        (0..tries).map(|_| ask(&self.lab)).collect()
    }

    /// Waits until the client gets an answer.
    pub fn await_answer(&self, url: &str, patience: Duration) -> Result<String> {
        wait_for(&format!("an answer from {url}"), patience, || self.lab.curl_from_client(url).map(Some))
    }
}
