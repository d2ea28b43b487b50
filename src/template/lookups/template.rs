//! Template files.

use std::time::UNIX_EPOCH;

use super::call::{known, must_find, option, read, switch, text};
use crate::source::Source;
use crate::template::call::{Call, Lookup, RenderOptions};
use crate::template::fault::Fault;
use crate::value::{Text, Value};

/// `template`
pub const TABLE: &[Lookup] = &[Lookup::new("template", template, "What template files give.")];

const OPTIONS: [&str; 12] = [
    "convert_data",
    "variable_start_string",
    "variable_end_string",
    "block_start_string",
    "block_end_string",
    "comment_start_string",
    "comment_end_string",
    "trim_blocks",
    "lstrip_blocks",
    "jinja2_native",
    "template_vars",
    "wantlist",
];

fn template(call: &Call<'_>) -> Result<Vec<Value>, Fault> {
    known(call, &OPTIONS)?;
    call.args.positional.iter().map(|term| one(call, &text(call, term)?)).collect()
}

fn one(call: &Call<'_>, name: &str) -> Result<Value, Fault> {
    let path = must_find(call, "templates", name)?;
    let Value::Str(content) = read(call, &path)? else { return Ok(Value::Null) };
    let defaults = RenderOptions::default();
    let pair = |kind: &str, (open, close): (String, String)| -> Result<(String, String), Fault> {
        let open = option(call, &format!("{kind}_start_string"))?.unwrap_or(open);
        let close = option(call, &format!("{kind}_end_string"))?.unwrap_or(close);
        Ok((open, close))
    };
    let mut vars = vec![
        ("template_path".to_owned(), Value::text(name)),
        ("template_fullpath".to_owned(), Value::text(path.display().to_string())),
        ("ansible_managed".to_owned(), Value::text("Ansible managed")),
    ];
    if let Ok(age) = path.metadata().and_then(|about| about.modified())
        && let Ok(age) = age.duration_since(UNIX_EPOCH)
    {
        vars.push(("template_mtime".to_owned(), Value::from(age.as_secs())));
    }
    if let Some(more) = call.args.named("template_vars").and_then(Value::as_dict) {
        vars.extend(more.iter().map(|(name, value)| (crate::value::python::str(name), value.clone())));
    }
    let options = RenderOptions {
        vars,
        block: pair("block", defaults.block)?,
        variable: pair("variable", defaults.variable)?,
        comment: pair("comment", defaults.comment)?,
        trim_blocks: switch(call, "trim_blocks", true)?,
        lstrip_blocks: switch(call, "lstrip_blocks", false)?,
        keep_trailing_newline: true,
        escape_backslashes: false,
        native: true,
    };
    // The last line break is set aside, so that a file of one expression is one expression.
    let body = content.strip_suffix('\n').unwrap_or(&content);
    let source = Source::new(path.display().to_string(), body);
    let written = Text::written(body, source.span(0..body.len()));
    match call.context.render(&written, &options)? {
        Value::Str(text) if body.len() < content.len() => {
            let whole = format!("{}\n", text.as_str());
            Ok(if text.is_secret() { Value::secret(whole) } else { Value::text(whole) })
        }
        Value::Null if body.len() < content.len() => Ok(Value::text("\n")),
        other => Ok(other),
    }
}

#[cfg(test)]
mod tests {
    use crate::template::lookups::stage::Stage;

    #[test]
    fn files_are_rendered_with_their_options() {
        let stage = Stage::default();
        stage.write("templates/t.j2", "hello\n");
        stage.write("bare.j2", "[[ n ]]");
        // The stage shows the text between the delimiters of variables.
        assert_eq!(stage.json("template", r#"["t.j2"]"#, "{}").unwrap(), r#"["{{hello}}\n"]"#);
        let options = r#"{"variable_start_string": "[[", "variable_end_string": "]]"}"#;
        assert_eq!(stage.json("template", r#"["bare.j2"]"#, options).unwrap(), r#"["[[[[ n ]]]]"]"#);
        assert!(stage.json("template", r#"["none.j2"]"#, "{}").is_err());
    }
}
