//! One call: limiter, deadline, signature or token, answer or error, one line in the log. Never twice, unless the token
//! was turned away: then nothing was done.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ferrolb_provider::{Detail, ProviderError};
use serde_json::Value;

use super::clock::Clock;
use super::credentials::{Credentials, CredentialsSource};
use super::endpoint::{Places, Service};
use super::limit::Limiter;
use super::refusal::{classify, request_id};
use super::sign::{self, Unsigned};
use super::token::{self, Token, Tokens};
use super::transport::{Method, Request, Response, Transport, TransportError};
use crate::config::ElbConfig;

/// What it means when nobody knows whether a call was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing.
    Read,
    /// Nothing: the same call again does no harm, and one that comes late does none either.
    Repeatable,
    /// It may have made something that a second call would make again.
    Once,
}

impl Effect {
    /// The error for a call whose fate is unknown.
    pub(crate) fn maybe(self, detail: Detail) -> ProviderError {
        match self {
            Self::Read | Self::Repeatable => ProviderError::Unavailable(detail),
            Self::Once => ProviderError::Ambiguous(detail),
        }
    }
}

/// A call to make.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) service: Service,
    pub(crate) method: Method,
    /// Path, not encoded.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Option<Value>,
    pub(crate) effect: Effect,
}

impl Call {
    /// A read.
    pub(crate) fn get(service: Service, path: String) -> Self {
        Self { service, method: Method::Get, path, query: Vec::new(), body: None, effect: Effect::Read }
    }

    /// A write that may be repeated.
    pub(crate) fn write(service: Service, method: Method, path: String, body: Option<Value>) -> Self {
        Self { method, body, effect: Effect::Repeatable, ..Self::get(service, path) }
    }

    /// The body as it is sent, empty for none.
    fn body(&self) -> Vec<u8> {
        self.body.as_ref().map(|body| body.to_string().into_bytes()).unwrap_or_default()
    }
}

/// Makes calls.
#[derive(Clone)]
pub(crate) struct Client {
    shared: Arc<Shared>,
    /// When the step began that the calls belong to; `None`: each call is for itself.
    began: Option<Duration>,
}

pub(super) struct Shared {
    pub(super) transport: Arc<dyn Transport>,
    credentials: Arc<dyn CredentialsSource>,
    pub(super) tokens: Tokens,
    pub(super) clock: Arc<dyn Clock>,
    limiter: Limiter,
    calls_per_second: f64,
    /// The cloud does not know calls for several members at once.
    only_single_members: AtomicBool,
    pub(super) deadline: Duration,
    pub(super) places: Places,
    pub(super) project_id: String,
}

/// What one try of a call came to know.
#[derive(Default)]
struct Try {
    /// A token that was turned away.
    refused: Option<Arc<Token>>,
    /// The token that was shown.
    shown: Option<Arc<Token>>,
}

impl Client {
    pub(crate) fn new(
        config: &ElbConfig,
        transport: Arc<dyn Transport>,
        credentials: Arc<dyn CredentialsSource>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                transport,
                credentials,
                tokens: Tokens::default(),
                clock,
                limiter: Limiter::new(config.limits),
                calls_per_second: config.limits.per_second,
                only_single_members: AtomicBool::new(false),
                deadline: config.deadline,
                places: Places::new(config),
                project_id: config.project_id.clone(),
            }),
            began: None,
        }
    }

    /// The same client for the calls of one step, which share one deadline: whoever allowed the step allowed it for
    /// that long.
    pub(crate) fn for_step(&self) -> Self {
        Self { shared: self.shared.clone(), began: Some(self.shared.clock.monotonic()) }
    }

    /// Whether there is a NAT service to ask.
    pub(crate) fn has_nat(&self) -> bool {
        self.shared.places.has_nat()
    }

    /// Whether this process found out that members can only be changed one by one.
    pub(crate) fn only_single_members(&self) -> bool {
        self.shared.only_single_members.load(Ordering::Relaxed)
    }

    /// Remembers that, for as long as the process lives.
    pub(crate) fn set_only_single_members(&self) {
        self.shared.only_single_members.store(true, Ordering::Relaxed);
    }

    /// The project that calls are made in.
    pub(super) fn project_id(&self) -> &str {
        &self.shared.project_id
    }

    /// Makes one call and returns its answer's body, `null` for none.
    pub(crate) async fn send(&self, call: Call) -> Result<Value, ProviderError> {
        let shared = &*self.shared;
        let mut attempt = Try::default();
        loop {
            let now = shared.clock.monotonic();
            // A read that belongs to no step has no deadline but its own, which begins when it is sent.
            let began = self.began.or_else(|| (call.effect != Effect::Read).then_some(now));
            let answer = shared.answer(&call, began, &mut attempt).await;
            let (status, request) = match &answer {
                Ok(response) => (response.status, request_id(response)),
                Err(_) => (0, None),
            };
            let result = answer.and_then(|response| read(&call, &response));
            let error = result.as_ref().err();
            shared.log(&call, status, request, now, error);
            let turned_away = attempt.shown.take().filter(|_| status == 401 && attempt.refused.is_none());
            // One that is turned away at once was not too old, and another one will not do better.
            match turned_away.filter(|token| token.is_worth_another(shared.clock.monotonic())) {
                Some(token) => attempt.refused = Some(token),
                None => return result,
            }
        }
    }
}

