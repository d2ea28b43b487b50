//! The screen: looks and reads like Ansible's default output, so that people and log scrapers feel at home.

mod live;
mod options;
mod outcome;
mod recap;
mod result;

pub use options::{ResultFormat, ScreenOptions};
pub use recap::summarize_objects;

use std::collections::HashSet;
use std::io::{IsTerminal, Write};

use outcome::ResultLevel;

use super::bus::{RunClose, Writer};
use super::event::{ReportEvent, TaskLabel};
use super::style::{Meaning, Paint};
use crate::block_output::{self, BlockOutput};
use crate::diagnostic::{Diagnostic, Severity, render};
use crate::reconcile::Verb;
use crate::secrets::Redactor;
use crate::value::Value;
use crate::value::json::{self, JsonStyle};

/// Writes results to standard output, warnings and errors to standard error.
pub struct Screen {
    options: ScreenOptions,
    paint: Paint,
    out: Box<dyn Write>,
    /// Each line is written at once.
    is_immediate: bool,
    width: usize,
    live: Option<live::LiveLine>,
    task: Option<TaskLabel>,
    announced: bool,
    /// The banner of the play, until there is something to show of it.
    held_play: Option<String>,
    /// It is a file: errors go there, too.
    is_log: bool,
    /// A play has begun.
    begun: bool,
    undetermined: usize,
    /// Places of tasks whose failure was announced, and of what was drawn for it.
    announcements: HashSet<String>,
}

