//! What can be ranked: the part of a career, an occupation or a job that scorers read.

use std::sync::Arc;

use career_core::{
    Balance, CandidateId, Career, ExperienceLevel, Job, JobZone, Outlook, PayRange, PlaceName, Remote, Riasec,
    SalaryBands, SkillNeed, Skills, StreamSet, Stress, Subject, Tag, Travel, WorkValues,
};

/// Pay of a candidate: by experience, as careers have it, or one range, as a job has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pay {
    /// A band for each experience level.
    Bands(SalaryBands),
    /// One range for everyone.
    Range(PayRange),
}

impl Pay {
    /// What someone of this experience is paid.
    pub fn at(&self, level: ExperienceLevel) -> PayRange {
        match self {
            Pay::Bands(bands) => bands.band(level),
            Pay::Range(range) => *range,
        }
    }
}

/// Anything that can be ranked. What is unknown is left out and gives no evidence.
///
/// Careers and jobs turn into candidates with `From`; anything else is built from its id and title:
///
/// ```
/// use career_core::{CandidateId, Riasec};
/// use career_recommend::Candidate;
///
/// let mut actuary = Candidate::new(CandidateId::new("15-2011.00")?, "Actuaries");
/// actuary.riasec = Some(Riasec::scaled([1.3, 5.5, 1.6, 1.9, 4.3, 6.7], 1.0, 7.0)?);
/// # Ok::<(), career_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Candidate {
    /// Identity, unique within an engine.
    pub id: CandidateId,
    /// Title.
    pub title: Arc<str>,
    /// What it is alike with, such as its category; for diversity.
    pub family: Option<Arc<str>>,
    /// Streams from which the usual route is open.
    pub streams: StreamSet,
    /// Topics of interest that it feeds.
    pub tags: Vec<Tag>,
    /// Its interest profile.
    pub riasec: Option<Riasec>,
    /// Skills that it needs.
    pub skills: Skills<SkillNeed>,
    /// What it pays.
    pub pay: Option<Pay>,
    /// How stressful it is.
    pub stress: Option<Stress>,
    /// How much room it leaves for life.
    pub balance: Option<Balance>,
    /// The upper end of its usual hours a week.
    pub hours: Option<u8>,
    /// How much one travels.
    pub travel: Option<Travel>,
    /// How much can be done from elsewhere.
    pub remote: Option<Remote>,
    /// Where it is.
    pub locations: Vec<PlaceName>,
    /// How much preparation it takes.
    pub job_zone: Option<JobZone>,
    /// Years of study after class 12 on the usual shortest route.
    pub years_of_study: Option<u8>,
    /// Subjects of classes 11 and 12 that matter.
    pub subjects: Vec<Subject>,
    /// Where demand is heading.
    pub outlook: Option<Outlook>,
    /// Needs that it meets.
    pub values: Option<Box<WorkValues>>,
    /// How experienced one has to be.
    pub seniority: Option<ExperienceLevel>,
    /// Its text as a vector, of whatever model the host embeds profiles with.
    pub embedding: Option<Arc<[f32]>>,
}

impl Candidate {
    /// A candidate of which nothing but its name is known.
    pub fn new(id: CandidateId, title: impl Into<Arc<str>>) -> Self {
        Candidate {
            id,
            title: title.into(),
            family: None,
            streams: StreamSet::EMPTY,
            tags: Vec::new(),
            riasec: None,
            skills: Skills::default(),
            pay: None,
            stress: None,
            balance: None,
            hours: None,
            travel: None,
            remote: None,
            locations: Vec::new(),
            job_zone: None,
            years_of_study: None,
            subjects: Vec::new(),
            outlook: None,
            values: None,
            seniority: None,
            embedding: None,
        }
    }

    /// Bytes that this candidate holds, shared strings counted once for each holder.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.skills.len() * size_of::<SkillNeed>()
            + self.tags.len() * size_of::<Tag>()
            + self.locations.len() * size_of::<PlaceName>()
            + self.subjects.len() * size_of::<Subject>()
            + self.values.as_ref().map_or(0, |_| size_of::<WorkValues>())
            + self.embedding.as_ref().map_or(0, |vector| size_of_val::<[f32]>(vector))
    }
}

impl From<&Candidate> for Candidate {
    fn from(candidate: &Candidate) -> Self {
        candidate.clone()
    }
}

impl From<&Career> for Candidate {
    fn from(career: &Career) -> Self {
        let work = career.work.as_ref();
        let education = career.education.as_ref();
        Candidate {
            family: career.category.as_ref().map(|category| category.as_str().into()),
            streams: career.streams,
            tags: career.tags.clone(),
            riasec: career.riasec,
            skills: career.skills.clone(),
            pay: career.salary.map(Pay::Bands),
            stress: work.map(|work| work.stress),
            balance: work.map(|work| work.balance),
            hours: work.map(|work| work.hours_per_week.high()),
            travel: work.map(|work| work.travel),
            remote: work.map(|work| work.remote),
            job_zone: education.map(|education| education.job_zone),
            years_of_study: education.map(|education| education.years),
            subjects: education.map(|education| education.subjects.clone()).unwrap_or_default(),
            outlook: career.outlook,
            values: career.values.map(Box::new),
            ..Candidate::new(CandidateId::from(&career.id), career.title.as_str())
        }
    }
}

impl From<&Job> for Candidate {
    fn from(job: &Job) -> Self {
        let id = CandidateId::new(job.id.to_string()).expect("a UUID is one line");
        Candidate {
            family: Some(job.company.as_str().into()),
            skills: job.skills.clone(),
            pay: job.pay.map(Pay::Range),
            remote: job.remote,
            locations: job.locations.clone(),
            seniority: job.seniority,
            ..Candidate::new(id, job.title.as_str())
        }
    }
}
