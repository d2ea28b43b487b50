//! `ionplay doc`: the reference pages in the terminal, from the tables that the program itself works by.

mod entry;

use super::load;
use crate::diagnostic::{Diagnostic, render};
use crate::exit::Exit;
use crate::modules::{self, MODULES, Spec};
use crate::playbook::action::resolve_name;
use crate::reference::module;
use crate::reference::plugin::find_plugin;
use crate::reference::topic::{Topic, Topics};
use crate::suggest;
use entry::Entry;

/// Show the reference of modules, filters, tests, lookups, functions, keywords and meta actions
///
/// Without a name it lists the modules and the other topics. `ionplay doc registry_token` shows a module,
/// `ionplay doc filter` lists all filters, `ionplay doc filter combine` shows one.
#[derive(Debug, clap::Args)]
pub struct DocArgs {
    /// A module, or `filter`, `test`, `lookup`, `function`, `keyword` or `meta`, with or without a name
    #[arg(value_name = "NAME")]
    pub name: Vec<String>,
    /// Type of the names.
    #[arg(short = 't', long = "type", value_enum, value_name = "TYPE")]
    pub kind: Option<DocType>,
    /// List names with descriptions; default: modules.
    #[arg(short, long)]
    pub list: bool,
    /// Print a task template with all parameters of a module.
    #[arg(short, long, conflicts_with_all = ["json", "list"])]
    pub snippet: bool,
    /// Print JSON, in the format of `ansible-doc --json`.
    #[arg(short, long)]
    pub json: bool,
}

/// Types of entries, with the names of `ansible-doc -t`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[allow(missing_docs, reason = "each names itself")]
pub enum DocType {
    Module,
    Filter,
    Test,
    Lookup,
    Function,
    Keyword,
    Meta,
}

impl DocType {
    /// The table of it; nothing for modules.
    fn topics(self) -> Option<Topics> {
        match self {
            Self::Module => None,
            Self::Filter => Some(Topics::Filters),
            Self::Test => Some(Topics::Tests),
            Self::Lookup => Some(Topics::Lookups),
            Self::Function => Some(Topics::Functions),
            Self::Keyword => Some(Topics::Keywords),
            Self::Meta => Some(Topics::MetaActions),
        }
    }
}

/// Prints the requested entries.
pub fn print_doc(args: &DocArgs) -> Exit {
    match answer_query(args) {
        Ok(page) => {
            // A reader that has seen enough (`| head`) is not a failure.
            crate::cli::output::write_stdout(&page);
            Exit::Success
        }
        Err(diagnostic) => {
            crate::cli::output::write_stderr(&render::render_diagnostic(
                &diagnostic,
                crate::cli::output::has_colours(false),
            ));
            Exit::General
        }
    }
}

/// Returns the output for these options.
fn answer_query(args: &DocArgs) -> Result<String, Box<Diagnostic>> {
    let mut words: Vec<&str> = args.name.iter().map(String::as_str).collect();
    words.iter().for_each(|word| load::search_foreign_modules(word));
    if args.kind.is_none() && !args.list && !args.snippet && !args.json {
        return find_page(&words);
    }
    let mut topics = args.kind.map(DocType::topics);
    if let (None, Some(named)) = (topics, words.first().and_then(|word| Topics::from_name(word))) {
        topics = Some(Some(named));
        words.remove(0);
    }
    if args.list || words.is_empty() {
        let entries = entry::list_entries(topics.flatten());
        return Ok(if args.json { entry::names_json(&entries) } else { entry::names_text(&entries) });
    }
    let mut entries = Vec::new();
    for word in words {
        entries.push(find_entry(topics, word)?);
    }
    if args.json {
        return Ok(entry::entries_json(&entries));
    }
    let print = |entry: &Entry| if args.snippet { entry.render_snippet() } else { entry.render_page() };
    Ok(entries.iter().map(print).collect::<Vec<_>>().join("\n"))
}

/// Returns the entry of this name; of any type unless one is given.
fn find_entry(topics: Option<Option<Topics>>, name: &str) -> Result<Entry, Box<Diagnostic>> {
    load::search_foreign_modules(name);
    let short = name.strip_prefix("ansible.builtin.").unwrap_or(name);
    let in_table = |topics: Topics| {
        topics.list_rows().into_iter().find(|row| row.name == short).map(|row| Entry::Topic(topics, row))
    };
    let found = match topics {
        Some(Some(topics)) => in_table(topics),
        Some(None) => find_module(name).map(Entry::Module),
        None => find_module(name).map(Entry::Module).or_else(|| Topics::ALL.into_iter().find_map(in_table)),
    };
    match (found, topics) {
        (Some(entry), _) => Ok(entry),
        // In the words of the pages, with the nearest name.
        (None, Some(Some(topics))) => Err(find_topic(topics, name).err().unwrap_or_else(|| unknown(name))),
        (None, _) => Err(find_named(name).err().unwrap_or_else(|| unknown(name))),
    }
}

/// Finds a module by a name as tasks have it.
fn find_module(name: &str) -> Option<&'static Spec> {
    let module = modules::find_module(name).or_else(|| modules::find_module(&resolve_name(name)?))?;
    Some(module.module_spec())
}

fn unknown(name: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(format!("there is no module `{name}`")).hint("`ionplay doc -l` lists modules"))
}

