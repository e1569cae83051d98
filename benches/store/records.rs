//! Records to store: an application as a person would have it, about half a kilobyte.

use career_core::{Application, Id, Job, User};
use jiff::Timestamp;

/// A user without an address.
pub(crate) fn user() -> User {
    User::builder().name("A student").created_at(Timestamp::UNIX_EPOCH).build()
}

/// A job.
pub(crate) fn job() -> Job {
    Job::builder().title("Staff nurse").company("A hospital").build()
}

/// An application with a few notes.
pub(crate) fn application(owner: Id<User>, job: Id<Job>) -> Application {
    let mut application = Application::saved(owner, job, Timestamp::UNIX_EPOCH);
    application.notes = vec![
        "Asked the ward sister what the first weeks are like; she says nights come early.".to_owned(),
        "They want the registration of the state council and two references by the end of the month.".to_owned(),
        "Bus from home takes 40 minutes, hostel is possible.".to_owned(),
    ];
    application
}