impl Shared {
    /// The answer to a call; `began` is when its step began, `None` for a read that may wait for its turn.
    async fn answer(
        &self,
        call: &Call,
        began: Option<Duration>,
        attempt: &mut Try,
    ) -> Result<Response, ProviderError> {
        let patience = self.deadline / 2;
        let detail =
            |message: String| Detail { call: format!("{} {}", call.method, call.path), message, ..Detail::default() };
        match began {
            None => self.limiter.read(&*self.clock).await,
            Some(began) => {
                let spent = self.clock.monotonic().saturating_sub(began);
                if !self.limiter.write(&*self.clock, patience.saturating_sub(spent)).await {
                    // Not the cloud's doing, so not called throttling.
                    let rate = self.calls_per_second;
                    let text = format!("not sent: waiting for our own rate limit ({rate} calls/s)");
                    return Err(ProviderError::Unavailable(detail(text)));
                }
            }
        }
        let sent = self.clock.monotonic();
        let credentials = self.credentials.get().map_err(|error| ProviderError::Denied(detail(error.to_string())))?;
        if let Credentials::User(user) = &*credentials {
            attempt.shown = Some(self.token(&credentials, user, attempt.refused.as_ref()).await?);
        }
        let request = self.request(call, self.headers(call, &credentials, attempt.shown.as_deref()));
        let spent = self.clock.monotonic().saturating_sub(began.unwrap_or(sent));
        if spent > patience + patience / 2 {
            // This process was stopped for a while: it may no longer be its turn to write.
            let text = "not sent: this process was held up for too long".to_owned();
            return Err(ProviderError::Unavailable(detail(text)));
        }
        let left = self.deadline.saturating_sub(spent);
        match tokio::time::timeout(left, self.transport.send(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error @ TransportError::NotSent(_))) => Err(ProviderError::Unavailable(detail(error.to_string()))),
            Ok(Err(error @ TransportError::Lost(_))) => Err(call.effect.maybe(detail(error.to_string()))),
            Err(_) => {
                let text = format!("no answer within {} ms", self.deadline.as_millis());
                Err(call.effect.maybe(detail(text)))
            }
        }
    }

    /// The headers by which the cloud knows us: a signature, or a token.
    fn headers(&self, call: &Call, credentials: &Credentials, token: Option<&Token>) -> Vec<(String, String)> {
        let Credentials::Keys(keys) = credentials else {
            return token::headers(token, call.body.is_some());
        };
        let endpoint = self.places.of(call.service);
        let unsigned = Unsigned {
            method: call.method,
            host: &endpoint.host,
            path: &endpoint.path(&call.path),
            query: &call.query,
            body: &call.body(),
            project_id: &self.project_id,
        };
        sign::headers(&unsigned, keys, self.clock.utc())
    }

    /// What goes over the network.
    pub(super) fn request(&self, call: &Call, headers: Vec<(String, String)>) -> Request {
        let endpoint = self.places.of(call.service);
        let mut url = format!("{}://{}{}", endpoint.scheme, endpoint.host, sign::path(&endpoint.path(&call.path)));
        if !call.query.is_empty() {
            url.push('?');
            url.push_str(&sign::query(&call.query));
        }
        Request { method: call.method, url, headers, body: call.body() }
    }

    /// Writes in `info`, reads in `debug`, failures with what was said.
    pub(super) fn log(
        &self,
        call: &Call,
        status: u16,
        request_id: Option<String>,
        began: Duration,
        error: Option<&ProviderError>,
    ) {
        let duration_ms = self.clock.monotonic().saturating_sub(began).as_millis();
        let duration_ms = u64::try_from(duration_ms).unwrap_or(u64::MAX);
        let (method, path) = (call.method.as_str(), call.path.as_str());
        let request_id = request_id.unwrap_or_default();
        let code = error.and_then(|e| e.detail().code.as_deref());
        let message = error.map(|e| e.detail().message.as_str());
        if call.effect == Effect::Read {
            tracing::debug!(method, path, status, code, request_id, duration_ms, error = message, "cloud read");
        } else {
            tracing::info!(method, path, status, code, request_id, duration_ms, error = message, "cloud write");
        }
    }
}

/// The body of a success, or what its absence means.
fn read(call: &Call, response: &Response) -> Result<Value, ProviderError> {
    let name = format!("{} {}", call.method, call.path);
    if !(200..300).contains(&response.status) {
        return Err(classify(&name, call.effect, response));
    }
    if response.body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&response.body)
        .map_err(|error| unreadable(call.effect, name, &error.to_string(), request_id(response)))
}

/// The error for an answer that should be a success and cannot be understood.
pub(super) fn unreadable(effect: Effect, call: String, why: &str, request_id: Option<String>) -> ProviderError {
    effect.maybe(Detail { call, message: format!("the answer cannot be understood: {why}"), code: None, request_id })
}

#[cfg(test)]
mod tests;
