use std::process::Command;

use super::*;
use crate::modules::builtin::files::testing::Folder;

fn packed(make: &str) -> Option<Folder> {
    let folder = Folder::new();
    folder.write("in/d/f", "x\n");
    folder.write("in/g", "y\n");
    std::fs::create_dir(folder.path().join("out")).unwrap();
    let made = Command::new("sh").args(["-c", make]).current_dir(folder.path().join("in")).output().ok()?;
    made.status.success().then_some(folder)
}

fn order(folder: &Folder, archive: &str) -> Order {
    Order {
        archive: folder.path().join(archive),
        dest: shown(&folder.path().join("out")),
        exclude: Vec::new(),
        include: Vec::new(),
        extra: Vec::new(),
        keep_newer: false,
        attributes: Attributes::default(),
    }
}

/// Unpacks twice; does nothing where the program that packs is missing.
async fn round(make: &str, archive: &str, handler: &str) {
    let Some(folder) = packed(make) else { return };
    let order = order(&folder, archive);
    let first = order.unpack(folder.disk(), "source", true).await.unwrap();
    assert!(first.changed);
    assert_eq!(first.data.get("handler"), Some(&handler.into()));
    assert_eq!(folder.read("out/d/f"), "x\n");
    assert_eq!(first.data.get("files").and_then(Value::as_slice).map(<[Value]>::len), Some(3));
    assert!(!order.unpack(folder.disk(), "source", false).await.unwrap().changed);
    folder.write("out/g", "longer\n");
    assert!(order.unpack(folder.disk(), "source", false).await.unwrap().changed);
    assert_eq!(folder.read("out/g"), "y\n");
}

#[tokio::test(flavor = "current_thread")]
async fn archives_are_unpacked_once() {
    round("tar cf ../a.tar d g", "a.tar", "TarArchive").await;
    round("tar czf ../a.tar.gz d g", "a.tar.gz", "TgzArchive").await;
    round("tar cjf ../a.tar.bz2 d g", "a.tar.bz2", "TarBzipArchive").await;
    round("tar cJf ../a.tar.xz d g", "a.tar.xz", "TarXzArchive").await;
    round("zip -qr ../a.zip d g", "a.zip", "ZipArchive").await;
}

#[tokio::test(flavor = "current_thread")]
async fn members_can_be_left_out() {
    let Some(folder) = packed("tar czf ../a.tgz d g") else { return };
    let order = Order { exclude: vec!["g".into()], ..order(&folder, "a.tgz") };
    assert!(order.unpack(folder.disk(), "source", false).await.unwrap().changed);
    assert!(!folder.path().join("out/g").exists());
}

#[tokio::test(flavor = "current_thread")]
async fn a_dry_run_unpacks_nothing() {
    let Some(folder) = packed("zip -qr ../a.zip d g; tar cf ../a.tar d g") else { return };
    let zip = order(&folder, "a.zip").unpack(folder.dry(), "source", false).await.unwrap();
    assert!(zip.changed);
    assert_eq!(zip.diff[0].prepared.as_deref(), Some(">d++++++.?? d/\n>f++++++.?? d/f\n>f++++++.?? g\n"));
    assert!(order(&folder, "a.tar").unpack(folder.dry(), "source", false).await.unwrap().skipped);
    assert!(folder.disk().list(&folder.path().join("out")).unwrap().is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_no_archive() {
    let folder = Folder::new();
    folder.write("a", "text");
    folder.write("empty", "");
    std::fs::create_dir(folder.path().join("out")).unwrap();
    let failure = order(&folder, "a").unpack(folder.disk(), "a", false).await.unwrap_err();
    assert!(failure.message.starts_with("Failed to find handler for "));
    let failure = order(&folder, "empty").unpack(folder.disk(), "empty", false).await.unwrap_err();
    assert_eq!(failure.message, "Invalid archive 'empty', the file is 0 bytes");
}