impl Screen {
    /// The screen on standard output; with a live line if standard error is a terminal.
    pub fn new(options: ScreenOptions) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let live = (terminal && std::io::stderr().is_terminal() && !options.quiet).then(live::LiveLine::new);
        let out: Box<dyn Write> = match (options.quiet, terminal) {
            (true, _) => Box::new(std::io::sink()),
            (false, true) => Box::new(std::io::stdout()),
            (false, false) => Box::new(BlockOutput),
        };
        Self {
            options,
            paint: Paint(options.colour),
            out,
            is_immediate: terminal,
            width: output_width(),
            live,
            task: None,
            announced: true,
            held_play: None,
            is_log: false,
            begun: false,
            undetermined: 0,
            announcements: HashSet::new(),
        }
    }

    /// A screen that is added to a file.
    pub fn to_log(options: ScreenOptions, file: std::fs::File) -> Self {
        let quiet = ScreenOptions { quiet: true, ..options };
        Self { options, out: Box::new(file), is_immediate: true, width: 80, is_log: true, ..Self::new(quiet) }
    }

    fn print_text(&mut self, text: &str, redactor: &Redactor) -> std::io::Result<()> {
        let text = redactor.redact(text);
        let (out, is_immediate) = (&mut self.out, self.is_immediate);
        let mut write = || {
            out.write_all(text.as_bytes())?;
            if is_immediate { out.flush() } else { Ok(()) }
        };
        match &self.live {
            Some(live) => live.suspend(write),
            None => write(),
        }
    }

    fn print_line(&mut self, line: &str, meaning: Meaning, redactor: &Redactor) -> std::io::Result<()> {
        let line = self.paint.paint_text(line, meaning);
        self.print_text(&format!("{line}\n"), redactor)
    }

    fn print_banner(&mut self, title: &str, redactor: &Redactor) -> std::io::Result<()> {
        // Before it is measured: the stars must not tell how long a secret is.
        let title = redactor.redact(title);
        let shown = title.chars().count();
        let stars = "*".repeat(self.width.saturating_sub(shown + 1).max(3));
        self.print_text(&format!("\n{title} {stars}\n"), redactor)
    }

    fn begin_play(&mut self, play: &str, check: bool, redactor: &Redactor) -> std::io::Result<()> {
        if self.options.check && self.options.check_marks && !std::mem::replace(&mut self.begun, true) {
            self.print_banner("DRY RUN", redactor)?;
        }
        let name = if play.trim().is_empty() { String::new() } else { format!(" [{play}]") };
        let mark = if check && self.options.check_marks { " [CHECK MODE]" } else { "" };
        let banner = format!("PLAY{name}{mark}");
        if self.options.brief {
            self.held_play = Some(banner);
            return Ok(());
        }
        self.print_banner(&banner, redactor)
    }

    fn begin_task(&mut self, label: &TaskLabel, redactor: &Redactor) -> std::io::Result<()> {
        self.task = Some(label.clone());
        self.announced = false;
        if self.options.show_ok && self.options.show_skipped {
            self.announce_task(redactor)?;
        }
        Ok(())
    }

    /// The task's banner comes with its first result, so that a task that is only skipped need not be announced.
    fn announce_task(&mut self, redactor: &Redactor) -> std::io::Result<()> {
        if self.announced {
            return Ok(());
        }
        self.announced = true;
        if let Some(banner) = self.held_play.take() {
            self.print_banner(&banner, redactor)?;
        }
        let Some(label) = self.task.clone() else { return Ok(()) };
        let kind = if label.handler { "RUNNING HANDLER" } else { "TASK" };
        let mark = if label.check && self.options.check_marks { " [CHECK MODE]" } else { "" };
        self.print_banner(
            &format!("{kind} [{}{}]{mark}", label.task, label.args.as_deref().unwrap_or_default()),
            redactor,
        )?;
        if self.options.verbosity >= 2
            && let Some(place) = &label.place
        {
            let line = self.paint.paint_text(&format!("task path: {place}"), Meaning::Verbose);
            self.print_text(&format!("{line}\n"), redactor)?;
        }
        Ok(())
    }

    fn hides_notice(&self, notice: &Diagnostic) -> bool {
        notice.severity == Severity::Deprecation && !self.options.show_deprecations
    }

    fn print_notice(&mut self, notice: &Diagnostic, redactor: &Redactor) -> std::io::Result<()> {
        let text = if notice.labels.is_empty() && notice.severity != Severity::Error {
            let word = if notice.severity == Severity::Deprecation { "DEPRECATION WARNING" } else { "WARNING" };
            self.paint.paint_text(&format!("[{word}]: {}", notice.one_line()), Meaning::Warning)
        } else {
            render::render_diagnostic(notice, self.options.colour)
        };
        self.print_error(&format!("{text}\n"), redactor)
    }

    /// Writes to standard error.
    fn print_error(&mut self, text: &str, redactor: &Redactor) -> std::io::Result<()> {
        let text = redactor.redact(text);
        if self.is_log {
            return self.out.write_all(text.as_bytes());
        }
        // The two streams may be one.
        block_output::write_pending();
        let write = || std::io::stderr().write_all(text.as_bytes());
        match &self.live {
            Some(live) => live.suspend(write),
            None => write(),
        }
    }
}

fn host_start_line(label: &TaskLabel, host: &str) -> String {
    let kind = if label.handler { "HANDLER" } else { "TASK" };
    format!(" [started {kind}: {} on {host}]", label.task)
}

fn included_line(what: &str, hosts: &[String], item: Option<&Value>, redactor: &Redactor) -> String {
    let mut line = format!("included: {what} for {}", hosts.join(", "));
    if let Some(item) = item {
        line.push_str(&format!(" => (item={})", redactor.show_value(item)));
    }
    line
}

/// How wide lines of standard output are: as `COLUMNS` says, or the terminal.
pub fn output_width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse::<usize>().ok()).filter(|columns| *columns > 20);
    let terminal = || console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
    columns.or_else(terminal).unwrap_or(80).min(250)
}

impl Writer for Screen {
    fn may_lose_reader(&self) -> bool {
        true
    }

    /// Later lines are written at once: no later event would write them.
    fn finish(&mut self, _end: &RunClose<'_>, _redactor: &Redactor) -> std::io::Result<()> {
        self.is_immediate = true;
        self.out.flush()
    }

