//! JMESPath over values: the parser is a library's; what an expression means is worked out here, because mappings keep their
//! order and integers stay integers.

mod error;
mod functions;

use std::borrow::Cow;

use jmespath::Variable;
use jmespath::ast::{Ast, Comparator};

pub use error::QueryError;

use crate::value::{Dict, Value, json};

/// Asks a value a question.
///
/// # Errors
/// If the question is not JMESPath or a function is given what it does not take.
pub fn query_value(question: &str, value: &Value) -> Result<Value, QueryError> {
    let ast = jmespath::parse(&with_quoted_words(question)).map_err(|why| QueryError::Syntax(why.to_string()))?;
    evaluate_ast(&ast, value)
}

/// The question with quotes round the words between backticks that are not JSON: these are text.
fn with_quoted_words(question: &str) -> Cow<'_, str> {
    if !question.contains('`') {
        return Cow::Borrowed(question);
    }
    let mut out = String::with_capacity(question.len());
    let mut rest = question;
    while let Some(start) = rest.find(['`', '\'', '"']) {
        let quote = rest.as_bytes()[start] as char;
        let Some(length) = find_closing(&rest[start + 1..], quote) else { break };
        let inner = &rest[start + 1..start + 1 + length];
        out.push_str(&rest[..=start]);
        if quote == '`' && serde_json::from_str::<serde::de::IgnoredAny>(&inner.replace("\\`", "`")).is_err() {
            out.push('"');
            out.push_str(inner.trim_start());
            out.push('"');
        } else {
            out.push_str(inner);
        }
        out.push(quote);
        rest = &rest[start + length + 2..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// How long a quoted part is.
fn find_closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(at)
    })
}

fn evaluate_ast(ast: &Ast, value: &Value) -> Result<Value, QueryError> {
    Ok(match ast {
        Ast::Identity { .. } | Ast::Expref { .. } => value.clone(),
        Ast::Field { name, .. } => get_field(value, name),
        Ast::Subexpr { lhs, rhs, .. } => evaluate_ast(rhs, &evaluate_ast(lhs, value)?)?,
        Ast::Index { idx, .. } => index(value, *idx),
        Ast::Slice { start, stop, step, .. } => slice_list(value, *start, *stop, *step)?,
        Ast::Literal { value, .. } => read_literal(value),
        Ast::MultiList { .. } | Ast::MultiHash { .. } if value.is_null() => Value::Null,
        Ast::MultiList { elements, .. } => Value::list(
            elements.iter().map(|element| evaluate_ast(element, value)).collect::<Result<Vec<_>, QueryError>>()?,
        ),
        Ast::MultiHash { elements, .. } => {
            let entry =
                |pair: &jmespath::ast::KeyValuePair| Ok((Value::text(&*pair.key), evaluate_ast(&pair.value, value)?));
            elements.iter().map(entry).collect::<Result<Dict, QueryError>>()?.into()
        }
        Ast::Not { node, .. } => Value::Bool(!is_true(&evaluate_ast(node, value)?)),
        Ast::And { lhs, rhs, .. } => match evaluate_ast(lhs, value)? {
            left if is_true(&left) => evaluate_ast(rhs, value)?,
            left => left,
        },
        Ast::Or { lhs, rhs, .. } => match evaluate_ast(lhs, value)? {
            left if is_true(&left) => left,
            _ => evaluate_ast(rhs, value)?,
        },
        Ast::Comparison { comparator, lhs, rhs, .. } => {
            compare_values(comparator, &evaluate_ast(lhs, value)?, &evaluate_ast(rhs, value)?)
        }
        Ast::Condition { predicate, then, .. } => match is_true(&evaluate_ast(predicate, value)?) {
            true => evaluate_ast(then, value)?,
            false => Value::Null,
        },
        Ast::Projection { lhs, rhs, .. } => {
            let base = evaluate_ast(lhs, value)?;
            let Some(members) = base.as_slice() else { return Ok(Value::Null) };
            let found =
                members.iter().map(|member| evaluate_ast(rhs, member)).collect::<Result<Vec<_>, QueryError>>()?;
            Value::list(found.into_iter().filter(|found| !found.is_null()))
        }
        Ast::ObjectValues { node, .. } => match evaluate_ast(node, value)? {
            Value::Dict(dict) => Value::list(dict.values().cloned()),
            _ => Value::Null,
        },
        Ast::Flatten { node, .. } => {
            let base = evaluate_ast(node, value)?;
            let Some(members) = base.as_slice() else { return Ok(Value::Null) };
            let inner = |member: &Value| member.as_slice().map_or_else(|| vec![member.clone()], <[Value]>::to_vec);
            Value::list(members.iter().flat_map(inner))
        }
        Ast::Function { name, args, .. } => functions::call(name, args, value)?,
    })
}

/// The value of a literal.
fn read_literal(literal: &Variable) -> Value {
    match literal {
        Variable::Null | Variable::Expref(_) => Value::Null,
        Variable::Bool(b) => Value::Bool(*b),
        Variable::String(text) => Value::text(text.as_str()),
        Variable::Number(number) => json::from_serde(&serde_json::Value::Number(number.clone())),
        Variable::Array(items) => Value::list(items.iter().map(|item| read_literal(item))),
        Variable::Object(entries) => {
            Value::dict(entries.iter().map(|(key, value)| (key.as_str(), read_literal(value))))
        }
    }
}

