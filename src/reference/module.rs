//! The page of a module.

pub use super::returned::returned_values;

use crate::modules::Spec;
use crate::modules::spec::{CheckSupport, FreeForm, Param};

/// Columns of text.
const WIDTH: usize = 100;

/// The page.
pub fn render_module(spec: &Spec) -> String {
    let mut page = format!("{}\n", spec.name);
    push_paragraph(&mut page, 2, spec.about);
    if let [first, others @ ..] = spec.states {
        let others = others.iter().map(|state| format!(", {state}")).collect::<String>();
        page.push_str(&format!("\nSTATES\n  {first} (default){others}\n"));
    }
    page.push_str("\nCHECK MODE\n");
    push_paragraph(&mut page, 2, check_support(spec.check));
    if let Some(file) = spec.file {
        page.push_str(&format!("\nFILE\n  {file}\n"));
        push_paragraph(&mut page, 2, "This module is not part of ionplay; it runs through the bridge.");
    }
    if spec.all_params().any(|param| !param.hidden) {
        page.push_str("\nPARAMETERS\n");
        let shown = spec.all_params().filter(|param| !param.hidden);
        shown.for_each(|param| push_parameter(&mut page, param, spec.requires(param), 2));
    }
    if let Some(text) = free_form(spec) {
        page.push_str("\nFREE TEXT\n");
        push_paragraph(&mut page, 2, text);
    }
    let rules = parameter_rules(spec);
    if !rules.is_empty() {
        page.push_str("\nRULES\n");
        rules.iter().for_each(|rule| push_paragraph(&mut page, 2, rule));
    }
    page.push_str("\nRETURNS\n");
    returned_values(spec).iter().for_each(|(key, about)| page.push_str(&format!("  {key:18} {about}\n")));
    if !spec.examples.is_empty() {
        page.push_str("\nEXAMPLES\n");
        for line in spec.examples.lines() {
            page.push_str(format!("  {line}").trim_end());
            page.push('\n');
        }
    }
    page
}

/// Describes in one sentence how a module behaves under `--check`.
pub fn check_support(support: CheckSupport) -> &'static str {
    match support {
        CheckSupport::Full => "predicts the result",
        CheckSupport::Partial => "predicts the result if it can, and otherwise reports that it would have run",
        CheckSupport::Asked => "predicts the result or is skipped: the module decides when it runs",
        CheckSupport::None => "is skipped",
    }
}

/// How text after the module's name is understood, where that is special.
pub fn free_form(spec: &Spec) -> Option<&'static str> {
    match spec.free_form {
        FreeForm::Pairs => None,
        FreeForm::Raw => {
            Some("The text after the module's name is taken as it is; only its own options are taken out.")
        }
        FreeForm::Mixed => Some("The text after the module's name may be `key=value` words, or one value."),
    }
}

/// Which parameters exclude or need each other.
pub fn parameter_rules(spec: &Spec) -> Vec<String> {
    let names = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let mut rules = Vec::new();
    rules.extend(spec.mutually_exclusive.iter().map(|group| format!("at most one of {}", names(group))));
    rules.extend(spec.required_one_of.iter().map(|group| format!("at least one of {}", names(group))));
    rules.extend(spec.required_together.iter().map(|group| format!("all or none of {}", names(group))));
    let needed = spec.required_if.iter();
    rules.extend(needed.map(|(name, value, needs)| format!("`{name}: {value}` needs {}", names(needs))));
    rules
}

/// Lists the facts about a parameter, each as a phrase.
pub fn parameter_facts(param: &Param) -> Vec<String> {
    let list = |words: &[&str]| words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let mut facts = Vec::new();
    if !param.aliases.is_empty() {
        facts.push(format!("also {}", list(param.aliases)));
    }
    if !param.required_in.is_empty() && !param.required {
        facts.push(format!("required for {}", list(param.required_in)));
    }
    if !param.only_in.is_empty() {
        facts.push(format!("used for {}", list(param.only_in)));
    }
    if let Some(default) = param.default {
        facts.push(format!("default `{}`", default.replace('\n', "\\n")));
    }
    if !param.choices.is_empty() {
        facts.push(format!("one of {}", list(param.choices)));
    }
    if !param.known_values.is_empty() {
        let word = if param.known_only { "one of" } else { "usually one of" };
        facts.push(format!("{word} {}", list(param.known_values)));
    }
    if let Some(variable) = param.env {
        facts.push(format!("environment `{variable}`"));
    }
    if param.replaces {
        facts.push("another value replaces the object".to_owned());
    }
    if param.secret {
        facts.push("never shown".to_owned());
    }
    facts
}

fn push_parameter(page: &mut String, param: &Param, is_required: bool, indent: usize) {
    let required = if is_required { ", required" } else { "" };
    page.push_str(&format!("{:indent$}{} ({}{required})\n", "", param.name, param.kind.describe_type()));
    push_paragraph(page, indent + 4, param.about);
    let facts = parameter_facts(param);
    if !facts.is_empty() {
        push_paragraph(page, indent + 4, &facts.join("; "));
    }
    param.member_params().iter().for_each(|row| push_parameter(page, row, row.required, indent + 4));
}

/// Adds a paragraph, wrapped at words.
pub fn push_paragraph(page: &mut String, indent: usize, text: &str) {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && indent + line.chars().count() + 1 + word.chars().count() > WIDTH {
            page.push_str(&format!("{:indent$}{line}\n", ""));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    page.push_str(&format!("{:indent$}{line}\n", ""));
}
