//! What modules do that are not about registry objects: files, commands.

use serde::{Deserialize, Serialize};

/// A predicted change of a module in one loop item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deed {
    /// The name of the task.
    pub task: String,
    /// The host.
    pub host: String,
    /// The item of the loop, in a loop.
    pub item: Option<String>,
    /// Which of the three.
    pub does: Does,
}

/// Whether a module would change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Does {
    /// No; plans do not hold it.
    Nothing,
    /// Yes.
    Change,
    /// Only the real run can say: it runs something, or waits for a value.
    Unknown,
}

/// Is told what dry runs come to, and asked what real runs may do.
pub trait Deeds {
    /// A dry run has come to this.
    fn foretold(&self, _deed: Deed) {}

    /// Whether a real run may do this.
    ///
    /// # Errors
    /// With the sentence that says why not.
    fn may(&self, _deed: &Deed) -> Result<(), String> {
        Ok(())
    }
}

/// Whether a plan has foretold this, or has said of it that it cannot.
pub fn allows(planned: &[Deed], real: &Deed) -> bool {
    let same = |deed: &&Deed| deed.task == real.task && deed.host == real.host && deed.item == real.item;
    match real.does {
        Does::Nothing => true,
        Does::Change => planned.iter().any(|deed| same(&deed)),
        Does::Unknown => planned.iter().any(|deed| same(&deed) && deed.does == Does::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_foretold_may_be_done() {
        let deed =
            |item: &str, does| Deed { task: "t".to_owned(), host: "h".to_owned(), item: Some(item.to_owned()), does };
        let planned = [deed("a", Does::Change), deed("b", Does::Unknown)];
        for (item, does, may) in [
            ("a", Does::Nothing, true),
            ("a", Does::Change, true),
            ("a", Does::Unknown, false),
            ("b", Does::Change, true),
            ("b", Does::Unknown, true),
            ("c", Does::Nothing, true),
            ("c", Does::Change, false),
        ] {
            assert_eq!(allows(&planned, &deed(item, does)), may, "{item} {does:?}");
        }
    }
}
