//! `ionplay schema`: a JSON Schema of playbooks and task lists, for editors. From the tables of modules and keywords.

use serde_json::{Map, Value as Json, json};

use crate::modules::spec::{FreeForm, Kind, Param};
use crate::modules::{MODULES, Spec};
use crate::playbook::action::EXECUTOR_ACTIONS;
use crate::playbook::keyword::{Place, Row, Shape, TABLE};

/// Print a JSON Schema of playbooks, for editors
///
/// Editors with a YAML language server complete and check modules, parameters and keywords with it. It knows which
/// parameters a state requires. Write it to a file and name that in the first line of a playbook:
/// `# yaml-language-server: $schema=ionplay.schema.json`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only the parameters of this module
    #[arg(value_name = "MODULE")]
    pub module: Option<String>,
}

/// Prints it.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let schema = match &args.module {
        None => playbook(),
        Some(name) => match crate::modules::find(name) {
            Some(found) => module(found.spec()),
            None => {
                let names: Vec<_> = MODULES.iter().map(|module| module.spec().short_name()).collect();
                let near = crate::suggest::nearest(name, &names).map(|near| format!("; did you mean `{near}`?"));
                anyhow::bail!("there is no module `{name}`{}", near.unwrap_or_default());
            }
        },
    };
    super::output::print(&format!("{schema:#}\n"));
    Ok(())
}

/// The schema of a playbook, or a list of tasks, or one task.
pub fn playbook() -> Json {
    let defs: Map<String, Json> = MODULES.iter().map(|m| (m.spec().name.to_owned(), module(m.spec()))).collect();
    let mut definitions = json!({
        "template": {"type": "string", "pattern": r"\{\{|\{%"},
        "tasks": {"type": ["array", "null"], "items": {"anyOf": [{"$ref": "#/$defs/block"}, {"$ref": "#/$defs/task"}]}},
        "play": place(Place::Play, &["hosts"]),
        "import": {
            "type": "object",
            "anyOf": [{"required": ["import_playbook"]}, {"required": ["ansible.builtin.import_playbook"]}],
        },
        "block": place(Place::Block, &["block"]),
        "task": task(),
    });
    if let Some(all) = definitions.as_object_mut() {
        all.extend(defs);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ionplay playbook",
        "anyOf": [
            {"type": "array", "items": {"anyOf": [
                {"$ref": "#/$defs/play"}, {"$ref": "#/$defs/import"}, {"$ref": "#/$defs/block"}, {"$ref": "#/$defs/task"},
            ]}},
            {"$ref": "#/$defs/task"},
        ],
        "$defs": definitions,
    })
}

fn place(place: Place, required: &[&str]) -> Json {
    let properties: Map<String, Json> = rows(place).map(|row| (row.name.to_owned(), keyword(row))).collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// A task: keywords, and modules by both of their names.
fn task() -> Json {
    let all = rows(Place::Task).chain(rows(Place::Handler)).chain(rows(Place::Include));
    let mut properties: Map<String, Json> = all.map(|row| (row.name.to_owned(), keyword(row))).collect();
    for module in MODULES {
        let spec = module.spec();
        let reference = json!({"$ref": format!("#/$defs/{}", spec.name), "description": spec.about});
        properties.insert(spec.name.to_owned(), reference.clone());
        properties.insert(spec.short_name().to_owned(), reference);
    }
    for action in EXECUTOR_ACTIONS {
        properties.insert((*action).to_owned(), json!({}));
        properties.insert(format!("ansible.builtin.{action}"), json!({}));
    }
    json!({
        "type": "object",
        "properties": properties,
        "patternProperties": {"^with_": {}, r"^ansible\.legacy\.": {}},
        "additionalProperties": false,
    })
}

fn rows(place: Place) -> impl Iterator<Item = &'static Row> {
    TABLE.iter().filter(move |row| row.allowed(place))
}

fn keyword(row: &Row) -> Json {
    let tasks = ["tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always"];
    if tasks.contains(&row.name) {
        return json!({"$ref": "#/$defs/tasks", "description": row.about});
    }
    let kind = match row.shape {
        Shape::Scalar | Shape::Typed | Shape::Name => json!(["string", "number", "boolean", "null"]),
        Shape::Mapping => json!(["object", "array", "null"]),
        Shape::List | Shape::Any => return json!({"description": row.about}),
    };
    json!({"type": kind, "description": row.about})
}

