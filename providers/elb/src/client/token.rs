//! Tokens: a user signs in to IAM with a password and shows the token with each call, until it ends. Source: IAM API
//! reference, `POST /v3/auth/tokens`.
//!
//! One sign-in at a time; a new token is asked for before the old one ends, and meanwhile the old one is shown. After
//! one that failed there is a pause, because IAM locks a user out after a few wrong passwords.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ferrolb_provider::{Detail, ProviderError};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::credentials::{Credentials, User};
use super::endpoint::Service;
use super::refusal::{classify, request_id};
use super::send::{Call, Effect, Shared, Try};
use super::transport::{Method, Response};

/// The lifetime of a token of which the cloud does not say it.
const LIFETIME: Duration = Duration::from_secs(3600);
/// Within this time nothing is expected of another token that this one did not have.
const FRESH: Duration = Duration::from_secs(30);
/// Until the next sign-in, after IAM said no.
const AFTER_REFUSAL: Duration = Duration::from_secs(300);
/// Until the next sign-in, after IAM could not answer.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// A token.
#[derive(Debug)]
pub(super) struct Token {
    text: SecretString,
    since: Duration,
    /// When a new one is worth a call.
    renew: Duration,
    end: Duration,
}

impl Token {
    /// Whether another one may be taken where this one is not.
    pub(super) fn is_worth_another(&self, now: Duration) -> bool {
        now >= self.since + FRESH
    }
}

/// The token of the moment.
#[derive(Default)]
pub(super) struct Tokens {
    state: Mutex<State>,
    /// Held by the one who signs in.
    flight: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    held: Option<(Arc<Credentials>, Arc<Token>)>,
    failed: Option<Failed>,
}

struct Failed {
    of: Arc<Credentials>,
    error: ProviderError,
    until: Duration,
}

impl Tokens {
    fn usable(&self, of: &Arc<Credentials>, refused: Option<&Arc<Token>>, now: Duration) -> Option<Arc<Token>> {
        let state = self.state();
        let (owner, token) = state.held.as_ref()?;
        let is_refused = refused.is_some_and(|refused| Arc::ptr_eq(refused, token));
        (Arc::ptr_eq(owner, of) && !is_refused && now < token.end).then(|| token.clone())
    }

