//! ELB API v3, and v2 where shared load balancers are made. Source: ELB API reference.

use ferrolb_provider::ProviderError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::endpoint::Service;
use super::send::{Call, Client, Effect};
use super::transport::Method;
use super::wire::{Reference, or_default};

/// A load balancer. v2 says `vip_subnet_id` and nothing about `guaranteed`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct BalancerJson {
    pub(crate) id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) description: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) provisioning_status: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) operating_status: String,
    pub(crate) guaranteed: Option<bool>,
    pub(crate) vip_address: Option<String>,
    #[serde(alias = "vip_subnet_id")]
    pub(crate) vip_subnet_cidr_id: Option<String>,
    pub(crate) vip_port_id: Option<String>,
    pub(crate) ipv6_vip_address: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) eips: Vec<EipReference>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) listeners: Vec<Reference>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) pools: Vec<Reference>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) availability_zone_list: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) elb_virsubnet_ids: Vec<String>,
    pub(crate) ipv6_vip_virsubnet_id: Option<String>,
    pub(crate) l4_flavor_id: Option<String>,
    pub(crate) l7_flavor_id: Option<String>,
    pub(crate) enterprise_project_id: Option<String>,
    pub(crate) ip_target_enable: Option<bool>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) tags: Vec<TagJson>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) created_at: String,
}

/// A tag.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct TagJson {
    pub(crate) key: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) value: String,
}

/// An EIP in a load balancer.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct EipReference {
    pub(crate) eip_id: Option<String>,
    pub(crate) eip_address: Option<String>,
}

/// A listener.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ListenerJson {
    pub(crate) id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) description: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) protocol: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) protocol_port: u32,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) port_ranges: Vec<PortRangeJson>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) loadbalancers: Vec<Reference>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) created_at: String,
    #[serde(flatten)]
    pub(crate) settings: Map<String, Value>,
}

/// Ports of a listener from the first to the last.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PortRangeJson {
    pub(crate) start_port: u16,
    pub(crate) end_port: u16,
}

/// An IP address group.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct IpGroupJson {
    pub(crate) id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) description: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) ip_list: Vec<IpLine>,
    /// Those that use it.
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) listeners: Vec<Reference>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) created_at: String,
}

/// A line of an IP address group: an address, a range, or two ends.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct IpLine {
    pub(crate) ip: String,
}

/// A pool.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PoolJson {
    pub(crate) id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) description: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) protocol: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) lb_algorithm: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) listeners: Vec<Reference>,
    /// `None` where the cloud does not say.
    pub(crate) members: Option<Vec<Reference>>,
    pub(crate) healthmonitor_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) created_at: String,
    #[serde(flatten)]
    pub(crate) settings: Map<String, Value>,
}

/// A member.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct MemberJson {
    pub(crate) id: String,
    /// Only where members of several pools are listed.
    pub(crate) pool_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) name: String,
    pub(crate) address: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) protocol_port: u32,
    #[serde(alias = "subnet_id")]
    pub(crate) subnet_cidr_id: Option<String>,
    pub(crate) weight: Option<u16>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) operating_status: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) status: Vec<MemberStatus>,
}

/// What one listener thinks of a member; where there is one, it counts and not the member's own word.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct MemberStatus {
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) operating_status: String,
}

/// A health monitor.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct MonitorJson {
    pub(crate) id: String,
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    pub(crate) kind: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) delay: u16,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) timeout: u16,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) max_retries: u16,
    pub(crate) monitor_port: Option<u16>,
    pub(crate) url_path: Option<String>,
    pub(crate) expected_codes: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) pools: Vec<Reference>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) created_at: String,
}

/// A flavor.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct FlavorJson {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// Filters of a list: names and values, one name several times for "or".
pub(crate) type Filter = Vec<(String, String)>;

/// The filter for one field.
pub(crate) fn by(field: &str, value: &str) -> Filter {
    vec![(field.to_owned(), value.to_owned())]
}

/// The filter for one field that may have any of several values; without values, none.
pub(crate) fn any(field: &str, values: &[String]) -> Filter {
    values.iter().flat_map(|value| by(field, value)).collect()
}

impl Client {
    fn v3(&self, tail: &str) -> String {
        format!("/v3/{}/elb/{tail}", self.project_id())
    }

    /// `GET /v3/{pid}/elb/loadbalancers`
    pub(crate) async fn balancers(&self, filter: Filter) -> Result<Vec<BalancerJson>, ProviderError> {
        self.filtered("loadbalancers", filter).await
    }

    /// `GET /v3/{pid}/elb/loadbalancers/{id}`
    pub(crate) async fn balancer(&self, id: &str) -> Result<BalancerJson, ProviderError> {
        let path = self.v3(&format!("loadbalancers/{id}"));
        self.object(Call::get(Service::Elb, path), "loadbalancer").await
    }

