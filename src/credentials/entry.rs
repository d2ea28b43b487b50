//! What is known of one token, and the lines it is told by.

use std::collections::BTreeMap;

use anyhow::{Context, anyhow};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Key, Subject};
use crate::ionos::Date;
use crate::vars::vault;

/// For so long after it was asked for a token may have come to be.
const MADE_WITHIN: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);
/// So far the clocks of two machines may be apart.
const SLACK: jiff::SignedDuration = jiff::SignedDuration::from_mins(2);

/// One line of a journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub(super) enum Line {
    /// A token is about to be asked for.
    Asked { number: u64, service: String, registry: String, name: String, at: String },
    /// The service has made it.
    Made { number: u64, id: String, password: Option<String>, sealed: Option<String> },
    /// There is nothing more to keep.
    Closed { number: u64 },
}

/// A password as it is kept.
#[derive(Clone)]
pub(super) enum Secret {
    /// As it is.
    Plain(Zeroizing<String>),
    /// In a vault envelope.
    Sealed(String),
}

/// How far it came with a token.
#[derive(Clone)]
pub(super) enum State {
    /// It was asked for, and no answer came.
    Asked,
    /// It was made.
    Made {
        /// Its id.
        id: String,
        /// Its password.
        secret: Secret,
    },
}

/// What is known of one token.
#[derive(Clone)]
pub struct Entry {
    /// Its number in the journal.
    pub number: u64,
    /// Which token.
    pub subject: Subject,
    /// When it was asked for.
    pub asked: String,
    /// How far it came.
    pub(super) state: State,
}

impl Entry {
    /// Its id, if it is known to have been made.
    pub fn id(&self) -> Option<&str> {
        match &self.state {
            State::Made { id, .. } => Some(id),
            State::Asked => None,
        }
    }

    /// Its password.
    ///
    /// # Errors
    /// If it is sealed and the key is not there or does not fit, or if nobody knows it.
    pub fn password(&self, key: Option<&Key>) -> anyhow::Result<Zeroizing<String>> {
        match (&self.state, key) {
            (State::Asked, _) => Err(anyhow!("the answer with the password never came")),
            (State::Made { secret: Secret::Plain(password), .. }, _) => Ok(password.clone()),
            (State::Made { .. }, None) => {
                Err(anyhow!("the password is sealed: give the key (`--seal-key-file`, or `IONPLAY_SEAL_KEY_FILE`)"))
            }
            (State::Made { secret: Secret::Sealed(envelope), .. }, Some(key)) => {
                let opened = vault::decrypt(envelope, key).context("the password is sealed with another key")?;
                Ok(Zeroizing::new(String::from_utf8_lossy(&opened).into_owned()))
            }
        }
    }

    /// Whether a token of this name that was created then can be the one that was asked for.
    pub fn may_have_made(&self, created: Option<&Date>) -> bool {
        let asked = self.asked.parse::<jiff::Timestamp>();
        let (Ok(asked), Some(Date::At(created))) = (asked, created) else { return true };
        *created >= asked - SLACK && *created <= asked + MADE_WITHIN
    }
}

/// The entries that are open at the end of a journal. A line that is cut off says nothing: the step was not taken.
pub(super) fn read(text: &str) -> Vec<Entry> {
    let mut open: BTreeMap<u64, Entry> = BTreeMap::new();
    for line in text.lines() {
        match serde_json::from_str(line) {
            Ok(Line::Asked { number, service, registry, name, at }) => {
                let subject = Subject { service, registry, name };
                open.insert(number, Entry { number, subject, asked: at, state: State::Asked });
            }
            Ok(Line::Made { number, id, password, sealed }) => {
                let secret =
                    sealed.map_or_else(|| Secret::Plain(Zeroizing::new(password.unwrap_or_default())), Secret::Sealed);
                if let Some(entry) = open.get_mut(&number) {
                    entry.state = State::Made { id, secret };
                }
            }
            Ok(Line::Closed { number }) => _ = open.remove(&number),
            Err(_) => {}
        }
    }
    open.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: &str =
        r#"{"step":"asked","number":1,"service":"s","registry":"r","name":"ci","at":"2031-01-01T00:00:00Z"}"#;
    const MADE: &str = r#"{"step":"made","number":1,"id":"i","password":"hunter22","sealed":null}"#;

    #[test]
    fn each_step_counts_once_it_is_whole() {
        let password = |text: String| read(&text).first().map(|entry| entry.password(None).map(|p| p.to_string()).ok());
        assert_eq!(password(ASKED.to_owned()), Some(None));
        assert_eq!(password(format!("{ASKED}\n{MADE}\n")), Some(Some("hunter22".to_owned())));
        assert_eq!(password(format!("{ASKED}\n{}", &MADE[..40])), Some(None));
        assert_eq!(password(ASKED[..40].to_owned()), None);
        assert_eq!(password(format!("{ASKED}\n{MADE}\n{{\"step\":\"closed\",\"number\":1}}\n")), None);
    }

    #[test]
    fn only_a_token_of_that_time_can_be_the_one() {
        let entry = &read(ASKED)[0];
        let at = |text: &str| entry.may_have_made(Some(&Date::At(text.parse().unwrap())));
        assert!(at("2031-01-01T00:00:30Z") && entry.may_have_made(None));
        assert!(!at("2030-12-31T00:00:00Z") && !at("2031-01-01T01:00:00Z"));
    }
}
