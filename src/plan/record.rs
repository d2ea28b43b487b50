//! The clients of a dry run that makes a plan: they record reads below the overlay and writes above it.

use std::rc::Rc;

use super::record_reads::ReadRecordingConnector;
use super::record_writes::WriteRecordingApi;
use super::recorder::DryRunRecorder;
use crate::ionos::{ApiConnection, ApiError, Connector, OverlayConnector, RegistryApi};

/// A connector for a dry run over `real` that takes notes on a tape.
pub fn record_dry_run(real: Rc<dyn Connector>, tape: &Rc<DryRunRecorder>) -> Rc<dyn Connector> {
    let watched = ReadRecordingConnector { inner: real, tape: Rc::clone(tape) };
    Rc::new(WriteRecordingConnector { inner: Rc::new(OverlayConnector::new(Rc::new(watched))), tape: Rc::clone(tape) })
}

/// Notes what would be written.
struct WriteRecordingConnector {
    inner: Rc<dyn Connector>,
    tape: Rc<DryRunRecorder>,
}

impl Connector for WriteRecordingConnector {
    fn connect(&self, connection: &ApiConnection) -> Result<Rc<dyn RegistryApi>, ApiError> {
        let inner = self.inner.connect(connection)?;
        Ok(Rc::new(WriteRecordingApi {
            inner,
            watch: Rc::clone(&self.tape),
            account: self.tape.account_of(connection),
        }))
    }

    fn mark_uncertain(&self, task: &str) {
        self.inner.mark_uncertain(task);
    }
}
