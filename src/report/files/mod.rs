//! `--report KIND=FILE`: files that are written when a run has ended. A kind is one file here and one row of [`KINDS`].

mod github;
mod gitlab;
pub mod html;
mod issue;
mod junit;
mod markdown;
mod sarif;
mod trace;
mod xml;

pub use issue::Issue;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::bus::{RunClose, Writer};
use super::event::ReportEvent;
use super::history::{Collector, RunHistory};
use crate::secrets::Redactor;

/// A kind of report.
#[derive(Debug)]
pub struct ReportKind {
    /// Name on the command line.
    pub name: &'static str,
    /// Purpose, in a sentence.
    pub about: &'static str,
    /// Makes it of a run.
    pub write: fn(&RunHistory) -> String,
}

/// All kinds, sorted by name.
pub const KINDS: &[ReportKind] = &[
    ReportKind { name: "github", about: "annotations of GitHub Actions (workflow commands)", write: github::write_run },
    ReportKind { name: "gitlab", about: "code quality of GitLab (JSON)", write: gitlab::write_run },
    ReportKind {
        name: "html",
        about: "one page to look at, without network or scripts from elsewhere",
        write: html::write_run,
    },
    ReportKind { name: "junit", about: "test results for Jenkins, GitLab and others (XML)", write: junit::write_run },
    ReportKind { name: "markdown", about: "a summary for a comment or a step summary", write: markdown::write_run },
    ReportKind { name: "sarif", about: "findings for code scanning (SARIF 2.1.0)", write: sarif::write_run },
    ReportKind {
        name: "trace",
        about: "what took how long, for chrome://tracing or Perfetto",
        write: trace::write_run,
    },
];

/// A report that somebody asked for.
#[derive(Debug, Clone)]
pub struct ReportTarget {
    /// The kind.
    pub kind: &'static ReportKind,
    /// The file; `-` is standard output.
    pub path: PathBuf,
}

/// Text that names no report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportTargetError {
    /// It does not have the form `KIND=FILE`.
    #[error("expected KIND=FILE; kinds are {}", list_kinds())]
    NoFile,
    /// The kind is spelt like another.
    #[error("there is no report `{name}`; did you mean `{near}`?")]
    MisspeltKind {
        /// The kind that was given.
        name: String,
        /// The nearest kind.
        near: &'static str,
    },
    /// The kind does not exist.
    #[error("there is no report `{name}`; kinds are {}", list_kinds())]
    UnknownKind {
        /// The kind that was given.
        name: String,
    },
}

fn list_kinds() -> String {
    KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", ")
}

impl std::str::FromStr for ReportTarget {
    type Err = ReportTargetError;

    fn from_str(text: &str) -> Result<Self, ReportTargetError> {
        let Some((name, path)) = text.split_once('=').filter(|(_, path)| !path.is_empty()) else {
            return Err(ReportTargetError::NoFile);
        };
        match KINDS.iter().find(|kind| kind.name == name) {
            Some(kind) => Ok(Self { kind, path: PathBuf::from(path) }),
            None => Err(match crate::suggest::find_nearest(name, KINDS.iter().map(|kind| kind.name)) {
                Some(near) => ReportTargetError::MisspeltKind { name: name.to_owned(), near },
                None => ReportTargetError::UnknownKind { name: name.to_owned() },
            }),
        }
    }
}

/// Messages of `ionplay lint` in a form for pipelines.
pub fn format_issues(name: &str, issues: &[Issue]) -> Option<String> {
    match name {
        "github" => Some(github::write_issues(issues)),
        "gitlab" => Some(gitlab::write_issues(issues)),
        "sarif" => Some(sarif::write_issues(issues)),
        _ => None,
    }
}

/// Collects a run and writes its reports when it has ended.
pub struct ReportFiles {
    targets: Vec<ReportTarget>,
    collector: Collector,
}

impl ReportFiles {
    /// A writer of reports about a run of these playbooks.
    ///
    /// # Errors
    /// If a report could not be written: it is better known before the run than after it.
    pub fn new(targets: &[ReportTarget], playbooks: &[String]) -> std::io::Result<Self> {
        for target in targets.iter().filter(|target| !target.is_stdout()) {
            check_writable(&target.path)
                .map_err(|error| std::io::Error::new(error.kind(), format!("`{}`: {error}", target.path.display())))?;
        }
        Ok(Self { targets: targets.to_vec(), collector: Collector::new(playbooks) })
    }
}

impl ReportTarget {
    fn is_stdout(&self) -> bool {
        self.path.as_os_str() == "-"
    }

    /// Writes the report: whole, or not at all.
    fn write(&self, history: &RunHistory) -> std::io::Result<()> {
        let text = (self.kind.write)(history);
        if self.is_stdout() {
            crate::block_output::write_pending();
            let mut out = std::io::stdout().lock();
            out.write_all(text.as_bytes())?;
            return out.flush();
        }
        replace_file(&self.path, &text)
    }
}

impl Writer for ReportFiles {
    fn write_event(&mut self, event: &ReportEvent, redactor: &Redactor) -> std::io::Result<()> {
        self.collector.note(event, redactor);
        Ok(())
    }

    fn finish(&mut self, end: &RunClose<'_>, redactor: &Redactor) -> std::io::Result<()> {
        let history = self.collector.finish(end, redactor);
        let results: Vec<_> = self.targets.iter().map(|target| target.write(&history)).collect();
        let summary = self.targets.iter().any(|target| target.kind.name == "github");
        let summary = if summary { add_step_summary(&history) } else { Ok(()) };
        results.into_iter().collect::<std::io::Result<()>>().and(summary)
    }
}

/// Adds the summary to the page of the job, where GitHub Actions names a file for it.
fn add_step_summary(history: &RunHistory) -> std::io::Result<()> {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else { return Ok(()) };
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(markdown::write_run(history).as_bytes())
}

/// Whether a file can be put there.
fn check_writable(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Err(std::io::Error::new(std::io::ErrorKind::IsADirectory, "it is a folder"));
    }
    if is_special(path) {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::tempfile_in(folder).map(|_| ())
}

fn replace_file(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    if is_special(path) {
        return std::fs::write(path, text);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mode = std::fs::Permissions::from_mode(0o666);
    let mut file = tempfile::Builder::new().prefix(".report").permissions(mode).tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map(|_| ()).map_err(|error| error.error)
}

/// A pipe or a device cannot be replaced; it is written to.
fn is_special(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|known| !known.is_file() && !known.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelled_kind_is_named_with_its_neighbour() {
        let error = "junt=a.xml".parse::<ReportTarget>().unwrap_err();
        assert_eq!(error.to_string(), "there is no report `junt`; did you mean `junit`?");
        let error = "junit".parse::<ReportTarget>().unwrap_err().to_string();
        assert!(error.starts_with("expected KIND=FILE; kinds are github, gitlab, html"), "{error}");
    }

    #[test]
    fn kinds_are_sorted() {
        assert!(KINDS.is_sorted_by_key(|kind| kind.name));
    }
}
