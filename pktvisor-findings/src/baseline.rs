//! The last hour of each zone, server and client: what is usual for it.
//!
//! Every ten seconds a value of each level enters the baseline, thirty seconds late, so that the
//! beginning of an attack does not become usual before it is found. Values of a subject with a
//! finding do not enter.
//!
//! The agent learns in its first two slots with traffic. A subject that it sees then has its first
//! value when the next slot ends, and this one enters at once: it is all that the agent knows. The
//! subject may have begun within the slot in which it is seen first, so the rates of that slot are
//! too low and do not enter. Until then its rates of the first two seconds tell what was there
//! from the start.

use std::collections::HashMap;
use std::sync::Arc;

use crate::observation::TrafficObservation;

/// Seconds between two values.
const SLOT_S: u64 = 10;

/// Values that wait before they enter.
const DELAY_SLOTS: usize = 3;

/// Values of an hour.
const HOUR_SLOTS: f64 = 360.0;

/// By this a maximum becomes smaller with every value: it is halved in an hour.
const FADE: f64 = 0.998;

/// Subjects of one kind that are remembered.
const SUBJECTS_MAX: usize = 1024;

/// So many times of a server enter at once, and are enough to compare with.
const FIRST_TIMES: f64 = 2.0;

/// Below this level for an hour, a subject is forgotten.
const FORGOTTEN: f64 = 0.01;

/// A window is shorter only at the start, or after a gap: it covers too little to learn from.
const WINDOW_S_MIN: u64 = 5;

/// In this second of traffic, the agent looks at what is there from the start.
const FIRST_LOOK_S: u64 = 2;

/// Slots with traffic in which the agent learns. After them, a subject that is not known is one
/// that had no traffic.
const LEARNING_SLOTS: u32 = 2;

/// The kinds of subjects with a baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Population {
    Zones,
    Servers,
    Clients,
}

/// The levels that are remembered of a subject, each per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// Queries.
    Queries,
    /// Queries of a zone without a good answer; responses of a server.
    Answers,
    /// Responses with SERVFAIL.
    Servfail,
    /// Truncated responses, and queries over TCP.
    Truncated,
    /// Octets of responses to a client.
    Bytes,
    /// Median time of a server: binary logarithm of microseconds.
    Time,
}

const LEVELS: usize = 6;

/// The levels of a subject in one slot; a level without a value is `None`.
pub(crate) type Levels = [Option<f64>; LEVELS];

/// The levels without those that are rates.
fn only_time(levels: &Levels) -> Levels {
    let mut time = Levels::default();
    time[Level::Time as usize] = levels[Level::Time as usize];
    time
}

/// What is known of the rates of a subject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Knowledge {
    /// Before its values, it had no traffic.
    #[default]
    Complete,
    /// It was seen first while the agent learned, and has no value: it may be as old as the agent.
    Awaited,
}

/// What is usual for a subject.
#[derive(Clone, Debug, Default)]
pub(crate) struct UsualLevels {
    mean: [f64; LEVELS],
    max: [f64; LEVELS],
    /// How many values entered.
    values: [f64; LEVELS],
    waiting: [Levels; DELAY_SLOTS],
    knowledge: Knowledge,
    /// Its levels at the agent's first look.
    first_look: Levels,
    /// The second of its last value.
    seen_s: u64,
}

impl UsualLevels {
    /// Takes values that enter later. Only the first times of a server enter at once: without them
    /// nothing can be compared.
    fn wait(&mut self, mut levels: Levels) {
        if self.values[Level::Time as usize] < FIRST_TIMES {
            self.enter(only_time(&levels));
            levels[Level::Time as usize] = None;
        }
        self.waiting.rotate_right(1);
        let due = std::mem::replace(&mut self.waiting[0], levels);
        self.enter(due);
    }

    fn enter(&mut self, due: Levels) {
        for (level, value) in due.into_iter().enumerate() {
            let Some(value) = value else { continue };
            let values = (self.values[level] + 1.0).min(HOUR_SLOTS);
            self.values[level] = values;
            self.mean[level] += (value - self.mean[level]) / values;
            self.max[level] = (self.max[level] * FADE).max(value);
        }
    }

    /// Drops the values that have not entered.
    fn hold(&mut self) {
        self.waiting = [[None; LEVELS]; DELAY_SLOTS];
    }

    /// The usual time of a server, if it is known well enough.
    pub(crate) fn usual_time(&self) -> Option<f64> {
        (self.values[Level::Time as usize] >= FIRST_TIMES).then_some(self.mean[Level::Time as usize])
    }

    /// The highest recent value of a level; 0 before its first value.
    pub(crate) fn max(&self, level: Level) -> f64 {
        self.max[level as usize]
    }

    /// The mean of a level; `None` before its first value.
    pub(crate) fn mean(&self, level: Level) -> Option<f64> {
        (self.values[level as usize] > 0.0).then_some(self.mean[level as usize])
    }
}

/// How a level compares with what is usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// Far above.
    Surge,
    /// As usual, or nearly.
    Usual,
    /// The agent has not looked for long enough.
    Unknown,
}

