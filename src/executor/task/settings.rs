//! The keywords of a task once their templates are evaluated and their types converted.

use std::time::Duration;

use crate::executor::host_task::HostTask;
use crate::executor::state::RunOptions;
use crate::playbook::{Keyword, Task};
use crate::template::python::text::boolean_word;
use crate::template::{Context, TemplateEngine, TemplateError};
use crate::value::{Value, python};

/// The settings of one item of a task.
#[derive(Debug, Clone, Default)]
pub struct TaskSettings {
    /// Go on after a failure.
    pub ignore_errors: bool,
    /// Go on although the host cannot be reached.
    pub ignore_unreachable: bool,
    /// Hide arguments and results.
    pub no_log: bool,
    /// Predict changes instead of making them.
    pub check: bool,
    /// The task itself sets `check_mode: true`: the real run predicts it, too.
    pub check_only: bool,
    /// Differences are wanted.
    pub diff: bool,
    /// Facts go to the host that the task is delegated to.
    pub delegate_facts: bool,
    /// After so many seconds the task has failed.
    pub timeout: Option<i64>,
    /// Further tries.
    pub retries: Option<i64>,
    /// Between tries.
    pub delay: Duration,
    /// Runs in the background for at most so many seconds; 0 runs in the foreground.
    pub background: i64,
    /// Seconds between looks at a background task; 0 does not wait.
    pub poll: i64,
    /// For commands.
    pub environment: Vec<(String, String)>,
}

/// When a debugger may be wanted; there is none, but a wrong word fails the task.
const DEBUGGER: [&str; 5] = ["always", "on_failed", "on_unreachable", "on_skipped", "never"];

/// Reads keywords with the engine of an item.
pub struct KeywordReader<'a> {
    /// Evaluates templates.
    pub engine: &'a TemplateEngine<'a>,
    /// The task.
    pub task: &'a Task,
}

