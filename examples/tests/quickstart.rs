//! The quickstart as a newcomer runs it.

use std::process::{Command, Output};

use serde_json::Value;

fn quickstart(arguments: &[&str]) -> Output {
    let example = ["run", "--quiet", "--package", "career-examples", "--example", "quickstart", "--"];
    Command::new(env!("CARGO")).args(example).args(arguments).output().expect("cargo runs")
}

fn bundled(name: &str) -> String {
    format!("{}/profiles/{name}.json", env!("CARGO_MANIFEST_DIR"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn without_arguments_it_shows_a_table_reasons_exclusions_a_gap_and_a_counterfactual() {
    let output = quickstart(&[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let out = text(&output.stdout);
    for part in ["careers considered", "█", "\nWhy\n", "Left out: ", "Skill gap to ", "What would bring "] {
        assert!(out.contains(part), "no `{part}` in\n{out}");
    }
}

#[test]
fn json_has_the_promised_shape_and_adds_up_for_every_bundled_profile() {
    for name in ["student-pcm", "student-pcb", "student-commerce", "graduate-changing-field"] {
        let output = quickstart(&["--profile", &bundled(name), "--top", "5", "--json", "--stream-possible"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert!(document["profile"]["stream"].is_string());
        let ranking = document["ranking"].as_array().expect("a list");
        assert_eq!(ranking.len(), 5, "{name}");
        for item in ranking {
            let score = item["score"].as_f64().expect("a number");
            assert!((0.0..=1.0).contains(&score) && item["confidence"].is_f64());
            assert!(item["career"].is_string() && item["title"].is_string());
            let parts = item["components"].as_array().expect("a list");
            let sum: f64 = parts.iter().map(|part| part["contribution"].as_f64().expect("a number")).sum();
            assert!((sum - score).abs() < 1e-9, "{name}: {sum} is not {score}");
            for part in parts {
                assert!(part["name"].is_string() && part["weight"].is_f64() && part["score"].is_f64());
                assert!(part["evidence"]["kind"].is_string());
            }
        }
        let excluded = document["excluded"].as_array().expect("a list");
        assert!(excluded.iter().all(|out| out["constraint"] == "stream-possible" && out["reason"].is_string()));
        assert!(!excluded.is_empty(), "{name}");
    }
}

#[test]
fn a_bad_profile_is_one_error_that_names_the_field() {
    let file = std::env::temp_dir().join(format!("bad-profile-{}.json", std::process::id()));
    let path = file.to_str().expect("UTF-8");
    for (profile, expected) in [
        (r#"{"skills":[{"name":"Python","level":9}]}"#, "field `skills[0].level`: expected a level from 1 to 5"),
        (r#"{"stream":"astrology"}"#, "field `stream`: expected one of"),
        (r#"{"subjets":[]}"#, "field `subjets`: unknown field"),
        ("", "EOF while parsing"),
    ] {
        std::fs::write(&file, profile).expect("writes");
        let output = quickstart(&["--profile", path, "--json"]);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(error.contains(expected) && error.starts_with("error: ") && error.contains(path), "{error}");
        assert!(output.stdout.is_empty() && !error.contains("astrology"));
    }
    std::fs::remove_file(&file).expect("removes");
    let output = quickstart(&["--profile", path]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("cannot be read"));
}

#[test]
fn a_database_keeps_the_profile_and_every_ranking() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("career.db");
    let db = file.to_str().expect("UTF-8");
    let run = |arguments: &[&str]| {
        let output = quickstart(&[&["--db", db][..], arguments].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let first = run(&["--profile", &bundled("student-pcb")]);
    assert!(first.contains("the profile at version 1, rankings: 1"), "{first}");
    let best = first.lines().find_map(|line| line.trim_start().strip_prefix("1. ")).expect("a best career");

    let second = run(&[]);
    assert!(second.contains("the profile at version 1, rankings: 2"), "{second}");
    assert!(second.contains(&format!("The last time {best} was best")), "the profile of the file was ranked: {second}");
    let third = run(&["--profile", &bundled("student-commerce")]);
    assert!(third.contains("the profile at version 2, rankings: 3"), "{third}");

    std::fs::write(&file, "this is no database, only text that is long enough to be looked at".repeat(20))
        .expect("writes");
    let output = quickstart(&["--db", db]);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert_eq!(error.trim_end(), format!("error: {db}: opening: the file is not a database"));
}
