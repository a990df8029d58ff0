//! Waiting for a condition with a deadline, instead of sleeping for luck.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

/// Asks `probe` every 50 ms until it yields a value. Errors of the probe are taken as "not yet"; the last
/// one is told when `patience` is over.
pub fn wait_for<T>(what: &str, patience: Duration, mut probe: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        let last = match probe() {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => None,
            Err(error) => Some(error),
        };
        if Instant::now() >= deadline {
            let waited = format!("waited {} s for {what}", patience.as_secs_f32());
            return Err(match last {
                Some(error) => error.context(waited),
                None => anyhow!(waited),
            });
        }
        thread::sleep(Duration::from_millis(50));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_error_names_what_was_awaited_and_the_last_failure() {
        let error = wait_for::<()>("the moon", Duration::from_millis(1), || Err(anyhow!("too bright"))).unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains("the moon") && text.contains("too bright"), "{text}");
    }

    #[test]
    fn errors_before_success_do_not_count() {
        let mut tries = 0;
        let value = wait_for("luck", Duration::from_secs(5), || {
            tries += 1;
            if tries < 3 { Err(anyhow!("not yet")) } else { Ok(Some(tries)) }
        });
        assert_eq!(value.unwrap(), 3);
    }
}
