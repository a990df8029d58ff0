//! How long a client may take: to begin a request, to finish it, to read the answer.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use crate::dataplane::balance::Lease;
use crate::dataplane::sockets::Socket;

const TOO_LATE: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nServer: elb\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// Where a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Between requests.
    Idle,
    /// The head of a request has begun.
    Head,
    /// The rest of it comes.
    Body,
    /// It is the member's turn.
    Waiting,
}

/// The phase, shared by those who change it.
#[derive(Debug, Clone, Default)]
pub struct Phases(Arc<AtomicU8>);

impl Phases {
    pub fn of(phase: Phase) -> Self {
        Self(Arc::new(AtomicU8::new(phase as u8)))
    }

    pub fn get(&self) -> Phase {
        match self.0.load(Ordering::SeqCst) {
            0 => Phase::Idle,
            1 => Phase::Head,
            2 => Phase::Body,
            _ => Phase::Waiting,
        }
    }

    pub fn set(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::SeqCst);
    }

    fn pass(&self, (from, to): (Phase, Phase)) {
        let _ = self.0.compare_exchange(from as u8, to as u8, Ordering::SeqCst, Ordering::SeqCst);
    }
}

/// A body whose end is the end of a phase.
pub struct Until<B> {
    body: B,
    phases: Phases,
    /// From which to which.
    change: (Phase, Phase),
    held: Option<Lease>,
}

impl<B> Until<B> {
    pub fn new(body: B, phases: Phases, change: (Phase, Phase)) -> Self {
        Self { body, phases, change, held: None }
    }

    /// Keeps a member's lease until the body is gone.
    pub fn holding(mut self, lease: Option<Lease>) -> Self {
        self.held = lease;
        self
    }
}

impl<B: Body + Unpin> Body for Until<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() || self.body.is_end_stream() {
            self.phases.pass(self.change);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> Drop for Until<B> {
    fn drop(&mut self) {
        self.phases.pass(self.change);
        drop(self.held.take());
    }
}

/// A client's stream that ends when the client takes too long.
pub struct Patient<S> {
    stream: S,
    phases: Phases,
    /// The phase that the alarm was set for.
    timed: Phase,
    alarm: Pin<Box<Sleep>>,
    request: Duration,
    between: Duration,
    socket: Arc<Socket>,
}

impl<S> Patient<S> {
    /// `request` for a request to come, `between` two of them.
    pub fn new(stream: S, phases: Phases, request: Duration, between: Duration, socket: Arc<Socket>) -> Self {
        // The time of the first request begins with the connection.
        Self { stream, phases, timed: Phase::Idle, alarm: Box::pin(sleep(request)), request, between, socket }
    }

    fn time(&mut self, phase: Phase) {
        self.timed = phase;
        let length = if phase == Phase::Idle { self.between } else { self.request };
        self.alarm.as_mut().reset(Instant::now() + length);
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Patient<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let own = &mut *self;
        let before = buffer.filled().len();
        if Pin::new(&mut own.stream).poll_read(cx, buffer)?.is_ready() {
            let length = buffer.filled().len() - before;
            own.socket.count(length as u64, 0);
            own.phases.pass((Phase::Idle, Phase::Head));
            // The head as a whole has its time, each part of a body has it anew.
            if own.timed != own.phases.get() || own.timed == Phase::Body {
                own.time(own.phases.get());
            }
            return Poll::Ready(Ok(()));
        }
        let phase = own.phases.get();
        if own.timed != phase {
            own.time(phase);
        }
        if phase == Phase::Waiting || own.alarm.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        match phase {
            // An orderly end.
            Phase::Idle => Poll::Ready(Ok(())),
            _ => {
                // It fits where nothing was written yet; after the head of an answer it would be nonsense.
                if phase == Phase::Head {
                    let _ = Pin::new(&mut own.stream).poll_write(cx, TOO_LATE);
                }
                Poll::Ready(Err(ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.socket.count(0, written as u64);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
