//! Warnings of `ionplay lint` about tokens that may do too much, or for too long.

use crate::diagnostic::{Diagnostic, Report};
use crate::value::Value;
use crate::yaml::node::Node;

/// Actions that change what is in a registry.
const WRITING: &[&str] = &["push", "delete", "write", "*"];

/// Returns warnings about the arguments of a `registry_token` task, as far as they are written out.
pub(super) fn check_token(args: &Node) -> Report {
    let mut report = Report::new();
    let state = text(args, "state").unwrap_or_else(|| "present".to_owned());
    if state == "absent" {
        return report;
    }
    if state == "present" {
        check_expiry(args, &mut report);
    }
    let pulled = pulling_use(args);
    for scope in args.get("scopes").and_then(Node::items).unwrap_or_default() {
        check_scope(scope, pulled.as_deref(), &mut report);
    }
    report
}

fn check_expiry(args: &Node, report: &mut Report) {
    let never = |node: &Node| node.is_null() || node.to_value().as_str().is_some_and(|text| text == "never");
    let place = match args.get("expiry_date") {
        None => args.span(),
        Some(node) if never(node) => node.span(),
        Some(_) => return,
    };
    let message = Diagnostic::warning("the token never ends").at(place, "");
    report.push(message.hint("give it an end, such as `expiry_date: +90d`; `rotate` makes its successors"));
}

fn check_scope(scope: &Node, pulled: Option<&str>, report: &mut Report) {
    if let Some(name) = scope.get("name").filter(|name| name.to_value().as_str() == Some("*")) {
        let message = Diagnostic::warning("the scope `*` covers every repository").at(name.span(), "");
        report.push(message.hint("name the repositories, or a pattern such as `team/*`"));
    }
    for action in scope.get("actions").and_then(Node::items).unwrap_or_default() {
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
fn pulling_use(args: &Node) -> Option<String> {
    let sinks = args.get("credentials").and_then(Node::items).unwrap_or_default();
    if sinks.iter().any(|sink| sink.get("kubernetes_manifest").is_some()) {
        return Some("an image-pull secret of Kubernetes".to_owned());
    }
    let name = text(args, "name").or_else(|| text(args, "registry_token"))?;
    let is_puller = name.split(['-', '_']).any(|word| matches!(word, "pull" | "puller" | "pulls"));
    is_puller.then(|| format!("`{name}`, by its name,"))
}

fn text(args: &Node, key: &str) -> Option<String> {
    match args.get(key)?.to_value() {
        Value::Str(text) if !text.is_template() => Some(text.as_str().to_owned()),
        _ => None,
    }
}
