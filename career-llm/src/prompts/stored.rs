//! Templates that users write, kept in a store; and counts and ratings of all.

use std::collections::BTreeSet;
use std::sync::Arc;

use career_core::store::{Cursor, Page, Query, Store, StoreExt, Versioned, now};
use career_core::{Conflict, Id, PromptTemplate, User};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Comparison, Fault, Limits, Template, premade};
use crate::{ChatRequest, Error, Result};

/// How often a save that loses a race is tried again.
const SAVE_ATTEMPTS: u32 = 8;

/// Users' own templates over the port [`Store`]: checked before they are kept, sandboxed when they are rendered.
///
/// A user could declare a posting as `text` and so let it out of its data block. What is `untrusted` in the premade set
/// (`resume`, `posting`, `message` and so on) must be so here too; [`with_outside`](Stored::with_outside) adds the
/// host's own names. Objects with fields of both kinds, such as `messages` with their speakers, are not among them.
///
/// A record is one template of one user. Its body is the whole source, header included. The store counts the version:
/// each change of the body is a new one, and its uses and ratings begin again, since they were of another text.
#[derive(Debug, Clone)]
pub struct Stored {
    store: Arc<dyn Store>,
    limits: Limits,
    /// Variables whose texts are always from outside.
    outside: BTreeSet<String>,
}

impl Stored {
    /// Templates in this store, within [`Limits::of_users`].
    pub fn new(store: Arc<dyn Store>) -> Self {
        Stored { store, limits: Limits::of_users(), outside: premade::outside() }
    }

    /// Other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// More variables by which the host gives text from outside: a template that declares one as `text` is refused.
    #[must_use]
    pub fn with_outside(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.outside.extend(names.into_iter().map(Into::into));
        self
    }

    fn read(&self, file: &str, source: &str) -> Result<Template> {
        let template = Template::parse_within(file, source, self.limits.clone())?;
        template.guards(&self.outside)?;
        Ok(template)
    }

    /// Checks a template, renders it with its examples when each variable that is required has one, and keeps it under
    /// its name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Template`](crate::ErrorKind::Template) when it is wrong; nothing is kept then.
    /// [`ErrorKind::Backend`](crate::ErrorKind::Backend) when the store fails.
    pub async fn save(&self, owner: Id<User>, source: &str) -> Result<Versioned<PromptTemplate>> {
        let template = self.check(source)?;
        let mut attempt = 1;
        loop {
            let tried = match self.find(owner, template.name()).await? {
                Some(found) => self.change(&found, &template).await,
                None => self.insert(owner, &template).await,
            };
            match tried {
                Err(error) if attempt < SAVE_ATTEMPTS && is_race(&error) => attempt += 1,
                tried => return Ok(tried?),
            }
        }
    }

    fn check(&self, source: &str) -> Result<Template> {
        let template = self.read("template", source)?;
        let variables = &template.header().variables;
        if variables.values().all(|variable| variable.example.is_some() || !variable.required) {
            template.render(&template.examples())?;
        }
        Ok(template)
    }

    async fn insert(&self, owner: Id<User>, template: &Template) -> career_core::Result<Versioned<PromptTemplate>> {
        let record = record(Id::new(), Some(owner), template, 1);
        self.store.insert(&record).await?;
        self.store.load::<PromptTemplate>(&record.id).await
    }

    async fn change(
        &self,
        found: &Versioned<PromptTemplate>,
        template: &Template,
    ) -> career_core::Result<Versioned<PromptTemplate>> {
        self.store
            .modify::<PromptTemplate>(&found.id, |kept| {
                if kept.body != template.source() {
                    let created = kept.created_at;
                    *kept = record(kept.id, kept.owner, template, kept.version.saturating_add(1));
                    kept.created_at = created;
                }
                Ok(())
            })
            .await
    }

    /// The template of this user under this name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Backend`](crate::ErrorKind::Backend) when the store fails.
    pub async fn find(&self, owner: Id<User>, name: &str) -> Result<Option<Versioned<PromptTemplate>>> {
        Ok(self.store.first(&Query::owned_by(owner).key("name", name)).await?)
    }

    /// The templates of this user, newest first, a page at a time; those of one category when it is given.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Backend`](crate::ErrorKind::Backend) when the store fails.
    pub async fn list(
        &self,
        owner: Id<User>,
        category: Option<&str>,
        after: Option<Cursor>,
    ) -> Result<Page<Versioned<PromptTemplate>>> {
        let mut query = Query::owned_by(owner).newest().after(after);
        if let Some(category) = category {
            query = query.key("category", category.to_owned());
        }
        Ok(self.store.list(&query).await?)
    }

    /// Forgets the template of this user under this name; whether there was one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Backend`](crate::ErrorKind::Backend) when the store fails.
    pub async fn delete(&self, owner: Id<User>, name: &str) -> Result<bool> {
        let Some(found) = self.find(owner, name).await? else { return Ok(false) };
        self.store.delete::<PromptTemplate>(&found.id).await?;
        Ok(true)
    }

