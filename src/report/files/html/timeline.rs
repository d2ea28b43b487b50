//! The picture of a run: a row for each host, in which tasks are as wide as they took long, and a row of requests.

use std::fmt::Write as _;

use indexmap::IndexMap;

use super::seconds;
use crate::report::files::xml::escape_attribute;
use crate::report::history::RunHistory;

/// Width of the picture in its own units; it is stretched to the page.
const WIDTH: f64 = 1000.0;

/// Narrower tasks would not be seen.
const NARROWEST: f64 = 2.0;

/// With more results than this a task is not a link of its own: the page would become too large.
const MOST_LINKS: usize = 400;

/// Rows beyond this are left out; the list of tasks has them all.
const MOST_ROWS: usize = 60;

/// A stretch of the picture.
struct Bar<'a> {
    task: usize,
    name: &'a str,
    status: &'a str,
    start: f64,
    duration: f64,
}

/// The section with the picture; nothing for a run without results.
pub fn write(history: &RunHistory) -> String {
    let mut rows: IndexMap<&str, Vec<Bar<'_>>> = IndexMap::new();
    let tasks = history.plays.iter().flat_map(|play| &play.tasks).enumerate();
    for (number, task) in tasks {
        for result in &task.results {
            rows.entry(&result.host).or_default().push(Bar {
                task: number,
                name: &task.name,
                status: &result.status,
                start: result.start,
                duration: result.duration,
            });
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let ends = rows.values().flatten().map(|bar| bar.start + bar.duration);
    let end = ends.fold(0.0, f64::max).max(0.001);
    let first = rows.values().flatten().map(|bar| bar.start).fold(f64::INFINITY, f64::min).min(end);
    let scale = Scale { first, unit: WIDTH / (end - first).max(1e-6) };
    let linked = rows.values().map(Vec::len).sum::<usize>() <= MOST_LINKS;
    let mut out = String::from("<h2>Timeline</h2>\n<div class=box>");
    for (host, bars) in rows.iter().take(MOST_ROWS) {
        let drawn = if linked { draw_links(bars, &scale) } else { draw_paths(bars, &scale) };
        let name = escape_attribute(host);
        let _ = writeln!(
            out,
            "<div class=row><span title=\"{name}\">{name}</span><svg viewBox=\"0 0 1000 22\" preserveAspectRatio=none role=img aria-label=\"tasks of {name}\">{drawn}</svg></div>"
        );
    }
    if rows.len() > MOST_ROWS {
        let _ = write!(out, "<p class=soft>and {} more hosts</p>", rows.len() - MOST_ROWS);
    }
    write_requests(&mut out, history, &scale);
    let ticks: String =
        (0..=4).map(|tick| format!("<span>{}</span>", tick_text((end - first) * f64::from(tick) / 4.0))).collect();
    let _ = writeln!(out, "<div class=row><span></span><div class=axis>{ticks}</div></div>");
    write_key(&mut out, history);
    out.push_str("</div>\n");
    out
}

/// From seconds to the units of the picture.
struct Scale {
    first: f64,
    unit: f64,
}

impl Scale {
    fn place(&self, start: f64, duration: f64) -> (f64, f64) {
        let width = (duration * self.unit).max(NARROWEST);
        (((start - self.first) * self.unit).clamp(0.0, WIDTH - width.min(WIDTH)), width)
    }
}

fn draw_links(bars: &[Bar<'_>], scale: &Scale) -> String {
    let mut out = String::new();
    for bar in bars {
        let (x, width) = scale.place(bar.start, bar.duration);
        let _ = write!(
            out,
            "<a href=#t{}><rect class={} x={x:.1} y=1 width={width:.1} height=20><title>{}: {}, {}</title></rect></a>",
            bar.task,
            bar.status,
            escape_attribute(bar.name),
            bar.status,
            seconds(bar.duration)
        );
    }
    out
}

/// One path for each state.
fn draw_paths(bars: &[Bar<'_>], scale: &Scale) -> String {
    let mut paths: IndexMap<&str, String> = IndexMap::new();
    for bar in bars {
        let (x, width) = scale.place(bar.start, bar.duration);
        let _ = write!(paths.entry(bar.status).or_default(), "M{x:.1} 1h{width:.1}v20h-{width:.1}z");
    }
    paths.iter().map(|(status, path)| format!("<path class={status} d=\"{path}\"/>")).collect()
}

fn write_requests(out: &mut String, history: &RunHistory, scale: &Scale) {
    if history.requests.is_empty() {
        return;
    }
    let mut path = String::new();
    for request in &history.requests {
        let (x, width) = scale.place(request.start, request.duration);
        let _ = write!(path, "M{x:.1} 1h{width:.1}v10h-{width:.1}z");
    }
    let _ = writeln!(
        out,
        "<div class=row><span>requests</span><svg class=thin viewBox=\"0 0 1000 12\" preserveAspectRatio=none role=img aria-label=requests><path class=request d=\"{path}\"/></svg></div>"
    );
}

fn write_key(out: &mut String, history: &RunHistory) {
    out.push_str("<div class=key>");
    for status in ["ok", "changed", "failed", "unreachable", "skipped", "rescued", "ignored", "undetermined"] {
        if history.results().any(|(_, _, result)| result.status == status) {
            let _ = write!(out, "<span><i class={status}></i>{status}</span>");
        }
    }
    if !history.requests.is_empty() {
        out.push_str("<span><i class=request></i>request</span>");
    }
    out.push_str("</div>");
}

fn tick_text(at: f64) -> String {
    if at <= 0.0 { "0".to_owned() } else { seconds(at) }
}
