//! Careers in CSV: one row a career, lists separated by `|`, parts of an element by `:`.

use std::io::Read;
use std::str::FromStr;

use ::csv::{ReaderBuilder, StringRecord, Trim};

use super::{CatalogLoader, Category};
use crate::{
    Balance, Career, CareerId, CategoryId, Currency, Degree, DegreeLevel, Education, Environment, Error, ErrorKind,
    EscoUri, ExamId, Figures, Institution, Isco08, JobZone, Nco2015, OccupationCodes, OnetSoc, Outlook, Period, Place,
    Remote, Result, Riasec, SalaryBands, SkillKind, SkillLevel, SkillName, SkillNeed, Skills, Stream, Stress, Subject,
    Tag, Travel, Unit, WeeklyHours, WorkConditions, WorkStyle,
};

/// Every column that may stand in the header. `id` and `title` must.
const COLUMNS: &[&str] = &[
    "id",
    "title",
    "category",
    "aliases",
    "description",
    "streams",
    "tags",
    "r",
    "i",
    "a",
    "s",
    "e",
    "c",
    "currency",
    "period",
    "salary_as_of",
    "entry_min",
    "entry_max",
    "mid_min",
    "mid_max",
    "senior_min",
    "senior_max",
    "hours_low",
    "hours_high",
    "environments",
    "stress",
    "balance",
    "travel",
    "remote",
    "degrees",
    "subjects",
    "years",
    "job_zone",
    "exams",
    "institutions",
    "skills",
    "styles",
    "outlook",
    "pros",
    "cons",
    "suitable_for",
    "alternatives",
    "isco08",
    "onet_soc",
    "esco",
    "nco2015",
    "figures_as_of",
    "figures_source",
];

pub(super) fn load(loader: &mut CatalogLoader, file: &str, reader: impl Read) -> Result<()> {
    let mut csv = ReaderBuilder::new().trim(Trim::All).from_reader(reader);
    let header = csv.headers().map_err(failed)?.clone();
    for (at, column) in header.iter().enumerate() {
        if !COLUMNS.contains(&column) {
            return Err(Error::invalid("this column is not known").at_row(1).at_field(column));
        }
        if header.iter().take(at).any(|before| before == column) {
            return Err(Error::invalid("this column stands twice").at_row(1).at_field(column));
        }
    }
    for column in ["id", "title"] {
        if !header.iter().any(|c| c == column) {
            return Err(Error::invalid("this column is missing").at_row(1).at_field(column));
        }
    }
    for record in csv.records() {
        let record = record.map_err(failed)?;
        let line = record.position().map_or(0, ::csv::Position::line);
        let career = Row { header: &header, record: &record }.career().map_err(|e| e.at_row(line))?;
        let place = Place { file: Some(file.to_owned()), row: Some(line), field: None };
        if let Some(id) = &career.category {
            let known = loader.categories.iter().any(|(_, category)| category.id == *id);
            if !known {
                loader.categories.push((place.clone(), Category::new(id.clone(), id.as_str())));
            }
        }
        loader.careers.push((place, career));
    }
    Ok(())
}

fn failed(error: ::csv::Error) -> Error {
    let line = error.position().map(::csv::Position::line);
    let (kind, message) = match error.kind() {
        ::csv::ErrorKind::Io(_) => (ErrorKind::Io, "reading failed"),
        ::csv::ErrorKind::Utf8 { .. } => (ErrorKind::Invalid, "expected UTF-8 text"),
        ::csv::ErrorKind::UnequalLengths { .. } => {
            (ErrorKind::Invalid, "expected as many fields as the header has columns")
        }
        _ => (ErrorKind::Invalid, "expected CSV"),
    };
    let error = Error::new(kind, message).with_source(error);
    match line {
        Some(line) => error.at_row(line),
        None => error,
    }
}

struct Row<'a> {
    header: &'a StringRecord,
    record: &'a StringRecord,
}

