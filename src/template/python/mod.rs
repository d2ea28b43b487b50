//! What Python's standard library does for filters and tests, exactly: `re`, `random`, `strftime`, `posixpath`, ..
//!
//! Nothing here knows of templates beyond [`Fault`](super::fault::Fault).

pub mod coerce;
pub mod random;
pub mod regex;
pub mod regex_syntax;
pub mod text;
