//! The reference pages of `docs/` that are made from the tables: one page for each module, and the language.
//!
//! A test compares them with the files and, when asked to, writes them. The parts that a person wrote are in
//! `docs/language.head.md`.

use std::fmt::Write as _;

use clap::CommandFactory;

use super::Cli;
use crate::modules::spec::{FreeForm, Param};
use crate::modules::{MODULES, Spec};
use crate::playbook::keyword::{self, Inherit};
use crate::reference::module;
use crate::reference::topic::{Topics, list_places};

/// Stands at the head of every page.
const MADE: &str =
    "<!-- Made from the tables of the program; `UPDATE_DOCS=1 cargo test --test main docs` renews it. -->\n\n";

/// All pages: the file below `docs/`, and its text. `head` is the part of the language page that a person wrote.
pub fn render_pages(head: &str) -> Vec<(String, String)> {
    let mut pages =
        vec![("language.md".to_owned(), render_language(head)), ("modules/README.md".to_owned(), render_modules())];
    for module in MODULES {
        pages.push((file_of(module.module_spec()), module_page(module.module_spec())));
    }
    pages
}

fn file_of(spec: &Spec) -> String {
    format!("modules/{}.md", spec.short_name())
}

/// The list of modules.
fn render_modules() -> String {
    let mut page = format!("{MADE}# Modules\n\n`ionplay doc NAME` shows these pages in the terminal.\n\n");
    let (builtin, others): (Vec<&Spec>, Vec<&Spec>) =
        MODULES.iter().map(|module| module.module_spec()).partition(|spec| spec.name.starts_with("ansible.builtin."));
    for (title, specs) in [("Container registries", others), ("Builtin", builtin)] {
        let _ = writeln!(page, "## {title}\n\n| module | description |\n| --- | --- |");
        for spec in specs {
            let _ =
                writeln!(page, "| [`{}`]({}.md) | {} |", spec.short_name(), spec.short_name(), escape_cell(spec.about));
        }
        page.push('\n');
    }
    page.trim_end().to_owned() + "\n"
}

/// The page of a module.
fn module_page(spec: &Spec) -> String {
    let mut page = format!("{MADE}# {}\n\n`{}`. {}\n", spec.short_name(), spec.name, end_sentence(spec.about));
    if let [first, others @ ..] = spec.states {
        let others = others.iter().map(|state| format!(", `{state}`")).collect::<String>();
        let _ = writeln!(page, "\nStates: `{first}` (default){others}.");
    }
    let _ = writeln!(page, "\nUnder `--check` it {}.", module::check_support(spec.check));
    if let Some(text) = module::free_form(spec) {
        let _ = writeln!(page, "\n{text}");
    }
    let shown: Vec<&Param> = spec.all_params().filter(|param| !param.hidden).collect();
    if !shown.is_empty() {
        page.push_str("\n## Parameters\n\n| parameter | type | description |\n| --- | --- | --- |\n");
        shown.iter().for_each(|param| render_row(&mut page, param, spec.requires(param), ""));
    }
    let rules = module::parameter_rules(spec);
    if !rules.is_empty() {
        page.push_str("\nTogether:\n\n");
        rules.iter().for_each(|rule| page.push_str(&format!("- {rule}\n")));
    }
    if spec.states.len() > 1 {
        render_states(&mut page, spec);
    }
    page.push_str("\n## Returned\n\n| key | description |\n| --- | --- |\n");
    for (key, about) in module::returned_values(spec) {
        let _ = writeln!(page, "| `{key}` | {} |", escape_cell(&about));
    }
    if !spec.examples.is_empty() {
        let _ = write!(page, "\n## Examples\n\n```yaml\n{}```\n", spec.examples);
    }
    page
}

/// Which parameter is required, or used at all, in which state.
fn render_states(page: &mut String, spec: &Spec) {
    let own: Vec<&Param> =
        spec.all_params().filter(|param| !param.required_in.is_empty() || !param.only_in.is_empty()).collect();
    let heads = spec.states.iter().map(|state| format!(" `{state}` |")).collect::<String>();
    let rule = "| --- ".repeat(spec.states.len() + 1);
    let _ = write!(page, "\n## By state\n\n| parameter |{heads}\n{rule}|\n");
    for param in own {
        let _ = write!(page, "| `{}` |", param.name);
        for state in spec.states {
            let word = if param.is_required_in(state) {
                "required"
            } else if param.only_in.is_empty() || param.only_in.contains(state) {
                "optional"
            } else {
                ""
            };
            let _ = write!(page, " {word} |");
        }
        page.push('\n');
    }
}

