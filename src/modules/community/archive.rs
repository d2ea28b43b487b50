//! `archive`: files and trees, packed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::archive_format::{Format, Packer};
use super::list_texts;
use crate::host::HostApi;
use crate::modules::builtin::files::write::FileWriteArgs;
use crate::modules::builtin::files::{AttributeChanges, Attributes, COMMON, base_name, describe_path, dir_name, glob};
use crate::modules::spec::{HandsOn, Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::value::Value;

static SPEC: Spec = Spec::new("community.general.archive", "Packs files and trees into an archive.")
    .hands_on(HandsOn::InFile)
    .params(&[
        &[
            Param::list("path", &ParamKind::Path, "What to pack: paths, or globs of them.").required(),
            Param::str("format", "How it is packed.").default("gz").choices(&["bz2", "gz", "tar", "xz", "zip"]),
            Param::path("dest", "The archive; required unless a single file is packed."),
            Param::list("exclude_path", &ParamKind::Path, "Paths or globs that are left out of `path`.").default(""),
            Param::list("exclusion_patterns", &ParamKind::Path, "Globs of members that are left out."),
            Param::bool("force_archive", "Make an archive even of a single file.").default("false"),
            Param::bool("remove", "Remove what was packed.").default("false"),
        ],
        COMMON,
    ]);

/// The module.
pub struct Archive;

impl TaskModule for Archive {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move { ArchiveJob::from_args(args, context.host)?.run_job(args) })
    }
}

/// What a task asks for, and what has been done so far.
struct ArchiveJob<'h> {
    host: &'h dyn HostApi,
    format: Format,
    dest: String,
    patterns: Vec<String>,
    expanded: Vec<String>,
    excluded: Vec<String>,
    paths: Vec<String>,
    root: String,
    many: bool,
    archived: Vec<String>,
    changed: bool,
    state: &'static str,
}

impl<'h> ArchiveJob<'h> {
    fn from_args(args: &ModuleArgs, host: &'h dyn HostApi) -> Result<Self, Failure> {
        let given = list_texts(args.get("path"));
        let (expanded, globs) = expand_paths(host, &given);
        let (excluded, _) = expand_paths(host, &list_texts(args.get("exclude_path")));
        let paths: BTreeSet<String> = expanded.iter().filter(|path| !excluded.contains(path)).cloned().collect();
        let paths: Vec<String> = paths.into_iter().collect();
        let Some(first) = paths.first() else {
            return Err(Failure::new("Error, no source paths were found")
                .with("path", given.join(", "))
                .with("expanded_paths", expanded.join(", "))
                .with("expanded_exclude_paths", excluded.join(", ")));
        };
        let many = args.bool("force_archive") || globs || paths.len() > 1 || host.is_dir(Path::new(first));
        let format = Format::from_name(args.str("format").unwrap_or("gz"));
        let dest = match args.str("dest").filter(|dest| !dest.is_empty()) {
            Some(dest) => dest.to_owned(),
            None if !many => format!("{first}.{}", format.name()),
            None => {
                return Err(Failure::new("Error, must specify \"dest\" when archiving multiple files or trees")
                    .with("path", given.join(", ")));
            }
        };
        let inside = |path: &String| {
            host.is_dir(Path::new(path)) && dest.starts_with(&format!("{}/", path.trim_end_matches('/')))
        };
        if args.bool("remove") && paths.iter().any(inside) {
            return Err(Failure::new("Error, created archive can not be contained in source paths when remove=true")
                .with("path", paths.join(", ")));
        }
        let root = common_folder(&paths);
        let patterns = list_texts(args.get("exclusion_patterns"));
        Ok(Self {
            host,
            format,
            dest,
            patterns,
            expanded,
            excluded,
            paths,
            root,
            many,
            archived: Vec::new(),
            changed: false,
            state: "absent",
        })
    }