impl<'a> Row<'a> {
    /// The text of a column; `None` where it is missing or empty.
    fn text(&self, column: &str) -> Option<&'a str> {
        let at = self.header.iter().position(|c| c == column)?;
        self.record.get(at).filter(|text| !text.is_empty())
    }

    fn value<T: FromStr<Err = Error>>(&self, column: &'static str) -> Result<Option<T>> {
        self.text(column).map(|text| text.parse().map_err(|e: Error| e.at_field(column))).transpose()
    }

    fn required<T: FromStr<Err = Error>>(&self, column: &'static str) -> Result<T> {
        self.value(column)?.ok_or_else(|| Error::invalid("expected a value").at_field(column))
    }

    fn number<T: FromStr>(&self, column: &'static str) -> Result<Option<T>> {
        let parse = |text: &str| text.parse().map_err(|_| Error::invalid("expected a number").at_field(column));
        self.text(column).map(parse).transpose()
    }

    fn required_number<T: FromStr>(&self, column: &'static str) -> Result<T> {
        self.number(column)?.ok_or_else(|| Error::invalid("expected a number").at_field(column))
    }

    /// The elements of a list, each made by `make`; an error names the element.
    fn list<T>(&self, column: &'static str, make: impl Fn(&str) -> Result<T>) -> Result<Vec<T>> {
        let elements = self.text(column).into_iter().flat_map(|text| text.split('|')).map(str::trim);
        let elements = elements.filter(|element| !element.is_empty()).enumerate();
        elements.map(|(n, element)| make(element).map_err(|e| e.at_field(format!("{column}[{n}]")))).collect()
    }

    fn strings(&self, column: &'static str) -> Result<Vec<String>> {
        self.list(column, |text| Ok(text.to_owned()))
    }

    fn any(&self, columns: &[&str]) -> bool {
        columns.iter().any(|column| self.text(column).is_some())
    }

    fn career(&self) -> Result<Career> {
        let codes = OccupationCodes::builder()
            .maybe_isco08(self.value::<Isco08>("isco08")?)
            .maybe_onet_soc(self.value::<OnetSoc>("onet_soc")?)
            .maybe_esco(self.value::<EscoUri>("esco")?)
            .maybe_nco2015(self.value::<Nco2015>("nco2015")?)
            .build();
        let title = self.text("title").ok_or_else(|| Error::invalid("expected a value").at_field("title"))?;
        Ok(Career::builder()
            .id(self.required::<CareerId>("id")?)
            .title(title)
            .maybe_category(self.value::<CategoryId>("category")?)
            .aliases(self.strings("aliases")?)
            .description(self.text("description").unwrap_or_default())
            .streams(self.list("streams", Stream::from_str)?.into_iter().collect())
            .tags(self.list("tags", Tag::from_str)?)
            .maybe_riasec(self.riasec()?)
            .maybe_salary(self.salary()?)
            .maybe_work(self.work()?)
            .maybe_education(self.education()?)
            .exams(self.list("exams", ExamId::from_str)?)
            .institutions(self.list("institutions", institution)?)
            .skills(Skills::new(self.list("skills", skill)?).map_err(|e| e.at_field("skills"))?)
            .styles(self.list("styles", WorkStyle::from_str)?)
            .maybe_outlook(self.value::<Outlook>("outlook")?)
            .pros(self.strings("pros")?)
            .cons(self.strings("cons")?)
            .suitable_for(self.strings("suitable_for")?)
            .alternatives(self.list("alternatives", CareerId::from_str)?)
            .codes(codes)
            .maybe_figures(self.figures()?)
            .build())
    }

    fn riasec(&self) -> Result<Option<Riasec>> {
        const LETTERS: [&str; 6] = ["r", "i", "a", "s", "e", "c"];
        if !self.any(&LETTERS) {
            return Ok(None);
        }
        let mut values = [0.0; 6];
        for (value, letter) in values.iter_mut().zip(LETTERS) {
            *value = self.required_number(letter)?;
        }
        Riasec::new(values).map(Some)
    }

    fn salary(&self) -> Result<Option<SalaryBands>> {
        const ENDS: [&str; 6] = ["entry_min", "entry_max", "mid_min", "mid_max", "senior_min", "senior_max"];
        if !self.any(&ENDS) {
            return Ok(None);
        }
        let mut ends = [0_i64; 6];
        for (end, column) in ends.iter_mut().zip(ENDS) {
            *end = self.required_number(column)?;
        }
        let bands = [(ends[0], ends[1]), (ends[2], ends[3]), (ends[4], ends[5])];
        let period = self.value("period")?.unwrap_or(Period::Year);
        let as_of = self.required_number("salary_as_of")?;
        SalaryBands::new(self.required::<Currency>("currency")?, period, as_of, bands).map(Some)
    }

    fn work(&self) -> Result<Option<WorkConditions>> {
        if !self.any(&["hours_low", "hours_high", "environments", "stress", "balance", "travel", "remote"]) {
            return Ok(None);
        }
        let hours = WeeklyHours::new(self.required_number("hours_low")?, self.required_number("hours_high")?)
            .map_err(|e| e.at_field("hours_low"))?;
        Ok(Some(
            WorkConditions::builder()
                .hours_per_week(hours)
                .environments(self.list("environments", Environment::from_str)?)
                .stress(self.required::<Stress>("stress")?)
                .balance(self.required::<Balance>("balance")?)
                .travel(self.required::<Travel>("travel")?)
                .remote(self.required::<Remote>("remote")?)
                .build(),
        ))
    }

    fn education(&self) -> Result<Option<Education>> {
        if !self.any(&["degrees", "subjects", "years", "job_zone"]) {
            return Ok(None);
        }
        let zone = JobZone::new(self.required_number("job_zone")?).map_err(|e| e.at_field("job_zone"))?;
        let mut education = Education::new(self.list("degrees", degree)?, self.required_number("years")?, zone);
        education.subjects = self.list("subjects", Subject::from_str)?;
        Ok(Some(education))
    }

    fn figures(&self) -> Result<Option<Figures>> {
        match self.text("figures_source") {
            Some(source) => Ok(Some(Figures::new(self.required_number("figures_as_of")?, source))),
            None => Ok(None),
        }
    }
}

