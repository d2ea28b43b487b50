//! Lookups that turn lists and mappings into other lists; most are known by their loops (`with_items`, `with_nested`).

use super::call::{lookup_error, parse_boolean, warn_unknown_options};
use crate::template::budget;
use crate::template::error::TemplateError;
use crate::template::plugin::{Lookup, PluginCall};
use crate::template::python::coerce::{require_defined, require_values_defined};
use crate::template::sequence;
use crate::value::{Value, python};

/// `dict indexed_items items list nested random_choice subelements together`
pub const TABLE: &[Lookup] = &[
    Lookup::new("dict", dict, "Returns the entries of mappings, as `key` and `value`."),
    Lookup::new("indexed_items", indexed_items, "Returns the items with their numbers, from 0."),
    Lookup::new("items", items, "Returns the terms, with lists flattened by one level."),
    Lookup::new("list", list, "Returns the terms unchanged."),
    Lookup::new("nested", nested, "Returns every combination of one member from each list."),
    Lookup::new("random_choice", random_choice, "Returns a random term."),
    Lookup::new("subelements", subelements, "Returns each member of a list with each entry of a list inside of it."),
    Lookup::new(
        "together",
        together,
        "Returns the first members of all lists, then the second members, ..; null if a list is too short.",
    ),
];

/// The members, none of which is missing.
fn require_present(members: Vec<Value>) -> Result<Vec<Value>, TemplateError> {
    for member in &members {
        require_defined(member)?;
    }
    Ok(members)
}

/// Lists among the terms give their members; everything else stays.
fn flatten_terms<'a>(terms: impl IntoIterator<Item = &'a Value>) -> Vec<Value> {
    let mut flat = Vec::new();
    for term in terms {
        match term {
            Value::List(items) | Value::Tuple(items) => flat.extend(items.iter().cloned()),
            Value::Object(object) => match object.members() {
                Some(members) => flat.extend(members),
                None => flat.push(term.clone()),
            },
            other => flat.push(other.clone()),
        }
    }
    flat
}

fn items(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &[]);
    require_present(flatten_terms(&call.args.positional))
}

fn list(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &[]);
    Ok(call.args.positional.clone())
}

fn indexed_items(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &[]);
    let numbered = require_present(flatten_terms(&call.args.positional))?.into_iter().enumerate();
    Ok(numbered.map(|(index, item)| Value::list([Value::from(index), item])).collect())
}

fn random_choice(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &[]);
    let terms = &call.args.positional;
    if terms.is_empty() {
        return Ok(Vec::new());
    }
    let index = rand::random_range(0..terms.len());
    Ok(vec![terms[index].clone()])
}

/// The members of every term; a text has its characters.
fn members_of_all(call: &PluginCall<'_>) -> Result<Vec<Vec<Value>>, TemplateError> {
    call.args.positional.iter().map(|term| require_present(call.context.collect_members(term)?)).collect()
}

/// Most members that a combination of lists may have.
const COMBINATIONS: usize = 1_000_000;

fn nested(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &[]);
    let lists = members_of_all(call)?;
    if lists.is_empty() {
        return Err(lookup_error("with_nested requires at least one element in the nested list"));
    }
    let size = lists.iter().try_fold(1usize, |size, list| size.checked_mul(list.len())).unwrap_or(usize::MAX);
    if size > COMBINATIONS {
        return Err(lookup_error(format!("the lookup `nested` would give more than {COMBINATIONS} combinations")));
    }
    budget::grow_members(size.saturating_mul(lists.len()))?;
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for list in &lists {
        rows = rows
            .iter()
            .flat_map(|row| list.iter().map(move |item| row.iter().cloned().chain(flatten_terms([item])).collect()))
            .collect();
    }
    if let [only] = &lists[..] {
        // Each member is a row by itself, a text one of characters.
        return only.iter().map(|row| Ok(Value::list(flatten_terms(&call.context.collect_members(row)?)))).collect();
    }
    Ok(rows.iter().map(|row| Value::list(flatten_terms(row))).collect())
}

