//! What is checked when a template is read.

use serde_json::json;

use super::*;

const NAME: &str = "[variables.name]\ntype = \"text\"";
const LIST: &str = "[variables.items]\ntype = \"list of object\"\nfields = { title = \"text\", rank = \"number?\", of = \"untrusted\" }";

#[test]
fn an_unknown_variable_is_told_with_file_and_line() {
    let text = source(NAME, "[system]\nAdvise.\n\n[user]\nHello {{ name }},\n{{ nmae }}");
    assert_eq!(refused(&text), ("test.md:13: unknown variable `nmae`".into(), Fault::UnknownVariable));
    let text = source(LIST, "[user]\n{% for it in items %}\n{{ it.tilte }}{% endfor %}");
    assert_eq!(refused(&text), ("test.md:11: unknown field `tilte` of `it`".into(), Fault::UnknownVariable));
    let text = source(LIST, "[user]\n{% for it in items %}{{ it.title }}{% endfor %}{{ it.title }}{{ loop.index }}");
    assert_eq!(refused(&text).0, "test.md:10: unknown variable `it`");
}

#[test]
fn a_variable_that_no_turn_uses_is_told_with_its_line() {
    let text = source(NAME, "[user]\nHello");
    assert_eq!(refused(&text), ("test.md:5: variable `name` is not used".into(), Fault::UnusedVariable));
}

#[test]
fn headers_are_checked() {
    for (text, what) in [
        ("hello", "test.md:1: expected a header"),
        ("+++\nname = \"a\"", "test.md:1: the header is not closed"),
        ("+++\nname = \"a\"\nlanguage =\n+++\n[user]\nhi", "test.md:3: "),
        ("+++\nname = \"a\"\nlanguage = \"en\"\n+++\n[user]\nhi", "missing field `category`"),
        (&source("colour = 1", "[user]\nhi"), "test.md:5: unknown field `colour`"),
        (&source("version = 0", "[user]\nhi"), "version: expected 1 or more"),
        (&source("[model]\ntemperature = 3", "[user]\nhi"), "model: temperature: expected 0 to 2"),
        (&source("[model]\nmax_output_tokens = 0", "[user]\nhi"), "model: max_output_tokens"),
        (&source("[variables.Name]\ntype = \"text\"", "[user]\nhi"), "variables: expected names"),
        (&source("[variables.loop]\ntype = \"text\"", "[user]\nhi"), "variables: expected names"),
        (&source("[variables.x]\ntype = \"word\"", "[user]\nhi"), "test.md:5: variable `x`: type: expected"),
        (&source("[variables.x]\ntype = \"object\"", "[user]\nhi"), "fields: expected those of the object"),
        (
            &source("[variables.x]\ntype = \"text\"\nfields = { a = \"text\" }", "[user]\nhi"),
            "only an object has fields",
        ),
        (&source("[variables.x]\ntype = \"number\"\ndefault = \"1\"", "[user]\nhi"), "default: expected a number"),
        (
            &source("[variables.x]\ntype = \"list of text\"\nexample = [\"a\", 1]", "[user]\nhi"),
            "example[1]: expected a text",
        ),
        (
            &source("[variables.x]\ntype = \"text\"\nrequired = true\ndefault = \"\"", "[user]\nhi"),
            "so it is not required",
        ),
        (&source("[variables.x]\ntype = \"list of list of list of list of list of text\"", "[user]\nhi"), "4 deep"),
    ] {
        let (message, fault) = refused(text);
        assert!(message.contains(what) && fault == Fault::Header, "{message}");
    }
}

#[test]
fn turns_are_in_order() {
    for (body, what) in [
        ("hello", "test.md:7: expected a line `[system]` or `[user]`"),
        ("", "expected a line `[user]`"),
        ("[system]\nhi", "the last turn is to be a `[user]`"),
        ("[user]\nhi\n[system]\nhi\n[user]\nhi", "test.md:9: `[system]` comes once"),
        ("[user]\nhi\n[assistant]\nhi", "the last turn is to be a `[user]`"),
    ] {
        let (message, fault) = refused(&source("", body));
        assert!(message.contains(what) && fault == Fault::Syntax, "{message}");
    }
    let request =
        template("", "[system]\nA\n[user]\nB\n[assistant]\nC\n[user]\nD\n").render(&json!({})).expect("renders");
    assert_eq!(request.system.as_deref(), Some("A"));
    assert_eq!(request.messages.iter().map(|m| m.text().to_string()).collect::<Vec<_>>(), ["B", "C", "D"]);
}

