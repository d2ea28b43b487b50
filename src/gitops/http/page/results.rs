//! The events of a run as a list of task results.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value as Json;

use super::events_path;
use super::html::{Escaped, render_pill, shorten_text};
use crate::gitops::http::control::{ControlError, GitopsControl};
use crate::gitops::view::JobRun;

/// Bytes of the table, so that the page stays below 40 kB.
const BUDGET: usize = 9_000;

/// Longest events that are read for the page.
const MAX_READ: u64 = 4 * 1024 * 1024;

/// An event, as far as the page shows it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Event {
    event: String,
    play: String,
    task: String,
    host: String,
    status: String,
    item_label: Json,
    result: Json,
}

/// Renders the last results of a run, in order.
pub(super) async fn render_results<C: GitopsControl>(
    out: &mut String,
    control: &C,
    run: &JobRun,
) -> Result<(), ControlError> {
    let mut rows: Vec<String> = Vec::new();
    let (mut from, mut play) = (0, String::new());
    loop {
        let chunk = control.read_events(&run.run, from).await?;
        for line in chunk.lines.lines() {
            let Ok(event) = serde_json::from_str::<Event>(line) else { continue };
            if event.event == "play_start" {
                play.clone_from(&event.play);
                rows.push(format!(
                    "<tr class=\"play\"><th colspan=\"3\" scope=\"rowgroup\">{}</th></tr>",
                    Escaped(&play)
                ));
            }
            rows.extend(render_event(&event));
        }
        if chunk.lines.is_empty() || chunk.next > MAX_READ {
            break;
        }
        from = chunk.next;
    }
    if rows.is_empty() {
        return Ok(());
    }
    let _ = write!(out, "<h2>Events <a class=\"aside\" href=\"{}\">JSONL</a></h2>", events_path(run));
    let (mut length, mut first) = (0, rows.len());
    while first > 0 && length + rows[first - 1].len() <= BUDGET {
        first -= 1;
        length += rows[first].len();
    }
    if first > 0 {
        let _ =
            write!(out, "<p class=\"more\">The last {} of {}; the JSONL has all.</p>", rows.len() - first, rows.len());
    }
    out.push_str("<table class=\"events\"><tbody>");
    rows[first..].iter().for_each(|row| out.push_str(row));
    out.push_str("</tbody></table>");
    Ok(())
}

fn render_event(event: &Event) -> Option<String> {
    if !matches!(event.event.as_str(), "host" | "item") {
        return None;
    }
    let item = match &event.item_label {
        Json::Null => String::new(),
        Json::String(label) => format!(" <small>{}</small>", Escaped(shorten_text(label, 60))),
        label => format!(" <small>{}</small>", Escaped(shorten_text(&label.to_string(), 60))),
    };
    let is_bad = matches!(event.status.as_str(), "failed" | "unreachable" | "ignored" | "rescued");
    let message = event.result.get("msg").filter(|message| is_bad || message.is_string());
    let message = message.map(|message| message.as_str().map_or_else(|| message.to_string(), str::to_owned));
    let message =
        message.map(|message| format!("<small class=\"note\">{}</small>", Escaped(shorten_text(&message, 300))));
    Some(format!(
        "<tr><td>{}</td><td>{}{item}{}</td><td>{}</td></tr>",
        render_pill(&event.status),
        Escaped(&event.task),
        message.unwrap_or_default(),
        Escaped(&event.host),
    ))
}
