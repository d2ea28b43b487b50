//! Text that knows where it comes from, and whether it may be shown.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::source::Span;

/// Text with its origin.
///
/// Text that the user wrote (in a playbook, a vars file, an inventory, on the command line) has an origin and is
/// *trusted*: it is a template if it has braces in it. Everything else (module results, lookup results, what a template
/// gave) has none and is data, whatever it looks like. So trust needs no flag of its own and cannot be forged by data.
#[derive(Clone)]
pub struct Text(Form);

/// Most texts of a run are plain data, of which there may be very many: these have nothing but the text.
#[derive(Clone)]
enum Form {
    Plain(Arc<str>),
    Marked(Arc<Marked>),
}

/// A text of which there is something to know.
#[derive(Clone)]
struct Marked {
    text: Arc<str>,
    origin: Option<Span>,
    secret: bool,
    markup: bool,
    vaulted: bool,
    standing: Standing,
    has_markers: bool,
}

/// How text that the user wrote stands where it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// A template if it has braces in it.
    Template,
    /// In quotes inside a template: data, but a template to those who ask.
    Quoted,
    /// Taken from among the keys of a mapping: data until it is stored in a variable.
    Key,
    /// Data whose origin is known all the same.
    Data,
}

impl Text {
    /// Computed text.
    pub fn new_plain(text: impl Into<Arc<str>>) -> Self {
        Self(Form::Plain(text.into()))
    }

    /// Text that stands in a file of the user's, or on the command line.
    pub fn from_source(text: impl Into<Arc<str>>, origin: Span) -> Self {
        Self::new_marked(text.into(), Some(origin), Standing::Template)
    }

    /// Text in quotes inside a template: data, but a template to those who ask for [`Text::into_template`].
    pub fn from_quoted(text: impl Into<Arc<str>>, origin: Span) -> Self {
        Self::new_marked(text.into(), Some(origin), Standing::Quoted)
    }

    fn new_marked(text: Arc<str>, origin: Option<Span>, standing: Standing) -> Self {
        let has_markers = has_template_markers(&text);
        let marks = Marked { text, origin, secret: false, markup: false, vaulted: false, standing, has_markers };
        Self(Form::Marked(Arc::new(marks)))
    }

    fn marks(&self) -> Option<&Marked> {
        match &self.0 {
            Form::Plain(_) => None,
            Form::Marked(marked) => Some(marked),
        }
    }

    /// Changes what is known of the text; other holders of it are not affected.
    fn change(self, change: impl FnOnce(&mut Marked)) -> Self {
        let Self(form) = match self.0 {
            Form::Plain(text) => Self::new_marked(text, None, Standing::Template),
            marked @ Form::Marked(_) => Self(marked),
        };
        match form {
            Form::Marked(mut marked) => {
                change(Arc::make_mut(&mut marked));
                Self(Form::Marked(marked))
            }
            plain @ Form::Plain(_) => Self(plain),
        }
    }

    fn standing(&self) -> Standing {
        self.marks().map_or(Standing::Template, |marked| marked.standing)
    }

    /// Data from a place outside the user's files, such as an environment variable.
    pub fn from_outside(text: impl Into<Arc<str>>, origin: Span) -> Self {
        Self::new_marked(text.into(), Some(origin), Standing::Data)
    }

    /// Where it comes from, in a message: `FILE:LINE:COLUMN`, or the name of what it was read from.
    pub fn describe_origin(&self) -> Option<String> {
        let marked = self.marks()?;
        let origin = marked.origin.as_ref()?;
        match marked.standing {
            Standing::Template => Some(origin.to_string()),
            Standing::Data => Some(origin.source().name().to_owned()),
            Standing::Quoted | Standing::Key => None,
        }
    }

    /// Whether it was in quotes inside a template.
    pub fn is_quoted(&self) -> bool {
        self.standing() == Standing::Quoted
    }