impl KeywordReader<'_> {
    /// The templated value of a keyword; `None` if it is not there, null or omitted.
    ///
    /// # Errors
    /// If its template fails.
    pub fn read_value(&self, keyword: Keyword) -> Result<Option<Value>, TemplateError> {
        let Some(node) = self.task.find_keyword(keyword) else { return Ok(None) };
        let value =
            self.engine.evaluate_value(&node.to_value()).map_err(|fault| add_keyword_context(keyword, fault))?;
        if let Value::Unknown(unknown) = &value {
            return Err(TemplateError::from_unknown(unknown).or_at(Some(node.span())));
        }
        Ok((!value.is_null() && !matches!(value, Value::Omit)).then_some(value))
    }

    /// A boolean keyword.
    ///
    /// # Errors
    /// If its template fails or it is not a boolean.
    pub fn read_bool(&self, keyword: Keyword) -> Result<Option<bool>, TemplateError> {
        let Some(value) = self.read_value(keyword)? else { return Ok(None) };
        boolean_word(&value).map(Some).ok_or_else(|| self.conversion_error(keyword, &value, "bool"))
    }

    /// A whole number.
    ///
    /// # Errors
    /// If the template fails, or the value is not a whole number.
    pub fn read_int(&self, keyword: Keyword) -> Result<Option<i64>, TemplateError> {
        let Some(value) = self.read_value(keyword)? else { return Ok(None) };
        let number = match value.below_taint() {
            Value::Int(i) => Some(*i),
            Value::Bool(b) => Some(i64::from(*b)),
            Value::Float(f) if f.fract() == 0.0 => Some(*f as i64),
            Value::Str(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.map(Some).ok_or_else(|| self.conversion_error(keyword, &value, "int"))
    }

    /// A number.
    ///
    /// # Errors
    /// If its template fails or it is not a number.
    pub fn read_float(&self, keyword: Keyword) -> Result<Option<f64>, TemplateError> {
        let Some(value) = self.read_value(keyword)? else { return Ok(None) };
        let number = match value.below_taint() {
            Value::Int(i) => Some(*i as f64),
            Value::Float(f) => Some(*f),
            Value::Str(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.map(Some).ok_or_else(|| self.conversion_error(keyword, &value, "float"))
    }

    fn conversion_error(&self, keyword: Keyword, value: &Value, wanted: &str) -> TemplateError {
        let span = self.task.find_keyword(keyword).map(crate::yaml::YamlNode::span);
        let message = format!("The value {} could not be converted to '{wanted}'.", python::repr(&value.to_masked()));
        add_keyword_context(keyword, TemplateError::value(message).or_at(span))
    }

    /// All settings of the task.
    ///
    /// # Errors
    /// The first keyword that cannot be evaluated.
    pub fn read_settings(&self, options: &RunOptions) -> Result<TaskSettings, TemplateError> {
        // Those that are used elsewhere: here it is seen that they can be read.
        for keyword in [Keyword::AnyErrorsFatal, Keyword::RunOnce, Keyword::Become] {
            self.read_bool(keyword)?;
        }
        self.read_int(Keyword::Port)?;
        if let Some(value) = self.read_value(Keyword::Debugger)?
            && !DEBUGGER.contains(&python::str(&value).as_str())
        {
            return Err(self.conversion_error(Keyword::Debugger, &value, DEBUGGER.join("', '").as_str()));
        }
        let delay = self.read_float(Keyword::Delay)?.unwrap_or(5.0).max(0.0);
        let check = self.read_bool(Keyword::CheckMode)?;
        // The tasks of a confined run are untrusted: `check_mode: false` does not make them real.
        let is_bound = options.check && crate::confinement::is_confined();
        let timeout = self.read_int(Keyword::Timeout)?.or(Some(options.task_timeout)).filter(|seconds| *seconds != 0);
        Ok(TaskSettings {
            ignore_errors: self.read_bool(Keyword::IgnoreErrors)?.unwrap_or(false),
            ignore_unreachable: self.read_bool(Keyword::IgnoreUnreachable)?.unwrap_or(false),
            no_log: self.read_bool(Keyword::NoLog)?.unwrap_or(options.no_log),
            check: check.unwrap_or(options.check) || is_bound,
            check_only: check == Some(true),
            diff: self.read_bool(Keyword::Diff)?.unwrap_or(options.diff),
            delegate_facts: self.read_bool(Keyword::DelegateFacts)?.unwrap_or(false),
            timeout,
            retries: self.read_int(Keyword::Retries)?,
            delay: Duration::try_from_secs_f64(delay).unwrap_or(Duration::from_secs(5)),
            background: self.read_int(Keyword::Async)?.unwrap_or(0),
            poll: self.read_int(Keyword::Poll)?.unwrap_or(options.poll),
            environment: self.read_environment(&options.environment)?,
        })
    }

    /// Whether one of the keywords fails that are read after `ignore_errors`.
    pub fn fails_late(&self) -> bool {
        [Keyword::Timeout, Keyword::Retries, Keyword::Async, Keyword::Poll]
            .iter()
            .any(|late| self.read_int(*late).is_err())
            || self.read_float(Keyword::Delay).is_err()
    }

    /// `environment` of the play, the blocks and the task; the innermost wins.
    fn read_environment(&self, base: &[(String, String)]) -> Result<Vec<(String, String)>, TemplateError> {
        let mut environment = base.to_vec();
        for node in self.task.keyword_all(Keyword::Environment) {
            let written = match node.to_value() {
                Value::Str(text) => self.environment_value(&Value::Str(text))?.unwrap_or(Value::Null),
                structure => structure,
            };
            let maps = match &written {
                Value::List(items) => items.to_vec(),
                other => vec![other.clone()],
            };
            for map in maps {
                let map = match map {
                    Value::Str(_) => self.environment_value(&map)?.unwrap_or(Value::Null),
                    structure => structure,
                };
                match &map {
                    Value::Dict(dict) => {
                        for (key, value) in dict.iter() {
                            let Some(value) = self.environment_value(value)? else { continue };
                            let key = python::str(key);
                            environment.retain(|(known, _)| *known != key);
                            environment.push((key, python::str(&value)));
                        }
                    }
                    Value::Null | Value::Omit => {}
                    other => self.engine.add_warning(format!(
                        "`environment` must be a mapping of names to values, so `{}` is passed over",
                        python::str(other)
                    )),
                }
            }
        }
        Ok(environment)
    }

    /// A part of an `environment`; `None` for what needs the facts of the environment before they are gathered.
    fn environment_value(&self, written: &Value) -> Result<Option<Value>, TemplateError> {
        match self.engine.evaluate_value(written) {
            Ok(Value::Omit) => Ok(None),
            Ok(value) => Ok(Some(value)),
            Err(fault) if fault.is_missing("ansible_env") => Ok(None),
            Err(fault) => Err(add_keyword_context(Keyword::Environment, fault)),
        }
    }
}

/// Says at which keyword it happened. The host of a delegation is looked for before the keywords are.
pub fn add_keyword_context(keyword: Keyword, fault: TemplateError) -> TemplateError {
    match keyword {
        Keyword::DelegateTo => fault,
        _ => fault.during(format!("Error processing keyword '{}'", keyword.row().name)),
    }
}

/// A boolean keyword as the first host sees it; what cannot be evaluated fails later, at the task itself.
pub fn read_flag(at: &HostTask<'_>, keyword: Keyword) -> bool {
    if at.task.find_keyword(keyword).is_none() {
        return false;
    }
    let scope = at.build_scope();
    let engine = TemplateEngine::new(&at.run.globals, &scope, &[]);
    KeywordReader { engine: &engine, task: at.task }.read_bool(keyword).ok().flatten().unwrap_or(false)
}
