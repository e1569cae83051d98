//! Applications for jobs, as a state machine with its history.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::macros::named_enum;
use crate::{CoverLetter, Error, ErrorKind, Id, Job, Result, Resume, User};

named_enum! {
    /// Where an application stands.
    #[non_exhaustive]
    pub enum ApplicationStatus {
        /// Noted, not sent.
        Saved = "saved",
        /// Sent.
        Applied = "applied",
        /// Being looked at.
        Screening = "screening",
        /// In interviews.
        Interview = "interview",
        /// An offer was made.
        Offer = "offer",
        /// The offer was accepted.
        Accepted = "accepted",
        /// The employer declined.
        Rejected = "rejected",
        /// The person withdrew.
        Withdrawn = "withdrawn",
    }
}

impl ApplicationStatus {
    /// Whether nothing follows.
    pub const fn is_final(self) -> bool {
        matches!(self, ApplicationStatus::Accepted | ApplicationStatus::Rejected | ApplicationStatus::Withdrawn)
    }

    /// Whether an application may go from here to there: forward along saved, applied, screening, interview, offer
    /// (steps may be skipped once it is sent); accepted only after an offer; rejected once it is sent; withdrawn
    /// from anywhere that is not final.
    pub fn may_become(self, next: ApplicationStatus) -> bool {
        use ApplicationStatus::{Accepted, Applied, Offer, Rejected, Saved, Withdrawn};
        if self.is_final() {
            return false;
        }
        match next {
            Saved => false,
            Applied => self == Saved,
            Accepted => self == Offer,
            Withdrawn => true,
            Rejected => self != Saved,
            forward => self != Saved && forward > self,
        }
    }
}

/// A change of status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StatusChange {
    /// To what.
    pub status: ApplicationStatus,
    /// When.
    pub at: Timestamp,
    /// A note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Something to be reminded of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Reminder {
    /// When.
    pub at: Timestamp,
    /// Of what.
    pub text: String,
    /// When it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
}

impl Reminder {
    /// A reminder at a moment.
    pub fn new(at: Timestamp, text: impl Into<String>) -> Self {
        Reminder { at, text: text.into(), sent_at: None }
    }
}

/// An application for a job.
///
/// ```
/// use career_core::{Application, ApplicationStatus, ErrorKind, Id};
/// use jiff::Timestamp;
///
/// let now = Timestamp::now();
/// let mut application = Application::saved(Id::new(), Id::new(), now);
/// application.advance(ApplicationStatus::Applied, now, None)?;
/// let error = application.advance(ApplicationStatus::Accepted, now, None).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::IllegalState);
/// assert_eq!(application.status(), ApplicationStatus::Applied);
/// # Ok::<(), career_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "ApplicationText", into = "ApplicationText")]
#[schemars(with = "ApplicationText")]
#[non_exhaustive]
pub struct Application {
    /// Identity.
    pub id: Id<Application>,
    /// Whose it is.
    pub owner: Id<User>,
    /// For what.
    pub job: Id<Job>,
    /// The resume that was sent.
    pub resume: Option<Id<Resume>>,
    /// The letter that was sent.
    pub cover_letter: Option<Id<CoverLetter>>,
    /// Notes of the person.
    pub notes: Vec<String>,
    /// What to be reminded of.
    pub reminders: Vec<Reminder>,
    history: Vec<StatusChange>,
}

#[derive(Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct ApplicationText {
    id: Id<Application>,
    owner: Id<User>,
    job: Id<Job>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resume: Option<Id<Resume>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cover_letter: Option<Id<CoverLetter>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reminders: Vec<Reminder>,
    history: Vec<StatusChange>,
}

impl TryFrom<ApplicationText> for Application {
    type Error = Error;

    fn try_from(text: ApplicationText) -> Result<Self> {
        let ApplicationText { id, owner, job, resume, cover_letter, notes, reminders, history } = text;
        if history.first().map(|change| change.status) != Some(ApplicationStatus::Saved) {
            return Err(Error::invalid("expected a history that begins with `saved`").at_field("history"));
        }
        match history.windows(2).position(|pair| !pair[0].status.may_become(pair[1].status) || pair[1].at < pair[0].at)
        {
            Some(n) => Err(Error::new(ErrorKind::IllegalState, "this change cannot follow the one before it")
                .at_field(format!("history[{}]", n + 1))),
            None => Ok(Application { id, owner, job, resume, cover_letter, notes, reminders, history }),
        }
    }
}

impl From<Application> for ApplicationText {
    fn from(application: Application) -> Self {
        let Application { id, owner, job, resume, cover_letter, notes, reminders, history } = application;
        ApplicationText { id, owner, job, resume, cover_letter, notes, reminders, history }
    }
}

impl Application {
    /// A job noted for later.
    pub fn saved(owner: Id<User>, job: Id<Job>, at: Timestamp) -> Self {
        let history = vec![StatusChange { status: ApplicationStatus::Saved, at, note: None }];
        Application {
            id: Id::new(),
            owner,
            job,
            resume: None,
            cover_letter: None,
            notes: Vec::new(),
            reminders: Vec::new(),
            history,
        }
    }

    /// Where it stands.
    pub fn status(&self) -> ApplicationStatus {
        self.last().status
    }

    /// Every change, the first one being `saved`.
    pub fn history(&self) -> &[StatusChange] {
        &self.history
    }

    /// Goes on to another status.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::IllegalState`] when [`ApplicationStatus::may_become`] says no, [`ErrorKind::Invalid`] when `at`
    /// lies before the last change; the application stays as it was.
    pub fn advance(&mut self, status: ApplicationStatus, at: Timestamp, note: Option<String>) -> Result<()> {
        let last = self.last();
        if !last.status.may_become(status) {
            let message = format!("an application that is {} cannot become {status}", last.status);
            return Err(Error::new(ErrorKind::IllegalState, message));
        }
        if at < last.at {
            return Err(Error::invalid("expected a time that is not before the last change").at_field("at"));
        }
        self.history.push(StatusChange { status, at, note });
        Ok(())
    }

    fn last(&self) -> &StatusChange {
        self.history.last().expect("a history always begins with `saved`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table_of_moves() {
        use ApplicationStatus::*;
        let allowed: &[(ApplicationStatus, &[ApplicationStatus])] = &[
            (Saved, &[Applied, Withdrawn]),
            (Applied, &[Screening, Interview, Offer, Rejected, Withdrawn]),
            (Screening, &[Interview, Offer, Rejected, Withdrawn]),
            (Interview, &[Offer, Rejected, Withdrawn]),
            (Offer, &[Accepted, Rejected, Withdrawn]),
            (Accepted, &[]),
            (Rejected, &[]),
            (Withdrawn, &[]),
        ];
        for (from, to) in allowed {
            for next in ApplicationStatus::ALL {
                assert_eq!(from.may_become(*next), to.contains(next), "{from} -> {next}");
            }
        }
    }

    #[test]
    fn a_forged_history_does_not_parse() {
        let mut json =
            serde_json::to_value(Application::saved(Id::new(), Id::new(), Timestamp::UNIX_EPOCH)).expect("ok");
        assert!(serde_json::from_value::<Application>(json.clone()).is_ok());
        json["history"][0]["status"] = "accepted".into();
        assert!(serde_json::from_value::<Application>(json).is_err());
    }
}
