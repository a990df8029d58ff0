//! The light bed: a control plane with nodes that are API objects, and RBAC and CRDs from the chart.
//!
//! Controller and mock cloud run as processes beside the API server, so that proofs can kill, pause and restart
//! them; the controller has the chart's service account, so each of these proofs is one of its rights, too.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use ferrolb_lab::{Config, Lab, Nodes};

use crate::interrupt;
use crate::runner::root;

/// Where the chart is installed, and the name of its release and service account.
pub const HOME: (&str, &str) = ("ferrolb-system", "ferrolb");

/// A lab with light nodes.
pub struct Light {
    /// The lab.
    pub lab: Lab,
    /// The product.
    pub binary: PathBuf,
    /// The controller's own kubeconfig.
    pub kubeconfig: PathBuf,
    /// How thoroughly to prove.
    pub options: crate::Options,
    ports: Cell<u16>,
}

impl Light {
    /// Brings it up.
    pub fn start(binary: &Path, options: crate::Options) -> Result<Self> {
        let mut config = Config::new(&format!("prove-{}-l", std::process::id()));
        config.nodes = Nodes::Light(3);
        interrupt::remember(&config.name);
        let lab = Lab::start(config)?;
        let (namespace, release) = HOME;
        let chart = root().join("charts/ferrolb");
        let chart = chart.to_str().context("the checkout's path is no text")?;
        lab.helm(&["install", release, chart, "-n", namespace, "--create-namespace", "--set", "replicas=0"])?;
        let kubeconfig = lab.kubeconfig_for(namespace, release)?;
        Ok(Self { lab, binary: binary.to_owned(), kubeconfig, options, ports: Cell::new(20_000) })
    }

    /// A port nobody has used before.
    pub fn port(&self) -> u16 {
        let port = self.ports.get();
        self.ports.set(port + 1);
        port
    }

    /// Takes it away.
    pub fn stop(self) -> Result<()> {
        self.lab.stop()
    }
}
