//! The bugs. Each replaces text that must occur exactly once; in its place `BUG` stands for the question whether this
//! bug is on.

/// What finds a bug.
#[derive(Clone, Copy)]
pub enum Finder {
    /// Random worlds.
    Seeds,
    /// Random worlds from this seed on, for what only a rare fault shows.
    SeedsFrom(u64),
    /// A script, disturbed at each point.
    Perturbation(&'static str),
    /// The measurement of how old a view may get.
    Freshness,
}

/// A mistake.
pub struct Bug {
    pub name: &'static str,
    /// What the controller does wrong.
    pub about: &'static str,
    pub finder: Finder,
    pub changes: &'static [Change],
}

/// How it gets into the source.
pub struct Change {
    pub file: &'static str,
    pub find: &'static str,
    pub replace: &'static str,
}

const ENGINE: &str = "providers/api/src/engine.rs";
const PLAN: &str = "providers/api/src/plan.rs";
const RECONCILE: &str = "src/controller/reconcile.rs";
const WRITE: &str = "src/kube/write.rs";
const FEED: &str = "src/kube/feed.rs";
const STATUS: &str = "src/core/status.rs";

/// All of them.
pub const BUGS: &[Bug] = &[
    Bug {
        name: "create-without-look-up",
        about: "what exists is known from memory, not from the cloud, so a restart makes everything anew",
        finder: Finder::Seeds,
        changes: &[Change {
            file: ENGINE,
            find: "let seen = self.with_memory(owner, |m| m.overlay(seen, listed_at));",
            replace: "let seen = if BUG { Vec::new() } else { seen };\n        \
                      let seen = self.with_memory(owner, |m| m.overlay(seen, listed_at));",
        }],
    },
    Bug {
        name: "swallowed-delete-error",
        about: "a deletion that failed counts as done",
        finder: Finder::Seeds,
        changes: &[Change {
            file: ENGINE,
            find: "            Err(error) => {\n                let stop = matches!(error, ProviderError::Throttled",
            replace: "            Err(_) if step.verb == Verb::Delete && BUG => {\n                \
                      self.vanished(&step, until);\n                Continue(())\n            }\n            \
                      Err(error) => {\n                let stop = matches!(error, ProviderError::Throttled",
        }],
    },
    Bug {
        name: "finalizer-removed-first",
        about: "the Service is let go before its load balancer is deleted",
        finder: Finder::Seeds,
        changes: &[Change {
            file: RECONCILE,
            find: "    // Where it is not written down who holds objects, all are asked.\n",
            replace: "    if BUG {\n        cx.write.release(&service, &Report::default()).await?;\n    }\n",
        }],
    },
    Bug {
        name: "identity-by-name",
        about: "a write on a Service names no UID, so it may land on a successor of the same name",
        finder: Finder::Seeds,
        changes: &[Change {
            file: WRITE,
            find: "            \"uid\": service.metadata.uid,\n",
            replace: "            \"uid\": service.metadata.uid.as_ref().filter(|_| !BUG),\n",
        }],
    },
    Bug {
        name: "status-written-every-time",
        about: "the status is written in every pass, whether it differs or not",
        finder: Finder::Seeds,
        changes: &[Change {
            file: WRITE,
            find: "if ferrolb_core::equal(report, service) && !self.is_behind(service) {",
            replace: "if !BUG && ferrolb_core::equal(report, service) && !self.is_behind(service) {",
        }],
    },
    Bug {
        name: "retry-without-settle-time",
        about: "a call without an answer counts as one without an effect, and no settle time is kept",
        finder: Finder::Seeds,
        changes: &[Change {
            file: ENGINE,
            find: "Err(ProviderError::Ambiguous(_)) => Effect::Unknown,",
            replace: "Err(ProviderError::Ambiguous(_)) if !BUG => Effect::Unknown,",
        }],
    },
    Bug {
        name: "absence-believed-at-once",
        about: "a Service is let go as soon as one list shows nothing",
        finder: Finder::Seeds,
        changes: &[Change {
            file: ENGINE,
            find: "if model.is_empty() && self.listed_at < settle_until {",
            replace: "if !BUG && model.is_empty() && self.listed_at < settle_until {",
        }],
    },
    Bug {
        name: "feeds-not-awaited",
        about: "members are planned before the nodes have been listed",
        finder: Finder::Perturbation("nodes"),
        changes: &[Change {
            file: "src/controller/run.rs",
            find: "if complete(&feeds, &stop).await {",
            replace: "if BUG || complete(&feeds, &stop).await {",
        }],
    },
    Bug {
        name: "stale-cache",
        about: "a cached Service is acted on though it is older than our own write, and nobody checks its version",
        finder: Finder::Seeds,
        changes: &[
            Change {
                file: WRITE,
                find: "if version(service) >= Some(ours) {",
                replace: "if BUG || version(service) >= Some(ours) {",
            },
            Change {
                file: WRITE,
                find: "            \"resourceVersion\": service.metadata.resource_version,\n",
                replace: "            \"resourceVersion\": service.metadata.resource_version.as_ref().filter(|_| !BUG),\n",
            },
        ],
    },
    Bug {
        name: "surplus-stays",
        about: "what is not wanted any more is never deleted",
        finder: Finder::Seeds,
        changes: &[Change {
            file: PLAN,
            find: "    let (early, late) = surplus(seen, &plan.kept, &replaced);\n",
            replace: "    let (early, mut late) = surplus(seen, &plan.kept, &replaced);\n    \
                      if BUG && !model.is_empty() {\n        late.clear();\n    }\n",
        }],
    },
    Bug {
        name: "lease-not-looked-at",
        about: "a leader goes on writing to the cloud when its lease has run out",
        finder: Finder::SeedsFrom(11),
        changes: &[Change {
            file: "src/controller/context.rs",
            find: "        self.permit.covers(",
            replace: "        BUG || self.permit.covers(",
        }],
    },
    Bug {
        name: "hot-retry",
        about: "what failed is tried again ten times a second",
        finder: Finder::SeedsFrom(21),
        changes: &[Change {
            file: "src/controller/retry.rs",
            find: "    let first = match class {\n",
            replace: "    if BUG {\n        return Duration::from_millis(100);\n    }\n    let first = match class {\n",
        }],
    },
    Bug {
        name: "expired-ends-the-watch",
        about: "a watch that is told 410 is not begun again",
        finder: Finder::Seeds,
        changes: &[Change {
            file: FEED,
            find: "                Some(Err(error)) => {\n                    health.failing",
            replace: "                Some(Err(error)) if BUG && format!(\"{error:?}\").contains(\"410\") => return,\n                \
                      Some(Err(error)) => {\n                    health.failing",
        }],
    },
    Bug {
        name: "no-watchdog",
        about: "a watch may be silent for minutes, and one that cannot be started is never begun from the beginning",
        finder: Finder::Freshness,
        changes: &[
            Change {
                file: FEED,
                find: ".timeout(WATCH_SECONDS)",
                replace: ".timeout(if BUG { 290 } else { WATCH_SECONDS })",
            },
            Change {
                file: FEED,
                find: "if gone || failed_starts >= FAILED_STARTS {",
                replace: "if !BUG && (gone || failed_starts >= FAILED_STARTS) {",
            },
        ],
    },
    Bug {
        name: "no-sweep",
        about: "nobody looks for objects whose Service went without a finalizer",
        finder: Finder::Seeds,
        changes: &[Change {
            file: "src/controller/sweep.rs",
            find: "    for (name, driver) in &cx.registry {\n",
            replace: "    for (name, driver) in cx.registry.iter().filter(|_| !BUG) {\n",
        }],
    },
    Bug {
        name: "failed-list-empties-status",
        about: "the address goes from the status when the cloud cannot be asked",
        finder: Finder::Seeds,
        changes: &[Change {
            file: STATUS,
            find: "    fn keep_ingress(&mut self) {\n        if is_load_balancer(self.svc) {",
            replace: "    fn keep_ingress(&mut self) {\n        if !BUG && is_load_balancer(self.svc) {",
        }],
    },
];
