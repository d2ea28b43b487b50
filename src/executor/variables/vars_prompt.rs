//! `vars_prompt` of a play: variables that the user is asked for.

use std::io::IsTerminal;
use std::rc::Rc;

use crate::diagnostic::Diagnostic;
use crate::executor::state::RunState;
use crate::host::prompt::ask_user;
use crate::playbook::play_checks::prompt_entries;
use crate::playbook::{LoadError, LoadResult};
use crate::report::ReportEvent;
use crate::template::{Context, PluginArgs, TemplateEngine, TemplateError};
use crate::value::{Dict, Text, Value, python};
use crate::yaml::YamlNode;

/// Prompts for all variables, except those that `-e` sets; without a terminal, uses the defaults. Returns nothing if the user
/// cancels.
///
/// # Errors
/// If an entry is invalid, its templates fail, or the two answers of a confirmation differ.
pub async fn ask_all(run: &Rc<RunState>, engine: &TemplateEngine<'_>, prompts: &YamlNode) -> LoadResult<Option<Dict>> {
    let mut answers = Dict::new();
    for node in prompt_entries(prompts) {
        let at =
            |fault: TemplateError| Box::new(LoadError::from_general(Diagnostic::from(fault.or_at(Some(node.span())))));
        let prompt = Prompt { engine, node };
        let name = prompt.read_text("name").map_err(at)?.unwrap_or_default();
        if !run.extra_vars.contains(&name) {
            let Some(answer) = prompt.ask_answer(run, &name).await.map_err(at)? else { return Ok(None) };
            answers.set(name, answer);
        }
    }
    Ok(Some(answers))
}

/// An entry.
struct Prompt<'a> {
    engine: &'a TemplateEngine<'a>,
    node: &'a YamlNode,
}

impl Prompt<'_> {
    fn read_value(&self, key: &str) -> Result<Option<Value>, TemplateError> {
        let Some(node) = self.node.get(key) else { return Ok(None) };
        Ok(Some(self.engine.evaluate_value(&node.to_value())?).filter(|value| !value.is_null()))
    }

    fn read_text(&self, key: &str) -> Result<Option<String>, TemplateError> {
        Ok(self.read_value(key)?.as_ref().map(python::str))
    }

    fn read_flag(&self, key: &str, default: bool) -> Result<bool, TemplateError> {
        Ok(self.read_value(key)?.as_ref().and_then(crate::template::python::text::boolean_word).unwrap_or(default))
    }

    async fn ask_answer(&self, run: &RunState, name: &str) -> Result<Option<Value>, TemplateError> {
        let default = self.read_text("default")?;
        let place = format!("{name} ({})", self.node.span());
        let typed = if let Some(known) = run.options.answers.get(&place) {
            Some(known)
        } else if std::io::stdin().is_terminal() {
            let question = self.read_text("prompt")?.unwrap_or_else(|| name.to_owned());
            let (private, confirm) = (self.read_flag("private", true)?, self.read_flag("confirm", false)?);
            run.bus.emit(&ReportEvent::Progress(String::new()));
            let typed = tokio::select! {
                biased;
                typed = ask_until_confirmed(&question, default.as_deref(), private, confirm) => typed,
                () = run.interrupt.wait_until_raised() => return Ok(None),
            };
            let typed = typed.map_err(|error| TemplateError::value(error.to_string()))?;
            if let Some(typed) = &typed {
                run.options.answers.add_answer(place, typed.clone());
            }
            typed
        } else {
            run.bus.emit(&ReportEvent::Notice(Diagnostic::warning("Not prompting as we are not in interactive mode")));
            None
        };
        // Ansible stores the word where it cannot ask.
        let answer = typed.or(default).unwrap_or_else(|| "None".to_owned());
        let answer = match self.read_text("encrypt")? {
            Some(kind) => self.encrypt_answer(answer, kind)?,
            None => answer,
        };
        let answer = if self.read_flag("unsafe", false)? {
            Text::new_plain(answer)
        } else {
            Text::from_source(answer, self.node.span().clone())
        };
        Ok(Some(Value::Str(answer)))
    }

    fn encrypt_answer(&self, answer: String, kind: String) -> Result<String, TemplateError> {
        let mut args = PluginArgs { positional: vec![kind.into()], named: Vec::new() };
        for key in ["salt", "salt_size"] {
            args.named.extend(self.read_value(key)?.map(|value| (key.into(), value)));
        }
        Ok(python::str(&self.engine.call_filter("password_hash", answer.into(), args)?))
    }
}

async fn ask_until_confirmed(
    question: &str,
    default: Option<&str>,
    private: bool,
    confirm: bool,
) -> std::io::Result<Option<String>> {
    let shown = default.map(|default| format!(" [{default}]")).unwrap_or_default();
    loop {
        let answer = ask_user(format!("{question}{shown}: "), !private).await?;
        if confirm && ask_user(format!("confirm {question}{shown}: "), !private).await? != answer {
            console::Term::stderr().write_line("***** VALUES ENTERED DO NOT MATCH ****")?;
            continue;
        }
        return Ok((!answer.is_empty()).then_some(answer));
    }
}
