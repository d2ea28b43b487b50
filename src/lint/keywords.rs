//! Values of keywords that cannot be right, whatever the variables are.

use super::{Lint, is_open};
use crate::diagnostic::Diagnostic;
use crate::playbook::task::Loop;
use crate::playbook::{Keyword, Play, Task};
use crate::template::python::text::boolean_word;
use crate::value::{Value, python};
use crate::yaml::YamlNode;

/// Keywords whose value is a number.
const NUMBERS: &[Keyword] = &[
    Keyword::Async,
    Keyword::Delay,
    Keyword::Poll,
    Keyword::Port,
    Keyword::Retries,
    Keyword::Throttle,
    Keyword::Timeout,
];

/// Keywords whose value is a boolean.
pub const BOOLEANS: &[Keyword] = &[
    Keyword::AnyErrorsFatal,
    Keyword::Become,
    Keyword::CheckMode,
    Keyword::DelegateFacts,
    Keyword::Diff,
    Keyword::IgnoreErrors,
    Keyword::IgnoreUnreachable,
    Keyword::NoLog,
    Keyword::RunOnce,
];

/// The strategies that a play may name.
pub const STRATEGIES: &[&str] = &["linear", "free", "host_pinned", "debug"];

impl Lint<'_> {
    /// A number or a boolean that is neither.
    pub(super) fn check_type(&mut self, keyword: Keyword, node: &YamlNode) {
        let value = node.to_value();
        if value.is_null() || is_open(&value) {
            return;
        }
        let name = keyword.row().name;
        let shown =
            if node.scalar().is_some() { format!("`{}`", python::str(&value)) } else { node.description().to_owned() };
        if NUMBERS.contains(&keyword) && !is_number(&value) {
            let message = Diagnostic::error(format!("`{name}` must be a number, not {shown}")).at(node.span(), "");
            self.report_message(match leading_number(&value) {
                Some(number) => message.hint(format!("write a number without a unit: `{name}: {number}`")),
                None => message.hint(format!("write a number, such as `{name}: 3`")),
            });
        }
        if BOOLEANS.contains(&keyword) && boolean_word(&value).is_none() {
            let message = Diagnostic::error(format!("`{name}` must be a boolean, not {shown}")).at(node.span(), "");
            self.report_message(
                message.suggest(&python::str(&value), &["true", "false", "yes", "no"]).hint("write `true` or `false`"),
            );
        }
    }

    /// An unknown strategy ends the run when its play starts.
    pub(super) fn check_strategy(&mut self, play: &Play) {
        let Some(node) = play.find_keyword(Keyword::Strategy) else { return };
        let value = node.to_value();
        let Some(name) = value.as_str().filter(|_| !is_open(&value)) else { return };
        let short = name.rsplit('.').next().unwrap_or(name);
        if !short.is_empty() && !STRATEGIES.contains(&short) {
            let message = Diagnostic::error(format!("there is no strategy `{name}`")).at(node.span(), "");
            let message = message.suggest(short, STRATEGIES);
            self.report_end(message.hint("known strategies are `linear`, `free` and `host_pinned`"));
        }
    }

    /// `when: "{{ x }}"`
    pub(super) fn check_braces(&mut self, keyword: Keyword, node: &YamlNode) {
        for part in node.items().unwrap_or(std::slice::from_ref(node)) {
            let value = part.to_value();
            let Some(text) = value.as_str().map(str::trim) else { continue };
            if !crate::template::is_whole_template(text) {
                continue;
            }
            // The words are those of the run, which then need not repeat them.
            let message = Diagnostic::deprecation(crate::template::braces_warning(text)).at(part.span(), "");
            let inner = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")).map(str::trim);
            self.report_message(match inner.filter(|inner| !inner.contains("{{")) {
                Some(inner) => message.hint(format!("write `{}: {inner}`", keyword.row().name)),
                None => message,
            });
        }
    }

    /// A loop over text or a mapping.
    pub(super) fn check_loop(&mut self, task: &Task) {
        let Some(Loop::List(node)) = &task.looping else { return };
        let value = node.to_value();
        if let Value::Dict(_) = &value {
            let message = Diagnostic::error("`loop` must be a list, not a mapping").at(node.span(), "");
            self.report_message(message.hint("loop over its entries with `loop: \"{{ NAME | dict2items }}\"`"));
            return;
        }
        let Some(text) = value.as_str().filter(|_| !is_open(&value)) else { return };
        let message = Diagnostic::error(format!("`loop` must be a list, not the text `{text}`")).at(node.span(), "");
        let words: Vec<&str> = text.split_whitespace().collect();
        let dashes = words.iter().all(|word| word.len() > 1 && word.starts_with('-'));
        self.report_message(match words[..] {
            [first, ..] if dashes => {
                message.hint(format!("write a blank after each dash: `- {}`", first.trim_start_matches('-')))
            }
            [word] if crate::value::is_variable_name(word) => message
                .hint(format!("write `loop: [{word}]` for a list of one"))
                .hint(format!("if it is a variable, write `loop: \"{{{{ {word} }}}}\"`")),
            _ => message.hint(format!("write a list in brackets: `loop: [{text}]`")),
        });
    }

    /// `until: out.rc == 0` in a task that does not register `out`.
    pub(super) fn check_until(&mut self, task: &Task) {
        let Some(node) = task.keywords.node(Keyword::Until) else { return };
        let value = node.to_value();
        let Some(text) = value.as_str() else { return };
        let name = text.trim_start_matches("not ").split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next();
        let Some(name) = name.filter(|name| crate::value::is_variable_name(name)) else { return };
        let uses_result = text.contains(&format!("{name} is ")) || text.contains(&format!("{name}."));
        let results = ["succeeded", "success", "failed", "changed", "rc", "stdout", "stderr", "skipped", "finished"];
        let is_result = results.iter().any(|word| text.contains(word));
        if task.register.is_some() || !uses_result || !is_result || self.is_known(name, task) {
            return;
        }
        let message = Diagnostic::error(format!("`until` looks at `{name}`, which this task does not register"));
        self.report_message(message.at(node.span(), "").hint(format!("add `register: {name}` to the task")));
    }

    /// Whether a variable may come from elsewhere.
    fn is_known(&self, name: &str, task: &Task) -> bool {
        let of_task = task.vars.iter().chain(task.frame.chain().filter_map(|frame| frame.vars.as_ref()));
        self.registered.contains(name)
            || of_task.into_iter().any(|vars| vars.contains(name))
            || self.play.is_some_and(|play| play.vars.contains(name))
            || name.starts_with("ansible_")
            || name == "item"
    }
}

fn is_number(value: &Value) -> bool {
    match value {
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => true,
        Value::Str(text) => text.trim().replace('_', "").parse::<f64>().is_ok(),
        _ => false,
    }
}

/// The digits that a text such as `10s` begins with.
fn leading_number(value: &Value) -> Option<String> {
    let text = value.as_str()?.trim();
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    (!digits.is_empty()).then_some(digits)
}
