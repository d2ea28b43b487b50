//! The keyboard of a browser.

use serde_json::{Value as Json, json};

use super::webdriver::Browser;

/// Keys, as the protocol names them.
pub const TAB: &str = "\u{e004}";
/// See [`TAB`].
pub const ENTER: &str = "\u{e007}";

impl Browser {
    /// Presses keys, one after the other, wherever the focus is.
    pub async fn press(&self, keys: &str) {
        let strokes: Vec<Json> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key.to_string()})))
            .collect();
        self.post("actions", json!({"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]})).await;
    }

    /// Presses Tab until a script returns true, and returns what had the focus on the way, first to last.
    pub async fn tab_to(&self, condition: &str) -> Vec<String> {
        let mut passed = Vec::new();
        for _ in 0..60 {
            self.press(TAB).await;
            let look = "const a = document.activeElement, s = getComputedStyle(a);
                return a.tagName + ' ' + (a.innerText || a.name || '').trim() + (s.outlineStyle === 'none' ? ' UNSEEN' : '')";
            passed.push(self.run(look).await.as_str().unwrap_or_default().to_owned());
            if self.run(&format!("return Boolean({condition})")).await == json!(true) {
                return passed;
            }
        }
        panic!("`{condition}` did not become true: {passed:#?}");
    }
}
