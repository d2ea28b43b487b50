//! `debug`: shows a text or a value.

use crate::modules::spec::{Param, ParamKind, ResultDisplay};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::value::{Dict, Text, Value};

static SPEC: Spec = Spec {
    mutually_exclusive: &[&["msg", "var"]],
    ..Spec::new("ansible.builtin.debug", "Prints a message or a value.")
        .examples(include_str!("examples/debug.yml"))
        .on_controller()
        .breaks_off()
        .shown(ResultDisplay::Always)
        .params(&[&[
            Param::new("msg", ParamKind::Raw, "Message to print.").default("Hello world!"),
            Param::new("var", ParamKind::Raw, "Expression to evaluate and print.").expression(),
            Param::int("verbosity", "Print only with at least this many `-v`.").default("0"),
        ]])
        .may_be_unknown(&["msg", "var"])
};

/// The module.
pub struct Debug;

impl TaskModule for Debug {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move { show_debug(args, context) })
    }
}

fn show_debug(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<ModuleOutcome, Failure> {
    if args.int("verbosity").unwrap_or(0) > i64::from(context.verbosity) {
        let skipped = ModuleOutcome { skipped: true, ..ModuleOutcome::default() };
        return Ok(skipped.with("skipped_reason", "Verbosity threshold not met."));
    }
    let Some(given) = args.get("var").filter(|var| var.is_true()) else {
        let message = args.values().get("msg").cloned().unwrap_or_else(|| "Hello world!".into());
        return Ok(ModuleOutcome::default().with("msg", message));
    };
    let Value::Str(expression) = given else {
        let is = given.type_name();
        let message = format!(
            "argument 'var' is of type {is}: it is not a string and conversion is not allowed; write an expression"
        );
        return Err(Failure::new(message));
    };
    let value = context.template.expression_to_show(&restore_origin(expression, context))?;
    let mut errors = Vec::new();
    let value = mark_undefined(&value, &mut errors);
    for (number, error) in errors.iter().enumerate() {
        context.warn(format!("Encountered 1 template error.\nerror {} - {error}", number + 1));
    }
    Ok(ModuleOutcome::default().with(expression, value))
}

/// The expression with the place where it was written, which templating takes away.
fn restore_origin(expression: &Text, context: &TaskContext<'_>) -> Text {
    match context.raw_arg("var") {
        Some(Value::Str(raw)) if raw.as_str() == expression.as_str() => raw.clone(),
        _ => expression.clone(),
    }
}

/// Replaces undefined members by numbered marks, so that the task does not fail.
fn mark_undefined(value: &Value, errors: &mut Vec<String>) -> Value {
    match value {
        Value::Undefined(why) => {
            errors.push(why.message.clone());
            format!("<< error {} - {} >>", errors.len(), why.message).into()
        }
        Value::List(items) => Value::list(items.iter().map(|item| mark_undefined(item, errors))),
        Value::Dict(dict) => {
            dict.iter().map(|(key, item)| (key.clone(), mark_undefined(item, errors))).collect::<Dict>().into()
        }
        Value::Omit => {
            errors.push("the value is `omit`, which could not be omitted here".to_owned());
            "<<Omit>>".into()
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::builtin::testing::{Bench, yaml};

    fn bench() -> Bench {
        Bench::new("{n: 3, name: n, mixed: {ok: 1, 'no': '{{ x }}', deep: [1, '{{ y }}']}, bad: '{{ x }}'}")
    }

    #[test]
    fn messages_keep_their_type() {
        assert_eq!(bench().gives(&Debug, "msg: '{{ n }}'", "msg"), 3.into());
        assert_eq!(bench().gives(&Debug, "", "msg"), "Hello world!".into());
        assert_eq!(bench().gives(&Debug, "var: ''", "msg"), "Hello world!".into());
    }

    #[test]
    fn expressions_are_shown_under_their_text() {
        assert_eq!(bench().gives(&Debug, "var: n + 1", "n + 1"), 4.into());
        assert_eq!(bench().gives(&Debug, "var: '{{ name }}'", "n"), 3.into());
        assert!(bench().fails(&Debug, "var: [n]").starts_with("argument 'var' is of type list"));
        assert!(bench().run(&Debug, "var: 1 +").is_err());
    }

    #[test]
    fn what_is_missing_is_marked_in_its_place() {
        let bench = bench();
        let shown = yaml(
            "{ok: 1, 'no': \"<< error 1 - 'x' is undefined >>\", deep: [1, \"<< error 2 - 'y' is undefined >>\"]}",
        );
        assert_eq!(bench.gives(&Debug, "var: mixed", "mixed"), shown);
        assert_eq!(bench.gives(&Debug, "var: bad", "bad"), "<< error 1 - 'x' is undefined >>".into());
        assert_eq!(bench.gives(&Debug, "var: z.a", "z.a"), "<< error 1 - 'z' is undefined >>".into());
        let warned = bench.warnings.borrow();
        assert_eq!(warned.len(), 4);
        assert_eq!(warned[1], "Encountered 1 template error.\nerror 2 - 'y' is undefined");
    }

    #[test]
    fn some_messages_are_for_the_curious() {
        assert!(bench().run(&Debug, "{msg: x, verbosity: 1}").unwrap().skipped);
        let curious = Bench { verbosity: 1, ..bench() };
        assert!(!curious.run(&Debug, "{msg: x, verbosity: 1}").unwrap().skipped);
    }
}
