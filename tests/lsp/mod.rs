//! The language server, asked by a scripted client over its standard streams and by a real editor.

mod client;
mod editor;
mod features;
mod protocol;
mod writing;
