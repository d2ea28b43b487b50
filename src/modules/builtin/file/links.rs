//! Links: symbolic ones, and further names of a file.

use std::path::{Path, PathBuf};

use super::{FileRequest, State, described_outcome, path_outcome, state_changes};
use crate::host::HostApi;
use crate::modules::builtin::files::{attributes, describe_path, display_path, path_failure};
use crate::modules::{Failure, ModuleOutcome};

/// A symbolic link.
pub fn apply_symlink(
    request: &FileRequest,
    host: &dyn HostApi,
    now: &str,
    warn: &mut dyn FnMut(String),
) -> Result<ModuleOutcome, Failure> {
    let path = &request.path;
    let source = match &request.source {
        None if request.follow && host.exists(path) && now == "link" => {
            host.read_link(path).ok().map(|target| display_path(&target))
        }
        source => source.clone(),
    };
    if let Some(source) = source.as_ref().filter(|_| !request.force) {
        check_source(path, source, host)?;
    }
    refuse_to_replace(request, host, now)?;
    let mut changes = state_changes(path, State::Link, now);
    let changed = match (now, &source) {
        ("link", None) => false,
        ("link", Some(source)) => {
            let old = host.read_link(path).map(|target| display_path(&target)).unwrap_or_default();
            if old != *source {
                changes.note_change("src", old.as_str(), source.as_str());
            }
            old != *source
        }
        (_, None) => return Err(Failure::new("src is required for creating new symlinks")),
        (_, Some(_)) => true,
    };
    if let Some(source) = source.as_ref().filter(|_| changed) {
        let doing = if now == "absent" { "linking" } else { "replacing" };
        let failed = |error| path_failure(path, format!("Error while {doing}: {error}"));
        if now == "directory" {
            host.remove_dir(path).map_err(failed)?;
        }
        host.replace_symlink(Path::new(source), path).map_err(failed)?;
    }
    if host.is_dry_run() && !host.exists(path) {
        let outcome = path_outcome("dest", path, changed, Some(changes));
        return Ok(with_source(outcome, source));
    }
    let target = attributes::target_path(host, path, request.follow);
    let mut adjusted = false;
    if request.follow && host.is_link(path) && !host.exists(&target) {
        warn(
            "Cannot set fs attributes on a non-existent symlink target. follow should be set to False to avoid this."
                .to_owned(),
        );
    } else {
        adjusted = request.adjust_metadata(host, &target, &mut changes)?;
    }
    Ok(with_source(described_outcome("dest", path, changed || adjusted, changes), source))
}

/// Refuses a link to nothing.
fn check_source(path: &Path, source: &str, host: &dyn HostApi) -> Result<(), Failure> {
    let absolute = folder_of(host, path).join(source);
    if host.exists(&absolute) {
        return Ok(());
    }
    let message = format!(
        "src file does not exist, use 'force=yes' if you really want to create the link: {}",
        absolute.display()
    );
    Err(path_failure(path, message).with("src", source))
}

/// The folder that a relative target starts from.
fn folder_of(host: &dyn HostApi, path: &Path) -> PathBuf {
    if !host.is_link(path) && host.is_dir(path) {
        return path.to_path_buf();
    }
    path.parent().map(Path::to_path_buf).unwrap_or_default()
}

fn refuse_to_replace(request: &FileRequest, host: &dyn HostApi, now: &str) -> Result<(), Failure> {
    let path = &request.path;
    match now {
        "directory" | "file" | "hard" if !request.force => {
            Err(path_failure(path, format!("refusing to convert from {now} to symlink for {}", path.display())))
        }
        "directory" if host.list_folder(path).is_ok_and(|names| !names.is_empty()) => {
            Err(path_failure(path, format!("the directory {} is not empty, refusing to convert it", path.display())))
        }
        _ => Ok(()),
    }
}

/// Another name of a file.
pub fn apply_hard_link(request: &FileRequest, host: &dyn HostApi, now: &str) -> Result<ModuleOutcome, Failure> {
    let path = &request.path;
    let Some(source) = &request.source else {
        if now != "hard" {
            return Err(Failure::new("src is required for creating new hardlinks"));
        }
        let mut changes = state_changes(path, State::Hard, now);
        let changed = request.adjust_metadata(host, path, &mut changes)?;
        return Ok(with_source(described_outcome("dest", path, changed, changes), None));
    };
    let refuse = |message: &str| {
        let mut failure = Failure::new(message).with("dest", display_path(path)).with("src", source.as_str());
        describe_path(path, &mut failure.data);
        failure
    };
    let Some(original) = host.stat(Path::new(source)) else { return Err(refuse("src does not exist")) };
    let same = host.stat(path).is_some_and(|meta| (meta.dev, meta.inode) == (original.dev, original.inode));
    let mut changes = state_changes(path, State::Hard, now);
    let changed = match now {
        "absent" => true,
        "link" => {
            let old = host.read_link(path).map(|target| display_path(&target)).unwrap_or_default();
            if old != *source {
                changes.note_change("src", old.as_str(), source.as_str());
            }
            old != *source
        }
        "hard" if same => false,
        "hard" if !request.force => {
            return Err(refuse("Cannot link, different hard link exists at destination"));
        }
        "directory" if same => return Ok(path_outcome("path", path, false, None)),
        "directory" if !request.force => {
            return Err(refuse("Cannot link: different hard link exists at destination"));
        }
        "file" if !request.force => return Err(refuse("Cannot link, file exists at destination")),
        _ => true,
    };
    if changed {
        let doing = if now == "absent" { "linking" } else { "replacing" };
        let original = if request.follow { host.real_path(Path::new(source)) } else { PathBuf::from(source) };
        host.hard_link(&original, path).map_err(|error| path_failure(path, format!("Error while {doing}: {error}")))?;
    }
    if host.is_dry_run() && !host.exists(path) {
        return Ok(with_source(path_outcome("dest", path, changed, Some(changes)), Some(source.clone())));
    }
    let adjusted = request.adjust_metadata(host, path, &mut changes)?;
    Ok(with_source(described_outcome("dest", path, changed || adjusted, changes), Some(source.clone())))
}

fn with_source(outcome: ModuleOutcome, source: Option<String>) -> ModuleOutcome {
    outcome.with("src", source)
}
