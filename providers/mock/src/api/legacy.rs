//! `/v2/{pid}/elb/{listeners,pools,healthmonitors}` and members: what hangs below shared load balancers, in the words
//! of API v2. The rules are those of v3; fewer fields go in and out, and what belongs to a dedicated load balancer is
//! not there.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::fields::Fields;
use super::request::{Context, Request};
use super::route::Handler;
use super::{listeners, members, monitors, pools};
use crate::state::{Cloud, Listener, Member, Monitor, Pool, Refusal};

/// A kind as API v2 knows it.
pub trait Legacy {
    const SINGULAR: &'static str;
    const PLURAL: &'static str;
    /// Fields that an answer keeps.
    const FIELDS: &'static [&'static str];
    const LIST: Handler;
    const SHOW: Handler;
    const CREATE: Handler;
    const UPDATE: Handler;
    const DELETE: Handler;

    /// The load balancer above the object of this id; for members, of that of their pool.
    fn balancer<'a>(cloud: &'a Cloud, id: &str) -> Option<&'a String>;
}

pub fn list<T: Legacy>(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    if let Some(parent) = request.params.first() {
        check::<T>(context.cloud, parent)?;
    }
    let mut answer = (T::LIST)(context, request)?;
    let items = answer.body.as_mut().and_then(|body| body[T::PLURAL].as_array_mut()).map(std::mem::take);
    let items: Vec<Value> =
        items.unwrap_or_default().into_iter().filter(|item| is_visible::<T>(context, item)).collect();
    answer.body = Some(json!({T::PLURAL: items.into_iter().map(|item| cut::<T>(context, item)).collect::<Vec<_>>()}));
    Ok(answer)
}

pub fn show<T: Legacy>(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    check::<T>(context.cloud, request.param(0))?;
    one::<T>(context, T::SHOW, request)
}

pub fn create<T: Legacy>(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    if let Some(parent) = request.params.first() {
        check::<T>(context.cloud, parent)?;
    }
    let fields = request.object(T::SINGULAR)?;
    let parents = [
        fields.id("loadbalancer_id")?,
        fields.id("listener_id")?.and_then(|id| Listener::balancer(context.cloud, &id).cloned()),
        fields.id("pool_id")?.and_then(|id| Pool::balancer(context.cloud, &id).cloned()),
    ];
    parents.iter().flatten().try_for_each(|id| check_shared(context.cloud, id))?;
    one::<T>(context, T::CREATE, &translated::<T>(request, &fields))
}

pub fn update<T: Legacy>(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    check::<T>(context.cloud, request.param(0))?;
    let fields = request.object(T::SINGULAR)?;
    one::<T>(context, T::UPDATE, &translated::<T>(request, &fields))
}

pub fn delete<T: Legacy>(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    check::<T>(context.cloud, request.param(0))?;
    (T::DELETE)(context, request)
}

fn one<T: Legacy>(context: &mut Context, call: Handler, request: &Request) -> Result<Answer, Refusal> {
    let mut answer = call(context, request)?;
    let object = answer.body.as_mut().map(|body| body[T::SINGULAR].take()).unwrap_or_default();
    answer.body = Some(json!({T::SINGULAR: cut::<T>(context, object)}));
    Ok(answer)
}

/// The request as v3 would say it.
fn translated<T: Legacy>(request: &Request, fields: &Fields) -> Request {
    let mut object: Map<String, Value> = fields.copy(T::FIELDS);
    object.extend(fields.copy(&["loadbalancer_id", "listener_id", "pool_id"]));
    if let Some(subnet) = object.remove("subnet_id") {
        object.insert("subnet_cidr_id".into(), subnet);
    }
    Request { body: json!({T::SINGULAR: object}), ..request.clone() }
}

fn cut<T: Legacy>(context: &Context, mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        if let Some(subnet) = fields.remove("subnet_cidr_id") {
            fields.insert("subnet_id".into(), subnet);
        }
        fields.retain(|key, _| T::FIELDS.contains(&key.as_str()));
        fields.insert("tenant_id".into(), json!(context.cloud.setup.project_id));
    }
    if object["tags"].is_array() {
        object["tags"] = json!([]);
    }
    object
}

