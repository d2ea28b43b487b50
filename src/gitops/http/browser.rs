//! The page in a real browser.

use std::path::Path;
use std::rc::Rc;

#[path = "../../../tests/gitops_web/webdriver.rs"]
mod webdriver;

use super::fake::FakeControl;
use super::{Access, ApiToken, Listener, serve_requests};
use webdriver::Browser;

/// Serves a core while a browser looks at it.
async fn serve_for_browser(width: u32, scheme: &str, test: impl AsyncFnOnce(&Browser, &str, &FakeControl)) {
    let Some(browser) = Browser::start(width, scheme).await else { return };
    let token = ApiToken::from_text("t0ken");
    let control = Rc::new(FakeControl::new(Access { token, file: "gitops.yml".to_owned(), ..Access::default() }));
    tokio::task::LocalSet::new()
        .run_until(async {
            let listener = Listener::bind("127.0.0.1:0").await.unwrap();
            let base = format!("http://{}", listener.address());
            let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
            let server =
                tokio::task::spawn_local(serve_requests(listener, Rc::clone(&control), async { drop(stopped.await) }));
            test(&browser, &base, &control).await;
            assert_eq!(browser.read_console().await, Vec::<String>::new());
            let requests = browser.read_requests().await;
            // A browser's own pages are not requests to us.
            let is_own = |url: &String| url.starts_with(&base) || url.starts_with("data:") || url.starts_with("chrome");
            assert!(requests.iter().all(is_own), "{requests:?}");
            browser.end().await;
            drop(stop);
            server.await.unwrap();
        })
        .await;
}

/// Keeps a picture where somebody wants to look at it.
async fn keep_picture(browser: &Browser, name: &str) {
    if let Some(folder) = std::env::var_os("IONPLAY_TEST_PAGES") {
        browser.take_picture(&Path::new(&folder).join(name)).await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn plan_is_approved_by_a_click_without_console_errors_or_foreign_requests() {
    serve_for_browser(1600, "light", async |browser, base, control| {
        browser.open(base).await;
        keep_picture(browser, "home-1600-light.png").await;
        browser.click(".waiting a.button").await;
        browser.wait_for("location.pathname === '/runs/r-waiting'").await;
        browser.write("#approval > form input[type=password]", "t0ken").await;
        keep_picture(browser, "run-1600-light.png").await;
        browser.click("#approval > form button.primary").await;
        browser.wait_for("location.pathname === '/runs/r-waiting' && document.readyState === 'complete'").await;
        while control.requests.borrow().is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(*control.requests.borrow(), ["approve r-waiting by page"]);
        // The token is remembered for the next form of this window.
        browser.wait_for("document.querySelector('#approval input[type=password]').value === 't0ken'").await;
    })
    .await;
}

#[tokio::test(flavor = "current_thread")]
async fn narrow_dark_page_needs_no_sideways_scrolling_and_updates_itself() {
    serve_for_browser(400, "dark", async |browser, base, control| {
        let fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
        for (path, name) in [("/", "home"), ("/runs/r-waiting", "run"), ("/jobs/tokens", "job")] {
            browser.open(&format!("{base}{path}")).await;
            browser.wait_for(fits).await;
            keep_picture(browser, &format!("{name}-400-dark.png")).await;
        }
        assert_eq!(browser.run("return getComputedStyle(document.body).backgroundColor").await, "rgb(16, 21, 28)");
        browser.open(&format!("{base}/runs/r-applied")).await;
        {
            let mut events = control.events.borrow_mut();
            events.lines.push_str(
                "{\"event\":\"host\",\"task\":\"A later one\",\"host\":\"h\",\"status\":\"ok\",\"result\":{}}\n",
            );
            events.next = events.lines.len() as u64;
        }
        browser.wait_for("document.body.innerText.includes('A later one')").await;
        // The first stop of the keyboard leads past the header.
        let first =
            "const link = document.querySelector('a'); return [link.className, link.getAttribute('href')].join(' ')";
        assert_eq!(browser.run(first).await, "skip #main");
    })
    .await;
}
