//! Statements, and how what they print becomes one value.

use std::collections::HashMap;
use std::sync::Arc;

use super::ast::{
    AssignTarget, At, ExprKind, ExprNode, ForLoop, Include, Macro, ParsedTemplate, Stmt, StmtKind, TemplateBlock,
};
use super::budget;
use super::engine::TemplateEngine;
use super::error::{TemplateError, TemplateErrorKind};
use super::eval::Cx;
use super::locals::Locals;
use super::objects::{self, BlockCall, ImportedModule, LoopState, MacroObject, Namespace};
use super::python::coerce;
use super::source_map::SourceMap;
use crate::value::{UndefinedCause, Value, python};

/// For each name the definitions of a block, the child's first, with the places they stand in.
pub(super) type BlockMap = HashMap<Arc<str>, Vec<(Arc<TemplateBlock>, Arc<SourceMap>)>>;

/// The blocks of a template and those it extends.
#[derive(Debug, Default)]
pub(super) struct Blocks(pub(super) BlockMap);

/// Printed pieces.
#[derive(Default)]
pub(super) struct RenderOutput(Vec<Piece>);

/// One run of a loop over the items it is given.
struct LoopCall<'a> {
    each: &'a Arc<ForLoop>,
    over: Value,
    /// How often a recursive loop has called itself to get here.
    level: usize,
}

/// A piece of what has been printed.
enum Piece {
    /// Keeps its type if it stays the only one.
    Value(Value, Option<At>),
    /// Several texts that follow one another.
    Texts(String),
}

impl RenderOutput {
    fn push_raw(&mut self, text: &Arc<str>) -> Result<(), TemplateError> {
        if text.is_empty() || self.append_text(text)? {
            return Ok(());
        }
        self.0.push(Piece::Value(Value::text(Arc::clone(text)), None));
        Ok(())
    }

    fn push_value(&mut self, value: Value, at: &At) -> Result<(), TemplateError> {
        match &value {
            // Null prints as nothing, so it is not a piece.
            Value::Null => return Ok(()),
            Value::Str(text) if !text.is_secret() && self.append_text(text)? => return Ok(()),
            _ => {}
        }
        self.0.push(Piece::Value(value, Some(at.clone())));
        Ok(())
    }

