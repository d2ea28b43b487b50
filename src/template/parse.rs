//! From text to [`Template`]: minijinja's parser, and what it cannot do.
//!
//! The parser works on a *masked* copy of the text that has the same length: what it would refuse or read differently
//! from Jinja2 (backslashes, huge integers, unary plus) is replaced by something harmless, and literals and raw text are
//! then read from the original at the same offsets.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Arc;

use minijinja::machinery::{Span, ast, parse, parse_expr};
use minijinja::syntax::SyntaxConfig;
use num_bigint::BigInt;

use super::call::RenderOptions;
use super::changes;
use super::fault::{Fault, FaultKind};
use super::literal;
use super::tree::{Arg, At, Block, Comparison, ForLoop, Kind, Macro, Node, Operator, Stmt, StmtKind, Target, Template};
use crate::value::Value;

/// Reads a template. A fault's place is given as offsets.
///
/// # Errors
/// If the text is no template.
pub fn template(text: &str, options: &RenderOptions) -> Result<Template, (Fault, At)> {
    let syntax = syntax(options).map_err(|fault| (fault, 0..0))?;
    if let Some(at) = literal::overlong(text, options, MAX_LENGTH) {
        return Err((Fault::new(FaultKind::Limit, "this expression is too long"), at));
    }
    let whole = |body| Template { body, changes: changes::may_change(text) };
    let masked = literal::mask(text);
    let reader = Reader {
        text,
        masked: &masked,
        literal_backslashes: options.escape_backslashes,
        newline: options.newline,
        in_output: Cell::new(false),
        depth: Cell::new(0),
    };
    match parse(&masked, "template", syntax.clone()) {
        Ok(ast::Stmt::Template(root)) => reader.body(&root.children).map(whole),
        Ok(_) => Err((Fault::new(FaultKind::Syntax, "this is no template"), 0..text.len())),
        Err(error) => {
            // A bare tuple (`{{ a, b }}`) needs brackets for the parser; they take the place of blanks.
            let Some(bracketed) = literal::bracket_tuples(&masked, options) else {
                return Err(reader.syntax_error(&error));
            };
            let reader = Reader { masked: &bracketed, ..reader };
            match parse(&bracketed, "template", syntax) {
                Ok(ast::Stmt::Template(root)) => reader.body(&root.children).map(whole),
                _ => Err(reader.syntax_error(&error)),
            }
        }
    }
}

/// Reads a bare expression (`when`, `debug: var`).
///
/// # Errors
/// If the text is no expression.
pub fn expression(text: &str) -> Result<Node, (Fault, At)> {
    if text.len() > MAX_LENGTH {
        return Err((Fault::new(FaultKind::Limit, "this expression is too long"), 0..MAX_LENGTH));
    }
    let masked = literal::mask(text);
    let reader = Reader {
        text,
        masked: &masked,
        literal_backslashes: false,
        newline: "\n",
        in_output: Cell::new(false),
        depth: Cell::new(0),
    };
    match parse_expr(&masked) {
        Ok(expr) => reader.node(&expr),
        Err(error) => Err(reader.syntax_error(&error)),
    }
}

fn syntax(options: &RenderOptions) -> Result<SyntaxConfig, Fault> {
    SyntaxConfig::builder()
        .block_delimiters(options.block.0.clone(), options.block.1.clone())
        .variable_delimiters(options.variable.0.clone(), options.variable.1.clone())
        .comment_delimiters(options.comment.0.clone(), options.comment.1.clone())
        .trim_blocks(options.trim_blocks)
        .lstrip_blocks(options.lstrip_blocks)
        .build()
        .map_err(|error| Fault::new(FaultKind::Syntax, format!("the delimiters are not usable: {error}")))
}

/// How deep expressions may nest, not counting rows of operators.
const MAX_DEPTH: usize = 200;
/// How many operators may stand in a row.
const MAX_ROW: usize = 5000;
/// The longest expression or statement, in bytes.
const MAX_LENGTH: usize = 32 << 10;

