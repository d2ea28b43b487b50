//! `ionplay PLAYBOOK`: puts a run together from the command line and the environment, and runs it.

use std::rc::Rc;
use std::time::Duration;

use super::args::RunArgs;
use super::callbacks::Callbacks;
use super::config;
use super::config_dump;
use super::embedded::{self, MockRegistry};
use super::inventory_templates;
use super::load;
use super::output::{self, general_problem, has_colours, print_messages, print_redacted};
use super::run_lock::{LockDenied, RunLock};
use super::signals::{Ending, Signals};
use super::token::{self, Keeping};
use crate::credentials::{CredentialStore, RecordingConnector, RunEnd, UnusedPasswords};
use crate::diagnostic::{Diagnostic, Report, Severity};
use crate::executor::{self, ListSharing, Parts, RunState};
use crate::exit::Exit;
use crate::host;
use crate::ionos::{Connector, HttpConnector, OverlayConnector};
use crate::lint;
use crate::plan::host_effects::EffectObserver;
use crate::plan::{Answers, ResultCollector};
use crate::playbook::loader::plain_error;
use crate::playbook::{LoadResult, Playbook};
use crate::report::{Bus, ReportEvent, RunClose, Writer};
use crate::sandbox::SandboxError;
use crate::secrets;
use crate::settings::{self, RunSettings};

/// Inputs of a run besides its arguments.
#[derive(Default)]
pub(super) struct RunSetup {
    /// Another writer of events.
    pub writer: Option<Box<dyn Writer>>,
    /// The screen says nothing on standard output.
    pub quiet: bool,
    /// The connectors of real runs and of check mode, made of the one that reaches the service.
    pub connectors: Option<Box<MakeConnectors>>,
    /// Environment variables of every task.
    pub environment: Vec<(String, String)>,
    /// A server that runs already.
    pub server: Option<Rc<MockRegistry>>,
    /// Records, or authorizes, what modules do to files.
    pub effects: Option<Rc<dyn EffectObserver>>,
    /// Earlier answers to `vars_prompt`.
    pub answers: Rc<Answers>,
}

/// Makes them of the connector that reaches the service.
pub(super) type MakeConnectors = dyn Fn(Rc<dyn Connector>) -> Connectors;

/// For real runs, and for check mode.
pub(super) type Connectors = (Rc<dyn Connector>, Rc<dyn Connector>);

/// Outcome of a run.
pub(super) struct RunOutcome {
    /// How it ended.
    pub exit: Exit,
    /// The run, if the playbook could be read.
    pub run: Option<Rc<RunState>>,
    /// Why it ended outside of any task, in one sentence, if it did.
    pub reason: Option<String>,
}

/// Runs what the arguments say.
pub fn main(args: &RunArgs) -> Exit {
    on_runtime(run_playbooks(args))
}

/// Runs what the arguments say, and tells what went wrong outside any task.
async fn run_playbooks(args: &RunArgs) -> Exit {
    if args.config_dump {
        return config_dump::print_settings(args.only_changed);
    }
    if !args.detailed_exitcode {
        return run_with(args, RunSetup::default()).await.exit;
    }
    let (gather, gathered) = ResultCollector::new();
    let done = run_with(args, RunSetup { writer: Some(Box::new(gather)), ..RunSetup::default() }).await;
    let counts = gathered.borrow().count_actions();
    counts.exit_status(done.exit)
}

