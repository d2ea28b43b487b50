//! What is checked: the rows of a module, or a specification that a playbook gives as data.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::error::ArgumentError;
use crate::modules::spec::{Param, ParamKind, Spec};
use crate::value::{Dict, Value, json};

/// Parameters and how they go together.
#[derive(Debug, Clone, Default)]
pub struct ArgumentRules {
    /// The parameters.
    pub params: Vec<Rule>,
    /// Of each group at most one.
    pub mutually_exclusive: Vec<Vec<String>>,
    /// Of each group at least one.
    pub required_one_of: Vec<Vec<String>>,
    /// Each group together or not at all.
    pub required_together: Vec<Vec<String>>,
    /// `(parameter, value, required, any)`: with this value all of them are required, or any one.
    pub required_if: Vec<(String, Value, Vec<String>, bool)>,
    /// With the first, the others are required.
    pub required_by: Vec<(String, Vec<String>)>,
    /// Unknown names are kept.
    pub any_params: bool,
}

impl ArgumentRules {
    /// Names of the parameters that must be given and are not, in the order of their rows.
    pub fn missing_params(&self, is_given: impl Fn(&Rule) -> bool) -> Vec<&str> {
        let missing = self.params.iter().filter(|rule| rule.required && !is_given(rule));
        missing.map(|rule| &*rule.name).collect()
    }
}

/// One parameter.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Name of the option.
    pub name: Arc<str>,
    /// Other names for it.
    pub aliases: Vec<String>,
    /// Type of the option.
    pub kind: Type,
    /// Default value.
    pub default: Option<Value>,
    /// The only values it may have; empty for any.
    pub choices: Vec<Value>,
    /// It must be given.
    pub required: bool,
    /// The variable of the environment that stands in for it.
    pub env: Option<String>,
    /// It must not be shown.
    pub secret: bool,
    /// A mapping that was not given gets its members' defaults.
    pub apply_defaults: bool,
}

/// The type of a parameter.
#[derive(Debug, Clone)]
pub enum Type {
    /// Text.
    Str,
    /// Boolean.
    Bool,
    /// Integer.
    Int,
    /// Number.
    Float,
    /// Path.
    Path,
    /// Anything.
    Raw,
    /// List, with the type of its members where that is said.
    List(Option<Box<Type>>),
    /// Mapping, with rules for its members where there are any.
    Dict(Option<Box<ArgumentRules>>),
    /// JSON text.
    Json,
    /// A size in bytes.
    Bytes,
    /// A size in bits.
    Bits,
}

impl Type {
    /// The name that messages use.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Str => "str",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::Path => "path",
            Self::Raw => "raw",
            Self::List(_) => "list",
            Self::Dict(_) => "dict",
            Self::Json => "jsonarg",
            Self::Bytes => "bytes",
            Self::Bits => "bits",
        }
    }

    /// The rules for the members of a mapping, or of a list of mappings.
    pub fn member_rules(&self) -> Option<&ArgumentRules> {
        match self {
            Self::Dict(rules) => rules.as_deref(),
            Self::List(Some(of)) => match &**of {
                Self::Dict(rules) => rules.as_deref(),
                _ => None,
            },
            _ => None,
        }
    }

    fn from_name(name: &str, elements: Option<&str>, options: Option<ArgumentRules>) -> Option<Self> {
        Some(match name {
            "str" => Self::Str,
            "bool" => Self::Bool,
            "int" => Self::Int,
            "float" => Self::Float,
            "path" => Self::Path,
            "raw" => Self::Raw,
            "json" | "jsonarg" => Self::Json,
            "bytes" => Self::Bytes,
            "bits" => Self::Bits,
            "dict" => Self::Dict(options.map(Box::new)),
            "list" => Self::List(match elements {
                Some(of) => Some(Box::new(Self::from_name(of, None, options)?)),
                None => None,
            }),
            _ => return None,
        })
    }
}

impl From<&ParamKind> for Type {
    fn from(kind: &ParamKind) -> Self {
        match kind {
            ParamKind::Str => Self::Str,
            ParamKind::Bool => Self::Bool,
            ParamKind::Int => Self::Int,
            ParamKind::Float => Self::Float,
            ParamKind::Path => Self::Path,
            ParamKind::Raw => Self::Raw,
            ParamKind::List(ParamKind::Raw) => Self::List(None),
            ParamKind::List(of) => Self::List(Some(Box::new((*of).into()))),
            ParamKind::Dict([]) => Self::Dict(None),
            ParamKind::Dict(rows) => Self::Dict(Some(Box::new(ArgumentRules::of_rows(rows.iter())))),
            ParamKind::Json => Self::Json,
            ParamKind::Bytes => Self::Bytes,
        }
    }
}

impl From<&Param> for Rule {
    fn from(param: &Param) -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            name: param.name.into(),
            aliases: owned(param.aliases),
            kind: (&param.kind).into(),
            default: param.default.map(|text| default(text, &param.kind)),
            choices: param.choices.iter().map(|choice| Value::text(*choice)).collect(),
            required: param.required,
            env: param.env.map(str::to_owned),
            secret: param.secret,
            apply_defaults: false,
        }
    }
}

