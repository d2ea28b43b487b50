//! What documents mean, and what is said of those that mean nothing.

use proptest::prelude::*;

use super::*;
use crate::value::{Value, python};

fn source(text: &str) -> Arc<Source> {
    Source::new("t.yml", text)
}

fn read(text: &str) -> LoadedDocument {
    load_document(&source(text))
        .unwrap_or_else(|error| panic!("{}", crate::diagnostic::render::render_diagnostic(&error, false)))
}

#[track_caller]
fn value(text: &str, expected: &str) {
    let shown = read(text).root.map_or("nothing".to_owned(), |root| python::repr(&root.to_value()));
    assert_eq!(shown, expected, "{text:?}");
}

/// The summary, the line and column it points at, and the last hint.
#[track_caller]
fn wrong(text: &str, summary: &str, place: &str, hint: &str) {
    let error = load_document(&source(text)).expect_err("this is not YAML that we take");
    let at = error.span().map(ToString::to_string).unwrap_or_default();
    assert_eq!(
        (error.summary.as_str(), at.as_str(), error.hints.last().map_or("", String::as_str)),
        (summary, place, hint),
        "{text:?}"
    );
}

#[test]
fn documents_of_all_kinds() {
    value("a: 1\nb: [yes, 'yes', 010]\n", "{'a': 1, 'b': [True, 'yes', 8]}");
    value("\u{feff}a: x\r\nb: y\r\n", "{'a': 'x', 'b': 'y'}");
    value("%YAML 1.1\n---\n- a # c\n...\n", "['a']");
    value("{\"a\": [1, 2.5, null, true], \"b\": \"\\u00e9\"}", "{'a': [1, 2.5, None, True], 'b': 'é'}");
    value("", "nothing");
    value("# only a comment\n", "nothing");
    value("---\n", "None");
    value("a:\nb: ~\nc: !!str\n", "{'a': None, 'b': None, 'c': ''}");
    value("k: |\n  one\n   two\n\nf: >-\n  a\n  b\n", "{'k': 'one\\n two\\n', 'f': 'a b'}");
    value("big: 123456789012345678901234567890", "{'big': 123456789012345678901234567890}");
    value("on: 1\n? 1\n: x", "{True: 'x'}");
}

#[test]
fn tags() {
    value("[!!str 1, !!int '0x10', !!float 1, !!bool yes, !!null x]", "['1', 16, 1.0, True, None]");
    value("!!set {a, b}", "{'a', 'b'}");
    value("!!omap [a: 1, b: 2]", "[('a', 1), ('b', 2)]");
    value("!!binary aGk=", "b'hi'");
    value("!!timestamp '2024-1-2'", "datetime.date(2024, 1, 2)");
    value("!unsafe 'yes'", "True");
    value("! [a]", "['a']");
    let deprecated = read("!!pairs [a: 1]").warnings;
    assert_eq!(deprecated.len(), 1);
}

#[test]
fn unsafe_texts_are_no_templates() {
    let templates = |text: &str| {
        let mut count = 0;
        fn walk(value: &Value, count: &mut usize) {
            match value {
                Value::Str(text) => *count += usize::from(text.is_template()),
                Value::Dict(dict) => dict.iter().for_each(|(k, v)| [k, v].into_iter().for_each(|v| walk(v, count))),
                other => other.as_slice().unwrap_or_default().iter().for_each(|item| walk(item, count)),
            }
        }
        walk(&read(text).root.expect("not empty").to_value(), &mut count);
        count
    };
    assert_eq!(templates("a: '{{ x }}'\n'{{ k }}': b"), 2);
    assert_eq!(templates("a: !unsafe '{{ x }}'\nb: '{{ x }}'"), 1);
    assert_eq!(templates("a: !unsafe\n  - '{{ x }}'\n  - {'{{ k }}': [\"{{ y }}\"]}\n"), 0);
    assert_eq!(templates("a: &a ['{{ x }}']\nb: !unsafe [*a]\n"), 1);
}

#[test]
fn vaulted_text_is_sealed() {
    let node = read("p: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n").root.expect("a mapping");
    match node.get("p").and_then(YamlNode::scalar) {
        Some(Value::Sealed(sealed)) => assert_eq!(sealed.envelope, "$ANSIBLE_VAULT;1.1;AES256\n6162\n"),
        other => panic!("{other:?}"),
    }
    wrong(
        "p: !vault [a]",
        "`!vault` is allowed only before encrypted text",
        "t.yml:1:11",
        "write `!vault |` and the lines that `ionplay vault encrypt_string` gives, beginning with `$ANSIBLE_VAULT;`",
    );
}

