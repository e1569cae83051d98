//! Copies of a file that is in use, and looking for damage.

use std::path::{Path, PathBuf};

use career_core::{Error, ErrorKind, Id, Result};

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
        let path = path.as_ref().to_owned();
        let file = path.to_string_lossy().into_owned();
        let exists = || Error::new(ErrorKind::Conflict, "there is a file of this name already");
        if path.exists() {
            return Err(exists().in_file(file));
        }
        // A name of its own: two copies to one place do not meet before the end.
        let partial = Partial(path.with_added_extension(format!("{}.partial", Id::<SqliteStore>::new())));
        let Some(target) = partial.0.to_str() else {
            return Err(Error::invalid("expected a path of Unicode characters").in_file(file));
        };
        let copied = sqlx::query("VACUUM INTO $1").bind(target).execute(&mut *self.reader().await?).await;
        copied.map_err(|e| error(e, "copying").in_file(file.clone()))?;
        let finish = move || {
            std::fs::File::open(&partial.0)?.sync_all()?;
            // Unlike a renaming, a link does not take the place of a file that came meanwhile.
            std::fs::hard_link(&partial.0, &path)?;
            // The name is on disk once its folder is.
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            std::fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
        };
        let finished = tokio::task::spawn_blocking(finish).await;
        let finished = finished.map_err(|_| Error::new(ErrorKind::Unavailable, "the runtime is stopping"))?;
        finished.map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => exists().in_file(file),
            _ => Error::new(ErrorKind::Io, "the copy cannot be finished").with_source(e).in_file(file),
        })
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

/// A copy that is being written. It goes when it is done, one way or the other: half of it is of no use to anyone.
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        // If it cannot be removed there is nobody to tell; it may not have been made.
        let _ = std::fs::remove_file(&self.0);
    }
}
