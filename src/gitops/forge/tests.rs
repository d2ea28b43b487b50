use std::cell::RefCell;
use std::convert::Infallible;
use std::path::Path;
use std::rc::Rc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;

use super::*;
use crate::gitops::config::{ForgeType, SecretSource};
use crate::gitops::delivery::Delivery;
use crate::gitops::view::{Outcome, PlanCounts};

/// A forge that answers from a table and remembers what it was asked.
#[derive(Default)]
struct MockForge {
    answers: Vec<(&'static str, u16, Json)>,
    /// Instead of these, a text.
    page: Option<&'static str>,
    seen: RefCell<Vec<(String, Json)>>,
}

impl MockForge {
    /// Answers a request by the first row whose text its line begins with.
    fn answer(&self, line: &str, body: Json) -> Response<Full<Bytes>> {
        self.seen.borrow_mut().push((line.to_owned(), body));
        if let Some(page) = self.page {
            return Response::new(Full::new(Bytes::from(page)));
        }
        let row = self.answers.iter().find(|(start, ..)| line.starts_with(start));
        let (status, body) =
            row.map_or((404, json!({"message": "not found"})), |(_, status, body)| (*status, body.clone()));
        let mut answer = Response::new(Full::new(Bytes::from(body.to_string())));
        *answer.status_mut() = status.try_into().unwrap();
        answer
    }

    fn lines(&self) -> Vec<String> {
        self.seen.borrow().iter().map(|(line, _)| line.clone()).collect()
    }

    fn last_body(&self) -> Json {
        self.seen.borrow().last().unwrap().1.clone()
    }
}

/// Delivers a post to a mock forge of this kind.
async fn deliver(kind: ForgeType, forge: &Rc<MockForge>, post: &ForgePost) -> Delivery {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "t0ken\n").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = ForgeConfig {
        kind,
        api_url: format!("http://{}/api", listener.local_addr().unwrap()),
        repository: "platform/registry".to_owned(),
        token: SecretSource::File(token),
        status: true,
        comment: true,
    };
    let client = ForgeClient::new(crate::gitops::delivery::new_client().unwrap());
    let serve = async {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let forge = Rc::clone(forge);
            let service = service_fn(move |request: Request<Incoming>| {
                let forge = Rc::clone(&forge);
                async move {
                    let line = format!("{} {}", request.method(), request.uri());
                    let headers = format!("{:?}", request.headers());
                    assert!(headers.contains("t0ken"), "{headers}");
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    let body = serde_json::from_slice(&body).unwrap_or(Json::Null);
                    Ok::<_, Infallible>(forge.answer(&line, body))
                }
            });
            tokio::task::spawn_local(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    };
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            tokio::select! {
                delivery = client.deliver_post(&config, post) => delivery,
                () = serve => unreachable!(),
            }
        })
        .await
}

fn status() -> ForgePost {
    let url = Some("https://gitops.example.com/runs/r1".to_owned());
    ForgePost::Status(CommitStatus::new("tokens", "abc", CommitState::Success, "applied", url))
}

fn comment() -> ForgePost {
    ForgePost::Comment(PullRequestComment {
        job: "tokens".to_owned(),
        commit: "abc".to_owned(),
        body: "the plan".to_owned(),
    })
}

