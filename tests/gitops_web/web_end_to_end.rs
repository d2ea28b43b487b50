//! Hooks, API and page of a real daemon.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::daemon::{Daemon, TOKEN};
use super::keyboard::{ENTER, TAB};
use super::tools::find_python_with;
use super::webdriver::Browser;

const TOKENS: &str = "- hosts: localhost
  gather_facts: false
  tasks:
    - name: The token of the pipeline
      registry_token:
        registry: demo
        name: web-test
        scopes: [{name: shop, type: repository, actions: [pull]}]
        status: enabled
";

const SLOW: &str = "- hosts: localhost
  gather_facts: false
  tasks:
    - name: Take a while
      command: sleep 3
";

#[tokio::test(flavor = "current_thread")]
async fn hooks_during_a_run_become_exactly_one_run_after_it() {
    let job = "  slow: {git: {url: REPO}, playbook: site.yml, mode: direct, hook: {secret_file: HOOK}}\n";
    let daemon = Daemon::start(job, SLOW);
    daemon.wait_for_state("slow", "running").await;
    let mut merged = Vec::new();
    for _ in 0..6 {
        let (status, answer) = daemon.send_hook("slow").await;
        assert_eq!(status, 202);
        merged.push(answer["merged"].as_bool().unwrap());
    }
    assert_eq!(merged, [false, true, true, true, true, true]);
    assert_eq!(daemon.send_hook("nope").await.0, 404);
    daemon.wait_for_state("slow", "ok").await;
    // What would come now would come at once.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    daemon.wait_for_state("slow", "ok").await;
    let runs = daemon.get("/api/v1/jobs/slow/runs").await;
    let reasons: Vec<String> = runs.as_array().unwrap().iter().map(|run| run["reasons"].to_string()).collect();
    assert_eq!(reasons.len(), 2, "{runs}");
    assert_eq!(reasons[0], "[\"hook\"]");
    daemon.end();
}

#[tokio::test(flavor = "current_thread")]
async fn plan_that_waits_is_applied_by_a_click_on_the_page() {
    let Some(browser) = Browser::start(1600, "light").await else { return };
    let job = "  tokens: {git: {url: REPO}, playbook: site.yml, approve: manual, hook: {secret_file: HOOK}}\n";
    let daemon = Daemon::start(job, TOKENS);
    let waiting = daemon.wait_for_state("tokens", "waiting").await;
    let run = waiting["waiting"]["run"].as_str().unwrap();
    browser.open(&daemon.base).await;
    browser.click(".waiting a.button").await;
    browser.wait_for(&format!("location.pathname === '/runs/{run}'")).await;
    browser.wait_for("document.querySelector('table.plan')?.innerText.includes('web-test')").await;
    browser.write("#approval > form input[type=password]", TOKEN).await;
    browser.click("#approval > form button.primary").await;
    browser.wait_for("document.querySelector('h1 .pill')?.innerText === 'applied'").await;
    let applied = daemon.wait_for_state("tokens", "ok").await;
    assert_eq!(applied["last_run"]["outcome"], "applied");
    let document = daemon.get(&format!("/api/v1/runs/{run}")).await;
    assert_eq!((&document["outcome"], &document["decision"]["by"]), (&"applied".into(), &"page".into()), "{document}");
    assert_eq!(browser.read_console().await, Vec::<String>::new());
    let requests = browser.read_requests().await;
    let is_own = |url: &String| url.starts_with(&daemon.base) || url.starts_with("data:") || url.starts_with("chrome");
    assert!(requests.iter().all(is_own), "{requests:?}");
    for line in [
        "ionplay_gitops_job_status{job=\"tokens\",status=\"ok\"} 1",
        "ionplay_gitops_runs_total{job=\"tokens\",outcome=\"applied\"} 1",
    ] {
        daemon.wait_for_metric(line).await;
    }
    browser.end().await;
    daemon.end();
}

/// A job whose plan waits, one that is fine and one that fails with long words.
const SEVERAL: &str = "  tokens: {git: {url: REPO}, playbook: site.yml, approve: manual}
  a-job-with-a-name-that-is-much-longer-than-its-column: {git: {url: REPO}, playbook: site.yml}
  missing: {git: {url: REPO-that-is-not-there-and-has-a-long-name}, playbook: site.yml}
";

#[tokio::test(flavor = "current_thread")]
async fn no_page_is_wider_than_a_telephone() {
    for scheme in ["light", "dark"] {
        let Some(browser) = Browser::start(400, scheme).await else { return };
        let daemon = Daemon::start(SEVERAL, TOKENS);
        let long = "a-job-with-a-name-that-is-much-longer-than-its-column";
        daemon.wait_for_state("tokens", "waiting").await;
        daemon.wait_for_state("missing", "failed").await;
        let applied = daemon.wait_for_state(long, "ok").await;
        let applied = applied["last_run"]["run"].as_str().unwrap();
        let failed = daemon.get("/api/v1/jobs/missing/runs").await[0]["run"].as_str().unwrap().to_owned();
        let waiting = daemon.get("/api/v1/jobs/tokens/runs").await[0]["run"].as_str().unwrap().to_owned();
        for path in [
            "/".to_owned(),
            format!("/jobs/{long}"),
            "/jobs/missing".to_owned(),
            format!("/runs/{waiting}"),
            format!("/runs/{applied}"),
            format!("/runs/{failed}"),
            "/runs/none".to_owned(),
        ] {
            browser.open(&format!("{}{path}", daemon.base)).await;
            browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })").await;
            let widths = browser.run("return [document.documentElement.scrollWidth, innerWidth]").await;
            assert_eq!(widths, serde_json::json!([400, 400]), "{path} scrolls to the side");
            let cut = "return [...document.querySelectorAll('main *')].filter((one) => one.scrollWidth > one.clientWidth + 1 \
                       && getComputedStyle(one).overflowX !== 'visible' && !one.matches('.hidden, input')).map((one) => \
                       one.outerHTML.slice(0, 80))";
            assert_eq!(browser.run(cut).await, serde_json::json!([]), "{path} cuts something off");
        }
        browser.end().await;
        daemon.end();
    }
}

