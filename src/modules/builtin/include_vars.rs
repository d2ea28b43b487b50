//! `include_vars`: variables of the host from files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::copy::not_found;
use super::files::{display_path, normalize_path};
use crate::host::HostApi;
use crate::input::MOST_ENTRIES;
use crate::modules::args::parse_bool;
use crate::modules::outcome::ModuleEffect;
use crate::modules::spec::{FreeForm, Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::source::Source;
use crate::template::python::regex::{Pattern, RegexFlags};
use crate::value::{Dict, Sealed, Value, python};
use crate::vars::sops;

static SPEC: Spec = Spec::new("ansible.builtin.include_vars", "Loads variables from files.")
    .examples(include_str!("examples/include_vars.yml"))
    .on_controller()
    .sets_variables()
    .params(&[&[
        Param::str("_raw_params", "The file as free text.").hidden(),
        Param::str("file", "Path of the file; searched first in `vars`."),
        Param::str("dir", "Folder with files to load."),
        Param::str("name", "Variable that gets the loaded variables as a mapping."),
        Param::int("depth", "Maximum depth of subfolders; 0 is unlimited."),
        Param::str("files_matching", "Load only files whose names match this regular expression."),
        Param::new("ignore_files", ParamKind::Raw, "Regular expressions for ends of file names to ignore."),
        Param::new(
            "extensions",
            ParamKind::Raw,
            "Allowed file extensions in the folder; without it `json`, `yaml` and `yml`.",
        ),
        Param::new("ignore_unknown_extensions", ParamKind::Raw, "Ignore files with other extensions."),
        Param::str("hash_behaviour", "`merge` merges into existing mappings.").choices(&["replace", "merge"]),
    ]])
    .free_form(FreeForm::Mixed);

/// Options that mean something for a folder only.
const FOLDER: &[&str] = &["dir", "depth", "files_matching", "ignore_files", "extensions", "ignore_unknown_extensions"];

/// Folders this deep are a loop of links.
const DEEPEST: usize = 64;

/// The module.
pub struct IncludeVars;

impl TaskModule for IncludeVars {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move { include_vars(args, context) })
    }
}

/// Variables read so far.
#[derive(Default)]
struct Read {
    vars: Dict,
    /// Variables when the last folder had been read completely.
    whole: Dict,
    files: Vec<PathBuf>,
    /// A file was vaulted, so the result is not to be shown.
    vaulted: bool,
    /// Texts that SOPS had encrypted.
    secrets: Vec<String>,
}

fn include_vars(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<ModuleOutcome, Failure> {
    let given = |names: &[&str]| names.iter().any(|name| args.get(name).is_some());
    if given(FOLDER) && given(&["file", "_raw_params"]) {
        let message = "You are mixing file only and dir only arguments, these are incompatible";
        return Err(Failure::new(message));
    }
    let mut read = Read::default();
    let done = match args.str("dir").filter(|dir| !dir.is_empty()) {
        Some(dir) => include_folder(args, context, dir, &mut read),
        None => include_file(args, context, &mut read),
    };
    let files = || Value::list(read.files.iter().map(|path| Value::text(display_path(path))));
    let held = |vars: &Dict| -> Dict {
        match args.str("name").filter(|name| !name.is_empty()) {
            Some(name) => [(Value::text(name), Value::from(vars.clone()))].into_iter().collect(),
            None => vars.clone(),
        }
    };
    if let Err(failure) = done {
        let message = failure.message.clone();
        return Err(failure
            .with("ansible_facts", held(&read.whole))
            .with("ansible_included_var_files", files())
            .with("message", message));
    }
    let mut vars = held(&read.vars);
    if args.str("hash_behaviour") == Some("merge") {
        let old = |name: &str| context.template.get_variable(name).ok().flatten();
        let known = vars.keys().filter_map(|name| Some((name.clone(), old(name.as_str()?)?)));
        let mut merged: Dict = known.collect();
        merged.merge(&vars);
        vars = merged;
    }
    let secrets = std::mem::take(&mut read.secrets);
    let mut outcome = ModuleOutcome::default()
        .with("ansible_facts", vars.clone())
        .with("ansible_included_var_files", files())
        .with_effect(ModuleEffect::IncludeVars(vars));
    outcome.effects.extend(secrets.into_iter().map(ModuleEffect::Secret));
    if read.vaulted {
        outcome = outcome.with("_ansible_no_log", true);
    }
    Ok(outcome)
}

fn include_file(args: &ModuleArgs, context: &TaskContext<'_>, read: &mut Read) -> Result<(), Failure> {
    let name = args.str("file").or_else(|| args.str("_raw_params")).map(|name| name.trim_end_matches('\n'));
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return Err(Failure::new("Could not find file: neither `file` nor `dir` names one"));
    };
    let path = context
        .find_file("vars", name)
        .ok_or_else(|| Failure { broke_off: false, ..not_found(context, "vars", name) })?;
    load_file(context, &tidy_path(&path), read)
}

/// The path as messages and results show it.
fn tidy_path(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    PathBuf::from(normalize_path(&path.to_string_lossy()))
}

