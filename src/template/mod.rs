//! Templates with Ansible's rules: native results, lazy variables, trust, undefined and unknown values.

mod api;
mod ast;
pub mod budget;
mod comparison;
mod dispatch;
pub mod engine;
#[cfg(test)]
mod engine_tests;
pub mod error;
mod eval;
pub mod filters;
mod free_names;
pub mod functions;
mod header;
mod index;
mod json_query;
mod lint;
mod locals;
pub mod lookups;
mod member;
mod methods;
mod mutation;
mod named_tuples;
mod network;
pub mod objects;
mod ops;
mod own_variables;
mod parse;
pub mod plugin;
mod preprocess;
pub mod python;
mod range;
pub mod registry;
mod render;
pub mod secret_variables;
mod sequence;
pub mod signature;
mod source_map;
mod taint;
pub mod tests;

pub use api::{ConditionVerdict, braces_warning, is_whole_template, object_to_mapping};
pub use engine::{Globals, LayeredScope, TemplateEngine, TemplateNotes, VariableScope};
pub use error::{TemplateError, TemplateErrorKind};
pub use header::{FILE_OPTIONS, FileOptions};
pub use own_variables::own_variables;
pub use plugin::{Context, FilterPlugin, Lookup, PluginArgs, PluginCall, Test};
