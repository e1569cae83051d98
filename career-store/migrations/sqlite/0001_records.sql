-- One table for each kind of record: id, version and times that every record has, a column for each key, the document.
-- Times are microseconds of the Unix epoch.

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    email TEXT,
    role TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_email_unique ON users (email);
CREATE INDEX users_role_index ON users (role, id);
CREATE INDEX users_created_index ON users (created, id);

CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    owner TEXT NOT NULL CONSTRAINT api_keys_owner_fk REFERENCES users (id),
    hash TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX api_keys_hash_unique ON api_keys (hash);
CREATE INDEX api_keys_owner_created_index ON api_keys (owner, created, id);
CREATE INDEX api_keys_created_index ON api_keys (created, id);

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    owner TEXT NOT NULL CONSTRAINT sessions_owner_fk REFERENCES users (id),
    token_hash TEXT NOT NULL,
    expires INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX sessions_token_hash_unique ON sessions (token_hash);
CREATE INDEX sessions_owner_created_index ON sessions (owner, created, id);
CREATE INDEX sessions_expires_index ON sessions (expires, id);
CREATE INDEX sessions_created_index ON sessions (created, id);

CREATE TABLE profiles (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    owner TEXT NOT NULL CONSTRAINT profiles_owner_fk REFERENCES users (id),
    body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX profiles_owner_unique ON profiles (owner);
CREATE INDEX profiles_created_index ON profiles (created, id);

CREATE TABLE rankings (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    owner TEXT NOT NULL CONSTRAINT rankings_owner_fk REFERENCES users (id),
    body TEXT NOT NULL
) STRICT;
CREATE INDEX rankings_owner_created_index ON rankings (owner, created, id);
CREATE INDEX rankings_created_index ON rankings (created, id);

CREATE TABLE roadmaps (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    owner TEXT NOT NULL CONSTRAINT roadmaps_owner_fk REFERENCES users (id),
    career TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX roadmaps_owner_created_index ON roadmaps (owner, created, id);
CREATE INDEX roadmaps_career_index ON roadmaps (career, id);
CREATE INDEX roadmaps_created_index ON roadmaps (created, id);

CREATE TABLE plans (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    owner TEXT NOT NULL CONSTRAINT plans_owner_fk REFERENCES users (id),
    career TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX plans_owner_created_index ON plans (owner, created, id);
CREATE INDEX plans_career_index ON plans (career, id);
CREATE INDEX plans_created_index ON plans (created, id);

CREATE TABLE achievements (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    owner TEXT NOT NULL CONSTRAINT achievements_owner_fk REFERENCES users (id),
    rule TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX achievements_owner_rule_unique ON achievements (owner, rule);
CREATE INDEX achievements_rule_index ON achievements (rule, id);
CREATE INDEX achievements_created_index ON achievements (created, id);

CREATE TABLE conversations (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    owner TEXT NOT NULL CONSTRAINT conversations_owner_fk REFERENCES users (id),
    body TEXT NOT NULL
) STRICT;
CREATE INDEX conversations_owner_created_index ON conversations (owner, created, id);
CREATE INDEX conversations_created_index ON conversations (created, id);

CREATE TABLE messages (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    conversation TEXT NOT NULL CONSTRAINT messages_conversation_fk REFERENCES conversations (id),
    sequence INTEGER NOT NULL,
    client_id TEXT,
    body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX messages_conversation_sequence_unique ON messages (conversation, sequence);
CREATE UNIQUE INDEX messages_conversation_client_id_unique ON messages (conversation, client_id);
CREATE INDEX messages_created_index ON messages (created, id);

CREATE TABLE summaries (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    conversation TEXT NOT NULL CONSTRAINT summaries_conversation_fk REFERENCES conversations (id),
    through INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX summaries_conversation_through_unique ON summaries (conversation, through);
CREATE INDEX summaries_created_index ON summaries (created, id);

CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    company TEXT NOT NULL,
    posted INTEGER,
    expires INTEGER,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX jobs_company_index ON jobs (company, id);
CREATE INDEX jobs_posted_index ON jobs (posted, id);
CREATE INDEX jobs_expires_index ON jobs (expires, id);
CREATE INDEX jobs_created_index ON jobs (created, id);

CREATE TABLE resumes (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    owner TEXT NOT NULL CONSTRAINT resumes_owner_fk REFERENCES users (id),
    source TEXT,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX resumes_owner_created_index ON resumes (owner, created, id);
CREATE INDEX resumes_source_index ON resumes (source, id);
CREATE INDEX resumes_created_index ON resumes (created, id);

CREATE TABLE cover_letters (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    owner TEXT NOT NULL CONSTRAINT cover_letters_owner_fk REFERENCES users (id),
    job TEXT CONSTRAINT cover_letters_job_fk REFERENCES jobs (id),
    resume TEXT CONSTRAINT cover_letters_resume_fk REFERENCES resumes (id),
    body TEXT NOT NULL
) STRICT;
CREATE INDEX cover_letters_owner_created_index ON cover_letters (owner, created, id);
CREATE INDEX cover_letters_job_index ON cover_letters (job, id);
CREATE INDEX cover_letters_resume_index ON cover_letters (resume, id);
CREATE INDEX cover_letters_created_index ON cover_letters (created, id);

CREATE TABLE applications (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    owner TEXT NOT NULL CONSTRAINT applications_owner_fk REFERENCES users (id),
    job TEXT NOT NULL CONSTRAINT applications_job_fk REFERENCES jobs (id),
    resume TEXT CONSTRAINT applications_resume_fk REFERENCES resumes (id),
    cover_letter TEXT CONSTRAINT applications_cover_letter_fk REFERENCES cover_letters (id),
    status TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX applications_owner_status_created_index ON applications (owner, status, created, id);
CREATE INDEX applications_job_index ON applications (job, id);
CREATE INDEX applications_resume_index ON applications (resume, id);
CREATE INDEX applications_cover_letter_index ON applications (cover_letter, id);
CREATE INDEX applications_created_index ON applications (created, id);

CREATE TABLE prompts (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    owner TEXT CONSTRAINT prompts_owner_fk REFERENCES users (id),
    name TEXT NOT NULL,
    category TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX prompts_owner_name_unique ON prompts (owner, name);
CREATE INDEX prompts_category_index ON prompts (category, id);
CREATE INDEX prompts_name_index ON prompts (name, id);
CREATE INDEX prompts_created_index ON prompts (created, id);

CREATE TABLE notifications (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    owner TEXT NOT NULL CONSTRAINT notifications_owner_fk REFERENCES users (id),
    read INTEGER,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX notifications_owner_created_index ON notifications (owner, created, id);
CREATE INDEX notifications_created_index ON notifications (created, id);

CREATE TABLE interactions (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    owner TEXT NOT NULL CONSTRAINT interactions_owner_fk REFERENCES users (id),
    kind TEXT NOT NULL,
    candidate TEXT NOT NULL,
    at INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX interactions_owner_created_index ON interactions (owner, created, id);
CREATE INDEX interactions_kind_at_index ON interactions (kind, at, id);
CREATE INDEX interactions_candidate_at_index ON interactions (candidate, at, id);
CREATE INDEX interactions_created_index ON interactions (created, id);

CREATE TABLE careers (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    category TEXT,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX careers_category_index ON careers (category, id);
CREATE INDEX careers_created_index ON careers (created, id);

CREATE TABLE exams (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX exams_created_index ON exams (created, id);

CREATE TABLE audit (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    kind TEXT NOT NULL,
    record TEXT NOT NULL,
    at INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX audit_record_at_index ON audit (record, at, id);
CREATE INDEX audit_actor_at_index ON audit (actor, at, id);
CREATE INDEX audit_created_index ON audit (created, id);

CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    topic TEXT NOT NULL,
    order_key TEXT NOT NULL,
    state TEXT NOT NULL,
    due INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX events_state_due_index ON events (state, due, id);
CREATE INDEX events_order_key_state_index ON events (order_key, state, id);
CREATE INDEX events_created_index ON events (created, id);

CREATE TABLE schedules (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    next INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX schedules_next_index ON schedules (next, id);
CREATE INDEX schedules_created_index ON schedules (created, id);
