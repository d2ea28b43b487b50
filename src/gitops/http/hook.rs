//! `POST /hooks/JOB`: a request to look now.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::header::{HeaderValue, RETRY_AFTER};
use hyper::{Request, StatusCode};
use jiff::Timestamp;
use serde_json::json;

use super::super::hooks::{HookVerifier, MAX_BODY, RateLimit, Sender};
use super::super::metrics::HookResult;
use super::super::view::Reason;
use super::body::{BodyError, read_body};
use super::control::{GitopsControl, Queued};
use super::reply::{HttpReply, control_error, error_reply, json_reply, not_found};
use super::route::is_set;

/// State of the hooks of one server.
pub(super) struct Hooks {
    /// Verifies what is sent to jobs that have no hook, so that the answer takes as long.
    decoy: HookVerifier,
    /// Requests that were signed.
    verified: RefCell<RateLimit>,
    /// Requests that were not: they must not use up what the forge may send.
    unverified: RefCell<RateLimit>,
}

impl Default for Hooks {
    fn default() -> Self {
        let [verified, unverified] = [(); 2].map(|()| RefCell::default());
        Self { decoy: HookVerifier::new_decoy(), verified, unverified }
    }
}

impl Hooks {
    /// Answers a request to the hook of a job.
    pub async fn answer_hook<C: GitopsControl>(&self, control: &C, job: &str, request: Request<Incoming>) -> HttpReply {
        let started = Instant::now();
        let waits = is_set(request.uri().query(), "wait");
        let (result, reply) = self.accept_hook(control, job, request).await;
        control.metrics().count_hook(result, started.elapsed());
        match reply {
            Ok(queued) if waits => wait_for_run(control, &queued).await,
            Ok(queued) => json_reply(StatusCode::ACCEPTED, &json!({"run": queued.run, "merged": queued.merged})),
            Err(reply) => reply,
        }
    }

    async fn accept_hook<C: GitopsControl>(
        &self,
        control: &C,
        job: &str,
        request: Request<Incoming>,
    ) -> (HookResult, Result<Queued, HttpReply>) {
        let (parts, body) = request.into_parts();
        let body = match read_body(body, MAX_BODY).await {
            Ok(body) => body,
            Err(BodyError::TooLarge) => {
                let reply = error_reply(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is larger than 5 MiB");
                return (HookResult::TooLarge, Err(reply));
            }
            Err(BodyError::Incomplete) => {
                let reply = error_reply(StatusCode::REQUEST_TIMEOUT, "incomplete", "the body did not arrive in time");
                return (HookResult::Failed, Err(reply));
            }
        };
        // A job without a hook costs the same work as one with a hook.
        let hook: Option<Rc<HookVerifier>> = control.find_hook(job);
        let verifier = hook.as_deref().unwrap_or(&self.decoy);
        let verified = verifier.verify_request(&parts.headers, &body, Timestamp::now());
        if hook.is_none() {
            return (HookResult::Unknown, Err(not_found()));
        }
        let limit = if verified.is_ok() { &self.verified } else { &self.unverified };
        if let Err(after) = limit.borrow_mut().count_request(job, Instant::now()) {
            return (HookResult::Limited, Err(too_many(after)));
        }
        if verified.is_err() {
            let message = "the signature is missing, wrong or too old";
            return (HookResult::Unauthorized, Err(error_reply(StatusCode::UNAUTHORIZED, "unauthorized", message)));
        }
        if Sender::is_ping(&parts.headers) {
            let reply = json_reply(StatusCode::OK, &json!({"run": null, "merged": false}));
            return (HookResult::Ping, Err(reply));
        }
        match control.request_run(job, Reason::Hook).await {
            Ok(queued) if queued.merged => (HookResult::Merged, Ok(queued)),
            Ok(queued) => (HookResult::Accepted, Ok(queued)),
            Err(error) => (HookResult::Failed, Err(control_error(&error))),
        }
    }
}

/// Answers once the run has ended.
async fn wait_for_run<C: GitopsControl>(control: &C, queued: &Queued) -> HttpReply {
    match control.wait_for_run(queued).await {
        Ok(run) => {
            let outcome = run.as_ref().and_then(|run| run.outcome);
            let run = run.map(|run| run.run).or_else(|| queued.run.clone());
            json_reply(StatusCode::ACCEPTED, &json!({"run": run, "merged": queued.merged, "outcome": outcome}))
        }
        Err(error) => control_error(&error),
    }
}

fn too_many(after: Duration) -> HttpReply {
    let message = "more than 60 requests within a minute";
    let mut reply = error_reply(StatusCode::TOO_MANY_REQUESTS, "limited", message);
    let seconds = after.as_secs() + 1;
    reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    reply
}
