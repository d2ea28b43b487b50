//! A real editor: neovim without a screen.

use std::process::{Command, Stdio};

/// Opens a file, waits for the messages, completes, asks for a hover, and writes down what it got.
const SCRIPT: &str = r#"
local out = {}
local config = { name = 'ionplay', cmd = { vim.env.IONPLAY, 'lsp' }, root_dir = vim.fn.getcwd() }
if vim.lsp.start then
  vim.lsp.start(config)
else
  vim.lsp.buf_attach_client(0, vim.lsp.start_client(config))
end
vim.wait(20000, function() return #vim.diagnostic.get(0) > 0 end, 50)
for _, found in ipairs(vim.diagnostic.get(0)) do
  table.insert(out, 'diagnostic ' .. found.lnum .. ' ' .. found.message:gsub('\n.*', ''))
end
local place = { textDocument = vim.lsp.util.make_text_document_params(0), position = { line = 1, character = 5 } }
local answers = vim.lsp.buf_request_sync(0, 'textDocument/completion', place, 20000) or {}
for _, answer in pairs(answers) do
  for _, item in ipairs(answer.result.items or answer.result or {}) do
    if item.label == 'msg' then table.insert(out, 'completion msg') end
  end
end
place.position = { line = 0, character = 4 }
for _, answer in pairs(vim.lsp.buf_request_sync(0, 'textDocument/hover', place, 20000) or {}) do
  if answer.result then table.insert(out, 'hover ' .. answer.result.contents.value:match('[%w.]+')) end
end
vim.fn.writefile(out, 'out.txt')
vim.cmd('qa!')
"#;

#[test]
fn neovim_shows_messages_completes_and_hovers() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("site.yml", "- debug:\n    mgs: hello\n");
    write("check.lua", SCRIPT);
    let mut command = Command::new("nvim");
    command
        .args(["--headless", "--clean", "-n", "site.yml", "-c", "luafile check.lua", "-c", "qa!"])
        .current_dir(folder.path());
    command.env("IONPLAY", env!("CARGO_BIN_EXE_ionplay")).env("HOME", folder.path()).stdin(Stdio::null());
    let Ok(output) = command.output() else {
        eprintln!("skipped: `nvim` is not installed");
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    let out = std::fs::read_to_string(folder.path().join("out.txt")).unwrap_or_else(|_| panic!("{said}"));
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines.iter().any(|line| line.starts_with("diagnostic 1 ") && line.contains("mgs")), "{out}{said}");
    assert!(lines.contains(&"completion msg"), "{out}{said}");
    assert!(lines.contains(&"hover ansible.builtin.debug"), "{out}{said}");
}
