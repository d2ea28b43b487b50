//! `prune`: objects that a job made and no longer names, first disabled, then deleted, as part of the job's own plan.
//!
//! The tasks are a playbook that runs after those of the job: the same plan, approval, apply and record hold for it.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::super::config::Prune;
use super::super::decide::next_prune_step_at;
use super::super::record::{MadeObject, TOKEN};
use crate::plan::Plan;

/// Kind of registries in plans.
const REGISTRY: &str = "Registry";

/// A step that is due for an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PruneStep {
    /// The object.
    pub object: MadeObject,
    /// It is deleted; otherwise disabled.
    pub deletes: bool,
}

/// Returns the objects with the time since which a plan of the job's own playbooks does not name them; none if the plan
/// does not say: with undetermined tasks it may name more than it shows.
pub fn mark_named(objects: &[MadeObject], plan: &Plan, now: Timestamp) -> Option<Vec<MadeObject>> {
    if !plan.undetermined.is_empty() || !plan.failed.is_empty() {
        return None;
    }
    let mark = |object: &MadeObject| {
        let named = plan.actions.iter().any(|action| {
            action.kind == object.kind && (action.name == object.name || action.id.as_str() == Some(&object.id))
        });
        let unnamed_since = if named { None } else { object.unnamed_since.or(Some(now)) };
        MadeObject { unnamed_since, disabled: object.disabled && !named, ..object.clone() }
    };
    Some(objects.iter().map(mark).collect())
}

/// Returns the steps that are due.
pub fn due_steps(objects: &[MadeObject], prune: Prune, now: Timestamp) -> Vec<PruneStep> {
    let due = objects.iter().filter(|object| next_prune_step_at(object, prune).is_some_and(|at| at <= now));
    let known = due.filter(|object| [TOKEN, REGISTRY].contains(&&*object.kind));
    let step =
        |object: &MadeObject| PruneStep { deletes: object.disabled || object.kind != TOKEN, object: object.clone() };
    known.map(step).collect()
}

/// Returns a playbook of these steps. JSON is YAML.
pub fn write_playbook(steps: &[PruneStep], hosts: &str) -> String {
    let tasks: Vec<Json> = steps.iter().map(task_of).collect();
    let play = json!([{
        "name": "Objects that the job made and no longer names",
        "hosts": hosts,
        "gather_facts": false,
        "tags": ["always"],
        "tasks": tasks,
    }]);
    serde_json::to_string_pretty(&play).unwrap_or_default() + "\n"
}

fn task_of(step: &PruneStep) -> Json {
    let object = &step.object;
    let (module, mut arguments) = if object.kind == TOKEN {
        ("registry_token", json!({"registry": object.parent, "registry_token": object.id}))
    } else {
        ("registry", json!({"registry": object.id}))
    };
    let verb = if step.deletes { "Delete" } else { "Disable" };
    if step.deletes {
        arguments["state"] = json!("absent");
    } else {
        arguments["state"] = json!("update");
        arguments["status"] = json!("disabled");
    }
    let mut task = json!({
        "name": format!("{verb} {} {}", object.kind.to_lowercase(), object.name),
        "run_once": true,
        "connection": "local",
    });
    task[format!("ionoscloudsdk.ionoscloud.{module}")] = arguments;
    task
}

/// Reads the ids of the objects in such a playbook.
pub fn read_playbook_ids(text: &str) -> Vec<String> {
    let plays: Vec<Json> = serde_json::from_str(text).unwrap_or_default();
    let tasks = plays.iter().flat_map(|play| play["tasks"].as_array().into_iter().flatten());
    let ids = tasks.filter_map(|task| {
        let of_token = task["ionoscloudsdk.ionoscloud.registry_token"]["registry_token"].as_str();
        of_token.or_else(|| task["ionoscloudsdk.ionoscloud.registry"]["registry"].as_str())
    });
    ids.map(str::to_owned).collect()
}

/// Returns the objects after these steps were done, or were found to be done already.
pub fn after_steps(
    objects: Vec<MadeObject>,
    steps: &[String],
    delete: impl Fn(&MadeObject) -> bool,
) -> Vec<MadeObject> {
    let mut left = Vec::new();
    for mut object in objects {
        if steps.contains(&object.id) {
            if delete(&object) {
                continue;
            }
            object.disabled = true;
        }
        left.push(object);
    }
    left
}

/// Returns the ids of steps for which a plan has nothing to do.
pub fn steps_without_action(plan: &Plan, steps: &[PruneStep]) -> Vec<String> {
    let acts = |id: &str| plan.actions.iter().any(|action| action.action != "none" && action.id.as_str() == Some(id));
    steps.iter().map(|step| &step.object.id).filter(|id| !acts(id)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::config::PruneMode;
    use super::*;
    use std::time::Duration;

    fn object(kind: &str, since: Option<&str>, disabled: bool) -> MadeObject {
        MadeObject {
            kind: kind.to_owned(),
            name: "ci".to_owned(),
            id: "id-1".to_owned(),
            parent: Some("reg".to_owned()),
            unnamed_since: since.map(|since| since.parse().unwrap()),
            disabled,
        }
    }

    fn steps(object: MadeObject, mode: PruneMode, now: &str) -> Vec<bool> {
        let prune = Prune { mode, grace: Duration::from_secs(3600) };
        due_steps(&[object], prune, now.parse().unwrap()).into_iter().map(|step| step.deletes).collect()
    }

    #[test]
    fn token_is_disabled_first_and_deleted_after_the_grace_period() {
        const SINCE: Option<&str> = Some("2026-11-30T00:00:00Z");
        let (early, late) = ("2026-11-30T00:59:59Z", "2026-11-30T01:00:00Z");
        assert_eq!(steps(object(TOKEN, SINCE, false), PruneMode::Delete, early), [false]);
        assert_eq!(
            steps(object(TOKEN, SINCE, false), PruneMode::Delete, late),
            [false],
            "never without the first step"
        );
        assert!(steps(object(TOKEN, SINCE, true), PruneMode::Delete, early).is_empty());
        assert_eq!(steps(object(TOKEN, SINCE, true), PruneMode::Delete, late), [true]);
        assert_eq!(steps(object(TOKEN, SINCE, false), PruneMode::Disable, early), [false]);
        assert!(steps(object(TOKEN, SINCE, true), PruneMode::Disable, late).is_empty());
        for mode in [PruneMode::Off, PruneMode::Report] {
            assert!(steps(object(TOKEN, SINCE, false), mode, late).is_empty());
        }
        assert!(steps(object(TOKEN, None, false), PruneMode::Delete, late).is_empty());
        assert!(steps(object(REGISTRY, SINCE, false), PruneMode::Delete, early).is_empty());
        assert_eq!(steps(object(REGISTRY, SINCE, false), PruneMode::Delete, late), [true]);
    }

    #[test]
    fn playbook_names_objects_by_their_ids() {
        let since = Some("2026-11-30T00:00:00Z");
        let steps = [PruneStep { object: object(TOKEN, since, false), deletes: false }];
        let text = write_playbook(&steps, "localhost");
        assert_eq!(read_playbook_ids(&text), ["id-1"]);
        assert!(text.contains(r#""status": "disabled""#) && !text.contains("absent"), "{text}");
    }
}
