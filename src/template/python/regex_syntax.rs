//! From the syntax of Python's `re` to the syntax of the engine that runs the patterns.

/// The flags that a pattern is compiled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RegexFlags {
    /// `re.IGNORECASE`
    pub ignore_case: bool,
    /// `re.MULTILINE`
    pub multi_line: bool,
    /// `re.DOTALL`
    pub dot_all: bool,
    /// `re.VERBOSE`
    pub verbose: bool,
    /// `re.ASCII`
    pub ascii: bool,
}

/// Rewrites a pattern, and takes global flags such as `(?im)` from its beginning into `flags`.
///
/// The differences that matter: `$` also matches before a last line break, `\Z` is the very end, a brace that is no
/// repetition is literal, brackets do not nest in a class, and an escaped sign always means that sign.
pub fn translate_pattern(pattern: &str, flags: &mut RegexFlags) -> String {
    let chars: Vec<char> = pattern.chars().collect();
    let start = global_flags(&chars, flags);
    let mut translator = Translator { chars: &chars, at: start, out: String::new(), flags: *flags };
    translator.translate_all();
    translator.out
}

/// Reads `(?aimsux)` groups at the beginning; gives the position after them.
fn global_flags(chars: &[char], flags: &mut RegexFlags) -> usize {
    let mut at = 0;
    while chars[at..].starts_with(&['(', '?']) {
        let Some(close) = chars[at..].iter().position(|c| *c == ')') else { break };
        let letters = &chars[at + 2..at + close];
        if letters.is_empty() || !letters.iter().all(|c| "aimsuxL".contains(*c)) {
            break;
        }
        for letter in letters {
            match letter {
                'a' => flags.ascii = true,
                'i' => flags.ignore_case = true,
                'm' => flags.multi_line = true,
                's' => flags.dot_all = true,
                'x' => flags.verbose = true,
                _ => {}
            }
        }
        at += close + 1;
    }
    at
}

struct Translator<'a> {
    chars: &'a [char],
    at: usize,
    out: String,
    flags: RegexFlags,
}

