//! Layers: what wraps a model and is itself a model.

mod backoff;
mod breaker;
mod budgeted;
mod cached;
mod common;
mod fallback;
mod hedge;
mod limited;
mod recorded;
mod redacted;
mod retry;
#[cfg(feature = "trace")]
mod traced;
mod watch;

pub use backoff::Backoff;
pub use breaker::{Breaker, BreakerOptions, State};
pub use budgeted::{
    Account, Budget, Budgeted, Ledger, MemoryLedger, Outcome, Period, Prices, Reservation, Spending, UnknownPrice,
};
pub use cached::CachedReplies;
pub use common::WhenBroken;
pub use fallback::Fallback;
pub use hedge::Hedge;
pub use limited::{Limited, LimitedBy};
pub use recorded::{Absent, CassetteError, RecordMode, Recorded};
pub use redacted::{Detector, Pseudonyms, PseudonymsOf, Redacted, TermKind};
pub use retry::Retry;
#[cfg(feature = "trace")]
pub use traced::Traced;
