//! Expressions.

use std::sync::Arc;

use minijinja::machinery::ast;
use num_bigint::BigInt;

use super::{MAX_DEPTH, MAX_ROW, Read, Reader, fail};
use crate::template::ast::{Arg, At, Comparison, Kind, Node, Operator};
use crate::template::error::{Fault, FaultKind};
use crate::template::preprocess;
use crate::value::Value;

impl Reader<'_> {
    pub(super) fn boxed(&self, expr: &ast::Expr<'_>) -> Read<Box<Node>> {
        self.node(expr).map(Box::new)
    }

    pub(super) fn maybe(&self, expr: Option<&ast::Expr<'_>>) -> Read<Option<Box<Node>>> {
        expr.map(|expr| self.boxed(expr)).transpose()
    }

    pub(super) fn nodes(&self, exprs: &[ast::Expr<'_>]) -> Read<Vec<Node>> {
        exprs.iter().map(|expr| self.node(expr)).collect()
    }

    pub(super) fn node(&self, expr: &ast::Expr<'_>) -> Read<Node> {
        let depth = self.depth.get();
        if depth >= MAX_DEPTH {
            let message = format!("the expression nests deeper than {MAX_DEPTH} levels");
            return Err((Fault::new(FaultKind::Limit, message), self.at(expr.span())));
        }
        self.depth.set(depth + 1);
        let node = if let ast::Expr::BinOp(_) = expr { self.row(expr) } else { self.any(expr) };
        self.depth.set(depth);
        node
    }

    /// A row of operators: as deep as it is long in the parser's tree, so it is walked without recursion.
    fn row(&self, expr: &ast::Expr<'_>) -> Read<Node> {
        let (mut spine, mut first) = (Vec::new(), expr);
        while let ast::Expr::BinOp(binary) = first {
            spine.push((binary, self.at(first.span())));
            first = &binary.left;
        }
        if spine.len() > MAX_ROW {
            let message = format!("more than {MAX_ROW} operators in a row");
            return Err((Fault::new(FaultKind::Limit, message), self.at(expr.span())));
        }
        let mut node = self.node(first)?;
        for (binary, at) in spine.into_iter().rev() {
            let right = self.boxed(&binary.right)?;
            let at = node.at.start..at.end.max(node.at.start);
            node = Node { kind: binary_kind(binary.op, Box::new(node), right), at };
        }
        Ok(node)
    }

    fn any(&self, expr: &ast::Expr<'_>) -> Read<Node> {
        let mut at = self.at(expr.span());
        let kind = match expr {
            ast::Expr::Var(var) => Kind::Var(self.name(var.id)?),
            ast::Expr::Const(_) => Kind::Const(self.literal(&at)?),
            ast::Expr::List(list) => Kind::List(self.nodes(&list.items)?),
            ast::Expr::Tuple(tuple) => Kind::Tuple(self.nodes(&tuple.items)?),
            ast::Expr::Map(map) => {
                let pair = |(key, value)| Ok((self.node(key)?, self.node(value)?));
                Kind::Map(map.keys.iter().zip(&map.values).map(pair).collect::<Read<_>>()?)
            }
            ast::Expr::UnaryOp(unary) => {
                let operand = self.boxed(&unary.expr)?;
                match unary.op {
                    // `a not in b` is a negated comparison to the parser.
                    ast::UnaryOpKind::Not => {
                        at.start = at.start.max(operand.at.start.min(at.end));
                        Kind::Not(operand)
                    }
                    ast::UnaryOpKind::Neg if self.text[at.clone()].starts_with('+') => Kind::Pos(operand),
                    ast::UnaryOpKind::Neg => Kind::Neg(operand),
                }
            }
            ast::Expr::BinOp(_) => return self.row(expr),
            ast::Expr::Compare(compare) => {
                let first = self.boxed(&compare.expr)?;
                at = first.at.start..at.end.max(first.at.start);
                let rest = compare.ops.iter().map(|op| Ok((comparison(op.op), self.node(&op.expr)?)));
                Kind::Compare(first, rest.collect::<Read<_>>()?)
            }
            ast::Expr::IfExpr(choice) => {
                let then = self.boxed(&choice.true_expr)?;
                at = then.at.start..at.end.max(then.at.start);
                let otherwise = self.maybe(choice.false_expr.as_ref())?;
                Kind::If { test: self.boxed(&choice.test_expr)?, then, otherwise }
            }
            ast::Expr::Filter(filter) => {
                let input = self.maybe(filter.expr.as_ref())?;
                Kind::Filter(self.dotted(filter.name), input, self.args(&filter.args)?)
            }
            ast::Expr::Test(test) => {
                self.refuse_chain(test, &at)?;
                Kind::Test(self.dotted(test.name), self.boxed(&test.expr)?, self.args(&test.args)?)
            }
            ast::Expr::GetAttr(attr) => {
                let of = self.boxed(&attr.expr)?;
                at = of.at.start..at.end.max(of.at.start);
                Kind::Attr(of, self.name(attr.name)?)
            }
            ast::Expr::GetItem(item) => {
                let of = self.boxed(&item.expr)?;
                at = of.at.start..at.end.max(of.at.start);
                Kind::Item(of, self.boxed(&item.subscript_expr)?)
            }
            ast::Expr::Slice(slice) => {
                let of = self.boxed(&slice.expr)?;
                let bounds = [
                    self.maybe(slice.start.as_ref())?,
                    self.maybe(slice.stop.as_ref())?,
                    self.maybe(slice.step.as_ref())?,
                ];
                Kind::Slice(of, bounds)
            }
            ast::Expr::Call(call) => return self.call(call),
        };
        Ok(Node { kind, at })
    }

    pub(super) fn call(&self, call: &ast::Spanned<ast::Call<'_>>) -> Read<Node> {
        let target = self.boxed(&call.expr)?;
        let at = target.at.start..self.at(call.span()).end.max(target.at.start);
        Ok(Node { kind: Kind::Call(target, self.args(&call.args)?), at })
    }

    /// A test right behind a test without arguments is a mistake in Jinja2 (`x is defined is true`).
    fn refuse_chain(&self, test: &ast::Test<'_>, at: &At) -> Read<()> {
        let before = match &test.expr {
            ast::Expr::Test(before) => before,
            ast::Expr::UnaryOp(unary) => match &unary.expr {
                ast::Expr::Test(before) if matches!(unary.op, ast::UnaryOpKind::Not) => before,
                _ => return Ok(()),
            },
            _ => return Ok(()),
        };
        let between = self.text.get(self.place(before.name).end..self.place(test.name).start).unwrap_or_default();
        let is_chain = before.args.is_empty() && matches!(between.split_whitespace().collect::<Vec<_>>()[..], ["is"]);
        if is_chain {
            fail("syntax error in template: You cannot chain multiple tests with is", at.clone())
        } else {
            Ok(())
        }
    }

    /// The name of a filter or test, without blanks around its dots.
    fn dotted(&self, name: &str) -> Arc<str> {
        name.split('.').map(str::trim).collect::<Vec<_>>().join(".").into()
    }

    pub(super) fn args(&self, args: &[ast::CallArg<'_>]) -> Read<Vec<Arg>> {
        let arg = |arg: &ast::CallArg<'_>| {
            Ok(match arg {
                ast::CallArg::Pos(value) => Arg::Positional(self.node(value)?),
                ast::CallArg::Kwarg(name, value) => Arg::Named(self.name(name)?, self.node(value)?),
                ast::CallArg::PosSplat(value) => Arg::Splat(self.node(value)?),
                ast::CallArg::KwargSplat(value) => Arg::NamedSplat(self.node(value)?),
            })
        };
        args.iter().map(arg).collect()
    }

    fn literal(&self, at: &At) -> Read<Value> {
        let text = &self.text[at.clone()];
        match text.as_bytes().first() {
            Some(b'\'' | b'"') => {
                let text = self.line_ends(text);
                Ok(Value::text(preprocess::strings(&text, self.literal_backslashes && self.in_output.get())))
            }
            Some(b't' | b'T') => Ok(Value::Bool(true)),
            Some(b'f' | b'F') => Ok(Value::Bool(false)),
            Some(b'n' | b'N') => Ok(Value::Null),
            _ => match number(text) {
                Some(value) => Ok(value),
                None => fail(format!("`{text}` is no number"), at.clone()),
            },
        }
    }
}

