//! The connections of a dry run that makes a plan: what is read below the overlay and what is written above it are noted.

use std::rc::Rc;

use super::record_reads::Watched;
use super::record_writes::Written;
use super::recorder::Tape;
use crate::ionos::{ApiError, Connection, Connector, OverlayConnector, RegistryApi};

/// A connector for a dry run over `real` that takes notes on a tape.
pub fn record_dry_run(real: Rc<dyn Connector>, tape: &Rc<Tape>) -> Rc<dyn Connector> {
    let watched = Watched { inner: real, tape: Rc::clone(tape) };
    Rc::new(Noting { inner: Rc::new(OverlayConnector::new(Rc::new(watched))), tape: Rc::clone(tape) })
}

/// Notes what would be written.
struct Noting {
    inner: Rc<dyn Connector>,
    tape: Rc<Tape>,
}

impl Connector for Noting {
    fn connect(&self, connection: &Connection) -> Result<Rc<dyn RegistryApi>, ApiError> {
        let inner = self.inner.connect(connection)?;
        Ok(Rc::new(Written { inner, watch: Rc::clone(&self.tape), account: self.tape.account(connection) }))
    }

    fn doubt(&self, task: &str) {
        self.inner.doubt(task);
    }
}
