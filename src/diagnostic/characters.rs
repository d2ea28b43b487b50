//! Characters that look like others: what a word processor, a page or a mail puts where code has plain ones.

/// Says which odd character a text has and what to write instead; `None` if it has none.
pub fn explain_odd_character(text: &str) -> Option<String> {
    let (odd, kind) = text.chars().find_map(|c| Some((c, kind_of(c)?)))?;
    let code = format!("U+{:04X}", u32::from(odd));
    let plain: String = text.chars().filter_map(plain_character).collect();
    Some(match kind {
        Kind::Invisible => format!("there is an invisible character in it, {code} (zero width); delete it: `{plain}`"),
        Kind::Blank => format!("there is a no-break or other Unicode blank in it, {code}; write a space: `{plain}`"),
        Kind::Quote => format!("`{odd}` is a typographic quote ({code}); write straight quotes: `{plain}`"),
        Kind::Dash => format!("`{odd}` is a typographic dash ({code}); write a hyphen: `{plain}`"),
        Kind::Colon => format!("`{odd}` is not a colon of YAML ({code}); write `:`: `{plain}`"),
    })
}

/// Whether a text has a character in it that has no width and no use in a name. The joiners and marks of direction that
/// written languages need are none.
pub fn has_hidden_character(text: &str) -> bool {
    text.contains(['\u{200b}', '\u{2060}', '\u{feff}', '\u{ad}'])
}

/// Whether a character takes the place of a colon.
pub fn is_colon_like(c: char) -> bool {
    kind_of(c) == Some(Kind::Colon)
}

/// Whether a text stands in typographic quotes.
pub fn is_in_typographic_quotes(text: &str) -> bool {
    let quote = |c: Option<char>| c.is_some_and(|c| kind_of(c) == Some(Kind::Quote));
    quote(text.chars().next()) && quote(text.chars().next_back()) && text.chars().count() > 1
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Invisible,
    Blank,
    Quote,
    Dash,
    Colon,
}

fn kind_of(c: char) -> Option<Kind> {
    Some(match c {
        '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => Kind::Invisible,
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Kind::Blank,
        '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}' | '\u{2039}' | '\u{203a}' | '\u{ff02}' | '\u{ff07}' => {
            Kind::Quote
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Kind::Dash,
        '\u{ff1a}' | '\u{fe55}' => Kind::Colon,
        _ => return None,
    })
}

fn plain_character(c: char) -> Option<char> {
    match kind_of(c) {
        Some(Kind::Invisible) => None,
        Some(Kind::Blank) => Some(' '),
        Some(Kind::Quote) => {
            Some(if matches!(c, '\u{2018}'..='\u{201b}' | '\u{2039}' | '\u{203a}' | '\u{ff07}') { '\'' } else { '"' })
        }
        Some(Kind::Dash) => Some('-'),
        Some(Kind::Colon) => Some(':'),
        None => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_character_is_named_with_its_replacement() {
        for (text, part) in [
            ("name\u{200b}", "invisible character in it, U+200B (zero width); delete it: `name`"),
            ("a\u{a0}b", "U+00A0; write a space: `a b`"),
            ("name: \u{201c}web\u{201d}", "write straight quotes: `name: \"web\"`"),
            ("\u{2013} name: x", "write a hyphen: `- name: x`"),
        ] {
            let said = explain_odd_character(text).unwrap_or_default();
            assert!(said.contains(part), "{said}");
        }
        assert_eq!(explain_odd_character("name: \"web\" - x"), None);
    }
}
