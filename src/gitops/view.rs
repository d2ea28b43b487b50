//! The documents that status, history and API give: states, outcomes and reasons by their public words.
//!
//! These types are the interface. Commands, HTTP, page, metrics and notifications read them and add nothing.

use std::fmt;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Version of the documents.
pub const VERSION: u32 = 1;

/// Declares an enum whose variants are words of the public interface.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All values, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Returns the word that documents, labels and pages use.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words! {
    /// State of a job.
    JobState {
        /// The last look found nothing wrong.
        Ok = "ok",
        /// A run is under way.
        Running = "running",
        /// A plan waits for approval.
        Waiting = "waiting",
        /// The service differs from what was applied, and the job only reports it.
        Drift = "drift",
        /// The last run failed.
        Failed = "failed",
        /// The last commit was not accepted, or its plan could not be applied.
        Refused = "refused",
        /// Suspended by a person.
        Suspended = "suspended",
        /// A dependency is not fine.
        Blocked = "blocked",
        /// The job never ran.
        New = "new",
    }
}

words! {
    /// Outcome of a run.
    Outcome {
        /// Nothing had to be done.
        Unchanged = "unchanged",
        /// The plan was applied.
        Applied = "applied",
        /// Drift was put right.
        Corrected = "corrected",
        /// Drift was found and only reported.
        Drifted = "drifted",
        /// The plan waits for approval.
        Waiting = "waiting",
        /// A person rejected the plan.
        Rejected = "rejected",
        /// A newer commit came while the plan waited.
        Superseded = "superseded",
        /// The commit was not verified, history was rewritten, or the plan could not be applied.
        Refused = "refused",
        /// The run failed.
        Failed = "failed",
        /// An earlier commit was applied again, by request.
        RolledBack = "rolled_back",
        /// The run was stopped before its end.
        Interrupted = "interrupted",
    }
}

words! {
    /// Why a run starts.
    Reason {
        /// A new commit was seen.
        Push = "push",
        /// A forge or a script called the job's hook.
        Hook = "hook",
        /// The first look at a job.
        Poll = "poll",
        /// The job's schedule.
        Schedule = "schedule",
        /// The clock that looks for drift.
        Drift = "drift",
        /// A token of the job ends soon.
        Expiry = "expiry",
        /// An earlier run failed.
        Retry = "retry",
        /// A person asked.
        Manual = "manual",
        /// A job that this one depends on has run.
        Dependency = "dependency",
        /// A person asked for an earlier commit.
        Rollback = "rollback",
    }
}

impl Outcome {
    /// Whether a run with this outcome leaves its job in order.
    pub const fn is_fine(self) -> bool {
        matches!(self, Self::Unchanged | Self::Applied | Self::Corrected | Self::RolledBack)
    }
}

/// Status of all jobs of one daemon or state folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GitopsStatus {
    /// Version of the document.
    pub version: u32,
    /// Name of the host that answers.
    pub host: String,
    /// The jobs, in the order of the file.
    pub jobs: Vec<JobStatus>,
}

/// Status of one job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobStatus {
    /// Name of the job.
    pub job: String,
    /// State of the job.
    pub state: JobState,
    /// Commit last seen on the branch.
    pub observed: Option<String>,
    /// Commit last tried.
    pub attempted: Option<String>,
    /// Commit last applied with success.
    pub applied: Option<String>,
    /// The last run that ended.
    pub last_run: Option<LastRun>,
    /// The next clock that makes the job due.
    pub next_due: Option<NextDue>,
    /// Number of objects that differ from what was applied.
    pub drift: u64,
    /// The run that waits for approval.
    pub waiting: Option<PendingApproval>,
    /// Who suspended the job, and until when.
    pub suspended: Option<Suspension>,
    /// One line for a person: why the job is in this state.
    pub message: Option<String>,
}

/// How the last run of a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// Id of the run.
    pub run: String,
    /// How it ended.
    pub outcome: Outcome,
    /// When it ended.
    pub ended: Timestamp,
}

/// When a job is due next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextDue {
    /// When.
    pub at: Timestamp,
    /// By which clock.
    pub by: Reason,
}

/// A run that waits for approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingApproval {
    /// Id of the run.
    pub run: String,
    /// Digest of the plan that an approval is bound to.
    pub digest: String,
    /// Since when it waits.
    pub since: Timestamp,
    /// When it is approved without an answer (`approve: {after: TIME}`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<Timestamp>,
}

