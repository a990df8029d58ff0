//! The calls that are alike for every kind with a store of its own.

use serde_json::{Value, json};

use super::answer::Answer;
use super::list::{self, Listed};
use super::request::{Context, Request};
use crate::state::{Refusal, Stored};

/// A kind that is listed in pages and shown under its name.
pub trait Shown: Listed + Stored {
    /// Key of one object in an answer.
    const SINGULAR: &'static str;
}

pub fn list<T: Shown>(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    let rows = T::store(context.cloud).seen(context.now, context.lag);
    Ok(Answer::ok(Value::Object(list::page::<T>(context, &request.query, rows)?)))
}

pub fn show<T: Shown>(context: &mut Context, request: &Request) -> Result<Answer, Refusal> {
    shown::<T>(context, request.param(0)).map(Answer::ok)
}

/// The object as it is now, under its name: what a change answers.
pub fn shown<T: Shown>(context: &Context, id: &str) -> Result<Value, Refusal> {
    context.cloud.find::<T>(id)?;
    let row = T::store(context.cloud).row(id);
    Ok(json!({T::SINGULAR: row.map(|row| T::render(row, context))}))
}
