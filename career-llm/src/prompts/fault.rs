//! Which rule a template or its variables broke, and the limits.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind};

/// Which rule was broken: the source of an error of the kind [`ErrorKind::Template`], whose message has the place.
///
/// ```
/// use career_llm::ErrorKind;
/// use career_llm::prompts::{Fault, Template};
///
/// let source = "+++\nname = \"hello\"\nlanguage = \"en\"\ncategory = \"demo\"\n+++\n[user]\nHello {{ nmae }}";
/// let error = Template::parse("hello.md", source).expect_err("a slip of the pen");
/// assert_eq!(error.message(), "hello.md:7: unknown variable `nmae`");
/// assert_eq!(Fault::of(&error), Some(Fault::UnknownVariable));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The header is no TOML, lacks a key, has one too many, or a value out of its range.
    Header,
    /// The body cannot be read.
    Syntax,
    /// The body uses what Tera has and a prompt may not: an include, a macro, a function, an unlisted filter.
    Forbidden,
    /// The body, or the caller, names a variable that is not declared.
    UnknownVariable,
    /// A variable is declared and never used.
    UnusedVariable,
    /// The caller gave no value for a variable that has no default.
    MissingVariable,
    /// A value, or a use of one, does not fit the declared type.
    WrongType,
    /// A turn came out empty.
    Blank,
    /// There is no such template.
    NotFound,
    /// A limit was passed.
    Limit(Limit),
}

impl Fault {
    /// The fault behind an error, if a template is to blame.
    pub fn of(error: &Error) -> Option<Fault> {
        std::error::Error::source(error)?.downcast_ref::<Fault>().copied()
    }

    /// The error of it.
    pub(super) fn at(self, message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Template, message).with_source(self)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Header => "wrong header",
            Fault::Syntax => "wrong syntax",
            Fault::Forbidden => "not allowed in a prompt",
            Fault::UnknownVariable => "variable not declared",
            Fault::UnusedVariable => "variable not used",
            Fault::MissingVariable => "variable not given",
            Fault::WrongType => "wrong type",
            Fault::Blank => "empty turn",
            Fault::NotFound => "no such template",
            Fault::Limit(Limit::Source) => "limit on the size of the template",
            Fault::Limit(Limit::Context) => "limit on the size of the variables",
            Fault::Limit(Limit::Nesting) => "limit on nesting",
            Fault::Limit(Limit::Iterations) => "limit on loop iterations",
            Fault::Limit(Limit::Work) => "limit on work",
            Fault::Limit(Limit::Output) => "limit on the size of the output",
            Fault::Limit(Limit::Time) => "limit on time",
        })
    }
}

impl std::error::Error for Fault {}

/// Which limit of [`Limits`] was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// [`Limits::source`].
    Source,
    /// [`Limits::context`].
    Context,
    /// [`Limits::nesting`].
    Nesting,
    /// [`Limits::iterations`].
    Iterations,
    /// [`Limits::work`].
    Work,
    /// [`Limits::output`].
    Output,
    /// [`Limits::time`].
    Time,
}

/// What a template may cost. Every one is checked; the bounds on iterations and work before anything is rendered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Limits {
    /// Most bytes of a template, header included.
    pub source: usize,
    /// Most bytes of the variables' values, with 16 more for each value.
    pub context: usize,
    /// Most tags or brackets inside each other; an `elif` counts as inside of what is before it. Tera itself takes 40.
    pub nesting: usize,
    /// Most iterations of all loops of one rendering, nested ones multiplied, as if every branch were taken.
    pub iterations: u64,
    /// Most work of one rendering, as if every branch were taken: 1 for each tag passed, and the bytes it handles.
    pub work: u64,
    /// Most bytes of the text rendered.
    pub output: usize,
    /// Most time of one rendering, looked at with every 256 tags counted and every piece written. Tera is not
    /// interrupted between two pieces: the other limits bound what it does there.
    pub time: Duration,
}

impl Default for Limits {
    /// For templates of the host's own: 64 KiB of template, 1 MiB of values and of output, 10,000 iterations, 1 s.
    fn default() -> Self {
        Limits {
            source: 64 << 10,
            context: 1 << 20,
            nesting: 24,
            iterations: 10_000,
            work: 4 << 20,
            output: 1 << 20,
            time: Duration::from_secs(1),
        }
    }
}

impl Limits {
    /// For templates that users write: 16 KiB of template, 256 KiB of values and of output, 1,000 iterations, 250 ms.
    pub fn of_users() -> Self {
        Limits {
            source: 16 << 10,
            context: 256 << 10,
            nesting: 12,
            iterations: 1_000,
            work: 1 << 20,
            output: 256 << 10,
            time: Duration::from_millis(250),
        }
    }
}
