//! Templates and conditions in a text, cut into words, also where they are not finished.

use std::ops::Range;

use super::outline::{NodeKind, Outline};

/// Keys whose values are expressions without braces.
pub const CONDITIONS: &[&str] = &["when", "changed_when", "failed_when", "until", "that", "var"];

/// Words of the language that are not names.
const WORDS: &[&str] = &[
    "and",
    "or",
    "not",
    "in",
    "is",
    "if",
    "else",
    "elif",
    "endif",
    "for",
    "endfor",
    "set",
    "endset",
    "true",
    "false",
    "True",
    "False",
    "none",
    "None",
    "block",
    "endblock",
    "macro",
    "endmacro",
    "filter",
    "endfilter",
    "raw",
    "endraw",
    "include",
    "import",
    "from",
    "as",
    "with",
    "endwith",
    "without",
    "context",
    "recursive",
    "loop",
    "do",
    "ignore",
    "missing",
    "call",
    "endcall",
    "extends",
    "varargs",
    "kwargs",
    "caller",
];

/// A template between braces, or an expression without them.
#[derive(Debug, Clone)]
pub struct Region {
    /// Place of the expression, without braces.
    pub range: Range<usize>,
    /// Place with braces.
    pub outer: Range<usize>,
    /// Quote of the YAML scalar around it.
    pub quote: Option<char>,
    /// Whether it is a whole `{{ }}`.
    pub is_value: bool,
}

/// Kind of a word in an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A variable.
    Variable,
    /// The text that follows a dot.
    Attribute,
    /// A filter.
    Filter,
    /// A test.
    Test,
    /// A function that is called.
    Function,
    /// The name of an argument.
    Argument,
    /// Text in quotes, without them.
    Text,
    /// A word of the language, such as `if`.
    Word,
    /// A sign.
    Sign,
    /// A number.
    Number,
}

/// A word of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Kind of the word.
    pub kind: TokenKind,
    /// Place in the text.
    pub range: Range<usize>,
}

/// Finds all templates and conditions of a text, in its order.
pub fn find_regions(text: &str, outline: &Outline) -> Vec<Region> {
    let mut regions = find_braces(text, outline);
    for (index, node) in outline.nodes.iter().enumerate() {
        if node.kind != NodeKind::Entry || !text.get(node.key.clone()).is_some_and(|key| CONDITIONS.contains(&key)) {
            continue;
        }
        let items: Vec<usize> = outline.children(Some(index)).collect();
        let values = if items.is_empty() { vec![index] } else { items };
        for range in values.into_iter().map(|value| outline.nodes[value].value.clone()) {
            let whole = text.get(range.clone()).unwrap_or_default();
            if !whole.is_empty() && !whole.contains("{{") && !whole.contains("{%") {
                regions.push(unquoted_region(text, range));
            }
        }
    }
    regions.sort_by_key(|region| region.range.start);
    regions
}

fn unquoted_region(text: &str, outer: Range<usize>) -> Region {
    let whole = text.get(outer.clone()).unwrap_or_default();
    let quote = whole.chars().next().filter(|first| matches!(first, '"' | '\''));
    let mut range = outer.clone();
    // A condition may begin with a text of its own: `'a' in b`.
    let is_quoted = quote.is_some_and(|quote| {
        super::flow::find_quote_end(text, outer.start, outer.end) == Some(outer.end)
            && whole.len() > 1
            && whole.ends_with(quote)
    });
    if is_quoted {
        range = range.start + 1..range.end - 1;
    }
    Region { range, outer, quote: quote.filter(|_| is_quoted), is_value: false }
}

fn find_braces(text: &str, outline: &Outline) -> Vec<Region> {
    let mut regions = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find('{') {
        let open = at + found;
        let close = match text.as_bytes().get(open + 1) {
            Some(b'{') => "}}",
            Some(b'%') => "%}",
            _ => {
                at = open + 1;
                continue;
            }
        };
        let inner = open + 2;
        let line_end = text[inner..].find('\n').map_or(text.len(), |length| inner + length);
        let closing = text[inner..].find(close).map(|length| inner + length);
        // One that is not closed ends with its line, or where the next one begins.
        let next = text[inner..].find("{{").map(|length| inner + length);
        let (end, outer) = match closing {
            Some(end) if next.is_none_or(|next| end < next) || end <= line_end => (end, end + 2),
            _ => (line_end, line_end),
        };
        let node = outline.nodes.partition_point(|node| node.start <= open).checked_sub(1);
        let quote = node.and_then(|node| text.get(outline.nodes[node].value.clone())?.chars().next());
        regions.push(Region {
            range: inner..end,
            outer: open..outer,
            quote: quote.filter(|first| matches!(first, '"' | '\'')),
            is_value: close == "}}" && outer > end,
        });
        at = outer.max(inner);
    }
    regions
}

/// Cuts an expression into words.
pub fn read_tokens(text: &str, region: &Region) -> Vec<Token> {
    let mut lexer = Lexer { text, end: region.range.end, quote: region.quote, tokens: Vec::new(), depth: 0 };
    let mut at = region.range.start;
    while at < lexer.end {
        at = lexer.read_token(at);
    }
    lexer.tokens
}

