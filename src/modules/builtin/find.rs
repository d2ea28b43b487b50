//! `find`: paths in folders by name, age, size, content and more.

use std::collections::VecDeque;
use std::path::Path;
use std::rc::Rc;

use super::files::mode::{self, Current};
use super::files::{digest, glob, normalize_path, text};
use super::stat;
use crate::host::{self, HostApi, Meta, PathKind as Sort};
use crate::modules::spec::{Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::template::TemplateError;
use crate::template::python::charset::Encoding;
use crate::template::python::regex::Pattern;
use crate::template::python::regex_syntax::RegexFlags;
use crate::value::{Dict, Value, python};
use crate::vars::users;

static SPEC: Spec = Spec::new("ansible.builtin.find", "Finds files by name, age, size or content.")
    .examples(include_str!("examples/find.yml"))
    .params(&[&[
        Param::list("paths", &ParamKind::Path, "Folders to search.").aliases(&["name", "path"]).required(),
        Param::list("patterns", &ParamKind::Str, "Find only names that match one of these patterns.")
            .aliases(&["pattern"]),
        Param::list("excludes", &ParamKind::Str, "Exclude names that match one of these patterns.")
            .aliases(&["exclude"]),
        Param::str("contains", "Regular expression that the start of a line must match."),
        Param::bool("read_whole_file", "Match `contains` against the whole file instead of each line.")
            .default("false"),
        Param::str("file_type", "Type of the files to find.").default("file").choices(&[
            "any",
            "directory",
            "file",
            "link",
        ]),
        Param::str("age", "Minimum age (`2d`); maximum if negative."),
        Param::str("age_stamp", "Time that the age counts from.")
            .default("mtime")
            .choices(&["atime", "ctime", "mtime"]),
        Param::str("size", "Minimum size (`1m`); maximum if negative."),
        Param::bool("recurse", "Search subfolders, too.").default("false"),
        Param::bool("hidden", "Include hidden files.").default("false"),
        Param::bool("follow", "Follow links to folders.").default("false"),
        Param::bool("get_checksum", "Compute checksums.").default("false"),
        Param::str("checksum_algorithm", "Algorithm of checksums.")
            .default("sha1")
            .choices(digest::ALGORITHMS)
            .aliases(&["checksum", "checksum_algo"]),
        Param::bool("use_regex", "Patterns are regular expressions, not globs.").default("false"),
        Param::int("depth", "Maximum depth of subfolders."),
        Param::new("mode", ParamKind::Raw, "Find only paths with these permissions."),
        Param::bool("exact_mode", "Require exactly these permissions.").default("true"),
        Param::str("encoding", "Encoding of files for `contains`."),
        Param::int("limit", "Maximum number of results."),
    ]]);

/// The module.
pub struct Find;

impl TaskModule for Find {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move {
            let found = find_files(args, context.host)?;
            for (path, why) in &found.unreadable {
                context.warn(format!("Skipped '{path}' path due to this access issue: {why}\n"));
            }
            Ok(found.into_outcome())
        })
    }
}

/// Matching paths, and paths that could not be read.
#[derive(Default)]
struct Found {
    files: Vec<Value>,
    examined: usize,
    /// Folders that were asked for.
    unreadable: Vec<(String, String)>,
    /// Folders within them.
    skipped: Dict,
    limited: bool,
}

impl Found {
    fn into_outcome(mut self) -> ModuleOutcome {
        let message = match (self.unreadable.is_empty(), self.limited) {
            (false, _) => "Not all paths examined, check warnings for details",
            (true, true) => "Limit of matches reached",
            (true, false) => "All paths examined",
        };
        for (path, why) in self.unreadable {
            self.skipped.set(path, why.into());
        }
        ModuleOutcome::default()
            .with("matched", self.files.len())
            .with("files", Value::list(self.files))
            .with("msg", message)
            .with("examined", self.examined)
            .with("skipped_paths", self.skipped)
    }
}

fn find_files(args: &ModuleArgs, host: &dyn HostApi) -> Result<Found, Failure> {
    let search = Search::from_args(args, host)?;
    let mut found = Found::default();
    for path in text_list(args, "paths") {
        if let Err(why) = search.search_folder(&path, &mut found) {
            found.unreadable.push((path, why.to_string()));
        }
        if found.limited {
            break;
        }
    }
    Ok(found)
}

fn text_list(args: &ModuleArgs, name: &str) -> Vec<String> {
    args.get(name).and_then(Value::as_slice).unwrap_or_default().iter().map(python::str).collect()
}

