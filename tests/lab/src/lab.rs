//! The lab as a value: brought up by [`Lab::start`], taken away when dropped.

use std::fs;
use std::io::{Write, stderr};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use crate::components::Components;
use crate::config::Config;
use crate::control_plane::{self, Credentials};
use crate::net::{self, Where};
use crate::node::Node;
use crate::registry::{self, Paths, Record};
use crate::wait::wait_for;
use crate::{binaries, build, dns, image, prerequisites, teardown, wrappers};

/// For one step of a start, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(180);

/// A running cluster.
#[derive(Debug)]
pub struct Lab {
    pub(crate) config: Config,
    pub(crate) paths: Paths,
    pub(crate) components: Components,
    pub(crate) credentials: Credentials,
    /// Ranges that [`Lab::route`] leads somewhere.
    pub(crate) routes: Mutex<Vec<String>>,
    started: Instant,
    removed: bool,
}

impl Lab {
    /// Builds what is missing, removes leftovers of killed runs, brings everything up and waits until it is
    /// ready: all nodes Ready, DNS answering. What fails on the way is taken away again.
    pub fn start(config: Config) -> Result<Lab> {
        config.check()?;
        prerequisites::ensure()?;
        build::ensure()?;
        let started = Instant::now();
        let nodes = config.kubelets();
        let paths = registry::with_lock(|| {
            teardown::remove_abandoned()?;
            registry::create(&config.name, nodes)
        })?;
        let prepared = net::create(&config.name, nodes).and_then(|()| Credentials::create(&paths, nodes));
        let credentials = match prepared {
            Ok(credentials) => credentials,
            Err(error) => {
                teardown::remove(&config.name)?;
                return Err(error);
            }
        };
        let components = Components::new(&config.name, paths.clone());
        let lab = Lab { config, paths, components, credentials, routes: Mutex::default(), started, removed: false };
        // From here on, dropping the value cleans up.
        lab.bring_up().with_context(|| format!("start lab {}", lab.config.name))?;
        if lab.config.detached {
            Record { owner: None, nodes }.write(&lab.config.name)?;
        }
        Ok(lab)
    }

