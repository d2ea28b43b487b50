//! Digests in plans. Digests of short secrets, such as variables and small files, are salted and stretched, so that it is
//! expensive to guess passwords from a plan.

use std::collections::BTreeMap;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::hex::encode_hex;
use crate::input_digests::InputDigest;

/// Rounds for variables: some hundredths of a second for each guess.
const ROUNDS: u32 = 200_000;
/// The text of no variables and no answers.
const NO_VARIABLES: &str = "{}\n{}";
/// Rounds for each small file.
const FILE_ROUNDS: u32 = 10_000;
/// Longer files are not passwords.
const SMALL: usize = 1024;

/// Makes the digests of one plan.
#[derive(Debug, Clone)]
pub struct PlanDigester {
    salt: String,
}

impl PlanDigester {
    /// For a new plan.
    pub fn new() -> Self {
        Self { salt: encode_hex(&rand::random::<[u8; 16]>()) }
    }

    /// To compare with a plan that was made with this salt.
    pub fn with_salt(salt: &str) -> Self {
        Self { salt: salt.to_owned() }
    }

    /// The salt, as plans hold it.
    pub fn salt(&self) -> &str {
        &self.salt
    }

    /// The digest of variables.
    pub fn digest_variables(&self, text: &str) -> String {
        // Without variables and answers there is nothing to guess, and nothing to make slow.
        let rounds = if text == NO_VARIABLES { 1 } else { ROUNDS };
        self.stretch_secret(text.as_bytes(), rounds)
    }

    /// The digests of files, by their paths relative to a folder.
    pub fn digest_files<'a>(
        &self,
        files: impl IntoIterator<Item = (&'a Path, &'a InputDigest)>,
        folder: &Path,
    ) -> BTreeMap<String, String> {
        let digest = |read: &InputDigest| match read.length {
            0..SMALL => self.stretch_secret(&read.digest, FILE_ROUNDS),
            _ => encode_hex(&Sha256::new().chain_update(self.salt.as_bytes()).chain_update(read.digest).finalize()),
        };
        files
            .into_iter()
            .map(|(path, read)| (path.strip_prefix(folder).unwrap_or(path).display().to_string(), digest(read)))
            .collect()
    }

    fn stretch_secret(&self, secret: &[u8], rounds: u32) -> String {
        let mut out = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(secret, self.salt.as_bytes(), rounds, &mut out);
        encode_hex(&out)
    }
}

impl Default for PlanDigester {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_depend_on_the_salt_and_the_content() {
        let (one, again, other) =
            (PlanDigester::with_salt("a"), PlanDigester::with_salt("a"), PlanDigester::with_salt("b"));
        assert_eq!(one.digest_variables("x"), again.digest_variables("x"));
        assert_ne!(one.digest_variables("x"), one.digest_variables("y"));
        assert_ne!(one.digest_variables("x"), other.digest_variables("x"));
        for length in [10, 5000] {
            let read = InputDigest { digest: [7; 32], length };
            let files = |stamp: &PlanDigester| stamp.digest_files([(Path::new("/p/site.yml"), &read)], Path::new("/p"));
            assert_eq!(files(&one), files(&again));
            assert_ne!(files(&one)["site.yml"], files(&other)["site.yml"]);
        }
    }
}
