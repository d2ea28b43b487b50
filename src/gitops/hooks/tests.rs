use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};

use super::*;

const BODY: &[u8] = br#"{"ref":"refs/heads/main","after":"1111111111111111111111111111111111111111"}"#;
/// HMAC-SHA256 of `BODY` with `s3cret`.
const DIGEST: &str = "a3450400315a03375f96c5ed76f59082b5f4f39ccfd1ad04f1df07ecba18f809";
const KEY: &str = "whsec_dGVzdHRlc3R0ZXN0dGVzdHRlc3R0ZXN0dGVzdHRlc3Q=";
/// Signature of `BODY` with `KEY`, id `msg_1`, at 1700000000.
const STANDARD: &str = "v1,m4k2tn8Rv4EXTw0mhp6PuBAOkv9bJ8NHOGC959LLwQE=";

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap()))
        .collect()
}

fn verify_at(secrets: &[&str], pairs: &[(&str, &str)], body: &[u8], second: i64) -> Result<Sender, HookError> {
    let now = jiff::Timestamp::from_second(second).unwrap();
    HookVerifier::new(None, secrets).unwrap().verify_request(&headers(pairs), body, now)
}

fn verify(pairs: &[(&str, &str)]) -> Result<Sender, HookError> {
    verify_at(&["s3cret"], pairs, BODY, 1_700_000_000)
}

#[test]
fn known_vectors_are_accepted() {
    let prefixed = format!("sha256={DIGEST}");
    assert_eq!(verify(&[("X-Hub-Signature-256", &prefixed)]), Ok(Sender::Github));
    assert_eq!(verify(&[("X-Hub-Signature", &prefixed), ("X-Event-Key", "repo:push")]), Ok(Sender::Bitbucket));
    assert_eq!(verify(&[("X-Gitea-Signature", DIGEST)]), Ok(Sender::Gitea));
    assert_eq!(verify(&[("X-Forgejo-Signature", DIGEST)]), Ok(Sender::Forgejo));
    assert_eq!(verify(&[("X-Gogs-Signature", DIGEST)]), Ok(Sender::Gogs));
    assert_eq!(verify(&[("X-Signature", &prefixed)]), Ok(Sender::Generic));
    assert_eq!(verify(&[("X-Gitlab-Token", "s3cret")]), Ok(Sender::Gitlab));
    let standard = [("webhook-signature", STANDARD), ("webhook-id", "msg_1"), ("webhook-timestamp", "1700000000")];
    assert_eq!(verify_at(&[KEY], &standard, BODY, 1_700_000_299), Ok(Sender::Standard));
}

#[test]
fn vector_of_github_documentation_is_accepted() {
    let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let secret = "It's a Secret to Everybody";
    assert!(verify_at(&[secret], &[("x-hub-signature-256", signature)], b"Hello, World!", 0).is_ok());
}

#[test]
fn vector_of_standard_webhooks_is_accepted_with_and_without_prefix() {
    let sent = [
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        (
            "webhook-signature",
            "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
    ];
    let body = br#"{"test": 2432232314}"#;
    for secret in ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
        assert_eq!(verify_at(&[secret], &sent, body, 1_614_265_330), Ok(Sender::Standard), "{secret}");
    }
    assert_eq!(verify_at(&["whsec_bad"], &sent, body, 1_614_265_330), Err(HookError::Signature));
}

#[test]
fn most_specific_signature_alone_counts() {
    let (good, bad) = (format!("sha256={DIGEST}"), "0".repeat(64));
    let sent = [("X-Forgejo-Signature", &*bad), ("X-Gitea-Signature", DIGEST), ("X-Hub-Signature-256", &good)];
    assert_eq!(verify(&sent), Err(HookError::Signature));
    let sent = [("X-Gitea-Signature", DIGEST), ("X-Gogs-Signature", &*bad), ("X-Hub-Signature-256", &*bad)];
    assert_eq!(verify(&sent), Ok(Sender::Gitea));
    let sent = [("X-Hub-Signature-256", &*bad), ("X-Hub-Signature", &*good)];
    assert_eq!(verify(&sent), Err(HookError::Signature));
    // GitLab's signature counts more than the token that it sends beside it.
    let sent = [
        ("X-Gitlab-Token", "s3cret"),
        ("webhook-signature", "v1,AAAA"),
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", "1700000000"),
    ];
    assert_eq!(verify(&sent), Err(HookError::Signature));
}

