//! Catalogue files: what is read, and where an error says it stands.

use career_core::{Catalog, ErrorKind, ExperienceLevel, Stream};
use proptest::prelude::*;

const CSV: &str = "\
id,title,aliases,streams,r,i,a,s,e,c,currency,salary_as_of,entry_min,entry_max,mid_min,mid_max,senior_min,senior_max,skills,degrees,years,job_zone,institutions,hours_low,hours_high,stress,balance,travel,remote,alternatives
potter,Potter,ceramic artist|clay worker,arts|vocational,0.8,0.2,0.9,0.3,0.3,0.2,INR,2025,150000,300000,250000,500000,400000,900000,Pottery: technical: 0.9: 3|Patience: soft: 0.7,certificate: Craft certificate|bachelor?: B.F.A.,1,3,College of Art @ Delhi|Some School,35,45,low,good,rare,partial,weaver
weaver,Weaver,,vocational,,,,,,,,,,,,,,,,,,,,,,,,,,potter
";

#[test]
fn csv_reads_every_kind_of_column() {
    let catalog = Catalog::loader()
        .csv("crafts.csv", CSV.as_bytes())
        .and_then(career_core::CatalogLoader::finish)
        .expect("valid");
    let potter = catalog.career("potter").expect("is there");
    assert_eq!(potter.aliases, ["ceramic artist", "clay worker"]);
    assert!(potter.streams.contains(Stream::Arts) && potter.streams.contains(Stream::Vocational));
    assert_eq!(potter.riasec.expect("six values").code(2), "AR");
    assert_eq!(potter.salary.expect("bands").band(ExperienceLevel::Mid).max(), Some(500_000));
    let skills: Vec<_> = potter.skills.iter().map(|s| (s.name.as_str(), s.importance.get(), s.level.get())).collect();
    assert_eq!(skills, [("Pottery", 0.9, 3), ("Patience", 0.7, 3)]);
    let education = potter.education.as_ref().expect("is there");
    assert_eq!(education.degrees.iter().map(|d| d.optional).collect::<Vec<_>>(), [false, true]);
    assert_eq!(potter.institutions[0].city.as_deref(), Some("Delhi"));
    assert_eq!(potter.institutions[1].city, None);
    let weaver = catalog.career("weaver").expect("is there");
    assert_eq!((weaver.riasec, weaver.salary, weaver.work.is_none()), (None, None, true));
}

#[test]
fn csv_errors_name_line_and_column() {
    let cases: &[(&str, &str)] = &[
        ("title\nx\n", "a.csv: row 1: field `id`: this column is missing"),
        ("id,title,colour\n", "a.csv: row 1: field `colour`: this column is not known"),
        ("id,id,title\n", "a.csv: row 1: field `id`: this column stands twice"),
        ("id,title\na,A\nB!,B\n", "a.csv: row 3: field `id`: expected a slug"),
        ("id,title\na\n", "a.csv: row 2: expected as many fields as the header has columns"),
        ("id,title\na,\n", "a.csv: row 2: field `title`: expected a value"),
        ("id,title,streams\na,A,arts|magic\n", "a.csv: row 2: field `streams[1]`: expected one of `pcm`"),
        ("id,title,skills\na,A,Clay:technical:2\n", "a.csv: row 2: field `skills[0]`: expected a value from 0 to 1"),
        (
            "id,title,skills\na,A,Clay:technical:.1|clay:soft:.2\n",
            "a.csv: row 2: field `skills[1]`: the same skill stands twice",
        ),
        ("id,title,r\na,A,0.5\n", "a.csv: row 2: field `i`: expected a number"),
        ("id,title,entry_min\na,A,5\n", "a.csv: row 2: field `entry_max`: expected a number"),
        ("id,title,alternatives\na,A,b\n", "a.csv: row 2: field `alternatives[0]`: no career has the id `b`"),
        ("id,title\na,\"A\nA\"\nb,B\na,C\n", "a.csv: row 5: field `id`: the career id `a` stands twice"),
    ];
    for (text, start) in cases {
        let error = Catalog::loader()
            .csv("a.csv", text.as_bytes())
            .and_then(career_core::CatalogLoader::finish)
            .expect_err(text)
            .to_string();
        assert!(error.starts_with(start), "{text:?} gave: {error}");
    }
    let error = Catalog::loader().csv("a.csv", &b"id,title\na,\xff\n"[..]).expect_err("not UTF-8");
    assert!(error.to_string().starts_with("a.csv: row 2: expected UTF-8"), "{error}");
}

