//! The operations that are killed.

use serde_json::{Value as Json, json};

use crate::registry::stage::{REG_A, Stage, no_tokens};

/// An operation, and what is right after it.
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// The registries before it.
    pub seed: fn() -> Json,
    /// What has happened before it.
    pub prepare: fn(&Stage),
    /// The playbook.
    pub playbook: fn() -> Json,
    /// The tokens that are there afterwards, and the file that has the password of each.
    pub stored: &'static [(&'static str, &'static str)],
    /// Tokens that were there before and may be there afterwards.
    pub stays: &'static [&'static str],
    /// Tokens that are gone afterwards.
    pub replaced: &'static [&'static str],
}

const PASSWORD: &str = "{{ made.registry_token.properties.credentials.password }}";

fn nothing(_: &Stage) {}

fn old() -> Json {
    json!({"registries": [{"id": REG_A, "name": "reg-a", "tokens": [{"name": "old", "status": "enabled"}]}]})
}

fn create() -> Json {
    json!({"registry_token": {"registry": "reg-a", "name": "new"}, "register": "made"})
}

fn copy(when: &str) -> Json {
    json!({"copy": {"content": PASSWORD, "dest": "password", "mode": "0600"}, "when": when})
}

fn loop_of_tokens(module: &Json, register: &str) -> Json {
    json!({"registry_token": module, "register": register, "loop": ["a1", "a2", "a3"]})
}

/// Runs a playbook and kills it as soon as a file is there.
fn killed(stage: &Stage, mut tasks: Vec<Json>) {
    let flag = stage.folder.path().join("flag");
    tasks.push(json!({"command": "sh -c 'touch flag; sleep 20'"}));
    let playbook = stage.folder.path().join("playbook.yml");
    let own = std::fs::read_to_string(&playbook).unwrap();
    stage.signalled("-KILL", &json!(tasks).to_string(), || flag.exists());
    std::fs::write(playbook, own).unwrap();
}

fn replace() -> Json {
    let args = json!({
        "registry": "reg-a", "registry_token": "old", "name": "new", "allow_replace": true, "state": "update",
    });
    json!({"registry_token": args, "register": "made"})
}

/// A registry whose token ends in five days.
fn ending() -> Json {
    let end = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(5 * 24);
    let end = end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let token = json!({"name": "old", "status": "enabled", "expiryDate": end});
    json!({"registries": [{"id": REG_A, "name": "reg-a", "hostname": "r.example", "tokens": [token]}]})
}

/// A token whose password goes to three sinks.
fn sinks(name: &str, more: &Json) -> Json {
    let mut args = json!({"registry": "reg-a", "name": name, "expiry_date": "+90d", "credentials": [
        {"file": {"path": "password"}},
        {"docker_config": {"path": "config.json"}},
        {"command": {"cmd": "sh -c 'cat >handed.new && mv handed.new handed'"}},
    ]});
    args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    args
}

