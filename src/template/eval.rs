//! Expressions.

use std::sync::Arc;

use super::ast::{Arg, Comparison, ExprKind, ExprNode, Operator};
use super::comparison;
use super::engine::{TemplateEngine, undefined_at};
use super::error::{TemplateError, TemplateErrorKind};
use super::functions;
use super::locals::Locals;
use super::notes::Deprecation;
use super::objects::{Function, Method};
use super::ops;
use super::plugin::{PluginArgs, PluginCall};
use super::range::Range;
use super::registry;
use super::render::Blocks;
use super::sequence;
use super::source_map::SourceMap;
use super::taint::Taint;
use crate::value::{Dict, Text, Undefined, UndefinedCause, Unknown, Value};

/// Message of an inline `if` without `else`; prints as nothing inside a longer text.
const NO_ELSE: &str = "the inline if-expression evaluated to false and no else section was defined";

/// Context of an evaluation.
#[derive(Debug, Clone)]
pub(super) struct Cx {
    pub(super) locals: Arc<Locals>,
    pub(super) place: Arc<SourceMap>,
    pub(super) blocks: Arc<Blocks>,
}

impl TemplateEngine<'_> {
    /// An expression's value; the top of it is ready for use, members may still be raw.
    pub(super) fn evaluate_node(&self, node: &ExprNode, cx: &Cx) -> Result<Value, TemplateError> {
        self.count_step().map_err(|fault| fault.or_at(cx.place.span(&node.at).as_ref()))?;
        self.run_deeper(|| self.evaluate_kind(node, cx)).map_err(|fault| match fault.span {
            Some(_) => fault,
            None => fault.or_at(cx.place.span(&node.at).as_ref()),
        })
    }

    /// An expression's value, which must be defined.
    fn evaluate_defined(&self, node: &ExprNode, cx: &Cx) -> Result<Value, TemplateError> {
        match self.evaluate_node(node, cx)? {
            Value::Undefined(why) => Err(self.suggest_variable(TemplateError::from_undefined(&why))),
            value => Ok(value),
        }
    }

    /// Evaluates the input of a filter or test: a vaulted variable stays sealed where the plugin accepts that.
    fn evaluate_input(
        &self,
        node: &ExprNode,
        cx: &Cx,
        takes_sealed: impl Fn() -> bool,
    ) -> Result<Value, TemplateError> {
        if let ExprKind::Var(name) = &node.kind
            && cx.locals.get(name).is_none()
            && !cx.locals.is_secluded()
            && takes_sealed()
            && let Some(sealed @ Value::Sealed(_)) = self.scope.get(name)
        {
            return Ok(sealed);
        }
        self.evaluate_node(node, cx)
    }

    /// An operand: defined, members templated.
    fn evaluate_operand(&self, node: &ExprNode, cx: &Cx) -> Result<Value, TemplateError> {
        self.resolve_deep(self.evaluate_defined(node, cx)?)
    }

    /// Adds "did you mean" to a failure about a variable.
    pub(super) fn suggest_variable(&self, fault: TemplateError) -> TemplateError {
        match fault.cause.clone().as_deref() {
            Some(UndefinedCause::Variable(name)) if fault.hints.is_empty() => {
                fault.suggest_name(name, self.scope.variable_names().iter().filter(|known| known.as_str() != &**name))
            }
            _ => fault,
        }
    }

    fn evaluate_kind(&self, node: &ExprNode, cx: &Cx) -> Result<Value, TemplateError> {
        match &node.kind {
            ExprKind::Const(Value::Str(text)) => self.evaluate_quoted(text, node, cx),
            ExprKind::Const(value) => Ok(value.clone()),
            ExprKind::Var(name) => self.resolve_name(name, node, cx),
            ExprKind::List(items) => {
                let list = Value::list(self.evaluate_nodes(items, cx)?.into_iter().map(stored_text));
                self.changes.add_own(&list);
                Ok(list)
            }
            ExprKind::Tuple(items) => Ok(Value::tuple(self.evaluate_nodes(items, cx)?)),
            ExprKind::Map(entries) => self.evaluate_map(entries, cx),
            ExprKind::Neg(of) => apply_sign(&self.evaluate_defined(of, cx)?, ops::negate_value),
            ExprKind::Pos(of) => apply_sign(&self.evaluate_defined(of, cx)?, ops::apply_plus),
            ExprKind::Not(of) => Ok(match self.evaluate_truth(&self.evaluate_defined(of, cx)?) {
                Ok(truth) => Value::Bool(!truth),
                Err(unknown) => Value::Unknown(unknown).new_computed(),
            }),
            ExprKind::And(..) | ExprKind::Or(..) => self.evaluate_logic(node, cx),
            ExprKind::Binary(..) if is_literal(node) => {
                self.evaluate_chain(node, cx).inspect(|result| self.changes.add_own(result))
            }
            ExprKind::Binary(..) => self.evaluate_chain(node, cx),
            ExprKind::Compare(first, rest) => self.evaluate_comparisons(first, rest, cx),
            ExprKind::If { test, then, otherwise } => match self.evaluate_truth(&self.evaluate_defined(test, cx)?) {
                Ok(true) => self.evaluate_node(then, cx),
                Ok(false) => match otherwise {
                    Some(otherwise) => self.evaluate_node(otherwise, cx),
                    None => {
                        let why = Undefined::new(NO_ELSE).caused_by(UndefinedCause::NoElse);
                        Ok(undefined_at(why, cx.place.span(&node.at)))
                    }
                },
                Err(unknown) => Ok(Value::Unknown(unknown).new_computed()),
            },
            ExprKind::Filter(name, input, args) => {
                let input = match input {
                    Some(input) => {
                        self.evaluate_input(input, cx, || registry::find_filter(name).is_some_and(|f| f.takes_sealed))?
                    }
                    None => Value::Null,
                };
                let args = self.evaluate_args(args, cx)?;
                self.defer_failure(self.apply_filter(name, input, args), node, cx)
            }
            ExprKind::Test(name, input, args) => {
                let input =
                    self.evaluate_input(input, cx, || registry::find_test(name).is_some_and(|test| test.takes_sealed))?;
                let args = self.evaluate_args(args, cx)?;
                self.defer_failure(self.apply_test(name, input, args), node, cx)
            }
            ExprKind::Attr(of, name) => {
                let of = self.evaluate_node(of, cx)?;
                self.get_attribute(&of, name).map(|value| self.add_place(value, node, cx))
            }
            ExprKind::Item(of, key) => {
                let of = self.evaluate_node(of, cx)?;
                let key = self.evaluate_operand(key, cx)?;
                self.get_item(&of, &key).map(|value| self.add_place(value, node, cx))
            }
            ExprKind::Slice(of, bounds) => self.evaluate_slice(of, bounds, cx),
            ExprKind::Call(target, args) => {
                let callable = self.evaluate_node(target, cx)?;
                if callable.is_undefined() {
                    return Ok(callable);
                }
                let values = self.evaluate_args(args, cx)?;
                let result = self.call_value(&callable, values);
                if is_plugin(&callable) { self.defer_failure(result, node, cx) } else { result }
            }
        }
    }

    /// Text in quotes: a template in it is rendered where a condition has one.
    fn evaluate_quoted(&self, text: &Text, node: &ExprNode, cx: &Cx) -> Result<Value, TemplateError> {
        let Some(template) = cx.place.literal_template(text, &node.at) else {
            return Ok(Value::Str(cx.place.quoted_template(text, &node.at).unwrap_or_else(|| text.clone())));
        };
        let message = format!(
            "text in quotes in a condition should be no template: join the parts with `~` in place of `{}`",
            text.trim()
        );
        self.globals.add_deprecation(Deprecation { message, rule: None });
        self.resolve_value(Value::Str(template), None)
    }

    fn evaluate_map(&self, entries: &[(ExprNode, ExprNode)], cx: &Cx) -> Result<Value, TemplateError> {
        let mut dict = Dict::new();
        for (key, value) in entries {
            let key = self.evaluate_operand(key, cx)?;
            if !key.is_hashable() {
                return Err(TemplateError::value(format!("unhashable type: '{}'", key.type_name())));
            }
            dict.insert(key, stored_text(self.evaluate_node(value, cx)?));
        }
        let dict = Value::from(dict);
        self.changes.add_own(&dict);
        Ok(dict)
    }

    /// `a < b < c`: the first comparison that does not hold decides.
    fn evaluate_comparisons(
        &self,
        first: &ExprNode,
        rest: &[(Comparison, ExprNode)],
        cx: &Cx,
    ) -> Result<Value, TemplateError> {
        let mut left = self.evaluate_operand(first, cx)?;
        let mut unknown = None;
        for (op, right) in rest {
            let right = self.evaluate_operand(right, cx)?;
            match comparison::compare_values(*op, &left, &right, self)? {
                Value::Bool(true) => {}
                Value::Unknown(why) => unknown = Some(why),
                no => return Ok(no),
            }
            left = right;
        }
        Ok(unknown.map_or(Value::Bool(true), Value::Unknown))
    }

    /// `a[start:stop:step]`
    fn evaluate_slice(
        &self,
        of: &ExprNode,
        bounds: &[Option<Box<ExprNode>>; 3],
        cx: &Cx,
    ) -> Result<Value, TemplateError> {
        let of = self.changes.current_value(self.evaluate_node(of, cx)?);
        if of.is_undefined() {
            return Ok(of);
        }
        let mut tainted = of.is_tainted();
        let mut at = [None, None, None];
        for (slot, bound) in at.iter_mut().zip(bounds) {
            let bound = bound.as_ref().map(|bound| self.evaluate_defined(bound, cx)).transpose()?;
            tainted |= bound.as_ref().is_some_and(Value::is_tainted);
            *slot = bound.map(Value::without_taint);
        }
        let piece = sequence::slice_value(of.below_taint(), &at)?;
        let piece = if tainted { piece.into_tainted() } else { piece };
        self.changes.add_own(&piece);
        Ok(piece)
    }

    /// Defers the failure of a filter, test or lookup until its value is used: `x | default(lookup(..))` does
    /// not need the lookup where `x` exists.
    fn defer_failure(
        &self,
        result: Result<Value, TemplateError>,
        node: &ExprNode,
        cx: &Cx,
    ) -> Result<Value, TemplateError> {
        result.or_else(|fault| fault.or_at(cx.place.span(&node.at).as_ref()).into_deferred())
    }

    fn evaluate_nodes(&self, nodes: &[ExprNode], cx: &Cx) -> Result<Vec<Value>, TemplateError> {
        nodes.iter().map(|node| self.evaluate_node(node, cx)).collect()
    }

    /// Gives an undefined value the place of the expression that found nothing.
    fn add_place(&self, value: Value, node: &ExprNode, cx: &Cx) -> Value {
        match value {
            Value::Undefined(why) if why.span.is_none() => {
                Value::Undefined(Arc::new(Undefined { span: cx.place.span(&node.at), ..(*why).clone() }))
            }
            other => other,
        }
    }

    fn resolve_name(&self, name: &str, node: &ExprNode, cx: &Cx) -> Result<Value, TemplateError> {
        if let Some(value) = cx.locals.get(name) {
            return self.resolve_value(value, Some(name));
        }
        if !cx.locals.is_secluded()
            && let Some(value) = self.play_variable(name)?
        {
            return Ok(value);
        }
        if let Some(value) = functions::find_global(name) {
            return Ok(value);
        }
        Ok(undefined_at(Undefined::from_variable(name), cx.place.span(&node.at)))
    }

    /// Truth in templates, or what it waits for.
    pub(super) fn evaluate_truth(&self, value: &Value) -> Result<bool, Arc<Unknown>> {
        match value {
            Value::Unknown(unknown) => Err(Arc::clone(unknown)),
            other if self.changes.is_open() => Ok(self.changes.current_value(other.clone()).is_true()),
            other => Ok(other.is_true()),
        }
    }

    /// `and` and `or`; a long row of them is walked without recursion.
    fn evaluate_logic(&self, node: &ExprNode, cx: &Cx) -> Result<Value, TemplateError> {
        let mut spine = Vec::new();
        let mut first = node;
        while let ExprKind::And(left, right) | ExprKind::Or(left, right) = &first.kind {
            spine.push((matches!(first.kind, ExprKind::Or(..)), right));
            first = left;
        }
        let mut value = self.evaluate_node(first, cx)?;
        for (or, right) in spine.into_iter().rev() {
            if let Value::Undefined(why) = &value {
                return Err(self.suggest_variable(TemplateError::from_undefined(why)));
            }
            match self.evaluate_truth(&value) {
                Ok(truth) if truth == or => {}
                Ok(_) => value = self.evaluate_node(right, cx)?,
                // `unknown or true` is true whatever comes.
                Err(unknown) => {
                    let right = self.evaluate_defined(right, cx)?;
                    value = match self.evaluate_truth(&right) {
                        Ok(truth) if truth == or => right,
                        _ => Value::Unknown(unknown).new_computed(),
                    };
                }
            }
        }
        Ok(value)
    }

    /// Arithmetic; a long row is walked without recursion.
    fn evaluate_chain(&self, node: &ExprNode, cx: &Cx) -> Result<Value, TemplateError> {
        let mut spine: Vec<(Operator, &ExprNode, &ExprNode)> = Vec::new();
        let mut first = node;
        while let ExprKind::Binary(op, left, right) = &first.kind {
            spine.push((*op, right, first));
            first = left;
        }
        let mut value = self.evaluate_operand(first, cx)?;
        for (op, right, whole) in spine.into_iter().rev() {
            let right = self.evaluate_operand(right, cx)?;
            let (tainted, hidden) =
                (value.is_tainted() || right.is_tainted(), value.holds_secret() || right.holds_secret());
            value = ops::apply_operator(op, value.below_taint(), right.below_taint(), self)
                .map_err(|fault| fault.or_at(cx.place.span(&whole.at).as_ref()))?;
            if tainted || hidden && matches!(value, Value::Str(_)) {
                value = value.into_tainted();
            }
        }
        Ok(value)
    }

    /// Arguments, as written; members still raw.
    pub(super) fn evaluate_args(&self, written: &[Arg], cx: &Cx) -> Result<PluginArgs, TemplateError> {
        let mut args = PluginArgs::default();
        for arg in written {
            match arg {
                Arg::Positional(node) => args.positional.push(self.evaluate_node(node, cx)?),
                Arg::Named(name, node) => args.named.push((Arc::clone(name), self.evaluate_node(node, cx)?)),
                Arg::Splat(node) => args.positional.extend(self.members_of(&self.evaluate_defined(node, cx)?)?),
                Arg::NamedSplat(node) => match self.evaluate_defined(node, cx)? {
                    Value::Dict(dict) => {
                        for (key, value) in dict.iter() {
                            let name = key.as_str().ok_or_else(|| TemplateError::value("keywords must be strings"))?;
                            args.named.push((name.into(), self.resolve_value(value.clone(), None)?));
                        }
                    }
                    other => {
                        let message = format!("argument after ** must be a mapping, not {}", other.type_name());
                        return Err(TemplateError::value(message));
                    }
                },
            }
        }
        Ok(args)
    }

    /// Arguments with all members templated.
    pub(super) fn resolve_args_deep(&self, args: PluginArgs) -> Result<PluginArgs, TemplateError> {
        let positional = args.positional.into_iter().map(|value| self.resolve_deep(value)).collect::<Result<_, _>>()?;
        let named = args.named.into_iter().map(|(name, value)| Ok((name, self.resolve_deep(value)?)));
        Ok(PluginArgs { positional, named: named.collect::<Result<_, TemplateError>>()? })
    }

    pub(super) fn apply_filter(&self, name: &str, input: Value, args: PluginArgs) -> Result<Value, TemplateError> {
        let Some(filter) = registry::find_filter(name) else {
            let fault = TemplateError::new(TemplateErrorKind::UnknownName, format!("no filter named `{name}`"));
            return Err(fault.suggest_name(name, &registry::filter_names()));
        };
        let input = match input {
            Value::Sealed(_) if filter.takes_sealed => input,
            other => self.resolve_deep(other)?,
        };
        let args = self.resolve_args_deep(args)?;
        match &input {
            // A caller that accepts a missing value does not accept a failure.
            Value::Undefined(why) if why.failed.is_some() => return Err(TemplateError::from_undefined(why)),
            Value::Undefined(why) if why.is_caused_by(&UndefinedCause::NoElse) => {
                return Err(self.undefined_error(why));
            }
            _ if filter.takes_undefined => {}
            _ => {
                if let Some(undefined) = find_first(&input, &args, Value::is_undefined) {
                    return Ok(undefined);
                }
            }
        }
        if !filter.takes_unknown
            && let Some(unknown) = find_first(&input, &args, Value::is_unknown)
        {
            return Ok(if name == "string" { unknown } else { unknown.new_computed() });
        }
        self.count_step()?;
        self.look_at(member_count(&input))?;
        let taint = Taint::from_inputs(&input, &args);
        let args = if filter.sets_taint { args } else { args.without_taint() };
        let call = PluginCall { name, input: input.without_taint(), args, context: self, looping: None };
        let result = match (filter.run)(&call) {
            Err(fault) if fault.kind == TemplateErrorKind::Unknown => return Ok(Value::unknown(fault.message)),
            Err(fault) => return Err(add_plugin_name(taint.clean_message(fault), "filter", name)),
            // A filter that hands on what it got hands on its members.
            Ok(range @ Value::Object(_)) if is_range(&range) => Value::list(sequence::list_members(&range)?),
            Ok(result) => result,
        };
        self.look_at(member_count(&result))?;
        if filter.names_parts {
            self.named_tuples.borrow_mut().add_members(&result);
        }
        Ok(if filter.sets_taint { result } else { taint.taint_result(result) })
    }

    pub(super) fn apply_test(&self, name: &str, input: Value, args: PluginArgs) -> Result<Value, TemplateError> {
        let Some(test) = registry::find_test(name) else {
            let fault = TemplateError::new(TemplateErrorKind::UnknownName, format!("no test named `{name}`"));
            return Err(fault.suggest_name(name, &registry::test_names()));
        };
        let input = match input {
            Value::Sealed(_) if test.takes_sealed => input,
            other => self.resolve_deep(other)?,
        };
        let args = self.resolve_args_deep(args)?;
        match &input {
            Value::Undefined(why) if why.failed.is_some() => return Err(TemplateError::from_undefined(why)),
            _ if test.takes_undefined => {}
            _ => {
                if let Some(undefined) = find_first(&input, &args, Value::is_undefined) {
                    return Ok(undefined);
                }
            }
        }
        if !test.takes_unknown
            && let Some(unknown) = find_first(&input, &args, Value::is_unknown)
        {
            return Ok(unknown.new_computed());
        }
        let taint = Taint::from_inputs(&input, &args);
        let (input, args) = (input.without_taint(), args.without_taint());
        let call = PluginCall { name, input, args, context: self, looping: None };
        match (test.run)(&call) {
            Err(fault) if fault.kind == TemplateErrorKind::Unknown => Ok(Value::unknown(fault.message)),
            Err(fault) => Err(add_plugin_name(taint.clean_message(fault), "test", name)),
            Ok(holds) => Ok(Value::Bool(holds)),
        }
    }

    /// The members of anything that can be iterated, each ready for use.
    pub(super) fn members_of(&self, value: &Value) -> Result<Vec<Value>, TemplateError> {
        let now = self.changes.current_value(value.clone());
        let members = sequence::list_members(now.below_taint()).map_err(|fault| self.suggest_variable(fault))?;
        self.count_steps(members.len() as u64)?;
        self.changes.look_at(value, 0..members.len());
        if value.is_tainted() {
            return Ok(members.into_iter().map(Value::into_tainted).collect());
        }
        members.into_iter().map(|member| self.resolve_value(member, None)).collect()
    }
}

