//! Which names a template's body uses.

use super::ast::{Arg, Kind, Node, Stmt, StmtKind};

/// Whether a body uses a name.
pub fn uses(body: &[Stmt], name: &str) -> bool {
    body.iter().any(|stmt| in_stmt(stmt, name))
}

fn in_stmt(stmt: &Stmt, name: &str) -> bool {
    match &stmt.kind {
        StmtKind::Raw(_) | StmtKind::Macro(_) => false,
        StmtKind::Emit(node) | StmtKind::Set(_, node) | StmtKind::Extends(node) => in_node(node, name),
        StmtKind::For(each) => {
            in_node(&each.over, name)
                || each.filter.as_ref().is_some_and(|node| in_node(node, name))
                || uses(&each.body, name)
                || uses(&each.otherwise, name)
        }
        StmtKind::If(test, then, otherwise) => in_node(test, name) || uses(then, name) || uses(otherwise, name),
        StmtKind::With(bound, body) => bound.iter().any(|(_, node)| in_node(node, name)) || uses(body, name),
        StmtKind::SetBlock(_, filter, body) => {
            filter.as_ref().is_some_and(|node| in_node(node, name)) || uses(body, name)
        }
        StmtKind::FilterBlock(node, body) => in_node(node, name) || uses(body, name),
        StmtKind::Plain(body) => uses(body, name),
        StmtKind::Block(block) => uses(&block.body, name),
        StmtKind::Include { name: node, .. } | StmtKind::Import(node, ..) | StmtKind::FromImport(node, ..) => {
            in_node(node, name)
        }
        StmtKind::Call(call, body) => in_node(call, name) || uses(&body.body, name),
    }
}

fn in_node(node: &Node, name: &str) -> bool {
    let any = |nodes: &[Node]| nodes.iter().any(|node| in_node(node, name));
    let args = |args: &[Arg]| {
        args.iter().any(|arg| match arg {
            Arg::Positional(node) | Arg::Named(_, node) | Arg::Splat(node) | Arg::NamedSplat(node) => {
                in_node(node, name)
            }
        })
    };
    match &node.kind {
        Kind::Const(_) => false,
        Kind::Var(own) => **own == *name,
        Kind::List(items) | Kind::Tuple(items) => any(items),
        Kind::Map(entries) => entries.iter().any(|(key, value)| in_node(key, name) || in_node(value, name)),
        Kind::Neg(of) | Kind::Pos(of) | Kind::Not(of) | Kind::Attr(of, _) => in_node(of, name),
        Kind::And(a, b) | Kind::Or(a, b) | Kind::Binary(_, a, b) | Kind::Item(a, b) => {
            in_node(a, name) || in_node(b, name)
        }
        Kind::Compare(first, rest) => in_node(first, name) || rest.iter().any(|(_, node)| in_node(node, name)),
        Kind::If { test, then, otherwise } => {
            in_node(test, name) || in_node(then, name) || otherwise.as_ref().is_some_and(|node| in_node(node, name))
        }
        Kind::Filter(_, input, list) => input.as_ref().is_some_and(|node| in_node(node, name)) || args(list),
        Kind::Test(_, input, list) | Kind::Call(input, list) => in_node(input, name) || args(list),
        Kind::Slice(of, bounds) => in_node(of, name) || bounds.iter().flatten().any(|node| in_node(node, name)),
    }
}