    fn run_job(mut self, args: &ModuleArgs) -> Result<ModuleOutcome, Failure> {
        let host = self.host;
        let there = |path: &String| host.lstat(Path::new(path)).is_some();
        let (targets, missing): (Vec<String>, Vec<String>) = self.paths.iter().cloned().partition(there);
        let exists = host.exists(Path::new(&self.dest));
        if targets.is_empty() {
            if exists {
                self.state = if names_archive(&self.dest) { "archive" } else { "compress" };
            }
        } else if host.is_dry_run() {
            // As the reference foretells it: what is packed is known, whether that differs is not looked at.
            self.changed = self.many || !exists;
            self.note_write(args)?;
        } else {
            let packed = if self.many { self.pack_targets(&targets)? } else { self.pack_single(&targets[0])? };
            if self.many {
                self.state = if missing.is_empty() { "archive" } else { "incomplete" };
            }
            self.write_archive(args, &packed)?;
            if args.bool("remove") {
                self.remove_sources()?;
            }
        }
        let dest = PathBuf::from(&self.dest);
        if host.exists(&dest) {
            let mut changes = AttributeChanges::default();
            self.changed |= Attributes::from_args(args).apply_to_path(host, &dest, &mut changes)?;
        }
        let texts = |list: Vec<String>| Value::list(list.into_iter().map(Value::text));
        let mut outcome = ModuleOutcome { changed: self.changed, ..ModuleOutcome::default() }
            .with("archived", texts(self.archived))
            .with("dest", self.dest)
            .with("dest_state", self.state)
            .with("arcroot", self.root)
            .with("missing", texts(missing))
            .with("expanded_paths", texts(self.expanded))
            .with("expanded_exclude_paths", texts(self.excluded));
        describe_path(&dest, &mut outcome.data);
        Ok(outcome)
    }

    /// Tells a dry run which file would be written.
    fn note_write(&self, args: &ModuleArgs) -> Result<(), Failure> {
        if !self.changed {
            return Ok(());
        }
        let failed = |error| Failure::new(format!("Error when writing archive at {}: {error}", self.dest));
        self.host.write(Path::new(&self.dest), b"", FileWriteArgs::from_args(args).write_options()).map_err(failed)
    }

    fn write_archive(&mut self, args: &ModuleArgs, packed: &[u8]) -> Result<(), Failure> {
        let dest = Path::new(&self.dest);
        let before = match self.host.exists(dest) {
            true => self.host.read(dest).ok().map(|old| self.format.read_checksums(&old)),
            false => None,
        };
        self.changed |= before.is_none_or(|before| before != self.format.read_checksums(packed));
        let real = self.host.real_path(dest);
        let failed = |error| {
            let kind = match self.format {
                Format::Tar | Format::Zip => self.format.name().to_owned(),
                packed => format!("tar.{}", packed.name()),
            };
            Failure::new(format!("Error when writing {kind} archive at {}: {error}", self.dest))
        };
        self.host.write(&real, packed, FileWriteArgs::from_args(args).write_options()).map_err(failed)
    }

    fn pack_single(&mut self, path: &str) -> Result<Vec<u8>, Failure> {
        if matches!(self.format, Format::Tar | Format::Zip) {
            self.state = "archive";
            return self.pack_targets(&[path.to_owned()]);
        }
        let failed = |error| {
            Failure::new(format!("Unable to write to compressed file: {error}"))
                .with("path", path)
                .with("dest", self.dest.as_str())
        };
        let content = self.host.read(Path::new(path)).map_err(failed)?;
        let packed = self.format.pack_bytes(&content).map_err(failed)?;
        self.archived.push(path.to_owned());
        self.state = "compress";
        Ok(packed)
    }

    fn pack_targets(&mut self, targets: &[String]) -> Result<Vec<u8>, Failure> {
        let (mut packer, mut errors) = (Packer::new(self.format), Vec::new());
        for target in targets {
            let mut members = Vec::new();
            if self.host.is_dir(Path::new(target)) {
                list_members(self.host, target, &mut members);
            } else {
                members.push(target.clone());
            }
            members.retain(|member| *member != self.dest);
            for member in members {
                let name = member.strip_prefix(&self.root).unwrap_or(&member).to_owned();
                if let Err(error) = self.add_member(&mut packer, &member, &name) {
                    errors.push(format!("{member}: {error}"));
                }
            }
        }
        if !errors.is_empty() {
            let errors = errors.join("; ");
            return Err(Failure::new(format!("Errors when writing archive at {}: {errors}", self.dest)));
        }
        packer
            .into_bytes()
            .map_err(|error| Failure::new(format!("Error when writing archive at {}: {error}", self.dest)))
    }

