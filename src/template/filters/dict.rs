//! Mappings: joined, sorted, turned into lists and back.

use std::borrow::Cow;

use crate::template::error::Fault;
use crate::template::plugin::{Call, Context, Filter};
use crate::template::python::coerce::{
    flag, ignore_case, items, required, sort_by_key, text, text_or, touch, touch_values,
};
use crate::template::sequence;
use crate::value::{Dict, Value, python};

/// The family.
pub const TABLE: &[Filter] = &[
    Filter::new("combine", combine, "Joins mappings; later ones win."),
    Filter::new("dict2items", dict2items, "Turns a mapping into a list of mappings with `key` and `value`."),
    Filter::new("dictsort", dictsort, "Gives the pairs of a mapping, sorted."),
    Filter::new("extract", extract, "Takes the member that the input names out of a container."),
    Filter::new("items", pairs, "Gives the pairs of a mapping."),
    Filter::new("items2dict", items2dict, "Turns a list of mappings with `key` and `value` into a mapping."),
    Filter::new(
        "rekey_on_member",
        rekey_on_member,
        "Turns mappings into one, under the key that a member of each gives.",
    ),
    Filter::new("subelements", subelements, "Pairs every mapping with each member of a list in it."),
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
    pub fn parse(word: &str) -> Result<Self, Fault> {
        Self::NAMES.iter().find(|(name, _)| *name == word).map(|(_, merge)| *merge).ok_or_else(|| {
            let message = "'list_merge' argument can only be equal to 'replace', 'keep', 'append', 'prepend', \
                           'append_rp' or 'prepend_rp'";
            Fault::value(message).suggest(word, Self::NAMES.iter().map(|(name, _)| *name))
        })
    }

    fn merge(self, earlier: &[Value], later: &[Value]) -> Value {
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
pub fn merge(earlier: &Dict, later: &Dict, recursive: bool, lists: ListMerge) -> Dict {
    let mut merged = earlier.clone();
    for (key, value) in later.iter() {
        let joined = match (earlier.get_value(key), value) {
            (Some(Value::Dict(old)), Value::Dict(new)) if recursive => Value::from(merge(old, new, true, lists)),
            (Some(Value::List(old)), Value::List(new)) => lists.merge(old, new),
            _ => value.clone(),
        };
        merged.insert(key.clone(), joined);
    }
    merged
}

fn combine(call: &Call<'_>) -> Result<Value, Fault> {
    if call.args.named.iter().any(|(name, _)| !matches!(&**name, "recursive" | "list_merge")) {
        return Err(Fault::value("'recursive' and 'list_merge' are the only valid keyword arguments"));
    }
    let recursive = flag(call.args.named("recursive"), false);
    let lists = ListMerge::parse(&text_or(call.args.named("list_merge"), "replace")?)?;
    let mut terms = Vec::new();
    for term in std::iter::once(&call.input).chain(&call.args.positional) {
        match touch(term)? {
            Value::Null => {}
            Value::List(members) | Value::Tuple(members) => {
                terms.extend(members.iter().filter(|member| !member.is_null()).cloned());
            }
            other => terms.push(opened(other).into_owned()),
        }
    }
    if let Some(unknown) = terms.iter().find(|term| term.is_unknown()) {
        return Ok(unknown.clone());
    }
    let mut terms = terms.into_iter();
    let Some(mut result) = terms.next() else { return Ok(Value::from(Dict::new())) };
    touch(&result)?;
    for term in terms {
        let (Value::Dict(earlier), Value::Dict(later)) = (&result, touch(&term)?) else {
            let (a, b) = (result.type_name(), term.type_name());
            return Err(Fault::value(format!(
                "failed to combine variables, expected dicts but got a '{a}' and a '{b}'"
            )));
        };
        result = Value::from(merge(touch_values(earlier)?, touch_values(later)?, recursive, lists));
    }
    Ok(result)
}

/// A mapping that is made on demand (`hostvars`) as a plain one; its members stay as they are.
fn opened(value: &Value) -> Cow<'_, Value> {
    let opened = match value {
        Value::Object(object) => crate::template::mapping(&**object),
        _ => None,
    };
    opened.map_or(Cow::Borrowed(value), |dict| Cow::Owned(dict.into()))
}

fn dict2items(call: &Call<'_>) -> Result<Value, Fault> {
    let [key_name, value_name] = call.args.bind(["key_name", "value_name"])?;
    let key_name = key_name.unwrap_or_else(|| Value::text("key"));
    let value_name = value_name.unwrap_or_else(|| Value::text("value"));
    let input = opened(&call.input);
    let Value::Dict(dict) = &*input else {
        let got = call.input.type_name();
        return Err(Fault::value(format!("dict2items requires a dictionary, got <class '{got}'> instead.")));
    };
    Ok(Value::list(touch_values(dict)?.iter().map(|(key, value)| {
        Dict::from_iter([(key_name.clone(), sequence::key(key)), (value_name.clone(), value.clone())]).into()
    })))
}

fn items2dict(call: &Call<'_>) -> Result<Value, Fault> {
    let [key_name, value_name] = call.args.bind(["key_name", "value_name"])?;
    let key_name = key_name.unwrap_or_else(|| Value::text("key"));
    let value_name = value_name.unwrap_or_else(|| Value::text("value"));
    let (Value::List(members) | Value::Tuple(members)) = &call.input else {
        let got = call.input.type_name();
        return Err(Fault::value(format!("items2dict requires a list, got <class '{got}'> instead.")));
    };
    let mut dict = Dict::new();
    for member in members.iter() {
        let (Some(key), Some(value)) = (index(touch(member)?, &key_name), index(member, &value_name)) else {
            let shown = python::repr(&call.input);
            return Err(Fault::value(match member {
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
        dict.insert(hashable(touch(&key)?.clone())?, touch(&value)?.clone());
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
fn hashable(key: Value) -> Result<Value, Fault> {
    if key.is_hashable() { Ok(key) } else { Err(Fault::value(format!("unhashable type: '{}'", key.type_name()))) }
}

fn pairs(call: &Call<'_>) -> Result<Value, Fault> {
    let [] = call.args.bind([])?;
    match &*opened(&call.input) {
        Value::Undefined(_) => Ok(Value::list([])),
        Value::Dict(dict) => Ok(Value::list(
            touch_values(dict)?.iter().map(|(key, value)| Value::tuple([sequence::key(key), value.clone()])),
        )),
        _ => Err(Fault::value("Can only get item pairs from a mapping.")),
    }
}

fn dictsort(call: &Call<'_>) -> Result<Value, Fault> {
    let [case_sensitive, by, reverse] = call.args.bind(["case_sensitive", "by", "reverse"])?;
    let by_value = match text_or(by.as_ref(), "key")?.as_str() {
        "key" => false,
        "value" => true,
        _ => return Err(Fault::value("You can only sort by either \"key\" or \"value\"")),
    };
    let input = opened(&call.input);
    let Value::Dict(dict) = &*input else {
        return Err(Fault::value(format!("'{}' object has no attribute 'items'", call.input.type_name())));
    };
    let exact = flag(case_sensitive.as_ref(), false);
    let keyed = touch_values(dict)?.iter().map(|(key, value)| {
        let sorted_by = if by_value { value.clone() } else { key.clone() };
        let sorted_by = if exact { sorted_by } else { ignore_case(sorted_by) };
        (sorted_by, Value::tuple([sequence::key(key), value.clone()]))
    });
    sort_by_key(keyed.collect(), flag(reverse.as_ref(), false)).map(Value::list)
}

fn extract(call: &Call<'_>) -> Result<Value, Fault> {
    let [container, more] = call.args.bind(["container", "morekeys"])?;
    let container = required(container, "container")?;
    let mut keys = vec![call.input.clone()];
    match more {
        None | Some(Value::Null) => {}
        Some(Value::List(more) | Value::Tuple(more)) => keys.extend(more.iter().cloned()),
        Some(key) => keys.push(key),
    }
    keys.iter().try_fold(container, |value, key| Ok(member(&value, key, call.context)))
}

/// The item of a container, before any method of the same name.
fn member(container: &Value, key: &Value, context: &dyn Context) -> Value {
    match container {
        Value::Undefined(_) | Value::Unknown(_) => container.clone(),
        _ => index(container, key).unwrap_or_else(|| context.member(container, key)),
    }
}

fn rekey_on_member(call: &Call<'_>) -> Result<Value, Fault> {
    let [key, duplicates] = call.args.bind(["key", "duplicates"])?;
    let key = required(key, "key")?;
    let duplicates = text_or(duplicates.as_ref(), "error")?;
    if !matches!(duplicates.as_str(), "error" | "overwrite") {
        let shown = python::repr(&Value::text(duplicates.as_str()));
        let fault = Fault::value(format!("duplicates parameter to rekey_on_member has unknown value {shown}"));
        return Err(fault.suggest(&duplicates, ["error", "overwrite"]));
    }
    let members: Vec<Value> = match &call.input {
        Value::Dict(dict) => dict.values().cloned().collect(),
        Value::List(members) | Value::Tuple(members) | Value::Set(members) => members.to_vec(),
        _ => return Err(Fault::value("Type is not a valid list, set, or dict")),
    };
    let mut result = Dict::new();
    for member in members {
        let Value::Dict(dict) = touch(&member)? else {
            return Err(Fault::value("List item is not a valid dict"));
        };
        let found = dict.get_value(&key).ok_or_else(|| {
            let names = dict.keys().filter_map(Value::as_str);
            Fault::value(format!("Key {} was not found.", python::repr(&key))).suggest(&python::str(&key), names)
        })?;
        let found = hashable(touch(found)?.clone())?;
        if result.get_value(&found).is_some_and(Value::is_true) && duplicates == "error" {
            let shown = python::repr(&found);
            return Err(Fault::value(format!("Key {shown} is not unique, cannot convert to dict.")));
        }
        result.insert(found, member);
    }
    Ok(Value::from(result))
}

fn subelements(call: &Call<'_>) -> Result<Value, Fault> {
    let [path, skip_missing] = call.args.bind(["subelements", "skip_missing"])?;
    let skip_missing = flag(skip_missing.as_ref(), false);
    let elements: Vec<Value> = match &call.input {
        Value::Dict(dict) => dict.values().cloned().collect(),
        Value::List(_) | Value::Tuple(_) => items(call)?,
        _ => return Err(Fault::value("obj must be a list of dicts or a nested dict")),
    };
    let path: Vec<String> = match required(path, "subelements")? {
        Value::List(names) => names.iter().map(text).collect::<Result<_, _>>()?,
        Value::Str(dotted) => dotted.split('.').map(str::to_owned).collect(),
        _ => return Err(Fault::value("subelements must be a list or a string")),
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
fn inner_list(element: &Value, path: &[String], skip_missing: bool) -> Result<Vec<Value>, Fault> {
    let mut at = touch(element)?.clone();
    for name in path {
        let Value::Dict(dict) = touch(&at)? else {
            let shown = python::str(&at);
            return Err(Fault::value(format!("the key {name} should point to a dictionary, got '{shown}'")));
        };
        at = match dict.get(name) {
            Some(next) => next.clone(),
            None if skip_missing => return Ok(Vec::new()),
            None => {
                let shown = python::repr(&at);
                let fault = Fault::value(format!("could not find '{name}' key in iterated item {shown}"));
                return Err(fault.suggest(name, dict.keys().filter_map(Value::as_str)));
            }
        };
    }
    match touch(&at)? {
        Value::List(inner) | Value::Tuple(inner) => Ok(inner.to_vec()),
        other => {
            let name = path.last().map_or("", String::as_str);
            Err(Fault::value(format!("the key '{name}' should point to a list, got {}", python::str(other))))
        }
    }
}
