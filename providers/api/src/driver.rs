//! Engines behind one object-safe face, so that a controller can hold several backends at once.

use std::future::Future;
use std::pin::Pin;

use crate::engine::claims;
use crate::{Claim, Desired, Engine, Host, Outcome, Owner, Problem, Provider, ProviderError};

/// A future that can be boxed and sent.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An [`Engine`] whose provider is hidden.
pub trait Driver: Send + Sync {
    /// See [`Engine::reconcile`].
    fn reconcile<'a>(&'a self, want: &'a Desired, host: &'a dyn Host) -> BoxFuture<'a, Outcome>;

    /// See [`Engine::release`].
    fn release<'a>(&'a self, owner: &'a Owner, host: &'a dyn Host) -> BoxFuture<'a, Outcome>;

    /// See [`Engine::first_seen`].
    fn first_seen(&self, owner: &Owner);

    /// See [`Provider::owners`].
    fn owners<'a>(&'a self, cluster: &'a str) -> BoxFuture<'a, Result<Vec<Owner>, ProviderError>>;

    /// The problems of the input alone, without any call; warnings when it is right.
    ///
    /// # Errors
    /// The problems that stop it.
    fn check(&self, want: &Desired) -> Result<Vec<Problem>, Vec<Problem>>;

    /// The places that `want` asks for and only one owner can have, as [`Host::claim`] gets them; none for wrong input.
    fn claims(&self, want: &Desired) -> Vec<Claim>;
}

impl<P: Provider> Driver for Engine<P> {
    fn reconcile<'a>(&'a self, want: &'a Desired, host: &'a dyn Host) -> BoxFuture<'a, Outcome> {
        Box::pin(Engine::reconcile(self, want, host))
    }

    fn release<'a>(&'a self, owner: &'a Owner, host: &'a dyn Host) -> BoxFuture<'a, Outcome> {
        Box::pin(Engine::release(self, owner, host))
    }

    fn first_seen(&self, owner: &Owner) {
        Engine::first_seen(self, owner);
    }

    fn owners<'a>(&'a self, cluster: &'a str) -> BoxFuture<'a, Result<Vec<Owner>, ProviderError>> {
        Box::pin(self.provider().owners(cluster))
    }

    fn check(&self, want: &Desired) -> Result<Vec<Problem>, Vec<Problem>> {
        self.provider().model(want).map(|m| m.warnings)
    }

    fn claims(&self, want: &Desired) -> Vec<Claim> {
        self.provider().model(want).map(|m| claims(&m.resources)).unwrap_or_default()
    }
}