/// A suspended job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    /// Why.
    pub reason: Option<String>,
    /// Until when; without it, until somebody resumes the job.
    pub until: Option<Timestamp>,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// One attempt to bring a job to a commit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobRun {
    /// Id of the run.
    pub run: String,
    /// Name of the job.
    pub job: String,
    /// The commit, once one is known.
    pub commit: Option<String>,
    /// Why it started.
    pub reasons: Vec<Reason>,
    /// How it ended; null while it is under way.
    pub outcome: Option<Outcome>,
    /// When it started.
    pub started: Timestamp,
    /// When it ended; null while it is under way.
    pub ended: Option<Timestamp>,
    /// Host that ran it.
    pub host: String,
    /// Epoch of the claim under which it ran.
    pub epoch: u64,
    /// Counts of its plan.
    pub plan: Option<PlanCounts>,
    /// Task counts by host.
    pub recap: IndexMap<String, HostRecap>,
    /// The commands that repeat the run by hand.
    pub commands: Vec<Vec<String>>,
    /// Names of one-time passwords that no sink has confirmed yet.
    pub passwords_kept: Vec<String>,
    /// Why it failed, was refused or was rejected.
    pub error: Option<String>,
    /// Answer of a person, or of the approval rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// The steps so far, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<RunStep>,
}

/// Counts of a plan, by action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanCounts {
    /// Digest of the plan.
    pub digest: String,
    /// Objects to create.
    pub create: u64,
    /// Objects to update.
    pub update: u64,
    /// Objects to replace.
    pub replace: u64,
    /// Objects to delete.
    pub delete: u64,
    /// Objects that are as desired.
    pub unchanged: u64,
    /// Tasks whose outcome depends on values known only after apply.
    pub undetermined: u64,
}

impl PlanCounts {
    /// Whether applying the plan may change anything.
    pub const fn has_changes(&self) -> bool {
        self.create + self.update + self.replace + self.delete + self.undetermined > 0
    }
}

/// Task counts of one host, as in the recap on the screen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostRecap {
    /// Tasks that ended well.
    pub ok: u64,
    /// Tasks that changed something.
    pub changed: u64,
    /// Tasks that failed.
    pub failed: u64,
    /// Tasks whose host was not reached.
    pub unreachable: u64,
    /// Tasks that were skipped.
    pub skipped: u64,
    /// Tasks that a `rescue` took over.
    pub rescued: u64,
    /// Failures that `ignore_errors` passed over.
    pub ignored: u64,
}

/// Answer to a plan that waited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Whether the plan may be applied.
    pub approved: bool,
    /// Who answered: `cli`, `api`, `page` or `rule`.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

words! {
    /// A step of a run.
    StepName {
        /// Fetch the commit.
        Fetch = "fetch",
        /// Verify every commit since the applied one.
        Verify = "verify",
        /// Make the plan.
        Plan = "plan",
        /// Decide by rule or wait for an answer.
        Decide = "decide",
        /// Apply exactly that plan.
        Apply = "apply",
        /// Look again: nothing may be left to do.
        Check = "check",
    }
}

/// A step of a run with its times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStep {
    /// Which step.
    pub step: StepName,
    /// When it started.
    pub started: Timestamp,
    /// When it ended; null while it is under way.
    pub ended: Option<Timestamp>,
    /// Exit status of its child process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_document_of_the_interface_round_trips() {
        let text = r#"{"version":1,"host":"runner-1","jobs":[{"job":"tokens","state":"ok","observed":"c1","attempted":"c1","applied":"c1","last_run":{"run":"r1","outcome":"applied","ended":"2026-11-29T20:15:03Z"},"next_due":{"at":"2026-11-29T20:16:03Z","by":"poll"},"drift":0,"waiting":null,"suspended":null,"message":null}]}"#;
        let status: GitopsStatus = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&status).unwrap(), text);
    }

    #[test]
    fn run_document_of_the_interface_round_trips() {
        let text = r#"{"run":"r1","job":"tokens","commit":"c1","reasons":["push"],"outcome":"applied","started":"2026-11-29T20:15:00Z","ended":"2026-11-29T20:15:03Z","host":"runner-1","epoch":1,"plan":{"digest":"d","create":1,"update":0,"replace":0,"delete":0,"unchanged":2,"undetermined":0},"recap":{"localhost":{"ok":3,"changed":1,"failed":0,"unreachable":0,"skipped":0,"rescued":0,"ignored":0}},"commands":[["ionplay","plan","site.yml"]],"passwords_kept":[],"error":null}"#;
        let run: JobRun = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&run).unwrap(), text);
    }

    #[test]
    fn run_under_way_has_null_outcome_and_end() {
        let text = r#"{"run":"r1","job":"j","commit":null,"reasons":[],"outcome":null,"started":"2026-11-29T20:15:00Z","ended":null,"host":"h","epoch":2,"plan":null,"recap":{},"commands":[],"passwords_kept":[],"error":null}"#;
        let run: JobRun = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&run).unwrap(), text);
    }

    #[test]
    fn words_are_those_of_the_interface() {
        let words = |all: &[Outcome]| all.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(" ");
        assert_eq!(
            words(Outcome::ALL),
            "unchanged applied corrected drifted waiting rejected superseded refused failed rolled_back interrupted"
        );
        let states = JobState::ALL.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(states, "ok running waiting drift failed refused suspended blocked new");
        let reasons = Reason::ALL.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(reasons, "push hook poll schedule drift expiry retry manual dependency rollback");
    }
}
