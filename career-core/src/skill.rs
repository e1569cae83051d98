//! Skills: what work needs and what a person has.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::macros::{named_enum, small_number};
use crate::{Error, ErrorKind, Result, Unit};

/// Name of a skill as people write it: `C++`, `Data analysis`. Trimmed, one line, 1 to 80 characters.
///
/// Two spellings that differ only in case are one skill: equality and hash ignore case.
///
/// ```
/// use career_core::SkillName;
///
/// assert_eq!(SkillName::new("Python")?, SkillName::new("python ")?);
/// assert_ne!(SkillName::new("C")?, SkillName::new("C++")?);
/// # Ok::<(), career_core::Error>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SkillName {
    text: Arc<str>,
    // Of the lower-case text: tells almost all different names apart without reading them, which is what
    // scoring a person's skills against a candidate's does most of the time.
    hash: u32,
}

impl SkillName {
    /// Checks the text and keeps it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] unless it is one line of 1 to 80 characters.
    pub fn new(text: impl AsRef<str>) -> Result<Self> {
        let text = crate::text::line(text.as_ref(), 80)?;
        Ok(SkillName { text: text.into(), hash: fnv1a(text.chars().flat_map(char::to_lowercase)) })
    }

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the texts differ in nothing but case.
    fn spelled_like(&self, other: &Self) -> bool {
        let lower = |name: &Self| name.text.chars().flat_map(char::to_lowercase).collect::<String>();
        self.text.eq_ignore_ascii_case(&other.text) || lower(self) == lower(other)
    }
}

/// The 32-bit FNV-1a hash of the characters.
fn fnv1a(chars: impl Iterator<Item = char>) -> u32 {
    chars.fold(0x811c_9dc5, |hash, c| (hash ^ u32::from(c)).wrapping_mul(0x0100_0193))
}

impl PartialEq for SkillName {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && (Arc::ptr_eq(&self.text, &other.text) || self.spelled_like(other))
    }
}

impl Eq for SkillName {}

impl std::hash::Hash for SkillName {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.hash.hash(state);
    }
}

impl fmt::Debug for SkillName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl fmt::Display for SkillName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl TryFrom<String> for SkillName {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        SkillName::new(text)
    }
}

impl From<SkillName> for String {
    fn from(name: SkillName) -> String {
        name.as_str().to_owned()
    }
}

impl schemars::JsonSchema for SkillName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SkillName".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "minLength": 1, "maxLength": 80 })
    }
}

named_enum! {
    /// What sort of skill it is.
    #[derive(Default)]
    #[non_exhaustive]
    pub enum SkillKind {
        /// A method or a craft: something one does.
        #[default]
        Technical = "technical",
        /// A way of working with people and oneself.
        Soft = "soft",
        /// Command of a program, a machine, an instrument.
        Tool = "tool",
        /// A body of facts and theory.
        Knowledge = "knowledge",
    }
}

small_number! {
    /// How well a skill is mastered or has to be: 1 aware, 2 basic, 3 able, 4 strong, 5 expert.
    pub struct SkillLevel(1..=5, "expected a level from 1 to 5");
}

impl SkillLevel {
    /// 1, aware.
    pub const LOWEST: SkillLevel = SkillLevel(1);
    /// 3, able: works alone.
    pub const ABLE: SkillLevel = SkillLevel(3);
    /// 5, expert.
    pub const HIGHEST: SkillLevel = SkillLevel(5);
}

impl Default for SkillLevel {
    /// Able.
    fn default() -> Self {
        SkillLevel::ABLE
    }
}

/// A skill that work needs: how much it matters and how well it has to be mastered to start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SkillNeed {
    /// The skill.
    pub name: SkillName,
    /// What sort of skill it is.
    #[serde(default)]
    pub kind: SkillKind,
    /// How much it matters, 0 to 1.
    pub importance: Unit,
    /// The level needed to start; [`SkillLevel::ABLE`] where not said.
    #[serde(default)]
    pub level: SkillLevel,
}

impl SkillNeed {
    /// A needed skill.
    pub const fn new(name: SkillName, kind: SkillKind, importance: Unit, level: SkillLevel) -> Self {
        SkillNeed { name, kind, importance, level }
    }
}

/// A skill that a person has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeldSkill {
    /// The skill.
    pub name: SkillName,
    /// How well it is mastered; [`SkillLevel::ABLE`] where not said.
    #[serde(default)]
    pub level: SkillLevel,
}

impl HeldSkill {
    /// A held skill.
    pub const fn new(name: SkillName, level: SkillLevel) -> Self {
        HeldSkill { name, level }
    }
}

