//! HTTP listeners with real requests: who answers, what members are told, and what clients get when nobody answers.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::client::{Cloud, eventually};
use crate::dataplane::{POOLS, Server, cloud};

pub const LISTENERS: &str = "/v3/{pid}/elb/listeners";

/// An answer to a request.
#[derive(Debug, PartialEq)]
pub struct Page {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// What the server does with a request whose head is this, for its name.
type Reply = fn(&str, &str) -> Option<String>;

/// Answers with its name, and the request's head in small letters.
pub fn tell(name: &str, head: &str) -> Option<String> {
    let body = format!("{name}\n{}", head.to_lowercase());
    Some(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nSet-Cookie: app={name}; Path=/\r\n\r\n{body}", body.len()))
}

/// Takes requests and never answers.
fn silent(_: &str, _: &str) -> Option<String> {
    None
}

pub async fn web_server(name: &'static str, reply: Reply) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, name, reply));
        }
    });
    Server { address, asked: Default::default(), task }
}

/// One request after the other; after a switch of protocols it echoes.
pub async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, name: &'static str, reply: Reply) {
    while let Some(head) = head(&mut stream).await {
        let Some(text) = reply(name, &head) else { return std::future::pending().await };
        stream.write_all(text.as_bytes()).await.unwrap();
        if text.starts_with("HTTP/1.1 101") {
            let (mut read, mut write) = tokio::io::split(stream);
            let _ = tokio::io::copy(&mut read, &mut write).await;
            return;
        }
    }
}

/// Everything up to the empty line.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap())
}

/// Sends a request on a connection that is open and reads the answer.
pub async fn request(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), text: &str) -> Option<Page> {
    stream.write_all(text.as_bytes()).await.ok()?;
    let head = head(stream).await?;
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Page { status, head: head.to_lowercase(), body: String::from_utf8(body).unwrap() })
}

/// A request on a connection of its own.
pub async fn fetch(address: SocketAddr, headers: &str) -> Option<Page> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    request(&mut stream, &get(headers)).await
}

pub fn get(headers: &str) -> String {
    format!("GET /path HTTP/1.1\r\nHost: shop.example\r\n{headers}\r\n")
}

impl Page {
    pub fn name(&self) -> &str {
        self.body.lines().next().unwrap_or_default()
    }
}

impl Cloud {
    /// A load balancer with a listener with these fields and a pool; the listener, the pool and the address.
    pub async fn web(&self, listener: Value, members: &[&Server]) -> (String, String, SocketAddr) {
        let lb = self.loadbalancer("lb").await;
        let mut fields = json!({"loadbalancer_id": lb, "protocol": "HTTP", "protocol_port": 8080});
        fields.as_object_mut().unwrap().extend(listener.as_object().unwrap().clone());
        let listener = self.create(LISTENERS, json!({"listener": fields})).await;
        let pool = self.pool(&listener, "HTTP").await;
        for member in members {
            self.member(&pool, member.address).await;
        }
        let vip = self.vip(&lb, 8080).await;
        self.listening(vip).await;
        if !members.is_empty() {
            // The last change has arrived.
            eventually("the members", async || fetch(vip, "").await.filter(|page| page.status != 404)).await;
        }
        (listener, pool, vip)
    }
}

