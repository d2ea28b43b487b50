//! What is to be written as YAML: options, and values with the style that each of them wants.

/// How YAML is written.
#[derive(Debug, Clone, Copy)]
pub struct DumpOptions {
    /// Blanks for one level, 2 to 9; anything else counts as 2.
    pub indent: usize,
    /// Lines are folded at blanks beyond this column.
    pub width: usize,
    /// Keys in their order (as long as they have one).
    pub sort_keys: bool,
    /// All collections in flow style, none of them, or only those without collections in them.
    pub flow: Option<bool>,
    /// The style of every scalar: `"`, `'`, `|` or `>`.
    pub style: Option<char>,
    /// Texts of several lines line by line (`|`) where nothing speaks against it.
    pub literal: bool,
    /// `---` before the document.
    pub explicit_start: bool,
    /// `...` after it.
    pub explicit_end: bool,
    /// Characters beyond ASCII as they are.
    pub unicode: bool,
    /// Everything with its tag, each member on a line of its own.
    pub canonical: bool,
}

impl DumpOptions {
    /// Style of `to_yaml` without options.
    pub const TERSE: Self = Self {
        indent: 2,
        width: 80,
        sort_keys: true,
        flow: None,
        style: None,
        literal: false,
        explicit_start: false,
        explicit_end: false,
        unicode: true,
        canonical: false,
    };

    /// Style of `to_nice_yaml` without options.
    pub const NICE: Self = Self { indent: 4, flow: Some(false), ..Self::TERSE };
}

/// A value with the style that it is to be written in.
pub(super) enum Styled {
    Scalar(Scalar),
    List {
        items: Vec<Styled>,
        flow: bool,
    },
    Map {
        entries: Vec<(Styled, Styled)>,
        flow: bool,
        tag: Option<&'static str>,
    },
    /// In the canonical form a list has a tag, too.
    Tagged(&'static str, Box<Styled>),
}

/// A scalar before it is known where it stands.
pub(super) struct Scalar {
    pub text: String,
    /// The wanted style; `None` leaves the choice to the emitter.
    pub style: Option<char>,
    /// Whether it reads back as what it is without quotes, and within quotes.
    pub implicit: (bool, bool),
    pub tag: Option<&'static str>,
}

impl Styled {
    /// A scalar whose style is not prescribed; collections of such are short enough for one line.
    pub(super) fn is_simple(&self) -> bool {
        matches!(self, Self::Scalar(Scalar { style: None, .. }))
    }
}