    /// `POST /v2/{pid}/elb/loadbalancers`: a shared load balancer, which v3 does not make.
    pub(crate) async fn create_shared_balancer(&self, body: Value) -> Result<BalancerJson, ProviderError> {
        let path = format!("/v2/{}/elb/loadbalancers", self.project_id());
        self.create(path, "loadbalancer", body, Effect::Once).await
    }

    /// `POST /v3/{pid}/elb/loadbalancers`: a dedicated load balancer.
    pub(crate) async fn create_dedicated_balancer(&self, body: Value) -> Result<BalancerJson, ProviderError> {
        let path = self.v3("loadbalancers");
        self.create(path, "loadbalancer", body, Effect::Once).await
    }

    /// `PUT /v3/{pid}/elb/loadbalancers/{id}`
    pub(crate) async fn update_balancer(&self, id: &str, body: Value) -> Result<BalancerJson, ProviderError> {
        let path = self.v3(&format!("loadbalancers/{id}"));
        self.update(path, "loadbalancer", body).await
    }

    /// `POST /v2.0/{pid}/loadbalancers/{id}/tags/action`, for both kinds: with `create` sets tags by their
    /// keys, with `delete` takes them off; others stay.
    pub(crate) async fn tag_balancer(&self, id: &str, action: &str, tags: Value) -> Result<(), ProviderError> {
        let path = format!("/v2.0/{}/loadbalancers/{id}/tags/action", self.project_id());
        let body = json!({"action": action, "tags": tags});
        self.done(Call::write(Service::Elb, Method::Post, path, Some(body))).await
    }

    /// `DELETE /v3/{pid}/elb/loadbalancers/{id}`
    pub(crate) async fn delete_balancer(&self, id: &str) -> Result<(), ProviderError> {
        self.delete(self.v3(&format!("loadbalancers/{id}"))).await
    }

    /// `GET /v3/{pid}/elb/listeners`
    pub(crate) async fn listeners(&self, filter: Filter) -> Result<Vec<ListenerJson>, ProviderError> {
        self.filtered("listeners", filter).await
    }

    /// `POST /v3/{pid}/elb/listeners`; 409 ELB.8907 where the port is taken.
    pub(crate) async fn create_listener(&self, body: Value, effect: Effect) -> Result<ListenerJson, ProviderError> {
        self.create(self.v3("listeners"), "listener", body, effect).await
    }

    /// `PUT /v3/{pid}/elb/listeners/{id}`
    pub(crate) async fn update_listener(&self, id: &str, body: Value) -> Result<ListenerJson, ProviderError> {
        self.update(self.v3(&format!("listeners/{id}")), "listener", body).await
    }

    /// `DELETE /v3/{pid}/elb/listeners/{id}`
    pub(crate) async fn delete_listener(&self, id: &str) -> Result<(), ProviderError> {
        self.delete(self.v3(&format!("listeners/{id}"))).await
    }

    /// `GET /v3/{pid}/elb/ipgroups`
    pub(crate) async fn ip_groups(&self, filter: Filter) -> Result<Vec<IpGroupJson>, ProviderError> {
        self.filtered("ipgroups", filter).await
    }

    /// `POST /v3/{pid}/elb/ipgroups`
    pub(crate) async fn create_ip_group(&self, body: Value) -> Result<IpGroupJson, ProviderError> {
        self.create(self.v3("ipgroups"), "ipgroup", body, Effect::Once).await
    }

    /// `PUT /v3/{pid}/elb/ipgroups/{id}`: a new list replaces the old one at once.
    pub(crate) async fn update_ip_group(&self, id: &str, body: Value) -> Result<IpGroupJson, ProviderError> {
        self.update(self.v3(&format!("ipgroups/{id}")), "ipgroup", body).await
    }

    /// `DELETE /v3/{pid}/elb/ipgroups/{id}`; 409 while a listener uses it.
    pub(crate) async fn delete_ip_group(&self, id: &str) -> Result<(), ProviderError> {
        self.delete(self.v3(&format!("ipgroups/{id}"))).await
    }

    /// `GET /v3/{pid}/elb/pools`
    pub(crate) async fn pools(&self, filter: Filter) -> Result<Vec<PoolJson>, ProviderError> {
        self.filtered("pools", filter).await
    }

    /// `GET /v3/{pid}/elb/pools/{id}`
    pub(crate) async fn pool(&self, id: &str) -> Result<PoolJson, ProviderError> {
        let path = self.v3(&format!("pools/{id}"));
        self.object(Call::get(Service::Elb, path), "pool").await
    }

    /// `POST /v3/{pid}/elb/pools`
    pub(crate) async fn create_pool(&self, body: Value) -> Result<PoolJson, ProviderError> {
        self.create(self.v3("pools"), "pool", body, Effect::Once).await
    }

    /// `PUT /v3/{pid}/elb/pools/{id}`
    pub(crate) async fn update_pool(&self, id: &str, body: Value) -> Result<PoolJson, ProviderError> {
        self.update(self.v3(&format!("pools/{id}")), "pool", body).await
    }

