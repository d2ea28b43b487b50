//! `preview` with a forge: status and comment, also of a plan that fails, and a forge that answers nonsense.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};

use super::stage::{ACCOUNT, Stage, token};

/// Method, path and body of a request.
type Asked = (String, String, Json);
/// Returns the body of the answer to a method and a path, from the requests before it.
type Answers = fn(&str, &str, &[Asked]) -> String;

/// A stand-in for a forge with one pull request. It ends with the test binary.
struct Forge {
    port: u16,
    requests: Arc<Mutex<Vec<Asked>>>,
}

impl Forge {
    fn start(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::<Mutex<Vec<Asked>>>::default();
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut first, mut length) = (String::new(), 0);
                reader.read_line(&mut first).unwrap();
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    if line.trim().is_empty() {
                        break;
                    }
                    if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let mut words = first.split(' ');
                let (method, path) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
                let mut seen = seen.lock().unwrap();
                let answer = answers(&method, &path, &seen);
                seen.push((method, path, serde_json::from_slice(&body).unwrap_or_default()));
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length:";
                let _ = stream.write_all(format!("{head} {}\r\n\r\n{answer}", answer.len()).as_bytes());
            }
        });
        Self { port, requests }
    }

    fn configure(&self, stage: &Stage) {
        std::fs::write(stage.path("forge"), "forge-token-42").unwrap();
        stage.configure(&format!(
            "    forge: {{type: github, api_url: 'http://127.0.0.1:{}', repository: o/r, token_file: forge, status: true, \
             comment: true}}\n",
            self.port
        ));
    }

    fn find(&self, method: &str, part: &str) -> Vec<Json> {
        let requests = self.requests.lock().unwrap();
        let found = requests.iter().filter(|(known, path, _)| known == method && path.contains(part));
        found.map(|(_, _, body)| body.clone()).collect()
    }
}

/// One pull request, which has the comments that were posted.
fn answer_well(method: &str, path: &str, before: &[Asked]) -> String {
    let posted = |(_, known, body): &Asked| known.contains("/comments").then(|| body.clone());
    let comments = before.iter().filter(|(method, ..)| method == "POST").filter_map(posted);
    let path = path.split('?').next().unwrap_or_default();
    match (method, path) {
        ("GET", path) if path.ends_with("/pulls") => json!([{"number": 5, "state": "open"}]),
        ("GET", path) if path.ends_with("/comments") => {
            comments.map(|comment| json!({"id": 77, "body": comment["body"]})).collect()
        }
        _ => json!({"id": 77}),
    }
    .to_string()
}

/// Commits these tasks on a branch that the job does not follow.
fn propose(stage: &Stage, tasks: &str) -> String {
    stage.git(&["checkout", "--quiet", "-B", "proposal", "main"]);
    let commit = stage.push(tasks);
    stage.git(&["checkout", "--quiet", "main"]);
    commit
}

#[test]
fn preview_posts_one_status_and_one_comment_that_the_next_one_updates() {
    let (stage, forge) = (Stage::new(""), Forge::start(answer_well));
    forge.configure(&stage);
    stage.push("    - debug: {msg: nothing}\n");
    for (content, comments) in [("first", 0), ("second", 1)] {
        let file = stage.path("never-written").display().to_string();
        let commit = propose(&stage, &format!("    - copy: {{content: {content}, dest: '{file}'}}\n"));
        stage.run(&["preview", "tokens", "--commit", &commit, "--comment"]).expect(2);
        let status = forge.find("POST", &format!("/statuses/{commit}")).pop().unwrap();
        assert_eq!((&status["state"], &status["context"]), (&"success".into(), &"ionplay/tokens/preview".into()));
        assert_eq!(forge.find("PATCH", "/issues/comments/77").len(), comments);
        assert!(!stage.path("never-written").exists());
    }
    assert_eq!(forge.find("POST", "/issues/5/comments").len(), 1);
}

