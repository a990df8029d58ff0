//! EIP API: v1 makes and deletes, v3 sees and changes bindings. Source: EIP API reference.

use ferrolb_provider::ProviderError;
use serde::Deserialize;
use serde_json::{Value, json};

use super::elb::Filter;
use super::endpoint::Service;
use super::send::{Call, Client, Effect};
use super::transport::Method;
use super::wire::or_default;

/// An EIP. v1 and v3 agree on these names, except for the time.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct EipJson {
    pub(crate) id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) alias: String,
    /// v3
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) description: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) status: String,
    pub(crate) public_ip_address: Option<String>,
    /// v3: PORT, ELB, NATGW, …
    pub(crate) associate_instance_type: Option<String>,
    /// v3: id of the port, load balancer, …
    pub(crate) associate_instance_id: Option<String>,
    /// v3
    pub(crate) vnic: Option<VnicJson>,
    /// v3
    pub(crate) bandwidth: Option<BandwidthJson>,
    /// v3; v1 calls it `type`, which is something else in v3.
    pub(crate) publicip_pool_name: Option<String>,
    pub(crate) enterprise_project_id: Option<String>,
    /// v3: `key=value` each.
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) tags: Vec<String>,
    #[serde(default, alias = "create_time", deserialize_with = "or_default")]
    pub(crate) created_at: String,
}

/// The port that an EIP is bound to.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct VnicJson {
    pub(crate) port_id: Option<String>,
}

/// The bandwidth of an EIP.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct BandwidthJson {
    pub(crate) id: Option<String>,
    pub(crate) size: Option<u32>,
    pub(crate) name: Option<String>,
    pub(crate) charge_mode: Option<String>,
    /// PER: of this EIP alone.
    pub(crate) share_type: Option<String>,
}

impl Client {
    /// `GET /v3/{pid}/eip/publicips`
    pub(crate) async fn eips(&self, filter: Filter) -> Result<Vec<EipJson>, ProviderError> {
        let mut call = Call::get(Service::Eip, format!("/v3/{}/eip/publicips", self.project_id()));
        call.query = filter;
        self.list(call, "publicips").await
    }

    /// `GET /v3/{pid}/eip/publicips/{id}`
    pub(crate) async fn eip(&self, id: &str) -> Result<EipJson, ProviderError> {
        let path = format!("/v3/{}/eip/publicips/{id}", self.project_id());
        self.object(Call::get(Service::Eip, path), "publicip").await
    }

    /// `POST /v1/{pid}/publicips`, bound in the same call where the body names a port.
    pub(crate) async fn create_eip(&self, body: Value) -> Result<EipJson, ProviderError> {
        let path = format!("/v1/{}/publicips", self.project_id());
        let mut call = Call::write(Service::Eip, Method::Post, path, Some(body));
        call.effect = Effect::Once;
        self.object(call, "publicip").await
    }

    /// `PUT /v3/{pid}/eip/publicips/{id}`: alias and description, in one.
    pub(crate) async fn describe_eip(&self, id: &str, alias: &str, text: &str) -> Result<EipJson, ProviderError> {
        let path = format!("/v3/{}/eip/publicips/{id}", self.project_id());
        let body = json!({"publicip": {"alias": alias, "description": text}});
        self.object(Call::write(Service::Eip, Method::Put, path, Some(body)), "publicip").await
    }

    /// `DELETE /v1/{pid}/publicips/{id}`; VPC.0516 and VPC.0517 while it is bound.
    pub(crate) async fn delete_eip(&self, id: &str) -> Result<(), ProviderError> {
        let path = format!("/v1/{}/publicips/{id}", self.project_id());
        self.done(Call::write(Service::Eip, Method::Delete, path, None)).await
    }

    /// `POST /v3/{pid}/eip/publicips/{id}/associate-instance`; 409 where it is bound.
    pub(crate) async fn associate_eip(&self, id: &str, kind: &str, instance: &str) -> Result<EipJson, ProviderError> {
        let body = json!({"publicip": {
            "associate_instance_type": kind,
            "associate_instance_id": instance,
        }});
        self.v3_action(id, "associate-instance", Some(body)).await
    }

    /// `POST /v3/{pid}/eip/publicips/{id}/disassociate-instance`. The one of v1 does nothing to an EIP that is bound
    /// to a dedicated load balancer, and says that it did.
    pub(crate) async fn disassociate_eip(&self, id: &str) -> Result<EipJson, ProviderError> {
        self.v3_action(id, "disassociate-instance", None).await
    }

    /// `POST /v2.0/{pid}/publicips/{id}/tags/action`: with `create` sets tags by their keys, with `delete` takes them off.
    pub(crate) async fn tag_eip(&self, id: &str, action: &str, tags: Value) -> Result<(), ProviderError> {
        let path = format!("/v2.0/{}/publicips/{id}/tags/action", self.project_id());
        let body = json!({"action": action, "tags": tags});
        self.done(Call::write(Service::Eip, Method::Post, path, Some(body))).await
    }

    /// `PUT /v1/{pid}/bandwidths/{id}`
    pub(crate) async fn resize_bandwidth(&self, id: &str, size: u32) -> Result<(), ProviderError> {
        let path = format!("/v1/{}/bandwidths/{id}", self.project_id());
        let body = json!({"bandwidth": {"size": size}});
        self.done(Call::write(Service::Eip, Method::Put, path, Some(body))).await
    }

    async fn v3_action(&self, id: &str, action: &str, body: Option<Value>) -> Result<EipJson, ProviderError> {
        let path = format!("/v3/{}/eip/publicips/{id}/{action}", self.project_id());
        self.object(Call::write(Service::Eip, Method::Post, path, body), "publicip").await
    }
}
