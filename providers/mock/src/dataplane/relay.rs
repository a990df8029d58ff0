//! Copies both ways between two TCP sockets: what is short through a buffer, what goes on through a pipe in the
//! kernel (splice), where nothing is copied at all.

use std::io::{self, ErrorKind, PipeReader, PipeWriter};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use nix::fcntl::{SpliceFFlags, splice};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::time::sleep;

use super::sockets::Socket;

/// What one read takes before it is clear that a stream comes.
const BUFFER: usize = 16 * 1024;
/// So much in one direction is a stream: from then on it is worth a pipe.
const STREAM: usize = 4 * BUFFER;
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
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    (moved, one_ended): (&AtomicBool, &AtomicBool),
    counter: &AtomicU64,
) -> io::Result<()> {
    let count = |length: usize| {
        moved.store(true, Ordering::Relaxed);
        counter.fetch_add(length as u64, Ordering::Relaxed);
    };
    let mut buffer = Vec::new();
    let (mut so_far, mut is_eager) = (0, false);
    loop {
        from.readable().await?;
        // Not before there is something: a connection that waits needs no buffer.
        buffer.reserve(BUFFER);
        let length = from.read_buf(&mut buffer).await?;
        if length == 0 {
            break;
        }
        // What is sent first waits for nothing anyway.
        if so_far > 0 && !is_eager {
            to.as_ref().set_nodelay(true)?;
            is_eager = true;
        }
        to.write_all(&buffer).await?;
        buffer.clear();
        count(length);
        so_far += length;
        // Without a pipe, for want of file descriptors, the buffer does it too.
        if so_far >= STREAM
            && let Ok(pipe) = io::pipe()
        {
            drop(buffer);
            stream(from.as_ref(), to.as_ref(), &pipe, count).await?;
            break;
        }
    }
    // When both have ended, the sockets are closed, which says the same.
    match one_ended.swap(true, Ordering::Relaxed) {
        true => Ok(()),
        false => to.shutdown().await,
    }
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
