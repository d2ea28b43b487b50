//! XML as data, and data as XML, by the conventions of `xmltodict`: `@name` for attributes, `#text` for text beside them.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::integer_parameter;
use crate::template::error::TemplateError;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{flag_or, optional_text, require_all_defined, to_text};
use crate::value::{Dict, Value, json, python};

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("ansible.utils.from_xml", from_xml, "Parses XML."),
    FilterPlugin::new("ansible.utils.to_xml", to_xml, "Formats data as XML."),
];

fn error(call: &PluginCall<'_>, what: &str) -> TemplateError {
    let name = call.name.rsplit('.').next().unwrap_or(call.name);
    TemplateError::value(format!("Error when using plugin '{name}': {what}"))
}

fn check_engine(call: &PluginCall<'_>, engine: Option<&Value>) -> Result<(), TemplateError> {
    match optional_text(engine)?.as_deref() {
        None | Some("xmltodict") => Ok(()),
        Some(other) => Err(error(call, &format!("engine: {other} is not supported"))),
    }
}

/// An element that is being read.
struct OpenElement {
    name: String,
    members: Dict,
    text: String,
}

impl OpenElement {
    fn from_start(start: &BytesStart<'_>) -> Option<Self> {
        let mut members = Dict::new();
        for attribute in start.attributes() {
            let attribute = attribute.ok()?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
            members.set(format!("@{}", attribute.key.as_ref()), Value::text(&*value));
        }
        Some(Self { name: start.name().as_ref().to_owned(), members, text: String::new() })
    }

    fn into_value(mut self) -> Value {
        let text = self.text.trim();
        match (text.is_empty(), self.members.is_empty()) {
            (true, true) => Value::Null,
            (false, true) => Value::text(text),
            (true, false) => self.members.into(),
            (false, false) => {
                self.members.set("#text", Value::text(text));
                self.members.into()
            }
        }
    }

    /// Adds a child; children of one name become a list.
    fn add(&mut self, name: &str, value: Value) {
        let value = match self.members.get(name) {
            None => value,
            Some(Value::List(items)) => Value::list(items.iter().cloned().chain([value])),
            Some(first) => Value::list([first.clone(), value]),
        };
        self.members.set(name, value);
    }
}

fn from_xml(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [engine] = call.args.bind(["engine"])?;
    check_engine(call, engine.as_ref())?;
    let text = to_text(&call.input)?;
    parse_xml(&text).ok_or_else(|| error(call, "Input Xml is not valid"))
}

/// Reads a document with one root; `None` if it is not well-formed.
fn parse_xml(text: &str) -> Option<Value> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<OpenElement> = Vec::new();
    let mut document = OpenElement { name: String::new(), members: Dict::new(), text: String::new() };
    loop {
        let event = reader.read_event().ok()?;
        let closed = match event {
            Event::Start(start) => {
                if open.is_empty() && !document.members.is_empty() {
                    return None;
                }
                open.push(OpenElement::from_start(&start)?);
                None
            }
            Event::Empty(start) => {
                if open.is_empty() && !document.members.is_empty() {
                    return None;
                }
                Some(OpenElement::from_start(&start)?)
            }
            Event::End(_) => Some(open.pop()?),
            Event::Text(text) => {
                let text = text.xml10_content();
                match open.last_mut() {
                    Some(element) => element.text.push_str(&text),
                    None if text.trim().is_empty() => {}
                    None => return None,
                }
                None
            }
            Event::CData(data) => {
                open.last_mut()?.text.push_str(&data.xml10_content());
                None
            }
            Event::GeneralRef(entity) => {
                let named = quick_xml::escape::resolve_predefined_entity(&entity);
                let character = entity.resolve_char_ref().ok()?.map(String::from);
                open.last_mut()?.text.push_str(&character.or_else(|| named.map(str::to_owned))?);
                None
            }
            Event::Eof if open.is_empty() && !document.members.is_empty() => return Some(document.members.into()),
            Event::Eof => return None,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => None,
        };
        if let Some(element) = closed {
            let name = element.name.clone();
            open.last_mut().unwrap_or(&mut document).add(&name, element.into_value());
        }
    }
}

/// How XML is written.
struct XmlStyle {
    indent: String,
}

