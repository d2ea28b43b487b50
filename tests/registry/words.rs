//! What somebody reads who has just begun: misspelt words, missing credentials, proxies that are not there.

use serde_json::json;

use super::stage::{Stage, no_tokens};

/// What the program says, on both streams.
fn said(stage: &Stage, args: &[&str]) -> String {
    let output = stage.program(args).output().unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

#[track_caller]
fn says(stage: &Stage, args: &[&str], words: &str) {
    let text = said(stage, args);
    assert!(text.contains(words), "{args:?}: {text}");
}

#[test]
fn misspelt_words_are_met_with_what_was_meant() {
    let stage = Stage::with(&no_tokens(), &[]);
    let write = |name: &str, text: &str| std::fs::write(stage.folder.path().join(name), text).unwrap();
    write("token.yml", "registry_token:\n  registry: ''\n  name: new\n");
    write("typo.yml", "registry_tokn:\n  registry: reg-a\n");
    write(
        "time.yml",
        "registry:\n  name: new-reg\n  location: de/fra\n  garbage_collection_schedule: {days: [Mondy], time: '01:00'}\n",
    );
    says(&stage, &["paln", "token.yml"], "did you mean the command `plan`?");
    says(&stage, &["tokn.yml"], "did you mean `token.yml`?");
    says(&stage, &["typo.yml"], "did you mean the module `registry_token`?");
    says(&stage, &["--fill", "registri=reg-a", "token.yml"], "did you mean `registry`?");
    says(&stage, &["--block", "x", "token.yml"], "a whole number is wanted");
    says(&stage, &["time.yml"], "time.yml:4:40\n");
    says(&stage, &["time.yml"], "did you mean `Monday`?");
    says(&stage, &["doc", "module", "registry_tokn"], "did you mean `registry_token`");
    says(&stage, &["apply", "token.yml"], "create one with `ionplay plan PLAYBOOK -o FILE`");
    assert_eq!(stage.sandbox.requests().len(), 0);
}

#[test]
fn without_credentials_it_is_said_where_they_come_from() {
    let mut stage = Stage::with(&no_tokens(), &[]);
    stage.set("IONOS_TOKEN", None);
    let played = stage.task(json!({"registry": "reg-a", "name": "new"}));
    assert_eq!(played.message(), "Token or username & password are required for Registry Token state present");
    assert!(played.stdout.contains("set `IONOS_TOKEN`") && played.stdout.contains("--sandbox"), "{}", played.stdout);
}

#[test]
fn a_proxy_is_named_where_it_may_be_the_reason() {
    let mut stage = Stage::with(&no_tokens(), &[]);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    stage.set("IONOS_API_URL", Some("http://registry.invalid"));
    stage.set("IONPLAY_ALLOW_HTTP", Some("1"));
    stage.set("http_proxy", Some(&format!("http://{closed}")));
    let task = json!({"registry": "reg-a", "name": "new"});
    let message = stage.task(task.clone()).message();
    assert!(message.contains("`http_proxy` names a proxy"), "{message}");
    stage.set("http_proxy", Some("nonsense://user:hunter22@h"));
    let message = stage.task(task).message();
    assert!(message.contains("`http_proxy` names no proxy") && !message.contains("hunter22"), "{message}");
}
