//! From events to nodes: tags, anchors, merge keys, keys that are given twice, and a budget for what aliases repeat.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::node::{MappingEntry, YamlKind, YamlNode};
use super::parse::{Events, PlacedEvent, ScalarForm, YamlEvent};
use super::resolve::Plain;
use super::tag::{self, Tag};
use super::{flow_tabs, hints, resolve};
use crate::diagnostic::{Diagnostic, Report};
use crate::source::{Source, Span};
use crate::value::{Text, Value};

/// How many nodes aliases may add to a document. Playbooks stay under a thousand; the text known as "billion laughs"
/// would add that many.
const ALIAS_BUDGET: usize = 1_000_000;

/// Mappings up to this size look for their keys one by one.
const SMALL: usize = 12;

/// How many documents a source may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Documents {
    One,
    All,
}

/// Reads the documents of a part of a source.
pub(super) fn read_documents(
    source: &Arc<Source>,
    range: Range<usize>,
    wanted: Documents,
    warnings: &mut Report,
) -> Result<Vec<YamlNode>, Diagnostic> {
    let mut repaired: Option<Arc<Source>> = None;
    let known = warnings.len();
    loop {
        let source = repaired.as_ref().unwrap_or(source);
        let mut events = Events::new(source, range.clone());
        let found = documents_of(source, &mut events, wanted, warnings);
        let Err(why) = found else { return found };
        let without_tabs = events.open_brackets().and_then(|start| flow_tabs::without_tabs(source, start));
        let Some(without_tabs) = without_tabs else { return Err(why) };
        warnings.truncate(known);
        repaired = Some(without_tabs);
    }
}

fn documents_of(
    source: &Arc<Source>,
    events: &mut Events<'_>,
    wanted: Documents,
    warnings: &mut Report,
) -> Result<Vec<YamlNode>, Diagnostic> {
    let mut found = Vec::new();
    loop {
        let item = events.next()?;
        match item.event {
            YamlEvent::End => return Ok(found),
            YamlEvent::DocumentStart if wanted == Documents::One && !found.is_empty() => {
                return Err(Diagnostic::error("a second document begins here, but a file holds one")
                    .at(&source.span(item.range), "the second document")
                    .hint("remove the line `---`, or put the second document into its own file"));
            }
            YamlEvent::DocumentStart => {
                let mut composer = Composer::new(source, warnings);
                found.push(composer.read_document(events)?);
            }
            _ => {}
        }
    }
}

/// A collection that is not finished.
struct Frame {
    kind: Partial,
    tag: Tag,
    start: usize,
    anchor: usize,
    /// Nodes in it so far, aliases counted with all that they repeat.
    weight: usize,
    /// Whether texts in it are data.
    data: bool,
}

enum Partial {
    List(Vec<YamlNode>),
    Map { entries: Vec<MappingEntry>, key: Option<YamlNode> },
}

/// Value of an anchor.
enum Anchored {
    Open,
    Done { node: YamlNode, weight: usize },
}

struct Composer<'a> {
    source: &'a Arc<Source>,
    warnings: &'a mut Report,
    anchors: HashMap<usize, Anchored>,
    stack: Vec<Frame>,
    spent: usize,
}

impl<'a> Composer<'a> {
    fn new(source: &'a Arc<Source>, warnings: &'a mut Report) -> Self {
        Self { source, warnings, anchors: HashMap::new(), stack: Vec::new(), spent: 0 }
    }

    /// Reads up to the end of the document.
    fn read_document(&mut self, events: &mut Events<'_>) -> Result<YamlNode, Diagnostic> {
        let mut root = None;
        loop {
            let item = events.next()?;
            let finished = match item.event {
                YamlEvent::DocumentStart => continue,
                YamlEvent::DocumentEnd | YamlEvent::End => {
                    let nothing = || YamlNode::new(self.source.span(item.range), None, YamlKind::Scalar(Value::Null));
                    return Ok(root.unwrap_or_else(nothing));
                }
                YamlEvent::ListStart | YamlEvent::MapStart => {
                    self.open_collection(item)?;
                    continue;
                }
                YamlEvent::ListEnd | YamlEvent::MapEnd => self.close_collection(item.range.end)?,
                YamlEvent::Alias(id) => self.resolve_alias(id, item.range)?,
                YamlEvent::Scalar(..) => self.read_scalar(item)?,
            };
            root = self.add(finished)?.or(root);
        }
    }

    fn span(&self, range: Range<usize>) -> Span {
        self.source.span(range)
    }

    fn is_data(&self) -> bool {
        self.stack.last().is_some_and(|frame| frame.data)
    }

