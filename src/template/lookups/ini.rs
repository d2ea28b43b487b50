//! Values from INI and properties files.

use fancy_regex::Regex;
use indexmap::IndexMap;

use super::call::{fault, known, must_find, read, text, truth};
use super::terms;
use crate::template::call::{Call, Lookup};
use crate::template::fault::Fault;
use crate::value::{Value, python};

/// `ini`
pub const TABLE: &[Lookup] = &[Lookup::new("ini", ini, "The values of keys in INI or properties files.")];

const OPTIONS: [&str; 9] =
    ["type", "file", "section", "re", "encoding", "default", "case_sensitive", "allow_no_value", "interpolation"];

fn ini(call: &Call<'_>) -> Result<Vec<Value>, Fault> {
    let names = [&OPTIONS[..], &["allow_none"]].concat();
    known(call, &names)?;
    let mut values = Vec::new();
    for term in &call.args.positional {
        let (key, written) = terms::parse(&text(call, term)?);
        if let Some((name, _)) = written.iter().find(|(name, _)| !names.contains(&name.as_str())) {
            return Err(fault(format!("the lookup `ini` has no option `{name}`")).suggest(name, OPTIONS.iter()));
        }
        let option = |name: &str| -> Option<Value> {
            let inline =
                written.iter().rev().find(|(known, _)| known == name).map(|(_, value)| Value::text(value.as_str()));
            inline.or_else(|| call.args.named(name).cloned())
        };
        let word =
            |name: &str, default: &str| option(name).map_or_else(|| default.to_owned(), |value| python::str(&value));
        let switch = |name: &str, default: bool| option(name).map_or(Ok(default), |value| truth(name, &value));
        let properties = match word("type", "ini").as_str() {
            "ini" => false,
            "properties" => true,
            other => return Err(fault(format!("`type` must be `ini` or `properties`, not `{other}`"))),
        };
        let path = must_find(call, "files", &word("file", "ansible.ini"))?;
        let Value::Str(content) = read(call, &path)? else { continue };
        let bare = switch("allow_no_value", false)? || switch("allow_none", false)?;
        let sections = parse(&content, properties, switch("case_sensitive", false)?, bare)
            .map_err(|(line, why)| fault(format!("{}:{line}: {why}", path.display())))?;
        let name = if properties { "" } else { &word("section", "global") };
        let Some(section) = sections.get(name) else {
            return Err(fault(format!("`{}` has no section `{name}`", path.display())).suggest(name, sections.keys()));
        };
        let shown = |value: &Option<String>| -> Result<Value, Fault> {
            let Some(value) = value else { return Ok(Value::Null) };
            let value = if switch("interpolation", true)? { interpolate(value, section, 0)? } else { value.clone() };
            Ok(Value::text(value))
        };
        if switch("re", false)? {
            let regex = Regex::new(&format!("^(?:{key})"))
                .map_err(|why| fault(format!("`{key}` is no regular expression: {why}")))?;
            for (_, value) in section.iter().filter(|(name, _)| regex.is_match(name).unwrap_or(false)) {
                values.push(shown(value)?);
            }
            continue;
        }
        let key = if switch("case_sensitive", false)? { key } else { key.to_lowercase() };
        match (section.get(&key), option("default")) {
            (Some(value), _) => values.push(shown(value)?),
            (None, Some(Value::List(items))) => values.extend(items.iter().cloned()),
            (None, Some(default)) => values.push(default),
            (None, None) => values.push(Value::text("")),
        }
    }
    Ok(values)
}

type Section = IndexMap<String, Option<String>>;

