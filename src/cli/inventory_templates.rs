//! Templates for inventory plugins.

use std::rc::Rc;

use crate::diagnostic::Diagnostic;
use crate::inventory::Composer;
use crate::template::{ConditionVerdict, Globals, TemplateEngine, TemplateError, VariableScope};
use crate::value::{Dict, Value};

/// Evaluates over the variables that are handed in, and nothing else.
pub fn build_composer(globals: &Rc<Globals>, extra_vars: &Rc<Dict>) -> Rc<dyn Composer> {
    Rc::new(Over { globals: Rc::clone(globals), extra_vars: Rc::clone(extra_vars) })
}

struct Over {
    globals: Rc<Globals>,
    extra_vars: Rc<Dict>,
}

struct Vars<'a>(&'a Dict);

impl VariableScope for Vars<'_> {
    fn get(&self, name: &str) -> Option<Value> {
        self.0.get(name).cloned()
    }

    fn variable_names(&self) -> Vec<String> {
        self.0.keys().filter_map(|name| name.as_str().map(str::to_owned)).collect()
    }
}

fn without_place(fault: TemplateError) -> Diagnostic {
    Diagnostic::error(fault.full_message())
}

impl Composer for Over {
    fn evaluate_expression(&self, written: &Value, vars: &Dict) -> Result<Value, Diagnostic> {
        let Value::Str(text) = written else { return Err("an expression must be text".into()) };
        let scope = Vars(vars);
        let engine = TemplateEngine::new(&self.globals, &scope, &[]);
        match engine.evaluate_expression(text).map_err(without_place)? {
            Value::Undefined(why) => Err(why.message.as_str().into()),
            value => Ok(value),
        }
    }

    fn condition_holds(&self, condition: &Value, vars: &Dict) -> Result<bool, Diagnostic> {
        let scope = Vars(vars);
        let verdict =
            TemplateEngine::new(&self.globals, &scope, &[]).evaluate_condition(condition).map_err(without_place)?;
        Ok(matches!(verdict, ConditionVerdict::True))
    }

    fn render_template(&self, written: &Value, vars: &Dict) -> Result<Value, Diagnostic> {
        let scope = Vars(vars);
        TemplateEngine::new(&self.globals, &scope, &[]).evaluate_value(written).map_err(without_place)
    }

    fn extra_vars(&self) -> &Dict {
        &self.extra_vars
    }
}