#[test]
fn merge_keys() {
    value("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n", "{'a': {'x': 1, 'y': 2}, 'b': {'x': 1, 'y': 3}}");
    value("<<: [{a: 1}, {a: 2, b: 3}]\nc: 4", "{'a': 1, 'b': 3, 'c': 4}");
    assert!(read("a: &a {x: 1}\nb:\n  x: 2\n  <<: *a\n").warnings.is_empty());
    wrong(
        "a: {<<: 1}",
        "`<<` merges a mapping or a list of mappings, not a number",
        "t.yml:1:9",
        "give it an alias of a mapping, as in `<<: *base`",
    );
}

#[test]
fn a_key_given_twice_is_told_with_both_places() {
    value("k: 1\no: 2\nk: 3", "{'k': 3, 'o': 2}");
    let warnings = read("k: 1\no: 2\nk: 3").warnings;
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].summary, "Found duplicate mapping key 'k'; only the last one counts");
    let places: Vec<_> = warnings[0].labels.iter().map(|label| label.span.to_string()).collect();
    assert_eq!(places, ["t.yml:3:1", "t.yml:1:1"]);
    let many: String = (0..40).map(|i| format!("k{}: {i}\n", i % 30)).collect();
    assert_eq!(read(&many).warnings.len(), 10);
}

#[test]
fn aliases_are_shared_and_limited() {
    value("a: &a [1]\nb: *a", "{'a': [1], 'b': [1]}");
    wrong("a: &x [*x]", "`*x` is inside of the value that it repeats", "t.yml:1:8", "");
    wrong(
        "a: *x",
        "an alias of an anchor that was not given before",
        "t.yml:1:4",
        "text that begins with `*` must be in quotes",
    );
    let mut laughs = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for i in 1..12 {
        let all = vec![format!("*a{}", i - 1); 10].join(", ");
        laughs.push_str(&format!("a{i}: &a{i} [{all}]\n"));
    }
    let error = load_document(&source(&laughs)).expect_err("too much");
    assert_eq!(error.summary, "aliases repeat more than 1000000 values; this document would not fit into memory");
    let deep = "[".repeat(100_000);
    assert_eq!(load_document(&source(&deep)).expect_err("too deep").summary, "values are nested too deeply");
}

#[test]
fn mistakes_and_what_to_do() {
    wrong(
        "- hosts: x\n  vars:\n    msg: {{ x }} # why\n",
        "a value that begins with `{{` must be in quotes",
        "t.yml:3:10",
        "quote the template: `msg: \"{{ x }}\"`",
    );
    wrong(
        "a: {{ x }} \"t\"\nb: 1\n",
        "a value that begins with `{{` must be in quotes",
        "t.yml:1:4",
        "quote the template: `a: '{{ x }} \"t\"'`",
    );
    wrong(
        "- {{ item }}\n",
        "a value that begins with `{{` must be in quotes",
        "t.yml:1:3",
        "quote the template: `- \"{{ item }}\"`",
    );
    wrong(
        "msg: this has: a colon",
        "a colon followed by a blank begins a value, so this text must be in quotes",
        "t.yml:1:14",
        "write `msg: \"this has: a colon\"`",
    );
    wrong(
        "a:\n\tb: 1\n",
        "a tab in the indentation; YAML allows blanks only",
        "t.yml:2:1",
        "replace the tab by blanks",
    );
    wrong(
        "a: 'x\nb: c\n",
        "this quote is never closed",
        "t.yml:1:4",
        "close it, or double it (`''`) or escape it (`\\\"`) where it is part of the text",
    );
    wrong(
        "a: \"foo\" in bar\n",
        "text continues after the closing quote",
        "t.yml:1:10",
        "quote the whole value: `a: '\"foo\" in bar'`",
    );
    wrong(
        "msg: foo\n  bar: baz\n",
        "this key continues the value of the line before",
        "t.yml:2:6",
        "check the indentation: what belongs together begins in the same column",
    );
    wrong(
        "a: @x\n",
        "text without quotes cannot begin with `@`",
        "t.yml:1:4",
        "put the whole value in quotes: `a: \"@x\"`",
    );
    wrong(
        "a: 1\n---\nb: 2\n",
        "a second document begins here, but a file holds one",
        "t.yml:2:1",
        "remove the line `---`, or put the second document into its own file",
    );
    wrong("a: !valt x", "the tag `!valt` is not known", "t.yml:1:4", "text that begins with `!` must be in quotes");
    wrong("a: 1\n: 2\n", "a value without a key", "t.yml:2:1", "write `key: value`, or put the text in quotes");
    wrong("a: =", "`=` means something else in YAML than the text", "t.yml:1:4", "put it in quotes: `\"=\"`");
    wrong("[a]: 1", "a list cannot be the key of a mapping", "t.yml:1:1", "put it in quotes if text is meant");
    wrong(
        "a: 2024-13-01",
        "`2024-13-01` cannot be read: no such day in the calendar",
        "t.yml:1:4",
        "if text is meant, put it in quotes: `\"2024-13-01\"`",
    );
}

