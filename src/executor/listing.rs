//! `--list-hosts`, `--list-tasks`, `--list-tags`: what a run would be about.

use std::rc::Rc;

use super::play::PlayRun;
use super::scope::TaskScope;
use super::state::Run;
use super::{naming, tags};
use crate::playbook::{Item, Play, Playbook, Task};
use crate::report::Event;
use crate::template::Engine;
use crate::value::{Value, python};

/// What is listed of each play.
#[derive(Debug, Clone, Copy)]
pub struct Listing {
    /// `--list-hosts`
    pub hosts: bool,
    /// `--list-tasks`
    pub tasks: bool,
    /// `--list-tags`
    pub tags: bool,
}

/// Prints each playbook's name, its plays, and below each what was asked for.
pub fn list(run: &Rc<Run>, playbooks: &[Playbook], listing: Listing) {
    for playbook in playbooks {
        line(run, format!("\nplaybook: {}", playbook.name));
        for (index, play) in playbook.plays.iter().enumerate() {
            let hosts = patterns(&play.hosts);
            let name = play.name.as_ref().map_or_else(|| hosts.join(","), python::str);
            let own = tags::texts(play.frame.tags());
            line(run, format!("\n  play #{} ({}): {name}\tTAGS: [{}]", index + 1, hosts.join(","), own.join(",")));
            if listing.hosts {
                list_hosts(run, play, &hosts);
            }
            if listing.tasks || listing.tags {
                list_tasks(run, play, listing);
            }
        }
    }
}

fn line(run: &Rc<Run>, text: String) {
    run.bus.emit(&Event::Line(text));
}

fn patterns(hosts: &Value) -> Vec<String> {
    match hosts {
        Value::List(items) => items.iter().map(python::str).collect(),
        other => vec![python::str(other)],
    }
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
    let localhost: Rc<str> = Rc::from("localhost");
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
        let scope = TaskScope::new(run, Some(&probe), Some(task), &localhost);
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
            line(run, format!("      {}\tTAGS: [{}]", naming::listed_name(task), tags.join(", ")));
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
