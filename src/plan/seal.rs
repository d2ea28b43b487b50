//! The sealed part of a plan: variables of the command line and answers to prompts, encrypted in a vault envelope.
//!
//! The envelope also contains the digest of the plan, and is authenticated: `apply` detects a plan, or a digest, that was
//! altered without the key.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Plan;
use crate::vars::vault;

/// A key.
pub type PlanKey = Zeroizing<Vec<u8>>;

/// Contents of the envelope.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedContents {
    /// The digest of the plan.
    pub plan: String,
    /// `-e`, those that name no file.
    pub variables: Vec<String>,
    /// Answers by prompt.
    pub answers: BTreeMap<String, String>,
}

/// Reads a key: the content of a file, without the line break at its end.
///
/// # Errors
/// If it cannot be read or is empty.
pub fn read_key(path: &Path) -> anyhow::Result<PlanKey> {
    let mut bytes = Zeroizing::new(
        crate::input::read_file(path).with_context(|| format!("cannot read the seal key `{}`", path.display()))?,
    );
    while matches!(bytes.last(), Some(b'\n' | b'\r')) {
        bytes.pop();
    }
    if bytes.is_empty() {
        bail!("the seal key `{}` is empty", path.display());
    }
    Ok(bytes)
}

/// Seals what belongs to a plan, and puts it there.
///
/// # Errors
/// Never in practice: it is plain data.
pub fn seal_plan(
    plan: &mut Plan,
    key: &PlanKey,
    variables: Vec<String>,
    answers: BTreeMap<String, String>,
) -> anyhow::Result<()> {
    let contents = SealedContents { plan: plan.compute_digest(), variables, answers };
    let text = Zeroizing::new(serde_json::to_vec(&contents)?);
    plan.sealed = Some(vault::encrypt_text(&text, key, Some("plan"), None));
    Ok(())
}

/// Decrypts a sealed part.
///
/// # Errors
/// If the key is another one, or the plan was altered after it was sealed.
pub fn open_seal(plan: &Plan, envelope: &str, key: &PlanKey) -> anyhow::Result<SealedContents> {
    let text = Zeroizing::new(vault::decrypt_envelope(envelope, key).map_err(|problem| match problem {
        vault::VaultError::WrongSecret(_) => anyhow::anyhow!("the plan was sealed with another key"),
        other => anyhow::anyhow!("the sealed part of the plan cannot be opened: {other}"),
    })?);
    let contents: SealedContents = serde_json::from_slice(&text).context("the sealed part of the plan is damaged")?;
    if contents.plan != plan.compute_digest() {
        bail!("the plan is not the one that was sealed: somebody has altered it; make a new plan");
    }
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::model;

    #[test]
    fn only_the_key_opens_and_only_for_the_plan_that_was_sealed() {
        let key = PlanKey::new(b"k".to_vec());
        let mut plan = model::tests::empty();
        seal_plan(&mut plan, &key, vec!["pw=hunter22".to_owned()], BTreeMap::new()).unwrap();
        let envelope = plan.sealed.clone().unwrap();
        assert!(!serde_json::to_string(&plan).unwrap().contains("hunter22"));
        assert_eq!(open_seal(&plan, &envelope, &key).unwrap().variables, ["pw=hunter22"]);
        let other = open_seal(&plan, &envelope, &PlanKey::new(b"other".to_vec())).err().unwrap();
        assert!(other.to_string().contains("another key"), "{other}");
        plan.made = "later".to_owned();
        let altered = open_seal(&plan, &envelope, &key).err().unwrap();
        assert!(altered.to_string().contains("altered"), "{altered}");
    }
}
