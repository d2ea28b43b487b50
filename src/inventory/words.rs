//! A line split into words as a POSIX shell does: quotes, backslashes, and `#` comments.

use std::ops::Range;

/// A word without its quotes, and where it stands in the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The text.
    pub text: String,
    /// Byte range in the line, quotes included.
    pub range: Range<usize>,
}

/// Splits a line; a `#` outside quotes ends it, even inside a word.
///
/// # Errors
/// If a quote is not closed or the line ends in a backslash.
pub fn split_words(line: &str) -> Result<Vec<Word>, &'static str> {
    let mut words: Vec<Word> = Vec::new();
    let mut word: Option<Word> = None;
    let mut quote = None;
    let mut chars = line.char_indices();
    while let Some((at, c)) = chars.next() {
        let end = at + c.len_utf8();
        if quote.is_none() && c.is_whitespace() {
            words.extend(word.take());
            continue;
        }
        if quote.is_none() && c == '#' {
            break;
        }
        let current = word.get_or_insert_with(|| Word { text: String::new(), range: at..end });
        current.range.end = end;
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => quote = Some(c),
            ('\\', None | Some('"')) => {
                let (at, next) = chars.next().ok_or("the line ends in a backslash")?;
                if quote.is_some() && !matches!(next, '"' | '\\') {
                    current.text.push('\\');
                }
                current.text.push(next);
                current.range.end = at + next.len_utf8();
            }
            _ => current.text.push(c),
        }
    }
    if quote.is_some() {
        return Err("a quote is not closed");
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(line: &str, words: &[&str]) {
        assert_eq!(split_words(line).unwrap().into_iter().map(|w| w.text).collect::<Vec<_>>(), words);
    }

    #[test]
    fn words() {
        case("h a=1  b='x y' c=\"p q\" # no", &["h", "a=1", "b=x y", "c=p q"]);
        case("l=a#b m=x", &["l=a"]);
        case(r#"a="\"q\" \n" b=x\ y"#, &["a=\"q\" \\n", "b=x y"]);
        case("a='' b=", &["a=", "b="]);
        assert!(split_words("a='x").is_err());
        assert_eq!(split_words("h ä='x y'").unwrap()[1].range, 2..10);
    }
}
