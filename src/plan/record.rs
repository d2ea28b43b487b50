//! The clients of a dry run that makes a plan: they record reads below the overlay and writes above it.

use std::rc::Rc;

use super::record_reads::ReadRecordingConnector;
use super::record_writes::WriteRecordingApi;
use super::recorder::DryRunRecorder;
use crate::ionos::{ApiConnection, ApiError, Connector, OverlayConnector, RegistryApi};

/// A connector for a dry run over `real` that notes everything in a recorder.
pub fn record_dry_run(real: Rc<dyn Connector>, recorder: &Rc<DryRunRecorder>) -> Rc<dyn Connector> {
    let watched = ReadRecordingConnector { inner: real, recorder: Rc::clone(recorder) };
    Rc::new(WriteRecordingConnector {
        inner: Rc::new(OverlayConnector::new(Rc::new(watched))),
        recorder: Rc::clone(recorder),
    })
}

/// Notes what would be written.
struct WriteRecordingConnector {
    inner: Rc<dyn Connector>,
    recorder: Rc<DryRunRecorder>,
}

impl Connector for WriteRecordingConnector {
    fn connect(&self, connection: &ApiConnection) -> Result<Rc<dyn RegistryApi>, ApiError> {
        let inner = self.inner.connect(connection)?;
        Ok(Rc::new(WriteRecordingApi {
            inner,
            watch: Rc::clone(&self.recorder),
            account: self.recorder.account_of(connection),
        }))
    }

    fn mark_uncertain(&self, task: &str) {
        self.inner.mark_uncertain(task);
    }
}
