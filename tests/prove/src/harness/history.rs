//! Every state a namespace's Services were in, not only those that a poll happens to see.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use ferrolb_lab::{Lab, Running, Where, wait_for};

/// A watch on the Services of one namespace that writes down name and addresses at every change.
pub struct History {
    watch: Running,
}

const FORMAT: &str = r#"jsonpath={.metadata.name}{" "}{.status.loadBalancer.ingress[*].ip}{"\n"}"#;

impl History {
    /// Starts the watch. `known` is a Service that is there already, or none to start blindly.
    pub fn start(lab: &Lab, namespace: &str, known: Option<&str>) -> Result<Self> {
        let mut command = lab.exec_in(Where::ControlPlane, "kubectl");
        command.args(["get", "services", "-n", namespace, "--watch", "-o", FORMAT]);
        let watch = lab.spawn(&format!("{namespace}-history"), command)?;
        if let Some(name) = known {
            wait_for("the watch to begin", Duration::from_secs(20), || {
                Ok(watch.log_text().lines().any(|line| line.split(' ').next() == Some(name)).then_some(()))
            })?;
        }
        Ok(Self { watch })
    }

    /// The different addresses each Service has had, in order; states without one are left out.
    pub fn addresses(&self) -> BTreeMap<String, Vec<String>> {
        addresses(&self.watch.log_text())
    }

    /// The different addresses of one Service.
    pub fn of(&self, name: &str) -> Vec<String> {
        self.addresses().remove(name).unwrap_or_default()
    }

    /// Whether a Service that had an address was seen without one later.
    pub fn lost(&self, name: &str) -> bool {
        lost(&self.watch.log_text(), name)
    }
}

fn states(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| line.split_once(' ')).map(|(name, addresses)| (name, addresses.trim()))
}

fn addresses(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, addresses) in states(text) {
        let seen = found.entry(name.to_owned()).or_default();
        if !addresses.is_empty() && !seen.iter().any(|known| known == addresses) {
            seen.push(addresses.to_owned());
        }
    }
    found
}

fn lost(text: &str, name: &str) -> bool {
    let ours: Vec<&str> = states(text).filter(|(n, _)| *n == name).map(|(_, addresses)| addresses).collect();
    let first = ours.iter().position(|addresses| !addresses.is_empty());
    first.is_some_and(|first| ours[first..].iter().any(|addresses| addresses.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_and_losses_are_seen() {
        let text = "a \na 1.1.1.1 2.2.2.2\na 1.1.1.1 2.2.2.2\nb 3.3.3.3\nb \nb 4.4.4.4\n";
        let found = addresses(text);
        assert_eq!(found["a"], ["1.1.1.1 2.2.2.2"]);
        assert_eq!(found["b"], ["3.3.3.3", "4.4.4.4"]);
        assert!(!lost(text, "a"));
        assert!(lost(text, "b"));
    }
}
