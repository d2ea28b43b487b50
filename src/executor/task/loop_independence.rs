//! Whether the items of a loop can run side by side: none of them may depend on what another one does.
//!
//! This looks at the words of the task's templates, and of the variables that they use. A word too many costs time only.

use std::collections::HashSet;

use super::TaskRun;
use super::conditional::find_conditions;
use super::loops::LoopControl;
use crate::executor::strategy::step_hosts::read_throttle;
use crate::executor::variables::magic::MAGIC;
use crate::executor::variables::scope::TaskScope;
use crate::modules;
use crate::playbook::{Keyword, LoadResult};
use crate::template::VariableScope as _;
use crate::value::Value;
use crate::yaml::YamlNode;

/// Keywords that are evaluated when an item has ended, with its own result, or that are not templates.
const NOT_BEFORE: &[Keyword] = &[
    Keyword::ChangedWhen,
    Keyword::FailedWhen,
    Keyword::Register,
    Keyword::Tags,
    Keyword::LoopControl,
    Keyword::Listen,
];

/// Lookups that read nothing which a registry module writes.
const HARMLESS_LOOKUPS: &[&str] =
    &["config", "dict", "env", "flattened", "indexed_items", "items", "list", "nested", "sequence", "together"];

impl TaskRun<'_> {
    /// Returns how many items of the loop may run at once.
    ///
    /// # Errors
    /// If `throttle` is not a number: that ends the run.
    pub(in crate::executor) fn loop_width(
        &self,
        control: &LoopControl,
        items: &[Value],
        scope: &TaskScope,
    ) -> LoadResult<usize> {
        let width = self.run.options.parallel.min(items.len());
        if width < 2 || !self.is_parallel_action() || self.is_told_in_order(control) {
            return Ok(1);
        }
        let width = match read_throttle(&self.host_task())? {
            Some(most) => most.min(width),
            None => width,
        };
        let depends =
            items.iter().any(Value::holds_template) || self.depends_on_itself(scope) || may_omit_label(control, scope);
        Ok(if depends { 1 } else { width })
    }

    /// Whether the module talks to the service, for real and under this process's eyes only.
    fn is_parallel_action(&self) -> bool {
        let module = modules::find_module(&self.task.action.full);
        module.is_some_and(|module| module.module_spec().is_of_registry())
            && !self.run.options.check
            && self.run.registries.may_run_in_parallel()
    }

    /// Whether the user wants one item after the other, or keywords make it unclear what belongs to which.
    fn is_told_in_order(&self, control: &LoopControl) -> bool {
        let has = |keyword: &Keyword| self.task.find_keyword(*keyword).is_some();
        let is_template =
            |keyword: &Keyword| self.task.find_keyword(*keyword).is_some_and(|node| node.to_value().holds_template());
        !control.pause.is_zero()
            || control.break_when.is_some()
            || find_conditions(self.task, Keyword::Until).is_some()
            || [Keyword::Retries, Keyword::Async, Keyword::CheckMode].iter().any(has)
            || [Keyword::DelegateTo, Keyword::RunOnce].iter().any(is_template)
    }

    /// Whether a template of the task sees the results of earlier items, or what they have written.
    fn depends_on_itself(&self, scope: &TaskScope) -> bool {
        let mut words = TemplateWords::default();
        let args = &self.task.args;
        args.values.iter().for_each(|(key, value)| [key, value].iter().for_each(|part| words.add_value(part)));
        args.template.iter().for_each(|template| words.add_value(template));
        let around = self.task.frame.chain().flat_map(|frame| frame.keywords.iter());
        for (keyword, node) in self.task.keywords.iter().chain(around) {
            if !NOT_BEFORE.contains(&keyword) {
                words.add_node(node);
            }
        }
        words.add_variables(scope);
        let sees_result = |name: &str| words.seen.contains(name) || words.seen.contains("vars");
        words.has_lookup || self.task.register.as_deref().is_some_and(sees_result)
    }
}

/// Whether the label of an item may be `omit`, which ends the loop at that item.
fn may_omit_label(control: &LoopControl, scope: &TaskScope) -> bool {
    let mut words = TemplateWords::default();
    control.label.iter().for_each(|label| words.add_value(label));
    words.add_variables(scope);
    words.seen.contains("omit")
}

/// Words of templates.
#[derive(Default)]
struct TemplateWords {
    seen: HashSet<String>,
    unseen: Vec<String>,
    /// A lookup may read what an item writes.
    has_lookup: bool,
}

impl TemplateWords {
    /// Adds the words of the variables that are named so far, and of those that they name.
    fn add_variables(&mut self, scope: &TaskScope) {
        while let Some(word) = self.unseen.pop() {
            if MAGIC.contains(&word.as_str()) || matches!(word.as_str(), "hostvars" | "vars" | "omit") {
                continue;
            }
            // A condition may be the text of a variable, without braces.
            let may_refer = |value: &Value| matches!(value, Value::Str(_)) || value.holds_template();
            if let Some(value) = scope.get(&word).filter(may_refer) {
                self.add_value(&value);
            }
        }
    }

    fn add_node(&mut self, node: &YamlNode) {
        self.add_value(&node.to_value());
    }

    fn add_value(&mut self, value: &Value) {
        match value.below_taint() {
            Value::Str(text) => self.add_text(text.as_str()),
            Value::List(items) | Value::Tuple(items) => items.iter().for_each(|item| self.add_value(item)),
            Value::Dict(dict) => dict.iter().for_each(|(key, value)| {
                self.add_value(key);
                self.add_value(value);
            }),
            _ => {}
        }
    }

    fn add_text(&mut self, text: &str) {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let mut rest = text;
        while let Some(start) = rest.find(is_word) {
            let word_on = &rest[start..];
            let end = word_on.find(|c| !is_word(c)).unwrap_or(word_on.len());
            let (word, after) = word_on.split_at(end);
            if matches!(word, "lookup" | "query" | "q") && !is_harmless_lookup(after) {
                self.has_lookup = true;
            }
            if self.seen.insert(word.to_owned()) {
                self.unseen.push(word.to_owned());
            }
            rest = after;
        }
    }
}

/// Whether a call of a lookup names one that reads nothing which changes; `after` is what follows the word.
fn is_harmless_lookup(after: &str) -> bool {
    let Some(arguments) = after.trim_start().strip_prefix('(') else { return !after.trim_start().starts_with('|') };
    let arguments = arguments.trim_start();
    let Some(quote) = arguments.chars().next().filter(|c| matches!(c, '\'' | '"')) else { return false };
    let name = arguments[1..].split(quote).next().unwrap_or_default();
    HARMLESS_LOOKUPS.contains(&name.rsplit('.').next().unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> TemplateWords {
        let mut words = TemplateWords::default();
        words.add_value(&Value::text(text));
        words
    }

    #[test]
    fn words_of_templates_are_found() {
        let found = words("{{ item.name ~ made['x'] | default(omit) }}");
        assert!(["item", "made", "name"].iter().all(|word| found.seen.contains(*word)) && !found.has_lookup);
    }

    #[test]
    fn lookups_that_read_what_may_change_are_found() {
        assert!(words("{{ lookup('pipe', 'date') }}").has_lookup);
        assert!(words("{{ query(name) }}").has_lookup);
        assert!(!words("{{ lookup( 'ansible.builtin.env', 'HOME') }}").has_lookup);
        assert!(!words("a query about q").has_lookup);
    }
}
