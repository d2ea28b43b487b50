//! Whether there is a filter or test of a name, and vaulted text.

use std::fs;
use std::io::Read;

use crate::template::call::{Call, Test, short_name};
use crate::template::fault::Fault;
use crate::template::filters;
use crate::template::python::coerce::text;
use crate::value::Value;

/// The family.
pub const TABLE: &[Test] = &[
    Test::new("filter", filter, "Whether there is a filter of that name."),
    Test::new("test", test, "Whether there is a test of that name."),
    Test::new("vault_encrypted", vault_encrypted, "Whether it is vaulted text."),
    Test::new("vaulted_file", vaulted_file, "Whether it is the path of a vaulted file."),
];

const HEADER: &str = "$ANSIBLE_VAULT;";

fn filter(call: &Call<'_>) -> Result<bool, Fault> {
    let name = text(&call.input)?;
    Ok(filters::FAMILIES.iter().flat_map(|(_, table)| *table).any(|row| row.name == short_name(&name)))
}

fn test(call: &Call<'_>) -> Result<bool, Fault> {
    let name = text(&call.input)?;
    Ok(super::FAMILIES.iter().flat_map(|(_, table)| *table).any(|row| row.name == short_name(&name)))
}

fn vault_encrypted(call: &Call<'_>) -> Result<bool, Fault> {
    Ok(matches!(call.input, Value::Sealed(_)))
}

fn vaulted_file(call: &Call<'_>) -> Result<bool, Fault> {
    let path = text(&call.input)?;
    let mut start = vec![0; HEADER.len()];
    let read = fs::File::open(&path).and_then(|mut file| file.read(&mut start));
    match read {
        Ok(count) => Ok(start[..count] == *HEADER.as_bytes()),
        Err(error) => Err(Fault::value(format!("cannot test if the file `{path}` is a vault: {error}"))),
    }
}