    fn write_event(&mut self, event: &ReportEvent, redactor: &Redactor) -> std::io::Result<()> {
        if let Some(live) = &mut self.live {
            live.take_event(event, redactor);
        }
        match event {
            ReportEvent::PlayStart { play, check } => self.begin_play(play, *check, redactor),
            ReportEvent::NoHostsMatched if self.options.brief => Ok(()),
            ReportEvent::NoHostsMatched => self.print_line("skipping: no hosts matched", Meaning::Skipped, redactor),
            ReportEvent::NoHostsRemaining => self.print_banner("NO MORE HOSTS LEFT", redactor),
            ReportEvent::TaskStart(label) => self.begin_task(label, redactor),
            ReportEvent::HostStart { label, host } if self.options.host_starts => {
                self.print_line(&host_start_line(label, host), Meaning::Ok, redactor)
            }
            ReportEvent::HostStart { .. } => Ok(()),
            ReportEvent::Item(outcome) => self.print_outcome(outcome, ResultLevel::Item, redactor),
            ReportEvent::Host(outcome) => self.print_outcome(outcome, ResultLevel::Task, redactor),
            ReportEvent::Included { what, hosts, item } => {
                self.announce_task(redactor)?;
                self.print_line(&included_line(what, hosts, item.as_ref(), redactor), Meaning::Skipped, redactor)
            }
            ReportEvent::Retry { label, host, left, result } => {
                self.announce_task(redactor)?;
                let mut line = format!("FAILED - RETRYING: [{host}]: {} ({left} retries left).", label.task);
                if self.options.verbosity > 2 {
                    let style = JsonStyle { mask_secrets: !redactor.may_show_secrets(), ..JsonStyle::EVENT };
                    line.push_str(&format!("Result was: {}", json::to_string(&Value::from((**result).clone()), style)));
                }
                self.print_line(&line, Meaning::Verbose, redactor)
            }
            ReportEvent::Polling { host, job } => {
                let line = format!("ASYNC POLL on {host}: jid={job} started=1 finished=0");
                self.print_line(&line, Meaning::Verbose, redactor)
            }
            ReportEvent::Notice(notice) if self.hides_notice(notice) => Ok(()),
            ReportEvent::Notice(notice) => self.print_notice(notice, redactor),
            ReportEvent::Announcement { notice, task } => {
                self.announcements.extend(task.iter().map(|place| place.to_string()));
                self.announcements.extend(notice.span().map(ToString::to_string));
                self.print_notice(notice, redactor)
            }
            ReportEvent::Debug(line) if self.options.debug => self.print_line(line, Meaning::Verbose, redactor),
            ReportEvent::Verbose(level, line) if *level <= self.options.verbosity => {
                self.print_line(line, Meaning::Verbose, redactor)
            }
            ReportEvent::Verbose(..) | ReportEvent::Debug(_) | ReportEvent::Progress(_) => Ok(()),
            ReportEvent::ItemStart { .. } | ReportEvent::Request(_) => Ok(()),
            ReportEvent::RequestStart { .. } | ReportEvent::RequestEnd { .. } => Ok(()),
            ReportEvent::Line(line) => self.print_text(&format!("{line}\n"), redactor),
            ReportEvent::Remark(text) => {
                let width = self.live.is_some().then_some(self.width);
                self.print_text(&format!("{}\n", render::wrap_text(text, width, 0)), redactor)
            }
            ReportEvent::Recap { last, hosts, custom, records, interrupted, .. } => {
                if *interrupted {
                    return self.broken_off(records, redactor);
                }
                if !self.options.brief {
                    self.print_recap(hosts, redactor)?;
                }
                if *last && !(self.options.brief && records.iter().all(|record| record.verb == Verb::Nothing)) {
                    self.print_summary(records, redactor)?;
                }
                self.print_custom_stats(custom, redactor)?;
                if self.options.check && self.options.check_marks {
                    self.print_banner("DRY RUN", redactor)?;
                }
                Ok(())
            }
        }
    }
}