/// Anything that names a skill.
pub trait NamesSkill {
    /// The skill.
    fn skill(&self) -> &SkillName;
}

impl NamesSkill for SkillNeed {
    fn skill(&self) -> &SkillName {
        &self.name
    }
}

impl NamesSkill for HeldSkill {
    fn skill(&self) -> &SkillName {
        &self.name
    }
}

/// A list in which no skill stands twice (names compared without case), in the order given.
///
/// ```
/// use career_core::{HeldSkill, Skills};
///
/// let twice = r#"[{"name":"Python"},{"name":"python","level":4}]"#;
/// assert!(serde_json::from_str::<Skills<HeldSkill>>(twice).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(
    try_from = "Vec<T>",
    into = "Vec<T>",
    bound(serialize = "T: Serialize + Clone", deserialize = "T: Deserialize<'de> + NamesSkill")
)]
#[schemars(with = "Vec<T>")]
pub struct Skills<T>(Vec<T>);

impl<T> Default for Skills<T> {
    fn default() -> Self {
        Skills(Vec::new())
    }
}

impl<T: NamesSkill> Skills<T> {
    /// Checks that no skill stands twice.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] naming the second place.
    pub fn new(skills: Vec<T>) -> Result<Self> {
        let mut seen = std::collections::HashSet::with_capacity(skills.len());
        match skills.iter().position(|skill| !seen.insert(skill.skill())) {
            Some(at) => Err(Error::new(ErrorKind::Conflict, "the same skill stands twice").at_field(format!("[{at}]"))),
            None => Ok(Skills(skills)),
        }
    }

    /// The skill of this name, if it is there.
    #[inline]
    pub fn find(&self, name: &SkillName) -> Option<&T> {
        self.0.iter().find(|skill| skill.skill() == name)
    }

    /// Adds a skill, or replaces the one of that name; gives the one replaced.
    pub fn set(&mut self, skill: T) -> Option<T> {
        match self.0.iter_mut().find(|old| old.skill() == skill.skill()) {
            Some(old) => Some(std::mem::replace(old, skill)),
            None => {
                self.0.push(skill);
                None
            }
        }
    }

    /// Removes the skill of this name; gives it.
    pub fn remove(&mut self, name: &SkillName) -> Option<T> {
        let at = self.0.iter().position(|skill| skill.skill() == name)?;
        Some(self.0.remove(at))
    }
}

impl<T> std::ops::Deref for Skills<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: NamesSkill> TryFrom<Vec<T>> for Skills<T> {
    type Error = Error;

    fn try_from(skills: Vec<T>) -> Result<Self> {
        Skills::new(skills)
    }
}

impl<T> From<Skills<T>> for Vec<T> {
    fn from(skills: Skills<T>) -> Vec<T> {
        skills.0
    }
}

impl<'a, T> IntoIterator for &'a Skills<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(name: &str, level: u8) -> HeldSkill {
        HeldSkill::new(SkillName::new(name).expect("valid"), SkillLevel::new(level).expect("1 to 5"))
    }

    #[test]
    fn a_name_is_one_line_and_compares_without_case() {
        let name = |text| SkillName::new(text).expect("valid");
        assert_eq!(name("  Python ").as_str(), "Python");
        assert_eq!(name("É"), name("é"));
        assert_ne!(name("C"), name("C#"));
        assert!(SkillName::new("a\nb").is_err() && SkillName::new(" ").is_err());
    }

    #[test]
    fn a_skill_twice_is_named_by_its_place() {
        let error = Skills::new(vec![held("Python", 2), held("SQL", 2), held("PYTHON", 3)]).expect_err("twice");
        assert_eq!((error.kind(), error.place().field.as_deref()), (ErrorKind::Conflict, Some("[2]")));
    }

    #[test]
    fn set_replaces_and_remove_takes_out() {
        let mut skills = Skills::new(vec![held("Python", 2), held("SQL", 1)]).expect("distinct");
        assert_eq!(skills.set(held("python", 4)), Some(held("Python", 2)));
        assert_eq!(skills.len(), 2);
        assert_eq!(skills.find(&SkillName::new("PYTHON").expect("valid")).map(|s| s.level.get()), Some(4));
        assert_eq!(skills.remove(&SkillName::new("sql").expect("valid")), Some(held("SQL", 1)));
        assert_eq!(skills.len(), 1);
    }

    #[test]
    fn levels_outside_one_to_five_are_refused() {
        assert!(SkillLevel::new(0).is_err());
        assert!(SkillLevel::new(6).is_err());
        assert!(serde_json::from_str::<HeldSkill>(r#"{"name":"Python","level":7}"#).is_err());
    }
}
