//! Confinement of a process that evaluates untrusted content: it starts no program, writes in its own folder only, and
//! does not read what is hidden from it. The kernel enforces it (Landlock), so it holds for every template and module.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use landlock::{
    ABI, Access as _, AccessFs, PathBeneath, PathFd, Ruleset, RulesetAttr as _, RulesetCreated,
    RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};
use serde::{Deserialize, Serialize};

use crate::cli_interface::CONFINEMENT_VARIABLE;

/// Files of `/proc` that say nothing of other processes.
const OWN_PROCESS: [&str; 10] = [
    "/proc/self",
    "/proc/cmdline",
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys",
    "/proc/uptime",
    "/proc/version",
];

/// Places with secrets of the machine, or of one service.
const HIDDEN_EVERYWHERE: [&str; 8] = [
    "/proc",
    "/run/credentials",
    "/run/secrets",
    "/etc/credstore",
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/ssh",
    "/etc/ssl/private",
];

static CONFINED: OnceLock<()> = OnceLock::new();

/// Limits of a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// The folder that it may read and write, also where it lies below a hidden one.
    pub folder: PathBuf,
    /// Files and folders that it does not read, besides those that are hidden on every machine.
    pub hidden: Vec<PathBuf>,
}

/// Why a process cannot be confined.
#[derive(Debug, thiserror::Error)]
pub enum ConfinementError {
    /// The value of the variable is broken.
    #[error("the variable `{CONFINEMENT_VARIABLE}` cannot be read: {0}")]
    Variable(#[from] serde_json::Error),
    /// The kernel refuses the rules.
    #[error("this process cannot be confined: {0}")]
    Rules(#[from] RulesetError),
    /// The folder is not there.
    #[error("this process cannot be confined to its folder: {0}")]
    Folder(#[from] landlock::PathFdError),
    /// The kernel has no Landlock, or it is switched off.
    #[error("this kernel cannot confine a process: it has no Landlock (Linux 5.13 or later), or it is switched off")]
    Unsupported,
}

/// Confines this process as its environment says. It has to be called before other threads are started.
///
/// # Errors
/// If that is not possible; then nothing may be evaluated.
pub fn confine_process() -> Result<(), ConfinementError> {
    let Some(text) = std::env::var_os(CONFINEMENT_VARIABLE).filter(|text| !text.is_empty()) else { return Ok(()) };
    apply_confinement(&serde_json::from_str(&text.to_string_lossy())?)?;
    CONFINED.get_or_init(|| ());
    Ok(())
}

/// Returns whether this process is confined.
pub fn is_confined() -> bool {
    CONFINED.get().is_some()
}

fn apply_confinement(confinement: &Confinement) -> Result<(), ConfinementError> {
    let abi = ABI::V6;
    let all = AccessFs::from_all(abi);
    let rules = Ruleset::default().handle_access(all)?.scope(Scope::from_all(abi))?.create()?;
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let own = PathBeneath::new(PathFd::new(&confinement.folder)?, all & !AccessFs::Execute);
    let rules = rules
        .add_rule(own)?
        .add_rules(path_beneath_rules(["/dev/null"], read | AccessFs::WriteFile))?
        .add_rules(path_beneath_rules(OWN_PROCESS, read))?;
    let hidden = resolve_hidden(&confinement.hidden);
    let rules = add_visible(rules, Path::new("/"), &hidden)?;
    match rules.restrict_self()?.ruleset {
        RulesetStatus::NotEnforced => Err(ConfinementError::Unsupported),
        _ => Ok(()),
    }
}

/// Returns where hidden files really lie.
fn resolve_hidden(named: &[PathBuf]) -> Vec<PathBuf> {
    let everywhere = HIDDEN_EVERYWHERE.iter().map(PathBuf::from);
    let resolve = |path: PathBuf| path.canonicalize().unwrap_or(path);
    everywhere.chain(named.iter().cloned()).map(resolve).collect()
}

/// Makes everything in a folder readable that is not hidden. Rules can only allow, so a folder that has something hidden in
/// it is allowed entry by entry.
fn add_visible(rules: RulesetCreated, folder: &Path, hidden: &[PathBuf]) -> Result<RulesetCreated, RulesetError> {
    let mut rules = rules;
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        // What a link leads to is allowed where it lies, or hidden.
        if entry.file_type().is_ok_and(|kind| kind.is_symlink()) || hidden.contains(&path) {
            continue;
        }
        rules = if hidden.iter().any(|known| known.starts_with(&path)) {
            add_visible(rules, &path, hidden)?
        } else {
            rules.add_rules(path_beneath_rules([&path], AccessFs::ReadFile | AccessFs::ReadDir))?
        };
    }
    Ok(rules)
}
