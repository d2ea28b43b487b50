//! Puts a run together from the command line and the environment, and runs it.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::run::{OutputFormat, RunArgs};
use super::{config, embedded, extra_vars};
use crate::diagnostic::{Diagnostic, Report, render};
use crate::executor::{self, Options, Parts, Run, Selection};
use crate::exit::Exit;
use crate::host;
use crate::intake::{self, Document};
use crate::inventory::{Inventory, Rules, Transform};
use crate::ionos::{Connector, HttpConnector, OverlayConnector};
use crate::plan::deeds::Deeds;
use crate::plan::{Answers, Gather};
use crate::playbook::{Loaded, Loader, Playbook, Problem};
use crate::report::{Bus, Event, Writer, document, jsonl, screen};
use crate::sandbox::Handle;
use crate::secrets::Redactor;
use crate::settings::Settings;
use crate::source::Source;
use crate::template::{Engine, Fault, Globals};
use crate::value::{Dict, Text, Value};
use crate::vars::vault::VaultSecrets;

/// What a run is made with besides its arguments.
#[derive(Default)]
pub(super) struct Making {
    /// Another writer of events.
    pub writer: Option<Box<dyn Writer>>,
    /// The screen says nothing on standard output.
    pub quiet: bool,
    /// The connectors of real runs and of check mode, made of the one that reaches the service.
    pub connectors: Option<Box<MakeConnectors>>,
    /// What every task finds in its environment.
    pub environment: Vec<(String, String)>,
    /// A server that runs already.
    pub server: Option<Rc<Handle>>,
    /// Is told what modules do to files, or says whether they may.
    pub deeds: Option<Rc<dyn Deeds>>,
    /// What was answered to prompts before.
    pub answers: Rc<Answers>,
}

/// Makes them of the connector that reaches the service.
pub(super) type MakeConnectors = dyn Fn(Rc<dyn Connector>) -> Connectors;

/// For real runs, and for check mode.
pub(super) type Connectors = (Rc<dyn Connector>, Rc<dyn Connector>);

/// What is left of a run.
pub(super) struct Done {
    /// How it ended.
    pub exit: Exit,
    /// What was read, if it came so far.
    pub run: Option<Rc<Run>>,
}

/// Runs what the arguments say, and tells what went wrong outside any task.
pub async fn run(args: &RunArgs) -> Exit {
    if !args.detailed_exitcode {
        return run_with(args, Making::default()).await.exit;
    }
    if !args.check {
        let message = Diagnostic::error("`--detailed-exitcode` is for dry runs").hint("add `--check`");
        return broken(&[message], colours(args.no_color), Exit::BadOptions);
    }
    let (gather, gathered) = Gather::new();
    let done = run_with(args, Making { writer: Some(Box::new(gather)), ..Making::default() }).await;
    let counts = gathered.borrow().counts();
    counts.status(done.exit)
}

/// Runs what the arguments say with something of one's own.
pub(super) async fn run_with(args: &RunArgs, mut making: Making) -> Done {
    let failed = |exit| Done { exit, run: None };
    let settings = match Settings::load() {
        Ok(settings) => settings,
        Err(message) => return failed(broken(&[message], colours(args.no_color), Exit::General)),
    };
    let args = &config::applied(args, &settings);
    let colour = colours(args.no_color) || (settings.bool("ANSIBLE_FORCE_COLOR") && !args.no_color);
    let bus = match door(args, colour, &settings, &mut making) {
        Ok(bus) => bus,
        Err(message) => return failed(broken(&[message], colour, Exit::General)),
    };
    let server = match making.server.take() {
        Some(server) => Some(server),
        None => match args.sandbox.then(embedded::start).transpose() {
            Ok(server) => server.map(Rc::new),
            Err(error) => return failed(broken(&[Diagnostic::error(error.to_string())], colour, Exit::General)),
        },
    };
    let (ended, run) = match prepare(args, &settings, &bus, server.as_deref(), &making).await {
        Ok(Prepared::Run(run, playbooks)) => {
            let ended = interruptible(&run, &playbooks).await;
            if let Some(server) = &server {
                bus.emit(&Event::Line(embedded::summary(server)));
            }
            (ended, run)
        }
        Ok(Prepared::Done) => return failed(Exit::Success),
        Err(problem) => {
            return failed(guarded(&problem.report, bus.redactor(), colour, problem.kind.exit()));
        }
    };
    let exit = guarded(&ended.report, bus.redactor(), colour, ended.exit);
    let exit = match bus.take_failure() {
        // A reader that has seen enough (`| head`) is no failure of the run.
        Some(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            broken(&[Diagnostic::error(format!("cannot write the output: {error}"))], colour, Exit::General)
        }
        _ => exit,
    };
    Done { exit, run: Some(run) }
}

