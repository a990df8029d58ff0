//! From flags to an elb provider: against the real cloud, or against the mock.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use ferrolb_elb::{
    CallRecord, Credentials, CredentialsSource, Elb, ElbConfig, FileCredentials, HttpTransport, Limits, Observer,
    StaticCredentials,
};
use ferrolb_provider::IpMode;
use ipnet::IpNet;
use reqwest::Certificate;

use crate::clock::Clock;
use crate::flight::FlightRecord;
use crate::telemetry::{CallLabel, EffectLabel, Metrics};

/// Where the cloud is.
#[derive(Args, Debug)]
#[command(next_help_heading = "Provider elb")]
pub struct ElbFlags {
    /// Region: endpoints that are not given are https://SERVICE.REGION.DOMAIN
    #[arg(long, env = "FERROLB_ELB_REGION", value_name = "REGION")]
    elb_region: Option<String>,
    /// Domain of the cloud in those endpoints, for instance otc.t-systems.com
    #[arg(long, env = "FERROLB_ELB_DOMAIN", value_name = "DOMAIN", default_value = "myhuaweicloud.com")]
    elb_domain: String,
    /// Base URL of the load balancer API
    #[arg(long, env = "FERROLB_ELB_ENDPOINT", value_name = "URL")]
    elb_endpoint: Option<String>,
    /// Base URL of the API that serves EIPs, usually that of the VPC service
    #[arg(long, env = "FERROLB_ELB_VPC_ENDPOINT", value_name = "URL")]
    elb_vpc_endpoint: Option<String>,
    /// Base URL of the NAT gateway API, for Services of class dnat [default: that of the region, if one is given]
    #[arg(long, env = "FERROLB_ELB_NAT_ENDPOINT", value_name = "URL")]
    elb_nat_endpoint: Option<String>,
    /// Base URL of IAM, for credentials that are a user [default: that of the region, if one is given]
    #[arg(long, env = "FERROLB_ELB_IAM_ENDPOINT", value_name = "URL")]
    elb_iam_endpoint: Option<String>,
    /// Project id
    #[arg(long, env = "FERROLB_ELB_PROJECT_ID", value_name = "ID")]
    elb_project_id: Option<String>,
    /// VPC of the cluster
    #[arg(long, env = "FERROLB_ELB_VPC_ID", value_name = "ID")]
    elb_vpc_id: Option<String>,
    /// IPv4 subnet id (neutron_subnet_id) in which load balancers get their private address
    #[arg(long, env = "FERROLB_ELB_SUBNET_ID", value_name = "ID")]
    elb_subnet_id: Option<String>,
    /// IPv4 subnet id of the nodes [default: that of --elb-subnet-id]
    #[arg(long, env = "FERROLB_ELB_MEMBER_SUBNET_ID", value_name = "ID")]
    elb_member_subnet_id: Option<String>,
    /// IPv4 subnet id of pods, where they have addresses of their own in the VPC [default: they have none]
    #[arg(long, env = "FERROLB_ELB_POD_SUBNET_ID", value_name = "ID")]
    elb_pod_subnet_id: Option<String>,
    /// Network id (neutron_network_id) for the backend addresses of dedicated load balancers [default: the cloud's choice]
    #[arg(long, env = "FERROLB_ELB_NETWORK_ID", value_name = "ID")]
    elb_network_id: Vec<String>,
    /// Folder with the files access-key and secret-key, and security-token for temporary keys; or user, password and
    /// domain, and agency and agency-domain where another account lends its rights. Read again on change
    #[arg(long, env = "FERROLB_ELB_CREDENTIALS_DIR", value_name = "DIR")]
    elb_credentials_dir: Option<PathBuf>,
    /// Certificate authorities of the endpoints in PEM form, besides the public ones
    #[arg(long, env = "FERROLB_ELB_CA_FILE", value_name = "FILE")]
    elb_ca_file: Option<PathBuf>,
    /// Calls per second that the controller allows itself
    #[arg(long, env = "FERROLB_ELB_CALLS_PER_SECOND", value_name = "N", default_value_t = 20)]
    elb_calls_per_second: u32,
}

