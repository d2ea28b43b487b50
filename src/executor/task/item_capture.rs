//! What an item of a loop says while it runs beside others, kept until its turn to be told has come.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::executor::state::RunState;
use crate::ionos::LocalFuture;
use crate::reconcile::Record;
use crate::report::ReportEvent;
use crate::template::TemplateNotes;

/// Everything that an item adds to the run besides its result.
#[derive(Default)]
pub(in crate::executor) struct CapturedItem {
    events: Vec<ReportEvent>,
    notes: TemplateNotes,
    records: Vec<Record>,
}

impl CapturedItem {
    /// Tells it now.
    pub(in crate::executor) fn replay(self, run: &RunState) {
        self.events.iter().for_each(|event| run.bus.emit(event));
        self.notes.warnings.into_iter().for_each(|warning| run.globals.add_warning(warning));
        self.notes.deprecations.into_iter().for_each(|met| run.globals.add_deprecation(met));
        run.records.borrow_mut().extend(self.records);
    }

    /// Puts what the item has said so far in the place of what the run has, or back again.
    fn exchange(&mut self, run: &RunState) {
        self.notes = run.globals.exchange_notes(std::mem::take(&mut self.notes));
        std::mem::swap(&mut self.records, &mut run.records.borrow_mut());
    }
}

/// A future that keeps apart what is said while it is polled.
pub(in crate::executor) struct Capturing<'a, T> {
    run: &'a RunState,
    work: LocalFuture<'a, T>,
    captured: CapturedItem,
}

impl<'a, T> Capturing<'a, T> {
    /// Wraps the work of an item.
    pub(in crate::executor) fn new(run: &'a RunState, work: LocalFuture<'a, T>) -> Self {
        Self { run, work, captured: CapturedItem::default() }
    }
}

impl<T> Future for Capturing<'_, T> {
    type Output = (T, CapturedItem);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let outer = this.run.bus.hold_back(Some(std::mem::take(&mut this.captured.events)));
        this.captured.exchange(this.run);
        let polled = this.work.as_mut().poll(cx);
        this.captured.exchange(this.run);
        this.captured.events = this.run.bus.hold_back(outer).unwrap_or_default();
        polled.map(|output| (output, std::mem::take(&mut this.captured)))
    }
}
