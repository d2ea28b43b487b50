//! `comment`: text as a comment of a configuration file.

use crate::template::budget;
use crate::template::error::TemplateError;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{integer_or, only_text, to_text};
use crate::template::python::text::replace_text;
use crate::value::Value;

/// The family.
pub const TABLE: &[FilterPlugin] = &[FilterPlugin::new("comment", comment, "Formats text as a comment.")];

/// A style: beginning, decoration of every line, prefix, postfix, end.
struct Style {
    name: &'static str,
    beginning: &'static str,
    decoration: &'static str,
    end: &'static str,
}

const STYLES: [Style; 5] = [
    Style { name: "plain", beginning: "", decoration: "# ", end: "" },
    Style { name: "erlang", beginning: "", decoration: "% ", end: "" },
    Style { name: "c", beginning: "", decoration: "// ", end: "" },
    Style { name: "cblock", beginning: "/*", decoration: " * ", end: " */" },
    Style { name: "xml", beginning: "<!--", decoration: " - ", end: "-->" },
];

const OPTIONS: [&str; 8] =
    ["beginning", "decoration", "end", "newline", "postfix", "postfix_count", "prefix", "prefix_count"];

fn comment(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let named = |name: &str| call.args.get_named(name);
    let known = |name: &str| name == "style" || OPTIONS.contains(&name);
    if let Some((name, _)) = call.args.named.iter().find(|(name, _)| !known(name)) {
        return Err(TemplateError::value(format!("has no parameter `{name}`")).suggest_name(name, OPTIONS));
    }
    let style_name =
        call.args.positional.first().or_else(|| named("style")).map_or_else(|| Ok("plain".to_owned()), to_text)?;
    let style = STYLES.iter().find(|style| style.name == style_name).ok_or_else(|| {
        let fault = TemplateError::value(format!("Invalid style '{style_name}'."));
        fault.suggest_name(&style_name, STYLES.iter().map(|style| style.name))
    })?;
    let option = |name: &str, default: &str| named(name).map_or_else(|| Ok(default.to_owned()), to_text);
    let decoration = option("decoration", style.decoration)?;
    let bare = decoration.trim_end();
    let (beginning, end) = (option("beginning", style.beginning)?, option("end", style.end)?);
    let newline = option("newline", "\n")?;
    let (prefix, postfix) = (option("prefix", bare)?, option("postfix", bare)?);
    let count = |name: &str| integer_or(named(name), 1).map(|count| usize::try_from(count).unwrap_or(0));
    let mut out = String::new();
    if !beginning.is_empty() {
        out.push_str(&format!("{beginning}{newline}"));
    }
    if !prefix.is_empty() {
        // A line break as the prefix is an empty line.
        let line = if prefix == newline { prefix } else { format!("{prefix}{newline}") };
        out.push_str(&budget::repeat_text(&line, count("prefix_count")?)?);
    }
    let body = replace_text(only_text(&call.input)?, &newline, &format!("{newline}{decoration}"), None)?;
    // Empty lines get the decoration without the blank at its end; the last line keeps it.
    let empty = format!("{decoration}{newline}");
    out.push_str(&replace_text(&format!("{decoration}{body}"), &empty, &format!("{bare}{newline}"), None)?);
    out.push_str(&budget::repeat_text(&format!("{newline}{postfix}"), count("postfix_count")?)?);
    if !end.is_empty() {
        out.push_str(&format!("{newline}{end}"));
    }
    Ok(Value::text(out))
}
