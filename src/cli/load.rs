//! From names on the command line to playbooks.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use clap::CommandFactory as _;

use super::args::RunArgs;
use super::output::general_problem;
use super::{blocks, config, extra_vars, terminal};
use crate::bridge::{ModuleSearch, interpreter};
use crate::diagnostic::{Diagnostic, Reaction};
use crate::intake::{self, InputDocument};
use crate::modules::{MODULES, Spec, foreign};
use crate::playbook::{LoadError, LoadErrorKind, LoadResult, Loader, Playbook};
use crate::report::{Bus, ReportEvent};
use crate::secrets::{self, Redactor};
use crate::settings::{self, RunSettings};
use crate::source::Source;
use crate::suggest;
use crate::template::{Globals, LookupPolicy, TemplateEngine, TemplateError, secret_variables};
use crate::value::{Dict, Text, Value};
use crate::vars::vault::VaultSecrets;

/// Reads a playbook without running it, and gives the loader that knows what was noticed; the redactor learns the
/// secrets in it.
///
/// # Errors
/// If it cannot be read.
pub fn read(args: &RunArgs, name: &str, redactor: &Rc<Redactor>) -> LoadResult<ReadPlaybook> {
    let settings = RunSettings::load()
        .map_err(|message| Box::new(LoadError::from_general(message)).of_kind(LoadErrorKind::Options))?;
    let args = &config::apply_settings(args, &settings);
    let secrets = vault_secrets(args, &settings, redactor)?;
    let folder = std::env::current_dir()
        .map_err(|error| general_problem(format!("cannot determine the current folder: {error}")))?;
    secrets::environment::add_known(redactor, |name| std::env::var(name).ok());
    let bus = Rc::new(Bus::new(Vec::new(), Rc::clone(redactor)));
    let globals = Rc::new(build_globals(&folder, &secrets, &settings, redactor));
    let (loader, _) = build_loader(args, &settings, &globals, &secrets, &bus)?;
    let mut part = None;
    let playbook = read_playbook(args, name, &loader, &bus, &mut part)
        .and_then(|read| read.ok_or_else(|| general_problem("nothing to read")));
    Ok(ReadPlaybook { loader, playbook, part })
}

/// A playbook that was read and not run.
pub struct ReadPlaybook {
    /// The loader, which has the warnings.
    pub loader: Rc<Loader>,
    /// The playbook, or the reasons why it cannot be read.
    pub playbook: LoadResult<Playbook>,
    /// The readable part of a playbook that cannot be read as a whole.
    pub part: Option<Playbook>,
}

/// A text to read as a playbook, and the folder that its paths count from.
pub struct Draft {
    /// Text, under the name of its file.
    pub source: Arc<Source>,
    /// Folder that paths in it count from.
    pub folder: PathBuf,
}

/// Reads a text of an editor as [`read`] reads a file. Nothing is asked for, no vault is opened, and no lookup runs a
/// command or sends a request: a text is read as soon as it is opened.
///
/// # Errors
/// If it cannot be read.
pub fn read_draft(
    args: &RunArgs,
    draft: &Draft,
    unsaved: HashMap<PathBuf, String>,
    redactor: &Rc<Redactor>,
) -> LoadResult<ReadPlaybook> {
    let settings = RunSettings::load()
        .map_err(|message| Box::new(LoadError::from_general(message)).of_kind(LoadErrorKind::Options))?;
    let secrets = Rc::new(VaultSecrets::default());
    secrets::environment::add_known(redactor, |name| std::env::var(name).ok());
    let bus = Rc::new(Bus::new(Vec::new(), Rc::clone(redactor)));
    let globals = build_globals(&draft.folder, &secrets, &settings, redactor);
    let globals = Rc::new(globals.with_lookups(LookupPolicy::WithoutEffects));
    let (loader, _) = build_loader(args, &settings, &globals, &secrets, &bus)?;
    *loader.unsaved.borrow_mut() = unsaved;
    loader.skip_vaulted.set(true);
    let intake = intake::read_intake(&draft.source, &is_action).map_err(or_module)?;
    loader.add_reader_warnings(intake.warnings)?;
    let folder = crate::playbook::real_path(draft.folder.clone());
    let mut part = None;
    let playbook = loader.read_playbook_part(intake.document, &draft.source, &folder, &mut part);
    Ok(ReadPlaybook { loader, playbook, part })
}

