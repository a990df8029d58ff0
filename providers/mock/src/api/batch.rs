//! Calls on several objects at once, and the jobs that some of them leave behind. Load balancers and listeners go all
//! or none; pools and certificates one by one, each with its own verdict.

use serde_json::{Value, json};

use super::answer::{Answer, Family};
use super::crud::Shown;
use super::fields::{Fields, need};
use super::list::Listed;
use super::request::{Context, Request};
use super::{loadbalancers, wire};
use crate::state::{Cascade, Job, JobKind, Refusal, Row};

/// Listeners of one call.
const LISTENERS: usize = 10;

/// `POST …/loadbalancers/batch-create`: `number` alike, dedicated or shared.
pub fn create_balancers(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("loadbalancer")?;
    let number = fields.int("number", 1..=100)?.unwrap_or(1);
    if number > 1 && fields.has("vip_address") {
        return Err(Refusal::invalid("vip_address", "one address is not enough for several load balancers"));
    }
    let new = loadbalancers::wish(context, &fields, fields.flag("guaranteed")?.unwrap_or(true))?;
    let before = context.cloud.clone();
    let made = (0..number).map(|_| context.cloud.create_loadbalancer(context.now, new.clone())).collect();
    let ids = all_or_none(context, before, made)?;
    let job = context.cloud.create_job(context.now, JobKind::BatchCreate, "loadbalancer", ids.clone());
    Ok(Answer::created(json!({"loadbalancer_ids": ids, "job_id": job})))
}

/// `POST …/loadbalancers/batch-delete`, with everything below them; `public_ip: true` releases their EIPs as well.
pub fn delete_balancers(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = body(request)?;
    let ids = need("loadbalancer_ids", fields.texts("loadbalancer_ids")?)?;
    let release = fields.flag("public_ip")?.unwrap_or(false);
    let cascade = if release { Cascade::ReleaseEips } else { Cascade::KeepEips };
    let before = context.cloud.clone();
    let done = ids.iter().map(|id| context.cloud.cascade_loadbalancer(context.now, id, cascade)).collect();
    all_or_none::<()>(context, before, done)?;
    let job = context.cloud.create_job(context.now, JobKind::BatchDelete, "loadbalancer", ids.clone());
    Ok(Answer::ok(json!({"loadbalancer_ids": ids, "job_id": job})))
}

/// `POST …/listeners/batch-delete`: each with its forwarding policies, as `force` does it.
pub fn delete_listeners(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let ids = need("listener_ids", body(request)?.texts("listener_ids")?)?;
    if ids.len() > LISTENERS {
        return Err(Refusal::invalid("listener_ids", format!("{} listeners, at most {LISTENERS}", ids.len())));
    }
    let before = context.cloud.clone();
    let done = ids.iter().map(|id| context.cloud.delete_listener(context.now, id, true)).collect();
    all_or_none::<()>(context, before, done)?;
    let job = context.cloud.create_job(context.now, JobKind::BatchDelete, "listener", ids.clone());
    Ok(Answer::ok(json!({"listener_ids": ids, "job_id": job})))
}

/// `POST …/pools/batch-delete`
pub fn delete_pools(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    one_by_one(context, request, "pools", |context, id| context.cloud.delete_pool(context.now, id))
}

/// `POST …/certificates/batch-delete`
pub fn delete_certificates(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    one_by_one(context, request, "certificates", |context, id| context.cloud.delete_certificate(context.now, id))
}

/// `POST …/loadbalancers/{id}/availability-zone/batch-add`
pub fn add_zones(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    zones(context, request, true)
}

/// `POST …/loadbalancers/{id}/availability-zone/batch-remove`
pub fn remove_zones(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    zones(context, request, false)
}

fn zones(context: &mut Context, request: &Request, add: bool) -> Result<Answer, Refusal> {
    let zones = need("availability_zone_list", body(request)?.texts("availability_zone_list")?)?;
    context.cloud.change_zones(context.now, request.param(0), &zones, add)?;
    loadbalancers::shown(context, request.param(0)).map(Answer::ok)
}

/// The first refusal, after which nothing is done.
fn all_or_none<T>(
    context: &mut Context,
    before: crate::state::Cloud,
    done: Result<Vec<T>, Refusal>,
) -> Result<Vec<T>, Refusal> {
    done.inspect_err(|_| *context.cloud = before)
}

fn one_by_one(
    context: &mut Context,
    request: &Request,
    key: &'static str,
    delete: impl Fn(&mut Context, &str) -> Result<(), Refusal>,
) -> Result<Answer, Refusal> {
    let ids = need(key, body(request)?.texts(key)?)?;
    let verdicts: Vec<Value> = ids
        .iter()
        .map(|id| match delete(context, id) {
            Ok(()) => json!({"id": id, "ret_status": "successful"}),
            Err(refusal) => {
                let code = Answer::refused(Family::Elb, &refusal).code;
                json!({"id": id, "ret_status": "failed", "ret_code": code})
            }
        })
        .collect();
    Ok(Answer::ok(json!({key: verdicts})))
}

/// A body without a wrapper.
fn body(request: &Request) -> Result<Fields<'_>, Refusal> {
    request.body.as_object().map(Fields::new).ok_or(Refusal::Missing("body"))
}

impl Shown for Job {
    const SINGULAR: &'static str = "job";
}

impl Listed for Job {
    const PLURAL: &'static str = "jobs";
    const FILTERS: &'static [&'static str] = &["job_id", "job_type", "status", "resource_id"];

    fn values(row: &Row<Self>, filter: &str, context: &Context) -> Vec<String> {
        let job = &row.value;
        match filter {
            "job_id" => vec![job.id.clone()],
            "job_type" => vec![kind(job)],
            "status" => vec![job.status(context.now).to_owned()],
            "resource_id" => job.objects.clone(),
            _ => Vec::new(),
        }
    }

    fn render(row: &Row<Self>, context: &Context) -> Value {
        let (job, project) = (&row.value, &context.cloud.setup.project_id);
        let done = context.now >= job.ends;
        let common = |id: &str, of: &str| {
            json!({
                "job_id": id,
                "job_type": kind(job),
                "status": job.status(context.now),
                "project_id": project,
                "resource_id": of,
                "begin_time": wire::time(row.created),
                "end_time": done.then(|| wire::time(job.ends)),
                "error_code": null,
                "error_msg": null,
            })
        };
        let sub = job.objects.iter().enumerate().map(|(index, object)| {
            let mut sub = common(&format!("{}-{index}", job.id), object);
            sub["entities"] = json!([{"resource_id": object, "resource_type": job.of}]);
            sub
        });
        let mut whole = common(&job.id, job.objects.first().map_or("", String::as_str));
        whole["sub_jobs"] = sub.collect();
        whole
    }
}

fn kind(job: &Job) -> String {
    let verb = match job.kind {
        JobKind::BatchCreate => "BatchCreate",
        JobKind::BatchDelete => "BatchDelete",
    };
    format!("{verb}_{}", job.of)
}