fn is_visible<T: Legacy>(context: &Context, item: &Value) -> bool {
    item["id"].as_str().is_some_and(|id| check::<T>(context.cloud, id).is_ok())
}

fn check<T: Legacy>(cloud: &Cloud, id: &str) -> Result<(), Refusal> {
    T::balancer(cloud, id).map_or(Ok(()), |balancer| check_shared(cloud, balancer))
}

pub(super) fn check_shared(cloud: &Cloud, balancer: &str) -> Result<(), Refusal> {
    if cloud.loadbalancer(balancer)?.guaranteed {
        return Err(Refusal::not_found("Load Balancer", balancer));
    }
    Ok(())
}

impl Legacy for Listener {
    const SINGULAR: &'static str = "listener";
    const PLURAL: &'static str = "listeners";
    const FIELDS: &'static [&'static str] = &[
        "id",
        "name",
        "description",
        "admin_state_up",
        "loadbalancers",
        "connection_limit",
        "http2_enable",
        "protocol",
        "protocol_port",
        "default_pool_id",
        "default_tls_container_ref",
        "client_ca_tls_container_ref",
        "sni_container_refs",
        "tags",
        "created_at",
        "updated_at",
        "insert_headers",
        "project_id",
        "tls_ciphers_policy",
        "protection_status",
        "protection_reason",
    ];
    const LIST: Handler = listeners::list;
    const SHOW: Handler = listeners::show;
    const CREATE: Handler = listeners::create;
    const UPDATE: Handler = listeners::update;
    const DELETE: Handler = listeners::delete;

    fn balancer<'a>(cloud: &'a Cloud, id: &str) -> Option<&'a String> {
        cloud.listeners.get(id).map(|listener| &listener.loadbalancer_id)
    }
}

impl Legacy for Pool {
    const SINGULAR: &'static str = "pool";
    const PLURAL: &'static str = "pools";
    const FIELDS: &'static [&'static str] = &[
        "id",
        "name",
        "description",
        "project_id",
        "admin_state_up",
        "loadbalancers",
        "listeners",
        "members",
        "healthmonitor_id",
        "session_persistence",
        "protocol",
        "lb_algorithm",
        "protection_status",
        "protection_reason",
    ];
    const LIST: Handler = pools::list;
    const SHOW: Handler = pools::show;
    const CREATE: Handler = pools::create;
    const UPDATE: Handler = pools::update;
    const DELETE: Handler = pools::delete;

    fn balancer<'a>(cloud: &'a Cloud, id: &str) -> Option<&'a String> {
        cloud.pools.get(id)?.loadbalancer_id.as_ref()
    }
}

impl Legacy for Member {
    const SINGULAR: &'static str = "member";
    const PLURAL: &'static str = "members";
    const FIELDS: &'static [&'static str] = &[
        "id",
        "name",
        "project_id",
        "admin_state_up",
        "protocol_port",
        "subnet_id",
        "address",
        "weight",
        "operating_status",
    ];
    const LIST: Handler = members::list;
    const SHOW: Handler = members::show;
    const CREATE: Handler = members::create;
    const UPDATE: Handler = members::update;
    const DELETE: Handler = members::delete;

    fn balancer<'a>(cloud: &'a Cloud, id: &str) -> Option<&'a String> {
        Pool::balancer(cloud, id)
    }
}

impl Legacy for Monitor {
    const SINGULAR: &'static str = "healthmonitor";
    const PLURAL: &'static str = "healthmonitors";
    const FIELDS: &'static [&'static str] = &[
        "id",
        "name",
        "project_id",
        "admin_state_up",
        "monitor_port",
        "timeout",
        "type",
        "expected_codes",
        "domain_name",
        "url_path",
        "http_method",
        "delay",
        "max_retries",
        "max_retries_down",
        "pools",
    ];
    const LIST: Handler = monitors::list;
    const SHOW: Handler = monitors::show;
    const CREATE: Handler = monitors::create;
    const UPDATE: Handler = monitors::update;
    const DELETE: Handler = monitors::delete;

    fn balancer<'a>(cloud: &'a Cloud, id: &str) -> Option<&'a String> {
        Pool::balancer(cloud, &cloud.monitors.get(id)?.pool_id)
    }
}
