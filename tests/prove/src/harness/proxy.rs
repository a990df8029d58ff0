//! A fault proxy before the API server: it writes down what passes, and holds back what it is told to.
//!
//! ```text
//!  controller ──http──► Proxy ──http──► kubectl proxy ──https──► API server
//! ```
//!
//! The controller's own token passes through. A hold is met by an exact match, never by time; whoever set it waits for
//! [`Proxy::await_holding`]. A write that is held when its sender dies has no effect (before), or an answer that
//! nobody gets (after).

mod door;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use ferrolb_lab::{Running, Where, wait_for};
use http_body_util::channel::{Channel, Sender};
use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};

use super::Light;
use door::Door;
pub use door::{Hold, Nth, Passed};

type Error = Box<dyn std::error::Error + Send + Sync>;
type Body = Either<Full<Bytes>, Channel<Bytes, Error>>;

/// How much of an old view is let through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    #[default]
    Nothing,
    List,
    All,
}

/// A proxy that runs; dropping it ends it.
pub struct Proxy {
    shared: Arc<Shared>,
    kubeconfig: PathBuf,
    _upstream: Running,
    /// Ends the thread when it is dropped.
    _stop: oneshot::Sender<()>,
}

struct Shared {
    upstream: SocketAddr,
    door: Mutex<Door>,
    told: watch::Sender<Told>,
}

impl Proxy {
    /// Starts one beside the API server.
    pub fn start(bed: &Light) -> Result<Self> {
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let (address, upstream) = (local(bed.port()), local(bed.port()));
        let mut command = bed.lab.exec_in(Where::ControlPlane, "kubectl");
        command.args(["proxy", "--port", &upstream.port().to_string(), "--kubeconfig"]).arg(&bed.kubeconfig);
        let process = bed.lab.spawn(&format!("kubectl-proxy-{}", upstream.port()), command)?;
        let shared = Arc::new(Shared { upstream, door: Mutex::default(), told: watch::Sender::default() });
        let (stop, stopped) = oneshot::channel();
        bed.lab.thread_in(Where::ControlPlane, {
            let shared = shared.clone();
            move || run(address, shared, stopped)
        });
        let version = format!("http://{address}/version");
        wait_for("the proxy to answer", Duration::from_secs(20), || {
            bed.lab.run_in(Where::ControlPlane, "curl", &["-sSf", "--noproxy", "*", &version]).map(Some)
        })?;
        let mut kubeconfig: Value = serde_json::from_slice(&std::fs::read(&bed.kubeconfig)?)?;
        kubeconfig["clusters"][0]["cluster"] = json!({"server": format!("http://{address}")});
        let path = bed.lab.dir().join(format!("proxy-{}.kubeconfig", address.port()));
        std::fs::write(&path, kubeconfig.to_string()).with_context(|| format!("write {}", path.display()))?;
        Ok(Self { shared, kubeconfig: path, _upstream: process, _stop: stop })
    }

    /// The chart's service account, through this proxy.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Forgets what was, and is about the Service of this name from now on.
    pub fn begin(&self, service: &str) {
        self.shared.door().begin(service);
    }

    /// Sets a hold, in the place of any other.
    pub fn hold(&self, hold: Hold) {
        self.shared.told.send_replace(Told::Nothing);
        self.shared.door().hold(Some(hold));
    }

    /// Waits until something is held back.
    pub fn await_holding(&self, patience: Duration) -> Result<()> {
        wait_for("something to be held back", patience, || Ok(self.shared.door().holding.then_some(())))
    }

    /// Lets the list of a held view through; its watch stays silent.
    pub fn tell_list(&self) {
        self.shared.told.send_replace(Told::List);
    }

    /// Ends the hold.
    pub fn let_go(&self) {
        self.shared.door().hold(None);
        self.shared.told.send_replace(Told::All);
    }

    /// Effective writes, then events of the Service and of nodes, since [`Proxy::begin`].
    pub fn passed(&self) -> (Vec<Passed>, Vec<Passed>) {
        let door = self.shared.door();
        (door.writes.clone(), door.events.clone())
    }

    /// Lists that a server which lags behind might have answered, and all lists, since the start.
    pub fn lists(&self) -> (usize, usize) {
        self.shared.door().lists
    }
}

