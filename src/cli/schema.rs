//! `ionplay schema`: JSON Schemas of playbooks, task lists and `gitops.yml`, for editors. From the tables that readers use.

use serde_json::{Map, Value as Json, json};

use crate::modules::spec::{FreeForm, Param, ParamKind};
use crate::modules::{MODULES, Spec};
use crate::playbook::action::EXECUTOR_ACTIONS;
use crate::playbook::keyword::{KeywordPlace, Row, Shape, TABLE};

/// Print a JSON Schema of playbooks or of `gitops.yml`, for editors
///
/// Editors with a YAML language server use it to complete and check modules, parameters and keywords, also the
/// parameters that a state requires. Write it to a file and name that file in the first line of a playbook:
/// `# yaml-language-server: $schema=ionplay.schema.json`.
#[derive(Debug, clap::Args)]
pub struct SchemaArgs {
    /// Only the parameters of this module
    #[arg(value_name = "MODULE")]
    pub module: Option<String>,
    /// Only files of this kind; playbooks and lists of tasks unless given
    #[arg(long = "for", value_enum, value_name = "KIND", conflicts_with = "module")]
    pub file: Option<SchemaFile>,
}

/// Kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SchemaFile {
    /// A list of plays.
    Playbook,
    /// A list of tasks, as in roles.
    Tasks,
    /// The file of `ionplay gitops`.
    Gitops,
}

/// Prints the schema.
pub fn print_schema(args: &SchemaArgs) -> anyhow::Result<()> {
    args.module.iter().for_each(|name| super::load::search_foreign_modules(name));
    let schema = match &args.module {
        None => match args.file {
            None => playbook_schema(),
            Some(file) => file_schema(file),
        },
        Some(name) => match crate::modules::find_module(name) {
            Some(found) => module_schema(found.module_spec()),
            None => {
                let names: Vec<_> = MODULES.iter().map(|module| module.module_spec().short_name()).collect();
                let near = crate::suggest::find_nearest(name, &names).map(|near| format!("; did you mean `{near}`?"));
                anyhow::bail!("there is no module `{name}`{}", near.unwrap_or_default());
            }
        },
    };
    super::output::write_stdout(&format!("{schema:#}\n"));
    Ok(())
}