#[tokio::test]
async fn requests_of_one_connection_are_spread_and_members_are_told_of_the_client() {
    let cloud = cloud().await;
    let (a, b) = (web_server("a", tell).await, web_server("b", tell).await);
    let headers = ["Port", "For-Port", "Host", "Proto", "ELB-ID"].map(|name| (format!("X-Forwarded-{name}"), true));
    let mut headers: serde_json::Map<String, Value> =
        headers.into_iter().map(|(name, value)| (name, value.into())).collect();
    headers.insert("X-Real-IP".into(), true.into());
    let (_, _, vip) = cloud.web(json!({"insert_headers": headers}), &[&a, &b]).await;

    let mut stream = TcpStream::connect(vip).await.unwrap();
    let port = stream.local_addr().unwrap().port();
    let mut names = Vec::new();
    for _ in 0..4 {
        let page = request(&mut stream, &get("X-Forwarded-For: 192.0.2.1\r\nX-Real-IP: 192.0.2.1\r\n")).await.unwrap();
        for line in [
            "get /path http/1.1",
            "host: shop.example",
            "x-forwarded-for: 192.0.2.1, 127.0.0.1",
            "x-forwarded-host: shop.example",
            "x-forwarded-proto: http",
            "x-forwarded-port: 8080",
            &format!("x-forwarded-for-port: {port}"),
            "x-real-ip: 127.0.0.1",
        ] {
            assert!(page.body.lines().any(|told| told == line), "{line} is missing in {}", page.body);
        }
        names.push(page.name().to_owned());
    }
    names.sort();
    assert_eq!(names, ["a", "a", "b", "b"]);
}

#[tokio::test]
async fn only_what_is_documented_is_told_by_default() {
    let cloud = cloud().await;
    let a = web_server("a", tell).await;
    let (_, _, vip) = cloud.web(json!({}), &[&a]).await;
    let page = fetch(vip, "").await.unwrap();
    let mut told: Vec<&str> = page.body.lines().filter(|line| line.starts_with("x-")).collect();
    told.sort_unstable();
    assert_eq!(told, ["x-forwarded-for: 127.0.0.1", "x-forwarded-host: shop.example"]);
}

#[tokio::test]
async fn bodies_go_both_ways_whatever_their_length() {
    let cloud = cloud().await;
    let echo = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = echo.local_addr().unwrap();
    // Takes chunks and gives chunks.
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = echo.accept().await {
            let Some(head) = head(&mut stream).await else { continue };
            let mut body = Vec::new();
            if head.to_lowercase().contains("transfer-encoding: chunked") {
                while !body.ends_with(b"0\r\n\r\n") {
                    body.push(stream.read_u8().await.unwrap());
                }
            } else {
                body = b"0\r\n\r\n".to_vec();
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await.unwrap();
            stream.write_all(&body).await.unwrap();
        }
    });
    let server = Server { address, asked: Default::default(), task };
    let (_, _, vip) = cloud.web(json!({}), &[&server]).await;
    let mut stream = TcpStream::connect(vip).await.unwrap();
    let post = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n4\r\nabcd\r\n3\r\nefg\r\n0\r\n\r\n";
    stream.write_all(post.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let text: String = answer.split("\r\n\r\n").nth(1).unwrap().lines().filter(|line| line.len() > 2).collect();
    assert_eq!(text, "abcdefg", "{answer}");
}

#[tokio::test]
async fn who_has_no_member_to_ask_says_why() {
    let cloud = cloud().await;
    let (_, pool, vip) = cloud.web(json!({}), &[]).await;
    let page = fetch(vip, "").await.unwrap();
    assert_eq!((page.status, page.head.contains("x-router-code: 40000")), (404, true), "{page:?}");

    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = gone.local_addr().unwrap();
    drop(gone);
    let member = cloud.member(&pool, address).await;
    let status = async |wanted: u16| fetch(vip, "").await.filter(|page| page.status == wanted);
    eventually("a bad gateway", async || status(502).await).await;

    let path = format!("{POOLS}/{pool}/members/{member}");
    cloud.call("PUT", &path, json!({"member": {"weight": 0}})).await;
    let page = eventually("unavailable", async || status(503).await).await;
    assert!(page.head.contains("x-router-code: 50000"), "{page:?}");
}

