//! Who did what with whose data, and when.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Id;
use crate::macros::named_enum;

named_enum! {
    /// What was done with a record.
    #[non_exhaustive]
    pub enum AuditAction {
        /// It was made, or replaced whatever was there.
        Put = "put",
        /// It was made anew.
        Inserted = "inserted",
        /// It was changed.
        Updated = "updated",
        /// It was deleted.
        Deleted = "deleted",
        /// It was read.
        Read = "read",
        /// All data of a person was given out.
        Exported = "exported",
        /// All data of a person was erased.
        Erased = "erased",
    }
}

/// An entry of the audit: it names records, and holds nothing of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AuditEntry {
    /// Identity.
    pub id: Id<AuditEntry>,
    /// Who did it, as the host named them.
    pub actor: String,
    /// What was done.
    pub action: AuditAction,
    /// The kind of the record.
    pub kind: String,
    /// The id of the record.
    pub record: String,
    /// When.
    pub at: Timestamp,
}

impl AuditEntry {
    /// Something done now.
    pub fn new(
        actor: impl Into<String>,
        action: AuditAction,
        kind: impl Into<String>,
        record: impl Into<String>,
    ) -> Self {
        let (actor, kind, record) = (actor.into(), kind.into(), record.into());
        AuditEntry { id: Id::new(), actor, action, kind, record, at: Timestamp::now() }
    }
}
