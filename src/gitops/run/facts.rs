//! What the loop has to know of a plan.

use jiff::Timestamp;
use serde_json::Value as Json;

use super::super::config::JobConfig;
use super::super::decide::Planned;
use super::super::record::{KnownToken, MadeObject, TOKEN};
use super::super::view::PlanCounts;
use crate::plan::Plan;
use crate::plan::model::PlannedAction;

/// Objects that a job made before, and what it is made of now.
pub struct MadeBefore<'a> {
    /// The objects of the record.
    pub objects: &'a [MadeObject],
    /// The plan that was applied, if one was.
    pub applied: Option<&'a Plan>,
    /// Ids of the objects that this plan prunes.
    pub pruned: &'a [String],
    /// The time.
    pub now: Timestamp,
}

/// Returns what the loop decides by.
pub fn collect_planned(plan: &Plan, job: &JobConfig, approved: Option<&Plan>) -> Planned {
    let counts = plan.count_actions();
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let changing: Vec<&PlannedAction> = plan.actions.iter().filter(|action| action.action != "none").collect();
    let counted = changing.iter().filter(|action| !is_ignored(action, &job.drift_ignore)).count();
    let steps = plan.others.iter().chain(&plan.undetermined);
    let other_steps =
        steps.filter(|step| !job.drift_ignore.iter().any(|pattern| matches_pattern(pattern, "task", &step.task, None)));
    let drifted = number(counted + other_steps.count());
    Planned {
        counts: PlanCounts {
            digest: plan.digest.clone(),
            create: number(counts.create),
            update: number(counts.update),
            replace: number(counts.replace),
            delete: number(counts.delete),
            unchanged: number(counts.unchanged),
            undetermined: number(counts.undetermined),
        },
        others: number(counts.others),
        drifted,
        only_ignored: drifted == 0,
        tokens: collect_tokens(plan, &[]),
        within_approved: approved.is_some_and(|approved| is_within(plan, approved)),
        objects: None,
    }
}

/// Whether a plan has nothing that another has not.
fn is_within(plan: &Plan, approved: &Plan) -> bool {
    let changing = plan.actions.iter().filter(|action| action.action != "none");
    let mut actions = changing.map(|action| {
        let same = |other: &&PlannedAction| {
            (&other.kind, &other.name, &other.action, &other.after)
                == (&action.kind, &action.name, &action.action, &action.after)
        };
        approved.actions.iter().find(same).is_some()
    });
    let mut steps = plan.others.iter().chain(&plan.undetermined);
    let known = |step: &crate::plan::model::PlannedTask| {
        approved
            .others
            .iter()
            .chain(&approved.undetermined)
            .any(|other| (&other.task, &other.host, &other.item) == (&step.task, &step.host, &step.item))
    };
    actions.all(|known| known) && steps.all(known)
}

/// Whether all that an action would change is ignored.
fn is_ignored(action: &PlannedAction, patterns: &[String]) -> bool {
    let kind = action.kind.to_lowercase().replace(' ', "_");
    if patterns.iter().any(|pattern| matches_pattern(pattern, &kind, &action.name, None)) {
        return true;
    }
    if action.action != "update" && action.action != "replace" {
        return false;
    }
    let names = action.before.keys().chain(action.after.keys());
    let mut changed = names.filter(|name| action.before.get(*name) != action.after.get(*name)).peekable();
    changed.peek().is_some()
        && changed
            .all(|field| patterns.iter().any(|pattern| matches_pattern(pattern, &kind, &action.name, Some(field))))
}

/// Whether `KIND/NAME/FIELD` fits; without a field it is about the object as a whole.
fn matches_pattern(pattern: &str, kind: &str, name: &str, field: Option<&str>) -> bool {
    let mut parts = pattern.splitn(3, '/');
    let mut fits = |text: &str| parts.next().is_some_and(|part| is_like(part, text));
    if !fits(kind) || !fits(name) {
        return false;
    }
    match (parts.next(), field) {
        (None | Some("*"), _) => true,
        (Some(wanted), Some(field)) => is_like(wanted, field),
        (Some(_), None) => false,
    }
}

