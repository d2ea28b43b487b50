//! Warnings of `ionplay lint` about tokens that may do too much, or for too long.

use super::Lint;
use crate::diagnostic::{Diagnostic, Report};
use crate::playbook::{Keyword, Task};
use crate::value::Value;
use crate::yaml::node::YamlNode;

/// Actions that change what is in a registry.
const WRITING: &[&str] = &["push", "delete", "write", "*"];

impl Lint<'_> {
    /// Advises on a `registry_token` task: its password must have a use, and its scopes and its end should be narrow.
    pub(super) fn check_token_use(&mut self, task: &Task) {
        self.check_password_use(task);
        for message in task.args.node.iter().flat_map(check_token) {
            self.report_advice(message);
        }
    }

    /// Warns of a task that creates a token whose password no other task can use: where the machine ends with the run, it
    /// would be lost.
    fn check_password_use(&mut self, task: &Task) {
        let args = &task.args.values;
        let text = |name: &str| args.get(name).and_then(Value::as_str);
        let creates = match text("state").unwrap_or("present") {
            "present" => true,
            "update" => args.get("name").is_some() && args.get("allow_replace").is_some_and(Value::is_true),
            _ => false,
        };
        let defaults = task.keyword_all(Keyword::ModuleDefaults);
        let delivers = args.contains("credentials")
            || task.args.template.is_some()
            || defaults.into_iter().any(|node| format!("{:?}", node.to_value()).contains("credentials"));
        let is_dry = task.find_keyword(Keyword::CheckMode).is_some_and(|node| node.to_value().is_true());
        if !creates || delivers || is_dry || task.register.is_some() {
            return;
        }
        let message = "no task can use the password of a token that this task creates: it has no `register`";
        let hint = "add `register: NAME` and a task that stores `NAME.registry_token.properties.credentials.password`; \
                    otherwise the password is only kept in the credential store (`ionplay token show`)";
        self.report_advice(Diagnostic::warning(message).at(&task.span, "").hint(hint));
    }
}

/// Returns warnings about the arguments of a `registry_token` task, as far as they are written out.
fn check_token(args: &YamlNode) -> Report {
    let mut report = Report::new();
    let state = literal_text(args, "state").unwrap_or_else(|| "present".to_owned());
    if state == "absent" {
        return report;
    }
    if state == "present" {
        check_expiry(args, &mut report);
    }
    let pulled = pulling_use(args);
    for scope in args.get("scopes").and_then(YamlNode::items).unwrap_or_default() {
        check_scope(scope, pulled.as_deref(), &mut report);
    }
    report
}

fn check_expiry(args: &YamlNode, report: &mut Report) {
    let never = |node: &YamlNode| node.is_null() || node.to_value().as_str().is_some_and(|text| text == "never");
    let place = match args.get("expiry_date") {
        None => args.span(),
        Some(node) if never(node) => node.span(),
        Some(_) => return,
    };
    let message = Diagnostic::warning("the token never ends").at(place, "");
    report.push(message.hint("give it an end, such as `expiry_date: +90d`; `rotate` makes its successors"));
}

fn check_scope(scope: &YamlNode, pulled: Option<&str>, report: &mut Report) {
    if let Some(name) = scope.get("name").filter(|name| name.to_value().as_str() == Some("*")) {
        let message = Diagnostic::warning("the scope `*` covers every repository").at(name.span(), "");
        report.push(message.hint("name the repositories, or a pattern such as `team/*`"));
    }
    for action in scope.get("actions").and_then(YamlNode::items).unwrap_or_default() {
        let value = action.to_value();
        let Some(word) = value.as_str().filter(|word| WRITING.contains(word)) else { continue };
        match pulled {
            Some(why) => {
                let message = Diagnostic::warning(format!("{why} pulls only, and the token may `{word}`"));
                report.push(message.at(action.span(), "").hint("leave only `pull`"));
            }
            None if word == "*" => {
                let message = Diagnostic::warning("the action `*` allows everything").at(action.span(), "");
                report.push(message.hint("name the actions, such as `[pull, push]`"));
            }
            None => {}
        }
    }
}

/// Returns what shows that the token is used for pulling only, if something does.
fn pulling_use(args: &YamlNode) -> Option<String> {
    let sinks = args.get("credentials").and_then(YamlNode::items).unwrap_or_default();
    if sinks.iter().any(|sink| sink.get("kubernetes_manifest").is_some()) {
        return Some("an image-pull secret of Kubernetes".to_owned());
    }
    let name = literal_text(args, "name").or_else(|| literal_text(args, "registry_token"))?;
    let is_puller = name.split(['-', '_']).any(|word| matches!(word, "pull" | "puller" | "pulls"));
    is_puller.then(|| format!("`{name}`, by its name,"))
}

fn literal_text(args: &YamlNode, key: &str) -> Option<String> {
    match args.get(key)?.to_value() {
        Value::Str(text) if !text.is_template() => Some(text.as_str().to_owned()),
        _ => None,
    }
}
