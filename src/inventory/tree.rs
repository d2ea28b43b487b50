//! Inventories as a tree: YAML files, and the JSON that scripts print.

use super::ini::host_names;
use super::model::{Model, Origin};
use crate::diagnostic::Diagnostic;
use crate::value::{Dict, Value};

/// Reads `{group: {hosts: .., vars: .., children: ..}}` into the model; gives warnings about what it passes over.
///
/// # Errors
/// With one sentence, if it is not an inventory.
pub fn read_yaml(value: &Value, origin: &Origin, model: &mut Model) -> Result<Vec<String>, Diagnostic> {
    let groups = value.as_dict().filter(|dict| !dict.is_empty());
    let groups = groups.ok_or("a YAML inventory is a mapping of groups")?;
    let mut warnings = Vec::new();
    for (name, body) in groups.iter() {
        yaml_group(&to_text(name), body, origin, model, &mut warnings)?;
    }
    Ok(warnings)
}

fn yaml_group(
    name: &str,
    body: &Value,
    origin: &Origin,
    model: &mut Model,
    warnings: &mut Vec<String>,
) -> Result<(), Diagnostic> {
    let body = match body {
        Value::Null => {
            model.group_entry(name);
            return Ok(());
        }
        Value::Dict(body) => body,
        other => {
            let kind = other.type_name();
            warnings.push(format!("the group `{name}` must be a mapping, not {kind}, so it is ignored"));
            return Ok(());
        }
    };
    model.group_entry(name);
    check_sections(name, body)?;
    for (key, value) in body.iter() {
        // A lone name stands for a mapping with that one key.
        let entries = match value {
            Value::Null => continue,
            Value::Dict(entries) => (**entries).clone(),
            Value::Str(name) => [(Value::Str(name.clone()), Value::Null)].into_iter().collect(),
            _ => {
                let key = to_text(key);
                warnings.push(format!("`{key}` of the group `{name}` must be a mapping, so it is passed over"));
                continue;
            }
        };
        match key.as_str() {
            Some("vars") => entries.iter().for_each(|(k, v)| model.set_group_var(name, k.clone(), v.clone())),
            Some("children") => {
                for (child, body) in entries.iter() {
                    let child = to_text(child);
                    yaml_group(&child, body, origin, model, warnings)?;
                    model.add_child(name, &child)?;
                }
            }
            Some("hosts") => {
                for (pattern, vars) in entries.iter() {
                    yaml_hosts(&require_host_text(pattern, name)?, vars, name, origin, model)?;
                }
            }
            _ => warnings.push(format!(
                "`{}` in the group `{name}` is ignored: a group has `hosts`, `children` and `vars`",
                to_text(key)
            )),
        }
    }
    Ok(())
}

/// Refuses a section that every group may have, if it is neither a mapping nor a lone name.
fn check_sections(group: &str, body: &Dict) -> Result<(), Diagnostic> {
    for section in ["vars", "children", "hosts"] {
        if let Some((key, value)) = body.iter().find(|(key, _)| key.as_str() == Some(section))
            && !matches!(value, Value::Null | Value::Dict(_) | Value::Str(_))
        {
            return Err(section_of_another_type(section, group, key, value));
        }
    }
    Ok(())
}

/// A section that is not a mapping; a list of names gets the spelling that was meant.
fn section_of_another_type(section: &str, group: &str, key: &Value, value: &Value) -> Diagnostic {
    let kind = value.type_name();
    let message = format!("`{section}` of the group `{group}` must be a mapping, not {kind}");
    let place = if let Value::Str(key) = key { key.origin() } else { None };
    let error = Diagnostic::error(message).at_some(place, "");
    match value.as_slice().and_then(<[_]>::first).and_then(Value::as_str) {
        Some(first) => error.hint(format!("write each name as a key, with a colon and without a dash: `{first}:`")),
        None => error,
    }
}

/// The name or pattern of hosts, which must be text.
fn require_host_text(pattern: &Value, group: &str) -> Result<String, Diagnostic> {
    let text = to_text(pattern);
    if matches!(pattern, Value::Str(_)) {
        return Ok(text);
    }
    Err(Diagnostic::error(format!("the host `{text}` of the group `{group}` must be text: quote it")))
}

fn yaml_hosts(pattern: &str, vars: &Value, group: &str, origin: &Origin, model: &mut Model) -> Result<(), Diagnostic> {
    for (name, port) in host_names(pattern)? {
        let host = model.host_entry(&name, Some(group), Some(origin));
        if let Some(port) = port {
            host.vars.set("ansible_port", Value::Int(i64::from(port)));
        }
        match vars {
            Value::Null => {}
            Value::Dict(vars) => model.set_host_vars(&name, vars),
            other => {
                return Err(Diagnostic::error(format!(
                    "the variables of `{pattern}` must be a mapping, not {}",
                    other.type_name()
                )));
            }
        }
    }
    Ok(())
}

