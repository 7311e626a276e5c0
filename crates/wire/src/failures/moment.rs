//! Spans and points of time as providers write them: `6m0s`, `530ms`, `20 seconds`, HTTP dates and
//! RFC 3339. There is no clock here, so points are seconds since 1970 and the caller subtracts.

use std::time::Duration;

/// Reads a span from the beginning of a text: numbers with units, such as `1m30.5s` or
/// `1 minute 30 seconds`; what follows it is nobody's concern.
pub(super) fn span(text: &str) -> Option<Duration> {
    let mut rest = text.trim_start();
    let mut total = None;
    while let Some((number, after)) = number(rest) {
        let after = after.trim_start();
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let Some(seconds) = seconds_in(unit) else { break };
        total = Some(total.unwrap_or(0.0) + number * seconds);
        rest = after.trim_start_matches([' ', ',']);
        rest = rest.strip_prefix("and ").unwrap_or(rest);
    }
    Duration::try_from_secs_f64(total?).ok()
}

fn seconds_in(unit: &str) -> Option<f64> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "ms" | "millisecond" | "milliseconds" => 0.001,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600.0,
        "d" | "day" | "days" => 86_400.0,
        _ => return None,
    })
}

/// Cuts a number, with or without a fraction, off the beginning of a text.
fn number(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    // Longer numbers are no time to wait, and the length bounds what is parsed.
    (digits.len() <= 32).then_some(())?;
    Some((digits.parse().ok()?, rest))
}

/// Reads a point of time, as seconds since 1970: RFC 3339 or the date of an HTTP header.
pub(super) fn point(text: &str) -> Option<f64> {
    let text = text.trim();
    rfc_3339(text).or_else(|| http_date(text))
}

/// Reads `2026-06-08T18:45:44.5Z`, or with an offset in place of the `Z`.
fn rfc_3339(text: &str) -> Option<f64> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let mut date = date.splitn(3, '-').map(str::parse::<i64>);
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let zone = time.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = time.split_at(zone);
    let offset = match zone.split_at_checked(1)? {
        ("+", offset) => clock(offset)?,
        ("-", offset) => -clock(offset)?,
        _ => 0.0,
    };
    Some(days(year, month, day)? * 86_400.0 + clock(time)? - offset)
}

/// Reads `Wed, 21 Oct 2015 07:28:00 GMT`.
fn http_date(text: &str) -> Option<f64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, text) = text.split_once(", ")?;
    let mut words = text.split(' ');
    let day = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| *name == month)?;
    let year = words.next()?.parse().ok()?;
    let time = clock(words.next()?)?;
    Some(days(year, i64::try_from(month).ok()? + 1, day)? * 86_400.0 + time)
}

/// Reads `18:45:44.5` or `18:45` as seconds.
fn clock(text: &str) -> Option<f64> {
    let mut seconds = 0.0;
    for (part, unit) in text.splitn(3, ':').zip([3_600.0, 60.0, 1.0]) {
        let value: f64 = part.parse().ok()?;
        (0.0..61.0).contains(&value).then_some(())?;
        seconds += value * unit;
    }
    Some(seconds)
}

/// Counts the days from 1970 to a day of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> Option<f64> {
    ((1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day))
        .then_some(())?;
    // March is the first month, so that the leap day is the year's last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    i32::try_from(days - 719_468).ok().map(f64::from)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{point, span};

    #[test]
    fn spans_in_every_spelling() {
        let read = |text: &str| span(text).map(|span| span.as_millis());
        assert_eq!(read("6m0s"), Some(360_000));
        assert_eq!(read("530ms"), Some(530));
        assert_eq!(read("7.66s. Visit https://"), Some(7_660));
        assert_eq!(read("9m38.016s. Need"), Some(578_016));
        assert_eq!(read("1 minute and 30 seconds"), Some(90_000));
        assert_eq!(read("20 seconds."), Some(20_000));
        assert_eq!(read("1d2h"), Some(93_600_000));
        assert_eq!(read("20"), None);
        assert_eq!(read("a few minutes"), None);
        assert_eq!(read("99999999999999999999999999d"), None);
        assert_eq!(span("48.939935699s"), Some(Duration::from_secs_f64(48.939_935_699)));
    }

    #[test]
    fn points_in_every_spelling() {
        assert_eq!(point("1970-01-01T00:00:00Z"), Some(0.0));
        assert_eq!(point("2026-06-08T18:45:44Z"), Some(1_780_944_344.0));
        assert_eq!(point("2026-06-08T20:45:44.5+02:00"), Some(1_780_944_344.5));
        assert_eq!(point("Wed, 21 Oct 2015 07:28:00 GMT"), Some(1_445_412_480.0));
        assert_eq!(point("Thu, 29 Feb 2024 00:00:00 GMT"), Some(1_709_164_800.0));
        assert_eq!(point("tomorrow"), None);
        assert_eq!(point("2026-13-08T18:45:44Z"), None);
    }
}
