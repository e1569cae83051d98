//! The file of a cassette.

use std::collections::HashMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::error::CassetteError;
use super::summary::Summary;
use crate::ModelId;
use crate::layer::common::{SavedError, SavedEvent, SavedModel};

/// The version that is written and read.
const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    cassette: u32,
    model: SavedModel,
}

/// A line: one call.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    pub(super) key: String,
    pub(super) request: Summary,
    pub(super) reply: Reply,
}

/// How the model answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reply {
    /// Not at all.
    Refused(SavedError),
    /// With a stream.
    Stream { events: Vec<SavedEvent>, end: End },
}

/// How a stream ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum End {
    /// With `Done`, the last of the events.
    Whole,
    /// With an error.
    Broken(Box<SavedError>),
    /// Nobody waited for the end.
    Dropped,
}

/// An open cassette.
pub(super) struct Cassette {
    path: PathBuf,
    model: ModelId,
    calls: Mutex<Calls>,
}

#[derive(Default)]
struct Calls {
    recorded: Vec<Arc<Call>>,
    /// Of each key, which calls are recorded, and how many of them were played.
    by_key: HashMap<String, (Vec<usize>, usize)>,
    /// Opened with the first call that is written.
    file: Option<File>,
    /// Why a line could not be written: it may be there in part, and nothing may follow it.
    torn: Option<CassetteError>,
    /// Why a call could not be written when nobody could be told.
    lost: Option<CassetteError>,
}

impl Calls {
    fn add(&mut self, call: Call, played: bool) {
        let (places, plays) = self.by_key.entry(call.key.clone()).or_default();
        places.push(self.recorded.len());
        *plays += usize::from(played);
        self.recorded.push(Arc::new(call));
    }
}

impl Cassette {
    /// A new file.
    pub(super) fn create(path: &Path, model: &ModelId) -> Result<Self, CassetteError> {
        let cassette = Cassette { path: path.to_owned(), model: model.clone(), calls: Mutex::default() };
        let header = Header { cassette: VERSION, model: SavedModel::from(model) };
        let file = OpenOptions::new().append(true).create_new(true).open(path);
        let mut file = file.map_err(|error| cassette.failed(error))?;
        cassette.write(&mut file, &header)?;
        Ok(cassette)
    }

    /// A file that is there, of this model or of any.
    pub(super) fn open(path: &Path, model: Option<&ModelId>) -> Result<Self, CassetteError> {
        let bytes = std::fs::read(path)
            .map_err(|error| CassetteError::File { path: path.to_owned(), source: Arc::new(error) })?;
        let path = path.to_owned();
        // As bytes: a line may be cut in the middle of a character.
        let lines = || bytes.split_inclusive(|byte| *byte == b'\n').enumerate();
        let header = lines().next().and_then(|(_, line)| serde_json::from_slice::<Header>(line).ok());
        let Some(header) = header.filter(|header| header.cassette == VERSION) else {
            return Err(CassetteError::Header { path, expected: VERSION });
        };
        let recorded = ModelId::from(header.model);
        if let Some(asked) = model.filter(|asked| **asked != recorded) {
            return Err(CassetteError::Model { path, recorded: recorded.to_string(), asked: asked.to_string() });
        }
        if !bytes.ends_with(b"\n") {
            return Err(CassetteError::Cut { path, line: lines().count() });
        }
        let mut calls = Calls::default();
        for (at, line) in lines().skip(1) {
            match serde_json::from_slice::<Call>(line) {
                Ok(call) => calls.add(call, false),
                Err(error) => return Err(CassetteError::Line { path, line: at + 1, column: error.column() }),
            }
        }
        Ok(Cassette { path, model: recorded, calls: Mutex::new(calls) })
    }

    pub(super) fn model(&self) -> &ModelId {
        &self.model
    }

    /// How many calls were not played.
    pub(super) fn unplayed(&self) -> usize {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.by_key.values().map(|(places, plays)| places.len().saturating_sub(*plays)).sum()
    }

    /// The next recording of this request.
    pub(super) fn play(&self, key: &str, summary: &Summary) -> Result<Arc<Call>, CassetteError> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = &mut *calls;
        let path = || self.path.clone();
        let Some((places, plays)) = calls.by_key.get_mut(key) else {
            let nearest = calls.recorded.iter().min_by_key(|call| summary.distance(&call.request));
            let difference = match nearest.map(|call| summary.difference(&call.request)) {
                None => "nothing is on it".to_owned(),
                // The form is the same, so it is in a text of the same length or in what a form leaves out.
                Some(same) if same.is_empty() => "it differs in the ids of calls".to_owned(),
                Some(difference) => difference,
            };
            return Err(CassetteError::Unknown { path: path(), difference });
        };
        let place = places.get(*plays).ok_or_else(|| CassetteError::Exhausted { path: path(), times: places.len() })?;
        *plays += 1;
        Ok(calls.recorded[*place].clone())
    }

    /// Writes a call after those that are there. It counts as played. After a line that could not be written none is.
    pub(super) fn add(&self, call: Call) -> Result<(), CassetteError> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = &calls.torn {
            return Err(error.clone());
        }
        if calls.file.is_none() {
            let file = OpenOptions::new().append(true).open(&self.path);
            calls.file = Some(file.map_err(|error| self.failed(error))?);
        }
        if let Some(file) = &mut calls.file
            && let Err(error) = self.write(file, &call)
        {
            calls.torn = Some(error.clone());
            return Err(error);
        }
        calls.add(call, true);
        Ok(())
    }

    /// Remembers that a call could not be written, to tell it with the next one.
    pub(super) fn lose(&self, error: CassetteError) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).lost = Some(error);
    }

    /// That a call before could not be written.
    pub(super) fn lost(&self) -> Result<(), CassetteError> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).lost.take().map_or(Ok(()), Err)
    }

    /// A line at once: what is cut has no end, and is seen when it is read.
    fn write(&self, file: &mut File, line: &impl Serialize) -> Result<(), CassetteError> {
        let mut bytes = serde_json::to_vec(line).map_err(|error| self.failed(error.into()))?;
        bytes.push(b'\n');
        file.write_all(&bytes).and_then(|()| file.flush()).map_err(|error| self.failed(error))
    }

    fn failed(&self, error: std::io::Error) -> CassetteError {
        CassetteError::File { path: self.path.clone(), source: Arc::new(error) }
    }
}

impl fmt::Debug for Cassette {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cassette").field("path", &self.path).field("model", &self.model).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ChatRequest;

    #[test]
    fn nothing_follows_a_line_that_could_not_be_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("c.jsonl");
        let cassette = Cassette::create(&path, &ModelId::new("a", "1")).expect("a new file");
        let call = || Call {
            key: "k".into(),
            request: Summary::of(&ChatRequest::user("x")),
            reply: Reply::Stream { events: Vec::new(), end: End::Dropped },
        };
        cassette.add(call()).expect("written");
        let into = |file: std::io::Result<File>| {
            cassette.calls.lock().expect("not poisoned").file = Some(file.expect("a file"));
        };
        into(File::open(&path)); // only to be read
        assert!(matches!(cassette.add(call()), Err(CassetteError::File { .. })));
        into(OpenOptions::new().append(true).open(&path));
        assert!(matches!(cassette.add(call()), Err(CassetteError::File { .. })), "half a line may be there");
        assert_eq!(Cassette::open(&path, None).expect("a cassette").unplayed(), 1);
    }
}
