use super::*;

#[test]
fn frame_stays_small() {
    let page = Page { title: "t".to_owned(), main: String::new(), follow: None };
    let length = frame(&page, Timestamp::now()).len();
    assert!(length < 15_000, "{length} bytes without content");
}
