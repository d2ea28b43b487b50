//! Certificates: the platform's checks, and a pin on top of them or instead of them.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};

use super::{ApiError, Endpoint};

/// The configuration for an endpoint.
///
/// # Errors
/// When the platform has no certificates to check with.
pub(super) fn config(endpoint: &Endpoint) -> Result<ClientConfig, ApiError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let failed = |why: Error| ApiError::unsent(format!("cannot prepare the check of certificates: {why}"));
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(failed)?;
    if !endpoint.url.starts_with("https:") {
        // Reading the platform's certificates takes milliseconds that a plain connection need not spend.
        return Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth());
    }
    let chain: Option<Arc<dyn ServerCertVerifier>> = match (endpoint.fingerprint, endpoint.pin_only) {
        (Some(_), true) => None,
        _ => Some(Arc::new(rustls_platform_verifier::Verifier::new(Arc::clone(&provider)).map_err(failed)?)),
    };
    let verifier = Verifier { pin: endpoint.fingerprint, chain, provider };
    let mut config = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

#[derive(Debug)]
struct Verifier {
    pin: Option<[u8; 32]>,
    chain: Option<Arc<dyn ServerCertVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(pin) = self.pin
            && Sha256::digest(end_entity.as_ref()).as_slice() != pin
        {
            return Err(Error::General(
                "remote server presented a certificate which does not match the provided fingerprint".to_owned(),
            ));
        }
        match &self.chain {
            Some(chain) => chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now),
            None => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verify(pin: Option<[u8; 32]>, certificate: &[u8]) -> Result<ServerCertVerified, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let name = ServerName::try_from("h.example").unwrap();
        let certificate = CertificateDer::from(certificate.to_vec());
        Verifier { pin, chain: None, provider }.verify_server_cert(&certificate, &[], &name, &[], UnixTime::now())
    }

    #[test]
    fn only_the_pinned_certificate_is_accepted() {
        let pin: [u8; 32] = Sha256::digest(b"certificate").into();
        assert!(verify(Some(pin), b"certificate").is_ok());
        assert!(verify(Some(pin), b"another").unwrap_err().to_string().contains("does not match"));
    }
}
