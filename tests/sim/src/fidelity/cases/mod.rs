//! The cases by topic. Each is a name and a script in the language of [`super::script`].

mod apply;
mod classes;
mod conflicts;
mod deletion;
mod lists;
mod others;
mod patches;
mod refusals;
mod services;
mod status;
mod watches;

/// Name and script.
pub type Case = (&'static str, &'static str);

/// All of them.
pub const ALL: &[&[Case]] = &[
    conflicts::CASES,
    patches::CASES,
    apply::CASES,
    deletion::CASES,
    status::CASES,
    lists::CASES,
    watches::CASES,
    services::CASES,
    others::CASES,
    classes::CASES,
    refusals::CASES,
];
