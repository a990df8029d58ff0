//! Where the cloud is and how it may be used.

use std::time::Duration;

use ferrolb_provider::IpMode;

/// Settings of one provider instance.
#[derive(Clone, Debug)]
pub struct ElbConfig {
    /// Base URL of the load balancer API, `https://elb.REGION.example`.
    pub elb_endpoint: String,
    /// Base URL of the EIP API, on most clouds that of the VPC service.
    pub eip_endpoint: String,
    /// Base URL of the NAT gateway API; without one class `dnat` is refused.
    pub nat_endpoint: Option<String>,
    /// Base URL of IAM; without one nobody can sign in with a password.
    pub iam_endpoint: Option<String>,
    /// Project id.
    pub project_id: String,
    /// The cluster's VPC: where dedicated balancers are made.
    pub vpc_id: String,
    /// IPv4 subnet id (`neutron_subnet_id`) that private addresses of new balancers come from where a Service does
    /// not name another.
    pub vip_subnet_id: String,
    /// IPv4 subnet id (`neutron_subnet_id`) of the nodes.
    pub member_subnet_id: String,
    /// IPv4 subnet id of pods with addresses of their own in the VPC; `None`: pods have none there.
    pub pod_subnet_id: Option<String>,
    /// Network ids (`neutron_network_id`) in which dedicated balancers take their backend addresses where a Service
    /// does not name others. Empty: the cloud chooses.
    pub network_ids: Vec<String>,
    /// What the status says of how packets arrive. With [`IpMode::Vip`] kube-proxy serves clients inside the cluster
    /// itself, which works from every node and pod; with [`IpMode::Proxy`] they really go to the load balancer.
    pub ip_mode: IpMode,
    /// How many calls may be made.
    pub limits: Limits,
    /// How long one step may take, waiting for the limiter included; and one read, which may wait before.
    pub deadline: Duration,
}

impl ElbConfig {
    /// One endpoint, no NAT service and no IAM, one subnet for all, 10 s per call and the default limits.
    pub fn new(
        endpoint: impl Into<String>,
        project_id: impl Into<String>,
        vpc_id: impl Into<String>,
        subnet_id: impl Into<String>,
    ) -> Self {
        let (endpoint, subnet_id) = (endpoint.into(), subnet_id.into());
        Self {
            eip_endpoint: endpoint.clone(),
            elb_endpoint: endpoint,
            nat_endpoint: None,
            iam_endpoint: None,
            project_id: project_id.into(),
            vpc_id: vpc_id.into(),
            vip_subnet_id: subnet_id.clone(),
            member_subnet_id: subnet_id,
            pod_subnet_id: None,
            network_ids: Vec::new(),
            ip_mode: IpMode::Vip,
            limits: Limits::default(),
            deadline: Duration::from_secs(10),
        }
    }
}

/// A token bucket over all calls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Calls per second in the long run.
    pub per_second: f64,
    /// Calls at once after a quiet time.
    pub burst: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_second: 20.0, burst: 40.0 }
    }
}
