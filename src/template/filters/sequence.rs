//! Lists: their members, their order, their parts.

use crate::template::budget;
use crate::template::error::TemplateError;
use crate::template::filters::select::Path;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{
    as_real, compare_values, flag_or, ignore_case, input_members, lazy_items, require_all_defined, require_arg,
    require_defined, sort_by_key, text_of, text_or, to_integer, to_text, unknown_among,
};
use crate::value::Value;

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("batch", batch, "Splits a list into lists of a given length."),
    FilterPlugin::new("count", length, "Returns the number of members.").sets_taint(),
    FilterPlugin::new("first", first, "Returns the first member."),
    FilterPlugin::new("flatten", flatten, "Flattens nested lists."),
    FilterPlugin::new("join", join, "Joins members to text."),
    FilterPlugin::new("last", last, "Returns the last member."),
    FilterPlugin::new("length", length, "Returns the number of members.").sets_taint(),
    FilterPlugin::new("list", list, "Returns the members as a list."),
    FilterPlugin::new("max", max, "Returns the greatest member."),
    FilterPlugin::new("min", min, "Returns the smallest member."),
    FilterPlugin::new("reverse", reverse, "Reverses a list or text."),
    FilterPlugin::new("slice", slice, "Splits a list into a given number of lists."),
    FilterPlugin::new("sort", sort, "Sorts members."),
    FilterPlugin::new("sum", sum, "Returns the sum of members.").sets_taint(),
];

fn batch(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [size, fill] = call.args.bind(["linecount", "fill_with"])?;
    let members = input_members(call)?;
    let size = match usize::try_from(to_integer(&require_arg(size, "linecount")?)?) {
        Ok(0) if !members.is_empty() => return Ok(Value::list([Value::list([]), Value::list(members)])),
        Ok(0) | Err(_) => usize::MAX,
        Ok(size) => size,
    };
    let fill = fill.filter(|fill| !fill.is_null() && size < usize::MAX);
    if fill.is_some() {
        budget::grow_members(members.len().div_ceil(size).saturating_mul(size))?;
    }
    let rows = members
        .chunks(size)
        .map(|row| {
            let mut row = row.to_vec();
            if let Some(fill) = &fill {
                row.resize(size, fill.clone());
            }
            Value::list(row)
        })
        .collect::<Vec<_>>();
    Ok(Value::list(rows))
}

fn slice(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [count, fill] = call.args.bind(["slices", "fill_with"])?;
    let count = to_integer(&require_arg(count, "slices")?)?;
    let members = input_members(call)?;
    let Ok(count) = usize::try_from(count) else { return Ok(Value::list([])) };
    if count == 0 {
        return Err(TemplateError::value("integer division or modulo by zero"));
    }
    budget::grow_members(count.saturating_mul(2).saturating_add(members.len()))?;
    let fill = fill.filter(|fill| !fill.is_null());
    let (size, longer) = (members.len() / count, members.len() % count);
    let mut rest = members.as_slice();
    let mut columns = Vec::new();
    for index in 0..count {
        let (column, after) = rest.split_at(size + usize::from(index < longer));
        rest = after;
        let mut column = column.to_vec();
        if let (Some(fill), true) = (&fill, index >= longer) {
            column.push(fill.clone());
        }
        columns.push(Value::list(column));
    }
    Ok(Value::list(columns))
}

fn length(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    let length = match &call.input {
        Value::Str(text) => Some(text.chars().count()),
        Value::Bytes(bytes) => Some(bytes.len()),
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => Some(items.len()),
        Value::Dict(dict) => Some(dict.len()),
        Value::Object(object) => object.length(),
        Value::Sealed(sealed) => Some(call.context.open_sealed(sealed)?.chars().count()),
        _ => None,
    };
    length
        .map(Value::from)
        .ok_or_else(|| TemplateError::value(format!("object of type '{}' has no len()", call.input.type_name())))
}

fn first(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(lazy_items(call)?.into_iter().next().unwrap_or_else(|| Value::undefined("No first item, sequence was empty.")))
}

fn last(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(lazy_items(call)?.pop().unwrap_or_else(|| Value::undefined("No last item, sequence was empty.")))
}

fn list(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(Value::list(input_members(call)?))
}

fn reverse(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    if let Value::Str(text) = &call.input {
        return Ok(Value::text(text.chars().rev().collect::<String>()));
    }
    let mut members = input_members(call)?;
    members.reverse();
    Ok(Value::list(members))
}

fn flatten(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [levels, skip_nulls] = call.args.bind(["levels", "skip_nulls"])?;
    let levels = levels.filter(|levels| !levels.is_null()).map(|levels| to_integer(&levels)).transpose()?;
    let mut flat = Vec::new();
    flatten_into(&input_members(call)?, levels, flag_or(skip_nulls.as_ref(), true), &mut flat)?;
    Ok(Value::list(flat))
}

/// Nulls, and the texts `None` and `null`, are left out where nulls are skipped.
fn flatten_into(
    members: &[Value],
    levels: Option<i64>,
    skip_nulls: bool,
    flat: &mut Vec<Value>,
) -> Result<(), TemplateError> {
    for member in members {
        match member {
            Value::Null if skip_nulls => {}
            Value::Str(text) if skip_nulls && matches!(text.as_str(), "None" | "null") => {}
            Value::List(inner) | Value::Tuple(inner) if levels.is_none_or(|levels| levels >= 1) => {
                flatten_into(inner, levels.map(|levels| levels - 1), skip_nulls, flat)?;
            }
            other => flat.push(other.clone()),
        }
    }
    // The same list may be a member of many.
    budget::grow_members(flat.len())
}