/// Where the mock is, or how to run one in this process.
#[derive(Args, Debug)]
#[command(next_help_heading = "Provider mock")]
pub struct MockFlags {
    /// A mock cloud that runs already [default: one is run in this process]
    #[arg(long, env = "FERROLB_MOCK_ENDPOINT", value_name = "URL")]
    mock_endpoint: Option<String>,
    /// Where the mock in this process listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
    mock_listen: SocketAddr,
    /// Its public addresses
    #[arg(long, value_name = "RANGE", default_value = "203.0.113.0/24")]
    mock_eip_range: IpNet,
    /// Its private addresses
    #[arg(long, value_name = "RANGE", default_value = "10.201.0.0/24")]
    mock_vip_range: IpNet,
    /// Make this machine own both ranges (needs NET_ADMIN)
    #[arg(long)]
    mock_own_ranges: bool,
}

/// A provider, and the mock that runs for it in this process.
pub struct Cloud {
    pub provider: Elb,
    pub mock: Option<ferrolb_mock::Handle>,
}

/// The real cloud.
///
/// # Errors
/// A flag is missing, or the credentials cannot be read.
pub fn elb(flags: &ElbFlags, deadline: Duration, clock: &Clock) -> anyhow::Result<Cloud> {
    let required = |value: &Option<String>, flag: &str| {
        value.clone().filter(|v| !v.is_empty()).with_context(|| format!("provider elb needs --{flag}"))
    };
    let endpoint = |given: &Option<String>, service: &str| endpoint(flags, given, service);
    let mut config = ElbConfig::new(
        endpoint(&flags.elb_endpoint, "elb").context("provider elb needs --elb-region or --elb-endpoint")?,
        required(&flags.elb_project_id, "elb-project-id")?,
        required(&flags.elb_vpc_id, "elb-vpc-id")?,
        required(&flags.elb_subnet_id, "elb-subnet-id")?,
    );
    config.eip_endpoint =
        endpoint(&flags.elb_vpc_endpoint, "vpc").context("provider elb needs --elb-region or --elb-vpc-endpoint")?;
    config.nat_endpoint = endpoint(&flags.elb_nat_endpoint, "nat");
    config.iam_endpoint = endpoint(&flags.elb_iam_endpoint, "iam");
    if let Some(id) = flags.elb_member_subnet_id.clone().filter(|id| !id.is_empty()) {
        config.member_subnet_id = id;
    }
    config.pod_subnet_id = flags.elb_pod_subnet_id.clone().filter(|id| !id.is_empty());
    config.network_ids = flags.elb_network_id.clone();
    config.deadline = deadline;
    let per_second = f64::from(flags.elb_calls_per_second.max(1));
    config.limits = Limits { per_second, burst: 2.0 * per_second };
    let dir = flags.elb_credentials_dir.clone().context("provider elb needs --elb-credentials-dir")?;
    let credentials = FileCredentials::new(dir);
    if let Credentials::User(_) = *credentials.get().context("reading the credentials")? {
        anyhow::ensure!(config.iam_endpoint.is_some(), "a user needs --elb-region or --elb-iam-endpoint");
    }
    let provider = Elb::new(
        config,
        Arc::new(transport(flags.elb_ca_file.as_deref())?),
        Arc::new(credentials),
        Arc::new(ElbClock(clock.clone())),
    );
    Ok(Cloud { provider, mock: None })
}