/// The baselines of all subjects.
#[derive(Debug, Default)]
pub(crate) struct Baselines {
    subjects: [HashMap<Arc<str>, UsualLevels>; 3],
    /// The slot of the last values.
    slot: u64,
    inspected_s: u64,
    /// How many slots it has learned from since the start or the last gap, up to
    /// [`LEARNING_SLOTS`].
    learned_slots: u32,
}

impl Baselines {
    /// Takes the levels of this second if a slot ends with it. A subject for which `is_held`
    /// returns true keeps its baseline.
    pub(crate) fn second(
        &mut self,
        observation: &TrafficObservation,
        levels: impl Iterator<Item = (Population, Arc<str>, Levels)>,
        is_held: impl Fn(Population, &str) -> bool,
    ) {
        if observation.inspected_s < self.inspected_s {
            self.learned_slots = 0;
        }
        self.inspected_s = observation.inspected_s;
        if observation.inspected_s == FIRST_LOOK_S {
            self.look_first(observation.second_s, levels);
            return;
        }
        let slot = observation.second_s / SLOT_S;
        let ends_slot = std::mem::replace(&mut self.slot, slot) != slot;
        if !ends_slot || observation.window_s < WINDOW_S_MIN {
            return;
        }
        let is_learning = self.is_learning();
        if is_learning && observation.has_subjects() {
            self.learned_slots += 1;
        }
        for (population, name, levels) in levels {
            let subjects = &mut self.subjects[population as usize];
            let is_first = !subjects.contains_key(&name);
            if is_first && subjects.len() >= SUBJECTS_MAX {
                continue;
            }
            let held = is_held(population, &name);
            let baseline = subjects.entry(name).or_default();
            baseline.seen_s = observation.second_s;
            if held {
                baseline.hold();
            } else if is_first && is_learning {
                baseline.knowledge = Knowledge::Awaited;
                baseline.enter(only_time(&levels));
            } else if std::mem::take(&mut baseline.knowledge) == Knowledge::Awaited {
                baseline.enter(levels);
            } else {
                baseline.wait(levels);
            }
        }
        for subjects in &mut self.subjects {
            subjects.retain(|_, baseline| baseline.ages(observation.second_s));
        }
    }

    fn look_first(&mut self, second_s: u64, levels: impl Iterator<Item = (Population, Arc<str>, Levels)>) {
        for (population, name, levels) in levels {
            let subjects = &mut self.subjects[population as usize];
            if subjects.len() >= SUBJECTS_MAX || subjects.contains_key(&name) {
                continue;
            }
            let mut baseline = UsualLevels {
                knowledge: Knowledge::Awaited,
                first_look: levels,
                seen_s: second_s,
                ..UsualLevels::default()
            };
            baseline.enter(only_time(&levels));
            subjects.insert(name, baseline);
        }
    }

    /// Whether an unknown subject may be as old as the agent.
    fn is_learning(&self) -> bool {
        self.learned_slots < LEARNING_SLOTS
    }

    /// What is usual for a subject.
    pub(crate) fn of(&self, population: Population, name: &str) -> Option<&UsualLevels> {
        self.subjects[population as usize].get(name)
    }

    /// Compares a level with the last hour: it is a surge if it is four times the mean and twice
    /// the highest value. Less than `floor` is as usual as nothing.
    pub(crate) fn compare(
        &self,
        population: Population,
        name: &str,
        level: Level,
        value: f64,
        floor: f64,
    ) -> Comparison {
        let (mean, max, floor) = match self.of(population, name) {
            // What is known needs less of a floor than what had too little to be seen.
            Some(known) if known.mean(level).is_some() => {
                (known.mean[level as usize], known.max[level as usize], floor * 0.4)
            }
            Some(known) if known.knowledge == Knowledge::Awaited => {
                let first = known.first_look[level as usize];
                let was_there = first.is_some_and(|first| value < 4.0 * first.max(floor));
                return if was_there { Comparison::Usual } else { Comparison::Unknown };
            }
            None if self.is_learning() => return Comparison::Unknown,
            _ => (0.0, 0.0, floor),
        };
        if value >= 4.0 * mean.max(floor) && value >= 2.0 * max.max(floor) {
            Comparison::Surge
        } else {
            Comparison::Usual
        }
    }
}

impl UsualLevels {
    /// Takes a slot without traffic, if this one had none. Returns whether it is still of use.
    fn ages(&mut self, now_s: u64) -> bool {
        if self.seen_s == now_s {
            return true;
        }
        let mut nothing = [None; LEVELS];
        for level in [Level::Queries, Level::Answers, Level::Servfail, Level::Truncated, Level::Bytes] {
            nothing[level as usize] = Some(0.0);
        }
        self.wait(nothing);
        let peak = self.max.iter().take(LEVELS - 1).fold(0.0_f64, |peak, &max| peak.max(max));
        let hour_s = (HOUR_SLOTS as u64) * SLOT_S;
        peak > FORGOTTEN && now_s.saturating_sub(self.seen_s) < hour_s
    }
}