/// Reads what `--list` of a script printed; gives the variables of hosts if it told them (`_meta`).
///
/// # Errors
/// With one sentence, if it is not an inventory.
pub fn read_list(value: &Value, origin: &Origin, model: &mut Model) -> Result<Option<Dict>, Diagnostic> {
    let groups = value.as_dict().ok_or("the script must print a JSON object")?;
    let mut hostvars = None;
    for (name, body) in groups.iter() {
        let name = to_text(name);
        if name == "_meta" {
            hostvars = body.as_dict().and_then(|meta| meta.get("hostvars")).and_then(Value::as_dict).cloned();
            continue;
        }
        list_group(&name, body, origin, model)?;
    }
    Ok(hostvars)
}

fn list_group(name: &str, body: &Value, origin: &Origin, model: &mut Model) -> Result<(), Diagnostic> {
    model.group_entry(name);
    let body = match body {
        Value::Dict(body) => (**body).clone(),
        // The old form: a group is just its hosts.
        Value::List(_) => [(Value::text("hosts"), body.clone())].into_iter().collect(),
        _ => return Err(Diagnostic::error(format!("the group `{name}` must be an object or a list of hosts"))),
    };
    // Older still: an object that is itself one host with its variables.
    if !["hosts", "vars", "children"].iter().any(|key| body.contains(key)) {
        model.host_entry(name, Some(name), Some(origin));
        model.set_host_vars(name, &body);
        return Ok(());
    }
    let names = |key: &str| -> Result<Vec<String>, Diagnostic> {
        match body.get(key) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::List(items)) => Ok(items.iter().map(to_text).collect()),
            Some(_) => Err(Diagnostic::error(format!("`{key}` of the group `{name}` must be a list"))),
        }
    };
    for host in names("hosts")? {
        model.host_entry(&host, Some(name), Some(origin));
    }
    match body.get("vars") {
        None | Some(Value::Null) => {}
        Some(Value::Dict(vars)) => vars.iter().for_each(|(k, v)| model.set_group_var(name, k.clone(), v.clone())),
        Some(_) => return Err(Diagnostic::error(format!("`vars` of the group `{name}` must be an object"))),
    }
    for child in names("children")? {
        model.add_child(name, &child)?;
    }
    Ok(())
}

fn to_text(value: &Value) -> String {
    crate::value::python::str(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{json, python};

    fn origin() -> Origin {
        Origin { file: "hosts.yml".into(), folder: None }
    }

    #[test]
    fn yaml_groups() {
        let mut model = Model::default();
        let tree = json::from_str(
            r#"{"all": {"hosts": {"a": {"x": 1}, "w[1:2]:22": null}, "vars": {"v": 2}, "odd": {}, "children":
                {"g": {"hosts": "a", "children": {"h": null}}}}}"#,
        );
        let warnings = read_yaml(&tree.unwrap(), &origin(), &mut model).unwrap();
        model.settle_groups();
        assert_eq!(warnings, ["`odd` in the group `all` is ignored: a group has `hosts`, `children` and `vars`"]);
        assert_eq!(model.hosts_of("all").iter().map(|h| &**h).collect::<Vec<_>>(), ["a", "w1", "w2"]);
        assert_eq!(model.groups_of("a").join(" "), "all g");
        assert_eq!(python::repr(&model.hosts["w2"].vars.clone().into()), "{'ansible_port': 22}");
        for bad in ["[]", "{}", r#"{"g": {"vars": 1}}"#, r#"{"g": {"hosts": {"h": 1}}}"#] {
            assert!(read_yaml(&json::from_str(bad).unwrap(), &origin(), &mut Model::default()).is_err(), "{bad}");
        }
    }

    #[test]
    fn script_lists() {
        let mut model = Model::default();
        let list = r#"{"g": {"hosts": ["s1"], "vars": {"v": 1}, "children": ["k"]}, "k": ["s2"], "lone": {"x": 3},
            "_meta": {"hostvars": {"s1": {"y": 2}}}}"#;
        let vars = read_list(&json::from_str(list).unwrap(), &origin(), &mut model).unwrap().unwrap();
        model.settle_groups();
        assert!(vars.contains("s1"));
        assert_eq!(model.groups_of("s2").join(" "), "all g k");
        assert_eq!(model.hosts["lone"].vars.get("x"), Some(&Value::Int(3)));
    }
}
