//! Events, notifications and interactions: what happened, who is told, what was done with a recommendation.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::macros::named_enum;
use crate::{
    Achievement, Application, ApplicationStatus, CandidateId, Conversation, Id, Message, Milestone, Resume, Roadmap,
    Tag, User,
};

/// Something that happened, kept in the transaction in which it happened and handled at least once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// A message was kept.
    MessageAdded {
        /// In which conversation.
        conversation: Id<Conversation>,
        /// Which.
        message: Id<Message>,
    },
    /// A profile changed.
    ProfileChanged {
        /// Whose.
        user: Id<User>,
    },
    /// A milestone was done.
    MilestoneCompleted {
        /// By whom.
        user: Id<User>,
        /// Of which roadmap.
        roadmap: Id<Roadmap>,
        /// Which.
        milestone: Id<Milestone>,
    },
    /// An achievement was awarded.
    AchievementAwarded {
        /// To whom.
        user: Id<User>,
        /// Which.
        achievement: Id<Achievement>,
    },
    /// An application moved.
    ApplicationMoved {
        /// Whose.
        user: Id<User>,
        /// Which.
        application: Id<Application>,
        /// Where to.
        status: ApplicationStatus,
    },
    /// A resume was uploaded.
    ResumeUploaded {
        /// By whom.
        user: Id<User>,
        /// Which.
        resume: Id<Resume>,
    },
    /// A schedule came round.
    ScheduleFired {
        /// Which.
        schedule: Tag,
        /// For which time; it may be handled later.
        due: Timestamp,
    },
    /// Something of the host's own.
    Custom {
        /// What happened.
        topic: Tag,
        /// Events of the same key are handled in order.
        key: String,
        /// What the host's handler needs; ids rather than personal data.
        payload: serde_json::Value,
    },
}

named_enum! {
    /// The kind of an [`Event`], for rules and handlers.
    #[non_exhaustive]
    pub enum EventKind {
        /// A message was kept.
        MessageAdded = "message-added",
        /// A profile changed.
        ProfileChanged = "profile-changed",
        /// A milestone was done.
        MilestoneCompleted = "milestone-completed",
        /// An achievement was awarded.
        AchievementAwarded = "achievement-awarded",
        /// An application moved.
        ApplicationMoved = "application-moved",
        /// A resume was uploaded.
        ResumeUploaded = "resume-uploaded",
        /// A schedule came round.
        ScheduleFired = "schedule-fired",
        /// Something of the host's own.
        Custom = "custom",
    }
}

impl Event {
    /// Its kind.
    pub const fn kind(&self) -> EventKind {
        match self {
            Event::MessageAdded { .. } => EventKind::MessageAdded,
            Event::ProfileChanged { .. } => EventKind::ProfileChanged,
            Event::MilestoneCompleted { .. } => EventKind::MilestoneCompleted,
            Event::AchievementAwarded { .. } => EventKind::AchievementAwarded,
            Event::ApplicationMoved { .. } => EventKind::ApplicationMoved,
            Event::ResumeUploaded { .. } => EventKind::ResumeUploaded,
            Event::ScheduleFired { .. } => EventKind::ScheduleFired,
            Event::Custom { .. } => EventKind::Custom,
        }
    }

    /// By what handlers find it: its kind, or the topic of the host's own.
    pub fn topic(&self) -> &str {
        if let Event::Custom { topic, .. } = self { topic.as_str() } else { self.kind().as_str() }
    }

    /// Events of the same key are handled in the order in which they happened: those of a conversation, and those of
    /// a person.
    pub fn order_key(&self) -> String {
        match self {
            Event::MessageAdded { conversation, .. } => conversation.to_string(),
            Event::ProfileChanged { user }
            | Event::MilestoneCompleted { user, .. }
            | Event::AchievementAwarded { user, .. }
            | Event::ApplicationMoved { user, .. }
            | Event::ResumeUploaded { user, .. } => user.to_string(),
            Event::ScheduleFired { schedule, .. } => schedule.to_string(),
            Event::Custom { key, .. } => key.clone(),
        }
    }
}

/// Something a person is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Notification {
    /// Identity.
    #[builder(default = Id::new())]
    pub id: Id<Notification>,
    /// Who is told.
    pub user: Id<User>,
    /// In one line.
    pub title: String,
    /// In full.
    pub body: String,
    /// When it was made.
    pub at: Timestamp,
    /// When it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
}

named_enum! {
    /// What a person did with a candidate.
    #[non_exhaustive]
    pub enum InteractionKind {
        /// Looked at it.
        Viewed = "viewed",
        /// Saved it.
        Saved = "saved",
        /// Liked it.
        Liked = "liked",
        /// Disliked it.
        Disliked = "disliked",
        /// Compared it with others.
        Compared = "compared",
        /// Was recommended it.
        Recommended = "recommended",
    }
}

/// Something a person did with a candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Interaction {
    /// Identity.
    #[builder(default = Id::new())]
    pub id: Id<Interaction>,
    /// Who.
    pub user: Id<User>,
    /// What.
    pub kind: InteractionKind,
    /// With what.
    pub candidate: CandidateId,
    /// When.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_in_json_is_the_kind() {
        let event = Event::MilestoneCompleted { user: Id::new(), roadmap: Id::new(), milestone: Id::new() };
        let json = serde_json::to_value(&event).expect("serialises");
        assert_eq!(json["kind"], event.kind().as_str());
        assert_eq!(serde_json::from_value::<Event>(json).expect("parses"), event);
    }
}
