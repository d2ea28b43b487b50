//! `archive`: files and folders in one archive, or one file compressed.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use crate::host::{HostApi, PathKind, WriteOptions};
use crate::modules::builtin::files::attributes::{AttributeChanges, Attributes};
use crate::modules::builtin::files::{COMMON, describe_path, python_io_error};
use crate::modules::glob;
use crate::modules::spec::{Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::value::{Value, python};

static SPEC: Spec = Spec::new("community.general.archive", "Archives files and folders, or compresses a file.")
    .examples(include_str!("examples/archive.yml"))
    .params(&[
        &[
            Param::list("path", &ParamKind::Path, "Files, folders or patterns to archive.").required(),
            Param::str("format", "Format of the archive.").default("gz").choices(&["bz2", "gz", "tar", "xz", "zip"]),
            Param::path("dest", "Path of the archive; required for several files and for folders."),
            Param::list("exclude_path", &ParamKind::Path, "Paths to exclude from `path`."),
            Param::list("exclusion_patterns", &ParamKind::Path, "Patterns of names to exclude, at any depth."),
            Param::bool("force_archive", "Create an archive even for a single file.").default("false"),
            Param::bool("remove", "Remove the archived files.").default("false"),
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
        Box::pin(async move { ArchiveJob::from_args(args, context.host)?.run(args, context.host) })
    }
}

/// One call of the module.
struct ArchiveJob {
    format: String,
    expanded: Vec<String>,
    excluded: Vec<String>,
    /// Paths to archive, sorted.
    paths: Vec<String>,
    patterns: Vec<String>,
    /// The folder that names in the archive begin below, with a slash at the end.
    root: String,
    /// An archive, not just a compressed file.
    is_archive: bool,
    dest: String,
    remove: bool,
}

/// Endings of names that are known to be archives.
const ARCHIVE_ENDINGS: &[&str] = &[".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".zip"];

/// A file or folder of the archive.
struct ArchiveEntry {
    path: String,
    name: String,
    kind: PathKind,
    bits: u32,
    mtime: u64,
}

impl ArchiveJob {
    fn from_args(args: &ModuleArgs, host: &dyn HostApi) -> Result<Self, Failure> {
        let list = |name: &str| -> Vec<String> {
            args.get(name).and_then(Value::as_slice).unwrap_or_default().iter().map(python::str).collect()
        };
        let (given, format) = (list("path"), args.str("format").unwrap_or("gz").to_owned());
        let (expanded, has_pattern) = expand_paths(host, &given);
        let (excluded, _) = expand_paths(host, &list("exclude_path"));
        let mut paths: Vec<String> = expanded.iter().filter(|path| !excluded.contains(path)).cloned().collect();
        paths.sort();
        paths.dedup();
        let Some(first) = paths.first() else {
            return Err(Failure::new("Error, no source paths were found")
                .with("path", given.join(", "))
                .with("expanded_paths", expanded.join(", "))
                .with("expanded_exclude_paths", excluded.join(", ")));
        };
        let is_archive = args.bool("force_archive") || has_pattern || paths.len() > 1 || host.is_dir(Path::new(first));
        let dest = match args.str("dest").filter(|dest| !dest.is_empty()) {
            Some(dest) => dest.to_owned(),
            None if is_archive => {
                let message = "Error, must specify \"dest\" when archiving multiple files or trees";
                let mut failure = Failure::new(message).with("path", given.join(", "));
                if let [path] = paths.as_slice() {
                    describe_path(Path::new(path), &mut failure.data);
                }
                return Err(failure);
            }
            None => format!("{first}.{format}"),
        };
        let remove = args.bool("remove");
        let holds_dest = |path: &String| remove && dest.starts_with(&format!("{}/", path.trim_end_matches('/')));
        if let Some(folder) = paths.iter().find(|path| host.is_dir(Path::new(path)) && holds_dest(path)) {
            let message = "Error, created archive can not be contained in source paths when remove=true";
            return Err(Failure::new(message).with("path", folder.as_str()));
        }
        let root = common_folder(&paths);
        Ok(Self {
            format,
            expanded,
            excluded,
            patterns: list("exclusion_patterns"),
            root,
            is_archive,
            dest,
            remove,
            paths,
        })
    }

    fn run(&self, args: &ModuleArgs, host: &dyn HostApi) -> Result<ModuleOutcome, Failure> {
        let dest = Path::new(&self.dest);
        let (there, missing): (Vec<&String>, Vec<&String>) =
            self.paths.iter().partition(|path| host.lstat(Path::new(path)).is_some());
        let mut entries = Vec::new();
        for path in &there {
            self.collect_entries(host, path, &mut entries)?;
        }
        let state = self.state_of_archive(host, there.is_empty(), missing.is_empty());
        let changed = !there.is_empty() && self.write_archive(host, &entries)?;
        let mut outcome = ModuleOutcome { changed, ..ModuleOutcome::default() };
        if self.remove {
            outcome.changed |= self.remove_sources(host, &there)?;
        }
        if host.exists(dest) {
            let mut changes = AttributeChanges::default();
            outcome.changed |= Attributes::from_args(args).apply_to_path(host, dest, &mut changes)?;
        }
        let texts =
            |items: &mut dyn Iterator<Item = &String>| Value::list(items.map(|item| Value::text(item.as_str())));
        // Zip archives have folders, but they are not told.
        let is_told = |entry: &&ArchiveEntry| self.format != "zip" || entry.kind != PathKind::Directory;
        let mut outcome = outcome
            .with("archived", texts(&mut entries.iter().filter(is_told).map(|entry| &entry.path)))
            .with("dest", self.dest.as_str())
            .with("dest_state", state)
            .with("arcroot", self.root.as_str())
            .with("missing", texts(&mut missing.into_iter()))
            .with("expanded_paths", texts(&mut self.expanded.iter()))
            .with("expanded_exclude_paths", texts(&mut self.excluded.iter()));
        describe_path(dest, &mut outcome.data);
        Ok(outcome)
    }

    /// Several files go in one archive; a single one is compressed as it is, if the format can do that.
    fn is_packed(&self) -> bool {
        self.is_archive || matches!(self.format.as_str(), "tar" | "zip")
    }

    /// Writes the archive if it is not there with this content; returns whether it was written.
    fn write_archive(&self, host: &dyn HostApi, entries: &[ArchiveEntry]) -> Result<bool, Failure> {
        let content = match entries {
            entries if self.is_packed() => self.pack(host, entries)?,
            [file, ..] => self.compress(&read(host, &file.path)?)?,
            [] => return Ok(false),
        };
        let dest = Path::new(&self.dest);
        let old = host.is_file(dest).then(|| host.read(dest).ok()).flatten();
        // The compressed forms have no time of their own: the same content gives the same bytes.
        if old.is_some_and(|old| old == content) {
            return Ok(false);
        }
        host.write(dest, &content, WriteOptions::default()).map_err(|error| {
            let doing = match (self.is_packed(), self.format.as_str()) {
                (false, _) => "Unable to write to compressed file".to_owned(),
                (true, "zip") => format!("Error when writing zip archive at {}", self.dest),
                (true, _) => format!("Error when writing tar archive at {}", self.dest),
            };
            let mut failure = Failure::new(format!("{doing}: {}", python_io_error(&error, dest)));
            failure = failure.with("path", self.paths.join(", ")).with("dest", self.dest.as_str());
            if let [path] = self.paths.as_slice() {
                describe_path(Path::new(path), &mut failure.data);
            }
            failure
        })?;
        Ok(true)
    }

    /// The state of the archive. If nothing is there to be archived, it is what the name of an older archive says.
    fn state_of_archive(&self, host: &dyn HostApi, is_empty: bool, is_complete: bool) -> &'static str {
        let name = self.dest.to_lowercase();
        match (is_empty, self.is_packed(), is_complete) {
            (true, ..) if !host.exists(Path::new(&self.dest)) => "absent",
            (true, ..) if ARCHIVE_ENDINGS.iter().any(|ending| name.ends_with(ending)) => "archive",
            (true, ..) | (false, false, _) => "compress",
            (false, true, true) => "archive",
            (false, true, false) => "incomplete",
        }
    }

    /// Collects a path with everything below it; a folder that was named is not an entry itself.
    fn collect_entries(&self, host: &dyn HostApi, path: &str, entries: &mut Vec<ArchiveEntry>) -> Result<(), Failure> {
        if !host.is_dir(Path::new(path)) || host.is_link(Path::new(path)) {
            return self.add_entry(host, path, entries);
        }
        let mut folders = vec![path.trim_end_matches('/').to_owned()];
        while let Some(folder) = folders.pop() {
            let names = host.list_folder(Path::new(&folder));
            for name in names.map_err(|error| Failure::new(format!("cannot read {folder}: {error}")))? {
                let inner = format!("{folder}/{name}");
                if host.is_dir(Path::new(&inner)) && !host.is_link(Path::new(&inner)) {
                    folders.push(inner.clone());
                }
                self.add_entry(host, &inner, entries)?;
            }
        }
        Ok(())
    }

    fn add_entry(&self, host: &dyn HostApi, path: &str, entries: &mut Vec<ArchiveEntry>) -> Result<(), Failure> {
        let is_excluded = self.patterns.iter().any(|pattern| glob::is_glob_match(pattern, path));
        // The archive does not hold itself.
        if is_excluded || path == self.dest {
            return Ok(());
        }
        let name = path.strip_prefix(&self.root).unwrap_or(path).trim_start_matches('/').to_owned();
        let meta = host.metadata(Path::new(path), false);
        let meta = meta.map_err(|error| Failure::new(format!("cannot read {path}: {error}")))?;
        let mtime = if meta.mtime > 0.0 { meta.mtime as u64 } else { 0 };
        entries.push(ArchiveEntry { path: path.to_owned(), name, kind: meta.kind, bits: meta.bits, mtime });
        Ok(())
    }

    fn pack(&self, host: &dyn HostApi, entries: &[ArchiveEntry]) -> Result<Vec<u8>, Failure> {
        if self.format == "zip" { self.pack_zip(host, entries) } else { self.pack_tar(host, entries) }
    }

    fn pack_zip(&self, host: &dyn HostApi, entries: &[ArchiveEntry]) -> Result<Vec<u8>, Failure> {
        let failed = |error: &dyn std::fmt::Display| {
            Failure::new(format!("Error when writing zip archive at {}: {error}", self.dest))
        };
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for entry in entries {
            let options = zip::write::SimpleFileOptions::default().unix_permissions(entry.bits);
            if entry.kind == PathKind::Directory {
                zip.add_directory(format!("{}/", entry.name), options).map_err(|error| failed(&error))?;
            } else {
                zip.start_file(entry.name.as_str(), options).map_err(|error| failed(&error))?;
                zip.write_all(&read(host, &entry.path)?).map_err(|error| failed(&error))?;
            }
        }
        Ok(zip.finish().map_err(|error| failed(&error))?.into_inner())
    }

    fn pack_tar(&self, host: &dyn HostApi, entries: &[ArchiveEntry]) -> Result<Vec<u8>, Failure> {
        let failed =
            |error: std::io::Error| Failure::new(format!("Error when writing tar archive at {}: {error}", self.dest));
        let mut tar = tar::Builder::new(Vec::new());
        for entry in entries {
            let mut header = tar::Header::new_gnu();
            header.set_mode(entry.bits);
            header.set_mtime(entry.mtime);
            header.set_size(0);
            match entry.kind {
                PathKind::Directory => {
                    header.set_entry_type(tar::EntryType::Directory);
                    tar.append_data(&mut header, format!("{}/", entry.name), std::io::empty()).map_err(failed)?;
                }
                PathKind::Link => {
                    header.set_entry_type(tar::EntryType::Symlink);
                    let target = host.read_link(Path::new(&entry.path)).map_err(failed)?;
                    tar.append_link(&mut header, &entry.name, target).map_err(failed)?;
                }
                _ => {
                    let content = read(host, &entry.path)?;
                    header.set_entry_type(tar::EntryType::Regular);
                    header.set_size(content.len() as u64);
                    tar.append_data(&mut header, &entry.name, &content[..]).map_err(failed)?;
                }
            }
        }
        let packed = tar.into_inner().map_err(failed)?;
        if self.format == "tar" { Ok(packed) } else { self.compress(&packed) }
    }

    fn compress(&self, content: &[u8]) -> Result<Vec<u8>, Failure> {
        let compressed = (|| match self.format.as_str() {
            "bz2" => {
                let mut writer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
                writer.write_all(content)?;
                writer.finish()
            }
            "xz" => {
                let mut writer = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::default())?;
                writer.write_all(content)?;
                writer.finish()
            }
            _ => {
                let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                writer.write_all(content)?;
                writer.finish()
            }
        })();
        compressed.map_err(|error: std::io::Error| Failure::new(format!("Unable to write to compressed file: {error}")))
    }

    fn remove_sources(&self, host: &dyn HostApi, paths: &[&String]) -> Result<bool, Failure> {
        for path in paths {
            let place = PathBuf::from(path);
            let is_folder = host.is_dir(&place) && !host.is_link(&place);
            let removed = if is_folder { host.remove_tree(&place) } else { host.remove_file(&place) };
            removed.map_err(|error| Failure::new(format!("Error deleting some source files: {path}: {error}")))?;
        }
        Ok(!paths.is_empty())
    }
}

fn read(host: &dyn HostApi, path: &str) -> Result<Vec<u8>, Failure> {
    host.read(Path::new(path)).map_err(|error| Failure::new(format!("cannot read {path}: {error}")))
}

/// Paths with their patterns expanded, and whether there was a pattern.
fn expand_paths(host: &dyn HostApi, paths: &[String]) -> (Vec<String>, bool) {
    let is_pattern = |path: &String| path.contains(['*', '?', '[']);
    let expanded =
        paths.iter().flat_map(|path| if is_pattern(path) { glob::expand_glob(host, path) } else { vec![path.clone()] });
    (expanded.collect(), paths.iter().any(is_pattern))
}

/// The deepest folder that holds all paths, with a slash at the end.
fn common_folder(paths: &[String]) -> String {
    // A folder with a slash at the end is its own.
    let parent = |path: &str| path.rsplit_once('/').map_or(String::new(), |(up, _)| format!("{up}/"));
    let mut common = paths.first().map(|path| parent(path)).unwrap_or_default();
    for path in paths {
        while !parent(path).starts_with(&common) {
            common = parent(common.trim_end_matches('/'));
        }
    }
    common
}