#[test]
fn plan_that_needs_a_secret_fails_its_preview_and_says_so_on_the_pull_request() {
    let (stage, forge) = (Stage::new(""), Forge::start(answer_well));
    forge.configure(&stage);
    stage.push("    - debug: {msg: nothing}\n");
    let commit =
        propose(&stage, &(token("ci", "enabled") + "    - debug: {msg: \"{{ lookup('env', 'IONOS_TOKEN') }}\"}\n"));
    let failed = stage.run(&["preview", "tokens", "--commit", "proposal", "--comment"]).expect(1);
    assert!(failed.stderr.contains("a preview gets no secret of its job: it has no `IONOS_TOKEN`"), "{failed:?}");
    let status = forge.find("POST", &format!("/statuses/{commit}")).pop().unwrap();
    assert_eq!(status["state"], "failure");
    assert!(status["description"].as_str().unwrap().starts_with("the plan failed: "), "{status}");
    let comment = forge.find("POST", "/issues/5/comments").pop().unwrap();
    assert!(comment["body"].as_str().unwrap().contains("**The plan failed.**"), "{comment}");
    let told = format!("{failed:?}{:?}", forge.requests.lock().unwrap());
    assert!(!told.contains(ACCOUNT) && stage.tokens().is_empty(), "{told}");
}

#[test]
fn forge_that_answers_nonsense_fails_the_preview_after_the_plan_is_shown() {
    let (stage, forge) = (Stage::new(""), Forge::start(|_, _, _| "<html>welcome</html>".to_owned()));
    forge.configure(&stage);
    stage.push("    - debug: {msg: nothing}\n");
    let file = stage.path("never-written").display().to_string();
    propose(&stage, &format!("    - copy: {{content: x, dest: '{file}'}}\n"));
    let failed = stage.run(&["preview", "tokens", "--commit", "proposal", "--comment"]).expect(1);
    assert!(failed.stderr.contains("cannot post status and comment"), "{failed:?}");
    assert!(failed.stdout.contains("task \"copy\""), "{failed:?}");
    let unknown = stage.run(&["preview", "tokens", "--commit", "no-such"]).expect(1);
    assert!(unknown.stderr.contains("no branch, tag, reference or commit `no-such`"), "{unknown:?}");
}

/// The answer of a kernel that cannot confine a process.
fn is_skipped(stderr: &str) -> bool {
    let is_skipped = stderr.contains("this kernel cannot confine a process");
    if is_skipped {
        eprintln!("SKIPPED: this kernel has no Landlock");
    }
    is_skipped
}

/// A commit of a fork as forges show it: a reference of the repository, on no branch.
fn fork_and_propose(stage: &Stage, files: &[(&str, &str)], tasks: &str) {
    let fork = stage.path("fork");
    let _ = std::fs::remove_dir_all(&fork);
    stage.git(&["clone", "--quiet", ".", fork.to_str().unwrap()]);
    for (name, text) in files {
        std::fs::write(fork.join(name), text).unwrap();
    }
    std::fs::write(fork.join("site.yml"), super::stage::playbook(tasks)).unwrap();
    let fork = fork.to_str().unwrap();
    stage.git(&["-C", fork, "add", "--all"]);
    stage.git(&["-C", fork, "commit", "--quiet", "--message=proposal"]);
    stage.git(&["fetch", "--quiet", fork, "+HEAD:refs/pull/7/head"]);
}

