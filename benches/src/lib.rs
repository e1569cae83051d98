//! What the benchmarks share: made-up candidates shaped like careers, and the floor that memory sets.

use std::time::{Duration, Instant};

use career_core::{
    CandidateId, Currency, HeldSkill, PayRange, Period, Profile, Riasec, SalaryBands, SkillKind, SkillLevel, SkillName,
    SkillNeed, Skills, Stream, StreamSet, Unit,
};
use career_recommend::{Candidate, Pay};

/// Skills in the made-up vocabulary.
pub const VOCABULARY: usize = 1_000;
/// Skills that each candidate needs.
pub const NEEDED: usize = 20;
/// Skills that each profile has.
pub const HELD: usize = 12;

/// A small deterministic generator (SplitMix64: G. Steele and others, 2014), so that every run has the same input.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Starts from a seed.
    pub const fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to `end`.
    pub const fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }

    /// A number in `0..1`.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn riasec(&mut self) -> Riasec {
        Riasec::new(std::array::from_fn(|_| self.unit() as f32)).expect("in 0..1")
    }

    /// `count` different numbers below the size of the vocabulary.
    fn words(&mut self, count: usize) -> Vec<usize> {
        let mut words = Vec::with_capacity(count);
        while words.len() < count {
            let word = self.below(VOCABULARY);
            if !words.contains(&word) {
                words.push(word);
            }
        }
        words
    }
}

/// The names of the made-up skills, shared by all who use them.
pub fn vocabulary() -> Vec<SkillName> {
    (0..VOCABULARY).map(|n| SkillName::new(format!("skill {n}")).expect("one line")).collect()
}

/// Candidates shaped like careers, uniformly random: a set of 5 streams that is not empty, six interests, 20 of
/// 1,000 skills, three salary bands. No structure makes it easy to leave any of them out.
pub fn candidates(count: usize) -> Vec<Candidate> {
    let mut random = Random::new(7);
    let words = vocabulary();
    (0..count).map(|at| candidate(at, &mut random, &words)).collect()
}

/// One made-up candidate.
pub fn candidate(at: usize, random: &mut Random, words: &[SkillName]) -> Candidate {
    let mut candidate = Candidate::new(CandidateId::new(format!("candidate-{at:07}")).expect("one line"), "Candidate");
    let mask = 1 + random.below(31);
    let streams = Stream::ALL.iter().copied().filter(|stream| mask & (1 << *stream as usize) != 0);
    candidate.streams = streams.collect::<StreamSet>();
    candidate.riasec = Some(random.riasec());
    let needs = random.words(NEEDED).into_iter().map(|word| {
        let level = SkillLevel::new(1 + random.below(5) as u8).expect("1 to 5");
        SkillNeed::new(words[word].clone(), SkillKind::Technical, Unit::clamped(random.unit()), level)
    });
    candidate.skills = Skills::new(needs.collect()).expect("different words");
    let low = 300_000 + random.below(600_000) as i64;
    let bands = [(low, 3 * low), (2 * low, 5 * low), (4 * low, 9 * low)];
    candidate.pay = Some(Pay::Bands(SalaryBands::new(Currency::INR, Period::Year, 2025, bands).expect("rising")));
    candidate
}

/// Made-up profiles with a stream, six interests, 12 skills and a wish for pay.
pub fn profiles(count: usize) -> Vec<Profile> {
    let mut random = Random::new(11);
    let words = vocabulary();
    (0..count)
        .map(|_| {
            let held: Vec<HeldSkill> = random
                .words(HELD)
                .into_iter()
                .map(|word| {
                    HeldSkill::new(words[word].clone(), SkillLevel::new(1 + random.below(5) as u8).expect("1 to 5"))
                })
                .collect();
            let wish = 400_000 + random.below(1_000_000) as i64;
            Profile::builder()
                .stream(Stream::ALL[random.below(5)])
                .riasec(random.riasec())
                .skills(Skills::new(held).expect("different words"))
                .salary(PayRange::new(Currency::INR, Period::Year, wish, None).expect("not negative"))
                .build()
        })
        .collect()
}

/// Bytes a second that one core reads from memory in order: the best of five sums over 256 MB.
pub fn read_bandwidth() -> f64 {
    let data = vec![1_u64; 32 << 20];
    let best = (0..5).map(|_| time(|| std::hint::black_box(sum(&data)))).min().expect("five runs");
    size_of_val(data.as_slice()) as f64 / best.as_secs_f64()
}

fn sum(data: &[u64]) -> u64 {
    let mut lanes = [0_u64; 32];
    for chunk in data.chunks_exact(32) {
        lanes.iter_mut().zip(chunk).for_each(|(lane, x)| *lane = lane.wrapping_add(*x));
    }
    lanes.iter().fold(0, |all, lane| all.wrapping_add(*lane))
}

/// How long something takes.
pub fn time<T>(run: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    std::hint::black_box(run());
    start.elapsed()
}
