//! Beginning, end, and what is not understood.

use serde_json::{Value as Json, json};

use super::client::Client;

#[test]
fn conversation_ends_well_after_shutdown_and_exit() {
    let client = Client::start(&[], &[]);
    assert_eq!(client.shut_down().code(), Some(0));
}

#[test]
fn exit_without_shutdown_is_a_failure() {
    let mut client = Client::start(&[], &[]);
    client.notify("exit", Json::Null);
    assert_eq!(client.wait().code(), Some(1));
    let client = Client::start(&[], &[]);
    assert_eq!(client.wait().code(), Some(1), "the client has gone");
}

#[test]
fn requests_that_are_not_understood_get_an_error_and_the_server_goes_on() {
    let mut client = Client::start(&[("a.yml", "- debug: {msg: hi}\n")], &[]);
    assert_eq!(client.ask("textDocument/moniker", json!({}))["error"]["code"], -32601);
    assert_eq!(client.ask("textDocument/hover", json!({"textDocument": 7}))["error"]["code"], -32602);
    client.notify("textDocument/didChange", json!({"nonsense": true}));
    client.notify("$/whatever", json!({}));
    let place = client.at("a.yml", "- deb", 0);
    assert_eq!(client.request("textDocument/hover", place), Json::Null, "the text is not open");
    client.request("shutdown", Json::Null);
    assert_eq!(client.ask("textDocument/hover", json!({}))["error"]["code"], -32600);
    client.notify("exit", Json::Null);
    assert_eq!(client.wait().code(), Some(0));
}

#[test]
fn columns_are_in_the_unit_that_was_agreed_on() {
    let text = "- debug:\n    msg: \"😀é {{ x | uper }}\"\n";
    for (encodings, name, column) in [(&[][..], "utf-16", 21), (&["utf-8", "utf-16"][..], "utf-8", 24)] {
        let mut client = Client::start(&[("a.yml", text)], encodings);
        assert_eq!(client.capabilities["positionEncoding"], name);
        let found = client.open("a.yml");
        let message = found.iter().find(|message| message["message"].as_str().unwrap().contains("`uper`")).unwrap();
        let range = &message["range"];
        assert_eq!(range["start"]["line"], 1, "{message}");
        let (start, end) = (range["start"]["character"].as_u64().unwrap(), range["end"]["character"].as_u64().unwrap());
        assert!(start <= column && column < end.max(start + 1), "{name}: {message}");
        // Changes come in the same unit: the word is mended at its place.
        let line = text.lines().nth(1).unwrap();
        let before = &line[..line.find("uper").unwrap()];
        let units = if name == "utf-8" { before.len() } else { before.encode_utf16().count() };
        let change = json!({
            "range": {"start": {"line": 1, "character": units}, "end": {"line": 1, "character": units + 4}},
            "text": "upper",
        });
        let document = json!({"uri": client.uri("a.yml"), "version": 2});
        client.notify("textDocument/didChange", json!({"textDocument": document, "contentChanges": [change]}));
        let found = client.diagnostics("a.yml", 2);
        assert!(found.is_empty(), "{found:?}");
    }
}

#[test]
fn broken_texts_never_end_the_server() {
    let mut client = Client::start(&[], &[]);
    let texts = [
        "",
        "-",
        "- {",
        "- debug: {msg: \"{{ a | \n",
        "\t- x:\n",
        "a: [1, {b: 'c\n",
        "- hosts: all\n  tasks:\n  - \n",
        "é: \"{% 😀\n",
        "- when: \"'\n",
        "- hosts: [\n- roles:\n  - {role: ü",
        "--- |\n  x\n...\n--- >",
        "- a: !vault |\n",
        "&a *a",
        "? x\n: y\n",
        "- hosts: all\r\n  tasks:\r\n  - debug: msg={{ x\r\n",
    ];
    client.open_text("b.yml", "");
    for (index, text) in texts.iter().enumerate() {
        let version = i64::try_from(index).unwrap() + 2;
        client.replace("b.yml", version, text);
        let document = json!({"uri": client.uri("b.yml")});
        for (line, column) in [(0, 0), (0, 4), (1, 3), (2, 5), (9, 9)] {
            let place = json!({"textDocument": document, "position": {"line": line, "character": column}});
            for method in ["completion", "hover", "signatureHelp", "definition", "prepareRename"] {
                client.request(&format!("textDocument/{method}"), place.clone());
            }
        }
        client.request("textDocument/documentSymbol", json!({"textDocument": document}));
        client.request("textDocument/foldingRange", json!({"textDocument": document}));
        let whole = json!({"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}});
        client.request("textDocument/inlayHint", json!({"textDocument": document, "range": whole}));
        client.request(
            "textDocument/codeAction",
            json!({"textDocument": document, "range": whole, "context": {"diagnostics": []}}),
        );
    }
    assert_eq!(client.shut_down().code(), Some(0));
}
