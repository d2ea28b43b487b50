//! What `lineinfile`, `blockinfile` and `replace` have in common around their edits.

use std::path::Path;

use super::files::attributes::{self, AttributeChanges, Attributes};
use super::files::text;
use super::files::write::FileWriteArgs;
use crate::host::HostApi;
use crate::modules::{Diff, Failure, ModuleArgs, ModuleOutcome, TaskContext};
use crate::value::Value;

/// An edited file before it is written.
#[derive(Debug, Clone)]
pub struct Edited {
    /// Present contents; `None` if there is no file.
    pub old: Option<Vec<u8>>,
    /// Desired contents.
    pub new: Vec<u8>,
    /// Whether the edit did anything.
    pub changed: bool,
    /// Summary of the edit.
    pub message: String,
}

/// Refuses a folder where a file is meant.
pub fn refuse_folder(host: &dyn HostApi, path: &Path) -> Result<(), Failure> {
    if host.is_dir(path) {
        return Err(Failure::new(format!("Path {} is a directory !", path.display())).with("rc", 256));
    }
    Ok(())
}

/// The content of a file; `None` if it is not there.
pub fn read_file(host: &dyn HostApi, path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    if !host.exists(path) {
        return Ok(None);
    }
    let unread = |error| Failure::new(format!("Unable to read the contents of {}: {error}", path.display()));
    host.read(path).map(Some).map_err(unread)
}

/// The difference between two contents under one heading.
pub fn content_diff(header: &str, before: &[u8], after: &[u8]) -> Diff {
    Diff {
        before_header: header.to_owned(),
        after_header: header.to_owned(),
        before: Some(text::for_diff(before).into()),
        after: Some(text::for_diff(after).into()),
        ..Diff::default()
    }
}

/// Validates, keeps a copy, writes; gives the name of the copy.
pub async fn write_edited(
    args: &ModuleArgs,
    host: &dyn HostApi,
    path: &Path,
    edited: &Edited,
) -> Result<Option<String>, Failure> {
    let manner = FileWriteArgs::from_args(args);
    let kept = manner.back_up_file(host, path)?;
    if let Some(said) = manner.validate_content(host, &edited.new, "").await?.filter(|said| said.rc != 0) {
        return Err(Failure::new(format!("failed to validate: rc:{} error:{}", said.rc, said.stderr)));
    }
    // The file behind a link is changed, not the link.
    let real = host.real_path(path);
    host.write(&real, &edited.new, manner.write_options())
        .map_err(|error| Failure::new(format!("cannot write {}: {error}", real.display())))?;
    Ok(kept)
}

/// Sets the attributes that the task names, and adds that to the message.
pub fn set_attributes(
    args: &ModuleArgs,
    host: &dyn HostApi,
    path: &Path,
    edited: &mut Edited,
    changes: &mut AttributeChanges,
) -> Result<(), Failure> {
    if Attributes::from_args(args).apply_to_path(host, path, changes)? {
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
pub async fn finish_edit(
    args: &ModuleArgs,
    context: &TaskContext<'_>,
    path: &Path,
    mut edited: Edited,
    backup_key: Option<&str>,
) -> Result<ModuleOutcome, Failure> {
    let host = context.host;
    let shown = attributes::display_path(path);
    let (before, after) = match context.diff {
        true => (edited.old.as_deref().unwrap_or_default(), &edited.new[..]),
        false => (&b""[..], &b""[..]),
    };
    let content = content_diff(&format!("{shown} (content)"), before, after);
    let created = edited.old.is_none();
    let mut kept = None;
    if edited.changed {
        if let Some(folder) = path.parent().filter(|folder| created && *folder != Path::new("") && !host.exists(folder))
        {
            let failed = |error| Failure::new(format!("Error creating {} ({error})", folder.display()));
            host.make_dirs(folder).map_err(failed)?;
        }
        kept = write_edited(args, host, path, &edited).await?;
    }
    let mut diff = vec![content];
    if !(created && host.is_dry_run()) {
        let mut changes = AttributeChanges::default();
        set_attributes(args, host, path, &mut edited, &mut changes)?;
        diff.push(changes.into_diff(&format!("{shown} (file attributes)")));
    }
    if host.is_dry_run() {
        kept = None;
    }
    let mut outcome = ModuleOutcome { changed: edited.changed, ..ModuleOutcome::default() }.with("msg", edited.message);
    if context.diff {
        outcome.diff = diff;
    } else {
        // Ansible lists the changed attributes even where no difference is asked for.
        outcome.data.set("diff", Value::list(diff.iter().map(Diff::to_value)));
    }
    match (backup_key, kept) {
        (Some(key), kept) => outcome.data.set(key, Value::text(kept.unwrap_or_default())),
        (None, Some(kept)) => outcome.data.set("backup_file", Value::text(kept)),
        (None, None) => {}
    }
    Ok(outcome)
}