fn is_action(key: &str) -> bool {
    crate::playbook::action::resolve_name(key).is_some()
}

/// Builds the state that all templates share: vault secrets and settings.
pub fn build_globals(
    folder: &Path,
    secrets: &Rc<VaultSecrets>,
    settings: &RunSettings,
    redactor: &Rc<Redactor>,
) -> Globals {
    let secrets = Rc::clone(secrets);
    let globals = settings.iter().fold(
        Globals::new(folder).with_modules(|name| crate::modules::find_module(name).is_some()),
        |globals, (name, value, origin)| globals.with_setting(name, value, origin),
    );
    let known = Rc::clone(redactor);
    let globals = globals.with_known_secrets(Box::new(move |value| known.taint_value(value)));
    globals.with_opener(Box::new(move |sealed| {
        let opened = secrets
            .open_text(&sealed.envelope)
            .map_err(|problem| TemplateError::value(problem.to_string()).or_at(sealed.span.as_ref()))?;
        // Vaulted text is the user's own: it may be a template.
        let text = match &sealed.span {
            Some(span) => Text::from_source(opened, span.clone()),
            None => Text::new_plain(opened),
        };
        Ok(if secrets.is_masking() { text.into_secret() } else { text })
    }))
}

/// Returns the vault secrets of a run; with `mask_vault` the redactor learns what they open.
///
/// # Errors
/// If a source of them cannot be used.
pub fn vault_secrets(args: &RunArgs, settings: &RunSettings, redactor: &Rc<Redactor>) -> LoadResult<Rc<VaultSecrets>> {
    let secrets = VaultSecrets::collect_sources(&args.vault_id, &args.vault_password_file, args.ask_vault_pass)
        .map_err(|problem| general_problem(problem.to_string()))?;
    let secrets = secrets.matching_ids(settings.bool(settings::DEFAULT_VAULT_ID_MATCH));
    let door = Rc::clone(redactor);
    let secrets = secrets.with_secret_listener(Box::new(move |secret| door.add(secret)));
    if !args.mask_vault {
        return Ok(Rc::new(secrets));
    }
    let redactor = Rc::clone(redactor);
    Ok(Rc::new(secrets.with_masking(Box::new(move |text| add_vaulted(&redactor, text)))))
}

/// Makes a vaulted text known: of data each value, of anything else the whole.
fn add_vaulted(redactor: &Redactor, text: &str) {
    let data = crate::yaml::load_document(&Source::sealed("vault", text)).ok().and_then(|loaded| loaded.root);
    match data.map(|root| root.to_value()) {
        Some(Value::Dict(dict)) => {
            let values = Value::list(dict.values().cloned()).into_tainted();
            values.each_secret(&mut |value| redactor.add(value));
        }
        Some(data @ Value::List(_)) => data.into_tainted().each_secret(&mut |value| redactor.add(value)),
        _ => redactor.add(text),
    }
}