fn together(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &[]);
    let lists = members_of_all(call)?;
    let longest = lists.iter().map(Vec::len).max();
    let longest = longest.ok_or_else(|| lookup_error("with_together requires at least one element in each list"))?;
    let row = |index: usize| {
        let members: Vec<Value> = lists.iter().map(|list| list.get(index).cloned().unwrap_or(Value::Null)).collect();
        Value::list(flatten_terms(&members))
    };
    Ok((0..longest).map(row).collect())
}

fn dict(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &[]);
    let mut entries = Vec::new();
    for term in &call.args.positional {
        let Value::Dict(dict) = term else {
            let what = format!("got '{}' of type {}", python::str(term), term.type_name());
            return Err(lookup_error(format!("the 'dict' lookup plugin expects a dictionary, {what}")));
        };
        entries.extend(
            require_values_defined(dict)?
                .iter()
                .map(|(k, v)| Value::dict([("key", sequence::to_plain_key(k)), ("value", v.clone())])),
        );
    }
    Ok(entries)
}

fn subelements(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &[]);
    let usage = |what: &str| lookup_error(format!("subelements lookup expects a list of two or three items{what}"));
    let (outer, path, flags) = match &call.args.positional[..] {
        [outer, path] => (outer, path, None),
        [outer, path, flags] => (outer, path, Some(flags)),
        _ => return Err(usage("")),
    };
    let first_two = ", first a dict or a list, second a string pointing to the subkey";
    let (true, Value::Str(path)) = (matches!(outer, Value::List(_) | Value::Tuple(_) | Value::Dict(_)), path) else {
        return Err(usage(first_two));
    };
    let skip_missing = match flags {
        None => false,
        Some(Value::Dict(flags)) => {
            if let Some(name) = flags.keys().find(|name| name.as_str() != Some("skip_missing")) {
                call.context.add_warning(format!("`subelements` has no flag `{}`", python::str(name)));
            }
            flags.get("skip_missing").map_or(Ok(false), |value| parse_boolean("skip_missing", value))?
        }
        Some(_) => return Err(usage(", the optional third item must be a dict with flags ('skip_missing',)")),
    };
    let skipped = |value: &Value| {
        value.as_dict().and_then(|dict| dict.get("skipped")).is_some_and(|flag| *flag != Value::Bool(false))
    };
    let members: Vec<Value> = match outer {
        _ if skipped(outer) => return Ok(Vec::new()),
        Value::List(items) | Value::Tuple(items) => items.to_vec(),
        Value::Dict(dict) => dict.values().cloned().collect(),
        _ => return Err(usage(first_two)),
    };
    let mut pairs = Vec::new();
    for member in members.iter().filter(|member| !skipped(member)) {
        if member.as_dict().is_none() {
            let what = python::str(member);
            return Err(lookup_error(format!("subelements lookup expects a dictionary, got '{what}'")));
        }
        if let Some(inner) = inner_list(member, path, skip_missing)? {
            let rest = remove_path(member, path);
            pairs.extend(inner.iter().map(|item| Value::list([rest.clone(), item.clone()])));
        }
    }
    Ok(pairs)
}

/// The member without the list that its pairs come from.
fn remove_path(member: &Value, path: &str) -> Value {
    let Some(dict) = member.as_dict() else { return member.clone() };
    let mut rest = dict.clone();
    match path.split_once('.') {
        Some((key, inner)) => {
            if let Some(value) = dict.get(key) {
                rest.set(key, remove_path(value, inner));
            }
        }
        None => {
            rest.remove(path);
        }
    }
    rest.into()
}

