//! One call: limiter, deadline, signature or token, answer or error, one line in the log. Never twice, unless the token
//! was turned away: then nothing was done.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use ferrolb_provider::{Detail, Owner, ProviderError};
use jiff::Timestamp;
use serde_json::Value;

use super::clock::Clock;
use super::credentials::{Credentials, CredentialsSource};
use super::endpoint::{Places, Service};
use super::limit::Limiter;
use super::record::{self, CallRecord, Observer};
use super::refusal::{classify, is_unknown_call, request_id, unknown_call};
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

/// For how long all calls pause after the cloud said that there were too many, and not for how long.
const PAUSE: Duration = Duration::from_secs(1);

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
    /// Not every cloud has such a call.
    pub(crate) is_optional: bool,
}

impl Call {
    /// A read.
    pub(crate) fn get(service: Service, path: String) -> Self {
        let method = Method::Get;
        Self { service, method, path, query: Vec::new(), body: None, effect: Effect::Read, is_optional: false }
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
    /// For which Service the calls are made.
    service: Option<Arc<str>>,
    /// When the step began that the calls belong to; `None`: each call is for itself.
    began: Option<Duration>,
}

pub(super) struct Shared {
    pub(super) transport: Arc<dyn Transport>,
    credentials: Arc<dyn CredentialsSource>,
    pub(super) tokens: Tokens,
    pub(super) clock: Arc<dyn Clock>,
    observer: OnceLock<Arc<dyn Observer>>,
    limiter: Limiter,
    /// The code with which the cloud asked for the last pause.
    pause_code: Mutex<Option<String>>,
    calls_per_second: f64,
    /// The cloud does not know calls for several members at once.
    only_single_members: AtomicBool,
    /// The cloud does not list members of several pools at once.
    only_members_of_one_pool: AtomicBool,
    pub(super) deadline: Duration,
    pub(super) places: Places,
    pub(super) project_id: String,
}

/// One try of a call.
pub(super) struct Try {
    number: u8,
    service: Option<Arc<str>>,
    /// When it began, by both clocks.
    began: Duration,
    at: Timestamp,
    waited: Duration,
    /// A token that was turned away.
    refused: Option<Arc<Token>>,
    /// The token that was shown.
    shown: Option<Arc<Token>>,
}

impl Try {
    /// The first.
    pub(super) fn first(clock: &dyn Clock, service: Option<Arc<str>>) -> Self {
        let (began, at) = (clock.monotonic(), clock.utc());
        Self { number: 1, service, began, at, waited: Duration::ZERO, refused: None, shown: None }
    }

    /// Another one, with another token.
    fn again(self, clock: &dyn Clock, refused: Arc<Token>) -> Self {
        Self { number: self.number + 1, refused: Some(refused), ..Self::first(clock, self.service) }
    }
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
                observer: OnceLock::new(),
                limiter: Limiter::new(config.limits),
                pause_code: Mutex::new(None),
                calls_per_second: config.limits.per_second,
                only_single_members: AtomicBool::new(false),
                only_members_of_one_pool: AtomicBool::new(false),
                deadline: config.deadline,
                places: Places::new(config),
                project_id: config.project_id.clone(),
            }),
            service: None,
            began: None,
        }
    }

    /// Tells of each call from now on; the first observer stays.
    pub(crate) fn observe(&self, observer: Arc<dyn Observer>) {
        drop(self.shared.observer.set(observer));
    }

    /// The same client for the calls of one owner.
    pub(crate) fn of(&self, owner: &Owner) -> Self {
        Self { service: record::label(owner), ..self.clone() }
    }

    /// The same client for a call that is for the owner of `other`, too: for no one in particular where that is
    /// another one.
    pub(crate) fn and_of(&self, other: &Self) -> Self {
        Self { service: self.service.clone().filter(|service| other.service.as_ref() == Some(service)), ..self.clone() }
    }

    /// The same client for the calls of one step, which share one deadline: whoever allowed the step allowed it for
    /// that long.
    pub(crate) fn for_step(&self) -> Self {
        Self { began: Some(self.shared.clock.monotonic()), ..self.clone() }
    }

    /// Time since some fixed moment.
    pub(crate) fn now(&self) -> Duration {
        self.shared.clock.monotonic()
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

    /// Whether this process found out that members can only be listed pool by pool.
    pub(crate) fn only_members_of_one_pool(&self) -> bool {
        self.shared.only_members_of_one_pool.load(Ordering::Relaxed)
    }

    /// Remembers that, for as long as the process lives.
    pub(crate) fn set_only_members_of_one_pool(&self) {
        self.shared.only_members_of_one_pool.store(true, Ordering::Relaxed);
    }

    /// The project that calls are made in.
    pub(super) fn project_id(&self) -> &str {
        &self.shared.project_id
    }

    /// Makes one call and returns its answer's body, `null` for none.
    pub(crate) async fn send(&self, call: Call) -> Result<Value, ProviderError> {
        let shared = &*self.shared;
        let mut attempt = Try::first(&*shared.clock, self.service.clone());
        loop {
            // A read that belongs to no step has no deadline but its own, which begins when it is sent.
            let began = self.began.or_else(|| (call.effect != Effect::Read).then_some(attempt.began));
            let answer = shared.answer(&call, began, &mut attempt).await;
            let said = answer.as_ref().ok().map(|response| (response.status, request_id(response)));
            let status = said.as_ref().map(|(status, _)| *status);
            let result = answer.and_then(|response| read(&call, &response));
            if let (Some(_), Err(ProviderError::Throttled { after, detail })) = (status, &result) {
                shared.limiter.pause(shared.clock.monotonic(), after.unwrap_or(PAUSE));
                shared.pause_code().clone_from(&detail.code);
            }
            shared.tell(&call, &attempt, said, result.as_ref().err());
            let turned_away = attempt.shown.take().filter(|_| status == Some(401) && attempt.refused.is_none());
            // One that is turned away at once was not too old, and another one will not do better.
            match turned_away.filter(|token| token.is_worth_another(shared.clock.monotonic())) {
                Some(token) => attempt = attempt.again(&*shared.clock, token),
                None => return result,
            }
        }
    }
}

