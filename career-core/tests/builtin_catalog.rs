//! The built-in catalogue keeps what it promises; checked against O*NET and ISCO where `CAREER_DATA` has them.
#![cfg(feature = "india")]

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;

use career_core::{Career, Catalog, ExperienceLevel, HollandType, Riasec, SkillKind, Stream};

#[test]
fn it_is_large_and_serves_every_stream() {
    let catalog = Catalog::india();
    assert!(catalog.careers().len() >= 150, "{} careers", catalog.careers().len());
    assert!(catalog.exams().len() >= 60, "{} exams", catalog.exams().len());
    assert!(catalog.categories().len() >= 10);
    for stream in Stream::ALL {
        let open = catalog.careers().iter().filter(|career| career.streams.contains(*stream)).count();
        assert!(open >= 30, "only {open} careers are open to {stream}");
    }
}

#[test]
fn every_career_is_complete() {
    for career in Catalog::india().careers() {
        let id = &career.id;
        assert!(career.description.split_whitespace().count() >= 20, "{id}: description");
        assert!(career.category.is_some() && !career.streams.is_empty(), "{id}: category, streams");
        assert!(career.skills.len() >= 8, "{id}: skills");
        assert!(career.skills.iter().filter(|skill| skill.kind == SkillKind::Soft).count() >= 2, "{id}: soft skills");
        assert!(career.institutions.len() >= 3, "{id}: institutions");
        assert!(career.alternatives.len() >= 2, "{id}: alternatives");
        assert!(career.pros.len() >= 3 && career.cons.len() >= 2 && career.suitable_for.len() >= 2, "{id}: pros, cons");
        assert!(career.riasec.is_some_and(|riasec| riasec.direction().is_some()), "{id}: interests");
        assert!(
            career.tags.len() >= 3 && career.values.is_some() && career.outlook.is_some(),
            "{id}: tags, values, outlook"
        );
        assert!(
            career.work.is_some() && career.education.as_ref().is_some_and(|e| !e.degrees.is_empty()),
            "{id}: work, education"
        );
        let salary = career.salary.unwrap_or_else(|| panic!("{id}: salary"));
        assert_eq!((salary.currency().code(), salary.as_of()), ("INR", 2025), "{id}: salary");
        assert!(salary.band(ExperienceLevel::Junior).min() >= 50_000, "{id}: salary is a year's");
        assert!(career.codes.isco08.is_some() && career.codes.onet_soc.is_some(), "{id}: codes");
        assert!(
            career.figures.as_ref().is_some_and(|f| f.as_of == 2025 && f.source.contains("ndicative")),
            "{id}: figures"
        );
    }
}

#[test]
fn nothing_is_written_from_a_mould() {
    let mut seen: HashMap<&str, &str> = HashMap::new();
    let mut shapes: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for career in Catalog::india().careers() {
        let id = career.id.as_str();
        let texts = [&career.pros, &career.cons, &career.suitable_for].into_iter().flatten();
        for text in texts.chain([&career.description]) {
            if let Some(other) = seen.insert(text, id) {
                panic!("{id} and {other} share a sentence: {text}");
            }
        }
        let needs: Vec<_> = career.skills.iter().map(|s| (s.name.as_str(), s.importance, s.level)).collect();
        shapes.entry(format!("{needs:?}")).or_default().push(id);
        shapes.entry(format!("{:?}", career.riasec)).or_default().push(id);
    }
    for same in shapes.values() {
        assert!(same.len() <= 2, "{same:?} share their skills or their interests to the digit");
    }
}

#[test]
fn skills_have_one_spelling_and_one_kind() {
    let mut spelled: HashMap<String, (&str, SkillKind, &str)> = HashMap::new();
    for career in Catalog::india().careers() {
        for skill in &career.skills {
            let entry = (skill.name.as_str(), skill.kind, career.id.as_str());
            let first = *spelled.entry(skill.name.as_str().to_lowercase()).or_insert(entry);
            assert_eq!((first.0, first.1), (entry.0, entry.1), "in {} and {}", first.2, entry.2);
        }
    }
}

