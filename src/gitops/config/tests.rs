use std::time::Duration;

use super::*;
use crate::diagnostic::render;

fn load(text: &str) -> Result<GitopsConfig, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "hunter2-hunter2\n").unwrap();
    let file = folder.path().join("gitops.yml");
    std::fs::write(&file, text).unwrap();
    GitopsConfig::load_file(&file).map_err(|report| {
        report.iter().map(|message| render::render_diagnostic(message, false) + "\n").collect::<String>()
    })
}

#[track_caller]
fn refused(text: &str, says: &[&str]) {
    let report = load(text).expect_err("the file must be refused");
    for part in says {
        assert!(report.contains(part), "`{part}` is not in:\n{report}");
    }
}

const SMALL: &str =
    "version: 1\nstate_dir: state\njobs:\n  tokens:\n    git: {url: repository}\n    playbook: site.yml\n";

#[test]
fn small_file_gets_defaults() {
    let config = load(SMALL).unwrap();
    let job = config.find_job("tokens").unwrap();
    assert_eq!((job.poll, job.timeout, job.keep_runs), (Duration::from_secs(60), Duration::from_secs(1800), 50));
    assert_eq!((&job.git.revision, &job.approve, job.mode), (&Revision::Head, &Approval::Auto, Mode::Plan));
    assert!(job.git.url.ends_with("/repository") && config.state_dir.is_absolute());
    assert!(job.drift.is_none() && job.hook.is_none() && config.server.listen.is_none());
}

#[test]
fn every_key_of_the_interface_is_read() {
    let text = r#"
version: 1
host: runner-1
state_dir: /var/lib/ionplay
store: files
seal_key_file: secret
server: {listen: 127.0.0.1:8470, token_file: secret, public_url: https://gitops.example.com}
defaults: {poll: 1m, timeout: 30m, keep_runs: 50}
jobs:
  base: {git: {url: /srv/base.git}, playbook: [a.yml, b.yml], drift: off}
  tokens:
    git:
      url: https://git.example.com/platform/registry.git
      branch: main
      path: .
      username: bot
      password_file: secret
      verify: {allowed_signers: secret}
      allow_rewrite: false
    playbook: site.yml
    inventory: [hosts.yml]
    limit: production
    tags: [tokens]
    skip_tags: []
    extra_vars: {stage: prod}
    extra_vars_files: [vars.yml]
    vault_ids: ["prod@secret"]
    environment: {IONOS_TOKEN: {file: secret}, STAGE: prod}
    mode: plan
    poll: 1m
    schedule: "0 3 * * 1"
    timezone: Europe/Berlin
    drift: {every: 1h, mode: correct, ignore: ["registry_token/*/expiry_date"]}
    expiry: {before: 14d}
    retry: {first: 30s, max: 15m}
    approve: {manual_if: [delete, replace]}
    prune: {mode: report, grace: 7d}
    depends_on: [base]
    runs_on: any
    timeout: 30m
    hook: {secret_file: [secret, secret], type: forgejo}
    forge: {type: github, token_file: secret, status: true, comment: true}
    notify: [ops]
    suspend: false
notify:
  ops: {type: slack, url_file: secret, on: [failed, drifted, waiting, recovered, expiring], remind: 24h}
"#;
    let config = load(text).unwrap();
    let job = config.find_job("tokens").unwrap();
    assert_eq!(job.extra_vars, r#"{"stage": "prod"}"#);
    assert_eq!(job.forge.as_ref().unwrap().api_url, "https://git.example.com/api/v3");
    assert_eq!(job.forge.as_ref().unwrap().repository, "platform/registry");
    assert_eq!(job.hook.as_ref().unwrap().secrets.len(), 2);
    assert_eq!(job.drift, Some((Duration::from_secs(3600), Drift::Correct)));
    assert_eq!(config.notifiers["ops"].on.len(), 5);
    assert_eq!(config.find_job("base").unwrap().playbooks, ["a.yml", "b.yml"]);
    assert!(matches!(&job.environment["IONOS_TOKEN"], Environment::Secret(SecretSource::File(_))));
}

#[test]
fn mistakes_are_reported_together_with_places_and_remedies() {
    let text = SMALL.replace("playbook:", "playbok:").replace("version: 1", "version: 2");
    refused(&text, &["version 2 is not known", ":6:5", "did you mean `playbook`?", "has no `playbook`"]);
}

#[test]
fn wrong_values_are_refused() {
    let with = |line: &str| format!("{SMALL}    {line}\n");
    refused(&with("poll: 5"), &["must be a duration, got `5`", "`30s`"]);
    refused(&with("poll: 0s"), &["must be a duration"]);
    refused(&with("schedule: 0 3 * *"), &["is not a cron expression"]);
    refused(&with("timezone: Mars/Olympus"), &["there is no time zone `Mars/Olympus`"]);
    refused(&with("approve: autoo"), &["did you mean `auto`?"]);
    refused(&with("environment: {IONOS_TOKEN: {file: missing}}"), &["cannot read", "missing"]);
    refused(&with("notify: [ops]"), &["there is no notifier `ops`"]);
    refused(&with("hook: {secret: hunter2}"), &["never written in this file"]);
    refused(&with("mode: direct\n    approve: manual"), &["its mode is `direct`"]);
    refused(&with("inventory: [../hosts]"), &["outside of the repository"]);
    refused(&with("suspend: perhaps"), &["must be true or false"]);
    refused("version: 1\njobs: []\n", &["`jobs` must be a mapping, not a list"]);
    refused("", &["is empty"]);
    refused(&SMALL.replace("repository}", "'https://bot:pw@h/x/y.git'}"), &["holds a password"]);
    refused(&SMALL.replace("repository}", "r, branch: main, tag: v*}"), &["a branch or tags, not both"]);
}

#[test]
fn two_jobs_of_one_name_are_refused() {
    let text = format!("{SMALL}  tokens:\n    git: {{url: other}}\n    playbook: site.yml\n");
    refused(&text, &["duplicate mapping key 'tokens'", ":7:3"]);
}

#[test]
fn cycles_are_named() {
    let text = "version: 1\nstate_dir: s\ndefaults: {git: {url: r}, playbook: p.yml}\njobs:\n  a: {depends_on: [b]}\n  \
                b: {depends_on: [c]}\n  c: {depends_on: [b]}\n  d: {depends_on: [e]}\n";
    refused(text, &["in a cycle: `b` -> `c` -> `b`", "job `d` depends on `e`"]);
}
