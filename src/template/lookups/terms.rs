//! Terms with options in them: `key file=x.csv col=2`.

/// Splits a term into its plain words (joined by blanks) and its `name=value` options; quotes keep blanks together.
pub fn parse(term: &str) -> (String, Vec<(String, String)>) {
    let (mut plain, mut options) = (Vec::new(), Vec::new());
    for word in words(term) {
        match word.split_once('=') {
            Some((name, value)) if is_name(name) => options.push((name.to_owned(), unquoted(value).to_owned())),
            _ => plain.push(unquoted(&word).to_owned()),
        }
    }
    (plain.join(" "), options)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn words(term: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in term.chars() {
        match quote {
            None if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            None if c == '"' || c == '\'' => quote = Some(c),
            Some(open) if c == open => quote = None,
            _ => {}
        }
        word.push(c);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn unquoted(text: &str) -> &str {
    ['"', '\''].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(term: &str, plain: &str, options: &[(&str, &str)]) {
        let options = options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(parse(term), (plain.to_owned(), options));
    }

    #[test]
    fn terms() {
        case("Li file=e.csv delimiter=,", "Li", &[("file", "e.csv"), ("delimiter", ",")]);
        case("two words col=1", "two words", &[("col", "1")]);
        case("x a='b c' d=\"\"", "x", &[("a", "b c"), ("d", "")]);
        case("'quoted key' k==", "quoted key", &[("k", "=")]);
        case("", "", &[]);
    }
}