/// A folder that could not be searched to its end.
#[derive(Debug, thiserror::Error)]
enum SearchError {
    #[error("'{0}' is not a directory")]
    NotFolder(String),
    #[error(transparent)]
    Pattern(#[from] TemplateError),
    #[error(transparent)]
    Read(#[from] std::io::Error),
    #[error("Failed to read the file {path} due to an encoding error. current encoding: {encoding}")]
    Encoding { path: String, encoding: String },
}

/// Criteria of a search.
struct Search<'a> {
    args: &'a ModuleArgs,
    host: &'a dyn HostApi,
    /// Patterns; an invalid one is an error only when there is a name to compare.
    patterns: Result<Vec<Rc<Pattern>>, TemplateError>,
    excludes: Result<Vec<Rc<Pattern>>, TemplateError>,
    age: Option<i64>,
    size: Option<i64>,
    contains: Option<Result<Rc<Pattern>, TemplateError>>,
    mode: Option<u32>,
    depth: Option<usize>,
    limit: Option<usize>,
    now: f64,
}

impl<'a> Search<'a> {
    fn from_args(args: &'a ModuleArgs, host: &'a dyn HostApi) -> Result<Self, Failure> {
        let regex = args.bool("use_regex");
        let pattern = |text: &str| Pattern::compile(text, RegexFlags::default());
        let compile = |patterns: Vec<String>| {
            let source = |pattern: String| if regex { pattern } else { glob::to_regex(&pattern) };
            patterns.into_iter().map(|text| pattern(&source(text))).collect()
        };
        let limit = args.int("limit");
        if let Some(limit) = limit.filter(|limit| *limit <= 0) {
            return Err(Failure::new(format!("limit cannot be {limit} (use None for unlimited)")));
        }
        Ok(Self {
            args,
            host,
            patterns: compile(text_list(args, "patterns")),
            excludes: compile(text_list(args, "excludes")),
            age: parse_measure(args, "age", &[("s", 1), ("m", 60), ("h", 3600), ("d", 86_400), ("w", 604_800)])?,
            size: parse_measure(
                args,
                "size",
                &[("b", 1), ("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30), ("t", 1 << 40)],
            )?,
            contains: args.str("contains").map(pattern),
            mode: wanted_mode(args)?,
            depth: args.int("depth").and_then(|depth| usize::try_from(depth).ok()).filter(|depth| *depth > 0),
            limit: limit.and_then(|limit| usize::try_from(limit).ok()),
            now: host::seconds_now(),
        })
    }

    /// Looks through one folder and, if that is wanted, those within.
    fn search_folder(&self, top: &str, found: &mut Found) -> Result<(), SearchError> {
        if !self.host.is_dir(Path::new(top)) {
            return Err(SearchError::NotFolder(top.to_owned()));
        }
        let top_depth = format!("{}/", top.trim_end_matches('/')).matches('/').count();
        let mut waiting = VecDeque::from([top.to_owned()]);
        while let Some(folder) = waiting.pop_front() {
            let names = match self.host.list_folder(Path::new(&folder)) {
                Ok(names) => names,
                Err(error) => {
                    found.skipped.set(folder, error.to_string().into());
                    continue;
                }
            };
            found.examined += names.len();
            let mut within = Vec::new();
            for name in names {
                let joined = format!("{}/{name}", folder.trim_end_matches('/'));
                let path = normalize_path(&joined);
                let is_dir = self.host.is_dir(Path::new(&path));
                let too_deep = self.depth.is_some_and(|depth| path.matches('/').count() + 1 > top_depth + depth);
                if too_deep {
                    continue;
                }
                if is_dir && (self.args.bool("follow") || !self.host.is_link(Path::new(&path))) {
                    within.push(joined);
                }
                if name.starts_with('.') && !self.args.bool("hidden") {
                    continue;
                }
                if let Some(entry) = self.match_entry(&name, &path)? {
                    found.files.push(entry);
                    if self.limit == Some(found.files.len()) {
                        found.limited = true;
                        return Ok(());
                    }
                }
            }
            if !self.args.bool("recurse") {
                break;
            }
            for (index, folder) in within.into_iter().enumerate() {
                waiting.insert(index, folder);
            }
        }
        Ok(())
    }

    /// Returns the entry of a path, if it matches.
    fn match_entry(&self, name: &str, path: &str) -> Result<Option<Value>, SearchError> {
        let Some(meta) = self.host.lstat(Path::new(path)) else { return Ok(None) };
        let (any, regular) = match self.args.str("file_type") {
            Some("any") => (true, true),
            Some("directory") => (meta.kind == Sort::Directory, false),
            Some("link") => (meta.kind == Sort::Link, false),
            _ => (meta.is_file(), true),
        };
        let by_size = regular && meta.is_file();
        let by_content = self.args.str("file_type") != Some("any") && by_size;
        let fits = any
            && self.name_fits(name)?
            && self.age_fits(&meta)
            && (!by_size || self.size_fits(&meta))
            && (!by_content || self.content_fits(path)?)
            && self.mode_fits(&meta);
        if !fits {
            return Ok(None);
        }
        let mut entry = Dict::new();
        entry.set("path", path.into());
        entry.extend(&stat::stat_fields(&meta));
        entry.set("gr_name", users::group_name(meta.gid).unwrap_or_default().into());
        entry.set("pw_name", users::user_name(meta.uid).unwrap_or_default().into());
        if meta.is_file() && self.args.bool("get_checksum") {
            let content = self.host.read(Path::new(path))?;
            let algorithm = self.args.str("checksum_algorithm").unwrap_or("sha1");
            entry.set("checksum", digest::by_name(algorithm, &content).into());
        }
        Ok(Some(entry.into()))
    }

    fn name_fits(&self, name: &str) -> Result<bool, TemplateError> {
        let any = |patterns: &[Rc<Pattern>]| {
            patterns.iter().try_fold(false, |fits, pattern| {
                Ok::<bool, TemplateError>(fits || pattern.match_start(name)?.is_some())
            })
        };
        let (patterns, excludes) = (self.patterns.as_ref(), self.excludes.as_ref());
        let patterns = patterns.map_err(Clone::clone)?;
        Ok((patterns.is_empty() || any(patterns)?) && !any(excludes.map_err(Clone::clone)?)?)
    }

    fn age_fits(&self, meta: &Meta) -> bool {
        let Some(limit) = self.age else { return true };
        let stamp = match self.args.str("age_stamp") {
            Some("atime") => meta.atime,
            Some("ctime") => meta.ctime,
            _ => meta.mtime,
        };
        #[allow(clippy::cast_precision_loss)]
        let (age, limit_age) = (self.now - stamp, limit.unsigned_abs() as f64);
        if limit >= 0 { age >= limit_age } else { age <= limit_age }
    }

    fn size_fits(&self, meta: &Meta) -> bool {
        self.size.is_none_or(|limit| {
            if limit >= 0 { meta.size >= limit.unsigned_abs() } else { meta.size <= limit.unsigned_abs() }
        })
    }

    fn mode_fits(&self, meta: &Meta) -> bool {
        self.mode.is_none_or(
            |mode| {
                if self.args.bool("exact_mode") { meta.bits == mode } else { meta.bits & mode != 0 }
            },
        )
    }

    /// Whether a line of the file matches; a file that cannot be read does not.
    fn content_fits(&self, path: &str) -> Result<bool, SearchError> {
        let Some(pattern) = &self.contains else { return Ok(true) };
        let pattern = pattern.as_ref().map_err(Clone::clone)?;
        let Ok(content) = self.host.read(Path::new(path)) else { return Ok(false) };
        let encoding = self.args.str("encoding");
        let decoded = Encoding::from_name(encoding.unwrap_or_default())?.decode(&content);
        let text = decoded.map_err(|_| {
            let encoding = encoding.unwrap_or("None (default determined by the Python built-in function \"open\")");
            SearchError::Encoding { path: path.to_owned(), encoding: encoding.to_owned() }
        })?;
        let text = text.replace("\r\n", "\n");
        if self.args.bool("read_whole_file") {
            return Ok(pattern.search(&text, 0)?.is_some());
        }
        for line in text::split_lines(&text) {
            if pattern.match_start(&line)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A number with a unit, such as `-2d`.
fn parse_measure(args: &ModuleArgs, name: &str, units: &[(&str, i64)]) -> Result<Option<i64>, Failure> {
    let Some(given) = args.get(name).map(python::str) else { return Ok(None) };
    let text = given.to_lowercase();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &text[digits.len()..];
    let number = digits.strip_prefix('-').unwrap_or(digits);
    let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let factor = if unit.is_empty() { Some(1) } else { units.iter().find(|(name, _)| *name == unit).map(|(_, f)| *f) };
    let measured = digits.parse::<i64>().ok().filter(|_| plain).zip(factor).and_then(|(n, f)| n.checked_mul(f));
    match measured {
        Some(measured) => Ok(Some(measured)),
        None => Err(Failure::new(format!("failed to process {name}")).with(name, given)),
    }
}

fn wanted_mode(args: &ModuleArgs) -> Result<Option<u32>, Failure> {
    match args.get("mode").filter(|mode| mode.is_true()) {
        None => Ok(None),
        Some(mode @ Value::Str(_)) => {
            let nothing = Current { bits: 0, is_dir: false, umask: host::umask() };
            mode::resolve_mode(mode, nothing).map(Some).map_err(|bad| Failure::new(bad.to_string()))
        }
        Some(other) => Err(Failure::new(format!(
            "argument 'mode' is not a string and conversion is not allowed, value is of type {}",
            other.type_name()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::builtin::files::testing::Folder;

    fn args(folder: &Folder, options: &[(&str, Value)]) -> ModuleArgs {
        let mut values = Dict::new();
        values.set("paths", Value::list([Value::text(super::super::files::display_path(folder.path()))]));
        values.set("exact_mode", true.into());
        for (name, value) in options {
            values.set(*name, value.clone());
        }
        ModuleArgs::new(values)
    }

    fn tree() -> Folder {
        let folder = Folder::new();
        for (name, content) in
            [("a.txt", "has a needle\n"), ("b.log", "b\n"), (".hid", "h"), ("sub/b.txt", "b"), ("sub/deep/c.txt", "")]
        {
            folder.write(name, content);
        }
        folder.host().replace_symlink(Path::new("a.txt"), &folder.path().join("ln")).unwrap();
        folder
    }

    #[track_caller]
    fn case(options: &[(&str, Value)], expected: &[&str]) {
        let folder = tree();
        let found = find_files(&args(&folder, options), folder.host()).ok().unwrap();
        let root = format!("{}/", super::super::files::display_path(folder.path()));
        let names: Vec<_> = found
            .files
            .iter()
            .map(|file| file.get("path").and_then(Value::as_str).unwrap().strip_prefix(&root).unwrap().to_owned())
            .collect();
        assert_eq!(names, expected);
    }

    fn words(words: &[&str]) -> Value {
        Value::list(words.iter().map(|word| Value::text(*word)))
    }

    #[test]
    fn by_name() {
        case(&[], &["a.txt", "b.log"]);
        case(&[("recurse", true.into()), ("patterns", words(&["*.txt"]))], &["a.txt", "sub/b.txt", "sub/deep/c.txt"]);
        case(
            &[("recurse", true.into()), ("depth", 2.into()), ("patterns", words(&["*.txt"]))],
            &["a.txt", "sub/b.txt"],
        );
        case(&[("patterns", words(&["^b.*"])), ("use_regex", true.into())], &["b.log"]);
        case(&[("excludes", words(&["a*"]))], &["b.log"]);
        case(&[("hidden", true.into()), ("patterns", words(&[".*"]))], &[".hid"]);
        case(&[("patterns", words(&["[!a].log", "?.txt"]))], &["a.txt", "b.log"]);
        case(&[("recurse", true.into()), ("limit", 1.into())], &["a.txt"]);
    }

    #[test]
    fn by_kind_and_content() {
        case(&[("file_type", "directory".into())], &["sub"]);
        case(&[("file_type", "link".into())], &["ln"]);
        case(&[("file_type", "any".into())], &["a.txt", "b.log", "ln", "sub"]);
        case(&[("contains", ".*needle".into())], &["a.txt"]);
        case(&[("contains", "needle".into())], &[]);
        case(&[("contains", "needle".into()), ("read_whole_file", true.into())], &["a.txt"]);
        case(&[("size", "3".into())], &["a.txt"]);
        case(&[("size", "-2b".into())], &["b.log"]);
        case(&[("age", "1d".into())], &[]);
        case(&[("age", "-1d".into())], &["a.txt", "b.log"]);
    }

    #[test]
    fn what_cannot_be_asked() {
        let folder = Folder::new();
        let failure = |options: &[(&str, Value)]| match find_files(&args(&folder, options), folder.host()) {
            Ok(_) => panic!("should have failed"),
            Err(failure) => failure.message,
        };
        assert_eq!(failure(&[("age", "1x".into())]), "failed to process age");
        assert_eq!(failure(&[("size", "x".into())]), "failed to process size");
        assert_eq!(failure(&[("limit", 0.into())]), "limit cannot be 0 (use None for unlimited)");
        assert!(failure(&[("mode", 420.into())]).ends_with("value is of type int"));
    }

    #[test]
    fn folders_that_are_not_there() {
        let folder = Folder::new();
        let found = find_files(&args(&folder, &[("paths", words(&["/no/such"]))]), folder.host()).ok().unwrap();
        assert_eq!(found.unreadable, [("/no/such".to_owned(), "'/no/such' is not a directory".to_owned())]);
        let outcome = found.into_outcome();
        assert_eq!(outcome.data.get("msg"), Some(&"Not all paths examined, check warnings for details".into()));
        assert_eq!(outcome.data.get("matched"), Some(&0.into()));
    }
}
