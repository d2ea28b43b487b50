//! Owner, group, mode and flags of a path: brought to what a task asks for.

use std::path::{Path, PathBuf};

use super::mode::{self, Current};
use crate::host::{HostApi, Meta, umask};
use crate::modules::{Diff, Failure, ModuleArgs};
use crate::value::{Dict, Value, python};
use crate::vars::users;

/// Requested attributes; absent ones stay as they are.
#[derive(Debug, Clone, Default)]
pub struct Attributes {
    /// The permissions, octal or symbolic.
    pub mode: Option<Value>,
    /// The owner, by name or number.
    pub owner: Option<String>,
    /// The group, by name or number.
    pub group: Option<String>,
    /// Flags as `chattr` takes them.
    pub flags: Option<String>,
}

/// Fields before and after, as `--diff` shows them.
#[derive(Debug, Clone, Default)]
pub struct AttributeChanges {
    before: Dict,
    after: Dict,
}

impl AttributeChanges {
    /// The difference that every change of a path begins with.
    pub fn of_path(path: &Path) -> Self {
        let mut changes = Self::default();
        changes.note_change("path", display_path(path), display_path(path));
        changes
    }

    /// Notes a field.
    pub fn note_change(&mut self, field: &str, before: impl Into<Value>, after: impl Into<Value>) {
        self.note_before(field, before);
        self.after.set(field, after.into());
    }

    /// Notes a field that is gone afterwards.
    pub fn note_before(&mut self, field: &str, before: impl Into<Value>) {
        self.before.set(field, before.into());
    }

    /// The difference under a heading.
    pub fn into_diff(self, header: &str) -> Diff {
        let side = |fields: Dict| (!fields.is_empty()).then(|| fields.into());
        Diff {
            before_header: header.to_owned(),
            after_header: header.to_owned(),
            before: side(self.before),
            after: side(self.after),
            ..Diff::default()
        }
    }
}

impl Attributes {
    /// The attributes among the arguments.
    pub fn from_args(args: &ModuleArgs) -> Self {
        let text = |name: &str| args.get(name).map(python::str);
        Self { mode: args.get("mode").cloned(), owner: text("owner"), group: text("group"), flags: text("attributes") }
    }

    /// The same with another mode.
    #[must_use]
    pub fn with_mode(self, mode: Option<Value>) -> Self {
        Self { mode, ..self }
    }

    /// Brings a path to what is asked for, links not followed, and says whether anything was changed.
    ///
    /// # Errors
    /// For an unknown owner or group, an invalid mode, and a refusal of the system.
    pub fn apply_to_path(
        &self,
        host: &dyn HostApi,
        path: &Path,
        changes: &mut AttributeChanges,
    ) -> Result<bool, Failure> {
        if self.owner.is_none() && self.group.is_none() && self.mode.is_none() && self.flags.is_none() {
            return Ok(false);
        }
        let meta = match host.metadata(path, false) {
            Ok(meta) => meta,
            // A file that the dry run only predicts has no attributes to compare.
            Err(_) if host.is_dry_run() => return Ok(true),
            Err(error) => return Err(path_failure(path, error.to_string())),
        };
        let mut changed = false;
        if let Some(owner) = &self.owner {
            let uid = users::user_id(owner)
                .ok_or_else(|| path_failure(path, format!("chown failed: failed to look up user {owner}")))?;
            if uid != meta.uid {
                changes.note_change("owner", meta.uid, uid);
                host.set_owner(path, Some(uid), None).map_err(|_| path_failure(path, "chown failed"))?;
                changed = true;
            }
        }
        if let Some(group) = &self.group {
            let gid = users::group_id(group)
                .ok_or_else(|| path_failure(path, format!("chgrp failed: failed to look up group {group}")))?;
            if gid != meta.gid {
                changes.note_change("group", meta.gid, gid);
                host.set_owner(path, None, Some(gid)).map_err(|_| path_failure(path, "chgrp failed"))?;
                changed = true;
            }
        }
        if let Some(wanted) = &self.mode {
            changed |= set_mode(host, path, wanted, changes)?;
        }
        if let Some(flags) = &self.flags {
            changed |= set_flags(host, path, flags, changes)?;
        }
        Ok(changed)
    }
}

fn set_mode(host: &dyn HostApi, path: &Path, wanted: &Value, changes: &mut AttributeChanges) -> Result<bool, Failure> {
    let Some(meta) = host.lstat(path) else { return Ok(host.is_dry_run()) };
    let current = Current { bits: meta.bits, is_dir: meta.is_dir(), umask: umask() };
    let bits = mode::resolve_mode(wanted, current)
        .map_err(|bad| path_failure(path, "mode must be in octal or symbolic form").with("details", bad.to_string()))?;
    if bits == meta.bits {
        return Ok(false);
    }
    changes.note_change("mode", mode::display_bits(meta.bits), mode::display_bits(bits));
    // Links have no permissions of their own here, which Ansible finds out by trying.
    if meta.is_link() {
        return Ok(host.is_dry_run());
    }
    host.set_bits(path, bits).map_err(|error| path_failure(path, "chmod failed").with("details", error.to_string()))?;
    // A file system without permissions takes the call and changes nothing.
    Ok(host.is_dry_run() || host.lstat(path).is_none_or(|now| now.bits != meta.bits))
}

