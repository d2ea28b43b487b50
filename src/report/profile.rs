//! What took how long, in lines at the end of a run: `profile_tasks` and `timer` of `callbacks_enabled`.

use std::io::Write as _;

use super::bus::{RunClose, Writer};
use super::event::ReportEvent;
use super::timeline::Timeline;
use crate::secrets::Redactor;

/// How many tasks are listed.
const MOST_TASKS: usize = 20;

/// Parts that are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProfileParts {
    /// The tasks that took longest.
    pub tasks: bool,
    /// The time of the run.
    pub total: bool,
}

/// Measures tasks and the run.
#[derive(Debug, Default)]
pub struct Profile {
    timeline: Timeline,
    /// Number, name and seconds of tasks, in the order of their start.
    tasks: Vec<(usize, String, f64)>,
    parts: ProfileParts,
}

impl Profile {
    /// A writer of these parts.
    pub fn new(parts: ProfileParts) -> Self {
        Self { parts, ..Self::default() }
    }

    fn note_duration(&mut self, event: &ReportEvent) {
        let ReportEvent::Host(outcome) = event else { return };
        let (number, stretch) = (self.timeline.number_task(&outcome.label), self.timeline.end_task(outcome));
        match self.tasks.iter_mut().find(|(known, ..)| *known == number) {
            // Hosts run side by side: the slowest one counts.
            Some((.., seconds)) => *seconds = seconds.max(stretch.duration),
            None => self.tasks.push((number, outcome.label.task.to_string(), stretch.duration)),
        }
    }

    fn list_tasks(&mut self) -> String {
        self.tasks.sort_by(|a, b| b.2.total_cmp(&a.2));
        let line = |(_, name, seconds): &(usize, String, f64)| {
            let rule = "-".repeat(70_usize.saturating_sub(name.chars().count() + 1).max(3));
            format!("{name} {rule} {seconds:.2}s\n")
        };
        let lines: String = self.tasks.iter().take(MOST_TASKS).map(line).collect();
        format!("{}\n{lines}", "=".repeat(79))
    }
}

impl Writer for Profile {
    fn write_event(&mut self, event: &ReportEvent, _redactor: &Redactor) -> std::io::Result<()> {
        self.timeline.note(event);
        self.note_duration(event);
        Ok(())
    }

    fn finish(&mut self, _end: &RunClose<'_>, redactor: &Redactor) -> std::io::Result<()> {
        let mut text = String::new();
        if self.parts.tasks && !self.tasks.is_empty() {
            text.push_str(&self.list_tasks());
        }
        if self.parts.total {
            let total = self.timeline.elapsed_seconds().round() as u64;
            let (days, hours, minutes, seconds) = (total / 86400, total / 3600 % 24, total / 60 % 60, total % 60);
            text.push_str(&format!(
                "Playbook run took {days} days, {hours} hours, {minutes} minutes, {seconds} seconds\n"
            ));
        }
        crate::block_output::write_pending();
        std::io::stdout().lock().write_all(redactor.redact(&text).as_bytes())
    }

    fn may_lose_reader(&self) -> bool {
        true
    }
}
