//! TLS with clients, as a listener says, and with members, whose certificates nobody checks.

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::service::{Identity, Tls};

/// As clients and listeners agree on it (ALPN).
pub const HTTP2: &[u8] = b"h2";

static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(ring::default_provider()));

static MEMBERS: LazyLock<Option<TlsConnector>> = LazyLock::new(|| {
    let config = ClientConfig::builder_with_provider(PROVIDER.clone()).with_safe_default_protocol_versions().ok()?;
    let trusting = config.dangerous().with_custom_certificate_verifier(Arc::new(Trusting));
    Some(TlsConnector::from(Arc::new(trusting.with_no_client_auth())))
});

/// Makes the server side of a listener; an error says which part of it is of no use.
pub fn acceptor(tls: &Tls) -> Result<TlsAcceptor, String> {
    let versions = if tls.has_1_3 { &[&TLS13, &TLS12][..] } else { &[&TLS12] };
    let builder = ServerConfig::builder_with_provider(PROVIDER.clone());
    let builder = builder.with_protocol_versions(versions).map_err(|error| error.to_string())?;
    let builder = match &tls.client_authority {
        Some(pem) => {
            let mut roots = RootCertStore::empty();
            for authority in chain(pem)? {
                roots.add(authority).map_err(|error| format!("client authority: {error}"))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), PROVIDER.clone()).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| format!("client authority: {error}"))?)
        }
        None => builder.with_no_client_auth(),
    };
    let named = tls.named.iter().map(Wardrobe::item).collect::<Result<_, _>>()?;
    let default = Wardrobe::item(&tls.default)?.1;
    let mut config = builder.with_cert_resolver(Arc::new(Wardrobe { default, named }));
    let offered = tls.offers_http2.then_some(HTTP2);
    config.alpn_protocols = offered.into_iter().chain([&b"http/1.1"[..]]).map(<[u8]>::to_vec).collect();
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Begins TLS with a member.
pub async fn to_member(stream: TcpStream, address: IpAddr) -> std::io::Result<TlsStream<TcpStream>> {
    match &*MEMBERS {
        Some(connector) => connector.connect(ServerName::IpAddress(address.into()), stream).await,
        None => Err(std::io::Error::other("no TLS")),
    }
}

fn chain(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    chain.map_err(|error| format!("certificate: {error}"))
}

/// A listener's certificates, one of which a client is shown.
#[derive(Debug)]
struct Wardrobe {
    default: Arc<CertifiedKey>,
    named: Vec<(Vec<String>, Arc<CertifiedKey>)>,
}

impl Wardrobe {
    fn item(identity: &Identity) -> Result<(Vec<String>, Arc<CertifiedKey>), String> {
        let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes());
        let key = key.map_err(|error| format!("private key: {error}"))?;
        let key = PROVIDER.key_provider.load_private_key(key).map_err(|error| format!("private key: {error}"))?;
        let certified = CertifiedKey::new(chain(&identity.chain)?, key);
        certified.keys_match().map_err(|error| format!("certificate and private key: {error}"))?;
        Ok((identity.domains.clone(), Arc::new(certified)))
    }

    /// The certificate with the exact name, or with the longest wildcard that fits, or the default one.
    fn find(&self, name: &str) -> &Arc<CertifiedKey> {
        let fitting = self.named.iter().filter_map(|(domains, key)| Some((fit(domains, key, name)?, key)));
        fitting.max_by_key(|(length, _)| *length).map_or(&self.default, |(_, key)| key)
    }
}

impl ResolvesServerCert for Wardrobe {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(hello.server_name().map_or(&self.default, |name| self.find(name)).clone())
    }
}

/// How well a certificate fits a name.
fn fit(domains: &[String], key: &CertifiedKey, name: &str) -> Option<usize> {
    let one = |domain: &String| match domain.strip_prefix('*') {
        Some(rest) => {
            let label = name.strip_suffix(rest)?;
            (!label.is_empty() && !label.contains('.')).then_some(rest.len())
        }
        None => (domain == name).then_some(usize::MAX),
    };
    if !domains.is_empty() {
        return domains.iter().filter_map(one).max();
    }
    let certificate = ParsedCertificate::try_from(key.cert.first()?).ok()?;
    verify_server_name(&certificate, &ServerName::try_from(name).ok()?).ok().map(|()| 0)
}

/// As the vendor's: members' certificates may be of any kind.
#[derive(Debug)]
struct Trusting;

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &PROVIDER.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &PROVIDER.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        PROVIDER.signature_verification_algorithms.supported_schemes()
    }
}
