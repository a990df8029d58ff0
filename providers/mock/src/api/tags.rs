//! Tags: `/v3/{pid}/KIND/{id}/tags` and the `/v2.0` twins that Terraform uses.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::answer::Answer;
use super::fields::{Fields, need};
use super::request::{Context, Request};
use crate::state::{Refusal, Tag, Tagged};

pub fn show<T: Tagged>(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    Ok(Answer::ok(json!({"tags": context.cloud.find::<T>(request.param(0))?.tags()})))
}

/// Every key of this kind with all values it has somewhere.
pub fn of_all<T: Tagged>(context: &mut Context, _: &Request) -> Result<Answer, Refusal> {
    let mut keys: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for tag in T::store(context.cloud).iter().flat_map(|(_, object)| object.tags()) {
        keys.entry(&tag.key).or_default().insert(&tag.value);
    }
    let tags: Vec<Value> = keys.into_iter().map(|(key, values)| json!({"key": key, "values": values})).collect();
    Ok(Answer::ok(json!({"tags": tags})))
}

/// `{"action": "create" | "delete", "tags": […]}`
pub fn action<T: Tagged>(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let map = request.body.as_object().ok_or(Refusal::Missing("action"))?;
    let fields = Fields::new(map);
    let delete = match need("action", fields.text("action", 16)?)?.as_str() {
        "create" => false,
        "delete" => true,
        other => return Err(Refusal::invalid("action", format!("'{other}' is not create or delete"))),
    };
    context.cloud.set_tags::<T>(context.now, request.param(0), &fields.tags()?, delete)?;
    Ok(Answer::nothing())
}

/// `{"tag": {key, value}}`: one at a time, version 2.0 only.
pub fn add<T: Tagged>(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let fields = request.object("tag")?;
    let tag =
        Tag { key: need("key", fields.text("key", 128)?)?, value: fields.text("value", 255)?.unwrap_or_default() };
    context.cloud.set_tags::<T>(context.now, request.param(0), &[tag], false)?;
    Ok(Answer::nothing())
}

/// The key stands in the path.
pub fn remove<T: Tagged>(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let tag = Tag { key: request.param(1).to_owned(), value: String::new() };
    if !context.cloud.find::<T>(request.param(0))?.tags().iter().any(|known| known.key == tag.key) {
        return Err(Refusal::not_found("Tag", tag.key));
    }
    context.cloud.set_tags::<T>(context.now, request.param(0), &[tag], true)?;
    Ok(Answer::nothing())
}
