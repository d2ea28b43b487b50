//! `file`: files, folders and links, and their attributes.

mod links;
mod times;

use std::path::{Path, PathBuf};

use super::files::attributes::{self, AttributeChanges};
use super::files::{Attributes, COMMON, base_name, describe_path, display_path, path_failure};
use crate::host::HostApi;
use crate::modules::spec::{Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::value::{Dict, Value};
use crate::vars::users;
use times::Times;

static SPEC: Spec = Spec::new("ansible.builtin.file", "Manages files, folders, links and their attributes.")
    .examples(include_str!("../examples/file.yml"))
    .makes_folder("state", "directory")
    .params(&[
        &[
            Param::str("state", "Desired state of the path.").choices(&[
                "absent",
                "directory",
                "file",
                "hard",
                "link",
                "touch",
            ]),
            Param::path("path", "Path.").aliases(&["dest", "name"]).required(),
            Param::str("_original_basename", "For internal use.").hidden(),
            Param::bool("recurse", "Set attributes of all contents of a folder, too.").default("false"),
            Param::bool("force", "Create links without a target, and links that replace files.").default("false"),
            Param::bool("follow", "Set attributes of a link's target.").default("true"),
            Param::new("_diff_peek", ParamKind::Bool, "For internal use.").hidden(),
            Param::path("src", "Target of the link."),
            Param::str("modification_time", "Modification time: `preserve`, `now`, or a time."),
            Param::str("modification_time_format", "Format of the time.").default("%Y%m%d%H%M.%S"),
            Param::str("access_time", "Access time: `preserve`, `now`, or a time."),
            Param::str("access_time_format", "Format of the time.").default("%Y%m%d%H%M.%S"),
        ],
        COMMON,
    ]);

/// The module.
pub struct File;

impl TaskModule for File {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move {
            let request = FileRequest::from_args(args)?;
            let host = context.host;
            warn_of_unknown_owners(&request, host, context);
            request.apply_state(host, &mut |warning| context.warn(warning))
        })
    }
}

/// A dry run goes on where an owner or group is missing that an earlier task may create.
fn warn_of_unknown_owners(request: &FileRequest, host: &dyn HostApi, context: &TaskContext<'_>) {
    if !host.is_dry_run() || request.state == Some(State::Absent) {
        return;
    }
    type Id = fn(&str) -> Option<u32>;
    type Name = fn(u32) -> Option<String>;
    let check = |given: &Option<String>, what: &str, number: &str, id: Id, name: Name| {
        let Some(given) = given.as_deref() else { return };
        let (known, named) = match given.trim().parse() {
            Ok(found) => (name(found).is_some(), format!("{what} with {number}")),
            Err(_) => (id(given).is_some(), what.to_owned()),
        };
        if !known {
            context.warn(format!("failed to look up {named} {given}. Create {what} up to this point in real play"));
        }
    };
    check(&request.attributes.owner, "user", "uid", users::user_id, users::user_name);
    check(&request.attributes.group, "group", "gid", users::group_id, users::group_name);
}

/// Desired state of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    Absent,
    /// A folder.
    Directory,
    /// A file that is there already.
    File,
    /// Another name of a file.
    Hard,
    /// A symbolic link.
    Link,
    /// A file that was written just now.
    Touch,
}

impl State {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "absent" => Self::Absent,
            "directory" => Self::Directory,
            "file" => Self::File,
            "hard" => Self::Hard,
            "link" => Self::Link,
            "touch" => Self::Touch,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Directory => "directory",
            Self::File => "file",
            Self::Hard => "hard",
            Self::Link => "link",
            Self::Touch => "touch",
        }
    }
}

/// A task's request for a path.
#[derive(Debug, Clone)]
pub struct FileRequest {
    /// The path.
    pub path: PathBuf,
    /// The state; what it is, if nothing is said.
    pub state: Option<State>,
    /// Target of a link, as written.
    pub source: Option<String>,
    /// Attributes for everything in a folder.
    pub recurse: bool,
    /// Links to nothing, links in place of files.
    pub force: bool,
    /// Attributes of what a link points to.
    pub follow: bool,
    /// Owner, group, mode and flags.
    pub attributes: Attributes,
    times: Times,
}

impl FileRequest {
    /// A request for a state with some attributes.
    pub fn new(path: impl Into<PathBuf>, state: State, attributes: Attributes) -> Self {
        Self {
            path: path.into(),
            state: Some(state),
            source: None,
            recurse: false,
            force: false,
            follow: true,
            attributes,
            times: Times::default(),
        }
    }

