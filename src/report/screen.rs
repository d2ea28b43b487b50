//! The screen: looks and reads like Ansible's default output, so that people and log scrapers feel at home.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indexmap::IndexMap;
use indicatif::{ProgressBar, ProgressStyle};

use super::bus::Writer;
use super::diff;
use super::event::{Event, Outcome, Stats, Status, TaskLabel};
use super::style::{Meaning, Paint};
use crate::diagnostic::{Diagnostic, Severity, render};
use crate::reconcile::Record;
use crate::secrets::Redactor;
use crate::value::json::{self, Style};
use crate::value::{Dict, Value, python};

/// What the live line needs beside its message: spinner, time, and room for an echo.
const LIVE_MARGIN: usize = 16;

/// What the screen is told when it is made.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Colours.
    pub colour: bool,
    /// `-v` to `-vvvv`.
    pub verbosity: u8,
    /// Nothing on standard output: another writer has it.
    pub quiet: bool,
    /// Skipped hosts get a line.
    pub show_skipped: bool,
}

/// Writes results to standard output, warnings and errors to standard error.
pub struct Screen {
    options: Options,
    paint: Paint,
    out: Box<dyn Write>,
    width: usize,
    live: Option<ProgressBar>,
    task: Option<TaskLabel>,
    announced: bool,
    undetermined: usize,
}

