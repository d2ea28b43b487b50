//! Playbooks, plays, batches: the outermost loops, and how a run ends.

use std::rc::Rc;

use indexmap::IndexMap;

use super::known_secrets;
use super::play::{PlayEnd, PlayRun};
use super::state::{Out, RunState};
use super::strategy::cursor::HostCursor;
use super::strategy::free;
use super::strategy::host_order;
use super::strategy::linear::{self, Level};
use super::strategy::next_task;
use super::task::delivery;
use super::task::label;
use super::variables::fact_cache;
use super::variables::scope::{NO_HOST, TaskScope};
use super::variables::vars_files;
use super::variables::vars_prompt;
use crate::credentials::KeepReason;
use crate::diagnostic::{Diagnostic, Report};
use crate::exit::Exit;
use crate::playbook::task::Task;
use crate::playbook::{BlockItem, Keyword, LoadError, LoadErrorKind, LoadResult, Play, Playbook, RawArgs, TaskAction};
use crate::report::ReportEvent;
use crate::template::TemplateEngine;
use crate::value::{Dict, Value, python};

/// How a run ended.
#[derive(Debug)]
pub struct RunResult {
    /// The exit status.
    pub exit: Exit,
    /// Why it was broken off outside any task, if it was.
    pub report: Report,
}

/// Runs playbooks in sequence, up to the first that fails. Reports the counts after each.
pub async fn run_playbooks(run: &Rc<RunState>, playbooks: &[Playbook]) -> RunResult {
    let mut started = false;
    for (index, playbook) in playbooks.iter().enumerate() {
        if let Err(problem) = run_playbook(run, playbook, &mut started).await {
            return RunResult { exit: problem.kind.exit_status(), report: problem.report };
        }
        delivery::settle_jobs(run);
        let last = index + 1 == playbooks.len() || !run.failed.borrow().is_empty() || run.interrupt.is_raised();
        if started {
            let tally = run.tally.borrow();
            run.bus.emit(&ReportEvent::Recap {
                last,
                hosts: tally.hosts().clone(),
                custom: tally.custom().clone(),
                records: run.records.borrow().clone(),
                interrupted: run.interrupt.is_raised_by_user(),
                passwords_kept: list_unused_passwords(run),
            });
        }
        if last {
            break;
        }
    }
    for job in run.predicted_jobs.take() {
        let _ = std::fs::remove_file(job);
    }
    if !run.started.get() && started {
        let wanted = run.options.start_at.clone().unwrap_or_default();
        let message = Diagnostic::warning(format!("there is no task named `{wanted}` to start at; nothing was run"));
        run.bus.emit(&ReportEvent::Notice(message));
    }
    RunResult { exit: exit_status(run), report: Report::new() }
}

/// The names of tokens whose passwords no task has used so far.
fn list_unused_passwords(run: &RunState) -> Vec<String> {
    let held = run.credentials.iter().flat_map(|store| store.held_passwords());
    held.filter(|held| held.reason != KeepReason::Stored).map(|held| held.name).collect()
}

fn exit_status(run: &RunState) -> Exit {
    let failed = run.failed.borrow();
    if run.interrupt.is_raised() {
        Exit::Interrupted
    } else if failed.values().any(|out| *out == Out::Unreachable) {
        Exit::Unparsable
    } else if failed.is_empty() {
        Exit::Success
    } else {
        Exit::Failed
    }
}

async fn run_playbook(run: &Rc<RunState>, playbook: &Playbook, started: &mut bool) -> LoadResult<()> {
    let name = std::path::Path::new(&playbook.name).file_name().unwrap_or_default().to_string_lossy().into_owned();
    run.bus.emit(&ReportEvent::Verbose(2, format!("PLAYBOOK: {name}")));
    run.bus.emit(&ReportEvent::Verbose(2, format!("{} plays in {}", playbook.plays.len(), playbook.name)));
    for play in &playbook.plays {
        *started = true;
        if !run_play(run, play).await? || run.interrupt.is_raised() {
            break;
        }
    }
    Ok(())
}

