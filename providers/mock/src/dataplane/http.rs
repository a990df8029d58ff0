//! HTTP: requests of one client connection, each passed on to a member that is chosen for it.
//!
//! HTTP/1.1 with members; with clients HTTP/2 as well, over TLS where the listener says so.

mod gzip;
mod headers;
mod patience;

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http_body_util::{Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, HeaderValue, SERVER, UPGRADE};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Version, client, server, upgrade};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::balance::{Lease, Wish};
use super::cookies;
use super::service::{Ends, Http, Service};
use super::tcp::{CONNECT, Front};
use super::tls;
use super::view::Pool;
use gzip::Packed;
use patience::{Patient, Phase, Phases, Until};

/// What the client gets: a member's answer, or one of ours.
type Body = Until<Either<Packed, Full<Bytes>>>;
/// How many members are tried for one request.
const TRIES: usize = 3;

/// One client's connection.
struct Guest {
    front: Front,
    ends: Ends,
}

/// Serves requests until either side has enough.
pub async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, front: Front, ends: Ends) {
    let target = front.target.borrow().clone();
    let Service::Http(http) = &target.service else { return };
    let phases = Phases::default();
    let patient = Patient::new(stream, phases.clone(), http.client_timeout, target.idle, front.socket.clone());
    let guest = Arc::new(Guest { front, ends });
    let service = service_fn(move |request| {
        let (guest, phases) = (guest.clone(), phases.clone());
        async move { Ok::<_, Infallible>(guest.answer(request, phases).await) }
    });
    let mut builder = server::conn::http1::Builder::new();
    builder.keep_alive(!target.idle.is_zero()).max_buf_size(64 * 1024);
    // What goes wrong here, the client knows.
    let _ = builder.serve_connection(TokioIo::new(patient), service).with_upgrades().await;
}

