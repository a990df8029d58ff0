//! `prove demo`: one Service's life, on a real cluster, shown as a person would want to see it.

mod screen;
mod story;

pub use story::run;
