//! Arguments and an example of each filter, test and lookup.
//!
//! They stand in `plugins.tsv` beside this file, for people to read and to add to; tests compare them with the program.

/// Lines of five fields between tabs: type, name, arguments with their defaults, expression, and its result as JSON.
const TABLE: &str = include_str!("plugins.tsv");

/// The facts of the table about a plugin.
#[derive(Debug, Clone)]
pub struct PluginRow {
    /// Arguments in their order: `name`, `name=default`, `*names` for any number, `**names` for any named ones.
    pub arguments: Vec<&'static str>,
    /// An expression with its result.
    pub example: Option<PluginExample>,
}

/// An expression with its result.
#[derive(Debug, Clone, Copy)]
pub struct PluginExample {
    /// Expression, without braces.
    pub expression: &'static str,
    /// Result, as JSON.
    pub result: &'static str,
}

/// Returns the row of a plugin; `kind` is `filter`, `test` or `lookup`.
pub fn find_plugin(kind: &str, name: &str) -> Option<PluginRow> {
    TABLE.lines().find_map(|line| {
        let mut fields = line.split('\t');
        let is_wanted = fields.next() == Some(kind) && fields.next() == Some(name);
        let (arguments, expression, result) = (fields.next()?, fields.next()?, fields.next()?);
        is_wanted.then(|| PluginRow {
            arguments: arguments.split("; ").filter(|argument| !argument.is_empty()).collect(),
            example: (!expression.is_empty()).then_some(PluginExample { expression, result }),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::topic::Topics;

    #[test]
    fn arguments_are_those_that_plugins_bind() {
        for topics in [Topics::Filters, Topics::Tests, Topics::Lookups] {
            for row in topics.list_rows().iter().filter(|row| !row.name.starts_with("ansible._")) {
                let found = find_plugin(topics.singular(), row.name);
                let found =
                    found.unwrap_or_else(|| panic!("the {} `{}` is not in the table", topics.singular(), row.name));
                let named: Vec<&str> =
                    found.arguments.iter().filter_map(|argument| argument.split('=').next()).collect();
                for bound in topics.bound_parameters(row.name) {
                    assert!(named.contains(&bound.as_str()), "{} of `{}`: {named:?}", bound, row.name);
                }
            }
        }
    }
}