/// Runs until the end or until the user presses Ctrl-C: the first time what is under way is finished, the second time
/// the program ends at once.
async fn interruptible(run: &Rc<Run>, playbooks: &[Playbook]) -> executor::Ended {
    let work = executor::run(run, playbooks);
    tokio::pin!(work);
    tokio::select! {
        ended = &mut work => return ended,
        _ = tokio::signal::ctrl_c() => {}
    }
    run.interrupt.raise();
    run.bus.emit(&Event::Notice(Diagnostic::warning(
        "interrupted: what has been sent is finished, nothing else is begun or waited for; press Ctrl-C again to stop at \
         once",
    )));
    tokio::select! {
        ended = &mut work => executor::Ended { exit: Exit::Interrupted, ..ended },
        _ = tokio::signal::ctrl_c() => executor::Ended { exit: Exit::Interrupted, report: Report::new() },
    }
}

enum Prepared {
    Run(Rc<Run>, Vec<Playbook>),
    Done,
}

async fn prepare(
    args: &RunArgs,
    settings: &Settings,
    bus: &Rc<Bus>,
    server: Option<&Handle>,
    making: &Making,
) -> Loaded<Prepared> {
    let secrets = VaultSecrets::collect(&args.vault_id, &args.vault_password_file, args.ask_vault_pass)
        .map_err(|problem| general(problem.to_string()))?;
    let secrets = Rc::new(secrets.matching_ids(settings.bool("DEFAULT_VAULT_ID_MATCH")));
    if args.verbose > 0 {
        let line = match &settings.file {
            Some(file) => format!("Using {} as config file", file.display()),
            None => "No config file found; using defaults".to_owned(),
        };
        bus.emit(&Event::Verbose(1, line));
    }
    let folder =
        std::env::current_dir().map_err(|error| general(format!("cannot tell the current folder: {error}")))?;
    let globals = Rc::new(globals(&folder, &secrets, settings));
    let (loader, extra_vars) = loader(args, settings, &globals, &secrets, bus)?;
    let mut playbooks = Vec::new();
    for name in &args.playbooks {
        match playbook(args, name, &loader, bus)? {
            Some(playbook) => playbooks.push(playbook),
            None => return Ok(Prepared::Done),
        }
    }
    for warning in loader.take_warnings() {
        bus.emit(&Event::Notice(warning));
    }
    if args.syntax_check {
        for playbook in &playbooks {
            bus.emit(&Event::Line(format!("\nplaybook: {}", playbook.name)));
        }
        return Ok(Prepared::Done);
    }
    let inventory = inventory(args, settings, &secrets, bus, &loader)?;
    let http: Rc<dyn Connector> = Rc::new(HttpConnector::default());
    let http: Rc<dyn Connector> = match server {
        Some(server) => Rc::new(embedded::ToSandbox::new(http, server)),
        None => http,
    };
    let mut options = options(args, settings);
    options.environment = server.map(embedded::environment).unwrap_or_default();
    options.environment.extend(making.environment.iter().cloned());
    options.answers = Rc::clone(&making.answers);
    let registries = match &making.connectors {
        Some(make) => make(http),
        None => (Rc::clone(&http), Rc::new(OverlayConnector::new(http)) as Rc<dyn Connector>),
    };
    let parts = Parts {
        options,
        bus: Rc::clone(bus),
        globals,
        loader,
        inventory,
        extra_vars,
        registries,
        host_apis: (Box::new(host::Real), Box::new(host::Predict)),
        deeds: making.deeds.clone(),
    };
    let run = Run::new(parts);
    let listing = executor::Listing { hosts: args.list_hosts, tasks: args.list_tasks, tags: args.list_tags };
    let listed = listing.hosts || listing.tasks || listing.tags;
    if listed {
        executor::list(&run, &playbooks, listing);
    }
    Ok(if listed { Prepared::Done } else { Prepared::Run(run, playbooks) })
}

