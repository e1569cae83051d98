//! Locking the rows of a batch in one order, so that batches that share rows wait for each other and do not deadlock.

use std::collections::BTreeMap;

use career_core::Result;
use career_core::store::{Action, Write};
use sqlx::{AssertSqlSafe, PgConnection};

use super::error;

/// Locks the rows that the writes change, by kind and id. A batch that changes one row at most needs no order.
pub(super) async fn in_order(connection: &mut PgConnection, writes: &[Write]) -> Result<()> {
    let mut rows: BTreeMap<&'static str, Vec<&str>> = BTreeMap::new();
    for write in writes.iter().filter(|write| !matches!(write.action, Action::Insert(_))) {
        rows.entry(write.kind.name).or_default().push(&write.id);
    }
    if rows.values().map(Vec::len).sum::<usize>() < 2 {
        return Ok(());
    }
    for (kind, ids) in rows {
        // The weakest lock that a change of a row takes: records that refer to it can be written meanwhile.
        let lock = format!("SELECT 1 FROM {kind} WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE");
        let lock = sqlx::query(AssertSqlSafe(lock)).bind(ids).execute(&mut *connection);
        lock.await.map_err(|e| error(e, kind))?;
    }
    Ok(())
}