impl Shared {
    fn door(&self) -> MutexGuard<'_, Door> {
        self.door.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until so much of an old view may be told.
    async fn await_told(&self, told: Told) {
        // The sender lives as long as `self`.
        let _ = self.told.subscribe().wait_for(|so_far| *so_far >= told).await;
    }
}

fn run(address: SocketAddr, shared: Arc<Shared>, stopped: oneshot::Receiver<()>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        tokio::select! {
            served = accept(&listener, &shared) => served,
            _ = stopped => Ok(()),
        }
    })
}

async fn accept(listener: &TcpListener, shared: &Arc<Shared>) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let shared = shared.clone();
        tokio::spawn(async move {
            // The watches of a connection end with it: nobody hears any more what they are told.
            let (_connected, connection) = watch::channel(());
            let service = service_fn(|request| pass(request, shared.clone(), connection.clone()));
            // A client that is killed ends its connection in the middle of something.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// One request.
async fn pass(
    request: Request<Incoming>,
    shared: Arc<Shared>,
    connection: watch::Receiver<()>,
) -> Result<Response<Body>, Error> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let (mut head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    for name in [ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        head.headers.remove(name);
    }
    let forwarded = Request::from_parts(head, Full::new(body.clone()));
    if method == Method::GET {
        let of_view = shared.door().read_arrives(&path, &query);
        let answer = forward(&shared, forwarded).await?;
        return if query.contains("watch=") {
            Ok(watch_through(answer, shared, connection, of_view))
        } else {
            if of_view {
                shared.door().holding = true;
                shared.await_told(Told::List).await;
            }
            Ok(whole(answer).await?.map(|bytes| Either::Left(Full::new(bytes))))
        };
    }
    let (write, before, after) = shared.door().write_arrives(method.as_str(), &path);
    if before {
        std::future::pending::<()>().await;
    }
    let answer = whole(forward(&shared, forwarded).await?).await?;
    {
        let mut door = shared.door();
        let parse = |bytes: &[u8]| serde_json::from_slice(bytes).unwrap_or(Value::Null);
        door.write_answered(write, answer.status().as_u16(), &parse(&body), &parse(answer.body()));
        door.holding |= after;
    }
    if after {
        std::future::pending::<()>().await;
    }
    Ok(answer.map(|bytes| Either::Left(Full::new(bytes))))
}

/// Sends a request on, over a connection of its own.
async fn forward(shared: &Shared, mut request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Error> {
    let stream = TcpStream::connect(shared.upstream).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    request.headers_mut().insert("host", shared.upstream.to_string().parse()?);
    let mut answer = sender.send_request(request).await?;
    for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        answer.headers_mut().remove(name);
    }
    Ok(answer)
}

async fn whole(answer: Response<Incoming>) -> Result<Response<Bytes>, Error> {
    let (head, body) = answer.into_parts();
    Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
}

/// Passes a watch on line by line; one that is part of a held view is silent until all may be told.
fn watch_through(
    answer: Response<Incoming>,
    shared: Arc<Shared>,
    mut connection: watch::Receiver<()>,
    of_view: bool,
) -> Response<Body> {
    let (head, mut body) = answer.into_parts();
    let (mut sender, channel) = Channel::new(16);
    tokio::spawn(async move {
        let told = async {
            if of_view {
                shared.await_told(Told::All).await;
            }
            lines(&mut body, &mut sender, &shared).await
        };
        // An error ends the watch, which is all there is to say about it.
        tokio::select! {
            _ = connection.changed() => {}
            _ = told => {}
        }
    });
    Response::from_parts(head, Either::Right(channel))
}

async fn lines(body: &mut Incoming, sender: &mut Sender<Bytes, Error>, shared: &Shared) -> Result<(), Error> {
    let (mut read, mut kept) = (Vec::new(), Vec::new());
    while let Some(frame) = body.frame().await {
        read.extend(frame?.into_data().unwrap_or_default());
        while let Some(end) = read.iter().position(|byte| *byte == b'\n') {
            let rest = read.split_off(end + 1);
            let line = std::mem::replace(&mut read, rest);
            let told = shared.door().line_arrives(line, &mut kept);
            for line in told {
                sender.send_data(line.into()).await?;
            }
        }
    }
    Ok(())
}