/// Reads a playbook without running it, and gives the loader that knows what was noticed; the redactor learns the
/// secrets in it.
///
/// # Errors
/// If it cannot be read.
pub fn read(args: &RunArgs, name: &str, redactor: &Rc<Redactor>) -> Loaded<(Rc<Loader>, Playbook)> {
    let settings = Settings::load().map_err(|message| Box::new(Problem::general(message)))?;
    let args = &config::applied(args, &settings);
    let secrets = VaultSecrets::collect(&args.vault_id, &args.vault_password_file, args.ask_vault_pass)
        .map_err(|problem| general(problem.to_string()))?;
    let secrets = Rc::new(secrets.matching_ids(settings.bool("DEFAULT_VAULT_ID_MATCH")));
    let folder =
        std::env::current_dir().map_err(|error| general(format!("cannot tell the current folder: {error}")))?;
    let bus = Rc::new(Bus::new(Vec::new(), Rc::clone(redactor)));
    let globals = Rc::new(globals(&folder, &secrets, &settings));
    let (loader, _) = loader(args, &settings, &globals, &secrets, &bus)?;
    let playbook = playbook(args, name, &loader, &bus)?.ok_or_else(|| general("nothing to read"))?;
    Ok((loader, playbook))
}

/// What all templates share: vault secrets and settings.
fn globals(folder: &Path, secrets: &Rc<VaultSecrets>, settings: &Settings) -> Globals {
    let secrets = Rc::clone(secrets);
    let globals = settings
        .iter()
        .fold(Globals::new(folder), |globals, (name, value, origin)| globals.with_setting(name, value, origin));
    globals.with_opener(Box::new(move |sealed| {
        let opened = secrets
            .open_text(&sealed.envelope)
            .map_err(|problem| Fault::value(problem.to_string()).or_at(sealed.span.as_ref()))?;
        // Vaulted text is the user's own: it may be a template.
        Ok(match &sealed.span {
            Some(span) => Text::written(opened, span.clone()),
            None => Text::plain(opened),
        })
    }))
}

fn loader(
    args: &RunArgs,
    settings: &Settings,
    globals: &Rc<Globals>,
    secrets: &Rc<VaultSecrets>,
    bus: &Rc<Bus>,
) -> Loaded<(Rc<Loader>, Rc<Dict>)> {
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
        Engine::new(&static_globals, &Layers(layers), &[]).value(value).map_err(Diagnostic::from)
    };
    let mut loader = Loader::new(roles_path(settings), Box::new(open_vault), Box::new(static_template));
    loader.fill = fill(&args.fill)?;
    loader.reads = Rc::clone(&globals.reads);
    let door = Rc::clone(bus);
    loader.on_secret = Box::new(move |secret| door.redactor().add(secret));
    let loader = Rc::new(loader);
    let vars = Rc::new(extra_vars::read(&args.extra_vars, &loader)?);
    // The cell is empty until here, and set once.
    let _ = extra.set(Rc::clone(&vars));
    Ok((loader, vars))
}

/// `--fill PARAMETER=VALUE`
fn fill(words: &[String]) -> Loaded<Vec<(String, String)>> {
    let pair = |word: &String| match word.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(general(format!("`--fill {word}` is no `PARAMETER=VALUE`"))),
    };
    words.iter().map(pair).collect()
}

/// Mappings as a scope, the first winning.
struct Layers(Vec<Rc<Dict>>);

impl crate::template::Scope for Layers {
    fn get(&self, name: &str) -> Option<Value> {
        self.0.iter().find_map(|layer| layer.get(name)).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().flat_map(|layer| layer.keys()).filter_map(|key| key.as_str().map(str::to_owned)).collect()
    }
}

/// The folders of the setting, and the places where roles are installed.
fn roles_path(settings: &Settings) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = settings.list("DEFAULT_ROLES_PATH").into_iter().map(PathBuf::from).collect();
    if let Some(home) = std::env::home_dir() {
        folders.push(home.join(".ansible/roles"));
    }
    folders.extend([PathBuf::from("/usr/share/ansible/roles"), PathBuf::from("/etc/ansible/roles")]);
    folders
}

