//! A template cannot hang or blow up its host.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::prompts::Limit;

const ITEMS: &str = "[variables.items]\ntype = \"list of text\"";

fn users(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::of_users();
    change(&mut limits);
    limits
}

/// A variable number of empty texts.
fn items(count: usize) -> Value {
    json!({ "items": vec![""; count] })
}

#[test]
fn nested_loops_are_counted_before_anything_is_rendered() {
    let body =
        "[user]\nx{% for a in items %}{% for b in items %}{% for c in items %}{% endfor %}{% endfor %}{% endfor %}";
    let template = within(users(|limits| limits.iterations = 1_000), ITEMS, body);
    // 9 + 81 + 729 = 819; 10 + 100 + 1000 = 1110.
    assert!(template.render(&items(9)).is_ok());
    assert_eq!(fault(&template, &items(10)), Fault::Limit(Limit::Iterations));
    // It would be 10 to the 12th.
    assert_eq!(fault(&template, &items(10_000)), Fault::Limit(Limit::Iterations));
}

#[test]
fn the_bound_on_iterations_is_exact() {
    let template =
        within(users(|limits| limits.iterations = 7), ITEMS, "[user]\nx{% for a in items %}{{ a }}{% endfor %}");
    assert!(template.render(&items(7)).is_ok());
    assert_eq!(fault(&template, &items(8)), Fault::Limit(Limit::Iterations));
}

#[test]
fn branches_that_would_not_be_taken_count_too() {
    let body = "[user]\nx{% if false %}{% for a in items %}{% endfor %}{% endif %}";
    let template = within(users(|limits| limits.iterations = 7), ITEMS, body);
    assert_eq!(fault(&template, &items(8)), Fault::Limit(Limit::Iterations));
}

#[test]
fn work_that_prints_nothing_is_bounded() {
    let condition = vec!["a == a"; 100].join(" and ");
    let body = format!("[user]\nx{{% for a in items %}}{{% if {condition} %}}{{% endif %}}{{% endfor %}}");
    let template = within(users(|limits| limits.work = 10_000), ITEMS, &body);
    assert!(template.render(&items(40)).is_ok());
    assert_eq!(fault(&template, &items(60)), Fault::Limit(Limit::Work));
}

#[test]
fn a_filter_over_a_long_list_in_a_loop_is_work() {
    let body = "[user]\nx{% for a in items %}{% if items | join(sep=\"----------------\") %}{% endif %}{% endfor %}";
    let template = within(Limits::of_users(), ITEMS, body);
    assert!(template.render(&items(20)).is_ok());
    assert_eq!(fault(&template, &items(500)), Fault::Limit(Limit::Work));
}

#[test]
fn output_is_bounded() {
    let repeated = "[user]\n{% for a in items %}0123456789{% endfor %}";
    let template = within(users(|limits| limits.output = 95), ITEMS, repeated);
    assert_eq!(said(&template, &items(9)).len(), 90);
    assert_eq!(fault(&template, &items(10)), Fault::Limit(Limit::Output));
    let turns = "[user]\n{% for a in items %}0123456789{% endfor %}\n[assistant]\nx\n[user]\n0123456789";
    let template = within(users(|limits| limits.output = 95), ITEMS, turns);
    assert_eq!(fault(&template, &items(9)), Fault::Limit(Limit::Output));
}

#[test]
fn values_are_bounded() {
    let template = within(users(|limits| limits.context = 1_000), ITEMS, "[user]\n{{ items | length }}");
    assert_eq!(said(&template, &items(61)), "61");
    assert_eq!(fault(&template, &items(62)), Fault::Limit(Limit::Context));
    assert_eq!(fault(&template, &json!({ "items": ["x".repeat(1_000)] })), Fault::Limit(Limit::Context));
}

#[test]
fn time_is_bounded() {
    let template = within(users(|limits| limits.time = Duration::ZERO), "", "[user]\nhi");
    assert_eq!(fault(&template, &json!({})), Fault::Limit(Limit::Time));
}

#[test]
fn sources_nests_and_brackets_are_bounded() {
    let refused = |text: &str| {
        let error = Template::parse_within("test.md", text, Limits::of_users()).expect_err("too much");
        Fault::of(&error).expect("a fault")
    };
    let long = source("", &format!("[user]\n{}", "x".repeat(20_000)));
    assert_eq!(refused(&long), Fault::Limit(Limit::Source));
    let deep = source("", &format!("[user]\nx{}", "{% if true %}".repeat(1_000)));
    assert_eq!(refused(&deep), Fault::Limit(Limit::Nesting));
    let brackets = source("", &format!("[user]\nx{{% if {} %}}", "(".repeat(5_000)));
    assert_eq!(refused(&brackets), Fault::Limit(Limit::Nesting));
    let branches = format!("[user]\nx{{% if true %}}{}{{% endif %}}", "{% elif true %}".repeat(900));
    assert_eq!(refused(&source("", &branches)), Fault::Limit(Limit::Nesting));
    let toml = source(&format!("tags = {}", "[".repeat(10_000)), "[user]\nx");
    assert_eq!(refused(&toml), Fault::Header);
    let chain = source("[variables.x]\ntype = \"text\"", &format!("[user]\n{{{{ x{} }}}}", " | upper".repeat(1_500)));
    assert_eq!(refused(&chain), Fault::Syntax);
}

#[test]
fn turns_are_bounded_since_each_makes_reading_the_others_dearer() {
    let of = |pairs: usize| source("", &format!("[user]\nx\n{}", "[assistant]\ny\n[user]\nx\n".repeat(pairs)));
    assert!(Template::parse("test.md", &of(31)).is_ok());
    let error = Template::parse("test.md", &of(32)).expect_err("too many");
    assert_eq!(error.message(), "test.md:135: more than 64 turns");
}

proptest::proptest! {
    /// Whatever is written, reading it ends with a template or a fault, never otherwise.
    #[test]
    fn any_text_is_a_template_or_a_fault(body in "(\\[user\\]\n)?([a-z{}%#\"'()|.\\-= \n]|\\{\\{ x|if |for | in |endif|endfor|else|%\\}|\\}\\}){0,60}") {
        let text = source("[variables.x]\ntype = \"list of text\"", &body);
        match Template::parse("test.md", &text) {
            Ok(template) => drop(template.render(&json!({ "x": ["a"] }))),
            Err(error) => proptest::prop_assert!(Fault::of(&error).is_some() && error.message().starts_with("test.md:")),
        }
    }
}
