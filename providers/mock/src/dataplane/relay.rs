//! Copies both ways between two TCP sockets: what is short through a buffer, what goes on through a pipe in the
//! kernel (splice), where nothing is copied at all.

use std::cell::RefCell;
use std::io::{self, ErrorKind, PipeReader, PipeWriter};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use nix::fcntl::{SpliceFFlags, splice};
use nix::libc::MSG_MORE;
use socket2::SockRef;
use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::time::sleep;

use super::sockets::Socket;

/// What one read takes before it is clear that a stream comes.
const BUFFER_SIZE: usize = 16 * 1024;
/// So much in one direction is a stream: from then on it is worth a pipe.
const STREAM: usize = 4 * BUFFER_SIZE;
/// The most that is asked of the kernel at once; a pipe's size limits it further.
const CHUNK: usize = 1 << 20;

/// Carries both directions until both have ended, one breaks, or nothing has moved for `idle`.
pub async fn relay(client: &mut TcpStream, member: &mut TcpStream, idle: Duration, socket: &Socket) -> io::Result<()> {
    let (moved, one_ended) = (AtomicBool::new(false), AtomicBool::new(false));
    let (from_client, to_client) = client.split();
    let (from_member, to_member) = member.split();
    let there = carry(from_client, to_member, (&moved, &one_ended), &socket.bytes_in);
    let back = carry(from_member, to_client, (&moved, &one_ended), &socket.bytes_out);
    tokio::select! {
        both = async { tokio::try_join!(there, back) } => both.map(drop),
        () = silence(&moved, idle) => Err(ErrorKind::TimedOut.into()),
    }
}

/// One direction to its end, which is passed on. Every system call counts here, for most connections are short.
async fn carry(
    from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    (moved, one_ended): (&AtomicBool, &AtomicBool),
    counter: &AtomicU64,
) -> io::Result<()> {
    let count = |length: usize| {
        moved.store(true, Ordering::Relaxed);
        counter.fetch_add(length as u64, Ordering::Relaxed);
    };
    let (mut so_far, mut is_eager) = (0, false);
    loop {
        let ready = from.ready(Interest::READABLE).await?;
        // What is sent first waits for nothing anyway.
        if so_far > 0 && !is_eager && !ready.is_read_closed() {
            to.as_ref().set_nodelay(true)?;
            is_eager = true;
        }
        let Some(Passed { length, rest }) = pass(from.as_ref(), to.as_ref(), ready.is_read_closed())? else { continue };
        if length == 0 {
            break;
        }
        to.write_all(&rest).await?;
        count(length);
        so_far += length;
        // Without a pipe, for want of file descriptors, the buffer does it too.
        if so_far >= STREAM
            && let Ok(pipe) = io::pipe()
        {
            // Boxed, so that the many that never become one are small.
            Box::pin(stream(from.as_ref(), to.as_ref(), &pipe, count)).await?;
            break;
        }
    }
    // When both have ended, the sockets are closed, which says the same.
    match one_ended.swap(true, Ordering::Relaxed) {
        true => Ok(()),
        false => to.shutdown().await,
    }
}

/// What was read, and that part of it which could not be sent on at once.
struct Passed {
    length: usize,
    rest: Vec<u8>,
}

thread_local! {
    /// Connections come and go faster than an allocator hands out buffers; one per thread is enough for all of them.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(Vec::with_capacity(BUFFER_SIZE));
}

/// Reads once and sends that on, as far as both are possible at once; none: there was nothing to be read. Where the
/// end is in sight, what comes before it waits for it: then one packet says both.
fn pass(from: &TcpStream, to: &TcpStream, end_is_in_sight: bool) -> io::Result<Option<Passed>> {
    BUFFER.with_borrow_mut(|buffer| {
        buffer.clear();
        match from.try_read_buf(buffer) {
            Ok(0) => return Ok(Some(Passed { length: 0, rest: Vec::new() })),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        }
        let flags = if end_is_in_sight { MSG_MORE } else { 0 };
        let sent = to.try_io(Interest::WRITABLE, || SockRef::from(to).send_with_flags(buffer, flags));
        let sent = match sent {
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            sent => sent?,
        };
        Ok(Some(Passed { length: buffer.len(), rest: buffer[sent..].to_vec() }))
    })
}

/// Moves pages from socket to pipe to socket until the first ends.
async fn stream(
    from: &TcpStream,
    to: &TcpStream,
    (out, into): &(PipeReader, PipeWriter),
    count: impl Fn(usize),
) -> io::Result<()> {
    let flags = SpliceFFlags::SPLICE_F_MOVE | SpliceFFlags::SPLICE_F_NONBLOCK;
    loop {
        // The pipe is empty here, so that "would block" can only mean the socket.
        let taken = || Ok(splice(from, None, into, None, CHUNK, flags)?);
        let length = from.async_io(Interest::READABLE, taken).await?;
        if length == 0 {
            return Ok(());
        }
        let mut left = length;
        while left > 0 {
            let given = || Ok(splice(out, None, to, None, left, flags)?);
            left -= to.async_io(Interest::WRITABLE, given).await?;
        }
        count(length);
    }
}

/// Returns when nothing has moved for so long, and up to a quarter longer.
async fn silence(moved: &AtomicBool, idle: Duration) {
    let mut quarters = 0;
    while quarters < 4 {
        sleep(idle / 4).await;
        quarters = if moved.swap(false, Ordering::Relaxed) { 0 } else { quarters + 1 };
    }
}
