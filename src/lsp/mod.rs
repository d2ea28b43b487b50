//! The language server of `ionplay lsp`: help while writing, over the tables that the program itself works by.
//!
//! The loop in [`server`] reads requests one after the other; each capability is one file and a pure function of the open
//! texts ([`document`]). They work on an [`outline`] by lines, because a text that is being typed is rarely valid YAML.
//! Messages are those of `ionplay lint`: the command line hands in what checks a text, so that the server itself runs
//! nothing, opens no vault and sends no request.

mod check_timer;
mod choice;
mod code_action;
mod completion;
mod completion_template;
mod completion_value;
mod definition;
mod diagnostics;
pub mod document;
mod expression;
mod flow;
mod folding;
mod hover;
mod inlay;
mod markdown_text;
pub mod names;
pub mod outline;
mod outline_reader;
mod place;
mod position;
mod rename;
pub mod server;
mod signature_help;
pub mod structure;
mod symbol;
mod symbol_at;

pub use diagnostics::{CheckRequest, CheckText, CheckedText};
pub use server::serve;