fn number(text: &str) -> Option<Value> {
    let (whole, rest) = text.split_at(text.find(|c: char| c != '_' && !c.is_ascii_digit()).unwrap_or(text.len()));
    // Neither zeros in front nor a bare point make a number in Jinja2.
    let zeros = rest.is_empty() && whole.starts_with('0') && whole.contains(|c: char| ('1'..='9').contains(&c));
    if zeros || rest.strip_prefix('.').is_some_and(|fraction| !fraction.starts_with(|c: char| c.is_ascii_digit())) {
        return None;
    }
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    let radix = match digits.get(..2) {
        Some("0x" | "0X") => 16,
        Some("0o" | "0O") => 8,
        Some("0b" | "0B") => 2,
        _ => 10,
    };
    let whole = if radix == 10 { &digits[..] } else { &digits[2..] };
    match BigInt::parse_bytes(whole.as_bytes(), radix) {
        Some(number) => Some(Value::big(number)),
        // Python code, which templates become, has no way to write what is not finite.
        None => digits.parse().ok().filter(|float: &f64| float.is_finite()).map(Value::Float),
    }
}

fn binary_kind(op: ast::BinOpKind, left: Box<Node>, right: Box<Node>) -> Kind {
    let compare = |op, left, right: Box<Node>| Kind::Compare(left, vec![(op, *right)]);
    match op {
        ast::BinOpKind::Eq => compare(Comparison::Eq, left, right),
        ast::BinOpKind::Ne => compare(Comparison::Ne, left, right),
        ast::BinOpKind::Lt => compare(Comparison::Lt, left, right),
        ast::BinOpKind::Lte => compare(Comparison::Le, left, right),
        ast::BinOpKind::Gt => compare(Comparison::Gt, left, right),
        ast::BinOpKind::Gte => compare(Comparison::Ge, left, right),
        ast::BinOpKind::In => compare(Comparison::In, left, right),
        ast::BinOpKind::ScAnd => Kind::And(left, right),
        ast::BinOpKind::ScOr => Kind::Or(left, right),
        ast::BinOpKind::Add => Kind::Binary(Operator::Add, left, right),
        ast::BinOpKind::Sub => Kind::Binary(Operator::Sub, left, right),
        ast::BinOpKind::Mul => Kind::Binary(Operator::Mul, left, right),
        ast::BinOpKind::Div => Kind::Binary(Operator::Div, left, right),
        ast::BinOpKind::FloorDiv => Kind::Binary(Operator::FloorDiv, left, right),
        ast::BinOpKind::Rem => Kind::Binary(Operator::Rem, left, right),
        ast::BinOpKind::Pow => Kind::Binary(Operator::Pow, left, right),
        ast::BinOpKind::Concat => Kind::Binary(Operator::Concat, left, right),
    }
}

fn comparison(op: ast::CompareOpKind) -> Comparison {
    match op {
        ast::CompareOpKind::Eq => Comparison::Eq,
        ast::CompareOpKind::Ne => Comparison::Ne,
        ast::CompareOpKind::Lt => Comparison::Lt,
        ast::CompareOpKind::Lte => Comparison::Le,
        ast::CompareOpKind::Gt => Comparison::Gt,
        ast::CompareOpKind::Gte => Comparison::Ge,
        ast::CompareOpKind::In => Comparison::In,
        ast::CompareOpKind::NotIn => Comparison::NotIn,
    }
}
