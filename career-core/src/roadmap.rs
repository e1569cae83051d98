//! Roadmaps: milestones in order, with what each rests on. Progress and the next step are derived, never stored.

use std::collections::HashMap;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{CareerId, Error, ErrorKind, Id, Result, Unit, User};

/// A link or a title of something to learn from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Resource {
    /// Its title.
    pub title: String,
    /// Where it is, if it is on the web.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Resource {
    /// A resource, with its address or without.
    pub fn new(title: impl Into<String>, url: Option<String>) -> Self {
        Resource { title: title.into(), url }
    }
}

/// One step of a roadmap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[builder(on(String, into))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Milestone {
    /// Identity.
    #[builder(default = Id::new())]
    pub id: Id<Milestone>,
    /// What is reached.
    pub title: String,
    /// How, in a few sentences.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[builder(default)]
    pub description: String,
    /// When it should be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Date>,
    /// What helps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub resources: Vec<Resource>,
    /// What must be done before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[builder(default)]
    pub depends_on: Vec<Id<Milestone>>,
    /// When it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<Timestamp>,
}

/// A way to a career.
///
/// ```
/// use career_core::{CareerId, Id, Milestone, Roadmap};
/// use jiff::Timestamp;
///
/// let school = Milestone::builder().title("Finish class 12").build();
/// let exam = Milestone::builder().title("Sit JEE Main").depends_on(vec![school.id]).build();
/// let mut roadmap = Roadmap::new(Id::new(), CareerId::new("civil-engineer")?, vec![school.clone(), exam])?;
/// assert_eq!(roadmap.next().map(|m| m.title.as_str()), Some("Finish class 12"));
///
/// roadmap.complete(school.id, Timestamp::now())?;
/// assert_eq!(roadmap.progress().get(), 0.5);
/// assert_eq!(roadmap.next().map(|m| m.title.as_str()), Some("Sit JEE Main"));
/// # Ok::<(), career_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "RoadmapText", into = "RoadmapText")]
#[schemars(with = "RoadmapText")]
pub struct Roadmap {
    id: Id<Roadmap>,
    owner: Id<User>,
    career: CareerId,
    milestones: Vec<Milestone>,
}

#[derive(Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct RoadmapText {
    id: Id<Roadmap>,
    owner: Id<User>,
    career: CareerId,
    milestones: Vec<Milestone>,
}

impl TryFrom<RoadmapText> for Roadmap {
    type Error = Error;

    fn try_from(RoadmapText { id, owner, career, milestones }: RoadmapText) -> Result<Self> {
        check(&milestones)?;
        Ok(Roadmap { id, owner, career, milestones })
    }
}

impl From<Roadmap> for RoadmapText {
    fn from(Roadmap { id, owner, career, milestones }: Roadmap) -> Self {
        RoadmapText { id, owner, career, milestones }
    }
}

/// Ids are unique and each milestone rests only on earlier ones, so there is no circle.
fn check(milestones: &[Milestone]) -> Result<()> {
    let mut earlier: HashMap<Id<Milestone>, usize> = HashMap::new();
    for (at, milestone) in milestones.iter().enumerate() {
        if let Some(n) = milestone.depends_on.iter().position(|id| !earlier.contains_key(id)) {
            let error = Error::invalid("expected the id of an earlier milestone");
            return Err(error.at_field(format!("milestones[{at}].depends_on[{n}]")));
        }
        if earlier.insert(milestone.id, at).is_some() {
            let error = Error::new(ErrorKind::Conflict, "the same milestone stands twice");
            return Err(error.at_field(format!("milestones[{at}].id")));
        }
    }
    Ok(())
}

impl Roadmap {
    /// A roadmap of these milestones, in this order.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] when an id stands twice, [`ErrorKind::Invalid`] when a milestone depends on one that
    /// does not stand before it; both name the place.
    pub fn new(owner: Id<User>, career: CareerId, milestones: Vec<Milestone>) -> Result<Self> {
        check(&milestones)?;
        Ok(Roadmap { id: Id::new(), owner, career, milestones })
    }

    /// Identity.
    pub const fn id(&self) -> Id<Roadmap> {
        self.id
    }

    /// Whose it is.
    pub const fn owner(&self) -> Id<User> {
        self.owner
    }

    /// Where it leads.
    pub const fn career(&self) -> &CareerId {
        &self.career
    }

    /// The milestones in order.
    pub fn milestones(&self) -> &[Milestone] {
        &self.milestones
    }

    /// The share of milestones that are done; 1 for a roadmap without any.
    pub fn progress(&self) -> Unit {
        let done = self.milestones.iter().filter(|m| m.done_at.is_some()).count();
        match self.milestones.len() {
            0 => Unit::ONE,
            all => Unit::clamped(done as f64 / all as f64),
        }
    }

    /// The first milestone that is not done and rests only on done ones.
    pub fn next(&self) -> Option<&Milestone> {
        self.milestones.iter().find(|m| m.done_at.is_none() && self.is_ready(m))
    }

    /// Marks a milestone as done. Doing it again keeps the first time.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when there is none of that id, [`ErrorKind::IllegalState`] while something that it
    /// depends on is not done.
    pub fn complete(&mut self, id: Id<Milestone>, at: Timestamp) -> Result<()> {
        let place = self.milestones.iter().position(|m| m.id == id).ok_or_else(|| Error::not_found("the milestone"))?;
        if !self.is_ready(&self.milestones[place]) {
            return Err(Error::new(ErrorKind::IllegalState, "a milestone that this one depends on is not done"));
        }
        self.milestones[place].done_at.get_or_insert(at);
        Ok(())
    }

    fn is_ready(&self, milestone: &Milestone) -> bool {
        let is_done = |id: &Id<Milestone>| self.milestones.iter().any(|m| m.id == *id && m.done_at.is_some());
        milestone.depends_on.iter().all(is_done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> (Milestone, Milestone) {
        let first = Milestone::builder().title("first").build();
        let second = Milestone::builder().title("second").depends_on(vec![first.id]).build();
        (first, second)
    }

    fn roadmap(milestones: Vec<Milestone>) -> Result<Roadmap> {
        Roadmap::new(Id::new(), CareerId::new("potter")?, milestones)
    }

    #[test]
    fn dependencies_stand_before_and_are_done_before() {
        let (first, second) = chain();
        let error = roadmap(vec![second.clone(), first.clone()]).expect_err("depends on a later one");
        assert_eq!(error.place().field.as_deref(), Some("milestones[0].depends_on[0]"));
        let mut roadmap = roadmap(vec![first.clone(), second.clone()]).expect("in order");
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(roadmap.complete(second.id, now).expect_err("not ready").kind(), ErrorKind::IllegalState);
        roadmap.complete(first.id, now).expect("ready");
        roadmap.complete(second.id, now).expect("ready now");
        assert_eq!((roadmap.progress(), roadmap.next()), (Unit::ONE, None));
    }

    #[test]
    fn json_with_a_circle_is_refused() {
        let (first, second) = chain();
        let mut json = serde_json::to_value(roadmap(vec![first, second]).expect("in order")).expect("serialises");
        let second_id = json["milestones"][1]["id"].clone();
        json["milestones"][0]["depends_on"] = serde_json::json!([second_id]);
        assert!(serde_json::from_value::<Roadmap>(json).is_err());
    }
}