    fn open_collection(&mut self, item: PlacedEvent<'_>) -> Result<(), Diagnostic> {
        let (tag, _) = self.resolve_tag(item.tag)?;
        let kind = match item.event {
            YamlEvent::ListStart => Partial::List(Vec::new()),
            _ => Partial::Map { entries: Vec::new(), key: None },
        };
        if item.anchor != 0 {
            self.anchors.insert(item.anchor, Anchored::Open);
        }
        let data = self.is_data() || tag == Tag::Unsafe;
        self.stack.push(Frame { kind, tag, start: item.range.start, anchor: item.anchor, weight: 1, data });
        Ok(())
    }

    fn resolve_tag(&mut self, tag: Option<(String, Range<usize>)>) -> Result<(Tag, Option<Span>), Diagnostic> {
        let Some((name, range)) = tag else { return Ok((Tag::None, None)) };
        let span = self.span(range);
        let tag = Tag::from_name(&name).ok_or_else(|| tag::unknown_tag(&name, &span))?;
        self.warnings.extend(tag.deprecation(&span));
        Ok((tag, Some(span)))
    }

    fn close_collection(&mut self, end: usize) -> Result<(YamlNode, usize), Diagnostic> {
        let Some(frame) = self.stack.pop() else {
            return Err(Diagnostic::error("the YAML text ends a collection that was never begun"));
        };
        let span = self.span(frame.start..end.max(frame.start));
        let kind = match frame.kind {
            Partial::List(items) => YamlKind::List(items),
            Partial::Map { entries, .. } => YamlKind::Map(self.finish_mapping(entries)?),
        };
        let node = tag::resolve_collection(frame.tag, span, kind)?;
        self.set_anchor(frame.anchor, &node, frame.weight);
        Ok((node, frame.weight))
    }

