#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::TcpListener;

use clap::Parser;
use ferrolb_elb::{Method, Request, Transport, TransportError};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;

/// The certificate of `localhost`, its key and the authority that signed it, of no use elsewhere.
const TLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/cloud/tls");

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    elb: ElbFlags,
}

#[test]
fn endpoints_are_those_of_the_region_unless_given() {
    let endpoints = |args: &[&str]| {
        let flags = Command::parse_from([&["x"], args].concat()).elb;
        let given = [&flags.elb_endpoint, &flags.elb_vpc_endpoint, &flags.elb_nat_endpoint];
        [("elb", 0), ("vpc", 1), ("nat", 2)].map(|(service, n)| endpoint(&flags, given[n], service))
    };
    let url = |text: &str| Some(text.to_owned());
    assert_eq!(
        endpoints(&["--elb-region=eu-de", "--elb-domain=otc.t-systems.com", "--elb-vpc-endpoint=http://here"]),
        [url("https://elb.eu-de.otc.t-systems.com"), url("http://here"), url("https://nat.eu-de.otc.t-systems.com")]
    );
    assert_eq!(endpoints(&["--elb-region=ap-1"])[0], url("https://elb.ap-1.myhuaweicloud.com"));
    assert_eq!(endpoints(&["--elb-endpoint=http://a", "--elb-region="]), [url("http://a"), None, None]);
}

/// In an image of one binary there are no authorities on disk; the HTTP client refused to start there.
#[test]
fn the_public_authorities_are_in_the_binary() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    transport(None).expect("a client without any file");
    let error = transport(Some(Path::new("Cargo.toml"))).expect_err("not a certificate");
    assert!(format!("{error:#}").starts_with("Cargo.toml: "), "{error:#}");
}

/// Answers each connection over TLS with an empty object. Its address.
fn tls_server() -> SocketAddr {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let chain = CertificateDer::from_pem_file(format!("{TLS}/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(format!("{TLS}/server.key")).unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(vec![chain], key).unwrap();
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let mut session = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut stream = rustls::Stream::new(&mut session, &mut socket);
            // Whoever does not trust us has gone.
            if stream.read(&mut [0; 4096]).is_ok() {
                drop(stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}"));
            }
        }
    });
    address
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_and_none_else() {
    let port = tls_server().port();
    let ask = |ca: Option<&Path>| {
        let client = transport(ca).unwrap();
        let url = format!("https://localhost:{port}/");
        async move {
            let request = Request { method: Method::Get, url, headers: Vec::new(), body: Vec::new() };
            client.send(request).await
        }
    };
    let ca = format!("{TLS}/ca.pem");
    assert_eq!(ask(Some(Path::new(&ca))).await.unwrap().status, 200);
    // The call never left: not even keys were shown to somebody unknown.
    let error = ask(None).await.unwrap_err();
    assert!(matches!(error, TransportError::NotSent(_)), "{error}");
    assert!(error.to_string().contains("certificate"), "{error}");
}
