//! The result of a module in what it has written.

use crate::value::{Dict, Value, json};

/// The result of a module, and what else was on its standard output.
#[derive(Debug, PartialEq)]
pub struct ModuleResult {
    /// The JSON object.
    pub data: Dict,
    /// Text after the object; Ansible warns of it.
    pub junk: Option<String>,
}

/// Finds the JSON object in the output of a module. Lines before it are passed over, as Ansible does; so is what comes
/// after it, but that is kept for a warning.
pub fn find_result(output: &str) -> Option<ModuleResult> {
    let mut rest = output;
    loop {
        let start = find_line_start(rest)?;
        rest = &rest[start..];
        if let Some((data, used)) = read_object(rest) {
            let junk = rest[used..].trim();
            return Some(ModuleResult { data, junk: (!junk.is_empty()).then(|| junk.to_owned()) });
        }
        rest = rest.split_once('\n')?.1;
    }
}

/// Where the first line begins that starts with a brace.
fn find_line_start(text: &str) -> Option<usize> {
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with('{') {
            return Some(offset + line.len() - line.trim_start().len());
        }
        offset += line.len();
    }
    None
}

/// The object at the beginning of a text, and how much of the text it is.
fn read_object(text: &str) -> Option<(Dict, usize)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    values.next()?.ok()?;
    let used = values.byte_offset();
    match json::from_str(&text[..used]).ok()? {
        Value::Dict(data) => Some(((*data).clone(), used)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_is_found_among_other_lines() {
        let found = find_result("hello\n{not json\n  {\"a\": [1,\n2]}\nbye\n").unwrap();
        assert_eq!(json::to_string(&found.data.into(), json::JsonStyle::PYTHON), r#"{"a": [1, 2]}"#);
        assert_eq!(found.junk.as_deref(), Some("bye"));
        assert_eq!(find_result("nothing\n[1]\n"), None);
        assert_eq!(find_result(""), None);
        assert_eq!(find_result("{}\n").unwrap(), ModuleResult { data: Dict::new(), junk: None });
    }
}
