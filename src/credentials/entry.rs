//! An entry: everything known about one token that was requested.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;
use zeroize::Zeroizing;

use super::line::LogLine;
use super::{CredentialKey, Subject};
use crate::ionos::model::{NewToken, Predecessor, Token};
use crate::ionos::{Date, check_same_token};
use crate::vars::vault;

/// Dates of the service have whole seconds, and the machine that dates an answer need not be the one that dates a token.
const SLACK: SignedDuration = SignedDuration::from_secs(2);

/// A request of a killed run can have been carried out this much later: the time for one request.
const REQUEST: SignedDuration = SignedDuration::from_secs(120);

/// A password as it is kept.
#[derive(Clone)]
pub(super) enum StoredSecret {
    /// In clear text.
    Plain(Zeroizing<String>),
    /// In a vault envelope.
    Sealed(String),
}

/// How far the creation of a token came.
#[derive(Clone)]
pub(super) enum CreationProgress {
    /// It was requested, and the run was killed before the answer.
    Intended,
    /// It was requested, and no answer says whether it was created.
    Unclear { why: String, service_time: Option<Timestamp> },
    /// It was created; without a secret, its password has been delivered.
    Created { id: String, secret: Option<StoredSecret> },
}

/// Why an entry is in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepReason {
    /// The run failed, was interrupted or is under way: the password still has to be delivered.
    Pending,
    /// A run ended well without using the password.
    Kept,
    /// The password stays here on purpose.
    Stored,
    /// The password was delivered; facts about the token are remembered.
    Delivered,
}

/// Everything known about one token that was requested.
#[derive(Clone)]
pub struct CredentialEntry {
    /// The number in its log.
    pub(super) number: u64,
    /// The token.
    pub subject: Subject,
    /// The time of the request, by the clock of the machine.
    pub requested: String,
    /// The same by the clock of the service, where it is known.
    pub service_time: Option<Timestamp>,
    /// The token that the new one replaces.
    pub replaces: Option<Predecessor>,
    /// The task that requested it.
    pub task: Option<String>,
    /// Why it is in the store.
    pub reason: KeepReason,
    /// Values remembered besides the password, such as the digests of delivered contents.
    pub facts: BTreeMap<String, Json>,
    pub(super) sent: Option<Json>,
    pub(super) progress: CreationProgress,
}

impl CredentialEntry {
    /// Returns the id of the token, if it is known to have been created.
    pub fn id(&self) -> Option<&str> {
        match &self.progress {
            CreationProgress::Created { id, .. } => Some(id),
            CreationProgress::Intended | CreationProgress::Unclear { .. } => None,
        }
    }

    /// Returns whether the store has its password.
    pub fn has_password(&self) -> bool {
        matches!(&self.progress, CreationProgress::Created { secret: Some(_), .. })
    }

    /// Returns whether nothing says if the token was created.
    pub fn is_unclear(&self) -> bool {
        self.id().is_none()
    }

    /// Returns its password.
    ///
    /// # Errors
    /// If it is sealed and the key is not there or does not fit, or if the store does not have it.
    pub fn unseal_password(&self, key: Option<&CredentialKey>) -> anyhow::Result<Zeroizing<String>> {
        use anyhow::{Context as _, anyhow};
        match (&self.progress, key) {
            (CreationProgress::Intended | CreationProgress::Unclear { .. }, _) => {
                Err(anyhow!("the answer with the password was never received"))
            }
            (CreationProgress::Created { secret: None, .. }, _) => {
                Err(anyhow!("the password has been delivered already"))
            }
            (CreationProgress::Created { secret: Some(StoredSecret::Plain(password)), .. }, _) => Ok(password.clone()),
            (CreationProgress::Created { .. }, None) => {
                Err(anyhow!("the password is sealed; give the key (`--seal-key-file`, or `IONPLAY_SEAL_KEY_FILE`)"))
            }
            (CreationProgress::Created { secret: Some(StoredSecret::Sealed(envelope)), .. }, Some(key)) => {
                let opened =
                    vault::decrypt_envelope(envelope, key).context("the password is sealed with another key")?;
                Ok(Zeroizing::new(String::from_utf8_lossy(&opened).into_owned()))
            }
        }
    }

    /// Returns the failure that left the outcome open.
    pub fn failure(&self) -> Option<&str> {
        match &self.progress {
            CreationProgress::Unclear { why, .. } => Some(why),
            CreationProgress::Intended | CreationProgress::Created { .. } => None,
        }
    }

    /// Returns whether the request can have created this token: it is not older than the request.
    pub(super) fn may_have_created(&self, token: &Token) -> bool {
        let created = created_at(token);
        match (self.service_time, created) {
            (Some(requested), Some(created)) => created >= requested - SLACK,
            // A service that does not tell the time leaves only the name to go by.
            _ => true,
        }
    }

