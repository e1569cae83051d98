//! What of each aggregate is a key.

use super::kind::{Key, KeyValue, Kind, Personal, Record};
use super::outbox::{OutboxEntry, Schedule};
use crate::{
    Achievement, ApiKey, Application, AuditEntry, Career, CareerId, CareerPlan, CategoryId, Conversation, CoverLetter,
    Email, Exam, ExamId, Id, Interaction, Job, Message, Notification, PromptTemplate, Resume, Roadmap, SavedRanking,
    Session, Summary, User, UserProfile,
};

/// Every kind of this library, those that are referred to before those that refer to them.
pub const KINDS: &[&Kind] = &[
    User::KIND,
    ApiKey::KIND,
    Session::KIND,
    UserProfile::KIND,
    SavedRanking::KIND,
    Roadmap::KIND,
    CareerPlan::KIND,
    Achievement::KIND,
    Conversation::KIND,
    Message::KIND,
    Summary::KIND,
    Job::KIND,
    Resume::KIND,
    CoverLetter::KIND,
    Application::KIND,
    PromptTemplate::KIND,
    Notification::KIND,
    Interaction::KIND,
    Career::KIND,
    Exam::KIND,
    AuditEntry::KIND,
    OutboxEntry::KIND,
    Schedule::KIND,
];

const OWNER: Key = Key::text("owner").references("users");
const CONVERSATION: Key = Key::text("conversation").references("conversations");

/// Implements [`Record`] from a table of keys: what declares each, and its value.
macro_rules! record {
    (
        $type:ident as $name:literal, $personal:expr, id $id:ty = |$own:ident| $own_id:expr;
        keys { $( $key:expr => |$self:ident| $value:expr ),* $(,)? }
        unique $unique:expr; indexed $indexed:expr;
    ) => {
        impl Record for $type {
            const KIND: &'static Kind =
                &Kind::new($name, &[ $( $key ),* ]).unique($unique).indexed($indexed).personal($personal);
            type Id = $id;

            fn id(&self) -> $id {
                let $own = self;
                $own_id
            }

            fn keys(&self) -> Vec<KeyValue> {
                vec![ $( { let $self = self; $value } ),* ]
            }
        }
    };
}

record! {
    User as "users", Personal::User, id Id<User> = |it| it.id;
    keys {
        Key::text("email").optional().secret() => |it| it.email.as_ref().map(Email::as_str).into(),
        Key::text("role") => |it| it.role.as_str().into(),
    }
    unique &[&["email"]]; indexed &[&["role"]];
}

record! {
    ApiKey as "api_keys", Personal::Owner("owner"), id Id<ApiKey> = |it| it.id;
    keys {
        OWNER => |it| it.owner.into(),
        Key::text("hash") => |it| it.hash.as_str().into(),
    }
    unique &[&["hash"]]; indexed &[&["owner", "created"]];
}

record! {
    Session as "sessions", Personal::Owner("owner"), id Id<Session> = |it| it.id;
    keys {
        OWNER => |it| it.owner.into(),
        Key::text("token_hash") => |it| it.token_hash.as_str().into(),
        Key::time("expires") => |it| it.expires_at.into(),
    }
    unique &[&["token_hash"]]; indexed &[&["owner", "created"], &["expires"]];
}

record! {
    UserProfile as "profiles", Personal::Owner("owner"), id Id<User> = |it| it.owner;
    keys {
        OWNER => |it| it.owner.into(),
    }
    unique &[&["owner"]]; indexed &[];
}

record! {
    SavedRanking as "rankings", Personal::Owner("owner"), id Id<SavedRanking> = |it| it.id;
    keys {
        OWNER => |it| it.owner.into(),
    }
    unique &[]; indexed &[&["owner", "created"]];
}

record! {
    Roadmap as "roadmaps", Personal::Owner("owner"), id Id<Roadmap> = |it| Roadmap::id(it);
    keys {
        OWNER => |it| it.owner().into(),
        Key::text("career") => |it| it.career().as_str().into(),
    }
    unique &[]; indexed &[&["owner", "created"], &["career"]];
}

record! {
    CareerPlan as "plans", Personal::Owner("owner"), id Id<CareerPlan> = |it| it.id;
    keys {
        OWNER => |it| it.owner.into(),
        Key::text("career") => |it| it.career.as_str().into(),
    }
    unique &[]; indexed &[&["owner", "created"], &["career"]];
}

record! {
    Achievement as "achievements", Personal::Owner("owner"), id Id<Achievement> = |it| it.id;
    keys {
        OWNER => |it| it.owner.into(),
        Key::text("rule") => |it| it.rule.as_str().into(),
    }
    unique &[&["owner", "rule"]]; indexed &[&["rule"]];
}