/// Builds the loader of playbook files, with the extra variables.
///
/// # Errors
/// If those, or a `--fill`, are not understood.
pub fn build_loader(
    args: &RunArgs,
    settings: &RunSettings,
    globals: &Rc<Globals>,
    secrets: &Rc<VaultSecrets>,
    bus: &Rc<Bus>,
) -> LoadResult<(Rc<Loader>, Rc<Dict>)> {
    let open_secrets = Rc::clone(secrets);
    let open_vault = move |text: &str, path: &Path| {
        open_secrets
            .open_text(text)
            .map_err(|problem| Diagnostic::error(format!("cannot open `{}`: {problem}", path.display())))
    };
    let extra: Rc<std::cell::OnceCell<Rc<Dict>>> = Rc::default();
    let (static_globals, static_extra) = (Rc::clone(globals), Rc::clone(&extra));
    let static_template = move |value: &Value, vars: &[Rc<Dict>]| {
        let layers: Vec<Rc<Dict>> = static_extra.get().into_iter().chain(vars).cloned().collect();
        TemplateEngine::new(&static_globals, &Layers(layers), &[]).evaluate_value(value).map_err(Diagnostic::from)
    };
    let mut loader = Loader::new(roles_path(settings), Box::new(open_vault), Box::new(static_template));
    loader.fill = parse_fill(&args.fill)?.into();
    loader.chosen_blocks = args.block.clone().into();
    loader.command_with = Box::new(terminal::command_with);
    loader.collections_path = settings.list(settings::COLLECTIONS_PATHS).into_iter().map(PathBuf::from).collect();
    let private = "DEFAULT_PRIVATE_ROLE_VARS";
    loader.private_roles = settings.is_set(private).then(|| settings.bool(private));
    loader.duplicate_keys = Reaction::from_word(&settings.text(settings::DUPLICATE_YAML_DICT_KEY));
    loader.reads = Rc::clone(&globals.reads);
    loader.mask_vault = secrets.is_masking();
    let door = Rc::clone(bus);
    loader.on_secret = Box::new(move |secret| door.redactor().add(secret));
    let (door, noted) = (Rc::clone(bus), Rc::clone(globals));
    loader.on_secret_template = Box::new(move |template| {
        noted.secret_variables.add_variable(template);
        let variable = secret_variables::read_environment_name(template).and_then(|name| std::env::var(name).ok());
        variable.iter().for_each(|secret| door.redactor().add(secret));
    });
    let loader = Rc::new(loader);
    let vars = Rc::new(extra_vars::read(
        &args.extra_vars,
        &loader,
        settings.text(settings::DEFAULT_HASH_BEHAVIOUR) == "merge",
    )?);
    // The cell is empty until here, and set once.
    let _ = extra.set(Rc::clone(&vars));
    foreign::set_search(build_module_search(settings, &vars));
    Ok((loader, vars))
}

/// Sets where modules are looked for, as a playbook in the current folder would, unless this program has a module of this
/// name. A settings file that cannot be read does not matter here.
pub fn search_foreign_modules(name: &str) {
    if crate::modules::find_own_module(name).is_some() {
        return;
    }
    if let Ok(settings) = RunSettings::load() {
        foreign::set_search(build_module_search(&settings, &Dict::new()));
        foreign::add_playbook_folder(Path::new("."));
    }
}

/// The folders of modules that are not part of this program; they are searched when a playbook names one.
pub fn build_module_search(settings: &RunSettings, vars: &Dict) -> ModuleSearch {
    let folders = |name: &str| settings.list(name).into_iter().map(PathBuf::from).collect();
    let variable = vars.get("ansible_python_interpreter").and_then(Value::as_str).map(str::to_owned);
    let setting = Some(settings.text(settings::INTERPRETER_PYTHON)).filter(|name| !name.is_empty());
    let named = variable.or(setting).filter(|name| !name.starts_with("auto"));
    ModuleSearch {
        library: folders(settings::DEFAULT_MODULE_PATH),
        module_utils: folders(settings::DEFAULT_MODULE_UTILS_PATH),
        collections: folders("COLLECTIONS_PATHS"),
        owners: Vec::new(),
        python: interpreter::find_on_path(named.as_deref().unwrap_or("python3")),
    }
}

/// `--fill PARAMETER=VALUE`
fn parse_fill(words: &[String]) -> LoadResult<Vec<(String, String)>> {
    let pair = |word: &String| match word.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => {
            check_fillable(name)?;
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err(general_problem(format!("expected `--fill PARAMETER=VALUE`, got `--fill {word}`"))),
    };
    words.iter().map(pair).collect()
}

