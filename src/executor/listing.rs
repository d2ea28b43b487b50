//! `--list-hosts`, `--list-tasks`, `--list-tags`, `--syntax-check`: lists the parts of a run.

use std::rc::Rc;

use super::play::PlayRun;
use super::run::{play_name, template_host_patterns};
use super::state::RunState;
use super::tags;
use super::task::label;
use super::variables::scope::TaskScope;
use crate::modules;
use crate::playbook::{BlockItem, LoadResult, Play, Playbook, Task};
use crate::report::ReportEvent;
use crate::template::TemplateEngine;
use crate::value::{Value, python};

/// Lists that are requested for each play.
#[derive(Debug, Clone, Copy)]
pub struct PlayListing {
    /// `--list-hosts`
    pub hosts: bool,
    /// `--list-tasks`
    pub tasks: bool,
    /// `--list-tags`
    pub tags: bool,
}

/// Prints each playbook with its plays and the requested lists; omits the plays without a list.
///
/// # Errors
/// If the name or the hosts of a play cannot be resolved, with or without a list.
pub fn list_plays(run: &Rc<RunState>, playbooks: &[Playbook], listing: PlayListing) -> LoadResult<()> {
    let mut lines = Vec::new();
    for playbook in playbooks {
        lines.push((format!("\nplaybook: {}", playbook.name), None));
        for (index, play) in playbook.plays.iter().enumerate() {
            run.inventory.borrow_mut().set_playbook_dir(&play.folder);
            let name = play_name(run, play)?;
            let hosts = template_host_patterns(run, play)?;
            let own = tags::format_tags(play.frame.tags());
            let title = format!("\n  play #{} ({}): {name}\tTAGS: [{}]", index + 1, hosts.join(","), own.join(","));
            lines.push((title, Some((play, hosts))));
        }
    }
    for (title, play) in lines {
        let Some((play, hosts)) = play else {
            emit_line(run, title);
            continue;
        };
        if !(listing.hosts || listing.tasks || listing.tags) {
            continue;
        }
        emit_line(run, title);
        if listing.hosts {
            list_hosts(run, play, &hosts);
        }
        if listing.tasks || listing.tags {
            list_tasks(run, play, listing);
        }
    }
    Ok(())
}

fn emit_line(run: &Rc<RunState>, text: String) {
    run.bus.emit(&ReportEvent::Line(text));
}

fn list_hosts(run: &Rc<RunState>, play: &Play, patterns: &[String]) {
    run.inventory.borrow_mut().set_playbook_dir(&play.folder);
    let hosts = run.inventory.borrow().select_all(patterns).unwrap_or_default();
    let shown = Value::list(patterns.iter().map(|p| Value::text(p.as_str())));
    emit_line(run, format!("    pattern: {}", python::repr(&shown)));
    emit_line(run, format!("    hosts ({}):", hosts.len()));
    for host in hosts {
        emit_line(run, format!("      {host}"));
    }
}

/// The chosen tasks of a play with their sorted tags, and all tags together.
fn list_tasks(run: &Rc<RunState>, play: &Rc<Play>, listing: PlayListing) {
    let probe = Rc::new(PlayRun::new(play, "", Vec::new(), Vec::new(), false));
    let mut tasks: Vec<Rc<Task>> = Vec::new();
    for section in [&play.pre_tasks, &play.role_blocks, &play.tasks, &play.post_tasks] {
        main_sections(section, &mut tasks);
    }
    if listing.tasks {
        emit_line(run, "    tasks:".to_owned());
    }
    let mut all: Vec<String> = Vec::new();
    for task in &tasks {
        let scope = TaskScope::of_play(run, &probe, Some(task));
        let engine = TemplateEngine::new(&run.globals, &scope, &[]);
        let templated: Vec<Value> =
            task.tags().iter().map(|tag| engine.evaluate_value(tag).unwrap_or_else(|_| tag.clone())).collect();
        let mut tags = tags::format_tags(&templated);
        if !run.options.tags.is_selected(&tags) {
            continue;
        }
        tags.sort();
        tags.dedup();
        if listing.tasks {
            let module = modules::find_module(&task.action.full).filter(|_| run.options.verbosity > 0);
            let file = module.and_then(|module| module.module_spec().file);
            let file = file.map(|file| format!("\tBRIDGE: {file}")).unwrap_or_default();
            emit_line(run, format!("      {}\tTAGS: [{}]{file}", label::listed_name(task), tags.join(", ")));
        }
        all.extend(tags);
    }
    if listing.tags {
        all.sort();
        all.dedup();
        emit_line(run, format!("      TASK TAGS: [{}]", all.join(", ")));
    }
}

/// The tasks of a list and of the blocks in it, without what runs only after a failure or at the end.
fn main_sections(items: &[BlockItem], tasks: &mut Vec<Rc<Task>>) {
    for item in items {
        match item {
            BlockItem::Task(task) => tasks.push(Rc::clone(task)),
            BlockItem::Block(block) => main_sections(&block.main, tasks),
        }
    }
}
