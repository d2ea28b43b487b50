//! The exit statuses, with the numbers that `ansible-playbook` gives.

use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: nothing failed for good.
    Success,
    /// 1: a file is missing, a name is not allowed, or another error that is not a parse error.
    General,
    /// 2: a host failed; also a wrong option on the command line.
    Failed,
    /// 2, with `--detailed-exitcode`: nothing failed, and there are changes.
    Changes,
    /// 3, with `--detailed-exitcode`: nothing failed or changes as far as that can be said, and of parts it cannot.
    Undetermined,
    /// 3, of `gitops`: something waits for approval.
    Waiting,
    /// 4: something is not understood, or a host was unreachable.
    Unparsable,
    /// 5: options conflict.
    BadOptions,
    /// 10: the plan cannot be used: no plan, another version, or one that would fail.
    PlanUnusable,
    /// 11: the playbook or its variables are not those of the plan.
    PlanPlaybook,
    /// 12: the world is not the one that the plan was made from.
    PlanWorld,
    /// 13: the plan was applied before.
    PlanApplied,
    /// 14: the run left the plan and was stopped, or left out something of it.
    PlanDeviation,
    /// 15: the plan was not approved.
    NotApproved,
    /// 16: the run would talk to another account than the planned one.
    PlanAccount,
    /// 17: the plan is being applied by another process, or another run has the lock.
    PlanBusy,
    /// 18: the run did what it was to do, and what it had to tell could not be written.
    OutputLost,
    /// 99: interrupted.
    Interrupted,
    /// 129: ended by SIGHUP, because the terminal has gone.
    HungUp,
    /// 143: ended by SIGTERM.
    Terminated,
    /// 250: internal error.
    Internal,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::General => 1,
            Self::Failed | Self::Changes => 2,
            Self::Undetermined | Self::Waiting => 3,
            Self::PlanUnusable => 10,
            Self::PlanPlaybook => 11,
            Self::PlanWorld => 12,
            Self::PlanApplied => 13,
            Self::PlanDeviation => 14,
            Self::NotApproved => 15,
            Self::PlanAccount => 16,
            Self::PlanBusy => 17,
            Self::Unparsable => 4,
            Self::BadOptions => 5,
            Self::OutputLost => 18,
            Self::Interrupted => 99,
            Self::HungUp => 129,
            Self::Terminated => 143,
            Self::Internal => 250,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