/// The list under a dotted path; nothing where something on the way is missing and may be.
fn inner_list(member: &Value, path: &str, skip_missing: bool) -> Result<Option<Vec<Value>>, TemplateError> {
    let mut value = member.clone();
    let mut keys = path.split('.').peekable();
    while let Some(key) = keys.next() {
        let inner = value.as_dict().and_then(|dict| dict.get(key).cloned());
        let is_last = keys.peek().is_none();
        value = match inner {
            Some(Value::List(items)) if is_last => return Ok(Some(items.to_vec())),
            Some(inner) if is_last => {
                return Err(lookup_error(format!(
                    "the key {key} should point to a list, got '{}'",
                    python::str(&inner)
                )));
            }
            Some(inner @ Value::Dict(_)) => inner,
            _ if skip_missing => return Ok(None),
            Some(inner) => {
                return Err(lookup_error(format!(
                    "the key {key} should point to a dictionary, got '{}'",
                    python::str(&inner)
                )));
            }
            None => {
                let found = python::str(&value);
                return Err(lookup_error(format!("could not find '{key}' key in iterated item '{found}'"))
                    .hint("`{'skip_missing': true}` as the third term ignores such members"));
            }
        };
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use crate::template::lookups::stage::Stage;

    #[track_caller]
    fn case(name: &str, terms: &str, results: &str) {
        assert_eq!(Stage::default().run_to_json(name, terms, "{}").unwrap(), results);
    }

    #[test]
    fn lists() {
        case("items", "[[1, [2, [3]]]]", "[1, [2, [3]]]");
        case("items", r#"["a", ["b"]]"#, r#"["a", "b"]"#);
        case("list", "[[1, 2], 3]", "[[1, 2], 3]");
        case("indexed_items", r#"[["x", "y"]]"#, r#"[[0, "x"], [1, "y"]]"#);
        case("together", r#"[[1, 2], ["a"]]"#, r#"[[1, "a"], [2, null]]"#);
        case("nested", r#"[[1, 2], ["a", "b"]]"#, r#"[[1, "a"], [1, "b"], [2, "a"], [2, "b"]]"#);
        case("nested", r#"[["x"], [[1, 2]]]"#, r#"[["x", 1, 2]]"#);
        case("random_choice", "[7]", "[7]");
        case("dict", r#"[{"b": 1, "a": 2}]"#, r#"[{"key": "b", "value": 1}, {"key": "a", "value": 2}]"#);
    }

    #[test]
    fn subelements() {
        let users = r#"[{"n": "a", "k": [1, 2]}, {"n": "b"}]"#;
        let pairs = r#"[[{"n": "a"}, 1], [{"n": "a"}, 2]]"#;
        case("subelements", &format!(r#"[{users}, "k", {{"skip_missing": true}}]"#), pairs);
        let problem = Stage::default().run_to_json("subelements", &format!(r#"[{users}, "k"]"#), "{}").unwrap_err();
        assert_eq!(problem.message, "could not find 'k' key in iterated item '{'n': 'b'}'");
        case("subelements", r#"[[{"a": null}], "a.b", {"skip_missing": true}]"#, "[]");
        for (terms, says) in [
            (r#"[[{"a": 1}], "a"]"#, "the key a should point to a list, got '1'"),
            (r#"[[{"a": 1}], "a.b"]"#, "the key a should point to a dictionary, got '1'"),
            (r#"[[1], "a"]"#, "subelements lookup expects a dictionary, got '1'"),
            (r#"[[1], "a", 1]"#, "the optional third item must be a dict"),
            (r#"[[1]]"#, "expects a list of two or three items"),
            (r#"["x", "a"]"#, "first a dict or a list, second a string"),
        ] {
            let problem = Stage::default().run_to_json("subelements", terms, "{}").unwrap_err();
            assert!(problem.message.contains(says), "{terms}: {}", problem.message);
        }
        case("subelements", r#"[{"x": {"a": {"b": [1]}}}, "a.b"]"#, r#"[[{"a": {}}, 1]]"#);
    }

    #[test]
    fn wrong_terms() {
        let stage = Stage::default();
        for (name, terms) in [("dict", "[[1]]"), ("together", "[]"), ("nested", "[]"), ("subelements", "[1]")] {
            assert!(stage.run_to_json(name, terms, "{}").is_err(), "{name}");
        }
    }
}
