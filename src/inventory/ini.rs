//! Inventories in INI form: `[group]`, `[group:children]`, `[group:vars]`.

use std::sync::Arc;

use indexmap::IndexMap;

use super::model::{ALL, Model, Origin, UNGROUPED};
use super::{literal, range, words};
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use crate::value::{Dict, Value};

/// Type of the lines of a section.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Hosts,
    Children,
    Vars,
}

/// Reads a text into the model.
///
/// # Errors
/// With the line that cannot be understood.
pub fn read_ini(source: &Arc<Source>, origin: &Origin, model: &mut Model) -> Result<(), Diagnostic> {
    let mut reader =
        Reader { origin, model, group: UNGROUPED.to_owned(), state: State::Hosts, pending: IndexMap::new() };
    let mut start = 0;
    for line in source.text().split_inclusive('\n') {
        let text = line.trim();
        let begin = start + (line.len() - line.trim_start().len());
        start += line.len();
        if !text.is_empty() && !text.starts_with([';', '#']) {
            reader.read_line(text, &source.span(begin..begin + text.len()))?;
        }
    }
    reader.check_pending()
}

struct Reader<'a> {
    origin: &'a Origin,
    model: &'a mut Model,
    group: String,
    state: State,
    /// Groups that were named as a child or given variables before they were declared.
    pending: IndexMap<String, Pending>,
}

/// A group that is still to be declared.
struct Pending {
    /// The first line that names it.
    span: Span,
    /// Section that names the group: children or variables.
    by: State,
    /// The groups it is to be a child of.
    parents: Vec<String>,
}

impl Reader<'_> {
    fn read_line(&mut self, text: &str, span: &Span) -> Result<(), Diagnostic> {
        if text.starts_with('[')
            && let Some((name, kind)) = parse_section(text)
        {
            return self.start_section(name, kind, span);
        }
        match self.state {
            State::Hosts => self.read_host(text, span),
            State::Children => self.read_child(text, span),
            State::Vars => self.read_variable(text, span),
        }
    }

    fn start_section(&mut self, name: &str, kind: &str, span: &Span) -> Result<(), Diagnostic> {
        self.state = match kind {
            "" | "hosts" => State::Hosts,
            "children" => State::Children,
            "vars" => State::Vars,
            other => {
                let known = ["hosts", "children", "vars"];
                return Err(Diagnostic::error(format!("a section cannot be of the type `{other}`"))
                    .at(span, "`hosts`, `children` or `vars`")
                    .suggest(other, known.iter()));
            }
        };
        self.group = self.model.names.safe_name(name).into_owned();
        if self.state == State::Vars && !self.model.groups.contains_key(&*self.group) {
            self.pending_group(self.group.clone(), State::Vars, span);
        }
        self.model.group_entry(&self.group);
        if self.state == State::Vars {
            return Ok(());
        }
        let parents = self.pending.shift_remove(&self.group).map(|waiting| waiting.parents).unwrap_or_default();
        parents.iter().try_for_each(|parent| self.add_child(parent, &self.group.clone(), span))
    }

    fn pending_group(&mut self, group: String, by: State, span: &Span) -> &mut Pending {
        self.pending.entry(group).or_insert_with(|| Pending { span: span.clone(), by, parents: Vec::new() })
    }

    fn add_child(&mut self, parent: &str, child: &str, span: &Span) -> Result<(), Diagnostic> {
        self.model.add_child(parent, child).map_err(|why| why.at(span, ""))
    }

    fn read_host(&mut self, text: &str, span: &Span) -> Result<(), Diagnostic> {
        let words = words::split_words(text)
            .map_err(|why| Diagnostic::error(format!("cannot split this line: {why}")).at(span, ""))?;
        let Some((first, rest)) = words.split_first() else { return Ok(()) };
        let place = |word: &words::Word| span.sub_span(word.range.clone());
        let names = host_names(&first.text).map_err(|why| why.at(&place(first), ""))?;
        let mut vars = Dict::new();
        for word in rest {
            let Some((key, value)) = word.text.split_once('=') else {
                return Err(Diagnostic::error(format!("`{}` is not `key=value`", word.text))
                    .at(&place(word), "a variable of the host belongs here"));
            };
            vars.insert(Value::text(key), literal::read_literal(value, &place(word)));
        }
        for (name, port) in names {
            let host = self.model.host_entry(&name, Some(&self.group), Some(self.origin));
            if let Some(port) = port {
                host.vars.set("ansible_port", Value::Int(i64::from(port)));
            }
            self.model.set_host_vars(&name, &vars);
        }
        Ok(())
    }

    fn read_child(&mut self, text: &str, span: &Span) -> Result<(), Diagnostic> {
        let name = text.split('#').next().unwrap_or("").trim();
        if name.is_empty() || name.contains([':', ']', ' ', '\t']) {
            return Err(Diagnostic::error(format!("`{text}` is not the name of a group")).at(span, ""));
        }
        if self.model.groups.contains_key(name) {
            return self.add_child(&self.group.clone(), name, span);
        }
        let parent = self.group.clone();
        self.pending_group(name.to_owned(), State::Children, span).parents.push(parent);
        Ok(())
    }

    fn read_variable(&mut self, text: &str, span: &Span) -> Result<(), Diagnostic> {
        let Some((key, value)) = text.split_once('=') else {
            return Err(Diagnostic::error(format!("`{text}` is not `key=value`"))
                .at(span, "a variable of the group belongs here"));
        };
        let begin = text.len() - value.trim_start().len();
        let value = literal::read_literal(value.trim(), &span.sub_span(begin..text.len()));
        self.model.set_group_var(&self.group, Value::text(key.trim()), value);
        Ok(())
    }

    fn check_pending(self) -> Result<(), Diagnostic> {
        let declared = |name: &str| name == ALL || name == UNGROUPED;
        let Some((name, waiting)) = self.pending.into_iter().find(|(name, _)| !declared(name)) else { return Ok(()) };
        let message = match waiting.by {
            State::Vars => format!("variables for the group `{name}`, which does not exist"),
            _ => format!("the child group `{name}` does not exist"),
        };
        Err(Diagnostic::error(message).at(&waiting.span, "").hint(format!("declare it with `[{name}]`")))
    }
}