fn to_xml(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [engine, full, indent, width] = call.args.bind(["engine", "full_document", "indent", "indent_width"])?;
    let invalid = || error(call, "Input json is not valid");
    let data = match require_all_defined(&call.input)? {
        Value::Dict(dict) => (**dict).clone(),
        Value::Str(text) => match json::from_str(text) {
            Ok(Value::Dict(dict)) => (*dict).clone(),
            _ => {
                let message = "argument 'data' is of type str and we were unable to convert to dict: dictionary \
                               requested, could not parse JSON or key=value";
                return Err(TemplateError::value(message));
            }
        },
        other => {
            let kind = other.type_name();
            let message = format!("argument 'data' is of type {kind} and we were unable to convert to dict");
            return Err(TemplateError::value(message));
        }
    };
    check_engine(call, engine.as_ref())?;
    let width = width.map_or(Ok(4.into()), |width| integer_parameter(&width, "indent_width"))?;
    let indent = match optional_text(indent.as_ref())?.as_deref() {
        None | Some("tabs") => "\t".to_owned(),
        Some("spaces") => " ".repeat(usize::try_from(width).unwrap_or(0).min(64)),
        Some(other) => {
            let message = format!("value of indent must be one of: tabs, spaces, got: {other}");
            return Err(TemplateError::value(message).suggest_name(other, ["tabs", "spaces"]));
        }
    };
    let is_full = flag_or(full.as_ref(), true);
    let is_one = match data.values().next() {
        Some(Value::List(items)) => data.len() == 1 && items.len() == 1,
        _ => data.len() == 1,
    };
    if is_full && !is_one {
        return Err(invalid());
    }
    let mut out = String::new();
    if is_full {
        out.push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    }
    for (key, value) in data.iter() {
        write_element(&mut out, &python::str(key), value, &XmlStyle { indent: indent.clone() }, 0)
            .ok_or_else(invalid)?;
    }
    Ok(Value::text(out))
}

/// Text of a plain value; booleans are in small letters.
fn plain_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(flag) => flag.to_string(),
        other => python::str(other),
    }
}

fn escape_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('>', "&gt;").replace('<', "&lt;")
}

fn quote_attribute(text: &str) -> String {
    let text = escape_text(text).replace('\n', "&#10;").replace('\r', "&#13;").replace('\t', "&#9;");
    match (text.contains('"'), text.contains('\'')) {
        (false, _) => format!("\"{text}\""),
        (true, false) => format!("'{text}'"),
        (true, true) => format!("\"{}\"", text.replace('"', "&quot;")),
    }
}

/// Writes an element, or several for a list; `None` if the name is not one.
fn write_element(out: &mut String, name: &str, value: &Value, style: &XmlStyle, depth: usize) -> Option<()> {
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || "<>&\"'/=".contains(c)) {
        return None;
    }
    let items = match value {
        Value::List(items) => items.to_vec(),
        other => vec![other.clone()],
    };
    for (index, item) in items.iter().enumerate() {
        if depth > 0 {
            out.push_str(&style.indent.repeat(depth));
        }
        write_one(out, name, item, style, depth)?;
        if depth > 0 || index + 1 < items.len() {
            out.push('\n');
        }
    }
    Some(())
}

fn write_one(out: &mut String, name: &str, item: &Value, style: &XmlStyle, depth: usize) -> Option<()> {
    out.push('<');
    out.push_str(name);
    let Value::Dict(members) = item else {
        out.push_str(&format!(">{}</{name}>", escape_text(&plain_text(item))));
        return Some(());
    };
    let mut children = Vec::new();
    let mut text = String::new();
    for (key, value) in members.iter() {
        let key = python::str(key);
        if key == "#text" {
            text = plain_text(value);
        } else if let Some(attribute) = key.strip_prefix('@') {
            out.push_str(&format!(" {attribute}={}", quote_attribute(&plain_text(value))));
        } else if !matches!(value, Value::List(items) if items.is_empty()) {
            children.push((key, value));
        }
    }
    out.push('>');
    if !children.is_empty() {
        out.push('\n');
    }
    for (key, value) in &children {
        write_element(out, key, value, style, depth + 1)?;
    }
    out.push_str(&escape_text(&text));
    if !children.is_empty() && depth > 0 {
        out.push_str(&style.indent.repeat(depth));
    }
    out.push_str(&format!("</{name}>"));
    Some(())
}
