//! HTML and XML.

use crate::template::error::TemplateError;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{flag_or, only_text, optional_text, to_integer, to_text};
use crate::template::python::regex::Pattern;
use crate::template::python::regex_syntax::RegexFlags;
use crate::template::python::text::take_chars;
use crate::value::{Text, Value};

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("e", escape, "Escapes text for HTML, unless it is already escaped."),
    FilterPlugin::new("escape", escape, "Escapes text for HTML, unless it is already escaped."),
    FilterPlugin::new("forceescape", force_escape, "Escapes text for HTML, even if it is already escaped."),
    FilterPlugin::new("safe", safe, "Marks text as escaped for HTML."),
    FilterPlugin::new("striptags", striptags, "Removes tags and comments from HTML."),
    FilterPlugin::new("urlize", urlize, "Converts URLs in text to links."),
    FilterPlugin::new("xmlattr", xmlattr, "Formats a mapping as HTML attributes."),
];

/// Text that is escaped.
pub fn to_markup(text: impl Into<std::sync::Arc<str>>) -> Value {
    Value::Str(Text::new_plain(text).into_markup())
}

/// `&`, `<`, `>` and quotes as entities.
pub fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

fn escape(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    match &call.input {
        Value::Str(text) if text.is_markup() => Ok(call.input.clone()),
        other => Ok(to_markup(escape_html(&to_text(other)?))),
    }
}

fn force_escape(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(to_markup(escape_html(&to_text(&call.input)?)))
}

fn safe(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(to_markup(to_text(&call.input)?))
}

