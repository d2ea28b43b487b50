//! Mappings: joined, sorted, turned into lists and back.

use std::borrow::Cow;

use crate::template::error::TemplateError;
use crate::template::plugin::{Context, FilterPlugin, PluginCall};
use crate::template::python::coerce::{
    flag_or, ignore_case, input_members, require_arg, require_defined, require_values_defined, sort_by_key, text_or,
    to_text,
};
use crate::template::sequence;
use crate::value::{Dict, Value, python};

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("combine", combine, "Merges mappings; later ones take precedence."),
    FilterPlugin::new("dict2items", dict2items, "Converts a mapping to a list of mappings with `key` and `value`."),
    FilterPlugin::new("dictsort", dictsort, "Returns the sorted pairs of a mapping."),
    FilterPlugin::new("extract", extract, "Returns the member of a container that the input names."),
    FilterPlugin::new("items", list_pairs, "Returns the pairs of a mapping."),
    FilterPlugin::new("items2dict", items2dict, "Converts a list of mappings with `key` and `value` to a mapping."),
    FilterPlugin::new(
        "rekey_on_member",
        rekey_on_member,
        "Converts a list of mappings to one mapping, keyed by a member of each.",
    ),
    FilterPlugin::new("subelements", subelements, "Pairs every mapping with each member of a list inside of it."),
];

/// How two lists under one key are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListMerge {
    /// The later list.
    Replace,
    /// The earlier list.
    Keep,
    /// Earlier, then later.
    Append,
    /// Later, then earlier.
    Prepend,
    /// As append, what is in the later list dropped from the earlier.
    AppendRp,
    /// As prepend, what is in the later list dropped from the earlier.
    PrependRp,
}

impl ListMerge {
    const NAMES: [(&'static str, Self); 6] = [
        ("replace", Self::Replace),
        ("keep", Self::Keep),
        ("append", Self::Append),
        ("prepend", Self::Prepend),
        ("append_rp", Self::AppendRp),
        ("prepend_rp", Self::PrependRp),
    ];

    /// Reads the option.
    ///
    /// # Errors
    /// If it is none of the six words.
    pub fn from_word(word: &str) -> Result<Self, TemplateError> {
        Self::NAMES.iter().find(|(name, _)| *name == word).map(|(_, merge)| *merge).ok_or_else(|| {
            let message = "'list_merge' argument can only be equal to 'replace', 'keep', 'append', 'prepend', \
                           'append_rp' or 'prepend_rp'";
            TemplateError::value(message).suggest_name(word, Self::NAMES.iter().map(|(name, _)| *name))
        })
    }

    fn merge_lists(self, earlier: &[Value], later: &[Value]) -> Value {
        let fresh = || earlier.iter().filter(|item| !later.contains(item));
        match self {
            Self::Replace => Value::list(later.iter().cloned()),
            Self::Keep => Value::list(earlier.iter().cloned()),
            Self::Append => Value::list(earlier.iter().chain(later).cloned()),
            Self::Prepend => Value::list(later.iter().chain(earlier).cloned()),
            Self::AppendRp => Value::list(fresh().chain(later).cloned()),
            Self::PrependRp => Value::list(later.iter().chain(fresh()).cloned()),
        }
    }
}

/// Joins two mappings; the later one wins, entries of the earlier keep their places.
pub fn merge_dicts(earlier: &Dict, later: &Dict, recursive: bool, lists: ListMerge) -> Dict {
    let mut merged = earlier.clone();
    for (key, value) in later.iter() {
        let joined = match (earlier.get_value(key), value) {
            (Some(Value::Dict(old)), Value::Dict(new)) if recursive => Value::from(merge_dicts(old, new, true, lists)),
            (Some(Value::List(old)), Value::List(new)) => lists.merge_lists(old, new),
            _ => value.clone(),
        };
        merged.insert(key.clone(), joined);
    }
    merged
}

fn combine(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    if call.args.named.iter().any(|(name, _)| !matches!(&**name, "recursive" | "list_merge")) {
        return Err(TemplateError::value("'recursive' and 'list_merge' are the only valid keyword arguments"));
    }
    let recursive = flag_or(call.args.get_named("recursive"), false);
    let lists = ListMerge::from_word(&text_or(call.args.get_named("list_merge"), "replace")?)?;
    let mut terms = Vec::new();
    for term in std::iter::once(&call.input).chain(&call.args.positional) {
        match require_defined(term)? {
            Value::Null => {}
            Value::List(members) | Value::Tuple(members) => {
                terms.extend(members.iter().filter(|member| !member.is_null()).cloned());
            }
            other => terms.push(open_mapping(other).into_owned()),
        }
    }
    if let Some(unknown) = terms.iter().find(|term| term.is_unknown()) {
        return Ok(unknown.clone());
    }
    let mut terms = terms.into_iter();
    let Some(mut result) = terms.next() else { return Ok(Value::from(Dict::new())) };
    require_defined(&result)?;
    for term in terms {
        let (Value::Dict(earlier), Value::Dict(later)) = (&result, require_defined(&term)?) else {
            let (a, b) = (result.type_name(), term.type_name());
            return Err(TemplateError::value(format!(
                "failed to combine variables, expected dicts but got a '{a}' and a '{b}'"
            )));
        };
        result = Value::from(merge_dicts(
            require_values_defined(earlier)?,
            require_values_defined(later)?,
            recursive,
            lists,
        ));
    }
    Ok(result)
}

/// A mapping that is made on demand (`hostvars`) as a plain one; its members stay as they are.
fn open_mapping(value: &Value) -> Cow<'_, Value> {
    let opened = match value {
        Value::Object(object) => crate::template::object_to_mapping(&**object),
        _ => None,
    };
    opened.map_or(Cow::Borrowed(value), |dict| Cow::Owned(dict.into()))
}

