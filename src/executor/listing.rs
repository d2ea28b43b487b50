//! `--list-hosts`, `--list-tasks`, `--list-tags`: what a run would be about.

use std::rc::Rc;

use super::play::PlayRun;
use super::scope::TaskScope;
use super::state::Run;
use super::{tags, task};
use crate::playbook::{Item, Play, Playbook, Task, block};
use crate::report::Event;
use crate::template::Engine;
use crate::value::{Value, python};

/// Prints the playbook's name, its plays, and below each what `inside` adds.
fn each_play(run: &Rc<Run>, playbooks: &[Playbook], inside: &dyn Fn(&Rc<Play>) -> Vec<String>) {
    for playbook in playbooks {
        line(run, format!("\nplaybook: {}", playbook.name));
        for (index, play) in playbook.plays.iter().enumerate() {
            let hosts = patterns(&play.hosts);
            let name = play.name.as_ref().map_or_else(|| hosts.join(","), python::str);
            let own = tags::texts(play.frame.tags());
            line(run, format!("\n  play #{} ({}): {name}\tTAGS: [{}]", index + 1, hosts.join(","), own.join(",")));
            for text in inside(play) {
                line(run, text);
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

/// `--list-hosts`
pub fn list_hosts(run: &Rc<Run>, playbooks: &[Playbook]) {
    each_play(run, playbooks, &|play| {
        let patterns = patterns(&play.hosts);
        run.inventory.borrow_mut().set_playbook_dir(&play.folder);
        let hosts = run.inventory.borrow().select_all(&patterns).unwrap_or_default();
        let shown = Value::list(patterns.iter().map(|p| Value::text(p.as_str())));
        let mut lines = vec![format!("    pattern: {}", python::repr(&shown)), format!("    hosts ({}):", hosts.len())];
        lines.extend(hosts.iter().map(|host| format!("      {host}")));
        lines
    });
}

/// `--list-tasks`
pub fn list_tasks(run: &Rc<Run>, playbooks: &[Playbook]) {
    each_play(run, playbooks, &|play| {
        let mut lines = vec!["    tasks:".to_owned()];
        each_task(run, play, &mut |label, tags| {
            lines.push(format!("      {label}\tTAGS: [{}]", tags.join(", ")));
        });
        lines
    });
}

/// `--list-tags`
pub fn list_tags(run: &Rc<Run>, playbooks: &[Playbook]) {
    each_play(run, playbooks, &|play| {
        let mut all: Vec<String> = Vec::new();
        each_task(run, play, &mut |_, tags| {
            all.extend(tags.iter().filter(|tag| !all.contains(tag)).cloned().collect::<Vec<_>>());
        });
        all.sort();
        vec![format!("      TASK TAGS: [{}]", all.join(", "))]
    });
}

/// The chosen tasks of a play with their names and sorted tags.
fn each_task(run: &Rc<Run>, play: &Rc<Play>, each: &mut dyn FnMut(&str, &[String])) {
    let localhost: Rc<str> = Rc::from("localhost");
    let probe = Rc::new(PlayRun::new(play, "", Vec::new(), Vec::new(), false));
    let mut tasks: Vec<Rc<Task>> = Vec::new();
    let sections: [&[Item]; 4] = [&play.pre_tasks, &play.role_blocks, &play.tasks, &play.post_tasks];
    for section in sections {
        block::flatten(section, &mut |task| tasks.push(Rc::clone(task)));
    }
    for task in tasks.iter().filter(|task| !task.implicit && task.action.short() != "meta") {
        let scope = TaskScope::new(run, Some(&probe), Some(task), &localhost);
        let engine = Engine::new(&run.globals, &scope, &[]);
        let templated: Vec<Value> =
            task.tags().iter().map(|tag| engine.value(tag).unwrap_or_else(|_| tag.clone())).collect();
        let mut tags = tags::texts(&templated);
        if run.options.tags.takes(&tags) {
            tags.sort();
            tags.dedup();
            let name = task::plain_name(task);
            each(&name, &tags);
        }
    }
}
