//! The premade set.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use career_core::LanguageTag;

use super::Template;

macro_rules! premade {
    ($($name:literal),* $(,)?) => {
        /// The names of the premade templates. Each is there in English (`en`) and Hindi (`hi`).
        pub const PREMADE: &[&str] = &[$($name),*];

        /// Files and their text.
        const SOURCES: &[(&str, &str)] = &[
            $((concat!("premade/en/", $name, ".md"), include_str!(concat!("premade/en/", $name, ".md"))),)*
            $((concat!("premade/hi/", $name, ".md"), include_str!(concat!("premade/hi/", $name, ".md"))),)*
        ];
    };
}

premade!(
    "career_compare",
    "career_paths",
    "career_plan",
    "career_question",
    "college_and_exam_guidance",
    "conversation_summary",
    "cover_letter",
    "interview_feedback",
    "interview_practice",
    "job_match",
    "learning_roadmap",
    "motivation_checkin",
    "online_profile",
    "parent_conversation",
    "profile_facts",
    "questionnaire",
    "resume_review",
    "resume_summary",
    "salary_talk",
    "skill_gap",
);

/// Every premade template, read once.
pub(super) fn templates() -> &'static [Arc<Template>] {
    static READ: LazyLock<Vec<Arc<Template>>> = LazyLock::new(|| {
        let read = |(file, source): &(&str, &str)| match Template::parse(file, source) {
            Ok(template) => Arc::new(template),
            // They are constants of this crate, and a test reads every one.
            Err(error) => panic!("a premade template is wrong: {error}"),
        };
        SOURCES.iter().map(read).collect()
    });
    &READ
}

/// The variables that are text from outside in the premade set: a resume, a posting, a message.
pub(super) fn outside() -> BTreeSet<String> {
    let variables = templates().iter().flat_map(|template| &template.header().variables);
    let outside = variables.filter(|(_, variable)| variable.ty.has_untrusted() && !variable.ty.has_text());
    outside.map(|(name, _)| name.clone()).collect()
}

/// The language that all is there in.
pub(super) fn english() -> &'static LanguageTag {
    static TAG: LazyLock<LanguageTag> = LazyLock::new(|| LanguageTag::new("en").expect("`en` is a tag"));
    &TAG
}
