//! Selecting and counting.

use career_core::store::{
    Bucket, Checked, Count, Cursor, Document, Filter, Group, Grouping, KeyType, KeyValue, Kind, Page, Query, Test,
};
use career_core::{Error, Result};
use sqlx::{Executor, IntoArguments};

use super::{Argument, Backend, DOCUMENT_COLUMNS, Dialect, Statement, damaged, document, document_columns};

/// The record with this id.
pub(crate) async fn fetch<D: Backend>(
    connection: &mut D::Connection,
    kind: &'static Kind,
    id: &str,
) -> Result<Option<Document>>
where
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    D::Arguments: IntoArguments<D>,
{
    let mut statement = Statement::default();
    statement.push("SELECT ").push(document_columns(D::DIALECT)).push(" FROM ").push(kind.name);
    statement.push(" WHERE id = ").bind(Argument::Text(Some(id.to_owned())));
    let row = statement.first::<D>(connection).await?.map_err(|error| D::error(error, kind.name))?;
    row.map(|row| document::<D>(&row, kind)).transpose()
}

/// A page of records.
pub(crate) async fn select<D: Backend>(
    connection: &mut D::Connection,
    kind: &'static Kind,
    query: &Query,
) -> Result<Page<Document>>
where
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    D::Arguments: IntoArguments<D>,
{
    let checked = query.check(kind)?;
    let mut rows = select_statement(kind, &checked, D::DIALECT)?.all::<D>(connection, kind.name).await?;
    let limit = query.limit as usize;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let documents: Vec<Document> = rows.iter().map(|row| document::<D>(row, kind)).collect::<Result<_>>()?;
    let next = match (rows.last(), documents.last()) {
        (Some(row), Some(last)) if more => {
            let (column, _) = order_column(&query.order.key);
            let value = key_value::<D>(row, column, checked.holds).map_err(|error| damaged(kind, error))?;
            Some(Cursor::new(kind, &query.order, &value, &last.id))
        }
        _ => None,
    };
    Ok(Page::new(documents, next))
}

/// How many records, in groups.
pub(crate) async fn tally<D: Backend>(
    connection: &mut D::Connection,
    kind: &'static Kind,
    count: &Count,
) -> Result<Vec<Group>>
where
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    D::Arguments: IntoArguments<D>,
{
    count.check(kind)?;
    let holds: Vec<KeyType> = count
        .groups
        .iter()
        .map(|group| match group {
            Grouping::Key(key) => kind.key(key).map(|(holds, _)| holds),
            _ => Ok(KeyType::Time),
        })
        .collect::<Result<_>>()?;
    let rows = tally_statement(kind, count, D::DIALECT)?.all::<D>(connection, kind.name).await?;
    let group = |row: &D::Row| {
        let keys =
            holds.iter().enumerate().map(|(n, holds)| key_value::<D>(row, n, *holds)).collect::<Result<_, _>>()?;
        let count = D::int(row, holds.len())?.and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
        Ok(Group::new(keys, count))
    };
    rows.iter().map(|row| group(row).map_err(|error: sqlx::Error| damaged(kind, error))).collect()
}

fn key_value<D: Backend>(row: &D::Row, column: usize, holds: KeyType) -> Result<KeyValue, sqlx::Error>
where
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    D::Arguments: IntoArguments<D>,
{
    Ok(match holds {
        KeyType::Text => D::text(row, column)?.into(),
        KeyType::Time => match D::int(row, column)? {
            Some(micros) => KeyValue::from_micros(micros).ok_or_else(super::out_of_range)?,
            None => KeyValue::Null,
        },
        _ => D::int(row, column)?.into(),
    })
}

/// In which column the key of the order stands, and whether that is one of its own after the document's.
fn order_column(key: &str) -> (usize, bool) {
    match key {
        "id" => (0, false),
        "created" => (2, false),
        "updated" => (3, false),
        _ => (DOCUMENT_COLUMNS, true),
    }
}

fn select_statement(kind: &Kind, checked: &Checked<'_>, dialect: Dialect) -> Result<Statement> {
    let query = checked.query;
    let key = &*query.order.key;
    let mut statement = Statement::default();
    statement.push("SELECT ").push(document_columns(dialect));
    if let (_, true) = order_column(key) {
        statement.push(", ").push(key);
    }
    statement.push(" FROM ").push(kind.name);
    push_filters(&mut statement, kind, &query.filters, dialect)?;
    if checked.optional {
        statement.push(" AND ").push(key).push(" IS NOT NULL");
    }
    let (beyond, direction) = if query.order.descending { ("<", " DESC") } else { (">", "") };
    match &checked.after {
        Some((_, id)) if key == "id" => {
            statement.push(" AND id ").push(beyond).push(" ").bind(Argument::Text(Some(id.clone())));
        }
        Some((value, id)) => {
            statement.push(" AND (").push(key).push(", id) ").push(beyond).push(" (");
            statement.bind(Argument::of(value.clone(), checked.holds)).push(", ");
            statement.bind(Argument::Text(Some(id.clone()))).push(")");
        }
        None => {}
    }
    statement.push(" ORDER BY ").push(key).push(direction);
    if key != "id" {
        statement.push(", id").push(direction);
    }
    statement.push(" LIMIT ").bind(Argument::Int(Some(i64::from(query.limit) + 1)));
    Ok(statement)
}

