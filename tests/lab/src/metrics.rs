//! The API server's own counters, in the Prometheus text format.

/// One reading of all counters.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics {
    samples: Vec<Sample>,
}

#[derive(Debug, Clone, PartialEq)]
struct Sample {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
}

impl Metrics {
    /// The sum of all samples with this name and at least these labels; 0 when there are none. For instance
    /// `sum("apiserver_request_total", &[("verb", "PATCH"), ("resource", "services")])`.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has =
            |sample: &Sample, (key, value): &(&str, &str)| sample.labels.iter().any(|(k, v)| k == key && v == value);
        let named = self.samples.iter().filter(|sample| sample.name == name);
        named.filter(|sample| labels.iter().all(|label| has(sample, label))).map(|sample| sample.value).sum()
    }

    pub(crate) fn parse(text: &str) -> Metrics {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Metrics { samples: lines.filter_map(sample).collect() }
    }
}

fn sample(line: &str) -> Option<Sample> {
    let (head, value) = line.rsplit_once(' ')?;
    let (name, labels) = match head.split_once('{') {
        Some((name, rest)) => (name, labels(rest.strip_suffix('}')?)),
        None => (head, Vec::new()),
    };
    Some(Sample { name: name.to_owned(), labels, value: value.parse().ok()? })
}

/// `a="x",b="y"`. A quote or comma inside a value does not end it; escapes stay as they are.
fn labels(mut text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    while let Some((key, rest)) = text.split_once("=\"") {
        let mut escaped = false;
        let end = rest.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let Some(end) = end else { break };
        found.push((key.trim_start_matches(',').to_owned(), rest[..end].to_owned()));
        text = &rest[end + 1..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# HELP a b\n\
        requests{verb=\"PATCH\",resource=\"services\",path=\"a,\\\"b}\"} 3\n\
        requests{verb=\"PATCH\",resource=\"pods\"} 4\n\
        up 1\n";

    #[test]
    fn sums_follow_the_labels() {
        let metrics = Metrics::parse(TEXT);
        assert_eq!(metrics.sum("requests", &[("verb", "PATCH")]), 7.0);
        assert_eq!(metrics.sum("requests", &[("verb", "PATCH"), ("resource", "services")]), 3.0);
        assert_eq!(metrics.sum("requests", &[("verb", "GET")]), 0.0);
        assert_eq!(metrics.sum("up", &[]), 1.0);
    }

    #[test]
    fn a_value_may_hold_commas_and_escaped_quotes() {
        let metrics = Metrics::parse(TEXT);
        assert_eq!(metrics.sum("requests", &[("path", "a,\\\"b}")]), 3.0);
    }
}
