//! What `lineinfile`, `blockinfile` and `replace` have in common around their edits.

use std::path::Path;

use super::files::attributes::{self, Attributes, Changes};
use super::files::write::Manner;
use super::files::{Disk, text};
use crate::modules::{Args, Diff, Failure, Outcome, TaskContext};
use crate::value::Value;

/// An edited file before it is written.
#[derive(Debug, Clone)]
pub struct Edited {
    /// What is there; `None` if there is no file.
    pub old: Option<Vec<u8>>,
    /// What is to be there.
    pub new: Vec<u8>,
    /// Whether the edit did anything.
    pub changed: bool,
    /// What it did.
    pub message: String,
}

/// Refuses a folder where a file is meant.
pub fn refuse_folder(disk: Disk, path: &Path) -> Result<(), Failure> {
    if disk.is_dir(path) {
        return Err(Failure::new(format!("Path {} is a directory !", path.display())).with("rc", 256));
    }
    Ok(())
}

/// The content of a file; `None` if it is not there.
pub fn read(disk: Disk, path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    if !disk.exists(path) {
        return Ok(None);
    }
    let unread = |error| Failure::new(format!("Unable to read the contents of {}: {error}", path.display()));
    disk.read(path).map(Some).map_err(unread)
}

/// The difference between two contents under one heading.
pub fn content_diff(header: &str, before: &[u8], after: &[u8]) -> Diff {
    Diff {
        before_header: header.to_owned(),
        after_header: header.to_owned(),
        before: text::for_diff(before).into(),
        after: text::for_diff(after).into(),
        prepared: None,
    }
}

/// Validates, keeps a copy, writes; gives the name of the copy.
pub async fn write(args: &Args, disk: Disk, path: &Path, edited: &Edited) -> Result<Option<String>, Failure> {
    let manner = Manner::of(args);
    let kept = manner.keep(disk, path)?;
    if let Some(said) = manner.validate(disk, &edited.new, "").await?.filter(|said| said.rc != 0) {
        return Err(Failure::new(format!("failed to validate: rc:{} error:{}", said.rc, said.stderr)));
    }
    // The file behind a link is changed, not the link.
    let real = disk.real_path(path);
    disk.write(&real, &edited.new, manner.writing())
        .map_err(|error| Failure::new(format!("cannot write {}: {error}", real.display())))?;
    Ok(kept)
}

/// Sets the attributes that the task names, and adds that to the message.
pub fn set_attributes(
    args: &Args,
    disk: Disk,
    path: &Path,
    edited: &mut Edited,
    changes: &mut Changes,
) -> Result<(), Failure> {
    if Attributes::of(args).apply(disk, path, changes)? {
        if edited.changed {
            edited.message.push_str(" and ");
        }
        edited.changed = true;
        edited.message.push_str("ownership, perms or SE linux context changed");
    }
    Ok(())
}

/// Writes the edited file if the edit did anything, sets attributes, and gives the result. The name of the copy stands
/// under `backup_key` even if there is none, or under `backup_file` if there is one.
pub async fn finish(
    args: &Args,
    context: &TaskContext<'_>,
    path: &Path,
    mut edited: Edited,
    backup_key: Option<&str>,
) -> Result<Outcome, Failure> {
    let disk = Disk::of(context);
    let shown = attributes::shown(path);
    let content = content_diff(&format!("{shown} (content)"), edited.old.as_deref().unwrap_or_default(), &edited.new);
    let created = edited.old.is_none();
    let mut kept = None;
    if edited.changed {
        if let Some(folder) = path.parent().filter(|folder| created && *folder != Path::new("") && !disk.exists(folder))
        {
            let failed = |error| Failure::new(format!("Error creating {} ({error})", folder.display()));
            disk.make_dirs(folder).map_err(failed)?;
        }
        kept = write(args, disk, path, &edited).await?;
    }
    let mut diff = vec![content];
    if !(created && disk.is_dry()) {
        let mut changes = Changes::default();
        set_attributes(args, disk, path, &mut edited, &mut changes)?;
        diff.push(changes.into_diff(&format!("{shown} (file attributes)")));
    }
    if disk.is_dry() {
        kept = None;
    }
    let mut outcome = Outcome { changed: edited.changed, diff, ..Outcome::default() }.with("msg", edited.message);
    match (backup_key, kept) {
        (Some(key), kept) => outcome.data.set(key, Value::text(kept.unwrap_or_default())),
        (None, Some(kept)) => outcome.data.set("backup_file", Value::text(kept)),
        (None, None) => {}
    }
    Ok(outcome)
}