    fn set_anchor(&mut self, anchor: usize, node: &YamlNode, weight: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, Anchored::Done { node: node.clone(), weight });
        }
    }

    fn resolve_alias(&mut self, id: usize, range: Range<usize>) -> Result<(YamlNode, usize), Diagnostic> {
        let span = self.span(range);
        match self.anchors.get(&id) {
            Some(Anchored::Done { node, weight }) => {
                let (node, weight) = (node.clone(), *weight);
                self.spent = self.spent.saturating_add(weight);
                if self.spent > ALIAS_BUDGET {
                    return Err(Diagnostic::error(format!(
                        "aliases repeat more than {ALIAS_BUDGET} values; this document would not fit into memory"
                    ))
                    .at(&span, "the limit is passed here"));
                }
                let node = if self.is_data() { node.into_data() } else { node };
                Ok((node, weight))
            }
            _ => Err(Diagnostic::error(format!("`{}` is inside of the value that it repeats", span.text()))
                .at(&span, "this would never end")),
        }
    }

    fn read_scalar(&mut self, item: PlacedEvent<'_>) -> Result<(YamlNode, usize), Diagnostic> {
        let YamlEvent::Scalar(text, style) = item.event else {
            return Err(Diagnostic::error("the YAML text has no value here"));
        };
        let (tag, tag_span) = self.resolve_tag(item.tag)?;
        let span = self.span(item.range);
        let data = self.is_data() || tag == Tag::Unsafe;
        let as_text = |text: &str| match data {
            true => Value::Str(Text::new_plain(text)),
            false => Value::Str(Text::from_source(text, span.clone())),
        };
        let plain = style == ScalarForm::Plain && tag == Tag::None || matches!(tag, Tag::Unsafe | Tag::Vault);
        let value = if plain && !(tag == Tag::Vault && style == ScalarForm::Text) {
            match resolve::resolve_plain(&text).map_err(|reason| malformed_value(&text, reason, &span))? {
                Plain::Value(value) => value,
                Plain::Text => as_text(&text),
                // As keys the two mean something; `add` finds out which they are.
                Plain::Merge | Plain::Default if self.awaits_key() && tag == Tag::None => {
                    let node = YamlNode::new(span, Some(text.into_owned()), YamlKind::Scalar(Value::Null));
                    return Ok((node, 1));
                }
                Plain::Merge | Plain::Default => {
                    return Err(Diagnostic::error(format!("`{text}` means something else in YAML than the text"))
                        .at(&span, "")
                        .hint(format!("put it in quotes: `\"{text}\"`")));
                }
            }
        } else {
            tag::resolve_scalar(tag, &text, &span, as_text)?
        };
        let value = match (tag, value) {
            (Tag::Vault, Value::Str(text)) => {
                Value::Sealed(Arc::new(crate::value::Sealed { envelope: text.to_string(), span: Some(span.clone()) }))
            }
            (Tag::Vault, _) => return Err(tag::vault_needs_text(tag_span.as_ref().unwrap_or(&span))),
            (_, value) => value,
        };
        let node = YamlNode::new(span, tag.local_name().map(str::to_owned), YamlKind::Scalar(value));
        self.set_anchor(item.anchor, &node, 1);
        Ok((node, 1))
    }

    fn awaits_key(&self) -> bool {
        matches!(self.stack.last(), Some(Frame { kind: Partial::Map { key: None, .. }, .. }))
    }

    /// Puts a finished node where it belongs; gives it back if it is the document itself.
    fn add(&mut self, (node, weight): (YamlNode, usize)) -> Result<Option<YamlNode>, Diagnostic> {
        let Some(frame) = self.stack.last_mut() else { return Ok(Some(node)) };
        frame.weight = frame.weight.saturating_add(weight);
        match &mut frame.kind {
            Partial::List(items) => items.push(node),
            Partial::Map { entries, key } => match key.take() {
                Some(key) => entries.push(MappingEntry { key, value: node }),
                None => {
                    if node.scalar().is_none() {
                        return Err(hints::key_is_collection(&node, self.source, frame.start));
                    }
                    if node.is_null() && node.tag().is_none() && node.span().range().is_empty() {
                        return Err(Diagnostic::error("a value without a key")
                            .at(node.span(), "the key is missing before the colon")
                            .hint("write `key: value`, or put the text in quotes"));
                    }
                    *key = Some(node);
                }
            },
        }
        Ok(None)
    }

    /// Applies merge keys and drops all but the last of a repeated key.
    fn finish_mapping(&mut self, entries: Vec<MappingEntry>) -> Result<Vec<MappingEntry>, Diagnostic> {
        let mut merged = Vec::new();
        let mut own = Vec::with_capacity(entries.len());
        for mut entry in entries {
            match entry.key.tag() {
                Some("<<") => merge_entries(&mut merged, &entry.value)?,
                Some("=") => {
                    let span = entry.key.span().clone();
                    entry.key =
                        YamlNode::new(span.clone(), None, YamlKind::Scalar(Value::Str(Text::from_source("=", span))));
                    own.push(entry);
                }
                _ => own.push(entry),
            }
        }
        let borrowed = merged.len();
        if borrowed > 0 {
            merged.append(&mut own);
            own = merged;
        }
        Ok(self.drop_repeated(own, borrowed))
    }

    /// Of equal keys the first gives the place and the last the value. The first `borrowed` entries come from merge
    /// keys: that they are given again is what merging is for.
    fn drop_repeated(&mut self, entries: Vec<MappingEntry>, borrowed: usize) -> Vec<MappingEntry> {
        let mut kept: Vec<MappingEntry> = Vec::with_capacity(entries.len());
        // Where each kept key was last given by the mapping itself.
        let mut own: Vec<bool> = Vec::with_capacity(entries.len());
        #[allow(
            clippy::mutable_key_type,
            reason = "what changes is where an unknown comes from, and no key is unknown"
        )]
        let mut index: HashMap<Value, usize> = HashMap::new();
        let large = entries.len() > SMALL;
        for (position, entry) in entries.into_iter().enumerate() {
            let Some(key) = entry.key.scalar() else { continue };
            let found = match large {
                true => index.get(key).copied(),
                false => kept.iter().position(|other| other.key.scalar() == Some(key)),
            };
            let is_own = position >= borrowed;
            match found {
                Some(at) => {
                    if is_own && own[at] {
                        self.warnings.push(repeated_key(&kept[at].key, &entry.key));
                    }
                    own[at] = is_own;
                    kept[at].value = entry.value;
                    // Of `1` and `true`, which are one key, the first stays; of equal texts the place of the last.
                    if entry.key.as_str().is_some() {
                        kept[at].key = entry.key;
                    }
                }
                None => {
                    if large {
                        index.insert(key.clone(), kept.len());
                    }
                    own.push(is_own);
                    kept.push(entry);
                }
            }
        }
        kept
    }
}

/// Adds the entries that a merge key brings; what is added later wins, so a list is taken from its end.
fn merge_entries(into: &mut Vec<MappingEntry>, value: &YamlNode) -> Result<(), Diagnostic> {
    let wrong = |node: &YamlNode| {
        Diagnostic::error(format!("`<<` merges a mapping or a list of mappings, not {}", node.description()))
            .at(node.span(), "")
            .hint("give it an alias of a mapping, as in `<<: *base`")
    };
    match value.kind() {
        YamlKind::Map(entries) => into.extend_from_slice(entries),
        YamlKind::List(items) => {
            for item in items.iter().rev() {
                into.extend_from_slice(item.entries().ok_or_else(|| wrong(item))?);
            }
        }
        YamlKind::Scalar(_) => return Err(wrong(value)),
    }
    Ok(())
}

fn repeated_key(first: &YamlNode, second: &YamlNode) -> Diagnostic {
    let name = first.scalar().map(crate::value::python::str).unwrap_or_default();
    Diagnostic::warning(format!("Found duplicate mapping key '{name}'; only the last one counts"))
        .at(second.span(), "this one counts")
        .at(first.span(), "given here before")
}

fn malformed_value(text: &str, reason: &str, span: &Span) -> Diagnostic {
    Diagnostic::error(format!("`{text}` cannot be read: {reason}"))
        .at(span, "")
        .hint(format!("if text is meant, put it in quotes: `\"{text}\"`"))
}