#[tokio::test(flavor = "current_thread")]
async fn statuses_go_where_each_forge_expects_them() {
    #[track_caller]
    fn check(forge: &MockForge, line: &str, body: Json) {
        assert_eq!(forge.lines(), [line]);
        assert_eq!(forge.last_body(), body);
    }
    let url = "https://gitops.example.com/runs/r1";
    let as_github =
        json!({"state": "success", "description": "applied", "context": "ionplay/tokens", "target_url": url});
    for (kind, line, body) in [
        (ForgeType::Github, "POST /api/repos/platform/registry/statuses/abc", as_github.clone()),
        (ForgeType::Gitea, "POST /api/repos/platform/registry/statuses/abc", as_github.clone()),
        (ForgeType::Forgejo, "POST /api/repos/platform/registry/statuses/abc", as_github),
        (
            ForgeType::Gitlab,
            "POST /api/projects/platform%2Fregistry/statuses/abc",
            json!({"state": "success", "description": "applied", "name": "ionplay/tokens", "target_url": url}),
        ),
        (
            ForgeType::Bitbucket,
            "POST /api/repositories/platform/registry/commit/abc/statuses/build",
            json!({"state": "SUCCESSFUL", "key": "ionplay/tokens", "name": "ionplay/tokens", "description": "applied", "url": url}),
        ),
    ] {
        let forge = Rc::new(MockForge { answers: vec![("POST", 201, json!({}))], ..MockForge::default() });
        assert_eq!(deliver(kind, &forge, &status()).await, Delivery::Sent);
        check(&forge, line, body);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn final_answers_about_statuses_are_not_retried() {
    #[track_caller]
    fn check(delivery: &Delivery, is_sent: bool) {
        assert_eq!(*delivery == Delivery::Sent, is_sent, "{delivery:?}");
    }
    let transition = json!({"message": "Cannot transition status via :run from :running"});
    for (kind, code, body, is_sent) in [
        (ForgeType::Github, 422, json!({"message": "Validation Failed"}), true),
        (ForgeType::Gitlab, 400, transition, true),
        (ForgeType::Github, 503, json!({}), false),
        (ForgeType::Gitlab, 401, json!({}), false),
    ] {
        let forge = Rc::new(MockForge { answers: vec![("POST", code, body)], ..MockForge::default() });
        check(&deliver(kind, &forge, &status()).await, is_sent);
    }
    let forge = Rc::new(MockForge { answers: vec![("POST", 503, json!({}))], ..MockForge::default() });
    assert!(matches!(deliver(ForgeType::Github, &forge, &status()).await, Delivery::Retry { .. }));
}

#[tokio::test(flavor = "current_thread")]
async fn comment_is_created_once_and_updated_after_that() {
    let marker = "<!-- ionplay gitops: tokens -->";
    let pulls = (
        "GET /api/repos/platform/registry/commits/abc/pulls",
        200,
        json!([{"number": 7, "state": "open"}, {"number": 8, "state": "closed"}]),
    );
    let list = "GET /api/repos/platform/registry/issues/7/comments";
    let created = ("POST", 201, json!({}));
    let forge = Rc::new(MockForge {
        answers: vec![pulls.clone(), (list, 200, json!([])), created.clone()],
        ..MockForge::default()
    });
    assert_eq!(deliver(ForgeType::Github, &forge, &comment()).await, Delivery::Sent);
    assert_eq!(forge.lines().last().unwrap(), "POST /api/repos/platform/registry/issues/7/comments");
    assert_eq!(forge.last_body(), json!({"body": format!("the plan\n\n{marker}\n")}));

    let others = json!([{"id": 1, "body": "hello"}, {"id": 5, "body": format!("an older plan\n\n{marker}\n")}]);
    let forge = Rc::new(MockForge {
        answers: vec![pulls.clone(), (list, 200, others), ("PATCH", 200, json!({}))],
        ..MockForge::default()
    });
    assert_eq!(deliver(ForgeType::Github, &forge, &comment()).await, Delivery::Sent);
    assert_eq!(forge.lines().last().unwrap(), "PATCH /api/repos/platform/registry/issues/comments/5");

    // Nothing has changed: nothing is sent.
    let same = json!([{"id": 5, "body": format!("the plan\n\n{marker}")}]);
    let forge = Rc::new(MockForge { answers: vec![pulls, (list, 200, same)], ..MockForge::default() });
    assert_eq!(deliver(ForgeType::Github, &forge, &comment()).await, Delivery::Sent);
    assert!(forge.lines().iter().all(|line| line.starts_with("GET")), "{:?}", forge.lines());
}

#[tokio::test(flavor = "current_thread")]
async fn comments_go_where_each_forge_expects_them() {
    let link = "[ionplay]: # (ionplay gitops: tokens)";
    for (kind, pulls, list, expected) in [
        (
            ForgeType::Gitlab,
            (
                "GET /api/projects/platform%2Fregistry/repository/commits/abc/merge_requests",
                json!([{"iid": 3, "state": "opened"}]),
            ),
            (
                "GET /api/projects/platform%2Fregistry/merge_requests/3/notes",
                json!([{"id": 9, "body": "<!-- ionplay gitops: tokens -->"}]),
            ),
            "PUT /api/projects/platform%2Fregistry/merge_requests/3/notes/9",
        ),
        (
            ForgeType::Forgejo,
            ("GET /api/repos/platform/registry/commits/abc/pull", json!({"number": 3, "state": "open"})),
            ("GET /api/repos/platform/registry/issues/3/comments", json!([])),
            "POST /api/repos/platform/registry/issues/3/comments",
        ),
        (
            ForgeType::Bitbucket,
            ("GET /api/repositories/platform/registry/commit/abc/pullrequests", json!({"values": [{"id": 3}]})),
            (
                "GET /api/repositories/platform/registry/pullrequests/3/comments",
                json!({"values": [{"id": 9, "content": {"raw": link}}]}),
            ),
            "PUT /api/repositories/platform/registry/pullrequests/3/comments/9",
        ),
    ] {
        let done = json!({});
        let answers = vec![
            (pulls.0, 200, pulls.1),
            (list.0, 200, list.1),
            ("POST", 201, done.clone()),
            ("PUT", 200, done.clone()),
        ];
        let forge = Rc::new(MockForge { answers, ..MockForge::default() });
        assert_eq!(deliver(kind, &forge, &comment()).await, Delivery::Sent);
        assert_eq!(forge.lines().last().map(String::as_str), Some(expected));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn commit_without_pull_request_needs_no_comment() {
    let forge = Rc::new(MockForge::default());
    assert_eq!(deliver(ForgeType::Gitea, &forge, &comment()).await, Delivery::Sent);
    assert_eq!(forge.lines().len(), 1);
}

fn run(outcome: Option<Outcome>) -> JobRun {
    JobRun {
        run: "r1".to_owned(),
        job: "tokens".to_owned(),
        commit: Some("a".repeat(40)),
        reasons: Vec::new(),
        outcome,
        started: jiff::Timestamp::UNIX_EPOCH,
        ended: None,
        host: "h".to_owned(),
        epoch: 1,
        plan: Some(PlanCounts {
            digest: "d".to_owned(),
            create: 1,
            update: 0,
            replace: 0,
            delete: 0,
            unchanged: 2,
            undetermined: 0,
        }),
        recap: indexmap::IndexMap::new(),
        commands: Vec::new(),
        passwords_kept: Vec::new(),
        error: Some("\nthe server is gone\nreally".to_owned()),
        decision: None,
        steps: Vec::new(),
    }
}

fn reporter(folder: &Path) -> (Rc<Outbox>, ForgeReporter) {
    let outbox = Rc::new(Outbox::open_folder(&folder.join("outbox")).unwrap());
    let reporter = ForgeReporter::open_folder(Rc::clone(&outbox), &folder.join("forge")).unwrap();
    (outbox, reporter)
}

#[test]
fn status_is_posted_on_changes_only_across_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let config = ForgeConfig {
        kind: ForgeType::Github,
        api_url: String::new(),
        repository: String::new(),
        token: SecretSource::Environment("UNUSED".to_owned()),
        status: true,
        comment: false,
    };
    let (outbox, forge) = reporter(folder.path());
    forge.report_run(&config, &run(None), None).unwrap();
    forge.report_run(&config, &run(None), None).unwrap();
    forge.report_run(&config, &run(Some(Outcome::Applied)), None).unwrap();
    assert_eq!(outbox.count_queued(), 2);
    drop((outbox, forge));
    let (outbox, forge) = reporter(folder.path());
    // A thousand drift ticks, each a run of its own.
    for _ in 0..1000 {
        forge.report_run(&config, &run(None), None).unwrap();
        forge.report_run(&config, &run(Some(Outcome::Unchanged)), None).unwrap();
        forge.report_run(&config, &run(Some(Outcome::Corrected)), None).unwrap();
    }
    assert_eq!(outbox.count_queued(), 2);
    forge.report_run(&config, &run(Some(Outcome::Failed)), None).unwrap();
    assert_eq!(outbox.count_queued(), 3);
    forge.report_run(&ForgeConfig { status: false, ..config }, &run(Some(Outcome::Applied)), None).unwrap();
    assert_eq!(outbox.count_queued(), 3);
}

#[tokio::test(flavor = "current_thread")]
async fn page_instead_of_an_answer_is_tried_again_and_an_empty_answer_is_fine() {
    let forge = Rc::new(MockForge { page: Some("<html>please log in</html>"), ..MockForge::default() });
    let delivery = deliver(ForgeType::Github, &forge, &status()).await;
    assert!(matches!(&delivery, Delivery::Retry { why, .. } if why.contains("forge.api_url")), "{delivery:?}");
    let forge = Rc::new(MockForge { page: Some(""), ..MockForge::default() });
    assert_eq!(deliver(ForgeType::Github, &forge, &status()).await, Delivery::Sent);
}

#[test]
fn name_that_is_no_commit_has_no_status() {
    let asked = JobRun { commit: Some("v1.0".to_owned()), ..run(Some(Outcome::Refused)) };
    assert_eq!(CommitStatus::of_run(&asked, None), None);
}

#[test]
fn descriptions_say_what_happened_in_140_characters() {
    let text = |outcome| CommitStatus::of_run(&run(outcome), None).unwrap().description;
    assert_eq!(text(Some(Outcome::Applied)), "applied: 1 to create, 2 unchanged");
    assert_eq!(text(Some(Outcome::Failed)), "failed: the server is gone");
    let long = CommitStatus::new("j", "c", CommitState::Error, &"ö".repeat(200), None).description;
    assert_eq!((long.chars().count(), long.ends_with('…')), (140, true));
}