    /// Reads a kept template, within the limits.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Template`](crate::ErrorKind::Template) when it is wrong, for instance since it was kept by other
    /// means or under wider limits.
    pub fn open(&self, record: &PromptTemplate) -> Result<Template> {
        let file = format!("template {}", record.id);
        let template = self.read(&file, &record.body)?;
        if template.name() != record.name || *template.language() != record.language {
            return Err(
                Fault::Header.at(format!("{file}:1: the header is of another name or language than the record"))
            );
        }
        Ok(template.with_version(record.version))
    }

    /// Writes the request of a user's template, and counts the use.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Template`](crate::ErrorKind::Template) when there is none or as for [`Template::render`],
    /// [`ErrorKind::Backend`](crate::ErrorKind::Backend) when the store fails.
    pub async fn render<C: Serialize + ?Sized + Sync>(
        &self,
        owner: Id<User>,
        name: &str,
        variables: &C,
    ) -> Result<ChatRequest> {
        let found = self.find(owner, name).await?;
        let found = found.ok_or_else(|| Fault::NotFound.at("no such template of this user"))?;
        let request = self.open(&found)?.render(variables)?;
        self.record_use(found.id).await?;
        Ok(request)
    }

    /// Keeps a record of a template that is no user's, such as a premade one, so that its uses and ratings count too.
    /// The same name, language and version give the same record, however often this is called.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Backend`](crate::ErrorKind::Backend) when the store fails.
    pub async fn track(&self, template: &Template) -> Result<Id<PromptTemplate>> {
        let id = tracked_id(template)?;
        match self.store.insert(&record(id, None, template, template.header().version)).await {
            Ok(_) => Ok(id),
            Err(error) if matches!(error.conflict(), Some(Conflict::Exists { .. })) => Ok(id),
            Err(error) => Err(error.into()),
        }
    }

    /// Counts one more use. Uses that are counted at the same time are all counted.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Template`](crate::ErrorKind::Template) when there is no such record,
    /// [`ErrorKind::Backend`](crate::ErrorKind::Backend) when the store fails.
    pub async fn record_use(&self, id: Id<PromptTemplate>) -> Result<u64> {
        let counted = self.store.modify::<PromptTemplate>(&id, |kept| {
            kept.used = kept.used.saturating_add(1);
            Ok(())
        });
        Ok(counted.await.map_err(missing)?.used)
    }

    /// Adds a rating of 1 to 5 stars.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for another number of stars, else as for
    /// [`record_use`](Stored::record_use).
    pub async fn rate(&self, id: Id<PromptTemplate>, stars: u8) -> Result<career_core::Rating> {
        career_core::Rating::default().add(stars).map_err(|_| Error::invalid("expected 1 to 5 stars"))?;
        let rated = self.store.modify::<PromptTemplate>(&id, |kept| kept.rating.add(stars));
        Ok(rated.await.map_err(missing)?.rating)
    }

    /// Compares two templates by their ratings.
    ///
    /// # Errors
    ///
    /// As for [`record_use`](Stored::record_use).
    pub async fn compare(&self, first: Id<PromptTemplate>, second: Id<PromptTemplate>) -> Result<Comparison> {
        let first = self.store.load::<PromptTemplate>(&first).await.map_err(missing)?;
        let second = self.store.load::<PromptTemplate>(&second).await.map_err(missing)?;
        Ok(Comparison::of(&first.rating, &second.rating))
    }
}

/// Whether somebody else saved or deleted the same template in the meantime.
fn is_race(error: &career_core::Error) -> bool {
    matches!(error.conflict(), Some(Conflict::Unique { .. } | Conflict::Version { .. }))
        || error.kind() == career_core::ErrorKind::NotFound
}

fn missing(error: career_core::Error) -> Error {
    match error.kind() {
        career_core::ErrorKind::NotFound => Fault::NotFound.at("no template of this id"),
        _ => error.into(),
    }
}

fn record(id: Id<PromptTemplate>, owner: Option<Id<User>>, template: &Template, version: u32) -> PromptTemplate {
    let header = template.header();
    PromptTemplate::builder()
        .id(id)
        .maybe_owner(owner)
        .name(header.name.clone())
        .version(version)
        .category(header.category.as_str())
        .tags(header.tags.clone())
        .language(header.language.clone())
        .body(template.source())
        .created_at(now())
        .build()
}

/// An id made of what names a template: a UUID of version 8 (RFC 9562).
fn tracked_id(template: &Template) -> Result<Id<PromptTemplate>> {
    let header = template.header();
    let hash = Sha256::digest(format!("{}\n{}\n{}", header.name, header.language, header.version));
    let mut digits: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    digits.replace_range(12..13, "8");
    digits.replace_range(16..17, "8");
    Ok(digits.parse()?)
}
