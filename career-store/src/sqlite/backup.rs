//! Copies of a file that is in use, and looking for damage.

use std::path::Path;

use career_core::{Error, ErrorKind, Result};

use super::{SqliteStore, error};

impl SqliteStore {
    /// Writes a copy of the database as it is now to a new file, while it is in use. The copy is one consistent
    /// moment, compact, and a database that [`SqliteStore::open`] opens; to restore it, put it in the place of the
    /// old file while nobody has that open.
    ///
    /// The file appears under its name once it is whole and on disk.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] when there is a file of that name; [`ErrorKind::Io`] when it cannot be written.
    pub async fn backup(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let named = |error: Error| error.in_file(path.to_string_lossy());
        let partial = path.with_added_extension("partial");
        if path.exists() {
            return Err(named(Error::new(ErrorKind::Conflict, "there is a file of this name already")));
        }
        // A copy that was cut off before is of no use to anyone.
        let _ = std::fs::remove_file(&partial);
        let Some(target) = partial.to_str() else {
            return Err(named(Error::invalid("expected a path of Unicode characters")));
        };
        let copied = sqlx::query("VACUUM INTO $1").bind(target).execute(&mut *self.reader().await?).await;
        copied.map_err(|e| named(error(e, "copying")))?;
        let finish = || {
            std::fs::File::open(&partial)?.sync_all()?;
            std::fs::rename(&partial, path)?;
            // The name is on disk once its folder is.
            match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                Some(folder) => std::fs::File::open(folder)?.sync_all(),
                None => std::fs::File::open(".")?.sync_all(),
            }
        };
        finish().map_err(|e| named(Error::new(ErrorKind::Io, "the copy cannot be finished").with_source(e)))
    }

    /// Reads the whole file and checks that it is sound: pages, indexes, references. It takes as long as reading the
    /// file does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] with what SQLite found first.
    pub async fn check(&self) -> Result<()> {
        let mut connection = self.reader().await?;
        let found: Vec<(String,)> = sqlx::query_as("PRAGMA integrity_check(1)")
            .fetch_all(&mut *connection)
            .await
            .map_err(|e| error(e, "checking"))?;
        if let Some((first,)) = found.first().filter(|(first,)| first != "ok") {
            return Err(Error::new(ErrorKind::Corrupt, format!("checking: {first}")));
        }
        let broken = sqlx::query("PRAGMA foreign_key_check").fetch_optional(&mut *connection).await;
        match broken.map_err(|e| error(e, "checking references"))? {
            None => Ok(()),
            Some(_) => Err(Error::new(ErrorKind::Corrupt, "checking: a record refers to one that is not there")),
        }
    }
}
