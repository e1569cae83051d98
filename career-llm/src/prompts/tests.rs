//! What holds for templates: the checks when they are read, the data blocks, the limits and the premade set.

mod data;
mod limits;
mod read;
mod set;

use serde_json::Value;

use super::{Fault, Limits, Template};

const _: () = {
    const fn is_shared<T: Send + Sync + 'static>() {}
    is_shared::<Template>();
    is_shared::<super::Registry>();
    is_shared::<super::Stored>();
};

/// A template with these variables (TOML) and this body.
fn source(variables: &str, body: &str) -> String {
    format!("+++\nname = \"test\"\nlanguage = \"en\"\ncategory = \"test\"\n{variables}\n+++\n{body}")
}

fn template(variables: &str, body: &str) -> Template {
    Template::parse("test.md", &source(variables, body)).expect("a good template")
}

/// The message and the fault of a template that cannot be read.
fn refused(source: &str) -> (String, Fault) {
    let error = Template::parse("test.md", source).expect_err(source);
    (error.message().to_owned(), Fault::of(&error).expect("a fault"))
}

/// The last turn.
fn said(template: &Template, variables: &Value) -> String {
    let request = template.render(variables).expect("renders");
    request.messages.last().expect("a turn").text().to_string()
}

/// The fault of a rendering.
fn fault(template: &Template, variables: &Value) -> Fault {
    Fault::of(&template.render(variables).expect_err("too much")).expect("a fault")
}

fn within(limits: Limits, variables: &str, body: &str) -> Template {
    Template::parse_within("test.md", &source(variables, body), limits).expect("a good template")
}
