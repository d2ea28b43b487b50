//! Hands each event to the writers, in order, and knows what must not be shown.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

use super::event::ReportEvent;
use crate::diagnostic::Diagnostic;
use crate::exit::Exit;
use crate::secrets::Redactor;

/// Something that consumes events.
pub trait Writer {
    /// Takes note of an event.
    ///
    /// # Errors
    /// If what it writes to is gone (a closed pipe, a full disk).
    fn write_event(&mut self, event: &ReportEvent, redactor: &Redactor) -> std::io::Result<()>;

    /// Takes note of the end of the run, whether or not it came to a recap.
    ///
    /// # Errors
    /// If what it writes cannot be written.
    fn finish(&mut self, _end: &RunClose<'_>, _redactor: &Redactor) -> std::io::Result<()> {
        Ok(())
    }

    /// Whether a reader may leave before the end, as `| head` does.
    fn may_lose_reader(&self) -> bool {
        false
    }
}

/// How a run ended, for the last words of writers.
#[derive(Debug, Clone, Copy)]
pub struct RunClose<'a> {
    /// The exit status.
    pub exit: Exit,
    /// Errors that ended the run outside of any task.
    pub errors: &'a [Diagnostic],
}

/// Something could not be written.
#[derive(Debug)]
pub struct Unwritten {
    /// Why.
    pub error: std::io::Error,
    /// A person has seen enough; nothing is lost.
    pub seen_enough: bool,
}

/// The one door out.
pub struct Bus {
    writers: RefCell<Vec<Box<dyn Writer>>>,
    redactor: Rc<Redactor>,
    told: RefCell<HashSet<String>>,
    broken: RefCell<Option<Unwritten>>,
    /// Events of a loop item whose turn has not come, while it runs.
    held_back: RefCell<Option<Vec<ReportEvent>>>,
}

impl Bus {
    /// A door with its writers.
    pub fn new(writers: Vec<Box<dyn Writer>>, redactor: Rc<Redactor>) -> Self {
        Self {
            writers: RefCell::new(writers),
            redactor,
            told: RefCell::default(),
            broken: RefCell::default(),
            held_back: RefCell::default(),
        }
    }

    /// Returns the redactor, which knows the secrets of the run.
    pub fn redactor(&self) -> &Rc<Redactor> {
        &self.redactor
    }

    /// Tells an event to all writers. Warnings are told once.
    pub fn emit(&self, event: &ReportEvent) {
        if let Some(held) = self.held_back.borrow_mut().as_mut().filter(|_| !event.is_momentary()) {
            held.push(event.clone());
            return;
        }
        if let ReportEvent::Notice(notice) = event {
            let place = notice.span().map(ToString::to_string).unwrap_or_default();
            if !self.told.borrow_mut().insert(format!("{}{place}", notice.summary)) {
                return;
            }
        }
        // Where the place of something is known, the same words without a place add nothing.
        if let ReportEvent::Notice(notice) | ReportEvent::Announcement { notice, .. } = event {
            self.told.borrow_mut().insert(notice.summary.clone());
        }
        for writer in self.writers.borrow_mut().iter_mut() {
            if let Err(error) = writer.write_event(event, &self.redactor) {
                self.note_failure(error, writer.may_lose_reader());
            }
        }
    }

    /// Holds events back from here on, after those that are given, or tells them again at once; returns those that were
    /// held back so far.
    pub fn hold_back(&self, held: Option<Vec<ReportEvent>>) -> Option<Vec<ReportEvent>> {
        self.held_back.replace(held)
    }

    /// Tells all writers that the run has ended: what they write at the end is written now.
    pub fn close(&self, end: &RunClose<'_>) {
        for writer in self.writers.borrow_mut().iter_mut() {
            if let Err(error) = writer.finish(end, &self.redactor) {
                self.note_failure(error, writer.may_lose_reader());
            }
        }
    }

    fn note_failure(&self, error: std::io::Error, may_lose_reader: bool) {
        let seen_enough = may_lose_reader && error.kind() == std::io::ErrorKind::BrokenPipe;
        let mut broken = self.broken.borrow_mut();
        if broken.as_ref().is_none_or(|known| known.seen_enough) {
            *broken = Some(Unwritten { error, seen_enough });
        }
    }

    /// The first failure of a writer, if there was one. The run goes on without it: work that was begun is finished.
    pub fn take_failure(&self) -> Option<Unwritten> {
        self.broken.borrow_mut().take()
    }
}
