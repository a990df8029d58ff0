//! What was checked and how it went.

use std::fmt;

/// Result of [`run`](super::run), printable as a table.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// In the order in which they were run.
    pub cases: Vec<CaseReport>,
}

/// Result of one case.
#[derive(Clone, Debug)]
pub struct CaseReport {
    /// What ought to hold.
    pub name: String,
    /// Whether it does.
    pub verdict: Verdict,
    /// How much was tried; or what went wrong, first of all in which of the runs.
    pub detail: String,
}

/// Whether a case holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Pass,
    /// It does not.
    Fail,
    /// The subject cannot do what is needed to find out.
    NotChecked,
}

impl Report {
    /// True when no case failed and at least one passed. What was not checked is in [`Report::count`].
    pub fn all_passed(&self) -> bool {
        self.count(Verdict::Fail) == 0 && self.count(Verdict::Pass) > 0
    }

    /// Number of cases with this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.cases.iter().filter(|c| c.verdict == verdict).count()
    }

    /// Names of the cases that failed.
    pub fn failed(&self) -> Vec<&str> {
        self.cases.iter().filter(|c| c.verdict == Verdict::Fail).map(|c| c.name.as_str()).collect()
    }

    pub(super) fn add(&mut self, name: impl Into<String>, judged: Judged) {
        let (verdict, detail) = match judged {
            Ok(detail) => (Verdict::Pass, detail),
            Err(Miss::Failed(detail)) => (Verdict::Fail, detail),
            Err(Miss::NotChecked(why)) => (Verdict::NotChecked, why.to_owned()),
        };
        self.cases.push(CaseReport { name: name.into(), verdict, detail });
    }
}

/// What a case comes to: how much was tried, or why it does not hold.
pub(super) type Judged = Result<String, Miss>;

/// Why a case did not pass.
pub(super) enum Miss {
    Failed(String),
    NotChecked(&'static str),
}

impl From<String> for Miss {
    fn from(detail: String) -> Self {
        Self::Failed(detail)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Fail => "FAIL",
            Self::NotChecked => "not checked",
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.cases.iter().map(|c| c.name.chars().count()).max().unwrap_or(0).max(4);
        writeln!(f, "{:width$}  {:11}  detail", "case", "verdict")?;
        for case in &self.cases {
            writeln!(f, "{:width$}  {:11}  {}", case.name, case.verdict, case.detail)?;
        }
        let [passed, failed, not_checked] = [Verdict::Pass, Verdict::Fail, Verdict::NotChecked].map(|v| self.count(v));
        writeln!(f, "{passed} passed, {failed} failed, {not_checked} not checked")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_names_every_case_and_only_what_was_tried_passes() {
        let mut report = Report::default();
        assert!(!report.all_passed());
        report.add("adoption", Err(Miss::NotChecked("has none")));
        assert!(!report.all_passed());
        report.add("idempotence", Ok("4 samples".to_owned()));
        assert!(report.all_passed());
        report.add("deletion", Err("leaked eip e-1".to_owned().into()));
        assert!(!report.all_passed());
        assert_eq!(report.failed(), ["deletion"]);
        let table = "\
case         verdict      detail
adoption     not checked  has none
idempotence  pass         4 samples
deletion     FAIL         leaked eip e-1
1 passed, 1 failed, 1 not checked
";
        assert_eq!(report.to_string(), table);
    }
}
