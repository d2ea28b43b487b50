//! Vaulted text.

use std::sync::Arc;

use crate::template::error::TemplateError;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{flag_or, optional_text, require_arg, text_or};
use crate::value::{Sealed, Value};
use crate::vars::vault::{self, VaultError};

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("unvault", unvault, "Decrypts vaulted text with a password.").sealed(),
    FilterPlugin::new("vault", encrypt_text, "Encrypts text with a vault password."),
];

fn read_secret(value: Option<Value>) -> Result<String, TemplateError> {
    match require_arg(value, "secret")? {
        Value::Str(secret) => Ok(secret.as_str().to_owned()),
        other => {
            let kind = other.type_name();
            Err(TemplateError::value(format!(
                "Secret passed is required to be a string, instead we got <class '{kind}'>."
            )))
        }
    }
}

fn encrypt_text(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [secret, salt, id, wrap_object] = call.args.bind(["secret", "salt", "vault_id", "wrap_object"])?;
    let secret = read_secret(secret)?;
    let plain = match &call.input {
        Value::Bytes(bytes) => bytes.to_vec(),
        Value::Str(text) => text.as_bytes().to_vec(),
        other => {
            let kind = other.type_name();
            return Err(TemplateError::value(format!("Can only vault strings, instead we got <class '{kind}'>.")));
        }
    };
    let salt = optional_text(salt.as_ref())?;
    let id = text_or(id.as_ref(), "filter_default")?;
    let envelope = vault::encrypt_text(&plain, secret.as_bytes(), Some(&id), salt.as_deref().map(str::as_bytes));
    Ok(if flag_or(wrap_object.as_ref(), false) {
        Value::Sealed(Arc::new(Sealed { envelope, span: None }))
    } else {
        Value::text(envelope)
    })
}

fn unvault(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [secret, _id] = call.args.bind(["secret", "vault_id"])?;
    let secret = read_secret(secret)?;
    let envelope = match &call.input {
        Value::Sealed(sealed) => sealed.envelope.clone(),
        Value::Str(text) if vault::is_vaulted(text) => text.as_str().to_owned(),
        Value::Str(_) => return Ok(call.input.clone()),
        other => {
            let kind = other.type_name();
            let wanted = "Vault should be in the form of a string";
            return Err(TemplateError::value(format!("{wanted}, instead we got <class '{kind}'>.")));
        }
    };
    let opened = vault::decrypt_envelope(&envelope, secret.as_bytes());
    let bytes = opened.map_err(|problem: VaultError| TemplateError::value(format!("Unable to decrypt: {problem}")))?;
    Ok(Value::text(String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_text() {
        assert!(read_secret(Some(Value::Int(1))).is_err());
        assert_eq!(read_secret(Some(Value::text("x"))).unwrap(), "x");
    }
}
