//! What documents are taken for, and what is said of those that are neither plays nor tasks.

use proptest::prelude::*;

use super::*;

fn is_module(key: &str) -> bool {
    ["debug", "command", "copy", "gather_facts", "set_fact"].contains(&key)
}

fn take(name: &str, text: &str) -> Result<Intake, Diagnostic> {
    read_intake(&Source::new(name, text), &is_module)
}

/// `plays: a, b` or `tasks: a@1, b@7`, with names (or first keys) and lines.
fn shown(document: &InputDocument) -> String {
    let name = |node: &YamlNode| {
        let name = node.get("name").and_then(YamlNode::as_str);
        let first = node.entries().and_then(<[_]>::first).and_then(|entry| entry.key.as_str());
        format!("{}@{}", name.or(first).unwrap_or("?"), node.span().position().line)
    };
    match document {
        InputDocument::Playbook(list) => {
            format!("plays: {}", list.items().unwrap_or_default().iter().map(name).collect::<Vec<_>>().join(", "))
        }
        InputDocument::Tasks(tasks) => format!("tasks: {}", tasks.iter().map(name).collect::<Vec<_>>().join(", ")),
        InputDocument::Page(blocks) => format!("{} blocks", blocks.len()),
    }
}

#[track_caller]
fn is(text: &str, expected: &str) {
    let intake = take("t.yml", text).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(shown(&intake.document), expected, "{text}");
}

#[track_caller]
fn wrong(text: &str, summary: &str) {
    let error = take("t.yml", text).expect_err("neither plays nor tasks");
    assert_eq!(error.summary, summary, "{text}");
}

#[test]
fn plays_and_tasks() {
    is("- hosts: all\n- name: p\n  hosts: x\n", "plays: hosts@1, p@2");
    is("- import_playbook: x.yml\n", "plays: import_playbook@1");
    is("- debug:\n- name: b\n  command: x\n", "tasks: debug@1, b@2");
    wrong("hosts: localhost\ntasks:\n- debug:\n", "a playbook must be a list of plays, this is a mapping");
    is("debug: msg=x\n", "tasks: debug@1");
    is("name: t\na.b.c:\n  x: 1\nregister: r\n", "tasks: t@1");
    is("name: t\nnever_heard_of:\n  x: 1\n", "tasks: t@1");
    is("[{\"name\": \"j\", \"debug\": {}}]", "tasks: j@1");
}

#[test]
fn stacked_tasks_are_cut_apart() {
    is("name: a\ndebug:\nregister: r\n\n\nname: b\ndebug:\nregister: r\n", "tasks: a@1, b@6");
    is("\n  \n\nname: a\ndebug:\nname: b\ndebug:\n", "tasks: a@4, b@6");
    is("name: a\r\ndebug:\r\n\r\nname: b\r\ndebug:\r\n", "tasks: a@1, b@4");
    is("  name: a\n  debug:\n    msg: x\n\n  name: b\n  debug:\n", "tasks: a@1, b@5");
    // Without a name the module or even a keyword comes first.
    is("name: a\ndebug:\nregister: r\n\ncommand: x\nregister: q\n", "tasks: a@1, command@5");
    is("debug:\nregister: r\ncommand: x\nregister: q\n", "tasks: debug@1, command@3");
    is("name: a\na.b.c:\n\nwhen: x\na.b.c:\n", "tasks: a@1, when@4");
    is("debug:\n\ndebug:\n\ndebug:\n", "tasks: debug@1, debug@3, debug@5");
    is("name: a\ndebug:\n---\nname: b\ndebug:\n", "tasks: a@1, b@4");
    is("---\nname: a\ndebug:\n---\ncommand: x\n", "tasks: a@2, command@5");
    // Lists at the depth of their key, blocks and comments are not new tasks.
    is(
        "name: a\na.b.c:\n  scopes:\n  - name: n\n    name2: m\nloop:\n- name: x\n# name: no\n\nname: b\ndebug:\n",
        "tasks: a@1, b@10",
    );
    is("name: a\ncommand: |\n  name: b\n\n  name: c\n\nname: d\ndebug:\n", "tasks: a@1, d@7");
    is("hosts: a\ngather_facts: no\nname: x\n\nhosts: b\nname: y\n", "plays: x@1, y@5");
}

#[test]
fn keys_given_twice_are_no_stack() {
    let intake = take("t.yml", "name: a\ndebug:\nwhen: x\nwhen: y\n").expect("one task");
    assert_eq!(shown(&intake.document), "tasks: a@1");
    assert_eq!(intake.warnings.len(), 1);
    let intake = take("t.yml", "- name: a\n  debug:\n  name: b\n").expect("one task");
    assert_eq!(shown(&intake.document), "tasks: b@1");
    assert_eq!(intake.warnings.len(), 1);
}