fn render_row(page: &mut String, param: &Param, is_required: bool, prefix: &str) {
    let required = if is_required { "<br>required" } else { "" };
    let facts = module::parameter_facts(param).join("; ");
    let facts = if facts.is_empty() { facts } else { format!("<br>{facts}") };
    let about = escape_cell(&end_sentence(param.about));
    let name = format!("{prefix}{}", param.name);
    let _ = writeln!(page, "| `{name}` | {}{required} | {about}{} |", param.kind.describe_type(), escape_cell(&facts));
    param.member_params().iter().for_each(|inner| render_row(page, inner, inner.required, &format!("{name}.")));
}

/// The page of the language.
fn render_language(head: &str) -> String {
    let mut page = format!("{MADE}{head}\n\n");
    render_keywords(&mut page);
    for topics in Topics::ALL.into_iter().filter(|topics| *topics != Topics::Keywords) {
        let rows = topics.list_rows();
        let mut title = topics.plural().to_owned();
        title[..1].make_ascii_uppercase();
        let _ = writeln!(page, "## {title}\n\n{} of them; `ionplay doc {}` lists them.", rows.len(), topics.singular());
        let families = rows.iter().any(|row| row.family != rows[0].family);
        let mut family = "";
        for row in &rows {
            if row.family != family {
                family = row.family;
                let heading = if families { format!("\n### {family}\n") } else { String::new() };
                let _ = writeln!(page, "{heading}\n| {} | description |\n| --- | --- |", topics.singular());
            }
            let _ = writeln!(page, "| `{}` | {} |", row.name, escape_cell(row.about));
        }
        page.push('\n');
    }
    let _ = writeln!(page, "## Modules\n\n| module | under `--check` | free text |\n| --- | --- | --- |");
    for module in MODULES {
        let spec = module.module_spec();
        let free = if spec.free_form == FreeForm::Pairs { "" } else { "yes" };
        let link = format!("[`{}`]({})", spec.short_name(), file_of(spec));
        let _ = writeln!(page, "| {link} | {} | {free} |", module::check_support(spec.check));
    }
    command_line(&mut page);
    page
}

fn render_keywords(page: &mut String) {
    page.push_str("## Keywords\n\n| keyword | allowed in | inherited | description |\n| --- | --- | --- | --- |\n");
    for row in keyword::TABLE {
        let inherited = match row.inherit {
            Inherit::No => "",
            Inherit::Nearest => "the innermost value",
            Inherit::Extend => "all values combined",
        };
        let places = list_places(row).join(", ");
        let _ = writeln!(page, "| `{}` | {places} | {inherited} | {} |", row.name, escape_cell(row.about));
    }
    page.push('\n');
}

fn command_line(page: &mut String) {
    let cli = Cli::command();
    page.push_str("\n## Command line\n\n");
    for command in cli.get_subcommands().filter(|command| !command.is_hide_set()) {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(page, "- `ionplay {}`: {}", command.get_name(), escape_cell(&about));
    }
    page.push_str("\n| option | description |\n| --- | --- |\n");
    for option in cli.get_arguments().filter(|option| !option.is_hide_set() && !option.is_positional()) {
        let long = option.get_long().map(|long| format!("--{long}"));
        let short = option.get_short().map(|short| format!("-{short}"));
        let spelled = short.into_iter().chain(long).collect::<Vec<_>>().join(", ");
        let takes = option.get_action().takes_values();
        let value = option.get_value_names().filter(|_| takes).map(|names| format!(" {}", names.join(" ")));
        let about = option.get_help().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(page, "| `{spelled}{}` | {} |", value.unwrap_or_default(), escape_cell(&about));
    }
}

/// As a cell of a table.
fn escape_cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|").replace("<known", "&lt;known")
}

/// With a full stop.
fn end_sentence(text: &str) -> String {
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}
