//! Locks: on the rows of a batch, in one order, so that batches that share rows wait for each other and do not
//! deadlock; and on the order keys of a claim.

use std::collections::BTreeMap;

use career_core::Result;
use career_core::store::{Action, Claim, OutboxEntry, Versioned, Write};
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

/// Of the events that a claim found, those whose order key nobody else is claiming and nobody holds.
///
/// Events are numbered when they are written, and not when their commits end: a claim that began before an earlier
/// event of the key was committed may have taken a later one. Under a lock of each key what others hold is seen.
pub(super) async fn alone_with_their_keys(
    connection: &mut PgConnection,
    mut heads: Vec<Versioned<OutboxEntry>>,
    claim: &Claim,
) -> Result<Vec<Versioned<OutboxEntry>>> {
    if heads.is_empty() {
        return Ok(heads);
    }
    let keys: Vec<&str> = heads.iter().map(|entry| entry.order_key.as_str()).collect();
    let lock = "SELECT key FROM unnest($1::text[]) key WHERE pg_try_advisory_xact_lock(hashtextextended(key, 0))";
    let locked: Vec<(String,)> = sqlx::query_as(lock)
        .bind(&keys)
        .fetch_all(&mut *connection)
        .await
        .map_err(|e| error(e, "locking the keys of events"))?;
    let held = "SELECT DISTINCT order_key FROM events WHERE order_key = ANY ($1) AND state = 'leased' AND due > $2";
    let held: Vec<(String,)> = sqlx::query_as(held)
        .bind(&keys)
        .bind(claim.now.as_microsecond())
        .fetch_all(&mut *connection)
        .await
        .map_err(|e| error(e, "looking for leases"))?;
    let among = |keys: &[(String,)], entry: &OutboxEntry| keys.iter().any(|(key,)| *key == entry.order_key);
    heads.retain(|entry| among(&locked, entry) && !among(&held, entry));
    Ok(heads)
}
