//! Template files.

use super::call::{must_find, read, read_option, read_switch, require_text, warn_unknown_options};
use crate::template::error::{TemplateError, TemplateErrorKind};
use crate::template::plugin::{Lookup, PluginCall};
use crate::template::{FileOptions, own_variables};
use crate::value::Value;

/// `template`
pub const TABLE: &[Lookup] = &[Lookup::new("template", template, "Renders template files.")];

const OPTIONS: [&str; 8] = [
    "convert_data",
    "variable_start_string",
    "variable_end_string",
    "comment_start_string",
    "comment_end_string",
    "trim_blocks",
    "jinja2_native",
    "template_vars",
];

fn template(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &OPTIONS);
    call.args.positional.iter().map(|term| render_template(call, &require_text(call, term)?)).collect()
}

fn render_template(call: &PluginCall<'_>, name: &str) -> Result<Value, TemplateError> {
    let path = must_find(call, "templates", name)?;
    let Value::Str(content) = read(call, &path)? else { return Ok(Value::Null) };
    let mut options = FileOptions::default();
    for (name, _) in &call.args.named {
        match &**name {
            name if !OPTIONS.contains(&name) => {}
            "convert_data" | "jinja2_native" | "template_vars" => {}
            "trim_blocks" => options.set_option(name, &read_switch(call, name, false)?.into())?,
            _ => options.set_option(name, &read_option(call, name)?.map_or(Value::Null, Value::text))?,
        }
    }
    let mut vars = own_variables(call.context, name, &path, None);
    if let Some(more) = call.args.get_named("template_vars").and_then(Value::as_dict) {
        vars.extend(more.iter().map(|(name, value)| (crate::value::python::str(name), value.clone())));
    }
    let rendered = options.render_file(call.context, &path.display().to_string(), &content, vars);
    // Not a failure of the lookup, which `errors` would pass over.
    rendered.map_err(|fault| match fault.kind {
        TemplateErrorKind::Value | TemplateErrorKind::Lookup => {
            TemplateError { kind: TemplateErrorKind::Rendering, ..fault }
        }
        _ => fault,
    })
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
        assert_eq!(stage.run_to_json("template", r#"["t.j2"]"#, "{}").unwrap(), r#"["{{hello\n}}"]"#);
        let options = r#"{"variable_start_string": "[[", "variable_end_string": "]]"}"#;
        assert_eq!(stage.run_to_json("template", r#"["bare.j2"]"#, options).unwrap(), r#"["[[[[ n ]]]]"]"#);
        assert!(stage.run_to_json("template", r#"["none.j2"]"#, "{}").is_err());
    }
}