fn get_field(value: &Value, name: &str) -> Value {
    match value {
        Value::Dict(dict) => dict.get(name).cloned().unwrap_or(Value::Null),
        Value::Object(object) => {
            object.get(&Value::text(name)).filter(|found| !found.is_undefined()).unwrap_or(Value::Null)
        }
        _ => Value::Null,
    }
}

fn index(value: &Value, at: i32) -> Value {
    let members = value.as_slice().unwrap_or_default();
    let at = i64::from(at);
    let at = if at < 0 { at + i64::try_from(members.len()).unwrap_or(i64::MAX) } else { at };
    usize::try_from(at).ok().and_then(|at| members.get(at)).cloned().unwrap_or(Value::Null)
}

fn slice_list(value: &Value, start: Option<i32>, stop: Option<i32>, step: i32) -> Result<Value, QueryError> {
    if value.as_slice().is_none() {
        return Ok(Value::Null);
    }
    let bound = |bound: Option<i32>| bound.map(|bound| Value::Int(i64::from(bound)));
    let bounds = [bound(start), bound(stop), bound(Some(step))];
    Ok(super::sequence::slice_value(value, &bounds)?)
}

/// Truth in JMESPath: zero is true.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Str(text) => !text.is_empty(),
        Value::Dict(dict) => !dict.is_empty(),
        other => other.as_slice().is_none_or(|members| !members.is_empty()),
    }
}

fn is_number(value: &Value) -> bool {
    matches!(value.below_taint(), Value::Int(_) | Value::Big(_) | Value::Float(_))
}

/// Equality without Python's `1 == true`.
fn is_equal(left: &Value, right: &Value) -> bool {
    let (left, right) = (left.below_taint(), right.below_taint());
    matches!(left, Value::Bool(_)) == matches!(right, Value::Bool(_)) && left == right
}

/// Order is known for two numbers and for two texts.
fn compare_values(comparator: &Comparator, left: &Value, right: &Value) -> Value {
    let is_ordered = is_number(left) && is_number(right) || left.as_str().is_some() && right.as_str().is_some();
    let holds = match comparator {
        Comparator::Equal => is_equal(left, right),
        Comparator::NotEqual => !is_equal(left, right),
        _ if !is_ordered => return Value::Null,
        order => {
            let Ok(found) = left.below_taint().compare_order(right.below_taint()) else { return Value::Null };
            match order {
                Comparator::LessThan => found.is_lt(),
                Comparator::LessThanEqual => found.is_le(),
                Comparator::GreaterThan => found.is_gt(),
                _ => found.is_ge(),
            }
        }
    };
    Value::Bool(holds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(data: &str, question: &str, expected: &str) {
        let found = query_value(question, &json::from_str(data).unwrap());
        let found = found
            .map(|found| json::to_string(&found, json::JsonStyle::PYTHON))
            .unwrap_or_else(|error| error.to_string());
        assert_eq!(found, expected, "{question}");
    }

    #[test]
    fn literals_may_be_bare_words() {
        let data = r#"[{"n": "web", "u": 33}, {"n": "it's", "u": 0}]"#;
        case(data, "[?n==`web`].u", "[33]");
        case(data, "[?n==`\"web\"`].u", "[33]");
        case(data, "[?u==`0` && n!='a`b'].n", "[\"it's\"]");
        case(data, "[?n==`web", "Parse error: Unclosed ` delimiter: `web (line 0, column 5)\n[?n==`web\n     ^\n");
    }

    #[test]
    fn order_and_kinds_are_kept() {
        case(r#"{"z": 1, "a": {"y": 2, "b": 3.0}}"#, "@", r#"{"z": 1, "a": {"y": 2, "b": 3.0}}"#);
        case(r#"{"z": 1, "a": 2}"#, "keys(@)", r#"["z", "a"]"#);
        case(r#"{"z": 1, "a": 2}"#, "{q: z, b: a, n: nope}", r#"{"q": 1, "b": 2, "n": null}"#);
        case("[1, 2, 3]", "[sum(@), avg(@), max(@), length(@)]", "[6, 2.0, 3, 3]");
        case("[1, [2, [3]], []]", "[]", "[1, 2, [3]]");
        case("[1, 2, 3, 4]", "[::-2]", "[4, 2]");
    }

    #[test]
    fn comparisons() {
        case(r#"[{"t": "b"}, {"t": "c"}, {"t": 1}, {}]"#, "[?t >= 'b'].t", r#"["b", "c"]"#);
        case(r#"[{"t": true}, {"t": 1}, {"t": 0}]"#, "[?t == `1`].t", "[1]");
        case(r#"[{"t": true}, {"t": 1}, {"t": 0}, {"t": ""}]"#, "[?t].t", "[true, 1, 0]");
    }

    #[test]
    fn functions() {
        case(r#"{"a": [3, 1, 2]}"#, "sort(a) | [0]", "1");
        case(r#"[{"n": "b"}, {"n": "a"}]"#, "sort_by(@, &n)[].n", r#"["a", "b"]"#);
        case(r#"{"z": 1, "a": "x"}"#, "to_string(@)", r#""{\"z\":1,\"a\":\"x\"}""#);
        case("{}", "[ceil(`1.2`), floor(`1.9`), abs(`-3`), to_number('7'), type(`1`)]", r#"[2, 1, 3, 7, "number"]"#);
        case("[1]", "sum(`[\"a\"]`)", "in the function `sum()`, the value 'a' has the wrong type: it takes numbers");
        case("[1]", "nope(@)", "there is no function `nope()`");
    }
}