#[test]
fn pinned_sender_reads_its_own_header_only() {
    let verifier = HookVerifier::new(Sender::from_name("github"), ["s3cret"]).unwrap();
    let now = jiff::Timestamp::UNIX_EPOCH;
    let (good, bad) = (format!("sha256={DIGEST}"), "0".repeat(64));
    let sent = headers(&[("X-Forgejo-Signature", &bad), ("X-Hub-Signature-256", &good)]);
    assert_eq!(verifier.verify_request(&sent, BODY, now), Ok(Sender::Github));
    assert_eq!(verifier.verify_request(&headers(&[("X-Gitlab-Token", "s3cret")]), BODY, now), Err(HookError::Missing));
}

#[test]
fn both_secrets_of_a_rotation_are_accepted() {
    let sent = [("X-Gitea-Signature", DIGEST)];
    assert!(verify_at(&["new", "s3cret"], &sent, BODY, 0).is_ok());
    assert!(verify_at(&["s3cret\n", "new"], &sent, BODY, 0).is_ok());
    assert_eq!(verify_at(&["new", "newer"], &sent, BODY, 0), Err(HookError::Signature));
    assert_eq!(verify_at(&["new", "s3cret"], &[("X-Gitlab-Token", "s3cret")], BODY, 0), Ok(Sender::Gitlab));
}

#[test]
fn timestamp_more_than_five_minutes_away_is_refused() {
    #[track_caller]
    fn case(sent: &str, now: i64, expected: Result<Sender, HookError>) {
        let sent = [("webhook-signature", STANDARD), ("webhook-id", "msg_1"), ("webhook-timestamp", sent)];
        assert_eq!(verify_at(&[KEY], &sent, BODY, now), expected);
    }
    case("1700000000", 1_700_000_300, Ok(Sender::Standard));
    case("1700000000", 1_699_999_700, Ok(Sender::Standard));
    case("1700000000", 1_700_000_301, Err(HookError::Timestamp));
    case("1700000000", 1_699_999_699, Err(HookError::Timestamp));
    case("yesterday", 1_700_000_000, Err(HookError::Timestamp));
    case("-9223372036854775808", 1_700_000_000, Err(HookError::Timestamp));
    // A changed timestamp breaks the signature.
    case("1700000001", 1_700_000_000, Err(HookError::Signature));
}

#[test]
fn malformed_signatures_are_refused() {
    for (header, value) in [
        ("X-Hub-Signature-256", DIGEST.to_owned()),
        ("X-Hub-Signature-256", format!("sha1={DIGEST}")),
        ("X-Hub-Signature-256", format!("sha256={}", &DIGEST[2..])),
        ("X-Hub-Signature-256", "sha256=".to_owned()),
        ("X-Hub-Signature", "sha1=0000".to_owned()),
        ("X-Gitea-Signature", format!("sha256={DIGEST}")),
        ("X-Gitea-Signature", "x".repeat(64)),
        ("X-Gitlab-Token", "s3cre".to_owned()),
        ("X-Gitlab-Token", String::new()),
    ] {
        assert_eq!(verify(&[(header, &value)]), Err(HookError::Signature), "{header}: {value}");
    }
    assert_eq!(verify(&[]), Err(HookError::Missing));
    assert_eq!(verify(&[("X-Gitea-Signature", DIGEST), ("X-Gitea-Signature", DIGEST)]), Err(HookError::Missing));
    assert_eq!(verify(&[("webhook-signature", STANDARD)]), Err(HookError::Missing));
}

#[test]
fn empty_secret_makes_no_hook() {
    assert!(HookVerifier::new(None, ["", " \n"]).is_none());
    assert!(HookVerifier::new(None, [""; 0]).is_none());
}

#[test]
fn pings_are_recognized() {
    assert!(Sender::is_ping(&headers(&[("X-GitHub-Event", "ping")])));
    assert!(!Sender::is_ping(&headers(&[("X-GitHub-Event", "push")])));
}
