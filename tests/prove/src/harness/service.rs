//! One Service as the proofs see it: addresses, conditions, events.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use ferrolb_lab::{Lab, wait_for};
use serde_json::{Value, json};

/// A Service by name; it need not exist.
#[derive(Clone)]
pub struct Service<'a> {
    lab: &'a Lab,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// A condition of a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// True, False or Unknown.
    pub status: String,
    /// One word.
    pub reason: String,
    /// A sentence.
    pub message: String,
}

impl<'a> Service<'a> {
    /// The Service of this name.
    pub fn new(lab: &'a Lab, namespace: &str, name: &str) -> Self {
        Self { lab, namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// Creates it from a manifest (see [`super::manifest`]).
    pub fn create(lab: &'a Lab, namespace: &str, manifest: &Value) -> Result<Self> {
        lab.api("POST", &format!("/api/v1/namespaces/{namespace}/services"), Some(manifest))?;
        let name = manifest["metadata"]["name"].as_str().context("the manifest has no name")?;
        Ok(Self::new(lab, namespace, name))
    }

    /// The object, if there is one.
    pub fn get(&self) -> Result<Option<Value>> {
        match self.lab.api("GET", &self.path(), None) {
            Ok(object) => Ok(Some(object)),
            Err(error)
                if format!("{error:#}").contains("\"code\": 404") || format!("{error:#}").contains("\"code\":404") =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The addresses in its status.
    pub fn addresses(&self) -> Result<Vec<String>> {
        Ok(self.get()?.as_ref().map(addresses).unwrap_or_default())
    }

    /// A condition of ours; `kind` without the prefix.
    pub fn condition(&self, kind: &str) -> Result<Option<Condition>> {
        Ok(self.get()?.as_ref().and_then(|object| condition(object, kind)))
    }

    /// Waits for the first address.
    pub fn await_address(&self, patience: Duration) -> Result<Vec<String>> {
        self.wait("an address", patience, |object| {
            let found = addresses(object);
            (!found.is_empty()).then_some(found)
        })
    }

    /// Waits until a condition has this status.
    pub fn await_condition(&self, kind: &str, status: &str, patience: Duration) -> Result<Condition> {
        self.wait(&format!("condition {kind}={status}"), patience, |object| {
            condition(object, kind).filter(|c| c.status == status)
        })
    }

    /// Waits for Ready=True; the addresses.
    pub fn await_ready(&self, patience: Duration) -> Result<Vec<String>> {
        self.wait("Ready", patience, |object| {
            let ready = condition(object, "Ready").is_some_and(|c| c.status == "True");
            Some(addresses(object)).filter(|found| ready && !found.is_empty())
        })
    }

    /// Sets an annotation, or removes it.
    pub fn annotate(&self, key: &str, value: Option<&str>) -> Result<()> {
        self.patch(&json!({"metadata": {"annotations": {key: value}}}))
    }

    /// Changes it: an object is a strategic merge patch, a list a JSON patch.
    pub fn patch(&self, patch: &Value) -> Result<()> {
        self.lab.api("PATCH", &self.path(), Some(patch)).map(drop)
    }

    /// Asks for its deletion and does not wait.
    pub fn delete(&self) -> Result<()> {
        self.lab.api("DELETE", &self.path(), None).map(drop)
    }

    /// Waits until it is gone.
    pub fn await_gone(&self, patience: Duration) -> Result<()> {
        let what = format!("Service {} to go", self.name);
        wait_for(&what, patience, || match self.get()? {
            None => Ok(Some(())),
            Some(object) => bail!("{}", conditions(&object)),
        })
    }

    /// Texts of its events: `type reason: note`.
    pub fn events(&self) -> Result<Vec<String>> {
        let path = format!("/apis/events.k8s.io/v1/namespaces/{}/events", self.namespace);
        let list = self.lab.api("GET", &path, None)?;
        let ours = list["items"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|event| event["regarding"]["name"] == self.name.as_str());
        let shown = |event: &Value| {
            let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
            format!("{} {}: {}", text("type"), text("reason"), text("note"))
        };
        Ok(ours.map(shown).collect())
    }

    /// Ends it without the controller: takes the finalizer away. For cleaning up only.
    pub fn tear_away(&self) -> Result<()> {
        self.delete()?;
        let patch = json!({"metadata": {"finalizers": null}});
        let _ = self.lab.api("PATCH", &self.path(), Some(&patch));
        Ok(())
    }

    fn wait<T>(&self, what: &str, patience: Duration, pick: impl Fn(&Value) -> Option<T>) -> Result<T> {
        let what = format!("{what} of Service {}/{}", self.namespace, self.name);
        wait_for(&what, patience, || {
            let object = self.get()?.context("it is not there")?;
            match pick(&object) {
                Some(found) => Ok(Some(found)),
                None => bail!("{}", conditions(&object)),
            }
        })
    }

    fn path(&self) -> String {
        format!("/api/v1/namespaces/{}/services/{}", self.namespace, self.name)
    }
}

/// Makes a namespace.
pub fn create_namespace(lab: &Lab, name: &str) -> Result<()> {
    let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    lab.api("POST", "/api/v1/namespaces", Some(&body)).map(drop)
}

fn addresses(object: &Value) -> Vec<String> {
    let ingress = object["status"]["loadBalancer"]["ingress"].as_array();
    ingress.into_iter().flatten().filter_map(|entry| entry["ip"].as_str()).map(str::to_owned).collect()
}

/// A condition of ours of a Service that was read; `kind` without the prefix.
pub fn condition(object: &Value, kind: &str) -> Option<Condition> {
    let wanted = format!("ferrolb.io/{kind}");
    let all = object["status"]["conditions"].as_array()?;
    let found = all.iter().find(|condition| condition["type"] == wanted.as_str())?;
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    Some(Condition { status: text("status"), reason: text("reason"), message: text("message") })
}

/// All conditions in one line, for errors.
fn conditions(object: &Value) -> String {
    let all = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let shown = |c: &Value| {
        let text = |key: &str| c[key].as_str().unwrap_or_default().trim_start_matches("ferrolb.io/").to_owned();
        format!("{}={} ({}: {})", text("type"), text("status"), text("reason"), text("message"))
    };
    match all.is_empty() {
        true => "it has no conditions".to_owned(),
        false => all.iter().map(shown).collect::<Vec<_>>().join("; "),
    }
}
