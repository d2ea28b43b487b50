//! A smoke run of the fuzz targets on a stable compiler: seeded mutations of good inputs.
//!
//! `IONPLAY_FUZZ_RUNS` is the number of inputs for each target (300 if not set), `IONPLAY_FUZZ_FROM` the first seed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::dice::Dice;

mod targets;

/// Good inputs of each target.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let texts: &[&str] = match target {
        "yaml" | "intake" => &[
            include_str!("../../playbooks/token-lifecycle.yml"),
            "- &a {x: [1, 1.5, ~, 0x1f, 2024-01-01, !!set {a, b}, !unsafe '{{ x }}']}\n- *a\n- <<: *a\n  y: |2-\n     text\n",
            "# Page\n\n```yaml\n- debug:\n    msg: '{{ a }}'\n```\n",
        ],
        "template" => &[
            "{{ [3, 1, 2] | sort(reverse=true) | map('string') | join('-') }}",
            "{% for a in range(3) if a != 1 %}{{ loop.index }}{% else %}x{% endfor %}{{ '%05.2f|%-8s' % (3.1, 'a') }}",
            "{% macro m(a, b=2) %}{{ a ~ b }}{% endmacro %}{{ m(1) | indent(4) }}{{ '{0:>10}'.format('x') }}",
            "{{ {'a': [1]} | to_nice_json(indent=2) | from_json | dict2items | batch(2, 'z') | list }}",
        ],
        "vault" => &[
            "$ANSIBLE_VAULT;1.1;AES256\n33363965326261303234343966653164\n6230353038363338633134613537310a\n",
            "$ANSIBLE_VAULT;1.2;AES256;id\n61\n",
        ],
        "answers" => &[
            r#"{"id": "a", "metadata": {"createdDate": "2024-01-01T00:00:00Z", "state": "Running"}, "properties": {"name": "r", "location": "de/fra", "features": null}}"#,
            r#"{"httpStatus": 400, "messages": [{"errorCode": "a", "message": "one"}]}"#,
        ],
        "credentials" => &[concat!(
            r#"{"step":"intended","number":1,"service":"https://s","registry":"r","name":"n","at":"2026-01-01T00:00:00Z","#,
            r#""service_time":"2026-01-01T00:00:00Z","task":"t","sent":{"name":"n"}}"#,
            "\n",
            r#"{"step":"created","number":1,"id":"i","password":"p","sealed":null}"#,
            "\n",
            r#"{"step":"delivered","number":1,"to":"file"}"#,
            "\n",
            r#"{"step":"unclear","number":2,"why":"w"}"#,
            "\n",
        )],
        "docker" => &[
            "{\n\t\"auths\": {\"https://r.example\": {\"auth\": \"b2xk\", \"email\": \"e\"}},\n\t\"credHelpers\": {\"q\": \"x\"}\n}\n",
            "{\"auths\":{},\"HttpHeaders\":{\"a\":\"b\"},\"credsStore\":\"\"}",
        ],
        _ => &[r#"{"format": 1, "writes": [], "deeds": []}"#],
    };
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// Changes an input in a few places.
fn mutate(input: &[u8], dice: &mut Dice) -> Vec<u8> {
    const WORDS: &[&str] = &[
        "{{",
        "}}",
        "{%",
        "%}",
        "'",
        "\"",
        "[",
        "]",
        "{",
        "}",
        ": ",
        "- ",
        "&a",
        "*a",
        "999999999999",
        "-1",
        "1e999",
        "null",
        "\0",
        "\u{feff}",
        "\n",
        "|",
        "9223372036854775807",
    ];
    let mut bytes = input.to_vec();
    for _ in 0..=dice.below(5) {
        let at = dice.below(bytes.len() + 1);
        let end = (at + 1 + dice.below(16)).min(bytes.len());
        match dice.below(6) {
            0 => drop(bytes.drain(at..end)),
            1 => bytes.insert(at, dice.below(256) as u8),
            2 => {
                let part = bytes[at..end].to_vec();
                let to = dice.below(bytes.len() + 1);
                bytes.splice(to..to, part);
            }
            3 => bytes.truncate(at),
            _ => {
                let word = dice.pick(WORDS).as_bytes().to_vec();
                bytes.splice(at..at, word);
            }
        }
    }
    bytes
}

#[test]
fn fuzz_targets_survive_mutated_inputs() {
    let number = |name: &str, or| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(or);
    let (runs, first): (usize, usize) = (number("IONPLAY_FUZZ_RUNS", 300), number("IONPLAY_FUZZ_FROM", 0));
    let work = move || {
        let mut panics = Vec::new();
        for (name, target) in targets::TARGETS {
            let seeds = seeds(name);
            for seed in first..first + runs {
                let mut dice = Dice::new(seed as u64);
                let input = mutate(&seeds[dice.below(seeds.len())], &mut dice);
                if catch_unwind(AssertUnwindSafe(|| target(&input))).is_err() {
                    panics.push(format!("{name}, seed {seed}: {}", String::from_utf8_lossy(&input)));
                }
            }
        }
        panics
    };
    // As much stack as the program gives itself.
    let panics = std::thread::Builder::new().stack_size(64 << 20).spawn(work).unwrap().join().unwrap();
    println!("{} inputs, {} panics", runs * targets::TARGETS.len(), panics.len());
    assert!(panics.is_empty(), "{}", panics.join("\n---\n"));
}
