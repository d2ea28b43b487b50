//! `ipaddr` and what asks the same questions of one version only.

use super::integer_parameter;
use super::ipaddr_queries::{self, Subject};
use crate::template::error::TemplateError;
use crate::template::network::{Address, Network, Version, python_integer};
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{optional_text, require_all_defined, unknown_among};
use crate::value::{Value, python};

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new(
        "ansible.utils.ipaddr",
        ipaddr,
        "Validates IP addresses and networks, or returns a part of them.",
    ),
    FilterPlugin::new("ansible.utils.ipv4", ipv4, "Same as `ipaddr`, for IPv4 only."),
    FilterPlugin::new("ansible.utils.ipv6", ipv6, "Same as `ipaddr`, for IPv6 only."),
    FilterPlugin::new(
        "ansible.utils.ipwrap",
        ipwrap,
        "Puts IPv6 addresses into brackets; returns other values unchanged.",
    ),
];

/// The question that `ipaddr` asks of each address.
struct Question<'a> {
    query: &'a str,
    /// The number of the version that is wanted.
    version: Option<i64>,
    alias: &'static str,
}

/// Asks a question of one value, as the other filters do: no list, any version.
pub(super) fn ask(value: &Value, query: &str) -> Result<Value, TemplateError> {
    answer(value, &Question { query, version: None, alias: "ipaddr" })
}

fn ipaddr(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [query, version, _alias] = call.args.bind(["query", "version", "alias"])?;
    let version = version.filter(|version| !version.is_null());
    let version = version.map(|version| integer_parameter(&version, "version")).transpose()?;
    let version = version.map(|version| i64::try_from(version).unwrap_or(-1)).filter(|version| *version != 0);
    run(call, query.as_ref(), version, "ipaddr")
}

fn ipv4(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [query] = call.args.bind(["query"])?;
    run(call, query.as_ref(), Some(4), "ipv4")
}

fn ipv6(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [query] = call.args.bind(["query"])?;
    run(call, query.as_ref(), Some(6), "ipv6")
}

fn run(
    call: &PluginCall<'_>,
    query: Option<&Value>,
    version: Option<i64>,
    alias: &'static str,
) -> Result<Value, TemplateError> {
    if let Some(unknown) = unknown_among(std::iter::once(&call.input)) {
        return Ok(unknown);
    }
    let input = as_list(call)?;
    if !matches!(
        input.below_taint(),
        Value::Str(_) | Value::List(_) | Value::Tuple(_) | Value::Int(_) | Value::Big(_) | Value::Bool(_)
    ) {
        let kind = input.type_name();
        return Err(TemplateError::value(format!("Unrecognized type <{kind}> for {alias} filter <value>")));
    }
    let query = optional_text(query)?.unwrap_or_default();
    if matches!(input.below_taint(), Value::Str(_) | Value::Int(_) | Value::Bool(_)) && !is_worth_asking(&input) {
        call.context.add_warning(format!("the value '{}' is not an IP address or network", python::str(&input)));
    }
    answer(&input, &Question { query: &query, version, alias })
}

/// The input; what can only be iterated becomes a list.
fn as_list(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    match require_all_defined(&call.input)? {
        Value::Object(_) | Value::Set(_) => Ok(Value::list(call.context.collect_members(&call.input)?)),
        other => Ok(other.clone()),
    }
}

fn is_worth_asking(value: &Value) -> bool {
    value.is_true() && *value != Value::Bool(true)
}

fn answer(value: &Value, question: &Question<'_>) -> Result<Value, TemplateError> {
    if let Value::List(items) | Value::Tuple(items) | Value::Set(items) = value {
        let inner = Question { alias: "ipaddr", ..*question };
        let answers = items.iter().map(|item| answer(item, &inner)).collect::<Result<Vec<_>, _>>()?;
        return Ok(Value::list(answers.into_iter().filter(Value::is_true)));
    }
    let Some(subject) = read_subject(value, question.version) else { return Ok(Value::Bool(false)) };
    let net = wanted_network(question.query);
    if question.version.is_some_and(|version| subject.network.version().number() != version) {
        return Ok(Value::Bool(false));
    }
    if let Some(net) = net {
        return Ok(if net.contains(subject.network) { subject.value } else { Value::Null });
    }
    match ipaddr_queries::answer(&subject, question.query) {
        Some(answer) => answer,
        None => nth_address(&subject, question),
    }
}

/// The network that the query is, if it is one.
fn wanted_network(query: &str) -> Option<Network> {
    let is_number = !query.is_empty() && query.bytes().all(|byte| byte.is_ascii_digit());
    (!is_number && !ipaddr_queries::is_query(query)).then(|| Network::parse(query)).flatten()
}

/// Reads text or a number as an address or a network; `None` if it is neither.
fn read_subject(value: &Value, version: Option<i64>) -> Option<Subject> {
    if !is_worth_asking(value) {
        return None;
    }
    let written = python::str(value.below_taint());
    if !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit()) {
        let bits: u128 = written.parse().ok()?;
        let address = match version {
            Some(6) => Address::new(Version::V6, bits)?,
            Some(4) | None => Address::of_integer(bits),
            Some(_) => Address::new(Version::V6, bits)?,
        };
        let network = Network::of_host(address);
        return Some(Subject { network, is_network: false, value: Value::text(network.to_string()) });
    }
    let Value::Str(text) = value else { return None };
    if let Some(network) = Network::parse(text) {
        return Some(Subject { network, is_network: text.matches('/').count() == 1, value: value.clone() });
    }
    let (bits, prefix) = text.split_once('/')?;
    let bits = u128::try_from(python_integer(bits)?).ok()?;
    let prefix = u8::try_from(python_integer(prefix)?).ok()?;
    let network = Address::new(Version::V4, bits)
        .and_then(|address| Network::new(address, prefix))
        .or_else(|| Network::new(Address { version: Version::V6, bits }, prefix))?;
    Some(Subject { network, is_network: true, value: Value::text(network.to_string()) })
}

/// A query that is a number: an address by its position in the network.
fn nth_address(subject: &Subject, question: &Question<'_>) -> Result<Value, TemplateError> {
    let number = question.query.trim().replace('_', "");
    if number.parse::<f64>().is_err() {
        let fault = TemplateError::value(format!("{}: unknown filter type: {}", question.alias, question.query));
        return Err(fault.suggest_name(question.query, ipaddr_queries::names()));
    }
    if !subject.network.is_many() {
        return Ok(subject.as_given());
    }
    let position = python_integer(question.query);
    let found = position.and_then(|position| subject.network.address_at(&position));
    Ok(found.map_or(Value::Bool(false), |address| Value::text(format!("{address}/{}", subject.network.prefix))))
}

fn ipwrap(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    // A query is accepted and has no effect, as in the collection.
    let [_query] = call.args.bind(["query"])?;
    let input = as_list(call)?;
    let wrap = |value: &Value, keep: bool| -> Value {
        let question = Question { query: "", version: None, alias: "ipwrap" };
        let Ok(found) = answer(value, &question) else { return value.clone() };
        if !found.is_true() {
            return value.clone();
        }
        ask(if keep { value } else { &found }, "wrap").unwrap_or_else(|_| value.clone())
    };
    match &input {
        Value::List(items) | Value::Tuple(items) => Ok(Value::list(items.iter().map(|item| wrap(item, true)))),
        Value::Str(_) | Value::Bool(_) => Ok(wrap(&input, false)),
        other => {
            Err(TemplateError::value(format!("Unrecognized type <{}> for ipwrap filter <value>", other.type_name())))
        }
    }
}