record! {
    Conversation as "conversations", Personal::Owner("owner"), id Id<Conversation> = |it| it.id;
    keys {
        OWNER => |it| it.owner.into(),
    }
    unique &[]; indexed &[&["owner", "created"]];
}

record! {
    Message as "messages", Personal::Through("conversation"), id Id<Message> = |it| it.id;
    keys {
        CONVERSATION => |it| it.conversation.into(),
        Key::int("sequence") => |it| it.sequence.into(),
        Key::text("client_id").optional() => |it| it.client_id.clone().into(),
    }
    unique &[&["conversation", "sequence"], &["conversation", "client_id"]]; indexed &[];
}

record! {
    Summary as "summaries", Personal::Through("conversation"), id Id<Summary> = |it| it.id;
    keys {
        CONVERSATION => |it| it.conversation.into(),
        Key::int("through") => |it| it.through.into(),
    }
    unique &[&["conversation", "through"]]; indexed &[];
}

record! {
    Job as "jobs", Personal::No, id Id<Job> = |it| it.id;
    keys {
        Key::text("company") => |it| it.company.as_str().into(),
        Key::time("posted").optional() => |it| it.posted_at.into(),
        Key::time("expires").optional() => |it| it.expires_at.into(),
    }
    unique &[]; indexed &[&["company"], &["posted"], &["expires"]];
}

record! {
    Resume as "resumes", Personal::Owner("owner"), id Id<Resume> = |it| it.id;
    keys {
        OWNER => |it| it.owner.into(),
        Key::text("source").optional() => |it| it.source.as_ref().map(|file| file.sha256.as_str()).into(),
    }
    unique &[]; indexed &[&["owner", "created"], &["source"]];
}

record! {
    CoverLetter as "cover_letters", Personal::Owner("owner"), id Id<CoverLetter> = |it| it.id;
    keys {
        OWNER => |it| it.owner.into(),
        Key::text("job").optional().references("jobs") => |it| it.job.into(),
        Key::text("resume").optional().references("resumes") => |it| it.resume.into(),
    }
    unique &[]; indexed &[&["owner", "created"], &["job"], &["resume"]];
}

record! {
    Application as "applications", Personal::Owner("owner"), id Id<Application> = |it| it.id;
    keys {
        OWNER => |it| it.owner.into(),
        Key::text("job").references("jobs") => |it| it.job.into(),
        Key::text("resume").optional().references("resumes") => |it| it.resume.into(),
        Key::text("cover_letter").optional().references("cover_letters") => |it| it.cover_letter.into(),
        Key::text("status") => |it| it.status().as_str().into(),
    }
    unique &[]; indexed &[&["owner", "status", "created"], &["job"], &["resume"], &["cover_letter"]];
}

record! {
    PromptTemplate as "prompts", Personal::Owner("owner"), id Id<PromptTemplate> = |it| it.id;
    keys {
        Key::text("owner").optional().references("users") => |it| it.owner.into(),
        Key::text("name") => |it| it.name.as_str().into(),
        Key::text("category") => |it| it.category.as_str().into(),
    }
    unique &[&["owner", "name"]]; indexed &[&["category"], &["name"]];
}

record! {
    Notification as "notifications", Personal::Owner("owner"), id Id<Notification> = |it| it.id;
    keys {
        OWNER => |it| it.user.into(),
        Key::time("read").optional() => |it| it.read_at.into(),
    }
    unique &[]; indexed &[&["owner", "created"]];
}

record! {
    Interaction as "interactions", Personal::Owner("owner"), id Id<Interaction> = |it| it.id;
    keys {
        OWNER => |it| it.user.into(),
        Key::text("kind") => |it| it.kind.as_str().into(),
        Key::text("candidate") => |it| it.candidate.as_str().into(),
        Key::time("at") => |it| it.at.into(),
    }
    unique &[]; indexed &[&["owner", "created"], &["kind", "at"], &["candidate", "at"]];
}

record! {
    Career as "careers", Personal::No, id CareerId = |it| it.id.clone();
    keys {
        Key::text("category").optional() => |it| it.category.as_ref().map(CategoryId::as_str).into(),
    }
    unique &[]; indexed &[&["category"]];
}

record! {
    Exam as "exams", Personal::No, id ExamId = |it| it.id.clone();
    keys {
    }
    unique &[]; indexed &[];
}

record! {
    AuditEntry as "audit", Personal::No, id Id<AuditEntry> = |it| it.id;
    keys {
        Key::text("actor") => |it| it.actor.as_str().into(),
        Key::text("action") => |it| it.action.as_str().into(),
        Key::text("kind") => |it| it.kind.as_str().into(),
        Key::text("record") => |it| it.record.as_str().into(),
        Key::time("at") => |it| it.at.into(),
    }
    unique &[]; indexed &[&["record", "at"], &["actor", "at"]];
}
