//! Vaulted text.

use std::sync::Arc;

use crate::template::error::Fault;
use crate::template::plugin::{Call, Filter};
use crate::template::python::coerce::{flag, optional_text, required, text_or};
use crate::value::{Sealed, Value};
use crate::vars::vault::{self, VaultProblem};

/// The family.
pub const TABLE: &[Filter] = &[
    Filter::new("unvault", unvault, "Opens vaulted text with a password.").sealed(),
    Filter::new("vault", seal, "Vaults text with a password."),
];

fn password(value: Option<Value>) -> Result<String, Fault> {
    match required(value, "secret")? {
        Value::Str(secret) => Ok(secret.as_str().to_owned()),
        other => {
            let kind = other.type_name();
            Err(Fault::value(format!("Secret passed is required to be a string, instead we got <class '{kind}'>.")))
        }
    }
}

fn seal(call: &Call<'_>) -> Result<Value, Fault> {
    let [secret, salt, id, wrap_object] = call.args.bind(["secret", "salt", "vault_id", "wrap_object"])?;
    let secret = password(secret)?;
    let plain = match &call.input {
        Value::Bytes(bytes) => bytes.to_vec(),
        Value::Str(text) => text.as_bytes().to_vec(),
        other => {
            let kind = other.type_name();
            return Err(Fault::value(format!("Can only vault strings, instead we got <class '{kind}'>.")));
        }
    };
    let salt = optional_text(salt.as_ref())?;
    let id = text_or(id.as_ref(), "filter_default")?;
    let envelope = vault::encrypt(&plain, secret.as_bytes(), Some(&id), salt.as_deref().map(str::as_bytes));
    Ok(if flag(wrap_object.as_ref(), false) {
        Value::Sealed(Arc::new(Sealed { envelope, span: None }))
    } else {
        Value::text(envelope)
    })
}

fn unvault(call: &Call<'_>) -> Result<Value, Fault> {
    let [secret, _id] = call.args.bind(["secret", "vault_id"])?;
    let secret = password(secret)?;
    let envelope = match &call.input {
        Value::Sealed(sealed) => sealed.envelope.clone(),
        Value::Str(text) if vault::is_vaulted(text) => text.as_str().to_owned(),
        Value::Str(_) => return Ok(call.input.clone()),
        other => {
            let kind = other.type_name();
            let wanted = "Vault should be in the form of a string";
            return Err(Fault::value(format!("{wanted}, instead we got <class '{kind}'>.")));
        }
    };
    let opened = vault::decrypt(&envelope, secret.as_bytes());
    let bytes = opened.map_err(|problem: VaultProblem| Fault::value(format!("Unable to decrypt: {problem}")))?;
    Ok(Value::text(String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_text() {
        assert!(password(Some(Value::Int(1))).is_err());
        assert_eq!(password(Some(Value::text("x"))).unwrap(), "x");
    }
}