/// Runs a play in its batches. Gives whether the plays after it are to run.
async fn run_play(run: &Rc<RunState>, play: &Rc<Play>) -> LoadResult<bool> {
    let name = play_name(run, play)?;
    run.inventory.borrow_mut().set_playbook_dir(&play.folder);
    run.loader.forget_runs();
    run.loader.set_play_vars(&play.static_vars);
    let hosts = select_hosts(run, play)?;
    let probe = Rc::new(PlayRun::new(play, &name, Vec::new(), hosts.clone(), false));
    let prompted = match &play.vars_prompt {
        Some(prompts) => {
            let scope = TaskScope::of_play(run, &probe, None);
            match vars_prompt::ask_all(run, &TemplateEngine::new(&run.globals, &scope, &[]), prompts).await? {
                Some(answers) => Rc::new(answers),
                None => return Ok(false),
            }
        }
        None => Rc::default(),
    };
    let settings = PlaySettings::read(run, &probe, &hosts)?;
    // A file of variables that is not a mapping is found before the play is announced.
    vars_files::read(run, &probe, &Rc::from(NO_HOST))?;
    for batch in &settings.batches {
        let mut batch_run = PlayRun::new(play, &name, batch.clone(), hosts.clone(), settings.force_handlers);
        batch_run.prompted = Rc::clone(&prompted);
        batch_run.max_failed = settings.max_failed;
        match run_batch(run, &Rc::new(batch_run), &settings).await? {
            BatchEnd::NextBatch => {}
            BatchEnd::NextPlay => return Ok(true),
            BatchEnd::EndRun => return Ok(false),
        }
    }
    Ok(true)
}

/// The next step after a batch of hosts.
enum BatchEnd {
    NextBatch,
    NextPlay,
    EndRun,
}

/// Runs a play for one batch of its hosts.
async fn run_batch(run: &Rc<RunState>, batch_run: &Rc<PlayRun>, settings: &PlaySettings) -> LoadResult<BatchEnd> {
    let (play, batch) = (&batch_run.play, &batch_run.batch);
    let check = play.find_keyword(Keyword::CheckMode).map_or(run.options.check, label::read_static_boolean);
    run.bus.emit(&ReportEvent::PlayStart { play: Rc::clone(&batch_run.name), check });
    if batch.is_empty() {
        run.bus.emit(&ReportEvent::NoHostsMatched);
        return Ok(BatchEnd::NextPlay);
    }
    let strategy = settings.find_strategy(play)?;
    let alive: Vec<Rc<str>> = batch.iter().filter(|host| !run.is_out(host)).cloned().collect();
    for host in std::iter::once(&Rc::from(NO_HOST)).chain(&alive) {
        vars_files::read(run, batch_run, host)?;
    }
    // A host must not be changed by a play that lacks some of its variables.
    for host in &alive {
        run.inventory.borrow().host_layers(host)?;
    }
    known_secrets::add_known(run, batch_run, &alive);
    next_task::check_tags(run, batch_run)?;
    let mut cursors = start_cursors(run, play, &alive, settings);
    match strategy {
        Strategy::Linear => linear::run_linear(run, batch_run, &mut cursors, Level::Play).await?,
        Strategy::Free => free::run_free(run, batch_run, &mut cursors, false).await?,
        Strategy::HostPinned => free::run_free(run, batch_run, &mut cursors, true).await?,
    }
    if !batch_run.started_hosts.borrow().is_empty() {
        run.started.set(true);
    }
    if run.interrupt.is_raised() {
        return Ok(BatchEnd::EndRun);
    }
    let out = batch.iter().filter(|host| run.is_out(host)).count();
    Ok(match batch_run.ended.get() {
        Some(PlayEnd::Fatal) => {
            for host in batch {
                run.failed.borrow_mut().entry(Rc::clone(host)).or_insert(Out::Failed);
            }
            BatchEnd::EndRun
        }
        Some(PlayEnd::Play) => BatchEnd::NextPlay,
        _ if out == batch.len() => BatchEnd::EndRun,
        _ => BatchEnd::NextBatch,
    })
}

