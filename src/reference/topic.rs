//! What the language has besides modules, by the tables of the rooms that know.

use super::plugin::find_plugin;
use crate::executor;
use crate::playbook::keyword::{self, KeywordPlace, Row};
use crate::template::{filters, functions, lookups, registry, signature, tests};

/// A sort of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topics {
    /// Filters.
    Filters,
    /// Tests.
    Tests,
    /// Lookups.
    Lookups,
    /// Functions of templates.
    Functions,
    /// Keywords of plays, blocks and tasks.
    Keywords,
    /// Actions of `meta`.
    MetaActions,
}

/// One thing.
#[derive(Debug, Clone, Copy)]
pub struct Topic {
    /// Name of the entry.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// Group that the entry belongs to.
    pub family: &'static str,
}

impl Topics {
    /// All sorts.
    pub const ALL: [Self; 6] =
        [Self::Filters, Self::Tests, Self::Lookups, Self::Functions, Self::Keywords, Self::MetaActions];

    /// The sort of this name, in the singular or the plural.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topics| topics.singular() == name || topics.plural() == name)
    }

    /// Returns the singular word for the command line.
    pub fn singular(self) -> &'static str {
        match self {
            Self::Filters => "filter",
            Self::Tests => "test",
            Self::Lookups => "lookup",
            Self::Functions => "function",
            Self::Keywords => "keyword",
            Self::MetaActions => "meta",
        }
    }

    /// Returns the plural word for the command line.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Filters => "filters",
            Self::Tests => "tests",
            Self::Lookups => "lookups",
            Self::Functions => "functions",
            Self::Keywords => "keywords",
            Self::MetaActions => "meta actions",
        }
    }

    /// All of them, family by family.
    pub fn list_rows(self) -> Vec<Topic> {
        let topic = |name, about, family| Topic { name, about, family };
        match self {
            Self::Filters => filters::FAMILIES
                .iter()
                .flat_map(|(family, rows)| rows.iter().map(|row| topic(row.name, row.about, *family)))
                .collect(),
            Self::Tests => tests::FAMILIES
                .iter()
                .flat_map(|(family, rows)| rows.iter().map(|row| topic(row.name, row.about, *family)))
                .collect(),
            Self::Lookups => {
                let mut rows: Vec<_> =
                    lookups::all_lookups().map(|row| topic(row.name, row.about, "Lookups")).collect();
                rows.sort_unstable_by_key(|row| row.name);
                rows
            }
            Self::Functions => functions::ABOUT.iter().map(|(name, about)| topic(*name, *about, "Functions")).collect(),
            Self::Keywords => {
                keyword::TABLE.iter().map(|row| topic(row.name, row.about, allowed_places(row))).collect()
            }
            Self::MetaActions => {
                executor::META_ACTIONS.iter().map(|(name, about)| topic(*name, *about, "Meta actions")).collect()
            }
        }
    }

    /// How one is written.
    pub fn usage_of(self, name: &str) -> String {
        match self {
            Self::Filters => format!("{{{{ value | {name} }}}}"),
            Self::Tests => format!("{{{{ value is {name} }}}}"),
            Self::Lookups => format!("{{{{ lookup('{name}', ..) }}}}, or `with_{name}` at a task"),
            Self::Functions => format!("{{{{ {name}(..) }}}}"),
            Self::Keywords => match keyword::TABLE.iter().find(|row| row.name == name) {
                Some(row) => format!("allowed in {}", list_places(row).join(", ")),
                None => String::new(),
            },
            Self::MetaActions => format!("- meta: {name}"),
        }
    }
}

impl Topics {
    /// The parameters of a filter or test in their order, or the options of a lookup, with defaults where there are any
    /// (`width=79`); of others nothing is known.
    pub fn parameters_of(self, name: &str) -> Vec<String> {
        match find_plugin(self.singular(), name) {
            Some(row) => row.arguments.into_iter().map(str::to_owned).collect(),
            None => self.bound_parameters(name),
        }
    }

    /// The parameters as the plugin itself binds them; nothing of one that takes any.
    pub(super) fn bound_parameters(self, name: &str) -> Vec<String> {
        let found = match self {
            Self::Filters => registry::find_filter(name).map(signature::list_parameters),
            Self::Tests => registry::find_test(name).map(signature::list_test_parameters),
            Self::Lookups => registry::find_lookup(name).map(signature::list_options),
            Self::Functions | Self::Keywords | Self::MetaActions => None,
        };
        found.unwrap_or_default()
    }
}

/// Where a keyword may stand, in words.
pub fn list_places(row: &Row) -> Vec<&'static str> {
    let places =
        [KeywordPlace::Play, KeywordPlace::Block, KeywordPlace::Task, KeywordPlace::Handler, KeywordPlace::Include];
    places.into_iter().filter(|place| row.is_allowed(*place)).map(KeywordPlace::label).collect()
}

fn allowed_places(row: &Row) -> &'static str {
    match (row.is_allowed(KeywordPlace::Play), row.is_allowed(KeywordPlace::Block), row.is_allowed(KeywordPlace::Task))
    {
        (true, true, true) => "Plays, blocks and tasks",
        (true, ..) => "Plays",
        (false, true, true) => "Blocks and tasks",
        (false, true, false) => "Blocks",
        (false, false, true) => "Tasks",
        (false, false, false) => "Handlers",
    }
}