    /// What the last sign-in with these credentials said, while it is too early for another.
    fn failed(&self, of: &Arc<Credentials>, now: Duration) -> Option<ProviderError> {
        let state = self.state();
        let failed = state.failed.as_ref().filter(|f| Arc::ptr_eq(&f.of, of) && now < f.until)?;
        Some(failed.error.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// The token to show, for which a sign-in may be needed. `refused` is one that was turned away.
    pub(super) async fn token(
        &self,
        credentials: &Arc<Credentials>,
        user: &User,
        refused: Option<&Arc<Token>>,
    ) -> Result<Arc<Token>, ProviderError> {
        let is_young = |token: &Arc<Token>| self.clock.monotonic() < token.renew;
        let usable = || self.tokens.usable(credentials, refused, self.clock.monotonic());
        let _flight = match (usable(), self.tokens.flight.try_lock()) {
            (Some(token), _) if is_young(&token) => return Ok(token),
            (_, Ok(flight)) => flight,
            // Somebody is about to renew it.
            (Some(token), Err(_)) => return Ok(token),
            (None, Err(_)) => self.tokens.flight.lock().await,
        };
        let old = usable();
        if let Some(token) = old.as_ref().filter(|token| is_young(token)) {
            return Ok(token.clone());
        }
        if let Some(error) = self.tokens.failed(credentials, self.clock.monotonic()) {
            return old.ok_or(error);
        }
        match self.sign_in(user).await {
            Ok(token) => {
                let token = Arc::new(token);
                *self.tokens.state() = State { held: Some((credentials.clone(), token.clone())), failed: None };
                Ok(token)
            }
            Err(error) => {
                let pause = match &error {
                    ProviderError::Throttled { after, .. } => after.unwrap_or(AFTER_FAILURE).min(AFTER_REFUSAL),
                    ProviderError::Denied(_) | ProviderError::Refused(_) => AFTER_REFUSAL,
                    _ => AFTER_FAILURE,
                };
                let until = self.clock.monotonic() + pause;
                self.tokens.state().failed = Some(Failed { of: credentials.clone(), error: error.clone(), until });
                tracing::warn!(user = user.name, account = user.domain, %error, next_try = ?pause, "no token");
                old.ok_or(error)
            }
        }
    }

    /// A new token for the project, within half a call's time: those who wait for it have a deadline.
    async fn sign_in(&self, user: &User) -> Result<Token, ProviderError> {
        let detail = |message: String| Detail { call: "POST /v3/auth/tokens".into(), message, ..Detail::default() };
        if !self.places.has_iam() {
            let message = "a user needs the endpoint of IAM: --elb-iam-endpoint, or --elb-region".to_owned();
            return Err(ProviderError::Denied(detail(message)));
        }
        let limit = self.deadline / 2;
        match tokio::time::timeout(limit, self.sign_in_and_take_on(user)).await {
            Ok(token) => token,
            Err(_) => {
                let text = format!("IAM did not answer within {} ms", limit.as_millis());
                Err(ProviderError::Unavailable(detail(text)))
            }
        }
    }

    async fn sign_in_and_take_on(&self, user: &User) -> Result<Token, ProviderError> {
        let password = json!({"methods": ["password"], "password": {"user": {
            "name": user.name, "password": user.password.expose_secret(), "domain": {"name": user.domain},
        }}});
        let project = json!({"project": {"id": self.project_id}});
        let Some(agency) = &user.agency else {
            return self.ask(password, project, None).await;
        };
        let own = self.ask(password, json!({"domain": {"name": user.domain}}), None).await?;
        let role = json!({"methods": ["assume_role"], "assume_role": {"domain_name": agency.domain, "xrole_name": agency.name}});
        self.ask(role, project, Some(&own)).await
    }

    async fn ask(&self, identity: Value, scope: Value, own: Option<&Token>) -> Result<Token, ProviderError> {
        let mut call = Call::get(Service::Iam, "/v3/auth/tokens".into());
        call.method = Method::Post;
        call.body = Some(json!({"auth": {"identity": identity, "scope": scope}}));
        let attempt = Try::first(&*self.clock, None);
        let now = self.clock.monotonic();
        let answer = self.transport.send(self.request(&call, headers(own, true))).await;
        let said = answer.as_ref().ok().map(|response| (response.status, request_id(response)));
        let result = self.read_token(answer, now);
        self.tell(&call, &attempt, said, result.as_ref().err());
        result
    }

    fn read_token(
        &self,
        answer: Result<Response, super::TransportError>,
        now: Duration,
    ) -> Result<Token, ProviderError> {
        let call = "POST /v3/auth/tokens";
        let unavailable =
            |message: String| ProviderError::Unavailable(Detail { call: call.into(), message, ..Detail::default() });
        let response = answer.map_err(|error| unavailable(error.to_string()))?;
        if !(200..300).contains(&response.status) {
            return Err(match classify(call, Effect::Read, &response) {
                // Of a user, a project or an agency: only who wrote the credentials can help.
                ProviderError::NotFound(detail) => ProviderError::Denied(detail),
                other => other,
            });
        }
        let Some(text) = response.header("x-subject-token").filter(|text| !text.is_empty()) else {
            return Err(unavailable("the answer has no X-Subject-Token".into()));
        };
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let time = |name: &str| body.pointer(&format!("/token/{name}"))?.as_str()?.parse::<Timestamp>().ok();
        // Both by the cloud's clock, which may not be ours.
        let lifetime = time("expires_at").map(|end| {
            let since = time("issued_at").unwrap_or_else(|| self.clock.utc());
            Duration::try_from(end.duration_since(since)).unwrap_or_default()
        });
        let lifetime = lifetime.unwrap_or(LIFETIME);
        let text = SecretString::from(text.to_owned());
        Ok(Token { text, since: now, renew: now + lifetime.mul_f64(0.9), end: now + lifetime })
    }
}

/// All headers of a call that is not signed.
pub(super) fn headers(token: Option<&Token>, has_body: bool) -> Vec<(String, String)> {
    let token = token.map(|token| ("x-auth-token".to_owned(), token.text.expose_secret().to_owned()));
    let json = has_body.then(|| ("content-type".to_owned(), "application/json;charset=utf-8".to_owned()));
    token.into_iter().chain(json).collect()
}

#[cfg(test)]
mod tests;
