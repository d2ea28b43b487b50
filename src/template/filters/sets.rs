//! Lists as sets, and combinations of lists.

use indexmap::IndexSet;

use crate::template::budget;
use crate::template::error::TemplateError;
use crate::template::filters::select::Path;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{
    contains_value, flag_or, ignore_case, input_members, integer_or, list_members, require_arg, require_defined,
    to_integer, unknown_among,
};
use crate::template::python::set::{self, Operation};
use crate::value::Value;

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("combinations", combinations, "Returns all combinations of a given number of members, in order."),
    FilterPlugin::new("difference", difference, "Returns the members that are not in another list."),
    FilterPlugin::new("intersect", intersect, "Returns the members that are also in another list."),
    FilterPlugin::new("permutations", permutations, "Returns all permutations of the members."),
    FilterPlugin::new("product", product, "Returns all combinations of one member from each list."),
    FilterPlugin::new(
        "symmetric_difference",
        symmetric_difference,
        "Returns the members that are in only one of two lists.",
    ),
    FilterPlugin::new("union", union, "Returns the members of both lists, without duplicates."),
    FilterPlugin::new("unique", unique, "Removes duplicate members."),
    FilterPlugin::new("zip", zip, "Pairs the members of lists by position, up to the shortest."),
    FilterPlugin::new("zip_longest", zip_longest, "Pairs the members of lists by position, up to the longest."),
];

/// Members without doubles, in order; members that cannot be hashed are compared one by one.
fn remove_duplicates(members: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let mut seen = IndexSet::new();
    let mut unhashable: Vec<Value> = Vec::new();
    let mut result = Vec::new();
    for member in members {
        let fresh = if member.is_hashable() {
            seen.insert(member.clone())
        } else {
            let fresh = !contains_value(&unhashable, &member);
            if fresh {
                unhashable.push(member.clone());
            }
            fresh
        };
        if fresh {
            result.push(member);
        }
    }
    result
}

/// Two lists, or the unknown value that makes the whole result unknown.
type TwoLists = Result<(Vec<Value>, Vec<Value>), Value>;

fn two_lists(call: &PluginCall<'_>) -> Result<TwoLists, TemplateError> {
    let [other] = call.args.bind(["b"])?;
    let (a, b) = (input_members(call)?, list_members(call, &require_arg(other, "b")?)?);
    Ok(unknown_among(a.iter().chain(&b)).map_or_else(|| Ok((a, b)), Err))
}

/// Carries out an operation as Python's sets would; where they have no order that one could rely on, members stay in the
/// order of their coming.
fn set_filter(
    call: &PluginCall<'_>,
    operation: Operation,
    otherwise: impl FnOnce(Vec<Value>, Vec<Value>) -> Vec<Value>,
) -> Result<Value, TemplateError> {
    Ok(match two_lists(call)? {
        Ok((a, b)) => match set::combine_sets(operation, &a, &b) {
            Some(result) => Value::list(result),
            None => Value::list(remove_duplicates(otherwise(a, b))),
        },
        Err(unknown) => unknown,
    })
}

/// Keeps the members of `a` that are, or are not, in `b`.
fn keep_members(a: Vec<Value>, b: &[Value], wanted: bool) -> Vec<Value> {
    let index: IndexSet<&Value> = b.iter().filter(|member| member.is_hashable()).collect();
    let is_in = |member: &Value| if member.is_hashable() { index.contains(member) } else { contains_value(b, member) };
    a.into_iter().filter(|member| is_in(member) == wanted).collect()
}

fn union(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    set_filter(call, Operation::Union, |a, b| a.into_iter().chain(b).collect())
}

fn intersect(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    set_filter(call, Operation::Intersection, |a, b| keep_members(a, &b, true))
}

fn difference(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    set_filter(call, Operation::Difference, |a, b| keep_members(a, &b, false))
}

fn symmetric_difference(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    set_filter(call, Operation::SymmetricDifference, |a, b| {
        let mut result = keep_members(a.clone(), &b, false);
        result.extend(keep_members(b, &a, false));
        result
    })
}

fn unique(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [case_sensitive, attribute] = call.args.bind(["case_sensitive", "attribute"])?;
    let exact = flag_or(case_sensitive.as_ref(), false);
    // Whether members that have no such key are a failure; else they are compared as they are.
    let strict = attribute.as_ref().is_some_and(Value::is_true)
        || case_sensitive.as_ref().is_some_and(|wanted| !wanted.is_true());
    let path = attribute.filter(|attribute| !attribute.is_null()).map(|attribute| Path::new(&attribute)).transpose()?;
    let members = input_members(call)?;
    let mut seen = IndexSet::new();
    let mut result = Vec::new();
    for item in &members {
        let key = match &path {
            Some(path) => path.read_attribute(item, None, call.context)?,
            None => item.clone(),
        };
        if let Some(unknown) = unknown_among([&key]) {
            return Ok(unknown);
        }
        if key.is_undefined() && !strict {
            return Ok(Value::list(remove_duplicates(members)));
        }
        let key = require_defined(&key)?.clone();
        if !key.is_hashable() {
            return if strict {
                let kind = key.type_name();
                let what = "does not support case_sensitive=false nor attribute for members that are not plain values";
                Err(TemplateError::value(format!(
                    "unhashable type: '{kind}'; it cannot fall back to comparing, which {what}"
                )))
            } else {
                Ok(Value::list(remove_duplicates(members)))
            };
        }
        if seen.insert(if exact { key } else { ignore_case(key) }) {
            result.push(item.clone());
        }
    }
    Ok(Value::list(result))
}

