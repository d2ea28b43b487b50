//! Lookups of `community.general` on lists, and the versions of installed collections.

use super::call::{lookup_error, read_option, require_text, warn_unknown_options};
use crate::template::error::TemplateError;
use crate::template::plugin::{Lookup, PluginCall, RenderOptions};
use crate::template::python::coerce::require_all_defined;
use crate::value::{Dict, Text, Value, json, python};

/// The family.
pub const TABLE: &[Lookup] = &[
    Lookup::new("community.general.cartesian", cartesian, "Returns all combinations of one member from each list."),
    Lookup::new(
        "community.general.collection_version",
        collection_version,
        "Returns the versions of installed collections.",
    ),
    Lookup::new(
        "community.general.dependent",
        dependent,
        "Returns the items of nested loops whose lists depend on outer items.",
    ),
    Lookup::new("community.general.flattened", flattened, "Returns the members of lists, flattened."),
];

fn cartesian(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &[]);
    if call.args.positional.is_empty() {
        return Err(lookup_error("with_cartesian requires at least one element in each list"));
    }
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for term in &call.args.positional {
        let members = match require_all_defined(term)? {
            Value::List(items) | Value::Tuple(items) => items.to_vec(),
            Value::Object(_) => call.context.collect_members(term)?,
            other => vec![other.clone()],
        };
        crate::template::budget::grow_members(rows.len().saturating_mul(members.len()).saturating_mul(2))?;
        let extend = |row: &Vec<Value>| {
            let row = row.clone();
            members
                .iter()
                .map(move |member| {
                    let mut longer = row.clone();
                    match member {
                        Value::List(items) | Value::Tuple(items) => longer.extend(items.iter().cloned()),
                        other => longer.push(other.clone()),
                    }
                    longer
                })
                .collect::<Vec<_>>()
        };
        rows = rows.iter().flat_map(extend).collect();
    }
    Ok(rows.into_iter().map(Value::list).collect())
}

fn flattened(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &[]);
    let mut flat = Vec::new();
    for term in &call.args.positional {
        require_all_defined(term)?;
    }
    flatten(&call.args.positional, &mut flat);
    Ok(flat)
}

/// Adds members of any depth; the words `None` and `null` end a list.
fn flatten(terms: &[Value], flat: &mut Vec<Value>) {
    for term in terms {
        match term {
            Value::List(items) | Value::Tuple(items) | Value::Set(items) => flatten(items, flat),
            Value::Str(text) if matches!(text.as_str(), "None" | "null") => break,
            other => flat.push(other.clone()),
        }
    }
}

/// One loop of `dependent`: the name of its variable, and what it runs over.
struct DependentLoop {
    name: String,
    over: Value,
}

fn dependent(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &[]);
    let mut loops: Vec<DependentLoop> = Vec::new();
    for (index, term) in call.args.positional.iter().enumerate() {
        let Some(dict) = require_all_defined(term)?.as_dict() else {
            let kind = term.type_name();
            return Err(lookup_error(format!("Parameter {index} must be a dictionary, got <class '{kind}'>")));
        };
        let mut entries = dict.iter();
        let (Some((name, over)), None) = (entries.next(), entries.next()) else {
            let count = dict.len();
            let message = format!("Parameter {index} must be a one-element dictionary, got {count} elements");
            return Err(lookup_error(message));
        };
        let name = python::str(name);
        if loops.iter().any(|known| known.name == name) {
            return Err(lookup_error(format!("The variable '{name}' appears more than once")));
        }
        if !matches!(over, Value::Str(_) | Value::List(_) | Value::Dict(_)) {
            let kind = over.type_name();
            let message = format!(
                "Parameter '{name}' (index {index}) must have a value of type string, dictionary or list, got type <class '{kind}'>"
            );
            return Err(lookup_error(message));
        }
        loops.push(DependentLoop { name, over: over.clone() });
    }
    let mut results = Vec::new();
    if !loops.is_empty() {
        run_loops(call, &loops, &Dict::new(), &mut results)?;
    }
    Ok(results)
}

fn run_loops(
    call: &PluginCall<'_>,
    loops: &[DependentLoop],
    item: &Dict,
    results: &mut Vec<Value>,
) -> Result<(), TemplateError> {
    let Some((first, rest)) = loops.split_first() else {
        results.push(item.clone().into());
        return Ok(());
    };
    let over = match &first.over {
        Value::Str(text) => {
            let options =
                RenderOptions { vars: vec![("item".to_owned(), item.clone().into())], ..RenderOptions::default() };
            let expression = Text::new_plain(format!("{{{{ {} }}}}", text.as_str()));
            call.context.render_text(&expression, &options).map_err(|why| {
                let message = format!(
                    "Caught \"{}\" while evaluating '{}' with item == {}",
                    why.message,
                    first.name,
                    python::str(&item.clone().into())
                );
                lookup_error(message)
            })?
        }
        other => other.clone(),
    };
    let members = match &over {
        Value::Dict(dict) => {
            dict.iter().map(|(key, value)| Value::dict([("key", key.clone()), ("value", value.clone())])).collect()
        }
        Value::List(_) | Value::Tuple(_) | Value::Object(_) => call.context.collect_members(&over)?,
        other => {
            let (name, kind) = (&first.name, other.type_name());
            return Err(lookup_error(format!(
                "Did not obtain dictionary or list while evaluating '{name}', got {kind}"
            )));
        }
    };
    for member in members {
        let mut chosen = item.clone();
        chosen.set(first.name.as_str(), member);
        run_loops(call, rest, &chosen, results)?;
    }
    Ok(())
}

/// Folders with installed collections, in the order in which they are searched.
fn collection_folders() -> Vec<std::path::PathBuf> {
    let set = std::env::var_os("ANSIBLE_COLLECTIONS_PATH").filter(|path| !path.is_empty());
    let home = std::env::home_dir().map(|home| home.join(".ansible/collections"));
    let usual = || home.into_iter().chain([std::path::PathBuf::from("/usr/share/ansible/collections")]).collect();
    set.map_or_else(usual, |path| std::env::split_paths(&path).collect())
}

fn collection_version(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &["result_not_found", "result_no_version"]);
    let not_found = call.args.get_named("result_not_found").cloned().unwrap_or(Value::Null);
    let no_version = read_option(call, "result_no_version")?.unwrap_or_else(|| "*".to_owned());
    let mut versions = Vec::new();
    for term in &call.args.positional {
        let name = require_text(call, term)?;
        let parts: Vec<&str> = name.split('.').collect();
        let [namespace, collection] = parts.as_slice() else {
            return Err(lookup_error(format!("\"{name}\" is not a FQCN")));
        };
        if name == "ansible.builtin" {
            versions.push(Value::text(no_version.as_str()));
            continue;
        }
        let folder = collection_folders()
            .into_iter()
            .map(|folder| folder.join("ansible_collections").join(namespace).join(collection))
            .find(|folder| folder.is_dir());
        let Some(folder) = folder else {
            versions.push(not_found.clone());
            continue;
        };
        let manifest = call.context.read(&folder.join("MANIFEST.json")).ok();
        let manifest = manifest.and_then(|bytes| json::from_str(&String::from_utf8_lossy(&bytes)).ok());
        let version = manifest.as_ref().and_then(|manifest| manifest.member_at("collection_info.version"));
        versions.push(
            version.filter(|version| version.is_true()).cloned().unwrap_or_else(|| Value::text(no_version.as_str())),
        );
    }
    Ok(versions)
}
