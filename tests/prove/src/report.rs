//! Lines of a proof: `name value bound PASS|FAIL`.

use std::fmt::{self, Display};
use std::time::{Duration, Instant};

/// One measured fact and whether it is as claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `proof/what`.
    pub name: String,
    /// What was measured, with its unit.
    pub value: String,
    /// What it must be.
    pub bound: String,
    /// Whether it is.
    pub passed: bool,
}

impl Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.passed { "PASS" } else { "FAIL" };
        let (name, value, bound) = (field(&self.name), field(&self.value), field(&self.bound));
        write!(f, "{name:<46} {value:<28} {bound:<24} {verdict}")
    }
}

/// A field holds no space unless it is quoted, so that lines can be cut by programs too.
fn field(text: &str) -> String {
    let flat = text.replace(['\n', '\r', '\t'], " ");
    match flat.is_empty() || flat.contains([' ', '"']) {
        true => format!("\"{}\"", flat.replace('"', "'")),
        false => flat,
    }
}

/// Takes the lines of one proof and prints each at once.
pub struct Report {
    proof: String,
    lines: Vec<Line>,
    started: Instant,
}

impl Report {
    /// For the proof of this name.
    pub fn new(proof: &str) -> Self {
        Self { proof: proof.to_owned(), lines: Vec::new(), started: Instant::now() }
    }

    /// A line with any bound; `name` gets the proof's name in front.
    pub fn line(&mut self, name: &str, value: impl Display, bound: impl Display, passed: bool) {
        let name = format!("{}/{name}", self.proof);
        let line = Line { name, value: value.to_string(), bound: bound.to_string(), passed };
        println!("{line}");
        self.lines.push(line);
    }

    /// The value must be exactly this.
    pub fn equal<T: Display + PartialEq>(&mut self, name: &str, value: T, wanted: T) {
        let passed = value == wanted;
        self.line(name, value, format!("={wanted}"), passed);
    }

    /// The number must not exceed the bound; `unit` may be empty.
    pub fn at_most(&mut self, name: &str, value: u64, bound: u64, unit: &str) {
        self.line(name, format!("{value}{unit}"), format!("<={bound}{unit}"), value <= bound);
    }

    /// The number must reach the bound; `unit` may be empty.
    pub fn at_least(&mut self, name: &str, value: u64, bound: u64, unit: &str) {
        self.line(name, format!("{value}{unit}"), format!(">={bound}{unit}"), value >= bound);
    }

    /// It must not take longer.
    pub fn within(&mut self, name: &str, took: Duration, bound: Duration) {
        self.line(name, seconds(took), format!("<={}", seconds(bound)), took <= bound);
    }

    /// A statement that must be true; `value` shows what was seen.
    pub fn holds(&mut self, name: &str, value: impl Display, holds: bool, bound: &str) {
        self.line(name, value, bound, holds);
    }

    /// The proof, or a part of it, could not be carried out.
    pub fn failed(&mut self, name: &str, reason: &anyhow::Error) {
        self.line(name, format!("{reason:#}"), "runs", false);
    }

    /// Tells the person who waits; not part of the result.
    pub fn say(&self, text: impl Display) {
        eprintln!("  [{:>6.1} s] {}: {text}", self.started.elapsed().as_secs_f32(), self.proof);
    }

    /// Since the proof began.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// All lines so far.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }
}

/// A duration as people read it in a table: `0.42s`, `12.3s`.
pub fn seconds(duration: Duration) -> String {
    let value = duration.as_secs_f64();
    match value {
        _ if value.fract() == 0.0 => format!("{value:.0}s"),
        _ if value < 10.0 => format!("{value:.2}s"),
        _ => format!("{value:.1}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_can_be_cut_at_its_spaces() {
        let line = Line { name: "p/x".into(), value: "a \"b\" c".into(), bound: "=1".into(), passed: false };
        let text = line.to_string();
        assert!(text.contains("\"a 'b' c\"") && text.ends_with("FAIL"), "{text}");
        assert_eq!(field("plain"), "plain");
        assert_eq!(field(""), "\"\"");
        assert_eq!(field("two\nlines"), "\"two lines\"");
    }

    #[test]
    fn bounds_decide() {
        let mut report = Report::new("p");
        report.equal("same", 1, 1);
        report.equal("other", 1, 2);
        report.at_most("less", 2, 2, "");
        report.at_most("more", 3, 2, "");
        report.within("slow", Duration::from_millis(1500), Duration::from_secs(1));
        let verdicts: Vec<bool> = report.lines().iter().map(|line| line.passed).collect();
        assert_eq!(verdicts, [true, false, true, false, false]);
        assert_eq!(report.lines()[4].value, "1.50s");
        assert_eq!(report.lines()[4].bound, "<=1s");
    }
}
