//! A real browser, driven over the WebDriver protocol: Chromium without a window.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use reqwest::Client;
use serde_json::{Value as Json, json};

/// A browser.
pub struct Browser {
    driver: Child,
    client: Client,
    session: String,
    _profile: tempfile::TempDir,
}

/// Returns the path of a program, or prints that the test is skipped.
fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        eprintln!("SKIPPED: `{name}` is not installed");
    }
    found
}

impl Browser {
    /// Starts a browser of this width; none where Chromium or its driver is missing.
    pub async fn start(width: u32, scheme: &str) -> Option<Self> {
        // A client wants a provider of cryptography, even for plain connections.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (chromium, driver) = (find_program("chromium")?, find_program("chromedriver")?);
        let mut driver =
            Command::new(driver).arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| {
            let line = line.unwrap();
            Some(line.split_once("started successfully on port ")?.1.trim_end_matches('.').to_owned())
        });
        let port = port.expect("the driver names its port");
        // The driver must not stop at a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let client = Client::builder().no_proxy().build().unwrap();
        let profile = tempfile::tempdir().unwrap();
        let arguments = [
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--hide-scrollbars".to_owned(),
            // The browser's own connections: they are none of the page's.
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--disable-quic".to_owned(),
            "--no-first-run".to_owned(),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": chromium, "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }}});
        let base = format!("http://127.0.0.1:{port}/session");
        let answer = client.post(&base).json(&capabilities).send().await.unwrap().json::<Json>().await.unwrap();
        let id = answer["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("{answer}"));
        let browser = Self { session: format!("{base}/{id}"), driver, client, _profile: profile };
        let size = json!({"width": width, "height": 1100, "deviceScaleFactor": 1, "mobile": false});
        browser.command("Emulation.setDeviceMetricsOverride", size).await;
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        browser.command("Emulation.setEmulatedMedia", media).await;
        Some(browser)
    }

    /// Sends a command of the DevTools protocol.
    async fn command(&self, name: &str, parameters: Json) {
        self.post("goog/cdp/execute", json!({"cmd": name, "params": parameters})).await;
    }

    /// Sends a request to the driver; returns the value of its answer, or the error that it names.
    async fn try_post(&self, path: &str, body: &Json) -> Result<Json, String> {
        let answer = self.client.post(format!("{}/{path}", self.session)).json(body).send().await.unwrap();
        let answer = answer.json::<Json>().await.unwrap();
        let value = &answer["value"];
        if value["error"].is_null() { Ok(value.clone()) } else { Err(format!("{path} {body}: {value}")) }
    }

    /// Sends a request to the driver that has to succeed; returns the value of its answer.
    pub(super) async fn post(&self, path: &str, body: Json) -> Json {
        self.try_post(path, &body).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Does something to an element, again where the page is replaced in between, as it is when it follows a run.
    async fn act_on(&self, selector: &str, action: &str, body: &Json) {
        let mut last = String::new();
        for _ in 0..300 {
            match self.try_act_on(selector, action, body).await {
                Ok(()) => return,
                Err(error) => last = error,
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("{last}");
    }

    async fn try_act_on(&self, selector: &str, action: &str, body: &Json) -> Result<(), String> {
        let element = self.try_post("element", &json!({"using": "css selector", "value": selector})).await?;
        let element = element.as_object().unwrap().values().next().unwrap().as_str().unwrap();
        self.try_post(&format!("element/{element}/{action}"), body).await.map(drop)
    }

    /// Opens a page.
    pub async fn open(&self, url: &str) {
        self.post("url", json!({"url": url})).await;
    }

    /// Runs a script; returns what it returns.
    pub async fn run(&self, script: &str) -> Json {
        self.post("execute/sync", json!({"script": script, "args": []})).await
    }

    /// Clicks on an element.
    pub async fn click(&self, selector: &str) {
        self.act_on(selector, "click", &json!({})).await;
    }

    /// Types into an element.
    pub async fn write(&self, selector: &str, text: &str) {
        self.act_on(selector, "value", &json!({"text": text})).await;
    }

    /// Waits until a script returns true.
    pub async fn wait_for(&self, condition: &str) {
        let script = json!({"script": format!("return Boolean({condition})"), "args": []});
        for _ in 0..600 {
            // A script that runs while the browser changes pages is aborted with an error.
            if self.try_post("execute/sync", &script).await == Ok(json!(true)) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        let text = self.run("return document.body.innerText").await;
        panic!("`{condition}` did not become true; the page has\n{text}");
    }

    /// Returns what the browser has written to its console.
    pub async fn read_console(&self) -> Vec<String> {
        let entries = self.post("se/log", json!({"type": "browser"})).await;
        // What the browser recommends is no error.
        let entries = entries.as_array().unwrap().iter().filter(|entry| entry["level"] != "DEBUG");
        entries.map(|entry| entry["message"].to_string()).collect()
    }

    /// Returns the addresses that the browser has asked for.
    pub async fn read_requests(&self) -> Vec<String> {
        let entries = self.post("se/log", json!({"type": "performance"})).await;
        let messages = entries.as_array().unwrap().iter().filter_map(|entry| {
            let message: Json = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let message = &message["message"];
            (message["method"] == "Network.requestWillBeSent")
                .then(|| message["params"]["request"]["url"].as_str().map(str::to_owned))?
        });
        messages.collect()
    }

    /// Writes a picture of the page.
    #[allow(dead_code, reason = "one of the two that share this file uses it")]
    pub async fn take_picture(&self, path: &Path) {
        let answer = self.client.get(format!("{}/screenshot", self.session)).send().await.unwrap();
        let answer = answer.json::<Json>().await.unwrap();
        let bytes = base64::engine::general_purpose::STANDARD.decode(answer["value"].as_str().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Ends the browser.
    pub async fn end(mut self) {
        let _ = self.client.delete(&self.session).send().await;
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