    /// Takes everything away and says what could not be.
    pub fn stop(mut self) -> Result<()> {
        self.take_down()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// A folder for logs (`log/`) and whatever a test wants to keep while the lab runs; removed with it.
    pub fn dir(&self) -> &Path {
        &self.paths.state
    }

    /// Names of the nodes: n1, n2, …
    pub fn node_names(&self) -> Vec<String> {
        (1..=self.config.kubelets() + self.config.light_nodes()).map(|node| format!("n{node}")).collect()
    }

    /// Address of a node, by its number from 1.
    pub fn node_address(&self, node: usize) -> String {
        if self.config.light_nodes() > 0 { net::light_address(node) } else { net::address(Where::Node(node)) }
    }

    /// The administrator's kubeconfig; its server can be reached from every namespace of the lab.
    pub fn kubeconfig(&self) -> &Path {
        self.credentials.admin_kubeconfig()
    }

    /// Path of a program of the lab: cluster, helm, ctr, web, …
    pub fn program(&self, name: &str) -> PathBuf {
        binaries::program(name).unwrap_or_else(|_| PathBuf::from(name))
    }

    fn bring_up(&self) -> Result<()> {
        let (config, paths) = (&self.config, &self.paths);
        self.components.add(control_plane::etcd(paths)?)?;
        self.components.add(control_plane::apiserver(config, &self.credentials)?)?;
        wrappers::write(&config.name, paths, config.kubelets())?;
        let numbers = 1..=config.kubelets();
        let nodes: Vec<Node> = numbers.map(|number| Node { lab: &config.name, number, paths }).collect();
        let archives = self.archives()?;
        // While the API server comes up, containerd and the images do so, too.
        self.each(&nodes, |node| {
            let (first, others) = archives.split_first().context("the lab has no images")?;
            node.start_containerd(&self.components, first)?;
            others.iter().try_for_each(|archive| node.import(archive))
        })?;
        self.say("containerd and images");
        self.await_api()?;
        self.say("API server");
        self.components.add(control_plane::controller_manager(config, &self.credentials, paths)?)?;
        if !nodes.is_empty() {
            self.components.add(control_plane::scheduler(&self.credentials, paths)?)?;
            for node in &nodes {
                node.start_kubelet(&self.components, &self.credentials)?;
                node.start_proxy(&self.components, &self.credentials, config.proxy_mode)?;
            }
            if config.dns {
                self.create(&dns::manifest())?;
            }
            self.await_nodes()?;
            self.say("nodes");
            if config.dns {
                self.await_dns()?;
                self.say("DNS");
            }
        }
        self.create_light_nodes(config.light_nodes())?;
        self.await_default_account()
    }

    /// The lab's own images and those of the caller.
    fn archives(&self) -> Result<Vec<PathBuf>> {
        if self.config.kubelets() == 0 {
            return Ok(Vec::new());
        }
        let mut archives = vec![binaries::own_images()?];
        if !self.config.images.is_empty() {
            let path = self.paths.state.join("images.tar");
            image::write_archive(&path, &self.config.images)?;
            archives.push(path);
        }
        Ok(archives)
    }

    /// Does something on all nodes at once; the first failure counts.
    pub(crate) fn each(&self, nodes: &[Node], work: impl Fn(&Node) -> Result<()> + Sync) -> Result<()> {
        thread::scope(|scope| {
            let threads: Vec<_> = nodes.iter().map(|node| scope.spawn(|| work(node))).collect();
            let results = threads.into_iter().map(|thread| match thread.join() {
                Ok(result) => result,
                Err(_) => Err(anyhow!("a thread panicked")),
            });
            results.collect::<Vec<_>>().into_iter().collect()
        })
    }

    fn await_api(&self) -> Result<()> {
        self.await_with_components("the API server", || self.api("GET", "/readyz", None).map(|_| Some(())))
    }

    fn await_nodes(&self) -> Result<()> {
        let expected = self.config.kubelets();
        self.await_with_components("all nodes to be Ready", || {
            let list = self.api("GET", "/api/v1/nodes", None)?;
            let items = list["items"].as_array().cloned().unwrap_or_default();
            let condition_met = |node: &serde_json::Value| {
                let conditions = node["status"]["conditions"].as_array().cloned().unwrap_or_default();
                conditions.iter().any(|c| c["type"] == "Ready" && c["status"] == "True")
            };
            let ready = items.iter().filter(|node| condition_met(node)).count();
            if ready == expected {
                return Ok(Some(()));
            }
            bail!("{ready} of {expected} are")
        })
    }

    fn await_dns(&self) -> Result<()> {
        self.await_with_components("CoreDNS to be available", || {
            let deployment = self.api("GET", "/apis/apps/v1/namespaces/kube-system/deployments/coredns", None)?;
            Ok((deployment["status"]["availableReplicas"] == 1).then_some(()))
        })
    }

    /// Pods cannot be made before their service account exists.
    fn await_default_account(&self) -> Result<()> {
        self.await_with_components("the service account of namespace default", || {
            self.api("GET", "/api/v1/namespaces/default/serviceaccounts/default", None).map(Some)
        })?;
        self.say("ready");
        Ok(())
    }

    /// Waits, but not for something that cannot happen because a component has died.
    pub(crate) fn await_with_components<T>(
        &self,
        what: &str,
        mut probe: impl FnMut() -> Result<Option<T>>,
    ) -> Result<T> {
        let mut died = None;
        let result = wait_for(what, PATIENCE, || {
            if let Err(error) = self.components.check() {
                died = Some(error);
                return Ok(Some(None));
            }
            Ok(probe()?.map(Some))
        })?;
        match (result, died) {
            (Some(value), _) => Ok(value),
            (None, Some(error)) => Err(error.context(format!("waited for {what}"))),
            (None, None) => bail!("waited for {what}"),
        }
    }

    /// Progress for the person who waits. One who has stopped listening (`lab up | head`) is no reason to fail.
    fn say(&self, what: &str) {
        let seconds = self.started.elapsed().as_secs_f32();
        let _ = writeln!(stderr(), "lab {}: {what} after {seconds:.1} s", self.config.name);
    }

    fn take_down(&mut self) -> Result<()> {
        if self.removed {
            return Ok(());
        }
        self.removed = true;
        self.keep_logs();
        self.components.kill_all();
        teardown::remove(&self.config.name)
    }

    /// `FERROLB_LAB_LOGS=folder` keeps the logs of a lab that is taken away.
    fn keep_logs(&self) {
        let Some(folder) = std::env::var_os("FERROLB_LAB_LOGS") else {
            return;
        };
        let target = Path::new(&folder).join(&self.config.name);
        let _ = fs::create_dir_all(&target);
        for entry in fs::read_dir(self.paths.state.join("log")).into_iter().flatten().flatten() {
            let _ = fs::copy(entry.path(), target.join(entry.file_name()));
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let is_up = Record::read(&self.config.name).is_some_and(|record| record.owner.is_none());
        if self.config.detached && is_up && !self.removed {
            self.components.keep_all();
            return;
        }
        if let Err(error) = self.take_down() {
            eprintln!("lab {}: {error:#}", self.config.name);
        }
    }
}
