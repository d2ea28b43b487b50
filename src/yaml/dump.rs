//! Values as YAML text, as `to_yaml` and `to_nice_yaml` write them: which style each value wants.
//!
//! How the styles look on the page is the business of the emitter.

use base64::Engine as _;

use super::emit;
use super::resolve::{self, Plain};
use super::styled::{DumpOptions, Scalar, Styled};
use crate::value::{Time, Value, python};

/// A value as YAML text; ends with a line end.
pub fn to_yaml(value: &Value, options: &DumpOptions) -> String {
    emit::write_document(&represent_value(value, options), options)
}

fn represent_value(value: &Value, options: &DumpOptions) -> Styled {
    let styled = style_value(value, options);
    if options.canonical { to_canonical(value, styled) } else { styled }
}

/// The form in which nothing is left to be guessed.
fn to_canonical(value: &Value, styled: Styled) -> Styled {
    let kind = match value.below_taint() {
        Value::Null => "!!null",
        Value::Bool(_) => "!!bool",
        Value::Int(_) | Value::Big(_) => "!!int",
        Value::Float(_) => "!!float",
        Value::Time(Time::Delta(_)) => "!!str",
        Value::Time(_) => "!!timestamp",
        _ => "!!str",
    };
    match styled {
        Styled::Scalar(scalar) => {
            Styled::Scalar(Scalar { style: Some('"'), tag: Some(scalar.tag.unwrap_or(kind)), ..scalar })
        }
        Styled::Map { entries, tag, .. } => Styled::Map { entries, flow: true, tag: Some(tag.unwrap_or("!!map")) },
        Styled::List { items, .. } => Styled::Tagged("!!seq", Box::new(Styled::List { items, flow: true })),
        tagged @ Styled::Tagged(..) => tagged,
    }
}

fn style_value(value: &Value, options: &DumpOptions) -> Styled {
    let plain =
        |text: String| Styled::Scalar(Scalar { text, style: options.style, implicit: (true, false), tag: None });
    match value.below_taint() {
        Value::Null => plain("null".to_owned()),
        Value::Bool(b) => plain(b.to_string()),
        Value::Int(i) => plain(i.to_string()),
        Value::Big(number) => plain(number.to_string()),
        Value::Float(f) => plain(format_float(*f)),
        Value::Time(Time::Delta(_)) | Value::Undefined(_) | Value::Unknown(_) | Value::Omit | Value::Tainted(_) => {
            style_text(python::str(value), options)
        }
        Value::Time(time) => plain(time.to_text()),
        Value::Str(content) => style_text(content.to_string(), options),
        Value::Bytes(bytes) => style_tagged("!!binary", base64_lines(bytes)),
        Value::Sealed(sealed) => style_tagged("!vault", sealed.envelope.clone()),
        Value::List(items) | Value::Tuple(items) => style_list(items, options),
        Value::Set(items) => {
            let pairs = items.iter().map(|item| (item, &Value::Null)).collect();
            style_map(pairs, Some("!!set"), options)
        }
        Value::Dict(dict) => style_map(dict.iter().collect(), None, options),
        Value::Object(object) => match object.members() {
            Some(members) => style_list(&members, options),
            None => style_text(python::str(value), options),
        },
    }
}

fn style_text(text: String, options: &DumpOptions) -> Styled {
    let implicit = (matches!(resolve::resolve_plain(&text), Ok(Plain::Text)), true);
    let style = if options.literal && text.contains('\n') { Some('|') } else { options.style };
    Styled::Scalar(Scalar { text, style, implicit, tag: None })
}

fn style_tagged(tag: &'static str, text: String) -> Styled {
    Styled::Scalar(Scalar { text, style: Some('|'), implicit: (false, false), tag: Some(tag) })
}

fn style_list(items: &[Value], options: &DumpOptions) -> Styled {
    let items: Vec<_> = items.iter().map(|item| represent_value(item, options)).collect();
    let flow = options.flow.unwrap_or_else(|| items.iter().all(Styled::is_simple));
    Styled::List { items, flow }
}

