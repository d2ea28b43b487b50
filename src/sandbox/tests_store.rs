//! What is kept in a file, and what a server begins with.

use serde_json::{Value as Json, json};

use super::tests::*;
use super::*;

/// A folder that is gone when the test is.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("sandbox-test-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_store_outlives_its_server() {
    let folder = Folder::new();
    let file = folder.0.join("store.json");
    let options = || SandboxOptions { store: Some(file.clone()), ..one_registry() };
    let server = start_server(options()).unwrap();
    assert!(matches!(start_server(options()), Err(SandboxError::Store(persist::StoreFileError::Locked { .. }))));
    let answer = ask(&server, "POST", &tokens(""), Some(created("kept")));
    let password = answer.body["properties"]["credentials"]["password"].as_str().unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("kept") && !text.contains(password), "the password is not for the disk");
    drop(server);
    // A server that was killed in the middle of a save leaves its draft behind.
    std::fs::write(folder.0.join("store.json.new"), "{\"format\": 1, \"sto").unwrap();
    let server = start_server(options()).unwrap();
    assert_eq!(
        get(&server, &tokens(&format!("/{}", answer.body["id"].as_str().unwrap())))["properties"]["name"],
        "kept"
    );
    assert_eq!(ask(&server, "DELETE", &tokens(&format!("/{TOK}")), None).status, 204);
    drop(server);
    assert_eq!(start_server(options()).unwrap().read_store().registries[0].tokens.len(), 1);
}

#[test]
fn a_damaged_store_is_left_alone() {
    let folder = Folder::new();
    let file = folder.0.join("store.json");
    for (text, expected) in [
        ("{\"format\": 1, \"sto", "is not a sandbox store"),
        ("{\"format\": 9, \"store\": {}}", "has store format 9"),
        ("", "is not a sandbox store"),
    ] {
        std::fs::write(&file, text).unwrap();
        let error = start_server(SandboxOptions { store: Some(file.clone()), ..SandboxOptions::default() })
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }
}

#[test]
fn what_cannot_be_saved_has_not_happened() {
    let folder = Folder::new();
    let server = start_server(SandboxOptions { store: Some(folder.0.join("store.json")), ..one_registry() }).unwrap();
    std::fs::remove_dir_all(&folder.0).unwrap();
    assert_eq!(ask(&server, "POST", &tokens(""), Some(created("lost"))).status, 500);
    assert_eq!(server.read_store().registries[0].tokens.len(), 1);
}

#[test]
fn only_loopback() {
    let error = start_server(SandboxOptions { listen: "0.0.0.0:0".parse().unwrap(), ..SandboxOptions::default() })
        .err()
        .unwrap();
    assert!(matches!(error, SandboxError::NotLoopback(_)), "{error}");
}

#[test]
fn seeds_may_be_yaml() {
    let seed = Seed::parse_seed("registries:\n- name: reg-a\n  state: null\n  features: null\n  tokens:\n  - {name: t1, expiryDate: 2031-01-02T03:04:05Z}\n").unwrap();
    let server = start_server(SandboxOptions { seed, ..SandboxOptions::default() }).unwrap();
    let registry = &get(&server, "/registries")["items"][0];
    assert_eq!((&registry["metadata"]["state"], &registry["properties"]["features"]), (&json!("New"), &Json::Null));
    assert!(Seed::parse_seed("registries: [{nome: x}]").is_err());
}
