//! Starting and stopping: sockets of the API, connections that can be cut, the data plane's task.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::app::{App, SAVE_INTERVAL};
use crate::config::Config;
use crate::faults::{FaultPlan, Faults};
use crate::{admin, dataplane};

/// A running mock cloud. Dropping it stops it.
pub struct Handle {
    /// Where the first API socket listens.
    pub api_addr: SocketAddr,
    app: Arc<App>,
    tasks: JoinSet<()>,
}

/// Starts a mock cloud.
///
/// # Errors
/// A socket that cannot be bound, a state file that cannot be read, or a refused announcement.
pub async fn start(config: Config) -> io::Result<Handle> {
    if config.announce {
        dataplane::announce(&[config.vip_range, config.eip_range]).await?;
    }
    let app = Arc::new(App::new(&config)?);
    let router = admin::router(app.clone());
    let mut tasks = JoinSet::new();
    let mut api_addr = None;
    for address in &config.listen {
        let bound = TcpListener::bind(address).await;
        let listener =
            bound.map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))?;
        api_addr.get_or_insert(listener.local_addr()?);
        tasks.spawn(accept(listener, router.clone()));
    }
    let api_addr = api_addr.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no address to listen on"))?;
    if config.dataplane {
        tasks.spawn(dataplane::run(app.clone(), dataplane::Limits::of(&config)));
        tasks.spawn(dataplane::rewrite(app.clone(), format!("ferrolb-mock-{}", api_addr.port())));
    }
    if config.state_file.is_some() {
        tasks.spawn(keep_saving(app.clone()));
    }
    tracing::info!(%api_addr, dataplane = config.dataplane, "mock cloud is up");
    Ok(Handle { api_addr, app, tasks })
}

impl Handle {
    /// Base URL of the API.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.api_addr)
    }

    /// Everything there is, as `GET /_ferrolb/ledger` shows it.
    pub fn ledger(&self) -> Value {
        let mut ledger = self.app.ledger();
        ledger["sockets"] = json!(self.app.sockets.list());
        ledger["gateway"] = self.app.gateway.shown();
        ledger
    }

    /// The log of calls, as `GET /_ferrolb/calls` shows it.
    pub fn calls(&self) -> Value {
        json!(self.app.calls.log())
    }

    /// Forgets the log of calls.
    pub fn reset_calls(&self) {
        self.app.calls.reset();
    }

    /// Replaces the fault plan.
    pub fn set_faults(&self, plan: FaultPlan) {
        *self.app.faults() = Faults::new(plan);
    }

    /// Ends all connections and tasks, and waits until they are gone.
    pub async fn shutdown(mut self) {
        self.app.close();
        self.tasks.shutdown().await;
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.app.close();
    }
}

/// Ends the connection a call came in on, without an answer.
#[derive(Clone)]
pub struct Cut(Arc<Notify>);

impl Cut {
    /// Never returns: the connection ends, and with it the caller.
    pub async fn off<T>(&self) -> T {
        self.0.notify_one();
        std::future::pending().await
    }
}

async fn keep_saving(app: Arc<App>) {
    loop {
        tokio::time::sleep(SAVE_INTERVAL).await;
        app.save();
    }
}

async fn accept(listener: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => _ = connections.spawn(serve(stream, router.clone())),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, router: Router) {
    // Answers are small; without this the second of two quick calls may wait for an acknowledgement.
    let _ = stream.set_nodelay(true);
    let cut = Cut(Arc::new(Notify::new()));
    let ended = cut.0.clone();
    let inner = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(cut.clone());
        let answer = inner.call(request);
        async move { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
    });
    tokio::select! {
        done = http1::Builder::new().serve_connection(TokioIo::new(stream), service) => {
            if let Err(error) = done {
                tracing::debug!(%error, "connection ended");
            }
        }
        () = ended.notified() => {}
    }
}
