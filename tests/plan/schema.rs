//! Real plans fit the published schema.

use serde_json::Value as Json;

use super::{Desk, PLAYBOOK};

/// What of a value does not fit; as much of the schema language as the schema of plans uses.
fn misfits(schema: &Json, value: &Json, place: &str, found: &mut Vec<String>) {
    let mut wrong = |what: String| found.push(format!("{place}: {what}"));
    let kind = match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "integer",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    };
    match &schema["type"] {
        Json::String(wanted) if wanted != kind => wrong(format!("is {kind}, not {wanted}")),
        Json::Array(wanted) if !wanted.iter().any(|wanted| wanted == kind) => wrong(format!("is {kind}")),
        _ => {}
    }
    if let Some(choices) = schema["enum"].as_array()
        && !choices.contains(value)
    {
        wrong(format!("{value} is no choice"));
    }
    if schema.get("const").is_some_and(|only| only != value) {
        wrong(format!("{value} is not {}", schema["const"]));
    }
    if let (Some(pattern), Some(text)) = (schema["pattern"].as_str(), value.as_str())
        && !fancy_regex::Regex::new(pattern).unwrap().is_match(text).unwrap()
    {
        wrong(format!("{text} does not match"));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str) {
        if value.get(name).is_none() {
            wrong(format!("has no {name}"));
        }
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        let place = format!("{place}.{name}");
        match (schema["properties"].get(name), &schema["additionalProperties"]) {
            (Some(schema), _) | (None, schema @ Json::Object(_)) => misfits(schema, member, &place, found),
            (None, Json::Bool(false)) => found.push(format!("{place} is not in the schema")),
            _ => {}
        }
    }
    for member in value.as_array().into_iter().flatten() {
        misfits(&schema["items"], member, &format!("{place}[]"), found);
    }
}

#[test]
fn plans_fit_the_schema() {
    let schema: Json =
        serde_json::from_str(&std::fs::read_to_string(crate::root().join("docs/plan.schema.json")).unwrap()).unwrap();
    let more = "    - {command: 'true', loop: [a]}
    - {copy: {content: x, dest: new}}
    - {registry_token: {registry: fresh, registry_token: ci, name: cd, state: update}, ignore_errors: true}
    - {registry_token: {registry: fresh, registry_token: ci, status: disabled, state: update}}
    - {registry_token: {registry: fresh, registry_token: ci, name: cd, state: update, allow_replace: true}}
    - {registry_info: {}, when: made.registry.id == 'x'}
    - {registry: {registry: fresh, state: absent}}
    - {fail: {msg: x}}
";
    for (playbook, further) in
        [(PLAYBOOK.to_owned(), vec![]), (format!("{PLAYBOOK}{more}"), vec!["-e", "a=1", "--seal-key-file", "key"])]
    {
        let desk = Desk::new(&playbook);
        desk.write("key", "k\n");
        desk.says(&[&["plan", "site.yml", "-o", "p", "-l", "localhost", "--tags", "all"], &further[..]].concat());
        let plan: Json = serde_json::from_str(&desk.read("p")).unwrap();
        let mut found = Vec::new();
        misfits(&schema, &plan, "plan", &mut found);
        assert!(found.is_empty(), "{found:#?}");
        let (_, shown) = desk.says(&["plan", "show", "p", "--format", "json"]);
        assert_eq!(serde_json::from_str::<Json>(&shown).unwrap(), plan);
    }
}