struct Reader<'t> {
    text: &'t str,
    masked: &'t str,
    literal_backslashes: bool,
    newline: &'static str,
    /// Inside `{{ }}`; in statements and bare expressions escapes hold in playbooks too.
    in_output: Cell<bool>,
    depth: Cell<usize>,
}

type Read<T> = Result<T, (Fault, At)>;

fn fail<T>(message: impl Into<String>, at: At) -> Read<T> {
    Err((Fault::new(FaultKind::Syntax, message), at))
}

impl Reader<'_> {
    fn syntax_error(&self, error: &minijinja::Error) -> (Fault, At) {
        let detail = error.detail().unwrap_or("this is no valid template").to_owned();
        let at = match error.range() {
            Some(range) => self.token(range),
            None => self.line(error.line().unwrap_or(1)),
        };
        (Fault::new(FaultKind::Syntax, format!("syntax error in template: {detail}")), at)
    }

    /// The token at which reading broke off; where the text ended too early, its end.
    fn token(&self, range: At) -> At {
        let whole = self.text.trim_end().len();
        let start = range.start.min(whole);
        let end = range.end.clamp(start, self.text.len());
        let ok = self.text.is_char_boundary(start) && self.text.is_char_boundary(end);
        if ok { start..end } else { 0..self.text.len() }
    }

    fn line(&self, number: usize) -> At {
        let mut start = 0;
        for (index, line) in self.text.split_inclusive('\n').enumerate() {
            if index + 1 == number {
                return start..start + line.trim_end().len();
            }
            start += line.len();
        }
        0..self.text.len()
    }

    fn at(&self, span: Span) -> At {
        let start = (span.start_offset as usize).min(self.text.len());
        let end = (span.end_offset as usize).clamp(start, self.text.len());
        if self.text.is_char_boundary(start) && self.text.is_char_boundary(end) {
            start..end
        } else {
            0..self.text.len()
        }
    }

    /// Where a slice of the masked text stands.
    fn place(&self, part: &str) -> At {
        let start = (part.as_ptr() as usize).saturating_sub(self.masked.as_ptr() as usize).min(self.text.len());
        start..(start + part.len()).min(self.text.len())
    }

    /// A name, from the original text: a masked backslash must not become part of one.
    fn name(&self, part: &str) -> Read<Arc<str>> {
        let at = self.place(part);
        match self.text.get(at.clone()) {
            Some(original) if original.contains('\\') => fail("syntax error in template: unexpected `\\`", at),
            Some(original) if original.len() == part.len() => Ok(original.into()),
            _ => Ok(part.into()),
        }
    }

    fn body(&self, stmts: &[ast::Stmt<'_>]) -> Read<Vec<Stmt>> {
        stmts.iter().map(|stmt| self.stmt(stmt)).collect()
    }

    fn stmt(&self, stmt: &ast::Stmt<'_>) -> Read<Stmt> {
        let (kind, at) = match stmt {
            ast::Stmt::Template(s) => (StmtKind::Plain(self.body(&s.children)?), self.at(s.span())),
            ast::Stmt::EmitRaw(s) => {
                let mut at = self.place(s.raw);
                at.start -= usize::from(self.opens_raw(at.start));
                let raw = self.text.get(at.clone()).unwrap_or(s.raw);
                (StmtKind::Raw(self.line_ends(raw).into()), at)
            }
            ast::Stmt::EmitExpr(s) => {
                self.in_output.set(true);
                let node = self.node(&s.expr);
                self.in_output.set(false);
                (StmtKind::Emit(node?), self.at(s.span()))
            }
            ast::Stmt::ForLoop(s) => {
                let filter = s.filter_expr.as_ref().map(|expr| self.node(expr)).transpose()?;
                let each = ForLoop {
                    target: self.target(&s.target)?,
                    over: self.node(&s.iter)?,
                    filter,
                    body: self.body(&s.body)?,
                    otherwise: self.body(&s.else_body)?,
                    recursive: s.recursive,
                };
                (StmtKind::For(Arc::new(each)), self.at(s.span()))
            }
            ast::Stmt::IfCond(s) => {
                let (then, otherwise) = (self.body(&s.true_body)?, self.body(&s.false_body)?);
                (StmtKind::If(self.node(&s.expr)?, then, otherwise), self.at(s.span()))
            }
            ast::Stmt::WithBlock(s) => {
                let bind =
                    |(target, value): &(ast::Expr<'_>, ast::Expr<'_>)| Ok((self.target(target)?, self.node(value)?));
                let bound = s.assignments.iter().map(bind).collect::<Read<_>>()?;
                (StmtKind::With(bound, self.body(&s.body)?), self.at(s.span()))
            }
            ast::Stmt::Set(s) => (StmtKind::Set(self.target(&s.target)?, self.node(&s.expr)?), self.at(s.span())),
            ast::Stmt::SetBlock(s) => {
                let filter = s.filter.as_ref().map(|expr| self.node(expr)).transpose()?;
                (StmtKind::SetBlock(self.target(&s.target)?, filter, self.body(&s.body)?), self.at(s.span()))
            }
            ast::Stmt::FilterBlock(s) => {
                (StmtKind::FilterBlock(self.node(&s.filter)?, self.body(&s.body)?), self.at(s.span()))
            }
            ast::Stmt::AutoEscape(s) => (StmtKind::Plain(self.body(&s.body)?), self.at(s.span())),
            ast::Stmt::Block(s) => {
                let block = Block { name: self.name(s.name)?, body: self.body(&s.body)? };
                (StmtKind::Block(Arc::new(block)), self.at(s.span()))
            }
            ast::Stmt::Extends(s) => (StmtKind::Extends(self.node(&s.name)?), self.at(s.span())),
            ast::Stmt::Include(s) => {
                let at = self.at(s.span());
                let with_context = !self.says_without_context(&at);
                let name = self.node(&s.name)?;
                (StmtKind::Include { name, ignore_missing: s.ignore_missing, with_context }, at)
            }
            ast::Stmt::Import(s) => {
                let at = self.at(s.span());
                let with_context = self.says_with_context(&at);
                (StmtKind::Import(self.node(&s.expr)?, self.target(&s.name)?, with_context), at)
            }
            ast::Stmt::FromImport(s) => {
                let at = self.at(s.span());
                let with_context = self.says_with_context(&at);
                let mut names = Vec::new();
                for (name, alias) in &s.names {
                    let name = self.simple_name(name)?;
                    let alias = alias.as_ref().map(|alias| self.simple_name(alias)).transpose()?;
                    names.push((Arc::clone(&name), alias.unwrap_or(name)));
                }
                (StmtKind::FromImport(self.node(&s.expr)?, names, with_context), at)
            }
            ast::Stmt::Macro(s) => (StmtKind::Macro(Arc::new(self.declaration(s)?)), self.at(s.span())),
            ast::Stmt::CallBlock(s) => {
                let at = self.at(s.span());
                let call = self.call(&s.call)?;
                (StmtKind::Call(call, Arc::new(self.declaration(&s.macro_decl)?)), at)
            }
            ast::Stmt::Do(s) => {
                let fault = Fault::new(FaultKind::Syntax, "syntax error in template: encountered unknown tag `do`");
                return Err((fault.hint("write `{% set _ = .. %}`"), self.at(s.span())));
            }
        };
        Ok(Stmt { kind, at })
    }

    /// Whether a text begins behind the line break behind `{% raw %}`: unlike other blocks it keeps that one.
    fn opens_raw(&self, start: usize) -> bool {
        let before = self.text.get(..start).and_then(|before| before.strip_suffix("%}\n"));
        let tag = before.and_then(|before| before.rfind("{%").map(|open| &before[open + 2..]));
        tag.is_some_and(|tag| tag.trim_start_matches(['-', '+']).trim() == "raw")
    }

    /// Text with the ends of lines that are asked for.
    fn line_ends<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.newline == "\n" && !text.contains('\r') {
            return Cow::Borrowed(text);
        }
        let unix = text.replace("\r\n", "\n").replace('\r', "\n");
        Cow::Owned(if self.newline == "\n" { unix } else { unix.replace('\n', self.newline) })
    }

    fn says_without_context(&self, at: &At) -> bool {
        self.text[at.clone()].split_whitespace().rev().take(4).any(|word| word == "without")
    }

    fn says_with_context(&self, at: &At) -> bool {
        self.text[at.clone()].split_whitespace().rev().nth(1) == Some("with")
    }

    fn simple_name(&self, expr: &ast::Expr<'_>) -> Read<Arc<str>> {
        match expr {
            ast::Expr::Var(var) => self.name(var.id),
            other => fail("expected a name", self.at(other.span())),
        }
    }

    fn declaration(&self, decl: &ast::Macro<'_>) -> Read<Macro> {
        let without = decl.args.len() - decl.defaults.len().min(decl.args.len());
        let mut params = Vec::new();
        for (index, arg) in decl.args.iter().enumerate() {
            let default = match index.checked_sub(without) {
                Some(place) => decl.defaults.get(place).map(|node| self.node(node)).transpose()?,
                None => None,
            };
            params.push((self.simple_name(arg)?, default));
        }
        Ok(Macro { name: decl.name.into(), params, body: self.body(&decl.body)? })
    }

    fn target(&self, expr: &ast::Expr<'_>) -> Read<Target> {
        match expr {
            ast::Expr::Var(var) => Ok(Target::Name(self.name(var.id)?)),
            ast::Expr::GetAttr(attr) => match &attr.expr {
                ast::Expr::Var(var) => {
                    Ok(Target::Attr(self.name(var.id)?, self.name(attr.name)?, self.at(expr.span())))
                }
                _ => fail("only one attribute can be assigned to", self.at(expr.span())),
            },
            ast::Expr::List(list) => {
                let targets = list.items.iter().map(|item| self.target(item)).collect::<Read<_>>()?;
                Ok(Target::Unpack(targets, self.at(expr.span())))
            }
            other => fail("this cannot be assigned to", self.at(other.span())),
        }
    }

    fn boxed(&self, expr: &ast::Expr<'_>) -> Read<Box<Node>> {
        self.node(expr).map(Box::new)
    }

    fn maybe(&self, expr: Option<&ast::Expr<'_>>) -> Read<Option<Box<Node>>> {
        expr.map(|expr| self.boxed(expr)).transpose()
    }

    fn nodes(&self, exprs: &[ast::Expr<'_>]) -> Read<Vec<Node>> {
        exprs.iter().map(|expr| self.node(expr)).collect()
    }

    fn node(&self, expr: &ast::Expr<'_>) -> Read<Node> {
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

    fn call(&self, call: &ast::Spanned<ast::Call<'_>>) -> Read<Node> {
        let target = self.boxed(&call.expr)?;
        let at = target.at.start..self.at(call.span()).end.max(target.at.start);
        Ok(Node { kind: Kind::Call(target, self.args(&call.args)?), at })
    }

    /// The name of a filter or test, without blanks around its dots.
    fn dotted(&self, name: &str) -> Arc<str> {
        name.split('.').map(str::trim).collect::<Vec<_>>().join(".").into()
    }

    fn args(&self, args: &[ast::CallArg<'_>]) -> Read<Vec<Arg>> {
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
                Ok(Value::text(literal::strings(text, self.literal_backslashes && self.in_output.get())))
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
        None => digits.parse().ok().map(Value::Float),
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
