//! The examples of language models as a newcomer runs them.

use std::process::{Command, Output};

use career_llm::testkit::server::{Answer, FaultServer, Protocol};

/// Runs an example with nothing in the environment but what it is given and what cargo needs.
fn run(example: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO"));
    command.args(["run", "--quiet", "--package", "career-examples", "--example", example, "--"]).args(arguments);
    let set_here = |name: &str| name.ends_with("_API_KEY") || name.ends_with("_BASE_URL") || name.ends_with("_MODEL");
    for (name, _) in std::env::vars() {
        if set_here(&name) || name == "OLLAMA_HOST" || name == "CAREER_LLM_CHAIN" {
            command.env_remove(name);
        }
    }
    command.envs(variables.iter().copied()).output().expect("cargo runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn a_chat_without_any_key_says_in_one_line_what_it_looked_for() {
    let output = run("chat", &["Which careers use botany?"], &[]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    for name in ["OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OLLAMA_HOST"] {
        assert!(said.contains(name), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_streams_from_any_server_that_speaks_the_protocol() {
    let server = FaultServer::start().await.expect("a port");
    server
        .then(Protocol::Completions.error(503, "unavailable", "Come again."))
        .then(Answer::openai_stream(&["A bota", "nist."]));
    let url = server.url();
    let variables = [("OPENAI_BASE_URL", url.as_str()), ("OPENAI_MODEL", "tutor"), ("NO_PROXY", "*")];
    let ask = move || run("chat", &["Who studies plants?"], &variables.map(|(name, value)| (name, value)));
    let output = std::thread::scope(|scope| scope.spawn(ask).join()).expect("it ran");
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "A botanist.\n");
    assert!(
        text(&output.stderr).contains("(openai/tutor: overloaded (HTTP 503, unavailable)"),
        "{}",
        text(&output.stderr)
    );
    let asked = server.requests()[1].json();
    assert_eq!((&asked["stream"], &asked["model"]), (&true.into(), &"tutor".into()));
    assert_eq!(asked["messages"][1]["content"], "Who studies plants?");
}

#[test]
fn a_chain_over_failing_providers_shows_every_attempt() {
    let output = run("fallback", &["--calls", "6"], &[]);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(said.ends_with("6 of 6 calls were answered\n"), "{said}");
    assert!(said.contains("    before, after "), "{said}");
    let said = text(&run("fallback", &["--calls", "1", "--failures", "1"], &[]).stdout);
    assert!(said.contains("no model answered") && said.matches("before, after").count() >= 3, "{said}");
    assert!(said.ends_with("0 of 1 calls were answered\n"), "{said}");
    assert_eq!(run("fallback", &["--failures", "2"], &[]).status.code(), Some(2));
}

#[test]
fn an_answer_that_breaks_the_schema_is_repaired() {
    let output = run("extract", &[], &[]);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(said.contains("\"class\": 11") && said.contains("Repaired, 1 repair(s), by scripted/weak"), "{said}");
}

#[test]
fn a_provider_of_ones_own_streams_and_fails_as_others_do() {
    let output = run("custom_provider", &[], &[]);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(said.contains("well: A botanist. (Some(Usage { input: 0, cached: 0, cache_write: 0, output: 2"), "{said}");
    assert!(said.contains("cut short: wordsmith/quill-2: protocol violated"), "{said}");
    assert!(said.contains("overloaded (HTTP 200) | Some(\"out of ink\")"), "{said}");
    assert!(said.contains("not authorised (HTTP 401) | Some(\"who are you?\")") && !said.contains("a key"), "{said}");
}