    /// Checks that the request of this entry created the token.
    ///
    /// # Errors
    /// With the reason, if that is not certain.
    pub(super) fn check_created(&self, token: &Token) -> Result<(), String> {
        let sent: Option<NewToken> = self.sent.clone().and_then(|sent| serde_json::from_value(sent).ok());
        let Some(sent) = sent else { return Err("the properties of the request are not known".to_owned()) };
        check_same_token(&sent, token)?;
        let Some(requested) = self.service_time else {
            return Err("the service did not return the time of the request".to_owned());
        };
        let Some(created) = created_at(token) else {
            return Err("the service does not return its creation time".to_owned());
        };
        if created < requested - SLACK {
            return Err("it was created before the request".to_owned());
        }
        let latest = match &self.progress {
            CreationProgress::Unclear { service_time: Some(at), .. } => *at + SLACK,
            _ => requested + REQUEST,
        };
        if created > latest {
            return Err("it was created long after the request".to_owned());
        }
        Ok(())
    }

    /// Returns the lines that tell all of it, under another number.
    pub(super) fn to_lines(&self, number: u64) -> Vec<LogLine> {
        let Subject { service, registry, name } = self.subject.clone();
        let mut lines = vec![LogLine::Intended {
            number,
            service,
            registry,
            name,
            at: self.requested.clone(),
            service_time: self.service_time.map(|at| at.to_string()),
            replaces: self.replaces.clone(),
            task: self.task.clone(),
            sent: self.sent.clone(),
        }];
        match &self.progress {
            CreationProgress::Intended => {}
            CreationProgress::Unclear { why, service_time } => lines.push(LogLine::Unclear {
                number,
                why: why.clone(),
                service_time: service_time.map(|at| at.to_string()),
            }),
            CreationProgress::Created { id, secret } => lines.push(created_line(number, id, secret.as_ref())),
        }
        let facts = self.facts.iter();
        lines.extend(facts.map(|(key, value)| LogLine::Fact { number, key: key.clone(), value: value.clone() }));
        match self.reason {
            KeepReason::Pending => {}
            KeepReason::Kept => lines.push(LogLine::Kept { number }),
            KeepReason::Stored => lines.push(LogLine::Stored { number }),
            KeepReason::Delivered => lines.push(LogLine::Delivered { number, to: String::new() }),
        }
        lines
    }

    /// Takes a step.
    pub(super) fn apply_line(&mut self, line: LogLine) {
        match line {
            LogLine::Created { id, password, sealed, .. } => {
                let secret = sealed.map(StoredSecret::Sealed);
                let secret = secret.or_else(|| password.map(|plain| StoredSecret::Plain(Zeroizing::new(plain))));
                self.progress = CreationProgress::Created { id, secret };
            }
            LogLine::Unclear { why, service_time, .. } => {
                self.progress =
                    CreationProgress::Unclear { why, service_time: service_time.and_then(|at| at.parse().ok()) };
            }
            LogLine::Kept { .. } => self.reason = KeepReason::Kept,
            LogLine::Stored { .. } => self.reason = KeepReason::Stored,
            LogLine::Delivered { .. } => {
                self.reason = KeepReason::Delivered;
                if let CreationProgress::Created { secret, .. } = &mut self.progress {
                    *secret = None;
                }
            }
            LogLine::Fact { key, value, .. } => {
                if value.is_null() {
                    self.facts.remove(&key);
                } else {
                    self.facts.insert(key, value);
                }
            }
            LogLine::Intended { .. } | LogLine::Closed { .. } => {}
        }
    }

    /// Returns whether both entries tell of one request.
    pub(super) fn is_same_request(&self, other: &Self) -> bool {
        let same = self.subject == other.subject && self.requested == other.requested;
        same && (self.id().is_none() || other.id().is_none() || self.id() == other.id())
    }

    /// Returns whether there is something to keep: a password, a doubt, a fact.
    pub(super) fn is_open(&self) -> bool {
        self.reason != KeepReason::Delivered || !self.facts.is_empty()
    }
}

/// Returns the line of an answer.
pub(super) fn created_line(number: u64, id: &str, secret: Option<&StoredSecret>) -> LogLine {
    let (password, sealed) = match secret {
        Some(StoredSecret::Plain(password)) => (Some(password.to_string()), None),
        Some(StoredSecret::Sealed(envelope)) => (None, Some(envelope.clone())),
        None => (None, None),
    };
    LogLine::Created { number, id: id.to_owned(), password, sealed }
}

fn created_at(token: &Token) -> Option<Timestamp> {
    token.metadata.created_date.known().and_then(Option::as_ref).and_then(Date::instant)
}

/// Parsed contents of a log.
#[derive(Default)]
pub(super) struct Parsed {
    /// The entries with something to keep, by number.
    pub entries: BTreeMap<u64, CredentialEntry>,
    /// Lines that cannot be read. They are reported, and kept where a log is rewritten.
    pub unreadable: Vec<String>,
}

/// Reads a log. A last line that was cut off says nothing: the step was not taken.
pub(super) fn parse_log(text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    for raw in text.split_inclusive('\n') {
        let line = raw.trim();
        if line.is_empty() {
            continue;
        }
        match serde_json::from_str(line) {
            Ok(line) => add(&mut parsed.entries, line),
            Err(_) if !raw.ends_with('\n') => {}
            Err(_) => parsed.unreadable.push(line.to_owned()),
        }
    }
    parsed.entries.retain(|_, entry| entry.is_open());
    parsed
}

