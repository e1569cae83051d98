//! Text files in a folder, changed all together or not at all.
//!
//! A change of several files is written to a journal first. Once the journal has its name, the change has happened:
//! whoever finds a journal, finishes it. Every entry replaces or removes a whole file, so finishing twice, or after
//! half of it was done, comes to the same.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use career_core::{Error, ErrorKind, Result};

/// A folder that this process alone uses.
#[derive(Debug)]
pub(crate) struct Files {
    root: PathBuf,
    // Two processes would finish each other's journals; the lock goes with the file, even when the process is killed.
    _lock: File,
}

/// What becomes of one file.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Change {
    /// Its folder, directly below the root.
    pub(crate) folder: String,
    /// Its name in there.
    pub(crate) name: String,
    /// What it then holds; `None` when it goes.
    pub(crate) text: Option<String>,
}

impl Files {
    /// Opens a folder, makes it if it is not there (its parent must be), and finishes what was cut off in it.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let root = std::path::absolute(path).map_err(|e| failed(path, "is no path", e))?;
        make_folder(&root)?;
        if let Some(parent) = root.parent() {
            sync_folder(parent)?;
        }
        let path = root.join(".lock");
        let lock = File::create(&path).map_err(|e| failed(&path, "cannot be written", e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let error = Error::new(ErrorKind::Unavailable, "it is open elsewhere");
                return Err(error.in_file(root.display().to_string()));
            }
            Err(TryLockError::Error(e)) => return Err(failed(&path, "cannot be locked", e)),
        }
        let files = Files { root, _lock: lock };
        files.finish_journal()?;
        Ok(files)
    }

    /// What a file holds, if it is there.
    pub(crate) fn read(&self, folder: &str, name: &str) -> Result<Option<String>> {
        read(&self.root.join(folder).join(name))
    }

    /// The names of the files in a folder; none if it is not there.
    pub(crate) fn list(&self, folder: &str) -> Result<Vec<String>> {
        let path = self.root.join(folder);
        let names = |entries: fs::ReadDir| {
            let name = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
            entries.map(name).collect::<io::Result<Vec<String>>>()
        };
        match fs::read_dir(&path).and_then(names) {
            Ok(names) => Ok(names),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(failed(&path, "cannot be listed", error)),
        }
    }

    /// Makes these changes: all of them, or none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Indeterminate`] when the journal was written and could not be finished: it will be, before anything
    /// else is read or written here, unless the disk lost it. Any other kind when nothing happened.
    pub(crate) fn change(&self, changes: &[Change]) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        self.write_journal(changes)?;
        self.finish_journal().map_err(|error| {
            Error::new(ErrorKind::Indeterminate, "the journal is written and could not be finished").with_source(error)
        })
    }

    /// Decides that these changes happen.
    fn write_journal(&self, changes: &[Change]) -> Result<()> {
        // The folders come first: they are then on disk whenever the journal is, and an empty one does no harm.
        for folder in changes.iter().map(|change| &change.folder).collect::<BTreeSet<_>>() {
            make_folder(&self.root.join(folder))?;
        }
        let text = serde_json::to_string(changes)
            .map_err(|e| Error::invalid("the changes do not serialise").with_source(e))?;
        // A half-written journal must never have the journal's name: hence another name, the sync, and the renaming,
        // which is one step.
        let draft = self.root.join("journal.draft");
        write(&draft, &text)?;
        fs::rename(&draft, self.journal()).map_err(|e| failed(&draft, "cannot be renamed", e))
    }

    /// Makes the changes of the journal, if there is one. The ordinary way and the way after a crash are the same, so
    /// that the second is as well tried as the first.
    pub(crate) fn finish_journal(&self) -> Result<()> {
        let path = self.journal();
        let Some(text) = read(&path)? else { return Ok(()) };
        let changes: Vec<Change> =
            Error::parse_json(&text).map_err(|e| Error::new(ErrorKind::Corrupt, format!("{}: {e}", path.display())))?;
        // The journal's name must be on disk before the first file is touched.
        sync_folder(&self.root)?;
        for Change { folder, name, text } in &changes {
            let path = self.root.join(folder).join(name);
            match text {
                // In place: what a crash leaves half-written is written again from the journal.
                Some(text) => write(&path, text)?,
                None => match fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(failed(&path, "cannot be removed", error));
                    }
                    _ => {}
                },
            }
        }
        for folder in changes.iter().map(|change| &change.folder).collect::<BTreeSet<_>>() {
            sync_folder(&self.root.join(folder))?;
        }
        // Not synced: should the disk bring this journal back, finishing it again changes nothing, since the next
        // change replaces it before any file is touched.
        fs::remove_file(&path).map_err(|e| failed(&path, "cannot be removed", e))
    }

    fn journal(&self) -> PathBuf {
        self.root.join("journal.json")
    }
}

fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path, "cannot be read", error)),
    }
}

/// Writes a file and waits until the disk has it.
fn write(path: &Path, text: &str) -> Result<()> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error| failed(path, "cannot be written", error))
}

fn make_folder(path: &Path) -> Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(path, "cannot be made", error)),
        _ => Ok(()),
    }
}

/// Waits until the disk has the names in a folder: a file can be synced and its name not. Windows has no such call.
fn sync_folder(path: &Path) -> Result<()> {
    let sync = || if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) };
    sync().map_err(|error| failed(path, "cannot be synced", error))
}

fn failed(path: &Path, what: &str, error: io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::Denied,
        io::ErrorKind::InvalidData => ErrorKind::Corrupt,
        _ => ErrorKind::Io,
    };
    Error::new(kind, what).in_file(path.display().to_string()).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(name: &str, text: Option<&str>) -> Change {
        Change { folder: "notes".into(), name: name.into(), text: text.map(Into::into) }
    }

    fn kept(files: &Files) -> Vec<(String, String)> {
        let mut names = files.list("notes").expect("listed");
        names.sort_unstable();
        let text = |name: &String| files.read("notes", name).expect("read").expect("listed, so there");
        names.iter().map(|name| (name.clone(), text(name))).collect()
    }

    #[test]
    fn a_commit_that_was_cut_off_anywhere_is_finished_on_open() {
        let before = [change("a", Some("old")), change("b", Some("old")), change("c", Some("old"))];
        let after = [change("a", Some("new")), change("b", None), change("d", Some("new"))];
        // Cut off after so many of the three files; the next one is half written.
        for done in 0..=after.len() {
            let folder = tempfile::tempdir().expect("a folder");
            let files = Files::open(folder.path()).expect("opens");
            files.change(&before).expect("written");
            files.write_journal(&after).expect("written");
            for (n, Change { name, text, .. }) in after.iter().enumerate().take(done + 1) {
                let path = folder.path().join("notes").join(name);
                match text {
                    Some(text) => fs::write(path, if n < done { text } else { "n" }).expect("written"),
                    None if n < done => fs::remove_file(path).expect("removed"),
                    None => {}
                }
            }
            drop(files);
            let files = Files::open(folder.path()).expect("opens");
            let expected = [("a", "new"), ("c", "old"), ("d", "new")];
            assert_eq!(kept(&files), expected.map(|(name, text)| (name.into(), text.into())), "after {done}");
            assert!(!files.journal().exists(), "it was finished");
        }
    }

    #[test]
    fn a_journal_that_never_got_its_name_did_not_happen() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = Files::open(folder.path()).expect("opens");
        files.change(&[change("a", Some("old"))]).expect("written");
        fs::write(folder.path().join("journal.draft"), r#"[{"folder":"notes","na"#).expect("written");
        drop(files);
        let files = Files::open(folder.path()).expect("opens");
        assert_eq!(kept(&files), [("a".into(), "old".into())]);
        files.change(&[change("a", Some("new"))]).expect("the draft is in nobody's way");
        assert_eq!(kept(&files), [("a".into(), "new".into())]);
    }

    #[test]
    fn a_change_that_cannot_be_finished_says_so_and_is_finished_later() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = Files::open(folder.path()).expect("opens");
        // A folder stands where the file is to be.
        let obstacle = folder.path().join("notes").join("b");
        fs::create_dir_all(&obstacle).expect("made");
        let error = files.change(&[change("a", Some("1")), change("b", Some("2"))]).expect_err("in the way");
        assert_eq!(error.kind(), ErrorKind::Indeterminate);
        fs::remove_dir(&obstacle).expect("removed");
        files.finish_journal().expect("nothing is in the way");
        assert_eq!(kept(&files), [("a".into(), "1".into()), ("b".into(), "2".into())]);
    }

    #[test]
    fn a_folder_is_open_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = Files::open(folder.path()).expect("opens");
        assert_eq!(Files::open(folder.path()).expect_err("it is open").kind(), ErrorKind::Unavailable);
        drop(first);
        Files::open(folder.path()).expect("it was closed");
    }
}