    /// Makes a template of a quoted text inside a template; other texts stay as they are.
    #[must_use]
    pub fn into_template(self) -> Self {
        if self.is_quoted() { self.change(|marked| marked.standing = Standing::Template) } else { self }
    }

    /// A key of a mapping among its keys: no template, unless a variable keeps it.
    #[must_use]
    pub fn into_key(self) -> Self {
        if self.is_template() { self.change(|marked| marked.standing = Standing::Key) } else { self }
    }

    /// Whether it was taken from among the keys of a mapping.
    pub fn is_key(&self) -> bool {
        self.standing() == Standing::Key
    }

    /// Returns a text taken from the keys of a mapping as a variable keeps it; any other text unchanged.
    #[must_use]
    pub fn into_stored(self) -> Self {
        if self.is_key() { self.change(|marked| marked.standing = Standing::Template) } else { self }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self
    }

    /// The shared text.
    pub fn shared(&self) -> Arc<str> {
        match &self.0 {
            Form::Plain(text) => Arc::clone(text),
            Form::Marked(marked) => Arc::clone(&marked.text),
        }
    }

    /// Where the user wrote it.
    pub fn origin(&self) -> Option<&Span> {
        let marked = self.marks()?;
        marked.origin.as_ref().filter(|_| marked.standing == Standing::Template)
    }

    /// Whether it may be treated as a template.
    pub fn is_trusted(&self) -> bool {
        self.origin().is_some()
    }

    /// Whether it must not be shown.
    pub fn is_secret(&self) -> bool {
        self.marks().is_some_and(|marked| marked.secret)
    }

    /// The same text as data: no longer a template (`!unsafe`).
    #[must_use]
    pub fn into_data(self) -> Self {
        match self.marks() {
            None => self,
            Some(marked) if !(marked.secret || marked.markup || marked.vaulted) => Self::new_plain(self.shared()),
            Some(_) => self.change(|marked| {
                marked.origin = None;
                marked.standing = Standing::Template;
            }),
        }
    }

    /// The same text, not to be shown.
    #[must_use]
    pub fn into_secret(self) -> Self {
        if self.is_secret() { self } else { self.change(|marked| marked.secret = true) }
    }

    /// Whether it is escaped for HTML (`escape`, `xmlattr`, `safe`).
    pub fn is_markup(&self) -> bool {
        self.marks().is_some_and(|marked| marked.markup)
    }

    /// The same text, known to be escaped for HTML.
    #[must_use]
    pub fn into_markup(self) -> Self {
        if self.is_markup() { self } else { self.change(|marked| marked.markup = true) }
    }

    /// Whether it was vaulted by itself, and has been opened; text computed from it is not.
    pub fn is_vaulted(&self) -> bool {
        self.marks().is_some_and(|marked| marked.vaulted)
    }

    /// The same text, known to have been vaulted.
    #[must_use]
    pub fn into_vaulted(self) -> Self {
        if self.is_vaulted() { self } else { self.change(|marked| marked.vaulted = true) }
    }

    /// Whether the text is trusted and has something to evaluate in it.
    pub fn is_template(&self) -> bool {
        self.is_trusted() && self.marks().is_some_and(|marked| marked.has_markers)
    }
}

/// Whether a text has any of Jinja's opening delimiters.
pub fn has_template_markers(text: &str) -> bool {
    text.as_bytes().windows(2).any(|pair| pair[0] == b'{' && matches!(pair[1], b'{' | b'%' | b'#'))
}

/// Whether a variable may have this name: an ASCII identifier that means nothing else in a template.
pub fn is_variable_name(name: &str) -> bool {
    const RESERVED: [&str; 7] = ["false", "none", "not", "true", "False", "None", "True"];
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !RESERVED.contains(&name)
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            Form::Plain(text) => text,
            Form::Marked(marked) => &marked.text,
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_secret() { f.write_str("\"********\"") } else { fmt::Debug::fmt(self.as_str(), f) }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}
