//! The functions of JMESPath.

use std::cmp::Ordering;

use jmespath::ast::Ast;

use super::{QueryError, evaluate_ast, is_equal, is_number};
use crate::template::python::numeric;
use crate::value::json::{self, JsonStyle};
use crate::value::{Dict, Value, python};

type Found = Result<Value, QueryError>;

/// The names, for "did you mean".
const NAMES: &[&str] = &[
    "abs",
    "avg",
    "ceil",
    "contains",
    "ends_with",
    "floor",
    "join",
    "keys",
    "length",
    "map",
    "max",
    "max_by",
    "merge",
    "min",
    "min_by",
    "not_null",
    "reverse",
    "sort",
    "sort_by",
    "starts_with",
    "sum",
    "to_array",
    "to_number",
    "to_string",
    "type",
    "values",
];

/// Calls a function with arguments that are worked out on a value.
pub(super) fn call(name: &str, args: &[Ast], value: &Value) -> Found {
    if !NAMES.contains(&name) {
        return Err(QueryError::UnknownFunction(name.to_owned()));
    }
    let values = args.iter().map(|arg| evaluate_ast(arg, value)).collect::<Result<Vec<_>, QueryError>>()?;
    let call = FunctionCall { name, args };
    match (name, values.as_slice()) {
        ("merge", all) if !all.is_empty() => call.merge(all),
        ("not_null", all) if !all.is_empty() => Ok(all.iter().find(|v| !v.is_null()).cloned().unwrap_or(Value::Null)),
        ("map", [_, list]) => {
            let found = call
                .as_list(list)?
                .iter()
                .map(|member| call.evaluate_key(0, member))
                .collect::<Result<Vec<_>, QueryError>>()?;
            Ok(Value::list(found))
        }
        ("sort_by", [list, _]) => call.sort_by(call.as_list(list)?),
        ("max_by" | "min_by", [list, _]) => {
            let sorted = call.sort_by(call.as_list(list)?)?;
            let members = sorted.as_slice().unwrap_or_default();
            Ok(if name == "max_by" { members.last() } else { members.first() }.cloned().unwrap_or(Value::Null))
        }
        ("join", [glue, list]) => {
            let texts =
                call.as_list(list)?.iter().map(|text| call.as_text(text)).collect::<Result<Vec<_>, QueryError>>()?;
            Ok(Value::text(texts.join(call.as_text(glue)?)))
        }
        ("contains", [Value::Str(text), part]) => {
            Ok(Value::Bool(part.as_str().is_some_and(|part| text.contains(part))))
        }
        ("contains", [list, wanted]) => {
            Ok(Value::Bool(call.as_list(list)?.iter().any(|member| is_equal(member, wanted))))
        }
        ("starts_with", [text, start]) => Ok(Value::Bool(call.as_text(text)?.starts_with(call.as_text(start)?))),
        ("ends_with", [text, end]) => Ok(Value::Bool(call.as_text(text)?.ends_with(call.as_text(end)?))),
        (_, [one]) => call.of_one(one),
        _ => Err(QueryError::ArgumentCount { function: name.to_owned(), count: values.len() }),
    }
}

struct FunctionCall<'a> {
    name: &'a str,
    args: &'a [Ast],
}

