//! What is fuzzed: each target takes any bytes and must come back, with a result or an error.
//!
//! The same functions are called by the smoke test in `mod.rs`, with seeded mutations on a stable compiler, and by the
//! crate in `cargo-fuzz`, with the coverage guidance of libFuzzer.

use std::path::Path;
use std::sync::Arc;

use ionplay::credentials::sinks::merge_docker_login;
use ionplay::credentials::{Backend, Catalog, CredentialLog, StoreError, StoredLog};
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
    ("credentials", read_credentials),
    ("docker", merge_docker_config),
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

/// A credential store with the log of one run that has ended.
struct OneLog(String);

impl Backend for OneLog {
    fn begin_log(&self) -> Result<Box<dyn CredentialLog>, StoreError> {
        unreachable!("the catalog only reads")
    }

    fn read_all(&self) -> Result<Vec<StoredLog>, StoreError> {
        Ok(vec![StoredLog { name: "log".to_owned(), text: Ok(self.0.clone().into()), is_held: false }])
    }

    fn hold_log(&self, _name: &str) -> Result<Option<Box<dyn CredentialLog>>, StoreError> {
        Ok(None)
    }

    fn describe_place(&self) -> String {
        "fuzz".to_owned()
    }
}

/// Reads the log of a run in the credential store.
pub fn read_credentials(data: &[u8]) {
    let Ok(catalog) = Catalog::read(&OneLog(String::from_utf8_lossy(data).into_owned())) else { return };
    for listed in &catalog.entries {
        drop((
            listed.entry.unseal_password(None),
            listed.entry.failure(),
            catalog.find_token(&listed.entry.subject.name),
        ));
    }
}

/// Merges a login into a docker configuration: what comes out is a configuration again.
pub fn merge_docker_config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(merged) = merge_docker_login(Path::new("config.json"), text, "r.example", "bmV3") {
        let merged: serde_json::Value = serde_json::from_str(&merged).expect("the merged configuration is JSON");
        assert_eq!(
            merged["auths"].as_object().map(|auths| auths.values().any(|login| login["auth"] == "bmV3")),
            Some(true)
        );
    }
}