/// `+i`, `-a`, `=e` or plain letters, which mean the same as with an equals sign.
fn set_flags(host: &dyn HostApi, path: &Path, asked: &str, changes: &mut AttributeChanges) -> Result<bool, Failure> {
    let (operator, letters) = match asked.chars().next() {
        Some(sign @ ('+' | '-' | '=')) => (sign, &asked[1..]),
        _ => ('=', asked),
    };
    let existing = host.file_flags(path).map(|flags| flags.letters).unwrap_or_default();
    if letters.is_empty() || existing == letters && operator != '-' {
        return Ok(false);
    }
    if host.find_program("chattr").is_none() {
        return Ok(false);
    }
    let flags = format!("{operator}{letters}");
    changes.note_change("attributes", existing, flags.as_str());
    host.set_flags(path, &flags).map_err(|trouble| {
        path_failure(path, "chattr failed").with("details", format!("Error while setting attributes: {trouble}"))
    })?;
    Ok(true)
}

/// Returns the names of `lsattr` letters.
pub fn flag_names(letters: &str) -> Vec<&'static str> {
    letters
        .chars()
        .filter_map(|letter| {
            Some(match letter {
                'A' => "noatime",
                'a' => "append",
                'c' => "compressed",
                'C' => "nocow",
                'd' => "nodump",
                'D' => "dirsync",
                'e' => "extents",
                'E' => "encrypted",
                'h' => "blocksize",
                'i' => "immutable",
                'I' => "indexed",
                'j' => "journalled",
                'N' => "inline",
                's' => "zero",
                'S' => "synchronous",
                't' => "notail",
                'T' => "blockroot",
                'u' => "undelete",
                'X' => "compressedraw",
                'Z' => "compresseddirty",
                _ => return None,
            })
        })
        .collect()
}

/// Adds what results say of the path they are about: owner, group, mode, size and state. In a dry run that is what is
/// there now.
pub fn describe_path(path: &Path, result: &mut Dict) {
    // Looked at from outside of what the run foretells.
    let Some(meta) = std::fs::metadata(path).and_then(|_| std::fs::symlink_metadata(path)).ok() else { return };
    let meta = Meta::from(meta);
    let named = |name: Option<String>, id: u32| Value::text(name.unwrap_or_else(|| id.to_string()));
    result.set("uid", meta.uid.into());
    result.set("gid", meta.gid.into());
    result.set("owner", named(users::user_name(meta.uid), meta.uid));
    result.set("group", named(users::group_name(meta.gid), meta.gid));
    result.set("mode", mode::display_bits(meta.bits).into());
    result.set("state", meta.state_name().into());
    result.set("size", meta.size.into());
}

/// The path that attributes are set on: the target of a link if links are followed.
pub fn target_path(host: &dyn HostApi, path: &Path, follow: bool) -> PathBuf {
    if follow && host.is_link(path) { host.real_path(path) } else { path.to_path_buf() }
}

/// A failure that names the path.
pub fn path_failure(path: &Path, message: impl Into<String>) -> Failure {
    let mut failure = Failure::new(message).with("path", display_path(path));
    describe_path(path, &mut failure.data);
    failure
}

/// A path as results show it.
pub fn display_path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::builtin::files::testing::Folder;

    fn mode(text: &str) -> Attributes {
        Attributes { mode: Some(text.into()), ..Attributes::default() }
    }

    #[test]
    fn a_mode_is_set_once() {
        let folder = Folder::new();
        let file = folder.write("f", "");
        let host = folder.host();
        host.set_bits(&file, 0o644).unwrap();
        let mut changes = AttributeChanges::default();
        assert!(mode("u=rw,go=").apply_to_path(host, &file, &mut changes).unwrap());
        assert_eq!(host.lstat(&file).unwrap().bits, 0o600);
        let diff = changes.into_diff("f");
        assert_eq!(diff.before, Some(Value::dict([("mode", "0644".into())])));
        assert_eq!(diff.after, Some(Value::dict([("mode", "0600".into())])));
        assert!(!mode("0600").apply_to_path(host, &file, &mut AttributeChanges::default()).unwrap());
    }

    #[test]
    fn a_dry_run_says_what_would_change() {
        let folder = Folder::new();
        let file = folder.write("f", "");
        folder.host().set_bits(&file, 0o644).unwrap();
        assert!(mode("0600").apply_to_path(folder.dry(), &file, &mut AttributeChanges::default()).unwrap());
        assert_eq!(folder.host().lstat(&file).unwrap().bits, 0o644);
        assert!(
            mode("0600")
                .apply_to_path(folder.dry(), &folder.path().join("new"), &mut AttributeChanges::default())
                .unwrap()
        );
    }

    #[test]
    fn bad_modes_and_owners_are_told() {
        let folder = Folder::new();
        let file = folder.write("f", "");
        let failure = mode("99zz").apply_to_path(folder.host(), &file, &mut AttributeChanges::default()).unwrap_err();
        assert_eq!(failure.message, "mode must be in octal or symbolic form");
        assert_eq!(failure.data.get("details"), Some(&"bad symbolic permission for mode: 99zz".into()));
        assert_eq!(failure.data.get("state"), Some(&"file".into()));
        let owner = Attributes { owner: Some("no such user".into()), ..Attributes::default() };
        let failure = owner.apply_to_path(folder.host(), &file, &mut AttributeChanges::default()).unwrap_err();
        assert_eq!(failure.message, "chown failed: failed to look up user no such user");
    }

    #[test]
    fn flags_have_names() {
        assert_eq!(flag_names("ie-"), ["immutable", "extents"]);
    }
}