#[tokio::test]
async fn another_member_makes_up_for_one_that_refuses_unless_that_is_off() {
    let cloud = cloud().await;
    let (a, b) = (web_server("a", tell).await, web_server("b", tell).await);
    let (listener, _, vip) = cloud.web(json!({}), &[&a, &b]).await;
    b.task.abort();
    eventually("b is gone", async || TcpStream::connect(b.address).await.is_err().then_some(())).await;
    for _ in 0..4 {
        assert_eq!(fetch(vip, "").await.unwrap().name(), "a");
    }
    let off = json!({"listener": {"enable_member_retry": false}});
    cloud.call("PUT", &format!("{LISTENERS}/{listener}"), off).await;
    eventually("half of them fail", async || {
        let pages = [fetch(vip, "").await?, fetch(vip, "").await?];
        let mut codes = pages.map(|page| page.status);
        codes.sort_unstable();
        (codes == [200, 502]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn who_takes_too_long_is_told() {
    let cloud = cloud().await;
    let (a, mute) = (web_server("a", tell).await, web_server("mute", silent).await);
    let timeouts = json!({"client_timeout": 1, "member_timeout": 1, "keepalive_timeout": 1});
    let (_, pool, vip) = cloud.web(timeouts, &[&a]).await;

    let mut half = TcpStream::connect(vip).await.unwrap();
    let page = request(&mut half, "GET / HTTP/1.1\r\nHost:").await.unwrap();
    assert_eq!(page.status, 408);

    let mut idle = TcpStream::connect(vip).await.unwrap();
    assert_eq!(request(&mut idle, &get("")).await.unwrap().status, 200);
    let end = tokio::time::timeout(Duration::from_secs(5), idle.read(&mut [0; 1])).await.unwrap();
    assert_eq!(end.unwrap(), 0, "an orderly end");

    cloud.member(&pool, mute.address).await;
    eventually("too late", async || fetch(vip, "").await.filter(|page| page.status == 504)).await;
}

#[tokio::test]
async fn a_cookie_leads_back_to_the_same_member() {
    let cloud = cloud().await;
    let (a, b) = (web_server("a", tell).await, web_server("b", tell).await);
    let (_, pool, vip) = cloud.web(json!({}), &[&a, &b]).await;
    let own = json!({"pool": {"session_persistence": {"type": "HTTP_COOKIE", "persistence_timeout": 5}}});
    cloud.call("PUT", &format!("{POOLS}/{pool}"), own).await;
    let (cookie, name) = eventually("a cookie of the load balancer", async || {
        let page = fetch(vip, "").await?;
        let line = page.head.lines().find(|line| line.starts_with("set-cookie: elb_member="))?.to_owned();
        assert!(line.contains("max-age=300"), "{line}");
        let value = line.trim_start_matches("set-cookie: elb_member=").split(';').next()?.to_owned();
        Some((format!("Cookie: x=y; ELB_MEMBER={value}\r\n"), page.name().to_owned()))
    })
    .await;
    for _ in 0..4 {
        let page = fetch(vip, &cookie).await.unwrap();
        assert_eq!(page.name(), name);
        assert!(!page.head.contains("elb_member"), "it is told once: {page:?}");
    }

    let application = json!({"type": "APP_COOKIE", "cookie_name": "app", "persistence_timeout": 5});
    cloud.call("PUT", &format!("{POOLS}/{pool}"), json!({"pool": {"session_persistence": application}})).await;
    eventually("the application's cookie counts", async || {
        for name in ["a", "b"] {
            for _ in 0..3 {
                let page = fetch(vip, &format!("Cookie: app={name}\r\n")).await?;
                if page.name() != name || page.head.contains("elb_member") {
                    return None;
                }
            }
        }
        Some(())
    })
    .await;
}

#[tokio::test]
async fn protocols_can_be_switched() {
    let cloud = cloud().await;
    let switch = |_: &str, head: &str| {
        let upgrade = head.to_lowercase().contains("upgrade: echo");
        let text = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
        Some(if upgrade { text.to_owned() } else { "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned() })
    };
    let a = web_server("a", switch).await;
    let (_, _, vip) = cloud.web(json!({}), &[&a]).await;
    let mut stream = TcpStream::connect(vip).await.unwrap();
    let page = request(&mut stream, &get("Connection: Upgrade\r\nUpgrade: echo\r\n")).await.unwrap();
    assert_eq!(page.status, 101);
    stream.write_all(b"anything").await.unwrap();
    let mut echo = [0; 8];
    stream.read_exact(&mut echo).await.unwrap();
    assert_eq!(&echo, b"anything");
}
