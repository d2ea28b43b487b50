use super::*;
use crate::modules::builtin::files::testing::Folder;
use crate::modules::builtin::testing::Bench;

fn packed(words: &[&str]) -> (Folder, Bench) {
    let folder = Folder::new();
    folder.write("src/a", "one\n");
    folder.write("src/d/b", "two\n");
    std::fs::create_dir(folder.path().join("out")).unwrap();
    let said = std::process::Command::new(words[0]).args(&words[1..]).current_dir(folder.path().join("src")).output();
    assert!(said.unwrap().status.success());
    let bench = Bench { folder: folder.path().to_path_buf(), ..Bench::new("") };
    (folder, bench)
}

#[track_caller]
fn unpacks(words: &[&str], archive: &str, handler: &str) {
    let (folder, bench) = packed(words);
    let given = format!("{{src: {archive}, dest: {}/out, list_files: true}}", display_path(folder.path()));
    let outcome = bench.run(&Unarchive, &given).unwrap();
    assert!(outcome.changed);
    assert_eq!(outcome.data.get("handler"), Some(&handler.into()));
    assert_eq!(folder.read("out/d/b"), "two\n");
    assert!(outcome.data.get("files").and_then(Value::as_slice).unwrap().contains(&"d/b".into()));
    assert!(!bench.run(&Unarchive, &given).unwrap().changed);
    folder.write("out/a", "other\n");
    assert!(bench.run(&Unarchive, &given).unwrap().changed);
    assert_eq!(folder.read("out/a"), "one\n");
}

#[test]
fn tar_archives_are_unpacked_once() {
    unpacks(&["tar", "-czf", "../x.tgz", "a", "d"], "x.tgz", "TgzArchive");
    unpacks(&["tar", "-cf", "../x.tar", "a", "d"], "x.tar", "TarArchive");
}

#[test]
fn zip_archives_are_unpacked_once() {
    // Not every machine can pack and unpack them.
    let there = ["zip", "unzip"].iter().all(|name| {
        std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|folder| folder.join(name).is_file())
    });
    if there {
        unpacks(&["zip", "-qr", "../x.zip", "a", "d"], "x.zip", "ZipArchive");
    }
}

#[test]
fn what_cannot_be_unpacked() {
    let (folder, bench) = packed(&["tar", "-czf", "../x.tgz", "a"]);
    folder.write("empty.tgz", "");
    folder.write("plain.tgz", "plain\n");
    let out = display_path(&folder.path().join("out"));
    let fails = |given: &str| bench.fails(&Unarchive, &format!("{{{given}}}"));
    assert!(fails(&format!("src: gone.tgz, dest: {out}")).starts_with("Could not find or access 'gone.tgz'"));
    assert_eq!(fails("src: x.tgz, dest: /no/such"), "dest '/no/such' must be an existing dir");
    assert!(fails(&format!("src: empty.tgz, dest: {out}")).ends_with("the file is 0 bytes"));
    assert!(fails(&format!("src: plain.tgz, dest: {out}")).starts_with("Failed to find handler for"));
    assert!(fails(&format!("src: 'http://x/y.tgz', dest: {out}")).starts_with("Unsupported option, an URI src"));
}
