//! `assemble`: a file put together from the files of a folder.

use std::path::Path;

use super::copy::place::{Parcel, Placing};
use super::copy::{not_found, open_file};
use super::files::attributes::AttributeChanges;
use super::files::write::FileWriteArgs;
use super::files::{Attributes, COMMON, base_name, describe_path, digest, display_path};
use crate::host::HostApi;
use crate::modules::spec::Param;
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::template::python::regex::Pattern;
use crate::template::python::regex_syntax::RegexFlags;
use crate::value::Value;

static SPEC: Spec = Spec::new("ansible.builtin.assemble", "Assembles a file from the files of a folder.")
    .examples(include_str!("examples/assemble.yml"))
    .bound_to_run()
    .params(&[
        &[
            Param::path("src", "Folder with the parts, which are used in the order of their names."),
            Param::path("dest", "Path of the file."),
            Param::str("delimiter", "Line between parts."),
            Param::bool("backup", "Keep a backup of the replaced file.").default("false"),
            Param::bool("remote_src", "Whether the folder is on the host.").default("true"),
            Param::str("regexp", "Use only parts whose names match this regular expression."),
            Param::bool("ignore_hidden", "Ignore hidden files.").default("false"),
            Param::str("validate", "Command that validates the new file; `%s` is its name."),
            Param::bool("decrypt", "Decrypt vaulted parts.").default("true"),
        ],
        COMMON,
    ])
    .needs(&[&["src"], &["dest"]]);

/// The module.
pub struct Assemble;

impl TaskModule for Assemble {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(run_assemble(args, context))
    }
}

async fn run_assemble(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<ModuleOutcome, Failure> {
    let (Some(source), Some(dest)) = (args.str("src"), args.str("dest")) else {
        return Err(Failure::new("src and dest are required"));
    };
    if args.get("remote_src").and_then(Value::as_bool).unwrap_or(true) {
        return on_host(args, context.host, source, dest).await;
    }
    let folder = context.find_file("files", source).ok_or_else(|| not_found(context, "files", source))?;
    if !context.host.is_dir(&folder) {
        return Err(Failure::new(format!("Source ({source}) is not a directory")));
    }
    let decrypt = args.get("decrypt").and_then(Value::as_bool).unwrap_or(true);
    let (mut secret, mut tainted) = (false, false);
    let content = Parts::from_args(args)?.collect_parts(context.host, &folder, |path| {
        let opened = open_file(context, path, decrypt)?;
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
    let mut placed = Placing::from_args(args).place_parcel(context.host, &parcel).await?.unwrap_or_default();
    for diff in &mut placed.diff {
        diff.listed = false;
    }
    Ok(placed.with("dest", dest))
}

async fn on_host(args: &ModuleArgs, host: &dyn HostApi, source: &str, dest: &str) -> Result<ModuleOutcome, Failure> {
    let (folder, path) = (Path::new(source), Path::new(dest));
    if !host.exists(folder) {
        return Err(Failure::new(format!("Source ({source}) does not exist")));
    }
    if !host.is_dir(folder) {
        return Err(Failure::new(format!("Source ({source}) is not a directory")));
    }
    let read = |part: &Path| host.read(part).map_err(|error| Failure::new(format!("{}: {error}", part.display())));
    let content = Parts::from_args(args)?.collect_parts(host, folder, read)?;
    let mut outcome = ModuleOutcome::default()
        .with("src", source)
        .with("dest", dest)
        .with("checksum", digest::sha1_hex(&content))
        .with("md5sum", digest::md5_hex(&content));
    let old = host.is_file(path).then(|| host.read(path).ok()).flatten();
    if old.as_ref() != Some(&content) {
        let manner = FileWriteArgs::from_args(args);
        if let Some(said) = manner.validate_content(host, &content, "").await? {
            if said.rc != 0 {
                return Err(Failure::new(format!("failed to validate: rc:{} error:{}", said.rc, said.stderr)));
            }
            let validation = [("rc", said.rc.into()), ("stdout", said.stdout.into()), ("stderr", said.stderr.into())];
            outcome.data.set("validation", Value::dict(validation));
        }
        if let Some(kept) = manner.back_up_file(host, path)? {
            outcome.data.set("backup_file", kept.into());
        }
        outcome.diff.push(super::edit::content_diff(dest, old.as_deref().unwrap_or_default(), &content));
        host.write(path, &content, manner.write_options())
            .map_err(|error| Failure::new(format!("cannot write {dest}: {error}")))?;
        outcome.changed = true;
    }
    outcome.changed |= Attributes::from_args(args).apply_to_path(host, path, &mut AttributeChanges::default())?;
    outcome.data.set("msg", "OK".into());
    describe_path(path, &mut outcome.data);
    Ok(outcome)
}

/// Which files of a folder are parts, and what stands between them.
struct Parts {
    pattern: Option<std::rc::Rc<Pattern>>,
    delimiter: Option<Vec<u8>>,
    ignore_hidden: bool,
}

impl Parts {
    fn from_args(args: &ModuleArgs) -> Result<Self, Failure> {
        let pattern = args.str("regexp").map(|regexp| {
            Pattern::compile(regexp, RegexFlags::default())
                .map_err(|fault| Failure::new(format!("Invalid Regexp ({fault}) in \"{regexp}\"")))
        });
        Ok(Self {
            pattern: pattern.transpose()?,
            delimiter: args.str("delimiter").filter(|text| !text.is_empty()).map(unescape_text),
            ignore_hidden: args.bool("ignore_hidden"),
        })
    }

    fn collect_parts(
        &self,
        host: &dyn HostApi,
        folder: &Path,
        mut read: impl FnMut(&Path) -> Result<Vec<u8>, Failure>,
    ) -> Result<Vec<u8>, Failure> {
        let unread = |error| Failure::new(format!("cannot read the folder {}: {error}", display_path(folder)));
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
fn unescape_text(text: &str) -> Vec<u8> {
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

    async fn run(folder: &Folder, host: &dyn HostApi, options: &[(&str, &str)]) -> ModuleOutcome {
        let path = |name: &str| display_path(&folder.path().join(name));
        let values: Dict = options.iter().map(|(name, text)| (Value::text(*name), (*text).into())).collect();
        on_host(&ModuleArgs::new(values), host, &path("parts"), &path("out")).await.unwrap()
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
        assert_eq!(unescape_text(r"a\nb\x41\q\\"), b"a\nbA\\q\\");
    }
}
