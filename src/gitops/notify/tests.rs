use std::time::Duration;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use super::*;
use crate::gitops::config::{NotifierType, Occasion};
use crate::gitops::hooks::HookVerifier;
use crate::gitops::view::{JobState, LastRun, Outcome, PendingApproval, Suspension};

const ALL: [Occasion; 8] = [
    Occasion::Applied,
    Occasion::Failed,
    Occasion::Drifted,
    Occasion::Corrected,
    Occasion::Waiting,
    Occasion::Recovered,
    Occasion::Expiring,
    Occasion::Suspended,
];

fn start() -> Timestamp {
    "2026-11-29T20:00:00Z".parse().unwrap()
}

fn sink(name: &str, on: &[Occasion], remind: Option<u64>) -> NotifierConfig {
    NotifierConfig {
        name: name.to_owned(),
        kind: NotifierType::Generic,
        url: SecretSource::Environment("UNUSED".to_owned()),
        token: None,
        on: on.to_vec(),
        remind: remind.map(Duration::from_secs),
    }
}

fn status(state: JobState) -> JobStatus {
    JobStatus {
        job: "tokens".to_owned(),
        state,
        observed: Some("c1".to_owned()),
        attempted: Some("c1".to_owned()),
        applied: None,
        last_run: None,
        next_due: None,
        drift: 0,
        waiting: None,
        suspended: None,
        message: Some("the server is gone".to_owned()),
    }
}

fn with_run(state: JobState, run: &str, outcome: Outcome) -> JobStatus {
    let last_run = Some(LastRun { run: run.to_owned(), outcome, ended: start() });
    JobStatus { last_run, ..status(state) }
}

/// A center with one sink, and what it queues.
struct Stage {
    folder: tempfile::TempDir,
    sink: NotifierConfig,
    now: Timestamp,
}

impl Stage {
    fn new(on: &[Occasion], remind: Option<u64>) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), sink: sink("ops", on, remind), now: start() }
    }

    /// Observes a status with a new process, and returns the titles of what was queued.
    fn observe_with(&mut self, status: &JobStatus, expiring: &[ExpiringToken]) -> Vec<String> {
        self.now += SignedDuration::from_secs(60);
        let queue = tempfile::tempdir().unwrap();
        let outbox = Rc::new(Outbox::open_folder(queue.path()).unwrap());
        let center = NotificationCenter::open_folder(Rc::clone(&outbox), self.folder.path(), "h").unwrap();
        for _ in 0..2 {
            let observation = JobObservation { status, run: None, expiring, public_url: None, now: self.now };
            center.queue_notifications([&self.sink], &observation).unwrap();
        }
        let mut titles = Vec::new();
        let mut files: Vec<_> = std::fs::read_dir(queue.path())
            .unwrap()
            .flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap())
            .map(|file| file.unwrap().path())
            .collect();
        files.sort();
        for file in files {
            let message: Json = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
            titles.push(message["body"]["title"].as_str().unwrap().to_owned());
        }
        titles
    }

    fn observe(&mut self, status: &JobStatus) -> Vec<String> {
        self.observe_with(status, &[])
    }
}

#[test]
fn failure_is_sent_once_and_recovery_once_across_restarts() {
    let mut stage = Stage::new(&ALL, None);
    assert!(stage.observe(&status(JobState::Ok)).is_empty());
    assert_eq!(stage.observe(&status(JobState::Failed)), ["tokens failed at c1"]);
    for _ in 0..50 {
        assert!(stage.observe(&status(JobState::Running)).is_empty());
        assert!(stage.observe(&status(JobState::Failed)).is_empty());
    }
    assert_eq!(stage.observe(&status(JobState::Ok)), ["tokens is fine again"]);
    assert!(stage.observe(&status(JobState::Ok)).is_empty());
    assert_eq!(stage.observe(&status(JobState::Failed)), ["tokens failed at c1"]);
}

