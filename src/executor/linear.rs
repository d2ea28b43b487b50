//! The linear strategy: hosts stay in step. Of all places where hosts are, the smallest is next, and the hosts that are
//! at it run its task side by side; the others wait.

use std::rc::Rc;

use futures_util::stream::{self, StreamExt};
use indexmap::IndexMap;

use super::cursor::{Cursor, Fate, Place};
use super::failures::{fail, fail_others, fatal, note_failures, out_of_hosts};
use super::include::Missing;
use super::keywords::Reader;
use super::meta;
use super::naming;
use super::play::PlayRun;
use super::scope::TaskScope;
use super::state::Run;
use super::step;
use super::tags;
use super::task::{Finished, TaskRun, kept};
use crate::playbook::{Keyword, Loaded, Task};
use crate::report::{Event, Status};
use crate::template::Engine;
use crate::value::{Value, python};

/// Whether the tasks are the play's own, or a handler's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The play's sections.
    Play,
    /// One handler, run by a flush.
    Handler,
}

/// Modules that run once for all hosts of the batch.
const ONCE_FOR_ALL: &[&str] = &["add_host", "pause"];

/// Runs the tasks that the cursors are at until all hosts are through or out.
///
/// # Errors
/// If something that is included is not understood, or the run must end for a reason outside any task.
pub async fn run(
    run: &Rc<Run>,
    play: &Rc<PlayRun>,
    cursors: &mut IndexMap<Rc<str>, Cursor>,
    level: Level,
) -> Loaded<()> {
    loop {
        if run.interrupt.is_raised() || play.ended.get().is_some() {
            return Ok(());
        }
        let found = next(run, play, cursors);
        // The end of an `always` may have been the end for a host.
        note_failures(run, cursors);
        let Some((task, hosts)) = found else { return Ok(()) };
        if task.action.short() == "meta" {
            meta::act(run, play, &task, &hosts, cursors).await?;
            continue;
        }
        one_task(run, play, &task, hosts, cursors).await?;
        note_failures(run, cursors);
        if level == Level::Play && out_of_hosts(run, cursors) {
            run.bus.emit(&Event::NoHostsRemaining);
            return Ok(());
        }
    }
}

/// The next task, and the hosts that are at it. Tasks that are left out by tags or by a finished role are passed.
fn next(
    run: &Rc<Run>,
    play: &Rc<PlayRun>,
    cursors: &mut IndexMap<Rc<str>, Cursor>,
) -> Option<(Rc<Task>, Vec<Rc<str>>)> {
    let mut best: Option<(Place, Rc<Task>, Vec<Rc<str>>)> = None;
    for (host, cursor) in cursors.iter_mut() {
        let Some(task) = at(run, play, host, cursor) else { continue };
        let place = cursor.place();
        match &mut best {
            Some((known, _, hosts)) if *known == place => hosts.push(Rc::clone(host)),
            Some((known, ..)) if *known < place => {}
            _ => best = Some((place, task, vec![Rc::clone(host)])),
        }
    }
    best.map(|(_, task, hosts)| (task, hosts))
}

/// The task that a host is at.
pub fn at(run: &Rc<Run>, play: &Rc<PlayRun>, host: &Rc<str>, cursor: &mut Cursor) -> Option<Rc<Task>> {
    loop {
        let task = cursor.peek(&mut |role| role.complete(host))?;
        let done = !task.handler && task.role().is_some_and(|role| role.is_done(host));
        if task.handler || !done && selected(run, play, &task, host) && started(run, play, &task, host) {
            return Some(task);
        }
        cursor.advance();
    }
}

fn selected(run: &Rc<Run>, play: &Rc<PlayRun>, task: &Rc<Task>, host: &Rc<str>) -> bool {
    run.remember_selected(task, || {
        let written = task.tags();
        if written.is_empty() {
            return run.options.tags.takes(&[]);
        }
        let scope = TaskScope::new(run, Some(play), Some(task), host);
        let engine = Engine::new(&run.globals, &scope, &[]);
        let templated = written.iter().map(|tag| engine.value(tag).unwrap_or_else(|_| tag.clone())).collect::<Vec<_>>();
        run.options.tags.takes(&tags::texts(&templated))
    })
}

/// `--start-at-task`: nothing runs before the named task.
fn started(run: &Rc<Run>, play: &Rc<PlayRun>, task: &Rc<Task>, host: &Rc<str>) -> bool {
    if run.started.get() || task.implicit || play.started_hosts.borrow().contains(host) {
        return true;
    }
    let Some(wanted) = &run.options.start_at else { return true };
    let label = naming::label(run, play, task, host);
    let name = task.name.as_ref().map(python::str).unwrap_or_default();
    let found = [&*label.task, name.as_str()].iter().any(|name| name == wanted || glob(wanted, name));
    if found {
        play.started_hosts.borrow_mut().insert(Rc::clone(host));
    }
    found
}

/// Shell patterns as far as names of tasks need them: `*` and `?`.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some('?') => (p, t) = (p + 1, t + 1),
            Some(c) if *c == text[t] => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// Runs one task on the hosts that are at it, and moves them on.
