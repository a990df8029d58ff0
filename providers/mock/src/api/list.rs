//! Lists: filters, pages, envelopes.

use std::ops::Range;

use serde_json::{Map, Value, json};

use super::request::{Context, Query};
use crate::state::{Refusal, Row};

/// The longest and default page.
const MAX_LIMIT: usize = 2000;

/// Rows with their ids, in the order of ids.
pub type Rows<'a, T> = Vec<(&'a str, &'a Row<T>)>;

/// A kind of object as lists show it.
pub trait Listed {
    /// Key of the list in the answer.
    const PLURAL: &'static str;
    /// What filters this kind knows. Others are ignored, as the vendor does.
    const FILTERS: &'static [&'static str];

    /// The values a filter compares with; any match is enough.
    fn values(row: &Row<Self>, filter: &str, context: &Context) -> Vec<String>
    where
        Self: Sized;

    fn render(row: &Row<Self>, context: &Context) -> Value
    where
        Self: Sized;
}

/// One way to show a row.
type Render<T> = fn(&Row<T>, &Context) -> Value;

/// A page of the rows that pass all filters of the query, with `page_info`.
pub fn page<T: Listed>(context: &Context, query: &Query, rows: Rows<T>) -> Result<Map<String, Value>, Refusal> {
    page_of(context, query, rows, T::FILTERS, T::render)
}

/// Like `page`, for a call that knows other filters or shows other fields than the kind's own list.
pub fn page_of<T: Listed>(
    context: &Context,
    query: &Query,
    rows: Rows<T>,
    filters: &[&str],
    render: Render<T>,
) -> Result<Map<String, Value>, Refusal> {
    let rows = filtered(context, query, rows, filters);
    let ids: Vec<&str> = rows.iter().map(|(id, _)| *id).collect();
    let (range, info) = cut(query, &ids)?;
    let items: Vec<Value> = rows[range].iter().map(|(_, row)| render(row, context)).collect();
    Ok(Map::from_iter([(T::PLURAL.to_owned(), Value::Array(items)), ("page_info".to_owned(), info)]))
}

/// Which of these ids, given in order, make up the page of the query, and its `page_info`.
pub fn cut(query: &Query, ids: &[&str]) -> Result<(Range<usize>, Value), Refusal> {
    let limit = limit(query)?.unwrap_or(MAX_LIMIT);
    let reverse = matches!(query.first("page_reverse"), Some("true" | "True"));
    let marker = query.first("marker").filter(|marker| !marker.is_empty());
    if (marker.is_some() || reverse) && query.first("limit").is_none() {
        return Err(Refusal::invalid("marker", "marker and page_reverse need limit"));
    }
    // Rows are in the order of ids, so the marker itself need not exist any more.
    let (range, has_more) = if reverse {
        let end = marker.map_or(ids.len(), |marker| ids.partition_point(|id| *id < marker));
        (end.saturating_sub(limit)..end, end < ids.len() || marker.is_some())
    } else {
        let start = marker.map_or(0, |marker| ids.partition_point(|id| *id <= marker));
        let end = ids.len().min(start.saturating_add(limit));
        (start..end, end < ids.len())
    };
    let page = &ids[range.clone()];
    let mut info = json!({"current_count": page.len()});
    if let (Some(first), Some(last)) = (page.first(), page.last()) {
        info["previous_marker"] = json!(first);
        if has_more {
            info["next_marker"] = json!(last);
        }
    }
    Ok((range, info))
}

/// The rows that pass all filters. One filter given twice means either value.
pub fn filtered<'a, T: Listed>(
    context: &Context,
    query: &Query,
    mut rows: Rows<'a, T>,
    filters: &[&str],
) -> Rows<'a, T> {
    for filter in filters {
        let wanted: Vec<&str> = query.all(filter).collect();
        if !wanted.is_empty() {
            rows.retain(|(_, row)| {
                T::values(row, filter, context).iter().any(|value| wanted.contains(&value.as_str()))
            });
        }
    }
    rows
}

pub fn limit(query: &Query) -> Result<Option<usize>, Refusal> {
    let Some(text) = query.first("limit") else { return Ok(None) };
    let limit = text.parse().ok().filter(|limit| *limit <= MAX_LIMIT);
    limit.map(Some).ok_or_else(|| Refusal::invalid("limit", format!("'{text}' is not in the range 0-{MAX_LIMIT}")))
}
