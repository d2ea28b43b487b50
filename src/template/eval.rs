//! Expressions.

use std::sync::Arc;

use super::ast::{Arg, Kind, Node, Operator};
use super::comparison;
use super::engine::{Engine, undefined_at};
use super::error::{Fault, FaultKind};
use super::functions;
use super::locals::Locals;
use super::objects::{Function, Method};
use super::ops;
use super::plugin::{Args, Call};
use super::range::Range;
use super::registry;
use super::render::Blocks;
use super::sequence;
use super::source_map::Place;
use super::taint::Taint;
use crate::value::{Dict, Undefined, Unknown, Value};

/// Message of an inline `if` without `else`; prints as nothing inside a longer text.
pub(super) const NO_ELSE: &str = "the inline if-expression evaluated to false and no else section was defined";

/// Context of an evaluation.
#[derive(Debug, Clone)]
pub(super) struct Cx {
    pub(super) locals: Arc<Locals>,
    pub(super) place: Arc<Place>,
    pub(super) blocks: Arc<Blocks>,
}

impl Engine<'_> {
    /// An expression's value; the top of it is ready for use, members may still be raw.
    pub(super) fn node(&self, node: &Node, cx: &Cx) -> Result<Value, Fault> {
        self.step().map_err(|fault| fault.or_at(cx.place.span(&node.at).as_ref()))?;
        self.deeper(|| self.kind(node, cx)).map_err(|fault| match fault.span {
            Some(_) => fault,
            None => fault.or_at(cx.place.span(&node.at).as_ref()),
        })
    }

    /// An expression's value, which must be defined.
    fn defined(&self, node: &Node, cx: &Cx) -> Result<Value, Fault> {
        match self.node(node, cx)? {
            Value::Undefined(why) => Err(self.explain(Fault::using(&why))),
            value => Ok(value),
        }
    }

    /// Evaluates the input of a filter or test: a vaulted variable stays sealed where the plugin accepts that.
    fn input(&self, node: &Node, cx: &Cx, takes_sealed: impl Fn() -> bool) -> Result<Value, Fault> {
        if let Kind::Var(name) = &node.kind
            && cx.locals.get(name).is_none()
            && !cx.locals.is_secluded()
            && takes_sealed()
            && let Some(sealed @ Value::Sealed(_)) = self.scope.get(name)
        {
            return Ok(sealed);
        }
        self.node(node, cx)
    }

    /// An operand: defined, members templated.
    fn operand(&self, node: &Node, cx: &Cx) -> Result<Value, Fault> {
        self.deep(self.defined(node, cx)?)
    }

    /// Adds "did you mean" to a failure about a variable.
    pub(super) fn explain(&self, fault: Fault) -> Fault {
        let name = fault.message.strip_prefix('\'').and_then(|rest| rest.strip_suffix("' is undefined"));
        match name.map(str::to_owned) {
            Some(name) if fault.hints.is_empty() => {
                fault.suggest(&name, self.scope.names().iter().filter(|known| **known != name))
            }
            _ => fault,
        }
    }

    fn kind(&self, node: &Node, cx: &Cx) -> Result<Value, Fault> {
        match &node.kind {
            Kind::Const(Value::Str(text)) => match cx.place.literal(text, &node.at) {
                Some(template) => {
                    self.globals.deprecate(format!(
                        "text in quotes in a condition should be no template: join the parts with `~` in place of `{}`",
                        text.trim()
                    ));
                    self.touch(Value::Str(template), None)
                }
                None => Ok(Value::Str(cx.place.quoted(text, &node.at).unwrap_or_else(|| text.clone()))),
            },
            Kind::Const(value) => Ok(value.clone()),
            Kind::Var(name) => self.name(name, node, cx),
            Kind::List(items) => {
                let list = Value::list(self.nodes(items, cx)?.into_iter().map(stored_text));
                self.changes.own(&list);
                Ok(list)
            }
            Kind::Tuple(items) => Ok(Value::tuple(self.nodes(items, cx)?)),
            Kind::Map(entries) => {
                let mut dict = Dict::new();
                for (key, value) in entries {
                    let key = self.operand(key, cx)?;
                    if !key.is_hashable() {
                        return Err(Fault::value(format!("unhashable type: '{}'", key.type_name())));
                    }
                    dict.insert(key, stored_text(self.node(value, cx)?));
                }
                let dict = Value::from(dict);
                self.changes.own(&dict);
                Ok(dict)
            }
            Kind::Neg(of) => signed(&self.defined(of, cx)?, ops::negate),
            Kind::Pos(of) => signed(&self.defined(of, cx)?, ops::positive),
            Kind::Not(of) => Ok(match self.truth(&self.defined(of, cx)?) {
                Ok(truth) => Value::Bool(!truth),
                Err(unknown) => Value::Unknown(unknown).computed(),
            }),
            Kind::And(..) | Kind::Or(..) => self.logic(node, cx),
            Kind::Binary(..) if is_literal(node) => self.chain(node, cx).inspect(|result| self.changes.own(result)),
            Kind::Binary(..) => self.chain(node, cx),
            Kind::Compare(first, rest) => {
                let mut left = self.operand(first, cx)?;
                let mut unknown = None;
                for (op, right) in rest {
                    let right = self.operand(right, cx)?;
                    match comparison::compare(*op, &left, &right, self)? {
                        Value::Bool(true) => {}
                        Value::Unknown(why) => unknown = Some(why),
                        no => return Ok(no),
                    }
                    left = right;
                }
                Ok(unknown.map_or(Value::Bool(true), Value::Unknown))
            }
            Kind::If { test, then, otherwise } => match self.truth(&self.defined(test, cx)?) {
                Ok(true) => self.node(then, cx),
                Ok(false) => match otherwise {
                    Some(otherwise) => self.node(otherwise, cx),
                    None => Ok(undefined_at(NO_ELSE.to_owned(), cx.place.span(&node.at))),
                },
                Err(unknown) => Ok(Value::Unknown(unknown).computed()),
            },
            Kind::Filter(name, input, args) => {
                let input = match input {
                    Some(input) => self.input(input, cx, || registry::filter(name).is_some_and(|f| f.takes_sealed))?,
                    None => Value::Null,
                };
                let args = self.args(args, cx)?;
                self.waiting(self.apply_filter(name, input, args), node, cx)
            }
            Kind::Test(name, input, args) => {
                let input = self.input(input, cx, || registry::test(name).is_some_and(|test| test.takes_sealed))?;
                let args = self.args(args, cx)?;
                self.waiting(self.apply_test(name, input, args), node, cx)
            }
            Kind::Attr(of, name) => {
                let of = self.node(of, cx)?;
                self.attribute(&of, name).map(|value| self.placed(value, node, cx))
            }
            Kind::Item(of, key) => {
                let of = self.node(of, cx)?;
                let key = self.operand(key, cx)?;
                self.item(&of, &key).map(|value| self.placed(value, node, cx))
            }
            Kind::Slice(of, bounds) => {
                let of = self.changes.current(self.node(of, cx)?);
                if of.is_undefined() {
                    return Ok(of);
                }
                let mut tainted = of.is_tainted();
                let mut at = [None, None, None];
                for (slot, bound) in at.iter_mut().zip(bounds) {
                    let bound = bound.as_ref().map(|bound| self.defined(bound, cx)).transpose()?;
                    tainted |= bound.as_ref().is_some_and(Value::is_tainted);
                    *slot = bound.map(Value::without_taint);
                }
                let piece = sequence::slice(of.below_taint(), &at)?;
                let piece = if tainted { piece.into_tainted() } else { piece };
                self.changes.own(&piece);
                Ok(piece)
            }
            Kind::Call(target, args) => {
                let callable = self.node(target, cx)?;
                if callable.is_undefined() {
                    return Ok(callable);
                }
                let values = self.args(args, cx)?;
                let result = self.call_value(&callable, values);
                if is_plugin(&callable) { self.waiting(result, node, cx) } else { result }
            }
        }
    }

    /// Defers the failure of a filter, test or lookup until its value is used: `x | default(lookup(..))` does
    /// not need the lookup where `x` exists.
    fn waiting(&self, result: Result<Value, Fault>, node: &Node, cx: &Cx) -> Result<Value, Fault> {
        result.or_else(|fault| fault.or_at(cx.place.span(&node.at).as_ref()).deferred())
    }

    fn nodes(&self, nodes: &[Node], cx: &Cx) -> Result<Vec<Value>, Fault> {
        nodes.iter().map(|node| self.node(node, cx)).collect()
    }

    /// Gives an undefined value the place of the expression that found nothing.
    fn placed(&self, value: Value, node: &Node, cx: &Cx) -> Value {
        match value {
            Value::Undefined(why) if why.span.is_none() => {
                Value::Undefined(Arc::new(Undefined { span: cx.place.span(&node.at), ..(*why).clone() }))
            }
            other => other,
        }
    }

    fn name(&self, name: &str, node: &Node, cx: &Cx) -> Result<Value, Fault> {
        if let Some(value) = cx.locals.get(name) {
            return self.touch(value, Some(name));
        }
        if !cx.locals.is_secluded()
            && let Some(value) = self.play_variable(name)?
        {
            return Ok(value);
        }
        if let Some(value) = functions::global(name) {
            return Ok(value);
        }
        Ok(undefined_at(format!("'{name}' is undefined"), cx.place.span(&node.at)))
    }

    /// Truth in templates, or what it waits for.
    pub(super) fn truth(&self, value: &Value) -> Result<bool, Arc<Unknown>> {
        match value {
            Value::Unknown(unknown) => Err(Arc::clone(unknown)),
            other if self.changes.is_open() => Ok(self.changes.current(other.clone()).is_true()),
            other => Ok(other.is_true()),
        }
    }

    /// `and` and `or`; a long row of them is walked without recursion.
    fn logic(&self, node: &Node, cx: &Cx) -> Result<Value, Fault> {
        let mut spine = Vec::new();
        let mut first = node;
        while let Kind::And(left, right) | Kind::Or(left, right) = &first.kind {
            spine.push((matches!(first.kind, Kind::Or(..)), right));
            first = left;
        }
        let mut value = self.node(first, cx)?;
        for (or, right) in spine.into_iter().rev() {
            if let Value::Undefined(why) = &value {
                return Err(self.explain(Fault::using(why)));
            }
            match self.truth(&value) {
                Ok(truth) if truth == or => {}
                Ok(_) => value = self.node(right, cx)?,
                // `unknown or true` is true whatever comes.
                Err(unknown) => {
                    let right = self.defined(right, cx)?;
                    value = match self.truth(&right) {
                        Ok(truth) if truth == or => right,
                        _ => Value::Unknown(unknown).computed(),
                    };
                }
            }
        }
        Ok(value)
    }

    /// Arithmetic; a long row is walked without recursion.
    fn chain(&self, node: &Node, cx: &Cx) -> Result<Value, Fault> {
        let mut spine: Vec<(Operator, &Node, &Node)> = Vec::new();
        let mut first = node;
        while let Kind::Binary(op, left, right) = &first.kind {
            spine.push((*op, right, first));
            first = left;
        }
        let mut value = self.operand(first, cx)?;
        for (op, right, whole) in spine.into_iter().rev() {
            let right = self.operand(right, cx)?;
            let (tainted, hidden) =
                (value.is_tainted() || right.is_tainted(), value.holds_secret() || right.holds_secret());
            value = ops::binary(op, value.below_taint(), right.below_taint(), self)
                .map_err(|fault| fault.or_at(cx.place.span(&whole.at).as_ref()))?;
            if tainted || hidden && matches!(value, Value::Str(_)) {
                value = value.into_tainted();
            }
        }
        Ok(value)
    }

    /// Arguments, as written; members still raw.
    pub(super) fn args(&self, written: &[Arg], cx: &Cx) -> Result<Args, Fault> {
        let mut args = Args::default();
        for arg in written {
            match arg {
                Arg::Positional(node) => args.positional.push(self.node(node, cx)?),
                Arg::Named(name, node) => args.named.push((Arc::clone(name), self.node(node, cx)?)),
                Arg::Splat(node) => args.positional.extend(self.members_of(&self.defined(node, cx)?)?),
                Arg::NamedSplat(node) => match self.defined(node, cx)? {
                    Value::Dict(dict) => {
                        for (key, value) in dict.iter() {
                            let name = key.as_str().ok_or_else(|| Fault::value("keywords must be strings"))?;
                            args.named.push((name.into(), self.touch(value.clone(), None)?));
                        }
                    }
                    other => {
                        let message = format!("argument after ** must be a mapping, not {}", other.type_name());
                        return Err(Fault::value(message));
                    }
                },
            }
        }
        Ok(args)
    }

    /// Arguments with all members templated.
    pub(super) fn deep_args(&self, args: Args) -> Result<Args, Fault> {
        let positional = args.positional.into_iter().map(|value| self.deep(value)).collect::<Result<_, _>>()?;
        let named = args.named.into_iter().map(|(name, value)| Ok((name, self.deep(value)?)));
        Ok(Args { positional, named: named.collect::<Result<_, Fault>>()? })
    }

    pub(super) fn apply_filter(&self, name: &str, input: Value, args: Args) -> Result<Value, Fault> {
        let Some(filter) = registry::filter(name) else {
            let fault = Fault::new(FaultKind::UnknownName, format!("no filter named `{name}`"));
            return Err(fault.suggest(name, &registry::filter_names()));
        };
        let input = match input {
            Value::Sealed(_) if filter.takes_sealed => input,
            other => self.deep(other)?,
        };
        let args = self.deep_args(args)?;
        match &input {
            // Whoever takes a missing value does not take a failure for one.
            Value::Undefined(why) if why.failed.is_some() => return Err(Fault::using(why)),
            Value::Undefined(why) if why.message == NO_ELSE => return Err(self.refuse(why)),
            _ if filter.takes_undefined => {}
            _ => {
                if let Some(undefined) = first(&input, &args, Value::is_undefined) {
                    return Ok(undefined);
                }
            }
        }
        if !filter.takes_unknown
            && let Some(unknown) = first(&input, &args, Value::is_unknown)
        {
            return Ok(if name == "string" { unknown } else { unknown.computed() });
        }
        self.step()?;
        self.look_at(size(&input))?;
        let taint = Taint::of(&input, &args);
        let args = if filter.sets_taint { args } else { args.without_taint() };
        let call = Call { name, input: input.without_taint(), args, context: self, looping: None };
        let result = match (filter.run)(&call) {
            Err(fault) if fault.kind == FaultKind::Unknown => return Ok(Value::unknown(fault.message)),
            Err(fault) => return Err(naming(taint.clean(fault), "filter", name)),
            // A filter that hands on what it got hands on its members.
            Ok(range @ Value::Object(_)) if is_range(&range) => Value::list(sequence::members(&range)?),
            Ok(result) => result,
        };
        self.look_at(size(&result))?;
        if filter.names_parts {
            self.named_tuples.borrow_mut().add_members(&result);
        }
        Ok(if filter.sets_taint { result } else { taint.mark(result) })
    }

    pub(super) fn apply_test(&self, name: &str, input: Value, args: Args) -> Result<Value, Fault> {
        let Some(test) = registry::test(name) else {
            let fault = Fault::new(FaultKind::UnknownName, format!("no test named `{name}`"));
            return Err(fault.suggest(name, &registry::test_names()));
        };
        let input = match input {
            Value::Sealed(_) if test.takes_sealed => input,
            other => self.deep(other)?,
        };
        let args = self.deep_args(args)?;
        match &input {
            Value::Undefined(why) if why.failed.is_some() => return Err(Fault::using(why)),
            _ if test.takes_undefined => {}
            _ => {
                if let Some(undefined) = first(&input, &args, Value::is_undefined) {
                    return Ok(undefined);
                }
            }
        }
        if !test.takes_unknown
            && let Some(unknown) = first(&input, &args, Value::is_unknown)
        {
            return Ok(unknown.computed());
        }
        let taint = Taint::of(&input, &args);
        let (input, args) = (input.without_taint(), args.without_taint());
        let call = Call { name, input, args, context: self, looping: None };
        match (test.run)(&call) {
            Err(fault) if fault.kind == FaultKind::Unknown => Ok(Value::unknown(fault.message)),
            Err(fault) => Err(naming(taint.clean(fault), "test", name)),
            Ok(holds) => Ok(Value::Bool(holds)),
        }
    }

    /// The members of anything that can be iterated, each ready for use.
    pub(super) fn members_of(&self, value: &Value) -> Result<Vec<Value>, Fault> {
        let now = self.changes.current(value.clone());
        let members = sequence::members(now.below_taint()).map_err(|fault| self.explain(fault))?;
        self.burn(members.len() as u64)?;
        self.changes.look_at(value, 0..members.len());
        if value.is_tainted() {
            return Ok(members.into_iter().map(Value::into_tainted).collect());
        }
        members.into_iter().map(|member| self.touch(member, None)).collect()
    }
}

