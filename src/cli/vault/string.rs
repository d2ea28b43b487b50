//! Values for YAML files: `name: !vault |` with the envelope under it.

use anyhow::bail;
use clap::Args;
use zeroize::Zeroizing;

use super::{SealArgs, files};
use crate::vars::vault::{ask_hidden, encrypt_text};

/// Arguments of `vault encrypt_string`.
#[derive(Debug, Args)]
pub struct StringArgs {
    #[command(flatten)]
    seal: SealArgs,
    /// Write the result to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<String>,
    /// Ask for the value.
    #[arg(short, long)]
    prompt: bool,
    /// Show the value while you type it.
    #[arg(long)]
    show_input: bool,
    /// Name of the variable; once for each value.
    #[arg(short, long = "name", value_name = "NAME")]
    names: Vec<String>,
    /// Name of the variable with the value from standard input.
    #[arg(long, value_name = "NAME")]
    stdin_name: Option<String>,
    /// The values; `-` reads one from standard input.
    values: Vec<String>,
}

/// Encrypts the values and prints them as YAML.
pub fn encrypt_strings(args: &StringArgs) -> anyhow::Result<()> {
    let (id, secret) = args.seal.read_seal_secret()?;
    let mut values: Vec<(Option<&str>, Zeroizing<Vec<u8>>)> = Vec::new();
    if args.prompt {
        let question = if args.show_input { "Value to encrypt: " } else { "Value to encrypt (not shown): " };
        let typed =
            if args.show_input { ask_shown(question)? } else { Zeroizing::new(ask_hidden(question)?.bytes().to_vec()) };
        values.push((args.names.first().map(String::as_str), typed));
    }
    let stdin = args.values.is_empty() && !args.prompt;
    if stdin || args.stdin_name.is_some() || args.values.iter().any(|value| value == "-") {
        values.push((args.stdin_name.as_deref(), files::read("-")?));
    }
    let named = args.values.iter().filter(|value| *value != "-").enumerate();
    for (index, value) in named {
        let name = args.names.get(index + usize::from(args.prompt)).map(String::as_str);
        values.push((name, Zeroizing::new(value.as_bytes().to_vec())));
    }
    let mut out = String::new();
    for (name, plain) in &values {
        if plain.is_empty() {
            bail!("there is nothing to encrypt");
        }
        out.push_str(&to_yaml(*name, &encrypt_text(plain, secret.bytes(), Some(&id), None)));
    }
    files::write(args.output.as_deref().unwrap_or("-"), out.as_bytes())?;
    files::report_done("encryption successful")
}

fn ask_shown(question: &str) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    use std::io::Write as _;
    write!(std::io::stderr(), "{question}")?;
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().read_line(&mut line)?;
    Ok(Zeroizing::new(line.trim_end_matches(['\n', '\r']).as_bytes().to_vec()))
}

fn to_yaml(name: Option<&str>, envelope: &str) -> String {
    let head = name.map(|name| format!("{name}: ")).unwrap_or_default();
    let body: String = envelope.lines().map(|line| format!("          {line}\n")).collect();
    format!("{head}!vault |\n{body}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_yaml() {
        assert_eq!(to_yaml(Some("x"), "a\nb\n"), "x: !vault |\n          a\n          b\n");
        assert_eq!(to_yaml(None, "a\n"), "!vault |\n          a\n");
    }
}
