-- One table for each kind of record: id, version and times that every record has, a column for each key, the document.
-- Times are microseconds of the Unix epoch.

CREATE TABLE users (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    email TEXT COLLATE "C",
    role TEXT COLLATE "C" NOT NULL,
    body JSONB NOT NULL
);
CREATE UNIQUE INDEX users_email_unique ON users (email);
CREATE INDEX users_role_index ON users (role, id);
CREATE INDEX users_created_index ON users (created, id);

CREATE TABLE api_keys (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    owner TEXT COLLATE "C" NOT NULL CONSTRAINT api_keys_owner_fk REFERENCES users (id),
    hash TEXT COLLATE "C" NOT NULL,
    body JSONB NOT NULL
);
CREATE UNIQUE INDEX api_keys_hash_unique ON api_keys (hash);
CREATE INDEX api_keys_owner_created_index ON api_keys (owner, created, id);
CREATE INDEX api_keys_created_index ON api_keys (created, id);

CREATE TABLE sessions (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    owner TEXT COLLATE "C" NOT NULL CONSTRAINT sessions_owner_fk REFERENCES users (id),
    token_hash TEXT COLLATE "C" NOT NULL,
    expires BIGINT NOT NULL,
    body JSONB NOT NULL
);
CREATE UNIQUE INDEX sessions_token_hash_unique ON sessions (token_hash);
CREATE INDEX sessions_owner_created_index ON sessions (owner, created, id);
CREATE INDEX sessions_expires_index ON sessions (expires, id);
CREATE INDEX sessions_created_index ON sessions (created, id);

CREATE TABLE profiles (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    owner TEXT COLLATE "C" NOT NULL CONSTRAINT profiles_owner_fk REFERENCES users (id),
    body JSONB NOT NULL
);
CREATE UNIQUE INDEX profiles_owner_unique ON profiles (owner);
CREATE INDEX profiles_created_index ON profiles (created, id);

CREATE TABLE rankings (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    owner TEXT COLLATE "C" NOT NULL CONSTRAINT rankings_owner_fk REFERENCES users (id),
    body JSONB NOT NULL
);
CREATE INDEX rankings_owner_created_index ON rankings (owner, created, id);
CREATE INDEX rankings_created_index ON rankings (created, id);

CREATE TABLE roadmaps (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    owner TEXT COLLATE "C" NOT NULL CONSTRAINT roadmaps_owner_fk REFERENCES users (id),
    career TEXT COLLATE "C" NOT NULL,
    body JSONB NOT NULL
);
CREATE INDEX roadmaps_owner_created_index ON roadmaps (owner, created, id);
CREATE INDEX roadmaps_career_index ON roadmaps (career, id);
CREATE INDEX roadmaps_created_index ON roadmaps (created, id);

CREATE TABLE plans (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    owner TEXT COLLATE "C" NOT NULL CONSTRAINT plans_owner_fk REFERENCES users (id),
    career TEXT COLLATE "C" NOT NULL,
    body JSONB NOT NULL
);
CREATE INDEX plans_owner_created_index ON plans (owner, created, id);
CREATE INDEX plans_career_index ON plans (career, id);
CREATE INDEX plans_created_index ON plans (created, id);

CREATE TABLE achievements (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    owner TEXT COLLATE "C" NOT NULL CONSTRAINT achievements_owner_fk REFERENCES users (id),
    rule TEXT COLLATE "C" NOT NULL,
    body JSONB NOT NULL
);
CREATE UNIQUE INDEX achievements_owner_rule_unique ON achievements (owner, rule);
CREATE INDEX achievements_rule_index ON achievements (rule, id);
CREATE INDEX achievements_created_index ON achievements (created, id);

CREATE TABLE conversations (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    owner TEXT COLLATE "C" NOT NULL CONSTRAINT conversations_owner_fk REFERENCES users (id),
    body JSONB NOT NULL
);
CREATE INDEX conversations_owner_created_index ON conversations (owner, created, id);
CREATE INDEX conversations_created_index ON conversations (created, id);

CREATE TABLE messages (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    conversation TEXT COLLATE "C" NOT NULL CONSTRAINT messages_conversation_fk REFERENCES conversations (id),
    sequence BIGINT NOT NULL,
    client_id TEXT COLLATE "C",
    body JSONB NOT NULL
);
CREATE UNIQUE INDEX messages_conversation_sequence_unique ON messages (conversation, sequence);
CREATE UNIQUE INDEX messages_conversation_client_id_unique ON messages (conversation, client_id);
CREATE INDEX messages_created_index ON messages (created, id);

CREATE TABLE summaries (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    conversation TEXT COLLATE "C" NOT NULL CONSTRAINT summaries_conversation_fk REFERENCES conversations (id),
    through BIGINT NOT NULL,
    body JSONB NOT NULL
);
CREATE UNIQUE INDEX summaries_conversation_through_unique ON summaries (conversation, through);
CREATE INDEX summaries_created_index ON summaries (created, id);

CREATE TABLE jobs (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    company TEXT COLLATE "C" NOT NULL,
    posted BIGINT,
    expires BIGINT,
    body JSONB NOT NULL
);
CREATE INDEX jobs_company_index ON jobs (company, id);
CREATE INDEX jobs_posted_index ON jobs (posted, id);
CREATE INDEX jobs_expires_index ON jobs (expires, id);
CREATE INDEX jobs_created_index ON jobs (created, id);

