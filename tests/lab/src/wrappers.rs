//! Small scripts in `/run/ferrolb-lab/<name>/bin`, so that people and tests call kubectl and helm as always.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};

use crate::binaries;
use crate::net::{Where, namespace};
use crate::registry::Paths;

/// Writes kubectl and helm (which run in the control plane's namespace) and a shell per place.
pub(crate) fn write(lab: &str, paths: &Paths, nodes: usize) -> Result<()> {
    let bin = paths.run.join("bin");
    let kubeconfig = paths.run.join("kubeconfig");
    let cluster = format!("'{}' kubectl", binaries::program("cluster")?.display());
    let helm = format!("'{}'", binaries::program("helm")?.display());
    let cp = namespace(lab, Where::ControlPlane);
    let settings = format!(
        "export KUBECONFIG=\"${{KUBECONFIG:-{0}}}\"\nexport PATH=\"{1}:$PATH:/usr/sbin:/sbin\"\n",
        kubeconfig.display(),
        bin.display()
    );
    let helm_homes = format!(
        ": \"${{HELM_CACHE_HOME:={0}/cache}}\" \"${{HELM_CONFIG_HOME:={0}/config}}\" \"${{HELM_DATA_HOME:={0}/data}}\"\n\
         export HELM_CACHE_HOME HELM_CONFIG_HOME HELM_DATA_HOME\n",
        paths.state.join("helm").display()
    );
    script(&bin.join("kubectl"), &format!("{settings}exec nsenter --net=/run/netns/{cp} {cluster} \"$@\"\n"))?;
    script(&bin.join("helm"), &format!("{settings}{helm_homes}exec nsenter --net=/run/netns/{cp} {helm} \"$@\"\n"))?;
    for place in crate::net::places(nodes) {
        let name = match place {
            Where::Client => "in-client".to_owned(),
            Where::ControlPlane => "in-cp".to_owned(),
            Where::Node(node) => format!("in-n{node}"),
        };
        let enter = format!(
            "{settings}[ $# -gt 0 ] || set -- \"${{SHELL:-sh}}\"\nexec nsenter --net=/run/netns/{} \"$@\"\n",
            namespace(lab, place)
        );
        script(&bin.join(name), &enter)?;
    }
    let web = binaries::program("web")?;
    std::os::unix::fs::symlink(&web, bin.join("web")).context("link web")
}

fn script(path: &Path, body: &str) -> Result<()> {
    fs::write(path, format!("#!/bin/sh\n{body}")).with_context(|| format!("write {}", path.display()))?;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o755))?)
}