/// The same over HTTP/2, many requests at once; the connection ends when none has come for as long as one may be silent.
pub async fn serve_http2(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, front: Front, ends: Ends) {
    let target = front.target.borrow().clone();
    let Service::Http(http) = &target.service else { return };
    // Where no time is granted between requests, the first has its own.
    let idle = if target.idle.is_zero() { http.client_timeout } else { target.idle };
    // Nothing is timed by what comes over a connection that all share.
    let patient = Patient::new(stream, Phases::of(Phase::Waiting), idle, idle, front.socket.clone());
    let (guest, requests) = (Arc::new(Guest { front, ends }), Arc::new(AtomicU64::new(0)));
    let counter = requests.clone();
    let service = service_fn(move |request| {
        counter.fetch_add(1, Ordering::Relaxed);
        let guest = guest.clone();
        async move { Ok::<_, Infallible>(guest.answer(headers::as_http1(request), Phases::default()).await) }
    });
    let builder = server::conn::http2::Builder::new(TokioExecutor::new());
    let mut connection = pin!(builder.serve_connection(TokioIo::new(patient), service));
    let mut before = 0;
    loop {
        tokio::select! {
            // What goes wrong here, the client knows.
            _ = connection.as_mut() => return,
            () = sleep(idle) => {}
        }
        match requests.load(Ordering::Relaxed) {
            same if same == before => break,
            more => before = more,
        }
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// Why there is no answer of a member.
enum Failed {
    /// Nobody is there to ask; how many members the pool has at all.
    Nobody(usize),
    /// It refuses, resets or talks nonsense.
    Broken,
    Late,
}

impl Guest {
    async fn answer(&self, request: Request<Incoming>, phases: Phases) -> Response<Body> {
        phases.set(Phase::Body);
        let target = self.front.target.borrow().clone();
        let takes_gzip = gzip::is_accepted(request.headers());
        let answered = match (&target.service, &target.pool) {
            (Service::Http(http), Some(pool)) => {
                let pack =
                    if http.gzip && takes_gzip { gzip::pack } else { |answer: Response<_>| answer.map(Packed::plain) };
                self.pass_on(request, http, pool, &phases).await.map(|(answer, lease)| (pack(answer), lease))
            }
            _ => Err(Failed::Nobody(0)),
        };
        phases.set(Phase::Waiting);
        let (response, lease) = match answered {
            Ok((response, lease)) => (response.map(Either::Left), lease),
            Err(failed) => {
                if matches!(failed, Failed::Nobody(_)) {
                    self.front.socket.refused.fetch_add(1, Ordering::Relaxed);
                }
                (failed.response().map(Either::Right), None)
            }
        };
        // After a switch of protocols there are no requests to wait for.
        let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        let next = if switched { Phase::Waiting } else { Phase::Idle };
        response.map(|body| Until::new(body, phases, (Phase::Waiting, next)).holding(lease))
    }

    async fn pass_on(
        &self,
        mut request: Request<Incoming>,
        http: &Http,
        pool: &Pool,
        phases: &Phases,
    ) -> Result<(Response<Incoming>, Option<Lease>), Failed> {
        let balancer = self.front.balancers.of(pool);
        let known = cookies::member(pool, &balancer, request.headers(), Instant::now());
        let (lease, stream) = self.reach(pool, http.retry, known.as_deref()).await?;
        http.headers.apply(request.headers_mut(), self.ends, http.tls.is_some());
        *request.version_mut() = Version::HTTP_11;
        let wants_upgrade = request.headers().contains_key(UPGRADE);
        let from_client = wants_upgrade.then(|| upgrade::on(&mut request));
        let request = request.map(|body| Until::new(body, phases.clone(), (Phase::Body, Phase::Waiting)));
        let mut response = if pool.tls {
            let secured = timeout(CONNECT, tls::to_member(stream, lease.backend.address.ip())).await;
            let secured = secured.map_err(|_| Failed::Late)?.map_err(|_| Failed::Broken)?;
            ask(secured, request, http.member_timeout, phases).await?
        } else {
            ask(stream, request, http.member_timeout, phases).await?
        };
        cookies::note(pool, &balancer, &lease.backend, known.as_deref(), response.headers_mut(), Instant::now());
        let Some(from_client) = from_client.filter(|_| response.status() == StatusCode::SWITCHING_PROTOCOLS) else {
            // What the member wants of its connection is not for the client's.
            response.headers_mut().remove(CONNECTION);
            return Ok((response, Some(lease)));
        };
        let from_member = upgrade::on(&mut response);
        tokio::spawn(async move {
            let _lease = lease;
            let (Ok(client), Ok(member)) = (from_client.await, from_member.await) else { return };
            // However it ends, it is over.
            let _ = copy_bidirectional(&mut TokioIo::new(client), &mut TokioIo::new(member)).await;
        });
        Ok((response, None))
    }

    /// Chooses a member and connects; another one if that fails and the listener says so.
    async fn reach(&self, pool: &Pool, retry: bool, known: Option<&str>) -> Result<(Lease, TcpStream), Failed> {
        let balancer = self.front.balancers.of(pool);
        let mut failed = Failed::Nobody(pool.declared);
        let mut tried = Vec::new();
        for _ in 0..if retry { TRIES } else { 1 } {
            let wish = Wish { client: self.ends.client.ip(), member: known, except: &tried };
            let Some(lease) = balancer.pick(pool, &wish, Instant::now()) else { return Err(failed) };
            failed = match timeout(CONNECT, TcpStream::connect(lease.backend.address)).await {
                Ok(Ok(stream)) => {
                    let _ = stream.set_nodelay(true);
                    return Ok((lease, stream));
                }
                Ok(Err(_)) => Failed::Broken,
                Err(_) => Failed::Late,
            };
            tried.push(lease.backend.id.clone());
        }
        Err(failed)
    }
}

/// Sends a request over a connection of its own and waits for the head of the answer.
async fn ask(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Until<Incoming>>,
    patience: Duration,
    phases: &Phases,
) -> Result<Response<Incoming>, Failed> {
    let connected = client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = connected.map_err(|_| Failed::Broken)?;
    tokio::spawn(connection.with_upgrades());
    let answer = sender.send_request(request);
    tokio::pin!(answer);
    loop {
        match timeout(patience, &mut answer).await {
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(error)) if error.is_timeout() => return Err(Failed::Late),
            Ok(Err(_)) => return Err(Failed::Broken),
            // The client is not done yet.
            Err(_) if phases.get() == Phase::Body => {}
            Err(_) => return Err(Failed::Late),
        }
    }
}

impl Failed {
    /// With the header by which the vendor tells empty pools from pools that are down.
    fn response(&self) -> Response<Full<Bytes>> {
        let (status, router) = match self {
            Self::Nobody(0) => (StatusCode::NOT_FOUND, Some("40000")),
            Self::Nobody(_) => (StatusCode::SERVICE_UNAVAILABLE, Some("50000")),
            Self::Broken => (StatusCode::BAD_GATEWAY, None),
            Self::Late => (StatusCode::GATEWAY_TIMEOUT, None),
        };
        let mut response = Response::new(Full::from(format!("{status}\n")));
        *response.status_mut() = status;
        response.headers_mut().insert(SERVER, HeaderValue::from_static("elb"));
        if let Some(router) = router {
            response.headers_mut().insert("x-router-code", HeaderValue::from_static(router));
        }
        response
    }
}

/// Tells a client that speaks plain HTTP where TLS is spoken, before the connection ends.
pub async fn refuse_plain(stream: &mut TcpStream) -> io::Result<()> {
    let answer = b"HTTP/1.1 400 Bad Request\r\nServer: elb\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    stream.write_all(answer).await
}