/// Runs what the arguments say with something of one's own.
pub(super) async fn run_with(args: &RunArgs, mut making: RunSetup) -> RunOutcome {
    let failed = |exit| RunOutcome { exit, run: None, reason: None };
    let settings = match RunSettings::load() {
        Ok(settings) => settings,
        Err(message) => return failed(print_messages(&[message], has_colours(args.no_color), Exit::BadOptions)),
    };
    if args.forks.is_none() && settings.int(settings::DEFAULT_FORKS) < 1 {
        let message = Diagnostic::error("by the settings no host may run at a time").hint("set `forks` to 1 or more");
        return failed(print_messages(&[message], has_colours(args.no_color), Exit::Failed));
    }
    let args = &config::apply_settings(args, &settings);
    let colour = has_colours(args.no_color) || (settings.bool(settings::ANSIBLE_FORCE_COLOR) && !args.no_color);
    let _lock = match acquire_lock(args) {
        Ok(lock) => lock,
        Err((message, exit)) => return failed(print_messages(&[message], colour, exit)),
    };
    let bus = match output::open_output(args, colour, &settings, making.writer.take(), making.quiet) {
        Ok(bus) => bus,
        Err(message) => return failed(print_messages(&[message], colour, Exit::General)),
    };
    secrets::environment::add_known(bus.redactor(), |name| std::env::var(name).ok());
    let server = match making.server.take().map_or_else(|| start_server(args), |server| Ok(Some(server))) {
        Ok(server) => server,
        Err(error) => {
            let message = [Diagnostic::error(error.to_string())];
            return failed(close(&bus, print_messages(&message, colour, Exit::General), &message));
        }
    };
    let (ended, run, store) = match prepare_run(args, &settings, &bus, server.as_deref(), &making).await {
        Ok(Prepared::Run(run, playbooks, store)) => {
            let ended = run_interruptible(&run, &playbooks).await;
            if let Some(line) = server.as_deref().and_then(embedded::summarize_requests) {
                bus.emit(&ReportEvent::Remark(line));
            }
            (ended, run, store)
        }
        Ok(Prepared::Done) => {
            return failed(close(&bus, Exit::Success, &[]));
        }
        Err(problem) => {
            let exit = print_redacted(&problem.report, bus.redactor(), colour, problem.kind.exit_status());
            return failed(close(&bus, exit, &problem.report));
        }
    };
    let exit = end_run(&bus, &ended, colour, store.as_deref(), server.is_some());
    let reason = ended.report.first().map(|message| bus.redactor().redact(&message.one_line()).into_owned());
    RunOutcome { exit, run: Some(run), reason }
}

/// Waits for the lock file, if one is named.
fn acquire_lock(args: &RunArgs) -> Result<Option<RunLock>, (Diagnostic, Exit)> {
    let Some(path) = args.lock.as_deref() else { return Ok(None) };
    RunLock::acquire(path, args.lock_timeout.map(Duration::from_secs)).map(Some).map_err(|denied| match denied {
        LockDenied::Held(message) => (message, Exit::PlanBusy),
        LockDenied::Unusable(message) => (message, Exit::General),
    })
}

/// Starts the mock registry, if the run is to be against it.
fn start_server(args: &RunArgs) -> Result<Option<Rc<MockRegistry>>, SandboxError> {
    Ok(args.sandbox.then(embedded::start_mock).transpose()?.map(Rc::new))
}

/// Reports how a run has ended, and the passwords that it leaves; gives the exit status.
fn end_run(
    bus: &Bus,
    ended: &executor::RunResult,
    colour: bool,
    store: Option<&CredentialStore>,
    is_mock: bool,
) -> Exit {
    let exit = print_redacted(&ended.report, bus.redactor(), colour, ended.exit);
    bus.close(&RunClose { exit, errors: &ended.report });
    let failure = bus.take_failure();
    let end = if exit == Exit::Success && failure.is_none() { RunEnd::Well } else { RunEnd::Badly };
    for line in store.iter().flat_map(|store| describe_unused(store, &store.end_run(end), is_mock)) {
        bus.emit(&ReportEvent::Remark(line.clone()));
        // The screen is no longer read.
        if bus.take_failure().is_some() || failure.is_some() {
            print_redacted(&[Diagnostic::warning(line)], bus.redactor(), colour, exit);
        }
    }
    match failure {
        Some(failure) if !failure.seen_enough => output::report_unwritten(&plain_error(&failure.error), exit),
        _ => exit,
    }
}

/// Tells the writers that the run has ended before anything ran, and gives the exit status.
fn close(bus: &Bus, exit: Exit, errors: &[Diagnostic]) -> Exit {
    bus.close(&RunClose { exit, errors });
    match bus.take_failure() {
        Some(failure) if !failure.seen_enough => output::report_unwritten(&plain_error(&failure.error), exit),
        _ => exit,
    }
}

/// Returns what there is to tell of passwords that no task has used, with the command to type.
fn describe_unused(store: &CredentialStore, left: &UnusedPasswords, is_mock: bool) -> Vec<String> {
    let names: Vec<&str> = left.passwords.iter().map(|held| held.name.as_str()).collect();
    let (count, they) = match names.len() {
        0 => (String::new(), ""),
        1 => ("1 one-time password was".to_owned(), "it"),
        many => (format!("{many} one-time passwords were"), "they"),
    };
    let verb = if names.len() == 1 { "is" } else { "are" };
    let command = match names.as_slice() {
        [one] => format!("`ionplay token show {one}`"),
        _ => "`ionplay token list`".to_owned(),
    };
    let whereabouts = match (store.is_lasting(), is_mock) {
        (true, _) => format!("{they} {verb} kept: {command}"),
        (false, true) => {
            format!("the mock registry ends with this run; with an account {they} would be kept: {command}")
        }
        (false, false) => format!("{they} {verb} lost, because `--no-journal` keeps nothing"),
    };
    let mut lines = Vec::new();
    if !names.is_empty() {
        lines.push(format!("{count} not used by any task; {whereabouts}"));
    }
    for name in left.unclear.iter().filter(|_| store.is_lasting()) {
        lines.push(format!("token `{name}` may have been created; the next run looks for it: `ionplay token list`"));
    }
    lines
}