#[test]
fn every_exam_leads_somewhere_and_is_complete() {
    let catalog = Catalog::india();
    let mut unused = Vec::new();
    for exam in catalog.exams() {
        assert!(!exam.conducting_body.is_empty() && !exam.usual_months.is_empty(), "{}", exam.id);
        assert!(exam.times_a_year >= 1 && !exam.leads_to.is_empty() && !exam.description.is_empty(), "{}", exam.id);
        assert!(!exam.streams.is_empty() && exam.as_of == 2025, "{}", exam.id);
        if catalog.careers_after(&exam.id).next().is_none() {
            unused.push(exam.id.as_str());
        }
    }
    assert!(unused.is_empty(), "no career names {unused:?}");
}

#[test]
fn the_usual_streams_can_sit_the_usual_exams() {
    // A school-leaving student who follows the catalogue must find an exam on the way that takes her stream.
    for career in Catalog::india().careers().iter().filter(|career| !career.exams.is_empty()) {
        let open: BTreeSet<Stream> = career
            .exams
            .iter()
            .flat_map(|id| Catalog::india().exam(id.as_str()).expect("resolves").streams.iter())
            .collect();
        let served = career.streams.iter().filter(|stream| open.contains(stream)).count();
        assert!(served > 0, "{}: none of {} may sit any of {:?}", career.id, career.streams, career.exams);
    }
}

/// The folder of a data set, where `CAREER_DATA` has it.
fn data(folder: &str) -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("CAREER_DATA")?).join(folder);
    path.is_dir().then_some(path)
}

/// Rows of a tab-separated file with a header, as the values of some columns.
fn columns(path: PathBuf, separator: u8, names: &[&str]) -> Vec<Vec<String>> {
    let mut reader =
        csv::ReaderBuilder::new().delimiter(separator).quoting(separator == b',').from_path(path).expect("opens");
    let header = reader.headers().expect("has a header").clone();
    let at: Vec<usize> = names.iter().map(|name| header.iter().position(|h| h == *name).expect("column")).collect();
    reader.records().map(|r| r.expect("parses")).map(|r| at.iter().map(|i| r[*i].to_owned()).collect()).collect()
}

#[test]
fn codes_exist_and_interests_agree_with_onet() {
    let (Some(onet), Some(esco)) = (data("onet-29.3"), data("esco-1.1.1")) else {
        eprintln!("not checked against O*NET and ISCO: CAREER_DATA has neither onet-29.3 nor esco-1.1.1");
        return;
    };
    let occupations: HashSet<String> =
        columns(onet.join("Occupation Data.txt"), b'\t', &["O*NET-SOC Code"]).into_iter().flatten().collect();
    let groups: HashSet<String> =
        columns(esco.join("ISCOGroups_en.csv"), b',', &["code"]).into_iter().flatten().collect();
    let mut interests: HashMap<String, [f32; 6]> = HashMap::new();
    for row in columns(onet.join("Interests.txt"), b'\t', &["O*NET-SOC Code", "Element Name", "Scale ID", "Data Value"])
    {
        let kind = HollandType::ALL.iter().find(|kind| kind.as_str().eq_ignore_ascii_case(&row[1]));
        if let (Some(kind), "OI") = (kind, row[2].as_str()) {
            interests.entry(row[0].clone()).or_default()[*kind as usize] = row[3].parse().expect("a number");
        }
    }
    let (mut compared, mut agree) = (0, 0);
    for Career { id, codes, riasec, .. } in Catalog::india().careers() {
        let (isco, soc) = (codes.isco08.as_ref().expect("has one"), codes.onet_soc.as_ref().expect("has one"));
        assert!(groups.contains(isco.as_str()), "{id}: ISCO-08 has no {isco}");
        assert!(occupations.contains(soc.as_str()), "{id}: O*NET has no {soc}");
        if let Some(values) = interests.get(soc.as_str()) {
            let theirs = Riasec::scaled(*values, 1.0, 7.0).expect("O*NET's scale");
            let r = riasec.expect("has one").pearson(&theirs).expect("not flat");
            compared += 1;
            agree += usize::from(r >= 0.6);
        }
    }
    assert!(compared >= 150, "only {compared} careers could be compared");
    assert!(agree * 10 >= compared * 9, "{agree} of {compared} correlate at 0.6 or more");
    println!("{agree} of {compared} interest profiles correlate with O*NET's at r >= 0.6");
}
