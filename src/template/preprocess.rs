//! The text of templates below the parser: masking, string literals, bare tuples.

use super::plugin::RenderOptions;

/// A copy of the same length in which nothing is left that the parser would refuse: backslashes (with a quote or
/// backslash after them), integers beyond its range, a plus as a sign, and blanks that it does not take for such.
pub fn mask_unparsable(text: &str) -> String {
    let plain = !text.contains(['\\', '+']) && !text.contains(is_wide_blank) && !has_long_number(text);
    if plain {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut digits = 0;
    // The last character that was no blank, and whether a plus right after it would be a sign.
    let mut before = '(';
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                out.push('x');
                if let Some('\\' | '\'' | '"') = chars.peek() {
                    chars.next();
                    out.push('x');
                }
            }
            '+' if "([,:=+-*/%~<>|".contains(before) && !(before == '%' && out.ends_with("{%")) => out.push('-'),
            '+' if before == '{' && out.ends_with([' ', '\n', '\t']) => out.push('-'),
            '0'..='9' => {
                digits += 1;
                // From the 30th digit on the number is padded with zeros: the value is read from the original.
                out.push(if digits > 30 { '_' } else { c });
                if digits > 30 && !matches!(chars.peek(), Some('0'..='9' | '_')) {
                    out.pop();
                    out.push('0');
                }
                before = c;
                continue;
            }
            blank if is_wide_blank(blank) => out.extend(std::iter::repeat_n(' ', blank.len_utf8())),
            other => out.push(other),
        }
        digits = 0;
        if !c.is_whitespace() {
            before = c;
        }
    }
    out
}

/// Whether a character is a blank to Python's regular expressions, which read templates, and not to the parser.
fn is_wide_blank(c: char) -> bool {
    matches!(c, '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1f}') || !c.is_ascii() && c.is_whitespace()
}

fn has_long_number(text: &str) -> bool {
    let mut run = 0;
    text.bytes().any(|byte| {
        run = if byte.is_ascii_digit() { run + 1 } else { 0 };
        run > 30
    })
}

/// Puts brackets around bare tuples in `{{ a, b }}` and `{% for x in a, b %}`, in the place of blanks; `None` if there
/// is no such thing.
pub fn bracket_tuples(masked: &str, options: &RenderOptions) -> Option<String> {
    let mut out = masked.as_bytes().to_vec();
    let mut changed = false;
    for (open, close) in [&options.variable, &options.block] {
        let mut from = 0;
        while let Some(start) = masked[from..].find(open.as_str()).map(|at| from + at + open.len()) {
            let Some(end) = find_closing(masked, start, close) else { break };
            from = end;
            let inner = &masked[start..end];
            let begin = if *open == options.variable.0 {
                Some(start)
            } else if inner.trim_start_matches('-').trim_start().starts_with("for ") {
                inner.find(" in ").map(|at| start + at + 3)
            } else {
                None
            };
            let Some(begin) = begin else { continue };
            let inner = &masked[begin..end];
            if has_top_comma(inner) && inner.starts_with(char::is_whitespace) && inner.ends_with(char::is_whitespace) {
                out[begin] = b'(';
                out[end - 1] = b')';
                changed = true;
            }
        }
    }
    if changed { String::from_utf8(out).ok() } else { None }
}

/// The place of an expression or statement that is longer than `most` bytes.
pub fn find_overlong(text: &str, options: &RenderOptions, most: usize) -> Option<std::ops::Range<usize>> {
    if text.len() <= most {
        return None;
    }
    for (open, close) in [&options.variable, &options.block] {
        let mut from = 0;
        while let Some(start) = text[from..].find(open.as_str()).map(|at| from + at + open.len()) {
            let end = find_closing(text, start, close).unwrap_or(text.len());
            if end - start > most {
                return Some(start..end);
            }
            from = end;
        }
    }
    None
}

/// Where the delimiter closes, outside of string literals.
fn find_closing(text: &str, start: usize, close: &str) -> Option<usize> {
    let mut quote = None;
    for (index, c) in text[start..].char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if text[start + index..].starts_with(close) => return Some(start + index),
            None if c == '\'' || c == '"' => quote = Some(c),
            None => {}
        }
    }
    None
}

fn has_top_comma(text: &str) -> bool {
    let (mut depth, mut quote) = (0, None);
    text.chars().any(|c| {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None => match c {
                '\'' | '"' => quote = Some(c),
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                ',' => return depth == 0,
                _ => {}
            },
        }
        false
    })
}

/// The value of one string literal, or of several side by side.
///
/// With `literal_backslashes` (playbooks) a backslash is a backslash; else (template files) Python's escapes hold, and
/// an unknown one stays unchanged.
pub fn parse_strings(source: &str, literal_backslashes: bool) -> String {
    let mut out = String::new();
    let mut chars = source.chars();
    while let Some(quote) = chars.next() {
        if quote != '\'' && quote != '"' {
            continue;
        }
        while let Some(c) = chars.next() {
            match c {
                c if c == quote => break,
                '\\' if literal_backslashes => {
                    out.push('\\');
                    if let Some(next @ ('\\' | '\'' | '"')) = chars.clone().next() {
                        chars.next();
                        out.push(next);
                    }
                }
                '\\' => unescape_char(&mut chars, &mut out),
                c => out.push(c),
            }
        }
    }
    out
}

fn unescape_char(chars: &mut std::str::Chars<'_>, out: &mut String) {
    let Some(c) = chars.next() else { return out.push('\\') };
    match c {
        'n' => out.push('\n'),
        't' => out.push('\t'),
        'r' => out.push('\r'),
        'a' => out.push('\u{7}'),
        'b' => out.push('\u{8}'),
        'f' => out.push('\u{c}'),
        'v' => out.push('\u{b}'),
        '\\' | '\'' | '"' => out.push(c),
        '\n' => {}
        'x' => push_code_point(chars, 2, 'x', out),
        'u' => push_code_point(chars, 4, 'u', out),
        'U' => push_code_point(chars, 8, 'U', out),
        '0'..='7' => {
            let mut number = c.to_digit(8).unwrap_or(0);
            for _ in 0..2 {
                let Some(digit) = chars.clone().next().and_then(|next| next.to_digit(8)) else { break };
                chars.next();
                number = number * 8 + digit;
            }
            out.extend(char::from_u32(number));
        }
        other => {
            out.push('\\');
            out.push(other);
        }
    }
}

fn push_code_point(chars: &mut std::str::Chars<'_>, count: usize, letter: char, out: &mut String) {
    let digits: String = chars.clone().take(count).collect();
    let found = u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == count).and_then(char::from_u32);
    match found {
        Some(c) => {
            out.push(c);
            for _ in 0..count {
                chars.next();
            }
        }
        None => {
            out.push('\\');
            out.push(letter);
        }
    }
}