CREATE TABLE resumes (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    owner TEXT COLLATE "C" NOT NULL CONSTRAINT resumes_owner_fk REFERENCES users (id),
    source TEXT COLLATE "C",
    body JSONB NOT NULL
);
CREATE INDEX resumes_owner_created_index ON resumes (owner, created, id);
CREATE INDEX resumes_source_index ON resumes (source, id);
CREATE INDEX resumes_created_index ON resumes (created, id);

CREATE TABLE cover_letters (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    owner TEXT COLLATE "C" NOT NULL CONSTRAINT cover_letters_owner_fk REFERENCES users (id),
    job TEXT COLLATE "C" CONSTRAINT cover_letters_job_fk REFERENCES jobs (id),
    resume TEXT COLLATE "C" CONSTRAINT cover_letters_resume_fk REFERENCES resumes (id),
    body JSONB NOT NULL
);
CREATE INDEX cover_letters_owner_created_index ON cover_letters (owner, created, id);
CREATE INDEX cover_letters_job_index ON cover_letters (job, id);
CREATE INDEX cover_letters_resume_index ON cover_letters (resume, id);
CREATE INDEX cover_letters_created_index ON cover_letters (created, id);

CREATE TABLE applications (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    owner TEXT COLLATE "C" NOT NULL CONSTRAINT applications_owner_fk REFERENCES users (id),
    job TEXT COLLATE "C" NOT NULL CONSTRAINT applications_job_fk REFERENCES jobs (id),
    resume TEXT COLLATE "C" CONSTRAINT applications_resume_fk REFERENCES resumes (id),
    cover_letter TEXT COLLATE "C" CONSTRAINT applications_cover_letter_fk REFERENCES cover_letters (id),
    status TEXT COLLATE "C" NOT NULL,
    body JSONB NOT NULL
);
CREATE INDEX applications_owner_status_created_index ON applications (owner, status, created, id);
CREATE INDEX applications_job_index ON applications (job, id);
CREATE INDEX applications_resume_index ON applications (resume, id);
CREATE INDEX applications_cover_letter_index ON applications (cover_letter, id);
CREATE INDEX applications_created_index ON applications (created, id);

CREATE TABLE prompts (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    owner TEXT COLLATE "C" CONSTRAINT prompts_owner_fk REFERENCES users (id),
    name TEXT COLLATE "C" NOT NULL,
    category TEXT COLLATE "C" NOT NULL,
    body JSONB NOT NULL
);
CREATE UNIQUE INDEX prompts_owner_name_unique ON prompts (owner, name);
CREATE INDEX prompts_category_index ON prompts (category, id);
CREATE INDEX prompts_name_index ON prompts (name, id);
CREATE INDEX prompts_created_index ON prompts (created, id);

CREATE TABLE notifications (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    owner TEXT COLLATE "C" NOT NULL CONSTRAINT notifications_owner_fk REFERENCES users (id),
    read BIGINT,
    body JSONB NOT NULL
);
CREATE INDEX notifications_owner_created_index ON notifications (owner, created, id);
CREATE INDEX notifications_created_index ON notifications (created, id);

CREATE TABLE interactions (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    owner TEXT COLLATE "C" NOT NULL CONSTRAINT interactions_owner_fk REFERENCES users (id),
    kind TEXT COLLATE "C" NOT NULL,
    candidate TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    body JSONB NOT NULL
);
CREATE INDEX interactions_owner_created_index ON interactions (owner, created, id);
CREATE INDEX interactions_kind_at_index ON interactions (kind, at, id);
CREATE INDEX interactions_candidate_at_index ON interactions (candidate, at, id);
CREATE INDEX interactions_created_index ON interactions (created, id);

CREATE TABLE careers (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    category TEXT COLLATE "C",
    body JSONB NOT NULL
);
CREATE INDEX careers_category_index ON careers (category, id);
CREATE INDEX careers_created_index ON careers (created, id);

CREATE TABLE exams (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    body JSONB NOT NULL
);
CREATE INDEX exams_created_index ON exams (created, id);

CREATE TABLE audit (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    record TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    body JSONB NOT NULL
);
CREATE INDEX audit_record_at_index ON audit (record, at, id);
CREATE INDEX audit_actor_at_index ON audit (actor, at, id);
CREATE INDEX audit_created_index ON audit (created, id);

CREATE TABLE events (
    seq BIGINT GENERATED ALWAYS AS IDENTITY,
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    topic TEXT COLLATE "C" NOT NULL,
    order_key TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    due BIGINT NOT NULL,
    body JSONB NOT NULL
);
CREATE INDEX events_state_due_index ON events (state, due, id);
CREATE INDEX events_order_key_state_index ON events (order_key, state, id);
CREATE INDEX events_created_index ON events (created, id);

CREATE TABLE schedules (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    next BIGINT NOT NULL,
    body JSONB NOT NULL
);
CREATE INDEX schedules_next_index ON schedules (next, id);
CREATE INDEX schedules_created_index ON schedules (created, id);
