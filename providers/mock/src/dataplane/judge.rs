//! When to believe a probe: so many in a row.

/// The verdict on one member so far.
pub struct Judge {
    up_after: u32,
    down_after: u32,
    verdict: Option<bool>,
    against: u32,
}

impl Judge {
    pub fn new(up_after: u32, down_after: u32) -> Self {
        Self { up_after, down_after, verdict: None, against: 0 }
    }

    /// Notes a probe; gives the verdict if it is new. The very first success counts at once.
    pub fn note(&mut self, up: bool) -> Option<bool> {
        if self.verdict == Some(up) {
            self.against = 0;
            return None;
        }
        self.against += 1;
        let needed = match (self.verdict, up) {
            (None, true) => 1,
            (_, true) => self.up_after,
            (_, false) => self.down_after,
        };
        if self.against < needed {
            return None;
        }
        self.against = 0;
        self.verdict = Some(up);
        self.verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_the_agreed_number_in_a_row_to_change_its_mind() {
        let mut judge = Judge::new(2, 3);
        assert_eq!(judge.note(true), Some(true));
        assert_eq!([false, false, true].map(|up| judge.note(up)), [None; 3]);
        assert_eq!([false, false, false].map(|up| judge.note(up)), [None, None, Some(false)]);
        assert_eq!([true, false, true].map(|up| judge.note(up)), [None; 3]);
        assert_eq!(judge.note(true), Some(true));
    }

    #[test]
    fn a_member_that_never_answers_is_down_after_the_agreed_number() {
        let mut judge = Judge::new(1, 2);
        assert_eq!([false, false, false].map(|up| judge.note(up)), [None, Some(false), None]);
    }
}
