//! `pause`: waits for a time, or for somebody at the terminal.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use crate::modules::spec::{Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::value::{Unknown, Value, python};

static SPEC: Spec = Spec {
    mutually_exclusive: &[&["minutes", "seconds"]],
    ..Spec::new("ansible.builtin.pause", "Pauses for a time, or until input at the terminal.")
        .examples(include_str!("examples/pause.yml"))
        .on_controller()
        .once_per_batch()
        .params(&[&[
            Param::bool("echo", "Show the input while it is typed.").default("true"),
            Param::new("minutes", ParamKind::Raw, "Duration in minutes."),
            Param::new("seconds", ParamKind::Raw, "Duration in seconds."),
            Param::str("prompt", "Text of the prompt."),
        ]])
};

/// The module.
pub struct Pause;

impl TaskModule for Pause {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(pause_task(args, context))
    }
}

async fn pause_task(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<ModuleOutcome, Failure> {
    let minutes = args.get("minutes").map(|value| to_integer("minutes", value)).transpose()?;
    let seconds = args.get("seconds").map(|value| to_integer("seconds", value)).transpose()?;
    let (unit, per_unit) = if seconds.is_some() { ("seconds", 1.0) } else { ("minutes", 60.0) };
    let wait = seconds.or(minutes.map(|minutes| minutes.saturating_mul(60))).map(|seconds| seconds.max(1));
    let echo = args.bool("echo");
    if context.planning {
        return Ok(predicted_outcome(wait.is_none(), echo));
    }
    let begin = jiff::Zoned::now();
    let mut input = String::new();
    if let Some(seconds) = wait {
        let hidden = if echo { "" } else { " (output is hidden)" };
        let said = args.str("prompt").map(|prompt| format!(": {prompt}")).unwrap_or_default();
        context.progress.show_message(&format!("Pausing for {seconds} seconds{hidden}{said}"));
        tokio::time::sleep(Duration::from_secs(seconds.unsigned_abs())).await;
    } else if std::io::stdin().is_terminal() {
        let question = args.str("prompt").unwrap_or("Press enter to continue, Ctrl+C to interrupt");
        // The live line would be drawn over the question.
        context.progress.show_message("");
        let read = crate::host::prompt::ask_user(format!("{question}: "), echo).await;
        input = read.map_err(|error| Failure::new(format!("cannot read from the terminal: {error}")))?;
    } else {
        context.warn("Not waiting for response to prompt as stdin is not interactive");
    }
    let end = jiff::Zoned::now();
    let took = end.timestamp().duration_since(begin.timestamp());
    let shown = |time: &jiff::Zoned| Value::text(time.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string());
    let length = (took.as_secs_f64() / per_unit * 100.0).round() / 100.0;
    Ok(ModuleOutcome::default()
        .with("stdout", format!("Paused for {} {unit}", python::str(&Value::Float(length))))
        .with("stderr", "")
        .with("rc", 0)
        .with("start", shown(&begin))
        .with("stop", shown(&end))
        .with("delta", took.as_secs())
        .with("echo", echo)
        .with("user_input", input))
}

/// A plan does not wait. Only the real run knows the times and the input.
fn predicted_outcome(asks: bool, echo: bool) -> ModuleOutcome {
    let later = || Value::Unknown(Arc::new(Unknown::new_result("the pause of the real run")));
    let input = if asks { later() } else { Value::text("") };
    ModuleOutcome::default()
        .with("stdout", later())
        .with("stderr", "")
        .with("rc", 0)
        .with("start", later())
        .with("stop", later())
        .with("delta", later())
        .with("echo", echo)
        .with("user_input", input)
}

/// A whole number as Python's `int` makes it.
fn to_integer(name: &str, value: &Value) -> Result<i64, Failure> {
    let number = match value {
        Value::Int(number) => Ok(*number),
        Value::Bool(flag) => Ok(i64::from(*flag)),
        #[allow(clippy::cast_possible_truncation)]
        Value::Float(number) if number.is_finite() => Ok(*number as i64),
        Value::Str(text) => {
            text.trim().parse().map_err(|_| format!("invalid literal for int() with base 10: {}", python::repr(value)))
        }
        other => Err(format!(
            "int() argument must be a string, a bytes-like object or a real number, not '{}'",
            other.type_name()
        )),
    };
    number.map_err(|why| {
        let is = value.type_name();
        Failure::new(format!("argument '{name}' is of type {is} and we were unable to convert to int: {why}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::builtin::testing::Bench;

    #[test]
    fn a_second_is_the_shortest_time() {
        let before = std::time::Instant::now();
        let outcome = Bench::new("").run(&Pause, "{seconds: 0, echo: false}").unwrap();
        assert!(before.elapsed() >= Duration::from_secs(1));
        assert_eq!(outcome.data.get("delta"), Some(&1.into()));
        assert_eq!(outcome.data.get("echo"), Some(&false.into()));
        assert!(!outcome.changed);
    }

    #[test]
    fn times_are_whole_numbers() {
        assert_eq!(to_integer("seconds", &Value::Float(1.7)).unwrap(), 1);
        assert_eq!(to_integer("seconds", &" 12 ".into()).unwrap(), 12);
        let start = "argument 'seconds' is of type";
        for (given, why) in [
            ("seconds: abc", "invalid literal for int() with base 10: 'abc'"),
            ("seconds: [1]", "int() argument must be a string, a bytes-like object or a real number, not 'list'"),
        ] {
            let message = Bench::new("").fails(&Pause, given);
            assert!(message.starts_with(start) && message.ends_with(why), "{message}");
        }
        let both = Bench::new("").fails(&Pause, "{minutes: 1, seconds: 1}");
        assert_eq!(both, "parameters are mutually exclusive: minutes|seconds");
    }
}
