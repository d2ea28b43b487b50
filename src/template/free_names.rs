//! Which names a template's body uses.

use super::ast::{Arg, ExprKind, ExprNode, Include, Stmt, StmtKind};

/// Whether a body uses a name.
pub fn uses_name(body: &[Stmt], name: &str) -> bool {
    body.iter().any(|stmt| in_stmt(stmt, name))
}

fn in_stmt(stmt: &Stmt, name: &str) -> bool {
    match &stmt.kind {
        StmtKind::Raw(_) | StmtKind::Macro(_) => false,
        StmtKind::Emit(node) | StmtKind::Set(_, node) | StmtKind::Extends(node) => in_node(node, name),
        StmtKind::For(each) => {
            in_node(&each.over, name)
                || each.filter.as_ref().is_some_and(|node| in_node(node, name))
                || uses_name(&each.body, name)
                || uses_name(&each.otherwise, name)
        }
        StmtKind::If(test, then, otherwise) => {
            in_node(test, name) || uses_name(then, name) || uses_name(otherwise, name)
        }
        StmtKind::With(bound, body) => bound.iter().any(|(_, node)| in_node(node, name)) || uses_name(body, name),
        StmtKind::SetBlock(_, filter, body) => {
            filter.as_ref().is_some_and(|node| in_node(node, name)) || uses_name(body, name)
        }
        StmtKind::FilterBlock(node, body) => in_node(node, name) || uses_name(body, name),
        StmtKind::Plain(body) => uses_name(body, name),
        StmtKind::Block(block) => uses_name(&block.body, name),
        StmtKind::Include(Include { name: node, .. }) | StmtKind::Import(node, ..) | StmtKind::FromImport(node, ..) => {
            in_node(node, name)
        }
        StmtKind::Call(call, body) => in_node(call, name) || uses_name(&body.body, name),
    }
}

fn in_node(node: &ExprNode, name: &str) -> bool {
    let any = |nodes: &[ExprNode]| nodes.iter().any(|node| in_node(node, name));
    let args = |args: &[Arg]| {
        args.iter().any(|arg| match arg {
            Arg::Positional(node) | Arg::Named(_, node) | Arg::Splat(node) | Arg::NamedSplat(node) => {
                in_node(node, name)
            }
        })
    };
    match &node.kind {
        ExprKind::Const(_) => false,
        ExprKind::Var(own) => **own == *name,
        ExprKind::List(items) | ExprKind::Tuple(items) => any(items),
        ExprKind::Map(entries) => entries.iter().any(|(key, value)| in_node(key, name) || in_node(value, name)),
        ExprKind::Neg(of) | ExprKind::Pos(of) | ExprKind::Not(of) | ExprKind::Attr(of, _) => in_node(of, name),
        ExprKind::And(a, b) | ExprKind::Or(a, b) | ExprKind::Binary(_, a, b) | ExprKind::Item(a, b) => {
            in_node(a, name) || in_node(b, name)
        }
        ExprKind::Compare(first, rest) => in_node(first, name) || rest.iter().any(|(_, node)| in_node(node, name)),
        ExprKind::If { test, then, otherwise } => {
            in_node(test, name) || in_node(then, name) || otherwise.as_ref().is_some_and(|node| in_node(node, name))
        }
        ExprKind::Filter(_, input, list) => input.as_ref().is_some_and(|node| in_node(node, name)) || args(list),
        ExprKind::Test(_, input, list) | ExprKind::Call(input, list) => in_node(input, name) || args(list),
        ExprKind::Slice(of, bounds) => in_node(of, name) || bounds.iter().flatten().any(|node| in_node(node, name)),
    }
}
