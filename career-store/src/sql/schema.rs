//! The table of a kind: the columns that every record has, one for each key, the document.

use std::collections::HashSet;

use career_core::store::{KINDS, Key, KeyType, Kind};
use career_core::{Error, ErrorKind, Result};

use super::Dialect;

/// Checks the kinds of a host: each by itself, and that no two kinds, and no two indexes, have one name.
pub(crate) fn check_kinds(host: &[&'static Kind]) -> Result<()> {
    let mut names = HashSet::new();
    for kind in KINDS.iter().chain(host) {
        kind.check()?;
        let uniques = kind.unique.iter().map(|set| unique_name(kind, set));
        let indexes = kind.indexes.iter().map(|set| index_name(kind, set));
        for name in [kind.name.to_owned()].into_iter().chain(uniques).chain(indexes) {
            if !names.insert(name.clone()) {
                return Err(Error::invalid("this name of a kind or of an index is taken").at_field(name));
            }
        }
    }
    Ok(())
}

/// The table was made for a kind with other keys.
pub(crate) fn lacks_key(kind: &Kind, key: &str) -> Error {
    let message = format!("the table of {} lacks a key: another version made it", kind.name);
    Error::new(ErrorKind::Unsupported, message).at_field(key)
}

/// The statements that make the table of a kind and its indexes, if they are not there; the table is the first.
///
/// The built-in kinds are made by the migrations, which a test holds to this; the kinds of hosts are made by it.
pub(crate) fn create(kind: &Kind, dialect: Dialect) -> Vec<String> {
    let mut columns: Vec<String> = head(kind, dialect).iter().map(ToString::to_string).collect();
    columns.extend(kind.keys.iter().map(|key| column(kind, key, dialect)));
    columns.push(format!("body {} NOT NULL", body_type(dialect)));
    let columns = columns.join(",\n    ");
    let mut statements =
        vec![format!("CREATE TABLE IF NOT EXISTS {} (\n    {columns}\n){}", kind.name, table_options(dialect))];
    for set in kind.unique {
        let name = unique_name(kind, set);
        statements.push(format!("CREATE UNIQUE INDEX IF NOT EXISTS {name} ON {} ({})", kind.name, set.join(", ")));
    }
    // The id is the last column of each index, since it is the last key of every order.
    for set in kind.indexes.iter().chain([&["created"][..]].iter()) {
        let name = index_name(kind, set);
        statements.push(format!("CREATE INDEX IF NOT EXISTS {name} ON {} ({}, id)", kind.name, set.join(", ")));
    }
    statements
}

fn index_name(kind: &Kind, set: &[&str]) -> String {
    format!("{}_{}_index", kind.name, set.join("_"))
}

/// The name of the index of a unique set.
pub(crate) fn unique_name(kind: &Kind, set: &[&str]) -> String {
    format!("{}_{}_unique", kind.name, set.join("_"))
}

/// The name of the constraint of a reference.
pub(crate) fn reference_name(kind: &Kind, key: &Key) -> String {
    format!("{}_{}_fk", kind.name, key.name)
}

/// Whether the table numbers its records in the order in which they came: the order of events.
fn is_sequenced(kind: &Kind) -> bool {
    kind.name == "events"
}

fn head(kind: &Kind, dialect: Dialect) -> Vec<&'static str> {
    match dialect {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite if is_sequenced(kind) => vec![
            "seq INTEGER PRIMARY KEY",
            "id TEXT NOT NULL UNIQUE",
            "version INTEGER NOT NULL",
            "created INTEGER NOT NULL",
            "updated INTEGER NOT NULL",
        ],
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => vec![
            "id TEXT NOT NULL PRIMARY KEY",
            "version INTEGER NOT NULL",
            "created INTEGER NOT NULL",
            "updated INTEGER NOT NULL",
        ],
        #[cfg(feature = "postgres")]
        Dialect::Postgres => {
            let mut head = vec![
                "id TEXT COLLATE \"C\" NOT NULL PRIMARY KEY",
                "version BIGINT NOT NULL",
                "created BIGINT NOT NULL",
                "updated BIGINT NOT NULL",
            ];
            if is_sequenced(kind) {
                head.insert(0, "seq BIGINT GENERATED ALWAYS AS IDENTITY");
            }
            head
        }
    }
}

fn column(kind: &Kind, key: &Key, dialect: Dialect) -> String {
    let holds = match (dialect, key.holds) {
        #[cfg(feature = "sqlite")]
        (Dialect::Sqlite, KeyType::Text) => "TEXT",
        #[cfg(feature = "sqlite")]
        (Dialect::Sqlite, _) => "INTEGER",
        #[cfg(feature = "postgres")]
        (Dialect::Postgres, KeyType::Text) => "TEXT COLLATE \"C\"",
        #[cfg(feature = "postgres")]
        (Dialect::Postgres, _) => "BIGINT",
    };
    let null = if key.optional { "" } else { " NOT NULL" };
    let references = key
        .references
        .map_or(String::new(), |target| format!(" CONSTRAINT {} REFERENCES {target} (id)", reference_name(kind, key)));
    format!("{} {holds}{null}{references}", key.name)
}

fn body_type(dialect: Dialect) -> &'static str {
    match dialect {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => "TEXT",
        #[cfg(feature = "postgres")]
        Dialect::Postgres => "JSONB",
    }
}

fn table_options(dialect: Dialect) -> &'static str {
    match dialect {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => " STRICT",
        #[cfg(feature = "postgres")]
        Dialect::Postgres => "",
    }
}