impl Shared {
    /// The answer to a call; `began` is when its step began, `None` for a read that may wait for its turn.
    async fn answer(&self, call: &Call, began: Option<Duration>, attempt: &mut Try) -> Result<Response, ProviderError> {
        let patience = self.deadline / 2;
        let detail =
            |message: String| Detail { call: format!("{} {}", call.method, call.path), message, ..Detail::default() };
        attempt.waited = match began {
            None => self.limiter.read(&*self.clock).await,
            Some(began) => {
                let spent = self.clock.monotonic().saturating_sub(began);
                let turn = self.limiter.write(&*self.clock, patience.saturating_sub(spent)).await;
                turn.map_err(|late| match late.pause {
                    Some(pause) => {
                        let text = "not sent: the cloud had too many calls of this account a moment ago";
                        // The cause is the same as for the one that met it, and so are the words for people.
                        let code = self.pause_code().clone();
                        ProviderError::Throttled { after: Some(pause), detail: Detail { code, ..detail(text.into()) } }
                    }
                    // Not the cloud's doing, so not called throttling.
                    None => {
                        let rate = self.calls_per_second;
                        let text = format!("not sent: waiting for our own rate limit ({rate} calls/s)");
                        ProviderError::Unavailable(detail(text))
                    }
                })?
            }
        };
        if self.limiter.is_worth_a_word(attempt.waited, self.clock.monotonic()) {
            let (waited, limit) = (attempt.waited, self.calls_per_second);
            tracing::warn!(
                ?waited,
                limit,
                "calls wait long for our own rate limit, or for a pause that the cloud asked for"
            );
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

    fn pause_code(&self) -> MutexGuard<'_, Option<String>> {
        self.pause_code.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Tells of a try that is over: writes in `info`, reads in `debug`, failures with what was said. `said` is status
    /// and request id of the answer.
    pub(super) fn tell(
        &self,
        call: &Call,
        attempt: &Try,
        said: Option<(u16, Option<String>)>,
        error: Option<&ProviderError>,
    ) {
        let all = self.clock.monotonic().saturating_sub(attempt.began);
        let (status, request_id) = said.map_or((None, None), |(status, id)| (Some(status), id));
        let record = CallRecord {
            service: attempt.service.clone(),
            at: attempt.at,
            attempt: attempt.number,
            method: call.method.as_str(),
            path: call.path.clone(),
            status,
            result: record::result(error),
            code: error.and_then(|e| e.detail().code.clone()),
            request_id,
            is_write: call.effect != Effect::Read,
            waited: attempt.waited,
            took: all.saturating_sub(attempt.waited),
        };
        let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let (duration_ms, waited_ms) = (ms(record.took), ms(record.waited));
        let CallRecord { method, path, code, request_id, .. } = &record;
        let (code, status) = (code.as_deref(), status.unwrap_or_default());
        let request_id = request_id.as_deref().unwrap_or_default();
        let message = error.map(|e| e.detail().message.as_str());
        // The level of a line must be known when it is compiled.
        macro_rules! tell {
            ($level:ident, $what:literal) => {
                tracing::$level!(method, path, status, code, request_id, duration_ms, waited_ms, error = message, $what)
            };
        }
        if record.is_write {
            tell!(info, "cloud write");
        } else {
            tell!(debug, "cloud read");
        }
        if let Some(observer) = self.observer.get() {
            observer.called(record);
        }
    }
}

/// The body of a success, or what its absence means.
fn read(call: &Call, response: &Response) -> Result<Value, ProviderError> {
    let name = format!("{} {}", call.method, call.path);
    if call.is_optional && is_unknown_call(response) {
        return Err(unknown_call(&name, response));
    }
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
