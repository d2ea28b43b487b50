//! The server over real HTTP: who may ask, what goes wrong, bytes.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::tests::*;
use super::*;

#[test]
fn credentials() {
    let logins = vec![("user@example.org".to_owned(), "secret".to_owned())];
    let server = start_server(SandboxOptions { logins, ..one_registry() }).unwrap();
    let status = |path: &str, auth: Option<&str>| raw(&format!("{}{path}", server.url()), "GET", auth, None).unwrap().0;
    let basic = Some("Basic dXNlckBleGFtcGxlLm9yZzpzZWNyZXQ=");
    let repositories = format!("/registries/{REG}/repositories");
    for (path, auth, expected) in [
        ("/registries", Some("Bearer sandbox-token"), 200),
        ("/registries", basic, 200),
        ("/registries", Some("Bearer wrong"), 401),
        ("/registries", Some("Bearer "), 401),
        ("/registries", Some("Basic ????"), 401),
        ("/registries", Some("sandbox-token"), 401),
        ("/registries", None, 401),
        (&repositories, basic, 401),
        (&repositories, Some("Bearer sandbox-token"), 200),
    ] {
        assert_eq!(status(path, auth), expected, "{path} {auth:?}");
    }
    let body = raw(&format!("{}/registries", server.url()), "GET", None, None).unwrap().2;
    assert_eq!(body, br#"{"httpStatus":401,"messages":[{"errorCode":"315","message":"Unauthorized"}]}"#);
}

#[test]
fn methods_paths_and_media_types() {
    let server = start_server(one_registry()).unwrap();
    let answer = ask(&server, "DELETE", "/registries", None);
    assert_eq!((answer.status, answer.headers["allow"].to_str().unwrap()), (405, "GET, POST"));
    for path in ["/nothing", "//registries", "/registries/"] {
        assert_eq!(ask(&server, "GET", path, None).status, 404, "{path}");
    }
    let root = format!("http://{}/registries", server.address());
    assert_eq!(raw(&root, "GET", Some("Bearer sandbox-token"), None).unwrap().0, 404);
    refused(&server, "POST", "/registries", None, 415, "Content-Type must be application/json");
    let seen: Vec<String> = server.requests().iter().map(ToString::to_string).collect();
    assert_eq!(seen[0], "DELETE /registries 405");
    assert_eq!(seen.last().unwrap(), "POST /registries 415");
}

#[test]
fn faults_with_an_answer() {
    let list = |spec: &str| {
        let server = faulty(spec);
        let url = format!("{}/registries", server.url());
        let (status, headers, body) = raw(&url, "GET", Some("Bearer sandbox-token"), None).unwrap();
        let retry = headers.get("retry-after").map(|v| v.to_str().unwrap().to_owned());
        (status, retry, String::from_utf8(body).unwrap())
    };
    let shape = r#"{"httpStatus":503,"messages":[{"errorCode":"cr-503","message":"Service Unavailable"}]}"#;
    assert_eq!(list("GET /registries$ status=503 retry-after=1"), (503, Some("1".to_owned()), shape.to_owned()));
    assert_eq!(list("GET . status=400 body={\"msg\": \"no\"}"), (400, None, "{\"msg\": \"no\"}".to_owned()));
    assert_eq!(list("GET . empty"), (200, None, String::new()));
    assert!(list("GET . html status=502").2.starts_with("<html>"));
    assert!(serde_json::from_str::<Json>(&list("GET . malformed").2).is_err());
    let begun = Instant::now();
    assert_eq!(list("GET . slow delay=60ms").0, 200);
    assert!(begun.elapsed() >= Duration::from_millis(60));
    let begun = Instant::now();
    assert!(list("GET . drip delay=60ms").2.contains("reg-a"));
    assert!(begun.elapsed() >= Duration::from_millis(50));
}

#[test]
fn faults_that_drop_the_connection() {
    for (spec, tokens_after, status) in [
        ("POST /tokens$ reset times=1", 1, None),
        ("POST /tokens$ lost times=1", 2, None),
        ("POST /tokens$ reset after times=1", 2, None),
        ("POST /tokens$ truncate times=1", 2, Some(201)),
    ] {
        let server = faulty(spec);
        let url = format!("{}{}", server.url(), tokens(""));
        let auth = Some("Bearer sandbox-token");
        assert!(raw(&url, "POST", auth, Some(&created("new1"))).is_err(), "{spec}");
        assert_eq!(server.read_store().registries[0].tokens.len(), tokens_after, "{spec}");
        let entry = &server.requests()[0];
        assert_eq!((entry.status, entry.is_write()), (status, true), "{spec}");
        assert_eq!(raw(&url, "POST", auth, Some(&created("new2"))).unwrap().0, 201, "{spec}");
    }
}

#[test]
fn a_fault_may_come_after_the_deed() {
    let server = faulty("POST /tokens$ malformed after");
    let url = format!("{}{}", server.url(), tokens(""));
    assert_eq!(raw(&url, "POST", Some("Bearer sandbox-token"), Some(&created("new1"))).unwrap().0, 201);
    assert_eq!(server.read_store().registries[0].tokens.len(), 2);
}

/// Says bytes, hears all until the other side ends.
fn say(server: &Handle, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    // The server may have refused and gone before all is written.
    let _ = stream.write_all(bytes);
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard);
    String::from_utf8_lossy(&heard).into_owned()
}

#[test]
fn bytes_on_the_wire() {
    let server = start_server(one_registry()).unwrap();
    let auth = "Authorization: Bearer sandbox-token\r\n";
    for (bytes, expected) in [
        ("hello\r\n\r\n".to_owned(), "400"),
        ("GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".to_owned(), "400"),
        ("GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(), "400"),
        ("GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n".to_owned(), "413"),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n".to_owned(), "501"),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_owned(), "400"),
        (format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(101)), "431"),
        (format!("GET / HTTP/1.1\r\na: {}", "b".repeat(40_000)), "431"),
    ] {
        let heard = say(&server, bytes.as_bytes());
        assert_eq!(heard.get(..12), Some(&*format!("HTTP/1.1 {expected}")), "{bytes:.60}: {heard}");
    }
    let get = format!("GET /containerregistries/locations HTTP/1.1\r\n{auth}\r\n");
    let last = format!("GET /containerregistries/locations HTTP/1.1\r\n{auth}Connection: close\r\n\r\n");
    assert_eq!(say(&server, format!("{get}{get}{last}").as_bytes()).matches("HTTP/1.1 200 OK").count(), 3);
    let body = r#"{"properties":{"name":"chunky"}}"#;
    let (head, tail) = body.split_at(10);
    let chunked = format!(
        "POST /containerregistries{} HTTP/1.1\r\n{auth}Content-Type: application/json\r\nExpect: 100-continue\r\n\
         Connection: close\r\nTransfer-Encoding: chunked\r\n\r\na\r\n{head}\r\n{:x};x=y\r\n{tail}\r\n0\r\nT: u\r\n\r\n",
        tokens(""),
        tail.len()
    );
    let heard = say(&server, chunked.as_bytes());
    assert!(heard.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n"), "{heard}");
    assert_eq!(server.read_store().registries[0].tokens[1].name, "chunky");
}
