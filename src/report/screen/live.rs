//! The live line: what is waited for, below what was said, on terminals only.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle, TermLike};

use crate::progress::shorten_ids;
use crate::report::ReportEvent;
use crate::secrets::Redactor;

/// Room at the edge of the terminal for what it echoes (`^C`), which would begin another line.
const MARGIN: u16 = 4;

/// Columns of the live line besides its message: spinner and time.
const AROUND: usize = 14;

/// Time after which the line is shown: what is over sooner needs no words.
const QUIET_TIME: Duration = Duration::from_secs(1);

/// The line, which shows what a task is waiting for, and since when.
pub struct LiveLine {
    bar: ProgressBar,
    /// Text of the line; the bar reads it whenever it draws.
    text: Arc<Mutex<String>>,
    activity: Activity,
}

/// The state of the run, as far as it is known.
#[derive(Debug, Default)]
struct Activity {
    task: String,
    host: String,
    /// Number of the loop item, and of all items.
    item: Option<(usize, usize)>,
    /// The event that the module waits for.
    message: String,
    /// Requests that are not answered yet; loop items that run side by side have several.
    requests: Vec<String>,
}

impl Activity {
    /// The changing parts come first, so that they are seen in a narrow window, too.
    fn describe(&self) -> String {
        let item = self.item.map(|(number, count)| format!("{number} of {count}")).unwrap_or_default();
        let requests = self.describe_requests();
        let parts = [&item, &self.message, &requests, &self.host, &self.task];
        parts.into_iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join(" · ")
    }

    /// One request in full; several by their number, in full where they are all alike.
    fn describe_requests(&self) -> String {
        let requests = &self.requests;
        match requests.as_slice() {
            [] => String::new(),
            [one] => one.clone(),
            [first, others @ ..] if others.iter().all(|other| other == first) => {
                format!("{} × {first}", requests.len())
            }
            _ => format!("{} requests", requests.len()),
        }
    }
}

impl LiveLine {
    /// A line that is not shown yet.
    pub fn new() -> Self {
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(Narrow(Term::stderr())), 20);
        let bar = ProgressBar::with_draw_target(None, target);
        let text: Arc<Mutex<String>> = Arc::default();
        let shown = Arc::clone(&text);
        if let Ok(style) = ProgressStyle::with_template("{line}") {
            let spinner = style.clone();
            bar.set_style(style.with_key("line", move |state: &ProgressState, out: &mut dyn fmt::Write| {
                if state.elapsed() >= QUIET_TIME {
                    let (text, frame) = (shown.lock().map(|text| text.clone()).unwrap_or_default(), state.elapsed());
                    let sign = spinner.get_tick_str(u64::try_from(frame.as_millis() / 120).unwrap_or_default());
                    let _ = write!(out, "{sign} {text} · {}", describe_time(frame));
                }
            }));
        }
        // It stays away until there is something to show.
        bar.finish_and_clear();
        Self { bar, text, activity: Activity::default() }
    }

    /// Takes what an event says of the work of a task.
    pub fn take_event(&mut self, event: &ReportEvent, redactor: &Redactor) {
        let activity = &mut self.activity;
        match event {
            ReportEvent::TaskStart(label) => {
                *activity = Activity { task: label.task.to_string(), ..Activity::default() };
                self.bar.reset_elapsed();
            }
            ReportEvent::HostStart { label, host } => {
                *activity = Activity { task: label.task.to_string(), host: host.to_string(), ..Activity::default() };
            }
            ReportEvent::ItemStart { number, count } => {
                activity.item = Some((*number, *count));
                activity.message.clear();
            }
            ReportEvent::Progress(message) if message.is_empty() => return self.clear(),
            ReportEvent::Progress(message) => activity.message.clone_from(message),
            ReportEvent::RequestStart { method, path } => {
                activity.requests.push(describe_request(method, path));
            }
            ReportEvent::RequestEnd { method, path } => {
                let ended = describe_request(method, path);
                if let Some(at) = activity.requests.iter().position(|request| *request == ended) {
                    activity.requests.remove(at);
                }
            }
            ReportEvent::Recap { .. } => return self.clear(),
            _ => return,
        }
        self.show(redactor);
    }

    fn show(&mut self, redactor: &Redactor) {
        let room = super::output_width().saturating_sub(AROUND + usize::from(MARGIN));
        if let Ok(mut text) = self.text.lock() {
            *text = cut_text(&redactor.redact(&self.activity.describe()), room);
        }
        if self.bar.is_finished() {
            self.bar.reset();
        }
        self.bar.enable_steady_tick(Duration::from_millis(120));
    }

    /// Takes the line away.
    fn clear(&self) {
        self.bar.disable_steady_tick();
        self.bar.finish_and_clear();
    }

    /// Takes the line away while something else is written.
    pub fn suspend<R>(&self, write: impl FnOnce() -> R) -> R {
        if self.bar.is_finished() { write() } else { self.bar.suspend(write) }
    }
}

/// A time in words as short as they can be: `4s`, `2m05s`.
fn describe_time(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds => format!("{}m{:02}s", seconds / 60, seconds % 60),
    }
}

fn describe_request(method: &str, path: &str) -> String {
    format!("{method} {}", shorten_ids(path))
}

/// The beginning of a text that is too long.
fn cut_text(text: &str, room: usize) -> String {
    match text.char_indices().nth(room) {
        Some((end, _)) => format!("{}…", text[..end].trim_end_matches([' ', '·'])),
        None => text.to_owned(),
    }
}

/// A terminal that says it is narrower than it is.
#[derive(Debug)]
struct Narrow(Term);

impl TermLike for Narrow {
    fn width(&self) -> u16 {
        self.0.size().1.saturating_sub(MARGIN).max(1)
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_up(n)
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_down(n)
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_right(n)
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_left(n)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_says_what_changes_first() {
        let mut activity = Activity { task: "Create tokens".into(), host: "web1".into(), ..Activity::default() };
        assert_eq!(activity.describe(), "web1 · Create tokens");
        activity.item = Some((3, 50));
        let request = describe_request("POST", "/registries/11111111-1111-4111-8111-111111111111/tokens");
        activity.requests = vec![request.clone()];
        assert_eq!(activity.describe(), "3 of 50 · POST /registries/11111111…/tokens · web1 · Create tokens");
        activity.requests.push(request);
        assert_eq!(activity.describe(), "3 of 50 · 2 × POST /registries/11111111…/tokens · web1 · Create tokens");
        activity.requests.push("GET /registries".into());
        assert_eq!(activity.describe(), "3 of 50 · 3 requests · web1 · Create tokens");
    }

    #[test]
    fn times_are_short() {
        assert_eq!([4, 59, 60, 125].map(|s| describe_time(Duration::from_secs(s))), ["4s", "59s", "1m00s", "2m05s"]);
    }
}
