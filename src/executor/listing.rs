//! `--list-hosts`, `--list-tasks`, `--list-tags`, `--syntax-check`: what a run would be about.

use std::rc::Rc;

use super::play::PlayRun;
use super::run::{patterns, play_name};
use super::state::Run;
use super::tags;
use super::task::label;
use super::variables::scope::TaskScope;
use crate::playbook::{Item, Loaded, Play, Playbook, Task};
use crate::report::Event;
use crate::template::Engine;
use crate::value::{Value, python};

/// Lists that are requested for each play.
#[derive(Debug, Clone, Copy)]
pub struct Listing {
    /// `--list-hosts`
    pub hosts: bool,
    /// `--list-tasks`
    pub tasks: bool,
    /// `--list-tags`
    pub tags: bool,
}

/// Prints each playbook's name, its plays, and below each what was asked for; the plays are left out if nothing was.
///
/// # Errors
/// If the name or the hosts of a play cannot be told, with or without plays to be listed.
pub fn list(run: &Rc<Run>, playbooks: &[Playbook], listing: Listing) -> Loaded<()> {
    let mut lines = Vec::new();
    for playbook in playbooks {
        lines.push((format!("\nplaybook: {}", playbook.name), None));
        for (index, play) in playbook.plays.iter().enumerate() {
            run.inventory.borrow_mut().set_playbook_dir(&play.folder);
            let name = play_name(run, play)?;
            let hosts = patterns(run, play)?;
            let own = tags::texts(play.frame.tags());
            let title = format!("\n  play #{} ({}): {name}\tTAGS: [{}]", index + 1, hosts.join(","), own.join(","));
            lines.push((title, Some((play, hosts))));
        }
    }
    for (title, play) in lines {
        let Some((play, hosts)) = play else {
            line(run, title);
            continue;
        };
        if !(listing.hosts || listing.tasks || listing.tags) {
            continue;
        }
        line(run, title);
        if listing.hosts {
            list_hosts(run, play, &hosts);
        }
        if listing.tasks || listing.tags {
            list_tasks(run, play, listing);
        }
    }
    Ok(())
}

fn line(run: &Rc<Run>, text: String) {
    run.bus.emit(&Event::Line(text));
}

fn list_hosts(run: &Rc<Run>, play: &Play, patterns: &[String]) {
    run.inventory.borrow_mut().set_playbook_dir(&play.folder);
    let hosts = run.inventory.borrow().select_all(patterns).unwrap_or_default();
    let shown = Value::list(patterns.iter().map(|p| Value::text(p.as_str())));
    line(run, format!("    pattern: {}", python::repr(&shown)));
    line(run, format!("    hosts ({}):", hosts.len()));
    for host in hosts {
        line(run, format!("      {host}"));
    }
}

/// The chosen tasks of a play with their sorted tags, and all tags together.
fn list_tasks(run: &Rc<Run>, play: &Rc<Play>, listing: Listing) {
    let probe = Rc::new(PlayRun::new(play, "", Vec::new(), Vec::new(), false));
    let mut tasks: Vec<Rc<Task>> = Vec::new();
    for section in [&play.pre_tasks, &play.role_blocks, &play.tasks, &play.post_tasks] {
        main_sections(section, &mut tasks);
    }
    if listing.tasks {
        line(run, "    tasks:".to_owned());
    }
    let mut all: Vec<String> = Vec::new();
    for task in &tasks {
        let scope = TaskScope::of_play(run, &probe, Some(task));
        let engine = Engine::new(&run.globals, &scope, &[]);
        let templated: Vec<Value> =
            task.tags().iter().map(|tag| engine.value(tag).unwrap_or_else(|_| tag.clone())).collect();
        let mut tags = tags::texts(&templated);
        if !run.options.tags.takes(&tags) {
            continue;
        }
        tags.sort();
        tags.dedup();
        if listing.tasks {
            line(run, format!("      {}\tTAGS: [{}]", label::listed_name(task), tags.join(", ")));
        }
        all.extend(tags);
    }
    if listing.tags {
        all.sort();
        all.dedup();
        line(run, format!("      TASK TAGS: [{}]", all.join(", ")));
    }
}

/// The tasks of a list and of the blocks in it, without what runs only after a failure or at the end.
fn main_sections(items: &[Item], tasks: &mut Vec<Rc<Task>>) {
    for item in items {
        match item {
            Item::Task(task) => tasks.push(Rc::clone(task)),
            Item::Block(block) => main_sections(&block.main, tasks),
        }
    }
}