/// A number with a sign before it, as tainted as it was.
fn signed(value: &Value, apply: fn(&Value) -> Result<Value, Fault>) -> Result<Value, Fault> {
    let result = apply(value.below_taint())?;
    Ok(if value.is_tainted() { result.into_tainted() } else { result })
}

/// A member of a list or mapping that an expression writes down: a key of another mapping is a template there.
fn stored_text(member: Value) -> Value {
    if let Value::Str(text) = member { Value::Str(text.stored()) } else { member }
}

/// Whether an expression is made of what is written in it alone, as far as lists go.
fn is_literal(node: &Node) -> bool {
    match &node.kind {
        Kind::Binary(_, left, right) => is_literal(left) && is_literal(right),
        kind => matches!(kind, Kind::List(_) | Kind::Const(_)),
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
pub(super) fn first(input: &Value, args: &Args, sort: fn(&Value) -> bool) -> Option<Value> {
    std::iter::once(input)
        .chain(&args.positional)
        .chain(args.named.iter().map(|(_, value)| value))
        .find(|value| sort(value))
        .cloned()
}

/// How many members a value has, as far as a look at them takes time.
fn size(value: &Value) -> usize {
    match value {
        Value::Str(text) => text.len() / 64,
        Value::Dict(dict) => dict.len(),
        other => other.as_slice().map_or(0, <[Value]>::len),
    }
}

fn naming(mut fault: Fault, sort: &str, name: &str) -> Fault {
    // Failures of a nested expression or of using something undefined speak for themselves.
    if fault.kind == FaultKind::Value
        && !fault.message.starts_with("the filter")
        && !fault.message.starts_with("the test")
    {
        fault.message = format!("the {sort} `{name}` failed: {}", fault.message);
    }
    fault
}
