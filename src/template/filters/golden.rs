//! What filters and tests give inside expressions, against a table of the reference's answers.

use std::path::PathBuf;

use crate::source::Source;
use crate::template::python::json as reader;
use crate::template::{Globals, TemplateEngine, TemplateError};
use crate::value::json::{self, JsonStyle};
use crate::value::{Dict, Text, Value};

fn evaluate_template(template: &str, scope: &Dict) -> Result<Value, TemplateError> {
    let source = Source::new("template", template);
    let text = Text::from_source(template, source.span(0..template.len()));
    let globals = Globals::new(".");
    let here = [PathBuf::from(".")];
    let engine = TemplateEngine::new(&globals, scope, &here);
    engine.evaluate_value(&Value::Str(text))
}

fn to_json(value: &Value) -> String {
    json::to_string(value, JsonStyle { ascii: false, ..JsonStyle::PYTHON })
}

#[test]
fn expressions_give_what_the_reference_gives() {
    let table = include_str!("../../../tests/data/filters.txt");
    let mut wrong = Vec::new();
    for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (expression, expected) = line.rsplit_once(" => ").expect("every line has an arrow");
        let got = match evaluate_template(&format!("{{{{ {expression} }}}}"), &Dict::new()) {
            Ok(value) => to_json(&value),
            Err(error) if expected != "error" => format!("error: {error}"),
            Err(_) => "error".to_owned(),
        };
        let expected = match expected {
            "error" => "error".to_owned(),
            data => to_json(&reader::read(data).expect("the answers are JSON")),
        };
        if got != expected {
            wrong.push(format!("{expression}\n  expected {expected}\n  got      {got}"));
        }
    }
    assert!(wrong.is_empty(), "{} answers differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Templates put together by chance, over a handful of variables. Where the reference fails, so must we; its words are its
/// own.
#[test]
fn templates_by_chance_give_what_the_reference_gives() {
    let table = include_str!("../../../tests/data/templates.jsonl");
    let mut rows = table.lines().map(|line| match reader::read(line) {
        Ok(Value::Dict(row)) => row,
        other => panic!("{line}: {other:?}"),
    });
    let Some(Value::Dict(scope)) = rows.next().and_then(|head| head.get("variables").cloned()) else {
        panic!("the first line has the variables");
    };
    let mut wrong = Vec::new();
    for row in rows {
        let template = row.get("template").and_then(Value::as_str).expect("every row has a template");
        let got = evaluate_template(template, &scope).map(|value| to_json(&value));
        let expected = row.get("value").map(to_json);
        if got.as_ref().ok() != expected.as_ref() {
            wrong.push(format!("{template}\n  expected {expected:?}\n  got      {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} answers differ:\n{}", wrong.len(), wrong.join("\n"));
}