/// Reads a playbook, a snippet or a page; `None` if it was only to be listed.
fn playbook(args: &RunArgs, name: &str, loader: &Rc<Loader>, bus: &Bus) -> Loaded<Option<Playbook>> {
    let (source, folder) = if name == "-" {
        let mut text = Vec::new();
        std::io::stdin()
            .read_to_end(&mut text)
            .map_err(|error| general(format!("cannot read standard input: {error}")))?;
        (crate::yaml::read_text("<stdin>", text)?, PathBuf::from("."))
    } else {
        let path = Path::new(name);
        let source = loader.read(path)?;
        let folder =
            path.parent().filter(|p| !p.as_os_str().is_empty()).map_or_else(|| PathBuf::from("."), Path::to_path_buf);
        (source, folder)
    };
    let intake = intake::read(&source, &|key| crate::playbook::action::resolve(key).is_some())?;
    for warning in intake.warnings {
        loader.warn(warning);
    }
    let document = match intake.document {
        Document::Page(blocks) if args.list_blocks => {
            for block in &blocks {
                bus.emit(&Event::Line(listed(block)));
            }
            return Ok(None);
        }
        Document::Page(blocks) => Document::Page(chosen(args, blocks, &source)?),
        other if args.block.is_some() || args.list_blocks => {
            let _ = other;
            return Err(general(format!("`{name}` is not a page with blocks")));
        }
        other => other,
    };
    let folder = std::path::absolute(&folder).unwrap_or(folder);
    loader.playbook(document, &source, &folder).map(Some)
}

/// A block of a page in one line.
fn listed(block: &intake::Block) -> String {
    let heading = block.heading.as_deref().map(|heading| format!(" under \"{heading}\"")).unwrap_or_default();
    let problem = if block.document.is_err() { " (cannot be read)" } else { "" };
    format!("{}: line {}{heading}: {}{problem}", block.number, block.line, block.what)
}

fn chosen(args: &RunArgs, blocks: Vec<intake::Block>, source: &Arc<Source>) -> Loaded<Vec<intake::Block>> {
    let Some(number) = args.block else { return Ok(blocks) };
    let count = blocks.len();
    let found: Vec<intake::Block> = blocks.into_iter().filter(|block| block.number == number).collect();
    if found.is_empty() {
        return Err(general(format!(
            "`{}` has no block {number}; `--list-blocks` lists its {count} runnable ones",
            source.name()
        )));
    }
    Ok(found)
}

fn inventory(
    args: &RunArgs,
    settings: &Settings,
    secrets: &Rc<VaultSecrets>,
    bus: &Bus,
    loader: &Loader,
) -> Loaded<Inventory> {
    let sources = &args.inventory;
    let rules = Rules {
        group_names: Transform::parse(&settings.text("TRANSFORM_INVALID_GROUP_CHARS")),
        ranges_in_lists: settings.list("INVENTORY_ENABLED").iter().any(|name| name.ends_with("advanced_host_list")),
    };
    let mut inventory = Inventory::load_by(sources, Rc::clone(secrets), rules, Rc::clone(&loader.reads));
    let unread = inventory.unread();
    let fatal = (settings.bool("INVENTORY_ANY_UNPARSED_IS_FAILED") && !unread.is_empty())
        || (settings.bool("INVENTORY_UNPARSED_IS_FAILED") && unread.len() == sources.len());
    if fatal {
        return Err(general(match unread {
            [] => "no inventory was given, which is an error by the settings".to_owned(),
            unread => {
                format!("the inventory `{}` could not be read, which is an error by the settings", unread.join("`, `"))
            }
        }));
    }
    if let Some(limit) = &args.limit {
        inventory.set_limit(limit).map_err(|message| Box::new(Problem::general(message)))?;
    }
    let quiet = sources.is_empty();
    for warning in inventory.take_warnings() {
        if !quiet {
            bus.emit(&Event::Notice(warning));
        }
    }
    if args.limit.is_some() && inventory.limit_leaves_nothing() {
        return Err(general("the limit leaves no host to run on"));
    }
    Ok(inventory)
}

