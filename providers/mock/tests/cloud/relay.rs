//! What is carried between clients and members: all of it, in order, both ways at once, to the end.

use std::time::{Duration, Instant};

use ferrolb_mock::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Cloud, eventually};
use crate::dataplane::{cloud, config, settles_on, tcp_server};

/// Bytes of which no stretch looks like another.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_le_bytes()[7]
    };
    (0..length).map(|_| next()).collect()
}

#[tokio::test]
async fn a_long_stream_arrives_whole_though_it_is_read_slowly() {
    let cloud = cloud().await;
    let a = tcp_server("a").await;
    let (_, _, vip) = cloud.service("TCP", 8080, &[&a]).await;
    settles_on(vip, &["a"]).await;
    let sent = noise(8_000_000);
    let (mut read, mut write) = TcpStream::connect(vip).await.unwrap().into_split();
    let message = sent.clone();
    let writer = tokio::spawn(async move {
        write.write_all(&message).await.unwrap();
        write.shutdown().await.unwrap();
    });
    let mut received = Vec::new();
    let mut buffer = vec![0; 100_000];
    loop {
        let length = read.read(&mut buffer).await.unwrap();
        if length == 0 {
            break;
        }
        received.extend_from_slice(&buffer[..length]);
        // Everything in between is full for a while.
        if received.len() < 500_000 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    writer.await.unwrap();
    assert!(received[1..] == sent, "{} bytes came back", received.len() - 1);
    let counted = async || {
        let socket = &cloud.sockets().await[0];
        let bytes = |key: &str| socket[key].as_u64().filter(|bytes| *bytes >= 8_000_000);
        bytes("bytes_in").and(bytes("bytes_out"))
    };
    eventually("both ways are counted", counted).await;
}

#[tokio::test]
async fn a_silent_connection_is_cut_and_one_that_talks_is_not() {
    let cloud = Cloud::start(Config { max_tcp_idle: Some(Duration::from_millis(400)), ..config() }).await;
    let a = tcp_server("a").await;
    let (_, _, vip) = cloud.service("TCP", 8080, &[&a]).await;
    settles_on(vip, &["a"]).await;
    let mut stream = TcpStream::connect(vip).await.unwrap();
    stream.read_u8().await.unwrap();
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(1200) {
        stream.write_u8(b'x').await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'x');
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let end = tokio::time::timeout(Duration::from_secs(5), stream.read_u8()).await.unwrap();
    assert!(end.is_err(), "a reset: {end:?}");
}
