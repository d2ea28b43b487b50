//! The things that live only in templates: ranges, views, functions, macros, loops, namespaces.

use std::any::Any;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::ast::{ForLoop, Macro};
use super::eval::Cx;
use super::locals::Locals;
use super::render::Blocks;
use super::source_map::SourceMap;
use crate::value::{Dict, Object, Value, python};

/// A function of the template language, by name.
#[derive(Debug)]
pub struct Function(pub &'static str);

impl Function {
    /// Whether it runs a lookup.
    pub fn is_lookup(&self) -> bool {
        matches!(self.0, "lookup" | "query" | "q")
    }
}

impl Object for Function {
    fn type_name(&self) -> &'static str {
        "function"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A method of a value, not called yet.
#[derive(Debug)]
pub struct Method {
    /// The value.
    pub of: Value,
    /// The method's name.
    pub name: Arc<str>,
}

impl Object for Method {
    fn type_name(&self) -> &'static str {
        "builtin_function_or_method"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Context of a callable that runs later. Names are held weakly: the level that binds a macro would
/// otherwise hold itself.
#[derive(Debug)]
struct Later {
    locals: Weak<Locals>,
    place: Arc<SourceMap>,
    blocks: Arc<Blocks>,
}

impl Later {
    fn new(cx: &Cx) -> Self {
        Self { locals: Arc::downgrade(&cx.locals), place: Arc::clone(&cx.place), blocks: Arc::clone(&cx.blocks) }
    }

    fn upgrade_context(&self) -> Option<Cx> {
        let locals = self.locals.upgrade()?;
        Some(Cx { locals, place: Arc::clone(&self.place), blocks: Arc::clone(&self.blocks) })
    }
}

/// A macro, or the `caller` of a call block.
#[derive(Debug)]
pub struct MacroObject {
    /// The declaration.
    pub decl: Arc<Macro>,
    later: Later,
}

impl MacroObject {
    pub(super) fn new(decl: Arc<Macro>, cx: &Cx) -> Self {
        Self { decl, later: Later::new(cx) }
    }

    pub(super) fn upgrade_context(&self) -> Option<Cx> {
        self.later.upgrade_context()
    }
}

impl Object for MacroObject {
    fn type_name(&self) -> &'static str {
        "Macro"
    }

    fn get(&self, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "name" => Some(Value::text(Arc::clone(&self.decl.name))),
            "catch_kwargs" => Some(super::free_names::uses_name(&self.decl.body, "kwargs").into()),
            "catch_varargs" => Some(super::free_names::uses_name(&self.decl.body, "varargs").into()),
            "caller" => Some(super::free_names::uses_name(&self.decl.body, "caller").into()),
            "arguments" => Some(Value::tuple(self.decl.params.iter().map(|(name, _)| Value::text(Arc::clone(name))))),
            _ => None,
        }
    }

    fn shown_text(&self) -> Option<String> {
        Some(format!("<Macro {}>", python::repr(&Value::text(Arc::clone(&self.decl.name)))))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `super` inside a block, and the blocks of `self`.
#[derive(Debug)]
pub struct BlockCall {
    /// The block's name.
    pub name: Arc<str>,
    /// Which of the chain.
    pub level: usize,
    later: Later,
}

impl BlockCall {
    pub(super) fn new(name: Arc<str>, level: usize, cx: &Cx) -> Self {
        Self { name, level, later: Later::new(cx) }
    }

    pub(super) fn upgrade_context(&self) -> Option<Cx> {
        self.later.upgrade_context()
    }
}

impl Object for BlockCall {
    fn type_name(&self) -> &'static str {
        "BlockReference"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `self` in a template with blocks.
#[derive(Debug)]
pub struct SelfBlocks {
    later: Later,
}

impl SelfBlocks {
    pub(super) fn new(cx: &Cx) -> Self {
        Self { later: Later::new(cx) }
    }
}

impl Object for SelfBlocks {
    fn type_name(&self) -> &'static str {
        "TemplateReference"
    }

    fn get(&self, key: &Value) -> Option<Value> {
        let cx = self.later.upgrade_context()?;
        let (name, _) = cx.blocks.0.get_key_value(key.as_str()?)?;
        Some(Value::Object(Arc::new(BlockCall::new(Arc::clone(name), 0, &cx))))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Result of `import`.
#[derive(Debug)]
pub struct ImportedModule {
    locals: Arc<Locals>,
    /// Printed text of the template.
    pub output: Value,
}

impl ImportedModule {
    /// The names that a template has bound, and what it printed.
    pub fn new(locals: Arc<Locals>, output: Value) -> Self {
        Self { locals, output }
    }
}

impl Object for ImportedModule {
    fn type_name(&self) -> &'static str {
        "TemplateModule"
    }

    fn get(&self, key: &Value) -> Option<Value> {
        self.locals.get_own(key.as_str()?)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `namespace(..)`
#[derive(Debug, Default)]
pub struct Namespace(Mutex<Dict>);

impl Namespace {
    /// With the values it begins with.
    pub fn new(values: Dict) -> Self {
        Self(Mutex::new(values))
    }

    /// Sets an attribute.
    pub fn set(&self, name: &str, value: Value) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).set(name, value);
    }
}

impl Object for Namespace {
    fn type_name(&self) -> &'static str {
        "Namespace"
    }

    fn get(&self, key: &Value) -> Option<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_value(key).cloned()
    }

    fn shown_text(&self) -> Option<String> {
        let values = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Some(format!("<Namespace {}>", python::repr(&values.into())))
    }

    fn holds_secret(&self) -> bool {
        let values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        values.values().any(Value::holds_secret)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `cycler(..)`
#[derive(Debug)]
pub struct Cycler {
    /// Members to iterate.
    pub items: Vec<Value>,
    /// Where it is.
    pub at: AtomicUsize,
}

impl Object for Cycler {
    fn type_name(&self) -> &'static str {
        "Cycler"
    }

    fn get(&self, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "current" => self.items.get(self.at.load(Ordering::Relaxed)).cloned(),
            _ => None,
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `joiner(..)`
#[derive(Debug)]
pub struct Joiner {
    /// Between the parts.
    pub separator: Value,
    /// How often it was called.
    pub calls: AtomicUsize,
}

impl Object for Joiner {
    fn type_name(&self) -> &'static str {
        "Joiner"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `loop` inside `{% for %}`.
#[derive(Debug)]
pub struct LoopState {
    items: Vec<Value>,
    index: AtomicUsize,
    /// How deep in a recursive loop, from 0.
    pub level: usize,
    /// The loop itself, to be called again.
    pub each: Arc<ForLoop>,
    seen: Mutex<Option<Vec<Value>>>,
    later: Later,
}

impl LoopState {
    pub(super) fn new(items: Vec<Value>, level: usize, each: Arc<ForLoop>, cx: &Cx) -> Self {
        Self { items, index: AtomicUsize::new(0), level, each, seen: Mutex::default(), later: Later::new(cx) }
    }

    pub(super) fn upgrade_context(&self) -> Option<Cx> {
        self.later.upgrade_context()
    }

    /// Moves to an iteration.
    pub fn move_to(&self, index: usize) {
        self.index.store(index, Ordering::Relaxed);
    }

    /// The iteration, from 0.
    pub fn index(&self) -> usize {
        self.index.load(Ordering::Relaxed)
    }

    /// Whether the values differ from those of the last call.
    pub fn changed(&self, values: Vec<Value>) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let same = seen.as_ref() == Some(&values);
        *seen = Some(values);
        !same
    }
}

impl Object for LoopState {
    fn type_name(&self) -> &'static str {
        "LoopContext"
    }

    fn get(&self, key: &Value) -> Option<Value> {
        let (index, length) = (self.index(), self.items.len());
        Some(match key.as_str()? {
            "index" => Value::from(index + 1),
            "index0" => Value::from(index),
            "revindex" => Value::from(length - index),
            "revindex0" => Value::from(length - index - 1),
            "first" => Value::Bool(index == 0),
            "last" => Value::Bool(index + 1 == length),
            "length" => Value::from(length),
            "depth" => Value::from(self.level + 1),
            "depth0" => Value::from(self.level),
            "previtem" => return index.checked_sub(1).and_then(|at| self.items.get(at)).cloned(),
            "nextitem" => return self.items.get(index + 1).cloned(),
            _ => return None,
        })
    }

    fn length(&self) -> Option<usize> {
        Some(self.items.len())
    }

    fn shown_text(&self) -> Option<String> {
        Some(format!("<LoopContext {}/{}>", self.index() + 1, self.items.len()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
