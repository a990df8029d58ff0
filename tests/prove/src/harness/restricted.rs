//! The chart with `provider=elb`, as on a real cloud: in a namespace that enforces the restricted Pod Security
//! Standard, with URLs, project and a Secret of credentials; the cloud behind the URLs is the mock of the full bed.

use anyhow::Result;

use super::full::{Full, chart};
use super::{PROJECT, create_namespace};

/// The second release on the full bed; it serves the class `ferrolb.io/elb` only.
pub struct RestrictedRelease<'a> {
    bed: &'a Full,
}

impl<'a> RestrictedRelease<'a> {
    /// Its namespace.
    pub const NAMESPACE: &'static str = "ferrolb-restricted";
    /// Its name, and that of Deployment, lease and service account.
    pub const NAME: &'static str = "ferrolb-elb";

    /// Installs it and waits until both replicas run.
    pub fn install(bed: &'a Full) -> Result<Self> {
        if bed.lab.kubectl(&["get", "namespace", Self::NAMESPACE]).is_err() {
            create_namespace(&bed.lab, Self::NAMESPACE)?;
            bed.lab.kubectl(&[
                "label",
                "namespace",
                Self::NAMESPACE,
                "pod-security.kubernetes.io/enforce=restricted",
            ])?;
            let key = "--from-literal=access-key=ferrolb-mock";
            let secret = "--from-literal=secret-key=ferrolb-mock-secret";
            bed.lab.kubectl(&["create", "secret", "generic", "cloud", key, secret, "-n", Self::NAMESPACE])?;
        }
        let release = Self { bed };
        release.helm(&[])?;
        Ok(release)
    }

    /// `helm upgrade` with further values.
    pub fn upgrade(&self, more: &[&str]) -> Result<()> {
        self.helm(more)
    }

    /// `helm uninstall`; waits until its pods are gone.
    pub fn uninstall(&self) -> Result<()> {
        self.bed.lab.helm(&["uninstall", Self::NAME, "-n", Self::NAMESPACE, "--wait", "--timeout", "60s"]).map(drop)
    }

    fn helm(&self, more: &[&str]) -> Result<()> {
        let chart = chart()?;
        let project = format!("elb.projectId={PROJECT}");
        let mut values = vec![
            "provider=elb",
            "default=false",
            "image.tag=lab",
            "settleSeconds=11",
            "elb.endpoint=http://10.200.0.11:8090",
            "elb.vpcEndpoint=http://10.200.0.11:8090",
            &project,
            "elb.vpcId=fe220000-0000-4000-8000-000000000001",
            "elb.subnetId=fe220000-0000-4000-8000-000000000011",
            "elb.memberSubnetId=fe220000-0000-4000-8000-000000000021",
            "elb.networkId=fe220000-0000-4000-8000-000000000010",
            "elb.credentialsSecret=cloud",
        ];
        values.extend(more);
        let mut args = vec![
            "upgrade",
            "--install",
            Self::NAME,
            &chart,
            "-n",
            Self::NAMESPACE,
            "--skip-crds",
            "--wait",
            "--timeout",
            "90s",
        ];
        for value in &values {
            args.extend(["--set", value]);
        }
        self.bed.lab.helm(&args).map(drop)
    }
}
