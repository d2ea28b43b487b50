//! A notification, before it has the form of its receiver.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::config::Occasion;
use super::super::http::page::{run_path, shorten_text};
use super::super::view::{JobState, Outcome, PlanCounts};
use super::JobObservation;
use super::transition::Occurrence;

/// A notification. It has no secret and no password: it is made of the public status only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// Id, the same in every attempt.
    pub id: String,
    /// The occasion.
    pub occasion: Occasion,
    /// Whether it was sent before and still lasts.
    pub reminder: bool,
    /// The job.
    pub job: String,
    /// State of the job.
    pub state: JobState,
    /// The host.
    pub host: String,
    /// The run.
    pub run: Option<String>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// The commit.
    pub commit: Option<String>,
    /// Action counts of the plan.
    pub plan: Option<PlanCounts>,
    /// One line.
    pub title: String,
    /// More, in plain text; may be empty.
    pub text: String,
    /// Where the run can be seen.
    pub url: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Longest text of a notification; the page has the rest.
const MAX_TEXT: usize = 1_000;

impl Notification {
    /// Describes an occurrence.
    pub(super) fn new(occurrence: &Occurrence, observation: &JobObservation<'_>, host: &str) -> Self {
        let status = observation.status;
        let run = match (&status.waiting, &status.last_run) {
            (Some(waiting), _) if occurrence.occasion == Occasion::Waiting => Some(waiting.run.clone()),
            (_, last) => last.as_ref().map(|run| run.run.clone()),
        };
        let details = observation.run.filter(|details| run.as_ref() == Some(&details.run));
        let plan = details.and_then(|details| details.plan.clone());
        let path = run.as_deref().map_or_else(|| "/".to_owned(), run_path);
        let mut notification = Self {
            id: format!("{host}.{}.{}.{}", status.job, occurrence.number, occurrence.reminder),
            occasion: occurrence.occasion,
            reminder: occurrence.reminder > 0,
            job: status.job.clone(),
            state: status.state,
            host: host.to_owned(),
            run,
            outcome: details.and_then(|details| details.outcome),
            commit: status.attempted.clone(),
            plan,
            title: String::new(),
            text: String::new(),
            url: observation.public_url.map(|url| format!("{url}{path}")),
            at: observation.now,
        };
        notification.title = notification.describe_occasion();
        let text = occurrence.detail.clone().into_iter().chain(notification.describe_text(observation));
        let text = text.collect::<Vec<_>>().join("\n");
        notification.text = shorten_text(&text, MAX_TEXT);
        notification
    }

    /// Returns the line that says what has happened.
    fn describe_occasion(&self) -> String {
        let (job, still) = (&self.job, if self.reminder { "still " } else { "" });
        let at = self.commit.as_deref().map(|commit| format!(" at {}", commit.chars().take(8).collect::<String>()));
        let at = at.unwrap_or_default();
        match self.occasion {
            Occasion::Applied if self.outcome == Some(Outcome::RolledBack) => format!("{job} was rolled back"),
            Occasion::Applied => format!("{job} was applied{at}"),
            Occasion::Failed if self.state == JobState::Refused => format!("{job} is {still}refused{at}"),
            Occasion::Failed => format!("{job} {}{at}", if self.reminder { "is still failed" } else { "failed" }),
            Occasion::Drifted => format!("{job} has {still}drifted"),
            Occasion::Corrected => format!("{job}: drift was corrected"),
            Occasion::Waiting => format!("{job} {still}waits for approval{at}"),
            Occasion::Recovered => format!("{job} is fine again"),
            Occasion::Expiring => format!("{job}: a token ends soon"),
            Occasion::Suspended if self.state == JobState::Suspended => format!("{job} was suspended"),
            Occasion::Suspended => format!("{job} was resumed"),
        }
    }

    fn describe_text(&self, observation: &JobObservation<'_>) -> Option<String> {
        let counts = self.plan.as_ref().map(describe_counts);
        let status = observation.status;
        match self.occasion {
            Occasion::Failed => {
                let error = observation.run.and_then(|run| run.error.clone());
                error.or_else(|| status.message.clone())
            }
            Occasion::Drifted => {
                let objects = if status.drift == 1 { "object differs" } else { "objects differ" };
                Some(format!("{} {objects} from what was applied", status.drift))
            }
            Occasion::Suspended => status.suspended.as_ref().and_then(|suspended| suspended.reason.clone()),
            Occasion::Applied | Occasion::Corrected | Occasion::Waiting => counts,
            Occasion::Recovered | Occasion::Expiring => None,
        }
    }
}

/// Returns the counts of a plan in words, the zeros left out.
pub fn describe_counts(counts: &PlanCounts) -> String {
    let parts: Vec<String> = [
        (counts.create, "to create"),
        (counts.update, "to update"),
        (counts.replace, "to replace"),
        (counts.delete, "to delete"),
        (counts.undetermined, "undetermined"),
        (counts.unchanged, "unchanged"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect();
    if parts.is_empty() { "no changes".to_owned() } else { parts.join(", ") }
}
