//! The engine as a whole: templates and what they give.

use std::path::PathBuf;

use super::{ConditionVerdict, Globals, TemplateEngine, TemplateError, TemplateErrorKind};
use crate::source::Source;
use crate::value::{Dict, Text, Value, json};

/// Text as if it stood in a playbook.
fn template_text(text: &str) -> Value {
    let source = Source::new("play.yml", text);
    Value::Str(Text::from_source(text, source.span(0..text.len())))
}

/// Data in which every text is written by the user.
fn trusted(value: &Value) -> Value {
    match value {
        Value::Str(text) => template_text(text),
        Value::List(items) => Value::list(items.iter().map(trusted)),
        Value::Dict(dict) => dict.iter().map(|(k, v)| (k.clone(), trusted(v))).collect::<Dict>().into(),
        other => other.clone(),
    }
}

fn vars() -> Dict {
    let text = r#"{
        "n": 3, "s": "text", "l": [1, 2, 3], "d": {"a": 1, "keys": 5, "b": "{{ n }}"}, "empty": [], "null_": null,
        "cond": "n == 3", "a1": "{{ a2 }}", "a2": "{{ a1 }}", "bad": "{{ nowhere }}", "mixed": {"ok": 1, "no": "{{ nowhere }}"},
        "twice": "{{ n }}{{ n }}", "self_": {"x": "{{ self_ }}"}, "users": [{"name": "x", "groups": ["a"]}]
    }"#;
    let Value::Dict(dict) = trusted(&json::from_str(text).expect("the table is JSON")) else { panic!("no mapping") };
    let mut dict = (*dict).clone();
    dict.set("data", Value::text("{{ n }}"));
    dict.set("pw", Value::secret("hunter2"));
    dict.set("later", Value::unknown("the token is created"));
    dict
}