impl Translator<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn translate_all(&mut self) {
        while let Some(c) = self.peek(0) {
            match c {
                '\\' => self.translate_escape(false),
                '[' => self.translate_class(),
                '$' if self.flags.multi_line => self.push("(?m:$)", 1),
                '$' => self.push(r"(?=\n?\z)", 1),
                '^' if self.flags.multi_line => self.push("(?m:^)", 1),
                '^' => self.push(r"\A", 1),
                '.' if self.flags.dot_all => self.push("(?s:.)", 1),
                '{' if !self.is_repetition() => self.push(r"\{", 1),
                '{' => self.translate_repetition(),
                '}' => self.push(r"\}", 1),
                ']' => self.push(r"\]", 1),
                '(' if self.chars[self.at..].starts_with(&['(', '?', '#']) => self.skip_until(')'),
                '#' if self.flags.verbose => self.skip_until('\n'),
                c if self.flags.verbose && c.is_whitespace() => self.at += 1,
                c => {
                    self.out.push(c);
                    self.at += 1;
                }
            }
        }
    }

    fn push(&mut self, text: &str, consumed: usize) {
        self.out.push_str(text);
        self.at += consumed;
    }

    fn skip_until(&mut self, end: char) {
        while let Some(c) = self.peek(0) {
            self.at += 1;
            if c == end {
                return;
            }
        }
    }

    /// Whether the brace opens `{n}`, `{n,}`, `{,m}` or `{n,m}`.
    fn is_repetition(&self) -> bool {
        let inside: String = self.chars[self.at + 1..].iter().take_while(|c| **c != '}').collect();
        let closed = self.peek(inside.chars().count() + 1) == Some('}');
        let (low, high) = inside.split_once(',').unwrap_or((&inside, ""));
        let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
        closed && !inside.is_empty() && digits(low) && digits(high)
    }

    fn translate_repetition(&mut self) {
        self.push("{", 1);
        if self.peek(0) == Some(',') {
            self.out.push('0');
        }
        while let Some(c) = self.peek(0) {
            self.out.push(c);
            self.at += 1;
            if c == '}' {
                return;
            }
        }
    }

    fn translate_escape(&mut self, in_class: bool) {
        let Some(c) = self.peek(1) else {
            self.push("\\", 1);
            return;
        };
        match c {
            'Z' if !in_class => self.push(r"\z", 2),
            'b' if in_class => self.push(r"\x08", 2),
            'A' | 'b' | 'B' if !in_class => self.literal_escape(c),
            'd' | 'D' | 'w' | 'W' | 's' | 'S' if self.flags.ascii => self.ascii_class(c, in_class),
            'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'n' | 'r' | 't' => self.literal_escape(c),
            'a' => self.push(r"\x07", 2),
            'f' => self.push(r"\x0C", 2),
            'v' => self.push(r"\x0B", 2),
            'x' => self.translate_hex(2),
            'u' => self.translate_hex(4),
            'U' => self.translate_hex(8),
            '0' => self.translate_octal(),
            '1'..='9' if in_class => self.translate_octal(),
            '1'..='9' => self.back_reference(),
            c if c.is_ascii_alphabetic() => self.literal_escape(c),
            c => {
                self.out.push_str(&quote_char(c));
                self.at += 2;
            }
        }
    }

    fn literal_escape(&mut self, c: char) {
        self.out.push('\\');
        self.out.push(c);
        self.at += 2;
    }

    fn ascii_class(&mut self, c: char, in_class: bool) {
        let (inside, negated) = match c.to_ascii_lowercase() {
            'd' => ("0-9", c == 'D'),
            'w' => ("a-zA-Z0-9_", c == 'W'),
            _ => (r" \t\n\r\x0B\x0C", c == 'S'),
        };
        let text = match (in_class, negated) {
            (true, false) => inside.to_owned(),
            (_, true) => format!("[^{inside}]"),
            (false, false) => format!("[{inside}]"),
        };
        self.push(&text, 2);
    }

    fn translate_hex(&mut self, digits: usize) {
        let code: String = self.chars[self.at + 2..].iter().take(digits).collect();
        if code.len() == digits && code.chars().all(|c| c.is_ascii_hexdigit()) {
            self.push(&format!("\\x{{{code}}}"), 2 + digits);
        } else {
            self.literal_escape(self.chars[self.at + 1]);
        }
    }

    fn translate_octal(&mut self) {
        let code: String = self.chars[self.at + 1..].iter().take(3).take_while(|c| ('0'..='7').contains(*c)).collect();
        let number = u32::from_str_radix(&code, 8).unwrap_or(0);
        self.push(&format!("\\x{{{number:x}}}"), 1 + code.len().max(1));
    }

    /// `\12` is the twelfth group; three octal digits are a character.
    fn back_reference(&mut self) {
        let digits: Vec<char> = self.chars[self.at + 1..].iter().take(3).copied().collect();
        if digits.len() == 3 && digits[0] <= '3' && digits.iter().all(|c| ('0'..='7').contains(c)) {
            return self.translate_octal();
        }
        let number: String = digits.iter().take(2).take_while(|c| c.is_ascii_digit()).collect();
        // Grouped, so that a digit that follows is not taken for part of the number.
        self.push(&format!("(?:\\{number})"), 1 + number.len());
    }

    fn translate_class(&mut self) {
        self.push("[", 1);
        if self.peek(0) == Some('^') {
            self.push("^", 1);
        }
        let mut first = true;
        while let Some(c) = self.peek(0) {
            match c {
                ']' if !first => return self.push("]", 1),
                ']' => self.push(r"\]", 1),
                '\\' => self.translate_escape(true),
                '[' => self.push(r"\[", 1),
                '&' | '~' | ' ' | '#' | '^' => {
                    self.out.push_str(&quote_char(c));
                    self.at += 1;
                }
                // `a--z` and a leading or trailing dash are literal in Python.
                '-' if first || self.peek(1) == Some(']') || self.peek(1) == Some('-') => self.push(r"\-", 1),
                c => {
                    self.out.push(c);
                    self.at += 1;
                }
            }
            first = false;
        }
    }
}

fn quote_char(c: char) -> String {
    if c.is_ascii_punctuation() || c == ' ' { format!("\\x{:02X}", c as u32) } else { c.to_string() }
}

/// Python's `re.escape`: everything that is special gets a backslash.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(pattern: &str, expected: &str) {
        assert_eq!(translate_pattern(pattern, &mut RegexFlags::default()), expected, "{pattern}");
    }

    #[test]
    fn differences_are_bridged() {
        case(r"^a$", r"\Aa(?=\n?\z)");
        case(r"a{x}", r"a\{x\}");
        case(r"a{,3}", r"a{0,3}");
        case(r"[[a]", r"[\[a]");
        case(r"[]a]", r"[\]a]");
        case(r"\/\<", r"\x2F\x3C");
        case(r"(a)\1", r"(a)(?:\1)");
        case(r"x\Z", r"x\z");
        case(r"[\b]", r"[\x08]");
        case(r"(?x) a b # c", "ab");
    }

    #[test]
    fn flags_at_the_beginning_are_taken_out() {
        let mut flags = RegexFlags::default();
        assert_eq!(translate_pattern("(?is)a.", &mut flags), "a(?s:.)");
        assert!(flags.ignore_case && flags.dot_all && !flags.multi_line);
    }

    #[test]
    fn escape_is_pythons() {
        assert_eq!(escape("^f.*o(.*)$ -a/_"), r"\^f\.\*o\(\.\*\)\$\ \-a/_");
    }
}