    /// Adds a text to the text before it, if there is one.
    fn append_text(&mut self, text: &str) -> Result<bool, TemplateError> {
        budget::reserve_output(text.len())?;
        match self.0.last_mut() {
            Some(Piece::Texts(before)) => before.push_str(text),
            Some(last @ Piece::Value(Value::Str(_), _)) => {
                let Piece::Value(Value::Str(before), _) = &*last else { return Ok(false) };
                if before.is_secret() {
                    return Ok(false);
                }
                *last = Piece::Texts(format!("{}{text}", before.as_str()));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl TemplateEngine<'_> {
    /// Renders a whole template.
    pub(super) fn render_template(
        &self,
        template: &ParsedTemplate,
        locals: &Arc<Locals>,
        place: &SourceMap,
    ) -> Result<Value, TemplateError> {
        if template.changes {
            self.changes.start_tracking();
        }
        // The usual case: one expression, or text without any.
        let cx = Cx { locals: Arc::clone(locals), place: Arc::new(place.clone()), blocks: Arc::default() };
        match template.body.as_slice() {
            [] => return Ok(Value::Null),
            [Stmt { kind: StmtKind::Emit(node), .. }] => return self.evaluate_node(node, &cx),
            _ => {}
        }
        if template.body.iter().any(|stmt| matches!(stmt.kind, StmtKind::Extends(_) | StmtKind::Block(_))) {
            return self.run_inheritance(template, cx, HashMap::new());
        }
        let mut out = RenderOutput::default();
        self.render_stmts(&template.body, &cx, &mut out)?;
        self.join_pieces(out, &cx)
    }

    /// A template with blocks; those in `blocks` come from templates that extend it.
    fn run_inheritance(&self, template: &ParsedTemplate, cx: Cx, mut blocks: BlockMap) -> Result<Value, TemplateError> {
        collect_blocks(&template.body, &cx.place, &mut blocks);
        let cx = Cx { blocks: Arc::new(Blocks(blocks)), ..cx };
        cx.locals.set("self", Value::Object(Arc::new(objects::SelfBlocks::new(&cx))));
        let mut out = RenderOutput::default();
        for (index, stmt) in template.body.iter().enumerate() {
            if let StmtKind::Extends(name) = &stmt.kind {
                // The rest is run for what it binds; only blocks of it can print.
                let mut unseen = RenderOutput::default();
                for later in &template.body[index + 1..] {
                    if !matches!(later.kind, StmtKind::Block(_)) {
                        self.render_stmt(later, &cx, &mut unseen)?;
                    }
                }
                let name = self.evaluate_node(name, &cx)?;
                let (parent, place) =
                    self.load_template(&name, &cx).map_err(|f| f.or_at(cx.place.span(&stmt.at).as_ref()))?;
                let inherited = cx.blocks.0.iter().map(|(name, chain)| (Arc::clone(name), chain.clone())).collect();
                let cx = Cx { place: Arc::new(place), ..cx };
                return self.run_deeper(|| self.run_inheritance(&parent, cx, inherited));
            }
            self.render_stmt(stmt, &cx, &mut out)?;
        }
        self.join_pieces(out, &cx)
    }

    /// Joins the pieces: none is null, one keeps its type, several are text.
    fn join_pieces(&self, out: RenderOutput, cx: &Cx) -> Result<Value, TemplateError> {
        let mut pieces = out.0;
        if pieces.len() <= 1 {
            return Ok(match pieces.pop() {
                None => Value::Null,
                Some(Piece::Value(value, _)) => value,
                Some(Piece::Texts(text)) => Value::text(text),
            });
        }
        let (mut text, mut hidden, mut missing) = (String::new(), false, None);
        for piece in pieces {
            let (value, at) = match piece {
                Piece::Value(value, at) => (value, at),
                Piece::Texts(part) => {
                    text.push_str(&part);
                    continue;
                }
            };
            let span = || at.as_ref().and_then(|at| cx.place.span(at));
            if let Value::Unknown(unknown) = &value {
                missing.get_or_insert_with(|| Arc::clone(unknown));
            }
            hidden |= self.print_value(&mut text, value).map_err(|fault| fault.or_at(span().as_ref()))?;
        }
        Ok(match missing {
            Some(unknown) => Value::Unknown(Arc::new(unknown.shown_as(text))),
            None if hidden => Value::text(text).into_tainted(),
            None => Value::text(text),
        })
    }

    /// Writes a value as part of a longer text; true if something in it is secret.
    fn print_value(&self, text: &mut String, value: Value) -> Result<bool, TemplateError> {
        match value {
            Value::Null | Value::Omit => Ok(false),
            Value::Str(part) => {
                text.push_str(&part);
                Ok(part.is_secret())
            }
            Value::Undefined(why) if why.is_caused_by(&UndefinedCause::NoElse) => Ok(false),
            Value::Undefined(why) => Err(self.suggest_variable(TemplateError::from_undefined(&why))),
            other => {
                let value = self.resolve_deep(other)?;
                let hidden = value.holds_secret();
                let plain = self.to_plain_data(value, false)?;
                budget::reserve_printed(&plain, |_| 2)?;
                python::write_str(text, &plain);
                Ok(hidden || plain.holds_secret())
            }
        }
    }

    /// The text of an operand of `~`.
    pub(super) fn tilde_text(&self, value: &Value) -> Result<String, TemplateError> {
        match value {
            Value::Unknown(unknown) => Ok(unknown.shown.clone()),
            Value::Object(_) => coerce::to_text(&self.to_plain_data(value.clone(), false)?),
            other => {
                let value = self.resolve_deep(other.clone())?;
                // Refuses undefined members; tuples print as such.
                self.to_plain_data(value.clone(), false)?;
                coerce::to_text(&value)
            }
        }
    }

    fn render_stmts(&self, stmts: &[Stmt], cx: &Cx, out: &mut RenderOutput) -> Result<(), TemplateError> {
        stmts.iter().try_for_each(|stmt| self.render_stmt(stmt, cx, out))
    }

    /// Renders a body to one value.
    pub(super) fn render_body(&self, stmts: &[Stmt], cx: &Cx) -> Result<Value, TemplateError> {
        let mut out = RenderOutput::default();
        self.run_deeper(|| self.render_stmts(stmts, cx, &mut out))?;
        self.join_pieces(out, cx)
    }

    fn render_stmt(&self, stmt: &Stmt, cx: &Cx, out: &mut RenderOutput) -> Result<(), TemplateError> {
        self.count_step()?;
        let place = |fault: TemplateError| fault.or_at(cx.place.span(&stmt.at).as_ref());
        match &stmt.kind {
            StmtKind::Raw(text) => out.push_raw(text)?,
            StmtKind::Emit(node) => self.render_output(node, cx, out)?,
            StmtKind::For(each) => self.render_for(each, cx, out)?,
            StmtKind::If(test, then, otherwise) => self.render_if(test, [then, otherwise], cx, out)?,
            StmtKind::With(bound, body) => {
                let inner = Cx { locals: cx.locals.new_inside(), ..cx.clone() };
                for (target, node) in bound {
                    let value = self.evaluate_node(node, cx)?;
                    self.bind_target(target, value, &inner).map_err(place)?;
                }
                self.run_deeper(|| self.render_stmts(body, &inner, out))?;
            }
            StmtKind::Set(target, node) => {
                let value = self.evaluate_node(node, cx)?;
                self.bind_target(target, value, cx).map_err(place)?;
            }
            StmtKind::SetBlock(target, filter, body) => {
                let value = self.render_captured(body, filter.as_ref(), cx)?;
                self.bind_target(target, value, cx).map_err(place)?;
            }
            StmtKind::FilterBlock(filter, body) => {
                let value = self.render_captured(body, Some(filter), cx)?;
                out.push_value(value, &stmt.at)?;
            }
            StmtKind::Plain(body) => self.run_deeper(|| self.render_stmts(body, cx, out))?,
            StmtKind::Block(block) => {
                let value = self.render_block(&block.name, 0, cx)?;
                out.push_value(value, &stmt.at)?;
            }
            StmtKind::Extends(_) => {
                return Err(place(TemplateError::value("`extends` must be at the top of a template")));
            }
            StmtKind::Include(include) => self.render_include(include, &stmt.at, cx, out)?,
            StmtKind::Import(name, target, with_context) => {
                let module = self.import_template(name, *with_context, cx).map_err(place)?;
                self.bind_target(target, module, cx).map_err(place)?;
            }
            StmtKind::FromImport(name, names, with_context) => {
                let module = self.import_template(name, *with_context, cx).map_err(place)?;
                self.bind_imported(&module, names, cx)?;
            }
            StmtKind::Macro(decl) => cx.locals.set(Arc::clone(&decl.name), self.macro_object(decl, cx)),
            StmtKind::Call(call, body) => {
                let ExprNode { kind: ExprKind::Call(target, args), .. } = call else {
                    return Err(place(TemplateError::value("`call` needs a call")));
                };
                let target = self.evaluate_node(target, cx)?;
                let mut args = self.evaluate_args(args, cx)?;
                args.named.push(("caller".into(), self.macro_object(body, cx)));
                out.push_value(self.call_value(&target, args).map_err(place)?, &call.at)?;
            }
        }
        Ok(())
    }

    /// `{{ .. }}`
    fn render_output(&self, node: &ExprNode, cx: &Cx, out: &mut RenderOutput) -> Result<(), TemplateError> {
        let mut value = self.evaluate_node(node, cx)?;
        if self.changes.is_own(&value) {
            // It is printed as it is now, whatever changes it later; what variables give is printed at the end.
            value = self.resolve_deep(value)?;
        }
        out.push_value(value, &node.at)
    }

    fn render_for(&self, each: &Arc<ForLoop>, cx: &Cx, out: &mut RenderOutput) -> Result<(), TemplateError> {
        let over = self.evaluate_node(&each.over, cx)?;
        self.run_deeper(|| self.render_loop(LoopCall { each, over, level: 0 }, cx, out))
            .map_err(|fault| fault.or_at(cx.place.span(&each.over.at).as_ref()))
    }

    /// Renders one of two branches; a test that is not known yet prints as unknown.
    fn render_if(
        &self,
        test: &ExprNode,
        [then, otherwise]: [&[Stmt]; 2],
        cx: &Cx,
        out: &mut RenderOutput,
    ) -> Result<(), TemplateError> {
        let value = self.evaluate_node(test, cx)?;
        if let Value::Undefined(why) = &value {
            let fault = self.suggest_variable(TemplateError::from_undefined(why));
            return Err(fault.or_at(cx.place.span(&test.at).as_ref()));
        }
        match self.evaluate_truth(&value) {
            Ok(true) => self.run_deeper(|| self.render_stmts(then, cx, out)),
            Ok(false) => self.run_deeper(|| self.render_stmts(otherwise, cx, out)),
            Err(unknown) => out.push_value(Value::Unknown(unknown).new_computed(), &test.at),
        }
    }

    /// The value of a body that is not printed where it stands, filtered.
    fn render_captured(&self, body: &[Stmt], filter: Option<&ExprNode>, cx: &Cx) -> Result<Value, TemplateError> {
        let inner = Cx { locals: cx.locals.new_inside(), ..cx.clone() };
        let value = self.render_body(body, &inner)?;
        match filter {
            Some(filter) => self.filter_chain(filter, value, cx),
            None => Ok(value),
        }
    }

    /// Binds the names of `{% from x import a as b %}`.
    fn bind_imported(&self, module: &Value, names: &[(Arc<str>, Arc<str>)], cx: &Cx) -> Result<(), TemplateError> {
        for (name, alias) in names {
            let found = match self.get_attribute(module, name)? {
                Value::Undefined(_) => Value::undefined(format!("the imported template has no `{name}`")),
                found => found,
            };
            cx.locals.set(Arc::clone(alias), found);
        }
        Ok(())
    }

    /// The filters of `{% filter a | b %}`, innermost first, on a value.
    fn filter_chain(&self, node: &ExprNode, value: Value, cx: &Cx) -> Result<Value, TemplateError> {
        let ExprKind::Filter(name, input, args) = &node.kind else { return Ok(value) };
        let value = match input {
            Some(inner) => self.filter_chain(inner, value, cx)?,
            None => value,
        };
        let args = self.evaluate_args(args, cx)?;
        self.apply_filter(name, value, args).map_err(|fault| fault.or_at(cx.place.span(&node.at).as_ref()))
    }

    fn bind_target(&self, target: &AssignTarget, value: Value, cx: &Cx) -> Result<(), TemplateError> {
        match target {
            AssignTarget::Name(name) => {
                cx.locals.set(Arc::clone(name), value);
                Ok(())
            }
            AssignTarget::Attr(of, name, _) => match cx.locals.get(of) {
                Some(Value::Object(object)) if object.as_any().is::<Namespace>() => {
                    if let Some(namespace) = object.as_any().downcast_ref::<Namespace>() {
                        namespace.set(name, value);
                    }
                    Ok(())
                }
                _ => Err(TemplateError::value("cannot assign attribute on non-namespace object")),
            },
            AssignTarget::Unpack(targets, _) => {
                let members = self.members_of(&value)?;
                if members.len() != targets.len() {
                    let (want, have) = (targets.len(), members.len());
                    return Err(TemplateError::value(if have > want {
                        format!("too many values to unpack (expected {want})")
                    } else {
                        format!("not enough values to unpack (expected {want}, got {have})")
                    }));
                }
                targets.iter().zip(members).try_for_each(|(target, member)| self.bind_target(target, member, cx))
            }
        }
    }

    fn render_loop(&self, call: LoopCall<'_>, cx: &Cx, out: &mut RenderOutput) -> Result<(), TemplateError> {
        let LoopCall { each, over, level } = call;
        if over.is_unknown() {
            out.push_value(over.new_computed(), &each.over.at)?;
            return Ok(());
        }
        let mut items = self.members_of(&over)?;
        if let Some(filter) = &each.filter {
            items = self.filter_items(each, filter, items, cx)?;
        }
        if items.is_empty() {
            return self.render_stmts(&each.otherwise, cx, out);
        }
        let state = Arc::new(LoopState::new(items.clone(), level, Arc::clone(each), cx));
        for (index, item) in items.into_iter().enumerate() {
            let inner = Cx { locals: cx.locals.new_inside(), ..cx.clone() };
            state.move_to(index);
            inner.locals.set("loop", Value::Object(Arc::clone(&state) as _));
            self.bind_target(&each.target, item, &inner)?;
            self.render_stmts(&each.body, &inner, out)?;
        }
        Ok(())
    }

    /// The items of a loop for which its `if` holds.
    fn filter_items(
        &self,
        each: &ForLoop,
        filter: &ExprNode,
        items: Vec<Value>,
        cx: &Cx,
    ) -> Result<Vec<Value>, TemplateError> {
        let mut kept = Vec::new();
        for item in items {
            let inner = Cx { locals: cx.locals.new_inside(), ..cx.clone() };
            self.bind_target(&each.target, item.clone(), &inner)?;
            let value = self.evaluate_node(filter, &inner)?;
            if let Value::Undefined(why) = &value {
                return Err(self.suggest_variable(TemplateError::from_undefined(why)));
            }
            if value.is_true() {
                kept.push(item);
            }
        }
        Ok(kept)
    }

    /// `loop(x)` of a recursive loop.
    pub(super) fn recurse_loop(&self, state: &LoopState, over: Value) -> Result<Value, TemplateError> {
        if !state.each.recursive {
            return Err(TemplateError::value("the loop must have the `recursive` marker to be called recursively"));
        }
        let Some(cx) = state.upgrade_context() else { return Err(TemplateError::value("the loop has ended")) };
        let mut out = RenderOutput::default();
        let call = LoopCall { each: &state.each, over, level: state.level + 1 };
        self.run_deeper(|| self.render_loop(call, &cx, &mut out))?;
        self.join_pieces(out, &cx)
    }

    fn macro_object(&self, decl: &Arc<Macro>, cx: &Cx) -> Value {
        self.keep_level(&cx.locals);
        Value::Object(Arc::new(MacroObject::new(Arc::clone(decl), cx)))
    }

    /// Runs the block of a name; `level` counts from the outermost child upwards.
    pub(super) fn render_block(&self, name: &Arc<str>, level: usize, cx: &Cx) -> Result<Value, TemplateError> {
        let Some((block, place)) = cx.blocks.0.get(name).and_then(|chain| chain.get(level)) else {
            return Err(TemplateError::undefined(format!("there is no parent block called '{name}'")));
        };
        let inner = Cx { locals: cx.locals.new_inside(), place: Arc::clone(place), blocks: Arc::clone(&cx.blocks) };
        let parent = BlockCall::new(Arc::clone(name), level + 1, &inner);
        self.keep_level(&inner.locals);
        inner.locals.set("super", Value::Object(Arc::new(parent)));
        let own = objects::SelfBlocks::new(cx);
        inner.locals.set("self", Value::Object(Arc::new(own)));
        self.render_body(&block.body, &inner)
    }

    fn render_include(&self, include: &Include, at: &At, cx: &Cx, out: &mut RenderOutput) -> Result<(), TemplateError> {
        let name = self.evaluate_node(&include.name, cx)?;
        let (template, place) = match self.load_template(&name, cx) {
            Err(fault) if include.ignore_missing && fault.kind == TemplateErrorKind::Lookup => return Ok(()),
            other => other.map_err(|fault| fault.or_at(cx.place.span(at).as_ref()))?,
        };
        let locals = if include.with_context { cx.locals.new_inside() } else { Locals::new_secluded() };
        let value = self.run_deeper(|| self.render_template(&template, &locals, &place))?;
        out.push_value(value, at)
    }

    fn import_template(&self, name: &ExprNode, with_context: bool, cx: &Cx) -> Result<Value, TemplateError> {
        let name = self.evaluate_node(name, cx)?;
        let (template, place) = self.load_template(&name, cx)?;
        let locals = if with_context { cx.locals.new_inside() } else { Locals::new_secluded() };
        let output = self.run_deeper(|| self.render_template(&template, &locals, &place))?;
        self.keep_level(&locals);
        Ok(Value::Object(Arc::new(ImportedModule::new(locals, output))))
    }
}

fn collect_blocks(stmts: &[Stmt], place: &Arc<SourceMap>, blocks: &mut BlockMap) {
    for stmt in stmts {
        match &stmt.kind {
            StmtKind::Block(block) => {
                blocks.entry(Arc::clone(&block.name)).or_default().push((Arc::clone(block), Arc::clone(place)));
                collect_blocks(&block.body, place, blocks);
            }
            StmtKind::If(_, then, otherwise) => {
                collect_blocks(then, place, blocks);
                collect_blocks(otherwise, place, blocks);
            }
            StmtKind::For(each) => collect_blocks(&each.body, place, blocks),
            StmtKind::With(_, body) | StmtKind::Plain(body) | StmtKind::FilterBlock(_, body) => {
                collect_blocks(body, place, blocks);
            }
            _ => {}
        }
    }
}
