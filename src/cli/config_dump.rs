//! `--config-dump`: every setting, its value and where it comes from, as `ansible-config dump` prints them.

use super::output::{has_colours, print_messages, write_stdout};
use crate::exit::Exit;
use crate::settings::RunSettings;
use crate::value::{Value, python};

/// Prints the settings; only those that somebody has set if asked for.
pub fn print_settings(only_changed: bool) -> Exit {
    let settings = match RunSettings::load() {
        Ok(settings) => settings,
        Err(message) => return print_messages(&[message], has_colours(false), Exit::BadOptions),
    };
    if let Some(file) = &settings.file {
        write_stdout(&format!("CONFIG_FILE() = {}\n", file.display()));
    }
    for (name, value, origin) in settings.list_all() {
        if only_changed && origin.is_none() {
            continue;
        }
        let shown = match &value {
            Value::Str(text) => text.as_str().to_owned(),
            other => python::repr(other),
        };
        write_stdout(&format!("{name}({}) = {shown}\n", origin.unwrap_or("default")));
    }
    Exit::Success
}
