//! A controller as a process outside the cluster: one that can be killed and paused at will.

use std::time::Duration;

use anyhow::{Context, Result};
use ferrolb_lab::{Lab, Running, Where, wait_for};

/// A running controller.
pub struct Controller<'a> {
    lab: &'a Lab,
    admin: String,
    /// Its process.
    pub process: Running,
}

impl<'a> Controller<'a> {
    /// Takes over a process whose admin port is at `admin`.
    pub fn new(lab: &'a Lab, admin: String, process: Running) -> Self {
        Self { lab, admin, process }
    }

    /// Waits until it knows the cluster.
    pub fn await_ready(&mut self) -> Result<()> {
        let (lab, url) = (self.lab, format!("http://{}/readyz", self.admin));
        let log = self.process.log().to_owned();
        let running = &mut self.process;
        let waited = wait_for("the controller to be ready", Duration::from_secs(20), || {
            anyhow::ensure!(running.is_running(), "it ended");
            curl(lab, &url).map(|_| Some(()))
        });
        waited.with_context(|| format!("its log ends: {}", tail(&std::fs::read_to_string(log).unwrap_or_default())))
    }

    /// Sum of all samples of a metric whose line contains `label` (empty: all).
    pub fn metric(&self, name: &str, label: &str) -> Result<f64> {
        Ok(sum(&curl(self.lab, &format!("http://{}/metrics", self.admin))?, name, label))
    }

    /// Passes over any Service so far.
    pub fn passes(&self) -> Result<u64> {
        // Looks at a Service whose cached state is known to be behind are no attempts.
        let all = self.metric("ferrolb_reconciles_total", "")?
            - self.metric("ferrolb_reconciles_total", "result=\"stale\"")?;
        Ok(all as u64)
    }
}

fn curl(lab: &Lab, url: &str) -> Result<String> {
    lab.run_in(Where::ControlPlane, "curl", &["-sS", "--fail", "--max-time", "2", "--noproxy", "*", url])
}

fn sum(text: &str, name: &str, label: &str) -> f64 {
    let of_name = |line: &&str| {
        let head = line.split([' ', '{']).next();
        head == Some(name) && line.contains(label)
    };
    let values = text.lines().filter(of_name).filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
    values.sum()
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_take_the_whole_name_and_part_of_the_labels() {
        let text = "# TYPE a counter\na_total{result=\"x\"} 2\na_total{result=\"y\"} 3\na_total_more 7\n";
        assert_eq!(sum(text, "a_total", ""), 5.0);
        assert_eq!(sum(text, "a_total", "result=\"y\""), 3.0);
        assert_eq!(sum(text, "b", ""), 0.0);
    }
}
