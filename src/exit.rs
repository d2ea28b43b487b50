//! The exit statuses, with the numbers that `ansible-playbook` gives.

use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: nothing failed for good.
    Success,
    /// 1: a file is missing, a name is not allowed, or another error that is no parse error.
    General,
    /// 2: a host failed; also a wrong option on the command line.
    Failed,
    /// 4: something is not understood, or a host was unreachable.
    Unparsable,
    /// 5: options that make no sense together.
    BadOptions,
    /// 99: interrupted.
    Interrupted,
    /// 250: our own fault.
    Internal,
}

impl Exit {
    /// The number.
    pub fn number(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::General => 1,
            Self::Failed => 2,
            Self::Unparsable => 4,
            Self::BadOptions => 5,
            Self::Interrupted => 99,
            Self::Internal => 250,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}