/// A number with a sign before it, as tainted as it was.
fn apply_sign(value: &Value, apply: fn(&Value) -> Result<Value, TemplateError>) -> Result<Value, TemplateError> {
    let result = apply(value.below_taint())?;
    Ok(if value.is_tainted() { result.into_tainted() } else { result })
}

/// A member of a list or mapping that an expression writes down: a key of another mapping is a template there.
fn stored_text(member: Value) -> Value {
    if let Value::Str(text) = member { Value::Str(text.into_stored()) } else { member }
}

/// Whether an expression is made of what is written in it alone, as far as lists go.
fn is_literal(node: &ExprNode) -> bool {
    match &node.kind {
        ExprKind::Binary(_, left, right) => is_literal(left) && is_literal(right),
        kind => matches!(kind, ExprKind::List(_) | ExprKind::Const(_)),
    }
}

fn is_range(value: &Value) -> bool {
    matches!(value, Value::Object(object) if object.as_any().is::<Range>())
}

/// Functions and methods, as filters, have failures that wait; macros and blocks have not.
fn is_plugin(callable: &Value) -> bool {
    matches!(callable, Value::Object(object) if object.as_any().is::<Function>() || object.as_any().is::<Method>())
}

/// The first of that sort among the input and the arguments.
pub(super) fn find_first(input: &Value, args: &PluginArgs, sort: fn(&Value) -> bool) -> Option<Value> {
    std::iter::once(input)
        .chain(&args.positional)
        .chain(args.named.iter().map(|(_, value)| value))
        .find(|value| sort(value))
        .cloned()
}

/// How many members a value has, as far as a look at them takes time.
fn member_count(value: &Value) -> usize {
    match value {
        Value::Str(text) => text.len() / 64,
        Value::Dict(dict) => dict.len(),
        other => other.as_slice().map_or(0, <[Value]>::len),
    }
}

fn add_plugin_name(mut fault: TemplateError, sort: &str, name: &str) -> TemplateError {
    // Failures of a nested expression or of using something undefined speak for themselves.
    if fault.kind == TemplateErrorKind::Value && fault.cause.as_deref() != Some(&UndefinedCause::Plugin) {
        fault.message = format!("the {sort} `{name}` failed: {}", fault.message);
        fault.cause = Some(Arc::new(UndefinedCause::Plugin));
    }
    fault
}