/// Puts each host at the first task of the play, which gathers facts where that is wanted.
fn start_cursors(
    run: &Rc<RunState>,
    play: &Rc<Play>,
    hosts: &[Rc<str>],
    settings: &PlaySettings,
) -> IndexMap<Rc<str>, HostCursor> {
    let program =
        |gather: Option<BlockItem>| -> Rc<[BlockItem]> { play.build_program(gather, settings.force_handlers).into() };
    let (gathering, plain) = (program(Some(build_setup_task(play))), program(None));
    let start = |host: &Rc<str>| {
        let is_known = || run.options.gather_once && run.host_state(host).facts.borrow().contains(fact_cache::GATHERED);
        let gathers = settings.gathers.unwrap_or_else(|| run.options.gather_by_default && !is_known());
        (Rc::clone(host), HostCursor::new(Rc::clone(if gathers { &gathering } else { &plain })))
    };
    hosts.iter().map(start).collect()
}

/// Keywords of a play as they are for all of its hosts.
struct PlaySettings {
    /// The hosts, in the order in which they run, as `serial` divides them.
    batches: Vec<Vec<Rc<str>>>,
    /// `max_fail_percentage`
    max_failed: Option<f64>,
    force_handlers: bool,
    /// `gather_facts`
    gathers: Option<bool>,
    /// `strategy`
    strategy: String,
}

impl PlaySettings {
    fn read(run: &Rc<RunState>, probe: &Rc<PlayRun>, hosts: &[Rc<str>]) -> LoadResult<Self> {
        let play = &probe.play;
        let read = |keyword: Keyword| -> LoadResult<Option<Value>> {
            let Some(node) = play.find_keyword(keyword) else { return Ok(None) };
            let scope = TaskScope::of_play(run, probe, None);
            let value = TemplateEngine::new(&run.globals, &scope, &[]).evaluate_value(&node.to_value());
            let value =
                value.map_err(|fault| LoadError::from_parse(Diagnostic::from(fault.or_at(Some(node.span())))))?;
            Ok((!value.is_null() && value != Value::Omit).then_some(value))
        };
        let flag = |keyword: Keyword| -> LoadResult<Option<bool>> {
            Ok(read(keyword)?.and_then(|value| crate::template::python::text::boolean_word(&value)))
        };
        let order = read(Keyword::Order)?.map(|value| python::str(&value));
        let ordered = host_order::order_hosts(hosts.to_vec(), order.as_deref())
            .map_err(|message| place_error(play, Keyword::Order, message).of_kind(LoadErrorKind::Options))?;
        let max_failed = read(Keyword::MaxFailPercentage)?.map(|value| parse_percentage(&value)).transpose();
        let max_failed = max_failed
            .map_err(|message| place_error(play, Keyword::MaxFailPercentage, message).of_kind(LoadErrorKind::Parse))?;
        let batches = host_order::split_batches(&ordered, read(Keyword::Serial)?.as_ref())
            .map_err(|message| place_error(play, Keyword::Serial, message).of_kind(LoadErrorKind::Breakdown))?;
        let force_handlers = flag(Keyword::ForceHandlers)?.unwrap_or(run.options.force_handlers);
        let gathers = flag(Keyword::GatherFacts)?;
        let strategy = read(Keyword::Strategy)?.map(|value| python::str(&value));
        let strategy = strategy.unwrap_or_else(|| run.options.strategy.clone());
        Ok(Self { batches, max_failed, force_handlers, gathers, strategy })
    }

    fn find_strategy(&self, play: &Play) -> LoadResult<Strategy> {
        Strategy::from_name(&self.strategy).map_err(|message| place_error(play, Keyword::Strategy, message))
    }
}

/// The error of a keyword, with its place if the play has it.
fn place_error(play: &Play, keyword: Keyword, message: Diagnostic) -> Box<LoadError> {
    Box::new(LoadError::from_general(match play.find_keyword(keyword) {
        Some(node) => message.at(node.span(), ""),
        None => message,
    }))
}

/// The strategies of the language that make sense here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strategy {
    Linear,
    Free,
    HostPinned,
}

impl Strategy {
    fn from_name(name: &str) -> Result<Self, Diagnostic> {
        match crate::template::plugin::short_name(name) {
            "" | "linear" | "debug" => Ok(Self::Linear),
            "free" => Ok(Self::Free),
            "host_pinned" => Ok(Self::HostPinned),
            other => Err(Diagnostic::error(format!("there is no strategy `{other}`"))
                .suggest(other, &["linear", "free", "host_pinned"])
                .hint("known strategies are `linear`, `free` and `host_pinned`")),
        }
    }
}