/// The input and the lists given by position.
fn read_columns(call: &PluginCall<'_>) -> Result<Vec<Vec<Value>>, TemplateError> {
    std::iter::once(&call.input).chain(&call.args.positional).map(|column| list_members(call, column)).collect()
}

fn only_named(call: &PluginCall<'_>, known: &str) -> Result<(), TemplateError> {
    match call.args.named.iter().find(|(name, _)| **name != *known) {
        Some((name, _)) => {
            let message = format!("'{name}' is an invalid keyword argument for {}()", call.name);
            Err(TemplateError::value(message).suggest_name(name, [known]))
        }
        None => Ok(()),
    }
}

fn zip(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    only_named(call, "strict")?;
    let columns = read_columns(call)?;
    let shortest = columns.iter().map(Vec::len).min().unwrap_or(0);
    if flag_or(call.args.get_named("strict"), false)
        && let Some(odd) = columns.iter().position(|column| column.len() != columns[0].len())
    {
        let word = if columns[odd].len() < columns[0].len() { "shorter" } else { "longer" };
        return Err(TemplateError::value(format!("zip() argument {} is {word} than argument 1", odd + 1)));
    }
    Ok(Value::list((0..shortest).map(|row| Value::tuple(columns.iter().map(|column| column[row].clone())))))
}

fn zip_longest(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    only_named(call, "fillvalue")?;
    let fill = call.args.get_named("fillvalue").cloned().unwrap_or(Value::Null);
    let columns = read_columns(call)?;
    let longest = columns.iter().map(Vec::len).max().unwrap_or(0);
    Ok(Value::list(
        (0..longest).map(|row| Value::tuple(columns.iter().map(|column| column.get(row).unwrap_or(&fill).clone()))),
    ))
}

fn product(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    only_named(call, "repeat")?;
    let repeat = usize::try_from(integer_or(call.args.get_named("repeat"), 1)?)
        .map_err(|_| TemplateError::value("repeat argument cannot be negative"))?;
    let columns = read_columns(call)?;
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for (length, column) in std::iter::repeat_n(&columns, repeat).flatten().enumerate() {
        let count = rows.len().saturating_mul(column.len());
        check_size(count)?;
        budget::grow_members(count.saturating_mul(length + 1))?;
        let longer = |row: &Vec<Value>| {
            let row = row.clone();
            column.iter().map(move |item| row.iter().chain([item]).cloned().collect::<Vec<_>>()).collect::<Vec<_>>()
        };
        rows = rows.iter().flat_map(longer).collect();
    }
    Ok(rows_to_tuples(rows))
}

fn combinations(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [size] = call.args.bind(["r"])?;
    let members = input_members(call)?;
    let size = usize::try_from(to_integer(&require_arg(size, "r")?)?)
        .map_err(|_| TemplateError::value("r must be non-negative"))?;
    choose_rows(&members, size, ChoiceOrder::Rising)
}

fn permutations(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [size] = call.args.bind(["r"])?;
    let members = input_members(call)?;
    let size = match size.filter(|size| !size.is_null()) {
        Some(size) => {
            usize::try_from(to_integer(&size)?).map_err(|_| TemplateError::value("r must be non-negative"))?
        }
        None => members.len(),
    };
    choose_rows(&members, size, ChoiceOrder::Any)
}

/// The order of the members in a choice.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ChoiceOrder {
    /// That of the list: combinations.
    Rising,
    /// Any: permutations.
    Any,
}

/// All choices of some members of a list.
struct Choices<'a> {
    members: &'a [Value],
    size: usize,
    order: ChoiceOrder,
    /// The positions chosen so far.
    chosen: Vec<usize>,
    rows: Vec<Vec<Value>>,
}

fn choose_rows(members: &[Value], size: usize, order: ChoiceOrder) -> Result<Value, TemplateError> {
    let mut choices = Choices { members, size, order, chosen: Vec::new(), rows: Vec::new() };
    choices.add_choices(0)?;
    Ok(rows_to_tuples(choices.rows))
}

impl Choices<'_> {
    /// Adds all choices that begin with those chosen so far; rising ones go on at a position.
    fn add_choices(&mut self, from: usize) -> Result<(), TemplateError> {
        if self.chosen.len() == self.size {
            check_size(self.rows.len() + 1)?;
            budget::reserve_output(self.size * size_of::<Value>())?;
            self.rows.push(self.chosen.iter().map(|index| self.members[*index].clone()).collect());
            return Ok(());
        }
        if self.size > self.members.len() {
            return Ok(());
        }
        let any_order = self.order == ChoiceOrder::Any;
        for index in if any_order { 0 } else { from }..self.members.len() {
            if any_order && self.chosen.contains(&index) {
                continue;
            }
            self.chosen.push(index);
            self.add_choices(index + 1)?;
            self.chosen.pop();
        }
        Ok(())
    }
}

fn check_size(rows: usize) -> Result<(), TemplateError> {
    const MOST: usize = 1_000_000;
    if rows > MOST {
        return Err(TemplateError::value(format!("more than {MOST} results")));
    }
    Ok(())
}

fn rows_to_tuples(rows: Vec<Vec<Value>>) -> Value {
    Value::list(rows.into_iter().map(Value::tuple))
}