#[test]
fn another_commit_that_fails_is_sent() {
    let mut stage = Stage::new(&ALL, None);
    stage.observe(&status(JobState::Failed));
    let other = JobStatus { attempted: Some("c2".to_owned()), ..status(JobState::Refused) };
    assert_eq!(stage.observe(&other), ["tokens is refused at c2"]);
}

#[test]
fn thousand_drift_ticks_are_one_message() {
    let mut stage = Stage::new(&ALL, None);
    let drifted = JobStatus { drift: 2, ..status(JobState::Drift) };
    let sent: Vec<String> = (0..1000).flat_map(|_| stage.observe(&drifted)).collect();
    assert_eq!(sent, ["tokens has drifted"]);
}

#[test]
fn lasting_condition_is_reminded_of_once_a_period() {
    let mut stage = Stage::new(&ALL, Some(3600));
    let sent: Vec<String> = (0..130).flat_map(|_| stage.observe(&status(JobState::Failed))).collect();
    assert_eq!(sent, ["tokens failed at c1", "tokens is still failed at c1", "tokens is still failed at c1"]);
}

#[test]
fn each_waiting_plan_is_sent_and_its_end_is_no_recovery() {
    let mut stage = Stage::new(&ALL, None);
    let waiting = |run: &str| {
        let waiting =
            Some(PendingApproval { run: run.to_owned(), digest: "d".to_owned(), since: start(), approved_at: None });
        JobStatus { waiting, ..status(JobState::Waiting) }
    };
    assert_eq!(stage.observe(&waiting("r1")), ["tokens waits for approval at c1"]);
    assert!(stage.observe(&waiting("r1")).is_empty());
    assert_eq!(stage.observe(&waiting("r2")), ["tokens waits for approval at c1"]);
    assert_eq!(stage.observe(&with_run(JobState::Ok, "r2", Outcome::Applied)), ["tokens was applied at c1"]);
    assert!(stage.observe(&with_run(JobState::Ok, "r2", Outcome::Applied)).is_empty());
}

#[test]
fn suspension_and_tokens_that_end_are_sent_once() {
    let mut stage = Stage::new(&ALL, None);
    let suspended = Some(Suspension { reason: Some("holidays".to_owned()), until: None, since: None });
    let suspended = JobStatus { suspended, ..status(JobState::Suspended) };
    assert_eq!(stage.observe(&suspended), ["tokens was suspended"]);
    assert!(stage.observe(&suspended).is_empty());
    assert_eq!(stage.observe(&status(JobState::Ok)), ["tokens was resumed"]);
    let token = ExpiringToken { registry: "r".to_owned(), name: "ci".to_owned(), at: start() };
    assert_eq!(stage.observe_with(&status(JobState::Ok), std::slice::from_ref(&token)), ["tokens: a token ends soon"]);
    assert!(stage.observe_with(&status(JobState::Ok), std::slice::from_ref(&token)).is_empty());
    let renewed = ExpiringToken { at: start() + SignedDuration::from_hours(1), ..token };
    assert_eq!(stage.observe_with(&status(JobState::Ok), &[renewed]).len(), 1);
}

#[test]
fn receiver_hears_only_what_it_wants() {
    let mut stage = Stage::new(&[Occasion::Recovered], None);
    assert!(stage.observe(&status(JobState::Failed)).is_empty());
    assert_eq!(stage.observe(&status(JobState::Ok)), ["tokens is fine again"]);
}

fn notification() -> Notification {
    serde_json::from_value(json!({
        "id": "h.tokens.1.0", "occasion": "failed", "reminder": false, "job": "tokens", "state": "failed", "host": "h",
        "run": "r1", "outcome": "failed", "commit": "c1", "plan": null, "title": "tokens failed at c1",
        "text": "<!channel> @everyone *it* is & was", "url": "https://gitops.example.com/runs/r1",
        "at": "2026-11-29T20:00:00Z",
    }))
    .unwrap()
}

fn request(kind: NotifierType, url: &str, token: Option<&str>) -> OutgoingRequest {
    push::build_request(kind, url, token, &notification()).unwrap()
}

fn body(kind: NotifierType) -> Json {
    request(kind, "https://sink.example.com/a/b", None).body.unwrap()
}

