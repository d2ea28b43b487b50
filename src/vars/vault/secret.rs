//! One vault password, and its default id.

use zeroize::Zeroizing;

/// The id of a secret that was given without one.
pub const DEFAULT_ID: &str = "default";

/// A password. It is wiped when dropped, and has no form that shows it.
#[derive(Clone)]
pub struct VaultPassword(Zeroizing<Vec<u8>>);

impl VaultPassword {
    /// Takes a password.
    pub fn new(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    /// The password, for a cipher.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for VaultPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("********")
    }
}
