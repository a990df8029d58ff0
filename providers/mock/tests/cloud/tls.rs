//! TLS with clients and with members: certificates by name, clients that must show one, health checks.
//!
//! The certificates in `pem/` are signed by an authority whose key is gone; they last until 2126.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::client::{Cloud, eventually};
use crate::dataplane::{Server, cloud, tcp_server};
use crate::http::{LISTENERS, Page, answer, fetch, get, request, tell, web_server};

const AUTHORITY: &str = include_str!("pem/authority.crt");
pub const DEFAULT: (&str, &str) = (include_str!("pem/default.crt"), include_str!("pem/default.key"));
const NAMED: (&str, &str) = (include_str!("pem/named.crt"), include_str!("pem/named.key"));
const CLIENT: (&str, &str) = (include_str!("pem/client.crt"), include_str!("pem/client.key"));

impl Cloud {
    async fn certificate(&self, fields: Value) -> String {
        self.create("/v3/{pid}/elb/certificates", json!({"certificate": fields})).await
    }

    pub async fn server_certificate(&self, (chain, key): (&str, &str), domain: &str) -> String {
        self.certificate(json!({"type": "server", "certificate": chain, "private_key": key, "domain": domain})).await
    }

    /// A load balancer with a listener with these fields and a pool; the pool and the address.
    pub async fn secured(&self, fields: Value, pool: &str, members: &[&Server]) -> (String, SocketAddr) {
        let lb = self.loadbalancer("lb").await;
        let mut listener = json!({"loadbalancer_id": lb, "protocol_port": 8443});
        listener.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let listener = self.create(LISTENERS, json!({"listener": listener})).await;
        let pool = self.pool(&listener, pool).await;
        for member in members {
            self.member(&pool, member.address).await;
        }
        let vip = self.vip(&lb, 8443).await;
        self.listening(vip).await;
        (pool, vip)
    }
}

fn chain(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().unwrap()
}

fn key(pem: &str) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap()
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Connects with a name that the certificate must be for.
async fn connect(address: SocketAddr, name: &str, own: Option<(&str, &str)>) -> std::io::Result<TlsStream<TcpStream>> {
    connect_offering(address, name, own, &[]).await
}

/// The same, and offers protocols by ALPN.
pub async fn connect_offering(
    address: SocketAddr,
    name: &str,
    own: Option<(&str, &str)>,
    protocols: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    chain(AUTHORITY).into_iter().for_each(|authority| roots.add(authority).unwrap());
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let builder = builder.with_root_certificates(roots);
    let mut config = match own {
        Some((certificate, private)) => builder.with_client_auth_cert(chain(certificate), key(private)).unwrap(),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name.to_owned()).unwrap(), stream).await
}

pub async fn fetch_as(address: SocketAddr, name: &str, own: Option<(&str, &str)>) -> Option<Page> {
    request(&mut connect(address, name, own).await.ok()?, &get("")).await
}

/// Answers requests over TLS, with a certificate that nobody knows by this address.
async fn secured_server(name: &'static str) -> Server {
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let config = builder.with_no_client_auth().with_single_cert(chain(DEFAULT.0), key(DEFAULT.1)).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    answer(stream, name, tell).await;
                }
            });
        }
    });
    Server { address, asked: Default::default(), task }
}

#[tokio::test]
async fn the_certificate_is_chosen_by_name() {
    let cloud = cloud().await;
    let a = web_server("a", tell).await;
    let default = cloud.server_certificate(DEFAULT, "").await;
    let named = cloud.server_certificate(NAMED, "example.org,*.example.org").await;
    let proto = json!({"X-Forwarded-Proto": true});
    let fields = json!({"protocol": "HTTPS", "default_tls_container_ref": default, "sni_container_refs": [named],
        "insert_headers": proto});
    let (_, vip) = cloud.secured(fields, "HTTP", &[&a]).await;
    for name in ["default.example", "example.org", "shop.example.org"] {
        let page =
            eventually("an answer", async || fetch_as(vip, name, None).await.filter(|page| page.status == 200)).await;
        assert!(page.body.contains("x-forwarded-proto: https"), "{page:?}");
    }
    assert!(connect(vip, "a.b.example.org", None).await.is_err(), "a wildcard stands for one label");
    assert_eq!(fetch(vip, "").await.unwrap().status, 400, "plain HTTP");
}

