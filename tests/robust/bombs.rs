//! Templates that name more than a machine has, in a few letters: each is an error of its task.

use super::stage::Stage;

/// The destination of a file, from the environment of the run.
const OUT: &str = "{{ lookup(\"env\", \"OUT\") }}";

/// An expression, and a part of the message.
const BOMBS: &[(&str, &str)] = &[
    // One operation that makes something enormous.
    ("{{ '%999999999d' | format(1) }}", "too large"),
    ("{{ '%.999999999f' | format(1) }}", "too large"),
    ("{{ '%.999999999e' | format(1) }}", "too large"),
    ("{{ '%#.999999999g' | format(1) }}", "too large"),
    ("{{ '%*d' | format(999999999, 1) }}", "too large"),
    ("{{ '%-*s' | format(9223372036854775807, 'x') }}", "too large"),
    ("{{ '%99999999999999999999d' | format(1) }}", "width too big"),
    ("{{ '%.99999999999999999999f' | format(1) }}", "precision too big"),
    ("{{ '%999999999d' % 1 }}", "too large"),
    ("{{ '{:999999999}'.format(1) }}", "too large"),
    ("{{ '{:.999999999f}'.format(1.5) }}", "too large"),
    ("{{ '{:>{w}}'.format('x', w=999999999999) }}", "too large"),
    ("{{ lookup('sequence', 'start=1 end=3 format=%0999999999d') }}", "too large"),
    ("{{ lookup('sequence', 'start=-9223372036854775808 end=9223372036854775807') }}", "at most"),
    ("{{ 'x' | indent(10**10) }}", "too large"),
    ("{{ 'x\ny' | indent('z' * 60000000, true) }}", "too large"),
    ("{{ [1] | batch(10**10, 'x') }}", "too large"),
    ("{{ [1] | slice(10**10) }}", "too large"),
    ("{{ 'x' | center(10**10) }}", "too large"),
    ("{{ 'x'.center(10**10) }}", "too large"),
    ("{{ 'x'.ljust(10**10) }}", "too large"),
    ("{{ 'x'.zfill(10**10) }}", "too large"),
    ("{{ '\t'.expandtabs(10**10) }}", "too large"),
    ("{{ 'x' | comment(prefix_count=10**10) }}", "too large"),
    ("{{ ('x' * 10**6) | replace('x', 'y' * 10**6) }}", "too large"),
    ("{{ ('x' * 10**6).replace('x', 'y' * 10**6) }}", "too large"),
    ("{{ ('x' * 10**4) | regex_replace('x', 'y' * 10**5) }}", "too large"),
    ("{{ (range(10000) | list) | join('x' * 10**5) }}", "too large"),
    ("{{ ('x' * 10**5).join('y' * 10**4) }}", "too large"),
    ("{{ ('x ' * 10**4) | wordwrap(1, wrapstring='z' * 10**5) }}", "too large"),
    ("{{ {'a': [1]} | tojson(indent=10**10) }}", "too large"),
    ("{{ {'a': [1]} | to_json(indent=10**10) }}", "too large"),
    ("{{ {'a': [1]} | to_nice_json(indent=10**10) }}", "too large"),
    ("{{ [1] | to_json(separators=['x' * 10**8, ':']) }}", "too large"),
    ("{{ 'x' * 10**12 }}", "too large"),
    ("{{ [1] * 10**12 }}", "too large"),
    ("{{ (1, 2) * 10**12 }}", "too large"),
    ("{{ 7 ** 1000000000 }}", "too large"),
    ("{{ range(100) | product(range(100), range(100), range(100)) | list }}", "more than"),
    ("{{ range(60) | permutations(9) | list }}", "more than"),
    ("{{ lookup('pipe', 'yes') }}", "printed more than"),
    ("{{ lookup('lines', 'cat /dev/zero') }}", "printed more than"),
    // Growth by and by.
    (
        "{% set n = namespace(v='x') %}{% for i in range(99) %}{% set n.v = n.v + n.v %}{% endfor %}{{ n.v }}",
        "too large",
    ),
    (
        "{% set n = namespace(v='x') %}{% for i in range(99) %}{% set n.v = n.v ~ n.v %}{% endfor %}{{ n.v }}",
        "too large",
    ),
    (
        "{% set n = namespace(v=[1]) %}{% for i in range(99) %}{% set n.v = n.v + n.v %}{% endfor %}{{ n.v }}",
        "too large",
    ),
    ("{% set n = namespace(v=7) %}{% for i in range(99) %}{% set n.v = n.v * n.v %}{% endfor %}{{ n.v }}", "too large"),
    ("{% set n = namespace(v=[1]) %}{% for i in range(99) %}{% set n.v = [n.v, n.v] %}{% endfor %}{{ n.v }}", "too"),
    ("{% set l = [1] %}{% for i in range(99) %}{% set _ = l.extend(l) %}{% endfor %}{{ l | length }}", "too"),
    // Work without end.
    ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "takes too long"),
    ("{% macro m(n) %}{{ m(n + 1) }}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}", "levels"),
    ("{{ 1.5 | round(-2147483648) }}{{ 15 | round(-2147483648) }}{{ 'no' | int('x' * 10) }}{{ nowhere }}", "undefined"),
];