fn options(args: &RunArgs, settings: &Settings) -> Options {
    Options {
        check: args.check,
        diff: args.diff,
        verbosity: args.verbose.min(4),
        forks: args.forks.unwrap_or(5),
        limit: args.limit.clone(),
        tags: Selection::new(&args.tags, &args.skip_tags),
        start_at: args.start_at_task.clone(),
        step: args.step,
        force_handlers: args.force_handlers,
        inventory_sources: args.inventory.clone(),
        gather_by_default: settings.text("DEFAULT_GATHERING") != "explicit",
        gather_once: settings.text("DEFAULT_GATHERING") == "smart",
        flush_cache: args.flush_cache,
        fact_cache: fact_cache(settings),
        connection: args.connection.clone(),
        user: args.user.clone(),
        timeout: args
            .timeout
            .and_then(|seconds| i64::try_from(seconds).ok())
            .unwrap_or(settings.int("DEFAULT_TIMEOUT")),
        r#become: args.r#become,
        strategy: settings.text("DEFAULT_STRATEGY"),
        poll: settings.int("DEFAULT_POLL_INTERVAL"),
        task_timeout: settings.int("TASK_TIMEOUT"),
        config_file: settings.file.as_ref().map(|file| file.display().to_string()),
        environment: Vec::new(),
        answers: Rc::default(),
    }
}

/// Where facts are kept between runs.
fn fact_cache(settings: &Settings) -> Option<executor::FactCache> {
    let folder = settings.text("CACHE_PLUGIN_CONNECTION");
    let kind = settings.text("CACHE_PLUGIN");
    if crate::template::call::short_name(&kind) != "jsonfile" || folder.is_empty() {
        return None;
    }
    let timeout = u64::try_from(settings.int("CACHE_PLUGIN_TIMEOUT")).ok().filter(|seconds| *seconds > 0);
    Some(executor::FactCache {
        folder: PathBuf::from(folder),
        prefix: settings.text("CACHE_PLUGIN_PREFIX"),
        timeout: timeout.map(std::time::Duration::from_secs),
    })
}

/// The writers that the arguments ask for.
fn door(args: &RunArgs, colour: bool, settings: &Settings, making: &mut Making) -> Result<Rc<Bus>, Diagnostic> {
    let mut writers: Vec<Box<dyn Writer>> = Vec::new();
    writers.extend(making.writer.take());
    let quiet = making.quiet || args.output.is_some();
    writers.push(Box::new(screen::Screen::new(screen::Options {
        colour,
        verbosity: args.verbose.min(4),
        quiet,
        show_skipped: settings.bool("DISPLAY_SKIPPED_HOSTS"),
    })));
    if let Some(format) = args.output {
        let format = match format {
            OutputFormat::Json => document::Format::Json,
            OutputFormat::Yaml => document::Format::Yaml,
        };
        writers.push(Box::new(document::Document::new(format)));
    }
    if let Some(path) = &args.events {
        let writer = jsonl::Jsonl::create(path)
            .map_err(|error| Diagnostic::error(format!("cannot write the events to `{}`: {error}", path.display())))?;
        writers.push(Box::new(writer));
    }
    Ok(Rc::new(Bus::new(writers, Rc::new(Redactor::new(args.show_secrets)))))
}

/// Colour only where the reader is a terminal and nobody has said no.
pub(super) fn colours(refused: bool) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let yes = |name: &str| {
        let value = std::env::var(name).unwrap_or_default().to_lowercase();
        !matches!(value.as_str(), "" | "0" | "no" | "off" | "false" | "n" | "f")
    };
    if refused || set("NO_COLOR") || yes("ANSIBLE_NOCOLOR") {
        return false;
    }
    yes("CLICOLOR_FORCE") || yes("ANSIBLE_FORCE_COLOR") || std::io::stdout().is_terminal()
}

/// Tells messages on standard error, without the secrets that are known, in source lines neither.
fn guarded(report: &[Diagnostic], redactor: &Redactor, colour: bool, exit: Exit) -> Exit {
    let colour = colour && std::io::stderr().is_terminal();
    for message in report {
        eprintln!("{}", redactor.redact(&render::render(message, colour)));
    }
    exit
}

/// Tells messages of which none can hold a secret.
fn broken(report: &[Diagnostic], colour: bool, exit: Exit) -> Exit {
    guarded(report, &Redactor::new(true), colour, exit)
}

fn general(message: impl Into<String>) -> Box<Problem> {
    Box::new(Problem::general(Diagnostic::error(message)))
}
