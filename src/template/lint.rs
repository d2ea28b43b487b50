//! What can be said of a template without running it: its syntax, and names of filters, tests, lookups and functions
//! that are unknown.

use std::sync::Arc;

use super::ast::{Arg, At, ExprKind, ExprNode, Stmt, StmtKind};
use super::engine::{Globals, TemplateEngine};
use super::error::{TemplateError, TemplateErrorKind};
use super::parse;
use super::plugin;
use super::registry;
use super::signature;
use super::source_map::SourceMap;
use crate::value::{Text, UndefinedCause, Value};

impl TemplateEngine<'_> {
    /// Everything that is wrong with a template, whatever its variables are. Text that is not a template is fine. A run keeps
    /// what was parsed, so that its tasks need not parse it again.
    pub fn lint_template(text: &Text, run: Option<&Globals>) -> Vec<TemplateError> {
        if !text.is_template() {
            return Vec::new();
        }
        let parsed = match run {
            Some(globals) => globals.parse_template(text),
            None => parse::parse_template(text, &plugin::RenderOptions::default()).map(Arc::new),
        };
        match parsed {
            Ok(template) => {
                let mut lint = Lint { text, faults: Vec::new() };
                lint.check_body(&template.body);
                lint.faults
            }
            Err((fault, at)) => vec![fault.or_at(SourceMap::from_text(text).span(&at).as_ref())],
        }
    }

    /// Everything that is wrong with a bare expression (`when`).
    pub fn lint_expression(text: &Text, run: Option<&Globals>) -> Vec<TemplateError> {
        if text.is_template() || !text.is_trusted() {
            return Self::lint_template(text, run);
        }
        let parsed = match run {
            Some(globals) => globals.parsed_expression(text),
            None => parse::parse_expression(text).map(Arc::new),
        };
        match parsed {
            Ok(node) => {
                let mut lint = Lint { text, faults: Vec::new() };
                lint.check_node(&node);
                lint.faults
            }
            Err((fault, at)) => vec![fault.or_at(SourceMap::from_text(text).span(&at).as_ref())],
        }
    }
}

/// A walk through one template. Places are looked up for faults only: most templates have none.
struct Lint<'a> {
    text: &'a Text,
    faults: Vec<TemplateError>,
}