fn add(entries: &mut BTreeMap<u64, CredentialEntry>, line: LogLine) {
    match line {
        LogLine::Intended { number, service, registry, name, at, service_time, replaces, task, sent } => {
            let entry = CredentialEntry {
                number,
                subject: Subject { service, registry, name },
                requested: at,
                service_time: service_time.and_then(|at| at.parse().ok()),
                replaces,
                task,
                reason: KeepReason::Pending,
                facts: BTreeMap::new(),
                sent,
                progress: CreationProgress::Intended,
            };
            entries.insert(number, entry);
        }
        LogLine::Closed { number } => _ = entries.remove(&number),
        LogLine::Created { number, .. }
        | LogLine::Unclear { number, .. }
        | LogLine::Kept { number }
        | LogLine::Stored { number }
        | LogLine::Delivered { number, .. }
        | LogLine::Fact { number, .. } => {
            if let Some(entry) = entries.get_mut(&number) {
                entry.apply_line(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ionos::Deferred;

    const INTENDED: &str = r#"{"step":"intended","number":1,"service":"s","registry":"r","name":"ci","at":"2031-01-01T00:00:00Z","service_time":"2031-01-01T00:03:00Z","sent":{"name":"ci"}}"#;
    const CREATED: &str = r#"{"step":"created","number":1,"id":"i","password":"hunter22","sealed":null}"#;

    #[test]
    fn step_counts_once_its_line_is_whole() {
        let password = |text: String| {
            parse_log(&text).entries.get(&1).map(|entry| entry.unseal_password(None).map(|p| p.to_string()).ok())
        };
        assert_eq!(password(INTENDED.to_owned()), Some(None));
        assert_eq!(password(format!("{INTENDED}\n{CREATED}\n")), Some(Some("hunter22".to_owned())));
        assert_eq!(password(format!("{INTENDED}\n{}", &CREATED[..40])), Some(None));
        assert_eq!(password(INTENDED[..40].to_owned()), None);
        assert_eq!(password(format!("{INTENDED}\n{CREATED}\n{{\"step\":\"closed\",\"number\":1}}\n")), None);
    }

    #[test]
    fn lines_of_earlier_versions_are_read() {
        let old = r#"{"step":"asked","number":1,"service":"s","registry":"r","name":"ci","at":"2031-01-01T00:00:00Z"}
{"step":"made","number":1,"id":"i","password":"hunter22","sealed":null}
"#;
        assert_eq!(parse_log(old).entries[&1].unseal_password(None).unwrap().as_str(), "hunter22");
    }

    #[test]
    fn unreadable_line_is_reported_and_others_count() {
        let parsed = parse_log(&format!("{INTENDED}\n{{\"step\":\"unheard of\",\"number\":1}}\nrubbish\n{CREATED}\n"));
        assert_eq!((parsed.unreadable.len(), parsed.entries[&1].has_password()), (2, true));
    }

    #[test]
    fn delivered_entry_keeps_its_facts_and_loses_its_password() {
        let delivered = r#"{"step":"delivered","number":1,"to":"a file"}"#;
        assert!(parse_log(&format!("{INTENDED}\n{CREATED}\n{delivered}\n")).entries.is_empty());
        let fact = r#"{"step":"fact","number":1,"key":"digest","value":"abc"}"#;
        let parsed = parse_log(&format!("{INTENDED}\n{CREATED}\n{delivered}\n{fact}\n"));
        let entry = &parsed.entries[&1];
        assert!(!entry.has_password() && entry.facts["digest"] == "abc");
        let again: String = entry.to_lines(7).iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect();
        let entry = &parse_log(&again).entries[&7];
        assert!(!again.contains("hunter22") && entry.reason == KeepReason::Delivered && entry.id() == Some("i"));
    }

    #[test]
    fn token_is_matched_by_the_clock_of_the_service() {
        let entry = &parse_log(INTENDED).entries[&1];
        let token = |at: &str| {
            let mut token = Token::default();
            token.properties.name = Deferred::Known("ci".to_owned());
            token.metadata.created_date = Deferred::Known(Some(Date::read(at)));
            token
        };
        // The machine's clock was three minutes behind.
        assert!(entry.may_have_created(&token("2031-01-01T00:03:01Z")));
        assert!(entry.may_have_created(&token("2031-01-01T09:00:00Z")));
        assert!(!entry.may_have_created(&token("2031-01-01T00:02:00Z")));
        assert_eq!(entry.check_created(&token("2031-01-01T00:03:01Z")), Ok(()));
        assert!(entry.check_created(&token("2031-01-01T09:00:00Z")).unwrap_err().contains("long after"));
        let mut other = token("2031-01-01T00:03:01Z");
        other.properties.status = Deferred::Known(Some("disabled".to_owned()));
        assert!(entry.check_created(&other).unwrap_err().contains("status"));
    }
}
