//! The content of a plan. The published schema is `docs/plan.schema.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::host_effects::PlannedEffect;
use crate::exit::Exit;
use crate::reconcile::Record;
use crate::value::json::{self, JsonStyle};
use crate::value::{Dict, Value};

/// The version of the format; a plan of another one is refused.
pub const FORMAT: u32 = 1;

/// A plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The version of the format.
    pub format: u32,
    /// The version of the program that made it.
    pub tool: String,
    /// When it was made; relative dates (`+30d`) count from here, also when it is applied.
    pub made: String,
    /// The command line and its inputs.
    pub run: Invocation,
    /// Salt for the digests of files and variables.
    pub salt: String,
    /// The digests of all files that the run has read: playbooks, roles, variables, inventories, templates, sources.
    pub files: BTreeMap<String, String>,
    /// The digest of the variables that were given on the command line and of the answers to prompts.
    pub variables: String,
    /// The same variables and answers, encrypted in a vault envelope.
    pub sealed: Option<String>,
    /// Actions on registry objects, in order.
    pub actions: Vec<PlannedAction>,
    /// Changes that other modules would make (files, commands).
    pub others: Vec<PlannedTask>,
    /// Tasks of which nothing can be said.
    pub undetermined: Vec<PlannedTask>,
    /// Tasks that would fail; such a plan cannot be applied.
    pub failed: Vec<PlannedTask>,
    /// Observed objects.
    pub observed: Vec<Observed>,
    /// The writing requests, in order.
    pub writes: Vec<Write>,
    /// Changes by other modules; those without a change are left out.
    #[serde(rename = "deeds")]
    pub host_effects: Vec<PlannedEffect>,
    /// The digest of all this: it tells whether the file was altered.
    pub digest: String,
}

/// The command line of a run, as far as it decides what happens. Variables that were written there are not kept: they
/// may be secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Invocation {
    /// Playbooks, by name as given.
    pub playbooks: Vec<String>,
    /// `-i`
    pub inventory: Vec<String>,
    /// `-l`
    pub limit: Option<String>,
    /// `-c`
    pub connection: Option<String>,
    /// The files of `-e @FILE`.
    pub variable_files: Vec<String>,
    /// Number of other `-e` options, which must be given again to apply the plan.
    pub further_variables: usize,
    /// `--fill`
    pub fill: Vec<String>,
    /// `--vault-id`
    pub vault_id: Vec<String>,
    /// `--vault-password-file`
    pub vault_password_file: Vec<String>,
    /// `--tags`
    pub tags: Vec<String>,
    /// `--skip-tags`
    pub skip_tags: Vec<String>,
    /// `--start-at-task`
    pub start_at_task: Option<String>,
    /// `--block`
    pub block: Vec<usize>,
    /// `--all-blocks`
    pub all_blocks: bool,
    /// `--force-handlers`
    pub force_handlers: bool,
    /// `--sandbox`
    pub sandbox: bool,
    /// `--allow-python`; plans of earlier versions do not have it.
    #[serde(default)]
    pub allow_python: bool,
}

/// Planned action on one object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedAction {
    /// Type of the object (`Registry Token`).
    pub kind: String,
    /// Name of the object.
    pub name: String,
    /// Id of the object, or a placeholder for one that is known after apply.
    pub id: Json,
    /// Id of the parent object.
    pub parent: Json,
    /// `create`, `update`, `replace`, `delete` or `none`.
    pub action: String,
    /// The managed fields before.
    pub before: serde_json::Map<String, Json>,
    /// The managed fields after.
    pub after: serde_json::Map<String, Json>,
    /// Why it has to be replaced.
    pub reason: Option<String>,
    /// Why it would fail.
    pub error: Option<String>,
}

/// A task on a host, or one item of its loop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedTask {
    /// The name of the task.
    pub task: String,
    /// The host.
    pub host: String,
    /// The label of the item, in a loop.
    pub item: Option<String>,
    /// Unknown that it waits for, or the predicted failure.
    pub why: Option<String>,
}

/// An object that was observed, or its absence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    /// The service that was asked.
    pub account: String,
    /// `registry`, `token`, `repository`, `name`, ..
    pub kind: String,
    /// Id of the object.
    pub id: String,
    /// Id of the parent object.
    pub parent: Option<String>,
    /// Name of the object.
    pub name: Option<String>,
    /// Whether it was there.
    pub there: bool,
    /// The digest of its managed fields.
    pub fingerprint: String,
    /// Managed fields.
    pub fields: serde_json::Map<String, Json>,
}

/// A writing request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Write {
    /// Call: `create_token`, `delete_registry`, ..
    pub call: String,
    /// The service.
    pub account: String,
    /// The registry: an id, or `#n` for the object that the n-th request creates.
    pub registry: Option<String>,
    /// The object itself: an id, a name, or `#n`.
    pub object: Option<String>,
    /// The body; `{"$later": ..}` marks a deferred value.
    pub body: Option<Json>,
}

/// How often each thing would be done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// To create.
    pub create: usize,
    /// To update.
    pub update: usize,
    /// To replace.
    pub replace: usize,
    /// To delete.
    pub delete: usize,
    /// As they should be.
    pub unchanged: usize,
    /// Nothing can be said.
    pub undetermined: usize,
    /// Changes of other modules.
    pub others: usize,
    /// Would fail.
    pub failed: usize,
}

impl Plan {
    /// The digest of everything but the seal, which holds it, and itself.
    pub fn compute_digest(&self) -> String {
        let bare = Self { digest: String::new(), sealed: None, ..self.clone() };
        super::digest::sha256_hex(serde_json::to_string(&bare).unwrap_or_default().as_bytes())
    }