/// A share of hosts, with or without the sign.
fn parse_percentage(value: &Value) -> Result<f64, Diagnostic> {
    let text = python::str(value);
    text.trim()
        .trim_end_matches('%')
        .parse()
        .map_err(|_| Diagnostic::error(format!("`max_fail_percentage` must be a number from 0 to 100, not `{text}`")))
}

/// The play's name, templated; without one, its hosts.
///
/// # Errors
/// If the template fails.
pub(super) fn play_name(run: &Rc<RunState>, play: &Rc<Play>) -> LoadResult<String> {
    let probe = Rc::new(PlayRun::new(play, "", Vec::new(), Vec::new(), false));
    let scope = TaskScope::of_play(run, &probe, None);
    let engine = TemplateEngine::new(&run.globals, &scope, &[]);
    let text = |written: &Value| match engine.evaluate_value(written) {
        Ok(Value::Null | Value::Omit) => Ok(String::new()),
        Ok(value) => Ok(run.bus.redactor().show_value(&value)),
        Err(fault) => Err(LoadError::from_parse(Diagnostic::from(fault.or_at(Some(&play.span))))),
    };
    let name = play.name.as_ref().map_or_else(|| Ok(String::new()), text)?;
    match &play.hosts {
        _ if !name.is_empty() => Ok(name),
        // The names in a list are shown as they are written.
        Value::List(items) => {
            Ok(items.iter().map(|item| run.bus.redactor().show_value(item)).collect::<Vec<_>>().join(","))
        }
        hosts => Ok(text(hosts)?),
    }
}

/// The patterns that choose the play's hosts, templated.
///
/// # Errors
/// If the template fails.
pub(super) fn template_host_patterns(run: &Rc<RunState>, play: &Rc<Play>) -> LoadResult<Vec<String>> {
    let probe = Rc::new(PlayRun::new(play, "", Vec::new(), Vec::new(), false));
    let scope = TaskScope::of_play(run, &probe, None);
    let engine = TemplateEngine::new(&run.globals, &scope, &[]);
    let value = engine
        .evaluate_value(&play.hosts)
        .map_err(|fault| LoadError::from_parse(Diagnostic::from(fault.or_at(Some(&play.span)))))?;
    Ok(match &value {
        Value::List(items) => items.iter().map(python::str).collect(),
        Value::Omit => Vec::new(),
        other => vec![python::str(other)],
    })
}

/// The hosts that the play's patterns choose.
fn select_hosts(run: &Rc<RunState>, play: &Rc<Play>) -> LoadResult<Vec<Rc<str>>> {
    let patterns = template_host_patterns(run, play)?;
    let chosen = run.inventory.borrow().select_all(&patterns);
    for warning in run.inventory.borrow().take_warnings() {
        let place =
            play.find_keyword(Keyword::Hosts).map(crate::yaml::YamlNode::span).filter(|_| warning.labels.is_empty());
        run.bus.emit(&ReportEvent::Notice(warning.at_some(place, "")));
    }
    let chosen = chosen.map_err(|message| Box::new(LoadError::from_general(message.at(&play.span, ""))))?;
    Ok(chosen.iter().map(|host| Rc::from(&**host)).collect())
}

/// The task that gathers facts before all others.
fn build_setup_task(play: &Play) -> BlockItem {
    let mut values = Dict::new();
    for (keyword, name) in [
        (Keyword::GatherSubset, "gather_subset"),
        (Keyword::GatherTimeout, "gather_timeout"),
        (Keyword::FactPath, "fact_path"),
    ] {
        if let Some(node) = play.find_keyword(keyword) {
            values.set(name, node.to_value());
        }
    }
    let args = RawArgs { values, template: None, node: None, span: play.span.clone() };
    let mut task = Task::new(TaskAction::from_builtin("gather_facts"), args, Rc::clone(&play.frame), play.span.clone());
    task.name = Some(Value::text("Gathering Facts"));
    task.implicit = true;
    task.keywords.set(Keyword::Tags, &play.span, Value::list([Value::text("always")]));
    BlockItem::Task(Rc::new(task))
}