#[test]
fn what_a_prompt_may_not_do_is_refused() {
    for (body, what) in [
        ("{% include \"x\" %}", "`include` is not allowed"),
        ("{% extends \"x\" %}", "`extends` is not allowed"),
        ("{% block x %}{% endblock %}", "`block` is not allowed"),
        ("{% component x() %}{% endcomponent %}", "`component` is not allowed"),
        ("{% set x = name %}", "`set` is not allowed"),
        ("{% set_global x = name %}", "`set_global` is not allowed"),
        ("{% raw %}{{ x }}{% endraw %}", "`raw` is not allowed"),
        ("{% filter upper %}x{% endfilter %}", "`filter` is not allowed"),
        ("{% for x in items %}{% break %}{% endfor %}", "`break` is not allowed"),
        ("{{ range(end=9) }}", "a prompt calls no functions"),
        ("{% for x in range(end=9) %}{% endfor %}", "a prompt calls no functions"),
        ("{{ throw(message=name) }}", "a prompt calls no functions"),
        ("{{ name | replace(from=\"a\", to=\"b\") }}", "unknown filter `replace`"),
        ("{{ name | indent(width=1000) }}", "unknown filter `indent`"),
        ("{{ name | safe }}", "unknown filter `safe`"),
        ("{{ items | join(sep=name) }}", "`join` takes `sep=` text of at most 64 bytes"),
        ("{{ name | truncate(length=9999999) }}", "`truncate` takes"),
        ("{{ name ~ name }}", "`~` is not allowed here"),
        ("{{ 9 ** 9 }}", "`**` is not allowed here"),
        ("{{ name[0] }}", "`[` is not allowed here"),
        ("{{ [name] }}", "`[` is not allowed here"),
        ("{{ {\"a\": name} }}", "`{` is not allowed here"),
        ("{{ [x for x in items] }}", "`[` is not allowed here"),
        ("{{ name if name else name }}", "`if` is not allowed here"),
        ("{{ <Button /> }}", "`<` is not allowed here"),
        ("{{ name?.x }}", "`?.` is not allowed here"),
        ("{{ __tera_context }}", "unknown variable `__tera_context`"),
    ] {
        let variables = format!("{NAME}\n[variables.items]\ntype = \"list of text\"");
        let (message, _) = refused(&source(&variables, &format!("[user]\n{body}")));
        assert!(message.contains(what), "{body}: {message}");
        assert!(message.starts_with("test.md:11: "), "{body}: {message}");
    }
}

#[test]
fn what_does_not_close_or_fit_is_refused() {
    let variables = format!("{NAME}\n{LIST}\n[variables.maybe]\ntype = \"number\"\nrequired = false");
    for (body, what) in [
        ("{% if name %}", "this `if` has no `endif`"),
        ("{% for x in items %}", "this `for` has no `endfor`"),
        ("{% endif %}", "this closes what is not open"),
        ("{% if name %}{% else %}{% else %}{% endif %}", "expected `endif` after its `else`"),
        ("{% if name %}{% endfor %}", "this `if` has no `endif`"),
        ("{{ }}", "expected a variable"),
        ("{{ items }}", "a list is not printed"),
        ("{% for x in items %}{{ x }}{% endfor %}", "an object is not printed"),
        ("{% for x in name %}{{ x }}{% endfor %}", "expected a list to loop over"),
        ("{% for name in items %}{% endfor %}", "`name` has a meaning already"),
        ("{% for x in items %}{% for x in items %}{% endfor %}{% endfor %}", "`x` has a meaning already"),
        ("{{ name.x }}", "`name` has no fields"),
        ("{{ items | upper }}", "`upper` is not for text from outside"),
        ("{{ maybe | round }}", "`round` does not take this"),
        ("{% if maybe > 1 %}{% endif %}", "a number that may be absent is not compared"),
        ("{% if name == 1 %}{% endif %}", "values of two types are not compared"),
        ("{% if name is defined %}{% endif %}", "`is` is not allowed here"),
        ("{% if (name %}{% endif %}", "expected `)`"),
    ] {
        let (message, _) = refused(&source(&variables, &format!("[user]\n{body}")));
        assert!(message.contains(what), "{body}: {message}");
    }
}