/// Reads one file of variables.
fn load_file(context: &TaskContext<'_>, path: &Path, read: &mut Read) -> Result<(), Failure> {
    let name = display_path(path);
    let mut content = context
        .template
        .read(path)
        .map_err(|error| Failure::new(format!("Unable to retrieve file contents.\nCannot read '{name}': {error}")))?;
    if content.starts_with(b"$ANSIBLE_VAULT;") {
        let envelope = String::from_utf8_lossy(&content).into_owned();
        content = context.template.open_sealed(&Sealed { envelope, span: None })?.as_bytes().to_vec();
        read.vaulted = true;
    }
    let mut source = crate::yaml::read_text(&name, content)?;
    if sops::is_sops_text(source.text()) {
        let opened = sops::open_sops_file(path)?;
        sops::visit_texts(&opened, &mut |secret| read.secrets.push(secret.to_owned()));
        source = Source::secret(&name, opened.as_str());
        read.vaulted = true;
    }
    let loaded = crate::yaml::load_document(&source)?;
    for warning in loaded.warnings {
        context.warn(warning.one_line());
    }
    match loaded.root.map(|root| root.to_value()) {
        None | Some(Value::Null) => {}
        Some(Value::Dict(dict)) => read.vars.extend(&dict),
        Some(_) => return Err(Failure::new(format!("{name} must be stored as a dictionary/hash"))),
    }
    read.files.push(path.to_path_buf());
    Ok(())
}

/// Which files of a folder are read.
struct Choice {
    depth: usize,
    matching: Option<Rc<Pattern>>,
    ignored: Vec<Rc<Pattern>>,
    extensions: Vec<String>,
    lenient: bool,
    /// The file that the role has read by itself.
    own: Option<PathBuf>,
}

impl Choice {
    fn from_args(args: &ModuleArgs, own: Option<PathBuf>) -> Result<Self, Failure> {
        let pattern = |text: &str| {
            Pattern::compile(text, RegexFlags::default())
                .map_err(|_| Failure::new(format!("Invalid regular expression: {text}")))
        };
        let ignored: Vec<String> = match args.get("ignore_files") {
            None => Vec::new(),
            Some(Value::Str(text)) => text.split_whitespace().map(str::to_owned).collect(),
            Some(Value::List(items)) => items.iter().map(python::str).collect(),
            Some(other) => return Err(Failure::new(format!("{} must be a list", python::str(other)))),
        };
        let extensions = match args.get("extensions") {
            None => ["yaml", "yml", "json"].map(str::to_owned).to_vec(),
            Some(Value::Str(text)) => text.split(',').map(|one| one.trim().to_owned()).collect(),
            Some(Value::List(items)) => items.iter().map(python::str).collect(),
            Some(_) => return Err(Failure::new("Invalid type for \"extensions\" option, it must be a list")),
        };
        Ok(Self {
            depth: args.int("depth").and_then(|depth| usize::try_from(depth).ok()).unwrap_or(0),
            matching: args.str("files_matching").filter(|text| !text.is_empty()).map(pattern).transpose()?,
            ignored: ignored.iter().map(|text| pattern(&format!("{text}$"))).collect::<Result<_, _>>()?,
            extensions,
            lenient: args.get("ignore_unknown_extensions").is_some_and(|value| parse_bool(value).unwrap_or(false)),
            own,
        })
    }

    /// Whether a file is read.
    fn is_included(&self, host: &dyn HostApi, path: &Path) -> Result<bool, Failure> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let found = |pattern: &Pattern| pattern.search(&name, 0).map(|found| found.is_some());
        if self.own.as_deref() == Some(path) || !host.exists(path) {
            return Ok(false);
        }
        if let Some(matching) = &self.matching
            && !found(matching)?
        {
            return Ok(false);
        }
        for ignored in &self.ignored {
            if found(ignored)? {
                return Ok(false);
            }
        }
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        if self.extensions.iter().any(|known| *known == extension) {
            return Ok(true);
        }
        if self.lenient {
            return Ok(false);
        }
        let known = self.extensions.join(", ");
        Err(Failure::new(format!("{} does not have a valid extension: {known}", display_path(path))))
    }
}

fn include_folder(args: &ModuleArgs, context: &TaskContext<'_>, dir: &str, read: &mut Read) -> Result<(), Failure> {
    let role = context.template.get_variable("role_path").ok().flatten().map(|path| PathBuf::from(python::str(&path)));
    let root = match &role {
        Some(role) if dir == "vars" || dir.starts_with("vars/") => {
            let inside = role.join(dir);
            if context.host.exists(&inside) { inside } else { PathBuf::from(dir) }
        }
        Some(role) => role.join("vars").join(dir),
        None => task_folder(context).join(dir),
    };
    let root = tidy_path(&root);
    if !context.host.exists(&root) {
        return Err(Failure::new(format!("{} directory does not exist", display_path(&root))));
    }
    if !context.host.is_dir(&root) {
        return Err(Failure::new(format!("{} is not a directory", display_path(&root))));
    }
    let choice = Choice::from_args(args, role.map(|role| role.join("vars").join("main.yml")))?;
    let mut folders = BTreeMap::new();
    if !walk_folders(context.host, &root, 1, &mut folders, &mut { MOST_ENTRIES }) {
        let what = format!("{} has more than {MOST_ENTRIES} files and folders below it", display_path(&root));
        return Err(Failure::new(format!("{what}; name the folder that has the variables")));
    }
    for (_, (depth, files)) in folders {
        if choice.depth != 0 && depth > choice.depth {
            continue;
        }
        for file in files {
            if choice.is_included(context.host, &file)? {
                load_file(context, &file, read)?;
            }
        }
        read.whole = read.vars.clone();
    }
    Ok(())
}