fn dict2items(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [key_name, value_name] = call.args.bind(["key_name", "value_name"])?;
    let key_name = key_name.unwrap_or_else(|| Value::text("key"));
    let value_name = value_name.unwrap_or_else(|| Value::text("value"));
    let input = open_mapping(&call.input);
    let Value::Dict(dict) = &*input else {
        let got = call.input.type_name();
        return Err(TemplateError::value(format!("dict2items requires a dictionary, got <class '{got}'> instead.")));
    };
    Ok(Value::list(require_values_defined(dict)?.iter().map(|(key, value)| {
        Dict::from_iter([(key_name.clone(), sequence::to_plain_key(key)), (value_name.clone(), value.clone())]).into()
    })))
}

fn items2dict(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [key_name, value_name] = call.args.bind(["key_name", "value_name"])?;
    let key_name = key_name.unwrap_or_else(|| Value::text("key"));
    let value_name = value_name.unwrap_or_else(|| Value::text("value"));
    let (Value::List(members) | Value::Tuple(members)) = &call.input else {
        let got = call.input.type_name();
        return Err(TemplateError::value(format!("items2dict requires a list, got <class '{got}'> instead.")));
    };
    let mut dict = Dict::new();
    for member in members.iter() {
        let (Some(key), Some(value)) = (index(require_defined(member)?, &key_name), index(member, &value_name)) else {
            let shown = python::repr(&call.input);
            return Err(TemplateError::value(match member {
                Value::Dict(_) => {
                    let (key, value) = (python::repr(&key_name), python::repr(&value_name));
                    format!(
                        "items2dict requires each dictionary in the list to contain the keys {key} and {value}, \
                         got {shown} instead."
                    )
                }
                _ => format!("items2dict requires a list of dictionaries, got {shown} instead."),
            }));
        };
        dict.insert(require_hashable(require_defined(&key)?.clone())?, require_defined(&value)?.clone());
    }
    Ok(Value::from(dict))
}

/// `container[key]` for mappings and sequences.
fn index(container: &Value, key: &Value) -> Option<Value> {
    match (container, key) {
        (Value::Dict(dict), key) => dict.get_value(key).cloned(),
        (Value::List(items) | Value::Tuple(items), Value::Int(position)) => {
            let position = if *position < 0 { position + items.len() as i64 } else { *position };
            usize::try_from(position).ok().and_then(|position| items.get(position)).cloned()
        }
        _ => None,
    }
}

/// The value, if it may be a key.
///
/// # Errors
/// In Python's words, if it may not.
fn require_hashable(key: Value) -> Result<Value, TemplateError> {
    if key.is_hashable() {
        Ok(key)
    } else {
        Err(TemplateError::value(format!("unhashable type: '{}'", key.type_name())))
    }
}

fn list_pairs(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    match &*open_mapping(&call.input) {
        Value::Undefined(_) => Ok(Value::list([])),
        Value::Dict(dict) => Ok(Value::list(
            require_values_defined(dict)?
                .iter()
                .map(|(key, value)| Value::tuple([sequence::to_plain_key(key), value.clone()])),
        )),
        _ => Err(TemplateError::value("Can only get item pairs from a mapping.")),
    }
}

fn dictsort(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [case_sensitive, by, reverse] = call.args.bind(["case_sensitive", "by", "reverse"])?;
    let by_value = match text_or(by.as_ref(), "key")?.as_str() {
        "key" => false,
        "value" => true,
        _ => return Err(TemplateError::value("You can only sort by either \"key\" or \"value\"")),
    };
    let input = open_mapping(&call.input);
    let Value::Dict(dict) = &*input else {
        return Err(TemplateError::value(format!("'{}' object has no attribute 'items'", call.input.type_name())));
    };
    let exact = flag_or(case_sensitive.as_ref(), false);
    let keyed = require_values_defined(dict)?.iter().map(|(key, value)| {
        let sorted_by = if by_value { value.clone() } else { key.clone() };
        let sorted_by = if exact { sorted_by } else { ignore_case(sorted_by) };
        (sorted_by, Value::tuple([sequence::to_plain_key(key), value.clone()]))
    });
    sort_by_key(keyed.collect(), flag_or(reverse.as_ref(), false)).map(Value::list)
}