/// A word that is not a file may have been meant as a subcommand.
fn or_command(mut problem: Box<LoadError>, path: &Path) -> Box<LoadError> {
    let names: Vec<String> =
        super::Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let word = path.to_string_lossy();
    if let (false, Some(near), Some(message)) =
        (path.exists(), suggest::find_nearest(&word, &names), problem.report.first_mut())
    {
        message.hints.push(format!("did you mean the command `{near}`?"));
    }
    problem
}

/// Adds a hint for an item that is neither a play nor a task: its module may be misspelt.
fn or_module(message: Diagnostic) -> Diagnostic {
    let names: Vec<&str> = MODULES.iter().map(|module| module.module_spec().short_name()).collect();
    let word = message.span().map(|span| span.text().to_owned()).unwrap_or_default();
    match suggest::find_nearest(&word, &names) {
        Some(near) => message.hint(format!("did you mean the module `{near}`?")),
        None => message,
    }
}

/// Refuses the name of a parameter that no module has.
fn check_fillable(name: &str) -> LoadResult<()> {
    if MODULES.iter().any(|module| module.module_spec().find_param(name).is_some()) {
        return Ok(());
    }
    let of_registries = MODULES.iter().map(|module| module.module_spec()).filter(|spec| spec.is_of_registry());
    let names: Vec<&str> = of_registries.flat_map(Spec::all_params).map(|param| param.name).collect();
    let message = Diagnostic::error(format!("`--fill {name}`: no module has a parameter of this name"));
    Err(Box::new(LoadError::from_general(message.suggest(name, &names))))
}

/// Mappings as a scope, the first winning.
struct Layers(Vec<Rc<Dict>>);

impl crate::template::VariableScope for Layers {
    fn get(&self, name: &str) -> Option<Value> {
        self.0.iter().find_map(|layer| layer.get(name)).cloned()
    }

    fn variable_names(&self) -> Vec<String> {
        self.0.iter().flat_map(|layer| layer.keys()).filter_map(|key| key.as_str().map(str::to_owned)).collect()
    }
}

/// The folders of the setting, and the places where roles are installed.
fn roles_path(settings: &RunSettings) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        settings.list(settings::DEFAULT_ROLES_PATH).into_iter().map(PathBuf::from).collect();
    if let Some(home) = std::env::home_dir() {
        folders.push(home.join(".ansible/roles"));
    }
    folders.extend([PathBuf::from("/usr/share/ansible/roles"), PathBuf::from("/etc/ansible/roles")]);
    folders
}

/// Complains if a playbook of the command line is not there: none of them is run then.
///
/// # Errors
/// If one is missing.
pub fn check_playbook_files(args: &RunArgs, loader: &Loader) -> LoadResult<()> {
    args.playbooks.iter().try_for_each(|name| refuse_address(name))?;
    let mut paths = args.playbooks.iter().filter(|name| *name != "-").map(Path::new);
    match paths.find(|path| !path.exists() || path.is_dir()) {
        Some(path) => loader.read(path).map(drop).map_err(|problem| or_command(problem, path)),
        None => Ok(()),
    }
}

/// Reads a playbook that is not the first of the command line.
///
/// # Errors
/// If it cannot be read or is not understood.
pub fn next(args: &RunArgs, name: &str, loader: &Rc<Loader>, bus: &Bus) -> LoadResult<Playbook> {
    load_playbook(args, name, loader, bus)?.ok_or_else(|| general_problem("nothing to run"))
}

/// Reads a playbook, a snippet or a page, and tells what was noticed in it; `None` if it was only to be listed.
///
/// # Errors
/// If it cannot be read or is not understood.
pub fn load_playbook(args: &RunArgs, name: &str, loader: &Rc<Loader>, bus: &Bus) -> LoadResult<Option<Playbook>> {
    let playbook = read_playbook(args, name, loader, bus, &mut None);
    for warning in loader.take_warnings() {
        bus.emit(&ReportEvent::Notice(warning));
    }
    playbook
}