/// The schema of a playbook, or a list of tasks, or one task.
pub fn playbook_schema() -> Json {
    let defs: Map<String, Json> =
        MODULES.iter().map(|m| (m.module_spec().name.to_owned(), module_schema(m.module_spec()))).collect();
    let with_conditions: Vec<&str> = MODULES
        .iter()
        .map(|module| module.module_spec())
        .filter(|spec| defs[spec.name].get("allOf").is_some())
        .map(|spec| spec.name)
        .collect();
    let mut definitions = json!({
        "template": {"type": "string", "pattern": r"\{\{|\{%"},
        "tasks": {"type": ["array", "null"], "items": {"anyOf": [{"$ref": "#/$defs/block"}, {"$ref": "#/$defs/task"}]}},
        "play": place_schema(KeywordPlace::Play, &["hosts"]),
        "import": {
            "type": "object",
            "anyOf": [{"required": ["import_playbook"]}, {"required": ["ansible.builtin.import_playbook"]}],
        },
        "block": place_schema(KeywordPlace::Block, &["block"]),
        "task": task_schema(),
    });
    if let Some(all) = definitions.as_object_mut() {
        all.extend(defs);
        relax_required(all, &with_conditions);
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

/// Ending of the names of definitions that count below `module_defaults`.
const RELAXED: &str = "-with-defaults";

/// Lets go of required parameters below `module_defaults`, and at tasks with `args`: they may come from there. Plays, blocks
/// and tasks have a second definition for that, which refers to modules without what their states require.
fn relax_required(definitions: &mut Map<String, Json>, modules: &[&str]) {
    const PLACES: [&str; 4] = ["tasks", "play", "block", "task"];
    for name in PLACES.iter().chain(modules) {
        let Some(mut relaxed) = definitions.get(*name).cloned() else { continue };
        if modules.contains(name) {
            relaxed.as_object_mut().map(|schema| schema.remove("allOf"));
        }
        redirect_references(&mut relaxed, &|target| PLACES.contains(&target) || modules.contains(&target));
        definitions.insert(format!("{name}{RELAXED}"), relaxed);
    }
    for (name, keys) in
        [("play", &["module_defaults"][..]), ("block", &["module_defaults"]), ("task", &["module_defaults", "args"])]
    {
        let Some(strict) = definitions.remove(name) else { continue };
        let given: Vec<Json> = keys.iter().map(|key| json!({"required": [key]})).collect();
        let either = json!({
            "if": {"type": "object", "anyOf": given},
            "then": {"$ref": format!("#/$defs/{name}{RELAXED}")},
            "else": strict,
        });
        definitions.insert(name.to_owned(), either);
    }
}

/// Lets references to some definitions lead to their relaxed ones.
fn redirect_references(schema: &mut Json, is_relaxed: &dyn Fn(&str) -> bool) {
    match schema {
        Json::Object(map) => {
            if let Some(Json::String(target)) = map.get_mut("$ref")
                && target.strip_prefix("#/$defs/").is_some_and(is_relaxed)
            {
                target.push_str(RELAXED);
            }
            map.values_mut().for_each(|inner| redirect_references(inner, is_relaxed));
        }
        Json::Array(items) => items.iter_mut().for_each(|inner| redirect_references(inner, is_relaxed)),
        _ => {}
    }
}

/// The schema of files of one kind. What stands in the wrong kind of file is told as such.
pub fn file_schema(file: SchemaFile) -> Json {
    let (title, members): (&str, &[&str]) = match file {
        SchemaFile::Gitops => return crate::gitops::config::gitops_schema(),
        SchemaFile::Playbook => ("ionplay playbook", &["play", "import"]),
        SchemaFile::Tasks => ("ionplay tasks", &["block", "task"]),
    };
    let members: Vec<Json> = members.iter().map(|name| json!({"$ref": format!("#/$defs/{name}")})).collect();
    let mut schema = playbook_schema();
    schema["title"] = title.into();
    schema["anyOf"] = json!([{"type": ["array", "null"], "items": {"anyOf": members}}]);
    schema
}

fn place_schema(place: KeywordPlace, required: &[&str]) -> Json {
    let properties: Map<String, Json> = rows_at(place).map(|row| (row.name.to_owned(), keyword_schema(row))).collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// A task: keywords, and modules by both of their names.
fn task_schema() -> Json {
    let all = rows_at(KeywordPlace::Task).chain(rows_at(KeywordPlace::Handler)).chain(rows_at(KeywordPlace::Include));
    let mut properties: Map<String, Json> = all.map(|row| (row.name.to_owned(), keyword_schema(row))).collect();
    for module in MODULES {
        let spec = module.module_spec();
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

fn rows_at(place: KeywordPlace) -> impl Iterator<Item = &'static Row> {
    TABLE.iter().filter(move |row| row.is_allowed(place))
}

fn keyword_schema(row: &Row) -> Json {
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
pub fn module_schema(spec: &Spec) -> Json {
    let mut schema = mapping_schema(&spec.all_params().collect::<Vec<_>>(), spec.any_params);
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

/// Requires these parameters `if` the state is this one; a missing state means the default.
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

fn mapping_schema(params: &[&Param], open: bool) -> Json {
    let mut properties = Map::new();
    for param in params {
        for name in std::iter::once(&param.name).chain(param.aliases) {
            let mut schema = parameter_schema(param);
            if *name != param.name {
                schema["description"] = format!("the same as `{}`", param.name).into();
            }
            properties.insert((*name).to_owned(), schema);
        }
    }
    json!({"type": "object", "properties": properties, "additionalProperties": open})
}

fn parameter_schema(param: &Param) -> Json {
    let mut schema = if !param.choices.is_empty() {
        json!({"anyOf": [{"enum": param.choices}, {"$ref": "#/$defs/template"}]})
    } else if param.known_only {
        json!({"anyOf": [{"enum": param.known_values}, {"$ref": "#/$defs/template"}, {"type": "null"}]})
    } else {
        kind_schema(param.kind)
    };
    if !param.members.is_empty() {
        schema = members_schema(param);
    }
    if !param.known_values.is_empty() && !param.known_only {
        offer_values(&mut schema, param.known_values);
    }
    schema["description"] = param.about.into();
    if let Some(default) = param.default {
        schema["default"] = default.into();
    }
    schema
}

/// The mapping, or list of mappings, of a parameter whose members the module itself checks; a template for any of them.
fn members_schema(param: &Param) -> Json {
    let template = json!({"$ref": "#/$defs/template"});
    let required: Vec<&str> = param.members.iter().filter(|row| row.required).map(|row| row.name).collect();
    let mut mapping = mapping_schema(&param.members.iter().collect::<Vec<_>>(), false);
    mapping["required"] = required.into();
    let is_list = matches!(param.kind, ParamKind::List(_));
    let value = if is_list { json!({"type": "array", "items": {"anyOf": [mapping, template]}}) } else { mapping };
    json!({"anyOf": [value, template, {"type": "null"}]})
}

/// Offers the usual values, and accepts others.
fn offer_values(schema: &mut Json, values: &[&str]) {
    let place = match schema.get_mut("items") {
        Some(items) => items,
        None => schema,
    };
    *place = json!({"anyOf": [{"enum": values}, place.take()]});
}

/// Accepts all convertible types, and a template for any value.
fn kind_schema(kind: ParamKind) -> Json {
    match kind {
        ParamKind::Str | ParamKind::Path | ParamKind::Bytes => json!({"type": ["string", "number", "boolean", "null"]}),
        ParamKind::Bool => json!({"type": ["boolean", "string", "integer", "null"]}),
        ParamKind::Int | ParamKind::Float => json!({"type": ["number", "string", "null"]}),
        ParamKind::Raw | ParamKind::Json => json!({}),
        ParamKind::List(of) => json!({"type": ["array", "string", "number", "null"], "items": self::kind_schema(*of)}),
        ParamKind::Dict([]) => json!({"type": ["object", "string", "null"]}),
        ParamKind::Dict(rows) => {
            let mut schema = mapping_schema(&rows.iter().collect::<Vec<_>>(), false);
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
        let schema = module_schema(crate::modules::find_module("registry_token").unwrap().module_spec());
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
        let (schema, mut found) = (playbook_schema(), 0);
        look(&schema, &schema["$defs"], &mut found);
        assert!(found > 2 * MODULES.len());
    }
}
