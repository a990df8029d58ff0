//! What takes longer than a call: the client gets the id of a job and asks how it is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Cloud;

/// Work that was ordered. The objects are there at once; the job ends when the last of them is ready.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    pub id: String,
    pub kind: JobKind,
    /// Kind of the objects, as the answer names it.
    pub of: String,
    pub objects: Vec<String>,
    /// Until then it is RUNNING.
    pub ends: Timestamp,
}

/// What was ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    BatchCreate,
    BatchDelete,
}

impl Job {
    /// RUNNING or COMPLETE: what cannot be done is refused before there is a job.
    pub fn status(&self, now: Timestamp) -> &'static str {
        if now < self.ends { "RUNNING" } else { "COMPLETE" }
    }
}

impl Cloud {
    /// Notes what was done.
    pub fn create_job(&mut self, now: Timestamp, kind: JobKind, of: &str, objects: Vec<String>) -> String {
        let id = self.new_id();
        let ends = now + self.setup.loadbalancer_delay;
        self.jobs.insert(id.clone(), now, Job { id: id.clone(), kind, of: of.to_owned(), objects, ends });
        id
    }
}
