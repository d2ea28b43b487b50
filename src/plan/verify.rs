//! Whether a plan still holds: the same dry run again must come to the same.

use std::collections::BTreeSet;

use super::model::{Observed, Plan, PlannedAction, PlannedTask};
use crate::reconcile::Verb;

/// Why a plan is not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanRefusal {
    /// It was made by another version of the program.
    Version(String),
    /// It holds tasks that would fail.
    Fails(usize),
    /// Files or variables are not those that it was made from.
    Playbook(Vec<String>),
    /// The observed state has changed since the plan was made.
    World(Vec<String>),
    /// The run would talk to another service or contract than the planned one.
    Account(String),
    /// It was applied before, or the world is already as it would make it.
    Applied(String),
    /// It is being applied.
    Busy,
}

impl std::fmt::Display for PlanRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Version(made) => write!(
                f,
                "the plan was made by version {made} of this program, which is {}; make a new plan",
                env!("CARGO_PKG_VERSION")
            ),
            Self::Fails(count) => write!(f, "{count} tasks of the plan would fail; fix them and make a new plan"),
            Self::Playbook(what) => write!(f, "the playbook is not the one that was planned: {}", list_briefly(what)),
            Self::World(what) => write!(f, "the world has changed since the plan was made: {}", list_briefly(what)),
            Self::Account(what) => write!(f, "the plan is for another account: {what}"),
            Self::Busy => write!(f, "the plan is being applied by another process right now"),
            Self::Applied(how) => write!(f, "the plan has been applied already: {how}"),
        }
    }
}

/// The first few, and how many more.
fn list_briefly(what: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut text = what.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
    if what.len() > SHOWN {
        text.push_str(&format!("; and {} more", what.len() - SHOWN));
    }
    text
}

/// Whether a plan can be applied at all.
///
/// # Errors
/// If it is of another version, or would fail.
pub fn check_usable(plan: &Plan) -> Result<(), PlanRefusal> {
    if plan.tool != env!("CARGO_PKG_VERSION") {
        return Err(PlanRefusal::Version(plan.tool.clone()));
    }
    if !plan.failed.is_empty() {
        return Err(PlanRefusal::Fails(plan.failed.len()));
    }
    Ok(())
}

/// Compares a plan with one that was made just now.
///
/// # Errors
/// With the first kind of difference that there is.
pub fn verify_plan(planned: &Plan, now: &Plan) -> Result<(), PlanRefusal> {
    let mut changed: Vec<String> = planned
        .files
        .iter()
        .filter_map(|(name, digest)| match now.files.get(name) {
            None => Some(format!("`{name}` is not read any more")),
            Some(other) if other != digest => Some(format!("`{name}` has changed")),
            Some(_) => None,
        })
        .collect();
    changed.extend(
        now.files.keys().filter(|name| !planned.files.contains_key(*name)).map(|name| format!("`{name}` is new")),
    );
    if planned.variables != now.variables {
        changed.push("the variables of the command line or the answers to prompts differ".to_owned());
    }
    if !changed.is_empty() {
        return Err(PlanRefusal::Playbook(changed));
    }
    let (was, is) = (list_accounts(planned), list_accounts(now));
    if was != is {
        let named = |all: &BTreeSet<&str>| match all.len() {
            0 => "none".to_owned(),
            _ => all.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
        };
        return Err(PlanRefusal::Account(format!(
            "it is for {}, and this run would talk to {}",
            named(&was),
            named(&is)
        )));
    }
    let world = compare_observed(&planned.observed, &now.observed);
    if is_done(planned, now) {
        return Err(PlanRefusal::Applied("everything is as it would make it".to_owned()));
    }
    if !world.is_empty() {
        return Err(PlanRefusal::World(world));
    }
    let others = compare_steps(&planned.others, &now.others);
    if !others.is_empty() {
        return Err(PlanRefusal::World(others));
    }
    if planned.writes != now.writes
        || planned.host_effects != now.host_effects
        || planned.undetermined != now.undetermined
        || planned.failed != now.failed
    {
        return Err(PlanRefusal::World(vec![
            "the same playbook comes to another result now, though all registry objects are as they were".to_owned(),
        ]));
    }
    Ok(())
}

/// The services that were asked.
fn list_accounts(plan: &Plan) -> BTreeSet<&str> {
    plan.observed.iter().map(|seen| &*seen.account).chain(plan.writes.iter().map(|write| &*write.account)).collect()
}

/// Returns whether the plan had actions, and the account already is in the planned state.
fn is_done(planned: &Plan, now: &Plan) -> bool {
    let left = now.count_actions();
    let achieved = |action: &PlannedAction| {
        let same =
            |other: &&PlannedAction| other.kind == action.kind && (other.name == action.name || other.id == action.id);
        now.actions.iter().filter(same).any(|other| other.action == Verb::Nothing.name())
    };
    planned.count_actions().has_changes()
        && !left.has_changes()
        && left.failed == 0
        && planned.actions.iter().filter(|action| action.action != Verb::Nothing.name()).all(achieved)
}

/// Lists differences between the tasks that change files, in sentences.
fn compare_steps(before: &[PlannedTask], after: &[PlannedTask]) -> Vec<String> {
    let said = |step: &PlannedTask, what: &str| format!("task \"{}\" on {} {what}", step.task, step.host);
    let less = before.iter().filter(|step| !after.contains(step)).map(|step| said(step, "would change nothing now"));
    let more = after.iter().filter(|step| !before.contains(step)).map(|step| said(step, "would change something now"));
    less.chain(more).collect()
}

/// Lists differences between two observations, in sentences.
pub fn compare_observed(before: &[Observed], after: &[Observed]) -> Vec<String> {
    let same =
        |a: &Observed, b: &Observed| a.account == b.account && a.kind == b.kind && a.id == b.id && a.parent == b.parent;
    let mut found = Vec::new();
    for old in before {
        let name = describe_object(old);
        match after.iter().find(|new| same(old, new)) {
            None if old.there => found.push(format!("{name} no longer exists")),
            None => {}
            Some(new) if old.there && !new.there => found.push(format!("{name} no longer exists")),
            Some(new) if !old.there && new.there => found.push(format!("{name} exists now")),
            Some(new) if old.fingerprint != new.fingerprint => {
                let fields: Vec<&str> = new
                    .fields
                    .iter()
                    .filter(|(key, value)| old.fields.get(*key) != Some(value))
                    .map(|(key, _)| key.as_str())
                    .collect();
                found.push(format!("{name} has another {}", fields.join(", ")));
            }
            Some(_) => {}
        }
    }
    for new in after.iter().filter(|new| new.there && !before.iter().any(|old| same(old, new))) {
        found.push(format!("{} is new", describe_object(new)));
    }
    found
}

fn describe_object(observed: &Observed) -> String {
    match &observed.name {
        Some(name) if *name != observed.id => format!("{} `{name}` ({})", observed.kind, observed.id),
        _ => format!("{} `{}`", observed.kind, observed.id),
    }
}
