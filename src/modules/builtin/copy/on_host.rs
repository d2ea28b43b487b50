//! Sources on the host itself (`remote_src`).

use std::path::Path;

use super::place::{Placing, join_path};
use crate::host::{HostApi, Meta, WriteOptions, umask};
use crate::modules::builtin::files::attributes::{self, AttributeChanges};
use crate::modules::builtin::files::{base_name, describe_path, digest, display_path};
use crate::modules::{Failure, ModuleArgs, ModuleOutcome};
use crate::value::{Dict, Value};
use crate::vars::users;

/// Copies a file or folder of the host.
///
/// # Errors
/// If the source is not there or cannot be read, or the destination cannot be written.
pub async fn copy_on_host(
    args: &ModuleArgs,
    host: &dyn HostApi,
    source: &str,
    placing: &Placing,
) -> Result<ModuleOutcome, Failure> {
    let path = Path::new(source);
    let Some(meta) = host.stat(path) else { return Err(Failure::new(format!("Source {source} not found"))) };
    if !host.is_readable(path) {
        return Err(Failure::new(format!("Source {source} not readable")));
    }
    let content = match (meta.is_file(), meta.is_dir()) {
        (true, _) => Some(host.read(path).map_err(|error| Failure::new(format!("Source {source}: {error}")))?),
        (_, true) => None,
        _ => return Err(Failure::new(format!("Cannot copy invalid source '{source}': not a file"))),
    };
    let checksum = content.as_deref().map(digest::sha1_hex);
    placing.compare_checksums(checksum.as_deref().unwrap_or_default())?;
    let mut data = Dict::new();
    data.set("src", source.into());
    let folder = placing.dest.trim_end_matches('/');
    if host.is_dry_run() && placing.dest.ends_with('/') && !host.exists(Path::new(folder)) {
        let message = format!("dest directory {folder} would be created");
        return Ok(ModuleOutcome::new(true, data).with("msg", message));
    }
    let existed = host.exists(Path::new(&placing.dest));
    let dest = placing.prepare_destination(host, base_name(source))?;
    if host.exists(&dest) && !placing.force {
        data.set("dest", display_path(&dest).into());
        describe_path(&dest, &mut data);
        return Ok(ModuleOutcome::new(false, data).with("msg", "file already exists"));
    }
    let mut changed = !existed && placing.dest.ends_with('/');
    if let Some(content) = &content {
        let file = SourceFile { host, source, meta: &meta, content };
        changed |= file.copy_to(&dest, placing, &mut data).await?;
    } else {
        changed |= folder_to(args, host, source, placing)?;
    }
    let attributes = placing.attributes_for(Some(meta.bits));
    let target = attributes::target_path(host, &dest, placing.follow);
    changed |= attributes.apply_to_path(host, &target, &mut AttributeChanges::default())?;
    data.set("dest", display_path(&dest).into());
    data.set("md5sum", content.as_deref().map(digest::md5_hex).into());
    data.set("checksum", checksum.into());
    describe_path(&dest, &mut data);
    Ok(ModuleOutcome::new(changed, data))
}

/// A file of the host that is copied.
struct SourceFile<'a> {
    host: &'a dyn HostApi,
    source: &'a str,
    meta: &'a Meta,
    content: &'a [u8],
}

impl SourceFile<'_> {
    /// Writes the destination unless it has the content already; says whether it did.
    async fn copy_to(&self, dest: &Path, placing: &Placing, data: &mut Dict) -> Result<bool, Failure> {
        let host = self.host;
        let old = host.is_file(dest).then(|| host.read(dest).ok()).flatten();
        if old.as_deref() == Some(self.content) && !host.is_link(dest) {
            return Ok(false);
        }
        if let Some(kept) = placing.backup_and_validate(host, dest, self.content).await?.filter(|_| !host.is_dry_run())
        {
            data.set("backup_file", kept.into());
        }
        let replaced = host.exists(dest);
        let failed = |error| Failure::new(format!("Failed to copy {} to {}: {error}", self.source, dest.display()));
        if host.is_link(dest) {
            host.remove_file(dest).map_err(failed)?;
        }
        // The copy is like its source, but a new one has what the umask leaves.
        let bits = if replaced { Some(self.meta.bits) } else { Some(0o666 & !umask()) };
        let writing = WriteOptions { bits, ..placing.manner.write_options() };
        host.write(dest, self.content, writing).map_err(failed)?;
        host.set_times(dest, self.meta.atime, self.meta.mtime).map_err(failed)?;
        Ok(true)
    }
}

/// Copies a folder into another, or its content if the source ends with a slash.
fn folder_to(args: &ModuleArgs, host: &dyn HostApi, source: &str, placing: &Placing) -> Result<bool, Failure> {
    let dest = if source.ends_with('/') { placing.dest.clone() } else { join_path(&placing.dest, base_name(source)) };
    let owner = |name: &Option<String>, known: fn(&str) -> Option<u32>| name.as_deref().and_then(known);
    let copier = Copier {
        host,
        follow: args.get("local_follow").and_then(Value::as_bool).unwrap_or(false),
        uid: owner(&placing.attributes.owner, users::user_id),
        gid: owner(&placing.attributes.group, users::group_id),
    };
    if host.exists(Path::new(&dest)) && !host.is_dir(Path::new(&dest)) {
        return Ok(false);
    }
    copier
        .copy_folder(Path::new(source), Path::new(&dest), 0)
        .map_err(|error| Failure::new(format!("Failed to copy {source} to {dest}: {error}")))
}

struct Copier<'a> {
    host: &'a dyn HostApi,
    follow: bool,
    uid: Option<u32>,
    gid: Option<u32>,
}

impl Copier<'_> {
    /// Copies what is missing or different; says whether anything was.
    fn copy_folder(&self, from: &Path, to: &Path, depth: usize) -> std::io::Result<bool> {
        if depth > 512 {
            return Err(std::io::Error::other("too many levels of folders"));
        }
        let mut changed = false;
        if !self.host.exists(to) {
            self.host.make_dirs(to)?;
            self.host.set_bits(to, self.host.metadata(from, true)?.bits)?;
            changed = true;
        }
        for name in self.host.list_folder(from)? {
            let (from, to) = (from.join(&name), to.join(&name));
            if self.host.is_link(&from) && (!self.follow || !self.host.exists(&from)) {
                if self.host.lstat(&to).is_none() {
                    self.host.replace_symlink(&self.host.read_link(&from)?, &to)?;
                    changed = true;
                }
            } else if self.host.is_dir(&from) {
                changed |= self.copy_folder(&from, &to, depth + 1)?;
            } else if self.host.is_file(&from) {
                let content = self.host.read(&from)?;
                if !self.host.read(&to).is_ok_and(|old| old == content) {
                    let bits = Some(self.host.metadata(&from, true)?.bits);
                    self.host.write(&to, &content, WriteOptions { bits, unsafe_writes: false })?;
                    changed = true;
                }
            }
            changed |= self.set_owner(&to)?;
        }
        Ok(self.set_owner(to)? || changed)
    }

    fn set_owner(&self, path: &Path) -> std::io::Result<bool> {
        let Some(meta) = self.host.lstat(path) else { return Ok(false) };
        let (uid, gid) = (self.uid.filter(|uid| *uid != meta.uid), self.gid.filter(|gid| *gid != meta.gid));
        if uid.is_none() && gid.is_none() {
            return Ok(false);
        }
        self.host.set_owner(path, uid, gid)?;
        Ok(true)
    }
}
