//! When an object that a job made and no longer names is disabled and deleted.

use jiff::{SignedDuration, Timestamp};

use super::super::config::{Prune, PruneMode};
use super::super::record::{JobRecord, MadeObject, TOKEN};
use super::rules::JobRules;

/// Returns the time at which the next step for an object is due; none if there is none.
pub fn next_prune_step_at(object: &MadeObject, prune: Prune) -> Option<Timestamp> {
    let since = object.unnamed_since?;
    let disables = object.kind == TOKEN && !object.disabled;
    match prune.mode {
        PruneMode::Off | PruneMode::Report => None,
        PruneMode::Disable | PruneMode::Delete if disables => Some(since),
        PruneMode::Disable => None,
        // Only what can be disabled has the safe first step; other objects wait for the same time.
        PruneMode::Delete => SignedDuration::try_from(prune.grace).ok().and_then(|grace| since.checked_add(grace).ok()),
    }
}

/// Says which objects the job made and no longer names, unless it does not care.
pub(super) fn describe_unnamed(record: &JobRecord, rules: &JobRules<'_>) -> Option<String> {
    if rules.prune.mode == PruneMode::Off {
        return None;
    }
    let describe = |object: &MadeObject| {
        let disabled = if object.disabled { ", disabled" } else { "" };
        let next = match next_prune_step_at(object, rules.prune) {
            Some(at) if object.disabled || object.kind != TOKEN => format!(", deleted after {at}"),
            Some(_) => ", to be disabled".to_owned(),
            None => String::new(),
        };
        format!("{} `{}`{disabled}{next}", object.kind.to_lowercase(), object.name)
    };
    let unnamed = record.objects.iter().filter(|object| object.unnamed_since.is_some());
    let all: Vec<String> = unnamed.map(describe).collect();
    (!all.is_empty()).then(|| format!("made by this job and no longer named: {}", all.join("; ")))
}
