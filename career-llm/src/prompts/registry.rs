//! Templates by name and language.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use career_core::LanguageTag;
use serde::Serialize;

use super::{Fault, Limit, Limits, Template, locale, premade};
use crate::{ChatRequest, Error, Result};

/// How deep a folder is searched.
const FOLDER_DEPTH: usize = 8;

/// Templates by name and language: the premade ones, and the host's over them.
///
/// A language is looked up by its tag, then by shorter ones, then in the fallback language (English): `hi-in`, `hi`,
/// `en`. Of one name and language the templates that were added last win, then the newest version. Where the template
/// is of another language than was asked for, the model is told to reply in the one asked for.
///
/// ```
/// use career_core::LanguageTag;
/// use career_llm::prompts::Registry;
///
/// let prompts = Registry::premade();
/// let template = prompts.find("salary_talk", &LanguageTag::new("hi-in")?)?;
/// assert_eq!(template.language().as_str(), "hi");
/// let request = template.render(&template.examples())?;
/// assert_eq!(request.messages.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Registry {
    /// By name and language, the best first.
    templates: BTreeMap<(String, LanguageTag), Vec<Added>>,
    language: LanguageTag,
    layers: u32,
    limits: Limits,
}

#[derive(Debug, Clone)]
struct Added {
    layer: u32,
    template: Arc<Template>,
}

impl Registry {
    /// The premade set: every flow, in English and Hindi.
    pub fn premade() -> Self {
        let mut registry = Registry::empty();
        registry.add(premade::templates().iter().cloned());
        registry
    }

    /// No template.
    pub fn empty() -> Self {
        Registry {
            templates: BTreeMap::new(),
            language: premade::english().clone(),
            layers: 0,
            limits: Limits::default(),
        }
    }

    /// The limits of the templates that are read from folders from now on.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The language that is meant where none is said; English unless it is set.
    #[must_use]
    pub fn with_language(mut self, language: LanguageTag) -> Self {
        self.language = language;
        self
    }

    /// Lays every `.md` file of a folder and the folders in it over what is here. It reads at once, and blocks.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when it cannot be read,
    /// [`ErrorKind::Template`](crate::ErrorKind::Template) with file and line when a template is wrong, or two are of
    /// one name, language and version.
    pub fn with_folder(self, folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let mut files = Vec::new();
        list(folder, 0, &mut files)?;
        files.sort();
        let mut templates = Vec::with_capacity(files.len());
        for path in files {
            let shown = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
            let size = fs::metadata(&path).map_err(|error| unreadable(&path, error))?.len();
            if size > self.limits.source as u64 {
                let what = format!("{shown}:1: more than {} bytes", self.limits.source);
                return Err(Fault::Limit(Limit::Source).at(what));
            }
            let source = fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
            templates.push(Template::parse_within(&shown, &source, self.limits.clone())?);
        }
        self.with_templates(templates)
    }

    /// Lays templates over what is here.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Template`](crate::ErrorKind::Template) when two are of one name, language and version.
    pub fn with_templates(mut self, templates: impl IntoIterator<Item = Template>) -> Result<Self> {
        let templates: Vec<Arc<Template>> = templates.into_iter().map(Arc::new).collect();
        let mut seen = BTreeMap::new();
        for template in &templates {
            let header = template.header();
            let key = (&header.name, &header.language, header.version);
            if let Some(other) = seen.insert(key, template.file()) {
                let what = format!("{}:1: the same name, language and version as {other}", template.file());
                return Err(Fault::Header.at(what));
            }
        }
        drop(seen);
        self.add(templates);
        Ok(self)
    }

    fn add(&mut self, templates: impl IntoIterator<Item = Arc<Template>>) {
        self.layers += 1;
        let layer = self.layers;
        for template in templates {
            let key = (template.name().to_owned(), template.language().clone());
            let found = self.templates.entry(key).or_default();
            found.push(Added { layer, template });
            found.sort_by_key(|added| std::cmp::Reverse((added.layer, added.template.header().version)));
        }
    }

    /// The newest template of this name for this language.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Template`](crate::ErrorKind::Template) when there is none, neither in the language nor in English.
    pub fn find(&self, name: &str, language: &LanguageTag) -> Result<&Arc<Template>> {
        self.search(name, language, None)
    }

    /// The template of this name for this language in just this version.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Template`](crate::ErrorKind::Template) when there is none.
    pub fn find_version(&self, name: &str, language: &LanguageTag, version: u32) -> Result<&Arc<Template>> {
        self.search(name, language, Some(version))
    }

    fn search(&self, name: &str, language: &LanguageTag, version: Option<u32>) -> Result<&Arc<Template>> {
        let english = premade::english();
        let found = locale::chain(language, english).find_map(|tag| {
            let key = (name.to_owned(), LanguageTag::new(tag).ok()?);
            let fits = |added: &&Added| version.is_none_or(|version| added.template.header().version == version);
            self.templates.get(&key)?.iter().find(fits)
        });
        found.map(|added| &added.template).ok_or_else(|| {
            let name = if super::header::is_name(name) { name } else { "?" };
            let version = version.map(|version| format!(", version {version}")).unwrap_or_default();
            Fault::NotFound.at(format!("no template `{name}` for `{language}`{version}"))
        })
    }

    /// Every template, by name and language, the best of each first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Template>> {
        self.templates.values().flatten().map(|added| &added.template)
    }

    /// The best template of each name and language that has this category, every one of these tags, and this
    /// language; `None` and an empty list take any.
    pub fn select<'a>(
        &'a self,
        category: Option<&'a str>,
        tags: &'a [&'a str],
        language: Option<&'a LanguageTag>,
    ) -> impl Iterator<Item = &'a Arc<Template>> {
        let best = self.templates.values().filter_map(|found| found.first()).map(|added| &added.template);
        best.filter(move |template| {
            let header = template.header();
            category.is_none_or(|category| header.category.as_str() == category)
                && tags.iter().all(|tag| header.tags.iter().any(|has| has.as_str() == *tag))
                && language.is_none_or(|language| header.language == *language)
        })
    }

    /// Writes the request of a template in the registry's language.
    ///
    /// ```
    /// use career_llm::prompts::Registry;
    /// use serde_json::json;
    ///
    /// let prompts = Registry::premade();
    /// let request = prompts.render("motivation_checkin", &json!({ "message": "I failed my test again." }))?;
    /// assert!(request.system.is_some());
    /// # Ok::<(), career_llm::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`find`](Registry::find) and [`Template::render`].
    pub fn render<C: Serialize + ?Sized>(&self, name: &str, variables: &C) -> Result<ChatRequest> {
        self.render_in(name, &self.language, variables)
    }

    /// Writes the request of a template for a person of this language.
    ///
    /// # Errors
    ///
    /// As for [`find`](Registry::find) and [`Template::render`].
    pub fn render_in<C: Serialize + ?Sized>(
        &self,
        name: &str,
        language: &LanguageTag,
        variables: &C,
    ) -> Result<ChatRequest> {
        self.find(name, language)?.render_for(variables, Some(language))
    }
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::config(format!("{} cannot be read", path.display())).with_source(error)
}

fn list(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    if depth > FOLDER_DEPTH {
        return Err(Error::config(format!("{}: folders more than {FOLDER_DEPTH} deep", folder.display())));
    }
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        if path.is_dir() {
            list(&path, depth + 1, files)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
    Ok(())
}