/// A default is written as in a playbook; only containers and bare values of any type have to be read.
fn default(text: &str, kind: &ParamKind) -> Value {
    match kind {
        ParamKind::List(_) | ParamKind::Dict(_) | ParamKind::Raw => {
            json::from_str(text).unwrap_or_else(|_| Value::text(text))
        }
        _ => Value::text(text),
    }
}

impl From<&Spec> for ArgumentRules {
    fn from(spec: &Spec) -> Self {
        let groups = |groups: &[&[&str]]| {
            groups.iter().map(|group| group.iter().map(|name| (*name).to_owned()).collect()).collect()
        };
        Self {
            mutually_exclusive: groups(spec.mutually_exclusive),
            required_one_of: groups(spec.required_one_of),
            required_together: groups(spec.required_together),
            required_if: spec
                .required_if
                .iter()
                .map(|(name, value, required)| {
                    let required = required.iter().map(|name| (*name).to_owned()).collect();
                    ((*name).to_owned(), Value::text(*value), required, false)
                })
                .collect(),
            any_params: spec.any_params,
            ..Self::of_rows(spec.all_params())
        }
    }
}

thread_local! {
    /// The rules of the modules that have been called, by the address of what they are made from.
    static OF_MODULES: RefCell<foldhash::HashMap<*const Spec, Rc<ArgumentRules>>> = RefCell::default();
}

impl ArgumentRules {
    /// The rules of a module, made with its first call.
    pub fn of_module(spec: &'static Spec) -> Rc<Self> {
        OF_MODULES.with_borrow_mut(|known| {
            Rc::clone(known.entry(std::ptr::from_ref(spec)).or_insert_with(|| Rc::new(Self::from(spec))))
        })
    }

    fn of_rows<'a>(rows: impl Iterator<Item = &'a Param>) -> Self {
        Self { params: rows.map(Rule::from).collect(), ..Self::default() }
    }

    /// A parameter by its name or an alias.
    pub fn find_rule(&self, name: &str) -> Option<&Rule> {
        self.params.iter().find(|rule| *rule.name == *name || rule.aliases.iter().any(|alias| alias == name))
    }

    /// Reads a specification given as data: a mapping from names to `type`, `required`, `default`, `choices`, `elements`,
    /// `options` and the rest.
    ///
    /// # Errors
    /// For an unknown type, or an entry that is not a mapping.
    pub fn read(spec: &Dict) -> Result<Self, ArgumentError> {
        let params = spec.iter().map(|(name, about)| read_rule(&crate::value::python::str(name), about));
        Ok(Self { params: params.collect::<Result<_, _>>()?, ..Self::default() })
    }

    fn read_with_relations(options: &Dict, about: &Dict) -> Result<Self, ArgumentError> {
        let mut rules = Self::read(options)?;
        rules.mutually_exclusive = to_groups(about.get("mutually_exclusive"));
        rules.required_one_of = to_groups(about.get("required_one_of"));
        rules.required_together = to_groups(about.get("required_together"));
        for row in about.get("required_if").and_then(Value::as_slice).unwrap_or_default() {
            if let Some([name, value, required, rest @ ..]) = row.as_slice() {
                let any = rest.first().is_some_and(Value::is_true);
                rules.required_if.push((crate::value::python::str(name), value.clone(), to_names(required), any));
            }
        }
        if let Some(by) = about.get("required_by").and_then(Value::as_dict) {
            rules.required_by = by.iter().map(|(name, of)| (crate::value::python::str(name), to_names(of))).collect();
        }
        Ok(rules)
    }
}

fn to_names(value: &Value) -> Vec<String> {
    match value.as_slice() {
        Some(items) => items.iter().map(crate::value::python::str).collect(),
        None => vec![crate::value::python::str(value)],
    }
}

fn to_groups(value: Option<&Value>) -> Vec<Vec<String>> {
    let Some(items) = value.and_then(Value::as_slice) else { return Vec::new() };
    if items.iter().all(|item| item.as_str().is_some()) && !items.is_empty() {
        return vec![items.iter().map(crate::value::python::str).collect()];
    }
    items.iter().map(to_names).collect()
}

fn read_rule(name: &str, about: &Value) -> Result<Rule, ArgumentError> {
    let empty = Dict::new();
    let about = match about {
        Value::Null => &empty,
        other => other.as_dict().ok_or_else(|| ArgumentError::Specification { name: name.to_owned() })?,
    };
    let text = |key: &str| about.get(key).and_then(Value::as_str);
    let options = match about.get("options").and_then(Value::as_dict) {
        Some(options) => Some(ArgumentRules::read_with_relations(options, about)?),
        None => None,
    };
    let wanted = text("type").unwrap_or("str");
    let kind = Type::from_name(wanted, text("elements"), options)
        .ok_or_else(|| ArgumentError::UnknownType { name: name.to_owned(), wanted: wanted.to_owned() })?;
    Ok(Rule {
        name: name.into(),
        aliases: about.get("aliases").map(to_names).unwrap_or_default(),
        kind,
        default: about.get("default").filter(|value| !value.is_null()).cloned(),
        choices: about.get("choices").and_then(Value::as_slice).map(<[Value]>::to_vec).unwrap_or_default(),
        required: about.get("required").is_some_and(Value::is_true),
        env: None,
        secret: about.get("no_log").is_some_and(Value::is_true),
        apply_defaults: about.get("apply_defaults").is_some_and(Value::is_true),
    })
}