impl Screen {
    /// The screen on standard output; with a live line if standard error is a terminal.
    pub fn new(options: Options) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let live = (terminal && std::io::stderr().is_terminal() && !options.quiet).then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
                bar.set_style(style);
            }
            bar
        });
        let out: Box<dyn Write> = if options.quiet { Box::new(std::io::sink()) } else { Box::new(std::io::stdout()) };
        Self {
            options,
            paint: Paint(options.colour),
            out,
            width: width(),
            live,
            task: None,
            announced: true,
            undetermined: 0,
        }
    }

    fn print(&mut self, text: &str, redactor: &Redactor) -> std::io::Result<()> {
        let text = redactor.redact(text);
        match &self.live {
            Some(live) if !live.is_finished() => {
                let out = &mut self.out;
                live.suspend(|| out.write_all(text.as_bytes()).and_then(|()| out.flush()))
            }
            _ => self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()),
        }
    }

    fn banner(&mut self, title: &str, redactor: &Redactor) -> std::io::Result<()> {
        // Before it is measured: the stars must not tell how long a secret is.
        let title = redactor.redact(title);
        let shown = title.chars().count();
        let stars = "*".repeat(self.width.saturating_sub(shown + 1).max(3));
        self.print(&format!("\n{title} {stars}\n"), redactor)
    }

    /// The task's banner comes with its first result, so that a task that is only skipped need not be announced.
    fn announce(&mut self, redactor: &Redactor) -> std::io::Result<()> {
        if self.announced {
            return Ok(());
        }
        self.announced = true;
        let Some(label) = self.task.clone() else { return Ok(()) };
        let kind = if label.handler { "RUNNING HANDLER" } else { "TASK" };
        self.banner(&format!("{kind} [{}]", label.task), redactor)?;
        if self.options.verbosity >= 2
            && let Some(place) = &label.place
        {
            let line = self.paint.text(&format!("task path: {place}"), Meaning::Verbose);
            self.print(&format!("{line}\n"), redactor)?;
        }
        Ok(())
    }

    fn outcome(&mut self, outcome: &Outcome, item: bool, redactor: &Redactor) -> std::io::Result<()> {
        self.announce(redactor)?;
        let mut text = String::new();
        // What changes nothing by the playbook's own verdict has no difference to show.
        let changed = outcome.result.get("changed").is_some_and(Value::is_true);
        for difference in outcome.diff.iter().filter(|_| changed) {
            text.push_str(&diff::render(difference, self.paint));
        }
        if let Some(diagnostic) = &outcome.diagnostic {
            text.push_str(&render::render(diagnostic, self.options.colour));
            text.push('\n');
        }
        let include =
            outcome.label.action.ends_with(".include_tasks") || outcome.label.action.ends_with(".include_role");
        if include && matches!(outcome.status, Status::Ok | Status::Changed) {
            // A line of its own says which file was included for which hosts.
            return Ok(());
        }
        let label = match &outcome.item {
            Some(item) => format!(" => (item={})", python::str(item)),
            None => String::new(),
        };
        let host = match &outcome.delegated_to {
            Some(target) if **target != *outcome.host => format!("[{} -> {target}]", outcome.host),
            _ => format!("[{}]", outcome.host),
        };
        if let Some(awaits) = &outcome.undetermined {
            if outcome.looped && !item {
                return Ok(());
            }
            self.undetermined += 1;
            let line = format!("undetermined: {host}{label} => waits for {awaits}");
            text.push_str(&self.paint.text(&line, Meaning::Skipped));
            text.push('\n');
            return self.print(&text, redactor);
        }
        let line = match (outcome.status, item) {
            (Status::Ok, _) => Some((format!("ok: {host}{label}"), Meaning::Ok, false)),
            (Status::Changed, _) => Some((format!("changed: {host}{label}"), Meaning::Changed, false)),
            (Status::Skipped, _) if !self.options.show_skipped => None,
            (Status::Skipped, true) => Some((format!("skipping: {host}{label} "), Meaning::Skipped, false)),
            (Status::Skipped, false) => Some((format!("skipping: {host}"), Meaning::Skipped, false)),
            (Status::Unreachable, _) => Some((format!("fatal: {host}: UNREACHABLE!{label}"), Meaning::Failed, true)),
            (_, true) => Some((format!("failed: {host}{}", label.replacen(" =>", "", 1)), Meaning::Failed, true)),
            (_, false) => Some((format!("fatal: {host}: FAILED!"), Meaning::Failed, true)),
        };
        // The line of the whole loop repeats what the items have said.
        let silent = outcome.looped && !item && !matches!(outcome.status, Status::Unreachable | Status::Skipped);
        if let Some((mut line, meaning, always)) = line.filter(|_| !silent) {
            if always || self.shows_result(outcome) {
                line.push_str(if line.ends_with(' ') { "=> " } else { " => " });
                line.push_str(&self.result(outcome, redactor));
            }
            text.push_str(&self.paint.text(&line, meaning));
            text.push('\n');
        }
        if outcome.status == Status::Ignored && !item {
            text.push_str(&self.paint.text("...ignoring", Meaning::Skipped));
            text.push('\n');
        }
        self.print(&text, redactor)
    }

    fn shows_result(&self, outcome: &Outcome) -> bool {
        outcome.always_shown || self.options.verbosity > 0
    }

    /// The result as JSON; pretty where it is what the user came for.
    fn result(&self, outcome: &Outcome, redactor: &Redactor) -> String {
        let debug = outcome.label.action.ends_with(".debug");
        let pretty = outcome.always_shown && outcome.status != Status::Skipped;
        let mut shown: Dict = (*outcome.result).clone();
        shown.retain(|key, _| {
            let key = key.as_str().unwrap_or_default();
            let internal = key.starts_with("_ansible_")
                || key == "warnings"
                || (self.options.verbosity < 3 && matches!(key, "invocation" | "diff" | "exception"));
            let of_loop = outcome.item.is_some()
                && (key == "ansible_loop_var"
                    || (outcome.status != Status::Skipped
                        && matches!(key, "ansible_index_var" | "ansible_loop" | "item")));
            let noise = debug
                && (of_loop || matches!(key, "changed" | "failed" | "failed_when_result" | "skipped" | "skip_reason"));
            !internal && !noise
        });
        let indent = (pretty || self.options.verbosity > 2).then_some(4);
        let style = Style { indent, sort_keys: true, mask_secrets: !redactor.shows(), ..Style::SCREEN };
        json::to_string(&shown.into(), style)
    }

    fn notice(&mut self, notice: &Diagnostic, redactor: &Redactor) -> std::io::Result<()> {
        let text = if notice.labels.is_empty() && notice.severity != Severity::Error {
            let word = if notice.severity == Severity::Deprecation { "DEPRECATION WARNING" } else { "WARNING" };
            self.paint.text(&format!("[{word}]: {}", notice.one_line()), Meaning::Warning)
        } else {
            render::render(notice, self.options.colour)
        };
        let text = format!("{}\n", redactor.redact(&text));
        let write = || std::io::stderr().write_all(text.as_bytes());
        match &self.live {
            Some(live) => live.suspend(write),
            None => write(),
        }
    }

    fn recap(
        &mut self,
        hosts: &IndexMap<String, Stats>,
        custom: &Dict,
        records: &[Record],
        redactor: &Redactor,
    ) -> std::io::Result<()> {
        self.banner("PLAY RECAP", redactor)?;
        let mut names: Vec<&String> = hosts.keys().collect();
        names.sort();
        let mut text = String::new();
        for name in names {
            text.push_str(&self.recap_line(name, &hosts[name]));
        }
        text.push('\n');
        if let Some(summary) = summary(records) {
            text.push_str(&summary);
            text.push_str("\n\n");
        }
        if self.undetermined > 0 {
            let word = if self.undetermined == 1 { "task" } else { "tasks" };
            text.push_str(&format!("UNDETERMINED: {} {word}, see above\n\n", self.undetermined));
        }
        if !custom.is_empty() && self.options.verbosity > 0 {
            let style = Style { sort_keys: true, ..Style::EVENT };
            text.push_str(&format!("CUSTOM STATS: {}\n\n", json::to_string(&custom.clone().into(), style)));
        }
        self.print(&text, redactor)
    }

    fn recap_line(&self, host: &str, stats: &Stats) -> String {
        let whole = if stats.failed > 0 || stats.unreachable > 0 {
            Meaning::Failed
        } else if stats.changed > 0 {
            Meaning::Changed
        } else {
            Meaning::Ok
        };
        // Padding is outside the colour so that columns line up with and without it.
        let mut line =
            format!("{}{} :", self.paint.text(host, whole), " ".repeat(26usize.saturating_sub(host.chars().count())));
        for (name, count) in stats.named() {
            let meaning = match name {
                "ok" => Meaning::Ok,
                "changed" | "ignored" => Meaning::Changed,
                "skipped" => Meaning::Skipped,
                "rescued" => Meaning::Ok,
                _ => Meaning::Failed,
            };
            let field = format!("{name}={count:<4}");
            line.push(' ');
            line.push_str(&if count > 0 { self.paint.text(&field, meaning) } else { field });
        }
        line.push('\n');
        line
    }

    /// Says on the live line what is waited for; the time is that of the task.
    fn wait(&mut self, message: &str, redactor: &Redactor) {
        if let Some(live) = &self.live {
            // The line must not reach the edge: what the terminal echoes (`^C`) would begin another.
            let room = width().saturating_sub(LIVE_MARGIN);
            live.set_message(cut(&redactor.redact(message), room));
            live.enable_steady_tick(Duration::from_millis(120));
        }
    }
}

