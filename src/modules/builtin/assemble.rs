//! `assemble`: a file put together from the files of a folder.

use std::path::Path;

use super::copy::place::{Parcel, Placing};
use super::copy::{not_found, open};
use super::files::attributes::Changes;
use super::files::write::Manner;
use super::files::{Attributes, COMMON, base_name, describe, digest, shown};
use crate::host::HostApi;
use crate::modules::spec::Param;
use crate::modules::{Args, Failure, Local, Module, Outcome, Spec, TaskContext};
use crate::template::python::regex::Pattern;
use crate::template::python::regex_syntax::Flags;
use crate::value::Value;

static SPEC: Spec =
    Spec::new("ansible.builtin.assemble", "Puts a file together from the files of a folder.").params(&[
        &[
            Param::path("src", "The folder with the parts, taken in the order of their names."),
            Param::path("dest", "The file."),
            Param::str("delimiter", "A line between parts."),
            Param::bool("backup", "Keep a copy of what is replaced.").default("false"),
            Param::bool("remote_src", "The folder is on the host.").default("true"),
            Param::str("regexp", "Only parts whose names match this."),
            Param::bool("ignore_hidden", "Leave out names that begin with a dot.").default("false"),
            Param::str("validate", "A command that has to accept the new file, with `%s` for its name."),
            Param::bool("decrypt", "Open vaulted parts.").default("true"),
        ],
        COMMON,
    ]);

/// The module.
pub struct Assemble;

impl Module for Assemble {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run<'a>(&'a self, args: &'a Args, context: &'a TaskContext<'a>) -> Local<'a, Result<Outcome, Failure>> {
        Box::pin(run(args, context))
    }
}

async fn run(args: &Args, context: &TaskContext<'_>) -> Result<Outcome, Failure> {
    let (Some(source), Some(dest)) = (args.str("src"), args.str("dest")) else {
        return Err(Failure::new("src and dest are required"));
    };
    if args.get("remote_src").and_then(Value::as_bool).unwrap_or(true) {
        return on_host(args, context.host, source, dest).await;
    }
    let folder = context.find_file("files", source).ok_or_else(|| not_found(context, "files", source))?;
    if !folder.is_dir() {
        return Err(Failure::new(format!("Source ({source}) is not a directory")));
    }
    let decrypt = args.get("decrypt").and_then(Value::as_bool).unwrap_or(true);
    let (mut secret, mut tainted) = (false, false);
    let content = Parts::of(args)?.collect(context.host, &folder, |path| {
        let opened = open(context, path, decrypt)?;
        secret |= opened.vaulted;
        tainted |= opened.tainted;
        Ok(opened.content)
    })?;
    let parcel = Parcel {
        content,
        secret,
        tainted,
        awaits: None,
        name: base_name(source.trim_end_matches('/')).to_owned(),
        source: Some(folder),
        source_bits: None,
    };
    let mut placed = Placing::of(args).place(context.host, &parcel).await?.unwrap_or_default();
    for diff in &mut placed.diff {
        diff.listed = false;
    }
    Ok(placed.with("dest", dest))
}

async fn on_host(args: &Args, host: &dyn HostApi, source: &str, dest: &str) -> Result<Outcome, Failure> {
    let (folder, path) = (Path::new(source), Path::new(dest));
    if !host.exists(folder) {
        return Err(Failure::new(format!("Source ({source}) does not exist")));
    }
    if !host.is_dir(folder) {
        return Err(Failure::new(format!("Source ({source}) is not a directory")));
    }
    let read = |part: &Path| host.read(part).map_err(|error| Failure::new(format!("{}: {error}", part.display())));
    let content = Parts::of(args)?.collect(host, folder, read)?;
    let mut outcome = Outcome::default()
        .with("src", source)
        .with("dest", dest)
        .with("checksum", digest::sha1(&content))
        .with("md5sum", digest::md5(&content));
    let old = host.is_file(path).then(|| host.read(path).ok()).flatten();
    if old.as_ref() != Some(&content) {
        let manner = Manner::of(args);
        if let Some(said) = manner.validate(host, &content, "").await? {
            if said.rc != 0 {
                return Err(Failure::new(format!("failed to validate: rc:{} error:{}", said.rc, said.stderr)));
            }
            let validation = [("rc", said.rc.into()), ("stdout", said.stdout.into()), ("stderr", said.stderr.into())];
            outcome.data.set("validation", Value::dict(validation));
        }
        if let Some(kept) = manner.keep(host, path)? {
            outcome.data.set("backup_file", kept.into());
        }
        outcome.diff.push(super::edit::content_diff(dest, old.as_deref().unwrap_or_default(), &content));
        host.write(path, &content, manner.writing())
            .map_err(|error| Failure::new(format!("cannot write {dest}: {error}")))?;
        outcome.changed = true;
    }
    outcome.changed |= Attributes::of(args).apply(host, path, &mut Changes::default())?;
    outcome.data.set("msg", "OK".into());
    describe(path, &mut outcome.data);
    Ok(outcome)
}

