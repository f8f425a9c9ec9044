//! The names of files: `agent=NAME/date=2026-01-31/235900-0123456789abcdef.parquet`.
//!
//! Hive's notation of agent and day lets engines skip the files that a query does not need. The last
//! part is the [id](crate::Row::id) of the row: a period that is archived again overwrites itself, and
//! no other period can.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::row::ArchiveRow;

/// The longest name of an agent.
const NAME_MAX: usize = 64;
const EXTENSION: &str = ".parquet";
const MICROSECONDS: i64 = 1_000_000;

/// The name of an agent: letters, digits, `.`, `-` and `_`, so that it is the same in paths, URLs and
/// columns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentName(String);

impl AgentName {
    /// The name with other characters replaced.
    pub fn sanitised(name: &str) -> Self {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let mut name: String =
            name.chars().take(NAME_MAX).map(|c| if is_allowed(c) { c } else { '_' }).collect();
        if name.is_empty() || name.starts_with('.') {
            name.insert(0, '_');
        }
        Self(name)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a file covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileSpan {
    /// One period, by hour, minute and second of its start.
    Period(u8, u8, u8),
    /// An hour of the day.
    Hour(u8),
    /// The whole day.
    Day,
}

/// The key of a file in its store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileKey {
    /// The agent.
    pub agent: AgentName,
    /// The day, as in `2026-01-31`, UTC.
    pub date: String,
    /// What the file covers.
    pub span: FileSpan,
    /// The id of its row.
    pub id: i64,
}

impl FileKey {
    /// The key of a period.
    pub fn of_period(row: &ArchiveRow) -> Self {
        let (date, [hour, minute, second]) = clock(row.start_us);
        Self::new(row, date, FileSpan::Period(hour, minute, second))
    }

    /// The key of merged periods.
    pub fn of_merged(row: &ArchiveRow, date: &str, span: FileSpan) -> Self {
        Self::new(row, date.to_owned(), span)
    }

    fn new(row: &ArchiveRow, date: String, span: FileSpan) -> Self {
        Self { agent: AgentName::sanitised(&row.agent), date, span, id: row.id() }
    }

    /// The key with this text; `None` for files that are not of an archive.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let agent = parts.next()?.strip_prefix("agent=")?;
        let date = parts.next()?.strip_prefix("date=")?;
        let (span, id) = parts.next()?.strip_suffix(EXTENSION)?.rsplit_once('-')?;
        if parts.next().is_some() || AgentName::sanitised(agent).as_str() != agent || day(date).is_none() {
            return None;
        }
        let span = match (span, span.strip_prefix("hour-")) {
            ("day", _) => FileSpan::Day,
            (_, Some(hour)) => FileSpan::Hour(two_digits(hour, 23)?),
            (time, _) if time.len() == 6 && time.is_ascii() => FileSpan::Period(
                two_digits(&time[..2], 23)?,
                two_digits(&time[2..4], 59)?,
                two_digits(&time[4..], 59)?,
            ),
            _ => return None,
        };
        let id = (id.len() == 16).then(|| u64::from_str_radix(id, 16).ok())??.cast_signed();
        let key = Self { agent: AgentName(agent.to_owned()), date: date.to_owned(), span, id };
        // Not written by this: capitals, signs.
        (key.to_string() == text).then_some(key)
    }

    /// The end of the span of time, in seconds since 1970; of a period that of its hour.
    pub(crate) fn end_s(&self, unit_s: i64) -> Option<i64> {
        let hour = match self.span {
            FileSpan::Period(hour, ..) | FileSpan::Hour(hour) => i64::from(hour),
            FileSpan::Day => 23,
        };
        let start = day(&self.date)? + hour * 3600;
        Some((start / unit_s + 1) * unit_s)
    }
}

impl fmt::Display for FileKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "agent={}/date={}/", self.agent.0, self.date)?;
        match self.span {
            FileSpan::Period(hour, minute, second) => write!(out, "{hour:02}{minute:02}{second:02}")?,
            FileSpan::Hour(hour) => write!(out, "hour-{hour:02}")?,
            FileSpan::Day => write!(out, "day")?,
        }
        write!(out, "-{:016x}{EXTENSION}", self.id)
    }
}

/// The start of a day, in seconds since 1970.
pub(crate) fn day(date: &str) -> Option<i64> {
    let date: jiff::civil::Date = date.parse().ok()?;
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

/// Date and time of day.
fn clock(us: i64) -> (String, [u8; 3]) {
    let time =
        Timestamp::from_second(us.div_euclid(MICROSECONDS)).unwrap_or_default().to_zoned(TimeZone::UTC);
    let of_day = [time.hour(), time.minute(), time.second()];
    (time.date().to_string(), of_day.map(i8::unsigned_abs))
}

/// The date of a time.
pub(crate) fn date_of(seconds: i64) -> String {
    clock(seconds.saturating_mul(MICROSECONDS)).0
}

fn two_digits(text: &str, max: u8) -> Option<u8> {
    let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| is_number && *number <= max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_and_nothing_else_is_a_key() {
        let row =
            ArchiveRow { agent: "eu-1".into(), start_us: 1_769_817_540_000_000, ..ArchiveRow::default() };
        let key = FileKey::of_period(&row);
        assert!(key.to_string().starts_with("agent=eu-1/date=2026-01-30/235900-"), "{key}");
        assert_eq!(FileKey::parse(&key.to_string()), Some(key.clone()));
        for span in [FileSpan::Hour(7), FileSpan::Day] {
            let key = FileKey::of_merged(&row, "2026-01-30", span);
            assert_eq!(FileKey::parse(&key.to_string()), Some(key));
        }
        let text = key.to_string();
        for other in [
            text.replace("235900", "236000"),
            text.replace("agent=", ""),
            text.replace("agent=eu-1", "agent=.."),
            text.replace("2026-01-30", "2026-02-30"),
            text.replace(".parquet", ".parquet.part"),
            format!("{text}/x"),
            text.replace("235900-", "235900-+"),
            String::new(),
        ] {
            assert_eq!(FileKey::parse(&other), None, "{other}");
        }
    }

    #[test]
    fn a_name_of_any_characters_is_safe_in_a_path() {
        for (name, safe) in [
            ("web-1.example", "web-1.example"),
            ("../../etc", "_.._.._etc"),
            ("", "_"),
            ("a b/ü\0", "a_b___"),
        ] {
            assert_eq!(AgentName::sanitised(name).as_str(), safe);
        }
        assert_eq!(AgentName::sanitised(&"x".repeat(500)).as_str().len(), NAME_MAX);
    }

    #[test]
    fn an_hour_and_a_day_end() {
        let key = |text: &str| FileKey::parse(text).unwrap();
        let period = key("agent=a/date=1970-01-02/010203-0000000000000000.parquet");
        assert_eq!((period.end_s(3600), period.end_s(86_400)), (Some(86_400 + 7200), Some(2 * 86_400)));
    }
}