    /// How often each thing would be done.
    pub fn count_actions(&self) -> Counts {
        let done = self.actions.iter().filter(|action| action.error.is_none()).map(|action| &*action.action);
        Counts::from_actions(done, [&self.undetermined, &self.others, &self.failed].map(Vec::len))
    }
}

impl Counts {
    /// Counts actions on objects by name, and takes the numbers of undetermined, other and failed tasks.
    pub(super) fn from_actions<'a>(
        actions: impl Iterator<Item = &'a str>,
        [undetermined, others, failed]: [usize; 3],
    ) -> Self {
        let mut counts = Self { undetermined, others, failed, ..Self::default() };
        for action in actions {
            let count = match action {
                "create" => &mut counts.create,
                "update" => &mut counts.update,
                "replace" => &mut counts.replace,
                "delete" => &mut counts.delete,
                _ => &mut counts.unchanged,
            };
            *count += 1;
        }
        counts
    }

    /// Whether anything would be changed.
    pub fn has_changes(&self) -> bool {
        self.create + self.update + self.replace + self.delete + self.others > 0
    }

    /// The status of `--detailed-exitcode` for a dry run that ended like this.
    pub fn exit_status(&self, ended: Exit) -> Exit {
        match ended {
            Exit::Interrupted => Exit::Interrupted,
            Exit::Success if self.failed == 0 && self.has_changes() => Exit::Changes,
            Exit::Success if self.failed == 0 && self.undetermined > 0 => Exit::Undetermined,
            Exit::Success if self.failed == 0 => Exit::Success,
            _ => Exit::General,
        }
    }
}

/// The closing line.
impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Plan: {} to create, {} to update, {} to replace, {} to delete, {} unchanged, {} undetermined",
            self.create, self.update, self.replace, self.delete, self.unchanged, self.undetermined
        )?;
        if self.others > 0 {
            write!(f, ", {} other {}", self.others, if self.others == 1 { "change" } else { "changes" })?;
        }
        if self.failed > 0 {
            write!(f, ", {} failed", self.failed)?;
        }
        Ok(())
    }
}

impl From<&Record> for PlannedAction {
    fn from(record: &Record) -> Self {
        Self {
            kind: record.kind.to_owned(),
            name: record.identity.clone(),
            id: to_plain_json(&record.id),
            parent: to_plain_json(&record.parent),
            action: record.verb.name().to_owned(),
            before: plain_fields(&record.before),
            after: plain_fields(&record.after),
            reason: record.reason.clone(),
            error: record.error.clone(),
        }
    }
}

/// Returns a value as it is written in a plan: secrets are masked, unknown values are placeholders.
pub fn to_plain_json(value: &Value) -> Json {
    let text = json::to_string(value, JsonStyle { mask_secrets: true, quote_specials: true, ..JsonStyle::EVENT });
    serde_json::from_str(&text).unwrap_or(Json::String(text))
}

/// The same for fields.
pub fn plain_fields(fields: &Dict) -> serde_json::Map<String, Json> {
    fields.iter().map(|(name, value)| (crate::value::python::str(name), to_plain_json(value))).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::json;

    /// A plan of nothing.
    pub(in crate::plan) fn empty() -> Plan {
        serde_json::from_value(json!({
            "format": FORMAT, "tool": env!("CARGO_PKG_VERSION"), "made": "", "run": {}, "salt": "", "files": {},
            "variables": "", "sealed": null, "actions": [], "others": [], "undetermined": [], "failed": [],
            "observed": [], "writes": [], "deeds": [], "digest": ""
        }))
        .unwrap()
    }

    fn keys(json: &Json) -> Vec<&String> {
        let mut keys: Vec<&String> = json.as_object().unwrap().keys().collect();
        keys.sort();
        keys
    }

    #[test]
    fn the_published_schema_has_the_keys_of_plans() {
        let schema: Json = serde_json::from_str(include_str!("../../docs/plan.schema.json")).unwrap();
        let step = json!({"task": "t", "host": "h", "item": null, "why": null});
        let plan: Plan = serde_json::from_value(json!({
            "format": FORMAT, "tool": "0", "made": "", "run": {}, "salt": "", "files": {}, "variables": "",
            "sealed": null,
            "actions": [{"kind": "k", "name": "n", "id": null, "parent": null, "action": "create", "before": {},
                "after": {}, "reason": null, "error": null}],
            "others": [step], "undetermined": [], "failed": [],
            "observed": [{"account": "a", "kind": "k", "id": "i", "parent": null, "name": null, "there": true,
                "fingerprint": "", "fields": {}}],
            "writes": [{"call": "c", "account": "a", "registry": null, "object": null, "body": null}],
            "deeds": [{"task": "t", "host": "h", "item": null, "does": "change"}], "digest": ""
        }))
        .unwrap();
        let written = serde_json::to_value(&plan).unwrap();
        assert_eq!(keys(&schema["properties"]), keys(&written));
        assert_eq!(keys(&schema["properties"]["run"]["properties"]), keys(&written["run"]));
        for list in ["actions", "others", "observed", "writes", "deeds"] {
            assert_eq!(keys(&schema["properties"][list]["items"]["properties"]), keys(&written[list][0]), "{list}");
        }
    }

    #[test]
    fn secrets_are_stars() {
        assert_eq!(to_plain_json(&Value::secret("hunter22")), json!("********"));
    }
}
