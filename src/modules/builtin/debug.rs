//! `debug`: shows a text or a value.

use crate::modules::spec::{Kind, Param};
use crate::modules::{Args, Failure, Local, Module, Outcome, Spec, TaskContext};
use crate::template::Fault;
use crate::value::{Text, Value};

static SPEC: Spec = Spec {
    mutually_exclusive: &[&["msg", "var"]],
    ..Spec::new("ansible.builtin.debug", "Shows a text or a value.").params(&[&[
        Param::new("msg", Kind::Raw, "What is shown.").default("Hello world!"),
        Param::str("var", "An expression whose value is shown."),
        Param::int("verbosity", "Only from this many `-v` on.").default("0"),
    ]])
};

/// The module.
pub struct Debug;

impl Module for Debug {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run<'a>(&'a self, args: &'a Args, context: &'a TaskContext<'a>) -> Local<'a, Result<Outcome, Failure>> {
        Box::pin(async move { show(args, context) })
    }
}

fn show(args: &Args, context: &TaskContext<'_>) -> Result<Outcome, Failure> {
    if args.int("verbosity").unwrap_or(0) > i64::from(context.verbosity) {
        let skipped = Outcome { skipped: true, ..Outcome::default() };
        return Ok(skipped.with("skipped_reason", "Verbosity threshold not met."));
    }
    let Some(Value::Str(expression)) = args.get("var").filter(|var| var.is_true()) else {
        let message = args.values().get("msg").cloned().unwrap_or_else(|| "Hello world!".into());
        return Ok(Outcome::default().with("msg", message));
    };
    let value = context.template.expression(&written(expression, context)).or_else(|fault| missing(context, fault))?;
    Ok(Outcome::default().with(expression, value))
}

/// The expression with the place where it was written, which templating takes away.
fn written(expression: &Text, context: &TaskContext<'_>) -> Text {
    match context.raw("var") {
        Some(Value::Str(raw)) if raw.as_str() == expression.as_str() => raw.clone(),
        Some(Value::Str(raw)) if raw.is_trusted() && !raw.is_template() => expression.clone(),
        _ => expression.clone(),
    }
}

/// What is not there is shown as such rather than failing the task.
fn missing(context: &TaskContext<'_>, fault: Fault) -> Result<Value, Failure> {
    if fault.kind != crate::template::fault::FaultKind::Undefined {
        return Err(fault.into());
    }
    context.warn(format!("Encountered 1 template error.\nerror 1 - {}", fault.message));
    Ok(format!("<< error 1 - {} >>", fault.message).into())
}
