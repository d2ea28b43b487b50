//! Expressions.

use std::sync::Arc;

use minijinja::machinery::ast;
use num_bigint::BigInt;

use super::{MAX_DEPTH, MAX_ROW, Read, Reader, fail_at};
use crate::template::ast::{Arg, At, Comparison, ExprKind, ExprNode, Operator};
use crate::template::error::{TemplateError, TemplateErrorKind};
use crate::template::preprocess;
use crate::value::Value;

impl Reader<'_> {
    pub(super) fn parse_boxed(&self, expr: &ast::Expr<'_>) -> Read<Box<ExprNode>> {
        self.parse_node(expr).map(Box::new)
    }

    pub(super) fn parse_optional(&self, expr: Option<&ast::Expr<'_>>) -> Read<Option<Box<ExprNode>>> {
        expr.map(|expr| self.parse_boxed(expr)).transpose()
    }

    pub(super) fn parse_nodes(&self, exprs: &[ast::Expr<'_>]) -> Read<Vec<ExprNode>> {
        exprs.iter().map(|expr| self.parse_node(expr)).collect()
    }

    pub(super) fn parse_node(&self, expr: &ast::Expr<'_>) -> Read<ExprNode> {
        let depth = self.depth.get();
        if depth >= MAX_DEPTH {
            let message = format!("the expression nests deeper than {MAX_DEPTH} levels");
            return Err((TemplateError::new(TemplateErrorKind::Limit, message), self.span_range(expr.span())));
        }
        self.depth.set(depth + 1);
        let node = if let ast::Expr::BinOp(_) = expr { self.parse_operators(expr) } else { self.parse_any(expr) };
        self.depth.set(depth);
        node
    }

    /// A row of operators: as deep as it is long in the parser's tree, so it is walked without recursion.
    fn parse_operators(&self, expr: &ast::Expr<'_>) -> Read<ExprNode> {
        let (mut spine, mut first) = (Vec::new(), expr);
        while let ast::Expr::BinOp(binary) = first {
            spine.push((binary, self.span_range(first.span())));
            first = &binary.left;
        }
        if spine.len() > MAX_ROW {
            let message = format!("more than {MAX_ROW} operators in a row");
            return Err((TemplateError::new(TemplateErrorKind::Limit, message), self.span_range(expr.span())));
        }
        let mut node = self.parse_node(first)?;
        for (binary, at) in spine.into_iter().rev() {
            let right = self.parse_boxed(&binary.right)?;
            let at = node.at.start..at.end.max(node.at.start);
            node = ExprNode { kind: binary_kind(binary.op, Box::new(node), right), at };
        }
        Ok(node)
    }

    fn parse_any(&self, expr: &ast::Expr<'_>) -> Read<ExprNode> {
        let mut at = self.span_range(expr.span());
        let kind = match expr {
            ast::Expr::Var(var) => ExprKind::Var(self.original_name(var.id)?),
            ast::Expr::Const(_) => ExprKind::Const(self.parse_literal(&at)?),
            ast::Expr::List(list) => ExprKind::List(self.parse_nodes(&list.items)?),
            ast::Expr::Tuple(tuple) => ExprKind::Tuple(self.parse_nodes(&tuple.items)?),
            ast::Expr::Map(map) => {
                let pair = |(key, value)| Ok((self.parse_node(key)?, self.parse_node(value)?));
                ExprKind::Map(map.keys.iter().zip(&map.values).map(pair).collect::<Read<_>>()?)
            }
            ast::Expr::UnaryOp(unary) => {
                let operand = self.parse_boxed(&unary.expr)?;
                match unary.op {
                    // `a not in b` is a negated comparison to the parser.
                    ast::UnaryOpKind::Not => {
                        at.start = at.start.max(operand.at.start.min(at.end));
                        ExprKind::Not(operand)
                    }
                    ast::UnaryOpKind::Neg if self.text[at.clone()].starts_with('+') => ExprKind::Pos(operand),
                    ast::UnaryOpKind::Neg => ExprKind::Neg(operand),
                }
            }
            ast::Expr::BinOp(_) => return self.parse_operators(expr),
            ast::Expr::Compare(compare) => {
                let first = self.parse_boxed(&compare.expr)?;
                at = first.at.start..at.end.max(first.at.start);
                let rest = compare.ops.iter().map(|op| Ok((convert_comparison(op.op), self.parse_node(&op.expr)?)));
                ExprKind::Compare(first, rest.collect::<Read<_>>()?)
            }
            ast::Expr::IfExpr(choice) => {
                let then = self.parse_boxed(&choice.true_expr)?;
                at = then.at.start..at.end.max(then.at.start);
                let otherwise = self.parse_optional(choice.false_expr.as_ref())?;
                ExprKind::If { test: self.parse_boxed(&choice.test_expr)?, then, otherwise }
            }
            ast::Expr::Filter(filter) => {
                let input = self.parse_optional(filter.expr.as_ref())?;
                ExprKind::Filter(self.join_dotted_name(filter.name), input, self.parse_args(&filter.args)?)
            }
            ast::Expr::Test(test) => {
                self.reject_chained_test(test, &at)?;
                ExprKind::Test(
                    self.join_dotted_name(test.name),
                    self.parse_boxed(&test.expr)?,
                    self.parse_args(&test.args)?,
                )
            }
            ast::Expr::GetAttr(attr) => {
                let of = self.parse_boxed(&attr.expr)?;
                at = of.at.start..at.end.max(of.at.start);
                ExprKind::Attr(of, self.original_name(attr.name)?)
            }
            ast::Expr::GetItem(item) => {
                let of = self.parse_boxed(&item.expr)?;
                at = of.at.start..at.end.max(of.at.start);
                ExprKind::Item(of, self.parse_boxed(&item.subscript_expr)?)
            }
            ast::Expr::Slice(slice) => {
                let of = self.parse_boxed(&slice.expr)?;
                let bounds = [
                    self.parse_optional(slice.start.as_ref())?,
                    self.parse_optional(slice.stop.as_ref())?,
                    self.parse_optional(slice.step.as_ref())?,
                ];
                ExprKind::Slice(of, bounds)
            }
            ast::Expr::Call(call) => return self.call(call),
        };
        Ok(ExprNode { kind, at })
    }

    pub(super) fn call(&self, call: &ast::Spanned<ast::Call<'_>>) -> Read<ExprNode> {
        let target = self.parse_boxed(&call.expr)?;
        let at = target.at.start..self.span_range(call.span()).end.max(target.at.start);
        Ok(ExprNode { kind: ExprKind::Call(target, self.parse_args(&call.args)?), at })
    }

    /// A test right behind a test without arguments is a mistake in Jinja2 (`x is defined is true`).
    fn reject_chained_test(&self, test: &ast::Test<'_>, at: &At) -> Read<()> {
        let before = match &test.expr {
            ast::Expr::Test(before) => before,
            ast::Expr::UnaryOp(unary) => match &unary.expr {
                ast::Expr::Test(before) if matches!(unary.op, ast::UnaryOpKind::Not) => before,
                _ => return Ok(()),
            },
            _ => return Ok(()),
        };
        let between =
            self.text.get(self.slice_range(before.name).end..self.slice_range(test.name).start).unwrap_or_default();
        let is_chain = before.args.is_empty() && matches!(between.split_whitespace().collect::<Vec<_>>()[..], ["is"]);
        if is_chain {
            fail_at("syntax error in template: You cannot chain multiple tests with is", at.clone())
        } else {
            Ok(())
        }
    }

    /// The name of a filter or test, without blanks around its dots.
    fn join_dotted_name(&self, name: &str) -> Arc<str> {
        name.split('.').map(str::trim).collect::<Vec<_>>().join(".").into()
    }

    pub(super) fn parse_args(&self, args: &[ast::CallArg<'_>]) -> Read<Vec<Arg>> {
        let arg = |arg: &ast::CallArg<'_>| {
            Ok(match arg {
                ast::CallArg::Pos(value) => Arg::Positional(self.parse_node(value)?),
                ast::CallArg::Kwarg(name, value) => Arg::Named(self.original_name(name)?, self.parse_node(value)?),
                ast::CallArg::PosSplat(value) => Arg::Splat(self.parse_node(value)?),
                ast::CallArg::KwargSplat(value) => Arg::NamedSplat(self.parse_node(value)?),
            })
        };
        args.iter().map(arg).collect()
    }

    fn parse_literal(&self, at: &At) -> Read<Value> {
        let text = &self.text[at.clone()];
        match text.as_bytes().first() {
            Some(b'\'' | b'"') => {
                let text = self.line_ends(text);
                Ok(Value::text(preprocess::parse_strings(&text, self.literal_backslashes && self.in_output.get())))
            }
            Some(b't' | b'T') => Ok(Value::Bool(true)),
            Some(b'f' | b'F') => Ok(Value::Bool(false)),
            Some(b'n' | b'N') => Ok(Value::Null),
            _ => match parse_number(text) {
                Some(value) => Ok(value),
                None => fail_at(format!("`{text}` is not a number"), at.clone()),
            },
        }
    }
}

