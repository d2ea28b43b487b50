//! Which changes of a job are worth a notification: transitions, and one reminder for each period.

use jiff::{SignedDuration, Timestamp};

use super::super::config::{NotifierConfig, Occasion};
use super::super::view::{JobState, JobStatus, Outcome};
use super::JobObservation;
use super::memory::{Condition, JobMemory};

/// A token that ends soon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpiringToken {
    /// Name of its registry.
    pub registry: String,
    /// Name of the token.
    pub name: String,
    /// When it ends.
    pub at: Timestamp,
}

impl ExpiringToken {
    fn key(&self) -> String {
        format!("{}/{}@{}", self.registry, self.name, self.at)
    }
}

/// Something that has happened to a job, or lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Occurrence {
    /// The occasion.
    pub occasion: Occasion,
    /// Number of the transition.
    pub number: u64,
    /// How often its receivers were reminded of it, by time; 0 for the transition itself.
    pub reminder: u64,
    /// Whether it lasts, so that it can be reminded of.
    pub lasts: bool,
    /// Whether it has begun just now.
    pub is_new: bool,
    /// More about it, such as the token that ends.
    pub detail: Option<String>,
}

/// Finds what has happened since the last look, and notes it in the memory.
pub(super) fn find_occurrences(memory: &mut JobMemory, observation: &JobObservation<'_>) -> Vec<Occurrence> {
    let status = observation.status;
    let mut found = Vec::new();
    let mut add = |memory: &mut JobMemory, occasion, detail| {
        memory.count += 1;
        found.push(Occurrence { occasion, number: memory.count, reminder: 0, lasts: false, is_new: true, detail });
    };
    if let Some(run) = &status.last_run
        && memory.run.as_ref() != Some(&run.run)
    {
        let occasion = match run.outcome {
            Outcome::Applied | Outcome::RolledBack => Some(Occasion::Applied),
            Outcome::Corrected => Some(Occasion::Corrected),
            _ => None,
        };
        if let Some(occasion) = occasion {
            memory.run = Some(run.run.clone());
            add(memory, occasion, None);
        }
    }
    if memory.is_suspended != status.suspended.is_some() {
        memory.is_suspended = status.suspended.is_some();
        add(memory, Occasion::Suspended, None);
    }
    let is_new = |token: &&ExpiringToken| !memory.tokens.contains(&token.key());
    let new_tokens: Vec<_> = observation.expiring.iter().filter(is_new).collect();
    for token in new_tokens {
        let detail = format!("token `{}` of registry `{}` ends {}", token.name, token.registry, token.at);
        add(memory, Occasion::Expiring, Some(detail));
    }
    let expiring = observation.expiring.iter().map(ExpiringToken::key).collect();
    if memory.tokens != expiring {
        memory.tokens = expiring;
    }
    found.extend(find_condition(memory, status));
    found
}

/// Finds the condition that lasts, and whether one has ended.
fn find_condition(memory: &mut JobMemory, status: &JobStatus) -> Option<Occurrence> {
    let attempted = || status.attempted.clone().unwrap_or_default();
    let condition = match status.state {
        JobState::Failed | JobState::Refused => Some(Condition { occasion: Occasion::Failed, key: attempted() }),
        JobState::Drift => Some(Condition { occasion: Occasion::Drifted, key: String::new() }),
        JobState::Waiting => {
            let key = status.waiting.as_ref().map(|waiting| waiting.run.clone()).unwrap_or_default();
            Some(Condition { occasion: Occasion::Waiting, key })
        }
        JobState::Ok => None,
        // A run under way, a suspension or a dependency says nothing about how the job is.
        JobState::Running | JobState::Suspended | JobState::Blocked | JobState::New => return None,
    };
    let is_new = memory.condition != condition;
    if is_new {
        memory.count += 1;
        memory.told.clear();
        memory.condition.clone_from(&condition);
    }
    let occurrence = |occasion, lasts, is_new| Occurrence {
        occasion,
        number: memory.count,
        reminder: 0,
        lasts,
        is_new,
        detail: None,
    };
    match condition {
        Some(condition) => {
            let occurrence = occurrence(condition.occasion, true, is_new);
            memory.is_troubled |= condition.occasion != Occasion::Waiting;
            Some(occurrence)
        }
        None if memory.is_troubled => {
            let occurrence = occurrence(Occasion::Recovered, false, true);
            memory.is_troubled = false;
            Some(occurrence)
        }
        None => None,
    }
}

/// Returns what one receiver has to hear of it.
pub(super) fn choose_notifications(
    memory: &mut JobMemory,
    sink: &NotifierConfig,
    occurrences: &[Occurrence],
    now: Timestamp,
) -> Vec<Occurrence> {
    let mut chosen = Vec::new();
    for occurrence in occurrences.iter().filter(|occurrence| sink.on.contains(&occurrence.occasion)) {
        let told = memory.told.get(&sink.name).copied();
        if !occurrence.lasts {
            chosen.push(occurrence.clone());
            continue;
        }
        let Some(told) = told else {
            memory.told.insert(sink.name.clone(), now);
            chosen.push(occurrence.clone());
            continue;
        };
        let period = sink.remind.and_then(|period| SignedDuration::try_from(period).ok());
        if period.is_some_and(|period| now.duration_since(told) >= period) {
            memory.told.insert(sink.name.clone(), now);
            let reminder = now.as_second().unsigned_abs();
            chosen.push(Occurrence { reminder, is_new: false, ..occurrence.clone() });
        }
    }
    chosen
}