fn striptags(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    let mut text = to_text(&call.input)?;
    for (open, close) in [("<!--", "-->"), ("<", ">")] {
        let mut from = 0;
        while let Some(start) = text[from..].find(open).map(|at| at + from) {
            let Some(end) = text[start..].find(close) else { break };
            text.replace_range(start..start + end + close.len(), "");
            from = start;
        }
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    Ok(Value::text(unescape_html(&words.join(" "))))
}

/// The entities that occur in ordinary text, and numeric ones, as characters.
fn unescape_html(text: &str) -> String {
    const NAMED: [(&str, char); 6] =
        [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\''), ("nbsp", '\u{a0}')];
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let entity = rest.find(';').map(|end| &rest[1..end]).filter(|name| name.len() < 10);
        let number =
            entity.and_then(|name| name.strip_prefix('#')).and_then(|digits| match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => digits.parse().ok(),
            });
        let named = NAMED.iter().find(|(name, _)| Some(*name) == entity).map(|(_, c)| *c);
        match (named.or_else(|| number.and_then(char::from_u32)), entity) {
            (Some(c), Some(entity)) => {
                out.push(c);
                rest = &rest[entity.len() + 2..];
            }
            _ => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn xmlattr(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [autospace] = call.args.bind(["autospace"])?;
    let Value::Dict(dict) = &call.input else {
        return Err(TemplateError::value(format!("'{}' object has no attribute 'items'", call.input.type_name())));
    };
    let mut attributes = Vec::new();
    for (key, value) in dict.iter().filter(|(_, value)| !value.is_null()) {
        let key = only_text(key)?;
        if key.contains(|c: char| c.is_whitespace() || "/>=".contains(c)) {
            let shown = crate::value::python::repr(&Value::text(key));
            return Err(TemplateError::value(format!("Invalid character in attribute name: {shown}")));
        }
        attributes.push(format!("{}=\"{}\"", escape_html(key), escape_html(&to_text(value)?)));
    }
    let joined = attributes.join(" ");
    let space = if flag_or(autospace.as_ref(), true) && !joined.is_empty() { " " } else { "" };
    Ok(Value::text(format!("{space}{joined}")))
}

/// A host with a scheme or `www.`, a bare host of the old top-level domains, or an address; then port and path.
const URL: &str = r"(?:(?:(?:https?://|www\.)(?:(?:[\w%-]+\.)+)?(?:[a-z]{2,63}|xn--[\w%]{2,59})|(?:[\w%-]{2,63}\.)+(?:com|net|int|edu|gov|org|info|mil)|https?://(?:\d{1,3}(?:\.\d{1,3}){3}|\[(?:[\da-f]{0,4}:){2}(?:[\da-f]{0,4}:?){1,6}\]))(?::\d{1,5})?(?:[/?#]\S*)?)";
const EMAIL: &str = r"(?:\S+@\w[\w.-]*\.\w+)";

struct Links {
    url: std::rc::Rc<Pattern>,
    email: std::rc::Rc<Pattern>,
    limit: Option<usize>,
    attributes: String,
    schemes: Vec<String>,
}

fn urlize(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [limit, nofollow, target, rel, schemes] =
        call.args.bind(["trim_url_limit", "nofollow", "target", "rel", "extra_schemes"])?;
    let rel = optional_text(rel.as_ref())?.unwrap_or_default();
    let mut rels: Vec<&str> = rel.split_whitespace().chain(["noopener"]).collect();
    if flag_or(nofollow.as_ref(), false) {
        rels.push("nofollow");
    }
    rels.sort_unstable();
    rels.dedup();
    let mut attributes = format!(" rel=\"{}\"", escape_html(&rels.join(" ")));
    if let Some(target) = optional_text(target.as_ref())? {
        attributes.push_str(&format!(" target=\"{}\"", escape_html(&target)));
    }
    let schemes = match schemes.filter(|schemes| !schemes.is_null()) {
        Some(schemes) => call.context.collect_members(&schemes)?.iter().map(to_text).collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    let limit = limit.filter(|limit| !limit.is_null()).map(|limit| to_integer(&limit)).transpose()?;
    let ignore_case = RegexFlags { ignore_case: true, ..RegexFlags::default() };
    let links = Links {
        url: Pattern::compile(URL, ignore_case)?,
        email: Pattern::compile(EMAIL, RegexFlags::default())?,
        limit: limit.and_then(|limit| usize::try_from(limit).ok()),
        attributes,
        schemes,
    };
    let input = escape_html(&to_text(&call.input)?);
    let mut out = String::new();
    for piece in input.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end_matches(char::is_whitespace);
        out.push_str(&links.link_word(word)?);
        out.push_str(&piece[word.len()..]);
    }
    Ok(Value::text(out))
}

impl Links {
    fn link_word(&self, word: &str) -> Result<String, TemplateError> {
        let middle = strip_many(word, &["(", "<", "&lt;"], |text, sign| text.strip_prefix(sign));
        let head = &word[..word.len() - middle.len()];
        let closing = [")", ">", ".", ",", "&gt;"];
        let mut middle = strip_many(middle, &closing, |text, sign| text.strip_suffix(sign)).to_owned();
        let mut tail = &word[head.len() + middle.len()..];
        // Brackets that were opened inside the URL are closed inside it.
        for (open, close) in [("(", ")"), ("<", ">"), ("&lt;", "&gt;")] {
            let opened = middle.matches(open).count();
            if opened <= middle.matches(close).count() {
                continue;
            }
            for _ in 0..opened.min(tail.matches(close).count()) {
                let end = tail.find(close).map_or(0, |at| at + close.len());
                middle.push_str(&tail[..end]);
                tail = &tail[end..];
            }
        }
        Ok(format!("{head}{}{tail}", self.format_link(&middle)?))
    }

    fn format_link(&self, text: &str) -> Result<String, TemplateError> {
        let attributes = &self.attributes;
        if self.url.full_match(text)?.is_some() {
            let scheme = if text.starts_with("https://") || text.starts_with("http://") { "" } else { "https://" };
            let shown = match self.limit {
                Some(limit) if text.chars().count() > limit => format!("{}...", take_chars(text, limit)),
                _ => text.to_owned(),
            };
            return Ok(format!("<a href=\"{scheme}{text}\"{attributes}>{shown}</a>"));
        }
        if let Some(address) = text.strip_prefix("mailto:")
            && self.email.full_match(address)?.is_some()
        {
            return Ok(format!("<a href=\"{text}\">{address}</a>"));
        }
        let plain_address = text.contains('@') && !text.starts_with("www.") && !text.starts_with('@');
        if plain_address && !text.contains(':') && self.email.full_match(text)?.is_some() {
            return Ok(format!("<a href=\"mailto:{text}\">{text}</a>"));
        }
        if self.schemes.iter().any(|scheme| text != scheme && text.starts_with(scheme.as_str())) {
            return Ok(format!("<a href=\"{text}\"{attributes}>{text}</a>"));
        }
        Ok(text.to_owned())
    }
}

fn strip_many<'a>(text: &'a str, signs: &[&str], strip: impl Fn(&'a str, &str) -> Option<&'a str>) -> &'a str {
    let mut text = text;
    while let Some(shorter) = signs.iter().find_map(|sign| strip(text, sign)) {
        text = shorter;
    }
    text
}
