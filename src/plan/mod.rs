//! The saved plan: predicted actions and the observed objects behind them; and the run that makes exactly these changes.
//!
//! A dry run makes the plan: [`recorder`] records every observed object and every predicted request. To apply the plan, the
//! dry run is repeated and must have the same result ([`verify`]); then the real run uses a [`guard`], which allows only the
//! requests of the plan.

pub mod collect;
mod digest;
pub mod drift;
pub mod fingerprint;
pub mod guard;
pub mod host_effects;
pub mod lock;
pub mod model;
mod prompt_answers;
mod record;
mod record_reads;
mod record_writes;
pub mod recorder;
pub mod requests;
pub mod save;
pub mod seal;
pub mod show;
pub mod verify;

pub use collect::{CollectedResults, ResultCollector};
pub use fingerprint::PlanDigester;
pub use guard::Guard;
pub use model::{Invocation, Plan};
pub use prompt_answers::Answers;
pub use record::record_dry_run;
pub use recorder::DryRunRecorder;
pub use verify::PlanRefusal;
