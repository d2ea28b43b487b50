//! Hooks, API and page of a real daemon.

use super::daemon::{Daemon, TOKEN};
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