/// How long an interrupted run may take to end before something is said of it.
const PATIENCE: Duration = Duration::from_millis(200);

/// Runs until the end or until a signal asks to end: the first time what is under way is finished, the second time the
/// program ends at once.
async fn run_interruptible(run: &Rc<RunState>, playbooks: &[Playbook]) -> executor::RunResult {
    let work = executor::run_playbooks(run, playbooks);
    tokio::pin!(work);
    // Before anything runs: from here on the signals do not end the program by themselves.
    let Ok(mut signals) = Signals::start_listening() else { return work.await };
    let ending = tokio::select! {
        biased;
        ending = signals.next() => ending,
        // Work that blocked the thread may have ended because of a signal that could not be told yet.
        ended = &mut work => match signals.next_pending().await {
            Some(ending) => return broken_off(ending, ended.report),
            None => return ended,
        },
    };
    match ending {
        Ending::Interrupted => run.interrupt.raise(),
        Ending::Terminated => run.interrupt.raise_because("terminated"),
        Ending::HungUp => run.interrupt.raise_because("hung up"),
    }
    // Mostly it is over at once, and there is nothing to tell.
    let report = tokio::select! {
        ended = &mut work => ended.report,
        () = tokio::time::sleep(PATIENCE) => {
            let what = run.interrupt.reason();
            run.bus.emit(&ReportEvent::Notice(Diagnostic::warning(format!(
                "{what}: what has been sent is finished, nothing else is begun or waited for; {}",
                ending.how_to_stop_at_once(),
            ))));
            tokio::select! {
                ended = &mut work => ended.report,
                _ = signals.next() => Report::new(),
            }
        }
        _ = signals.next() => Report::new(),
    };
    broken_off(ending, report)
}

/// How a run ended that a signal has ended.
fn broken_off(ending: Ending, mut report: Report) -> executor::RunResult {
    report.push(Diagnostic::error(ending.message()));
    executor::RunResult { exit: ending.exit_status(), report }
}

enum Prepared {
    /// With the first playbook: those after it are read when their turn has come.
    Run(Rc<RunState>, Vec<Playbook>, Option<Rc<CredentialStore>>),
    Done,
}

async fn prepare_run(
    args: &RunArgs,
    settings: &RunSettings,
    bus: &Rc<Bus>,
    server: Option<&MockRegistry>,
    making: &RunSetup,
) -> LoadResult<Prepared> {
    let secrets = load::vault_secrets(args, settings, bus.redactor())?;
    announce_settings(args, settings, bus);
    let folder =
        std::env::current_dir().map_err(|error| general_problem(format!("cannot tell the current folder: {error}")))?;
    let globals = Rc::new(load::build_globals(&folder, &secrets, settings, bus.redactor()));
    // A plan says what it cannot know of files; check mode is that of Ansible.
    if args.check && making.effects.is_some() {
        globals.pending.start_tracking();
    }
    let (loader, extra_vars) = load::build_loader(args, settings, &globals, &secrets, bus)?;
    load::check_playbook_files(args, &loader)?;
    let composer = inventory_templates::build_composer(&globals, &extra_vars);
    let inputs = config::InventoryInputs { secrets: &secrets, loader: &loader, composer };
    let inventory = config::load_inventory(args, settings, bus, inputs)?;
    let Some(first) = load::load_playbook(args, &args.playbooks[0], &loader, bus)? else { return Ok(Prepared::Done) };
    let listing = executor::PlayListing { hosts: args.list_hosts, tasks: args.list_tasks, tags: args.list_tags };
    let listed = args.syntax_check || listing.hosts || listing.tasks || listing.tags;
    let store = if listed { None } else { Some(open_store(args, bus, server)?) };
    let run = RunState::new(Parts {
        options: build_options(args, settings, server, making),
        bus: Rc::clone(bus),
        globals,
        loader,
        inventory,
        extra_vars,
        registries: connect_registries(server, store.as_ref(), making),
        host_apis: (Box::new(host::RealHost), Box::new(host::DryRunHost)),
        effects: making.effects.clone(),
        credentials: store.clone(),
    });
    // All of them before the first one runs: what is wrong with the last is told before anything is sent.
    let later = args.playbooks.iter().skip(1).map(|name| load::next(args, name, &run.loader, bus));
    let playbooks = std::iter::once(Ok(first)).chain(later).collect::<LoadResult<Vec<_>>>()?;
    if !listed || args.syntax_check {
        announce_problems(&playbooks, &run);
        for warning in lint::check_tags(&playbooks, &args.tags) {
            bus.emit(&ReportEvent::Notice(warning));
        }
    }
    if !listed {
        return Ok(Prepared::Run(run, playbooks, store));
    }
    executor::list_plays(&run, &playbooks, listing)?;
    Ok(Prepared::Done)
}

