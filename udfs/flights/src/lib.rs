//! Functions for the flights example: what a flight's times say about it.
//!
//! The arguments are named after the columns of `examples/flights/flights-2013-02.csv`, so they need
//! no binding in the pipeline. Times of day are numbers there (`1405` is 14:05), local; a cancelled
//! flight has neither a `dep_time` nor a `dep_delay`.

mod day;

use std::fmt;

pub use day::local_day;

/// Keeps the flights that departed.
#[weir::filter]
pub fn departed(dep_time: Option<i64>) -> bool {
    dep_time.is_some()
}

/// Whether the flight was cancelled: it never departed.
#[weir::map]
pub fn cancelled(dep_time: Option<i64>) -> bool {
    dep_time.is_none()
}

/// How the flight departed: `cancelled`, `early`, `on time` or `late`.
#[weir::map]
pub fn delay_class(
    dep_delay: Option<i64>,
    /// From how many minutes on a departure is late; the Bureau of Transportation Statistics says 15.
    #[param(default = 15)]
    threshold: i64,
) -> &'static str {
    match dep_delay {
        None => "cancelled",
        Some(minutes) if minutes >= threshold => "late",
        Some(minutes) if minutes < 0 => "early",
        Some(_) => "on time",
    }
}

/// The scheduled departure's minute of the day; a flight whose time is not one of the clock fails.
#[weir::map]
pub fn minute_of_day(sched_dep_time: i64) -> Result<i64, NoTimeOfDay> {
    match (sched_dep_time.div_euclid(100), sched_dep_time.rem_euclid(100)) {
        (hour @ 0..=23, minute @ 0..=59) => Ok(60 * hour + minute),
        (24, 0) => Ok(0), // some write midnight so
        _ => Err(NoTimeOfDay(sched_dep_time)),
    }
}

/// A number that is not a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoTimeOfDay(i64);

impl fmt::Display for NoTimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not a time of day such as 1405", self.0)
    }
}

/// Miles per hour in the air; null for a flight that spent no time there.
#[weir::map]
pub fn speed(distance: i64, air_time: i64) -> Option<f64> {
    (air_time > 0).then(|| distance as f64 * 60.0 / air_time as f64)
}

/// What a flight does at one airport.
#[derive(Debug, PartialEq, Eq, weir::Row)]
pub struct Movement<'a> {
    airport: &'a str,
    movement: &'static str,
}

/// A row for the departure and a row for the arrival, as far as the flight got: what each airport's
/// runways saw.
#[weir::flat_map]
pub fn movements<'a>(
    origin: &'a str,
    dest: &'a str,
    dep_time: Option<i64>,
    arr_time: Option<i64>,
) -> impl Iterator<Item = Movement<'a>> {
    let departure = dep_time.map(|_| Movement { airport: origin, movement: "departure" });
    let arrival = arr_time.map(|_| Movement { airport: dest, movement: "arrival" });
    departure.into_iter().chain(arrival)
}

weir::export!(departed, cancelled, delay_class, minute_of_day, speed, local_day, movements);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_flight_never_departs() {
        assert!(departed(Some(517)) && !cancelled(Some(517)));
        assert!(!departed(None) && cancelled(None));
    }

    #[test]
    fn delays_have_classes() {
        let classes = [None, Some(-3), Some(0), Some(14), Some(15)].map(|delay| delay_class(delay, 15));
        assert_eq!(classes, ["cancelled", "early", "on time", "on time", "late"]);
        assert_eq!(delay_class(Some(-5), -10), "late");
    }

    #[test]
    fn times_of_day() {
        assert_eq!((minute_of_day(0), minute_of_day(1405), minute_of_day(2400)), (Ok(0), Ok(845), Ok(0)));
        for wrong in [-1, 60, 2401, 9999] {
            assert!(minute_of_day(wrong).is_err(), "{wrong}");
        }
        assert_eq!(minute_of_day(1261).unwrap_err().to_string(), "1261 is not a time of day such as 1405");
    }

    #[test]
    fn speeds() {
        assert_eq!((speed(529, 98), speed(100, 0)), (Some(529.0 * 60.0 / 98.0), None));
    }

    #[test]
    fn movements_as_far_as_the_flight_got() {
        let seen = |dep, arr| movements("EWR", "CLT", dep, arr).map(|m| (m.airport, m.movement)).collect::<Vec<_>>();
        assert_eq!(seen(Some(456), Some(652)), [("EWR", "departure"), ("CLT", "arrival")]);
        assert_eq!(seen(Some(456), None), [("EWR", "departure")]);
        assert_eq!(seen(None, None), []);
    }
}