/// `bachelor: B.Sc`, or `master?: M.Sc` for what merely helps.
fn degree(text: &str) -> Result<Degree> {
    let (level, name) = text.split_once(':').ok_or_else(|| Error::invalid("expected `level: name`"))?;
    let (level, optional) = match level.trim().strip_suffix('?') {
        Some(level) => (level, true),
        None => (level.trim(), false),
    };
    let mut degree = Degree::new(DegreeLevel::from_str(level)?, name.trim());
    degree.optional = optional;
    Ok(degree)
}

/// `IIT Madras @ Chennai`, or a name alone.
fn institution(text: &str) -> Result<Institution> {
    Ok(match text.split_once('@') {
        Some((name, city)) => Institution::new(name.trim(), Some(city.trim().to_owned())),
        None => Institution::new(text, None),
    })
}

/// `Python: technical: 0.9: 4`, the level being optional.
fn skill(text: &str) -> Result<SkillNeed> {
    let mut parts = text.split(':').map(str::trim);
    let expected = || Error::invalid("expected `name: kind: importance` or `name: kind: importance: level`");
    let (Some(name), Some(kind), Some(importance)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(expected());
    };
    let level = match parts.next() {
        Some(level) => SkillLevel::new(level.parse().map_err(|_| expected())?)?,
        None => SkillLevel::default(),
    };
    if parts.next().is_some() {
        return Err(expected());
    }
    let importance = Unit::new(importance.parse().map_err(|_| expected())?)?;
    Ok(SkillNeed::new(SkillName::new(name)?, SkillKind::from_str(kind)?, importance, level))
}
