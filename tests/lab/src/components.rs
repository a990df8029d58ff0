//! The parts of a running lab by name, so that a test can kill, stop and start them.

use std::ffi::OsString;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::net::{Where, namespace};
use crate::process::{self, Running};
use crate::registry::{self, Paths};

/// What is needed to start a component, again and again.
#[derive(Debug, Clone)]
pub(crate) struct Component {
    pub name: String,
    pub place: Where,
    pub program: OsString,
    pub args: Vec<OsString>,
    pub path: OsString,
}

/// All components of a lab, in order of their first start.
#[derive(Debug)]
pub(crate) struct Components {
    lab: String,
    paths: Paths,
    slots: Mutex<Vec<(Component, Option<Running>)>>,
}

impl Components {
    pub(crate) fn new(lab: &str, paths: Paths) -> Components {
        Components { lab: lab.to_owned(), paths, slots: Mutex::new(Vec::new()) }
    }

    /// Starts a component for the first time.
    pub(crate) fn add(&self, component: Component) -> Result<()> {
        let running = self.launch(&component)?;
        self.lock().push((component, Some(running)));
        Ok(())
    }

    /// Starts one that was stopped; one that runs is left alone.
    pub(crate) fn start(&self, name: &str) -> Result<()> {
        self.with(name, |component, slot| {
            if !slot.as_mut().is_some_and(Running::is_running) {
                *slot = Some(self.launch(component)?);
            }
            Ok(())
        })
    }

    /// SIGTERM, then SIGKILL after 10 s.
    pub(crate) fn stop(&self, name: &str) -> Result<()> {
        self.with(name, |_, slot| match slot.take() {
            Some(mut running) => running.stop(Duration::from_secs(10)).map(drop),
            None => Ok(()),
        })
    }

    /// SIGKILL.
    pub(crate) fn kill(&self, name: &str) -> Result<()> {
        self.with(name, |_, slot| match slot.take() {
            Some(mut running) => running.kill(),
            None => Ok(()),
        })
    }

    /// The first one that has ended although nobody asked it to, with the end of its log.
    pub(crate) fn check(&self) -> Result<()> {
        for (component, slot) in self.lock().iter_mut() {
            if let Some(running) = slot
                && !running.is_running()
            {
                let log = running.log_text();
                let tail: Vec<&str> = log.lines().rev().take(15).collect();
                let tail: Vec<&str> = tail.into_iter().rev().collect();
                bail!("{} has ended; its log ends with:\n{}", component.name, tail.join("\n"));
            }
        }
        Ok(())
    }

    /// Kills all, the last first.
    pub(crate) fn kill_all(&self) {
        for (_, slot) in self.lock().drain(..).rev() {
            drop(slot);
        }
    }

    /// Lets all run on when this value is gone.
    pub(crate) fn keep_all(&self) {
        for (_, slot) in self.lock().iter_mut() {
            if let Some(running) = slot {
                running.keep();
            }
        }
    }

    fn launch(&self, component: &Component) -> Result<Running> {
        // nsenter and not `ip netns exec`: that mounts a new /sys, in which the cgroups are missing.
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{}", namespace(&self.lab, component.place)));
        command.arg(&component.program).args(&component.args).env("PATH", &component.path);
        let running = process::start(&component.name, &command, self.paths.log(&component.name))?;
        registry::remember(&self.paths, running.pid())?;
        Ok(running)
    }

    fn with<T>(&self, name: &str, act: impl FnOnce(&Component, &mut Option<Running>) -> Result<T>) -> Result<T> {
        let mut slots = self.lock();
        let known: Vec<String> = slots.iter().map(|(component, _)| component.name.clone()).collect();
        let slot = slots.iter_mut().find(|(component, _)| component.name == name);
        let (component, slot) =
            slot.with_context(|| format!("no component {name:?}; this lab has {}", known.join(", ")))?;
        act(component, slot)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Component, Option<Running>)>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
