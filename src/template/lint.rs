//! What can be said of a template without running it: its syntax, and names of filters, tests, lookups and functions
//! that nobody knows.

use super::ast::{Arg, At, Kind, Node, Stmt, StmtKind};
use super::engine::Engine;
use super::error::{Fault, FaultKind};
use super::parse;
use super::plugin;
use super::registry;
use super::source_map::Place;
use crate::value::{Text, Value};

impl Engine<'_> {
    /// Everything that is wrong with a template, whatever its variables are. Text that is no template is fine.
    pub fn lint(text: &Text) -> Vec<Fault> {
        if !text.is_template() {
            return Vec::new();
        }
        let place = Place::of(text);
        match parse::template(text, &plugin::RenderOptions::default()) {
            Ok(template) => {
                let mut lint = Lint { place, faults: Vec::new() };
                lint.body(&template.body);
                lint.faults
            }
            Err((fault, at)) => vec![fault.or_at(place.span(&at).as_ref())],
        }
    }

    /// Everything that is wrong with a bare expression (`when`).
    pub fn lint_expression(text: &Text) -> Vec<Fault> {
        if text.is_template() || !text.is_trusted() {
            return Self::lint(text);
        }
        let place = Place::of(text);
        match parse::expression(text) {
            Ok(node) => {
                let mut lint = Lint { place, faults: Vec::new() };
                lint.node(&node);
                lint.faults
            }
            Err((fault, at)) => vec![fault.or_at(place.span(&at).as_ref())],
        }
    }
}

struct Lint {
    place: Place,
    faults: Vec<Fault>,
}

impl Lint {
    fn unknown(&mut self, kind: &str, name: &str, names: &[&str], at: &At) {
        let message = format!("there is no {kind} `{name}`");
        let fault = Fault::new(FaultKind::UnknownName, message).suggest(name, names);
        self.faults.push(fault.or_at(self.place.span(at).as_ref()));
    }

    fn filter(&mut self, name: &str, at: &At) {
        if registry::filter(name).is_none() {
            self.unknown("filter", name, &registry::filter_names(), at);
        }
    }

    fn test(&mut self, name: &str, at: &At) {
        if registry::test(name).is_none() {
            self.unknown("test", name, &registry::test_names(), at);
        }
    }

    fn lookup(&mut self, name: &str, at: &At) {
        if registry::lookup(name).is_none() {
            self.unknown("lookup", name, &registry::lookup_names(), at);
        }
    }

    fn body(&mut self, body: &[Stmt]) {
        body.iter().for_each(|stmt| self.stmt(stmt));
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Raw(_) => {}
            StmtKind::Emit(node) | StmtKind::Set(_, node) | StmtKind::Extends(node) => self.node(node),
            StmtKind::Import(node, ..) | StmtKind::FromImport(node, ..) => self.node(node),
            StmtKind::Include { name, .. } => self.node(name),
            StmtKind::For(each) => {
                self.node(&each.over);
                each.filter.iter().for_each(|node| self.node(node));
                self.body(&each.body);
                self.body(&each.otherwise);
            }
            StmtKind::If(test, then, otherwise) => {
                self.node(test);
                self.body(then);
                self.body(otherwise);
            }
            StmtKind::With(bindings, body) => {
                bindings.iter().for_each(|(_, node)| self.node(node));
                self.body(body);
            }
            StmtKind::SetBlock(_, filter, body) => {
                filter.iter().for_each(|node| self.node(node));
                self.body(body);
            }
            StmtKind::FilterBlock(filter, body) => {
                self.node(filter);
                self.body(body);
            }
            StmtKind::Plain(body) => self.body(body),
            StmtKind::Block(block) => self.body(&block.body),
            StmtKind::Macro(made) => self.body(&made.body),
            StmtKind::Call(node, made) => {
                self.node(node);
                self.body(&made.body);
            }
        }
    }

    fn node(&mut self, node: &Node) {
        match &node.kind {
            Kind::Const(_) | Kind::Var(_) => {}
            Kind::List(items) | Kind::Tuple(items) => items.iter().for_each(|item| self.node(item)),
            Kind::Map(pairs) => pairs.iter().for_each(|(key, value)| {
                self.node(key);
                self.node(value);
            }),
            Kind::Neg(inner) | Kind::Pos(inner) | Kind::Not(inner) | Kind::Attr(inner, _) => self.node(inner),
            Kind::And(a, b) | Kind::Or(a, b) | Kind::Binary(_, a, b) | Kind::Item(a, b) => {
                self.node(a);
                self.node(b);
            }
            Kind::Compare(first, others) => {
                self.node(first);
                others.iter().for_each(|(_, other)| self.node(other));
            }
            Kind::If { test, then, otherwise } => {
                self.node(test);
                self.node(then);
                otherwise.iter().for_each(|node| self.node(node));
            }
            Kind::Slice(inner, bounds) => {
                self.node(inner);
                bounds.iter().flatten().for_each(|bound| self.node(bound));
            }
            Kind::Filter(name, input, args) => {
                input.iter().for_each(|input| self.node(input));
                self.filter(name, &node.at);
                self.named_by(name, args);
                self.args(args);
            }
            Kind::Test(name, input, args) => {
                self.node(input);
                self.test(name, &node.at);
                self.args(args);
            }
            Kind::Call(function, args) => {
                if let Kind::Var(name) = &function.kind
                    && matches!(&**name, "lookup" | "query" | "q")
                    && let Some((name, at)) = literal(args, 0)
                {
                    self.lookup(&name, &at);
                }
                self.node(function);
                self.args(args);
            }
        }
    }

    /// `map('upper')` and `select('match', ..)` name a filter or a test in an argument.
    fn named_by(&mut self, filter: &str, args: &[Arg]) {
        let position = usize::from(matches!(filter, "selectattr" | "rejectattr"));
        let Some((name, at)) = literal(args, position) else { return };
        match filter {
            "map" => self.filter(&name, &at),
            "select" | "reject" | "selectattr" | "rejectattr" => self.test(&name, &at),
            _ => {}
        }
    }

    fn args(&mut self, args: &[Arg]) {
        for arg in args {
            match arg {
                Arg::Positional(node) | Arg::Named(_, node) | Arg::Splat(node) | Arg::NamedSplat(node) => {
                    self.node(node);
                }
            }
        }
    }
}

/// A literal text in this position.
fn literal(args: &[Arg], position: usize) -> Option<(String, At)> {
    match args.get(position)? {
        Arg::Positional(Node { kind: Kind::Const(Value::Str(text)), at, .. }) => {
            Some((text.as_str().to_owned(), at.clone()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    fn written(text: &str) -> Text {
        let source = Source::new("play.yml", text.to_owned());
        Text::written(text, source.span(0..text.len()))
    }

    #[track_caller]
    fn case(text: &str, expected: &[(&str, &str)]) {
        let faults = Engine::lint(&written(text));
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
        assert_eq!(Engine::lint_expression(&written("a is definde")).len(), 1);
        assert_eq!(Engine::lint_expression(&written("a == 1 and b")).len(), 0);
        assert_eq!(Engine::lint_expression(&written("a ==")).len(), 1);
        assert_eq!(Engine::lint(&written("{{ a")).len(), 1);
    }
}
