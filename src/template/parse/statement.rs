//! Statements, and the text between them.

use std::borrow::Cow;
use std::sync::Arc;

use minijinja::machinery::ast;

use super::{Read, Reader, fail_at};
use crate::template::ast::{AssignTarget, At, ExprNode, ForLoop, Include, Macro, Stmt, StmtKind, TemplateBlock};
use crate::template::error::{TemplateError, TemplateErrorKind};

impl Reader<'_> {
    pub(super) fn parse_body(&self, stmts: &[ast::Stmt<'_>]) -> Read<Vec<Stmt>> {
        stmts.iter().map(|stmt| self.parse_stmt(stmt)).collect()
    }

    fn parse_stmt(&self, stmt: &ast::Stmt<'_>) -> Read<Stmt> {
        let (kind, at) = match stmt {
            ast::Stmt::Template(s) => (StmtKind::Plain(self.parse_body(&s.children)?), self.span_range(s.span())),
            ast::Stmt::EmitRaw(s) => self.parse_raw(s),
            ast::Stmt::EmitExpr(s) => (StmtKind::Emit(self.parse_output(&s.expr)?), self.span_range(s.span())),
            ast::Stmt::ForLoop(s) => (StmtKind::For(Arc::new(self.parse_for(s)?)), self.span_range(s.span())),
            ast::Stmt::IfCond(s) => {
                let (then, otherwise) = (self.parse_body(&s.true_body)?, self.parse_body(&s.false_body)?);
                (StmtKind::If(self.parse_node(&s.expr)?, then, otherwise), self.span_range(s.span()))
            }
            ast::Stmt::WithBlock(s) => {
                let bound = self.parse_assignments(&s.assignments)?;
                (StmtKind::With(bound, self.parse_body(&s.body)?), self.span_range(s.span()))
            }
            ast::Stmt::Set(s) => {
                (StmtKind::Set(self.parse_target(&s.target)?, self.parse_node(&s.expr)?), self.span_range(s.span()))
            }
            ast::Stmt::SetBlock(s) => {
                let filter = s.filter.as_ref().map(|expr| self.parse_node(expr)).transpose()?;
                let target = self.parse_target(&s.target)?;
                (StmtKind::SetBlock(target, filter, self.parse_body(&s.body)?), self.span_range(s.span()))
            }
            ast::Stmt::FilterBlock(s) => {
                let filter = self.parse_node(&s.filter)?;
                (StmtKind::FilterBlock(filter, self.parse_body(&s.body)?), self.span_range(s.span()))
            }
            ast::Stmt::AutoEscape(s) => (StmtKind::Plain(self.parse_body(&s.body)?), self.span_range(s.span())),
            ast::Stmt::Block(s) => {
                let block = TemplateBlock { name: self.original_name(s.name)?, body: self.parse_body(&s.body)? };
                (StmtKind::Block(Arc::new(block)), self.span_range(s.span()))
            }
            ast::Stmt::Extends(s) => (StmtKind::Extends(self.parse_node(&s.name)?), self.span_range(s.span())),
            ast::Stmt::Include(s) => {
                let at = self.span_range(s.span());
                (StmtKind::Include(self.parse_include(s, &at)?), at)
            }
            ast::Stmt::Import(s) => {
                let at = self.span_range(s.span());
                let with_context = self.says_with_context(&at);
                (StmtKind::Import(self.parse_node(&s.expr)?, self.parse_target(&s.name)?, with_context), at)
            }
            ast::Stmt::FromImport(s) => {
                let at = self.span_range(s.span());
                let with_context = self.says_with_context(&at);
                let names = self.parse_imported_names(&s.names)?;
                (StmtKind::FromImport(self.parse_node(&s.expr)?, names, with_context), at)
            }
            ast::Stmt::Macro(s) => (StmtKind::Macro(Arc::new(self.parse_macro(s)?)), self.span_range(s.span())),
            ast::Stmt::CallBlock(s) => {
                let call = self.call(&s.call)?;
                (StmtKind::Call(call, Arc::new(self.parse_macro(&s.macro_decl)?)), self.span_range(s.span()))
            }
            ast::Stmt::Do(s) => {
                let what = "syntax error in template: encountered unknown tag `do`";
                let fault = TemplateError::new(TemplateErrorKind::Syntax, what).hint("write `{% set _ = .. %}`");
                return Err((fault, self.span_range(s.span())));
            }
        };
        Ok(Stmt { kind, at })
    }

    /// Text between statements, with the blanks that the source has.
    fn parse_raw(&self, s: &ast::EmitRaw<'_>) -> (StmtKind, At) {
        let mut at = self.slice_range(s.raw);
        at.start -= usize::from(self.opens_raw(at.start));
        let raw = self.text.get(at.clone()).unwrap_or(s.raw);
        (StmtKind::Raw(self.line_ends(raw).into()), at)
    }

    fn parse_output(&self, expr: &ast::Expr<'_>) -> Read<ExprNode> {
        self.in_output.set(true);
        let node = self.parse_node(expr);
        self.in_output.set(false);
        node
    }

    fn parse_assignments(&self, given: &[(ast::Expr<'_>, ast::Expr<'_>)]) -> Read<Vec<(AssignTarget, ExprNode)>> {
        given.iter().map(|(target, value)| Ok((self.parse_target(target)?, self.parse_node(value)?))).collect()
    }

    fn parse_include(&self, s: &ast::Include<'_>, at: &At) -> Read<Include> {
        let with_context = !self.says_without_context(at);
        Ok(Include { name: self.parse_node(&s.name)?, ignore_missing: s.ignore_missing, with_context })
    }

    fn parse_for(&self, s: &ast::ForLoop<'_>) -> Read<ForLoop> {
        let filter = s.filter_expr.as_ref().map(|expr| self.parse_node(expr)).transpose()?;
        Ok(ForLoop {
            target: self.parse_target(&s.target)?,
            over: self.parse_node(&s.iter)?,
            filter,
            body: self.parse_body(&s.body)?,
            otherwise: self.parse_body(&s.else_body)?,
            recursive: s.recursive,
        })
    }

    /// The names of `{% from x import a, b as c %}`, each with the name it is bound to.
    fn parse_imported_names(
        &self,
        given: &[(ast::Expr<'_>, Option<ast::Expr<'_>>)],
    ) -> Read<Vec<(Arc<str>, Arc<str>)>> {
        let mut names = Vec::new();
        for (name, alias) in given {
            let name = self.simple_name(name)?;
            let alias = alias.as_ref().map(|alias| self.simple_name(alias)).transpose()?;
            names.push((Arc::clone(&name), alias.unwrap_or(name)));
        }
        Ok(names)
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
            ast::Expr::Var(var) => self.original_name(var.id),
            other => fail_at("expected a name", self.span_range(other.span())),
        }
    }

    fn parse_macro(&self, decl: &ast::Macro<'_>) -> Read<Macro> {
        let without = decl.args.len() - decl.defaults.len().min(decl.args.len());
        let mut params = Vec::new();
        for (index, arg) in decl.args.iter().enumerate() {
            let default = match index.checked_sub(without) {
                Some(place) => decl.defaults.get(place).map(|node| self.parse_node(node)).transpose()?,
                None => None,
            };
            params.push((self.simple_name(arg)?, default));
        }
        Ok(Macro { name: decl.name.into(), params, body: self.parse_body(&decl.body)? })
    }

    pub(super) fn parse_target(&self, expr: &ast::Expr<'_>) -> Read<AssignTarget> {
        match expr {
            ast::Expr::Var(var) => Ok(AssignTarget::Name(self.original_name(var.id)?)),
            ast::Expr::GetAttr(attr) => match &attr.expr {
                ast::Expr::Var(var) => Ok(AssignTarget::Attr(
                    self.original_name(var.id)?,
                    self.original_name(attr.name)?,
                    self.span_range(expr.span()),
                )),
                _ => fail_at("only one attribute can be assigned to", self.span_range(expr.span())),
            },
            ast::Expr::List(list) => {
                let targets = list.items.iter().map(|item| self.parse_target(item)).collect::<Read<_>>()?;
                Ok(AssignTarget::Unpack(targets, self.span_range(expr.span())))
            }
            other => fail_at("this cannot be assigned to", self.span_range(other.span())),
        }
    }
}
