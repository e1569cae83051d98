//! The custom store as a newcomer runs it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn custom_store(arguments: &[&str]) -> Output {
    let example = ["run", "--quiet", "--package", "career-examples", "--example", "custom_store", "--"];
    Command::new(env!("CARGO")).args(example).args(arguments).output().expect("cargo runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// The one file in a folder, its name without the ending.
fn only_file(folder: &Path) -> (String, Value) {
    let paths: Vec<_> = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("read").path()).collect();
    assert_eq!(paths.len(), 1, "{paths:?}");
    let name = paths[0].file_stem().expect("a name").to_str().expect("UTF-8").to_owned();
    (name, serde_json::from_str(&std::fs::read_to_string(&paths[0]).expect("read")).expect("JSON"))
}

#[test]
fn it_passes_the_suite_and_a_second_run_finds_what_the_first_stored() {
    let parent = tempfile::tempdir().expect("a folder");
    let folder = parent.path().join("store");
    let path = folder.to_str().expect("UTF-8");
    for (run, user) in [(1, "  inserted  users "), (2, "  found     users ")] {
        let output = custom_store(&["--dir", path]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let out = text(&output.stdout);
        let line = |start: &str| out.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{out}"));
        let (id, user_file) = only_file(&folder.join("users"));
        assert!(line(user).contains(&id), "{out}");
        assert_eq!(line("  put "), format!("  put       profiles {id}, now at version {run}"));
        assert!(line("  refused ").ends_with("has the same email (Conflict::Unique on [\"email\"])"), "{out}");
        assert!(line("  missing ").ends_with("does not exist (NotFound)"), "{out}");
        assert_eq!(line("  reopened "), "  reopened  1 user, 1 profile");
        assert_eq!((&user_file["version"], &user_file["keys"]["email"]), (&Value::from(1), &"asha@example.org".into()));
        assert_eq!(user_file["body"]["name"], "A student");
        let (owner, profile_file) = only_file(&folder.join("profiles"));
        assert_eq!((owner, &profile_file["version"]), (id, &Value::from(run)));

        // What cannot be held is not declared, and what is not declared is skipped aloud.
        assert!(out.contains("an empty store that declares [Durable]"), "{out}");
        let (ran, rest) = out.split_once(" checks ran, ").expect("a count");
        let ran: u32 = ran.rsplit(' ').next().expect("a number").parse().expect("a number");
        assert!(ran >= 30, "{ran}");
        assert!(rest.starts_with("0 failed, 1 skipped\n  skipped   references_are_held: needs References"), "{out}");
    }
}

#[test]
fn a_folder_that_cannot_be_is_one_error_that_names_it() {
    let parent = tempfile::tempdir().expect("a folder");
    let folder = parent.path().join("nowhere").join("store");
    let output = custom_store(&["--dir", folder.to_str().expect("UTF-8")]);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.starts_with("error: ") && error.contains("nowhere") && error.contains("cannot be made"), "{error}");
}
