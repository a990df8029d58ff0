//! What proofs stand on: beds (a lab with the product in it), and handles on Services, cloud and controller.

mod alone;
mod cloud;
mod controller;
mod full;
mod gateway;
mod history;
mod light;
pub mod manifest;
mod proxy;
mod restricted;
mod scene;
mod service;

pub use alone::Alone;
pub use cloud::{Call, Cloud, PROJECT};
pub use controller::Controller;
pub use full::{Full, mock_arguments, start_lab};
pub use gateway::{GATEWAY, Gateway, OUTSIDE, PATIENCE};
pub use history::History;
pub use light::Light;
pub use proxy::{Hold, Nth, Passed, Proxy};
pub use restricted::RestrictedRelease;
pub use scene::Scene;
pub use service::{Condition, Service, condition, create_namespace};