async fn one_task(
    run: &Rc<Run>,
    play: &Rc<PlayRun>,
    task: &Rc<Task>,
    hosts: Vec<Rc<str>>,
    cursors: &mut IndexMap<Rc<str>, Cursor>,
) -> Loaded<()> {
    let Some(first) = hosts.first() else { return Ok(()) };
    let label = naming::label(run, play, task, first);
    if !step::confirmed(run, &label.task) {
        hosts.iter().for_each(|host| {
            if let Some(cursor) = cursors.get_mut(host) {
                cursor.advance();
            }
        });
        return Ok(());
    }
    let on_behalf = flag(run, play, task, first, Keyword::RunOnce);
    let once = on_behalf || ONCE_FOR_ALL.contains(&task.action.short());
    let runners: &[Rc<str>] = if once { &hosts[..1] } else { &hosts };
    run.bus.emit(&Event::TaskStart(label.clone()));
    let alive: Vec<Rc<str>> = cursors.keys().filter(|host| !run.is_out(host)).cloned().collect();
    let width = forks(run, play, task, first);
    let tasks: Vec<(Rc<str>, Fate)> =
        runners.iter().map(|host| (Rc::clone(host), cursors.get(host).map_or(Fate::Failed, Cursor::fate))).collect();
    let run_one = |(host, fate): (Rc<str>, Fate)| {
        let (label, alive) = (&label, &alive);
        async move {
            let targets: &[Rc<str>] = if once { alive } else { std::slice::from_ref(&host) };
            let finished = TaskRun { run, play, task, label, host: &host, targets, fate, kept: kept(task) }.run().await;
            (host, fate, finished)
        }
    };
    let results: Vec<(Rc<str>, Fate, Loaded<Finished>)> =
        stream::iter(tasks).map(run_one).buffer_unordered(width).collect().await;
    let mut failed = Vec::new();
    let mut order = Vec::with_capacity(results.len());
    for (host, fate, finished) in results {
        order.push((host, fate, finished?));
    }
    order.sort_by_cached_key(|(host, ..)| hosts.iter().position(|known| known == host));
    let mut shared: IndexMap<u32, (String, Vec<String>, Option<Value>)> = IndexMap::new();
    for (host, fate, finished) in &order {
        if matches!(finished.status, Status::Failed | Status::Rescued | Status::Unreachable) {
            if let Some(cursor) = cursors.get_mut(host) {
                fail(run, play, task, finished, host, cursor);
            }
            if on_behalf && finished.status != Status::Unreachable {
                fail_others(run, play, std::slice::from_ref(host), cursors);
            }
            failed.push(Rc::clone(host));
            continue;
        }
        // What is included goes to the host that asked for it alone, even where it asked on behalf of all.
        let includes = !finished.includes.is_empty();
        for other in (if once { &hosts[..] } else { std::slice::from_ref(host) }).iter() {
            if let Some(cursor) = cursors.get_mut(other).filter(|_| !includes || other != host) {
                cursor.advance();
            }
        }
        let includer = Includer { run, play, task, label: &label, fate: *fate };
        if includes && includer.go_in(host, std::slice::from_ref(host), finished, cursors, &mut shared)? {
            failed.push(Rc::clone(host));
        }
    }
    for (_, (what, hosts, item)) in shared {
        run.bus.emit(&Event::Included { what, hosts, item });
    }
    if !failed.is_empty() {
        fatal(run, play, task, &failed, cursors, once);
    }
    Ok(())
}

/// Brings included lists to the hosts that asked for them.
struct Includer<'a> {
    run: &'a Rc<Run>,
    play: &'a Rc<PlayRun>,
    task: &'a Rc<Task>,
    label: &'a crate::report::TaskLabel,
    fate: Fate,
}

impl Includer<'_> {
    /// Loads what a host asked for; `true` if that failed.
    fn go_in(
        &self,
        host: &Rc<str>,
        hosts: &[Rc<str>],
        finished: &Finished,
        cursors: &mut IndexMap<Rc<str>, Cursor>,
        shared: &mut IndexMap<u32, (String, Vec<String>, Option<Value>)>,
    ) -> Loaded<bool> {
        let Self { run, play, task, label, fate } = *self;
        let runner = TaskRun { run, play, task, label, host, targets: hosts, fate, kept: kept(task) };
        let looped = task.looping.is_some();
        let mut lists = Vec::new();
        for request in &finished.includes {
            match request.load(run, play, task) {
                Ok((order, block)) => {
                    runner.tell_include(Ok(request.result()), looped);
                    let entry =
                        shared.entry(order).or_insert_with(|| (request.shown(task), Vec::new(), request.item.clone()));
                    entry.1.push(host.to_string());
                    lists.push((order, block));
                }
                Err(Missing::Fatal(problem)) => return Err(problem),
                Err(Missing::Failed(failure)) => {
                    runner.tell_include(Err(*failure), looped);
                    for host in hosts {
                        if let Some(cursor) = cursors.get_mut(host) {
                            fail(run, play, task, finished, host, cursor);
                        }
                    }
                    return Ok(true);
                }
            }
        }
        for host in hosts {
            if let Some(cursor) = cursors.get_mut(host) {
                cursor.include(lists.clone());
            }
        }
        Ok(false)
    }
}

/// A boolean keyword as the first host sees it; what cannot be evaluated fails later, at the task itself.
pub fn flag(run: &Rc<Run>, play: &Rc<PlayRun>, task: &Rc<Task>, host: &Rc<str>, keyword: Keyword) -> bool {
    if task.keyword(keyword).is_none() {
        return false;
    }
    let scope = TaskScope::new(run, Some(play), Some(task), host);
    let engine = Engine::new(&run.globals, &scope, &[]);
    Reader { engine: &engine, task }.bool(keyword).ok().flatten().unwrap_or(false)
}

fn forks(run: &Rc<Run>, play: &Rc<PlayRun>, task: &Rc<Task>, host: &Rc<str>) -> usize {
    let forks = run.options.forks.max(1);
    if task.keyword(Keyword::Throttle).is_none() {
        return forks;
    }
    let scope = TaskScope::new(run, Some(play), Some(task), host);
    let engine = Engine::new(&run.globals, &scope, &[]);
    let throttle = Reader { engine: &engine, task }.int(Keyword::Throttle).ok().flatten();
    throttle.and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0).map_or(forks, |n| n.min(forks))
}