#[test]
fn bytes_that_are_not_utf8_are_placed() {
    let error = read_text("f.yml", b"a: 1\nb: \xff\n".to_vec()).expect_err("not UTF-8");
    assert_eq!(error.summary, "`f.yml` is not UTF-8 text: byte 0xff on line 2");
    assert_eq!(error.span().map(ToString::to_string).as_deref(), Some("f.yml:2:4"));
    assert!(read_text("f.yml", "é".into()).is_ok());
}

#[test]
fn places_are_those_of_the_text() {
    let root = read("a: 'x {{ y }}'\nb: |\n\n  one\n  two\nc: plain text # c\n").root.expect("a mapping");
    let place = |key: &str| root.get(key).map(|node| (node.span().text().to_owned(), node.span().position().line));
    assert_eq!(place("a"), Some(("x {{ y }}".to_owned(), 1)));
    assert_eq!(place("b"), Some(("one\n  two\n".to_owned(), 4)));
    assert_eq!(place("c"), Some(("plain text".to_owned(), 6)));
    let page = source("text\n  - a: 1\n");
    let part = load_part(&page, 5..page.text().len()).expect("a list").root.expect("a list");
    let item = part.items().and_then(<[YamlNode]>::first).expect("an item");
    assert_eq!(item.get("a").map(|node| node.span().to_string()).as_deref(), Some("t.yml:2:8"));
}

#[test]
fn several_documents() {
    let all = load_all(&source("a\n---\nb\n---\n")).expect("three documents");
    let shown: Vec<_> = all.iter().map(|node| python::repr(&node.to_value())).collect();
    assert_eq!(shown, ["'a'", "'b'", "None"]);
}

fn spans_are_in_range(node: &YamlNode) {
    let range = node.span().range();
    assert!(range.start <= range.end && range.end <= node.span().source().text().len());
    assert!(node.span().source().text().get(range).is_some(), "not on characters: {node:?}");
    node.items().unwrap_or_default().iter().for_each(spans_are_in_range);
    for entry in node.entries().unwrap_or_default() {
        spans_are_in_range(&entry.key);
        spans_are_in_range(&entry.value);
    }
}

fn check_any(text: &str) {
    match load_document(&source(text)) {
        Ok(loaded) => loaded.root.iter().for_each(spans_are_in_range),
        Err(error) => {
            assert!(!crate::diagnostic::render::render_diagnostic(&error, false).is_empty());
            for label in &error.labels {
                let range = label.span.range();
                assert!(range.start <= range.end && text.get(range).is_some(), "{error:?} in {text:?}");
            }
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        check_any(&text);
    }

    #[test]
    fn text_that_is_nearly_yaml_is_read_or_refused(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "a", ": ", "- ", "\n", "  ", "\t", "'", "\"", "{{", "}}", "{", "}", "[", "]", ", ", "|", ">-", "&a ",
                "*a", "<<", "!unsafe ", "!vault ", "!!int ", "!!set ", "!x ", "1", "yes", "é", "\r\n", "#", " #", "---\n", "...\n",
                "? ", "=", "\\", "\u{feff}", "@", "%", "2024-01-01", "~", ":",
            ]),
            0..24,
        )
    ) {
        check_any(&parts.concat());
    }
}
