//! The tags that are known, and what they make of a node.

use std::sync::Arc;

use base64::Engine as _;

use super::node::{YamlKind, YamlNode};
use super::resolve;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::value::Value;

/// A tag that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    /// None was given, or `!`, which says nothing.
    None,
    Str,
    Int,
    Float,
    Bool,
    Null,
    Binary,
    Timestamp,
    Map,
    List,
    Set,
    Omap,
    Pairs,
    Unsafe,
    Vault,
}

/// Full name, name as people write it, tag.
const TAGS: &[(&str, &str, Tag)] = &[
    ("!", "!", Tag::None),
    ("!unsafe", "!unsafe", Tag::Unsafe),
    ("!vault", "!vault", Tag::Vault),
    ("!vault-encrypted", "!vault-encrypted", Tag::Vault),
    ("tag:yaml.org,2002:str", "!!str", Tag::Str),
    ("tag:yaml.org,2002:int", "!!int", Tag::Int),
    ("tag:yaml.org,2002:float", "!!float", Tag::Float),
    ("tag:yaml.org,2002:bool", "!!bool", Tag::Bool),
    ("tag:yaml.org,2002:null", "!!null", Tag::Null),
    ("tag:yaml.org,2002:binary", "!!binary", Tag::Binary),
    ("tag:yaml.org,2002:timestamp", "!!timestamp", Tag::Timestamp),
    ("tag:yaml.org,2002:map", "!!map", Tag::Map),
    ("tag:yaml.org,2002:seq", "!!seq", Tag::List),
    ("tag:yaml.org,2002:set", "!!set", Tag::Set),
    ("tag:yaml.org,2002:omap", "!!omap", Tag::Omap),
    ("tag:yaml.org,2002:pairs", "!!pairs", Tag::Pairs),
    ("tag:yaml.org,2002:python/dict", "!!python/dict", Tag::Map),
    ("tag:yaml.org,2002:python/unicode", "!!python/unicode", Tag::Str),
];

impl Tag {
    /// The tag of a full name.
    pub fn from_name(name: &str) -> Option<Self> {
        TAGS.iter().find(|(full, ..)| *full == name).map(|(.., tag)| *tag)
    }

    /// Returns the part that the node keeps.
    pub fn local_name(self) -> Option<&'static str> {
        match self {
            Self::Unsafe => Some("!unsafe"),
            Self::Vault => Some("!vault"),
            _ => None,
        }
    }

    fn shown_name(self) -> &'static str {
        TAGS.iter().find(|(.., tag)| *tag == self).map_or("!", |(_, shown, _)| shown)
    }

    /// Returns the warning about a deprecated tag.
    pub fn deprecation(self, span: &Span) -> Option<Diagnostic> {
        matches!(self, Self::Omap | Self::Pairs).then(|| {
            Diagnostic::deprecation(format!("the tag `{}` is deprecated", self.shown_name()))
                .at(span, "")
                .hint("a mapping keeps the order of its keys")
        })
    }
}

/// The complaint about a tag that is not known.
pub(super) fn unknown_tag(name: &str, span: &Span) -> Diagnostic {
    let shown = name.strip_prefix("tag:yaml.org,2002:").map_or_else(|| name.to_owned(), |core| format!("!!{core}"));
    Diagnostic::error(format!("the tag `{shown}` is not known"))
        .at(span, "")
        .suggest(&shown, TAGS.iter().map(|(_, known, _)| *known))
        .hint("text that begins with `!` must be in quotes")
}

/// The complaint about `!vault` on something else than text.
pub(super) fn vault_needs_text(span: &Span) -> Diagnostic {
    Diagnostic::error("`!vault` is allowed only before encrypted text").at(span, "").hint(
        "write `!vault |` and the lines that `ionplay vault encrypt_string` gives, beginning with `$ANSIBLE_VAULT;`",
    )
}

fn wrong_kind(tag: Tag, wanted: &str, found: &str, span: &Span) -> Diagnostic {
    Diagnostic::error(format!("`{}` stands before {wanted}, not {found}", tag.shown_name())).at(span, "")
}

/// The value of a scalar under a tag (or none, for text in quotes).
pub(super) fn resolve_scalar(
    tag: Tag,
    text: &str,
    span: &Span,
    as_text: impl Fn(&str) -> Value,
) -> Result<Value, Diagnostic> {
    let read = match tag {
        Tag::None | Tag::Str | Tag::Unsafe | Tag::Vault => return Ok(as_text(text)),
        Tag::Null => return Ok(Value::Null),
        Tag::Int => resolve::resolve_integer(text),
        Tag::Float => resolve::resolve_float(text),
        Tag::Bool => resolve::resolve_bool(text),
        Tag::Timestamp => resolve::resolve_timestamp(text),
        Tag::Binary => decode_binary(text),
        Tag::Map | Tag::Set => return Err(wrong_kind(tag, "a mapping", "text", span)),
        Tag::List | Tag::Omap | Tag::Pairs => return Err(wrong_kind(tag, "a list", "text", span)),
    };
    read.map_err(|reason| {
        Diagnostic::error(format!("`{text}` cannot be read as `{}`: {reason}", tag.shown_name())).at(span, "")
    })
}

fn decode_binary(text: &str) -> Result<Value, resolve::ScalarError> {
    use base64::alphabet::STANDARD;
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
        .with_decode_allow_trailing_bits(true);
    // Characters outside the alphabet, above all line ends, are skipped.
    let digits: String = text.chars().filter(|c| c.is_ascii_alphanumeric() || "+/=".contains(*c)).collect();
    GeneralPurpose::new(&STANDARD, config)
        .decode(digits)
        .map(|bytes| Value::Bytes(bytes.into()))
        .map_err(|_| "not base64 text")
}

/// The node of a collection under a tag.
pub(super) fn resolve_collection(tag: Tag, span: Span, kind: YamlKind) -> Result<YamlNode, Diagnostic> {
    let found = match kind {
        YamlKind::Map(_) => "a mapping",
        _ => "a list",
    };
    let kind = match (tag, kind) {
        (Tag::None | Tag::Unsafe, kind) => kind,
        (Tag::Map, kind @ YamlKind::Map(_)) | (Tag::List, kind @ YamlKind::List(_)) => kind,
        (Tag::Set, YamlKind::Map(entries)) => {
            YamlKind::Scalar(Value::Set(Arc::new(entries.iter().map(|entry| entry.key.to_value()).collect())))
        }
        (Tag::Omap | Tag::Pairs, YamlKind::List(items)) => YamlKind::Scalar(resolve_pairs(tag, &items)?),
        (Tag::Vault, _) => return Err(vault_needs_text(&span)),
        (Tag::Map | Tag::Set, _) => return Err(wrong_kind(tag, "a mapping", found, &span)),
        (Tag::List | Tag::Omap | Tag::Pairs, _) => return Err(wrong_kind(tag, "a list", found, &span)),
        _ => return Err(wrong_kind(tag, "a single value", found, &span)),
    };
    Ok(YamlNode::new(span, tag.local_name().map(str::to_owned), kind))
}

fn resolve_pairs(tag: Tag, items: &[YamlNode]) -> Result<Value, Diagnostic> {
    let mut pairs = Vec::with_capacity(items.len());
    for item in items {
        let [entry] = item.entries().unwrap_or_default() else {
            return Err(
                Diagnostic::error(format!("`{}` holds mappings of one key each", tag.shown_name())).at(item.span(), "")
            );
        };
        pairs.push(Value::tuple([entry.key.to_value(), entry.value.to_value()]));
    }
    Ok(Value::list(pairs))
}