impl FunctionCall<'_> {
    fn type_error<T>(&self, value: &Value, takes: &'static str) -> Result<T, QueryError> {
        Err(QueryError::ArgumentType { function: self.name.to_owned(), shown: python::repr(value), takes })
    }

    fn as_list<'v>(&self, value: &'v Value) -> Result<&'v [Value], QueryError> {
        value.as_slice().map_or_else(|| self.type_error(value, "lists"), Ok)
    }

    fn as_text<'v>(&self, value: &'v Value) -> Result<&'v str, QueryError> {
        value.as_str().map_or_else(|| self.type_error(value, "text"), Ok)
    }

    fn as_number(&self, value: &Value) -> Result<f64, QueryError> {
        match numeric::to_float(value.below_taint()).filter(|_| is_number(value)) {
            Some(number) => Ok(number),
            None => self.type_error(value, "numbers"),
        }
    }

    /// Evaluates an argument that is an expression on a member.
    fn evaluate_key(&self, argument: usize, member: &Value) -> Found {
        match self.args.get(argument) {
            Some(Ast::Expref { ast, .. }) => evaluate_ast(ast, member),
            _ => Err(QueryError::NoExpression(self.name.to_owned())),
        }
    }

    fn of_one(&self, one: &Value) -> Found {
        match self.name {
            "abs" => match one.below_taint() {
                Value::Int(number) => Ok(Value::Int(number.saturating_abs())),
                other => Ok(Value::Float(self.as_number(other)?.abs())),
            },
            "ceil" => Ok(Value::Int(self.as_number(one)?.ceil() as i64)),
            "floor" => Ok(Value::Int(self.as_number(one)?.floor() as i64)),
            "sum" => self.sum(one),
            "avg" => {
                let numbers =
                    self.as_list(one)?.iter().map(|n| self.as_number(n)).collect::<Result<Vec<_>, QueryError>>()?;
                let count = numbers.len() as f64;
                Ok(if numbers.is_empty() { Value::Null } else { Value::Float(numbers.iter().sum::<f64>() / count) })
            }
            "max" | "min" => {
                let sorted = self.sort_by_keys(self.as_list(one)?.iter().map(|v| (v.clone(), v.clone())).collect())?;
                let found = if self.name == "max" { sorted.last() } else { sorted.first() };
                Ok(found.cloned().unwrap_or(Value::Null))
            }
            "sort" => {
                Ok(Value::list(self.sort_by_keys(self.as_list(one)?.iter().map(|v| (v.clone(), v.clone())).collect())?))
            }
            "reverse" => match one {
                Value::Str(text) => Ok(Value::text(text.chars().rev().collect::<String>())),
                list => Ok(Value::list(self.as_list(list)?.iter().rev().cloned())),
            },
            "length" => match one {
                Value::Str(text) => Ok(Value::from(text.chars().count())),
                Value::Dict(dict) => Ok(Value::from(dict.len())),
                list => Ok(Value::from(self.as_list(list)?.len())),
            },
            "keys" | "values" => match one {
                Value::Dict(dict) if self.name == "keys" => {
                    Ok(Value::list(dict.keys().map(crate::template::sequence::to_plain_key)))
                }
                Value::Dict(dict) => Ok(Value::list(dict.values().cloned())),
                other => self.type_error(other, "mappings"),
            },
            "to_array" => Ok(if one.as_slice().is_some() { one.clone() } else { Value::list([one.clone()]) }),
            "to_number" => Ok(number_in(one)),
            "to_string" if one.as_str().is_some() => Ok(one.clone()),
            "to_string" => {
                let style = JsonStyle { item_separator: ",", key_separator: ":", ..JsonStyle::PYTHON };
                Ok(Value::text(json::to_string(one, style)))
            }
            "type" => Ok(Value::text(jmespath_type(one))),
            "merge" | "not_null" => Ok(one.clone()),
            name => Err(QueryError::ArgumentCount { function: name.to_owned(), count: 1 }),
        }
    }

    fn sum(&self, list: &Value) -> Found {
        let mut sum = Value::Int(0);
        for number in self.as_list(list)? {
            self.as_number(number)?;
            sum = match (&sum, number.below_taint()) {
                (Value::Int(a), Value::Int(b)) if a.checked_add(*b).is_some() => Value::Int(a + b),
                (a, b) => Value::Float(self.as_number(a)? + self.as_number(b)?),
            };
        }
        Ok(sum)
    }

    fn merge(&self, all: &[Value]) -> Found {
        let mut merged = Dict::new();
        for value in all {
            match value {
                Value::Dict(dict) => merged.extend(dict),
                other => return self.type_error(other, "mappings"),
            }
        }
        Ok(merged.into())
    }

    fn sort_by(&self, members: &[Value]) -> Found {
        let keyed = members.iter().map(|member| Ok((self.evaluate_key(1, member)?, member.clone())));
        Ok(Value::list(self.sort_by_keys(keyed.collect::<Result<Vec<_>, QueryError>>()?)?))
    }

    /// The members in the order of their keys, which must be all numbers or all texts.
    fn sort_by_keys(&self, mut keyed: Vec<(Value, Value)>) -> Result<Vec<Value>, QueryError> {
        if let Some((first, _)) = keyed.first() {
            let fits = |key: &Value| if first.as_str().is_some() { key.as_str().is_some() } else { is_number(key) };
            if let Some((odd, _)) = keyed.iter().find(|(key, _)| !fits(key)) {
                return self.type_error(odd, "only numbers, or only texts");
            }
        }
        keyed.sort_by(|(a, _), (b, _)| a.below_taint().compare_order(b.below_taint()).unwrap_or(Ordering::Equal));
        Ok(keyed.into_iter().map(|(_, member)| member).collect())
    }
}

/// A number as it is, or the one that a text spells.
fn number_in(value: &Value) -> Value {
    match value {
        Value::Str(text) => match (text.trim().parse::<i64>(), text.trim().parse::<f64>()) {
            (Ok(number), _) => Value::Int(number),
            (_, Ok(number)) => Value::Float(number),
            _ => Value::Null,
        },
        number if is_number(number) => number.clone(),
        _ => Value::Null,
    }
}

/// The name of a value's type in JMESPath.
fn jmespath_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Dict(_) | Value::Object(_) => "object",
        number if is_number(number) => "number",
        list if list.as_slice().is_some() => "array",
        _ => "string",
    }
}