/// The parameters of a module.
pub fn module(spec: &Spec) -> Json {
    let mut schema = mapping(&spec.all_params().collect::<Vec<_>>(), spec.any_params);
    schema["description"] = spec.about.into();
    let default = spec.states.first().copied().unwrap_or_default();
    let conditions: Vec<Json> = spec.states.iter().filter_map(|state| required_in(spec, state, default)).collect();
    if !conditions.is_empty() {
        schema["allOf"] = conditions.into();
    }
    // A required parameter may come from the environment, `args` or `module_defaults`; a text is free form.
    let free = if spec.free_form == FreeForm::Pairs {
        json!(["object", "string", "null"])
    } else {
        json!(["object", "string", "array", "null"])
    };
    schema["type"] = free;
    schema
}

/// `if` the state is this one `then` these are required; the default state is also meant by saying nothing.
fn required_in(spec: &Spec, state: &str, default: &str) -> Option<Json> {
    let required: Vec<&Param> = spec.all_params().filter(|param| param.required_in.contains(&state)).collect();
    if required.is_empty() {
        return None;
    }
    let given = |param: &&Param| {
        let names = std::iter::once(&param.name).chain(param.aliases);
        json!({"anyOf": names.map(|name| json!({"required": [name]})).collect::<Vec<_>>()})
    };
    let mut condition = json!({"type": "object", "properties": {"state": {"const": state}}});
    if state != default {
        condition["required"] = json!(["state"]);
    }
    Some(json!({"if": condition, "then": {"allOf": required.iter().map(given).collect::<Vec<_>>()}}))
}

fn mapping(params: &[&Param], open: bool) -> Json {
    let mut properties = Map::new();
    for param in params {
        for name in std::iter::once(&param.name).chain(param.aliases) {
            let mut schema = parameter(param);
            if *name != param.name {
                schema["description"] = format!("the same as `{}`", param.name).into();
            }
            properties.insert((*name).to_owned(), schema);
        }
    }
    json!({"type": "object", "properties": properties, "additionalProperties": open})
}

fn parameter(param: &Param) -> Json {
    let mut schema = if param.choices.is_empty() {
        kind(param.kind)
    } else {
        json!({"anyOf": [{"enum": param.choices}, {"$ref": "#/$defs/template"}]})
    };
    schema["description"] = param.about.into();
    if let Some(default) = param.default {
        schema["default"] = default.into();
    }
    schema
}

/// Conversions are generous, and a template may stand for anything.
fn kind(kind: Kind) -> Json {
    match kind {
        Kind::Str | Kind::Path | Kind::Bytes => json!({"type": ["string", "number", "boolean", "null"]}),
        Kind::Bool => json!({"type": ["boolean", "string", "integer", "null"]}),
        Kind::Int | Kind::Float => json!({"type": ["number", "string", "null"]}),
        Kind::Raw | Kind::Json => json!({}),
        Kind::List(of) => json!({"type": ["array", "string", "number", "null"], "items": self::kind(*of)}),
        Kind::Dict([]) => json!({"type": ["object", "string", "null"]}),
        Kind::Dict(rows) => {
            let mut schema = mapping(&rows.iter().collect::<Vec<_>>(), false);
            schema["type"] = json!(["object", "string", "null"]);
            schema
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_say_what_they_require() {
        let schema = module(crate::modules::find("registry_token").unwrap().spec());
        let states: Vec<&str> = schema["allOf"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| rule["if"]["properties"]["state"]["const"].as_str().unwrap())
            .collect();
        assert_eq!(states, ["present", "absent", "update"]);
        assert_eq!(schema["allOf"][0]["if"].get("required"), None, "the default state need not be named");
        assert_eq!(schema["allOf"][1]["if"]["required"], json!(["state"]));
        let needed = schema["allOf"][1]["then"].to_string();
        assert!(needed.contains("registry_token") && !needed.contains("\"name\""), "{needed}");
        assert_eq!(schema["additionalProperties"], false);
        assert!(schema["properties"]["subscription_user"].is_object());
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn look(json: &Json, definitions: &Json, found: &mut usize) {
            match json {
                Json::Object(map) => {
                    if let Some(name) = map.get("$ref").and_then(Json::as_str) {
                        let name = name.strip_prefix("#/$defs/").unwrap();
                        assert!(definitions.get(name).is_some(), "{name}");
                        *found += 1;
                    }
                    map.values().for_each(|inner| look(inner, definitions, found));
                }
                Json::Array(items) => items.iter().for_each(|inner| look(inner, definitions, found)),
                _ => {}
            }
        }
        let (schema, mut found) = (playbook(), 0);
        look(&schema, &schema["$defs"], &mut found);
        assert!(found > 2 * MODULES.len());
    }
}
