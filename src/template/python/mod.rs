//! What Python's standard library does for filters and tests, exactly: `re`, `random`, `strftime`, `posixpath`, ..
//!
//! Nothing here knows of templates beyond [`Fault`](super::error::TemplateError).

pub mod bytes;
pub mod charset;
pub mod coerce;
pub mod csv;
pub mod json;
pub mod number;
pub mod numeric;
pub mod path;
pub mod percent;
pub mod random;
pub mod regex;
pub mod regex_syntax;
pub mod set;
pub mod strftime;
pub mod strptime;
pub mod text;
pub mod url;
pub mod version;