    /// `DELETE /v3/{pid}/elb/pools/{id}`
    pub(crate) async fn delete_pool(&self, id: &str) -> Result<(), ProviderError> {
        self.delete(self.v3(&format!("pools/{id}"))).await
    }

    /// `GET /v3/{pid}/elb/pools/{pool}/members`
    pub(crate) async fn members(&self, pool: &str, filter: Filter) -> Result<Vec<MemberJson>, ProviderError> {
        self.filtered(&format!("pools/{pool}/members"), filter).await
    }

    /// `GET /v3/{pid}/elb/members`
    pub(crate) async fn members_of_pools(&self, filter: Filter) -> Result<Vec<MemberJson>, ProviderError> {
        self.filtered("members", filter).await
    }

    /// `POST /v3/{pid}/elb/pools/{pool}/members`; 409 where the pool has the address and port, so it may be repeated.
    pub(crate) async fn create_member(&self, pool: &str, body: Value) -> Result<MemberJson, ProviderError> {
        let path = self.v3(&format!("pools/{pool}/members"));
        self.create(path, "member", body, Effect::Repeatable).await
    }

    /// `PUT /v3/{pid}/elb/pools/{pool}/members/{id}`
    pub(crate) async fn update_member(&self, pool: &str, id: &str, body: Value) -> Result<(), ProviderError> {
        let path = self.v3(&format!("pools/{pool}/members/{id}"));
        self.done(Call::write(Service::Elb, Method::Put, path, Some(json!({"member": body})))).await
    }

    /// `DELETE /v3/{pid}/elb/pools/{pool}/members/{id}`
    pub(crate) async fn delete_member(&self, pool: &str, id: &str) -> Result<(), ProviderError> {
        self.delete(self.v3(&format!("pools/{pool}/members/{id}"))).await
    }

    /// `POST /v3/{pid}/elb/pools/{pool}/members/batch-{verb}`: `add` takes members and answers `existed` for what is
    /// there, `update` and `delete` take ids. At most 200 at once. Not every cloud has it ([`NO_SUCH_PATH`]).
    ///
    /// [`NO_SUCH_PATH`]: super::NO_SUCH_PATH
    pub(crate) async fn batch_members(
        &self,
        pool: &str,
        verb: &str,
        members: Vec<Value>,
    ) -> Result<Value, ProviderError> {
        let path = self.v3(&format!("pools/{pool}/members/batch-{verb}"));
        let mut call = Call::write(Service::Elb, Method::Post, path, Some(json!({"members": members})));
        call.is_optional = true;
        self.send(call).await
    }

    /// `GET /v3/{pid}/elb/healthmonitors`
    pub(crate) async fn monitors(&self, filter: Filter) -> Result<Vec<MonitorJson>, ProviderError> {
        self.filtered("healthmonitors", filter).await
    }

    /// `POST /v3/{pid}/elb/healthmonitors`: a pool has at most one, so it may be repeated.
    pub(crate) async fn create_monitor(&self, body: Value) -> Result<MonitorJson, ProviderError> {
        let path = self.v3("healthmonitors");
        self.create(path, "healthmonitor", body, Effect::Repeatable).await
    }

    /// `PUT /v3/{pid}/elb/healthmonitors/{id}`
    pub(crate) async fn update_monitor(&self, id: &str, body: Value) -> Result<MonitorJson, ProviderError> {
        let path = self.v3(&format!("healthmonitors/{id}"));
        self.update(path, "healthmonitor", body).await
    }

    /// `DELETE /v3/{pid}/elb/healthmonitors/{id}`
    pub(crate) async fn delete_monitor(&self, id: &str) -> Result<(), ProviderError> {
        self.delete(self.v3(&format!("healthmonitors/{id}"))).await
    }

    /// `GET /v3/{pid}/elb/flavors`
    pub(crate) async fn flavors(&self) -> Result<Vec<FlavorJson>, ProviderError> {
        self.filtered("flavors", Vec::new()).await
    }

    /// The last word of a path is the field of the answer.
    async fn filtered<T: DeserializeOwned>(&self, tail: &str, filter: Filter) -> Result<Vec<T>, ProviderError> {
        let mut call = Call::get(Service::Elb, self.v3(tail));
        call.query = filter;
        let key = tail.rsplit('/').next().unwrap_or_default();
        self.list(call, key).await
    }

    async fn create<T: DeserializeOwned>(
        &self,
        path: String,
        key: &'static str,
        body: Value,
        effect: Effect,
    ) -> Result<T, ProviderError> {
        let mut call = Call::write(Service::Elb, Method::Post, path, Some(json!({key: body})));
        call.effect = effect;
        self.object(call, key).await
    }

    async fn update<T: DeserializeOwned>(
        &self,
        path: String,
        key: &'static str,
        body: Value,
    ) -> Result<T, ProviderError> {
        let body = Some(json!({key: body}));
        self.object(Call::write(Service::Elb, Method::Put, path, body), key).await
    }

    async fn delete(&self, path: String) -> Result<(), ProviderError> {
        self.done(Call::write(Service::Elb, Method::Delete, path, None)).await
    }
}
