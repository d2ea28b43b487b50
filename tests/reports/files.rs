//! `--report KIND=FILE`.

use super::{Desk, EVERYTHING, foreign, run_everything, text_of};

#[test]
fn all_reports_are_written_at_once_and_the_status_stays() {
    let kinds = ["github", "gitlab", "html", "junit", "markdown", "sarif", "trace"];
    let reports: Vec<String> = kinds.iter().map(|kind| format!("{kind}={kind}.out")).collect();
    let (desk, status) = run_everything(&reports.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(status, 2);
    for kind in kinds {
        assert!(!desk.read(&format!("{kind}.out")).is_empty(), "{kind}");
    }
}

#[test]
fn junit_is_valid_by_the_schema_and_counts_each_task_and_host() {
    let (desk, _) = run_everything(&["junit=j.xml"]);
    let text = desk.read("j.xml");
    assert!(text.contains("tests=\"10\" failures=\"1\" errors=\"0\""), "{text}");
    assert!(text.contains("<failure message=\"not &lt;web1&gt; &amp; &quot;alone&quot;\""), "{text}");
    assert!(text.contains("site.yml:17:7\n"), "{text}");
    let schema = crate::root().join("tests/reports/junit.xsd");
    let Some(answer) = foreign(&desk, "xmllint", &["--noout", "--schema", schema.to_str().unwrap(), "j.xml"]) else {
        return;
    };
    assert!(answer.status.success(), "{}", text_of(&answer));
}

#[test]
fn sarif_and_gitlab_are_valid_by_their_schemas() {
    let (desk, _) = run_everything(&["sarif=s.json", "gitlab=g.json"]);
    let sarif = desk.json("s.json");
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "task-failed");
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 17);
    assert_eq!(desk.json("g.json")[0]["location"]["lines"]["begin"], 17);
    for (schema, file) in [("sarif.schema.json", "s.json"), ("gitlab.schema.json", "g.json")] {
        let schema = crate::root().join("tests/reports").join(schema);
        let arguments = ["--schemafile", schema.to_str().unwrap(), file];
        let Some(answer) = foreign(&desk, "check-jsonschema", &arguments) else { return };
        assert!(answer.status.success(), "{}", text_of(&answer));
    }
}

#[test]
fn github_annotations_name_the_place_and_the_summary_goes_to_the_job() {
    let desk = Desk::with_playbook(EVERYTHING);
    let arguments = ["-i", "web1,web2,", "-c", "local", "site.yml", "--report", "github=-"];
    let output = desk.command(&arguments).env("GITHUB_STEP_SUMMARY", desk.path("summary.md")).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = printed.lines().find(|line| line.starts_with("::error")).unwrap();
    assert_eq!(line, "::error file=site.yml,line=17,col=7,title=Fail on one [web2]::not <web1> & \"alone\"");
    let summary = desk.read("summary.md");
    assert!(summary.contains("**1 task failed.** `site.yml`") && summary.contains("| `web2` |"), "{summary}");
}

#[test]
fn trace_has_a_span_for_each_result_and_for_requests() {
    let desk = Desk::with_playbook(
        "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - ionoscloudsdk.ionoscloud.registry_info:\n",
    );
    let (said, status) = desk.run(&["--sandbox", "site.yml", "--report", "trace=t.json"]);
    assert_eq!(status, 0, "{said}");
    let trace = desk.json("t.json");
    let events = trace["traceEvents"].as_array().unwrap();
    let spans = |kind: &str| events.iter().filter(|event| event["cat"] == kind).count();
    assert_eq!((spans("task"), spans("request") > 0), (1, true), "{trace}");
    let request = events.iter().find(|event| event["cat"] == "request").unwrap();
    assert_eq!((request["ph"].as_str(), request["args"]["status"].as_u64()), (Some("X"), Some(200)));
}

#[test]
fn secrets_are_in_no_report() {
    let password = "correct-horse-<battery>&staple";
    let desk = Desk::with_playbook(
        "- hosts: localhost\n  gather_facts: false\n  tasks:\n    \
         - ionoscloudsdk.ionoscloud.registry_token:\n        registry: demo\n        name: ci\n        \
         password: \"{{ lookup('env', 'IONOS_PASSWORD') }}\"\n      register: made\n    \
         - name: \"tell {{ lookup('env', 'IONOS_PASSWORD') }}\"\n      \
         debug: {msg: \"{{ made }} {{ lookup('env', 'IONOS_PASSWORD') }}\"}\n    \
         - copy: {content: \"{{ lookup('env', 'IONOS_PASSWORD') }}\", dest: out.txt}\n      diff: true\n    \
         - fail: {msg: \"{{ lookup('env', 'IONOS_PASSWORD') }}\"}\n",
    );
    let kinds = ["github", "gitlab", "html", "junit", "markdown", "sarif", "trace"];
    let mut arguments = vec!["--sandbox".to_owned(), "site.yml".to_owned()];
    for kind in kinds {
        arguments.extend(["--report".to_owned(), format!("{kind}={kind}.out")]);
    }
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    desk.command(&words).env("IONOS_PASSWORD", password).env("IONOS_USERNAME", "me").output().unwrap();
    for kind in kinds {
        let text = desk.read(&format!("{kind}.out"));
        for form in ["battery", "correct-horse"] {
            assert!(!text.contains(form), "{kind}: {text}");
        }
    }
}

#[test]
fn report_that_cannot_be_written_is_found_before_anything_runs() {
    let desk = Desk::with_playbook("- copy: {content: x, dest: made.txt}\n");
    let (said, status) = desk.run(&["site.yml", "--report", "junit=missing/j.xml"]);
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("cannot write the report `missing/j.xml`"), "{said}");
    assert!(!desk.path("made.txt").exists());
    let (said, status) = desk.run(&["site.yml", "--report", "junti=j.xml"]);
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("did you mean `junit`?"), "{said}");
}

#[test]
fn playbook_that_is_not_understood_is_in_the_reports() {
    let desk = Desk::with_playbook("- hosts: localhost\n  taks: []\n");
    let (_, status) = desk.run(&["site.yml", "--report", "junit=j.xml", "--report", "html=h.html"]);
    assert_eq!(status, 4);
    assert!(desk.read("j.xml").contains("errors=\"1\""));
    assert!(desk.read("h.html").contains("Errors"));
}

#[test]
fn page_of_a_thousand_tasks_stays_small() {
    let tasks: String = (0..1000)
        .map(|number| format!("    - name: Task number {number}\n      debug: {{msg: \"result of {number}\"}}\n"))
        .collect();
    let desk = Desk::with_playbook(&format!("- hosts: localhost\n  gather_facts: false\n  tasks:\n{tasks}"));
    let (said, status) = desk.run(&["-q", "site.yml", "--report", "html=h.html"]);
    assert_eq!(status, 0, "{said}");
    let size = desk.read("h.html").len();
    assert!(size < 300_000, "{size} bytes");
}

#[test]
fn page_needs_nothing_from_elsewhere() {
    let (desk, _) = run_everything(&["html=h.html"]);
    let page = desk.read("h.html");
    for word in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(page.contains("not &lt;web1&gt; &amp; &quot;alone&quot;"));
    assert!(page.contains("<span class=add>+one</span>"), "{page}");
}