struct Lexer<'a> {
    text: &'a str,
    end: usize,
    quote: Option<char>,
    tokens: Vec<Token>,
    depth: usize,
}

impl Lexer<'_> {
    fn push(&mut self, kind: TokenKind, range: Range<usize>) -> usize {
        let end = range.end;
        self.tokens.push(Token { kind, range });
        end
    }

    fn last_text(&self, back: usize) -> &str {
        let index = self.tokens.len().checked_sub(back + 1);
        let token = index.and_then(|index| self.tokens.get(index));
        token.filter(|token| token.kind != TokenKind::Text).map_or("", |token| &self.text[token.range.clone()])
    }

    fn read_token(&mut self, at: usize) -> usize {
        let rest = &self.text[at..self.end];
        let Some(first) = rest.chars().next() else { return self.end };
        // In a quoted scalar the quotes of the expression may be escaped or doubled.
        let sign = match (self.quote, first) {
            (Some('"'), '\\') => rest[1..].chars().next().filter(|next| *next == '"').map(|quote| (quote, 2)),
            (Some('\''), '\'') if rest[1..].starts_with('\'') => Some(('\'', 2)),
            (_, '"' | '\'') => Some((first, 1)),
            _ => None,
        };
        if let Some((_, width)) = sign {
            let mark = &rest[..width];
            let inner = at + width;
            let close = self.text[inner..self.end].find(mark).map_or(self.end, |length| inner + length);
            self.push(TokenKind::Text, inner..close);
            return (close + width).min(self.end);
        }
        if first.is_alphabetic() || first == '_' {
            return self.read_word(at);
        }
        if first.is_ascii_digit() {
            let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len());
            return self.push(TokenKind::Number, at..at + length);
        }
        if !first.is_whitespace() {
            match first {
                '(' | '[' => self.depth += 1,
                ')' | ']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            self.push(TokenKind::Sign, at..at + first.len_utf8());
        }
        at + first.len_utf8()
    }

    fn read_word(&mut self, at: usize) -> usize {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let word_end = |at: usize| {
            let rest = &self.text[at..self.end];
            at + rest.find(|c: char| !is_part(c)).unwrap_or(rest.len())
        };
        let before = self.last_text(0);
        let after_is = before == "is" || (before == "not" && self.last_text(1) == "is");
        let is_filter = before == "|";
        let mut end = word_end(at);
        let word = &self.text[at..end];
        if is_filter || (after_is && word != "not") {
            // Names of collections have dots.
            while self.text[end..self.end].starts_with('.')
                && self.text[end + 1..self.end].starts_with(|c: char| c.is_alphabetic())
            {
                end = word_end(end + 1);
            }
            return self.push(if is_filter { TokenKind::Filter } else { TokenKind::Test }, at..end);
        }
        let rest = self.text[end..self.end].trim_start();
        let is_assigned = rest.starts_with('=') && !rest.starts_with("==");
        let kind = if before == "." {
            TokenKind::Attribute
        } else if WORDS.contains(&word) {
            TokenKind::Word
        } else if is_assigned && self.depth > 0 {
            TokenKind::Argument
        } else if rest.starts_with('(') {
            TokenKind::Function
        } else {
            TokenKind::Variable
        };
        self.push(kind, at..end)
    }
}

#[cfg(test)]
mod tests {
    use super::super::outline_reader::read_outline;
    use super::*;

    fn words(text: &str) -> Vec<(TokenKind, String)> {
        let regions = find_regions(text, &read_outline(text));
        let tokens = regions.iter().flat_map(|region| read_tokens(text, region));
        let tokens = tokens.filter(|token| !matches!(token.kind, TokenKind::Sign | TokenKind::Word));
        tokens.map(|token| (token.kind, text[token.range].to_owned())).collect()
    }

    #[test]
    fn words_of_templates_have_their_kinds() {
        use TokenKind::{Argument, Attribute, Filter, Function, Test, Text, Variable};
        let row = |kind, word: &str| (kind, word.to_owned());
        assert_eq!(
            words("a: '{{ x.y | default(''q'', boolean=true) is not ansible.builtin.defined }}'"),
            [
                row(Variable, "x"),
                row(Attribute, "y"),
                row(Filter, "default"),
                row(Text, "q"),
                row(Argument, "boolean"),
                row(Test, "ansible.builtin.defined")
            ]
        );
        assert_eq!(
            words("when: lookup(\"env\", 'HOME') == home and\n  'a' in names"),
            [
                row(Function, "lookup"),
                row(Text, "env"),
                row(Text, "HOME"),
                row(Variable, "home"),
                row(Text, "a"),
                row(Variable, "names")
            ]
        );
        assert_eq!(words("when: [a, b is defined]"), [row(Variable, "a"), row(Variable, "b"), row(Test, "defined")]);
    }

    #[test]
    fn unfinished_templates_end_with_their_line() {
        assert_eq!(words("a: \"{{ x | \nb: '{{ y }}'\n").len(), 2);
        for text in ["{{", "{% é", "a: '{{ \"", "when: \"", "when: '\\", "a: \"{{ \\"] {
            words(text);
        }
    }
}