    fn from_args(args: &ModuleArgs) -> Result<Self, Failure> {
        let state = args.str("state").and_then(State::from_name);
        Ok(Self {
            path: args.str("path").unwrap_or_default().into(),
            state,
            source: args.str("src").filter(|source| !source.is_empty()).map(str::to_owned),
            recurse: args.bool("recurse"),
            force: args.bool("force"),
            follow: args.get("follow").and_then(Value::as_bool).unwrap_or(true),
            attributes: Attributes::from_args(args),
            times: Times::from_args(args, state == Some(State::Touch))?,
        })
    }

    /// Brings the path to the state.
    ///
    /// # Errors
    /// As the states do, in the reference's words.
    pub fn apply_state(mut self, host: &dyn HostApi, warn: &mut dyn FnMut(String)) -> Result<ModuleOutcome, Failure> {
        if !matches!(self.state, Some(State::Link | State::Absent))
            && host.is_dir(&self.path)
            && let Some(source) = &self.source
        {
            self.path.push(base_name(source));
        }
        let now = state_of(host, &self.path);
        let state = self.state.unwrap_or(match State::from_name(now) {
            Some(State::Absent) | None if self.recurse => State::Directory,
            Some(State::Absent) | None => State::File,
            Some(state) => state,
        });
        if self.recurse && state != State::Directory {
            return Err(path_failure(&self.path, "recurse option requires state to be 'directory'"));
        }
        if self.source.is_some() && !matches!(state, State::Link | State::Hard) {
            return Err(path_failure(&self.path, "src option requires state to be 'link' or 'hard'"));
        }
        match state {
            State::Absent => self.remove_path(host, now),
            State::Directory => self.make_directory(host),
            State::File => self.adjust_file(host),
            State::Touch => self.touch_file(host, now),
            State::Link => links::apply_symlink(&self, host, now, warn),
            State::Hard => links::apply_hard_link(&self, host, now),
        }
    }

    fn remove_path(&self, host: &dyn HostApi, now: &str) -> Result<ModuleOutcome, Failure> {
        if now == "absent" {
            return Ok(path_outcome("path", &self.path, false, None).with("state", "absent"));
        }
        let mut changes = state_changes(&self.path, State::Absent, now);
        if now == "directory" {
            changes.note_before("path_content", content_of(host, &self.path));
        }
        let mut found = Dict::new();
        found.set("state", "absent".into());
        if host.is_dry_run() {
            describe_path(&self.path, &mut found);
        }
        if now == "directory" {
            host.remove_tree(&self.path).map_err(|error| Failure::new(format!("rmtree failed: {error}")))?;
        } else if let Err(error) = host.remove_file(&self.path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(path_failure(&self.path, "Unlinking failed."));
        }
        let mut outcome = path_outcome("path", &self.path, true, Some(changes));
        outcome.data.extend(&found);
        Ok(outcome)
    }

    fn adjust_file(&self, host: &dyn HostApi) -> Result<ModuleOutcome, Failure> {
        let path = attributes::target_path(host, &self.path, self.follow);
        let now = state_of(host, &path);
        if !matches!(now, "file" | "hard") {
            let message = format!("file ({}) is {now}, cannot continue", path.display());
            let mut failure = Failure::new(message).with("path", display_path(&path)).with("state", now);
            describe_path(&path, &mut failure.data);
            return Err(failure);
        }
        let mut changes = state_changes(&path, State::File, now);
        let changed = self.adjust_metadata(host, &path, &mut changes)?;
        Ok(described_outcome("path", &path, changed, changes))
    }

    fn touch_file(&self, host: &dyn HostApi, now: &str) -> Result<ModuleOutcome, Failure> {
        let failed = |_| Failure::new("Error, could not touch target.").with("path", display_path(&self.path));
        let mut changes = state_changes(&self.path, State::Touch, now);
        if now == "absent" {
            host.create_file(&self.path).map_err(failed)?;
            if host.is_dry_run() {
                return Ok(path_outcome("dest", &self.path, true, Some(changes)));
            }
        }
        let path = attributes::target_path(host, &self.path, self.follow);
        let adjusted = self.adjust_metadata(host, &path, &mut changes).inspect_err(|_| {
            if now == "absent" {
                let _ = host.remove_file(&self.path);
            }
        });
        let changed = adjusted? || now == "absent";
        Ok(described_outcome("dest", &self.path, changed, changes))
    }

