//! Entries of the credential store as rows, sealed by those who write them.

use super::super::EngineError;
use super::Postgres;
use crate::credentials::RemoteLog;
use crate::gitops::engine::CredentialWrite;

/// Keeps what this process holds.
const RENEW: &str = "update ionplay_gitops.credential
    set owner_until = clock_timestamp() + make_interval(secs => $2) where owner = $1";

impl Postgres {
    /// An entry is free before the lease of its job ends.
    fn seconds(&self) -> f64 {
        self.leases.period.as_secs_f64() * 0.6
    }

    pub(super) async fn renew_held_credentials(&self) -> Result<(), EngineError> {
        self.link.query("keep entries", RENEW, &[&self.worker, &self.seconds()]).await.map(drop)
    }

    pub(super) async fn begin_log(&self) -> Result<String, EngineError> {
        let log = format!("{:020}-{}", jiff::Timestamp::now().as_nanosecond(), uuid::Uuid::new_v4());
        let sql = "insert into ionplay_gitops.credential (log, content, owner, owner_until)
            values ($1, '', $2, clock_timestamp() + make_interval(secs => $3)) on conflict do nothing";
        self.link.query("begin an entry", sql, &[&log, &self.worker, &self.seconds()]).await?;
        Ok(log)
    }

    pub(super) async fn list_logs(&self) -> Result<Vec<RemoteLog>, EngineError> {
        let sql = "select log, content, owner is not null and owner_until > clock_timestamp()
            from ionplay_gitops.credential order by log";
        let rows = self.link.query("read entries", sql, &[]).await?;
        Ok(rows.iter().map(|row| RemoteLog { log: row.get(0), text: row.get(1), held: row.get(2) }).collect())
    }

    pub(super) async fn hold_log(&self, log: &str) -> Result<bool, EngineError> {
        let sql = "update ionplay_gitops.credential
            set owner = $2, owner_until = clock_timestamp() + make_interval(secs => $3)
            where log = $1 and (owner is null or owner_until <= clock_timestamp()) returning 1";
        let rows = self.link.query("take an entry over", sql, &[&log, &self.worker, &self.seconds()]).await?;
        Ok(!rows.is_empty())
    }

    pub(super) async fn write_log(&self, log: &str, text: &str, write: CredentialWrite) -> Result<(), EngineError> {
        // An append that is repeated after a lost connection must not add the line a second time.
        let append = "update ionplay_gitops.credential
            set content = case when right(content, length($3)) = $3 then content else content || $3 end
            where log = $1 and owner = $2 returning 1";
        let replace = "update ionplay_gitops.credential set content = $3 where log = $1 and owner = $2 returning 1";
        let remove = "delete from ionplay_gitops.credential where log = $1 and owner = $2 and $3 = '' returning 1";
        let sql = match write {
            CredentialWrite::Append => append,
            CredentialWrite::Replace => replace,
            CredentialWrite::Remove => remove,
        };
        let rows = self.link.query("write an entry", sql, &[&log, &self.worker, &text]).await?;
        if rows.is_empty() && write != CredentialWrite::Remove {
            let why = "another host has taken it over".to_owned();
            return Err(EngineError::Store { what: "write an entry of the credential store".to_owned(), why });
        }
        Ok(())
    }

    pub(super) async fn release_log(&self, log: &str) -> Result<(), EngineError> {
        let sql = "update ionplay_gitops.credential set owner = null, owner_until = null where log = $1 and owner = $2";
        self.link.query("release an entry", sql, &[&log, &self.worker]).await.map(drop)
    }
}