/// Base64 of something, by which a plan would get it past any filter of texts.
fn disguise(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn plan_of_a_fork_finds_no_secret_and_starts_no_program() {
    let stage = Stage::new("");
    let hidden = stage.path("hidden");
    std::fs::create_dir(&hidden).unwrap();
    let (vault, key) = (hidden.join("vault"), hidden.join("key"));
    std::fs::write(&vault, "vault-password-1").unwrap();
    std::fs::write(&key, "private-key-of-a-program").unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let job = stage.job().replace("IONOS_TOKEN:", &format!("KEY_FILE: '{}', IONOS_TOKEN:", key.display()));
    let vault_id = format!("prod@{}", vault.display());
    stage.configure_file(&format!("jobs:\n  tokens:\n{job}    vault_ids: ['{vault_id}']\n"));
    stage.push("    - debug: {msg: nothing}\n");
    stage.once(0);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ionplay"));
    let plain = stage.path("plain");
    std::fs::write(&plain, "vaulted: secret-of-the-vault\n").unwrap();
    command.args(["vault", "encrypt", "--vault-id", &vault_id, "--encrypt-vault-id", "prod", "--output", "-"]);
    let vaulted = super::stage::ended(&command.arg(&plain).output().unwrap()).expect(0).stdout;
    std::fs::remove_file(&plain).unwrap();
    let mark = stage.path("a-program-ran").display().to_string();
    let state = stage.path("state/jobs/tokens.json").display().to_string();
    let account = stage.path("account").display().to_string();
    let copy = |content: String| format!("    - copy: {{dest: '{mark}-not', content: \"{{{{ {content} }}}}\"}}\n");
    let file = |path: &str| copy(format!("lookup('file', '{path}') | b64encode"));
    for (files, tasks) in [
        (
            &[("vaulted.yml", vaulted.as_str())][..],
            "    - include_vars: vaulted.yml\n".to_owned() + &copy("vaulted | b64encode".to_owned()),
        ),
        (&[], file(&account)),
        (&[], file(key.to_str().unwrap())),
        (&[], file(&state)),
        (&[], file("/proc/{{ lookup('file', '/proc/self/stat').split()[3] }}/environ")),
        (&[], format!("    - slurp: {{src: '{account}'}}\n      register: read\n") + &copy("read.content".to_owned())),
        (&[], copy(format!("lookup('pipe', 'touch {mark}; base64 {account}')"))),
        (
            &[],
            format!(
                "    - command: touch {mark}\n      check_mode: false\n    - copy: {{dest: '{mark}-not', content: x}}\n"
            ),
        ),
        (
            &[],
            format!(
                "    - uri: {{url: 'http://127.0.0.1:9/', method: POST, dest: '{mark}'}}\n      check_mode: false\n"
            ),
        ),
    ] {
        fork_and_propose(&stage, files, &tasks);
        let ended = stage.run(&["preview", "tokens", "--commit", "refs/pull/7/head"]);
        if is_skipped(&ended.stderr) {
            return;
        }
        let told = format!("{ended:?}");
        let secrets = [ACCOUNT, "secret-of-the-vault", "private-key-of-a-program", "\"format\""];
        for secret in secrets.iter().flat_map(|secret| [(*secret).to_owned(), disguise(secret)]) {
            assert!(!told.contains(&secret), "{tasks}\n{told}");
        }
        assert!(ended.code != 0 && !stage.path("a-program-ran").exists(), "{tasks}\n{told}");
    }
    assert!(stage.tokens().is_empty());
}

#[test]
fn plan_of_a_fork_sees_what_everybody_may_and_that_of_a_trusted_author_starts_programs() {
    let stage = Stage::new("");
    stage.push("    - debug: {msg: nothing}\n");
    let (file, mark) = (stage.path("page"), stage.path("a-program-ran"));
    std::fs::write(&file, "old").unwrap();
    let task = |content: &str| format!("    - copy: {{content: {content}, dest: '{}'}}\n", file.display());
    for (content, code) in [("old", 0), ("new", 2)] {
        fork_and_propose(&stage, &[], &task(content));
        let ended = stage.run(&["preview", "tokens", "--commit", "refs/pull/7/head"]);
        if is_skipped(&ended.stderr) {
            return;
        }
        ended.expect(code);
    }
    let pipe = format!("    - assert: {{that: \"lookup('pipe', 'touch {}; echo x') == 'x'\"}}\n", mark.display());
    fork_and_propose(&stage, &[], &pipe);
    let refused = stage.run(&["preview", "tokens", "--commit", "refs/pull/7/head"]).expect(1);
    assert!(refused.stderr.contains("use `--trusted`") && !mark.exists(), "{refused:?}");
    stage.run(&["preview", "tokens", "--commit", "refs/pull/7/head", "--trusted"]).expect(0);
    assert!(mark.exists());
}
