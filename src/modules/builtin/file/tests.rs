use super::*;
use crate::modules::builtin::files::testing::Folder;

fn request(folder: &Folder, name: &str, options: &[(&str, Value)]) -> FileRequest {
    let mut values = Dict::new();
    values.set("path", display_path(&folder.path().join(name)).into());
    for (name, value) in options {
        values.set(*name, value.clone());
    }
    FileRequest::from_args(&ModuleArgs::new(values)).unwrap()
}

fn run(folder: &Folder, name: &str, options: &[(&str, Value)]) -> ModuleOutcome {
    request(folder, name, options).apply_state(folder.host(), &mut |_| {}).unwrap()
}

fn failure(folder: &Folder, name: &str, options: &[(&str, Value)]) -> String {
    let root = format!("{}/", display_path(folder.path()));
    request(folder, name, options).apply_state(folder.host(), &mut |_| {}).unwrap_err().message.replace(&root, "")
}

fn state(name: &str) -> (&'static str, Value) {
    ("state", name.into())
}

#[test]
fn folders_come_and_go() {
    let folder = Folder::new();
    let made = run(&folder, "a/b", &[state("directory"), ("mode", "0700".into())]);
    assert!(made.changed);
    assert_eq!(made.data.get("mode"), Some(&"0700".into()));
    assert_eq!(folder.host().lstat(&folder.path().join("a")).unwrap().bits, 0o700);
    assert!(!run(&folder, "a/b", &[state("directory"), ("mode", "0700".into())]).changed);
    let gone = run(&folder, "a", &[state("absent")]);
    assert_eq!((gone.changed, gone.data.get("state")), (true, Some(&"absent".into())));
    assert!(!run(&folder, "a", &[state("absent")]).changed);
    assert!(!folder.path().join("a").exists());
}

#[test]
fn attributes_go_into_folders() {
    let folder = Folder::new();
    let file = folder.write("d/e/f", "");
    let options = [state("directory"), ("recurse", true.into()), ("mode", "u=rwX,go=".into())];
    assert!(run(&folder, "d", &options).changed);
    assert_eq!(folder.host().lstat(&file).unwrap().bits, 0o600);
    assert_eq!(folder.host().lstat(&folder.path().join("d/e")).unwrap().bits, 0o700);
    assert!(!run(&folder, "d", &options).changed);
}

#[test]
fn files_are_touched() {
    let folder = Folder::new();
    let touched = run(&folder, "f", &[state("touch")]);
    assert!(touched.changed && folder.path().join("f").exists());
    assert!(touched.data.contains("dest"));
    assert!(run(&folder, "f", &[state("touch")]).changed);
    let kept = [state("touch"), ("modification_time", "preserve".into()), ("access_time", "preserve".into())];
    assert!(!run(&folder, "f", &kept).changed);
    let fixed = [state("touch"), ("modification_time", "202001020304.05".into()), ("access_time", "preserve".into())];
    assert!(run(&folder, "f", &fixed).changed);
    assert!(!run(&folder, "f", &fixed).changed);
    assert_eq!(failure(&folder, "no/f", &[state("touch")]), "Error, could not touch target.");
}

#[test]
fn symbolic_links() {
    let folder = Folder::new();
    folder.write("f", "");
    let link = [state("link"), ("src", "f".into())];
    let made = run(&folder, "l", &link);
    assert_eq!((made.changed, made.data.get("src")), (true, Some(&"f".into())));
    assert_eq!(made.data.get("state"), Some(&"link".into()));
    assert!(!run(&folder, "l", &link).changed);
    folder.write("g", "");
    assert!(run(&folder, "l", &[state("link"), ("src", "g".into())]).changed);
    assert_eq!(folder.host().read_link(&folder.path().join("l")).unwrap(), Path::new("g"));
    assert_eq!(
        failure(&folder, "n", &[state("link"), ("src", "no".into())]),
        "src file does not exist, use 'force=yes' if you really want to create the link: no"
    );
    assert!(run(&folder, "n", &[state("link"), ("src", "no".into()), ("force", true.into())]).changed);
    assert_eq!(failure(&folder, "f", &link), "refusing to convert from file to symlink for f");
    folder.write("d/x", "");
    let forced = [state("link"), ("src", "f".into()), ("force", true.into())];
    assert_eq!(failure(&folder, "d", &forced), "the directory d is not empty, refusing to convert it");
    assert_eq!(failure(&folder, "new", &[state("link")]), "src is required for creating new symlinks");
}

#[test]
fn hard_links() {
    let folder = Folder::new();
    let source = display_path(&folder.write("f", "x"));
    let link = [state("hard"), ("src", source.as_str().into())];
    assert!(run(&folder, "h", &link).changed);
    assert_eq!(folder.read("h"), "x");
    let again = run(&folder, "h", &link);
    assert_eq!((again.changed, again.data.get("state")), (false, Some(&"hard".into())));
    folder.write("other", "y");
    assert_eq!(failure(&folder, "other", &link), "Cannot link, file exists at destination");
    assert_eq!(failure(&folder, "new", &[state("hard")]), "src is required for creating new hardlinks");
}

#[test]
fn what_cannot_be() {
    let folder = Folder::new();
    folder.write("f", "");
    assert_eq!(failure(&folder, "no", &[]), "file (no) is absent, cannot continue");
    assert_eq!(failure(&folder, "f", &[state("directory")]), "f already exists as a file");
    assert_eq!(failure(&folder, "f", &[("src", "x".into())]), "src option requires state to be 'link' or 'hard'");
    assert_eq!(failure(&folder, "f", &[("recurse", true.into())]), "recurse option requires state to be 'directory'");
}

#[test]
fn a_dry_run_touches_nothing() {
    let folder = Folder::new();
    let file = folder.write("f", "x");
    let dry = |name: &str, options: &[(&str, Value)]| {
        request(&folder, name, options).apply_state(folder.dry(), &mut |_| {}).unwrap()
    };
    let gone = dry("f", &[state("absent")]);
    assert_eq!((gone.changed, gone.data.get("state")), (true, Some(&"file".into())));
    assert!(dry("d", &[state("directory"), ("mode", "0700".into())]).changed);
    assert!(dry("t", &[state("touch")]).changed);
    assert!(dry("l", &[state("link"), ("src", "f".into())]).changed);
    let source = display_path(&file);
    assert!(dry("h", &[state("hard"), ("src", source.into())]).changed);
    assert!(dry("f", &[("mode", "0123".into())]).changed);
    assert_eq!(folder.host().list_folder(folder.path()).unwrap(), ["f"]);
    assert_ne!(folder.host().lstat(&file).unwrap().bits, 0o123);
}
