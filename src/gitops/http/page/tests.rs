use std::rc::Rc;

use http_body_util::BodyExt;

use super::*;
use crate::gitops::http::control::ApiToken;
use crate::gitops::http::fake::FakeControl;
use crate::gitops::view::{GitopsStatus, JobState};

/// Largest page.
const LIMIT: usize = 40_000;

async fn render(control: &FakeControl, route: Route, query: Option<&str>, trust: Trust) -> (StatusCode, String) {
    let reply = answer_page(control, &route, query, trust).await;
    let status = reply.status();
    let Ok(body) = reply.into_body().collect().await;
    (status, String::from_utf8(body.to_bytes().to_vec()).unwrap())
}

fn with_token() -> FakeControl {
    let token = ApiToken::from_text("t0ken");
    let (file, state_dir) = ("gitops.yml".to_owned(), "/var/lib/ionplay".to_owned());
    FakeControl::new(Access { token, file, state_dir, ..Access::default() })
}

fn run_page(run: &str) -> Route {
    Route::RunPage(run.to_owned())
}

#[tokio::test(flavor = "current_thread")]
async fn job_list_shows_every_state_in_words() {
    let (status, html) = render(&with_token(), Route::Home, None, Trust::Tcp).await;
    assert_eq!(status, StatusCode::OK);
    for state in JobState::ALL {
        assert!(html.contains(&format!("<span class=\"pill s-{state}\">{state}</span>")), "{state}");
    }
    assert!(html.contains("<a href=\"/jobs/fine%20%26%20dandy\">fine &amp; dandy</a>"));
    assert!(html.contains("<a class=\"button\" href=\"/runs/r-waiting\">Review plan</a>"));
    assert!(html.contains("<title>1 failed, 1 refused, 2 waiting, 1 drift · ionplay gitops</title>"));
    let (_, html) = render(&with_token(), Route::Home, Some("state=failed"), Trust::Tcp).await;
    assert!(html.contains("job-failed") && !html.contains("job-refused"));
}

#[tokio::test(flavor = "current_thread")]
async fn run_page_shows_plan_steps_events_and_commands() {
    let (_, html) = render(&with_token(), run_page("r-waiting"), None, Trust::Tcp).await;
    for part in [
        "<b>ci &lt;script&gt;</b>",
        "<b>status</b> <del>disabled</del> → <ins>enabled</ins>",
        "<em>forces replacement</em>",
        "waits for `token.password`",
        "<li class=\"wait\" aria-current=\"step\"><b>decide</b>",
        "Token &lt;ci&gt;",
        "no space left on device",
        "ionplay plan site.yml -e &#39;stage=a b&#39;",
        "<input type=\"hidden\" name=\"digest\" value=\"d1\">",
        "Approve and apply",
        "API token",
    ] {
        assert!(html.contains(part), "{part} is missing in\n{html}");
    }
    assert!(!html.contains("<script>alert") && !html.contains("ci <script>"));
    let (_, html) = render(&with_token(), run_page("r-failed"), None, Trust::Tcp).await;
    assert!(html.contains("IONPLAY_STATE_DIR=/var/lib/ionplay ionplay token show ci"));
    assert!(!html.contains("Approve and apply"));
}

#[tokio::test(flavor = "current_thread")]
async fn page_without_permission_shows_the_commands() {
    let control = FakeControl::new(Access { file: "my gitops.yml".to_owned(), ..Access::default() });
    let (_, html) = render(&control, run_page("r-waiting"), None, Trust::Tcp).await;
    assert!(!html.contains("<form"));
    assert!(html.contains("ionplay gitops approve &#39;my gitops.yml&#39; r-waiting"), "{html}");
    let (_, html) = render(&control, run_page("r-waiting"), None, Trust::Socket).await;
    assert!(html.contains("<form") && !html.contains("API token"));
}

#[tokio::test(flavor = "current_thread")]
async fn unknown_jobs_and_runs_have_a_page() {
    for route in [run_page("nope"), Route::JobPage("nope".to_owned())] {
        let (status, html) = render(&with_token(), route, None, Trust::Tcp).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(html.contains("nope"));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn pages_stay_below_forty_kilobytes_and_ask_nothing_of_others() {
    let control = with_token();
    let line = format!(
        "{{\"event\":\"host\",\"task\":\"{}\",\"host\":\"h\",\"status\":\"failed\",\"result\":{{\"msg\":\"{}\"}}}}\n",
        "t".repeat(50),
        "<".repeat(400)
    );
    {
        let mut events = control.events.borrow_mut();
        events.lines = line.repeat(500);
        events.next = events.lines.len() as u64;
    }
    for route in [Route::Home, Route::JobPage("tokens".to_owned()), run_page("r-waiting"), run_page("r-failed")] {
        let (_, html) = render(&control, route.clone(), None, Trust::Tcp).await;
        assert!(html.len() < LIMIT, "{route:?}: {} bytes", html.len());
        for outside in ["src=\"http", "href=\"http", "href=\"//", "url(", "@import"] {
            assert!(!html.contains(outside), "{route:?} has {outside}");
        }
        if let Some(folder) = std::env::var_os("IONPLAY_TEST_PAGES") {
            let name = format!("{route:?}.html").replace(['(', ')', '"'], "");
            std::fs::write(std::path::Path::new(&folder).join(name), html).unwrap();
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn thousand_jobs_are_shown_in_pages() {
    let job = with_token().read_status().await.unwrap().jobs[3].clone();
    let jobs =
        (0..1000).map(|number| crate::gitops::view::JobStatus { job: format!("job-number-{number}"), ..job.clone() });
    let status = GitopsStatus { version: 1, host: "h".to_owned(), jobs: jobs.collect() };
    let access = Access::default();
    let view = View { now: Timestamp::now(), access: &access, trust: Trust::Tcp };
    let page = home::render_home(&status, None, 2, &view);
    assert!(page.main.contains("job-number-30<") && !page.main.contains("job-number-29<"), "{}", page.main);
    assert!(page.main.contains("Page 2 of 34"));
    let length = render_frame(&page, view.now).len();
    assert!(length < LIMIT, "{length} bytes");
    assert!(home::render_home(&status, None, 999, &view).main.contains("Page 34 of 34"));
}

#[tokio::test(flavor = "current_thread")]
async fn policy_allows_the_own_style_and_script_only() {
    let reply = answer_page(&*Rc::new(with_token()), &Route::Home, None, Trust::Tcp).await;
    let policy = reply.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
}
