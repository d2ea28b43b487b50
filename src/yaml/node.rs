//! What a YAML document is once it is read: nodes that know their place and their tag.

use std::sync::Arc;

use crate::source::Span;
use crate::value::{Dict, Value};

/// A node of a document, with its place.
///
/// The place of a scalar in quotes is the inside of the quotes, that of a block scalar begins at its first character.
/// So byte `k` of a text that stands on one line without escapes is at `span().part(k..)`. Cloning is cheap; an alias is the same node again.
#[derive(Debug, Clone)]
pub struct YamlNode(Arc<Data>);

#[derive(Debug)]
struct Data {
    span: Span,
    tag: Option<String>,
    kind: YamlKind,
}

/// Contents of a node.
#[derive(Debug)]
pub enum YamlKind {
    /// A resolved scalar. Text carries its place (and so is trusted) unless it was marked `!unsafe`.
    Scalar(Value),
    /// A sequence.
    List(Vec<YamlNode>),
    /// A mapping, in the order of the file, merge keys applied; of a repeated key only the last is left.
    Map(Vec<MappingEntry>),
}

/// A key and its value.
#[derive(Debug, Clone)]
pub struct MappingEntry {
    /// The key; usually text.
    pub key: YamlNode,
    /// The value.
    pub value: YamlNode,
}

impl YamlNode {
    /// Makes a node; `tag` is a local tag that is still of interest (`!vault`, `!unsafe`), if there is one.
    pub fn new(span: Span, tag: Option<String>, kind: YamlKind) -> Self {
        Self(Arc::new(Data { span, tag, kind }))
    }

    /// Where the node stands.
    pub fn span(&self) -> &Span {
        &self.0.span
    }

    /// The local tag, with its exclamation mark.
    pub fn tag(&self) -> Option<&str> {
        self.0.tag.as_deref()
    }

    /// Returns the contents.
    pub fn kind(&self) -> &YamlKind {
        &self.0.kind
    }

    /// The scalar's value, if it is a scalar.
    pub fn scalar(&self) -> Option<&Value> {
        match self.kind() {
            YamlKind::Scalar(value) => Some(value),
            _ => None,
        }
    }

    /// The scalar's text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        self.scalar().and_then(Value::as_str)
    }

    /// The members, if it is a sequence.
    pub fn items(&self) -> Option<&[Self]> {
        match self.kind() {
            YamlKind::List(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, if it is a mapping.
    pub fn entries(&self) -> Option<&[MappingEntry]> {
        match self.kind() {
            YamlKind::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The entry under a text key, if it is a mapping that has one.
    pub fn entry(&self, key: &str) -> Option<&MappingEntry> {
        self.entries()?.iter().find(|entry| entry.key.as_str() == Some(key))
    }

    /// The value under a text key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Whether it is nothing: an empty value, `~` or `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.kind(), YamlKind::Scalar(Value::Null))
    }

    /// Describes the node for an error message: `a mapping`, `a list`, `text`, `a number`, ..
    pub fn description(&self) -> &'static str {
        match self.kind() {
            YamlKind::List(_) => "a list",
            YamlKind::Map(_) => "a mapping",
            YamlKind::Scalar(value) => match value {
                Value::Null => "nothing",
                Value::Bool(_) => "a boolean",
                Value::Int(_) | Value::Big(_) | Value::Float(_) => "a number",
                Value::Time(_) => "a date",
                Value::Sealed(_) => "a vaulted text",
                _ => "text",
            },
        }
    }

    /// The same node with its texts as data, never templates (`!unsafe`, and generated text).
    #[must_use]
    pub fn into_data(self) -> Self {
        let kind = match self.kind() {
            YamlKind::Scalar(value) => YamlKind::Scalar(as_data(value)),
            YamlKind::List(items) => YamlKind::List(items.iter().cloned().map(Self::into_data).collect()),
            YamlKind::Map(entries) => YamlKind::Map(
                entries
                    .iter()
                    .map(|entry| MappingEntry {
                        key: entry.key.clone().into_data(),
                        value: entry.value.clone().into_data(),
                    })
                    .collect(),
            ),
        };
        Self::new(self.span().clone(), self.0.tag.clone(), kind)
    }

    /// The node as a key of a mapping: names of variables are not secrets.
    fn to_key(&self) -> Value {
        match self.kind() {
            YamlKind::Scalar(value) => value.clone(),
            _ => self.to_value(),
        }
    }

    /// The node as a run-time value; texts keep their places, so templates in them are still templates.
    pub fn to_value(&self) -> Value {
        match self.kind() {
            YamlKind::Scalar(value) if self.span().source().is_secret() => value.clone().into_tainted(),
            YamlKind::Scalar(value) => value.clone(),
            YamlKind::List(items) => Value::list(items.iter().map(Self::to_value)),
            YamlKind::Map(entries) => {
                let dict: Dict = entries.iter().map(|e| (to_hashable(e.key.to_key()), e.value.to_value())).collect();
                Value::from(dict)
            }
        }
    }
}

fn as_data(value: &Value) -> Value {
    let all = |items: &[Value]| Arc::new(items.iter().map(as_data).collect::<Vec<_>>());
    match value {
        Value::Str(text) => Value::Str(text.clone().into_data()),
        Value::List(items) => Value::List(all(items)),
        Value::Tuple(items) => Value::Tuple(all(items)),
        Value::Set(items) => Value::Set(all(items)),
        other => other.clone(),
    }
}

/// A list or mapping as a key is possible in YAML but in no playbook; its text stands for it.
fn to_hashable(key: Value) -> Value {
    if key.is_hashable() { key } else { Value::text(crate::value::python::repr(&key)) }
}