fn join(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [separator, attribute] = call.args.bind(["d", "attribute"])?;
    let separator = text_or(separator.as_ref(), "")?;
    let mut members = input_members(call)?;
    if let Some(attribute) = attribute.filter(|attribute| !attribute.is_null()) {
        let path = Path::new(&attribute)?;
        members = members.iter().map(|item| path.read_attribute(item, None, call.context)).collect::<Result<_, _>>()?;
    }
    let parts: Vec<String> = members.iter().map(to_text).collect::<Result<_, _>>()?;
    let length = parts.iter().map(String::len).sum::<usize>();
    budget::reserve_bytes(length.saturating_add(parts.len().saturating_mul(separator.len())))?;
    let joined = parts.join(&separator);
    Ok(text_of(joined, &members))
}

fn sort(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [reverse, case_sensitive, attribute] = call.args.bind(["reverse", "case_sensitive", "attribute"])?;
    let reverse = reverse.as_ref().map_or(Ok(0), to_integer)? != 0;
    let exact = flag_or(case_sensitive.as_ref(), false);
    let fold = |key: Value| if exact { key } else { ignore_case(key) };
    let paths: Vec<Path> = match attribute.as_ref().filter(|attribute| !attribute.is_null()) {
        Some(Value::Str(names)) => {
            names.split(',').map(|name| Path::new(&Value::text(name))).collect::<Result<_, _>>()?
        }
        Some(other) => vec![Path::new(other)?],
        None => Vec::new(),
    };
    let members = input_members(call)?;
    let mut keyed = Vec::with_capacity(members.len());
    for item in members {
        let key = if paths.is_empty() {
            fold(item.clone())
        } else {
            let keys: Result<Vec<_>, TemplateError> = paths
                .iter()
                .map(|path| require_defined(&path.read_attribute(&item, None, call.context)?).cloned().map(fold))
                .collect();
            Value::list(keys?)
        };
        if let Some(unknown) = unknown_among([&key]) {
            return Ok(unknown);
        }
        keyed.push((key, item));
    }
    if let [(key, _)] = keyed.as_slice() {
        require_defined(key)?;
    }
    sort_by_key(keyed, reverse).map(Value::list)
}

fn min(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    find_extreme(call, "<", std::cmp::Ordering::Less)
}

fn max(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    find_extreme(call, ">", std::cmp::Ordering::Greater)
}

fn find_extreme(call: &PluginCall<'_>, operator: &str, wanted: std::cmp::Ordering) -> Result<Value, TemplateError> {
    let [case_sensitive, attribute] = call.args.bind(["case_sensitive", "attribute"])?;
    let exact = flag_or(case_sensitive.as_ref(), false);
    let path = attribute.filter(|attribute| !attribute.is_null()).map(|attribute| Path::new(&attribute)).transpose()?;
    let mut best: Option<(Value, Value)> = None;
    for item in input_members(call)? {
        let key = match &path {
            Some(path) => path.read_attribute(&item, None, call.context)?,
            None => item.clone(),
        };
        if let Some(unknown) = unknown_among([&key]) {
            return Ok(unknown);
        }
        let key = if exact { require_defined(&key)?.clone() } else { ignore_case(require_defined(&key)?.clone()) };
        match &best {
            Some((best_key, _)) if compare_values(&key, best_key, operator)? != wanted => {}
            _ => best = Some((key, item)),
        }
    }
    Ok(best.map_or_else(|| Value::undefined("No aggregated item, sequence was empty."), |(_, item)| item))
}

fn sum(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [attribute, start] = call.args.bind(["attribute", "start"])?;
    let path = attribute.filter(|attribute| !attribute.is_null()).map(|attribute| Path::new(&attribute)).transpose()?;
    let mut total = start.unwrap_or(Value::Int(0));
    let mut tainted = total.is_tainted();
    total = total.without_taint();
    for item in input_members(call)? {
        let item = match &path {
            Some(path) => path.read_attribute(&item, None, call.context)?,
            None => item,
        };
        if item.is_unknown() {
            return Ok(item);
        }
        tainted |= item.is_tainted();
        total = add(&total, require_all_defined(&item)?.below_taint())?;
    }
    Ok(if tainted { total.into_tainted() } else { total })
}

/// Python's `+` as far as `sum` goes: numbers and lists; text has `join` for it.
fn add(a: &Value, b: &Value) -> Result<Value, TemplateError> {
    use num_bigint::BigInt;
    let whole = |value: &Value| match value {
        Value::Int(i) => Some(BigInt::from(*i)),
        Value::Bool(b) => Some(BigInt::from(u8::from(*b))),
        Value::Big(number) => Some((**number).clone()),
        _ => None,
    };
    match (a, b) {
        (Value::List(x), Value::List(y)) => return Ok(Value::list(x.iter().chain(y.iter()).cloned())),
        (Value::Tuple(x), Value::Tuple(y)) => return Ok(Value::tuple(x.iter().chain(y.iter()).cloned())),
        (Value::Str(_), _) => return Err(TemplateError::value("sum() can't sum strings [use ''.join(seq) instead]")),
        _ => {}
    }
    if let (Some(x), Some(y)) = (whole(a), whole(b)) {
        return Ok(Value::big(x + y));
    }
    match (as_real(a), as_real(b)) {
        (Some(x), Some(y)) => Ok(Value::Float(x + y)),
        _ => {
            let (a, b) = (a.type_name(), b.type_name());
            Err(TemplateError::value(format!("unsupported operand type(s) for +: '{a}' and '{b}'")))
        }
    }
}