#[tokio::test]
async fn a_certificate_that_is_replaced_is_shown_at_once() {
    let cloud = cloud().await;
    let a = web_server("a", tell).await;
    let certificate = cloud.server_certificate(DEFAULT, "").await;
    let fields = json!({"protocol": "HTTPS", "default_tls_container_ref": certificate});
    let (_, vip) = cloud.secured(fields, "HTTP", &[&a]).await;
    eventually("the first", async || fetch_as(vip, "default.example", None).await).await;
    let other = json!({"certificate": {"certificate": NAMED.0, "private_key": NAMED.1}});
    cloud.call("PUT", &format!("/v3/{{pid}}/elb/certificates/{certificate}"), other).await;
    eventually("the second", async || fetch_as(vip, "example.org", None).await).await;

    let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let other = json!({"certificate": {"certificate": nonsense, "private_key": NAMED.1}});
    cloud.call("PUT", &format!("/v3/{{pid}}/elb/certificates/{certificate}"), other).await;
    let state = async || cloud.sockets().await[0]["state"].as_str().unwrap().starts_with("no TLS").then_some(());
    eventually("the reason", state).await;
    assert!(fetch_as(vip, "example.org", None).await.is_none());
}

#[tokio::test]
async fn clients_must_show_a_certificate_where_an_authority_is_named() {
    let cloud = cloud().await;
    let a = web_server("a", tell).await;
    let server = cloud.server_certificate(DEFAULT, "").await;
    let authority = cloud.certificate(json!({"type": "client", "certificate": AUTHORITY})).await;
    let fields = json!({"protocol": "HTTPS", "default_tls_container_ref": server,
        "client_ca_tls_container_ref": authority});
    let (_, vip) = cloud.secured(fields, "HTTP", &[&a]).await;
    let page = eventually("an answer", async || fetch_as(vip, "default.example", Some(CLIENT)).await).await;
    assert_eq!(page.status, 200);
    assert!(fetch_as(vip, "default.example", None).await.is_none());
}

#[tokio::test]
async fn old_versions_are_offered_as_the_policy_says() {
    let cloud = cloud().await;
    let a = web_server("a", tell).await;
    let server = cloud.server_certificate(DEFAULT, "").await;
    for (policy, version) in [
        ("tls-1-2-strict", rustls::ProtocolVersion::TLSv1_2),
        ("tls-1-2-fs-with-1-3", rustls::ProtocolVersion::TLSv1_3),
    ] {
        let fields = json!({"protocol": "HTTPS", "default_tls_container_ref": server, "tls_ciphers_policy": policy});
        let (_, vip) = cloud.secured(fields, "HTTP", &[&a]).await;
        let stream = connect(vip, "default.example", None).await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(version));
    }
}

#[tokio::test]
async fn members_may_speak_tls_too_and_are_checked_so() {
    let cloud = cloud().await;
    // One says what nobody who wants TLS understands.
    let (plain, secured) = (tcp_server("plain").await, secured_server("secured").await);
    let server = cloud.server_certificate(DEFAULT, "").await;
    let fields = json!({"protocol": "HTTPS", "default_tls_container_ref": server});
    let (pool, vip) = cloud.secured(fields, "HTTPS", &[&plain, &secured]).await;
    cloud.monitor_with(&pool, "HTTPS", json!({})).await;
    let is = async |server: &Server, status: &str| {
        (cloud.health(&pool).await[&server.address.port().to_string()] == status).then_some(())
    };
    eventually("one is up", async || is(&secured, "ONLINE").await).await;
    eventually("the other is not", async || is(&plain, "OFFLINE").await).await;
    let members = cloud.get(&format!("/v3/{{pid}}/elb/pools/{pool}/members?operating_status=OFFLINE")).await;
    assert_eq!(members["members"][0]["reason"]["reason_code"], "SSL_HANDSHAKE_ERROR");
    let page = eventually("an answer", async || {
        fetch_as(vip, "default.example", None).await.filter(|page| page.status == 200)
    })
    .await;
    assert_eq!(page.name(), "secured");
}

#[tokio::test]
async fn a_tls_listener_passes_on_what_is_inside() {
    let cloud = cloud().await;
    let (plain, secured) = (tcp_server("p").await, secured_server("secured").await);
    let server = cloud.server_certificate(DEFAULT, "").await;
    let fields = json!({"protocol": "TLS", "default_tls_container_ref": server});
    let (_, vip) = cloud.secured(fields.clone(), "TCP", &[&plain]).await;
    let mut stream = eventually("a greeting", async || {
        let mut stream = connect(vip, "default.example", None).await.ok()?;
        (stream.read_u8().await.ok()? == b'p').then_some(stream)
    })
    .await;
    stream.write_all(b"echo").await.unwrap();
    let mut echo = [0; 4];
    stream.read_exact(&mut echo).await.unwrap();
    assert_eq!(&echo, b"echo");

    let (_, vip) = cloud.secured(fields, "TLS", &[&secured]).await;
    let page = eventually("an answer", async || fetch_as(vip, "default.example", None).await).await;
    assert_eq!(page.name(), "secured");
}