/// Which files of a folder are parts, and what stands between them.
struct Parts {
    pattern: Option<std::rc::Rc<Pattern>>,
    delimiter: Option<Vec<u8>>,
    ignore_hidden: bool,
}

impl Parts {
    fn of(args: &Args) -> Result<Self, Failure> {
        let pattern = args.str("regexp").map(|regexp| {
            Pattern::compile(regexp, Flags::default())
                .map_err(|fault| Failure::new(format!("Invalid Regexp ({fault}) in \"{regexp}\"")))
        });
        Ok(Self {
            pattern: pattern.transpose()?,
            delimiter: args.str("delimiter").filter(|text| !text.is_empty()).map(unescape),
            ignore_hidden: args.bool("ignore_hidden"),
        })
    }

    fn collect(
        &self,
        host: &dyn HostApi,
        folder: &Path,
        mut read: impl FnMut(&Path) -> Result<Vec<u8>, Failure>,
    ) -> Result<Vec<u8>, Failure> {
        let unread = |error| Failure::new(format!("cannot read the folder {}: {error}", shown(folder)));
        let mut all = Vec::new();
        let mut first = true;
        for name in host.list_folder(folder).map_err(unread)? {
            let path = folder.join(&name);
            let named = match &self.pattern {
                Some(pattern) => pattern.search(&name, 0)?.is_some(),
                None => true,
            };
            if !named || !host.is_file(&path) || self.ignore_hidden && name.starts_with('.') {
                continue;
            }
            let part = read(&path)?;
            if !first {
                end_line(&mut all);
                if let Some(delimiter) = &self.delimiter {
                    all.extend(delimiter);
                    end_line(&mut all);
                }
            }
            first = false;
            all.extend(part);
        }
        Ok(all)
    }
}

/// Ends the last line unless it has ended.
fn end_line(content: &mut Vec<u8>) {
    if content.last() != Some(&b'\n') {
        content.push(b'\n');
    }
}

/// A text with the escapes of Python's byte strings resolved.
fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut chars = text.chars();
    let mut buffer = [0; 4];
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.extend(c.encode_utf8(&mut buffer).as_bytes());
            continue;
        }
        match chars.next() {
            Some('n') => out.push(b'\n'),
            Some('r') => out.push(b'\r'),
            Some('t') => out.push(b'\t'),
            Some('0') => out.push(0),
            Some(quoted @ ('\\' | '\'' | '"')) => out.extend(quoted.encode_utf8(&mut buffer).as_bytes()),
            Some('x') => {
                let digits: String = chars.clone().take(2).collect();
                match u8::from_str_radix(&digits, 16) {
                    Ok(byte) if digits.len() == 2 => {
                        out.push(byte);
                        chars.nth(1);
                    }
                    _ => out.extend(b"\\x"),
                }
            }
            Some(other) => {
                out.push(b'\\');
                out.extend(other.encode_utf8(&mut buffer).as_bytes());
            }
            None => out.push(b'\\'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::builtin::files::testing::Folder;
    use crate::value::Dict;

    async fn run(folder: &Folder, host: &dyn HostApi, options: &[(&str, &str)]) -> Outcome {
        let path = |name: &str| shown(&folder.path().join(name));
        let values: Dict = options.iter().map(|(name, text)| (Value::text(*name), (*text).into())).collect();
        on_host(&Args::new(values), host, &path("parts"), &path("out")).await.unwrap()
    }

    fn parts() -> Folder {
        let folder = Folder::new();
        for (name, content) in [("02.txt", "two"), ("01.txt", "one\n"), ("03.cfg", "three\n")] {
            folder.write(&format!("parts/{name}"), content);
        }
        folder
    }

    #[tokio::test(flavor = "current_thread")]
    async fn parts_come_in_order() {
        let folder = parts();
        assert!(run(&folder, folder.host(), &[]).await.changed);
        assert_eq!(folder.read("out"), "one\ntwo\nthree\n");
        let again = run(&folder, folder.host(), &[]).await;
        assert_eq!((again.changed, again.data.get("msg")), (false, Some(&"OK".into())));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn parts_are_chosen_and_kept_apart() {
        let folder = parts();
        run(&folder, folder.host(), &[("regexp", r"\.txt$"), ("delimiter", r"--\t-")]).await;
        assert_eq!(folder.read("out"), "one\n--\t-\ntwo");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_dry_run_writes_nothing() {
        let folder = parts();
        assert!(run(&folder, folder.dry(), &[]).await.changed);
        assert!(!folder.path().join("out").exists());
    }

    #[test]
    fn delimiters_have_escapes() {
        assert_eq!(unescape(r"a\nb\x41\q\\"), b"a\nbA\\q\\");
    }
}