/// Name and type of a section line.
fn parse_section(text: &str) -> Option<(&str, &str)> {
    let (inside, after) = text[1..].split_once(']')?;
    let after = after.trim();
    let (name, kind) = inside.split_once(':').unwrap_or((inside, ""));
    let sound = !name.is_empty()
        && !name.contains(char::is_whitespace)
        && kind.chars().all(|c| c.is_alphanumeric() || c == '_')
        && inside.contains(':') != kind.is_empty()
        && (after.is_empty() || after.starts_with('#'));
    // `[1:3]` alone on a line would be a range of hosts, but `[` at the beginning has always meant a section.
    sound.then_some((name, kind))
}

/// The hosts that the first word of a line stands for.
pub fn host_names(word: &str) -> Result<Vec<(String, Option<u16>)>, Diagnostic> {
    if (word.ends_with(':') && !range::is_address(word)) || word.contains(": ") {
        return Err(Diagnostic::error(format!("`{word}` is not a host: the colon at the end would start a port")));
    }
    if word == "---" {
        return Err("this looks like YAML".into());
    }
    let (name, port) = range::split_port(word);
    Ok(range::expand_range(name)?.into_iter().map(|name| (name, port)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::python;

    fn model(text: &str) -> Result<Model, Diagnostic> {
        let mut model = Model::default();
        let origin = Origin { file: "hosts".into(), folder: None };
        read_ini(&Source::new("hosts", text), &origin, &mut model)?;
        model.settle_groups();
        Ok(model)
    }

    #[test]
    fn hosts_groups_and_variables() {
        let model = model(
            "loose:2222 a=1 b='[1, 2]' c=true # no\n[g]\nweb[1:2] d=\"{'k': 1}\"\n[p:children]\ng # yes\n[p:vars]\nx = hello # kept\ny=[1]\n",
        )
        .unwrap();
        let vars = |host: &str| python::repr(&model.hosts[host].vars.clone().into());
        assert_eq!(vars("loose"), "{'ansible_port': 2222, 'a': 1, 'b': [1, 2], 'c': 'true'}");
        assert_eq!(vars("web2"), "{'d': {'k': 1}}");
        assert_eq!(python::repr(&(*model.groups["p"].vars).clone().into()), "{'x': 'hello # kept', 'y': [1]}");
        assert_eq!(model.hosts_of("p").len(), 2);
        assert_eq!(model.groups_of("web1").join(" "), "all p g");
        let Some(Value::Str(text)) = model.groups["p"].vars.get("x") else { panic!("no text") };
        assert_eq!(text.origin().unwrap().to_string(), "hosts:7:5");
    }

    #[track_caller]
    fn error(text: &str, place: &str, summary: &str) {
        let error = model(text).unwrap_err();
        assert_eq!((error.span().unwrap().to_string().as_str(), error.summary.as_str()), (place, summary));
    }

    #[test]
    fn errors_have_a_place() {
        error("[g:nope]\n", "hosts:1:1", "a section cannot be of the type `nope`");
        error("h a=1 b\n", "hosts:1:7", "`b` is not `key=value`");
        error("[g:vars]\na=1\n", "hosts:1:1", "variables for the group `g`, which does not exist");
        error("[g:children]\nx\n", "hosts:2:1", "the child group `x` does not exist");
        error("h\n[g:children]\ng\n", "hosts:3:1", "the group `g` cannot be a child of itself");
        error("all:\n", "hosts:1:1", "`all:` is not a host: the colon at the end would start a port");
        error("h a='x\n", "hosts:1:1", "cannot split this line: a quote is not closed");
        error("[g]\n[g:vars]\nx\n", "hosts:3:1", "`x` is not `key=value`");
    }
}