#[test]
fn template_that_asks_for_too_much_fails_its_task() {
    let mut tasks = String::new();
    for (bomb, _) in BOMBS {
        let text = serde_json::to_string(bomb).unwrap();
        tasks.push_str(&format!("- debug: {{msg: {text}}}\n  ignore_errors: true\n"));
    }
    let stage = Stage::with_playbook(&tasks);
    let mut command = stage.command(&["playbook.yml", "--output", "json"]);
    // As many steps as a debug build takes in a moment.
    command.env("IONPLAY_TEMPLATE_STEPS", "2000000").env("IONPLAY_TEMPLATE_MEMORY_MIB", "512");
    let answer = stage.run_command(command);
    assert_eq!(answer.code(), Some(0), "{}", answer.text.chars().rev().take(2000).collect::<String>());
    let start = answer.text.find("\n{").map_or(0, |at| at + 1);
    let document = answer.text[start..].split("\n}\n").next().unwrap().to_owned() + "\n}";
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let tasks = document["plays"][0]["tasks"].as_array().unwrap();
    assert_eq!(tasks.len(), BOMBS.len());
    let mut wrong = Vec::new();
    for ((bomb, expected), task) in BOMBS.iter().zip(tasks) {
        let message = task["hosts"]["localhost"]["result"]["msg"].as_str().unwrap_or_default();
        let failed = task["hosts"]["localhost"]["status"] == "failed" || message.contains("Task failed");
        if !failed || !message.contains(expected) {
            wrong.push(format!("{bomb}: {}", message.chars().take(300).collect::<String>()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Limits are for what never ends. Honest work over many hosts, of which little is kept, has none in its way.
#[test]
fn long_template_that_keeps_little_is_rendered() {
    let rounds: usize = std::env::var("IONPLAY_HOSTS").ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    let stage = Stage::with_playbook(&format!(
        "- hosts: all\n  gather_facts: false\n  connection: local\n  tasks:\n    - template: {{src: t.j2, dest: '{OUT}'}}\n      run_once: true\n"
    ));
    stage.write("hosts", &format!("h[1:{rounds}]\n"));
    stage.write("t.j2", "{% for h in groups['all'] %}{% for i in range(6000) %}{{ i % 10 }}{% endfor %};{% endfor %}");
    let mut command = stage.command(&["playbook.yml", "-i", "hosts"]);
    command.env("OUT", stage.path("out"));
    let answer = stage.run_command(command);
    assert_eq!(answer.code(), Some(0), "{}", answer.text);
    let text = std::fs::read_to_string(stage.path("out")).unwrap();
    assert_eq!((text.matches(';').count(), text.len()), (rounds, rounds * 6001));
}