/// The folder of the file that the task stands in.
fn task_folder(context: &TaskContext<'_>) -> PathBuf {
    let file = Path::new(context.span.source().name());
    match file.parent().filter(|_| file.is_file()) {
        Some(folder) => folder.to_path_buf(),
        None => context.base_dir.to_path_buf(),
    }
}

/// All folders below, by their paths, with how deep they are and their files in order; false if there are more than
/// `left` entries.
fn walk_folders(
    host: &dyn HostApi,
    folder: &Path,
    depth: usize,
    found: &mut BTreeMap<String, (usize, Vec<PathBuf>)>,
    left: &mut usize,
) -> bool {
    let mut files = Vec::new();
    for name in host.list_folder(folder).unwrap_or_default() {
        let Some(rest) = left.checked_sub(1) else { return false };
        *left = rest;
        let path = folder.join(name);
        if host.is_dir(&path) {
            if depth < DEEPEST && !walk_folders(host, &path, depth + 1, found, left) {
                return false;
            }
        } else {
            files.push(path);
        }
    }
    files.sort();
    found.insert(display_path(folder), (depth, files));
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::builtin::files::testing::Folder;
    use crate::modules::builtin::testing::{Bench, yaml};

    fn bench(folder: &Folder, vars: &str) -> Bench {
        Bench { folder: folder.path().to_path_buf(), ..Bench::new(vars) }
    }

    #[test]
    fn values_stay_templates() {
        let folder = Folder::new();
        folder.write("vars/v.yml", "a: 1\nb: '{{ a }}'\n");
        let outcome = bench(&folder, "").run(&IncludeVars, "_raw_params: v.yml").unwrap();
        let [ModuleEffect::IncludeVars(vars)] = &outcome.effects[..] else { panic!("no variables") };
        assert!(matches!(vars.get("b"), Some(Value::Str(text)) if text.is_template()));
        let file = Value::text(display_path(&folder.path().join("vars/v.yml")));
        assert_eq!(outcome.data.get("ansible_included_var_files"), Some(&Value::list([file])));
    }

    #[test]
    fn folders_are_read_in_order() {
        let folder = Folder::new();
        folder.write("d/b.yml", "a: b\nonly: b\n");
        folder.write("d/a.json", "{\"a\": \"a\"}");
        folder.write("d/sub/z.yaml", "a: sub\n");
        folder.write("d/sub/x.yaml", "y: 1\n");
        let bench = bench(&folder, "h: {old: 1}");
        assert_eq!(bench.gives(&IncludeVars, "dir: d", "ansible_facts"), yaml("{a: sub, only: b, y: 1}"));
        assert_eq!(bench.gives(&IncludeVars, "{dir: d, depth: 1}", "ansible_facts"), yaml("{a: b, only: b}"));
        let chosen = "{dir: d, files_matching: '^[ab]', ignore_files: [b.yml], name: h, hash_behaviour: merge}";
        assert_eq!(bench.gives(&IncludeVars, chosen, "ansible_facts"), yaml("{h: {old: 1, a: a}}"));
        let lenient = "{dir: d, extensions: [json], ignore_unknown_extensions: true}";
        assert_eq!(bench.gives(&IncludeVars, lenient, "ansible_facts"), yaml("{a: a}"));
        let strict = bench.fails(&IncludeVars, "{dir: d, extensions: [json]}");
        assert!(strict.ends_with("/d/b.yml does not have a valid extension: json"), "{strict}");
    }

    #[test]
    fn what_cannot_be_read() {
        let folder = Folder::new();
        folder.write("list.yml", "- 1\n");
        folder.write("empty.yml", "");
        let bench = bench(&folder, "");
        assert!(bench.fails(&IncludeVars, "file: list.yml").ends_with("must be stored as a dictionary/hash"));
        assert!(
            bench
                .fails(&IncludeVars, "file: gone.yml")
                .starts_with("Could not find or access 'gone.yml'\nSearched in:")
        );
        assert!(bench.fails(&IncludeVars, "dir: gone").ends_with("gone directory does not exist"));
        assert!(bench.fails(&IncludeVars, "{dir: x, file: y}").starts_with("You are mixing"));
        assert_eq!(bench.gives(&IncludeVars, "file: empty.yml", "ansible_facts"), Dict::new().into());
        let failure = bench.run(&IncludeVars, "file: list.yml").unwrap_err();
        assert_eq!(failure.data.get("message"), Some(&failure.message.into()));
    }
}