#[test]
fn values_are_checked_and_the_variable_is_named_but_not_its_value() {
    let template = template(
        &format!("{LIST}\n[variables.count]\ntype = \"number\"\ndefault = 3"),
        "[user]\n{{ count }}{% for it in items %} {{ loop.index }}={{ it.title }}/{{ it.rank }}/{% if it.of %}{{ it.of }}{% endif %}{% endfor %}",
    );
    for (given, what, fault) in [
        (json!({}), "test: variable `items` is missing", Fault::MissingVariable),
        (json!({ "items": null }), "test: variable `items` is missing", Fault::MissingVariable),
        (json!({ "items": [], "colour": 1 }), "test: unknown variable `colour`", Fault::UnknownVariable),
        (json!({ "items": [], "Secret words": 1 }), "test: unknown variable of an odd name", Fault::UnknownVariable),
        (json!({ "items": "secret" }), "test: variable `items`: expected a list", Fault::WrongType),
        (json!({ "items": [{ "title": 1 }] }), "test: variable `items[0].of`: expected a text", Fault::WrongType),
        (
            json!({ "items": [{ "title": "a", "of": "b", "secret": 1 }] }),
            "test: variable `items[0]`: expected no field but `of`, `rank`, `title`",
            Fault::WrongType,
        ),
        (json!({ "items": [], "count": "secret" }), "test: variable `count`: expected a number", Fault::WrongType),
        (json!("secret"), "test: expected an object of variables", Fault::WrongType),
    ] {
        let error = template.render(&given).expect_err("wrong");
        assert_eq!((error.message(), Fault::of(&error)), (what, Some(fault)));
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
    let text = said(&template, &json!({ "items": [{ "title": "a", "rank": null, "of": "b" }] }));
    assert!(text.starts_with("3 1=a//<data-"), "{text}");
}

#[test]
fn conditions_filters_and_loops_mean_what_tera_means() {
    let variables = "[variables.name]\ntype = \"text\"\n[variables.items]\ntype = \"list of text\"\n[variables.n]\ntype = \"number\"\n[variables.yes]\ntype = \"bool\"";
    let body = "[user]\n{# a note #}{{- name | trim | upper }} {{ items | length }} {{ items | join(sep=\"+\") }}\
                {% if not yes and (n > 2 or name == \"x\") %} A{% elif yes %} B{% else %} C{% endif %}\
                {% for it in items %}{% if loop.first %} first{% endif %} {{ it | truncate(length=1, end=\".\") }}{% else %} none{% endfor %}";
    let template = template(variables, body);
    let text = said(&template, &json!({ "name": " asha ", "items": ["one", "two"], "n": 3, "yes": false }));
    assert_eq!(text, "ASHA 2 one+two A first o. t.");
    let text = said(&template, &json!({ "name": "x", "items": [], "n": 0, "yes": true }));
    assert_eq!(text, "X 0  B none");
}

#[test]
fn numbers_are_joined_and_rounded() {
    let variables = "[variables.all]\ntype = \"list of number\"\n[variables.n]\ntype = \"number\"";
    let template =
        template(variables, "[user]\n{{ all | join(sep=\", \") }}; {{ n | round(precision=1) }}; {{ n | abs }}");
    assert_eq!(said(&template, &json!({ "all": [1, 2.5], "n": -6.25 })), "1, 2.5; -6.3; 6.25");
    let (message, _) = refused(&source("[variables.n]\ntype = \"number\"", "[user]\n{{ n | round(precision=400) }}"));
    assert!(message.contains("`precision=` number from 0 to 9"), "{message}");
}

#[test]
fn a_turn_that_comes_out_empty_is_an_error() {
    let template = template("[variables.name]\ntype = \"text\"\nrequired = false", "[user]\n{{ name }}");
    assert_eq!(fault(&template, &json!({})), Fault::Blank);
    assert_eq!(said(&template, &json!({ "name": "a" })), "a");
}
