//! `GET /api/v1/runs/RUN/events`: the events of a run, as lines or as server-sent events.

use std::fmt::Write as _;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::control::GitopsControl;
use super::reply::{HttpReply, control_error, stream_reply};

/// How often a run under way is asked for more.
const PERIOD: Duration = Duration::from_millis(200);

/// How often a comment is sent, so that proxies keep the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventFormat {
    /// The events so far, one JSON object a line.
    Lines,
    /// Server-sent events until the run has ended.
    ServerSent,
}

/// Answers with the events of a run from this byte on.
pub(super) async fn answer_events<C: GitopsControl + 'static>(
    control: &Rc<C>,
    run: &str,
    from: u64,
    format: EventFormat,
) -> HttpReply {
    let first = match control.read_events(run, from).await {
        Ok(first) => first,
        Err(error) => return control_error(&error),
    };
    let (sender, receiver) = mpsc::channel(4);
    let (control, run) = (Rc::clone(control), run.to_owned());
    tokio::task::spawn_local(async move {
        let mut chunk = first;
        let mut quiet_since = Instant::now();
        loop {
            let text = match format {
                EventFormat::Lines => std::mem::take(&mut chunk.lines),
                EventFormat::ServerSent => to_server_sent(&chunk.lines, chunk.next),
            };
            let is_end = chunk.ended && chunk.lines.is_empty() || format == EventFormat::Lines && text.is_empty();
            if !text.is_empty() {
                quiet_since = Instant::now();
                if sender.send(Bytes::from(text)).await.is_err() {
                    return;
                }
            } else if is_end {
                break;
            } else if quiet_since.elapsed() >= KEEP_ALIVE {
                quiet_since = Instant::now();
                if sender.send(Bytes::from_static(b": \n\n")).await.is_err() {
                    return;
                }
            }
            if format == EventFormat::ServerSent && chunk.lines.is_empty() {
                tokio::select! {
                    () = sender.closed() => return,
                    () = tokio::time::sleep(PERIOD) => {}
                }
            }
            let next = chunk.next;
            chunk = match control.read_events(&run, next).await {
                Ok(chunk) => chunk,
                // The run was removed, or the core ends.
                Err(_) => break,
            };
        }
        if format == EventFormat::ServerSent {
            let _ = sender.send(Bytes::from_static(b"event: end\ndata: {}\n\n")).await;
        }
    });
    let content_type = match format {
        EventFormat::Lines => "application/jsonl; charset=utf-8",
        EventFormat::ServerSent => "text/event-stream",
    };
    stream_reply(content_type, receiver)
}

/// Writes lines as server-sent events. The last has the place to go on from as its id.
fn to_server_sent(lines: &str, next: u64) -> String {
    let mut text = String::new();
    let count = lines.lines().count();
    for (position, line) in lines.lines().enumerate() {
        if position + 1 == count {
            let _ = writeln!(text, "id: {next}");
        }
        let _ = write!(text, "data: {line}\n\n");
    }
    text
}
