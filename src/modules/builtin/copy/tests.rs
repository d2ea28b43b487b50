use super::*;
use crate::host::HostApi;
use crate::modules::builtin::files::testing::Folder;
use crate::value::Dict;

fn args(folder: &Folder, dest: &str, options: &[(&str, Value)]) -> ModuleArgs {
    let mut values = Dict::new();
    values.set("dest", format!("{}/{dest}", display_path(folder.path())).into());
    for (name, value) in options {
        values.set(*name, value.clone());
    }
    ModuleArgs::new(values)
}

async fn put(
    folder: &Folder,
    host: &dyn HostApi,
    content: &Value,
    options: &[(&str, Value)],
) -> Result<ModuleOutcome, Failure> {
    let placing = Placing::from_args(&args(folder, "out", options));
    Ok(placing.place_parcel(host, &parcel_of(content)).await?.unwrap_or_else(|| unchanged_outcome(&placing)))
}

async fn on_host(folder: &Folder, src: &str, dest: &str, options: &[(&str, Value)]) -> Result<ModuleOutcome, Failure> {
    let args = args(folder, dest, options);
    let source = format!("{}/{src}", display_path(folder.path()));
    on_host::copy_on_host(&args, folder.host(), &source, &Placing::from_args(&args)).await
}

#[tokio::test(flavor = "current_thread")]
async fn contents_are_written_once() {
    let folder = Folder::new();
    let first = put(&folder, folder.host(), &"hello\n".into(), &[]).await.unwrap();
    assert!(first.changed);
    assert_eq!(first.data.get("checksum"), Some(&"f572d396fae9206628714fb2ce00f72e94f2258f".into()));
    assert_eq!(first.data.get("size"), Some(&6.into()));
    let second = put(&folder, folder.host(), &"hello\n".into(), &[]).await.unwrap();
    assert!(!second.changed);
    assert_eq!(second.data.get("path"), second.data.get("dest"));
    let mode = [("mode", "0600".into())];
    assert!(put(&folder, folder.host(), &"hello\n".into(), &mode).await.unwrap().changed);
    assert!(!put(&folder, folder.host(), &"x".into(), &[("force", false.into())]).await.unwrap().changed);
    let dict = Value::dict([("a", Value::list([Value::Int(1), Value::Int(2)]))]);
    let written = put(&folder, folder.host(), &dict, &[]).await.unwrap();
    assert_eq!(folder.read("out"), "{\"a\": [1, 2]}");
    assert_eq!(written.data.get("mode"), Some(&"0600".into()));
}

#[tokio::test(flavor = "current_thread")]
async fn a_dry_run_writes_nothing() {
    let folder = Folder::new();
    folder.write("out", "old\n");
    let outcome = put(&folder, folder.dry(), &"new\n".into(), &[]).await.unwrap();
    assert!(outcome.changed && outcome.data.is_empty());
    assert_eq!(outcome.diff[0].before, Some("old\n".into()));
    assert_eq!(outcome.diff[0].after, Some("new\n".into()));
    assert_eq!(folder.read("out"), "old\n");
}

#[tokio::test(flavor = "current_thread")]
async fn contents_that_cannot_be_written() {
    let folder = Folder::new();
    let placing = Placing::from_args(&args(&folder, "no/such/f", &[]));
    let failure = placing.place_parcel(folder.host(), &parcel_of(&"x".into())).await.unwrap_err();
    let expected = format!("Destination directory {}/no/such does not exist", display_path(folder.path()));
    assert_eq!(failure.message, expected);
    assert_eq!(failure.data.get("checksum"), Some(&"11f6ad8ec52a2984abaafd7c3b516503785c2072".into()));
    let refused = put(&folder, folder.host(), &"x".into(), &[("validate", "false %s".into())]).await.unwrap_err();
    assert_eq!(refused.message, "failed to validate");
    assert!(!folder.path().join("out").exists());
    let wrong = put(&folder, folder.host(), &"x".into(), &[("checksum", "0".into())]).await.unwrap_err();
    assert_eq!(wrong.message, "Copied file does not match the expected checksum. Transfer failed.");
}

#[tokio::test(flavor = "current_thread")]
async fn links_at_the_destination() {
    let folder = Folder::new();
    folder.write("target", "old");
    let link = folder.path().join("out");
    folder.host().replace_symlink(Path::new("target"), &link).unwrap();
    put(&folder, folder.host(), &"new".into(), &[("follow", true.into())]).await.unwrap();
    assert_eq!(folder.read("target"), "new");
    assert!(link.is_symlink());
    put(&folder, folder.host(), &"other".into(), &[]).await.unwrap();
    assert_eq!(folder.read("target"), "new");
    assert!(!link.is_symlink());
}

#[tokio::test(flavor = "current_thread")]
async fn files_of_the_host() {
    let folder = Folder::new();
    let source = folder.write("f", "x");
    folder.host().set_bits(&source, 0o640).unwrap();
    assert!(on_host(&folder, "f", "g", &[]).await.unwrap().changed);
    assert!(!on_host(&folder, "f", "g", &[]).await.unwrap().changed);
    let kept = on_host(&folder, "f", "new/dir/", &[("mode", "preserve".into())]).await.unwrap();
    assert_eq!(kept.data.get("mode"), Some(&"0640".into()));
    assert_eq!(folder.read("new/dir/f"), "x");
    let missing = on_host(&folder, "no", "g", &[]).await.unwrap_err().message;
    assert_eq!(missing, format!("Source {}/no not found", display_path(folder.path())));
}

#[tokio::test(flavor = "current_thread")]
async fn folders_of_the_host() {
    let folder = Folder::new();
    folder.write("d/e/f", "x");
    folder.host().replace_symlink(Path::new("e"), &folder.path().join("d/l")).unwrap();
    assert!(on_host(&folder, "d/", "content", &[]).await.unwrap().changed);
    assert_eq!(folder.read("content/e/f"), "x");
    assert!(folder.path().join("content/l").is_symlink());
    assert!(!on_host(&folder, "d/", "content", &[]).await.unwrap().changed);
    folder.write("into/x", "");
    assert!(on_host(&folder, "d", "into", &[]).await.unwrap().changed);
    assert_eq!(folder.read("into/d/e/f"), "x");
}
