//! Entries of earlier runs for a token of this run.

use super::entry::{CredentialEntry, KeepReason};
use super::run_log::RunLog;
use super::store::CredentialStore;
use crate::ionos::api::{EarlierRecord, LeftPassword, LostCreation};
use crate::ionos::model::Token;

impl CredentialStore {
    /// Returns what this run or an earlier one has left of a token: by its id, else by its registry, its name and the time
    /// of its creation.
    pub(super) fn find_past(&self, registry: &str, token: &Token) -> Option<EarlierRecord> {
        let id = token.id.display_text();
        if let Some(own) = self.own_entry(id).filter(CredentialEntry::has_password) {
            let password = own.unseal_password(self.key.as_ref()).ok()?;
            return Some(EarlierRecord::Password {
                password: password.as_str().to_owned(),
                left: LeftPassword::ByThisRun,
            });
        }
        let others = self.other_entries();
        if let Some(listed) = others.iter().find(|listed| listed.entry.id() == Some(id)) {
            return self.past_of(&listed.entry);
        }
        let name = token.properties.name.display_text();
        let meant = |entry: &CredentialEntry| {
            entry.is_unclear()
                && entry.subject.registry == registry
                && entry.subject.name == name
                && entry.may_have_created(token)
        };
        let own = self.own_log();
        let own = own.iter().flat_map(RunLog::entries);
        let unclear = own.chain(others.iter().map(|listed| &listed.entry)).find(|entry| meant(entry))?;
        Some(EarlierRecord::Lost(LostCreation {
            requested: unclear.requested.clone(),
            why: unclear.failure().map(str::to_owned),
            ours: unclear.check_created(token),
        }))
    }

    fn past_of(&self, entry: &CredentialEntry) -> Option<EarlierRecord> {
        let left = match entry.reason {
            KeepReason::Pending => LeftPassword::ByBrokenRun,
            KeepReason::Kept | KeepReason::Stored => LeftPassword::Kept,
            KeepReason::Delivered => return None,
        };
        Some(match entry.unseal_password(self.key.as_ref()) {
            Ok(password) => EarlierRecord::Password { password: password.as_str().to_owned(), left },
            Err(why) => EarlierRecord::Sealed { why: format!("{why:#}"), left },
        })
    }

    /// Returns the id of the token, or its name where no answer came, that an earlier run has made to replace this one and
    /// that it has not brought to its end.
    pub(super) fn find_successor(&self, registry: &str, replaced: &str) -> Option<String> {
        let others = self.other_entries();
        let meant = |entry: &&CredentialEntry| {
            let same = |old: &crate::ionos::model::Predecessor| old.id == replaced || old.name == replaced;
            entry.subject.registry == registry
                && entry.reason != KeepReason::Delivered
                && entry.subject.name != replaced
                && entry.id() != Some(replaced)
                && entry.replaces.as_ref().is_some_and(same)
        };
        let own = self.own_log();
        let own = own.iter().flat_map(RunLog::entries);
        let found = others.iter().map(|listed| &listed.entry).chain(own).rev().find(meant)?;
        Some(found.id().unwrap_or(&found.subject.name).to_owned())
    }
}
