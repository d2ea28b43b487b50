//! The engine's side of calls: [`Context`], and calling things.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::ast::ParsedTemplate;
use super::engine::{LayeredScope, TemplateEngine, with_ends};
use super::error::{TemplateError, TemplateErrorKind};
use super::eval::{Cx, find_first};
use super::locals::Locals;
use super::objects::{BlockCall, Cycler, Function, Joiner, LoopState, MacroObject, Method};
use super::plugin::{Context, PluginArgs, RenderOptions};
use super::source_map::SourceMap;
use super::{functions, methods, registry};
use crate::source::Source;
use crate::value::{Sealed, Text, Undefined, Value, python};

impl TemplateEngine<'_> {
    /// Calls a callable value; the arguments' members may be raw.
    pub(super) fn call_value(&self, callable: &Value, args: PluginArgs) -> Result<Value, TemplateError> {
        let object = match callable {
            Value::Undefined(why) => return Err(self.suggest_variable(TemplateError::from_undefined(why))),
            Value::Unknown(_) => return Ok(callable.new_computed()),
            Value::Object(object) => object,
            other => return Err(TemplateError::value(format!("'{}' object is not callable", other.type_name()))),
        };
        let any = object.as_any();
        // Which arguments may be missing, a lookup says itself.
        let looks_up = any.downcast_ref::<Function>().is_some_and(Function::is_lookup);
        if !looks_up
            && (any.is::<Function>() || any.is::<Method>())
            && let Some(undefined) = find_first(&Value::Null, &args, Value::is_undefined)
        {
            return Ok(undefined);
        }
        if let Some(function) = any.downcast_ref::<Function>() {
            return functions::call(self, function.0, args);
        }
        if let Some(method) = any.downcast_ref::<Method>() {
            let value = methods::call(self, &method.of, &method.name, args)?;
            return self.resolve_value(value, None);
        }
        if let Some(object) = any.downcast_ref::<MacroObject>() {
            return self.call_macro(object, args);
        }
        if let Some(block) = any.downcast_ref::<BlockCall>() {
            let cx =
                block.upgrade_context().ok_or_else(|| TemplateError::value("the template of this block has ended"))?;
            return self.render_block(&block.name, block.level, &cx);
        }
        if let Some(state) = any.downcast_ref::<LoopState>() {
            let over = args.positional.into_iter().next().unwrap_or(Value::Null);
            return self.recurse_loop(state, over);
        }
        if let Some(joiner) = any.downcast_ref::<Joiner>() {
            let first = joiner.calls.fetch_add(1, Ordering::Relaxed) == 0;
            return Ok(if first { Value::text("") } else { joiner.separator.clone() });
        }
        if any.is::<Cycler>() {
            return Err(TemplateError::value("'Cycler' object is not callable").hint("call its `next()`"));
        }
        Err(TemplateError::value(format!("'{}' object is not callable", object.type_name())))
    }

    fn call_macro(&self, object: &MacroObject, args: PluginArgs) -> Result<Value, TemplateError> {
        // A macro gets copies: what it changes in its arguments is its own.
        let args = if self.changes.is_open() { self.resolve_args_deep(args)? } else { args };
        let decl = &object.decl;
        let name = &decl.name;
        let around = object
            .upgrade_context()
            .ok_or_else(|| TemplateError::value(format!("the template of the macro `{name}` has ended")))?;
        let cx = Cx { locals: around.locals.new_inside(), ..around };
        let mut given = args.positional.into_iter();
        let mut named = args.named;
        let caller = named.iter().position(|(key, _)| **key == *"caller").filter(|_| &**name != "caller");
        let caller = caller.map(|at| named.remove(at).1);
        for (param, default) in &decl.params {
            let by_name = named.iter().position(|(key, _)| key == param).map(|at| named.remove(at).1);
            let value = match (given.next(), by_name) {
                (Some(_), Some(_)) => {
                    return Err(TemplateError::value(format!(
                        "macro '{name}' got multiple values for argument '{param}'"
                    )));
                }
                (Some(value), None) | (None, Some(value)) => value,
                (None, None) => match default {
                    Some(default) => self.evaluate_node(default, &cx)?,
                    None => Value::undefined(format!("parameter '{param}' was not provided")),
                },
            };
            cx.locals.set(Arc::clone(param), value);
        }
        let rest: Vec<Value> = given.collect();
        let count = decl.params.len();
        if !rest.is_empty() && !super::free_names::uses_name(&decl.body, "varargs") {
            return Err(TemplateError::value(format!("macro '{name}' takes not more than {count} argument(s)")));
        }
        if let Some((extra, _)) = named.first()
            && !super::free_names::uses_name(&decl.body, "kwargs")
        {
            return Err(TemplateError::value(format!("macro '{name}' takes no keyword argument '{extra}'")));
        }
        cx.locals.set("varargs", Value::tuple(rest));
        cx.locals.set("kwargs", Value::dict(named));
        if let Some(caller) = caller {
            cx.locals.set("caller", caller);
        } else if &**name != "caller" && cx.locals.get("caller").is_none() {
            cx.locals.set("caller", Value::Undefined(Arc::new(Undefined::from_variable("caller"))));
        }
        self.render_body(&decl.body, &cx)
    }

    /// Runs a lookup: arguments templated, undefined ones refused. An option that is null is one that was not given.
    pub(super) fn run_lookup(
        &self,
        name: &str,
        args: PluginArgs,
        action: Option<&str>,
    ) -> Result<Vec<Value>, TemplateError> {
        let Some(lookup) = registry::find_lookup(name) else {
            let fault =
                TemplateError::new(TemplateErrorKind::UnknownName, format!("lookup plugin `{name}` was not found"));
            return Err(fault.suggest_name(name, &registry::lookup_names()));
        };
        self.globals.lookup_policy().check_lookup(name)?;
        let mut args = self.resolve_args_deep(args)?;
        args.named.retain(|(_, value)| !value.is_null());
        for value in args.positional.iter().chain(args.named.iter().map(|(_, value)| value)) {
            match value {
                Value::Undefined(why) if !lookup.takes_undefined => {
                    return Err(self.suggest_variable(TemplateError::from_undefined(why)));
                }
                Value::Unknown(unknown) => return Err(TemplateError::from_unknown(unknown)),
                _ => {}
            }
        }
        let args = args.without_taint();
        let call = super::plugin::PluginCall { name, input: Value::Null, args, context: self, looping: action };
        let found = (lookup.run)(&call)?;
        Ok(found.into_iter().map(|value| self.globals.taint_known(value)).collect())
    }

    /// Finds and reads a template file by name; of several names the first that exists.
    pub(super) fn load_template(
        &self,
        name: &Value,
        cx: &Cx,
    ) -> Result<(Arc<ParsedTemplate>, SourceMap), TemplateError> {
        let names: Vec<Value> = match name {
            Value::Undefined(why) => return Err(self.suggest_variable(TemplateError::from_undefined(why))),
            Value::List(_) | Value::Tuple(_) => self.members_of(name)?,
            other => vec![other.clone()],
        };
        let mut wanted = Vec::new();
        for name in &names {
            let Some(name) = name.as_str() else {
                return Err(TemplateError::value(format!("a template's name must be text, not {}", name.type_name())));
            };
            wanted.push(name.to_owned());
            let near = cx.place.folder().into_iter();
            let path = self.search_path.iter().flat_map(|folder| [folder.join("templates"), folder.clone()]);
            for folder in near.chain(path).chain([self.globals.base_dir().to_path_buf()]) {
                let file = folder.join(name);
                if !file.is_file() {
                    continue;
                }
                let read = self.globals.reads.read(&file).map_err(|error| {
                    TemplateError::new(TemplateErrorKind::Lookup, format!("cannot read `{}`: {error}", file.display()))
                })?;
                let text = String::from_utf8(read).map_err(|_| {
                    TemplateError::new(TemplateErrorKind::Lookup, format!("`{}` is not UTF-8", file.display()))
                })?;
                let source = Source::new(file.display().to_string(), text.as_str());
                let text = Text::from_source(text.as_str(), source.span(0..text.len()));
                let place = SourceMap::from_text(&text);
                let parsed = self.globals.template_with(&text, self.options);
                let parsed = parsed.map_err(|(fault, at)| fault.or_at(place.span(&at).as_ref()))?;
                return Ok((parsed, place));
            }
        }
        Err(TemplateError::new(
            TemplateErrorKind::Lookup,
            format!("could not find the template `{}`", wanted.join("`, `")),
        )
        .hint("it is looked for next to the including file, and in `templates/`"))
    }
}

