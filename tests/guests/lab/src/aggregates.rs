//! Aggregates: one that tells in which order rows came, and some that misbehave on cue.

/// All texts in the order that they came, a comma between each two.
#[derive(Debug, weir::Parameters)]
pub struct Joined;

#[weir::aggregate(name = "join")]
impl Joined {
    fn create(&self) -> Option<String> {
        None
    }

    fn accumulate(&self, joined: &mut Option<String>, text: &str) -> Result<(), String> {
        if text == "bad" {
            return Err("a bad text".to_owned());
        }
        match joined {
            None => *joined = Some(text.to_owned()),
            Some(joined) => {
                joined.push(',');
                joined.push_str(text);
            }
        }
        Ok(())
    }

    fn merge(&self, joined: &mut Option<String>, other: Option<String>) {
        *joined = match (joined.take(), other) {
            (Some(one), Some(other)) => Some(format!("{one},{other}")),
            (one, other) => one.or(other),
        };
    }

    fn finish(&self, joined: &Option<String>) -> Option<String> {
        joined.clone()
    }
}

/// The longest text, the first of several; takes nulls, and counts them.
#[derive(Debug, weir::Parameters)]
pub struct LongestText;

/// How far `longest` has come.
#[derive(Clone, Debug, weir::Accumulator)]
pub struct Longest {
    text: Option<String>,
    nulls: i64,
}

/// What `longest` gives.
#[derive(Debug, weir::Row)]
pub struct LongestRow {
    text: Option<String>,
    nulls: i64,
}

#[weir::aggregate(name = "longest")]
impl LongestText {
    fn create(&self) -> Longest {
        Longest { text: None, nulls: 0 }
    }

    fn accumulate(&self, longest: &mut Longest, text: Option<&str>) {
        match text {
            None => longest.nulls += 1,
            Some(text) if longest.text.as_ref().is_none_or(|held| held.len() < text.len()) => {
                longest.text = Some(text.to_owned());
            }
            Some(_) => {}
        }
    }

    fn merge(&self, longest: &mut Longest, other: Longest) {
        self.accumulate(longest, other.text.as_deref());
        longest.nulls += other.nulls - i64::from(other.text.is_none());
    }

    fn finish(&self, longest: &Longest) -> LongestRow {
        LongestRow { text: longest.text.clone(), nulls: longest.nulls }
    }
}

/// The least and the greatest number.
#[derive(Debug, weir::Parameters)]
pub struct Span;

/// Both ends; what no number was seen of has none.
#[derive(Clone, Debug, weir::Accumulator)]
pub struct Ends {
    least: Option<i64>,
    greatest: Option<i64>,
}

/// What `span` gives.
#[derive(Debug, weir::Row)]
pub struct SpanRow {
    least: Option<i64>,
    greatest: Option<i64>,
}

#[weir::aggregate]
impl Span {
    fn create(&self) -> Ends {
        Ends { least: None, greatest: None }
    }

    fn accumulate(&self, ends: &mut Ends, n: i64) {
        ends.least = Some(ends.least.map_or(n, |least| least.min(n)));
        ends.greatest = Some(ends.greatest.map_or(n, |greatest| greatest.max(n)));
    }

    fn merge(&self, ends: &mut Ends, other: Ends) {
        for n in [other.least, other.greatest].into_iter().flatten() {
            self.accumulate(ends, n);
        }
    }

    fn finish(&self, ends: &Ends) -> SpanRow {
        SpanRow { least: ends.least, greatest: ends.greatest }
    }
}

/// The sum; panics on a number.
#[derive(Debug, weir::Parameters)]
pub struct SumThatPanics {
    /// The number.
    #[param]
    at: i64,
}

#[weir::aggregate(name = "sum_panics_on")]
impl SumThatPanics {
    fn create(&self) -> i64 {
        0
    }

    fn accumulate(&self, sum: &mut i64, n: i64) {
        assert!(n != self.at, "{n} is the one");
        *sum += n;
    }

    fn merge(&self, sum: &mut i64, other: i64) {
        *sum += other;
    }

    fn finish(&self, sum: &i64) -> i64 {
        *sum
    }
}

/// The sum; a negative number fails its row.
#[derive(Debug, weir::Parameters)]
pub struct SumThatRefuses;

#[weir::aggregate(name = "sum_picky")]
impl SumThatRefuses {
    fn create(&self) -> i64 {
        0
    }

    fn accumulate(&self, sum: &mut i64, n: i64) -> Result<(), String> {
        if n < 0 {
            return Err(format!("{n} is negative"));
        }
        *sum += n;
        Ok(())
    }

    fn merge(&self, sum: &mut i64, other: i64) {
        *sum += other;
    }

    fn finish(&self, sum: &i64) -> i64 {
        *sum
    }
}

/// The sum; panics when it is to give one that is `at`.
#[derive(Debug, weir::Parameters)]
pub struct SumThatFailsToFinish {
    /// The sum that it won't give.
    #[param]
    at: i64,
}

#[weir::aggregate(name = "sum_finish_panics_on")]
impl SumThatFailsToFinish {
    fn create(&self) -> i64 {
        0
    }

    fn accumulate(&self, sum: &mut i64, n: i64) {
        *sum += n;
    }

    fn merge(&self, sum: &mut i64, other: i64) {
        *sum += other;
    }

    fn finish(&self, sum: &i64) -> i64 {
        assert!(*sum != self.at, "{sum} is the one");
        *sum
    }
}

/// What was merged with what, in parentheses; panics where both sides end with a 3 or a 7.
#[derive(Debug, weir::Parameters)]
pub struct Shape;

#[weir::aggregate(name = "shape")]
impl Shape {
    fn create(&self) -> Option<String> {
        None
    }

    fn accumulate(&self, shape: &mut Option<String>, id: &str) {
        let shape = shape.get_or_insert_default();
        shape.push_str(id);
    }

    fn merge(&self, shape: &mut Option<String>, other: Option<String>) {
        let (of, other) = (shape.take().unwrap_or_default(), other.unwrap_or_default());
        let ends = |text: &str| text.trim_end_matches(')').ends_with(['3', '7']);
        assert!(!(ends(&of) && ends(&other)), "{of} and {other} do not go together");
        *shape = Some(format!("({of} {other})"));
    }

    fn finish(&self, shape: &Option<String>) -> Option<String> {
        shape.clone()
    }
}
