//! What the words of career guidance mean: the domain models, a checked catalogue of careers, and the ports that
//! backends implement. This crate does no I/O and depends on no other crate of its workspace.
//!
//! ```
//! use career_core::{Catalog, Profile};
//!
//! # #[cfg(feature = "india")] {
//! let catalog = Catalog::india();
//! let nurse = &catalog.find("Nurse")[0];
//! println!("{} starts at {}", nurse.title, nurse.salary.expect("has bands").band(Default::default()));
//! # }
//!
//! let profile = Profile::from_json(r#"{ "education": "grade-11", "stream": "pcb", "tags": ["helping-people"] }"#)?;
//! assert_eq!(profile.tags[0].as_str(), "helping-people");
//! # Ok::<(), career_core::Error>(())
//! ```
//!
//! # Values cannot be wrong
//!
//! What a field may hold is said by its type: a [`Unit`] is in `0..=1`, a [`CareerId`] is a slug, [`SalaryBands`]
//! do not fall, an [`Application`] only makes legal moves. They are checked when made, from JSON too, and an
//! [`Error`] names the file, the row and the field, but never what a person wrote.
//!
//! # Map
//!
//! | module | what is there |
//! |---|---|
//! | [`career`], [`catalog`] | [`Career`], [`Exam`], [`Catalog`] with its loader, the built-in [`Catalog::india`](Catalog) |
//! | [`profile`] | [`Profile`]: what is known of a person, and from where |
//! | [`recommendation`], [`recommender`] | [`RankOptions`] in, [`Ranking`] with explanations out, through the port [`Recommender`] |
//! | [`riasec`], [`skill`], [`education`], [`work`], [`codes`], [`money`], [`unit`](mod@unit), [`text`], [`id`] | the values they are made of |
//! | [`roadmap`], [`plan`], [`achievement`], [`conversation`] | guidance over time |
//! | [`job`], [`application`], [`resume`], [`prompt`] | jobs and documents |
//! | [`user`], [`event`], [`audit`], [`saved`] | users, keys, sessions; events, notifications, interactions; what is kept of them |
//! | [`store`] | the port [`Store`] and what is said to it: records, queries, batches, events on their way |
//! | [`handler`] | the port [`Handler`]: what follows from an event |
//! | [`vector`] | the port [`VectorIndex`]: [`Embedding`]s in, [`Neighbour`]s out |
//! | [`blob`], [`cache`], [`limiter`] | the ports for files, for what may be forgotten, and for how often |
//! | `testkit` | conformance suites for the ports (feature `testkit`) |
//!
//! # Features
//!
//! | feature | default | what it brings |
//! |---|---|---|
//! | `india` | yes | the built-in catalogue |
//! | `testkit` | no | conformance suites for implementers of ports |

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod macros;

pub mod achievement;
pub mod application;
pub mod audit;
pub mod blob;
pub mod cache;
pub mod career;
pub mod catalog;
pub mod codes;
pub mod conversation;
pub mod education;
mod error;
pub mod event;
pub mod handler;
pub mod id;
pub mod job;
pub mod limiter;
pub mod money;
pub mod plan;
pub mod profile;
pub mod prompt;
pub mod recommendation;
pub mod recommender;
pub mod resume;
pub mod riasec;
pub mod roadmap;
pub mod saved;
pub mod skill;
pub mod store;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod text;
pub mod unit;
pub mod user;
pub mod vector;
pub mod work;

pub use achievement::{Achievement, AchievementRule};
pub use application::{Application, ApplicationStatus, Reminder, StatusChange};
pub use audit::{AuditAction, AuditEntry};
pub use blob::BlobStore;
pub use cache::Cache;
pub use career::{Career, Exam, ExamAfter, ExamLevel, ExamMode, Figures, Institution, Month};
pub use catalog::{Catalog, CatalogLoader, Category};
pub use codes::{EscoUri, Isco08, Nco2015, OccupationCodes, OnetSoc};
pub use conversation::{Author, Conversation, ExtractedFact, Message, MessageStatus, SourceRef, Summary};
pub use education::{Degree, DegreeLevel, Education, EducationLevel, JobZone, Stream, StreamSet, SubjectMark};
pub use error::{Conflict, Error, ErrorKind, Place, Result};
pub use event::{Event, EventKind, Interaction, InteractionKind, Notification};
pub use handler::Handler;
pub use id::Id;
pub use job::{EmploymentType, Job, PostingRef};
pub use limiter::{Rate, RateDecision, RateLimiter};
pub use money::{Currency, Money, PayRange, Period, SalaryBands};
pub use plan::{CareerPlan, PlanMilestone, PlanYear};
pub use profile::{ExperienceLevel, Fact, Learned, Origin, Profile, Source, WorkPreferences};
pub use prompt::{PromptTemplate, Rating};
pub use recommendation::{
    Component, ConstraintKind, Constraints, Evidence, Excluded, Exclusion, RankOptions, Ranking, Recommendation,
    ScoreBreakdown,
};
pub use recommender::Recommender;
pub use resume::{CoverLetter, PartialDate, Resume, ResumeDocument, SourceFile};
pub use riasec::{HollandType, Riasec};
pub use roadmap::{Milestone, Resource, Roadmap};
pub use saved::{SavedRanking, UserProfile};
pub use skill::{HeldSkill, SkillKind, SkillLevel, SkillName, SkillNeed, Skills};
pub use store::{Store, StoreExt};
pub use text::{CandidateId, CareerId, CategoryId, ExamId, LanguageTag, PlaceName, Subject, Tag};
pub use unit::Unit;
pub use user::{ApiKey, Email, Role, Session, Sha256Hex, User};
pub use vector::{Embedding, Metadata, Neighbour, VectorIndex, VectorQuery};
pub use work::{
    Balance, Environment, Outlook, Remote, Stress, Travel, WeeklyHours, WorkConditions, WorkStyle, WorkValues,
};
