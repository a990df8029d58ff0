//! HTTP/2 and compression, where a listener says so and the client takes it.

use std::io::Read;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ferrolb_mock::Config;
use flate2::read::GzDecoder;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::net::TcpStream;

use crate::client::{Cloud, eventually};
use crate::dataplane::{cloud, config};
use crate::http::{LISTENERS, tell, web_server};
use crate::tls::{DEFAULT, connect_offering};

const BOTH: [&str; 2] = ["h2", "http/1.1"];

/// What the listener at this address agrees on with a client that speaks both.
async fn agreed(vip: SocketAddr) -> Option<Vec<u8>> {
    let stream = connect_offering(vip, "default.example", None, &BOTH).await.ok()?;
    stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec)
}

impl Cloud {
    async fn change_listener(&self, id: &str, fields: serde_json::Value) {
        self.call("PUT", &format!("{LISTENERS}/{id}"), json!({"listener": fields})).await.is(200, "");
    }
}

#[tokio::test]
async fn many_requests_of_one_http2_connection_are_spread_and_arrive_as_http1() {
    let cloud = cloud().await;
    let (a, b) = (web_server("a", tell).await, web_server("b", tell).await);
    let certificate = cloud.server_certificate(DEFAULT, "").await;
    let fields = json!({"protocol": "HTTPS", "default_tls_container_ref": certificate, "http2_enable": true});
    let (_, vip) = cloud.secured(fields, "HTTP", &[&a, &b]).await;
    eventually("members", async || {
        let page = crate::tls::fetch_as(vip, "default.example", None).await?;
        (page.status == 200).then_some(())
    })
    .await;
    let stream = connect_offering(vip, "default.example", None, &BOTH).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let ask = || {
        let request = Request::get("https://shop.example/path").header("cookie", "a=1").header("cookie", "b=2");
        let (mut sender, request) = (sender.clone(), request.body(Empty::<Bytes>::new()).unwrap());
        tokio::spawn(async move { sender.send_request(request).await.unwrap().collect().await.unwrap().to_bytes() })
    };
    let all = [ask(), ask(), ask(), ask()];
    let mut names = Vec::new();
    for one in all {
        let body = String::from_utf8(one.await.unwrap().to_vec()).unwrap();
        for line in ["get /path http/1.1", "host: shop.example", "x-forwarded-host: shop.example", "cookie: a=1; b=2"] {
            assert!(body.lines().any(|told| told == line), "{line} is missing in {body}");
        }
        names.push(body.lines().next().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(names, ["a", "a", "b", "b"]);
}

#[tokio::test]
async fn http2_is_agreed_on_only_where_the_listener_says_so() {
    let cloud = cloud().await;
    let certificate = cloud.server_certificate(DEFAULT, "").await;
    let fields = json!({"protocol": "HTTPS", "default_tls_container_ref": certificate});
    let (_, vip) = cloud.secured(fields, "HTTP", &[]).await;
    assert_eq!(agreed(vip).await.unwrap(), b"http/1.1");
    let listener = cloud.get(LISTENERS).await["listeners"][0]["id"].as_str().unwrap().to_owned();
    for (enabled, expected) in [(true, &b"h2"[..]), (false, b"http/1.1")] {
        cloud.change_listener(&listener, json!({"http2_enable": enabled})).await;
        eventually("the other protocol", async || agreed(vip).await.filter(|agreed| agreed == expected)).await;
    }
}

#[tokio::test]
async fn an_http2_connection_without_requests_ends() {
    let cloud = Cloud::start(Config { max_tcp_idle: Some(Duration::from_millis(400)), ..config() }).await;
    let certificate = cloud.server_certificate(DEFAULT, "").await;
    let fields = json!({"protocol": "HTTPS", "default_tls_container_ref": certificate, "http2_enable": true});
    let (_, vip) = cloud.secured(fields, "HTTP", &[]).await;
    eventually("HTTP/2", async || agreed(vip).await.filter(|agreed| agreed == b"h2")).await;
    let stream = connect_offering(vip, "default.example", None, &BOTH).await.unwrap();
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(1200) {
        let request = Request::get("https://shop.example/").body(Empty::<Bytes>::new()).unwrap();
        assert_eq!(sender.send_request(request).await.unwrap().status(), 404);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::timeout(Duration::from_secs(5), connection).await.unwrap().unwrap().unwrap();
}

/// A page that is worth compressing, and a picture that is not.
fn page(name: &str, head: &str) -> Option<String> {
    let kind = if head.starts_with("GET /picture") { "image/png" } else { "text/html; charset=utf-8" };
    let body = name.repeat(10_000);
    let length = body.len();
    Some(format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nETag: \"1\"\r\nContent-Length: {length}\r\n\r\n{body}"))
}

async fn fetch(vip: SocketAddr, path: &str, accepted: &str) -> Response<Incoming> {
    let stream = TcpStream::connect(vip).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get(path).header("host", "shop.example").header("accept-encoding", accepted);
    sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap()
}

#[tokio::test]
async fn answers_are_compressed_where_the_listener_and_the_client_say_so() {
    let cloud = cloud().await;
    let server = web_server("a", page).await;
    let (listener, _, vip) = cloud.web(json!({"gzip_enable": true}), &[&server]).await;
    for (path, accepted, is_packed) in
        [("/page", "gzip, br", true), ("/page", "br", false), ("/picture", "gzip", false)]
    {
        let answer = fetch(vip, path, accepted).await;
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (coding, length, tag) = (header("content-encoding"), header("content-length"), header("etag"));
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        if is_packed {
            assert_eq!((coding.as_deref(), length, tag.as_deref()), (Some("gzip"), None, Some("W/\"1\"")));
            assert!(body.len() < 1_000, "{} bytes", body.len());
            let mut text = String::new();
            GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
            assert_eq!(text, "a".repeat(10_000));
        } else {
            assert_eq!((coding, length.as_deref(), tag.as_deref()), (None, Some("10000"), Some("\"1\"")), "{path}");
            assert_eq!(body, "a".repeat(10_000));
        }
    }
    cloud.change_listener(&listener, json!({"gzip_enable": false})).await;
    eventually("no compression", async || {
        let answer = fetch(vip, "/page", "gzip").await;
        (!answer.headers().contains_key("content-encoding")).then_some(())
    })
    .await;
}