/// All operations.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "create",
        seed: no_tokens,
        prepare: nothing,
        playbook: || json!([create(), copy("made.action == 'create'")]),
        stored: &[("new", "password")],
        stays: &[],
        replaced: &[],
    },
    Scenario {
        name: "create, then a template and a check",
        seed: no_tokens,
        prepare: |stage| {
            std::fs::write(stage.folder.path().join("file.j2"), format!("password: {PASSWORD}\n")).unwrap()
        },
        playbook: || {
            let template =
                json!({"template": {"src": "file.j2", "dest": "password", "mode": "0600"}, "when": "made is changed"});
            json!([create(), {"assert": {"that": "made.registry_token.properties.name == 'new'"}}, template])
        },
        stored: &[("new", "password")],
        stays: &[],
        replaced: &[],
    },
    Scenario {
        name: "create three in a loop",
        seed: no_tokens,
        prepare: nothing,
        playbook: || {
            let store = json!({
                "copy": {
                    "content": "{{ item.registry_token.properties.credentials.password }}",
                    "dest": "{{ item.item }}", "mode": "0600",
                },
                "loop": "{{ made.results }}", "when": "item.action == 'create'", "no_log": true,
            });
            json!([loop_of_tokens(&json!({"registry": "reg-a", "name": "{{ item }}"}), "made"), store])
        },
        stored: &[("a1", "a1"), ("a2", "a2"), ("a3", "a3")],
        stays: &[],
        replaced: &[],
    },
    Scenario {
        name: "create eight in a loop, side by side",
        seed: no_tokens,
        prepare: nothing,
        playbook: || {
            let store = json!({
                "copy": {
                    "content": "{{ item.registry_token.properties.credentials.password }}",
                    "dest": "{{ item.item }}", "mode": "0600",
                },
                "loop": "{{ made.results }}", "when": "item.action == 'create'", "no_log": true,
            });
            let names = ["b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8"];
            let make = json!({"registry": "reg-a", "name": "{{ item }}"});
            json!([{"registry_token": make, "register": "made", "loop": names}, store])
        },
        stored: &[
            ("b1", "b1"),
            ("b2", "b2"),
            ("b3", "b3"),
            ("b4", "b4"),
            ("b5", "b5"),
            ("b6", "b6"),
            ("b7", "b7"),
            ("b8", "b8"),
        ],
        stays: &[],
        replaced: &[],
    },
    Scenario {
        name: "create in the background",
        seed: no_tokens,
        prepare: nothing,
        playbook: || {
            let mut create = create();
            create["async"] = json!(30);
            create["poll"] = json!(1);
            json!([create, copy("made.action == 'create'")])
        },
        stored: &[("new", "password")],
        stays: &[],
        replaced: &[],
    },
    Scenario {
        name: "create, and pass the password to a command",
        seed: no_tokens,
        prepare: nothing,
        playbook: || {
            let command = json!({
                "command": {"cmd": "sh -c 'cat >password.new && mv password.new password'", "stdin": PASSWORD},
                "when": "made.action == 'create'", "no_log": true,
            });
            json!([create(), command])
        },
        stored: &[("new", "password")],
        stays: &[],
        replaced: &[],
    },
    Scenario {
        name: "recover the password of a killed run",
        seed: no_tokens,
        prepare: |stage| killed(stage, vec![create()]),
        playbook: || json!([create(), copy("made.action == 'create'")]),
        stored: &[("new", "password")],
        stays: &[],
        replaced: &[],
    },
    Scenario {
        name: "store the unused password of an earlier run",
        seed: no_tokens,
        prepare: |stage| {
            let playbook = stage.folder.path().join("playbook.yml");
            let own = std::fs::read_to_string(&playbook).unwrap();
            assert_eq!(stage.play(&json!([create()]).to_string(), &[]).code, 0);
            std::fs::write(playbook, own).unwrap();
        },
        playbook: || json!([create(), copy("made.password is defined")]),
        stored: &[("new", "password")],
        stays: &[],
        replaced: &[],
    },
    Scenario {
        name: "update",
        seed: old,
        prepare: nothing,
        playbook: || {
            let args = json!({"registry": "reg-a", "registry_token": "old", "status": "disabled", "state": "update"});
            json!([{"registry_token": args}])
        },
        stored: &[],
        stays: &["old"],
        replaced: &[],
    },
    Scenario {
        name: "replace",
        seed: old,
        prepare: nothing,
        playbook: || json!([replace(), copy("made.action == 'replace'")]),
        stored: &[("new", "password")],
        stays: &[],
        replaced: &["old"],
    },
    Scenario {
        name: "replace a token that is given by id",
        seed: old,
        prepare: |stage| {
            let id = stage.sandbox.read_store().registries[0].tokens[0].id;
            let playbook = stage.folder.path().join("playbook.yml");
            let own = std::fs::read_to_string(&playbook).unwrap();
            std::fs::write(playbook, own.replace("\"old\"", &format!("\"{id}\""))).unwrap();
        },
        playbook: || json!([replace(), copy("made is changed")]),
        stored: &[("new", "password")],
        stays: &[],
        replaced: &["old"],
    },
    Scenario {
        name: "finish a replacement that was killed",
        seed: old,
        prepare: |stage| killed(stage, vec![replace()]),
        playbook: || json!([replace(), copy("made is changed")]),
        stored: &[("new", "password")],
        stays: &[],
        replaced: &["old"],
    },
    Scenario {
        name: "deliver to sinks",
        seed: no_tokens,
        prepare: nothing,
        playbook: || json!([{"registry_token": sinks("new", &json!({}))}]),
        stored: &[("new", "password")],
        stays: &[],
        replaced: &[],
    },
    Scenario {
        name: "rotate",
        seed: ending,
        prepare: nothing,
        playbook: || json!([{"registry_token": sinks("old", &json!({"rotate": {"grace": "0s"}}))}]),
        stored: &[("old-g2", "password")],
        stays: &[],
        replaced: &["old"],
    },
    Scenario {
        name: "remove",
        seed: old,
        prepare: nothing,
        playbook: || json!([{"registry_token": {"registry": "reg-a", "registry_token": "old", "state": "absent"}}]),
        stored: &[],
        stays: &[],
        replaced: &["old"],
    },
    Scenario {
        name: "create, store, and remove again",
        seed: no_tokens,
        prepare: nothing,
        playbook: || {
            let remove = json!({"registry_token": {"registry": "reg-a", "registry_token": "new", "state": "absent"}});
            json!([create(), copy("made.password is defined"), remove])
        },
        stored: &[],
        stays: &[],
        replaced: &[],
    },
];