impl Lint<'_> {
    fn report_unknown(&mut self, kind: &'static str, name: &str, names: &[&str], at: &At) {
        let message = format!("there is no {kind} `{name}`");
        let cause = UndefinedCause::UnknownPlugin { kind, name: name.into() };
        let fault = TemplateError::new(TemplateErrorKind::UnknownName, message).caused_by(cause);
        let fault = fault.suggest_name(name, names);
        self.faults.push(fault.or_at(SourceMap::from_text(self.text).span(at).as_ref()));
    }

    fn check_filter(&mut self, name: &str, at: &At) {
        if registry::find_filter(name).is_none() {
            self.report_unknown("filter", name, &registry::filter_names(), at);
        }
    }

    fn check_filter_arguments(&mut self, name: &str, args: &[Arg], at: &At) {
        let Some(filter) = registry::find_filter(name).filter(|_| !args.is_empty()) else { return };
        if let Err(fault) = signature::check_arguments(filter, name, args) {
            let message = format!("the filter `{name}` {}", fault.message);
            let fault = TemplateError { message, ..fault };
            self.faults.push(fault.or_at(SourceMap::from_text(self.text).span(at).as_ref()));
        }
    }

    fn check_test(&mut self, name: &str, at: &At) {
        if registry::find_test(name).is_none() {
            self.report_unknown("test", name, &registry::test_names(), at);
        }
    }

    fn check_lookup(&mut self, name: &str, at: &At) {
        if registry::find_lookup(name).is_none() {
            self.report_unknown("lookup", name, &registry::lookup_names(), at);
        }
    }

    fn check_body(&mut self, body: &[Stmt]) {
        body.iter().for_each(|stmt| self.check_stmt(stmt));
    }

    fn check_stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Raw(_) => {}
            StmtKind::Emit(node) | StmtKind::Set(_, node) | StmtKind::Extends(node) => self.check_node(node),
            StmtKind::Import(node, ..) | StmtKind::FromImport(node, ..) => self.check_node(node),
            StmtKind::Include(include) => self.check_node(&include.name),
            StmtKind::For(each) => {
                self.check_node(&each.over);
                each.filter.iter().for_each(|node| self.check_node(node));
                self.check_body(&each.body);
                self.check_body(&each.otherwise);
            }
            StmtKind::If(test, then, otherwise) => {
                self.check_node(test);
                self.check_body(then);
                self.check_body(otherwise);
            }
            StmtKind::With(bindings, body) => {
                bindings.iter().for_each(|(_, node)| self.check_node(node));
                self.check_body(body);
            }
            StmtKind::SetBlock(_, filter, body) => {
                filter.iter().for_each(|node| self.check_node(node));
                self.check_body(body);
            }
            StmtKind::FilterBlock(filter, body) => {
                self.check_node(filter);
                self.check_body(body);
            }
            StmtKind::Plain(body) => self.check_body(body),
            StmtKind::Block(block) => self.check_body(&block.body),
            StmtKind::Macro(made) => self.check_body(&made.body),
            StmtKind::Call(node, made) => {
                self.check_node(node);
                self.check_body(&made.body);
            }
        }
    }

    fn check_node(&mut self, node: &ExprNode) {
        match &node.kind {
            ExprKind::Const(_) | ExprKind::Var(_) => {}
            ExprKind::List(items) | ExprKind::Tuple(items) => items.iter().for_each(|item| self.check_node(item)),
            ExprKind::Map(pairs) => pairs.iter().for_each(|(key, value)| {
                self.check_node(key);
                self.check_node(value);
            }),
            ExprKind::Neg(inner) | ExprKind::Pos(inner) | ExprKind::Not(inner) | ExprKind::Attr(inner, _) => {
                self.check_node(inner)
            }
            ExprKind::And(a, b) | ExprKind::Or(a, b) | ExprKind::Binary(_, a, b) | ExprKind::Item(a, b) => {
                self.check_node(a);
                self.check_node(b);
            }
            ExprKind::Compare(first, others) => {
                self.check_node(first);
                others.iter().for_each(|(_, other)| self.check_node(other));
            }
            ExprKind::If { test, then, otherwise } => {
                self.check_node(test);
                self.check_node(then);
                otherwise.iter().for_each(|node| self.check_node(node));
            }
            ExprKind::Slice(inner, bounds) => {
                self.check_node(inner);
                bounds.iter().flatten().for_each(|bound| self.check_node(bound));
            }
            ExprKind::Filter(name, input, args) => {
                input.iter().for_each(|input| self.check_node(input));
                self.check_filter(name, &node.at);
                self.check_filter_arguments(name, args, &node.at);
                self.named_by(name, args);
                self.check_args(args);
            }
            ExprKind::Test(name, input, args) => {
                self.check_node(input);
                self.check_test(name, &node.at);
                self.check_args(args);
            }
            ExprKind::Call(function, args) => {
                if let ExprKind::Var(name) = &function.kind
                    && matches!(&**name, "lookup" | "query" | "q")
                    && let Some((name, at)) = find_literal(args, 0)
                {
                    self.check_lookup(&name, &at);
                }
                self.check_node(function);
                self.check_args(args);
            }
        }
    }

    /// `map('upper')` and `select('match', ..)` name a filter or a test in an argument.
    fn named_by(&mut self, filter: &str, args: &[Arg]) {
        let position = usize::from(matches!(filter, "selectattr" | "rejectattr"));
        let Some((name, at)) = find_literal(args, position) else { return };
        match filter {
            "map" => self.check_filter(&name, &at),
            "select" | "reject" | "selectattr" | "rejectattr" => self.check_test(&name, &at),
            _ => {}
        }
    }

    fn check_args(&mut self, args: &[Arg]) {
        for arg in args {
            match arg {
                Arg::Positional(node) | Arg::Named(_, node) | Arg::Splat(node) | Arg::NamedSplat(node) => {
                    self.check_node(node);
                }
            }
        }
    }
}

/// A literal text in this position.
fn find_literal(args: &[Arg], position: usize) -> Option<(String, At)> {
    match args.get(position)? {
        Arg::Positional(ExprNode { kind: ExprKind::Const(Value::Str(text)), at, .. }) => {
            Some((text.as_str().to_owned(), at.clone()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    fn template_text(text: &str) -> Text {
        let source = Source::new("play.yml", text.to_owned());
        Text::from_source(text, source.span(0..text.len()))
    }

    #[track_caller]
    fn case(text: &str, expected: &[(&str, &str)]) {
        let faults = TemplateEngine::lint_template(&template_text(text), None);
        let found: Vec<_> = faults.iter().map(|f| (f.message.as_str(), f.hints.join(" "))).collect();
        let found: Vec<_> = found.iter().map(|(message, hints)| (*message, hints.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn unknown_names_are_found_wherever_they_stand() {
        case("{{ a | uper }}", &[("there is no filter `uper`", "did you mean `upper`?")]);
        case("{{ a is definde }}", &[("there is no test `definde`", "did you mean `defined`?")]);
        case("{{ lookup('evn', 'HOME') }}", &[("there is no lookup `evn`", "did you mean `env`?")]);
        case("{{ a | map('uper') | list }}", &[("there is no filter `uper`", "did you mean `upper`?")]);
        case("{{ a | selectattr('x', 'definde') }}", &[("there is no test `definde`", "did you mean `defined`?")]);
        case(
            "{% if a %}{{ [1, b | lenght] }}{% endif %}",
            &[("there is no filter `lenght`", "did you mean `length`?")],
        );
        case("{{ a | ansible.builtin.upper if a is defined else lookup('env', 'X') }}", &[]);
        case("plain", &[]);
    }

    #[test]
    fn expressions_and_syntax() {
        assert_eq!(TemplateEngine::lint_expression(&template_text("a is definde"), None).len(), 1);
        assert_eq!(TemplateEngine::lint_expression(&template_text("a == 1 and b"), None).len(), 0);
        assert_eq!(TemplateEngine::lint_expression(&template_text("a =="), None).len(), 1);
        assert_eq!(TemplateEngine::lint_template(&template_text("{{ a"), None).len(), 1);
    }
}
