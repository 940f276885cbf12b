//! Aggregates through the calls that the host makes.

extern crate weir_guest as weir;

use weir::testing::{self, Kind, RowError, batch, groups, rows};

/// The mean of some numbers.
#[derive(weir::Parameters)]
struct Mean;

#[derive(weir::Accumulator, Clone, Debug, PartialEq)]
struct MeanState {
    sum: f64,
    count: i64,
}

/// The mean.
#[weir::aggregate]
impl Mean {
    fn create(&self) -> MeanState {
        MeanState { sum: 0.0, count: 0 }
    }
    fn accumulate(&self, state: &mut MeanState, value: f64) -> Result<(), String> {
        if value.is_nan() {
            return Err("not a number".to_owned());
        }
        state.sum += value;
        state.count += 1;
        Ok(())
    }
    fn retract(&self, state: &mut MeanState, value: f64) {
        state.sum -= value;
        state.count -= 1;
    }
    fn merge(&self, state: &mut MeanState, other: MeanState) {
        state.sum += other.sum;
        state.count += other.count;
    }
    fn finish(&self, state: &MeanState) -> Option<f64> {
        (state.count > 0).then(|| state.sum / state.count as f64)
    }
}

/// How many rows.
#[derive(weir::Parameters)]
struct CountRows;

#[weir::aggregate(name = "count")]
impl CountRows {
    fn create(&self) -> i64 {
        0
    }
    fn accumulate(&self, count: &mut i64) {
        *count += 1;
    }
    fn merge(&self, count: &mut i64, other: i64) {
        *count += other;
    }
    fn finish(&self, count: &i64) -> i64 {
        *count
    }
}

#[derive(weir::Parameters)]
struct Join {
    /// between the texts
    #[param(default = ", ")]
    by: String,
}

#[derive(weir::Row)]
struct Joined {
    joined: String,
    texts: i32,
}

#[derive(weir::Accumulator)]
struct JoinState {
    joined: Option<String>,
    raw: Vec<u8>,
    texts: i32,
}

#[weir::aggregate]
impl Join {
    fn create(&self) -> JoinState {
        JoinState { joined: None, raw: vec![7], texts: 0 }
    }
    fn accumulate(&self, state: &mut JoinState, text: &str, times: Option<i64>) {
        self.add(state, &text.repeat(times.unwrap_or(1) as usize));
        state.texts += 1;
    }
    fn merge(&self, state: &mut JoinState, other: JoinState) {
        if let Some(text) = other.joined {
            self.add(state, &text);
        }
        state.texts += other.texts;
    }
    fn finish(&self, state: &JoinState) -> Joined {
        assert_eq!(state.raw, [7]);
        Joined { joined: state.joined.clone().unwrap_or_default(), texts: state.texts }
    }

    fn add(&self, state: &mut JoinState, text: &str) {
        match &mut state.joined {
            Some(joined) => *joined = format!("{joined}{}{text}", self.by),
            none => *none = Some(text.to_owned()),
        }
    }
}

#[test]
fn fold_merge_finish() {
    let mean = testing::aggregate::<Mean>();
    let states = (mean.create)(3).unwrap();
    let folded = (mean.accumulate)(states, groups(&[0, 2, 0, 2]), batch([1.0, 5.0, 3.0, f64::NAN])).unwrap();
    assert_eq!(folded.errors, [RowError { row: 3, message: "not a number".to_owned() }]);
    let states = rows::<MeanState>(&folded.accumulators).unwrap();
    let state = |sum, count| MeanState { sum, count };
    assert_eq!(states, [state(4.0, 2), state(0.0, 0), state(5.0, 1)]);
    assert_eq!(
        rows::<Option<f64>>(&(mean.finish)(folded.accumulators.clone()).unwrap()),
        Ok(vec![Some(2.0), None, Some(5.0)])
    );

    let merged = (mean.merge)(batch([state(1.0, 1), state(0.0, 0)]), groups(&[1, 1, 0]), folded.accumulators.clone());
    assert_eq!(rows::<MeanState>(&merged.unwrap()), Ok(vec![state(6.0, 2), state(4.0, 2)]));

    let retracted = (mean.retract.unwrap())(folded.accumulators, groups(&[0]), batch([1.0])).unwrap();
    assert_eq!(rows::<MeanState>(&retracted.accumulators).unwrap()[0], state(3.0, 1));
}

#[test]
fn texts_and_parameters() {
    let join = testing::aggregate::<Join>();
    #[derive(weir::Row)]
    struct Input<'a> {
        text: &'a str,
        times: Option<i64>,
    }
    let input = || batch([Input { text: "a", times: Some(2) }, Input { text: "é", times: None }]);
    let run = || {
        let states = (join.create)(2)?;
        let folded = (join.accumulate)(states, groups(&[1, 1]), input())?;
        let merged = (join.merge)((join.create)(1)?, groups(&[0, 0]), folded.accumulators)?;
        (join.finish)(merged)
    };
    let joined = |batch: &testing::Batch| String::from_utf8(batch.columns[0].values.clone());
    assert_eq!(joined(&run().unwrap()), Ok("aa, é".to_owned()));
    assert_eq!(joined(&testing::with_parameters(&[("by", "-")], run).unwrap()), Ok("aa-é".to_owned()));
}

#[test]
fn catalog() {
    let mean = testing::signature::<Mean>();
    assert_eq!(
        (mean.name.as_str(), mean.kind, mean.retractable, mean.doc.as_str()),
        ("mean", Kind::Aggregate, true, "The mean.")
    );
    assert_eq!(mean.inputs[0].name, "value");
    assert_eq!((mean.outputs[0].name.as_str(), mean.outputs[0].nullable), ("mean", true));
    let names: Vec<_> = mean.accumulator.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["sum", "count"]);
    let count = testing::signature::<CountRows>();
    assert_eq!((count.name.as_str(), count.retractable, count.inputs.len()), ("count", false, 0));
    assert_eq!((count.outputs[0].name.as_str(), count.accumulator[0].name.as_str()), ("count", "value"));
    assert_eq!(testing::signature::<Join>().parameters[0].doc, "between the texts");
}

#[test]
fn no_inputs() {
    let count = testing::aggregate::<CountRows>();
    let input = testing::Batch { rows: 10, columns: vec![] };
    let folded =
        (count.accumulate)((count.create)(2).unwrap(), groups(&[0, 0, 0, 1, 0, 0, 0, 0, 0, 1]), input).unwrap();
    assert_eq!(rows::<i64>(&folded.accumulators), Ok(vec![8, 2]));
    assert!(count.retract.is_none());
}
#[test]
fn stray_groups_are_errors() {
    let count = testing::aggregate::<CountRows>();
    let input = || testing::Batch { rows: 2, columns: vec![] };
    let states = || (count.create)(2).unwrap();
    let error = (count.accumulate)(states(), groups(&[0, 2]), input()).unwrap_err();
    assert_eq!(error, "groups: row 1 is of group 2; there are 2");
    let error = (count.merge)(states(), groups(&[u32::MAX, 0]), states()).unwrap_err();
    assert_eq!(error, "groups: row 0 is of group 4294967295; there are 2");
    let error = (count.accumulate)(states(), groups(&[0]), input()).unwrap_err();
    assert_eq!(error, "groups: 4 bytes of values for 2 rows; expected 8");
}
