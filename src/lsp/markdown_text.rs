//! Reference text of names, in Markdown.

use crate::modules::Spec;
use crate::modules::spec::Param;
use crate::playbook::keyword;
use crate::reference::module::{parameter_facts, render_module};
use crate::reference::plugin::find_plugin;
use crate::reference::topic::{Topic, Topics, list_places};

/// Returns the page of a module.
pub fn describe_module(spec: &Spec) -> String {
    format!("**{}**\n\n```text\n{}```", spec.name, render_module(spec))
}

/// Returns the facts about a parameter.
pub fn describe_param(param: &Param) -> String {
    let required = if param.required { ", required" } else { "" };
    let facts = parameter_facts(param);
    let facts = if facts.is_empty() { String::new() } else { format!("\n\n{}", facts.join("; ")) };
    format!("**{}** ({}{required})\n\n{}{facts}", param.name, param.kind.describe_type(), param.about)
}

/// Returns the facts about a keyword.
pub fn describe_keyword(row: &keyword::Row) -> String {
    format!("**{}** (keyword)\n\n{}\n\nMay stand in {}.", row.name, row.about, list_places(row).join(", "))
}

/// Returns the facts about a filter, test, lookup or function; `None` for a name that nothing has.
pub fn describe_topic(topics: Topics, name: &str) -> Option<String> {
    let short = crate::template::plugin::short_name(name);
    let rows = topics.list_rows();
    let row: &Topic = rows.iter().find(|row| row.name == short)?;
    let params = topics.parameters_of(row.name);
    let arguments = if params.is_empty() { String::new() } else { format!("\n\nArguments: `{}`", params.join("`, `")) };
    let usage = topics.usage_of(row.name).replace('`', "");
    let example = find_plugin(topics.singular(), row.name).and_then(|plugin| plugin.example);
    let example = example.map_or_else(String::new, |example| {
        format!("\n\n```text\n{{{{ {} }}}}\n{}\n```", example.expression, example.result)
    });
    Some(format!(
        "**{}** ({})\n\n{}\n\n```text\n{usage}\n```{arguments}{example}",
        row.name,
        topics.singular(),
        row.about
    ))
}
