//! The page: rendered here, complete without JavaScript, and asking nothing of any other origin.

mod forms;
mod history;
mod home;
mod html;
mod job;
mod plan;
mod results;
mod run;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::StatusCode;
use hyper::header::{CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::control::{Access, ControlError, GitopsControl};
use super::listener::Trust;
use super::reply::{HttpReply, build_reply, describe_error, not_found};
use super::route::{Route, find_parameter};
use crate::gitops::view::JobRun;
pub(in crate::gitops) use html::shorten_text;
use html::{Escaped, format_clock};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// A drawn circle arrow; `data:` needs no request.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16' fill='none' \
    stroke='%234470e0' stroke-width='2' stroke-linecap='round'%3E%3Cpath d='M13 8a5 5 0 1 1-1.5-3.5M13 2v3h-3'/%3E%3C/svg%3E";

/// Nothing but the style and the script of the page itself may be used.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; img-src data:; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// Characters of a path segment that stay as they are.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Returns the path of a job's page.
pub(super) fn job_path(job: &str) -> String {
    format!("/jobs/{}", utf8_percent_encode(job, SEGMENT))
}

/// Returns the path of a run's page, also for links in notifications and on forges.
pub fn run_path(run: &str) -> String {
    format!("/runs/{}", utf8_percent_encode(run, SEGMENT))
}

/// Returns the path of the events of a run.
fn events_path(run: &JobRun) -> String {
    format!("/api/v1{}/events", run_path(&run.run))
}

/// Context that every part of the page needs besides its subject.
pub(super) struct View<'a> {
    /// Now, so that all times of a page agree.
    pub now: Timestamp,
    /// Who may request changes.
    pub access: &'a Access,
    /// How the peer is connected.
    pub trust: Trust,
}

/// A page before it has its frame.
pub(super) struct HtmlPage {
    /// Title of the window.
    pub title: String,
    /// Content of `main`.
    pub main: String,
    /// Path of the events that the page follows while a run is under way.
    pub follow: Option<String>,
}

/// Answers with a page.
pub(super) async fn answer_page<C: GitopsControl>(
    control: &C,
    route: &Route,
    query: Option<&str>,
    trust: Trust,
) -> HttpReply {
    let access = control.access();
    let view = View { now: Timestamp::now(), access: &access, trust };
    let page = match route {
        Route::Home => render_home(control, query, &view).await,
        Route::JobPage(job) => job::render_job(control, job, &view).await,
        Route::RunPage(run) => run::render_run(control, run, &view).await,
        _ => return not_found(),
    };
    match page {
        Ok(page) => page_reply(StatusCode::OK, &page, view.now),
        Err(error) => render_refusal(describe_error(&error).0, &error.to_string()),
    }
}

async fn render_home<C: GitopsControl>(
    control: &C,
    query: Option<&str>,
    view: &View<'_>,
) -> Result<HtmlPage, ControlError> {
    let status = control.read_status().await?;
    let state = find_parameter(query, "state");
    let number = find_parameter(query, "page").and_then(|number| number.parse().ok()).unwrap_or(1);
    Ok(home::render_home(&status, state.as_deref(), number, view))
}

/// Returns a page that says why a request was not carried out.
pub(super) fn render_refusal(status: StatusCode, message: &str) -> HttpReply {
    let main = format!(
        "<h1>{}</h1><p class=\"message\">{}</p><p><a href=\"/\">All jobs</a></p>",
        Escaped(status.canonical_reason().unwrap_or("Error")),
        Escaped(message)
    );
    let page = HtmlPage { title: "ionplay gitops".to_owned(), main, follow: None };
    page_reply(status, &page, Timestamp::now())
}

fn page_reply(status: StatusCode, page: &HtmlPage, now: Timestamp) -> HttpReply {
    let mut answer = build_reply(status, "text/html; charset=utf-8", render_frame(page, now));
    answer.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY.clone());
    // A form needs its origin, so nothing stricter than this.
    answer.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    answer
}

fn render_frame(page: &HtmlPage, now: Timestamp) -> String {
    let mut out = String::with_capacity(STYLE.len() + SCRIPT.len() + page.main.len() + 1024);
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{}</title><link rel=\"icon\" href=\"{ICON}\">\
         <noscript><meta http-equiv=\"refresh\" content=\"15\"></noscript><style>{STYLE}</style></head><body>\
         <a class=\"skip\" href=\"#main\">Skip to content</a>\
         <header><a class=\"brand\" href=\"/\"><b>ionplay</b> gitops</a><span id=\"clock\">{}</span></header>\
         <main id=\"main\" tabindex=\"-1\"{}>{}</main>\
         <footer><a href=\"/api/v1/status\">Status as JSON</a> <a href=\"/metrics\">Metrics</a> \
         <span>ionplay {}</span></footer><script>{SCRIPT}</script></body></html>\n",
        Escaped(&page.title),
        format_clock(now),
        page.follow.as_ref().map(|path| format!(" data-follow=\"{}\"", Escaped(path))).unwrap_or_default(),
        page.main,
        env!("CARGO_PKG_VERSION"),
    );
    out
}