fn style_map(mut pairs: Vec<(&Value, &Value)>, tag: Option<&'static str>, options: &DumpOptions) -> Styled {
    if options.sort_keys {
        let mut sorted = pairs.clone();
        let mut ordered = true;
        sorted.sort_by(|a, b| {
            a.0.compare_order(b.0).unwrap_or_else(|_| {
                ordered = false;
                std::cmp::Ordering::Equal
            })
        });
        // Keys without an order among them, such as text and numbers, stay as they are.
        if ordered {
            pairs = sorted;
        }
    }
    let entries: Vec<_> =
        pairs.into_iter().map(|(k, v)| (represent_value(k, options), represent_value(v, options))).collect();
    let flow = options.flow.unwrap_or_else(|| entries.iter().all(|(k, v)| k.is_simple() && v.is_simple()));
    Styled::Map { entries, flow, tag }
}

fn format_float(f: f64) -> String {
    if f.is_nan() {
        return ".nan".to_owned();
    }
    if f.is_infinite() {
        return if f > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let text = python::format_float(f);
    // `1e+20` would be read back as text.
    if text.contains('.') { text } else { text.replacen('e', ".0e", 1) }
}

/// Base64 in lines of 76 characters.
fn base64_lines(bytes: &[u8]) -> String {
    let digits = base64::engine::general_purpose::STANDARD.encode(bytes);
    let mut lines = String::with_capacity(digits.len() + digits.len() / 76 + 1);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && index % 76 == 0 {
            lines.push('\n');
        }
        lines.push(digit);
    }
    if !lines.is_empty() {
        lines.push('\n');
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(nice: bool, given: &serde_json::Value) -> DumpOptions {
        let mut options = if nice { DumpOptions::NICE } else { DumpOptions::TERSE };
        for (name, value) in given.as_object().expect("options") {
            let number = || usize::try_from(value.as_u64().expect("a number")).expect("a small one");
            match name.as_str() {
                "indent" => options.indent = number(),
                "width" => options.width = number(),
                "sort_keys" => options.sort_keys = value == true,
                "explicit_start" => options.explicit_start = value == true,
                "explicit_end" => options.explicit_end = value == true,
                "default_flow_style" => options.flow = value.as_bool(),
                "default_style" => options.style = value.as_str().and_then(|style| style.chars().next()),
                other => panic!("{other}"),
            }
        }
        options
    }

    /// The table holds what the reference's filters write: value, filter, options, text.
    #[test]
    fn text_is_that_of_the_reference() {
        let table = include_str!("../../tests/data/yaml_dump.jsonl");
        let (mut count, mut wrong) = (0, Vec::new());
        for line in table.lines() {
            let row: crate::value::Value = crate::value::json::from_str(line).expect("the table is JSON");
            let plain: serde_json::Value = serde_json::from_str(line).expect("the table is JSON");
            let options = options(plain["nice"] == true, &plain["kw"]);
            let found = to_yaml(row.get("value").expect("a value"), &options);
            count += 1;
            if Some(found.as_str()) != plain["out"].as_str() {
                wrong.push(format!(
                    "{}\n  found {found:?}\n  not   {:?}",
                    line.chars().take(200).collect::<String>(),
                    plain["out"].as_str()
                ));
            }
        }
        assert!(count > 500, "the table is cut short: {count}");
        assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong[..wrong.len().min(12)].join("\n"));
    }

    #[test]
    fn what_json_cannot_say() {
        let bytes = Value::Bytes((*b"abc").into());
        assert_eq!(to_yaml(&Value::dict([("t", bytes)]), &DumpOptions::TERSE), "t: !!binary |\n  YWJj\n");
        let big = Value::big(num_bigint::BigInt::from(u64::MAX) * 10);
        let numbers = Value::list([big, Value::Float(f64::INFINITY), Value::Float(f64::NAN)]);
        assert_eq!(to_yaml(&numbers, &DumpOptions::TERSE), "[184467440737095516150, .inf, .nan]\n");
        let set = Value::Set(std::sync::Arc::new(vec![Value::Int(2), Value::Int(1)]));
        assert_eq!(to_yaml(&Value::dict([("s", set)]), &DumpOptions::TERSE), "s: !!set {1: null, 2: null}\n");
        let day = Value::Time(Time::Date(jiff::civil::date(2024, 3, 5)));
        assert_eq!(
            to_yaml(&Value::list([day, Value::text("2024-03-05")]), &DumpOptions::TERSE),
            "[2024-03-05, '2024-03-05']\n"
        );
    }
}