#[test]
fn what_is_neither() {
    wrong("", "`t.yml` is empty: there is nothing to run");
    wrong("---\n# nothing\n", "`t.yml` is empty: there is nothing to run");
    wrong("[]", "A playbook must contain at least one play: the list is empty");
    wrong("hello", "this is text, neither a playbook nor tasks");
    wrong("- a\n", "an entry must be a play or a task, not text");
    wrong("- hosts: x\n- debug:\n", "a list cannot contain both plays and tasks");
    wrong("all:\n  hosts:\n    a:\n", "this is an inventory, not a playbook");
    wrong(
        "region: de\nsize: 3\n",
        "this is a mapping without `hosts` and without a module: it looks like a file of variables",
    );
    wrong("- debug:\n---\n- debug:\n", "a second document begins here, but a file holds one");
    wrong("name: a\ndebug: {{ x }}\n\nname: b\ndebug:\n", "a value that begins with `{{` must be in quotes");
}

fn page(text: &str) -> (Vec<MarkdownBlock>, Report) {
    match take("-", text).expect("a page") {
        Intake { document: InputDocument::Page(blocks), warnings } => (blocks, warnings),
        other => panic!("{other:?}"),
    }
}

#[test]
fn pages_give_their_runnable_blocks() {
    let text = "# A `page`\n\n```yaml\n\nname: a\ndebug:\n\nname: b\ndebug:\n```\n\n```json\n{\"name\": 1}\n```\n\nUnder\n---\n\
                ~~~yml\n- hosts: x\n~~~\n\n## Vars ##\n````yaml\nregion: de\n````\n```\n- debug:\n```\n```sh\nls\n```\n";
    let (blocks, warnings) = page(text);
    let rows: Vec<_> =
        blocks.iter().map(|b| (b.number, b.line, b.language.as_str(), b.heading.as_deref(), b.what.as_str())).collect();
    assert_eq!(
        rows,
        [
            (1, 5, "yaml", Some("A page"), "2 tasks: a, b"),
            (2, 19, "yml", Some("Under"), "1 play: hosts"),
            (3, 27, "", Some("Vars"), "1 task: debug"),
        ]
    );
    assert!(warnings.is_empty());
    let tasks = blocks.iter().find_map(|block| match &block.document {
        Ok(InputDocument::Tasks(tasks)) => tasks.last(),
        _ => None,
    });
    assert_eq!(tasks.map(|task| task.span().to_string()).as_deref(), Some("-:8:1"));
}

#[test]
fn a_part_of_a_page_is_read_whatever_its_name() {
    let text = "1. Write this:\n\n   ```yaml\n   - ping:\n   ```\n\n2. Run it.\n";
    let intake = take("list.yml", text).unwrap();
    assert!(matches!(&intake.document, InputDocument::Page(blocks) if blocks.len() == 1));
    assert!(intake.warnings.iter().any(|warning| warning.summary.contains("part of a Markdown page")));
}

#[test]
fn a_broken_block_is_kept_with_its_error() {
    let (blocks, _) = page("```yaml\n- debug:\n```\n\n```yaml\n- debug: {{ x }}\n```\n");
    assert!(blocks[0].document.is_ok());
    let error = blocks[1].document.as_ref().expect_err("no YAML");
    assert_eq!(error.span().map(ToString::to_string).as_deref(), Some("-:6:10"));
}

#[test]
fn entities_of_html_are_told() {
    let (_, warnings) = page("```yaml\n- debug: msg=&quot;x&quot;\n```\n");
    assert_eq!(warnings[0].summary, "`&quot;` is an HTML entity and stays as it is");
    let empty = take("x.md", "no blocks here").expect_err("nothing to run");
    assert_eq!(empty.summary, "`x.md` has no block of plays or tasks");
}

proptest! {
    #[test]
    fn any_text_is_taken_or_refused(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "name: a\n", "debug:\n", "\n", "  x: 1\n", "- debug:\n", "---\n", "```yaml\n", "```\n", "hosts: x\n", "# h\n",
                "é: 1\n", "\"q\": 1\n", "\r\n", "register: r\n", "- ", ": ", "&quot;", "a.b.c:\n", "~~~\n", "{", "  ", "when: 1\n",
            ]),
            0..16,
        ),
        name in prop::sample::select(vec!["t.yml", "t.md", "-"]),
    ) {
        let text = parts.concat();
        match take(name, &text) {
            Ok(intake) => prop_assert!(!shown(&intake.document).is_empty()),
            Err(error) => prop_assert!(!error.summary.is_empty()),
        }
    }
}