/// Whether a text is like a pattern with `*` for anything.
fn is_like(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(first) else { return false };
    if rest.is_empty() {
        return true;
    }
    let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    starts.into_iter().any(|at| is_like(rest, &text[at..]))
}

/// Returns the tokens that a plan names, with their ends.
pub fn collect_tokens(plan: &Plan, pruned: &[String]) -> Vec<KnownToken> {
    let is_pruned = |action: &PlannedAction| action.id.as_str().is_some_and(|id| pruned.iter().any(|one| one == id));
    let tokens = plan.actions.iter().filter(|action| action.kind == TOKEN && action.action != "delete");
    let tokens = tokens.filter(|action| !is_pruned(action));
    let known = tokens.filter_map(|action| {
        let end = action.after.get("expiry_date").or_else(|| action.before.get("expiry_date"))?.as_str()?;
        let expiry = end.parse().ok()?;
        Some(KnownToken { registry: json_text(&action.parent)?, name: action.name.clone(), expiry })
    });
    known.collect()
}

/// Returns the objects that a job has made so far, and since when it does not name them any more.
pub fn collect_objects(after: &Plan, before: &MadeBefore<'_>) -> Vec<MadeObject> {
    let applied = before.applied.map(|plan| plan.actions.as_slice()).unwrap_or_default();
    let same = |action: &PlannedAction, object: &MadeObject| action.kind == object.kind && action.name == object.name;
    let removed = |object: &MadeObject| applied.iter().any(|action| action.action == "delete" && same(action, object));
    let mut objects: Vec<MadeObject> = before.objects.iter().filter(|object| !removed(object)).cloned().collect();
    for made in applied.iter().filter(|action| matches!(&*action.action, "create" | "replace")) {
        let Some(there) = after.actions.iter().find(|action| action.kind == made.kind && action.name == made.name)
        else {
            continue;
        };
        let Some(id) = json_text(&there.id) else { continue };
        objects.retain(|object| !same(made, object));
        objects.push(MadeObject {
            kind: made.kind.clone(),
            name: made.name.clone(),
            id,
            parent: json_text(&there.parent),
            unnamed_since: None,
            disabled: false,
        });
    }
    let pruned =
        |action: &PlannedAction| action.id.as_str().is_some_and(|id| before.pruned.iter().any(|one| one == id));
    for object in &mut objects {
        let named = after.actions.iter().any(|action| same(action, object) && !pruned(action));
        object.unnamed_since = if named { None } else { object.unnamed_since.or(Some(before.now)) };
        object.disabled &= !named;
    }
    // A step of the plan that was applied is done: it deleted the object, or disabled it.
    let deleted = |object: &MadeObject| object.disabled || object.kind != TOKEN;
    super::prune::after_steps(objects, before.pruned, deleted)
}

fn json_text(json: &Json) -> Option<String> {
    json.as_str().map(str::to_owned)
}

/// Says which tasks of a plan would fail, and why.
pub(super) fn describe_failures(plan: &Plan) -> String {
    let described = plan.failed.iter().take(5).map(|step| {
        let item = step.item.as_ref().map(|item| format!(" (item={item})")).unwrap_or_default();
        format!("task \"{}\" on {}{item}: {}", step.task, step.host, step.why.as_deref().unwrap_or("it would fail"))
    });
    described.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_drift_fit_kind_name_and_field() {
        for (pattern, name, field, wanted) in [
            ("registry_token/*/expiry_date", "ci", Some("expiry_date"), true),
            ("registry_token/*/expiry_date", "ci", Some("status"), false),
            ("registry_token/*/expiry_date", "ci", None, false),
            ("registry_token/ci-*", "ci-1", None, true),
            ("registry_token/ci-*", "cd-1", None, false),
            ("*/ci/*", "ci", Some("status"), true),
            ("registry/*/*", "ci", Some("status"), false),
        ] {
            assert_eq!(matches_pattern(pattern, "registry_token", name, field), wanted, "{pattern} {name} {field:?}");
        }
        assert!(is_like("a*b*c", "axxbyyc") && !is_like("a*b", "axxc"));
    }
}
