//! Ctrl-C: labs are taken away before the process ends, because nobody else would until the next run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::signal::unix::{SignalKind, signal};

static IS_EXPECTED: AtomicBool = AtomicBool::new(false);
static LABS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Remembers a lab of this process. Call it before the lab is started.
pub fn remember(lab: &str) {
    LABS.lock().unwrap_or_else(PoisonError::into_inner).push(lab.to_owned());
}

/// From now on a signal is how the command is meant to end: the exit code is 0.
pub fn ends_well() {
    IS_EXPECTED.store(true, Ordering::Relaxed);
}

/// From now on SIGINT and SIGTERM remove the labs and end the process with code 130.
pub fn clean_up_on_signal() {
    std::thread::spawn(|| {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
            return;
        };
        runtime.block_on(async {
            let (Ok(mut interrupt), Ok(mut terminate)) =
                (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
            else {
                return;
            };
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        let labs = LABS.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if !labs.is_empty() {
            eprintln!("\nprove: taking {} away", labs.join(", "));
        }
        for lab in labs {
            if let Err(error) = ferrolb_lab::remove(&lab) {
                eprintln!("prove: lab {lab}: {error:#}; `make lab-down` tries again");
            }
        }
        std::process::exit(if IS_EXPECTED.load(Ordering::Relaxed) { 0 } else { 130 });
    });
}
