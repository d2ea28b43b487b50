//! Lookups that turn lists and mappings into other lists; most are known by their loops (`with_items`, `with_nested`).

use super::call::{fault, known, truth};
use crate::template::call::{Call, Lookup};
use crate::template::fault::Fault;
use crate::value::{Value, python};

/// `dict indexed_items items list nested random_choice subelements together`
pub const TABLE: &[Lookup] = &[
    Lookup::new("dict", dict, "The entries of mappings, as `key` and `value`."),
    Lookup::new("indexed_items", indexed_items, "The items with their numbers, from 0."),
    Lookup::new("items", items, "The terms, with lists among them flattened by one level."),
    Lookup::new("list", list, "The terms as they are."),
    Lookup::new("nested", nested, "Every combination of one member from each list."),
    Lookup::new("random_choice", random_choice, "One of the terms, drawn at random."),
    Lookup::new("subelements", subelements, "Each member of a list with each entry of a list inside it."),
    Lookup::new(
        "together",
        together,
        "The first members of all lists, then the second ones, ..; null where one is short.",
    ),
];

/// Lists among the terms give their members; everything else stays.
fn flatten<'a>(terms: impl IntoIterator<Item = &'a Value>) -> Vec<Value> {
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

fn items(call: &Call<'_>) -> Result<Vec<Value>, Fault> {
    known(call, &[])?;
    Ok(flatten(&call.args.positional))
}

fn list(call: &Call<'_>) -> Result<Vec<Value>, Fault> {
    known(call, &[])?;
    Ok(call.args.positional.clone())
}

fn indexed_items(call: &Call<'_>) -> Result<Vec<Value>, Fault> {
    known(call, &[])?;
    let numbered = flatten(&call.args.positional).into_iter().enumerate();
    Ok(numbered.map(|(index, item)| Value::list([Value::from(index), item])).collect())
}

fn random_choice(call: &Call<'_>) -> Result<Vec<Value>, Fault> {
    known(call, &[])?;
    let terms = &call.args.positional;
    if terms.is_empty() {
        return Ok(Vec::new());
    }
    let index = rand::random_range(0..terms.len());
    Ok(vec![terms[index].clone()])
}

/// Most members that a combination of lists may have.
const COMBINATIONS: usize = 1_000_000;

fn nested(call: &Call<'_>) -> Result<Vec<Value>, Fault> {
    known(call, &[])?;
    let lists: Vec<Vec<Value>> = call.args.positional.iter().map(super::with_terms).collect();
    if lists.is_empty() {
        return Err(fault("the lookup `nested` wants at least one list"));
    }
    let size = lists.iter().try_fold(1usize, |size, list| size.checked_mul(list.len())).unwrap_or(usize::MAX);
    if size > COMBINATIONS {
        return Err(fault(format!("the lookup `nested` would give more than {COMBINATIONS} combinations")));
    }
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for list in &lists {
        rows = rows
            .iter()
            .flat_map(|row| list.iter().map(move |item| row.iter().cloned().chain(flatten([item])).collect()))
            .collect();
    }
    Ok(rows.into_iter().map(Value::list).collect())
}

fn together(call: &Call<'_>) -> Result<Vec<Value>, Fault> {
    known(call, &[])?;
    let lists: Vec<Vec<Value>> = call.args.positional.iter().map(super::with_terms).collect();
    let longest = lists.iter().map(Vec::len).max();
    let longest = longest.ok_or_else(|| fault("the lookup `together` wants at least one list"))?;
    let row = |index: usize| {
        let members: Vec<Value> = lists.iter().map(|list| list.get(index).cloned().unwrap_or(Value::Null)).collect();
        Value::list(flatten(&members))
    };
    Ok((0..longest).map(row).collect())
}

fn dict(call: &Call<'_>) -> Result<Vec<Value>, Fault> {
    known(call, &[])?;
    let mut entries = Vec::new();
    for term in &call.args.positional {
        let Value::Dict(dict) = term else {
            return Err(fault(format!("the lookup `dict` wants a mapping, not {}", term.type_name())));
        };
        entries.extend(dict.iter().map(|(k, v)| Value::dict([("key", k.clone()), ("value", v.clone())])));
    }
    Ok(entries)
}

fn subelements(call: &Call<'_>) -> Result<Vec<Value>, Fault> {
    known(call, &[])?;
    let usage =
        || fault("the lookup `subelements` wants a list or mapping, a key, and optionally `{skip_missing: true}`");
    let (outer, path, flags) = match &call.args.positional[..] {
        [outer, Value::Str(path)] => (outer, path, None),
        [outer, Value::Str(path), Value::Dict(flags)] => (outer, path, Some(flags)),
        _ => return Err(usage()),
    };
    let mut skip_missing = false;
    for (name, value) in flags.into_iter().flat_map(|flags| flags.iter()) {
        if name.as_str() != Some("skip_missing") {
            return Err(usage().suggest(&python::str(name), ["skip_missing"].iter()));
        }
        skip_missing = truth("skip_missing", value)?;
    }
    let skipped = |value: &Value| {
        value.as_dict().and_then(|dict| dict.get("skipped")).is_some_and(|flag| *flag != Value::Bool(false))
    };
    let members: Vec<Value> = match outer {
        _ if skipped(outer) => return Ok(Vec::new()),
        Value::List(items) | Value::Tuple(items) => items.to_vec(),
        Value::Dict(dict) => dict.values().cloned().collect(),
        _ => return Err(usage()),
    };
    let mut pairs = Vec::new();
    for member in members.iter().filter(|member| !skipped(member)) {
        if member.as_dict().is_none() {
            return Err(fault(format!(
                "the lookup `subelements` wants mappings in the list, not {}",
                member.type_name()
            )));
        }
        if let Some(inner) = inner_list(member, path, skip_missing)? {
            let rest = without(member, path);
            pairs.extend(inner.iter().map(|item| Value::list([rest.clone(), item.clone()])));
        }
    }
    Ok(pairs)
}

/// The member without the list that its pairs come from.
fn without(member: &Value, path: &str) -> Value {
    let Some(dict) = member.as_dict() else { return member.clone() };
    let mut rest = dict.clone();
    match path.split_once('.') {
        Some((key, inner)) => {
            if let Some(value) = dict.get(key) {
                rest.set(key, without(value, inner));
            }
        }
        None => {
            rest.remove(path);
        }
    }
    rest.into()
}

/// The list under a dotted path; nothing where it is missing and may be.
fn inner_list(member: &Value, path: &str, skip_missing: bool) -> Result<Option<Vec<Value>>, Fault> {
    let mut value = member.clone();
    for key in path.split('.') {
        let Some(dict) = value.as_dict() else {
            return Err(fault(format!("`{path}` leads through {}, which has no keys", value.type_name())));
        };
        match dict.get(key).cloned() {
            Some(inner) => value = inner,
            None if skip_missing => return Ok(None),
            None => {
                return Err(fault(format!("`{key}` is missing in {}", python::repr(member)))
                    .hint("`{'skip_missing': true}` as the third term passes over such members"));
            }
        }
    }
    match value {
        Value::List(items) | Value::Tuple(items) => Ok(Some(items.to_vec())),
        other => Err(fault(format!("`{path}` must be a list, not {}", other.type_name()))),
    }
}

#[cfg(test)]
mod tests {
    use crate::template::lookups::stage::Stage;

    #[track_caller]
    fn case(name: &str, terms: &str, results: &str) {
        assert_eq!(Stage::default().json(name, terms, "{}").unwrap(), results);
    }

    #[test]
    fn lists() {
        case("items", "[[1, [2, [3]]]]", "[1, [2, [3]]]");
        case("items", r#"["a", ["b"]]"#, r#"["a", "b"]"#);
        case("list", "[[1, 2], 3]", "[[1, 2], 3]");
        case("indexed_items", r#"[["x", "y"]]"#, r#"[[0, "x"], [1, "y"]]"#);
        case("together", r#"[[1, 2], ["a"]]"#, r#"[[1, "a"], [2, null]]"#);
        case("nested", r#"[[1, 2], ["a", "b"]]"#, r#"[[1, "a"], [1, "b"], [2, "a"], [2, "b"]]"#);
        case("nested", r#"["x", [[1, 2]]]"#, r#"[["x", 1, 2]]"#);
        case("random_choice", "[7]", "[7]");
        case("dict", r#"[{"b": 1, "a": 2}]"#, r#"[{"key": "b", "value": 1}, {"key": "a", "value": 2}]"#);
    }

    #[test]
    fn subelements() {
        let users = r#"[{"n": "a", "k": [1, 2]}, {"n": "b"}]"#;
        let pairs = r#"[[{"n": "a"}, 1], [{"n": "a"}, 2]]"#;
        case("subelements", &format!(r#"[{users}, "k", {{"skip_missing": true}}]"#), pairs);
        let problem = Stage::default().json("subelements", &format!(r#"[{users}, "k"]"#), "{}").unwrap_err();
        assert_eq!(problem.message, "`k` is missing in {'n': 'b'}");
        case("subelements", r#"[{"x": {"a": {"b": [1]}}}, "a.b"]"#, r#"[[{"a": {}}, 1]]"#);
    }

    #[test]
    fn wrong_terms() {
        let stage = Stage::default();
        for (name, terms) in [("dict", "[[1]]"), ("together", "[]"), ("nested", "[]"), ("subelements", "[1]")] {
            assert!(stage.json(name, terms, "{}").is_err(), "{name}");
        }
        assert_eq!(
            stage.json("items", "[1]", r#"{"x": 1}"#).unwrap_err().message,
            "the lookup `items` has no option `x`"
        );
    }
}