impl Context for TemplateEngine<'_> {
    fn call_filter(&self, name: &str, input: Value, args: PluginArgs) -> Result<Value, TemplateError> {
        self.count_step()?;
        self.run_deeper(|| self.apply_filter(name, input, args))
    }

    fn call_test(&self, name: &str, input: Value, args: PluginArgs) -> Result<bool, TemplateError> {
        self.count_step()?;
        match self.run_deeper(|| self.apply_test(name, input, args))? {
            Value::Undefined(why) => Err(self.suggest_variable(TemplateError::from_undefined(&why))),
            Value::Unknown(unknown) => Err(TemplateError::from_unknown(&unknown)),
            value => Ok(value.is_true()),
        }
    }

    fn call_lookup(&self, name: &str, args: PluginArgs) -> Result<Vec<Value>, TemplateError> {
        let _evaluation = self.begin_evaluation();
        self.run_deeper(|| self.run_lookup(name, args, None))
    }

    fn get_member(&self, value: &Value, key: &Value) -> Value {
        self.get_item(value, key).unwrap_or_else(TemplateError::into_undefined)
    }

    fn collect_members(&self, value: &Value) -> Result<Vec<Value>, TemplateError> {
        self.members_of(value)?.into_iter().map(|member| self.resolve_deep(member)).collect()
    }

    fn get_variable(&self, name: &str) -> Result<Option<Value>, TemplateError> {
        self.play_variable(name)?.map(|value| self.resolve_deep(value)).transpose()
    }

    fn variable_names(&self) -> Vec<String> {
        self.scope.variable_names()
    }

    fn template_value(&self, value: &Value) -> Result<Value, TemplateError> {
        match self.resolve_deep(value.clone())? {
            Value::Undefined(why) => Err(self.suggest_variable(TemplateError::from_undefined(&why))),
            value => Ok(value),
        }
    }

    fn render_text(&self, text: &Text, options: &RenderOptions) -> Result<Value, TemplateError> {
        let _evaluation = self.begin_evaluation();
        let scope = LayeredScope { vars: &options.vars, under: self.scope };
        let engine = self.new_nested(&scope, options);
        let place = SourceMap::from_text(text);
        let parsed = self.globals.template_with(text, options);
        let parsed = parsed.map_err(|(fault, at)| fault.or_at(place.span(&at).as_ref()))?;
        let value = self.run_deeper(|| engine.render_template(&parsed, &Locals::new_root(), &place))?;
        let value = with_ends(engine.finalize_value(value)?, text, options.newline);
        Ok(match value {
            Value::Str(_) | Value::Unknown(_) => value,
            Value::Null if text.is_empty() => Value::text(""),
            other if options.native => other,
            Value::Null => Value::text(""),
            other => Value::text(python::str(&other)),
        })
    }

    fn call(&self, callable: &Value, args: PluginArgs) -> Result<Value, TemplateError> {
        self.count_step()?;
        self.run_deeper(|| self.call_value(callable, args))
    }

    fn open_sealed(&self, sealed: &Sealed) -> Result<Text, TemplateError> {
        self.globals.open_sealed(sealed)
    }

    fn read(&self, path: &Path) -> std::io::Result<Vec<u8>> {
        self.globals.pending.mark_seen(path);
        self.globals.reads.read(path)
    }

    fn explain_unknown_path(&self, path: &Path) -> Option<String> {
        self.globals.pending.uncertainty_reason(path)
    }

    fn explain_unknown_listing(&self, folder: &Path) -> Option<String> {
        self.globals.pending.listing_uncertainty(folder)
    }

    fn record_listing(&self, folder: &Path, names: &[PathBuf]) {
        let listing: Vec<_> = names.iter().map(|name| name.to_string_lossy()).collect();
        self.globals.reads.record_digest(&folder.join("*"), listing.join("\n").as_bytes());
    }

    fn search_path(&self) -> Vec<PathBuf> {
        self.search_path.to_vec()
    }

    fn base_dir(&self) -> &Path {
        self.globals.base_dir()
    }

    fn has_module(&self, name: &str) -> bool {
        self.globals.has_module(name)
    }

    fn get_setting(&self, name: &str) -> Option<(Value, String)> {
        self.globals.get_setting(name)
    }

    fn evaluate_expression(&self, text: &Text) -> Result<Value, TemplateError> {
        TemplateEngine::evaluate_expression(self, text)
    }

    fn expression_to_show(&self, text: &Text) -> Result<Value, TemplateError> {
        self.expression_lenient(text)
    }

    fn evaluate_condition(&self, condition: &Value) -> Result<super::ConditionVerdict, TemplateError> {
        TemplateEngine::evaluate_condition(self, condition)
    }

    fn list_written_members(&self, text: &Text) -> Option<Vec<Value>> {
        TemplateEngine::list_written_members(self, text)
    }

    fn note_outside_call(&self) {
        self.globals.note_outside_call();
    }

    fn add_warning(&self, message: String) {
        self.globals.add_warning(message);
    }
}
