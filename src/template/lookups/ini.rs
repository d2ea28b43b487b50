//! Values from INI and properties files.

use indexmap::IndexMap;

use super::call::{lookup_error, must_find, read, read_decoded, require_text, warn_unknown_options};
use super::terms::TermOptions;
use crate::template::error::TemplateError;
use crate::template::plugin::{Lookup, PluginCall};
use crate::template::python::regex::{Pattern, RegexFlags};
use crate::value::{Dict, Value, python};

/// `ini`
pub const TABLE: &[Lookup] = &[Lookup::new("ini", ini, "Returns the values of keys in INI or properties files.")];

const OPTIONS: [&str; 10] = [
    "type",
    "file",
    "section",
    "re",
    "encoding",
    "default",
    "case_sensitive",
    "allow_no_value",
    "allow_none",
    "interpolation",
];

fn ini(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &OPTIONS);
    let mut values = Vec::new();
    for term in &call.args.positional {
        let term = require_text(call, term)?;
        let (key, options) = TermOptions::from_term(call, &term, &OPTIONS)?;
        if key.is_empty() {
            let what = "No key to look up was provided as first term within string inline options";
            return Err(lookup_error(format!("{what}: {term}")));
        }
        let (reading, section) = read_section(call, &options)?;
        values.extend(find_values(&key, &reading, &section, &options)?);
    }
    Ok(values)
}

/// Reads the file of a term, and takes the section that is asked for out of it.
fn read_section(call: &PluginCall<'_>, options: &TermOptions<'_>) -> Result<(Reading, Section), TemplateError> {
    let file = options.read_text("file", "ansible.ini");
    let path = must_find(call, "files", &file)?;
    let content = match options.get("encoding").map(|encoding| python::str(&encoding)) {
        Some(encoding) if !encoding.eq_ignore_ascii_case("utf-8") => read_decoded(call, &path, &encoding)?,
        _ => python::str(&read(call, &path)?),
    };
    let reading = Reading {
        properties: match options.read_text("type", "ini").as_str() {
            "ini" => false,
            "properties" => true,
            other => return Err(lookup_error(format!("`type` must be `ini` or `properties`, not `{other}`"))),
        },
        case: options.read_switch("case_sensitive", false)?,
        bare: options.read_switch("allow_no_value", false)? || options.read_switch("allow_none", false)?,
    };
    let mut sections = reading.parse_sections(&content).map_err(|error| match &error.problem {
        IniProblem::Duplicate { .. } => lookup_error(format!("Duplicate option in '{file}': {error}")),
        problem => lookup_error(format!("{}:{}: {problem}", path.display(), error.line)),
    })?;
    let name = if reading.properties { String::new() } else { options.read_text("section", "global") };
    match sections.swap_remove(&name) {
        Some(section) => Ok((reading, section)),
        None => Err(lookup_error(format!("No section '{name}' in '{file}'.")).suggest_name(&name, sections.keys())),
    }
}

/// The values of a key, or of all keys that match it as a pattern.
fn find_values(
    key: &str,
    reading: &Reading,
    section: &Section,
    options: &TermOptions<'_>,
) -> Result<Vec<Value>, TemplateError> {
    let interpolated = options.read_switch("interpolation", true)?;
    let shown = |value: &str| {
        let value = if interpolated { interpolate_value(value, section, 0)? } else { value.to_owned() };
        Ok::<_, TemplateError>(Value::text(value))
    };
    if options.read_switch("re", false)? {
        let pattern = Pattern::compile(key, RegexFlags::default())?;
        let mut values = Vec::new();
        for (name, value) in section {
            if pattern.match_start(name)?.is_some() {
                values.push(value.as_deref().map_or(Ok(Value::Null), shown)?);
            }
        }
        return Ok(values);
    }
    let key = if reading.case { key.to_owned() } else { key.to_lowercase() };
    Ok(match (section.get(&key), options.get("default")) {
        (Some(Some(value)), _) => vec![shown(value)?],
        // A key without a value gives nothing.
        (Some(None), _) => Vec::new(),
        (None, Some(Value::List(items))) => items.to_vec(),
        (None, Some(default)) => vec![default],
        (None, None) => vec![Value::text("")],
    })
}

type Section = IndexMap<String, Option<String>>;

/// How a file is read.
struct Reading {
    /// It has no sections; its keys are those of the section without a name.
    properties: bool,
    /// Keys keep their case.
    case: bool,
    /// Keys may have no value.
    bare: bool,
}

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct IniError {
    /// The number of the line.
    pub line: usize,
    /// The problem.
    pub problem: IniProblem,
}

/// Problem of a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IniProblem {
    /// The key has a value already.
    #[error("option '{key}' in section '{section}' already exists")]
    Duplicate {
        /// The key.
        key: String,
        /// The section.
        section: String,
    },
    /// The line is in no section.
    #[error("this line comes before any `[section]`")]
    OutsideSection,
    /// The line is neither a section nor a key.
    #[error("this line is neither `[section]` nor `key = value`")]
    NoKey,
}