#[test]
fn json_errors_name_row_and_field() {
    let cases: &[(&str, &str)] = &[
        (r#"{"careers":[{"id":"a","title":"A"},{"id":"b"}]}"#, "f.json: row 2: missing field `title`"),
        (
            r#"{"careers":[{"id":"a","title":"A","skills":[{"name":"X","importance":3}]}]}"#,
            "f.json: row 1: field `skills[0].importance`: expected a value from 0 to 1",
        ),
        (r#"{"careers":[{"id":"a","title":"A","colour":1}]}"#, "f.json: row 1: field `colour`: unknown field `colour`"),
        (
            r#"{"careers":[{"id":"a","title":"A","exams":["x"]}]}"#,
            "f.json: row 1: field `exams[0]`: no exam has the id `x`",
        ),
        (
            r#"{"careers":[{"id":"a","title":"A","category":"x"}]}"#,
            "f.json: row 1: field `category`: no category has the id `x`",
        ),
        (
            r#"{"careers":[{"id":"a","title":"A","alternatives":["a"]}]}"#,
            "f.json: row 1: field `alternatives[0]`: a career is not its own",
        ),
        (
            r#"{"careers":[{"id":"a","title":"A"},{"id":"b","title":"B","aliases":["a"]}]}"#,
            "f.json: row 2: field `aliases[0]`: the name `a` also means `a`",
        ),
        (
            r#"{"careers":[{"id":"a","title":"A","aliases":["A"]}]}"#,
            "f.json: row 1: field `aliases[0]`: the name `A` stands twice",
        ),
        (r#"{"exams":[{"id":"x","name":"X"}]}"#, "f.json: row 1: missing field `full_name`"),
        (r#"{"careers":[]} []"#, "f.json: unexpected text after the document"),
        (r#"{"careers":{}}"#, "f.json: field `careers`: expected a sequence"),
        ("", "f.json: EOF while parsing"),
    ];
    for (text, start) in cases {
        let error = Catalog::loader()
            .json("f.json", text)
            .and_then(career_core::CatalogLoader::finish)
            .expect_err(text)
            .to_string();
        assert!(error.starts_with(start), "{text:?} gave: {error}");
    }
}

#[test]
fn references_resolve_across_files_and_declared_names_may_be_shared() {
    let one = r#"{"category":{"id":"x","title":"X"},"careers":[{"id":"a","title":"A","aliases":["Maker"],"alternatives":["b"]}]}"#;
    let two =
        r#"{"careers":[{"id":"b","title":"B","aliases":["maker"],"alternatives":["a"]}],"ambiguous_names":["Maker"]}"#;
    let catalog = Catalog::loader()
        .json("1", one)
        .and_then(|l| l.json("2", two))
        .and_then(career_core::CatalogLoader::finish)
        .expect("valid");
    let found: Vec<_> = catalog.find(" MAKER ").iter().map(|career| career.id.as_str()).collect();
    assert_eq!(found, ["a", "b"]);
    assert_eq!(catalog.careers()[0].category.as_ref().map(career_core::CategoryId::as_str), Some("x"));
    let again = Catalog::loader()
        .json("1", one)
        .and_then(|l| l.json("1 again", one))
        .and_then(career_core::CatalogLoader::finish);
    assert_eq!(again.expect_err("ids stand twice").kind(), ErrorKind::Conflict);
}

proptest! {
    #[test]
    fn no_bytes_make_the_csv_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut text = b"id,title,skills,degrees,r,i,a,s,e,c\n".to_vec();
        text.extend(bytes);
        let _ = Catalog::loader().csv("x", &text[..]).and_then(career_core::CatalogLoader::finish);
    }

    #[test]
    fn no_text_makes_the_json_reader_panic(at in 0..1000_usize, with in any::<char>()) {
        let good = r#"{"careers":[{"id":"a","title":"A","streams":["pcm"],"riasec":{"r":0,"i":1,"a":0,"s":0,"e":0,"c":0}}]}"#;
        let mut chars: Vec<char> = good.chars().collect();
        let at = at % chars.len();
        chars[at] = with;
        let _ = Catalog::loader().json("x", &chars.into_iter().collect::<String>()).and_then(career_core::CatalogLoader::finish);
    }
}
