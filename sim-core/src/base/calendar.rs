//! The date of a simulated instant: virtual time 0 is Saturday, 2000-01-01 00:00:00 UTC.
//!
//! Days are turned into dates by counting 400-year cycles from 1 March, as in Howard Hinnant's `civil_from_days`.

use super::time::{EPOCH_UNIX_SECONDS, Instant};

/// A date and a time of day, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    /// Year.
    pub year: u64,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, 1 to 31.
    pub day: u8,
    /// Day of the week, 0 is Sunday.
    pub weekday: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 59.
    pub second: u8,
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

impl Date {
    /// The date at `instant`.
    pub fn of(instant: Instant) -> Date {
        let seconds = EPOCH_UNIX_SECONDS + instant.secs();
        let (days, rest) = (seconds / 86_400, seconds % 86_400);
        let since_march = days + 719_468;
        let (era, day_of_era) = (since_march / 146_097, since_march % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        Date {
            year: era * 400 + year_of_era + u64::from(month <= 2),
            month: month as u8,
            day: (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u8,
            weekday: ((days + 4) % 7) as u8,
            hour: (rest / 3_600) as u8,
            minute: (rest / 60 % 60) as u8,
            second: (rest % 60) as u8,
        }
    }

    /// `Jan`.
    pub fn month_name(&self) -> &'static str {
        MONTHS[usize::from(self.month) - 1]
    }

    /// `Sat`.
    pub fn weekday_name(&self) -> &'static str {
        WEEKDAYS[usize::from(self.weekday)]
    }

    /// As syslog begins a line: `Jan  1 00:00:07`.
    pub fn syslog(&self) -> String {
        format!("{} {:>2} {:02}:{:02}:{:02}", self.month_name(), self.day, self.hour, self.minute, self.second)
    }

    /// As HTTP writes a date (RFC 9110, section 5.6.7): `Sat, 01 Jan 2000 00:00:07 GMT`.
    pub fn http(&self) -> String {
        let Date { year, day, hour, minute, second, .. } = self;
        format!("{}, {day:02} {} {year} {hour:02}:{minute:02}:{second:02} GMT", self.weekday_name(), self.month_name())
    }

    /// As web servers write it into their access log: `01/Jan/2000:00:00:07 +0000`.
    pub fn access_log(&self) -> String {
        let Date { year, day, hour, minute, second, .. } = self;
        format!("{day:02}/{}/{year}:{hour:02}:{minute:02}:{second:02} +0000", self.month_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Duration;

    #[test]
    fn a_run_begins_on_the_first_saturday_of_2000() {
        assert_eq!(Date::of(Instant::ZERO).http(), "Sat, 01 Jan 2000 00:00:00 GMT");
        assert_eq!(Date::of(Instant::ZERO + Duration::from_secs(7)).syslog(), "Jan  1 00:00:07");
    }

    #[test]
    fn leap_days_exist() {
        let day = Duration::from_secs(86_400);
        assert_eq!(Date::of(Instant::ZERO + day.times(59)).http(), "Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(Date::of(Instant::ZERO + day.times(366)).http(), "Mon, 01 Jan 2001 00:00:00 GMT");
    }
}
