//! Statements, and the text between them.

use std::borrow::Cow;
use std::sync::Arc;

use minijinja::machinery::ast;

use super::{Read, Reader, fail};
use crate::template::ast::{At, Block, ForLoop, Macro, Stmt, StmtKind, Target};
use crate::template::error::{Fault, FaultKind};

impl Reader<'_> {
    pub(super) fn body(&self, stmts: &[ast::Stmt<'_>]) -> Read<Vec<Stmt>> {
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
    pub(super) fn line_ends<'a>(&self, text: &'a str) -> Cow<'a, str> {
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

    pub(super) fn simple_name(&self, expr: &ast::Expr<'_>) -> Read<Arc<str>> {
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

    pub(super) fn target(&self, expr: &ast::Expr<'_>) -> Read<Target> {
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
}
