//! TLS below the protocol: who the server is, and nobody else hears. The key of the manager is still asked for above.
//!
//! Stock CPython managers have no TLS, so this is between two programs of ours.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};
use std::io;
use std::sync::Arc;

/// The certificate and the key of a server.
#[derive(Clone, Debug)]
pub struct TlsServer(Arc<ServerConfig>);

/// Whom a client believes, and as whom it expects the server.
#[derive(Clone, Debug)]
pub struct TlsClient {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

/// What cannot be used for TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A text that should hold certificates or a key in PEM does not.
    #[error("cannot read the {0} as PEM: {1}")]
    Pem(&'static str, rustls::pki_types::pem::Error),
    /// A text that should hold certificates holds none.
    #[error("there is no certificate in the PEM of the {0}")]
    Empty(&'static str),
    /// The certificate and the key do not fit, or are of a kind that is not known.
    #[error("cannot use them for TLS: {0}")]
    Refused(#[from] rustls::Error),
    /// A name that no certificate can carry.
    #[error("{0:?} is no name of a server")]
    Name(String),
}

fn certificates(what: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| TlsError::Pem(what, error))?;
    if found.is_empty() { Err(TlsError::Empty(what)) } else { Ok(found) }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

impl TlsServer {
    /// From a chain of certificates, the server's first, and its private key, both as PEM.
    ///
    /// # Errors
    /// If they cannot be read or do not fit together.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = certificates("server's certificate", certificate)?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| TlsError::Pem("server's key", error))?;
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        Ok(Self(Arc::new(config)))
    }

    pub(super) fn session(&self) -> io::Result<ServerConnection> {
        ServerConnection::new(Arc::clone(&self.0)).map_err(io::Error::other)
    }
}

impl TlsClient {
    /// Believes a server that shows a certificate for `name` signed by one of `roots` (PEM), or that is one of them.
    ///
    /// # Errors
    /// If the certificates cannot be read, or `name` is no name.
    pub fn from_pem(roots: &[u8], name: &str) -> Result<Self, TlsError> {
        let mut store = RootCertStore::empty();
        for root in certificates("client's roots", roots)? {
            store.add(root)?;
        }
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(store)
            .with_no_client_auth();
        let name =
            ServerName::try_from(name.to_owned()).map_err(|_| TlsError::Name(name.to_owned()))?;
        Ok(Self { config: Arc::new(config), name })
    }

    pub(super) fn session(&self) -> io::Result<ClientConnection> {
        ClientConnection::new(Arc::clone(&self.config), self.name.clone()).map_err(io::Error::other)
    }
}
