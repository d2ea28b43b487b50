use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value as Json, json};
use sha2::Sha256;

use super::fake::{FakeControl, SECRET};
use super::*;

/// Serves a core on a free port while `test` runs.
async fn with_server<T>(control: FakeControl, test: impl AsyncFnOnce(String, Client, Rc<FakeControl>) -> T) -> T {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let control = Rc::new(control);
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let listener = Listener::bind("127.0.0.1:0").await.unwrap();
            let base = format!("http://{}", listener.address());
            let client = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
            let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
            let server =
                tokio::task::spawn_local(serve_requests(listener, Rc::clone(&control), async { drop(stopped.await) }));
            let outcome = test(base, client, control).await;
            drop(stop);
            server.await.unwrap();
            outcome
        })
        .await
}

fn with_token() -> FakeControl {
    let token = ApiToken::from_text("t0ken\n");
    FakeControl::new(Access { token, file: "gitops.yml".to_owned(), ..Access::default() })
}

async fn answer(request: RequestBuilder) -> (StatusCode, Json) {
    let answer = request.send().await.unwrap();
    let status = answer.status();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or(Json::Null))
}

fn sign(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

fn hook(client: &Client, base: &str, job: &str, body: Vec<u8>) -> RequestBuilder {
    client.post(format!("{base}/hooks/{job}")).header("x-hub-signature-256", sign(&body)).body(body)
}

#[tokio::test(flavor = "current_thread")]
async fn documents_are_those_of_the_interface() {
    with_server(with_token(), async |base, client, _| {
        let get = |path: &str| client.get(format!("{base}{path}"));
        let (status, document) = answer(get("/api/v1/status")).await;
        assert_eq!((status, &document["version"], &document["host"]), (StatusCode::OK, &json!(1), &json!("runner-1")));
        let (_, runs) = answer(get("/api/v1/jobs/tokens/runs?limit=2")).await;
        assert_eq!(runs.as_array().unwrap().len(), 2);
        assert_eq!(answer(get("/api/v1/jobs/tokens/runs?limit=x")).await.0, StatusCode::BAD_REQUEST);
        assert_eq!(answer(get("/api/v1/runs/r-applied")).await.1["outcome"], "applied");
        assert_eq!(answer(get("/api/v1/runs/nope")).await.0, StatusCode::NOT_FOUND);
        assert_eq!(answer(get("/api/v1/jobs/nope/runs")).await.0, StatusCode::NOT_FOUND);
        assert_eq!(answer(get("/nope")).await.0, StatusCode::NOT_FOUND);
        let plan = get("/api/v1/runs/r-waiting/plan.md").send().await.unwrap();
        assert_eq!(plan.headers()["content-type"], "text/markdown; charset=utf-8");
        assert!(plan.text().await.unwrap().contains("**Plan: 1 to create"));
        assert_eq!(answer(get("/api/v1/runs/r-failed/plan.md")).await.0, StatusCode::NOT_FOUND);
        let events = get("/api/v1/runs/r-applied/events").send().await.unwrap().text().await.unwrap();
        assert_eq!(events.lines().filter(|line| serde_json::from_str::<Json>(line).is_ok()).count(), 3);
        for path in ["/healthz", "/readyz"] {
            assert_eq!(get(path).send().await.unwrap().text().await.unwrap(), "ok\n");
        }
        assert_eq!(answer(client.post(format!("{base}/api/v1/status"))).await.0, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer(get("/hooks/tokens")).await.0, StatusCode::METHOD_NOT_ALLOWED);
    })
    .await;
}

#[tokio::test(flavor = "current_thread")]
async fn followed_events_arrive_while_the_run_goes_on_and_then_end() {
    let control = with_token();
    control.events.borrow_mut().ended = false;
    with_server(control, async |base, client, control| {
        let url = format!("{base}/api/v1/runs/r-applied/events?follow=1");
        let mut answer = client.get(url).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let mut text = String::new();
        let mut read = async |until: &str| {
            while !text.contains(until) {
                let chunk = answer.chunk().await.unwrap().unwrap_or_else(|| panic!("ended before {until}:\n{text}"));
                text.push_str(&String::from_utf8_lossy(&chunk));
            }
        };
        read("no space left").await;
        {
            let mut events = control.events.borrow_mut();
            events.lines.push_str("{\"event\":\"recap\"}\n");
            events.next = events.lines.len() as u64;
            events.ended = true;
        }
        read("data: {\"event\":\"recap\"}\n\n").await;
        read("event: end\n").await;
    })
    .await;
}

#[tokio::test(flavor = "current_thread")]
async fn changes_need_the_token() {
    with_server(with_token(), async |base, client, control| {
        let post = |path: &str| client.post(format!("{base}/api/v1/{path}"));
        for path in
            ["jobs/tokens/run", "jobs/tokens/suspend", "jobs/nope/run", "runs/r-waiting/approve", "runs/x/reject"]
        {
            assert_eq!(answer(post(path)).await.0, StatusCode::UNAUTHORIZED, "{path}");
            assert_eq!(answer(post(path).bearer_auth("t0ke")).await.0, StatusCode::UNAUTHORIZED, "{path}");
        }
        assert!(control.requests.borrow().is_empty());
        let post = |path: &str, body: Json| post(path).bearer_auth("t0ken").json(&body);
        assert_eq!(answer(post("jobs/tokens/run", json!({}))).await, (StatusCode::ACCEPTED, json!({"run": null})));
        let suspend = json!({"reason": "holidays", "until": "2h"});
        assert_eq!(answer(post("jobs/tokens/suspend", suspend)).await.0, StatusCode::ACCEPTED);
        assert_eq!(answer(post("jobs/tokens/resume", json!({}))).await.0, StatusCode::ACCEPTED);
        let back = answer(post("jobs/tokens/rollback", json!({"to": "r1"}))).await;
        assert_eq!(back, (StatusCode::ACCEPTED, json!({"run": "r9"})));
        let other = answer(post("runs/r-waiting/approve", json!({"digest": "d2"}))).await;
        assert_eq!((other.0, &other.1["code"]), (StatusCode::CONFLICT, &json!("other_plan")));
        let approved = answer(post("runs/r-waiting/approve", json!({"digest": "d1"}))).await;
        assert_eq!(approved, (StatusCode::ACCEPTED, json!({"run": "r-waiting"})));
        let ended = answer(post("runs/r-applied/approve", json!({}))).await;
        assert_eq!((ended.0, &ended.1["code"]), (StatusCode::CONFLICT, &json!("not_waiting")));
        assert_eq!(answer(post("runs/r-waiting/reject", json!({"reason": "no"}))).await.0, StatusCode::ACCEPTED);
        for wrong in [json!({"until": "someday"}), json!({"reasons": "x"}), json!([])] {
            assert_eq!(answer(post("jobs/tokens/suspend", wrong)).await.0, StatusCode::BAD_REQUEST);
        }
        assert_eq!(answer(post("jobs/nope/run", json!({}))).await.0, StatusCode::NOT_FOUND);
        let expected = [
            "run tokens manual",
            "suspend tokens Some(\"holidays\") true",
            "resume tokens",
            "rollback tokens Some(\"r1\")",
            "approve r-waiting by api",
            "reject r-waiting by api: no",
        ];
        assert_eq!(*control.requests.borrow(), expected);
    })
    .await;
}

#[tokio::test(flavor = "current_thread")]
async fn changes_over_tcp_are_forbidden_without_a_token_file() {
    with_server(FakeControl::new(Access::default()), async |base, client, control| {
        let post = client.post(format!("{base}/api/v1/jobs/tokens/run")).bearer_auth("anything");
        assert_eq!(answer(post).await.0, StatusCode::FORBIDDEN);
        assert!(control.requests.borrow().is_empty());
        // A hook has a signature of its own.
        assert_eq!(answer(hook(&client, &base, "tokens", Vec::new())).await.0, StatusCode::ACCEPTED);
    })
    .await;
}

#[tokio::test(flavor = "current_thread")]
async fn requests_of_foreign_pages_are_forbidden() {
    with_server(with_token(), async |base, client, _| {
        let post = || client.post(format!("{base}/api/v1/jobs/tokens/run")).bearer_auth("t0ken");
        assert_eq!(answer(post().header("origin", "https://evil.example")).await.0, StatusCode::FORBIDDEN);
        assert_eq!(answer(post().header("origin", "null")).await.0, StatusCode::FORBIDDEN);
        assert_eq!(answer(post().header("origin", base.as_str())).await.0, StatusCode::ACCEPTED);
    })
    .await;
}

#[tokio::test(flavor = "current_thread")]
async fn hooks_are_accepted_merged_and_refused() {
    with_server(with_token(), async |base, client, control| {
        let body = br#"{"ref":"refs/heads/main"}"#.to_vec();
        let first = answer(hook(&client, &base, "tokens", body.clone())).await;
        assert_eq!(first, (StatusCode::ACCEPTED, json!({"run": null, "merged": false})));
        let second = answer(hook(&client, &base, "tokens", body.clone())).await;
        assert_eq!(second, (StatusCode::ACCEPTED, json!({"run": null, "merged": true})));
        let waited = answer(hook(&client, &base, "tokens?wait=1", body.clone())).await;
        assert_eq!((waited.0, &waited.1["run"]), (StatusCode::ACCEPTED, &json!("r-applied")));
        let ping = hook(&client, &base, "tokens", body.clone()).header("x-github-event", "ping");
        assert_eq!(answer(ping).await.0, StatusCode::OK);
        let wrong = client
            .post(format!("{base}/hooks/tokens"))
            .header("x-hub-signature-256", sign(b"other"))
            .body(body.clone());
        assert_eq!(answer(wrong).await.0, StatusCode::UNAUTHORIZED);
        let unsigned = client.post(format!("{base}/hooks/tokens")).body(body.clone());
        assert_eq!(answer(unsigned).await.0, StatusCode::UNAUTHORIZED);
        // A job without a hook and no job are the same to a stranger.
        let without = answer(hook(&client, &base, "job-failed", body.clone())).await;
        assert_eq!(without.0, StatusCode::NOT_FOUND);
        assert_eq!(without, answer(hook(&client, &base, "nope", body)).await);
        assert_eq!(control.requests.borrow().len(), 3);
    })
    .await;
}

#[tokio::test(flavor = "current_thread")]
async fn hook_body_may_have_five_mebibytes_and_no_more() {
    with_server(with_token(), async |base, client, _| {
        let limit = 5 * 1024 * 1024;
        assert_eq!(answer(hook(&client, &base, "tokens", vec![b'x'; limit])).await.0, StatusCode::ACCEPTED);
        assert_eq!(
            answer(hook(&client, &base, "tokens", vec![b'x'; limit + 1])).await.0,
            StatusCode::PAYLOAD_TOO_LARGE
        );
    })
    .await;
}

#[tokio::test(flavor = "current_thread")]
async fn sixty_first_hook_within_a_minute_is_refused_and_strangers_use_up_nothing() {
    with_server(with_token(), async |base, client, _| {
        for number in 0..61 {
            let unsigned = client.post(format!("{base}/hooks/tokens"));
            let expected = if number < 60 { StatusCode::UNAUTHORIZED } else { StatusCode::TOO_MANY_REQUESTS };
            assert_eq!(answer(unsigned).await.0, expected);
        }
        for _ in 0..60 {
            assert_eq!(answer(hook(&client, &base, "tokens", Vec::new())).await.0, StatusCode::ACCEPTED);
        }
        let refused = hook(&client, &base, "tokens", Vec::new()).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(refused.headers().contains_key("retry-after"));
    })
    .await;
}

#[tokio::test(flavor = "current_thread")]
async fn metrics_have_the_format_that_is_asked_for() {
    with_server(with_token(), async |base, client, _| {
        hook(&client, &base, "tokens", Vec::new()).send().await.unwrap();
        let open = client.get(format!("{base}/metrics")).send().await.unwrap();
        assert_eq!(open.headers()["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
        let text = open.text().await.unwrap();
        assert!(text.contains("ionplay_gitops_webhook_requests_total{result=\"accepted\"} 1\n"), "{text}");
        assert!(text.contains("ionplay_gitops_job_status{job=\"tokens\",status=\"waiting\"} 1\n"), "{text}");
        let old = client.get(format!("{base}/metrics")).header("accept", "text/plain").send().await.unwrap();
        assert!(!old.text().await.unwrap().contains("# EOF"));
    })
    .await;
}

#[tokio::test(flavor = "current_thread")]
async fn unhealthy_core_is_reported() {
    let control = FakeControl { is_healthy: false, ..with_token() };
    with_server(control, async |base, client, _| {
        let answer = client.get(format!("{base}/healthz")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.text().await.unwrap(), "the loop has not come round for 90 s\n");
    })
    .await;
}

#[tokio::test(flavor = "current_thread")]
async fn forms_of_the_page_change_and_lead_back_to_it() {
    with_server(with_token(), async |base, client, control| {
        let url = format!("{base}/api/v1/runs/r-waiting/approve");
        let form = |token: &str| {
            let body = format!("digest=d1&token={token}");
            client.post(&url).header("content-type", "application/x-www-form-urlencoded").body(body)
        };
        let refused = form("wrong").send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
        assert!(refused.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
        let accepted = form("t0ken").send().await.unwrap();
        assert_eq!(
            (accepted.status(), accepted.headers()["location"].to_str().unwrap()),
            (StatusCode::SEE_OTHER, "/runs/r-waiting")
        );
        assert_eq!(*control.requests.borrow(), ["approve r-waiting by page"]);
    })
    .await;
}

#[tokio::test(flavor = "current_thread")]
async fn socket_has_its_mode_and_needs_no_token() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gitops.sock");
    // A socket that a killed process left behind.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let control = Rc::new(FakeControl::new(Access::default()));
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let address = format!("unix:{}", path.display());
            let listener = Listener::bind(&address).await.unwrap();
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
            let second = Listener::bind(&address).await.unwrap_err().to_string();
            assert!(second.contains("another process listens there"), "{second}");
            let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
            let server =
                tokio::task::spawn_local(serve_requests(listener, Rc::clone(&control), async { drop(stopped.await) }));
            let request = {
                let path = path.clone();
                tokio::task::spawn_blocking(move || {
                    let mut stream = UnixStream::connect(path).unwrap();
                    let text = "POST /api/v1/jobs/tokens/run HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
                    stream.write_all(text.as_bytes()).unwrap();
                    let mut answer = String::new();
                    stream.read_to_string(&mut answer).unwrap();
                    answer
                })
            };
            let answer = request.await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
            drop(stop);
            server.await.unwrap();
            assert!(!path.exists());
        })
        .await;
    std::fs::write(&path, "").unwrap();
    let refused = Listener::bind(&format!("unix:{}", path.display())).await.unwrap_err().to_string();
    assert!(refused.contains("not a socket"), "{refused}");
}

#[tokio::test(flavor = "current_thread")]
async fn addresses_that_cannot_be_used_are_explained() {
    for wrong in ["8470", "localhost", "127.0.0.1:99999"] {
        let error = Listener::bind(wrong).await.unwrap_err().to_string();
        assert!(error.contains("is not an address"), "{error}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let error = Listener::bind(&taken.local_addr().unwrap().to_string()).await.unwrap_err().to_string();
    assert!(error.starts_with("cannot listen on `127.0.0.1:"), "{error}");
}

#[tokio::test(flavor = "current_thread")]
async fn client_that_sends_its_header_too_slowly_is_disconnected() {
    with_server(with_token(), async |base, _, _| {
        let address = base.trim_start_matches("http://").to_owned();
        let closed = tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ").unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).is_ok() && !answer.starts_with(b"HTTP/1.1 200")
        });
        assert!(closed.await.unwrap());
    })
    .await;
}