fn extract(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [container, more] = call.args.bind(["container", "morekeys"])?;
    let container = require_arg(container, "container")?;
    let mut keys = vec![call.input.clone()];
    match more {
        None | Some(Value::Null) => {}
        Some(Value::List(more) | Value::Tuple(more)) => keys.extend(more.iter().cloned()),
        Some(key) => keys.push(key),
    }
    keys.iter().try_fold(container, |value, key| Ok(get_member(&value, key, call.context)))
}

/// The item of a container, before any method of the same name.
fn get_member(container: &Value, key: &Value, context: &dyn Context) -> Value {
    match container {
        Value::Undefined(_) | Value::Unknown(_) => container.clone(),
        _ => index(container, key).unwrap_or_else(|| context.get_member(container, key)),
    }
}

fn rekey_on_member(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [key, duplicates] = call.args.bind(["key", "duplicates"])?;
    let key = require_arg(key, "key")?;
    let duplicates = text_or(duplicates.as_ref(), "error")?;
    if !matches!(duplicates.as_str(), "error" | "overwrite") {
        let shown = python::repr(&Value::text(duplicates.as_str()));
        let fault = TemplateError::value(format!("duplicates parameter to rekey_on_member has unknown value {shown}"));
        return Err(fault.suggest_name(&duplicates, ["error", "overwrite"]));
    }
    let members: Vec<Value> = match &call.input {
        Value::Dict(dict) => dict.values().cloned().collect(),
        Value::List(members) | Value::Tuple(members) | Value::Set(members) => members.to_vec(),
        _ => return Err(TemplateError::value("Type is not a valid list, set, or dict")),
    };
    let mut result = Dict::new();
    for member in members {
        let Value::Dict(dict) = require_defined(&member)? else {
            return Err(TemplateError::value("List item is not a valid dict"));
        };
        let found = dict.get_value(&key).ok_or_else(|| {
            let names = dict.keys().filter_map(Value::as_str);
            TemplateError::value(format!("Key {} was not found.", python::repr(&key)))
                .suggest_name(&python::str(&key), names)
        })?;
        let found = require_hashable(require_defined(found)?.clone())?;
        if result.get_value(&found).is_some_and(Value::is_true) && duplicates == "error" {
            let shown = python::repr(&found);
            return Err(TemplateError::value(format!("Key {shown} is not unique, cannot convert to dict.")));
        }
        result.insert(found, member);
    }
    Ok(Value::from(result))
}

fn subelements(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [path, skip_missing] = call.args.bind(["subelements", "skip_missing"])?;
    let skip_missing = flag_or(skip_missing.as_ref(), false);
    let elements: Vec<Value> = match &call.input {
        Value::Dict(dict) => dict.values().cloned().collect(),
        Value::List(_) | Value::Tuple(_) => input_members(call)?,
        _ => return Err(TemplateError::value("obj must be a list of dicts or a nested dict")),
    };
    let path: Vec<String> = match require_arg(path, "subelements")? {
        Value::List(names) => names.iter().map(to_text).collect::<Result<_, _>>()?,
        Value::Str(dotted) => dotted.split('.').map(str::to_owned).collect(),
        _ => return Err(TemplateError::value("subelements must be a list or a string")),
    };
    let mut result = Vec::new();
    for element in elements {
        for inner in inner_list(&element, &path, skip_missing)? {
            result.push(Value::tuple([element.clone(), inner]));
        }
    }
    Ok(Value::list(result))
}

/// The members of the list at a path below an element.
fn inner_list(element: &Value, path: &[String], skip_missing: bool) -> Result<Vec<Value>, TemplateError> {
    let mut at = require_defined(element)?.clone();
    for name in path {
        let Value::Dict(dict) = require_defined(&at)? else {
            let shown = python::str(&at);
            return Err(TemplateError::value(format!("the key {name} should point to a dictionary, got '{shown}'")));
        };
        at = match dict.get(name) {
            Some(next) => next.clone(),
            None if skip_missing => return Ok(Vec::new()),
            None => {
                let shown = python::repr(&at);
                let fault = TemplateError::value(format!("could not find '{name}' key in iterated item {shown}"));
                return Err(fault.suggest_name(name, dict.keys().filter_map(Value::as_str)));
            }
        };
    }
    match require_defined(&at)? {
        Value::List(inner) | Value::Tuple(inner) => Ok(inner.to_vec()),
        other => {
            let name = path.last().map_or("", String::as_str);
            Err(TemplateError::value(format!("the key '{name}' should point to a list, got {}", python::str(other))))
        }
    }
}