/// Reports which settings file counts, and which settings are passed over.
fn announce_settings(args: &RunArgs, settings: &RunSettings, bus: &Bus) {
    if let Some(folder) = &settings.untrusted {
        let message = format!("anybody may write in `{}`, so the `ansible.cfg` there is passed over", folder.display());
        bus.emit(&ReportEvent::Notice(Diagnostic::warning(message).hint("`ANSIBLE_CONFIG` names a file that counts")));
    }
    if let Some(warning) = Callbacks::read(settings).warn_ignored() {
        bus.emit(&ReportEvent::Notice(warning));
    }
    if args.verbose > 0 {
        let line = match &settings.file {
            Some(file) => format!("Using {} as config file", file.display()),
            None => "No config file found; using defaults".to_owned(),
        };
        bus.emit(&ReportEvent::Verbose(1, line));
    }
}

fn open_store(args: &RunArgs, bus: &Rc<Bus>, server: Option<&MockRegistry>) -> LoadResult<Rc<CredentialStore>> {
    // The mock registry of this process, and what it makes, end with the process.
    let in_run = server.is_some_and(|server| !server.is_shared()) || args.no_journal;
    let keeping = if in_run { Keeping::InRun } else { Keeping::InFolder };
    Ok(Rc::new(token::open_store(bus, keeping, args.seal_key_file.as_deref())?))
}

/// The connectors of real runs and of check mode.
fn connect_registries(
    server: Option<&MockRegistry>,
    store: Option<&Rc<CredentialStore>>,
    making: &RunSetup,
) -> Connectors {
    let http: Rc<dyn Connector> = Rc::new(HttpConnector::default());
    let http: Rc<dyn Connector> = match server {
        Some(server) => Rc::new(embedded::MockConnector::new(http, server)),
        None => http,
    };
    let http: Rc<dyn Connector> = match store {
        Some(store) => Rc::new(RecordingConnector::new(http, Rc::clone(store))),
        None => http,
    };
    match &making.connectors {
        Some(make) => make(http),
        None => (Rc::clone(&http), Rc::new(OverlayConnector::new(http)) as Rc<dyn Connector>),
    }
}

fn build_options(
    args: &RunArgs,
    settings: &RunSettings,
    server: Option<&MockRegistry>,
    making: &RunSetup,
) -> executor::RunOptions {
    let mut options = config::build_options(args, settings);
    options.environment = server.map(embedded::task_environment).unwrap_or_default();
    options.environment.extend(making.environment.iter().cloned());
    // A plan, and what applies it, promise to notice a world that has changed.
    if making.connectors.is_some() && options.list_sharing == ListSharing::BetweenTasks {
        options.list_sharing = ListSharing::WithinLoops;
    }
    options.answers = Rc::clone(&making.answers);
    options
}

/// Announces what will go wrong before the first task starts.
fn announce_problems(playbooks: &[Playbook], run: &RunState) {
    for finding in playbooks.iter().flat_map(|playbook| lint::check_playbook(playbook, &run.globals)) {
        let Some(notice) = lint::announce_finding(&finding, run.options.python) else { continue };
        let certain = finding.message.severity == Severity::Error;
        let task = finding.task.filter(|_| certain).map(|place| Rc::from(place.to_string()));
        run.bus.emit(&ReportEvent::Announcement { notice, task });
    }
}

/// Runs something on the one thread of the program.
pub(super) fn on_runtime(work: impl Future<Output = Exit>) -> Exit {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    // Nothing that was printed stays behind while the run waits.
    builder.enable_all().on_thread_park(crate::block_output::write_pending);
    let runtime = match builder.build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::write_stderr(&format!("error: cannot start: {error}"));
            return Exit::Internal;
        }
    };
    runtime.block_on(work)
}
