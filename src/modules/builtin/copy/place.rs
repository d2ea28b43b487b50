//! Putting one content in its place: what `copy`, `template` and `assemble` end with.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::host::{HostApi, Meta, refuse_special};
use crate::modules::builtin::file::{FileRequest, State};
use crate::modules::builtin::files::attributes::{self, AttributeChanges, Attributes};
use crate::modules::builtin::files::write::FileWriteArgs;
use crate::modules::builtin::files::{describe_path, digest, dir_name, display_path, text};
use crate::modules::{Diff, Failure, ModuleArgs, ModuleOutcome, UnshownSide};
use crate::value::{Dict, Text, Value};

/// The most that a difference shows of a file.
const DIFF_LIMIT: u32 = 104_448;

/// Reasons why the old content is not shown, and why the new.
const UNSHOWN_OLD: [UnshownSide; 2] = [UnshownSide::BinaryDestination, UnshownSide::LargeDestination(DIFF_LIMIT)];
const UNSHOWN_NEW: [UnshownSide; 2] = [UnshownSide::BinarySource, UnshownSide::LargeSource(DIFF_LIMIT)];

/// A content on its way.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// Contents to write.
    pub content: Vec<u8>,
    /// Differences do not show the content: it is vaulted, or derived from a secret.
    pub secret: bool,
    /// The content is derived from a secret, so its digests are: who can guess it can prove it by them.
    pub tainted: bool,
    /// Unknown that the contents wait for.
    pub awaits: Option<String>,
    /// Where it comes from; nothing for a content that stands in the task.
    pub source: Option<PathBuf>,
    /// File name within a folder.
    pub name: String,
    /// The permissions of its source, for `mode: preserve`.
    pub source_bits: Option<u32>,
}

/// How it is put there.
#[derive(Debug, Clone)]
pub struct Placing {
    /// Where to; a folder if that is there or ends with a slash.
    pub dest: String,
    /// Replaces what is there.
    pub force: bool,
    /// Replaces what a link points to instead of the link.
    pub follow: bool,
    /// Owner, group, mode and flags.
    pub attributes: Attributes,
    /// The permissions of folders that are created.
    pub directory_mode: Option<Value>,
    /// Backup and validation.
    pub manner: FileWriteArgs,
    /// The checksum that the content is to have.
    pub checksum: Option<String>,
    /// The module that writes will refuse the arguments. It is not asked where there is nothing to write.
    pub refusal: Option<Failure>,
}

impl Parcel {
    /// Returns a digest of the content as results have it.
    fn digest_value(&self, digest: &str) -> Value {
        let digest = Value::text(digest);
        if self.tainted { digest.into_tainted() } else { digest }
    }
}

impl Placing {
    /// Reads the arguments.
    pub fn from_args(args: &ModuleArgs) -> Self {
        Self {
            dest: args.str("dest").unwrap_or_default().to_owned(),
            force: args.get("force").and_then(Value::as_bool).unwrap_or(true),
            follow: args.bool("follow"),
            attributes: Attributes::from_args(args),
            directory_mode: args.get("directory_mode").cloned(),
            manner: FileWriteArgs::from_args(args),
            checksum: args.str("checksum").map(str::to_owned),
            refusal: None,
        }
    }

    /// The attributes for a parcel: `preserve` is the mode of its source.
    pub fn attributes_for(&self, source_bits: Option<u32>) -> Attributes {
        let preserve = self.attributes.mode.as_ref().and_then(Value::as_str) == Some("preserve");
        let attributes = self.attributes.clone();
        if preserve { attributes.with_mode(source_bits.map(|bits| i64::from(bits).into())) } else { attributes }
    }

