//! What is remembered of deliveries: in the credential store, or in memory for a dry run.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::credentials::CredentialStore;
use crate::credentials::sinks::{Receipt, SERVER_FACT, receipt_fact};

/// A record of deliveries. Tokens are given by their ids.
pub(super) trait DeliveryLedger {
    /// Returns the receipt of a sink for the password of a token.
    fn find_receipt(&self, token: &str, sink: &str) -> Option<Receipt>;

    /// Records the receipt of a sink.
    fn record_receipt(&self, token: &str, sink: &str, receipt: &Receipt);

    /// Records that all sinks have confirmed, so that the store need not keep the password any longer.
    fn record_delivered(&self, token: &str);

    /// Records that all sinks have confirmed, and that the store is one of them: it keeps the password of this server.
    fn record_stored(&self, token: &str, server: &str);
}

/// The ledger of a run.
pub(super) struct StoreLedger(pub(super) Rc<CredentialStore>);

impl DeliveryLedger for StoreLedger {
    fn find_receipt(&self, token: &str, sink: &str) -> Option<Receipt> {
        let fact = self.0.remembered_values(token).remove(&receipt_fact(sink))?;
        serde_json::from_value(fact).ok()
    }

    fn record_receipt(&self, token: &str, sink: &str, receipt: &Receipt) {
        let value = serde_json::to_value(receipt).unwrap_or_default();
        self.0.record_fact(token, &receipt_fact(sink), value);
    }

    fn record_delivered(&self, token: &str) {
        self.0.mark_delivered(token, "its sinks");
    }

    fn record_stored(&self, token: &str, server: &str) {
        self.0.record_fact(token, SERVER_FACT, server.into());
        self.0.mark_stored(token);
    }
}

/// The ledger of a dry run, and of a run without a store: it reads what is recorded, and records in memory.
#[derive(Default)]
pub(super) struct MemoryLedger {
    pub(super) recorded: Option<Rc<CredentialStore>>,
    receipts: RefCell<BTreeMap<(String, String), Receipt>>,
}

impl MemoryLedger {
    /// A ledger over what is recorded.
    pub(super) fn with_store(recorded: Option<Rc<CredentialStore>>) -> Self {
        Self { recorded, receipts: RefCell::default() }
    }
}

impl DeliveryLedger for MemoryLedger {
    fn find_receipt(&self, token: &str, sink: &str) -> Option<Receipt> {
        let own = self.receipts.borrow().get(&(token.to_owned(), sink.to_owned())).cloned();
        own.or_else(|| StoreLedger(Rc::clone(self.recorded.as_ref()?)).find_receipt(token, sink))
    }

    fn record_receipt(&self, token: &str, sink: &str, receipt: &Receipt) {
        self.receipts.borrow_mut().insert((token.to_owned(), sink.to_owned()), receipt.clone());
    }

    fn record_delivered(&self, _: &str) {}

    fn record_stored(&self, _: &str, _: &str) {}
}