/// Returns the page for these words.
///
/// # Errors
/// If there is no such entry; with the nearest name.
pub fn find_page(words: &[&str]) -> Result<String, Box<Diagnostic>> {
    match words {
        [] => Ok(list_contents()),
        [kind] if Topics::from_name(kind).is_some() => {
            Ok(list_topics(Topics::from_name(kind).unwrap_or(Topics::Filters)))
        }
        [name] => find_named(name),
        ["module", name] => find_named(name),
        [kind, name] => match Topics::from_name(kind) {
            Some(topics) => find_topic(topics, name),
            None => Err(Box::new(
                Diagnostic::error(format!("there is no type of entries `{kind}`"))
                    .suggest(kind, &Topics::ALL.map(Topics::singular)),
            )),
        },
        _ => Err(Box::new(Diagnostic::error("too many names").hint("ask for one thing at a time"))),
    }
}

/// Lists all topics.
fn list_contents() -> String {
    let mut page = String::from("MODULES\n");
    let width = MODULES.iter().map(|module| module.module_spec().name.len()).max().unwrap_or(0);
    for module in MODULES {
        let spec = module.module_spec();
        page.push_str(&format!("  {:width$}  {}\n", spec.name, spec.about));
    }
    page.push_str("\nOTHER TOPICS\n");
    for topics in Topics::ALL {
        let command = format!("ionplay doc {}", topics.singular());
        page.push_str(&format!("  {command:24} {} {}\n", topics.list_rows().len(), topics.plural()));
    }
    page
}

fn list_topics(topics: Topics) -> String {
    let rows = topics.list_rows();
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let mut page = String::new();
    let mut family = "";
    for row in &rows {
        if row.family != family {
            family = row.family;
            page.push_str(&format!("{}{}\n", if page.is_empty() { "" } else { "\n" }, family.to_uppercase()));
        }
        page.push_str(&format!("  {:width$}  {}\n", row.name, row.about));
    }
    page
}

/// Returns the page of the module, or of another entry with this name.
fn find_named(name: &str) -> Result<String, Box<Diagnostic>> {
    if let Some(spec) = find_module(name) {
        return Ok(module::render_module(spec));
    }
    let found: Vec<String> = Topics::ALL.into_iter().filter_map(|topics| find_topic(topics, name).ok()).collect();
    if !found.is_empty() {
        return Ok(found.join("\n"));
    }
    let mut names: Vec<&str> =
        MODULES.iter().flat_map(|m| [m.module_spec().short_name(), m.module_spec().name]).collect();
    names.extend(Topics::ALL.iter().flat_map(|topics| topics.list_rows()).map(|row| row.name));
    names.extend(Topics::ALL.map(Topics::singular));
    Err(Box::new(
        unknown_name(&format!("there is no entry `{name}`"), name, &names).hint("`ionplay doc` lists what there is"),
    ))
}

fn find_topic(topics: Topics, name: &str) -> Result<String, Box<Diagnostic>> {
    let rows = topics.list_rows();
    let short = name.strip_prefix("ansible.builtin.").unwrap_or(name);
    match rows.iter().find(|row| row.name == short) {
        Some(row) => Ok(describe_topic(topics, row)),
        None => {
            let names: Vec<&str> = rows.iter().map(|row| row.name).collect();
            Err(Box::new(unknown_name(&format!("there is no {} `{name}`", topics.singular()), name, &names)))
        }
    }
}

fn describe_topic(topics: Topics, row: &Topic) -> String {
    let parameters = topics.parameters_of(row.name);
    let mut page = format!("{} {}\n  {}\n\n  {}\n", topics.singular(), row.name, row.about, topics.usage_of(row.name));
    if !parameters.is_empty() {
        page.push_str("\nARGUMENTS\n");
        module::push_paragraph(&mut page, 2, &parameters.join(", "));
    }
    if let Some(example) = find_plugin(topics.singular(), row.name).and_then(|plugin| plugin.example) {
        page.push_str(&format!("\nEXAMPLE\n  {{{{ {} }}}}\n  {}\n", example.expression, example.result));
    }
    page
}

fn unknown_name(summary: &str, wanted: &str, names: &[&str]) -> Diagnostic {
    match suggest::find_several(wanted, names.iter(), 3).as_slice() {
        [] => Diagnostic::error(summary),
        near => {
            let near = near.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ");
            Diagnostic::error(summary).hint(format!("did you mean {near}?"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_has_a_page() {
        for module in MODULES {
            let page = find_page(&[module.module_spec().short_name()]).unwrap();
            assert!(page.starts_with(module.module_spec().name), "{page}");
            for param in module.module_spec().all_params().filter(|param| !param.hidden) {
                assert!(
                    page.contains(&format!("\n  {} ", param.name)),
                    "{} lacks {}",
                    module.module_spec().name,
                    param.name
                );
            }
        }
    }

    #[test]
    fn filters_are_listed_and_shown() {
        assert!(find_page(&["filter"]).unwrap().contains("\n  combine "));
        assert!(find_page(&["filter", "combine"]).unwrap().contains("{{ value | combine }}"));
        assert!(find_page(&["combine"]).unwrap().starts_with("filter combine\n"));
        assert!(find_page(&["version"]).unwrap().starts_with("test version\n"));
    }

    #[test]
    fn filters_name_their_arguments() {
        let page = find_page(&["filter", "to_nice_json"]).unwrap();
        assert!(
            find_page(&["filter", "regex_replace"]).unwrap().contains("ARGUMENTS\n  pattern='', replacement=''"),
            "{page}"
        );
    }

    #[test]
    fn typos_get_a_suggestion() {
        let hints = |words: &[&str]| find_page(words).unwrap_err().hints.join(" ");
        assert!(hints(&["registry_tokn"]).contains("`registry_token`"));
        assert!(hints(&["filter", "combin"]).contains("`combine`"));
        assert!(hints(&["filtr", "combine"]).contains("`filter`"));
    }
}
