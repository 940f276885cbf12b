//! The functions over the example's data, against what is known of that month.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use weir::Timestamp;
use weir_udf_flights::{cancelled, delay_class, departed, local_day, minute_of_day};

/// The rows of the file, each by the columns' names. No field has a quote.
fn flights() -> Vec<BTreeMap<String, String>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/flights/flights-2013-02.csv");
    let text = fs::read_to_string(file).expect("the example has its data");
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned));
    let names: Vec<String> = lines.next().expect("a file has a header").collect();
    lines.map(|fields| names.iter().cloned().zip(fields).collect()).collect()
}

fn number(flight: &BTreeMap<String, String>, name: &str) -> Option<i64> {
    let text = flight[name].as_str();
    (text != "NA").then(|| text.parse().expect("a number or NA"))
}

#[test]
fn the_blizzard_shows() {
    let (mut flights_by_day, mut cancelled_by_day) = (BTreeMap::new(), BTreeMap::new());
    for flight in flights() {
        let time: Timestamp = flight["time_hour"].parse().unwrap();
        let day = local_day(time, -5);
        let dep_time = number(&flight, "dep_time");
        let class = delay_class(number(&flight, "dep_delay"), 15);
        assert_eq!(cancelled(dep_time), class == "cancelled");
        assert_eq!(cancelled(dep_time), !departed(dep_time));
        assert_eq!(day, format!("2013-02-{:0>2}", flight["day"]));
        let scheduled = number(&flight, "sched_dep_time").unwrap();
        assert_eq!(minute_of_day(scheduled).unwrap() / 60, number(&flight, "hour").unwrap());
        *flights_by_day.entry(day.clone()).or_insert(0) += 1;
        *cancelled_by_day.entry(day).or_insert(0) += i32::from(cancelled(dep_time));
    }
    assert_eq!((flights_by_day.len(), flights_by_day.values().sum::<i32>()), (28, 24_951));
    assert_eq!(cancelled_by_day.values().sum::<i32>(), 1_261);
    assert_eq!(cancelled_by_day["2013-02-08"] + cancelled_by_day["2013-02-09"], 865);
}
