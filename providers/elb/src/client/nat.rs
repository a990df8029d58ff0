//! NAT API v2 (public gateways), and the network interfaces of servers. Source: NAT and VPC API references.

use ferrolb_provider::ProviderError;
use serde::Deserialize;
use serde_json::{Value, json};

use super::elb::Filter;
use super::endpoint::Service;
use super::send::{Call, Client, Effect};
use super::transport::Method;
use super::wire::or_default;

/// Rules asked for at once.
const LIMIT: usize = 1000;

/// A NAT gateway.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct GatewayJson {
    pub(crate) id: String,
    /// Its VPC.
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) router_id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) status: String,
    pub(crate) admin_state_up: Option<bool>,
}

/// A DNAT rule.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RuleJson {
    pub(crate) id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) nat_gateway_id: String,
    /// Empty for a rule to an address outside the VPC.
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) port_id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) floating_ip_id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) floating_ip_address: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) internal_service_port: u32,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) external_service_port: u32,
    /// `100-110`, where it is a rule for many ports; the port is 0 then.
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) external_service_port_range: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) protocol: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) description: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) status: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) created_at: String,
}

/// A network interface.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct NicJson {
    pub(crate) id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) fixed_ips: Vec<FixedIp>,
}

/// An address of a network interface.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct FixedIp {
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) subnet_id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) ip_address: String,
}

impl Client {
    /// `GET /v2/{pid}/nat_gateways/{id}`
    pub(crate) async fn gateway(&self, id: &str) -> Result<GatewayJson, ProviderError> {
        let path = format!("/v2/{}/nat_gateways/{id}", self.project_id());
        self.object(Call::get(Service::Nat, path), "nat_gateway").await
    }

    /// `GET /v2/{pid}/dnat_rules`: a full page is followed by another; nothing else tells.
    pub(crate) async fn rules(&self, filter: Filter) -> Result<Vec<RuleJson>, ProviderError> {
        let mut all: Vec<RuleJson> = Vec::new();
        loop {
            let mut call = Call::get(Service::Nat, format!("/v2/{}/dnat_rules", self.project_id()));
            call.query = filter.clone();
            call.query.push(("limit".into(), LIMIT.to_string()));
            if let Some(last) = all.last() {
                call.query.push(("marker".into(), last.id.clone()));
            }
            let page: Vec<RuleJson> = self.object(call, "dnat_rules").await?;
            let is_last = page.len() < LIMIT;
            let known = all.len();
            all.extend(page);
            // A cloud that does not know markers would go round for ever.
            if is_last || all[..known].iter().any(|rule| rule.id == all[known].id) {
                return Ok(all);
            }
        }
    }

    /// `GET /v2/{pid}/dnat_rules/{id}`
    pub(crate) async fn rule(&self, id: &str) -> Result<RuleJson, ProviderError> {
        let path = format!("/v2/{}/dnat_rules/{id}", self.project_id());
        self.object(Call::get(Service::Nat, path), "dnat_rule").await
    }

    /// `POST /v2/{pid}/dnat_rules`; 400 NAT.0304 and NAT.0305 where the node's port or the EIP's has a rule. One that
    /// comes late stays on the user's gateway.
    pub(crate) async fn create_rule(&self, body: Value) -> Result<RuleJson, ProviderError> {
        let path = format!("/v2/{}/dnat_rules", self.project_id());
        let mut call = Call::write(Service::Nat, Method::Post, path, Some(json!({"dnat_rule": body})));
        call.effect = Effect::Once;
        self.object(call, "dnat_rule").await
    }

    /// `PUT /v2/{pid}/dnat_rules/{id}`; the gateway must be named and cannot change.
    pub(crate) async fn update_rule(&self, id: &str, body: Value) -> Result<RuleJson, ProviderError> {
        let path = format!("/v2/{}/dnat_rules/{id}", self.project_id());
        self.object(Call::write(Service::Nat, Method::Put, path, Some(json!({"dnat_rule": body}))), "dnat_rule").await
    }

    /// `DELETE /v2/{pid}/nat_gateways/{gateway}/dnat_rules/{id}`
    pub(crate) async fn delete_rule(&self, gateway: &str, id: &str) -> Result<(), ProviderError> {
        let path = format!("/v2/{}/nat_gateways/{gateway}/dnat_rules/{id}", self.project_id());
        self.done(Call::write(Service::Nat, Method::Delete, path, None)).await
    }

    /// `GET /v2.0/ports`: network interfaces by id, or by `fixed_ips=ip_address=…`.
    pub(crate) async fn nics(&self, filter: Filter) -> Result<Vec<NicJson>, ProviderError> {
        let mut call = Call::get(Service::Eip, "/v2.0/ports".into());
        call.query = filter;
        self.object(call, "ports").await
    }
}