#[test]
fn chats_get_their_form_and_nobody_is_called() {
    let slack = body(NotifierType::Slack);
    assert_eq!(slack["text"], "*<https://gitops.example.com/runs/r1|tokens failed at c1>*");
    assert_eq!(slack["attachments"][0]["text"], "&lt;!channel&gt; @everyone *it* is &amp; was");
    let mattermost = body(NotifierType::Mattermost);
    assert_eq!(mattermost["attachments"][0]["text"], "\\<!channel\\> @\u{200b}everyone \\*it\\* is & was");
    let discord = body(NotifierType::Discord);
    assert_eq!(discord["allowed_mentions"], json!({"parse": []}));
    assert_eq!(discord["embeds"][0]["title"], "tokens failed at c1");
    let teams = body(NotifierType::Teams);
    assert_eq!(teams["attachments"][0]["content"]["actions"][0]["url"], "https://gitops.example.com/runs/r1");
    let matrix = request(NotifierType::Matrix, "https://m.example.com/!r:example.com", None).body.unwrap();
    assert!(matrix["formatted_body"].as_str().unwrap().contains("&lt;!channel&gt;"));
}

#[test]
fn push_services_get_their_paths_and_tokens() {
    let ntfy = request(NotifierType::Ntfy, "https://ntfy.sh/ops", Some("tk"));
    assert_eq!((ntfy.url.as_str(), &ntfy.body.unwrap()["topic"]), ("https://ntfy.sh", &json!("ops")));
    assert_eq!(ntfy.headers, [("authorization", "Bearer tk".to_owned())]);
    assert!(push::build_request(NotifierType::Ntfy, "https://", None, &notification()).is_err());
    let gotify = request(NotifierType::Gotify, "https://gotify.example.com/", Some("tk"));
    assert_eq!(gotify.url, "https://gotify.example.com/message");
    assert_eq!(gotify.headers, [("x-gotify-key", "tk".to_owned())]);
    let gotify = request(NotifierType::Gotify, "https://gotify.example.com/message?token=tk", None);
    assert_eq!(gotify.url, "https://gotify.example.com/message?token=tk");
    let expected = "https://matrix.example.com/_matrix/client/v3/rooms/%21room%3Aexample%2Ecom/send/m.room.message/h%2Etokens%2E1%2E0";
    for url in [
        "https://matrix.example.com/!room:example.com",
        "https://matrix.example.com/_matrix/client/v3/rooms/!room:example.com",
        "https://matrix.example.com/_matrix/client/v3/rooms/%21room%3Aexample.com",
    ] {
        let matrix = request(NotifierType::Matrix, url, Some("tk"));
        assert_eq!((matrix.method.as_str(), matrix.url.as_str()), ("PUT", expected), "{url}");
    }
    let alerts = request(NotifierType::Alertmanager, "http://alertmanager:9093", None);
    assert_eq!(alerts.url, "http://alertmanager:9093/api/v2/alerts");
}

#[test]
fn recovery_ends_the_alert_of_the_failure() {
    let fired = body(NotifierType::Alertmanager);
    let mut recovered = notification();
    recovered.occasion = Occasion::Recovered;
    let ended = push::build_request(NotifierType::Alertmanager, "http://a", None, &recovered).unwrap().body.unwrap();
    let same = ended.as_array().unwrap().iter().find(|alert| alert["labels"] == fired[0]["labels"]).unwrap();
    assert_eq!(same["endsAt"], "2026-11-29T20:00:00Z");
    assert_eq!(fired[0]["endsAt"], "2026-12-29T20:00:00Z");
}

#[test]
fn generic_request_is_signed_as_our_own_hooks_expect() {
    let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let request = request(NotifierType::Generic, "https://sink.example.com", Some(key));
    let headers: HeaderMap = request
        .headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::try_from(value).unwrap()))
        .collect();
    let body = serde_json::to_vec(&request.body.unwrap()).unwrap();
    HookVerifier::new(None, [key]).unwrap().verify_request(&headers, &body, Timestamp::now()).unwrap();
}
