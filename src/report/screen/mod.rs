//! The screen: looks and reads like Ansible's default output, so that people and log scrapers feel at home.

mod live;
mod options;
mod recap;
mod result;

pub use options::{Format, Options};
pub use recap::summary;

use std::collections::HashSet;
use std::io::{IsTerminal, Write};

use indicatif::ProgressBar;

use super::bus::Writer;
use super::diff;
use super::event::{Event, Outcome, Status, TaskLabel};
use super::style::{Meaning, Paint};
use crate::diagnostic::{Diagnostic, Severity, render};
use crate::secrets::Redactor;
use crate::value::Value;
use crate::value::json::{self, Style};

/// Writes results to standard output, warnings and errors to standard error.
pub struct Screen {
    options: Options,
    paint: Paint,
    out: Box<dyn Write>,
    width: usize,
    live: Option<ProgressBar>,
    task: Option<TaskLabel>,
    announced: bool,
    /// A play has begun.
    begun: bool,
    undetermined: usize,
    /// Places of tasks whose failure was announced, and of what was drawn for it.
    announcements: HashSet<String>,
}

impl Screen {
    /// The screen on standard output; with a live line if standard error is a terminal.
    pub fn new(options: Options) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let live = (terminal && std::io::stderr().is_terminal() && !options.quiet).then(live::new);
        let out: Box<dyn Write> = if options.quiet { Box::new(std::io::sink()) } else { Box::new(std::io::stdout()) };
        Self {
            options,
            paint: Paint(options.colour),
            out,
            width: width(),
            live,
            task: None,
            announced: true,
            begun: false,
            undetermined: 0,
            announcements: HashSet::new(),
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
        let mark = if label.check && self.options.check_marks { " [CHECK MODE]" } else { "" };
        self.banner(&format!("{kind} [{}{}]{mark}", label.task, label.args.as_deref().unwrap_or_default()), redactor)?;
        if self.options.verbosity >= 2
            && let Some(place) = &label.place
        {
            let line = self.paint.text(&format!("task path: {place}"), Meaning::Verbose);
            self.print(&format!("{line}\n"), redactor)?;
        }
        Ok(())
    }

    /// Whether a result has no line by the settings. Where it was to be told of the task with it, nothing is.
    fn hides(&self, outcome: &Outcome) -> bool {
        let hidden = match outcome.status {
            Status::Ok => !self.options.show_ok && !includes(outcome),
            Status::Skipped => !self.options.show_skipped,
            _ => false,
        };
        hidden && outcome.undetermined.is_none()
    }

    fn outcome(&mut self, outcome: &Outcome, item: bool, redactor: &Redactor) -> std::io::Result<()> {
        if self.hides(outcome) {
            return Ok(());
        }
        self.announce(redactor)?;
        let mut text = String::new();
        // What changes nothing by the playbook's own verdict has no difference to show.
        let changed = outcome.result.get("changed").is_some_and(Value::is_true);
        for difference in outcome.diff.iter().filter(|_| changed) {
            let shown = if redactor.shows() { difference.clone() } else { diff::redacted(&difference.masked(), redactor) };
            text.push_str(&diff::render(&shown, self.paint));
        }
        if let Some(diagnostic) =
            outcome.diagnostic.as_ref().filter(|diagnostic| !self.is_announced(outcome, diagnostic))
        {
            text.push_str(&render::render(diagnostic, self.options.colour));
            text.push('\n');
        }
        if includes(outcome) && matches!(outcome.status, Status::Ok | Status::Changed) {
            // A line of its own says which file was included for which hosts.
            return Ok(());
        }
        let label = match &outcome.item {
            Some(item) => format!(" => (item={})", redactor.show(item)),
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
            (Status::Skipped, true) => Some((format!("skipping: {host}{label} "), Meaning::Skipped, false)),
            (Status::Skipped, false) => Some((format!("skipping: {host}"), Meaning::Skipped, false)),
            _ if outcome.unreachable => Some((format!("fatal: {host}: UNREACHABLE!{label}"), Meaning::Failed, true)),
            (_, true) => Some((format!("failed: {host}{}", label.replacen(" =>", "", 1)), Meaning::Failed, true)),
            (_, false) => Some((format!("fatal: {host}: FAILED!"), Meaning::Failed, true)),
        };
        // The line of the whole loop repeats what the items have said.
        let silent = outcome.looped && !item && !matches!(outcome.status, Status::Unreachable | Status::Skipped);
        if let Some((mut line, meaning, always)) = line.filter(|_| !silent) {
            let place = outcome.label.place.as_ref().filter(|_| self.options.places_of_failures);
            if let Some(place) = place.filter(|_| always && !item && self.options.verbosity < 2) {
                text.push_str(&self.paint.text(&format!("task path: {place}"), Meaning::Verbose));
                text.push('\n');
            }
            if always || self.shows_result(outcome) {
                line.push_str(if line.ends_with(' ') { "=> " } else { " => " });
                line.push_str(&self.result(outcome, redactor));
            }
            text.push_str(&self.paint.text(&line, meaning));
            text.push('\n');
        }
        let failed = !matches!(outcome.status, Status::Ok | Status::Changed | Status::Skipped);
        if failed && self.options.failures_to_stderr && !self.options.quiet {
            self.complain(&std::mem::take(&mut text), redactor)?;
        }
        if outcome.status == Status::Ignored && !item {
            text.push_str(&self.paint.text("...ignoring", Meaning::Skipped));
            text.push('\n');
        }
        self.print(&text, redactor)
    }

