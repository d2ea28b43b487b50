//! Secrets of GitHub and variables of GitLab, against servers that keep what they are sent.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_box::SecretKey;
use crypto_box::aead::OsRng;
use serde_json::{Value as Json, json};

use super::sinks::{deliver, one_registry, store_text, text};
use super::stage::Stage;

/// A request that a forge got.
#[derive(Debug, Clone)]
struct Request {
    line: String,
    headers: String,
    body: Json,
}

/// A server that answers with a function.
struct Forge {
    url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Forge {
    fn start(mut answer: impl FnMut(&Request) -> (u16, Json) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let kept = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let request = read(&stream);
                let (status, body) = answer(&request);
                kept.lock().unwrap().push(request);
                let body = body.to_string();
                let head = format!(
                    "HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                (&stream).write_all((head + &body).as_bytes()).unwrap();
            }
        });
        Self { url, requests }
    }

    fn lines(&self) -> Vec<String> {
        self.requests.lock().unwrap().iter().map(|request| request.line.clone()).collect()
    }
}

fn read(stream: &TcpStream) -> Request {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0);
    }
    let (line, headers) = head.split_once("\r\n").unwrap();
    let length = headers.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    let line = line.trim_end_matches(" HTTP/1.1").to_owned();
    Request { line, headers: headers.to_lowercase(), body: serde_json::from_slice(&body).unwrap_or_default() }
}

#[test]
fn github_secret_is_sealed_for_the_repository() {
    let secret = SecretKey::generate(&mut OsRng);
    let key = STANDARD.encode(secret.public_key().as_bytes());
    let github = Forge::start(move |request| match request.line.split(' ').next() {
        Some("PUT") => (201, json!({})),
        _ if request.line.ends_with("public-key") => (200, json!({"key_id": "k1", "key": key})),
        _ => (200, json!({"name": "REGISTRY_PASSWORD"})),
    });
    let mut stage = Stage::with(&one_registry("r.example"), &[]);
    stage.set("GITHUB_TOKEN", Some("forge-token-1"));
    let sink =
        json!({"github_secret": {"repository": "acme/shop", "name": "REGISTRY_PASSWORD", "api_url": github.url}});
    let book = deliver(&json!([sink, {"file": {"path": "plain"}}]), &json!({}));
    let dry = stage.play(&book, &["--check"]);
    assert_eq!(dry.outcome(), "changed", "{}", dry.everything());
    assert!(github.lines().iter().all(|line| line.starts_with("GET ")), "{:?}", github.lines());
    let played = stage.play(&book, &[]);
    assert_eq!(played.outcome(), "changed", "{}", played.everything());
    let put = github.requests.lock().unwrap().iter().find(|request| request.line.starts_with("PUT")).cloned().unwrap();
    assert_eq!(put.line, "PUT /repos/acme/shop/actions/secrets/REGISTRY_PASSWORD");
    assert!(put.headers.contains("authorization: bearer forge-token-1"));
    assert_eq!(put.body["key_id"], "k1");
    let sealed = STANDARD.decode(put.body["encrypted_value"].as_str().unwrap()).unwrap();
    let opened = secret.unseal(&sealed).unwrap();
    assert_eq!(String::from_utf8(opened).unwrap(), text(&stage, "plain"));
    assert!(!played.everything().contains("forge-token-1"));
    assert_eq!(stage.play(&book, &[]).outcome(), "ok");
}

#[test]
fn gitlab_variable_is_created_compared_and_updated() {
    let value: Arc<Mutex<Option<String>>> = Arc::default();
    let held = Arc::clone(&value);
    let gitlab = Forge::start(move |request| {
        let mut value = held.lock().unwrap();
        match (request.line.split(' ').next().unwrap(), &*value) {
            ("GET", None) => (404, json!({"message": "404 Variable Not Found"})),
            ("GET", Some(value)) => (200, json!({"key": "X", "value": value})),
            _ => {
                *value = request.body["value"].as_str().map(str::to_owned);
                (201, json!({}))
            }
        }
    });
    let mut stage = Stage::with(&one_registry("r.example"), &[]);
    stage.set("CI_TOKEN", Some("forge-token-2"));
    let sink = json!({"gitlab_variable": {"project": "acme/shop", "name": "LOGIN", "format": "json", "masked": false,
        "api_url": gitlab.url, "token_env": "CI_TOKEN"}, "when_missing": "replace"});
    let book = deliver(&json!([sink]), &json!({}));
    let played = stage.play(&book, &[]);
    assert_eq!(played.outcome(), "changed", "{}", played.everything());
    assert!(gitlab.lines().contains(&"POST /projects/acme%2Fshop/variables".to_owned()), "{:?}", gitlab.lines());
    assert!(
        gitlab.requests.lock().unwrap().iter().all(|request| request.headers.contains("private-token: forge-token-2"))
    );
    assert_eq!(stage.play(&book, &[]).outcome(), "ok");
    *value.lock().unwrap() = Some("somebody changed it".to_owned());
    let played = stage.play(&book, &[]);
    assert_eq!(
        (played.outcome(), &played.result()["action"]),
        ("changed", &json!("replace")),
        "{}",
        played.everything()
    );
    let put = "PUT /projects/acme%2Fshop/variables/LOGIN?filter%5Benvironment_scope%5D=%2A";
    assert!(gitlab.lines().contains(&put.to_owned()), "{:?}", gitlab.lines());
    let login: Json = serde_json::from_str(value.lock().unwrap().as_ref().unwrap()).unwrap();
    assert_eq!(login["username"], "ci");
}

#[test]
fn forge_that_refuses_leaves_the_password_pending() {
    let gitlab = Forge::start(|request| match request.line.starts_with("GET") {
        true => (404, json!({})),
        false => (403, json!({"message": "403 Forbidden"})),
    });
    let mut stage = Stage::with(&one_registry("r.example"), &[]);
    stage.set("GITLAB_TOKEN", Some("forge-token-3"));
    let sink = json!({"gitlab_variable": {"group": "acme", "name": "X", "api_url": gitlab.url}});
    let played = stage.play(&deliver(&json!([sink]), &json!({})), &[]);
    assert_eq!(played.outcome(), "failed");
    let message = played.message();
    assert!(message.contains("GitLab answered 403 to `POST /groups/acme/variables`: 403 Forbidden"), "{message}");
    assert!(message.contains("ionplay token show ci") && store_text(&stage).contains("fake-password-"), "{message}");
    // Credentials are not sent in clear text.
    let sink = json!({"gitlab_variable": {"group": "acme", "name": "X", "api_url": "http://gitlab.example"}});
    let played = stage.play(&deliver(&json!([sink]), &json!({"name": "other"})), &[]);
    assert!(played.message().contains("is not encrypted"), "{}", played.message());
    assert!(!stage.names().contains(&"other".to_owned()));
}
