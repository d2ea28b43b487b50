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
    assert!(failed.stderr.contains("a preview gets no secret of its job: `IONOS_TOKEN` is not set"), "{failed:?}");
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