/// The mock.
///
/// # Errors
/// The mock cannot be started.
pub async fn mock(flags: &MockFlags, deadline: Duration, clock: &Clock) -> anyhow::Result<Cloud> {
    let mut mock = None;
    let endpoint = match &flags.mock_endpoint {
        Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
        None => {
            let config = ferrolb_mock::Config {
                listen: vec![flags.mock_listen],
                eip_range: flags.mock_eip_range,
                vip_range: flags.mock_vip_range,
                announce: flags.mock_own_ranges,
                dataplane: true,
                ..ferrolb_mock::Config::default()
            };
            let handle = ferrolb_mock::start(config).await.context("starting the mock cloud")?;
            let endpoint = handle.endpoint();
            mock = Some(handle);
            endpoint
        }
    };
    let nat_endpoint = Some(endpoint.clone());
    let mut config =
        ElbConfig::new(endpoint, ferrolb_mock::PROJECT_ID, ferrolb_mock::VPC_ID, ferrolb_mock::VIP_SUBNET_NEUTRON_ID);
    config.nat_endpoint = nat_endpoint;
    config.member_subnet_id = ferrolb_mock::NODE_SUBNET_NEUTRON_ID.to_owned();
    // The mock takes any address, and reaches pods where the machine that it runs on does.
    config.pod_subnet_id = Some(ferrolb_mock::NODE_SUBNET_NEUTRON_ID.to_owned());
    // The mock's data plane may run on a node: kube-proxy there would catch what is meant for it.
    config.ip_mode = IpMode::Proxy;
    config.deadline = deadline;
    // A mock has no account to protect.
    config.limits = Limits { per_second: 200.0, burst: 400.0 };
    let credentials = StaticCredentials::new(ferrolb_mock::ACCESS_KEY, ferrolb_mock::SECRET_KEY);
    let provider =
        Elb::new(config, Arc::new(transport(None)?), Arc::new(credentials), Arc::new(ElbClock(clock.clone())));
    Ok(Cloud { provider, mock })
}

/// The endpoint of a service: as given, or that of the region.
fn endpoint(flags: &ElbFlags, given: &Option<String>, service: &str) -> Option<String> {
    let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    filled(given).or_else(|| Some(format!("https://{service}.{}.{}", filled(&flags.elb_region)?, flags.elb_domain)))
}

/// Trusts the public authorities and `private`. They are in the binary, because the image holds nothing else.
fn transport(private: Option<&Path>) -> anyhow::Result<HttpTransport> {
    let public = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|der| Certificate::from_der(der));
    let mut trusted = public.collect::<Result<Vec<_>, _>>().context("reading the public authorities")?;
    if let Some(file) = private {
        let pem = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
        let added = Certificate::from_pem_bundle(&pem).with_context(|| format!("{}: not PEM", file.display()))?;
        anyhow::ensure!(!added.is_empty(), "{}: it holds no certificate", file.display());
        trusted.extend(added);
    }
    let client = HttpTransport::builder().tls_certs_only(trusted).build().context("setting up the HTTP client")?;
    Ok(HttpTransport::new(client))
}

/// Hears of each call: metrics, and the flight record.
pub struct Watch {
    metrics: Metrics,
    flights: Arc<FlightRecord>,
}

impl Watch {
    /// One that counts and remembers here.
    pub fn new(metrics: Metrics, flights: Arc<FlightRecord>) -> Self {
        Self { metrics, flights }
    }
}

impl Observer for Watch {
    fn called(&self, record: CallRecord) {
        let effect = if record.is_write { "write" } else { "read" };
        let label = CallLabel { effect, result: record.result };
        self.metrics.cloud_calls.get_or_create(&label).observe(record.took.as_secs_f64());
        self.metrics.cloud_waits.get_or_create(&EffectLabel { effect }).observe(record.waited.as_secs_f64());
        self.flights.note(record);
    }
}

/// The process's clock, as the provider wants it.
struct ElbClock(Clock);

impl ferrolb_elb::Clock for ElbClock {
    fn utc(&self) -> jiff::Timestamp {
        self.0.wall()
    }

    fn monotonic(&self) -> Duration {
        self.0.now()
    }
}

#[cfg(test)]
mod tests;
