//! Connections and requests.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{ACCEPT, ALLOW, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioTimer;
use tokio::sync::{Semaphore, watch};

use super::super::metrics::MetricsFormat;
use super::control::{GitopsControl, NotReady};
use super::events::{self, EventFormat};
use super::hook::Hooks;
use super::listener::{Listener, Stream, Trust};
use super::reply::{HttpReply, build_reply, control_error, error_reply, json_reply, not_found};
use super::route::{Route, find_parameter, is_set};
use super::{page, post};

/// Connections at a time; further ones wait.
const MAX_CONNECTIONS: usize = 512;

/// Time within which the header of a request has to be there.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// Largest header of a request.
const MAX_BUFFER: usize = 64 * 1024;

/// Time that requests under way are given when the server ends.
const GRACE: Duration = Duration::from_secs(5);

/// Runs that are listed without a limit, and at most.
const DEFAULT_RUNS: usize = 50;
const MAX_RUNS: usize = 1000;

/// Answers requests until `shutdown` is ready, then lets those under way end.
///
/// It has to run inside a [`tokio::task::LocalSet`].
pub async fn serve_requests<C: GitopsControl + 'static>(
    listener: Listener,
    control: Rc<C>,
    shutdown: impl Future<Output = ()>,
) {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let (ending, ends) = watch::channel(false);
    let hooks = Rc::new(Hooks::default());
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = async {
            let slot = Arc::clone(&slots).acquire_owned().await;
            (listener.accept().await, slot)
        };
        let (stream, slot) = tokio::select! {
            () = &mut shutdown => break,
            accepted = accepted => accepted,
        };
        let Ok(stream) = stream else {
            // The process has no more files, or the peer has gone again: both pass.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let server = Server { control: Rc::clone(&control), hooks: Rc::clone(&hooks), trust: listener.trust() };
        let mut ends = ends.clone();
        tokio::task::spawn_local(async move {
            let _slot = slot;
            match stream {
                Stream::Tcp(io) => serve_connection(io, server, &mut ends).await,
                Stream::Unix(io) => serve_connection(io, server, &mut ends).await,
            }
        });
    }
    drop(listener);
    let _ = ending.send(true);
    drop(ends);
    let _ = tokio::time::timeout(GRACE, ending.closed()).await;
}

/// State that a connection needs to answer.
struct Server<C> {
    control: Rc<C>,
    hooks: Rc<Hooks>,
    trust: Trust,
}

async fn serve_connection<C, I>(io: I, server: Server<C>, ends: &mut watch::Receiver<bool>)
where
    C: GitopsControl + 'static,
    I: hyper::rt::Read + hyper::rt::Write + Unpin + 'static,
{
    let server = Rc::new(server);
    let service = service_fn(move |request| {
        let server = Rc::clone(&server);
        async move { Ok::<_, Infallible>(server.answer_request(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_BUFFER)
        .serve_connection(io, service);
    let mut connection = pin!(connection);
    // A connection that breaks is the business of its peer.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = ends.wait_for(|ends| *ends) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

impl<C: GitopsControl + 'static> Server<C> {
    async fn answer_request(&self, request: Request<Incoming>) -> HttpReply {
        let Some(route) = Route::from_path(request.uri().path()) else { return not_found() };
        let allowed = if route.is_post() { "POST" } else { "GET, HEAD" };
        let method = request.method();
        let is_allowed =
            if route.is_post() { method == Method::POST } else { [Method::GET, Method::HEAD].contains(method) };
        if !is_allowed {
            let mut reply = error_reply(StatusCode::METHOD_NOT_ALLOWED, "method", "the method is not allowed here");
            reply.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
            return reply;
        }
        match route {
            Route::Hook(job) => self.hooks.answer_hook(&*self.control, &job, request).await,
            route if route.is_post() => post::answer_change(&*self.control, &route, request, self.trust).await,
            route => self.answer_get(route, &request).await,
        }
    }

    async fn answer_get(&self, route: Route, request: &Request<Incoming>) -> HttpReply {
        let (control, query) = (&self.control, request.uri().query());
        match route {
            Route::Status => match control.read_status().await {
                Ok(status) => json_reply(StatusCode::OK, &status),
                Err(error) => control_error(&error),
            },
            Route::Runs(job) => {
                let limit = match find_parameter(query, "limit").map(|limit| limit.parse::<usize>()) {
                    None => DEFAULT_RUNS,
                    Some(Ok(limit)) => limit.min(MAX_RUNS),
                    Some(Err(_)) => {
                        return error_reply(StatusCode::BAD_REQUEST, "invalid", "`limit` must be a number");
                    }
                };
                match control.list_runs(&job, limit).await {
                    Ok(runs) => json_reply(StatusCode::OK, &runs),
                    Err(error) => control_error(&error),
                }
            }
            Route::Run(run) => match control.read_run(&run).await {
                Ok(run) => json_reply(StatusCode::OK, &run),
                Err(error) => control_error(&error),
            },
            Route::Events(run) => {
                let format = if is_set(query, "follow") { EventFormat::ServerSent } else { EventFormat::Lines };
                // A browser that connects again says how far it has read.
                let last = request.headers().get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
                events::answer_events(control, &run, last.unwrap_or(0), format).await
            }
            Route::PlanMarkdown(run) => self.answer_plan(&run).await,
            Route::Metrics => self.answer_metrics(request).await,
            Route::Health => answer_check(control.check_health()),
            Route::Readiness => answer_check(control.check_readiness()),
            route => page::answer_page(&**control, &route, query, self.trust).await,
        }
    }

    async fn answer_plan(&self, run: &str) -> HttpReply {
        match self.control.read_plan(run).await {
            Ok(Some(plan)) => {
                build_reply(StatusCode::OK, "text/markdown; charset=utf-8", crate::plan::show::render_markdown(&plan))
            }
            Ok(None) => error_reply(StatusCode::NOT_FOUND, "no_plan", "the run has no plan"),
            Err(error) => control_error(&error),
        }
    }

    async fn answer_metrics(&self, request: &Request<Incoming>) -> HttpReply {
        let format = MetricsFormat::from_accept(request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok()));
        let status = match self.control.read_status().await {
            Ok(status) => status,
            Err(error) => return control_error(&error),
        };
        self.control.refresh_metrics();
        match self.control.metrics().encode_text(&status, format) {
            Ok(text) => build_reply(StatusCode::OK, format.content_type(), text),
            Err(error) => error_reply(StatusCode::INTERNAL_SERVER_ERROR, "metrics", &error.to_string()),
        }
    }
}

fn answer_check(outcome: Result<(), NotReady>) -> HttpReply {
    match outcome {
        Ok(()) => build_reply(StatusCode::OK, "text/plain; charset=utf-8", "ok\n"),
        Err(why) => build_reply(StatusCode::SERVICE_UNAVAILABLE, "text/plain; charset=utf-8", format!("{why}\n")),
    }
}
