//! What is fuzzed: each target takes any bytes and must come back, with a result or an error.
//!
//! The same functions are called by the smoke test in `mod.rs`, with seeded mutations on a stable compiler, and by the
//! crate in `cargo-fuzz`, with the coverage guidance of libFuzzer.

use std::sync::Arc;

use ionplay::template::{Globals, TemplateEngine};
use ionplay::value::{Dict, Text, Value};
use ionplay::{intake, yaml};

/// A name, and a function that must survive every input.
pub type Target = (&'static str, fn(&[u8]));

/// The targets by name.
pub const TARGETS: &[Target] = &[
    ("yaml", read_yaml),
    ("intake", read_document),
    ("template", evaluate_template),
    ("vault", decrypt_vault),
    ("answers", read_answers),
    ("plan", read_plan),
];

/// Reads YAML into nodes and values.
pub fn read_yaml(data: &[u8]) {
    let Ok(source) = yaml::read_text("fuzz", data.to_vec()) else { return };
    if let Ok(loaded) = yaml::load_document(&source) {
        drop(loaded.root.map(|root| root.to_value()));
    }
}

/// Reads a document of any kind: a playbook, tasks, a page.
pub fn read_document(data: &[u8]) {
    let Ok(source) = yaml::read_text("fuzz", data.to_vec()) else { return };
    drop(intake::read_intake(&source, &|name| name == "debug" || name == "copy"));
}

/// Evaluates a template.
pub fn evaluate_template(data: &[u8]) {
    let Ok(source) = yaml::read_text("fuzz", data.to_vec()) else { return };
    // Lookups read files and run commands, which is what they are for.
    if ["lookup", "query", "q("].iter().any(|word| source.text().contains(word)) {
        return;
    }
    let (globals, variables) = (Globals::new("."), Dict::new());
    let engine = TemplateEngine::new(&globals, &variables, &[]);
    let text = Text::from_source(source.text(), Arc::clone(&source).span(0..source.text().len()));
    drop(engine.evaluate_value(&Value::Str(text)));
}

/// Decrypts vaulted text.
pub fn decrypt_vault(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    drop(ionplay::vars::vault::decrypt_envelope(&text, b"secret"));
}

/// Reads answers of the API.
pub fn read_answers(data: &[u8]) {
    drop(serde_json::from_slice::<ionplay::ionos::model::Registry>(data));
    drop(serde_json::from_slice::<ionplay::ionos::model::Token>(data));
    drop(ionplay::ionos::ApiError::from_answer(400, &String::from_utf8_lossy(data)));
}

/// Reads a plan.
pub fn read_plan(data: &[u8]) {
    if let Ok(plan) = serde_json::from_slice::<ionplay::plan::Plan>(data) {
        drop((plan.compute_digest(), plan.count_actions()));
    }
}