    /// Puts a parcel in its place; `None` if something is there that is to stay.
    ///
    /// # Errors
    /// If the folder is not there, the validation refuses, or the system does.
    pub async fn place_parcel(&self, host: &dyn HostApi, parcel: &Parcel) -> Result<Option<ModuleOutcome>, Failure> {
        let mut path = if self.dest.ends_with('/') { join_path(&self.dest, &parcel.name) } else { self.dest.clone() };
        let look = |path: &str| {
            let path = Path::new(path);
            if self.follow { host.stat(path) } else { host.lstat(path) }
        };
        let mut there = look(&path);
        if there.is_some_and(|meta| meta.is_dir()) {
            if parcel.source.is_none() {
                return Err(Failure::new("can not use content with a dir as dest").with("diff", Value::list([])));
            }
            path = join_path(&self.dest, &parcel.name);
            there = look(&path);
        }
        if there.is_some() && !self.force {
            return Ok(None);
        }
        let target = attributes::target_path(host, Path::new(&path), self.follow);
        refuse_special(&target)
            .map_err(|why| Failure::new(format!("Failed to copy to {}: {why}", display_path(&target))))?;
        match &parcel.awaits {
            // Whether it is there already can be said only when it is known.
            Some(awaits) if host.is_dry_run() && there.is_some() => {
                return Ok(Some(ModuleOutcome { undetermined: Some(awaits.clone()), ..ModuleOutcome::default() }));
            }
            Some(awaits) if !host.is_dry_run() => {
                return Err(Failure::new(format!("the content is known to a dry run only: it waits for {awaits}")));
            }
            _ => {}
        }
        let checksum = digest::sha1_hex(&parcel.content);
        if checksum_of(host, Path::new(&path), there).as_deref() == Some(&checksum) {
            let settled = self
                .apply_attributes(host, parcel, &path)
                .map_err(|failure| with_checksum(failure, parcel, &checksum))?;
            return Ok(Some(settled.with("checksum", parcel.digest_value(&checksum))));
        }
        let diff = self.build_diff(host, &path, parcel);
        let written = match &self.refusal {
            Some(refusal) => Err(refusal.clone()),
            None => self.write(host, parcel).await,
        };
        if host.is_dry_run() && !(written.is_err() && host.lacks_folder(&target)) {
            return Ok(Some(ModuleOutcome { changed: true, diff: vec![diff], ..ModuleOutcome::default() }));
        }
        // A failure still shows the difference that would have been written.
        let untold = |failure| with_checksum(failure, parcel, &checksum).with("diff", Value::list([diff.to_value()]));
        let mut outcome = written.map_err(untold)?;
        outcome.diff = vec![diff];
        Ok(Some(outcome))
    }

    /// The content is right already; the attributes may not be.
    fn apply_attributes(&self, host: &dyn HostApi, parcel: &Parcel, path: &str) -> Result<ModuleOutcome, Failure> {
        let path = attributes::target_path(host, Path::new(path), self.follow);
        let attributes = self.attributes_for(parcel.source_bits);
        let outcome = FileRequest::new(path.clone(), State::File, attributes).apply_state(host, &mut |_| {})?;
        Ok(outcome.with("dest", display_path(&path)))
    }

    async fn write(&self, host: &dyn HostApi, parcel: &Parcel) -> Result<ModuleOutcome, Failure> {
        let checksum = digest::sha1_hex(&parcel.content);
        self.compare_checksums(&checksum).map_err(|failure| with_checksum(failure, parcel, &checksum))?;
        let attributes = self.attributes_for(parcel.source_bits);
        let path = self.prepare_destination(host, &parcel.name)?;
        let kept = self.backup_and_validate(host, &path, &parcel.content).await?;
        replace_file(host, &path, parcel, self)?;
        attributes.apply_to_path(
            host,
            &attributes::target_path(host, &path, self.follow),
            &mut AttributeChanges::default(),
        )?;
        let mut data = Dict::new();
        data.set("dest", display_path(&path).into());
        data.set("src", transferred_name().into());
        data.set("md5sum", parcel.digest_value(&digest::md5_hex(&parcel.content)));
        data.set("checksum", parcel.digest_value(&checksum));
        if let Some(kept) = kept {
            data.set("backup_file", kept.into());
        }
        describe_path(&path, &mut data);
        Ok(ModuleOutcome::new(true, data))
    }

    /// Compares a content with the checksum that the task names.
    ///
    /// # Errors
    /// If they differ.
    pub fn compare_checksums(&self, found: &str) -> Result<(), Failure> {
        match &self.checksum {
            Some(expected) if expected != found => {
                Err(Failure::new("Copied file does not match the expected checksum. Transfer failed.")
                    .with("checksum", found)
                    .with("expected_checksum", expected.as_str()))
            }
            _ => Ok(()),
        }
    }

    /// The file to write: within a folder if the destination is one; folders of a destination that ends with a slash are
    /// created.
    ///
    /// # Errors
    /// If the folder is not there, or cannot be written.
    pub fn prepare_destination(&self, host: &dyn HostApi, name: &str) -> Result<PathBuf, Failure> {
        let mut path = self.dest.clone();
        if path.ends_with('/') {
            path = join_path(&path, name);
            self.create_folders(host, dir_name(&path))?;
        }
        if host.is_dir(Path::new(&path)) {
            path = join_path(&path, name);
        }
        if !path.contains('/') {
            path = format!("./{path}");
        }
        let folder = dir_name(&path).to_owned();
        let target = attributes::target_path(host, Path::new(&path), self.follow && host.exists(Path::new(&path)));
        if !host.is_dir(Path::new(&folder)) {
            return Err(Failure::new(format!("Destination directory {folder} does not exist")));
        }
        if !host.is_writable(Path::new(&folder)) && !self.manner.unsafe_writes {
            return Err(Failure::new(format!("Destination {folder} not writable")));
        }
        Ok(target)
    }

