//! The real [`Transport`].

use std::error::Error;
use std::time::Duration;

use ferrolb_provider::BoxFuture;

use super::transport::{Method, Request, Response, Transport, TransportError};

/// Bytes of an answer that are read; a longer one is an error.
const MAX_BODY: usize = 4 << 20;

/// An answer that is longer than anything the cloud has reason to send.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the answer is longer than {MAX_BODY} bytes")]
struct BodyTooLarge;

/// HTTP/1.1 over TLS, or plain for `http://` endpoints.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    client: reqwest::Client,
}

impl HttpTransport {
    /// A client that neither follows redirects nor repeats anything: start here and add proxies or authorities.
    /// TLS needs a `rustls` crypto provider that the process has installed.
    pub fn builder() -> reqwest::ClientBuilder {
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(Duration::from_secs(5))
            .pool_idle_timeout(Duration::from_secs(30))
            .user_agent(concat!("ferrolb/", env!("CARGO_PKG_VERSION")))
    }

    /// Uses a client made with [`HttpTransport::builder`].
    pub fn new(client: reqwest::Client) -> Self {
        Self { client }
    }

    async fn exchange(&self, request: Request) -> Result<Response, TransportError> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut builder = self.client.request(method, &request.url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if !request.body.is_empty() {
            builder = builder.body(request.body);
        }
        // The query holds the owner mark: noise for people, and other for each Service.
        let host = request.url.split('/').nth(2).unwrap_or_default();
        let describe = |error: reqwest::Error| format!("{host}: {}", chain(&error.without_url()));
        let mut answer = builder.send().await.map_err(|error| {
            if error.is_connect() || error.is_builder() {
                TransportError::NotSent(describe(error))
            } else {
                TransportError::Lost(describe(error))
            }
        })?;
        let mut response = Response { status: answer.status().as_u16(), headers: Vec::new(), body: Vec::new() };
        for (name, value) in answer.headers() {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            response.headers.push((name.as_str().to_owned(), value));
        }
        let lost = |error: &dyn Error| TransportError::Lost(chain(error));
        while let Some(chunk) = answer.chunk().await.map_err(|e| lost(&e.without_url()))? {
            if response.body.len() + chunk.len() > MAX_BODY {
                return Err(lost(&BodyTooLarge));
            }
            response.body.extend_from_slice(&chunk);
        }
        Ok(response)
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(self.exchange(request))
    }
}

/// An error with its causes: the outer one alone says only that sending failed.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