#[tokio::test(flavor = "current_thread")]
async fn plan_is_found_and_approved_by_keyboard_alone() {
    let Some(browser) = Browser::start(400, "dark").await else { return };
    let daemon = Daemon::start("  tokens: {git: {url: REPO}, playbook: site.yml, approve: manual}\n", TOKENS);
    daemon.wait_for_state("tokens", "waiting").await;
    browser.open(&daemon.base).await;
    let mut passed = browser.tab_to("document.activeElement.matches('.waiting a.button')").await;
    assert_eq!(passed[0], "A Skip to content");
    browser.press(ENTER).await;
    browser.wait_for("location.pathname.startsWith('/runs/') && document.querySelector('#approval')").await;
    passed.extend(browser.tab_to("document.activeElement.matches('#approval > form input[type=password]')").await);
    browser.press(TOKEN).await;
    browser.press(TAB).await;
    assert_eq!(browser.run("return document.activeElement.innerText").await, "Approve and apply");
    browser.press(ENTER).await;
    browser.wait_for("document.querySelector('h1 .pill')?.innerText === 'applied'").await;
    daemon.wait_for_state("tokens", "ok").await;
    assert!(passed.iter().all(|one| !one.ends_with("UNSEEN")), "the focus is not seen: {passed:#?}");
    // The page replaces itself now and then: the focus stays, and no element keeps it for ever.
    browser.tab_to("document.activeElement.matches('#by-hand > summary')").await;
    browser.run("window.before = document.querySelector('main')").await;
    browser.wait_for("document.querySelector('main') !== window.before").await;
    assert_eq!(browser.run("return document.activeElement.innerText").await, "Repeat it by hand");
    browser.tab_to("document.activeElement === document.body").await;
    browser.end().await;
    daemon.end();
}

#[tokio::test(flavor = "current_thread")]
async fn plan_is_rejected_on_the_page_with_a_reason() {
    let Some(browser) = Browser::start(400, "light").await else { return };
    let daemon = Daemon::start("  tokens: {git: {url: REPO}, playbook: site.yml, approve: manual}\n", TOKENS);
    let waiting = daemon.wait_for_state("tokens", "waiting").await;
    let run = waiting["waiting"]["run"].as_str().unwrap();
    browser.open(&format!("{}/runs/{run}", daemon.base)).await;
    browser.click("#reject > summary").await;
    // Without a reason nothing is sent.
    browser.write("#reject input[type=password]", TOKEN).await;
    browser.click("#reject button").await;
    assert_eq!(browser.run("return document.querySelector('#reject input[name=reason]').validity.valid").await, false);
    browser.write("#reject input[name=reason]", "not before Monday").await;
    browser.click("#reject button").await;
    browser.wait_for("document.querySelector('h1 .pill')?.innerText === 'rejected'").await;
    browser.wait_for("document.querySelector('main').innerText.includes('not before Monday')").await;
    let document = daemon.get(&format!("/api/v1/runs/{run}")).await;
    assert_eq!((&document["outcome"], &document["decision"]["by"]), (&"rejected".into(), &"page".into()), "{document}");
    assert_eq!(browser.read_console().await, Vec::<String>::new());
    browser.end().await;
    daemon.end();
}

/// Parses what standard input has as OpenMetrics, and prints names of families with their types.
const PARSE_METRICS: &str = "import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
for family in parse(sys.stdin.read()):
    print(family.name, family.type, len(family.samples))
";

#[tokio::test(flavor = "current_thread")]
async fn metrics_are_openmetrics_to_the_parser_of_prometheus() {
    let Some(python) = find_python_with("prometheus_client") else { return };
    let jobs = format!(
        "{SEVERAL}  drifting: {{git: {{url: REPO}}, playbook: site.yml, hook: {{secret_file: HOOK}}, expiry: {{before: 1d}}}}\n"
    );
    let daemon = Daemon::start(&jobs, TOKENS);
    daemon.wait_for_state("tokens", "waiting").await;
    daemon.wait_for_state("missing", "failed").await;
    daemon.send_hook("drifting").await;
    daemon.wait_for_metric("ionplay_gitops_job_status{job=\"drifting\",status=\"ok\"} 1").await;
    let answer = daemon.client.get(format!("{}/metrics", daemon.base)).send().await.unwrap();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("application/openmetrics-text; version=1.0.0"), "{kind}");
    let text = answer.text().await.unwrap();
    let mut command = Command::new(python);
    command.args(["-c", PARSE_METRICS]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let (families, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{complaint}\n{text}");
    for line in [
        "ionplay_gitops_job_status gauge",
        "ionplay_gitops_runs counter",
        "ionplay_gitops_run_duration_seconds histogram",
    ] {
        assert!(families.lines().any(|family| family.starts_with(line)), "`{line}` is missing in\n{families}");
    }
    daemon.end();
}