    /// Creates a folder and those it is in, with the attributes of folders; says whether any was missing.
    fn create_folders(&self, host: &dyn HostApi, folder: &str) -> Result<bool, Failure> {
        let mut missing = Vec::new();
        let mut current = Some(Path::new(folder));
        while let Some(path) = current.filter(|path| !path.as_os_str().is_empty() && !host.exists(path)) {
            missing.push(path.to_path_buf());
            current = path.parent();
        }
        let attributes = self.attributes.clone().with_mode(self.directory_mode.clone());
        for path in missing.iter().rev() {
            let failed = |error| Failure::new(format!("cannot create the folder {}: {error}", path.display()));
            host.make_dir(path, 0o777).map_err(failed)?;
            attributes.apply_to_path(host, path, &mut AttributeChanges::default())?;
        }
        Ok(!missing.is_empty())
    }

    /// Keeps a copy of what is there and has the new content validated; gives the name of the copy.
    ///
    /// # Errors
    /// If the copy cannot be made, or the validation refuses.
    pub async fn backup_and_validate(
        &self,
        host: &dyn HostApi,
        path: &Path,
        content: &[u8],
    ) -> Result<Option<String>, Failure> {
        let kept = self.manner.back_up_file(host, path)?;
        let suffix = path.extension().map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
        if let Some(said) = self.manner.validate_content(host, content, &suffix).await?.filter(|said| said.rc != 0) {
            return Err(Failure::new("failed to validate")
                .with("exit_status", said.rc)
                .with("stdout", said.stdout)
                .with("stderr", said.stderr));
        }
        Ok(kept)
    }

    fn build_diff(&self, host: &dyn HostApi, path: &str, parcel: &Parcel) -> Diff {
        let mut diff = Diff { listed: true, ..Diff::default() };
        match host.read(Path::new(path)).ok() {
            None => diff.before = Some(Value::text("")),
            Some(old) => {
                if let Some(shown) = diff_side(&old, parcel.secret, UNSHOWN_OLD, &mut diff.unshown) {
                    diff.before = Some(shown);
                    path.clone_into(&mut diff.before_header);
                }
            }
        }
        let shown_after = diff_side(&parcel.content, parcel.secret, UNSHOWN_NEW, &mut diff.unshown);
        if let Some(content) = shown_after {
            diff.after = Some(content);
            diff.after_header = parcel.source.as_deref().map_or_else(|| path.to_owned(), display_path);
        }
        diff
    }
}

/// The temporary name under which Ansible sends a file to the host; the file is gone after the task.
fn transferred_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let home = std::env::home_dir().unwrap_or_default();
    let (seconds, process) = (jiff::Timestamp::now().as_second(), std::process::id());
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    display_path(&home.join(format!(".ansible/tmp/ansible-tmp-{seconds}-{process}-{number}/.source")))
}

/// One side of a difference; nothing, and a note under one of two names, where the content is not text, or too long to
/// be read.
fn diff_side(
    content: &[u8],
    secret: bool,
    [binary, larger]: [UnshownSide; 2],
    notes: &mut Vec<UnshownSide>,
) -> Option<Value> {
    if content.contains(&0) {
        notes.push(binary);
        return None;
    }
    if content.len() > DIFF_LIMIT as usize {
        notes.push(larger);
        return None;
    }
    let text = Text::new_plain(text::for_diff(content));
    Some(Value::Str(if secret { text.into_secret() } else { text }))
}

fn replace_file(host: &dyn HostApi, path: &Path, parcel: &Parcel, placing: &Placing) -> Result<(), Failure> {
    let failed = |error| Failure::new(format!("Failed to copy to {}: {error}", path.display()));
    // A link that is replaced leaves nothing of what it points to.
    if host.is_link(path) {
        host.remove_file(path).map_err(failed)?;
    }
    host.write(path, &parcel.content, placing.manner.write_options()).map_err(failed)
}

fn checksum_of(host: &dyn HostApi, path: &Path, meta: Option<Meta>) -> Option<String> {
    meta.filter(Meta::is_file).and_then(|_| host.read(path).ok()).map(|content| digest::sha1_hex(&content))
}

fn with_checksum(failure: Failure, parcel: &Parcel, checksum: &str) -> Failure {
    match failure.data.contains("checksum") && !parcel.tainted {
        true => failure,
        false => failure.with("checksum", parcel.digest_value(checksum)),
    }
}

/// A name within a folder.
pub fn join_path(folder: &str, name: &str) -> String {
    if folder.ends_with('/') { format!("{folder}{name}") } else { format!("{folder}/{name}") }
}
