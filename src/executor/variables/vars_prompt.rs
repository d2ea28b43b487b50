//! `vars_prompt` of a play: variables that the user is asked for.

use std::io::IsTerminal;
use std::rc::Rc;

use crate::diagnostic::Diagnostic;
use crate::executor::state::Run;
use crate::host::prompt::ask_user;
use crate::playbook::play_checks::prompt_entries;
use crate::playbook::{Loaded, Problem};
use crate::report::Event;
use crate::template::{Args, Context, Engine, Fault};
use crate::value::{Dict, Text, Value, python};
use crate::yaml::Node;

/// Asks for all variables. What `-e` gives is not asked for; without a terminal the default counts. Gives nothing if the
/// user breaks off.
///
/// # Errors
/// If an entry cannot be understood, its templates fail, or two answers differ where confirmation is wanted.
pub async fn ask_all(run: &Rc<Run>, engine: &Engine<'_>, prompts: &Node) -> Loaded<Option<Dict>> {
    let mut answers = Dict::new();
    for node in prompt_entries(prompts) {
        let at = |fault: Fault| Box::new(Problem::general(Diagnostic::from(fault.or_at(Some(node.span())))));
        let prompt = Prompt { engine, node };
        let name = prompt.text("name").map_err(at)?.unwrap_or_default();
        if !run.extra_vars.contains(&name) {
            let Some(answer) = prompt.answer(run, &name).await.map_err(at)? else { return Ok(None) };
            answers.set(name, answer);
        }
    }
    Ok(Some(answers))
}

/// An entry.
struct Prompt<'a> {
    engine: &'a Engine<'a>,
    node: &'a Node,
}

impl Prompt<'_> {
    fn value(&self, key: &str) -> Result<Option<Value>, Fault> {
        let Some(node) = self.node.get(key) else { return Ok(None) };
        Ok(Some(self.engine.value(&node.to_value())?).filter(|value| !value.is_null()))
    }

    fn text(&self, key: &str) -> Result<Option<String>, Fault> {
        Ok(self.value(key)?.as_ref().map(python::str))
    }

    fn flag(&self, key: &str, default: bool) -> Result<bool, Fault> {
        Ok(self.value(key)?.as_ref().and_then(crate::template::python::text::boolean_word).unwrap_or(default))
    }

    async fn answer(&self, run: &Run, name: &str) -> Result<Option<Value>, Fault> {
        let default = self.text("default")?;
        let place = format!("{name} ({})", self.node.span());
        let typed = if let Some(known) = run.options.answers.get(&place) {
            Some(known)
        } else if std::io::stdin().is_terminal() {
            let question = self.text("prompt")?.unwrap_or_else(|| name.to_owned());
            let (private, confirm) = (self.flag("private", true)?, self.flag("confirm", false)?);
            run.bus.emit(&Event::Progress(String::new()));
            let typed = tokio::select! {
                biased;
                typed = typed(&question, default.as_deref(), private, confirm) => typed,
                () = run.interrupt.raised() => return Ok(None),
            };
            let typed = typed.map_err(|error| Fault::value(error.to_string()))?;
            if let Some(typed) = &typed {
                run.options.answers.keep(place, typed.clone());
            }
            typed
        } else {
            run.bus.emit(&Event::Notice(Diagnostic::warning("Not prompting as we are not in interactive mode")));
            None
        };
        // The original stores the word where nobody can be asked.
        let answer = typed.or(default).unwrap_or_else(|| "None".to_owned());
        let answer = match self.text("encrypt")? {
            Some(kind) => self.encrypted(answer, kind)?,
            None => answer,
        };
        let answer = if self.flag("unsafe", false)? {
            Text::plain(answer)
        } else {
            Text::written(answer, self.node.span().clone())
        };
        Ok(Some(Value::Str(answer)))
    }

    fn encrypted(&self, answer: String, kind: String) -> Result<String, Fault> {
        let mut args = Args { positional: vec![kind.into()], named: Vec::new() };
        for key in ["salt", "salt_size"] {
            args.named.extend(self.value(key)?.map(|value| (key.into(), value)));
        }
        Ok(python::str(&self.engine.filter("password_hash", answer.into(), args)?))
    }
}

async fn typed(question: &str, default: Option<&str>, private: bool, confirm: bool) -> std::io::Result<Option<String>> {
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
