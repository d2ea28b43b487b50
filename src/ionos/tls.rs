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
pub(super) fn client_config(endpoint: &Endpoint) -> Result<ClientConfig, ApiError> {
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

/// Explains a failure of TLS to people; `None` if it is another failure.
pub(super) fn explain_failure(reason: &str) -> Option<String> {
    const KNOWN: &[(&str, &str)] = &[
        ("corrupt message", "it does not speak TLS; if it is plain HTTP, write `http://` in `api_url`"),
        (
            "unknownissuer",
            "its certificate was issued by an authority that this machine does not trust, or by itself; add the \
             authority to the certificates of the system, or pin the certificate with `certificate_fingerprint` and \
             `certificate_pin_only: true`",
        ),
        ("expired", "its certificate has expired"),
        ("not valid yet", "its certificate is not valid yet; is the clock of this machine right?"),
        ("notvalidyet", "its certificate is not valid yet; is the clock of this machine right?"),
        ("not valid for name", "its certificate is for another host name"),
        ("notvalidforname", "its certificate is for another host name"),
        ("causedasendentity", "its certificate is that of an authority and not of a server"),
        ("revoked", "its certificate was revoked"),
        ("protocolversion", "it speaks no version of TLS that is still safe (1.2 or 1.3)"),
        ("protocol version", "it speaks no version of TLS that is still safe (1.2 or 1.3)"),
        ("handshakefailure", "it has no TLS cipher in common with this program, or needs a client certificate"),
    ];
    let lower = reason.to_ascii_lowercase();
    let (_, explanation) = KNOWN.iter().find(|(part, _)| lower.contains(part))?;
    Some(format!("{explanation} ({reason})"))
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
    fn failures_of_tls_are_explained() {
        let said = |reason: &str| explain_failure(reason).unwrap_or_default();
        assert!(said("invalid peer certificate: UnknownIssuer").starts_with("its certificate was issued by"));
        assert!(said("received corrupt message of type InvalidContentType").starts_with("it does not speak TLS"));
        assert!(said("invalid peer certificate: certificate not valid for name \"h\"").contains("another host name"));
        assert_eq!(explain_failure("connection refused"), None);
    }

    #[test]
    fn only_the_pinned_certificate_is_accepted() {
        let pin: [u8; 32] = Sha256::digest(b"certificate").into();
        assert!(verify(Some(pin), b"certificate").is_ok());
        assert!(verify(Some(pin), b"another").unwrap_err().to_string().contains("does not match"));
    }
}
