//! Modules of other collections that need nothing but files: `community.general`.

pub mod archive;
pub mod ini_file;
mod ini_text;
pub mod read_csv;
