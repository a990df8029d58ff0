//! Clients to the API server, and the cluster's identity.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use k8s_openapi::api::core::v1::{Namespace, Service};
use kube::api::ListParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};

/// How to reach the cluster.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// A kubeconfig file. None: `KUBECONFIG`, the pod's own service account, or `~/.kube/config`.
    pub kubeconfig: Option<std::path::PathBuf>,
    /// A context in it. None: the current one.
    pub context: Option<String>,
}

/// Two clients: one for everything, and one for leases that never retries by itself, because a late renewal is worse
/// than a failed one.
#[derive(Clone)]
pub struct Clients {
    /// Retries on 429 and 5xx.
    pub(super) client: Client,
    /// Does not.
    pub(super) lease: Client,
    /// Namespace of the kubeconfig's context or of the pod.
    pub namespace: String,
}

impl Clients {
    /// Clients over one transport, for a simulated API server.
    pub fn over(client: Client) -> Self {
        let namespace = client.default_namespace().to_owned();
        Self { lease: client.clone(), client, namespace }
    }

    /// What tells this cluster from all others, in owner marks: the UID of the namespace `kube-system`.
    ///
    /// # Errors
    /// The API server cannot be reached or does not let us read it.
    pub async fn cluster_id(&self) -> anyhow::Result<String> {
        let namespace = Api::<Namespace>::all(self.client.clone())
            .get("kube-system")
            .await
            .context("reading the namespace kube-system, whose UID identifies this cluster (or set --cluster-id)")?;
        namespace.metadata.uid.context("the namespace kube-system has no UID")
    }

    /// All Services as the API server has them now, not as a cache remembers them.
    ///
    /// # Errors
    /// The API server did not answer with a complete list.
    pub async fn services(&self) -> kube::Result<Vec<Service>> {
        let api = Api::<Service>::all(self.client.clone());
        let mut all = Vec::new();
        let mut params = ListParams::default().limit(500);
        loop {
            let page = api.list(&params).await?;
            all.extend(page.items);
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(&token),
                None => return Ok(all),
            }
        }
    }
}

/// Connects to `target`.
///
/// # Errors
/// No configuration found, or one that does not work.
pub async fn connect(target: &Target) -> anyhow::Result<Clients> {
    let options = KubeConfigOptions { context: target.context.clone(), ..KubeConfigOptions::default() };
    let mut config = match &target.kubeconfig {
        Some(path) => from_file(path, &options).await?,
        None if target.context.is_some() => Config::from_kubeconfig(&options).await?,
        None => Config::infer().await.context(
            "no cluster to talk to: set --kubeconfig or KUBECONFIG, or run inside a pod with a service account",
        )?,
    };
    config.connect_timeout = Some(Duration::from_secs(5));
    let mut lease_config = config.clone();
    lease_config.default_retry = false;
    let namespace = config.default_namespace.clone();
    Ok(Clients { client: Client::try_from(config)?, lease: Client::try_from(lease_config)?, namespace })
}

async fn from_file(path: &Path, options: &KubeConfigOptions) -> anyhow::Result<Config> {
    let file = Kubeconfig::read_from(path).with_context(|| format!("reading {}", path.display()))?;
    Config::from_custom_kubeconfig(file, options).await.with_context(|| format!("using {}", path.display()))
}