/// What happened to registry objects, in one line; nothing if no task was about one.
pub fn summary(records: &[Record]) -> Option<String> {
    if records.is_empty() {
        return None;
    }
    Some(format!("REGISTRY OBJECTS: {}", crate::reconcile::summary(records)))
}

/// The beginning of a text that is too long.
fn cut(text: &str, room: usize) -> String {
    match text.char_indices().nth(room) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// How wide lines of standard output are: as `COLUMNS` says, or the terminal.
pub fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse::<usize>().ok()).filter(|columns| *columns > 20);
    let terminal = || console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
    columns.or_else(terminal).unwrap_or(80).min(250)
}

impl Writer for Screen {
    fn event(&mut self, event: &Event, redactor: &Redactor) -> std::io::Result<()> {
        match event {
            Event::PlayStart { play } if play.trim().is_empty() => self.banner("PLAY", redactor),
            Event::PlayStart { play } => self.banner(&format!("PLAY [{play}]"), redactor),
            Event::NoHostsMatched => {
                let line = self.paint.text("skipping: no hosts matched", Meaning::Skipped);
                self.print(&format!("{line}\n"), redactor)
            }
            Event::NoHostsRemaining => self.banner("NO MORE HOSTS LEFT", redactor),
            Event::TaskStart(label) => {
                self.task = Some(label.clone());
                self.announced = false;
                let message = label.task.to_string();
                self.announce(redactor)?;
                if let Some(live) = &self.live {
                    live.reset_elapsed();
                }
                self.wait(&message, redactor);
                Ok(())
            }
            Event::Item(outcome) => self.outcome(outcome, true, redactor),
            Event::Host(outcome) => self.outcome(outcome, false, redactor),
            Event::Included { what, hosts, item } => {
                self.announce(redactor)?;
                let mut line = format!("included: {what} for {}", hosts.join(", "));
                if let Some(item) = item {
                    line.push_str(&format!(" => (item={})", python::str(item)));
                }
                let line = self.paint.text(&line, Meaning::Skipped);
                self.print(&format!("{line}\n"), redactor)
            }
            Event::Retry { label, host, left, result } => {
                self.announce(redactor)?;
                let mut line = format!("FAILED - RETRYING: [{host}]: {} ({left} retries left).", label.task);
                if self.options.verbosity > 2 {
                    let style = Style { mask_secrets: !redactor.shows(), ..Style::EVENT };
                    line.push_str(&format!("Result was: {}", json::to_string(&Value::from((**result).clone()), style)));
                }
                let line = self.paint.text(&line, Meaning::Verbose);
                self.print(&format!("{line}\n"), redactor)
            }
            Event::Polling { host, job } => {
                let line =
                    self.paint.text(&format!("ASYNC POLL on {host}: jid={job} started=1 finished=0"), Meaning::Verbose);
                self.print(&format!("{line}\n"), redactor)
            }
            Event::Progress(message) => {
                self.wait(message, redactor);
                Ok(())
            }
            Event::Notice(notice) => self.notice(notice, redactor),
            Event::Verbose(level, line) if *level <= self.options.verbosity => {
                let line = self.paint.text(line, Meaning::Verbose);
                self.print(&format!("{line}\n"), redactor)
            }
            Event::Verbose(..) => Ok(()),
            Event::Line(line) => self.print(&format!("{line}\n"), redactor),
            Event::Recap { hosts, custom, records } => {
                if let Some(live) = &self.live {
                    live.finish_and_clear();
                }
                self.recap(hosts, custom, records, redactor)
            }
        }
    }
}
