//! The premade set, and registries over it.

use std::collections::BTreeMap;

use career_core::LanguageTag;
use serde_json::json;

use super::*;
use crate::prompts::{PREMADE, Registry};

fn tag(text: &str) -> LanguageTag {
    LanguageTag::new(text).expect("a tag")
}

#[test]
fn every_premade_template_renders_with_its_examples_in_each_language() {
    let prompts = Registry::premade();
    for name in PREMADE {
        for language in ["en", "hi"] {
            let template = prompts.find(name, &tag(language)).expect(name);
            assert_eq!((template.name(), template.language().as_str()), (*name, language));
            let header = template.header();
            assert!(!header.description.is_empty() && !header.tags.is_empty(), "{name}");
            for (variable, declared) in &header.variables {
                assert!(declared.example.is_some() && !declared.description.is_empty(), "{name}: {variable}");
            }
            let request = template.render(&template.examples()).expect(name);
            request.check().expect(name);
            let system = request.system.expect("a system turn");
            let text = request.messages.last().expect("a turn").text();
            for turn in [&*system, &*text] {
                assert!(!turn.contains("{{") && !turn.contains("{%") && !turn.contains("\n\n\n"), "{name}: {turn}");
            }
            let devanagari = text.chars().filter(|c| ('\u{900}'..='\u{97f}').contains(c)).count();
            assert_eq!(devanagari > 50, language == "hi", "{name}: {text}");
        }
    }
}

#[test]
fn every_premade_template_renders_with_what_is_required_alone() {
    for template in Registry::premade().iter() {
        let variables = &template.header().variables;
        let mut given = template.examples();
        let given = given.as_object_mut().expect("an object");
        given.retain(|name, _| variables[name].required);
        let request = template.render(given).unwrap_or_else(|error| panic!("{}: {error}", template.file()));
        let text = request.messages[0].text();
        assert!(!text.contains("\n\n\n"), "{}: {text}", template.file());
    }
}

#[test]
fn both_languages_have_the_same_names_versions_variables_and_hints() {
    let prompts = Registry::premade();
    for name in PREMADE {
        let of = |language| prompts.find(name, &tag(language)).expect(name).header();
        let (english, hindi) = (of("en"), of("hi"));
        assert_eq!((english.version, &english.category, &english.tags), (hindi.version, &hindi.category, &hindi.tags));
        assert_eq!(english.hints, hindi.hints, "{name}");
        let types = |header: &crate::prompts::Header| -> BTreeMap<_, _> {
            let variables = header.variables.iter();
            variables.map(|(name, it)| (name.clone(), (it.ty.clone(), it.required, it.default.is_some()))).collect()
        };
        assert_eq!(types(english), types(hindi), "{name}");
    }
    assert_eq!(prompts.iter().count(), 2 * PREMADE.len());
}

#[test]
fn what_they_say_is_as_it_was() {
    let prompts = Registry::premade();
    for (name, language) in
        [("career_paths", "en"), ("career_paths", "hi"), ("conversation_summary", "en"), ("salary_talk", "hi")]
    {
        let template = prompts.find(name, &tag(language)).expect(name);
        let request = template.render(&template.examples()).expect("renders");
        let shown = format!("{}\n-----\n{}", request.system.expect("a system turn"), request.messages[0].text());
        insta::assert_snapshot!(format!("{name}_{language}"), shown);
    }
}

#[test]
fn a_language_falls_back_and_the_reply_is_asked_for_in_it() {
    let prompts = Registry::premade();
    let given = json!({ "message": "hello" });
    let system = |language: &str| {
        let request = prompts.render_in("motivation_checkin", &tag(language), &given).expect("renders");
        request.system.expect("a system turn").to_string()
    };
    assert!(system("hi-in").starts_with("आप भारत"));
    assert!(!system("hi-in").contains("BCP 47") && !system("en-in").contains("BCP 47"));
    assert!(system("ta-in").ends_with("Reply in the language whose BCP 47 tag is `ta-in`."));
    let error = prompts.find("nothing", &tag("hi")).expect_err("no such");
    assert_eq!(error.message(), "no template `nothing` for `hi`");
    assert_eq!(Fault::of(&error), Some(Fault::NotFound));
}

fn file(version: u32, language: &str, text: &str) -> String {
    format!(
        "+++\nname = \"skill_gap\"\nversion = {version}\nlanguage = \"{language}\"\ncategory = \"own\"\ntags = [\"a\", \"b\"]\n+++\n[user]\n{text}\n"
    )
}

#[test]
fn a_folder_lies_over_the_premade_set_with_the_newest_version_first() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("deep")).expect("a folder");
    for (path, text) in
        [("a.md", file(2, "en", "two")), ("deep/b.md", file(10, "en", "ten")), ("c.txt", "no template".into())]
    {
        std::fs::write(folder.path().join(path), text).expect("a file");
    }
    let prompts = Registry::premade().with_folder(folder.path()).expect("reads");
    let text = |template: &Template| said(template, &json!({}));
    assert_eq!(text(prompts.find("skill_gap", &tag("en")).expect("there")), "ten");
    assert_eq!(text(prompts.find_version("skill_gap", &tag("en-in"), 2).expect("there")), "two");
    assert_eq!(prompts.find_version("skill_gap", &tag("en"), 1).expect("premade").header().category.as_str(), "skills");
    assert_eq!(prompts.find("skill_gap", &tag("hi")).expect("premade").language().as_str(), "hi");
    assert!(prompts.find_version("skill_gap", &tag("en"), 3).is_err());
    let own = prompts.select(Some("own"), &["a", "b"], None).map(|it| it.header().version).collect::<Vec<_>>();
    assert_eq!(own, [10]);
    assert_eq!(prompts.select(None, &["a", "c"], None).count(), 0);
    assert_eq!(prompts.select(None, &[], Some(&tag("hi"))).count(), PREMADE.len());
}

#[test]
fn a_folder_with_a_fault_is_told_by_file_and_line() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("deep")).expect("a folder");
    std::fs::write(folder.path().join("deep/a.md"), file(2, "en", "a\n{{ b }}")).expect("a file");
    let error = Registry::empty().with_folder(folder.path()).expect_err("a fault");
    assert_eq!(error.message(), "deep/a.md:10: unknown variable `b`");
    std::fs::write(folder.path().join("deep/a.md"), file(2, "en", "a")).expect("a file");
    std::fs::write(folder.path().join("b.md"), file(2, "en", "b")).expect("a file");
    let error = Registry::empty().with_folder(folder.path()).expect_err("twice");
    assert_eq!(error.message(), "deep/a.md:1: the same name, language and version as b.md");
    let error = Registry::empty().with_folder(folder.path().join("none")).expect_err("no folder");
    assert_eq!(error.kind(), crate::ErrorKind::Config);
}
