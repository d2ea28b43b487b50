//! Names and numbers of users and groups, from `/etc/passwd` and `/etc/group`.

use std::fs;

/// The number of a user, from a name or a number.
pub fn user_id(name: &str) -> Option<u32> {
    name.trim().parse().ok().or_else(|| id_of("/etc/passwd", name))
}

/// The number of a group, from a name or a number.
pub fn group_id(name: &str) -> Option<u32> {
    name.trim().parse().ok().or_else(|| id_of("/etc/group", name))
}

/// The name of a user.
pub fn user_name(uid: u32) -> Option<String> {
    name_of("/etc/passwd", uid)
}

/// The name of a group.
pub fn group_name(gid: u32) -> Option<String> {
    name_of("/etc/group", gid)
}

fn id_of(file: &str, name: &str) -> Option<u32> {
    read_entries(file).into_iter().find(|(known, _)| known == name).map(|(_, id)| id)
}

fn name_of(file: &str, id: u32) -> Option<String> {
    read_entries(file).into_iter().find(|(_, known)| *known == id).map(|(name, _)| name)
}

fn read_entries(file: &str) -> Vec<(String, u32)> {
    parse_entries(&fs::read_to_string(file).unwrap_or_default())
}

/// `name:password:number:..`, one a line.
fn parse_entries(text: &str) -> Vec<(String, u32)> {
    text.lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            Some((name.to_owned(), fields.nth(1)?.parse().ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_names_and_numbers() {
        let text = "root:x:0:0:root:/root:/bin/sh\n# note\nweb:x:33:\nbroken:x:y:\n";
        assert_eq!(parse_entries(text), [("root".to_owned(), 0), ("web".to_owned(), 33)]);
    }

    #[test]
    fn a_number_is_its_own_name() {
        assert_eq!(user_id("4711"), Some(4711));
        assert_eq!(group_id("no such group"), None);
    }
}
