//! Certificates: what is trusted, and what a pin adds.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::stage::{Played, REG_A, Stage, no_tokens};

/// A server with a certificate of its own making that has no tokens for anybody. It ends with the test binary.
fn server() -> (SocketAddr, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut tls = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
            let (mut head, mut byte) = (Vec::new(), [0]);
            // A client that does not like the certificate leaves before it asks.
            while !head.ends_with(b"\r\n\r\n") && tls.read(&mut byte).is_ok_and(|read| read > 0) {
                head.push(byte[0]);
            }
            let body = r#"{"items": [], "total": 0}"#;
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            let _ = tls.write_all(answer.as_bytes());
            tls.conn.send_close_notify();
            let _ = tls.flush();
        }
    });
    (address, certificate)
}

fn fingerprint(certificate: &[u8]) -> String {
    Sha256::digest(certificate).iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

#[test]
fn a_pin_comes_on_top_of_the_usual_checks() {
    let (address, certificate) = server();
    let mut stage = Stage::with(&no_tokens(), &[]);
    stage.set("IONOS_API_URL", Some(&format!("https://localhost:{}", address.port())));
    let ask = |stage: &Stage, pin: Option<&str>, pin_only: bool| -> Played {
        let mut args = json!({"registry": REG_A, "certificate_pin_only": pin_only});
        if let Some(pin) = pin {
            args["certificate_fingerprint"] = json!(pin);
        }
        stage.play_module("registry_token_info", &[args], &[])
    };
    let right = fingerprint(&certificate);
    let wrong = fingerprint(b"another");

    // Nobody vouches for it: a pin alone does not help, unless the task says that it shall.
    assert!(ask(&stage, None, false).message().contains("certificate"), "{}", ask(&stage, None, false).message());
    assert_eq!(ask(&stage, Some(&right), false).outcome(), "failed");
    assert_eq!(ask(&stage, Some(&right), true).outcome(), "ok", "{}", ask(&stage, Some(&right), true).message());
    let played = ask(&stage, Some(&wrong), true);
    assert!(played.message().contains("does not match the provided fingerprint"), "{}", played.message());

    // Trusted: a pin still has to fit.
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &certificate)
    );
    let path = stage.folder.path().join("trusted.pem");
    std::fs::write(&path, pem).unwrap();
    stage.set("SSL_CERT_FILE", path.to_str());
    assert_eq!(ask(&stage, None, false).outcome(), "ok", "{}", ask(&stage, None, false).message());
    assert_eq!(ask(&stage, Some(&right), false).outcome(), "ok");
    let played = ask(&stage, Some(&wrong), false);
    assert!(played.message().contains("does not match the provided fingerprint"), "{}", played.message());
}