    fn make_directory(&self, host: &dyn HostApi) -> Result<ModuleOutcome, Failure> {
        let path = attributes::target_path(host, &self.path, self.follow);
        let now = state_of(host, &path);
        let mut changes = state_changes(&path, State::Directory, now);
        match now {
            "absent" => {
                self.create_folders(host, &path, &mut changes)?;
                Ok(described_outcome("path", &path, true, changes))
            }
            "directory" => {
                let mut changed = self.adjust_metadata(host, &path, &mut changes)?;
                if self.recurse {
                    changed |= self.adjust_within(host, &path, 0)?;
                }
                Ok(described_outcome("path", &path, changed, changes))
            }
            other => Err(path_failure(&path, format!("{} already exists as a {other}", path.display()))),
        }
    }

    /// Creates a folder and those it is in; all new ones get the attributes.
    fn create_folders(&self, host: &dyn HostApi, path: &Path, changes: &mut AttributeChanges) -> Result<(), Failure> {
        if path.as_os_str().is_empty() && !host.is_dry_run() {
            return Err(path_failure(
                path,
                "There was an issue creating a folder without a name: No such file or directory",
            ));
        }
        let mut current = PathBuf::new();
        for part in path.components() {
            current.push(part);
            if host.exists(&current) {
                continue;
            }
            if let Err(error) = host.make_dir(&current, 0o777) {
                // Somebody else may have been quicker.
                if !host.is_dir(&current) {
                    let message = format!("There was an issue creating {} as requested: {error}", current.display());
                    return Err(Failure::new(message).with("path", display_path(path)));
                }
            }
            if !host.is_dry_run() {
                self.adjust_metadata(host, &current, changes)?;
            }
        }
        Ok(())
    }

    /// Attributes for everything in a folder.
    fn adjust_within(&self, host: &dyn HostApi, folder: &Path, depth: usize) -> Result<bool, Failure> {
        if depth > 512 {
            return Err(Failure::new(format!(
                "Could not recursively set attributes on {}. Original error was: 'too many levels'",
                folder.display()
            )));
        }
        let mut changed = false;
        for name in host.list_folder(folder).unwrap_or_default() {
            let path = folder.join(name);
            let is_link = host.is_link(&path);
            changed |= self.adjust_metadata(host, &path, &mut AttributeChanges::default())?;
            if !is_link && host.is_dir(&path) {
                changed |= self.adjust_within(host, &path, depth + 1)?;
            }
            if is_link && self.follow && host.exists(&path) {
                let target = host.real_path(&path);
                // A link to a folder that is being walked has been seen to, or will be.
                if host.is_dir(&target) && !folder.starts_with(&target) {
                    changed |= self.adjust_within(host, &target, depth + 1)?;
                }
                changed |= self.adjust_metadata(host, &target, &mut AttributeChanges::default())?;
            }
        }
        Ok(changed)
    }

    /// Attributes and times.
    fn adjust_metadata(
        &self,
        host: &dyn HostApi,
        path: &Path,
        changes: &mut AttributeChanges,
    ) -> Result<bool, Failure> {
        let changed = self.attributes.apply_to_path(host, path, changes)?;
        Ok(self.times.apply_to_path(host, path, changes)? || changed)
    }
}

/// Returns the type of a path in the words of `state`.
fn state_of(host: &dyn HostApi, path: &Path) -> &'static str {
    host.lstat(path).map_or("absent", |meta| meta.state_name())
}

fn state_changes(path: &Path, state: State, now: &str) -> AttributeChanges {
    let mut changes = AttributeChanges::of_path(path);
    if state.name() != now {
        changes.note_change("state", now, state.name());
    }
    changes
}

fn path_outcome(key: &str, path: &Path, changed: bool, changes: Option<AttributeChanges>) -> ModuleOutcome {
    let diff = changes.map(|changes| changes.into_diff("")).into_iter().collect();
    ModuleOutcome { changed, diff, ..ModuleOutcome::default() }.with(key, display_path(path))
}

fn described_outcome(key: &str, path: &Path, changed: bool, changes: AttributeChanges) -> ModuleOutcome {
    let mut outcome = path_outcome(key, path, changed, Some(changes));
    describe_path(path, &mut outcome.data);
    outcome
}

/// Everything in a folder that is about to go.
fn content_of(host: &dyn HostApi, folder: &Path) -> Value {
    let (mut folders, mut files) = (Vec::new(), Vec::new());
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(folder) = waiting.pop() {
        for name in host.list_folder(&folder).unwrap_or_default() {
            let path = folder.join(name);
            if host.is_dir(&path) {
                folders.push(display_path(&path));
                if !host.is_link(&path) {
                    waiting.push(path);
                }
            } else {
                files.push(display_path(&path));
            }
        }
    }
    Value::dict([("directories", folders.into()), ("files", files.into())])
}

#[cfg(test)]
mod tests;