/// Sections with their keys; those of `DEFAULT` are in all others. Lines further in than a key continue its value.
fn parse(text: &str, properties: bool, case: bool, bare: bool) -> Result<IndexMap<String, Section>, (usize, String)> {
    let mut sections: IndexMap<String, Section> = IndexMap::new();
    let mut current = properties.then(String::new);
    if properties {
        sections.insert(String::new(), Section::new());
    }
    let mut last: Option<(String, usize)> = None;
    for (index, line) in text.lines().enumerate() {
        let body = line.trim();
        if body.is_empty() || body.starts_with(['#', ';']) {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let section = current.as_ref().and_then(|name| sections.get_mut(name));
        if let (Some((key, level)), Some(section)) = (&last, section)
            && indent > *level
        {
            let value = section.entry(key.clone()).or_default().get_or_insert_default();
            value.push('\n');
            value.push_str(body);
            continue;
        }
        if let Some(name) = body.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name) {
            current = Some(name.to_owned());
            sections.entry(name.to_owned()).or_default();
            last = None;
            continue;
        }
        let Some(section) = current.as_ref().and_then(|name| sections.get_mut(name)) else {
            return Err((index + 1, "this line comes before any `[section]`".to_owned()));
        };
        let (key, value) = match body.split_once(['=', ':']) {
            Some((key, value)) => (key.trim(), Some(value.trim().to_owned())),
            None if bare => (body, None),
            None => return Err((index + 1, "this line is neither `[section]` nor `key = value`".to_owned())),
        };
        let key = if case { key.to_owned() } else { key.to_lowercase() };
        section.insert(key.clone(), value);
        last = Some((key, indent));
    }
    if let Some(defaults) = sections.shift_remove("DEFAULT") {
        for section in sections.values_mut() {
            for (key, value) in &defaults {
                section.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
    }
    Ok(sections)
}

/// Puts `%(name)s` of the same section in; `%%` is a percent sign.
fn interpolate(value: &str, section: &Section, depth: usize) -> Result<String, Fault> {
    if depth > 10 {
        return Err(fault("the values of the section refer to each other without end"));
    }
    let mut out = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            out.push('%');
            rest = after;
        } else if let Some((name, after)) = after.strip_prefix('(').and_then(|after| after.split_once(")s")) {
            let Some(Some(inner)) = section.get(&name.to_lowercase()) else {
                return Err(fault(format!("`%({name})s` is not in the section")));
            };
            out.push_str(&interpolate(inner, section, depth + 1)?);
            rest = after;
        } else {
            return Err(fault(format!("`%` must be followed by `%` or `(name)s` in `{value}`"))
                .hint("`interpolation=false` takes values as they are"));
        }
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use crate::template::lookups::stage::Stage;

    #[test]
    fn values() {
        let stage = Stage::default();
        stage.write(
            "u.ini",
            "; c\n[global]\ntop=first\n[DEFAULT]\nd = 1\n[p]\nUser=prod\nurl = http://x/%(user)s/50%%\nlong = a\n  b\n",
        );
        stage.write("p.properties", "a.b=dotted\nc:2\n");
        let case = |term: &str, options: &str, results: &str| {
            assert_eq!(stage.json("ini", &format!("[{term:?}]"), options).unwrap(), results, "{term}");
        };
        case("user", r#"{"section": "p", "file": "u.ini"}"#, r#"["prod"]"#);
        case("user section=p file=u.ini", "{}", r#"["prod"]"#);
        case("top", r#"{"file": "u.ini"}"#, r#"["first"]"#);
        case("url", r#"{"section": "p", "file": "u.ini"}"#, r#"["http://x/prod/50%"]"#);
        case("url", r#"{"section": "p", "file": "u.ini", "interpolation": false}"#, r#"["http://x/%(user)s/50%%"]"#);
        case("long", r#"{"section": "p", "file": "u.ini"}"#, r#"["a\nb"]"#);
        case("none", r#"{"section": "p", "file": "u.ini", "default": "x"}"#, r#"["x"]"#);
        case("none", r#"{"section": "p", "file": "u.ini"}"#, r#"[""]"#);
        case("^u.*", r#"{"section": "p", "file": "u.ini", "re": true}"#, r#"["prod", "http://x/prod/50%"]"#);
        case("user", r#"{"section": "p", "file": "u.ini", "case_sensitive": true}"#, r#"[""]"#);
        case("d", r#"{"section": "p", "file": "u.ini"}"#, r#"["1"]"#);
        case("a.b", r#"{"type": "properties", "file": "p.properties"}"#, r#"["dotted"]"#);
        assert!(stage.json("ini", r#"["x"]"#, r#"{"section": "nope", "file": "u.ini"}"#).is_err());
    }
}
