//! What filters and tests give inside expressions, against a table of the reference's answers.

use std::path::PathBuf;

use crate::source::Source;
use crate::template::python::json as reader;
use crate::template::{Engine, Globals};
use crate::value::json::{self, Style};
use crate::value::{Dict, Text, Value};

fn evaluate(expression: &str) -> Result<Value, String> {
    let template = format!("{{{{ {expression} }}}}");
    let source = Source::new("filters.txt", template.as_str());
    let text = Text::written(template.as_str(), source.span(0..template.len()));
    let (globals, scope) = (Globals::new("."), Dict::new());
    let here = [PathBuf::from(".")];
    let engine = Engine::new(&globals, &scope, &here);
    engine.value(&Value::Str(text)).map_err(|fault| fault.message)
}

fn shown(value: &Value) -> String {
    json::to_string(value, Style { ascii: false, ..Style::PYTHON })
}

#[test]
fn expressions_give_what_the_reference_gives() {
    let table = include_str!("../../../tests/data/filters.txt");
    let mut wrong = Vec::new();
    for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (expression, expected) = line.rsplit_once(" => ").expect("every line has an arrow");
        let got = match evaluate(expression) {
            Ok(value) => shown(&value),
            Err(message) if expected != "error" => format!("error: {message}"),
            Err(_) => "error".to_owned(),
        };
        let expected = match expected {
            "error" => "error".to_owned(),
            data => shown(&reader::read(data).expect("the answers are JSON")),
        };
        if got != expected {
            wrong.push(format!("{expression}\n  expected {expected}\n  got      {got}"));
        }
    }
    assert!(wrong.is_empty(), "{} answers differ:\n{}", wrong.len(), wrong.join("\n"));
}
