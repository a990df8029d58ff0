//! A provider whose process can die: at a chosen operation, or at the first call that fails.

use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use crate::{Desired, Model, Owner, Problem, Provider, ProviderError, Seen, Serving, Step};

/// Hands everything on to the provider under test.
pub(super) struct Mortal<P> {
    pub inner: P,
    pub fate: Fate,
}

/// When a process dies. Shared by its [`Mortal`] and whoever watches over it.
#[derive(Clone, Default)]
pub(super) struct Fate(Arc<Mutex<State>>);

#[derive(Clone, Default)]
struct State {
    operations: usize,
    dies_after: Option<usize>,
    dies_of_errors: bool,
    blind: bool,
    dead: bool,
}

impl Fate {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After the `n`-th list or step (from 1) the process dies, before it can act on the answer.
    pub fn die_after(&self, n: usize) {
        let mut state = self.state();
        (state.operations, state.dies_after) = (0, Some(n));
    }

    /// The first list or step that fails takes the process with it.
    pub fn die_of_errors(&self) {
        self.state().dies_of_errors = true;
    }

    /// Lists show nothing, as to a process that does not look before it creates.
    pub fn be_blind(&self) {
        self.state().blind = true;
    }

    /// Starts to count operations anew.
    pub fn count_anew(&self) {
        self.state().operations = 0;
    }

    /// Lists and steps so far.
    pub fn operations(&self) -> usize {
        self.state().operations
    }

    /// Runs `work` to its end, or until death: then `None`.
    pub async fn outlive<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending if self.state().dead => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    /// Passes an answer on to the engine, unless the process is dead by now.
    async fn meet<T>(&self, answer: Result<T, ProviderError>) -> Result<T, ProviderError> {
        let dead = {
            let mut state = self.state();
            state.operations += 1;
            state.dead |= state.dies_after == Some(state.operations) || (state.dies_of_errors && answer.is_err());
            state.dead
        };
        if dead { pending().await } else { answer }
    }
}

impl<P: Provider> Provider for Mortal<P> {
    type Resource = P::Resource;

    fn model(&self, want: &Desired) -> Result<Model<P::Resource>, Vec<Problem>> {
        self.inner.model(want)
    }

    async fn list(&self, owner: &Owner, model: &[P::Resource]) -> Result<Vec<Seen<P::Resource>>, ProviderError> {
        let blind = self.fate.state().blind;
        let answer = if blind { Ok(Vec::new()) } else { self.inner.list(owner, model).await };
        self.fate.meet(answer).await
    }

    async fn apply(&self, owner: &Owner, step: &Step<P::Resource>) -> Result<Vec<Seen<P::Resource>>, ProviderError> {
        let answer = self.inner.apply(owner, step).await;
        self.fate.meet(answer).await
    }

    fn status(&self, model: &[P::Resource], seen: &[Seen<P::Resource>]) -> Serving {
        self.inner.status(model, seen)
    }

    async fn owners(&self, cluster: &str) -> Result<Vec<Owner>, ProviderError> {
        self.inner.owners(cluster).await
    }
}