    /// Whether a failure was announced with a picture before the first task, which need not be drawn again.
    fn is_announced(&self, outcome: &Outcome, diagnostic: &Diagnostic) -> bool {
        let known = |place: &str| self.announcements.contains(place);
        outcome.label.place.as_deref().is_some_and(known)
            || diagnostic.span().is_some_and(|span| known(&span.to_string()))
    }

    fn notice(&mut self, notice: &Diagnostic, redactor: &Redactor) -> std::io::Result<()> {
        let text = if notice.labels.is_empty() && notice.severity != Severity::Error {
            let word = if notice.severity == Severity::Deprecation { "DEPRECATION WARNING" } else { "WARNING" };
            self.paint.text(&format!("[{word}]: {}", notice.one_line()), Meaning::Warning)
        } else {
            render::render(notice, self.options.colour)
        };
        self.complain(&format!("{text}\n"), redactor)
    }

    /// Writes to standard error.
    fn complain(&mut self, text: &str, redactor: &Redactor) -> std::io::Result<()> {
        let text = redactor.redact(text);
        let write = || std::io::stderr().write_all(text.as_bytes());
        match &self.live {
            Some(live) => live.suspend(write),
            None => write(),
        }
    }

    /// Says on the live line what is waited for, nothing taking it away; the time is that of the task.
    fn wait(&mut self, message: &str, redactor: &Redactor) {
        if let Some(live) = &self.live {
            live::show(live, &redactor.redact(message));
        }
    }
}

fn includes(outcome: &Outcome) -> bool {
    outcome.label.action.ends_with(".include_tasks") || outcome.label.action.ends_with(".include_role")
}

/// How wide lines of standard output are: as `COLUMNS` says, or the terminal.
pub fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse::<usize>().ok()).filter(|columns| *columns > 20);
    let terminal = || console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
    columns.or_else(terminal).unwrap_or(80).min(250)
}

impl Writer for Screen {
    fn may_lose_reader(&self) -> bool {
        true
    }

    fn event(&mut self, event: &Event, redactor: &Redactor) -> std::io::Result<()> {
        match event {
            Event::PlayStart { play, check } => {
                if self.options.check && self.options.check_marks && !std::mem::replace(&mut self.begun, true) {
                    self.banner("DRY RUN", redactor)?;
                }
                let name = if play.trim().is_empty() { String::new() } else { format!(" [{play}]") };
                let mark = if *check && self.options.check_marks { " [CHECK MODE]" } else { "" };
                self.banner(&format!("PLAY{name}{mark}"), redactor)
            }
            Event::NoHostsMatched => {
                let line = self.paint.text("skipping: no hosts matched", Meaning::Skipped);
                self.print(&format!("{line}\n"), redactor)
            }
            Event::NoHostsRemaining => self.banner("NO MORE HOSTS LEFT", redactor),
            Event::TaskStart(label) => {
                self.task = Some(label.clone());
                self.announced = false;
                let message = label.task.to_string();
                if self.options.show_ok && self.options.show_skipped {
                    self.announce(redactor)?;
                }
                if let Some(live) = &self.live {
                    live.reset_elapsed();
                }
                self.wait(&message, redactor);
                Ok(())
            }
            Event::HostStart { label, host } if self.options.host_starts => {
                let kind = if label.handler { "HANDLER" } else { "TASK" };
                let line = self.paint.text(&format!(" [started {kind}: {} on {host}]", label.task), Meaning::Ok);
                self.print(&format!("{line}\n"), redactor)
            }
            Event::HostStart { .. } => Ok(()),
            Event::Item(outcome) => self.outcome(outcome, true, redactor),
            Event::Host(outcome) => self.outcome(outcome, false, redactor),
            Event::Included { what, hosts, item } => {
                self.announce(redactor)?;
                let mut line = format!("included: {what} for {}", hosts.join(", "));
                if let Some(item) = item {
                    line.push_str(&format!(" => (item={})", redactor.show(item)));
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
            Event::Notice(notice) if notice.severity == Severity::Deprecation && !self.options.show_deprecations => {
                Ok(())
            }
            Event::Notice(notice) => self.notice(notice, redactor),
            Event::Announcement { notice, task } => {
                self.announcements.extend(task.iter().map(|place| place.to_string()));
                self.announcements.extend(notice.span().map(ToString::to_string));
                self.notice(notice, redactor)
            }
            Event::Debug(line) if self.options.debug => {
                let line = self.paint.text(line, Meaning::Verbose);
                self.print(&format!("{line}\n"), redactor)
            }
            Event::Verbose(level, line) if *level <= self.options.verbosity => {
                let line = self.paint.text(line, Meaning::Verbose);
                self.print(&format!("{line}\n"), redactor)
            }
            Event::Verbose(..) | Event::Debug(_) | Event::Request(_) => Ok(()),
            Event::Line(line) => self.print(&format!("{line}\n"), redactor),
            Event::Recap { last, hosts, custom, records, interrupted, .. } => {
                if let Some(live) = &self.live {
                    live.finish_and_clear();
                }
                if *interrupted {
                    return self.broken_off(records, redactor);
                }
                self.recap(hosts, redactor)?;
                if *last {
                    self.summary(records, redactor)?;
                }
                self.custom(custom, redactor)?;
                if self.options.check && self.options.check_marks {
                    self.banner("DRY RUN", redactor)?;
                }
                Ok(())
            }
        }
    }
}