fn parse_number(text: &str) -> Option<Value> {
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

fn binary_kind(op: ast::BinOpKind, left: Box<ExprNode>, right: Box<ExprNode>) -> ExprKind {
    let compare = |op, left, right: Box<ExprNode>| ExprKind::Compare(left, vec![(op, *right)]);
    match op {
        ast::BinOpKind::Eq => compare(Comparison::Eq, left, right),
        ast::BinOpKind::Ne => compare(Comparison::Ne, left, right),
        ast::BinOpKind::Lt => compare(Comparison::Lt, left, right),
        ast::BinOpKind::Lte => compare(Comparison::Le, left, right),
        ast::BinOpKind::Gt => compare(Comparison::Gt, left, right),
        ast::BinOpKind::Gte => compare(Comparison::Ge, left, right),
        ast::BinOpKind::In => compare(Comparison::In, left, right),
        ast::BinOpKind::ScAnd => ExprKind::And(left, right),
        ast::BinOpKind::ScOr => ExprKind::Or(left, right),
        ast::BinOpKind::Add => ExprKind::Binary(Operator::Add, left, right),
        ast::BinOpKind::Sub => ExprKind::Binary(Operator::Sub, left, right),
        ast::BinOpKind::Mul => ExprKind::Binary(Operator::Mul, left, right),
        ast::BinOpKind::Div => ExprKind::Binary(Operator::Div, left, right),
        ast::BinOpKind::FloorDiv => ExprKind::Binary(Operator::FloorDiv, left, right),
        ast::BinOpKind::Rem => ExprKind::Binary(Operator::Rem, left, right),
        ast::BinOpKind::Pow => ExprKind::Binary(Operator::Pow, left, right),
        ast::BinOpKind::Concat => ExprKind::Binary(Operator::Concat, left, right),
    }
}

fn convert_comparison(op: ast::CompareOpKind) -> Comparison {
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