/// Reads it; the loader keeps what was noticed.
fn read_playbook(
    args: &RunArgs,
    name: &str,
    loader: &Rc<Loader>,
    bus: &Bus,
    part: &mut Option<Playbook>,
) -> LoadResult<Option<Playbook>> {
    let (source, folder) = open_source(name, loader)?;
    foreign::add_playbook_folder(&folder);
    let intake = intake::read_intake(&source, &is_action).map_err(or_module)?;
    loader.add_reader_warnings(intake.warnings)?;
    let document = match intake.document {
        InputDocument::Page(found) if args.list_blocks => {
            for block in &found {
                bus.emit(&ReportEvent::Line(blocks::describe_block(block)));
            }
            return Ok(None);
        }
        InputDocument::Page(found) => {
            let chosen = blocks::choose_blocks(args, source.name(), found)?;
            *loader.chosen_blocks.borrow_mut() = chosen.iter().map(|block| block.number).collect();
            InputDocument::Page(chosen)
        }
        _ if !args.block.is_empty() || args.list_blocks => {
            return Err(general_problem(format!("`{name}` is not a page with blocks")));
        }
        other => other,
    };
    let folder = crate::playbook::real_path(folder);
    fill_document(document, (&source, &folder), loader, part).map(Some)
}

/// The text of a playbook, and the folder that its paths count from.
fn open_source(name: &str, loader: &Loader) -> LoadResult<(Arc<Source>, PathBuf)> {
    if name == "-" {
        if std::io::stdin().is_terminal() {
            terminal::show_text("Paste a playbook, tasks or a page here; end it with Ctrl-D on a new line.\n");
        }
        let text = crate::input::read_all(std::io::stdin().lock())
            .map_err(|error| general_problem(format!("cannot read standard input: {error}")))?;
        return Ok((crate::yaml::read_text("<stdin>", text)?, PathBuf::from(".")));
    }
    refuse_address(name)?;
    let path = Path::new(name);
    let source = loader.read(path).map_err(|problem| or_command(problem, path))?;
    let folder =
        path.parent().filter(|p| !p.as_os_str().is_empty()).map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    Ok((source, folder))
}

/// Says how a page of the web is run: nothing is fetched by this program itself.
fn refuse_address(name: &str) -> LoadResult<()> {
    let lower = name.to_ascii_lowercase();
    if !["http://", "https://"].iter().any(|scheme| lower.starts_with(scheme)) {
        return Ok(());
    }
    let message = Diagnostic::error(format!("`{name}` is an address, not a file; ionplay does not download pages"))
        .hint(format!("download it first: `curl -fsSL {} | ionplay -`", terminal::quote_word(name)))
        .hint("or copy the page and paste it into `ionplay -`");
    Err(Box::new(LoadError::from_general(message)))
}

/// Reads the plays of a document; on a terminal the user is asked for the values of empty placeholders.
fn fill_document(
    document: InputDocument,
    (source, folder): (&Arc<Source>, &Path),
    loader: &Rc<Loader>,
    part: &mut Option<Playbook>,
) -> LoadResult<Playbook> {
    let problem = match loader.read_playbook_part(document.clone(), source, folder, part) {
        Err(problem) if !problem.placeholders.is_empty() && terminal::is_there() => problem,
        read => return read,
    };
    let names = crate::playbook::placeholder_names(&problem.placeholders);
    let some = if names.len() == 1 { "a value" } else { "some values" };
    terminal::show_text(&format!("`{}` leaves {some} empty.\n", source.name()));
    for name in names {
        let places: Vec<_> = problem.placeholders.iter().filter(|found| found.param == name).collect();
        let lines: Vec<String> = places.iter().map(|found| found.place.position().line.to_string()).collect();
        let about = places.first().map_or("", |found| found.about);
        let line = if lines.len() == 1 { "line" } else { "lines" };
        let question = format!("{name} ({line} {}) - {about}\n{name}: ", lines.join(", "));
        match terminal::ask_line(&question) {
            Some(value) if !value.is_empty() => loader.fill.borrow_mut().push((name.to_owned(), value)),
            _ => return Err(problem),
        }
    }
    loader.take_warnings();
    loader.read_playbook_part(document, source, folder, part)
}
