//! The two ends of the traffic: clients, and the server that all proxies lead to. They are threads that block: what
//! an event loop would cost here would be missing for the traffic.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::contestant::Contestant;

/// Where the server is.
pub const SERVER: &str = "127.0.0.1:9000";
/// Enough that no client waits for another's.
const SERVERS: usize = 128;
const BUFFER: usize = 256 * 1024;
/// What a client asks for: an endless stream, or one byte and the end.
const STREAM: u8 = b's';
const BYTE: u8 = b'b';

/// What is measured, with so many clients at once.
#[derive(Debug, Clone, Copy)]
pub enum What {
    /// Bytes from the server.
    Stream(usize),
    /// Connections: one byte there, one byte back, and the orderly end.
    Connections(usize),
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Bytes or connections per second.
    pub rate: f64,
    amount: f64,
    cpu: Duration,
}

impl What {
    /// As part of a line's name.
    pub fn name(self) -> String {
        match self {
            Self::Stream(1) => "throughput/one-connection".to_owned(),
            Self::Stream(clients) => format!("throughput/{clients}-connections"),
            Self::Connections(clients) => format!("new-connections/{clients}-at-once"),
        }
    }

    /// A rate as people read it.
    pub fn show_rate(self, rate: f64) -> String {
        match self {
            Self::Stream(_) => format!("{:.2}GB/s", rate / 1e9),
            Self::Connections(_) => format!("{rate:.0}/s"),
        }
    }

    /// Processor seconds per byte or connection as people read them.
    pub fn show_cost(self, cost: f64) -> String {
        match self {
            Self::Stream(_) => format!("{:.3}s/GB", cost * 1e9),
            Self::Connections(_) => format!("{:.1}us/connection", cost * 1e6),
        }
    }
}

impl Measured {
    /// Processor seconds per byte or connection.
    pub fn cost(&self) -> f64 {
        self.cpu.as_secs_f64() / self.amount
    }
}

/// Starts the server, for as long as the process lives.
pub fn serve() -> Result<()> {
    let listener = TcpListener::bind(SERVER).with_context(|| format!("listen at {SERVER}"))?;
    for _ in 0..SERVERS {
        let listener = listener.try_clone()?;
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                // However a client goes away, the next one comes.
                let _ = answer(stream);
            }
        });
    }
    Ok(())
}

/// Puts one under load for a while.
pub fn measure(contestant: &Contestant, what: What, lasting: Duration) -> Result<Measured> {
    let (front, began, cpu) = (contestant.front, Instant::now(), contestant.cpu()?);
    let (clients, client) = match what {
        What::Stream(clients) => (clients, drink as Client),
        What::Connections(clients) => (clients, knock as Client),
    };
    let amount = thread::scope(|scope| {
        let all: Vec<_> = (0..clients).map(|_| scope.spawn(move || client(front, began + lasting))).collect();
        let amounts = all.into_iter().map(|one| one.join().unwrap_or_else(|_| bail!("a client panicked")));
        amounts.sum::<Result<u64>>()
    })?;
    ensure!(amount > 0, "nothing came through {front}");
    let (took, cpu) = (began.elapsed(), contestant.cpu()?.saturating_sub(cpu));
    Ok(Measured { rate: amount as f64 / took.as_secs_f64(), amount: amount as f64, cpu })
}

/// Does its part until the time is over, and says how much it was.
type Client = fn(SocketAddr, Instant) -> Result<u64>;

/// Reads a stream until the time is over.
fn drink(front: SocketAddr, end: Instant) -> Result<u64> {
    let mut stream = TcpStream::connect(front)?;
    stream.write_all(&[STREAM])?;
    let (mut buffer, mut amount) = (vec![0; BUFFER], 0);
    while Instant::now() < end {
        let read = stream.read(&mut buffer)?;
        ensure!(read > 0, "the stream ended");
        amount += read as u64;
    }
    Ok(amount)
}

/// Opens one connection after the other until the time is over.
fn knock(front: SocketAddr, end: Instant) -> Result<u64> {
    let (mut amount, mut answer) = (0, [0; 8]);
    while Instant::now() < end {
        let mut stream = TcpStream::connect(front)?;
        stream.write_all(&[BYTE])?;
        let read = stream.read(&mut answer)?;
        ensure!(answer[..read] == [BYTE], "the answer is {:?}", &answer[..read]);
        ensure!(stream.read(&mut answer)? == 0, "more came than was asked for");
        amount += 1;
    }
    Ok(amount)
}

/// The server closes first, so that whoever connects never runs out of ports.
fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut wish = [0];
    match stream.read(&mut wish)? {
        // A proxy that looked whether the server is there.
        0 => Ok(()),
        _ if wish == [STREAM] => {
            let buffer = vec![0; BUFFER];
            loop {
                stream.write_all(&buffer)?;
            }
        }
        _ => stream.write_all(&[BYTE]),
    }
}
