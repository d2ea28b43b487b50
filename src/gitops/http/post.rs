//! `POST /api/v1/...`: changes that a person or a program requests.

use hyper::body::Incoming;
use hyper::header::{HeaderValue, LOCATION};
use hyper::{Request, StatusCode};
use jiff::Timestamp;
use serde_json::json;

use super::super::view::Reason;
use super::auth::{check_origin, check_token};
use super::body::{BodyError, ChangeBody, read_body};
use super::control::{ApprovalAnswer, ControlError, GitopsControl};
use super::listener::Trust;
use super::page;
use super::reply::{HttpReply, build_reply, control_error, describe_error, error_reply, json_reply};
use super::route::{JobVerb, Route, RunVerb};

/// Largest body of a change.
const MAX_CHANGE: usize = 64 * 1024;

/// Answers a request for a change.
pub(super) async fn answer_change<C: GitopsControl>(
    control: &C,
    route: &Route,
    request: Request<Incoming>,
    trust: Trust,
) -> HttpReply {
    let access = control.access();
    let (parts, body) = request.into_parts();
    let body = match read_body(body, MAX_CHANGE).await {
        Ok(body) => body,
        Err(BodyError::TooLarge) => {
            return error_reply(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is larger than 64 KiB");
        }
        Err(BodyError::Incomplete) => {
            return error_reply(StatusCode::REQUEST_TIMEOUT, "incomplete", "the body did not arrive in time");
        }
    };
    if let Err(refusal) = check_origin(&parts.headers, &access) {
        return refusal;
    }
    let change = ChangeBody::read(&parts.headers, &body);
    let field = change.as_ref().ok().and_then(|change| change.token.as_deref());
    let is_form = change.as_ref().is_ok_and(|change| change.is_form);
    if let Err(refusal) = check_token(&parts.headers, field, &access, trust) {
        return if is_form {
            page::render_refusal(refusal.status(), "The token is missing or wrong.")
        } else {
            refusal
        };
    }
    let outcome = match change {
        Ok(change) => request_change(control, route, change).await,
        Err(error) => Err(ControlError::Invalid(error.to_string())),
    };
    match outcome {
        Ok(_) if is_form => redirect_to_page(route),
        Ok(run) => json_reply(StatusCode::ACCEPTED, &json!({"run": run})),
        Err(error) if is_form => page::render_refusal(describe_error(&error).0, &error.to_string()),
        Err(error) => control_error(&error),
    }
}

/// Requests a change; returns the run that it leads to, where one is known.
async fn request_change<C: GitopsControl>(
    control: &C,
    route: &Route,
    change: ChangeBody,
) -> Result<Option<String>, ControlError> {
    match route {
        Route::JobAction(job, JobVerb::Run) => Ok(control.request_run(job, Reason::Manual).await?.run),
        Route::JobAction(job, JobVerb::Suspend) => {
            let until =
                change.read_until(Timestamp::now()).map_err(|error| ControlError::Invalid(error.to_string()))?;
            control.suspend_job(job, change.reason, until).await.map(|()| None)
        }
        Route::JobAction(job, JobVerb::Resume) => control.resume_job(job).await.map(|()| None),
        Route::JobAction(job, JobVerb::Rollback) => Ok(control.roll_back(job, change.to).await?.run),
        Route::RunAction(run, verb) => {
            let by = if change.is_form { "page" } else { "api" };
            let answer = ApprovalAnswer { digest: change.digest, reason: change.reason, by: by.to_owned() };
            match verb {
                RunVerb::Approve => control.approve_run(run, answer).await?,
                RunVerb::Reject => control.reject_run(run, answer).await?,
            }
            Ok(Some(run.clone()))
        }
        _ => Err(ControlError::Invalid("nothing can be changed here".to_owned())),
    }
}

/// Returns to the page that the form stood on.
fn redirect_to_page(route: &Route) -> HttpReply {
    let path = match route {
        Route::JobAction(job, _) => page::job_path(job),
        Route::RunAction(run, _) => page::run_path(run),
        _ => "/".to_owned(),
    };
    let mut answer = build_reply(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", "");
    if let Ok(path) = HeaderValue::try_from(path) {
        answer.headers_mut().insert(LOCATION, path);
    }
    answer
}