fn tally_statement(kind: &Kind, count: &Count, dialect: Dialect) -> Result<Statement> {
    let mut statement = Statement::default();
    statement.push("SELECT ");
    for group in &count.groups {
        match group {
            Grouping::Key(key) => statement.push(key),
            Grouping::Time(key, bucket) => statement.push(&bucket_start(key, *bucket, dialect)?),
            _ => return Err(Error::new(career_core::ErrorKind::Unsupported, "this grouping is not known")),
        };
        statement.push(", ");
    }
    statement.push("COUNT(*) FROM ").push(kind.name);
    push_filters(&mut statement, kind, &count.filters, dialect)?;
    if !count.groups.is_empty() {
        let places: Vec<String> = (1..=count.groups.len()).map(|n| n.to_string()).collect();
        let places = places.join(", ");
        statement.push(" GROUP BY ").push(&places).push(" ORDER BY ");
        if let Some(largest) = count.largest {
            statement.push("COUNT(*) DESC, ").push(&nulls_first(&places, dialect));
            statement.push(" LIMIT ").bind(Argument::Int(Some(largest.into())));
        } else {
            statement.push(&nulls_first(&places, dialect));
        }
    }
    Ok(statement)
}

/// Records that lack a key come first, as the empty value sorts.
fn nulls_first(places: &str, dialect: Dialect) -> String {
    match dialect {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => places.to_owned(),
        #[cfg(feature = "postgres")]
        Dialect::Postgres => {
            places.split(", ").map(|place| format!("{place} NULLS FIRST")).collect::<Vec<_>>().join(", ")
        }
    }
}

/// An expression of the microsecond at which the stretch of a time began, as [`Bucket::start`] defines it.
fn bucket_start(key: &str, bucket: Bucket, dialect: Dialect) -> Result<String> {
    const SECOND: i64 = 1_000_000;
    const DAY: i64 = 86_400 * SECOND;
    // The remainder takes the sign of the dividend in both databases: times before 1970 need it made positive.
    let floor = |length: i64, offset: i64| format!("({key} - ((({key} - {offset}) % {length}) + {length}) % {length})");
    let unit = match bucket {
        Bucket::Hour => return Ok(floor(3_600 * SECOND, 0)),
        Bucket::Day => return Ok(floor(DAY, 0)),
        // The first Monday was the fifth of January 1970.
        Bucket::Week => return Ok(floor(7 * DAY, 4 * DAY)),
        Bucket::Month => "month",
        Bucket::Year => "year",
        _ => return Err(Error::new(career_core::ErrorKind::Unsupported, "this stretch of time is not known")),
    };
    let seconds = format!("({} / {SECOND})", floor(SECOND, 0));
    Ok(match dialect {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => format!("(unixepoch({seconds}, 'unixepoch', 'start of {unit}') * {SECOND})"),
        #[cfg(feature = "postgres")]
        Dialect::Postgres => format!(
            "(extract(epoch FROM date_trunc('{unit}', to_timestamp({seconds}) AT TIME ZONE 'UTC'))::bigint * {SECOND})"
        ),
    })
}

fn push_filters(statement: &mut Statement, kind: &Kind, filters: &[Filter], dialect: Dialect) -> Result<()> {
    statement.push(" WHERE TRUE");
    for Filter { key, test, .. } in filters {
        let (holds, _) = kind.key(key)?;
        statement.push(" AND ").push(key);
        match test {
            Test::Missing => statement.push(" IS NULL"),
            Test::Is(value) => statement.push(" = ").bind(Argument::of(value.clone(), holds)),
            Test::AtLeast(value) => statement.push(" >= ").bind(Argument::of(value.clone(), holds)),
            Test::Below(value) => statement.push(" < ").bind(Argument::of(value.clone(), holds)),
            Test::OneOf(values) => push_one_of(statement, values, holds, dialect),
            _ => return Err(Error::new(career_core::ErrorKind::Unsupported, "this test is not known")),
        };
    }
    Ok(())
}

/// The values go as one JSON array, so that the statement is the same for any number of them.
fn push_one_of<'a>(
    statement: &'a mut Statement,
    values: &[KeyValue],
    holds: KeyType,
    dialect: Dialect,
) -> &'a mut Statement {
    let json = |value: &KeyValue| match value {
        KeyValue::Text(text) => serde_json::Value::from(text.as_str()),
        KeyValue::Int(number) => (*number).into(),
        KeyValue::Time(time) => time.as_microsecond().into(),
        _ => serde_json::Value::Null,
    };
    let array = serde_json::Value::from_iter(values.iter().map(json)).to_string();
    match dialect {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => {
            let _ = holds;
            statement.push(" IN (SELECT value FROM json_each(").bind(Argument::Text(Some(array))).push("))")
        }
        #[cfg(feature = "postgres")]
        Dialect::Postgres => {
            let cast = if holds == KeyType::Text { "" } else { "::bigint" };
            statement.push(" = ANY (ARRAY(SELECT jsonb_array_elements_text(").bind(Argument::Text(Some(array)));
            statement.push("::jsonb)").push(cast).push("))")
        }
    }
}
