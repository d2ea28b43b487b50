//! The words of a command line, as a shell splits them, without anything else that a shell does.

/// Why a line has no words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// A quote is never closed.
    #[error("No closing quotation")]
    Quote,
    /// The line ends in a backslash.
    #[error("No escaped character")]
    Escape,
}

/// Splits a line at blanks; quotes and backslashes keep blanks in words.
///
/// # Errors
/// If a quote is not closed, or nothing follows a backslash.
pub fn split_words(line: &str) -> Result<Vec<String>, WordsError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or(WordsError::Quote)? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or(WordsError::Quote)? {
                        '"' => break,
                        '\\' => match chars.next().ok_or(WordsError::Escape)? {
                            c @ ('"' | '\\') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(chars.next().ok_or(WordsError::Escape)?),
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(line: &str, expected: Result<&[&str], WordsError>) {
        assert_eq!(split_words(line), expected.map(|words| words.iter().map(|word| (*word).to_owned()).collect()));
    }

    #[test]
    fn lines_are_split_at_blanks_and_quotes() {
        case("a  b\n'c  d'\"e\\\"f\\x\" g\\ h ''", Ok(&["a", "b", "c  de\"f\\x", "g h", ""]));
        case(" \t", Ok(&[]));
        case("echo 'x", Err(WordsError::Quote));
        case("echo \"x", Err(WordsError::Quote));
        case("echo \\", Err(WordsError::Escape));
    }
}
