//! The action on one object, and its record.

use crate::value::{Dict, Value};

/// Action that brings one object to its desired state.
#[derive(Debug, Clone, PartialEq)]
pub enum ResourceAction {
    /// It is as desired.
    Nothing,
    /// It is not there and shall be.
    Create,
    /// Some of its fields differ.
    Update {
        /// Which, and how.
        fields: Vec<FieldChange>,
    },
    /// A field differs that cannot be changed in place.
    Replace {
        /// Everything that differs.
        fields: Vec<FieldChange>,
        /// Why an update would not do.
        reason: String,
    },
    /// It is there and shall not be.
    Delete,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldChange {
    /// The field, by the name of its parameter.
    pub name: &'static str,
    /// Observed value.
    pub before: Value,
    /// Desired value; unknown where only the server can know it.
    pub after: Value,
}

/// An action without its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Left as it is.
    Nothing,
    /// Made.
    Create,
    /// Changed in place.
    Update,
    /// Replaces another object.
    Replace,
    /// Removed.
    Delete,
}

impl ResourceAction {
    /// Returns the action without its fields.
    pub fn verb(&self) -> Verb {
        match self {
            Self::Nothing => Verb::Nothing,
            Self::Create => Verb::Create,
            Self::Update { .. } => Verb::Update,
            Self::Replace { .. } => Verb::Replace,
            Self::Delete => Verb::Delete,
        }
    }

    /// The fields that differ.
    pub fn fields(&self) -> &[FieldChange] {
        match self {
            Self::Update { fields } | Self::Replace { fields, .. } => fields,
            Self::Nothing | Self::Create | Self::Delete => &[],
        }
    }
}

impl Verb {
    /// The sign of plans and summaries.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Nothing => " ",
            Self::Create => "+",
            Self::Update => "~",
            Self::Replace => "±",
            Self::Delete => "-",
        }
    }

    /// The `action` of results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nothing => "none",
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
        }
    }

    /// As in "would be created".
    pub fn participle(self) -> &'static str {
        match self {
            Self::Nothing => "unchanged",
            Self::Create => "created",
            Self::Update => "updated",
            Self::Replace => "recreated",
            Self::Delete => "deleted",
        }
    }
}

/// An action on one object, done or predicted; the closing summary and the plan consist of these.
#[derive(Debug, Clone)]
pub struct Record {
    /// Type of the object (`Registry Token`).
    pub kind: &'static str,
    /// Name of the object, or its id where the name is unknown.
    pub identity: String,
    /// Id of the object; unknown if it is only planned.
    pub id: Value,
    /// Id of the parent object (the registry of a token); null if there is none.
    pub parent: Value,
    /// Action, done or predicted.
    pub verb: Verb,
    /// The managed fields before; empty if it was not there.
    pub before: Dict,
    /// The managed fields after; empty if it will not be there.
    pub after: Dict,
    /// Why it has to be replaced.
    pub reason: Option<String>,
    /// Whether it was only planned (check mode).
    pub planned: bool,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

impl Record {
    /// Returns the record for documents: type, object, action, and the fields before and after.
    pub fn to_value(&self) -> Value {
        Value::dict([
            ("kind", Value::text(self.kind)),
            ("name", Value::text(self.identity.as_str())),
            ("id", self.id.clone()),
            ("action", Value::text(self.verb.name())),
            ("before", self.before.clone().into()),
            ("after", self.after.clone().into()),
            ("reason", self.reason.clone().into()),
            ("planned", self.planned.into()),
            ("error", self.error.clone().into()),
        ])
    }

    /// The fields that differ between before and after.
    pub fn changed_fields(&self) -> impl Iterator<Item = (&Value, &Value, &Value)> {
        self.after.iter().filter_map(|(name, after)| {
            let before = self.before.get_value(name).unwrap_or(&Value::Null);
            (before != after).then_some((name, before, after))
        })
    }
}

/// Summarizes all actions in one line of counts, for the end of a run. Predicted actions are counted apart from those
/// that were carried out.
pub fn summarize_actions(records: &[Record]) -> String {
    let (planned, done): (Vec<&Record>, Vec<&Record>) = records.iter().partition(|record| record.planned);
    match (planned.is_empty(), done.is_empty()) {
        (true, _) => count_actions(&done, ""),
        (false, true) => count_actions(&planned, "would be "),
        (false, false) => format!("{}; {}", count_actions(&done, ""), count_actions(&planned, "would be ")),
    }
}

fn count_actions(records: &[&Record], would: &str) -> String {
    let count = |verb: Verb| records.iter().filter(|record| record.verb == verb && record.error.is_none()).count();
    let failed = records.iter().filter(|record| record.error.is_some()).count();
    format!(
        "{} {would}created, {} updated, {} replaced, {} deleted, {} unchanged, {failed} failed",
        count(Verb::Create),
        count(Verb::Update),
        count(Verb::Replace),
        count(Verb::Delete),
        count(Verb::Nothing),
    )
}