    fn add_member(&mut self, packer: &mut Packer, path: &str, name: &str) -> std::io::Result<()> {
        let zip = self.format == Format::Zip;
        if glob::any_fits(&self.patterns, if zip { path } else { name.trim_start_matches('/') }) {
            return Ok(());
        }
        packer.add_path(self.host, Path::new(path), name)?;
        // A zip archive knows folders by names with a slash, and so the reference does not find them there again.
        if !(zip && self.host.is_dir(Path::new(path))) {
            self.archived.push(path.to_owned());
        }
        Ok(())
    }

    fn remove_sources(&self) -> Result<(), Failure> {
        let mut kept = Vec::new();
        let folders = self.paths.iter().filter(|path| self.host.is_dir(Path::new(path)));
        for name in self.archived.iter().chain(folders) {
            let path = Path::new(name);
            let Some(meta) = self.host.lstat(path) else { continue };
            let folder = !meta.is_link() && self.host.is_dir(path);
            let removed = if folder { self.host.remove_tree(path) } else { self.host.remove_file(path) };
            if removed.is_err() {
                kept.push(Value::text(name.as_str()));
            }
        }
        if kept.is_empty() {
            return Ok(());
        }
        Err(Failure::new("Error deleting some source files: ")
            .with("dest", self.dest.as_str())
            .with("files", Value::list(kept)))
    }
}

/// All that is in a folder: of each folder first its folders, then its files, then what is in its folders. Links are not
/// followed.
fn list_members(host: &dyn HostApi, folder: &str, out: &mut Vec<String>) {
    let names = host.list_folder(Path::new(folder)).unwrap_or_default();
    let paths = names.iter().map(|name| format!("{}/{name}", folder.trim_end_matches('/')));
    let (folders, files): (Vec<String>, Vec<String>) = paths.partition(|path| host.is_dir(Path::new(path)));
    out.extend(folders.iter().cloned());
    out.extend(files);
    for folder in folders.iter().filter(|path| !host.is_link(Path::new(path))) {
        list_members(host, folder, out);
    }
}

/// Paths with their globs expanded, and whether there were any.
fn expand_paths(host: &dyn HostApi, paths: &[String]) -> (Vec<String>, bool) {
    let is_glob = |path: &String| path.contains(['*', '?']);
    let expanded =
        paths.iter().flat_map(|path| if is_glob(path) { expand_glob(host, path) } else { vec![path.clone()] });
    (expanded.collect(), paths.iter().any(is_glob))
}

/// Paths that fit a glob, part by part; hidden names only where the glob names the dot.
fn expand_glob(host: &dyn HostApi, pattern: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for (index, part) in pattern.split('/').enumerate() {
        let mut next = Vec::new();
        for base in found {
            let prefix = if index == 0 { String::new() } else { format!("{base}/") };
            if !part.contains(['*', '?', '[']) {
                next.push(format!("{prefix}{part}"));
                continue;
            }
            let folder = if prefix.is_empty() { "." } else { &prefix };
            let names = host.list_folder(Path::new(folder)).unwrap_or_default();
            let fits = |name: &String| {
                (part.starts_with('.') || !name.starts_with('.')) && glob::any_fits(&[part.to_owned()], name)
            };
            next.extend(names.into_iter().filter(fits).map(|name| format!("{prefix}{name}")));
        }
        found = next;
    }
    found.retain(|path| host.lstat(Path::new(path)).is_some());
    found
}

/// The folder that all paths are in, with a slash at its end; nothing for bare names.
fn common_folder(paths: &[String]) -> String {
    let folder = |path: &str| match dir_name(path) {
        "" => String::new(),
        "/" => "/".to_owned(),
        folder => format!("{folder}/"),
    };
    let mut folders = paths.iter().map(|path| folder(path));
    let mut common = folders.next().unwrap_or_default();
    for other in folders {
        let same = common.chars().zip(other.chars()).take_while(|(one, two)| one == two);
        common = same.map(|(one, _)| one).collect();
    }
    folder(&common)
}

/// Whether a name is that of an archive.
fn names_archive(path: &str) -> bool {
    let name = base_name(path).to_ascii_lowercase();
    [".tar", ".tar.gz", ".tar.bz2", ".tar.xz", ".tgz", ".tbz2", ".zip"].iter().any(|end| name.ends_with(end))
}