impl Reading {
    /// Sections with their keys; those of `DEFAULT` come first in all others. Lines further in than a key continue its
    /// value.
    fn parse_sections(&self, text: &str) -> Result<IndexMap<String, Section>, IniError> {
        let mut sections = self.parse_own_sections(text)?;
        if let Some(defaults) = sections.shift_remove("DEFAULT") {
            for section in sections.values_mut() {
                let own = std::mem::replace(section, defaults.clone());
                section.extend(own);
            }
        }
        Ok(sections)
    }

    /// Sections with their own keys only, `DEFAULT` among them.
    fn parse_own_sections(&self, text: &str) -> Result<IndexMap<String, Section>, IniError> {
        let mut sections: IndexMap<String, Section> = IndexMap::new();
        let mut current = self.properties.then(String::new);
        if self.properties {
            sections.insert(String::new(), Section::new());
        }
        let mut last: Option<(String, usize)> = None;
        for (index, line) in text.lines().enumerate() {
            let refuse = |problem| Err(IniError { line: index + 1, problem });
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
                return refuse(IniProblem::OutsideSection);
            };
            let (key, value) = match body.split_once(['=', ':']) {
                Some((key, value)) => (key.trim(), Some(value.trim().to_owned())),
                None if self.bare => (body, None),
                None => return refuse(IniProblem::NoKey),
            };
            let key = if self.case { key.to_owned() } else { key.to_lowercase() };
            if section.insert(key.clone(), value).is_some() {
                return refuse(IniProblem::Duplicate { key, section: current.unwrap_or_default() });
            }
            last = Some((key, indent));
        }
        Ok(sections)
    }
}

/// INI text as `from_ini` gives it.
pub struct IniText {
    /// Sections with their own keys.
    pub sections: Vec<(String, Dict)>,
    /// The keys of the section `DEFAULT`.
    pub defaults: Dict,
}

/// Reads INI text; keys keep their case, values are as they are written.
///
/// # Errors
/// With the line that cannot be read.
pub fn parse_ini_text(text: &str) -> Result<IniText, IniError> {
    let reading = Reading { properties: false, case: true, bare: false };
    let sections = reading.parse_own_sections(text)?;
    let mut all = IniText { sections: Vec::new(), defaults: Dict::new() };
    for (name, section) in sections {
        let entries = section.into_iter().map(|(key, value)| (Value::text(key), Value::from(value))).collect();
        match name.as_str() {
            "DEFAULT" => all.defaults = entries,
            _ => all.sections.push((name, entries)),
        }
    }
    Ok(all)
}

/// Puts `%(name)s` of the same section in; `%%` is a percent sign.
fn interpolate_value(value: &str, section: &Section, depth: usize) -> Result<String, TemplateError> {
    if depth > 10 {
        return Err(lookup_error("the values of the section refer to each other without end"));
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
                return Err(lookup_error(format!("`%({name})s` is not in the section")));
            };
            out.push_str(&interpolate_value(inner, section, depth + 1)?);
            rest = after;
        } else {
            return Err(lookup_error(format!("`%` must be followed by `%` or `(name)s` in `{value}`"))
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
            assert_eq!(stage.run_to_json("ini", &format!("[{term:?}]"), options).unwrap(), results, "{term}");
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
        case(
            ".*",
            r#"{"section": "p", "file": "u.ini", "re": true, "interpolation": false}"#,
            r#"["1", "prod", "http://x/%(user)s/50%%", "a\nb"]"#,
        );
        stage.write("bare.ini", "[p]\nflag\nx=1\n");
        case("flag", r#"{"section": "p", "file": "bare.ini", "allow_no_value": true}"#, "[]");
        std::fs::write(stage.folder().join("l.ini"), b"[global]\nx=\xe9\n").unwrap();
        case("x", r#"{"file": "l.ini", "encoding": "latin-1"}"#, r#"["é"]"#);
    }

    #[test]
    fn what_cannot_be_read() {
        let stage = Stage::default();
        stage.write("u.ini", "[p]\nname=1\nNAME=2\n");
        for (terms, options, says) in [
            (r#"["x"]"#, r#"{"section": "p", "file": "u.ini"}"#, "Duplicate option in 'u.ini'"),
            (r#"["x"]"#, r#"{"section": "q", "file": "u.ini", "case_sensitive": true}"#, "No section 'q' in 'u.ini'."),
            (r#"["section=p"]"#, "{}", "No key to look up was provided as first term"),
            (r#"["x nope=p"]"#, "{}", "'nope' is not a valid option"),
            (r#"[1]"#, "{}", "needs text, not int"),
        ] {
            let problem = stage.run_to_json("ini", terms, options).unwrap_err();
            assert!(problem.message.contains(says), "{terms}: {}", problem.message);
        }
    }
}
