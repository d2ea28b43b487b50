//! Every event of a run, typed. The stream that `--events` writes and the screen are both made of these.

use std::rc::Rc;

use indexmap::IndexMap;

use crate::diagnostic::Diagnostic;
use crate::modules::Diff;
use crate::playbook::Task;
use crate::progress::RequestSpan;
use crate::reconcile::Record;
use crate::value::{Dict, Value};

/// Something that happened in a run.
#[derive(Debug, Clone)]
pub enum ReportEvent {
    /// A play, or a batch of one, begins.
    PlayStart {
        /// The templated name.
        play: Rc<str>,
        /// It is a dry run.
        check: bool,
    },
    /// The play matches no host.
    NoHostsMatched,
    /// All hosts of the play have failed.
    NoHostsRemaining,
    /// A task is about to run on at least one host.
    TaskStart(TaskLabel),
    /// A task begins on a host.
    HostStart {
        /// The task.
        label: TaskLabel,
        /// The host.
        host: Rc<str>,
    },
    /// One item of a loop ended.
    Item(ReportedOutcome),
    /// A task ended on a host.
    Host(ReportedOutcome),
    /// A file was included for some hosts.
    Included {
        /// The file or role.
        what: String,
        /// The hosts.
        hosts: Vec<String>,
        /// The label of the loop's item, if it was in a loop.
        item: Option<Value>,
    },
    /// A task is tried again.
    Retry {
        /// The task.
        label: TaskLabel,
        /// The host.
        host: Rc<str>,
        /// Tries that are left.
        left: i64,
        /// The result of the try.
        result: Rc<Dict>,
    },
    /// A background task is waited for.
    Polling {
        /// The host.
        host: Rc<str>,
        /// The job.
        job: String,
    },
    /// A loop begins an item.
    ItemStart {
        /// Number of the item, from 1.
        number: usize,
        /// Number of all items.
        count: usize,
    },
    /// A request is sent.
    RequestStart {
        /// `GET`, `POST`, ..
        method: String,
        /// Path below the base URL of the service, without a query.
        path: String,
    },
    /// A request that was sent is no longer waited for.
    RequestEnd {
        /// `GET`, `POST`, ..
        method: String,
        /// Path below the base URL of the service, without a query.
        path: String,
    },
    /// A request was answered, or failed.
    Request(RequestSpan),
    /// Something that takes time: shown on a live line, on a terminal only.
    Progress(String),
    /// Something the user should know; warnings are told once.
    Notice(Diagnostic),
    /// A message about a task that will fail, or probably will, before anything runs.
    Announcement {
        /// The message.
        notice: Diagnostic,
        /// Where the task stands.
        task: Option<Rc<str>>,
    },
    /// A line for those who asked for more (`-v`), with the verbosity from which it is shown.
    Verbose(u8, String),
    /// A line for those who look for a fault in the run itself (`ANSIBLE_DEBUG`).
    Debug(String),
    /// A plain line of standard output (`--list-tasks`, `--syntax-check`).
    Line(String),
    /// A sentence about the whole run, after its counts.
    Remark(String),
    /// The end of a playbook, with the counts so far.
    Recap {
        /// It is the end of the run, too.
        last: bool,
        /// Counts by host, in the order of their first result.
        hosts: IndexMap<String, Stats>,
        /// Values of `set_stats`; those of the run under `_run`.
        custom: Dict,
        /// Actions on registry objects.
        records: Vec<Record>,
        /// The user broke the run off: the counts tell nothing.
        interrupted: bool,
        /// The names of tokens whose one-time passwords no task has used: they are kept.
        passwords_kept: Vec<String>,
    },
}

impl ReportEvent {
    /// Whether it says what is waited for at this moment: such an event is told at once, also by work that runs beside other
    /// work.
    pub fn is_momentary(&self) -> bool {
        matches!(self, Self::Progress(_) | Self::RequestStart { .. } | Self::RequestEnd { .. })
    }
}

/// A task as it is shown.
#[derive(Debug, Clone)]
pub struct TaskLabel {
    /// The play's name.
    pub play: Rc<str>,
    /// The task's name, templated, with its role.
    pub task: Rc<str>,
    /// The full name of the module or action.
    pub action: Rc<str>,
    /// Runs as a handler.
    pub handler: bool,
    /// The task as it is written.
    pub definition: Rc<Task>,
    /// Where it stands.
    pub place: Option<Rc<str>>,
    /// It is a dry run, by itself or with the play around it.
    pub check: bool,
    /// Arguments as written, with a leading blank, where the settings ask for them.
    pub args: Option<Rc<str>>,
}

/// The result of a task, or of one item of its loop, on one host.
#[derive(Debug, Clone)]
pub struct ReportedOutcome {
    /// The task.
    pub label: TaskLabel,
    /// The inventory name.
    pub host: Rc<str>,
    /// The host it was delegated to.
    pub delegated_to: Option<Rc<str>>,
    /// How it ended.
    pub status: OutcomeStatus,
    /// The result as it may be shown.
    pub result: Rc<Dict>,
    /// Label of a loop item in output (items only).
    pub item: Option<Value>,
    /// Differences, where they were asked for.
    pub diff: Vec<Diff>,
    /// Actions on registry objects, done or predicted (of a loop, those of its items).
    pub records: Vec<Record>,
    /// The failure's place and remedy.
    pub diagnostic: Option<Box<Diagnostic>>,
    /// The result is always shown (`debug`).
    pub always_shown: bool,
    /// The task had a loop (its host line says nothing that the items have not said).
    pub looped: bool,
    /// The host could not be reached, whether that counts or not.
    pub unreachable: bool,
    /// A failed item of a task whose failure will not count, or a failure that is ignored.
    pub ignored: bool,
    /// Nothing can be said in a dry run; what has to happen first.
    pub undetermined: Option<String>,
}

/// How a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutcomeStatus {
    /// Ran, changed nothing.
    Ok,
    /// Ran and changed something.
    Changed,
    /// Did not run.
    Skipped,
    /// Failed.
    Failed,
    /// Failed, and it does not matter.
    Ignored,
    /// Failed, and a `rescue` section takes over.
    Rescued,
    /// The host could not be reached.
    Unreachable,
}

impl OutcomeStatus {
    /// The word of the event stream.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Changed => "changed",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Ignored => "ignored",
            Self::Rescued => "rescued",
            Self::Unreachable => "unreachable",
        }
    }
}

/// The counts of one host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Ran and did not fail (changed and ignored included).
    pub ok: u64,
    /// Changed something.
    pub changed: u64,
    /// Could not be reached.
    pub unreachable: u64,
    /// Failed for good.
    pub failed: u64,
    /// Did not run.
    pub skipped: u64,
    /// Failures that a `rescue` took.
    pub rescued: u64,
    /// Failures that were ignored.
    pub ignored: u64,
}

impl Stats {
    /// The counts with their names, in the order of the recap line.
    pub fn named_counts(&self) -> [(&'static str, u64); 7] {
        [
            ("ok", self.ok),
            ("changed", self.changed),
            ("unreachable", self.unreachable),
            ("failed", self.failed),
            ("skipped", self.skipped),
            ("rescued", self.rescued),
            ("ignored", self.ignored),
        ]
    }
}