fn with<T>(run: impl FnOnce(&TemplateEngine<'_>) -> T) -> T {
    let (globals, scope) = (Globals::new("."), vars());
    run(&TemplateEngine::new(&globals, &scope, &[PathBuf::from(".")]))
}

fn value(template: &str) -> Result<Value, TemplateError> {
    with(|engine| engine.evaluate_value(&template_text(template)))
}

#[track_caller]
fn gives(template: &str, expected: &str) {
    match value(template) {
        Ok(value) => assert_eq!(json::to_string(&value, json::JsonStyle::EVENT), expected, "{template}"),
        Err(fault) => panic!("{template}: {fault}"),
    }
}

#[track_caller]
fn fails(template: &str, part: &str) {
    match value(template) {
        Ok(value) => panic!("{template} gave {value:?}"),
        Err(fault) => assert!(fault.message.contains(part), "{template}: {}", fault.message),
    }
}

#[test]
fn a_lone_expression_keeps_its_type() {
    gives("{{ n }}", "3");
    gives("{{ n }}\n", "3");
    gives("{{ s }}\n", r#""text\n""#);
    gives("{{ n }}{{ s }} \n\n", r#""3text \n\n""#);
    gives("{{ s ~ '\n' }}\n", r#""text\n""#);
    gives(" {{ n }}", "\" 3\"");
    gives("{# c #}{{ 7 }}", "7");
    gives("{% if true %}{{ 5 }}{% endif %}", "5");
    gives("{% set x = [1] %}{{ x }}", "[1]");
    gives("{% for i in [1, 2] %}{{ i }}{% endfor %}", "\"12\"");
    gives("{% if false %}x{% endif %}", "null");
    gives("[{{ none }}]", "\"[]\"");
    gives("{{ none }}{{ 7 }}", "7");
    gives("{{ '5' }}", "\"5\"");
    gives("4{{ 2 }}", "\"42\"");
    gives("{{ '{{ x }}' }}", "\"{{ x }}\"");
    gives("{{ data }}", "\"{{ n }}\"");
    gives("{{ (1, 2) }}", "[1, 2]");
    gives("{{ 1, 2 }}", "[1, 2]");
    gives("x{{ (1, 2) }}", "\"x[1, 2]\"");
    gives("{{ d.items() }}", "[[\"a\", 1], [\"keys\", 5], [\"b\", 3]]");
    fails("{{ range(3) }}", "unsupported for variable storage");
    fails("{{ 'x' if false }}", "unsupported for variable storage");
    gives("a{{ 'x' if false }}b", "\"ab\"");
}

#[test]
fn operators() {
    gives("{{ -7 // 2 }}", "-4");
    gives("{{ -7 % 3 }}", "2");
    gives("{{ 7 / 2 }}", "3.5");
    gives("{{ 6 / 2 }}", "3.0");
    gives("{{ 2 ** 3 ** 2 }}", "64");
    gives("{{ -2 ** 2 }}", "4");
    gives("{{ 2 ** -1 }}", "0.5");
    gives("{{ +5 }}", "5");
    gives("{{ 1 - +5 }}", "-4");
    gives("{{ 2 ** 100 }}", "1267650600228229401496703205376");
    let long = "123456789012345678901234567890123456789012345678901234567890";
    gives(&format!("{{{{ {long} + 1 }}}}"), "123456789012345678901234567890123456789012345678901234567891");
    gives("{{ 1 == 1.0 and true == 1 and '1' != 1 }}", "true");
    gives("{{ 1 < 2 < 3 }}", "true");
    gives("{{ 3 not in l }}", "false");
    gives("{{ 'a' ~ none ~ 1.0 }}", "\"aNone1.0\"");
    gives("{{ l[::-1] }}", "[3, 2, 1]");
    gives("{{ 'abc'[1:] }}", "\"bc\"");
    gives("{{ [1] + [2] }}", "[1, 2]");
    gives("{{ 'ab' * 2 }}", "\"abab\"");
    gives("{{ 0 or 'x' }}", "\"x\"");
    fails("{{ 'a' + 3 }}", "can only concatenate str (not \"int\") to str");
    fails("{{ '10' > 9 }}", "'>' not supported between instances of 'str' and 'int'");
    fails("{{ 1 / 0 }}", "division by zero");
    fails("{{ [1] + 2 }}", "can only concatenate list (not \"int\") to list");
}

#[test]
fn backslashes_in_literals_are_literal() {
    gives(r"{{ 'a\nb' }}", r#""a\\nb""#);
    gives(r"{{ '\d+' ~ 'x' }}", r#""\\d+x""#);
    gives(r"c:\x {{ n }}", r#""c:\\x 3""#);
}

#[test]
fn conformance_of_literals_and_macros() {
    gives("{{ 0x1f }}", "31");
    gives("{{ 1.5e2 }}", "150.0");
    gives("{{ ('one',) }}", "[\"one\"]");
    gives("{{ 'x' if n and not n else 'y' if n else 'z' }}", "\"y\"");
    let many = "{% macro many() %}{{ varargs | join('-') }}{{ kwargs | length }}{% endmacro %}{{ many(1, 2, z=3) }}";
    gives(many, "\"1-21\"");
    gives(r"{{ 'it\'s' }}", r#""it\\'s""#);
}

#[test]
fn in_statements_backslashes_are_escapes() {
    gives(r"{% set x = 'a\nb' %}{{ x }}", r#""a\nb""#);
}

#[test]
fn members_and_methods() {
    gives("{{ d.a + d['b'] }}", "4");
    gives("{{ d['keys'] }}", "5");
    gives("{{ l.0 }}", "1");
    gives("{{ l[-1] }}", "3");
    gives("{{ 'a,b'.split(',') }}", "[\"a\", \"b\"]");
    gives("{{ '%s-%03d' % ('a', 7) }}", "\"a-007\"");
    gives("{{ '{0:>4}|{x:.2f}|{:,}'.format(1, x=2) if false else '{0:>4}|{x:.2f}'.format(1, x=2) }}", "\"   1|2.00\"");
    gives("{{ '-'.join(['a', 'b']) }}", "\"a-b\"");
    gives("{% set _ = l.append(4) %}{{ l }}", "[1, 2, 3, 4]");
    gives("{% set x = [] %}{% for i in l %}{% set _ = x.append(i) %}{% endfor %}{{ x }}", "[1, 2, 3]");
    gives("{% set x = {} %}{% set _ = x.setdefault('k', []).append(1) %}{{ x }}", r#"{"k": [1]}"#);
    gives("{% set x = l | list %}{% set _ = x.pop() %}{{ [x, l] }}", "[[1, 2], [1, 2, 3]]");
    gives("{% set x = [3, 1] %}{{ x }}{% set _ = x.sort() %}{{ x }}{{ x.pop() }}{{ x }}", "\"[3, 1][1, 3]3[1]\"");
    gives("{{ users[0].name }}", "\"x\"");
    gives("{{ d.get('zz', 'y') }}", "\"y\"");
    fails("{{ s.__class__ }}", "has no attribute '__class__'");
}

#[test]
fn undefined_is_an_error_when_used() {
    fails("{{ x }}", "'x' is undefined");
    fails("{{ d.zz }}", "object of type 'dict' has no attribute 'zz'");
    fails("{{ l[9] }}", "list object has no element 9");
    fails("{{ ('a' if false) | default('d') }}", "no else section was defined");
    fails("{{ missing.a.b }}", "'missing' is undefined");
    fails("{{ bad }}", "'nowhere' is undefined");
    fails("{{ [1, x] }}", "'x' is undefined");
    gives("{{ bad is defined }}", "false");
    gives("{{ missing.a.b['c'] | default('x') }}", "\"x\"");
    gives("{{ bad | default('x') }}", "\"x\"");
    gives("{{ [1, x] | length }}", "2");
    gives("{{ mixed.ok }}", "1");
    fails("{{ mixed }}", "'nowhere' is undefined");
    let fault = value("{{ userz }}").expect_err("undefined");
    assert_eq!(fault.hints, ["did you mean `users`?"]);
    assert_eq!(fault.span.expect("a place").text(), "userz");
}

#[test]
fn recursion_is_found_and_named() {
    let fault = value("{{ a1 }}").expect_err("a loop");
    assert_eq!(fault.kind, TemplateErrorKind::Recursion);
    assert!(fault.message.contains("`a1` -> `a2` -> `a1`"), "{}", fault.message);
    fails("{{ self_ }}", "recursive loop");
}

#[test]
fn statements() {
    gives("{% for a, b in [(1, 2)] %}{{ a }}-{{ b }}{% endfor %}", "\"1-2\"");
    gives("{% for x in l if x > 1 %}{{ loop.index }}{{ x }},{% else %}none{% endfor %}", "\"12,23,\"");
    gives("{% for x in [] %}{% else %}none{% endfor %}", "\"none\"");
    gives("{% set ns = namespace(c=0) %}{% for x in l %}{% set ns.c = ns.c + x %}{% endfor %}{{ ns.c }}", "6");
    gives("{% macro m(a, b=2) %}{{ a }}{{ b }}{{ varargs }}{% endmacro %}{{ m(1, 3, 4) }}", "\"13[4]\"");
    gives("{% macro m() %}<{{ caller('x') }}>{% endmacro %}{% call(y) m() %}{{ y }}!{% endcall %}", "\"<x!>\"");
    gives("{% for x in [1, [2, [3]]] recursive %}{{ loop(x) if x is iterable else x }}{% endfor %}", "\"123\"");
    gives("{% with a = 1 %}{{ a }}{% endwith %}", "1");
    gives("{% set x %}{{ 5 }}{% endset %}{{ x }}", "5");
    gives("{% for x in 1, 2 %}{{ x }}{% endfor %}", "\"12\"");
    gives("{% raw %}{{ x }}{% endraw %}", "\"{{ x }}\"");
    gives("{% set x = 1 %}{% for i in [1] %}{% set x = 2 %}{% endfor %}{{ x }}", "1");
    fails("{% do l.append(1) %}", "unknown tag");
    fails("{% for x in l %}{% break %}{% endfor %}", "unknown statement");
    fails("{{ 1 + }}", "syntax error");
}

#[test]
fn omit_vanishes_inside() {
    assert!(matches!(value("{{ omit }}"), Ok(Value::Omit)));
    gives("{{ [1, omit] }}", "[1]");
    gives("{{ {'a': omit, 'b': 1} }}", "{\"b\": 1}");
    gives("x{{ omit }}", "\"x\"");
}

#[test]
fn unknown_values_spread() {
    let shown = |template: &str| match value(template) {
        Ok(Value::Unknown(unknown)) => unknown.shown.clone(),
        other => panic!("{template}: {other:?}"),
    };
    assert_eq!(shown("id-{{ later }}!"), "id-<known after creation>!");
    assert_eq!(shown("{{ later.token }}"), "<known after creation>");
    assert_eq!(shown("{{ later == 1 }}"), "<known after creation>");
    assert_eq!(shown("{{ '%s-%s' % ('a', later) }}"), "a-<known after creation>");
    assert_eq!(shown("{{ '%s/%d' | format('a', later) }}"), "a/<known after creation>");
    assert_eq!(shown("{{ 'id %s' | format(later) }}"), "id <known after creation>");
    assert_eq!(shown("{{ later | ternary('a', 'b') }}"), "<known after creation>");
    assert_eq!(shown("{{ {'a': 1}.get(later, 'n') }}"), "<known after creation>");
    assert_eq!(shown("{{ {'failed': later} is failed }}"), "<known after creation>");
    assert_eq!(shown("{{ later in ['a'] }}"), "<known after creation>");
    gives("{{ true | ternary('a', later) }}", "\"a\"");
    gives("{{ later == later }}", "true");
    gives("{{ 'a' in ['a', later] }}", "true");
    gives("{{ later is defined }}", "true");
    gives("{{ later or true }}", "true");
    gives("{{ later and false }}", "false");
    gives("{{ [later, 1] | length }}", "2");
}

/// An unknown id stands for one object; what is computed from it must not.
#[test]
fn only_the_unknown_itself_is_the_same_unknown() {
    let is_later = |template: &str| {
        with(|engine| {
            let value =
                |text| engine.evaluate_value(&template_text(text)).unwrap_or_else(|fault| panic!("{text}: {fault}"));
            value(template) == value("{{ later }}")
        })
    };
    for same in ["{{ later }}", "{{ later | default('x') }}", "{{ later | string }}", "{{ [later] | first }}"] {
        assert!(is_later(same), "{same}");
    }
    for other in ["{{ later[:3] }}", "{{ later | upper }}", "{{ later.name }}", "{{ not later }}", "{{ later ~ '' }}"] {
        assert!(!is_later(other), "{other}");
    }
}

#[test]
fn secrets_stay_secret() {
    for template in [
        "{{ pw }}",
        "x{{ pw }}",
        "x{{ [pw] }}",
        "{{ pw ~ 'x' }}",
        "{{ 'x%s' % pw }}",
        "{{ pw.upper() }}",
        "{{ pw[:3] }}",
        "{{ pw[0] }}",
        "{{ pw | b64encode }}",
        "{{ {'a': [pw]} | to_json }}",
        "{{ {'a': [pw]} | to_json | b64encode }}",
        "{{ ['u', pw] | join(':') }}",
        "{{ ':'.join(['u', pw]) }}",
        "{% for c in pw %}{{ c }}{% endfor %}",
        "{{ pw | list | first }}",
        "{{ (pw | reverse | list)[0] }}",
        "{{ pw.split('e')[0] }}",
    ] {
        match value(template) {
            Ok(Value::Str(text)) => assert!(text.is_secret(), "{template}"),
            other => panic!("{template}: {other:?}"),
        }
    }
}

#[test]
fn everything_computed_from_a_secret_is_masked_whole() {
    let mut leaks = Vec::new();
    for template in [
        "{{ pw | regex_findall('.') | join(' ') }}",
        "{{ pw | sort | join }}",
        "{{ pw | list }}",
        "{{ pw | list | map('upper') | list }}",
        "{{ pw | length | string ~ pw[0] }}",
        "{{ pw.find('t') }}",
        "{{ pw.find('t') + 1 }}",
        "{{ -pw.find('t') }}",
        "{{ [pw.find('t'), pw.find('t')] | sum }}",
        "{{ '%d' % pw.find('t') }}",
        "{{ '%d' % [pw.find('t')] | first }}",
        "{{ [pw.find('t')] | map('string') | list }}",
        "{{ pw.find('t') | string }}",
        "{{ range(pw.find('t')) }}",
        "{{ 'abcdef'[pw.find('t')] }}",
        "{{ 'abcdef'[:pw.find('t')] }}",
        "{{ {'h': 'eight'}[pw[0]] }}",
        "{{ {pw: pw} }}",
        "{{ {pw: 1} | dict2items | map(attribute='key') | list }}",
        "{{ {'a': pw} | dict2items | to_json }}",
        "{{ {'a': pw}.values() | list }}",
        "{{ ({'a': pw} | combine({'b': pw})).a }}",
        "{{ pw | hash('sha256') }}",
        "{{ pw.encode() }}",
        "{{ pw.encode().hex() }}",
        "{{ pw | checksum | int(base=16) }}",
        "{{ 'x' | regex_replace('x', pw) }}",
        "{{ 'a{0}' | replace('{0}', pw[0]) }}",
        "{{ ['a', 'b'] | join(pw[0]) }}",
        "{{ {'a': {'b': [pw]}} | json_query('a.b[0]') | upper }}",
        "{% set ns = namespace(x='') %}{% for c in pw %}{% set ns.x = ns.x ~ '-' ~ c %}{% endfor %}{{ ns.x }}",
        "{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(pw) }}",
        "{% filter upper %}a {{ pw }}{% endfilter %}",
        "{% set x %}a {{ pw }}{% endset %}{{ x }}",
        "{% with y = pw ~ '' %}{{ y[::-1] }}{% endwith %}",
        "{{ pw if pw else '' }}",
        "{{ (pw, 1) | first }}",
        "{{ (pw | zip(pw) | list)[0][1] }}",
        "{{ pw | ternary(pw[0], '') }}",
        "{{ pw | default('x') }}",
        "{{ nope | default(pw) }}",
        "{{ lookup('items', [pw]) }}",
        "{{ query('list', pw) }}",
        "{{ '{}'.format(pw) }}",
        "{{ pw | urlsplit('path') }}",
        "{{ pw | comment }}",
        "{{ pw | to_uuid }}",
        "{{ pw | quote }}",
    ] {
        let leak = match value(template) {
            Ok(value) => {
                let shown = json::to_string(&value, json::JsonStyle { mask_secrets: true, ..json::JsonStyle::EVENT });
                let bare = shown.replace("********", "");
                (!value.holds_secret() || bare.contains(char::is_alphanumeric)).then_some(shown)
            }
            Err(fault) => Some(fault.message),
        };
        leaks.extend(leak.map(|shown| format!("{template}: {shown}")));
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

#[test]
fn values_beside_a_secret_and_truths_about_it_are_shown() {
    for template in [
        "{{ [pw, 'open'] | last }}",
        "{{ {'a': pw, 'b': 'open'}.get('b') }}",
        "{{ {'a': pw, 'b': 'open'} | dict2items | map(attribute='key') | list }}",
        "{{ [{'p': pw, 'age': 3}, {'p': pw, 'age': 4}] | sum(attribute='age') }}",
        "{{ [{'p': pw, 'n': 'x'}] | map(attribute='n') | join(',') }}",
        "{{ [{'p': pw, 'n': 'x'}] | selectattr('n', 'eq', 'x') | list | length }}",
        "{{ {'a': pw, 'b': ['open']} | json_query('b[0]') }}",
        "{{ pw | length }}",
        "{{ pw | length | string }}",
        "{{ pw | type_debug }}",
        "{{ pw is defined }}",
        "{{ pw == 'other' }}",
        "{{ (pw | length > 3) | ternary('set', 'missing') }}",
        "{{ 'open' | default(pw) }}",
        "{% for c in pw %}{{ loop.index }}{% endfor %}",
    ] {
        match value(template) {
            Ok(value) => assert!(!value.holds_secret(), "{template}: {value:?}"),
            Err(fault) => panic!("{template}: {fault:?}"),
        }
    }
}

#[test]
fn failure_about_a_secret_does_not_quote_it() {
    for template in
        ["{{ pw | from_json }}", "{{ (pw | reverse) | from_json }}", "{{ pw | to_datetime }}", "{{ pw.index('q') }}"]
    {
        let fault = value(template).unwrap_err();
        assert!(!fault.message.contains("unter") && !fault.message.contains("retnu"), "{template}: {}", fault.message);
    }
}

#[track_caller]
fn condition(text: &str, expected: Result<bool, &str>) {
    let verdict = with(|engine| engine.evaluate_condition(&template_text(text)));
    match (verdict, expected) {
        (Ok(ConditionVerdict::True), Ok(true)) | (Ok(ConditionVerdict::False), Ok(false)) => {}
        (Err(fault), Err(part)) => assert!(fault.message.contains(part), "{text}: {}", fault.message),
        (other, _) => panic!("{text}: {other:?}"),
    }
}

#[test]
fn conditions_are_booleans() {
    condition("n == 3", Ok(true));
    condition("not s", Ok(false));
    condition("3 and true", Ok(true));
    condition("l", Err("Conditional result (True) was derived from value of type 'list'"));
    condition("true and 3", Err("type 'int'"));
    condition("", Err("Empty"));
    condition("{{ n == 3 }}", Ok(true));
    condition("{{ cond }}", Ok(true));
    condition("{{ l }}", Err("Conditional result (True) was derived from value of type 'list'"));
    condition("cond", Err("type 'str'"));
    condition("{{ data }}", Err("untrusted"));
    condition("{{ n }} == 3", Err("syntax error"));
    condition(r"'a\nb' | length == 3", Ok(true));
    condition("nope", Err("'nope' is undefined"));
    let plain = |value: Value| with(|engine| engine.evaluate_condition(&value));
    assert!(matches!(plain(Value::Bool(false)), Ok(ConditionVerdict::False)));
    assert!(matches!(plain(Value::Null), Ok(ConditionVerdict::True)));
    assert!(plain(Value::list([template_text("true")])).is_err());
    assert!(plain(Value::Int(1)).is_err());
    assert!(plain(Value::text("true")).is_err());
    assert!(matches!(plain(template_text("later")), Ok(ConditionVerdict::Unknown(_))));
}

#[test]
fn names_show_what_failed() {
    let name = |text: &str| match template_text(text) {
        Value::Str(text) => {
            with(|engine| engine.render_label(&text, &|value| crate::value::python::str(&value.to_masked())))
        }
        _ => String::new(),
    };
    assert_eq!(name("do {{ x }} to {{ n }}"), "do << error 1 - 'x' is undefined >> to 3");
    assert_eq!(name("n {{ n }}"), "n 3");
    let Value::Str(mixed) = template_text("mixed") else { return };
    let shown = with(|engine| engine.expression_lenient(&mixed)).unwrap();
    assert_eq!(
        json::to_string(&shown, json::JsonStyle::EVENT),
        r#"{"ok": 1, "no": "<< error 1 - 'nowhere' is undefined >>"}"#
    );
}

#[test]
fn hostile_templates_end() {
    fails("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "too long");
    fails("{{ 'x' * 99999999999 }}", "too large");
    fails("{{ 9 ** 99999999 }}", "too large");
    let deep = format!("{{{{ {}1{} }}}}", "[".repeat(140), "]".repeat(140));
    assert!(value(&deep).is_ok() || value(&deep).is_err());
    let long = format!("{{{{ 1{} }}}}", " + 1".repeat(2000));
    gives(&long, "2001");
}
